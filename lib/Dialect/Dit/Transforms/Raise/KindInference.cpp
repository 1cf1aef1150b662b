//===- KindInference.cpp - What kind an attention is ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Follows q and k back through their projections. Keys that come from another
// sequence prove a cross attention; anything else is `self`.
//
//===----------------------------------------------------------------------===//

#include "MatchState.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

/// Whether `value` is a weight: a constant in any layout.
static bool isWeightTensor(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->hasTrait<OpTrait::ConstantLike>() ||
        isa<ml_program::GlobalLoadConstOp, ml_program::GlobalLoadOp>(op))
      return true;
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp,
             tensor::ExtractSliceOp, linalg::TransposeOp, linalg::BroadcastOp,
             linalg::GenericOp>(op) ||
        op->getNumOperands() == 0)
      return false;
    if (auto generic = dyn_cast<linalg::GenericOp>(op);
        generic && generic.getNumDpsInputs() != 1)
      return false;
    value = op->getOperand(0);
  }
  return false;
}

/// The activation that a linear layer `op` projects, or null.
static Value getProjected(Operation *op) {
  if (!isContraction(op))
    return {};
  for (unsigned i : {0, 1})
    if (isWeightTensor(op->getOperand(i)) &&
        !isWeightTensor(op->getOperand(1 - i)))
      return op->getOperand(1 - i);
  return {};
}

// The walks below are bounded: what lies beyond proves nothing.
static constexpr size_t maxVisited = 4096;

/// The activations that `value` is projected from, or arguments. `projected`
/// tells whether all of them are seen to be projected.
static llvm::SmallSetVector<Value, 4> getSources(Value value, bool &projected) {
  llvm::SmallSetVector<Value, 4> sources;
  projected = true;
  llvm::SetVector<Value> worklist;
  worklist.insert(value);
  for (size_t i = 0; i < worklist.size() && i < maxVisited; ++i) {
    Operation *op = worklist[i].getDefiningOp();
    if (!op) {
      sources.insert(worklist[i]);
      projected = false;
      continue;
    }
    if (Value activation = getProjected(op)) {
      sources.insert(activation);
      continue;
    }
    for (Value operand : getReadTensors(op))
      worklist.insert(operand);
  }
  return sources;
}

/// The arguments that `values` depend on, as far as activations lead.
static DenseSet<Value> getArguments(ArrayRef<Value> values) {
  DenseSet<Value> arguments;
  llvm::SetVector<Value> worklist(values.begin(), values.end());
  constexpr size_t maxSlice = 1 << 16;
  for (size_t i = 0; i < worklist.size() && i < maxSlice; ++i) {
    Operation *op = worklist[i].getDefiningOp();
    if (!op) {
      arguments.insert(worklist[i]);
      continue;
    }
    for (Value operand : getReadTensors(op))
      worklist.insert(operand);
  }
  return arguments;
}

static bool isSubsetOf(const DenseSet<Value> &a, const DenseSet<Value> &b) {
  return llvm::all_of(a, [&](Value value) { return b.contains(value); });
}

AttentionKind mlir::dit::raise::inferKind(const AttentionMatch &match) {
  bool qProjected, kProjected;
  llvm::SmallSetVector<Value, 4> q = getSources(match.q.value, qProjected);
  llvm::SmallSetVector<Value, 4> k = getSources(match.k.value, kProjected);
  bool disjoint = llvm::none_of(k, [&](Value v) { return q.contains(v); });
  if (!disjoint)
    return AttentionKind::Self;
  const AxisSpace &space = match.state->space;
  std::optional<int64_t> queries = space.getExtent(match.queries).getConstant();
  std::optional<int64_t> keys = space.getExtent(match.keys).getConstant();
  if (queries && keys && *queries != *keys)
    return AttentionKind::Cross;
  if (!qProjected || !kProjected)
    return AttentionKind::Self;
  // The queries depend on an input that the keys do not know.
  DenseSet<Value> qArguments = getArguments(q.getArrayRef());
  DenseSet<Value> kArguments = getArguments(k.getArrayRef());
  return kArguments.empty() || isSubsetOf(qArguments, kArguments)
             ? AttentionKind::Self
             : AttentionKind::Cross;
}
