//===- AttendEmitter.cpp - The attention of a branch at a step ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Heads side by side that differ in the width of a band only are one attention
// with half-widths; each other run is an attention of its own, on slices of q,
// k and v, which the projections before it compute alone where they can.
//
//===----------------------------------------------------------------------===//

#include "AttendEmitter.h"
#include "dit/Dialect/Dit/Transforms/SparsifyAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Runs of heads
//===----------------------------------------------------------------------===//

namespace {

/// The kinds of band that half-widths can say.
enum class Band { Any, Window, Arrow, None };

} // namespace

static Band getBand(const Mode &mode, GridAttr grid, bool bands) {
  if (mode.kind == ModeKind::Full)
    return Band::Any;
  // A half-width of zero would skip the head.
  if (!bands || mode.inGrid || mode.byPlace || mode.width[0] == 0 ||
      mode.width[0] > std::numeric_limits<int32_t>::max())
    return Band::None;
  bool hasText = grid && grid.getText() > 0;
  if (mode.kind == ModeKind::Arrow)
    return hasText ? Band::Arrow : Band::Window;
  return mode.kind == ModeKind::Window ? Band::Window : Band::None;
}

/// What a mode means for the attention alone.
static Mode getMask(Mode mode) {
  mode.residual = false;
  mode.source = Mode::kLatest;
  return mode;
}

SmallVector<HeadRun>
mlir::dit::findHeadRuns(ArrayRef<std::pair<std::optional<Mode>, int64_t>> heads,
                        GridAttr grid, bool bands) {
  SmallVector<HeadRun> runs;
  // The band of the last run; none if a head without a mode came after it.
  std::optional<Band> open;
  for (auto [head, entry] : llvm::enumerate(heads)) {
    const auto &[mode, load] = entry;
    if (!mode) {
      open.reset();
      continue;
    }
    Mode mask = getMask(*mode);
    Band band = getBand(mask, grid, bands);
    bool joins =
        open && runs.back().load == load && runs.back().getPart() == mask.part;
    if (joins) {
      bool isSame = llvm::all_of(
          runs.back().modes, [&](const Mode &other) { return other == mask; });
      bool isBand = *open != Band::None && band != Band::None && bands &&
                    (*open == Band::Any || band == Band::Any || *open == band);
      joins = isSame || isBand;
    }
    if (!joins) {
      runs.emplace_back();
      runs.back().begin = head;
      runs.back().load = load;
      open = band;
    } else if (*open == Band::Any) {
      open = band;
    }
    runs.back().modes.push_back(mask);
  }
  return runs;
}

SmallVector<HeadRun> AttendEmitter::getRuns(
    ArrayRef<std::pair<std::optional<Mode>, int64_t>> heads) const {
  // A band in a pattern beside another one would be a union with it.
  AttentionOp attention = op;
  bool bands = !attention.getPattern() && !plan.rounded;
  return findHeadRuns(heads, plan.grid, bands);
}

bool AttendEmitter::isAligned(AttentionOp op, ArrayRef<HeadRun> runs) {
  int64_t heads = op.getNumQueryHeads();
  int64_t group = heads / op.getNumKVHeads();
  return llvm::all_of(runs, [&](const HeadRun &run) {
    return run.begin % group == 0 && run.size() % group == 0;
  });
}

//===----------------------------------------------------------------------===//
// Parts of tensors
//===----------------------------------------------------------------------===//

static std::optional<int64_t> getDim(DimOrderAttr order, char letter) {
  if (std::optional<unsigned> position = order.position(letter))
    return *position;
  return std::nullopt;
}

std::optional<int64_t> mlir::dit::getHeadDim(AttentionOp op) {
  return getDim(op.getODimOrder(), 'h');
}

std::optional<int64_t> mlir::dit::getBatchDim(AttentionOp op) {
  return getDim(op.getODimOrder(), 'b');
}

/// Restricts `whole` to half `part` of dimension `dim` of `type`.
static void cutHalf(TensorPart &whole, RankedTensorType type, int64_t dim,
                    BatchPart part) {
  if (part == BatchPart::All)
    return;
  int64_t half = type.getDimSize(dim) / 2;
  whole.offsets[dim] = part == BatchPart::First ? 0 : half;
  whole.sizes[dim] = half;
}

TensorPart mlir::dit::getHalf(RankedTensorType type, int64_t dim,
                              BatchPart part) {
  TensorPart half = TensorPart::getWhole(type);
  cutHalf(half, type, dim, part);
  return half;
}

static Value insertPart(OpBuilder &builder, Location loc, Value value,
                        Value target, const TensorPart &part) {
  auto type = cast<RankedTensorType>(target.getType());
  if (part.isWhole(type))
    return value;
  SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
  MLIRContext *context = builder.getContext();
  return tensor::InsertSliceOp::create(
      builder, loc, value, target,
      getAsIndexOpFoldResult(context, part.offsets),
      getAsIndexOpFoldResult(context, part.sizes), strides);
}

static Value createEmpty(OpBuilder &builder, Location loc,
                         RankedTensorType type) {
  return tensor::EmptyOp::create(builder, loc, type.getShape(),
                                 type.getElementType());
}

Value mlir::dit::joinHalves(OpBuilder &builder, Location loc, Value first,
                            Value second, int64_t dim) {
  auto half = cast<RankedTensorType>(first.getType());
  SmallVector<int64_t> shape(half.getShape());
  shape[dim] *= 2;
  RankedTensorType type = half.clone(shape);
  Value target = createEmpty(builder, loc, type);
  target = insertPart(builder, loc, first, target,
                      getHalf(type, dim, BatchPart::First));
  return insertPart(builder, loc, second, target,
                    getHalf(type, dim, BatchPart::Second));
}

Value mlir::dit::duplicateHalf(OpBuilder &builder, Location loc, Value value,
                               int64_t dim) {
  return joinHalves(builder, loc, value, value, dim);
}

static TensorPart getHeads(AttentionOp op, Value value, int64_t begin,
                           int64_t size) {
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<int64_t> dim = getHeadDim(op);
  return dim ? TensorPart::get(type, *dim, begin, size)
             : TensorPart::getWhole(type);
}

Value mlir::dit::extractHeads(OpBuilder &builder, AttentionOp op, Value value,
                              int64_t begin, int64_t size) {
  return createPart(builder, op.getLoc(), value,
                    getHeads(op, value, begin, size));
}

Value mlir::dit::insertHeads(OpBuilder &builder, AttentionOp op, Value value,
                             Value target, int64_t begin) {
  int64_t size = 1;
  if (std::optional<int64_t> dim = getHeadDim(op))
    size = cast<RankedTensorType>(value.getType()).getDimSize(*dim);
  return insertPart(builder, op.getLoc(), value, target,
                    getHeads(op, target, begin, size));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

SmallVector<AttendEmitter::CutOperand> AttendEmitter::getCutOperands() {
  SmallVector<CutOperand> operands;
  auto add = [&](OpOperand &operand, std::optional<int64_t> batch,
                 std::optional<int64_t> heads, bool ofKeys = false) {
    operands.push_back({&operand, batch, heads, ofKeys});
  };
  add(op.getQMutable(), getDim(op.getQDimOrder(), 'b'),
      getDim(op.getQDimOrder(), 'h'));
  add(op.getKMutable(), getDim(op.getKDimOrder(), 'b'),
      getDim(op.getKDimOrder(), 'h'), /*ofKeys=*/true);
  add(op.getVMutable(), getDim(op.getVDimOrder(), 'b'),
      getDim(op.getVDimOrder(), 'h'), /*ofKeys=*/true);
  for (MutableOperandRange range :
       {op.getBiasMutable(), op.getTileNumMutable(), op.getTileIdxMutable()})
    for (OpOperand &operand : range)
      add(operand, 0, 1);
  for (OpOperand &operand : op.getKvValidMutable())
    add(operand, 0, std::nullopt);
  return operands;
}

BatchPart AttendEmitter::getPartOf(const HeadRun &run) const {
  return part == BatchPart::All ? run.getPart() : part;
}

TensorPart AttendEmitter::getPart(const CutOperand &operand,
                                  const HeadRun &run) {
  auto type = cast<RankedTensorType>(operand.operand->get().getType());
  TensorPart needed = TensorPart::getWhole(type);
  // An extent of 1 stands for all.
  if (operand.heads && type.getDimSize(*operand.heads) > 1) {
    int64_t group = 1;
    if (operand.ofKeys)
      group = op.getNumQueryHeads() / op.getNumKVHeads();
    needed.offsets[*operand.heads] = run.begin / group;
    needed.sizes[*operand.heads] = run.size() / group;
  }
  if (operand.batch && type.getDimSize(*operand.batch) > 1)
    cutHalf(needed, type, *operand.batch, getPartOf(run));
  return needed;
}

void AttendEmitter::demand(ArrayRef<HeadRun> runs) {
  for (const HeadRun &run : runs)
    for (const CutOperand &operand : getCutOperands())
      slicer.demand(operand.operand->get(), getPart(operand, run));
}

void AttendEmitter::prepare(RewriterBase &rewriter) {
  slicer.plan();
  slicer.emit(rewriter);
}

Value AttendEmitter::createInit(OpBuilder &builder) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  if (part != BatchPart::All)
    type = getHalf(type, *getBatchDim(op), part).getType(type);
  return createEmpty(builder, op.getLoc(), type);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

void AttendEmitter::setMask(OpBuilder &builder, AttentionOp attention,
                            const HeadRun &run) {
  MLIRContext *context = builder.getContext();
  const Mode &first = run.modes.front();
  int64_t text = plan.grid ? plan.grid.getText() : 0;
  bool textFirst = text > 0 && plan.grid.getTextFirst();
  auto getArrow = [&](int64_t width) -> PatternAttrInterface {
    return ArrowAttr::get(context, width, text, textFirst);
  };
  if (!llvm::all_equal(run.modes)) {
    SmallVector<int32_t> widths;
    bool isArrow = false;
    for (const Mode &mode : run.modes) {
      bool isFull = mode.kind == ModeKind::Full;
      widths.push_back(isFull ? -1 : static_cast<int32_t>(mode.width[0]));
      isArrow |= mode.kind == ModeKind::Arrow && text > 0;
    }
    auto type = RankedTensorType::get({run.size()}, builder.getI32Type());
    Value values = arith::ConstantOp::create(
        builder, op.getLoc(), type,
        DenseElementsAttr::get(type, ArrayRef<int32_t>(widths)));
    attention.getHalfWidthsMutable().assign(values);
    if (isArrow)
      attention.setPatternAttr(getArrow(0));
    return;
  }
  PatternAttrInterface pattern;
  auto [frames, height, width] = first.width;
  if (first.kind == ModeKind::Window && first.inGrid)
    pattern = GridWindowAttr::get(context, plan.grid, frames, height, width);
  else if (first.kind == ModeKind::Window)
    pattern = WindowAttr::get(context, first.width[0], first.width[0]);
  if (first.kind == ModeKind::Arrow)
    pattern = getArrow(first.width[0]);
  if (!pattern)
    return;
  if (plan.rounded)
    pattern = TiledAttr::get(context, pattern, plan.tile[0], plan.tile[1]);
  if (attention.getPattern())
    pattern = AndAttr::get(context, {*attention.getPattern(), pattern});
  attention.setPatternAttr(pattern);
}

/// Orders the tokens of dimension `s` of `value` place by place, or back.
template <typename OpTy>
static Value permuteTokens(OpBuilder &builder, Location loc, Value value,
                           DimOrderAttr order, GridAttr grid) {
  Value init =
      createEmpty(builder, loc, cast<RankedTensorType>(value.getType()));
  SmallVector<int64_t> cube = {grid.getFrames(), 1, 1};
  return OpTy::create(builder, loc, value, init, grid, cube,
                      *order.position('s'))
      ->getResult(0);
}

Value AttendEmitter::emitAttention(RewriterBase &rewriter, const HeadRun &run,
                                   Value init) {
  Location loc = op.getLoc();
  auto attention = cast<AttentionOp>(op->clone());
  for (const CutOperand &operand : getCutOperands())
    attention->setOperand(
        operand.operand->getOperandNumber(),
        slicer.get(rewriter, operand.operand->get(), getPart(operand, run)));
  attention.getOutputMutable().set(init);
  attention->getResult(0).setType(init.getType());
  const Mode &mode = run.modes.front();
  if (mode.byPlace) {
    auto group = [&](OpOperand &operand, DimOrderAttr order) {
      operand.set(permuteTokens<GroupTokensOp>(rewriter, loc, operand.get(),
                                               order, plan.grid));
    };
    group(attention.getQMutable(), op.getQDimOrder());
    group(attention.getKMutable(), op.getKDimOrder());
    group(attention.getVMutable(), op.getVDimOrder());
    // Tokens are no longer on the grid in row-major order.
    attention.removeGridAttr();
    init = createEmpty(rewriter, loc, cast<RankedTensorType>(init.getType()));
    attention.getOutputMutable().set(init);
  }
  setMask(rewriter, attention, run);
  rewriter.insert(attention);
  if (mode.kind == ModeKind::TopK) {
    SparsifyOptions options;
    options.tile.assign(plan.tile.begin(), plan.tile.end());
    if (mode.ofMass)
      options.mass = mode.amount;
    SmallVector<double> shares(run.size(), mode.amount);
    rewriter.setInsertionPointAfter(attention);
    attention = sparsifyAttention(rewriter, attention, options, shares);
    rewriter.setInsertionPointAfter(attention);
  }
  Value result = attention->getResult(0);
  if (mode.byPlace)
    result = permuteTokens<UngroupTokensOp>(rewriter, loc, result,
                                            op.getODimOrder(), plan.grid);
  return result;
}

Value AttendEmitter::emitRun(RewriterBase &rewriter, const HeadRun &run,
                             Value target, ArrayRef<Value> residuals) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(target.getType());
  // A run of a half inside of a whole goes into both halves.
  BatchPart inside = part == BatchPart::All ? run.getPart() : BatchPart::All;
  auto place = [&](BatchPart half) {
    TensorPart place = getHeads(op, target, run.begin, run.size());
    if (half != BatchPart::All)
      cutHalf(place, type, *getBatchDim(op), half);
    return place;
  };
  Value result = emitAttention(
      rewriter, run, createPart(rewriter, loc, target, place(inside)));
  if (run.load >= 0) {
    Value residual = residuals[run.load];
    TensorPart needed = getHeads(op, residual, run.begin, run.size());
    if (getPartOf(run) != BatchPart::All)
      cutHalf(needed, cast<RankedTensorType>(residual.getType()),
              *getBatchDim(op), getPartOf(run));
    Value addend = createPart(rewriter, loc, residual, needed);
    result =
        linalg::AddOp::create(rewriter, loc, ValueRange{result, addend}, result)
            .getResult(0);
  }
  target = insertPart(rewriter, loc, result, target, place(inside));
  if (inside == BatchPart::All)
    return target;
  BatchPart other =
      inside == BatchPart::First ? BatchPart::Second : BatchPart::First;
  return insertPart(rewriter, loc, result, target, place(other));
}

Value AttendEmitter::emit(RewriterBase &rewriter, ArrayRef<HeadRun> runs,
                          Value target, ArrayRef<Value> residuals) {
  for (const HeadRun &run : runs)
    target = emitRun(rewriter, run, target, residuals);
  return target;
}
