//===- Pipelines.h - Pipelines of dit ---------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an embedder calls: one options struct and one build function for each
// way through the compiler, and the stages that it consists of. A target `x` of
// the tools is the pipeline registered as `dit-to-x`.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PIPELINES_PIPELINES_H
#define DIT_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::dit {

/// Options of `dit-to-cpu`.
struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<bool> raise{*this, "raise",
                     llvm::cl::desc("Look for attentions written in linalg"),
                     llvm::cl::init(true)};
  Option<bool> fuseRows{
      *this, "fuse-rows",
      llvm::cl::desc("Run chains of ops tile of rows by tile of rows"),
      llvm::cl::init(true)};
  Option<bool> parallel{
      *this, "parallel",
      llvm::cl::desc("Run parallel loops on the runtime's threads"),
      llvm::cl::init(true)};
  Option<bool> checks{
      *this, "checks",
      llvm::cl::desc("Report dynamic extents that do not fit together, and "
                     "indices out of range, instead of running on"),
      llvm::cl::init(true)};
  Option<bool> workspace{
      *this, "workspace",
      llvm::cl::desc("Take buffers from the caller's workspace"),
      llvm::cl::init(true)};
  Option<unsigned> maxStackBytes{
      *this, "max-stack-bytes",
      llvm::cl::desc("Largest buffer that goes on the stack, in bytes, without "
                     "a workspace"),
      llvm::cl::init(4096)};
};

/// Phase 1: finds attentions, and lowers reuse and schedules to `scf`.
void buildCPURaiseStage(OpPassManager &pm, const CPUPipelineOptions &options);

/// Phases 1 to 2: fuses and simplifies the `linalg` on tensors around them.
void buildCPUTensorStage(OpPassManager &pm, const CPUPipelineOptions &options);

/// Phase 2 to 3: tensors become buffers, which nothing frees yet.
void buildCPUBufferizeStage(OpPassManager &pm,
                            const CPUPipelineOptions &options);

/// Phase 3 to 4: `dit` and `linalg` ops on buffers become kernel functions and
/// parallel loops; buffers become parts of the workspace, or are freed after
/// their last use.
void buildCPUKernelStage(OpPassManager &pm, const CPUPipelineOptions &options);

/// Phase 4 to 5: everything becomes the LLVM dialect.
void buildCPULLVMStage(OpPassManager &pm, const CPUPipelineOptions &options);

/// All stages in order: a module of functions on tensors becomes one in the
/// LLVM dialect that needs dit's runtime.
void buildDitToCPUPipeline(OpPassManager &pm,
                           const CPUPipelineOptions &options);

/// Options of `dit-to-reference`: none, so far by design. The pipeline is the
/// plainest way to run the meaning of a program.
struct ReferencePipelineOptions
    : public PassPipelineOptions<ReferencePipelineOptions> {};

/// From linalg and dit on tensors to the LLVM dialect by upstream passes alone:
/// every dit op decomposed, one scalar loop nest per operation, one thread.
void buildReferencePipeline(OpPassManager &pm,
                            const ReferencePipelineOptions &options);

/// Options of `dit-to-emulator`: none. The schedule is chosen at run time.
struct EmulatorPipelineOptions
    : public PassPipelineOptions<EmulatorPipelineOptions> {};

/// GPU kernels in `gpu.module`s, in the `gpu` or NVVM dialect, become native
/// code that the emulator runs, and `gpu.launch_func` calls of it; the rest
/// goes the way of the reference pipeline.
void buildEmulatorPipeline(OpPassManager &pm,
                           const EmulatorPipelineOptions &options);

/// Adds the upstream dialects that the pipelines accept and yield, and the
/// models of interfaces that their passes ask for. It is a small part of what
/// `mlir::registerAllDialects` and `mlir::registerAllExtensions` add.
void registerPipelineDialects(DialectRegistry &registry);

/// Registers the pipelines under their command-line names.
void registerPipelines();

} // namespace mlir::dit

#endif // DIT_PIPELINES_PIPELINES_H
