//===- dit-opt.cpp - The optimizer driver ---------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's driver with dit inside. The text below is what --help begins with;
// a test runs its examples.
//
//===----------------------------------------------------------------------===//

#include "dit/InitAll.h"
#include "dit/Support/CommandLine.h"
#include "dit/Support/Nesting.h"
#include "dit/Target/ModuleFile.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static const char kOverview[] =
    R"(dit-opt: passes over the attention of diffusion transformers.

It has all passes and flags of mlir-opt, and those of dit, in whose names `dit`
stands. dit-run and dit-compile do the whole way from a model to a result or a
library; dit-opt does one step at a time, or one pipeline.

FROM A MODEL TO dit OPS (linalg on tensors in, dit and linalg on tensors out)
  Find the attentions of an exported model, and say what was found and what not:
    dit-opt model.mlirbc --dit-raise-attention --remarks-filter=.* -o raised.mlirbc --emit-bytecode
  Name them, and state what they mix and where tokens lie (a JSON file):
    dit-opt raised.mlirbc --dit-annotate-sites=file=sites.json -o named.mlirbc --emit-bytecode
  What each attention costs, as JSON:
    dit-opt named.mlirbc --dit-report-attention -o /dev/null

CHOOSING WHAT NOT TO COMPUTE (dit on tensors in and out; results change)
  Sparse attention for the heads that a profile calls sparse:
    dit-opt named.mlirbc --dit-sparsify-attention='file=profile.json tile=64,64 min-sparsity=0.7' -o sparse.mlirbc --emit-bytecode

PLANS (dit on tensors in and out; results change as the plan says)
  A generation as one program, with its branches marked:
    dit-opt named.mlirbc --dit-build-sampler='steps=6 guidance=2' --inline --symbol-dce --dit-outline-branches -o program.mlirbc --emit-bytecode
  A plan from a file of diffusers or xDiT, what it leaves to compute, and the program under it:
    dit-opt program.mlirbc --dit-import-plan='file=plan.json steps=6' --dit-report-plan=file=work.json --dit-apply-plan -o planned.mlirbc --emit-bytecode
  A program that measures its branches, for dit-run --profile; --dit-import-profile reads
  what that writes, and --dit-plan-broadcast, -compression and -auto make plans of it:
    dit-opt program.mlirbc --dit-instrument-profile=masses=0.9 -o measuring.mlirbc --emit-bytecode

WHAT IT MEANS (dit in, linalg, tensor, arith, math and scf out)
  Every dit op as upstream ops, written to be read:
    dit-opt named.mlirbc --dit-decompose -o meaning.mlir --mlir-elide-elementsattrs-if-larger=8

PIPELINES (functions on tensors in, LLVM dialect out; it calls libdit_runtime)
  Fast code for this machine; raises by itself. Options in braces:
    dit-opt named.mlirbc --pass-pipeline='builtin.module(dit-export-entries,dit-to-cpu{parallel=false})' -o fast.mlir
  The same by upstream passes and plain loops alone, for comparing:
    dit-opt named.mlirbc --pass-pipeline='builtin.module(dit-export-entries,dit-to-reference)' -o plain.mlir
  `--dit-to-cpu` and `--dit-to-reference` are short for these without options.

LOOKING INSIDE
  The module after each pass, in files:
    dit-opt named.mlirbc --dit-to-cpu --mlir-print-ir-tree-dir=ir --mlir-elide-elementsattrs-if-larger=8 -o /dev/null
  Where the time goes, and a file that repeats a failure:
    dit-opt named.mlirbc --dit-to-cpu --mlir-timing --mlir-pass-pipeline-crash-reproducer=bug.mlir -o /dev/null

`dit-opt --help | less`: passes are listed below, each with its options.
)";

/// Refuses what upstream's parsers would not survive: text that takes all of
/// their stack, and damaged bytecode, which is replaced by what a child process
/// made of it. A dialect that --irdl-file makes is not known there.
static LogicalResult checkInput(std::unique_ptr<llvm::MemoryBuffer> &buffer,
                                const DialectRegistry &registry,
                                const MlirOptMainConfig &config) {
  if (isBytecode(*buffer)) {
    if (!config.getIrdlFile().empty())
      return success();
    auto rewritten = dit::rewriteBytecode(
        *buffer, registry, config.shouldAllowUnregisteredDialects(),
        config.shouldVerifyOnParsing());
    if (rewritten) {
      buffer = std::move(*rewritten);
      return success();
    }
    std::string text = llvm::toString(rewritten.takeError());
    if (!StringRef(text).contains("error: "))
      text = (buffer->getBufferIdentifier() + ": error: " + text).str();
    llvm::errs() << text << '\n';
    return failure();
  }
  std::optional<dit::NestingFault> fault =
      dit::findDeepNesting(buffer->getBuffer());
  if (!fault)
    return success();
  llvm::errs() << buffer->getBufferIdentifier() << ':' << fault->line << ':'
               << fault->column << ": error: " << fault->text << '\n';
  return failure();
}

/// What upstream's driver does with a file, and a look at the file before.
static LogicalResult processFile(StringRef input, StringRef output,
                                 DialectRegistry &registry,
                                 const MlirOptMainConfig &config) {
  if (input == "-" && llvm::sys::Process::StandardInIsUserInput())
    llvm::errs() << "(processing input from stdin now, hit ctrl-c/ctrl-d to "
                    "interrupt)\n";
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(input, &error);
  std::unique_ptr<llvm::ToolOutputFile> file;
  if (buffer)
    file = openOutputFile(output, &error);
  if (!file) {
    llvm::errs() << error << '\n';
    return failure();
  }
  if (failed(checkInput(buffer, registry, config)) ||
      failed(MlirOptMain(file->os(), std::move(buffer), registry, config)))
    return failure();
  file->keep();
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  dit::hideForeignOptions();
  dit::addVersion();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllPasses();
  dit::registerAllDialects(registry);
  dit::registerAllPasses();
  auto [input, output] =
      registerAndParseCLIOptions(argc, argv, kOverview, registry);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
  return asMainReturnCode(processFile(input, output, registry, config));
}
