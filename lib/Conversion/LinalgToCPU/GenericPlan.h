//===- GenericPlan.h - How a linalg op becomes loops ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decides which dimension of a linalg op on memrefs becomes vector lanes,
// which ones parallel loops, and in what chunks.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_GENERICPLAN_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_GENERICPLAN_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::dit {

/// Marks an op that one thread computes, because it is part of a task.
inline constexpr llvm::StringLiteral kSerialAttr = "dit.serial";

/// How the points of an op's iteration space become vectors.
enum class VectorStrategy {
  /// Point by point.
  Scalar,
  /// Neighbours along a parallel dimension are lanes.
  Parallel,
  /// Neighbours along a reduction dimension are lanes of an accumulator.
  Reduction
};

/// How an operand is reached when one dimension becomes lanes.
enum class LaneAccess {
  /// Every lane uses the same element.
  Uniform,
  /// The lanes use neighbours in memory.
  Contiguous,
  /// The lanes use every second element in memory.
  EverySecond,
  /// Anything else: lane by lane.
  Scattered
};

/// The access of an operand of type `type` through `map` when `dim` becomes
/// lanes.
LaneAccess classifyAccess(AffineMap map, MemRefType type, unsigned dim);

/// The op that combines new values into output `index` of a reduction, and the
/// value it combines; null if the body is not of that form.
struct Combiner {
  Operation *op = nullptr;
  Value contribution;
};
Combiner matchCombiner(linalg::LinalgOp op, unsigned index);

/// The loops of one op.
struct GenericPlan {
  VectorStrategy strategy = VectorStrategy::Scalar;
  /// The dimension that becomes lanes, unless scalar.
  unsigned vectorDim = 0;
  int64_t lanes = 1;
  /// Parallel dimensions other than `vectorDim`, outermost first; the first
  /// `numParallelLoops` of them run on several threads.
  SmallVector<unsigned> parallelDims;
  unsigned numParallelLoops = 0;
  /// Iterations of the parallel loops that are worth a task of their own; 0 if
  /// unknown.
  int64_t grain = 0;
  /// Reduction dimensions other than `vectorDim`, outermost first.
  SmallVector<unsigned> reductionDims;

  /// The plan for `op` on a machine with `floatLanes` f32 lanes in a vector.
  static GenericPlan get(linalg::LinalgOp op, int64_t floatLanes);
};

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_GENERICPLAN_H
