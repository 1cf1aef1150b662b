//===- Emulator.cpp - The pipeline that needs no GPU ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `dit-to-emulator`: kernels of gpu.modules as the emulator runs them, and the
// code around them as plain as in the reference pipeline.
//
//===----------------------------------------------------------------------===//

#include "ReferenceStages.h"

#include "dit/Conversion/Passes.h"
#include "dit/Pipelines/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::dit;

/// Whatever a gpu.module holds becomes the LLVM and NVVM dialects.
static void addKernelLowering(OpPassManager &pm) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(createConvertNVGPUToNVVMPass());
  kernels.addPass(createConvertVectorToSCFPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  kernels.addPass(createReconcileUnrealizedCastsPass());
}

void mlir::dit::buildEmulatorPipeline(OpPassManager &pm,
                                      const EmulatorPipelineOptions &options) {
  addKernelLowering(pm);
  addReferenceDecomposition(pm);
  addReferenceBufferization(pm);
  pm.addPass(createConvertNVVMToEmulator());
  addReferenceLowering(pm);
}
