//===- TokenFlow.cpp - Where tokens come from -----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenFlow.h"

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

// A model has some thousands of operations; what lies beyond proves nothing.
static constexpr size_t maxVisited = 1 << 15;

SmallVector<unsigned, 2> TokenRoot::getDims(ArrayRef<Axis> list) const {
  SmallVector<unsigned, 2> dims;
  for (auto [dim, held] : llvm::enumerate(axes))
    if (llvm::any_of(held,
                     [&](Axis axis) { return llvm::is_contained(list, axis); }))
      dims.push_back(dim);
  return dims;
}

TokenFlow::TokenFlow(AxisSpace space, Value value, const View &view,
                     ArrayRef<Axis> axes)
    : space(std::move(space)), followed(axes) {
  push(value, view);
  run();
  // Splits on the way changed the axes of what was found before them.
  followed = this->space.resolve(followed);
  for (const Item &item : rootItems) {
    TokenRoot root{item.value, {}, {}};
    for (const AxisList &dim : item.view) {
      AxisList resolved = this->space.resolve(dim);
      root.axes.push_back(getTokens(resolved));
      root.isShared.push_back(llvm::any_of(
          resolved, [&](Axis axis) { return getTokens(axis).empty(); }));
    }
    roots.push_back(std::move(root));
  }
  for (SmallVector<AxisList, 3> &window : windows)
    for (AxisList &list : window)
      list = getTokens(this->space.resolve(list));
}

AxisList TokenFlow::getTokens(ArrayRef<Axis> list) const {
  AxisList tokens;
  auto add = [&](Axis axis) {
    if (!llvm::is_contained(tokens, axis))
      tokens.push_back(axis);
  };
  AxisList wanted = space.resolve(followed);
  for (Axis axis : list) {
    if (llvm::is_contained(wanted, axis))
      add(axis);
    for (const Alias &alias : aliases)
      if (llvm::is_contained(space.resolve(alias.axes), axis))
        llvm::for_each(getTokens(space.resolve(alias.tokens)), add);
  }
  return tokens;
}

void TokenFlow::push(Value value, const View &view) {
  if (!isa<RankedTensorType>(value.getType()) || seen.size() > maxVisited)
    return;
  View resolved = space.resolve(view);
  if (getTokens(flatten(resolved)).empty() || !seen.insert(value).second)
    return;
  worklist.push_back({value, std::move(resolved)});
}

void TokenFlow::run() {
  while (!worklist.empty()) {
    Item item = worklist.pop_back_val();
    visit(item.value, space.resolve(item.view));
  }
}

void TokenFlow::addRoot(Value value, const View &view) {
  rootItems.push_back({value, view});
}

AxisList TokenFlow::alias(Value value, unsigned dim, ArrayRef<Axis> tokens,
                          std::optional<std::pair<Extent, Extent>> range) {
  AxisList fresh = space.create(getExtent(value, dim));
  if (!fresh.empty() && !tokens.empty())
    aliases.push_back({fresh, AxisList(tokens), range});
  return fresh;
}

void TokenFlow::visit(Value value, const View &view) {
  Operation *op = value.getDefiningOp();
  if (!op || op->hasTrait<OpTrait::ConstantLike>() ||
      isa<ml_program::GlobalLoadConstOp, ml_program::GlobalLoadOp>(op))
    return addRoot(value, view);
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ReshapeOp>(
          op)) {
    if (!visitReshape(op, view))
      addRoot(value, view);
    return;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return visitSlice(slice, view);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return visitConcat(concat, view);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return visitAttention(attention, view);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return visitLinalg(linalgOp, cast<OpResult>(value), view);
  visitOther(op, view);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

bool TokenFlow::visitReshape(Operation *op, const View &view) {
  std::optional<View> source =
      reshapeView(space, op->getOperand(0), op->getResult(0), view);
  if (source)
    push(op->getOperand(0), *source);
  return source.has_value();
}

/// Casts, elementwise operations on tensors, padding, and what is inserted:
/// dimensions of another extent hold the tokens among others.
void TokenFlow::visitOther(Operation *op, const View &view) {
  bool isKnown = isa<tensor::CastOp, tensor::PadOp, tensor::InsertSliceOp,
                     linalg::SoftmaxOp>(op) ||
                 OpTrait::hasElementwiseMappableTraits(op);
  if (!isKnown)
    return addRoot(op->getResult(0), view);
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type || type.getRank() != static_cast<int64_t>(view.size()))
      continue;
    View source;
    for (auto [dim, list] : llvm::enumerate(view))
      source.push_back(getExtent(operand, dim) == space.getExtent(list)
                           ? list
                           : alias(operand, dim, getTokens(list)));
    push(operand, source);
  }
}

void TokenFlow::visitSlice(tensor::ExtractSliceOp op, const View &view) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<OpFoldResult> offsets = op.getMixedOffsets();
  View source;
  size_t next = 0;
  for (int64_t dim = 0; dim < op.getSourceType().getRank(); ++dim) {
    if (dropped[dim]) {
      source.push_back(alias(op.getSource(), dim, {}));
      continue;
    }
    const AxisList &list = view[next];
    Extent size = getExtent(op.getResult(), next++);
    if (getExtent(op.getSource(), dim) == size) {
      source.push_back(list);
      continue;
    }
    Extent begin = getExtent(offsets[dim]);
    std::optional<std::pair<Extent, Extent>> range;
    if (op.hasUnitStride())
      range = {begin, begin + size};
    source.push_back(alias(op.getSource(), dim, getTokens(list), range));
  }
  push(op.getSource(), source);
}

/// Whether `range` holds something of `[from, to)`, which is not empty, if that
/// can be told.
static std::optional<bool> overlaps(const std::pair<Extent, Extent> &range,
                                    const Extent &from, const Extent &to) {
  auto isAtMost = [](const Extent &a, const Extent &b) -> std::optional<bool> {
    std::optional<int64_t> left = a.getConstant(), right = b.getConstant();
    if (left && right)
      return *left <= *right;
    return a == b ? std::make_optional(true) : std::nullopt;
  };
  std::optional<bool> isBefore = isAtMost(range.second, from);
  std::optional<bool> isAfter = isAtMost(to, range.first);
  if (isBefore.value_or(false) || isAfter.value_or(false))
    return false;
  if ((isBefore && isAfter) || range.first == from || range.second == to)
    return true;
  return std::nullopt;
}

void TokenFlow::visitConcat(tensor::ConcatOp op, const View &view) {
  unsigned dim = op.getDim();
  AxisList tokens = getTokens(view[dim]);
  // A slice may have taken one of the parts.
  std::optional<std::pair<Extent, Extent>> range;
  for (const Alias &alias : aliases)
    if (space.resolve(alias.axes) == view[dim])
      range = alias.range;
  JoinedParts parts;
  Extent position(0);
  for (Value part : op.getInputs()) {
    Extent next = position + getExtent(part, dim);
    std::optional<bool> isTaken =
        range ? overlaps(*range, position, next) : true;
    // Other ways may lead to the same tokens.
    if (!isTaken)
      return;
    if (*isTaken)
      parts.push_back({part, dim});
    position = next;
  }
  if (parts.size() > 1 && !tokens.empty()) {
    joins.push_back(parts);
    return;
  }
  for (auto [part, partDim] : parts) {
    View source = view;
    source[partDim] = alias(part, partDim, tokens);
    push(part, source);
  }
}

void TokenFlow::visitAttention(AttentionOp op, const View &view) {
  DimOrderAttr from = op.getODimOrder(), to = op.getQDimOrder();
  View source;
  for (auto [dim, letter] : llvm::enumerate(to.getLetters())) {
    std::optional<unsigned> position = from.position(letter);
    source.push_back(letter == 'd' || !position ? alias(op.getQ(), dim, {})
                                                : view[*position]);
  }
  push(op.getQ(), source);
}

//===----------------------------------------------------------------------===//
// Structured operations
//===----------------------------------------------------------------------===//

/// The loops that `expr` reads.
static SmallVector<unsigned, 2> getLoops(AffineExpr expr) {
  SmallVector<unsigned, 2> loops;
  expr.walk([&](AffineExpr part) {
    if (auto loop = dyn_cast<AffineDimExpr>(part))
      loops.push_back(loop.getPosition());
  });
  return loops;
}

/// A dimension that is read through a window: an output position moves it, a
/// kernel position, which is summed over, moves within it.
AxisList TokenFlow::followWindow(linalg::LinalgOp op, AffineExpr expr,
                                 Value operand, unsigned dim,
                                 ArrayRef<AxisList> loops,
                                 SmallVectorImpl<AxisList> &slides) {
  AxisList tokens;
  bool isWide = false;
  for (unsigned loop : getLoops(expr)) {
    if (op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel)
      llvm::append_range(tokens, getTokens(loops[loop]));
    else
      isWide |= op.getStaticLoopRanges()[loop] != 1;
  }
  if (isWide && !tokens.empty())
    slides.push_back(tokens);
  return alias(operand, dim, tokens);
}

void TokenFlow::visitLinalg(linalg::LinalgOp op, OpResult result,
                            const View &view) {
  if (!op.hasPureTensorSemantics() || !op.getBlock())
    return addRoot(result, view);
  SmallVector<AxisList> loops(op.getNumLoops());
  for (auto [dim, expr] :
       llvm::enumerate(op.getIndexingMapMatchingResult(result).getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      loops[loop.getPosition()] = view[dim];
  SmallVector<AxisList, 3> slides;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand->get().getType());
    if (!type)
      continue;
    View source;
    for (auto [dim, expr] :
         llvm::enumerate(op.getMatchingIndexingMap(operand).getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      bool isWindow = !loop && !isa<AffineConstantExpr>(expr);
      if (loop && type.getDimSize(dim) != 1 &&
          op.getIteratorTypesArray()[loop.getPosition()] ==
              utils::IteratorType::parallel)
        source.push_back(loops[loop.getPosition()]);
      else if (isWindow)
        source.push_back(
            followWindow(op, expr, operand->get(), dim, loops, slides));
      else
        source.push_back(alias(operand->get(), dim, {}));
    }
    push(operand->get(), source);
  }
  if (!slides.empty())
    windows.push_back(std::move(slides));
  visitGathers(op, loops);
}

/// What the body reads at its own position, as a broadcast or a gather along
/// another dimension does.
void TokenFlow::visitGathers(linalg::LinalgOp op, ArrayRef<AxisList> loops) {
  op.getBlock()->walk([&](tensor::ExtractOp extract) {
    View source;
    for (auto [dim, index] : llvm::enumerate(extract.getIndices())) {
      if (auto select = index.getDefiningOp<arith::SelectOp>())
        index = select.getFalseValue();
      auto loop = index.getDefiningOp<linalg::IndexOp>();
      source.push_back(loop ? loops[loop.getDim()]
                            : alias(extract.getTensor(), dim, {}));
    }
    push(extract.getTensor(), source);
  });
}

//===----------------------------------------------------------------------===//
// Sources
//===----------------------------------------------------------------------===//

llvm::SetVector<Value> mlir::dit::raise::getTokenSources(Value value,
                                                         unsigned dim) {
  llvm::SetVector<Value> sources;
  SmallVector<std::pair<Value, unsigned>> worklist = {{value, dim}};
  llvm::DenseSet<std::pair<Value, unsigned>> seen;
  while (!worklist.empty()) {
    auto [current, currentDim] = worklist.pop_back_val();
    if (!seen.insert({current, currentDim}).second)
      continue;
    AxisSpace space;
    View view;
    auto type = cast<RankedTensorType>(current.getType());
    for (int64_t i = 0; i < type.getRank(); ++i)
      view.push_back(space.create(getExtent(current, i)));
    TokenFlow flow(space, current, view, view[currentDim]);
    for (const TokenRoot &root : flow.getRoots())
      sources.insert(root.value);
    for (const JoinedParts &parts : flow.getJoins())
      llvm::append_range(worklist, parts);
  }
  return sources;
}
