//===- OpUtils.h - What the ops of dit share --------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_IR_OPUTILS_H
#define DIT_LIB_DIALECT_DIT_IR_OPUTILS_H

#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::detail {

/// Whether two extents may be equal at run time.
bool compatible(int64_t lhs, int64_t rhs);

/// Prints an extent, `?` for a dynamic one.
std::string extentToString(int64_t extent);

/// Fails with "expected <what> <expected>, got <got>" unless compatible.
LogicalResult verifyExtent(Operation *op, int64_t got, int64_t expected,
                           const Twine &what);

/// Known numbers of query heads and of key heads, the first a multiple of the
/// second.
LogicalResult verifyHeadGroups(Operation *op, int64_t queryHeads,
                               int64_t kvHeads);

/// All shaped operands are tensors, or all are memrefs (destination_c1).
LogicalResult verifyUniformOperands(Operation *op);

/// A tile of two positive extents.
LogicalResult verifyTile(Operation *op, ArrayRef<int64_t> tile);

/// `num` of `[b, h, rows]` and `idx` of `[b, h, rows, cap]`, where `b` and `h`
/// may be 1 if `broadcast`; dynamic expected extents match all.
LogicalResult verifyTileList(Operation *op, ShapedType num, ShapedType idx,
                             int64_t batch, int64_t heads, int64_t rows,
                             bool broadcast, StringRef what);

/// Number of tiles of `tile` tokens that cover `length`; dynamic stays dynamic.
int64_t ceilDivExtent(int64_t length, int64_t tile);

/// Types of the tensor operands among `inits`.
void appendTensorTypes(ValueRange inits, SmallVectorImpl<Type> &types);

/// Reads and writes through the sources of `memref.cast`s.
LogicalResult foldMemRefCasts(Operation *op);

/// Sizes of the inits as result shapes.
LogicalResult reifyInits(DestinationStyleOpInterface op, OpBuilder &builder,
                         ReifiedRankedShapedTypeDims &dims);

/// Reads of memref inputs, reads and writes of memref inits.
void appendEffects(
    DestinationStyleOpInterface op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects);

} // namespace mlir::dit::detail

/// The methods that every destination-style op implements alike.
#define DIT_DEFINE_DESTINATION_OP_METHODS(OP)                                  \
  LogicalResult OP::reifyResultShapes(OpBuilder &builder,                      \
                                      ReifiedRankedShapedTypeDims &dims) {     \
    return mlir::dit::detail::reifyInits(                                      \
        cast<DestinationStyleOpInterface>(getOperation()), builder, dims);     \
  }                                                                            \
  void OP::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    mlir::dit::detail::appendEffects(                                          \
        cast<DestinationStyleOpInterface>(getOperation()), effects);           \
  }

/// `fold` of an op that folds nothing but casts of its memrefs.
#define DIT_DEFINE_CAST_FOLD(OP)                                               \
  LogicalResult OP::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &) {       \
    return mlir::dit::detail::foldMemRefCasts(getOperation());                 \
  }

/// `DIT_DEFINE_DESTINATION_OP_METHODS` for an op whose last `COUNT` operands
/// are its inits.
#define DIT_DEFINE_TRAILING_INITS_OP_METHODS(OP, COUNT)                        \
  DIT_DEFINE_DESTINATION_OP_METHODS(OP)                                        \
  MutableOperandRange OP::getDpsInitsMutable() {                               \
    return MutableOperandRange(                                                \
        getOperation(), getOperation()->getNumOperands() - (COUNT), (COUNT));  \
  }                                                                            \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location>,   \
                                     ValueRange operands, DictionaryAttr,      \
                                     OpaqueProperties, RegionRange,            \
                                     SmallVectorImpl<Type> &types) {           \
    mlir::dit::detail::appendTensorTypes(operands.take_back(COUNT), types);    \
    return success();                                                          \
  }

#endif // DIT_LIB_DIALECT_DIT_IR_OPUTILS_H
