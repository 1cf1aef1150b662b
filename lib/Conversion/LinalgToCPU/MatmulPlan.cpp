//===- MatmulPlan.cpp - Forms of products and their tiles
//------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatmulPlan.h"

#include "GenericPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dit;

/// Rows up to which the right-hand side is read in place.
static constexpr int64_t kFewRows = 16;
/// Rows of one task; its left-hand side stays in a core's cache.
static constexpr int64_t kRowBlock = 64;
/// Multiplications below which threads cost more than they bring.
static constexpr int64_t kParallelWork = 1 << 19;
/// Vectors in a row of a register tile.
static constexpr int64_t kTileVectors = 2;
/// Tasks that a product should give, so that threads can share it.
static constexpr int64_t kWantedTasks = 16;

//===----------------------------------------------------------------------===//
// Form
//===----------------------------------------------------------------------===//

/// Whether `value` is `bias` where the index along `k` is 0, else `old`.
static bool isStart(Value value, Value bias, Value old, unsigned k) {
  auto select = value.getDefiningOp<arith::SelectOp>();
  if (!select || select.getTrueValue() != bias || select.getFalseValue() != old)
    return false;
  auto isFirst = select.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!isFirst || isFirst.getPredicate() != arith::CmpIPredicate::eq ||
      !matchPattern(isFirst.getRhs(), m_Zero()))
    return false;
  auto index = isFirst.getLhs().getDefiningOp<linalg::IndexOp>();
  return index && index.getDim() == k;
}

/// Whether `op`, of three inputs, begins its sums as the third.
static std::optional<ProductForm> matchBiased(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 3 || op.getNumDpsInits() != 1)
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims({maps[0], maps[1], maps[3]});
  if (failed(dims) || dims->k.size() != 1 ||
      !maps[2].isProjectedPermutation() ||
      !llvm::all_of(maps[2].getResults(), [&](AffineExpr expr) {
        return llvm::is_contained(dims->n,
                                  cast<AffineDimExpr>(expr).getPosition());
      }))
    return std::nullopt;
  Block *block = op.getBlock();
  auto sum =
      block->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  auto product =
      sum ? sum.getRhs().getDefiningOp<arith::MulFOp>() : arith::MulFOp();
  if (!product || product.getLhs() != block->getArgument(0) ||
      product.getRhs() != block->getArgument(1) ||
      !isStart(sum.getLhs(), block->getArgument(2), block->getArgument(3),
               dims->k.front()))
    return std::nullopt;
  return ProductForm{*dims, /*hasBias=*/true};
}

std::optional<ProductForm> ProductForm::match(linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op))
    return matchBiased(op);
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  if (failed(dims))
    return std::nullopt;
  return ProductForm{*dims, /*hasBias=*/false};
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

/// Whether the body is a product and a sum, with at most extensions of the
/// factors between.
static bool isFloatProduct(linalg::LinalgOp op, const ProductForm &form) {
  for (Operation &inner : op.getBlock()->without_terminator())
    if (!form.hasBias &&
        !isa<arith::MulFOp, arith::AddFOp, arith::ExtFOp>(inner))
      return false;
  return llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref && isa<FloatType>(memref.getElementType());
  });
}

bool mlir::dit::isUnitStrideAlong(linalg::LinalgOp op, OpOperand *operand,
                                  unsigned dim) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  return last && last.getPosition() == dim &&
         cast<MemRefType>(operand->get().getType()).isLastDimUnitStride();
}

int64_t mlir::dit::getPackedWidth(int64_t rows, int64_t columns,
                                  int64_t lanes) {
  if (rows <= kFewRows)
    return 0;
  for (int64_t vectors = kTileVectors; vectors > 0; vectors /= 2)
    if (columns % (vectors * lanes) == 0)
      return vectors * lanes;
  return 0;
}

/// The dimensions of `op` if it is a product in one of the supported forms.
static std::optional<MatmulPlan> matchProduct(linalg::LinalgOp op) {
  std::optional<ProductForm> form = ProductForm::match(op);
  if (!form || op.getNumDpsInits() != 1 || !isFloatProduct(op, *form))
    return std::nullopt;
  const linalg::ContractionDimensions *dims = &form->dims;
  if (dims->m.size() != 1 || dims->k.size() != 1 || dims->batch.size() > 1 ||
      2 + dims->n.size() + dims->batch.size() != op.getNumLoops() ||
      llvm::any_of(op.getIndexingMapsArray(),
                   [](AffineMap map) { return !map.isProjectedPermutation(); }))
    return std::nullopt;
  MatmulPlan plan;
  plan.hasBias = form->hasBias;
  plan.m = dims->m.front();
  plan.k = dims->k.front();
  if (!dims->batch.empty())
    plan.batch = dims->batch.front();
  if (dims->n.size() == 1) {
    plan.n = dims->n.front();
    return plan;
  }
  AffineMap right = op.getMatchingIndexingMap(op.getDpsInputOperand(1));
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (dims->n.size() != 2 || right.getNumResults() != 3 ||
      right.getDimPosition(1) != plan.k ||
      output.getResults().take_back(2) !=
          ArrayRef{right.getResult(0), right.getResult(2)})
    return std::nullopt;
  plan.panel = right.getDimPosition(0);
  plan.n = right.getDimPosition(2);
  return plan;
}

/// Rows of a register tile: 32 registers hold 8 x 2 accumulators with room for
/// the panel; 16 hold 4 x 2.
static int64_t getTileRows(int64_t vectorBits) {
  return vectorBits >= 512 ? 8 : 4;
}

/// Takes the panels as they are stored; false if they do not fit the machine.
static bool planStoredPanels(MatmulPlan &plan, linalg::LinalgOp op) {
  int64_t width = op.getStaticLoopRanges()[plan.n];
  Type element = getElementTypeOrSelf(op->getOperand(1).getType());
  plan.vectors = width / plan.lanes;
  plan.pack = false;
  return !ShapedType::isDynamic(width) && width % plan.lanes == 0 &&
         plan.vectors <= kTileVectors && element == plan.accumulator;
}

/// Chooses the tile of a product whose right-hand side is a matrix.
static void planMatrix(MatmulPlan &plan, linalg::LinalgOp op, int64_t rows,
                       int64_t columns) {
  OpOperand *right = op.getDpsInputOperand(1);
  bool few = !ShapedType::isDynamic(rows) && rows <= kFewRows;
  // Few rows take wider tiles, to stream the right-hand side.
  plan.vectors = kTileVectors;
  if (few && rows < plan.rows) {
    plan.rows = rows;
    plan.vectors = 2 * kTileVectors;
  }
  while (plan.vectors > 1 && !ShapedType::isDynamic(columns) &&
         columns <= plan.panelWidth() / 2)
    plan.vectors /= 2;
  plan.pack =
      !(few && isUnitStrideAlong(op, right, plan.n) &&
        getElementTypeOrSelf(right->get().getType()) == plan.accumulator &&
        !ShapedType::isDynamic(columns) && columns % plan.panelWidth() == 0);
}

std::optional<MatmulPlan> MatmulPlan::get(linalg::LinalgOp op,
                                          int64_t vectorBits) {
  std::optional<MatmulPlan> match = matchProduct(op);
  if (!match)
    return std::nullopt;
  MatmulPlan plan = *match;
  OpOperand *output = op.getDpsInitOperand(0);
  OpOperand *right = op.getDpsInputOperand(1);
  if (!op.getMatchingIndexingMap(right).isFunctionOfDim(plan.n) ||
      !isUnitStrideAlong(op, output, plan.n))
    return std::nullopt;
  Type element = getElementTypeOrSelf(output->get().getType());
  Type rightElement = getElementTypeOrSelf(right->get().getType());
  Type leftElement =
      getElementTypeOrSelf(op.getDpsInputOperand(0)->get().getType());
  bool anyDouble =
      element.isF64() || rightElement.isF64() || leftElement.isF64();
  bool allDouble =
      element.isF64() && rightElement.isF64() && leftElement.isF64();
  if (anyDouble && !allDouble)
    return std::nullopt;
  Builder builder(op.getContext());
  plan.accumulator =
      allDouble ? Type(builder.getF64Type()) : Type(builder.getF32Type());
  plan.lanes = vectorBits / plan.accumulator.getIntOrFloatBitWidth();

  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  int64_t rows = extents[plan.m], columns = extents[plan.n];
  plan.rows = getTileRows(vectorBits);
  if (!plan.panel)
    planMatrix(plan, op, rows, columns);
  else if (!planStoredPanels(plan, op))
    return std::nullopt;
  int64_t work = 1;
  for (int64_t extent : extents)
    work *= ShapedType::isDynamic(extent) ? kParallelWork : extent;
  plan.parallel = work >= kParallelWork && !op->hasAttr(kSerialAttr);
  plan.rowBlock = kRowBlock;
  plan.panelBlock = 0;
  if (ShapedType::isDynamic(rows) || rows < kWantedTasks * kRowBlock)
    plan.panelBlock = rows <= kFewRows ? 2 : 4;
  return plan;
}
