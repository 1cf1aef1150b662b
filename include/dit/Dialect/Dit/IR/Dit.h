//===- Dit.h - The dit dialect ----------------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The dialect, its attributes and its ops. `docs/Spec.md` states what they
// mean.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DIT_H
#define DIT_DIALECT_DIT_IR_DIT_H

#include "dit/Dialect/Dit/IR/Mode.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::dit {

/// Sequence lengths that a pattern is met with; `ShapedType::kDynamic` where
/// unknown.
struct PatternShape {
  int64_t q;
  int64_t kv;
};

/// Half-open range of keys `[begin, end)`.
struct KeyInterval {
  int64_t begin;
  int64_t end;
  bool operator==(const KeyInterval &other) const {
    return begin == other.begin && end == other.end;
  }
};

/// How much of a tile a pattern covers.
enum class TileClass { Empty, Partial, Full };

/// Receives the bounds `[begin, end)` (index values) of one range of keys and
/// emits the work on it at the builder's insertion point.
using KeyRangeBody =
    llvm::function_ref<void(OpBuilder &, Location, Value begin, Value end)>;

class PatternAttrInterface;

/// The type that is computed in for operands of `elementType`, a float type:
/// f64 for f64, else f32.
Type getAccumulatorType(Type elementType);

namespace detail {
/// `PatternAttrInterface::classifyTile` by the key intervals of each row.
TileClass classifyTileByRows(PatternAttrInterface pattern, int64_t q0,
                             int64_t q1, int64_t kv0, int64_t kv1,
                             PatternShape shape);
/// `PatternAttrInterface::emitIntersects` by a loop over the positions.
Value emitIntersectsBySearch(PatternAttrInterface pattern, OpBuilder &builder,
                             Location loc, Value q0, Value q1, Value kv0,
                             Value kv1, Value qLen, Value kvLen);
/// The default of `PatternAttrInterface::emitCovers`: false.
Value emitNeverCovers(OpBuilder &builder, Location loc);
/// Calls `body` once, with all keys.
void emitAllKeys(OpBuilder &builder, Location loc, Value kvLen,
                 KeyRangeBody body);
} // namespace detail

} // namespace mlir::dit

#include "dit/Dialect/Dit/IR/DitAttrInterfaces.h.inc"
#include "dit/Dialect/Dit/IR/DitDialect.h.inc"
#include "dit/Dialect/Dit/IR/DitEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dit/Dialect/Dit/IR/DitAttributes.h.inc"

namespace mlir::dit {

/// What the dimensions of an operand of an attention are: the heads and the
/// length of the queries or of the keys, and the head size of q and k or of v
/// and the output.
enum class OperandRole {
  Query = 0,
  Key = 1,
  Value = 2,
  Output = 3,
};

/// An operand of an attention with its dimension order.
struct OrderedOperand {
  StringRef name;
  OpOperand *operand;
  OperandRole role;
  /// The attribute that holds the order; absent for the default.
  StringAttr orderName;
  DimOrderAttr order;

  Value getValue() const { return operand->get(); }
  ShapedType getType() const { return cast<ShapedType>(getValue().getType()); }
  /// Extent of dimension `letter`, 1 if the order lacks it.
  int64_t getExtent(char letter) const {
    return order.extent(letter, getType().getShape());
  }
};

namespace detail {
/// The extent of dimension `letter`, from whichever of the operands of one of
/// `roles` (of any without) knows it.
int64_t getExtent(ArrayRef<OrderedOperand> operands, char letter,
                  ArrayRef<OperandRole> roles = {});
} // namespace detail

} // namespace mlir::dit

#include "dit/Dialect/Dit/IR/DitOpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dit/Dialect/Dit/IR/DitOps.h.inc"

namespace mlir::dit {

/// Whether `pattern` holds every position of `shape`; false when a length is
/// unknown and the answer depends on it.
bool isFullPattern(PatternAttrInterface pattern, PatternShape shape);

/// A pattern that holds the same positions of `shape` in a simpler form: nested
/// combinations flattened, operands that repeat or change nothing dropped;
/// null if it holds all. Lengths may be unknown.
PatternAttrInterface simplifyPattern(PatternAttrInterface pattern,
                                     PatternShape shape);

/// The key intervals of `intervals` merged into ascending, disjoint, maximal
/// ones; empty ones are dropped.
void normalizeIntervals(SmallVectorImpl<KeyInterval> &intervals);

/// For each position of the grouped order of `grid` under `cube`, the
/// row-major token there. Text tokens keep their places.
SmallVector<int64_t> computeGroupedOrder(GridAttr grid, ArrayRef<int64_t> cube);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_IR_DIT_H
