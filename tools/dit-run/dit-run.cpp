//===- dit-run.cpp - Compile, run, compare --------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver: reads a module and arrays, compiles, calls, compares, reports.
// Every failure is one line that names the argument, and exit code 1.
//
//===----------------------------------------------------------------------===//

#include "FaultGuard.h"
#include "Options.h"
#include "Progress.h"
#include "Report.h"

#include "dit/Dialect/Dit/Plan/ProfileLayout.h"
#include "dit/InitAll.h"
#include "dit/Pipelines/Lowering.h"
#include "dit/Pipelines/ProgramSource.h"
#include "dit/Runtime/Runtime.h"
#include "dit/Support/CommandLine.h"
#include "dit/Support/Npy.h"
#include "dit/Support/WriteFile.h"
#include "dit/Target/LinkModules.h"
#include "dit/Target/ParameterFiles.h"
#include "dit/Target/Program.h"
#include "dit/Version/Version.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"

#include <chrono>

using namespace mlir;
using namespace mlir::dit;

namespace {

/// The steps of one run, sharing the command line.
class Runner {
public:
  explicit Runner(RunOptions options) : options(std::move(options)) {}

  llvm::Error run();

private:
  llvm::Error inspect(ModuleOp module);
  llvm::Error printLowered(ProgramSource &source);
  llvm::Expected<Program> compile(ProgramSource &source);
  llvm::Expected<ProgramSource> openSource(ProgramCache *cache,
                                           MLIRContext &context);
  void reportCache(const ProgramCache &cache, bool isHit);
  llvm::Error openParameters();
  llvm::Error bindParameters();
  llvm::Error readInputs();
  llvm::Error prepareResults();
  llvm::Expected<unsigned> findResult(StringRef name) const;
  llvm::Error writeProfile();
  llvm::Error call();
  llvm::Error callOnce(void *workspace);
  llvm::Error finishResults();
  llvm::Error checkResult(unsigned index);

  RunOptions options;
  std::string entryName;
  const EntrySignature *signature = nullptr;
  const dit_rt_entry *entry = nullptr;
  SmallVector<HostTensor> inputs, results, expected;
  ParameterFiles parameterFiles;
  RunReport report;
};

} // namespace

static std::string formatType(RankedTensorType type) {
  return formatTensorType(*getDType(type.getElementType()), type.getShape());
}

/// Whether an array of this shape can be passed where `type` is expected.
static bool isCompatible(ArrayRef<int64_t> shape, RankedTensorType type) {
  if (shape.size() != size_t(type.getRank()))
    return false;
  for (auto [got, wanted] : llvm::zip_equal(shape, type.getShape()))
    if (!ShapedType::isDynamic(wanted) && got != wanted)
      return false;
  return true;
}

/// bf16 may travel as 16-bit integers that hold its bits.
static void reinterpretBits(HostTensor &tensor, dit_rt_dtype wanted) {
  if (wanted == DIT_RT_BF16 && tensor.getDType() == DIT_RT_I16)
    tensor.setDType(wanted);
}

/// Writes the linked module, as bytecode or text by the name of the file.
static llvm::Error emitModule(ModuleOp module, StringRef path) {
  bool isBytecode = path.ends_with(".mlirbc"), isWritten = true;
  llvm::Error error = writeFile(path, [&](llvm::raw_ostream &file) {
    if (isBytecode)
      isWritten = succeeded(writeBytecodeToFile(module, file));
    else
      module.print(file);
  });
  if (!error && !isWritten)
    return llvm::createStringError("the module cannot be written as bytecode");
  return error;
}

static void listEntries(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    llvm::outs() << function.getName() << function.getFunctionType() << '\n';
  }
}

/// What is asked of the module itself.
llvm::Error Runner::inspect(ModuleOp module) {
  if (options.listEntries)
    listEntries(module);
  else if (llvm::Error error = emitModule(module, options.emitModule))
    return inArgument("--emit-module: " + options.emitModule, std::move(error));
  return llvm::Error::success();
}

llvm::Error Runner::printLowered(ProgramSource &source) {
  if (llvm::Error error =
          lowerToTarget(source.getModule(), entryName, options.target,
                        options.pipelineOptions))
    return inArgument(options.file, std::move(error));
  source.getModule().print(llvm::outs());
  return llvm::Error::success();
}

llvm::Expected<Program> Runner::compile(ProgramSource &source) {
  Progress progress("compiling " + entryName + " for target " + options.target);
  auto object = source.compile();
  if (!object)
    return object.takeError();
  CompileTimer timer(&report.compileTimes, &CompileTimes::link);
  auto program = Program::load(std::move(*object), options.perfMap);
  if (!program)
    return program.takeError();
  auto descriptor = program->lookup(entryName);
  if (!descriptor)
    return descriptor.takeError();
  entry = *descriptor;
  return program;
}

llvm::Error Runner::openParameters() {
  for (StringRef path : options.parameters)
    if (llvm::Error error = parameterFiles.open(path))
      return inArgument("--parameters: " + path, std::move(error));
  return llvm::Error::success();
}

/// Points the program to its weights in the mapped files.
llvm::Error Runner::bindParameters() {
  auto numBound = parameterFiles.bind(*entry);
  if (!numBound)
    return inArgument("--parameters", numBound.takeError());
  if (llvm::Error error = ParameterFiles::checkBound(*entry))
    return inArgument("--parameters", std::move(error));
  return llvm::Error::success();
}

llvm::Error Runner::readInputs() {
  if (options.inputs.size() != signature->inputs.size())
    return llvm::createStringError(
        "--inputs: function '" + entryName + "' takes " +
        Twine(signature->inputs.size()) + " arrays, got " +
        Twine(options.inputs.size()));
  for (auto [path, argument] :
       llvm::zip_equal(options.inputs, signature->inputs)) {
    auto tensor = readNpy(path);
    if (!tensor)
      return inArgument("--inputs: " + path, tensor.takeError());
    dit_rt_dtype dtype = *getDType(argument.type.getElementType());
    reinterpretBits(*tensor, dtype);
    if (tensor->getDType() != dtype ||
        !isCompatible(tensor->getShape(), argument.type))
      return llvm::createStringError(
          "--inputs: " + path + ": expected " + formatType(argument.type) +
          " for argument '" + argument.name + "', got " +
          formatTensorType(tensor->getDType(), tensor->getShape()));
    inputs.push_back(std::move(*tensor));
  }
  return llvm::Error::success();
}

/// Allocates results and reads what they should be, so that a bad file is found
/// before time is spent on running.
llvm::Error Runner::prepareResults() {
  for (auto [flag, list] : {std::pair("--outputs", &options.outputs),
                            std::pair("--expect", &options.expected)}) {
    if (!list->empty() && list->size() != signature->results.size())
      return llvm::createStringError(
          Twine(flag) + ": function '" + entryName + "' has " +
          Twine(signature->results.size()) + " results, got " +
          Twine(list->size()) + " files");
    list->resize(signature->results.size());
  }
  results.resize(signature->results.size());
  expected.resize(signature->results.size());
  for (auto [i, result] : llvm::enumerate(signature->results)) {
    dit_rt_dtype dtype = *getDType(result.type.getElementType());
    if (result.type.hasStaticShape()) {
      auto memory = HostTensor::allocate(dtype, result.type.getShape());
      if (!memory)
        return inArgument("result '" + result.name + "'", memory.takeError());
      results[i] = std::move(*memory);
    }
    StringRef path = options.expected[i];
    if (path.empty())
      continue;
    auto tensor = readNpy(path);
    if (!tensor)
      return inArgument("--expect: " + path, tensor.takeError());
    reinterpretBits(*tensor, dtype);
    if (!isCompatible(tensor->getShape(), result.type))
      return llvm::createStringError(
          "--expect: " + path + ": expected " + formatType(result.type) +
          " for result '" + result.name + "', got " +
          formatTensorType(tensor->getDType(), tensor->getShape()));
    expected[i] = std::move(*tensor);
  }
  return llvm::Error::success();
}

/// One call; its time goes to the report.
llvm::Error Runner::callOnce(void *workspace) {
  SmallVector<dit_buffer> buffers;
  for (HostTensor &input : inputs)
    buffers.push_back(input.getBuffer());
  // The runtime allocates results whose extents only the program knows.
  SmallVector<SmallVector<int64_t>> sizes(results.size());
  for (auto [i, result] : llvm::enumerate(signature->results)) {
    buffers.push_back(results[i].getBuffer());
    if (result.type.hasStaticShape())
      continue;
    sizes[i].resize(result.type.getRank());
    buffers.back() = {nullptr, *getDType(result.type.getElementType()),
                      static_cast<int32_t>(result.type.getRank()),
                      sizes[i].data(), nullptr};
  }
  SmallVector<dit_buffer *> args;
  for (dit_buffer &buffer : buffers)
    args.push_back(&buffer);
  FaultGuard guard;
  auto start = std::chrono::steady_clock::now();
  int32_t status = dit_rt_invoke(entry, args.data(), workspace);
  report.seconds.push_back(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count());
  if (status != DIT_RT_OK)
    return llvm::createStringError(dit_rt_last_error());
  for (auto [i, result] : llvm::enumerate(signature->results))
    if (!result.type.hasStaticShape())
      results[i] = HostTensor::adopt(*getDType(result.type.getElementType()),
                                     sizes[i], args[inputs.size() + i]->data);
  return llvm::Error::success();
}

llvm::Error Runner::call() {
  Progress progress("running " + entryName);
  if (options.threads > 0)
    dit_rt_set_num_threads(options.threads);
  report.threads = dit_rt_get_num_threads();
  SmallVector<dit_buffer> buffers;
  for (HostTensor &input : inputs)
    buffers.push_back(input.getBuffer());
  SmallVector<dit_buffer *> args;
  for (dit_buffer &buffer : buffers)
    args.push_back(&buffer);
  int64_t workspaceSize = dit_rt_workspace_size(entry, args.data());
  if (workspaceSize < 0)
    return llvm::createStringError(dit_rt_last_error());
  auto workspace = HostTensor::allocate(DIT_RT_I8, {workspaceSize});
  if (!workspace)
    return inArgument("workspace", workspace.takeError());
  for (int repetition = 0; repetition < options.repeat; ++repetition)
    if (llvm::Error error = callOnce(workspace->data()))
      return error;
  report.peakRSSBytes = getPeakRSSBytes();
  return llvm::Error::success();
}

/// Compares result `index` with its expectation, if there is one.
llvm::Error Runner::checkResult(unsigned index) {
  const HostTensor &result = results[index];
  std::string name = "result '" + signature->results[index].name + "'";
  StringRef path = options.expected[index];
  if (path.empty()) {
    if (int64_t count = countNaNs(result))
      return llvm::createStringError(name + ": " + Twine(count) + " of " +
                                     Twine(result.getNumElements()) +
                                     " elements are NaN");
    return llvm::Error::success();
  }
  if (result.getShape() != expected[index].getShape())
    return llvm::createStringError(
        "--expect: " + path + ": expected the extents of " + name + ", " +
        formatTensorType(result.getDType(), result.getShape()) + ", got " +
        formatTensorType(expected[index].getDType(),
                         expected[index].getShape()));
  TensorDifference difference = compare(result, expected[index]);
  report.maxAbsError =
      std::max(report.maxAbsError.value_or(0), difference.maxAbs);
  report.maxRelError =
      std::max(report.maxRelError.value_or(0), difference.maxRel);
  if (difference.unexpectedNaNs || difference.missingNaNs)
    return llvm::createStringError(
        "--expect: " + path + ": " + name + " is NaN at " +
        Twine(difference.unexpectedNaNs) +
        " places where a number is expected, and a number at " +
        Twine(difference.missingNaNs) + " where NaN is");
  if (!(difference.maxRel <= options.tolerance))
    return llvm::createStringError(
        "--expect: " + path + ": " + name +
        llvm::formatv(" differs: max rel error {0:e3} is above the tolerance "
                      "{1:e3} (max abs error {2:e3})",
                      difference.maxRel, options.tolerance, difference.maxAbs)
            .str());
  return llvm::Error::success();
}

llvm::Expected<unsigned> Runner::findResult(StringRef name) const {
  for (auto [index, result] : llvm::enumerate(signature->results))
    if (result.name == name)
      return index;
  return llvm::createStringError(
      "--profile: function '" + entryName + "' has no result '" + name +
      "'; dit-opt --dit-instrument-profile makes programs that have it");
}

/// Puts what the program measured into a file.
llvm::Error Runner::writeProfile() {
  auto values = findResult(kProfileValues);
  if (!values)
    return values.takeError();
  auto layout = findResult(kProfileLayout);
  if (!layout)
    return layout.takeError();
  const HostTensor &numbers = results[*values], &text = results[*layout];
  if (numbers.getDType() != DIT_RT_F64 || text.getDType() != DIT_RT_I8)
    return llvm::createStringError("--profile: expected values in f64 and a "
                                   "layout in i8");
  auto profile = fillProfileLayout(
      StringRef(text.data(), text.getNumElements()),
      ArrayRef(reinterpret_cast<const double *>(numbers.data()),
               numbers.getNumElements()));
  if (!profile)
    return inArgument("--profile", profile.takeError());
  if (llvm::Error error = writeFile(
          options.profilePath, [&](llvm::raw_ostream &os) { os << *profile; }))
    return inArgument("--profile: " + options.profilePath, std::move(error));
  return llvm::Error::success();
}

/// Writes and compares all results; what was measured is reported in any case.
llvm::Error Runner::finishResults() {
  llvm::Error firstError = llvm::Error::success();
  for (unsigned i = 0, e = results.size(); i < e; ++i) {
    llvm::Error error = checkResult(i);
    if (!options.outputs[i].empty())
      if (llvm::Error failure = writeNpy(options.outputs[i], results[i]))
        error = llvm::joinErrors(
            std::move(error),
            inArgument("--outputs: " + options.outputs[i], std::move(failure)));
    firstError = llvm::joinErrors(std::move(firstError), std::move(error));
  }
  if (!options.profilePath.empty())
    firstError = llvm::joinErrors(std::move(firstError), writeProfile());
  report.print(llvm::outs());
  llvm::outs().flush();
  if (!options.jsonPath.empty())
    if (llvm::Error error = report.writeJSON(options.jsonPath))
      firstError = llvm::joinErrors(
          std::move(firstError),
          inArgument("--json: " + options.jsonPath, std::move(error)));
  return firstError;
}

llvm::Expected<ProgramSource> Runner::openSource(ProgramCache *cache,
                                                 MLIRContext &context) {
  CompileTimer timer(&report.compileTimes, &CompileTimes::load);
  ProgramRequest request;
  request.entries = options.entry;
  request.target = options.target;
  request.pipelineOptions = options.pipelineOptions;
  request.options.optLevel = options.optLevel;
  request.options.times = &report.compileTimes;
  return ProgramSource::open(options.file, options.libraries,
                             std::move(request), cache, &context);
}

/// A cache that cannot be written costs time, nothing else.
void Runner::reportCache(const ProgramCache &cache, bool isHit) {
  report.cache = isHit ? "hit" : "miss";
  if (std::string problem = cache.getProblem(); !problem.empty())
    llvm::errs() << "dit-run: warning: the program was not kept in the cache: "
                 << problem << "; --no-cache does without\n";
}

llvm::Error Runner::run() {
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  mlir::dit::registerAllDialects(registry);
  registerTranslations(registry);
  // The module is read in a child process first, which must have one thread.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  if (options.listEntries || !options.emitModule.empty()) {
    auto module = loadModules(options.file, options.libraries, &context);
    return module ? inspect(**module) : module.takeError();
  }
  std::optional<ProgramCache> cache;
  if (!options.cache.directory.empty() && !options.printIR)
    cache.emplace(options.cache, getBuildId());
  auto source = openSource(cache ? &*cache : nullptr, context);
  if (!source)
    return source.takeError();
  signature = &source->getSignature();
  entryName = signature->name;
  report.target = options.target;
  report.entry = entryName;
  if (options.printIR)
    return printLowered(*source);
  if (!options.profilePath.empty())
    if (auto index = findResult(kProfileValues); !index)
      return index.takeError();
  if (llvm::Error error = readInputs())
    return error;
  if (llvm::Error error = openParameters())
    return error;
  if (llvm::Error error = prepareResults())
    return error;
  auto program = compile(*source);
  if (!program)
    return inArgument(options.file, program.takeError());
  if (cache)
    reportCache(*cache, source->isCached());
  if (llvm::Error error = bindParameters())
    return error;
  if (llvm::Error error = call())
    return inArgument("running " + entryName, std::move(error));
  return finishResults();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::registerAllPasses();
  mlir::dit::registerAllPasses();
  auto options = parseCommandLine(argc, argv);
  return reportError("dit-run",
                     options ? Runner(*options).run() : options.takeError());
}
