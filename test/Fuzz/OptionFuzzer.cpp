//===- OptionFuzzer.cpp - Fuzz target: files and options of passes --------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The first byte chooses a reader: the annotation file, the file of what heads
// keep, or the text of a pipeline with the options of our passes, which is then
// run on a small program.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"
#include "ProgramChecker.h"
#include "TextMutator.h"

#include "dit/Dialect/Dit/Analysis/SiteAnnotations.h"
#include "dit/Dialect/Dit/Transforms/SparsifyAttention.h"
#include "dit/InitAll.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mlir::dit;

/// A step loop with an attention, a plan and a profile of it, for passes to
/// work on.
static const char kProgram[] = R"(
dit.plan @plan timesteps [4, 3, 2, 1] {
  dit.planned "a" full cache after_projection heads 2 [full, share, window(1), full] grid <2x2x2>
}
dit.profile @profile timesteps [4, 3, 2, 1] {
  dit.measured "a" seconds dense<1.0> : tensor<4xf64>
  dit.measured "a" seconds of <window(1)> dense<0.5> : tensor<4xf64>
  dit.measured "a" rse of <share> dense<0.25> : tensor<4x2xf64>
  dit.measured "a" rse of <window(1)> dense<0.125> : tensor<4x2xf64>
  dit.measured "a" sample_error of <share> dense<0.25> : tensor<4xf64>
  dit.measured "a" step_difference dense<0.25> : tensor<4xf64>
  dit.measured "a" sparsity at 0.9 dense<0.75> : tensor<4x2xf64>
  dit.trial errors [0.0] seconds 8.0
}
func.func @main(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>)
    -> tensor<1x2x8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %q)
      -> (tensor<1x2x8x4xf32>) {
    %e = tensor.empty() : tensor<1x2x8x4xf32>
    %o = dit.attention ins(%x, %k, %k : tensor<1x2x8x4xf32>,
        tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
        outs(%e : tensor<1x2x8x4xf32>)
        {scale = 0.5 : f64, site = "a", kind = #dit.kind<full>,
         grid = #dit.grid<2x2x2>}
    %y = linalg.add ins(%x, %o : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
        outs(%e : tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32>
    scf.yield %y : tensor<1x2x8x4xf32>
  }
  return %r : tensor<1x2x8x4xf32>
}
)";

/// Passes that read or write a file are not told one: a fuzzer must not.
static bool isHarmless(StringRef pipeline) {
  for (size_t at = 0; (at = pipeline.find("file", at)) != StringRef::npos; ++at)
    if (!pipeline.take_front(at).ends_with("pro"))
      return false;
  return !pipeline.contains('/') && pipeline.contains("dit");
}

static void runPipeline(MLIRContext *context, StringRef pipeline) {
  if (!isHarmless(pipeline))
    return;
  PassManager pm(context, ModuleOp::getOperationName());
  std::string problem;
  llvm::raw_string_ostream os(problem);
  if (failed(parsePassPipeline(pipeline, pm, os)))
    return;
  auto module = parseSourceString<ModuleOp>(kProgram, context);
  (void)pm.run(*module);
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  mlir::dit::registerAllPasses();
  mlir::registerCanonicalizer();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzContext fuzzContext(registerCheckerDialects);
  MLIRContext *context = fuzzContext.get();
  if (size == 0)
    return -1;
  StringRef text(reinterpret_cast<const char *>(data + 1), size - 1);
  switch (data[0] % 3) {
  case 0:
    if (auto annotations = parseSiteAnnotations(context, text); !annotations)
      llvm::consumeError(annotations.takeError());
    return 0;
  case 1:
    if (auto shares = HeadShares::parse(text, HeadShares::Options()); !shares)
      llvm::consumeError(shares.takeError());
    return 0;
  default:
    runPipeline(context, text);
    return 0;
  }
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  return mutateText(data, size, maxSize, seed);
}
