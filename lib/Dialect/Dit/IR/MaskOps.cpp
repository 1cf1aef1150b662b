//===- MaskOps.cpp - Scores and tile lists --------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

DIT_DEFINE_TRAILING_INITS_OP_METHODS(LowRankScoreOp, 1)
DIT_DEFINE_TRAILING_INITS_OP_METHODS(TopkMaskOp, 2)
DIT_DEFINE_TRAILING_INITS_OP_METHODS(TilesUnionOp, 2)
DIT_DEFINE_TRAILING_INITS_OP_METHODS(TilesSliceOp, 2)
DIT_DEFINE_TRAILING_INITS_OP_METHODS(TilesTransposeOp, 2)

DIT_DEFINE_CAST_FOLD(LowRankScoreOp)
DIT_DEFINE_CAST_FOLD(TopkMaskOp)
DIT_DEFINE_CAST_FOLD(TilesTransposeOp)

static ShapedType shapedTypeOf(Value value) {
  return cast<ShapedType>(value.getType());
}

//===----------------------------------------------------------------------===//
// LowRankScoreOp
//===----------------------------------------------------------------------===//

LogicalResult LowRankScoreOp::verify() {
  ShapedType q = shapedTypeOf(getQ()), k = shapedTypeOf(getK()),
             scores = shapedTypeOf(getScores());
  if (failed(verifyUniformOperands(*this)))
    return failure();
  // low_rank_score_c1
  if (k.getElementType() != q.getElementType())
    return emitOpError() << "expected k of element type " << q.getElementType()
                         << " as q, got " << k.getElementType();
  // low_rank_score_c2
  Type element = getAccumulatorType(q.getElementType());
  if (scores.getElementType() != element)
    return emitOpError() << "expected scores of element type " << element
                         << ", got " << scores.getElementType();
  // low_rank_score_c3
  if (failed(verifyTile(*this, getTile())))
    return failure();
  // low_rank_score_c4
  for (auto [d, what] :
       {std::pair(0, "k with a batch"), std::pair(3, "k with a rank")})
    if (failed(verifyExtent(*this, k.getDimSize(d), q.getDimSize(d), what)))
      return failure();
  // low_rank_score_c5
  int64_t expected[] = {q.getDimSize(0), q.getDimSize(1),
                        ceilDivExtent(q.getDimSize(2), getQTile()),
                        ceilDivExtent(k.getDimSize(2), getKVTile())};
  const char *names[] = {"a batch", "a head count", "a number of query tiles",
                         "a number of key tiles"};
  for (int64_t d = 0; d < 4; ++d)
    if (failed(verifyExtent(*this, scores.getDimSize(d), expected[d],
                            Twine("scores with ") + names[d])))
      return failure();
  // low_rank_score_c6
  if (!getScale().isFinite())
    return emitOpError() << "expected a finite scale";
  // low_rank_score_c7
  return verifyHeadGroups(*this, q.getDimSize(1), k.getDimSize(1));
}

//===----------------------------------------------------------------------===//
// TopkMaskOp
//===----------------------------------------------------------------------===//

LogicalResult TopkMaskOp::verify() {
  ShapedType scores = shapedTypeOf(getScores());
  if (failed(verifyUniformOperands(*this)))
    return failure();
  // topk_mask_c1
  int given = static_cast<bool>(getCount()) + getFraction().has_value() +
              getMass().has_value();
  if (given != 1)
    return emitOpError()
           << "expected exactly one of count, fraction and mass, got " << given;
  // topk_mask_c2
  if (getCount()) {
    int64_t counts = shapedTypeOf(getCount()).getDimSize(0);
    if (counts != 1 && !compatible(counts, scores.getDimSize(1)))
      return emitOpError() << "expected count with one value or one for each "
                              "of the "
                           << scores.getDimSize(1) << " heads, got " << counts;
  }
  // topk_mask_c3
  for (auto [value, name] :
       {std::pair(getFraction(), "fraction"), std::pair(getMass(), "mass")})
    if (value &&
        !(value->convertToDouble() >= 0.0 && value->convertToDouble() <= 1.0))
      return emitOpError() << "expected a " << name << " between 0 and 1, got "
                           << value->convertToDouble();
  // topk_mask_c4
  if (failed(verifyTileList(*this, shapedTypeOf(getNum()),
                            shapedTypeOf(getIdx()), scores.getDimSize(0),
                            scores.getDimSize(1), scores.getDimSize(2),
                            /*broadcast=*/false, "result")))
    return failure();
  // topk_mask_c5
  if (std::optional<PatternAttrInterface> keep = getKeep())
    return keep->verifyShape([&] { return emitOpError(); },
                             {scores.getDimSize(2), scores.getDimSize(3)});
  return success();
}

//===----------------------------------------------------------------------===//
// Tile list ops
//===----------------------------------------------------------------------===//

/// The extent of a list operand in the broadcast of `lhs` and `rhs`.
static int64_t broadcastExtent(int64_t lhs, int64_t rhs) {
  if (lhs == 1)
    return rhs;
  return ShapedType::isDynamic(lhs) && rhs != 1 ? rhs : lhs;
}

LogicalResult TilesUnionOp::verify() {
  if (failed(verifyUniformOperands(*this)))
    return failure();
  ShapedType num = shapedTypeOf(getNum());
  int64_t rows = num.getDimSize(2);
  // tiles_union_c1
  if (failed(verifyTileList(*this, shapedTypeOf(getNum1()),
                            shapedTypeOf(getIdx1()), num.getDimSize(0),
                            num.getDimSize(1), rows, /*broadcast=*/true,
                            "first")) ||
      failed(verifyTileList(*this, shapedTypeOf(getNum2()),
                            shapedTypeOf(getIdx2()), num.getDimSize(0),
                            num.getDimSize(1), rows, /*broadcast=*/true,
                            "second")))
    return failure();
  // tiles_union_c2
  ShapedType lhs = shapedTypeOf(getNum1()), rhs = shapedTypeOf(getNum2());
  return verifyTileList(*this, num, shapedTypeOf(getIdx()),
                        broadcastExtent(lhs.getDimSize(0), rhs.getDimSize(0)),
                        broadcastExtent(lhs.getDimSize(1), rhs.getDimSize(1)),
                        rows,
                        /*broadcast=*/false, "result");
}

/// Whether the result of a list op has the type of the list (`num`, `idx`) and
/// surely as many rows and as much room.
static bool hasRoomOf(Operation *op, Value num, Value idx) {
  return op->getResultTypes() == TypeRange{num.getType(), idx.getType()} &&
         shapedTypeOf(num).hasStaticShape() &&
         shapedTypeOf(idx).hasStaticShape();
}

LogicalResult TilesUnionOp::fold(FoldAdaptor,
                                 SmallVectorImpl<OpFoldResult> &results) {
  // The union of a list with itself is the list.
  if (getNum1() == getNum2() && getIdx1() == getIdx2() &&
      hasRoomOf(*this, getNum1(), getIdx1())) {
    results.assign({getNum1(), getIdx1()});
    return success();
  }
  return foldMemRefCasts(*this);
}

LogicalResult TilesSliceOp::verify() {
  if (failed(verifyUniformOperands(*this)))
    return failure();
  ShapedType source = shapedTypeOf(getSrcNum()), num = shapedTypeOf(getNum());
  // tiles_slice_c1
  if (failed(verifyTileList(*this, source, shapedTypeOf(getSrcIdx()),
                            source.getDimSize(0), source.getDimSize(1),
                            source.getDimSize(2), /*broadcast=*/false,
                            "source")) ||
      failed(verifyTileList(*this, num, shapedTypeOf(getIdx()),
                            num.getDimSize(0), num.getDimSize(1),
                            num.getDimSize(2), /*broadcast=*/false, "result")))
    return failure();
  // tiles_slice_c2
  for (int64_t d = 0; d < 3; ++d)
    if (!ShapedType::isDynamic(source.getDimSize(d)) &&
        !ShapedType::isDynamic(num.getDimSize(d)) &&
        num.getDimSize(d) > source.getDimSize(d))
      return emitOpError() << "expected a result of at most "
                           << source.getDimSize(d) << " in dimension " << d
                           << " as the source, got " << num.getDimSize(d);
  // tiles_slice_c3
  return verifyExtent(*this, shapedTypeOf(getIdx()).getDimSize(3),
                      shapedTypeOf(getSrcIdx()).getDimSize(3),
                      "a result with a capacity");
}

LogicalResult TilesSliceOp::fold(FoldAdaptor adaptor,
                                 SmallVectorImpl<OpFoldResult> &results) {
  // All rows from the first on are the source. A batch or head dimension of
  // extent 1 is kept whole at any offset.
  auto startsAtZero = [&](Attribute offset, unsigned d) {
    auto value = dyn_cast_or_null<IntegerAttr>(offset);
    return (value && value.getValue().isZero()) ||
           (d < 2 && shapedTypeOf(getSrcNum()).getDimSize(d) == 1);
  };
  if (hasRoomOf(*this, getSrcNum(), getSrcIdx()) &&
      startsAtZero(adaptor.getBatchOffset(), 0) &&
      startsAtZero(adaptor.getHeadOffset(), 1) &&
      startsAtZero(adaptor.getQueryOffset(), 2)) {
    results.assign({getSrcNum(), getSrcIdx()});
    return success();
  }
  return foldMemRefCasts(*this);
}

LogicalResult TilesTransposeOp::verify() {
  if (failed(verifyUniformOperands(*this)))
    return failure();
  ShapedType source = shapedTypeOf(getSrcNum()), num = shapedTypeOf(getNum());
  // tiles_transpose_c1
  if (failed(verifyTileList(*this, source, shapedTypeOf(getSrcIdx()),
                            source.getDimSize(0), source.getDimSize(1),
                            source.getDimSize(2), /*broadcast=*/false,
                            "source")))
    return failure();
  // tiles_transpose_c2
  return verifyTileList(*this, num, shapedTypeOf(getIdx()),
                        source.getDimSize(0), source.getDimSize(1),
                        num.getDimSize(2), /*broadcast=*/false, "result");
}
