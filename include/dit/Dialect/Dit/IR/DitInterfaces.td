//===- DitInterfaces.td - Interfaces of dit ----------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITINTERFACES_TD
#define DIT_DIALECT_DIT_IR_DITINTERFACES_TD

include "mlir/IR/OpBase.td"

def Dit_PatternAttrInterface : AttrInterface<"PatternAttrInterface"> {
  let cppNamespace = "::mlir::dit";
  let description = [{
    A set of (query, key) positions that an attention may look at, known from
    the shape alone. Positions are token indices within one sequence; queries
    run over `[0, q)` and keys over `[0, kv)` of the `PatternShape`. Patterns
    are the same for all batches and heads and are never stored: they lower to
    loop bounds and element masks.

    Embedders add a pattern by implementing `contains`, `emitContains` and
    `appendKeyIntervals`; the other methods have defaults derived from these.
  }];
  let methods = [
    InterfaceMethod<[{
        Whether query `q` may look at key `kv`.
      }], "bool", "contains",
      (ins "int64_t":$q, "int64_t":$kv, "::mlir::dit::PatternShape":$shape)>,
    InterfaceMethod<[{
        Emits the i1 value of `contains` for index values `q` and `kv`;
        `qLen` and `kvLen` are the sequence lengths as index values. The ops
        are `arith` on index, so they can be vectorised or folded.
      }], "::mlir::Value", "emitContains",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$q, "::mlir::Value":$kv,
           "::mlir::Value":$qLen, "::mlir::Value":$kvLen)>,
    InterfaceMethod<[{
        Appends the keys that row `q` may look at as maximal half-open
        intervals, ascending and disjoint.
      }], "void", "appendKeyIntervals",
      (ins "int64_t":$q, "::mlir::dit::PatternShape":$shape,
           "::llvm::SmallVectorImpl<::mlir::dit::KeyInterval> &":$intervals)>,
    InterfaceMethod<[{
        Classifies the tile of queries `[q0, q1)` and keys `[kv0, kv1)`, both
        non-empty and inside the shape: `Empty` when it holds no position of
        the pattern, `Full` when it holds all of them, else `Partial`.
      }], "::mlir::dit::TileClass", "classifyTile",
      (ins "int64_t":$q0, "int64_t":$q1, "int64_t":$kv0, "int64_t":$kv1,
           "::mlir::dit::PatternShape":$shape), [{}], [{
        return ::mlir::dit::detail::classifyTileByRows(
            $_attr, q0, q1, kv0, kv1, shape);
      }]>,
    InterfaceMethod<[{
        Emits the i1 value of whether the pattern holds any position of the
        tile of queries `[q0, q1)` and keys `[kv0, kv1)` (index values, a
        non-empty tile inside the shape). The default searches the tile.
      }], "::mlir::Value", "emitIntersects",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$q0, "::mlir::Value":$q1,
           "::mlir::Value":$kv0, "::mlir::Value":$kv1,
           "::mlir::Value":$qLen, "::mlir::Value":$kvLen), [{}], [{
        return ::mlir::dit::detail::emitIntersectsBySearch(
            $_attr, builder, loc, q0, q1, kv0, kv1, qLen, kvLen);
      }]>,
    InterfaceMethod<[{
        Emits an i1 that is true only if the pattern holds every position of
        the tile of queries `[q0, q1)` and keys `[kv0, kv1)` (index values, a
        non-empty tile inside the shape). It may be false for such a tile: what
        depends on it is speed, as positions of a covered tile need no mask.
        The default is false.
      }], "::mlir::Value", "emitCovers",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$q0, "::mlir::Value":$q1,
           "::mlir::Value":$kv0, "::mlir::Value":$kv1,
           "::mlir::Value":$qLen, "::mlir::Value":$kvLen), [{}], [{
        return ::mlir::dit::detail::emitNeverCovers(builder, loc);
      }]>,
    InterfaceMethod<[{
        Emits, for the queries `[q0, q1)` (index values), key ranges that
        cover every key any of these queries may look at: `body` is called
        with the half-open bounds of each range, possibly inside loops that
        the pattern emits. Ranges lie in `[0, kvLen]`, are ascending and
        disjoint at run time, and may hold positions outside the pattern,
        which `emitContains` masks; a range with `end <= begin` is empty. The
        default is one range of all keys.
      }], "void", "emitKeyRanges",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$q0, "::mlir::Value":$q1,
           "::mlir::Value":$qLen, "::mlir::Value":$kvLen,
           "::mlir::dit::KeyRangeBody":$body), [{}], [{
        ::mlir::dit::detail::emitAllKeys(builder, loc, kvLen, body);
      }]>,
    InterfaceMethod<[{
        Checks the pattern against the sequence lengths of an attention
        (`ShapedType::kDynamic` where unknown); fails with a diagnostic.
      }], "::llvm::LogicalResult", "verifyShape",
      (ins "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError,
           "::mlir::dit::PatternShape":$shape), [{}], [{
        return ::mlir::success();
      }]>,
  ];
}

def Dit_AttentionOpInterface : OpInterface<"AttentionOpInterface"> {
  let cppNamespace = "::mlir::dit";
  let description = [{
    What `dit.attention`, a pair of them and its gradient have in common:
    queries, keys and
    values in dimension orders of their own, a scale, and what says which
    positions are allowed.
  }];
  let methods = [
    InterfaceMethod<"The queries.", "::mlir::Value", "getQ">,
    InterfaceMethod<"The keys.", "::mlir::Value", "getK">,
    InterfaceMethod<"The values.", "::mlir::Value", "getV">,
    InterfaceMethod<"The log-sum-exp of the rows, or null.",
                    "::mlir::Value", "getLse", (ins), [{}],
                    [{ return {}; }]>,
    InterfaceMethod<"What is added to the scores, or null.",
                    "::mlir::Value", "getBias">,
    InterfaceMethod<"How many tiles the rows of the tile list have, or null.",
                    "::mlir::Value", "getTileNum", (ins), [{}],
                    [{ return {}; }]>,
    InterfaceMethod<"Which tiles these are, or null.",
                    "::mlir::Value", "getTileIdx", (ins), [{}],
                    [{ return {}; }]>,
    InterfaceMethod<"How many keys of each batch count, or null.",
                    "::mlir::Value", "getKvValid">,
    InterfaceMethod<"The half-width of each query head's band, or null.",
                    "::mlir::Value", "getHalfWidths", (ins), [{}],
                    [{ return {}; }]>,
    InterfaceMethod<"The pattern, if there is one.",
                    "::std::optional<::mlir::dit::PatternAttrInterface>",
                    "getPattern">,
    InterfaceMethod<"Queries and keys of a tile of the list.",
                    "::std::optional<::llvm::ArrayRef<int64_t>>", "getTile",
                    (ins), [{}], [{ return {}; }]>,
    InterfaceMethod<"The factor of the scores.", "::llvm::APFloat",
                    "getScale">,
    InterfaceMethod<[{
        The operands that have a dimension order, in the order of the op.
      }], "::llvm::SmallVector<::mlir::dit::OrderedOperand>",
      "getOrderedOperands">,
  ];
  let extraSharedClassDeclaration = [{
    // Extents of the problem, `ShapedType::kDynamic` where unknown.
    int64_t getBatch() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 'b');
    }
    int64_t getNumQueryHeads() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 'h',
          {OperandRole::Query, OperandRole::Output});
    }
    int64_t getNumKVHeads() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 'h',
          {OperandRole::Key, OperandRole::Value});
    }
    int64_t getQueryLength() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 's',
          {OperandRole::Query, OperandRole::Output});
    }
    int64_t getKVLength() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 's',
          {OperandRole::Key, OperandRole::Value});
    }
    int64_t getHeadSize() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 'd',
          {OperandRole::Query, OperandRole::Key});
    }
    int64_t getValueHeadSize() {
      return ::mlir::dit::detail::getExtent($_op.getOrderedOperands(), 'd',
          {OperandRole::Value, OperandRole::Output});
    }

    ::mlir::Type getElementType() {
      return ::mlir::getElementTypeOrSelf($_op.getQ().getType());
    }
    /// f64 for f64, else f32: the type of the arithmetic and of the LSE.
    ::mlir::Type getAccumulatorType() {
      return ::mlir::dit::getAccumulatorType(
          ::mlir::getElementTypeOrSelf($_op.getQ().getType()));
    }
    bool hasTiles() { return static_cast<bool>($_op.getTileNum()); }
    int64_t getQTile() { return (*$_op.getTile())[0]; }
    int64_t getKVTile() { return (*$_op.getTile())[1]; }
  }];
}

#endif // DIT_DIALECT_DIT_IR_DITINTERFACES_TD
