//===- RuntimeOpVerification.cpp - Checks at run time ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `-generate-runtime-verification` checks of dit's ops: tile lists that
// are in range and ascending, lengths of keys, and offsets of slices. The
// checks are loops over the lists with assertions inside.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/RuntimeOpVerification.h"
#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/RuntimeVerifiableOpInterface.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

using MessageFn = function_ref<std::string(Operation *, StringRef)>;

/// Emits the checks of one op.
class CheckEmitter {
public:
  CheckEmitter(Operation *op, OpBuilder &builder, Location loc,
               MessageFn message)
      : b(loc, builder), op(op), message(message) {}

  ImplicitLocOpBuilder b;

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  Value extent(Value shaped, int64_t dim) {
    auto type = cast<ShapedType>(shaped.getType());
    if (!type.isDynamicDim(dim))
      return constant(type.getDimSize(dim));
    if (isa<MemRefType>(type))
      return memref::DimOp::create(b, shaped, dim);
    return tensor::DimOp::create(b, shaped, dim);
  }

  /// An element of i32 as an index value.
  Value load(Value shaped, ValueRange indices) {
    Value element;
    if (isa<MemRefType>(shaped.getType()))
      element = memref::LoadOp::create(b, shaped, indices);
    else
      element = tensor::ExtractOp::create(b, shaped, indices);
    return arith::IndexCastOp::create(b, b.getIndexType(), element);
  }

  Value compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, predicate, lhs, rhs);
  }

  void check(Value condition, StringRef text) {
    cf::AssertOp::create(b, condition, message(op, text));
  }

  /// Checks 0 <= value <= limit, or without a limit 0 <= value.
  void checkRange(Value value, Value limit, StringRef text) {
    Value inside = compare(arith::CmpIPredicate::sge, value, constant(0));
    if (limit)
      inside = arith::AndIOp::create(
          b, inside, compare(arith::CmpIPredicate::sle, value, limit));
    check(inside, text);
  }

  /// Runs `body` at each index below `extents`.
  void forEach(ArrayRef<Value> extents, function_ref<void(ValueRange)> body) {
    SmallVector<Value> zeros(extents.size(), constant(0));
    SmallVector<Value> ones(extents.size(), constant(1));
    Location loc = b.getLoc();
    OpBuilder::InsertionGuard guard(b);
    scf::buildLoopNest(b, loc, zeros, extents, ones,
                       [&](OpBuilder &inner, Location, ValueRange indices) {
                         OpBuilder::InsertPoint outer = b.saveInsertionPoint();
                         b.restoreInsertionPoint(inner.saveInsertionPoint());
                         body(indices);
                         inner.restoreInsertionPoint(b.saveInsertionPoint());
                         b.restoreInsertionPoint(outer);
                       });
  }

  /// Checks a tile list whose entries are below `numTiles`, if that is known.
  void checkList(Value num, Value idx, Value numTiles) {
    Value capacity = extent(idx, 3);
    forEach({extent(num, 0), extent(num, 1), extent(num, 2)},
            [&](ValueRange row) {
              Value count = load(num, row);
              checkRange(count, capacity,
                         "number of listed tiles is negative or above the "
                         "capacity");
              checkEntries(idx, row, count, numTiles);
            });
  }

  /// Checks kv_valid against the number of keys.
  void checkLengths(Value lengths, Value numKeys) {
    forEach({extent(lengths, 0)}, [&](ValueRange at) {
      checkRange(load(lengths, at), numKeys,
                 "kv_valid is negative or above the number of keys");
    });
  }

  /// Checks that no half-width is below the -1 of no limit.
  void checkHalfWidths(Value widths) {
    forEach({extent(widths, 0)}, [&](ValueRange at) {
      check(compare(arith::CmpIPredicate::sle, constant(-1), load(widths, at)),
            "half-width is below -1");
    });
  }

private:
  void checkEntries(Value idx, ValueRange row, Value count, Value numTiles) {
    Value zero = constant(0), one = constant(1);
    Value none = constant(-1);
    auto loop = scf::ForOp::create(b, zero, count, one, none);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> at(row);
    at.push_back(loop.getInductionVar());
    Value entry = load(idx, at);
    // The entry before the first is -1, so ascending entries are not negative.
    check(compare(arith::CmpIPredicate::slt, loop.getRegionIterArg(0), entry),
          "listed tiles are negative or do not ascend");
    if (numTiles)
      check(compare(arith::CmpIPredicate::slt, entry, numTiles),
            "listed tile is beyond the last tile");
    scf::YieldOp::create(b, entry);
  }

  Operation *op;
  MessageFn message;
};

/// An attention, a pair of them or a gradient.
template <typename OpTy>
struct AttentionModel
    : RuntimeVerifiableOpInterface::ExternalModel<AttentionModel<OpTy>, OpTy> {
  void generateRuntimeVerification(Operation *op, OpBuilder &builder,
                                   Location loc, MessageFn message) const {
    auto attention = cast<AttentionOpInterface>(op);
    if (!attention.hasTiles() && !attention.getKvValid() &&
        !attention.getHalfWidths())
      return;
    CheckEmitter e(op, builder, loc, message);
    if (attention.getHalfWidths())
      e.checkHalfWidths(attention.getHalfWidths());
    SmallVector<OrderedOperand> operands = attention.getOrderedOperands();
    const OrderedOperand *k =
        llvm::find_if(operands, [](const OrderedOperand &operand) {
          return operand.role == OperandRole::Key;
        });
    Value numKeys = e.extent(k->getValue(), *k->order.position('s'));
    if (attention.hasTiles()) {
      Value numTiles = arith::CeilDivUIOp::create(
          e.b, numKeys, e.constant(attention.getKVTile()));
      e.checkList(attention.getTileNum(), attention.getTileIdx(), numTiles);
    }
    if (attention.getKvValid())
      e.checkLengths(attention.getKvValid(), numKeys);
  }
};

struct UnionModel
    : RuntimeVerifiableOpInterface::ExternalModel<UnionModel, TilesUnionOp> {
  void generateRuntimeVerification(Operation *op, OpBuilder &builder,
                                   Location loc, MessageFn message) const {
    auto lists = cast<TilesUnionOp>(op);
    CheckEmitter e(op, builder, loc, message);
    e.checkList(lists.getNum1(), lists.getIdx1(), /*numTiles=*/Value());
    e.checkList(lists.getNum2(), lists.getIdx2(), /*numTiles=*/Value());
  }
};

struct SliceModel
    : RuntimeVerifiableOpInterface::ExternalModel<SliceModel, TilesSliceOp> {
  void generateRuntimeVerification(Operation *op, OpBuilder &builder,
                                   Location loc, MessageFn message) const {
    auto slice = cast<TilesSliceOp>(op);
    CheckEmitter e(op, builder, loc, message);
    Value offsets[] = {slice.getBatchOffset(), slice.getHeadOffset(),
                       slice.getQueryOffset()};
    for (auto [d, offset] : llvm::enumerate(offsets)) {
      Value source = e.extent(slice.getSrcNum(), d);
      Value room =
          arith::SubIOp::create(e.b, source, e.extent(slice.getNum(), d));
      Value inside = arith::AndIOp::create(
          e.b, e.compare(arith::CmpIPredicate::sge, offset, e.constant(0)),
          e.compare(arith::CmpIPredicate::sle, offset, room));
      // A batch or head dimension of extent 1 is kept at any offset.
      if (d < 2)
        inside = arith::OrIOp::create(
            e.b, inside,
            e.compare(arith::CmpIPredicate::eq, source, e.constant(1)));
      e.check(inside, "slice is not inside its source");
    }
    e.checkList(slice.getSrcNum(), slice.getSrcIdx(), /*numTiles=*/Value());
  }
};

struct TransposeModel
    : RuntimeVerifiableOpInterface::ExternalModel<TransposeModel,
                                                  TilesTransposeOp> {
  void generateRuntimeVerification(Operation *op, OpBuilder &builder,
                                   Location loc, MessageFn message) const {
    auto transpose = cast<TilesTransposeOp>(op);
    CheckEmitter e(op, builder, loc, message);
    e.checkList(transpose.getSrcNum(), transpose.getSrcIdx(),
                e.extent(transpose.getNum(), 2));
  }
};

} // namespace

void mlir::dit::registerRuntimeVerifiableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DitDialect *) {
    AttentionOp::attachInterface<AttentionModel<AttentionOp>>(*context);
    AttentionPairOp::attachInterface<AttentionModel<AttentionPairOp>>(*context);
    AttentionBackwardOp::attachInterface<AttentionModel<AttentionBackwardOp>>(
        *context);
    TilesUnionOp::attachInterface<UnionModel>(*context);
    TilesSliceOp::attachInterface<SliceModel>(*context);
    TilesTransposeOp::attachInterface<TransposeModel>(*context);
    // The checks are made of these.
    context->loadDialect<arith::ArithDialect, cf::ControlFlowDialect,
                         memref::MemRefDialect, scf::SCFDialect,
                         tensor::TensorDialect>();
  });
}
