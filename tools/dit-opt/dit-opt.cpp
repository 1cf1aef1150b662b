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

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

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
  Keep the results of a branch over some steps of the loop around it:
    dit-opt sampler.mlir --dit-reuse-attention='kinds=full schedule=1010'

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

int main(int argc, char **argv) {
  mlir::dit::hideForeignOptions();
  mlir::dit::addVersion();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::dit::registerAllDialects(registry);
  mlir::dit::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, kOverview, registry));
}
