//===- ShrinkSteps.cpp - Attentions with smaller extents ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Steps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

namespace {

/// The extents of an attention.
struct Extents {
  int64_t batch, queryHeads, kvHeads, queries, keys, depth, valueDepth;

  explicit Extents(AttentionOp op)
      : batch(op.getBatch()), queryHeads(op.getNumQueryHeads()),
        kvHeads(op.getNumKVHeads()), queries(op.getQueryLength()),
        keys(op.getKVLength()), depth(op.getHeadSize()),
        valueDepth(op.getValueHeadSize()) {}
};

/// Slices the operands of an attention to smaller extents.
class AttentionShrinker {
public:
  AttentionShrinker(AttentionOp op, const Extents &to, RewriterBase &rewriter)
      : op(op), from(op), to(to), rewriter(rewriter) {}

  void run();

private:
  /// A slice of an operand that has an order.
  Value slice(Value value, DimOrderAttr order, int64_t heads, int64_t length,
              int64_t depth);
  /// A slice of an operand with these extents; those of 1 broadcast.
  Value slice(Value value, ArrayRef<int64_t> extents);

  AttentionOp op;
  Extents from, to;
  RewriterBase &rewriter;
};

} // namespace

Value AttentionShrinker::slice(Value value, DimOrderAttr order, int64_t heads,
                               int64_t length, int64_t depth) {
  SmallVector<int64_t> extents;
  for (char letter : order.getLetters())
    extents.push_back(letter == 'b'   ? to.batch
                      : letter == 'h' ? heads
                      : letter == 's' ? length
                                      : depth);
  return slice(value, extents);
}

Value AttentionShrinker::slice(Value value, ArrayRef<int64_t> extents) {
  if (!value)
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape;
  for (auto [wanted, got] : llvm::zip_equal(extents, type.getShape()))
    shape.push_back(std::min(wanted, got));
  return takeFront(rewriter, op.getLoc(), value, type.clone(shape));
}

void AttentionShrinker::run() {
  auto rows = [&](int64_t queries) -> int64_t {
    return op.hasTiles() ? llvm::divideCeil(queries, op.getQTile()) : 0;
  };
  // The order of the operands of the op.
  SmallVector<Value> sliced = {
      slice(op.getQ(), op.getQDimOrder(), to.queryHeads, to.queries, to.depth),
      slice(op.getK(), op.getKDimOrder(), to.kvHeads, to.keys, to.depth),
      slice(op.getV(), op.getVDimOrder(), to.kvHeads, to.keys, to.valueDepth),
      slice(op.getBias(), {to.batch, to.queryHeads, to.queries, to.keys}),
      slice(op.getTileNum(), {to.batch, to.queryHeads, rows(to.queries)}),
      op.getTileIdx()
          ? slice(op.getTileIdx(),
                  {to.batch, to.queryHeads, rows(to.queries),
                   cast<ShapedType>(op.getTileIdx().getType()).getDimSize(3)})
          : Value(),
      slice(op.getKvValid(), {to.batch}),
      slice(op.getOutput(), op.getODimOrder(), to.queryHeads, to.queries,
            to.valueDepth),
      slice(op.getLse(), {to.batch, to.queryHeads, to.queries}),
      slice(op.getHalfWidths(), {to.queryHeads})};
  llvm::erase(sliced, Value());

  SmallVector<Type> types;
  size_t firstInit = op.getDpsInits().getBeginOperandIndex();
  for (Value init : ArrayRef(sliced).slice(firstInit, op->getNumResults()))
    types.push_back(init.getType());
  Operation *small = mlir::clone(rewriter, op, types, sliced);

  SmallVector<Value> results;
  for (auto [result, init] :
       llvm::zip_equal(small->getResults(), op.getDpsInits())) {
    auto type = cast<RankedTensorType>(result.getType());
    if (type == init.getType()) {
      results.push_back(result);
      continue;
    }
    SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(type.getRank(), rewriter.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes;
    for (int64_t extent : type.getShape())
      sizes.push_back(rewriter.getIndexAttr(extent));
    results.push_back(tensor::InsertSliceOp::create(
        rewriter, op.getLoc(), result, init, offsets, sizes, strides));
  }
  rewriter.replaceOp(op, results);
}

/// Adds a step that gives the extents that `change` makes of the present ones.
template <typename Change>
static void addStep(Steps &steps, Change change) {
  steps.push_back([change](Operation *op, RewriterBase &rewriter) {
    auto attention = cast<AttentionOp>(op);
    Extents extents(attention);
    change(extents);
    AttentionShrinker(attention, extents, rewriter).run();
  });
}

/// Adds steps that reduce one extent to 1 and to half of what it is.
static void addSteps(Steps &steps, AttentionOp op, int64_t Extents::*extent) {
  int64_t present = Extents(op).*extent;
  if (present <= 1)
    return;
  addStep(steps, [=](Extents &extents) { extents.*extent = 1; });
  if (present / 2 > 1)
    addStep(steps, [=](Extents &extents) { extents.*extent = present / 2; });
}

void mlir::dit::detail::collectShrinkSteps(AttentionOp op, Steps &steps) {
  if (op->getNumResults() == 0)
    return;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    // Slices have static extents.
    if (!type || (!type.hasStaticShape() && operand != op.getTileIdx()))
      return;
  }
  if (op.getTileIdx() &&
      !cast<ShapedType>(op.getTileIdx().getType()).hasStaticShape())
    return;
  addSteps(steps, op, &Extents::batch);
  addSteps(steps, op, &Extents::queries);
  // Lists and lengths hold numbers that may lie beyond fewer keys.
  if (!op.hasTiles() && !op.getKvValid())
    addSteps(steps, op, &Extents::keys);
  addSteps(steps, op, &Extents::depth);
  addSteps(steps, op, &Extents::valueDepth);
  Extents extents(op);
  if (extents.kvHeads > 1) {
    addStep(steps, [](Extents &extents) {
      extents.queryHeads /= extents.kvHeads;
      extents.kvHeads = 1;
    });
    if (extents.kvHeads % 2 == 0 && extents.kvHeads > 2)
      addStep(steps, [](Extents &extents) {
        extents.queryHeads /= 2;
        extents.kvHeads /= 2;
      });
  } else if (extents.queryHeads > 1) {
    addSteps(steps, op, &Extents::queryHeads);
  }
}
