//===- Extent.cpp - Symbolic extents of dimensions ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Extent.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mlir::dit::raise;

static bool symbolLess(const Extent::Symbol &a, const Extent::Symbol &b) {
  return std::make_pair(a.first.getAsOpaquePointer(), a.second) <
         std::make_pair(b.first.getAsOpaquePointer(), b.second);
}

/// A monomial order: any total order that products keep makes the division
/// below exact, and more symbols first with ties broken by them is one.
static int compareSymbols(ArrayRef<Extent::Symbol> a,
                          ArrayRef<Extent::Symbol> b) {
  if (a.size() != b.size())
    return a.size() > b.size() ? -1 : 1;
  for (auto [left, right] : llvm::zip_equal(a, b))
    if (left != right)
      return symbolLess(left, right) ? -1 : 1;
  return 0;
}

Extent::Term Extent::Term::operator*(const Term &other) const {
  Term product{factor * other.factor, symbols};
  llvm::append_range(product.symbols, other.symbols);
  llvm::sort(product.symbols, symbolLess);
  return product;
}

std::optional<Extent::Term> Extent::Term::divide(const Term &other) const {
  if (other.factor == 0 || factor % other.factor != 0)
    return std::nullopt;
  Term quotient{factor / other.factor, {}};
  const auto *divisor = other.symbols.begin();
  for (const Symbol &symbol : symbols) {
    if (divisor != other.symbols.end() && *divisor == symbol)
      ++divisor;
    else
      quotient.symbols.push_back(symbol);
  }
  if (divisor != other.symbols.end())
    return std::nullopt;
  return quotient;
}

Extent Extent::symbol(Value value, int64_t dim) {
  Extent extent;
  extent.terms.front().symbols.push_back({value, dim});
  return extent;
}

std::optional<int64_t> Extent::getConstant() const {
  if (terms.size() != 1 || !terms.front().symbols.empty())
    return std::nullopt;
  return terms.front().factor;
}

bool Extent::isNonNegative() const {
  return llvm::all_of(terms, [](const Term &term) {
    return term.factor >= 0 &&
           llvm::all_of(term.symbols, [](const Symbol &symbol) {
             return symbol.second >= 0;
           });
  });
}

void Extent::add(const Term &term) {
  auto *position = llvm::partition_point(terms, [&](const Term &present) {
    return compareSymbols(present.symbols, term.symbols) < 0;
  });
  if (position != terms.end() && position->symbols == term.symbols) {
    position->factor += term.factor;
    if (position->factor == 0)
      terms.erase(position);
  } else if (term.factor != 0) {
    terms.insert(position, term);
  }
  // Zero has one form, and it has no place beside other terms.
  if (terms.empty())
    terms.push_back({0, {}});
  else if (terms.size() > 1)
    llvm::erase_if(terms,
                   [](const Term &present) { return present.factor == 0; });
}

Extent Extent::operator+(const Extent &other) const {
  Extent sum = *this;
  for (const Term &term : other.terms)
    sum.add(term);
  return sum;
}

Extent Extent::operator*(const Extent &other) const {
  Extent product(0);
  for (const Term &left : terms)
    for (const Term &right : other.terms)
      product.add(left * right);
  return product;
}

std::optional<Extent> Extent::divide(const Extent &other) const {
  // Long division by the leading terms; sizes divide exactly or not at all.
  Extent quotient(0), rest = *this;
  while (!(rest == Extent(0))) {
    std::optional<Term> next = rest.terms.front().divide(other.terms.front());
    if (!next)
      return std::nullopt;
    quotient.add(*next);
    for (const Term &term : other.terms) {
      Term product = *next * term;
      product.factor = -product.factor;
      rest.add(product);
    }
  }
  return quotient;
}

Value Extent::Term::materialize(OpBuilder &builder, Location loc) const {
  Value product;
  if (factor != 1 || symbols.empty())
    product = arith::ConstantIndexOp::create(builder, loc, factor);
  for (auto [value, dim] : symbols) {
    Value size = value;
    if (dim >= 0)
      size = tensor::DimOp::create(builder, loc, value, dim);
    else if (!value.getType().isIndex())
      size = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                        value);
    product =
        product ? arith::MulIOp::create(builder, loc, product, size) : size;
  }
  return product;
}

OpFoldResult Extent::materialize(OpBuilder &builder, Location loc) const {
  if (std::optional<int64_t> constant = getConstant())
    return builder.getIndexAttr(*constant);
  Value sum;
  for (const Term &term : terms) {
    Value value = term.materialize(builder, loc);
    sum = sum ? arith::AddIOp::create(builder, loc, sum, value) : value;
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// Sizes from the IR
//===----------------------------------------------------------------------===//

// Size arithmetic is shallow; the bound only keeps hostile input cheap.
static constexpr unsigned maxDepth = 64;

static Extent extentOf(OpFoldResult size, unsigned depth);

static Extent extentOf(Value tensor, int64_t dim, unsigned depth) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return Extent(type.getDimSize(dim));
  Extent unknown = Extent::symbol(tensor, dim);
  Operation *op = tensor.getDefiningOp();
  if (!op || depth > maxDepth)
    return unknown;
  if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
    return extentOf(dps.getTiedOpOperand(cast<OpResult>(tensor))->get(), dim,
                    depth + 1);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return extentOf(empty.getMixedSizes()[dim], depth + 1);
  if (auto castOp = dyn_cast<tensor::CastOp>(op))
    return isa<RankedTensorType>(castOp.getSource().getType())
               ? extentOf(castOp.getSource(), dim, depth + 1)
               : unknown;
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return extentOf(expand.getMixedOutputShape()[dim], depth + 1);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    Extent product;
    auto groups = collapse.getReassociationIndices();
    for (int64_t source : groups[dim])
      product = product * extentOf(collapse.getSrc(), source, depth + 1);
    return product;
  }
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(op))
    if (auto shape = reshape.getShape().getDefiningOp<tensor::FromElementsOp>())
      return extentOf(OpFoldResult(shape.getElements()[dim]), depth + 1);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    if (static_cast<int64_t>(concat.getDim()) != dim)
      return extentOf(concat.getInputs().front(), dim, depth + 1);
    Extent sum(0);
    for (Value input : concat.getInputs())
      sum = sum + extentOf(input, dim, depth + 1);
    return sum;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    if (slice.getDroppedDims().none())
      return extentOf(slice.getMixedSizes()[dim], depth + 1);
  return unknown;
}

/// Whether a comparison of a size with zero is decided by the fact that sizes
/// are not negative.
static std::optional<bool> evaluateSizeTest(Value condition, unsigned depth) {
  auto cmp = condition.getDefiningOp<arith::CmpIOp>();
  APInt bound;
  if (!cmp || !matchPattern(cmp.getRhs(), m_ConstantInt(&bound)) ||
      !bound.isZero() || !extentOf(cmp.getLhs(), depth + 1).isNonNegative())
    return std::nullopt;
  if (cmp.getPredicate() == arith::CmpIPredicate::slt)
    return false;
  if (cmp.getPredicate() == arith::CmpIPredicate::sge)
    return true;
  return std::nullopt;
}

/// The value of `expr` over the operands of `apply`; canonicalisation writes
/// the products of sizes this way.
static std::optional<Extent> extentOf(affine::AffineApplyOp apply,
                                      AffineExpr expr, unsigned depth) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Extent(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return extentOf(OpFoldResult(apply.getDimOperands()[dim.getPosition()]),
                    depth + 1);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return extentOf(
        OpFoldResult(apply.getSymbolOperands()[symbol.getPosition()]),
        depth + 1);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  bool isProduct = expr.getKind() == AffineExprKind::Mul;
  bool isSum = expr.getKind() == AffineExprKind::Add;
  if (!isProduct && !isSum && expr.getKind() != AffineExprKind::FloorDiv)
    return std::nullopt;
  std::optional<Extent> lhs = extentOf(apply, binary.getLHS(), depth);
  std::optional<Extent> rhs = extentOf(apply, binary.getRHS(), depth);
  if (!lhs || !rhs)
    return std::nullopt;
  if (isSum)
    return *lhs + *rhs;
  return isProduct ? *lhs * *rhs : lhs->divide(*rhs);
}

static Extent extentOf(OpFoldResult size, unsigned depth) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return Extent(*constant);
  Value value = cast<Value>(size);
  Extent unknown = Extent::symbol(value, -1);
  Operation *op = value.getDefiningOp();
  if (!op || depth > maxDepth)
    return unknown;
  auto recurse = [&](Value operand) { return extentOf(operand, depth + 1); };
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    return index && isa<RankedTensorType>(dim.getSource().getType())
               ? extentOf(dim.getSource(), *index, depth + 1)
               : unknown;
  }
  if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op))
    return recurse(op->getOperand(0));
  if (isa<arith::AddIOp>(op))
    return recurse(op->getOperand(0)) + recurse(op->getOperand(1));
  if (isa<arith::SubIOp>(op))
    return recurse(op->getOperand(0)) + recurse(op->getOperand(1)) * Extent(-1);
  if (isa<arith::MulIOp>(op))
    return recurse(op->getOperand(0)) * recurse(op->getOperand(1));
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(op)) {
    std::optional<Extent> quotient =
        recurse(op->getOperand(0)).divide(recurse(op->getOperand(1)));
    return quotient.value_or(unknown);
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return extentOf(apply, apply.getAffineMap().getResult(0), depth)
        .value_or(unknown);
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    std::optional<bool> taken = evaluateSizeTest(select.getCondition(), depth);
    if (!taken)
      return unknown;
    return recurse(*taken ? select.getTrueValue() : select.getFalseValue());
  }
  return unknown;
}

Extent mlir::dit::raise::getExtent(Value tensor, int64_t dim) {
  return extentOf(tensor, dim, 0);
}

Extent mlir::dit::raise::getExtent(OpFoldResult size) {
  return extentOf(size, 0);
}
