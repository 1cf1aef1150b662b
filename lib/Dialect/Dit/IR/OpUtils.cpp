//===- OpUtils.cpp - What the ops of dit share ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;

bool mlir::dit::detail::compatible(int64_t lhs, int64_t rhs) {
  return ShapedType::isDynamic(lhs) || ShapedType::isDynamic(rhs) || lhs == rhs;
}

std::string mlir::dit::detail::extentToString(int64_t extent) {
  return ShapedType::isDynamic(extent) ? "?" : std::to_string(extent);
}

LogicalResult mlir::dit::detail::verifyExtent(Operation *op, int64_t got,
                                              int64_t expected,
                                              const Twine &what) {
  if (compatible(got, expected))
    return success();
  return op->emitOpError() << "expected " << what << " of " << expected
                           << ", got " << got;
}

LogicalResult mlir::dit::detail::verifyHeadGroups(Operation *op,
                                                  int64_t queryHeads,
                                                  int64_t kvHeads) {
  if (ShapedType::isDynamic(queryHeads) || ShapedType::isDynamic(kvHeads) ||
      (kvHeads == 0 ? queryHeads == 0 : queryHeads % kvHeads == 0))
    return success();
  return op->emitOpError()
         << "expected the number of query heads to be a multiple of the "
         << kvHeads << " key heads, got " << queryHeads;
}

LogicalResult mlir::dit::detail::verifyUniformOperands(Operation *op) {
  bool tensors = false, memrefs = false;
  for (Type type : op->getOperandTypes()) {
    tensors |= isa<RankedTensorType>(type);
    memrefs |= isa<MemRefType>(type);
  }
  // destination_c1
  if (tensors && memrefs)
    return op->emitOpError() << "expected all operands to be tensors or all to "
                                "be memrefs, got both";
  return success();
}

LogicalResult mlir::dit::detail::verifyTile(Operation *op,
                                            ArrayRef<int64_t> tile) {
  if (tile.size() == 2 && tile[0] > 0 && tile[1] > 0)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << "expected a tile of two positive extents "
                               "[queries, keys], got [";
  llvm::interleaveComma(tile, diag);
  return diag << "]";
}

LogicalResult mlir::dit::detail::verifyTileList(Operation *op, ShapedType num,
                                                ShapedType idx, int64_t batch,
                                                int64_t heads, int64_t rows,
                                                bool broadcast,
                                                StringRef what) {
  const char *names[] = {"batches", "heads", "rows"};
  int64_t expected[] = {batch, heads, rows};
  for (int64_t d = 0; d < 3; ++d) {
    int64_t got[] = {num.getDimSize(d), idx.getDimSize(d)};
    bool mayBeOne = broadcast && d < 2;
    for (auto [name, extent] : {std::pair("num", got[0]), {"idx", got[1]}})
      if (!(mayBeOne && extent == 1) && !compatible(extent, expected[d]))
        return op->emitOpError()
               << "expected " << what << " " << name << " with " << expected[d]
               << " " << names[d] << (mayBeOne ? " or 1" : "") << ", got "
               << extent;
    if (!compatible(got[0], got[1]))
      return op->emitOpError()
             << "expected " << what << " idx with the " << got[0] << " "
             << names[d] << " of num, got " << got[1];
  }
  return success();
}

int64_t mlir::dit::detail::ceilDivExtent(int64_t length, int64_t tile) {
  if (ShapedType::isDynamic(length))
    return ShapedType::kDynamic;
  return llvm::divideCeil(static_cast<uint64_t>(length),
                          static_cast<uint64_t>(tile));
}

Type mlir::dit::getAccumulatorType(Type elementType) {
  return elementType.isF64() ? elementType
                             : Float32Type::get(elementType.getContext());
}

void mlir::dit::detail::appendTensorTypes(ValueRange inits,
                                          SmallVectorImpl<Type> &types) {
  for (Value init : inits)
    if (init && isa<RankedTensorType>(init.getType()))
      types.push_back(init.getType());
}

LogicalResult mlir::dit::detail::foldMemRefCasts(Operation *op) {
  return memref::foldMemRefCast(op);
}

LogicalResult mlir::dit::detail::reifyInits(DestinationStyleOpInterface op,
                                            OpBuilder &builder,
                                            ReifiedRankedShapedTypeDims &dims) {
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isa<RankedTensorType>(init.get().getType()))
      dims.push_back(tensor::getMixedSizes(builder, op->getLoc(), init.get()));
  return success();
}

void mlir::dit::detail::appendEffects(
    DestinationStyleOpInterface op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    effects.emplace_back(MemoryEffects::Read::get(), &operand,
                         SideEffects::DefaultResource::get());
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}
