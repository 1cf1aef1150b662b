//===- dit-compile.cpp - Objects and libraries with a C header ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ahead-of-time driver. Every failure is one line that names the argument,
// and exit code 1.
//
//===----------------------------------------------------------------------===//

#include "dit/InitAll.h"
#include "dit/Pipelines/ProgramSource.h"
#include "dit/Support/CommandLine.h"
#include "dit/Support/WriteFile.h"
#include "dit/Target/Header.h"
#include "dit/Target/ParameterFiles.h"
#include "dit/Target/SharedLibrary.h"
#include "dit/Version/Version.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::dit;

static const char kOverview[] =
    R"(dit-compile: compile a function of an MLIR module for this machine.

  dit-compile model.mlirbc --entry denoise -o denoise.o --header denoise.h
  dit-compile model.mlirbc --entry denoise -o libdenoise.so --header denoise.h

  dit-compile model.mlirbc --parameters w.safetensors -o libmodel.so

The header declares the function for C with the shape and type of every
argument. External weights are put into the output by --parameters, or bound by
the program's user with dit_rt_bind_parameter. Programs link the object, or the
library, with libdit_runtime; they need no MLIR. Errors are one line on stderr
and exit code 1.
What dit-run or a call before this compiled is taken from their cache, which is
$DIT_CACHE_DIR or ~/.cache/dit; with DIT_CACHE_DIR set to nothing there is none.
Objects with weights in them are not kept.
)";

namespace {

struct Options {
  cl::OptionCategory category{"dit-compile options"};
  cl::opt<std::string> file{cl::Positional, cl::Required,
                            cl::desc("<module.mlir|module.mlirbc>"),
                            cl::cat(category)};
  cl::opt<std::string> entry{
      "entry", cl::value_desc("function"), cl::cat(category),
      cl::desc("Function to compile; default: main, or the only public one")};
  cl::opt<std::string> output{"o", cl::Required, cl::value_desc("x.o|x.so"),
                              cl::cat(category),
                              cl::desc("Object or shared library to write")};
  cl::opt<std::string> header{"header", cl::value_desc("x.h"),
                              cl::cat(category), cl::desc("C header to write")};
  cl::opt<std::string> name{
      "name", cl::value_desc("identifier"), cl::cat(category),
      cl::desc("Name of the C function; default: the function's own, and "
               "dit_main for main")};
  cl::opt<std::string> target{
      "target", cl::init("cpu"), cl::value_desc("cpu|reference"),
      cl::cat(category),
      cl::desc("cpu: fast code for this machine (default); reference: the "
               "meaning of every operation as plain loops")};
  cl::opt<std::string> pipelineOptions{
      "pipeline-options", cl::value_desc("key=value ..."), cl::cat(category),
      cl::desc("Options of the target's pipeline")};
  cl::opt<std::string> libraries{
      "link", cl::value_desc("b.mlirbc,..."), cl::cat(category),
      cl::desc("Modules whose functions resolve declarations of the first")};
  cl::opt<std::string> parameters{
      "parameters", cl::value_desc("w.safetensors,..."), cl::cat(category),
      cl::desc("Values of the module's external ml_program.global ops, by "
               "name, to be put into the output; without it the user of the "
               "program binds them")};
  cl::opt<std::string> runtimeDir{
      "runtime-dir", cl::value_desc("folder"), cl::cat(category),
      cl::desc("Where libdit_runtime.so is, for a .so; default: ../lib beside "
               "this program")};
};

} // namespace

static llvm::Error checkOptions(const Options &options) {
  if (!options.name.empty() && getCName(options.name) != options.name)
    return llvm::createStringError("--name: '" + options.name +
                                   "' cannot be the name of a C function");
  StringRef extension = llvm::sys::path::extension(options.output);
  if (extension != ".o" && extension != ".so")
    return llvm::createStringError("-o: " + options.output +
                                   ": expected a name that ends in .o or .so");
  return llvm::Error::success();
}

static llvm::Error writeOutput(const Options &options,
                               const CompiledObject &object,
                               StringRef toolPath) {
  if (llvm::sys::path::extension(options.output) == ".o")
    return writeFile(options.output,
                     StringRef(object.object.data(), object.object.size()));
  SmallString<128> runtimeDir(options.runtimeDir);
  if (runtimeDir.empty()) {
    runtimeDir =
        llvm::sys::path::parent_path(llvm::sys::path::parent_path(toolPath));
    llvm::sys::path::append(runtimeDir, "lib");
  }
  return linkSharedLibrary(object.object, options.output, runtimeDir);
}

static llvm::Expected<CompiledObject>
compile(const Options &options, ProgramCache *cache, MLIRContext &context) {
  ParameterFiles parameters;
  for (const std::string &path : splitList(options.parameters))
    if (llvm::Error error = parameters.open(path))
      return inArgument("--parameters: " + path, std::move(error));
  ProgramRequest request;
  if (!options.parameters.empty())
    request.options.parameters = &parameters;
  request.entries = options.entry;
  request.target = options.target;
  request.pipelineOptions = options.pipelineOptions;
  request.options.cName = options.name;
  auto source = ProgramSource::open(options.file, splitList(options.libraries),
                                    std::move(request), cache, &context);
  if (!source)
    return source.takeError();
  auto object = source->compile();
  if (!object)
    return inArgument(options.file, object.takeError());
  return object;
}

static llvm::Error run(const Options &options, StringRef toolPath) {
  if (llvm::Error error = checkOptions(options))
    return error;
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  mlir::dit::registerAllDialects(registry);
  registerTranslations(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::optional<ProgramCache> cache;
  if (CacheSettings settings = CacheSettings::fromEnvironment();
      !settings.directory.empty())
    cache.emplace(std::move(settings), getBuildId());
  auto object = compile(options, cache ? &*cache : nullptr, context);
  if (!object)
    return object.takeError();
  if (llvm::Error error = writeOutput(options, *object, toolPath))
    return inArgument("-o: " + options.output, std::move(error));
  if (options.header.empty())
    return llvm::Error::success();
  std::string text;
  llvm::raw_string_ostream os(text);
  emitHeader(os, *object, llvm::sys::path::filename(options.file),
             options.target);
  if (llvm::Error error = writeFile(options.header, text))
    return inArgument("--header: " + options.header, std::move(error));
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::registerAllPasses();
  mlir::dit::registerAllPasses();
  removeForeignOptions();
  addVersion();
  Options options;
  cl::ParseCommandLineOptions(argc, argv, kOverview);
  std::string toolPath = llvm::sys::fs::getMainExecutable(
      argv[0], reinterpret_cast<void *>(&main));
  return reportError("dit-compile", run(options, toolPath));
}
