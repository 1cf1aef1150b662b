//===- IndexInterpreter.h - Runs emitted index arithmetic -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the ops that patterns emit: arith on index and i1, scf.for, and memrefs
// of one element. A call hands its operands to a callback.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_UNIT_DIALECT_DIT_INDEXINTERPRETER_H
#define DIT_TEST_UNIT_DIALECT_DIT_INDEXINTERPRETER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "gtest/gtest.h"

#include <functional>

namespace mlir::dit::test {

class IndexInterpreter {
public:
  using Callback = std::function<void(ArrayRef<int64_t>)>;

  explicit IndexInterpreter(Callback onCall = {}) : onCall(std::move(onCall)) {}

  /// Runs `function` on `arguments` and returns what it returns.
  SmallVector<int64_t> run(func::FuncOp function, ArrayRef<int64_t> arguments) {
    values.clear();
    for (auto [argument, value] :
         llvm::zip_equal(function.getArguments(), arguments))
      values[argument] = value;
    return runBlock(function.getBody().front());
  }

private:
  int64_t get(Value value) {
    auto found = values.find(value);
    EXPECT_NE(found, values.end()) << "use of a value that was not computed";
    return found == values.end() ? 0 : found->second;
  }

  SmallVector<int64_t> getAll(ValueRange range) {
    return llvm::map_to_vector(range, [&](Value value) { return get(value); });
  }

  /// Runs a block and returns the operands of its terminator.
  SmallVector<int64_t> runBlock(Block &block) {
    for (Operation &op : block.without_terminator())
      runOp(&op);
    return getAll(block.getTerminator()->getOperands());
  }

  void runLoop(scf::ForOp loop) {
    SmallVector<int64_t> carried = getAll(loop.getInitArgs());
    for (int64_t i = get(loop.getLowerBound()); i < get(loop.getUpperBound());
         i += get(loop.getStep())) {
      values[loop.getInductionVar()] = i;
      for (auto [argument, value] :
           llvm::zip_equal(loop.getRegionIterArgs(), carried))
        values[argument] = value;
      carried = runBlock(*loop.getBody());
    }
    for (auto [result, value] : llvm::zip_equal(loop.getResults(), carried))
      values[result] = value;
  }

  int64_t runBinary(Operation *op, int64_t lhs, int64_t rhs) {
    return llvm::TypeSwitch<Operation *, int64_t>(op)
        .Case([&](arith::AddIOp) { return lhs + rhs; })
        .Case([&](arith::SubIOp) { return lhs - rhs; })
        .Case([&](arith::MulIOp) { return lhs * rhs; })
        .Case([&](arith::DivUIOp) {
          return int64_t(uint64_t(lhs) / uint64_t(rhs));
        })
        .Case([&](arith::RemUIOp) {
          return int64_t(uint64_t(lhs) % uint64_t(rhs));
        })
        .Case([&](arith::MinSIOp) { return std::min(lhs, rhs); })
        .Case([&](arith::MaxSIOp) { return std::max(lhs, rhs); })
        .Case([&](arith::AndIOp) { return lhs & rhs; })
        .Case([&](arith::OrIOp) { return lhs | rhs; })
        .Case([&](arith::CmpIOp compare) {
          return int64_t(arith::applyCmpPredicate(
              compare.getPredicate(), APInt(64, lhs, /*isSigned=*/true),
              APInt(64, rhs, /*isSigned=*/true)));
        })
        .Default([](Operation *other) {
          ADD_FAILURE() << "op that cannot be run: "
                        << other->getName().getStringRef().str();
          return int64_t(0);
        });
  }

  void runOp(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      APInt value = cast<IntegerAttr>(constant.getValue()).getValue();
      values[op->getResult(0)] = value.getBitWidth() == 1
                                     ? value.getZExtValue()
                                     : value.getSExtValue();
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      runLoop(loop);
    } else if (auto select = dyn_cast<arith::SelectOp>(op)) {
      values[select] = get(select.getCondition()) ? get(select.getTrueValue())
                                                  : get(select.getFalseValue());
    } else if (isa<memref::AllocaOp>(op)) {
      // The cell is the value itself.
      values[op->getResult(0)] = 0;
    } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
      values[load] = get(load.getMemRef());
    } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
      values[store.getMemRef()] = get(store.getValueToStore());
    } else if (isa<func::CallOp>(op)) {
      onCall(getAll(op->getOperands()));
    } else {
      values[op->getResult(0)] =
          runBinary(op, get(op->getOperand(0)), get(op->getOperand(1)));
    }
  }

  llvm::DenseMap<Value, int64_t> values;
  Callback onCall;
};

} // namespace mlir::dit::test

#endif // DIT_TEST_UNIT_DIALECT_DIT_INDEXINTERPRETER_H
