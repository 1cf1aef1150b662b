//===- Options.cpp - Command line of dit-run ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Declares the options and checks what can be checked without the module.
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "dit/Support/CommandLine.h"

#include "llvm/Support/CommandLine.h"

using namespace llvm;
using namespace mlir::dit;

static const char kOverview[] =
    R"(dit-run: compile a function of an MLIR module, run it on .npy files, compare.

  dit-run model.mlirbc --inputs x.npy,t.npy --outputs y.npy
      runs @main (or the only function) for the host and writes its result
  dit-run model.mlirbc --inputs x.npy,t.npy --expect ref.npy --tolerance 1e-4
      exits 0 only if every result is within the tolerance of the reference
  dit-run sampler.mlir --link model.mlirbc --entry sample --inputs noise.npy
      compiles a loop together with the model that it calls
  dit-run instrumented.mlirbc --inputs noise.npy --profile profile.json
      writes what a sampler under dit-opt --dit-instrument-profile measured
  dit-run model.mlirbc --list-entries
      says what can be run and what its inputs are

The module holds linalg, dit and other upstream dialects on tensors, as text or
bytecode. Inputs are given in the order of the arguments; a comma separates
files. bf16 arrays have the dtype <V2 (as ml_dtypes writes them) or <u2 (bits).
Compiled programs are kept in $DIT_CACHE_DIR, or else in the user's cache folder
(~/.cache/dit), and not compiled again.
Errors are one line on stderr and exit code 1.
)";

Expected<RunOptions> mlir::dit::parseCommandLine(int argc, char **argv) {
  removeForeignOptions();
  addVersion();
  static cl::OptionCategory category("dit-run options");
  static cl::opt<std::string> file(cl::Positional, cl::Required,
                                   cl::desc("<module.mlir|module.mlirbc>"),
                                   cl::cat(category));
  static cl::opt<std::string> entry(
      "entry", cl::value_desc("function"), cl::cat(category),
      cl::desc("Function to run; default: main, or the only public one"));
  static cl::opt<std::string> inputs(
      "inputs", cl::value_desc("a.npy,..."), cl::cat(category),
      cl::desc("Arguments of the function, one file each"));
  static cl::opt<std::string> parameters(
      "parameters", cl::value_desc("w.safetensors,..."), cl::cat(category),
      cl::desc("Values of the module's external ml_program.global ops, by "
               "name; mapped, not copied"));
  static cl::opt<std::string> libraries(
      "link", cl::value_desc("b.mlirbc,..."), cl::cat(category),
      cl::desc("Modules whose functions resolve declarations of the first"));
  static cl::opt<std::string> emitModule(
      "emit-module", cl::value_desc("file"), cl::cat(category),
      cl::desc("Write the module as linked and do not run it; as bytecode if "
               "the name ends in .mlirbc"));
  static cl::opt<std::string> outputs(
      "outputs", cl::value_desc("o.npy,..."), cl::cat(category),
      cl::desc("Where the results go; an empty item skips a result"));
  static cl::opt<std::string> expected(
      "expect", cl::value_desc("ref.npy,..."), cl::cat(category),
      cl::desc("What the results should be; an empty item skips a result"));
  static cl::opt<double> tolerance(
      "tolerance", cl::init(1e-4), cl::value_desc("number"), cl::cat(category),
      cl::desc("Largest relative error, max |a-b| / max |b|, that passes "
               "(default 1e-4)"));
  static cl::opt<std::string> target(
      "target", cl::init("cpu"), cl::value_desc("cpu|reference|emulator"),
      cl::cat(category),
      cl::desc("cpu: fast code for this machine (default); reference: the "
               "meaning of every operation as plain loops; emulator: the same, "
               "with GPU kernels of the module run and checked on the CPU"));
  static cl::opt<std::string> pipelineOptions(
      "pipeline-options", cl::value_desc("key=value ..."), cl::cat(category),
      cl::desc("Options of the target's pipeline, as `dit-opt --help` lists "
               "them under --dit-to-<target>"));
  static cl::opt<int> threads(
      "threads", cl::init(0), cl::value_desc("N"), cl::cat(category),
      cl::desc("Threads of the compiled code; default: all processors"));
  static cl::opt<int> repeat("repeat", cl::init(1), cl::value_desc("N"),
                             cl::cat(category),
                             cl::desc("Timed calls (default 1)"));
  static cl::opt<unsigned> optLevel(
      "opt-level", cl::init(3), cl::value_desc("0-3"), cl::cat(category),
      cl::desc("Optimization of machine code (default 3); 0 compiles fastest"));
  static cl::opt<std::string> cacheDir(
      "cache-dir", cl::value_desc("folder"), cl::cat(category),
      cl::desc("Where compiled programs are kept; default: $DIT_CACHE_DIR, or "
               "dit in the user's cache folder"));
  static cl::opt<unsigned> cacheLimit(
      "cache-limit", cl::init(CacheSettings::kDefaultMaxBytes >> 20),
      cl::value_desc("MiB"), cl::cat(category),
      cl::desc("Size above which the programs unused for longest are removed "
               "from that folder (default 2048)"));
  static cl::opt<bool> noCache(
      "no-cache", cl::cat(category),
      cl::desc("Compile in any case and keep nothing"));
  static cl::opt<std::string> json(
      "json", cl::value_desc("file"), cl::cat(category),
      cl::desc("Write times, errors and peak memory there"));
  static cl::opt<std::string> profile(
      "profile", cl::value_desc("file"), cl::cat(category),
      cl::desc("Write what a program of --dit-instrument-profile measured, as "
               "JSON for --dit-import-profile"));
  static cl::opt<bool> listEntries(
      "list-entries", cl::cat(category),
      cl::desc("Print the functions that can be run, with their types"));
  static cl::opt<bool> perfMap(
      "perf-map", cl::cat(category),
      cl::desc("Write /tmp/perf-<process>.map, from which Linux' perf knows "
               "the names of kernels"));
  static cl::opt<bool> printIR(
      "print-ir", cl::cat(category),
      cl::desc("Print the lowered module and do not run it"));
  cl::ParseCommandLineOptions(argc, argv, kOverview);

  RunOptions options;
  options.file = file;
  options.entry = entry;
  options.inputs = splitList(inputs);
  options.outputs = splitList(outputs);
  options.expected = splitList(expected);
  options.parameters = splitList(parameters);
  options.libraries = splitList(libraries);
  options.emitModule = emitModule;
  options.cache = CacheSettings::fromEnvironment();
  if (!cacheDir.empty())
    options.cache.directory = cacheDir;
  if (noCache)
    options.cache.directory.clear();
  options.cache.maxBytes = uint64_t(cacheLimit) << 20;
  options.tolerance = tolerance;
  options.target = target;
  options.pipelineOptions = pipelineOptions;
  options.jsonPath = json;
  options.profilePath = profile;
  options.threads = threads;
  options.repeat = repeat;
  options.optLevel = optLevel;
  options.listEntries = listEntries;
  options.perfMap = perfMap;
  options.printIR = printIR;
  if (options.threads < 0 ||
      (threads.getNumOccurrences() && options.threads == 0))
    return createStringError("--threads: expected a positive number, got " +
                             Twine(options.threads));
  if (options.repeat < 1)
    return createStringError("--repeat: expected a positive number, got " +
                             Twine(options.repeat));
  if (options.optLevel > 3)
    return createStringError("--opt-level: expected 0 to 3, got " +
                             Twine(options.optLevel));
  if (!(options.tolerance >= 0))
    return createStringError("--tolerance: expected a number not below 0");
  return options;
}
