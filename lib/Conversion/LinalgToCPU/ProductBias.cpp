//===- ProductBias.cpp - Products that begin as a bias
//----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProductBias.h"

#include "MatmulPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A product, and the addition of a bias to it in the body of another op.
struct BiasedProduct {
  linalg::LinalgOp product;
  ProductForm form;
  linalg::GenericOp user;
  OpOperand *bias = nullptr;
  arith::AddFOp sum = {};
};

} // namespace

/// Whether `op` is a product of two matrices, with columns that are numbered in
/// the order of memory, that begins as zeros.
static bool isPlainProduct(linalg::LinalgOp op, const ProductForm &form) {
  const linalg::ContractionDimensions &dims = form.dims;
  if (form.hasBias || !op.hasPureTensorSemantics() || op.hasDynamicShape() ||
      !op->hasOneUse() || !dims.batch.empty() || dims.m.size() != 1 ||
      dims.k.size() != 1 || dims.n.empty() ||
      op.getStaticLoopRanges()[dims.k.front()] == 0)
    return false;
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill || !matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))
    return false;
  // Other types would round in another place.
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  auto isElement = [&](Type type) {
    return getElementTypeOrSelf(type) == element;
  };
  if ((!element.isF32() && !element.isF64()) ||
      !llvm::all_of(op->getOperandTypes(), isElement))
    return false;
  SmallVector<unsigned> order = {dims.m.front()};
  llvm::append_range(order, dims.n);
  return op.getMatchingIndexingMap(op.getDpsInitOperand(0)) ==
         AffineMap::getMultiDimMapWithTargets(op.getNumLoops(), order,
                                              op.getContext());
}

/// Whether `groups` keep the last `fine` dimensions apart from the others, as
/// the last `coarse`.
static bool keepsColumns(ArrayRef<ReassociationIndices> groups, unsigned fine) {
  return groups.back().size() == fine;
}

/// The operand of an elementwise op that takes the result of `op`, maybe
/// through reshapes that leave the columns the last dimension.
static OpOperand *findUse(linalg::LinalgOp op, unsigned numColumnDims) {
  Value value = op->getResult(0);
  while (value.hasOneUse()) {
    OpOperand &use = *value.use_begin();
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(use.getOwner())) {
      if (!keepsColumns(collapse.getReassociationIndices(), numColumnDims))
        return nullptr;
      numColumnDims = 1;
    } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(use.getOwner())) {
      if (numColumnDims != 1 ||
          !keepsColumns(expand.getReassociationIndices(), 1))
        return nullptr;
    } else {
      auto user = dyn_cast<linalg::GenericOp>(use.getOwner());
      return user && numColumnDims == 1 && user.hasPureTensorSemantics() &&
                     linalg::isElementwise(user) && !user.isDpsInit(&use)
                 ? &use
                 : nullptr;
    }
    value = use.getOwner()->getResult(0);
  }
  return nullptr;
}

/// The input of `user` that is added to `operand` and has an element for each
/// column, if there is one; the addition is `sum`.
static OpOperand *findBias(linalg::GenericOp user, OpOperand &operand,
                           arith::AddFOp &sum) {
  AffineMap map = user.getMatchingIndexingMap(&operand);
  BlockArgument argument = user.getMatchingBlockArgument(&operand);
  if (map.getNumResults() == 0 || !argument.hasOneUse())
    return nullptr;
  sum = dyn_cast<arith::AddFOp>(*argument.user_begin());
  if (!sum)
    return nullptr;
  Value other = sum.getLhs() == argument ? sum.getRhs() : sum.getLhs();
  auto added = dyn_cast<BlockArgument>(other);
  if (!added || added.getOwner() != user.getBody())
    return nullptr;
  OpOperand *bias = user.getMatchingOpOperand(added);
  AffineMap biasMap = user.getMatchingIndexingMap(bias);
  if (user.isDpsInit(bias) || biasMap.getNumResults() != 1 ||
      biasMap.getResult(0) != map.getResults().back() ||
      !isa<AffineDimExpr>(biasMap.getResult(0)))
    return nullptr;
  return bias;
}

static std::optional<BiasedProduct> match(linalg::LinalgOp op,
                                          DominanceInfo &dominance) {
  std::optional<ProductForm> form = ProductForm::match(op);
  if (!form || !isPlainProduct(op, *form))
    return std::nullopt;
  OpOperand *use = findUse(op, form->dims.n.size());
  if (!use)
    return std::nullopt;
  BiasedProduct found = {op, *form, cast<linalg::GenericOp>(use->getOwner())};
  found.bias = findBias(found.user, *use, found.sum);
  if (!found.bias)
    return std::nullopt;
  Value bias = found.bias->get();
  if (!matchPattern(bias, m_Constant()) &&
      !dominance.properlyDominates(bias, op))
    return std::nullopt;
  return found;
}

/// The bias with the shape of the columns of the product, before it.
static Value createColumns(OpBuilder &builder, BiasedProduct &found) {
  Value bias = found.bias->get();
  if (matchPattern(bias, m_Constant()))
    bias = builder.clone(*bias.getDefiningOp())->getResult(0);
  unsigned rank = found.form.dims.n.size();
  if (rank == 1)
    return bias;
  auto result = cast<RankedTensorType>(found.product->getResult(0).getType());
  ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(rank));
  return tensor::ExpandShapeOp::create(
      builder, found.product.getLoc(),
      result.clone(result.getShape().take_back(rank)), bias,
      SmallVector<ReassociationIndices>{all});
}

/// The body of ProductForm.
static void buildBody(OpBuilder &builder, Location loc, ValueRange args,
                      unsigned k) {
  Value index = linalg::IndexOp::create(builder, loc, k);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        index, zero);
  Value start =
      arith::SelectOp::create(builder, loc, isFirst, args[2], args[3]);
  Value product = arith::MulFOp::create(builder, loc, args[0], args[1]);
  Value sum = arith::AddFOp::create(builder, loc, start, product);
  linalg::YieldOp::create(builder, loc, sum);
}

static void rewrite(BiasedProduct &found) {
  linalg::LinalgOp op = found.product;
  OpBuilder builder(op);
  SmallVector<Value> inputs = op.getDpsInputs();
  inputs.push_back(createColumns(builder, found));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<unsigned> columns(found.form.dims.n.begin(),
                                found.form.dims.n.end());
  maps.insert(maps.begin() + 2,
              AffineMap::getMultiDimMapWithTargets(op.getNumLoops(), columns,
                                                   op.getContext()));
  unsigned k = found.form.dims.k.front();
  auto biased = linalg::GenericOp::create(
      builder, op.getLoc(), op->getResultTypes(), inputs, op.getDpsInits(),
      maps, op.getIteratorTypesArray(),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        buildBody(inner, loc, args, k);
      });
  op->getResult(0).replaceAllUsesWith(biased.getResult(0));
  op->erase();
  arith::AddFOp sum = found.sum;
  Value added = found.user.getMatchingBlockArgument(found.bias);
  sum.replaceAllUsesWith(sum.getLhs() == added ? sum.getRhs() : sum.getLhs());
  sum.erase();
}

unsigned mlir::dit::startProductsAsBias(ModuleOp module) {
  DominanceInfo dominance(module);
  SmallVector<BiasedProduct> products;
  module.walk([&](linalg::LinalgOp op) {
    if (std::optional<BiasedProduct> found = match(op, dominance))
      products.push_back(*found);
  });
  // Two products cannot be the same operand, but may add to each other's op.
  SmallVector<Operation *> users;
  for (BiasedProduct &found : products) {
    rewrite(found);
    users.push_back(found.user);
  }
  // What only added a bias is gone.
  RewritePatternSet patterns(module.getContext());
  linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
  linalg::GenericOp::getCanonicalizationPatterns(patterns, module.getContext());
  module.getContext()
      ->getLoadedDialect<linalg::LinalgDialect>()
      ->getCanonicalizationPatterns(patterns);
  llvm::SetVector<Operation *> distinct(users.begin(), users.end());
  (void)applyOpPatternsGreedily(distinct.getArrayRef(), std::move(patterns));
  return products.size();
}
