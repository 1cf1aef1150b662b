//===- Reference.cpp - The plain pipeline ---------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// dit-to-reference: what other targets are compared with. It trades all speed
// for having as little of our own code in it as can be.
//
//===----------------------------------------------------------------------===//

#include "ReferenceStages.h"

#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Pipelines/Pipelines.h"
#include "dit/Target/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::dit;

void mlir::dit::addReferenceBufferization(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addPass(createStoreLoopStatePass());
  pm.addPass(createCheckSizesPass());
  pm.addPass(createPrepareBufferizationPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  // Loops that swap two tensors still carry new ones.
  options.allowReturnAllocsFromLoops = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addNestedPass<func::FuncOp>(createPlaceResultsPass());
  pm.addPass(createPlanWorkspacePass());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
}

void mlir::dit::addReferenceLowering(OpPassManager &pm) {
  // Extents that do not fit together, and indices out of range, become errors.
  pm.addPass(createGenerateChecksPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLowerAssertsPass());
  // For the sake of compile time only.
  pm.addPass(createOutlineKernelsPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  // The runtime's memory, whose lack is a status of the program.
  FinalizeMemRefToLLVMConversionPassOptions memrefs;
  memrefs.useGenericFunctions = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memrefs));
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void mlir::dit::addReferenceDecomposition(OpPassManager &pm) {
  pm.addPass(createCheckSizesPass());
  pm.addPass(createLowerReusePass());
  pm.addPass(createDecomposePass());
}

void mlir::dit::buildReferencePipeline(
    OpPassManager &pm, const ReferencePipelineOptions &options) {
  addReferenceDecomposition(pm);
  addReferenceBufferization(pm);
  addReferenceLowering(pm);
}
