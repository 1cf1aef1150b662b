//===- ExtentResolver.cpp - Extents as functions of arguments -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExtentResolver.h"

#include "dit/Target/EntrySignature.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dit;

std::optional<int64_t> mlir::dit::getElementBytes(Type type) {
  if (type.isIndex())
    return 8;
  if (!type.isIntOrFloat())
    return std::nullopt;
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

ValueRange mlir::dit::getSizeArguments(func::FuncOp function) {
  ValueRange arguments = function.getArguments();
  if (std::optional<EntrySignature> signature = getSignature(function))
    return arguments.take_front(
        std::min(signature->inputs.size(), arguments.size()));
  return arguments;
}

/// The value of element `index` of `memref`, if this is a buffer of rank 1 that
/// is only loaded from, used as a shape, and written once at each position.
static Value findStored(Value memref, int64_t index) {
  if (!memref.getDefiningOp<memref::AllocOp>() ||
      cast<MemRefType>(memref.getType()).getRank() != 1)
    return {};
  Value found;
  for (Operation *user : memref.getUsers()) {
    if (isa<memref::LoadOp, memref::DimOp, memref::DeallocOp>(user))
      continue;
    auto reshape = dyn_cast<memref::ReshapeOp>(user);
    if (reshape && reshape.getSource() != memref)
      continue;
    auto store = dyn_cast<memref::StoreOp>(user);
    if (!store || store.getValue() == memref)
      return {};
    std::optional<int64_t> position =
        getConstantIntValue(store.getIndices().front());
    if (!position || (*position == index && found))
      return {};
    if (*position == index)
      found = store.getValue();
  }
  return found;
}

ExtentResolver::ExtentResolver(OpBuilder &builder, func::FuncOp function,
                               ValueRange values)
    : builder(builder), loc(function.getLoc()) {
  for (auto [argument, value] : llvm::zip(function.getArguments(), values))
    arguments.map(argument, value);
}

Value ExtentResolver::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value ExtentResolver::resolve(Value value) {
  auto [entry, isNew] = known.try_emplace(value);
  if (!isNew)
    return entry->second;
  Value result = resolveUncached(value);
  known[value] = result;
  return result;
}

/// `rhs`, or 1 where a division of `lhs` by it has no defined result.
Value ExtentResolver::makeSafeDivisor(Value lhs, Value rhs) {
  Type type = rhs.getType();
  auto equals = [&](Value value, const llvm::APInt &number) {
    Value other = arith::ConstantOp::create(
        builder, loc, builder.getIntegerAttr(type, number));
    return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                               value, other);
  };
  unsigned bits = type.isIndex() ? IndexType::kInternalStorageBitWidth
                                 : type.getIntOrFloatBitWidth();
  Value overflow = builder.createOrFold<arith::AndIOp>(
      loc, equals(lhs, llvm::APInt::getSignedMinValue(bits)),
      equals(rhs, llvm::APInt::getAllOnes(bits)));
  Value isBad = builder.createOrFold<arith::OrIOp>(
      loc, equals(rhs, llvm::APInt(bits, 0)), overflow);
  Value one =
      arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, 1));
  return builder.createOrFold<arith::SelectOp>(loc, isBad, one, rhs);
}

Value ExtentResolver::resolveUncached(Value value) {
  if (!value.getType().isIntOrIndex())
    return {};
  Operation *op = value.getDefiningOp();
  if (!op)
    return arguments.lookupOrNull(value);
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    return index ? resolveDim(dim.getSource(), *index) : Value();
  }
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    std::optional<int64_t> index;
    if (load.getIndices().size() == 1)
      index = getConstantIntValue(load.getIndices().front());
    Value stored = index ? findStored(load.getMemref(), *index) : Value();
    return stored ? resolve(stored) : Value();
  }
  if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(op)) {
    auto sizes = metadata.getSizes();
    auto found = llvm::find(sizes, value);
    return found == sizes.end()
               ? Value()
               : resolveDim(metadata.getSource(), found - sizes.begin());
  }
  // What would be undefined where it is not needed must not move.
  bool isDivision =
      isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
          arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op);
  if (!isMemoryEffectFree(op) || op->getNumRegions() != 0 ||
      (!isDivision && !isSpeculatable(op)))
    return {};
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    Value resolved = resolve(operand);
    if (!resolved)
      return {};
    mapping.map(operand, resolved);
  }
  if (isDivision && !isSpeculatable(op))
    mapping.map(op->getOperand(1),
                makeSafeDivisor(mapping.lookup(op->getOperand(0)),
                                mapping.lookup(op->getOperand(1))));
  Operation *clone = builder.clone(*op, mapping);
  return clone->getResult(cast<OpResult>(value).getResultNumber());
}

Value ExtentResolver::resolveExtent(OpFoldResult extent) {
  if (std::optional<int64_t> value = getConstantIntValue(extent))
    return constant(*value);
  return resolve(cast<Value>(extent));
}

Value ExtentResolver::resolveCollapsed(memref::CollapseShapeOp op,
                                       int64_t dim) {
  Value product = constant(1);
  auto groups = op.getReassociationIndices();
  for (int64_t source : groups[dim]) {
    Value extent = resolveDim(op.getSrc(), source);
    if (!extent)
      return {};
    product = builder.createOrFold<arith::MulIOp>(loc, product, extent);
  }
  return product;
}

/// The dimension of the full slice that becomes `dim` of the result of `op`.
static int64_t getSliceDim(memref::SubViewOp op, int64_t dim) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (int64_t full = 0, e = dropped.size(); full < e; ++full)
    if (!dropped[full] && dim-- == 0)
      return full;
  llvm_unreachable("the result has fewer dimensions");
}

Value ExtentResolver::resolveDim(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return constant(type.getDimSize(dim));
  Operation *op = memref.getDefiningOp();
  if (!op) {
    Value argument = arguments.lookupOrNull(memref);
    return argument ? builder.createOrFold<memref::DimOp>(loc, argument, dim)
                    : Value();
  }
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<memref::AllocOp, memref::AllocaOp, memref::ViewOp>([&](auto) {
        unsigned index = type.getDynamicDimIndex(dim);
        if (auto view = dyn_cast<memref::ViewOp>(op))
          return resolve(view.getSizes()[index]);
        return resolve(op->getOperand(index));
      })
      .Case<memref::SubViewOp>([&](auto view) {
        return resolveExtent(view.getMixedSizes()[getSliceDim(view, dim)]);
      })
      .Case<memref::ReinterpretCastOp>(
          [&](auto cast) { return resolveExtent(cast.getMixedSizes()[dim]); })
      .Case<memref::ExpandShapeOp>([&](auto reshape) {
        return resolveExtent(reshape.getMixedOutputShape()[dim]);
      })
      .Case<memref::CollapseShapeOp>(
          [&](auto reshape) { return resolveCollapsed(reshape, dim); })
      .Case<memref::CastOp>(
          [&](auto cast) { return resolveDim(cast.getSource(), dim); })
      .Case<memref::ReshapeOp>([&](auto reshape) {
        Value extent = findStored(reshape.getShape(), dim);
        if (extent)
          extent = resolve(extent);
        if (extent && !extent.getType().isIndex())
          extent = builder.createOrFold<arith::IndexCastOp>(
              loc, builder.getIndexType(), extent);
        return extent;
      })
      .Default([](Operation *) { return Value(); });
}

Value ExtentResolver::resolveNumBytes(MemRefType type,
                                      ValueRange dynamicSizes) {
  std::optional<int64_t> bytes = getElementBytes(type.getElementType());
  if (!bytes || !type.getLayout().isIdentity() || type.getMemorySpace())
    return {};
  for (int64_t size : type.getShape())
    *bytes *= ShapedType::isDynamic(size) ? 1 : size;
  Value product = constant(*bytes);
  for (Value size : dynamicSizes) {
    Value extent = resolve(size);
    if (!extent)
      return {};
    product = builder.createOrFold<arith::MulIOp>(loc, extent, product);
  }
  return product;
}

std::optional<int64_t> mlir::dit::evaluateAt(Value value, int64_t extent) {
  llvm::APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  Operation *op = value.getDefiningOp();
  if (!op || isa<memref::DimOp>(op))
    return extent;
  Builder builder(op->getContext());
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    std::optional<int64_t> known = evaluateAt(operand, extent);
    if (!known)
      return std::nullopt;
    operands.push_back(builder.getIntegerAttr(operand.getType(), *known));
  }
  SmallVector<OpFoldResult> results;
  if (failed(op->fold(operands, results)) ||
      results.size() != op->getNumResults())
    return std::nullopt;
  return getConstantIntValue(results[cast<OpResult>(value).getResultNumber()]);
}
