//===- AttentionRewriter.cpp - dit.attention for a match ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builds the op in whatever dimension order the operands are stored, so that
// nothing is copied: only reshapes are emitted where the axes allow it.
//
//===----------------------------------------------------------------------===//

#include "MatchState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

namespace {

/// The dimensions of an operand of the op.
struct Layout {
  std::string letters;
  View dims;
};

} // namespace

/// The layout closest to how `stored` lies in memory: its own order where each
/// role is contiguous in it, else b, h, s, d.
static Layout chooseLayout(const View &stored, ArrayRef<AxisList> roles) {
  static constexpr char names[] = {'b', 'h', 's', 'd'};
  // Dimension by dimension, those of extent one in order.
  Layout natural;
  unsigned nextUnit = 0;
  for (const AxisList &dim : stored) {
    unsigned role = 0;
    if (dim.empty()) {
      while (nextUnit < 4 && !roles[nextUnit].empty())
        ++nextUnit;
      role = nextUnit++;
    } else {
      role = llvm::find(roles, dim) - roles.begin();
    }
    if (role >= 4)
      break;
    natural.letters += names[role];
    natural.dims.push_back(dim);
  }
  if (natural.dims.size() == 4 && stored.size() == 4)
    return natural;

  // Role by role; those of extent one come first, they lie anywhere.
  AxisList flat = flatten(stored);
  natural = Layout();
  for (unsigned role = 0; role < 4; ++role)
    if (roles[role].empty()) {
      natural.letters += names[role];
      natural.dims.push_back({});
    }
  for (ArrayRef<Axis> rest = flat; !rest.empty();) {
    unsigned role = 0;
    for (; role < 4; ++role)
      if (!roles[role].empty() &&
          rest.take_front(roles[role].size()) == ArrayRef<Axis>(roles[role]))
        break;
    if (role == 4)
      break;
    natural.letters += names[role];
    natural.dims.push_back(roles[role]);
    rest = rest.drop_front(roles[role].size());
  }
  if (natural.dims.size() == 4)
    return natural;
  Layout standard;
  for (unsigned role = 0; role < 4; ++role) {
    standard.letters += names[role];
    standard.dims.push_back(roles[role]);
  }
  return standard;
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

namespace {

/// Emits operands of one match.
struct OperandBuilder {
  OpBuilder &builder;
  Location loc;
  const AttentionMatch &match;

  const AxisSpace &space() const { return match.state->space; }

  SmallVector<AxisList> rolesOf(ArrayRef<Axis> sequence, ArrayRef<Axis> depth,
                                bool withGroups) const {
    AxisList heads(match.heads);
    if (withGroups)
      llvm::append_range(heads, match.groups);
    return {AxisList(match.batch), heads, AxisList(sequence), AxisList(depth)};
  }

  /// The operand in its natural layout.
  std::pair<Value, DimOrderAttr> emit(const AttentionTensor &tensor,
                                      ArrayRef<AxisList> roles) const {
    View view(tensor.dims.begin(), tensor.dims.end());
    Value value = tensor.value;
    if (!tensor.broadcastDims.empty())
      value = emitDynamicBroadcast(builder, loc, space(), {value, view},
                                   tensor.broadcastDims);
    Layout layout = chooseLayout(view, roles);
    value = rearrange(builder, loc, space(), {value, view}, layout.dims);
    value = castElements(builder, loc, value, match.elementType);
    return {value, DimOrderAttr::get(builder.getContext(), layout.letters)};
  }
};

} // namespace

/// Erases `op` and what only it kept alive.
static void eraseDead(RewriterBase &rewriter, Operation *op) {
  SmallVector<Operation *> worklist = {op};
  while (!worklist.empty()) {
    Operation *current = worklist.pop_back_val();
    if (!isOpTriviallyDead(current))
      continue;
    // Operands, and what the body captures.
    llvm::SetVector<Operation *> producers;
    current->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          if (!current->isAncestor(producer))
            producers.insert(producer);
    });
    llvm::erase(worklist, current);
    rewriter.eraseOp(current);
    for (Operation *producer : producers)
      if (!llvm::is_contained(worklist, producer))
        worklist.push_back(producer);
  }
}

/// The pattern that holds what is visible, or null for everything.
static PatternAttrInterface getPattern(MLIRContext *context,
                                       const KeyBand &visible) {
  SmallVector<PatternAttrInterface> patterns;
  bool isWindow = visible.upper && visible.lower && *visible.upper >= 0;
  if (visible.lower)
    patterns.push_back(WindowAttr::get(context, -*visible.lower,
                                       isWindow ? *visible.upper : -1));
  if (visible.upper && !isWindow)
    patterns.push_back(CausalAttr::get(context, *visible.upper));
  if (patterns.empty())
    return {};
  return patterns.size() == 1 ? patterns.front()
                              : AndAttr::get(context, patterns);
}

AttentionOp mlir::dit::rewriteAttention(RewriterBase &rewriter,
                                        const AttentionMatch &match,
                                        StringAttr site) {
  OpBuilder::InsertionGuard guard(rewriter);
  Operation *last = match.output.value.getDefiningOp();
  Location loc = match.valueProduct->getLoc();
  rewriter.setInsertionPoint(last);
  OperandBuilder operands{rewriter, loc, match};
  auto [q, qOrder] = operands.emit(match.materializeQuery(rewriter, loc),
                                   operands.rolesOf(match.queries, match.depth,
                                                    /*withGroups=*/true));
  auto [k, kOrder] = operands.emit(
      match.k, operands.rolesOf(match.keys, match.depth, /*withGroups=*/false));
  auto [v, vOrder] =
      operands.emit(match.v, operands.rolesOf(match.keys, match.valueDepth,
                                              /*withGroups=*/false));
  Value bias = match.materializeBias(rewriter, loc);

  View outputView(match.output.dims.begin(), match.output.dims.end());
  Layout layout =
      chooseLayout(outputView, operands.rolesOf(match.queries, match.valueDepth,
                                                /*withGroups=*/true));
  Value init = tensor::EmptyOp::create(
      rewriter, loc, getSizes(rewriter, loc, match.state->space, layout.dims),
      match.elementType);
  auto orderAttr = [&](DimOrderAttr order) {
    return order == DimOrderAttr::getDefault(rewriter.getContext())
               ? DimOrderAttr()
               : order;
  };
  auto op = AttentionOp::create(
      rewriter, loc, TypeRange(init.getType()), q, k, v, bias,
      /*tileNum=*/Value(), /*tileIdx=*/Value(), /*kvValid=*/Value(), init,
      /*lse=*/Value(), /*halfWidths=*/Value(),
      rewriter.getF64FloatAttr(match.scale),
      getPattern(rewriter.getContext(), match.visible),
      /*tile=*/DenseI64ArrayAttr(), orderAttr(qOrder), orderAttr(kOrder),
      orderAttr(vOrder),
      orderAttr(DimOrderAttr::get(rewriter.getContext(), layout.letters)), site,
      AttentionKindAttr::get(rewriter.getContext(), match.kind),
      /*layer=*/IntegerAttr(), /*grid=*/GridAttr());

  Value result =
      castElements(rewriter, loc, op->getResult(0),
                   getElementTypeOrSelf(match.output.value.getType()));
  result = rearrange(rewriter, loc, match.state->space, {result, layout.dims},
                     outputView);
  if (result.getType() != match.output.value.getType())
    result = tensor::CastOp::create(rewriter, loc, match.output.value.getType(),
                                    result);
  rewriter.replaceAllUsesWith(match.output.value, result);
  eraseDead(rewriter, last);
  return op;
}
