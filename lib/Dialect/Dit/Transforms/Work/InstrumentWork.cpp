//===- InstrumentWork.cpp - Programs that count their work ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-instrument-work`. The counts are in memory, so that ops
// inside of any control flow can add to them.
//
//===----------------------------------------------------------------------===//

#include "WorkCounter.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/JSON.h"

namespace mlir::dit {
#define GEN_PASS_DEF_INSTRUMENTWORKPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct InstrumentWorkPass
    : mlir::dit::impl::InstrumentWorkPassBase<InstrumentWorkPass> {
  using InstrumentWorkPassBase::InstrumentWorkPassBase;

  void runOnOperation() override;
};

/// The counts of a function: for each key how often its ops ran, and how many
/// operations they did.
class CountTable {
public:
  CountTable(func::FuncOp function, ArrayRef<Operation *> ops);

  void addCounts();
  void addResults();

private:
  void add(ImplicitLocOpBuilder &b, Value index, int64_t column, Value value);

  func::FuncOp function;
  llvm::MapVector<Operation *, int64_t> rowOf;
  llvm::MapVector<WorkKey, int64_t> keys;
  Value counts;
};

} // namespace

CountTable::CountTable(func::FuncOp function, ArrayRef<Operation *> ops)
    : function(function) {
  for (Operation *op : ops) {
    WorkKey key(getSiteOfWork(op), *getWorkKind(op));
    rowOf[op] = keys.try_emplace(key, keys.size()).first->second;
  }
}

void CountTable::add(ImplicitLocOpBuilder &b, Value row, int64_t column,
                     Value value) {
  Value indices[] = {row, arith::ConstantIndexOp::create(b, column)};
  Value before = memref::LoadOp::create(b, counts, indices);
  memref::StoreOp::create(b, arith::AddIOp::create(b, before, value), counts,
                          indices);
}

void CountTable::addCounts() {
  Block &entry = function.getBody().front();
  WorkCounter counter(entry);
  auto b = ImplicitLocOpBuilder::atBlockBegin(function.getLoc(), &entry);
  auto type =
      MemRefType::get({static_cast<int64_t>(keys.size()), 2}, b.getI64Type());
  counts = memref::AllocaOp::create(b, type);
  Value zero = arith::ConstantIntOp::create(b, 0, /*width=*/64);
  for (size_t row = 0; row < keys.size(); ++row)
    for (int64_t column : {0, 1})
      memref::StoreOp::create(
          b, zero, counts,
          ValueRange{arith::ConstantIndexOp::create(b, row),
                     arith::ConstantIndexOp::create(b, column)});
  for (auto [op, number] : rowOf) {
    b.setInsertionPointAfter(op);
    b.setLoc(op->getLoc());
    Value flops = counter.emit(b, op);
    Value row = arith::ConstantIndexOp::create(b, number);
    add(b, row, 0, arith::ConstantIntOp::create(b, 1, /*width=*/64));
    add(b, row, 1, flops);
  }
}

void CountTable::addResults() {
  Operation *end = function.getBody().front().getTerminator();
  ImplicitLocOpBuilder b(function.getLoc(), end);
  SmallVector<Value> elements;
  for (size_t row = 0; row < keys.size(); ++row)
    for (int64_t column : {0, 1})
      elements.push_back(memref::LoadOp::create(
          b, counts,
          ValueRange{arith::ConstantIndexOp::create(b, row),
                     arith::ConstantIndexOp::create(b, column)}));
  Value values = tensor::FromElementsOp::create(
      b,
      RankedTensorType::get({static_cast<int64_t>(keys.size()), 2},
                            b.getI64Type()),
      elements);
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  json.array([&] {
    for (const auto &item : keys)
      json.object([&] {
        json.attribute("site", item.first.first);
        json.attribute("kind", stringifyWorkKind(item.first.second));
      });
  });
  SmallVector<int8_t> bytes(text.begin(), text.end());
  auto type =
      RankedTensorType::get(static_cast<int64_t>(bytes.size()), b.getI8Type());
  Value layout = arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
  for (auto [value, name] : {std::pair(values, StringRef("work_values")),
                             std::pair(layout, StringRef("work_layout"))}) {
    auto attributes =
        b.getDictionaryAttr(b.getNamedAttr("dit.name", b.getStringAttr(name)));
    LogicalResult inserted = function.insertResult(function.getNumResults(),
                                                   value.getType(), attributes);
    assert(succeeded(inserted) && "a function takes another result");
    (void)inserted;
    end->insertOperands(end->getNumOperands(), value);
  }
}

/// The ops of `function` whose work is counted.
static SmallVector<Operation *> collectOps(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (getWorkKind(op))
      ops.push_back(op);
  });
  return ops;
}

void InstrumentWorkPass::runOnOperation() {
  func::FuncOp function;
  SmallVector<Operation *> ops;
  for (auto candidate : getOperation().getOps<func::FuncOp>()) {
    SmallVector<Operation *> found = collectOps(candidate);
    if (found.empty())
      continue;
    if (function) {
      auto diagnostic = candidate.emitError(
          "dit-instrument-work: expected one function with work to count; "
          "inline the model into the sampler (--inline --symbol-dce)");
      diagnostic.attachNote(function.getLoc()) << "another one is here";
      return signalPassFailure();
    }
    function = candidate;
    ops = std::move(found);
  }
  auto fail = [&](Operation *op, const Twine &text) {
    op->emitError("dit-instrument-work: ") << text;
    signalPassFailure();
  };
  if (!function)
    return fail(getOperation(),
                "expected a function with attentions or contractions");
  if (!llvm::hasSingleElement(function.getBody()))
    return fail(function, "expected a function of one block");
  if (!SymbolTable::symbolKnownUseEmpty(function, getOperation()))
    return fail(function, "expected a function that nothing calls: it gets "
                          "more results");
  for (Operation *op : ops)
    if (op->getNumResults() == 0)
      return fail(op, "expected ops on tensors; count before bufferization");
  CountTable table(function, ops);
  table.addCounts();
  table.addResults();
  numCounted += ops.size();
}
