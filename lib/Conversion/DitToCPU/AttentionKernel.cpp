//===- AttentionKernel.cpp - Kernel and query block of an attention -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The outer two functions of the kernel; see AttentionEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

static std::string extentName(int64_t extent) {
  return ShapedType::isDynamic(extent) ? "d" : std::to_string(extent);
}

AttentionEmitter::AttentionEmitter(AttentionOp op, KernelLibrary &library)
    : op(op), library(library), compute(op.getAccumulatorType()),
      headSize(op.getHeadSize()), valueHeadSize(op.getValueHeadSize()),
      hasBias(static_cast<bool>(op.getBias())) {
  AttentionProblem problem;
  problem.queryLength = op.getQueryLength();
  problem.keyLength = op.getKVLength();
  problem.headSize = headSize;
  problem.valueHeadSize = valueHeadSize;
  problem.bits = compute.getIntOrFloatBitWidth();
  if (op.hasTiles())
    problem.tile = {op.getQTile(), op.getKVTile()};
  plan = AttentionPlan::get(problem, library.getTarget());
  vec = VectorType::get(plan.lanes, compute);
  if (std::optional<PatternAttrInterface> given = op.getPattern())
    if (!isFullPattern(*given, {problem.queryLength, problem.keyLength}))
      pattern = *given;

  llvm::raw_string_ostream os(name);
  os << "dit_attention_" << op.getElementType() << "_q"
     << extentName(problem.queryLength) << "_kv"
     << extentName(problem.keyLength) << "_d" << headSize;
  if (valueHeadSize != headSize)
    os << "x" << valueHeadSize;
  if (op.hasTiles())
    os << "_t" << op.getQTile() << "x" << op.getKVTile();
  if (pattern)
    os << "_"
       << pattern.getAbstractAttribute().getName().drop_front(sizeof("dit.") -
                                                              1);
  if (hasBias)
    os << "_bias";
}

func::FuncOp AttentionEmitter::getKernel(TypeRange viewTypes) {
  Builder b(op.getContext());
  SmallVector<Attribute> key = {op->getName().getIdentifier(),
                                op.getScaleAttr()};
  for (Type type : viewTypes)
    key.push_back(TypeAttr::get(type));
  key.push_back(pattern ? Attribute(pattern) : b.getUnitAttr());
  key.push_back(op.getTileAttr() ? Attribute(op.getTileAttr())
                                 : b.getUnitAttr());
  // Which of the optional operands the types belong to.
  for (Value operand :
       {op.getBias(), op.getTileNum(), op.getKvValid(), op.getLse()})
    key.push_back(b.getBoolAttr(static_cast<bool>(operand)));
  return library.getOrCreate(
      b.getArrayAttr(key), name, viewTypes, op.getLoc(),
      [&](KernelBuilder &kb, func::FuncOp func) { emitKernel(kb, func); });
}

AttentionOperands AttentionEmitter::bind(func::FuncOp func) {
  AttentionOperands operands;
  SmallVector<Value *> fields = operands.fields();
  bool present[] = {true,
                    true,
                    true,
                    hasBias,
                    op.hasTiles(),
                    op.hasTiles(),
                    static_cast<bool>(op.getKvValid()),
                    true,
                    static_cast<bool>(op.getLse())};
  unsigned next = 0;
  for (auto [field, given] : llvm::zip(fields, present))
    if (given)
      *field = func.getArgument(next++);
  return operands;
}

void AttentionEmitter::emitKernel(KernelBuilder &kb, func::FuncOp func) {
  AttentionOperands operands = bind(func);
  SmallVector<Value> arguments(func.getArguments());
  Value keyPanels, valuePanels;
  if (!plan.gather) {
    std::tie(keyPanels, valuePanels) = emitPackHeads(kb);
    arguments.append({keyPanels, valuePanels});
  }
  Value batches = kb.dim(operands.q, 0), heads = kb.dim(operands.q, 1);
  Value queries = kb.dim(operands.q, 2);
  Value blocks;
  if (op.hasTiles())
    blocks = kb.mul(kb.ceilDiv(queries, op.getQTile()), plan.blocksPerTile);
  else
    blocks = kb.ceilDiv(queries, plan.blockRows);
  func::FuncOp block;
  kb.parallel({batches, heads, blocks}, [&](ValueRange ivs) {
    SmallVector<Value> callArguments(arguments);
    llvm::append_range(callArguments, ivs);
    if (!block)
      block = emitBlock(kb, func, callArguments);
    func::CallOp::create(kb, block, callArguments);
  });
  if (!plan.gather) {
    memref::DeallocOp::create(kb, keyPanels);
    memref::DeallocOp::create(kb, valuePanels);
  }
}

func::FuncOp AttentionEmitter::emitBlock(KernelBuilder &kb, func::FuncOp kernel,
                                         ValueRange arguments) {
  func::FuncOp block = library.createHelper(kernel.getName() + "_block",
                                            TypeRange(arguments), kb.getLoc());
  OpBuilder::InsertionGuard guard(kb);
  kb.setInsertionPointToStart(&block.getBody().front());
  emitBlockBody(kb, block);
  func::ReturnOp::create(kb);
  return block;
}

/// First and end query of a block.
std::pair<Value, Value> AttentionEmitter::emitQueryRange(KernelBuilder &kb,
                                                         Value block,
                                                         Value queryLength) {
  if (!op.hasTiles()) {
    Value begin = kb.mul(block, plan.blockRows);
    return {begin, kb.min(kb.add(begin, plan.blockRows), queryLength)};
  }
  Value tileBegin = kb.mul(kb.div(block, plan.blocksPerTile), op.getQTile());
  Value tileEnd = kb.min(kb.add(tileBegin, op.getQTile()), queryLength);
  if (plan.blocksPerTile == 1)
    return {tileBegin, tileEnd};
  Value begin = kb.add(
      tileBegin, kb.mul(kb.rem(block, plan.blocksPerTile), plan.blockRows));
  return {begin, kb.min(kb.add(begin, plan.blockRows), tileEnd)};
}

void AttentionEmitter::createScratch(KernelBuilder &kb, AttentionStep &step) {
  int64_t rows = plan.paddedRows;
  int64_t paddedSize = llvm::alignTo(headSize, plan.lanes);
  step.queries = kb.scratch({rows, paddedSize}, compute);
  step.scores = kb.scratch({rows, plan.getStepKeys()}, compute);
  step.rows = kb.scratch({rows, plan.getPaddedValueSize()}, compute);
  step.rowMax = kb.scratch({rows}, compute);
  step.rowSum = kb.scratch({rows, plan.lanes}, compute);
  step.rowScale = kb.scratch({rows}, compute);
  if (plan.gather) {
    step.queue = kb.scratch({plan.getStepKeys()}, kb.getIndexType());
    step.keyPanels = kb.scratch(
        {1, 1, plan.panelsPerStep, headSize * plan.panelKeys}, compute);
    step.valuePanels = kb.scratch(
        {1, 1, plan.panelsPerStep, plan.panelKeys * plan.getPaddedValueSize()},
        compute);
  } else {
    step.queue = kb.scratch({plan.panelsPerStep, 3}, kb.getIndexType());
  }
  step.count = kb.scratch({}, kb.getIndexType());
}

void AttentionEmitter::emitInitialRows(KernelBuilder &kb,
                                       const AttentionStep &step) {
  Value zeros = kb.constant(vec, 0.0), empty = kb.minusInfinity(compute);
  kb.loop(0, plan.paddedRows, 1, [&](Value row) {
    kb.store(empty, step.rowMax, row);
    kb.vstore(zeros, step.rowSum, {row, kb.index(0)});
    kb.loop(0, plan.getPaddedValueSize(), plan.lanes,
            [&](Value column) { kb.vstore(zeros, step.rows, {row, column}); });
  });
}

void AttentionEmitter::emitBlockBody(KernelBuilder &kb, func::FuncOp block) {
  AttentionOperands operands = bind(block);
  AttentionStep step;
  createScratch(kb, step);
  ArrayRef<BlockArgument> indices = block.getArguments().take_back(3);
  step.batch = indices[0];
  step.head = indices[1];
  Value group = kb.div(kb.dim(operands.q, 1), kb.dim(operands.k, 1));
  step.kvHead = kb.div(step.head, group);
  if (plan.gather) {
    step.k = operands.k;
    step.v = operands.v;
  } else {
    step.keyPanels = block.getArguments().drop_back(3).drop_back(1).back();
    step.valuePanels = block.getArguments().drop_back(3).back();
  }
  step.bias = operands.bias;
  step.queryLength = kb.dim(operands.q, 2);
  step.keyLength = kb.dim(operands.k, 2);
  auto [begin, end] = emitQueryRange(kb, indices[2], step.queryLength);
  step.queryBegin = begin;
  step.numRows = kb.sub(end, begin);

  Value queue = step.count;
  step.count = kb.index(0);
  func::FuncOp stepFunc = emitStep(kb, block, step);
  step.count = queue;
  kb.ifThen(kb.lt(kb.index(0), step.numRows), [&] {
    emitPackQueries(kb, operands.q, step);
    emitInitialRows(kb, step);
    kb.store(kb.index(0), step.count, {});
    Value row = indices[2];
    if (op.hasTiles())
      row = kb.div(row, plan.blocksPerTile);
    emitQueueKeys(kb, operands, step, row, stepFunc);
    Value left = kb.load(step.count, {});
    kb.ifThen(kb.lt(kb.index(0), left),
              [&] { emitFlush(kb, step, left, stepFunc); });
    emitFinish(kb, operands, step);
  });
}

/// Divides each row by its sum and writes it and its log-sum-exp out.
void AttentionEmitter::emitFinish(KernelBuilder &kb,
                                  const AttentionOperands &operands,
                                  const AttentionStep &step) {
  auto outputType = cast<MemRefType>(operands.output.getType());
  bool contiguous = outputType.getStridesAndOffset().first.back() == 1;
  Value zero = kb.constant(compute, 0.0), one = kb.constant(compute, 1.0);
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    Value sum = kb.reduceAdd(kb.vload(vec, step.rowSum, {row, kb.index(0)}));
    Value empty = kb.cmpf(arith::CmpFPredicate::OEQ, sum, zero);
    Value inverse =
        kb.select(empty, zero, arith::DivFOp::create(kb, one, sum).getResult());
    auto scaled = [&](Value column, Type type) {
      if (auto vector = dyn_cast<VectorType>(type))
        return kb.convert(kb.mulf(kb.vload(vector, step.rows, {row, column}),
                                  kb.splat(vector, inverse)),
                          op.getElementType());
      return kb.convert(kb.mulf(kb.load(step.rows, {row, column}), inverse),
                        op.getElementType());
    };
    if (contiguous) {
      for (int64_t d = 0; d < valueHeadSize; d += plan.lanes)
        kb.vstorePart(scaled(kb.index(d), vec), operands.output,
                      {step.batch, step.head, query, kb.index(d)},
                      std::min(plan.lanes, valueHeadSize - d));
    } else {
      kb.loop(0, valueHeadSize, 1, [&](Value d) {
        kb.store(scaled(d, compute), operands.output,
                 {step.batch, step.head, query, d});
      });
    }
    if (!operands.lse)
      return;
    // The sum of an empty row is zero, whose logarithm is -inf, and its
    // maximum is -inf.
    Value maximum = kb.load(step.rowMax, row);
    if (!hasBias)
      maximum = kb.mulf(maximum, kb.constant(compute, 0.6931471805599453));
    Value lse = kb.addf(maximum, math::LogOp::create(kb, sum));
    kb.store(lse, operands.lse, {step.batch, step.head, query});
  });
}
