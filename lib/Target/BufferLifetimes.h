//===- BufferLifetimes.h - When buffers are in use --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds for each allocation of a function the part of the function that needs
// its memory.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_TARGET_BUFFERLIFETIMES_H
#define DIT_LIB_TARGET_BUFFERLIFETIMES_H

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <optional>

namespace mlir::dit {

/// Whether iterations of a loop around `op` may run at the same time.
bool isInParallelLoop(Operation *op);

/// Steps number the ops of a function in the order of its text, those of
/// nested regions included.
class BufferLifetimes {
public:
  struct Range {
    int64_t first, last;
  };

  explicit BufferLifetimes(func::FuncOp function);

  /// The steps from the first to the last use of the memory of `alloc`. Nothing
  /// if one place cannot serve all its instances: it is returned, carried from
  /// one iteration to the next, or made by iterations that run together. With
  /// `task`, a parallel loop, the place is one of each iteration of that.
  std::optional<Range> get(memref::AllocOp alloc,
                           Operation *task = nullptr) const;

private:
  void number(Region &region);
  /// The block whose ops delimit the lifetime: that of `alloc`, or one around
  /// it that a branch hands the memory to. Null if there is none.
  Block *findHome(memref::AllocOp alloc, ArrayRef<Region *> mustContain) const;

  BufferViewFlowAnalysis aliases;
  llvm::DenseMap<Operation *, Range> steps;
  int64_t numSteps = 0;
};

} // namespace mlir::dit

#endif // DIT_LIB_TARGET_BUFFERLIFETIMES_H
