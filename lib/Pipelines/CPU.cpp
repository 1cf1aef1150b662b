//===- CPU.cpp - The pipeline to native CPU code --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `dit-to-cpu`: from functions on tensors to the LLVM dialect, in stages that
// an embedder can also run one by one.
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/Passes.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Pipelines/Pipelines.h"
#include "dit/Target/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::dit;

static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mlir::dit::buildCPURaiseStage(OpPassManager &pm,
                                   const CPUPipelineOptions &options) {
  pm.addPass(createCheckSizesPass());
  addCleanup(pm);
  if (options.raise) {
    pm.addPass(createRaiseAttentionPass());
    addCleanup(pm);
  }
  pm.addPass(createLowerReusePass());
  pm.addPass(createFuseAttentionsPass());
}

void mlir::dit::buildCPUTensorStage(OpPassManager &pm,
                                    const CPUPipelineOptions &options) {
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addPass(createLinalgFoldUnitExtentDimsPass());
  addCleanup(pm);
  pm.addPass(createOptimizeLinalgForCPU());
  if (options.fuseRows) {
    pm.addPass(createFuseRowsForCPU());
    // Without a search for equal ops: tiles would share what they write into.
    pm.addPass(createCanonicalizerPass());
  }
}

void mlir::dit::buildCPUBufferizeStage(OpPassManager &pm,
                                       const CPUPipelineOptions &options) {
  pm.addPass(createStoreLoopStatePass());
  pm.addPass(createCheckSizesPass());
  pm.addPass(createPrepareBufferizationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  // Loops that swap two tensors still carry new ones.
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  addCleanup(pm);
  pm.addNestedPass<func::FuncOp>(createPlaceResultsPass());
  // The plan of a workspace likes buffers best where they are.
  if (options.workspace)
    return;
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferHoistingPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  bufferization::PromoteBuffersToStackPassOptions promote;
  promote.maxAllocSizeInBytes = options.maxStackBytes;
  pm.addNestedPass<func::FuncOp>(
      bufferization::createPromoteBuffersToStackPass(promote));
}

/// bf16 arithmetic as f32 arithmetic with a rounding after each operation, in
/// integer operations that every CPU has; LLVM would call a library function
/// for each element.
static void addNarrowFloatEmulation(OpPassManager &pm) {
  math::MathExtendToSupportedTypesOptions extend;
  extend.targetTypeStr = "f32";
  pm.addPass(math::createMathExtendToSupportedTypes(extend));
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16", "f16"};
  emulate.targetTypeStr = "f32";
  pm.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
}

void mlir::dit::buildCPUKernelStage(OpPassManager &pm,
                                    const CPUPipelineOptions &options) {
  if (options.checks) {
    pm.addPass(createGenerateChecksPass());
    addCleanup(pm);
  }
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  pm.addPass(createConvertDitToCPU());
  pm.addPass(createConvertLinalgToCPU());
  addCleanup(pm);
  pm.addNestedPass<func::FuncOp>(createPlanTaskStackPass());
  // Kernels have said what scratch memory they need.
  if (options.workspace)
    pm.addPass(createPlanWorkspacePass());
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(createConvertMathToCPU());
  addNarrowFloatEmulation(pm);
  if (options.parallel)
    pm.addPass(createConvertParallelToRuntime());
}

void mlir::dit::buildCPULLVMStage(OpPassManager &pm,
                                  const CPUPipelineOptions &options) {
  pm.addPass(createLowerAssertsPass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  addCleanup(pm);
  pm.addPass(createSCFToControlFlowPass());
  // Dot products of bf16.
  ConvertVectorToLLVMPassOptions vectors;
  vectors.x86Vector = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  // Buffers come from the runtime, which keeps freed ones for the next call.
  FinalizeMemRefToLLVMConversionPassOptions memrefs;
  memrefs.useGenericFunctions = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memrefs));
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(pm);
}

void mlir::dit::buildDitToCPUPipeline(OpPassManager &pm,
                                      const CPUPipelineOptions &options) {
  buildCPURaiseStage(pm, options);
  buildCPUTensorStage(pm, options);
  buildCPUBufferizeStage(pm, options);
  buildCPUKernelStage(pm, options);
  buildCPULLVMStage(pm, options);
}

void mlir::dit::registerPipelines() {
  PassPipelineRegistration<CPUPipelineOptions>(
      "dit-to-cpu",
      "Compiles functions on tensors to the LLVM dialect for the host",
      buildDitToCPUPipeline);
  PassPipelineRegistration<ReferencePipelineOptions>(
      "dit-to-reference",
      "From linalg and dit on tensors to the LLVM dialect by upstream passes "
      "and naive loops: the baseline that other targets are compared with",
      buildReferencePipeline);
  PassPipelineRegistration<EmulatorPipelineOptions>(
      "dit-to-emulator",
      "GPU kernels of the NVVM dialect as code that runs on the host, in an "
      "emulator that checks them",
      buildEmulatorPipeline);
}
