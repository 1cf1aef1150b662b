//===- PackWeights.cpp - Constant matrices in panels ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel of a product copies its right-hand side into panels, for each call
// anew. For a constant the compiler does it; that the panels are what a kernel
// wants shows in nothing but the shape of the operand (MatmulPlan.h).
//
//===----------------------------------------------------------------------===//

#include "PackWeights.h"

#include "ConstantBytes.h"
#include "MatmulPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dit;

/// `init`, a matrix, as panels of its columns; a fill becomes one of these.
static Value splitColumns(OpBuilder &builder, Location loc, Value init,
                          RankedTensorType type) {
  if (auto fill = init.getDefiningOp<linalg::FillOp>()) {
    Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                          type.getElementType());
    return linalg::FillOp::create(builder, loc, fill.getInputs(), empty)
        .getResult(0);
  }
  return tensor::ExpandShapeOp::create(
      builder, loc, type, init, SmallVector<ReassociationIndices>{{0}, {1, 2}});
}

/// The panels of the right-hand side of `op`; null if it is not constant or
/// not worth it.
static ElementsAttr packRightSide(linalg::MatmulOp op, int64_t width) {
  auto type = cast<RankedTensorType>(op.getInputs()[1].getType());
  ElementsAttr attr;
  if (!matchPattern(op.getInputs()[1], m_Constant(&attr)))
    return {};
  int64_t depth = type.getDimSize(0), columns = type.getDimSize(1);
  return permuteElements(attr, {depth, columns / width, width}, {1, 0, 2},
                         "dit_packed");
}

/// The width of the panels for `op`; 0 if its kernel would not make panels of
/// all columns.
static int64_t getWidth(linalg::MatmulOp op, int64_t vectorBits) {
  auto left = cast<RankedTensorType>(op.getInputs()[0].getType());
  auto right = cast<RankedTensorType>(op.getInputs()[1].getType());
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  Type element = right.getElementType();
  if (!op.hasPureTensorSemantics() || op.hasUserDefinedMaps() ||
      !result.hasStaticShape() || !right.hasStaticShape() ||
      (!element.isF32() && !element.isF64()) ||
      left.getElementType() != element || result.getElementType() != element)
    return 0;
  return getPackedWidth(result.getDimSize(0), result.getDimSize(1),
                        vectorBits / element.getIntOrFloatBitWidth());
}

/// The product with `panels` in the place of its right-hand side.
static Value createPacked(OpBuilder &builder, linalg::MatmulOp op,
                          ElementsAttr panels) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  ArrayRef<int64_t> shape = cast<ShapedType>(panels.getType()).getShape();
  RankedTensorType packedType =
      type.clone({type.getDimSize(0), shape[0], shape[2]});
  Value constant = arith::ConstantOp::create(builder, loc, panels);
  Value init = splitColumns(builder, loc, op.getOutputs()[0], packedType);
  AffineExpr m, p, w, k;
  bindDims(builder.getContext(), m, p, w, k);
  using Exprs = ArrayRef<AffineExpr>;
  SmallVector<AffineMap> maps = AffineMap::inferFromExprList(
      ArrayRef<Exprs>{Exprs{m, k}, Exprs{p, k, w}, Exprs{m, p, w}},
      builder.getContext());
  using utils::IteratorType;
  SmallVector<IteratorType> iterators(3, IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);
  auto product = linalg::GenericOp::create(
      builder, loc, packedType, ValueRange{op.getInputs()[0], constant}, init,
      maps, iterators, [](OpBuilder &inner, Location at, ValueRange args) {
        Value factor = arith::MulFOp::create(inner, at, args[0], args[1]);
        Value sum = arith::AddFOp::create(inner, at, args[2], factor);
        linalg::YieldOp::create(inner, at, sum);
      });
  return tensor::CollapseShapeOp::create(
      builder, loc, type, product.getResult(0),
      SmallVector<ReassociationIndices>{{0}, {1, 2}});
}

unsigned mlir::dit::packConstantWeights(ModuleOp module, int64_t vectorBits) {
  SmallVector<linalg::MatmulOp> products;
  module.walk([&](linalg::MatmulOp op) {
    if (getWidth(op, vectorBits) != 0)
      products.push_back(op);
  });
  unsigned count = 0;
  for (linalg::MatmulOp op : products) {
    ElementsAttr panels = packRightSide(op, getWidth(op, vectorBits));
    if (!panels)
      continue;
    OpBuilder builder(op);
    Operation *weight = op.getInputs()[1].getDefiningOp();
    op->getResult(0).replaceAllUsesWith(createPacked(builder, op, panels));
    op->erase();
    if (weight->use_empty())
      weight->erase();
    ++count;
  }
  return count;
}
