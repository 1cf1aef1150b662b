//===- AttentionEmitter.cpp - What attention kernels share ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels by configuration, and the functions and query blocks they are made
// of; see AttentionEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

bool mlir::dit::cpu::isContiguous(Value memref) {
  return cast<MemRefType>(memref.getType())
             .getStridesAndOffset()
             .first.back() == 1;
}

AttentionStep AttentionStep::getInner() const {
  AttentionStep inner = *this;
  inner.scores = innerScores;
  inner.weights = innerWeights;
  inner.rows = innerRows;
  inner.rowMax = innerMax;
  inner.rowSum = innerSum;
  inner.rowScale = innerScale;
  inner.tileColumns = innerTileColumns;
  inner.tilePanels = innerTilePanels;
  inner.halfWidth = innerHalfWidth;
  inner.pattern = innerPattern;
  return inner;
}

static std::string extentName(int64_t extent) {
  return ShapedType::isDynamic(extent) ? "d" : std::to_string(extent);
}

AttentionEmitter::AttentionEmitter(AttentionOpInterface op,
                                   KernelLibrary &library, StringRef prefix,
                                   bool allowDot, int64_t stepKeys)
    : op(op), library(library), compute(op.getAccumulatorType()),
      headSize(op.getHeadSize()), valueHeadSize(op.getValueHeadSize()),
      // The bands of a pair belong to its second pattern.
      hasBands(op.getHalfWidths() && !isa<AttentionPairOp>(op)),
      hasBias(static_cast<bool>(op.getBias())) {
  AttentionProblem problem;
  problem.queryLength = op.getQueryLength();
  problem.keyLength = op.getKVLength();
  problem.headSize = headSize;
  problem.valueHeadSize = valueHeadSize;
  problem.bits = compute.getIntOrFloatBitWidth();
  problem.stepKeys = stepKeys;
  problem.isBF16 = allowDot && op.getElementType().isBF16();
  if (op.hasTiles())
    problem.tile = {op.getQTile(), op.getKVTile()};
  plan = AttentionPlan::get(problem, library.getTarget());
  vec = VectorType::get(plan.lanes, compute);
  packed = plan.dot ? Type(IntegerType::get(op.getContext(), 32)) : compute;
  packedVec = VectorType::get(plan.lanes, packed);
  if (std::optional<PatternAttrInterface> given = op.getPattern())
    if (hasBands ||
        !isFullPattern(*given, {problem.queryLength, problem.keyLength}))
      pattern = *given;

  llvm::raw_string_ostream os(name);
  os << prefix << "_" << op.getElementType() << "_q"
     << extentName(problem.queryLength) << "_kv"
     << extentName(problem.keyLength) << "_d" << headSize;
  if (valueHeadSize != headSize)
    os << "x" << valueHeadSize;
  if (op.hasTiles())
    os << "_t" << op.getQTile() << "x" << op.getKVTile();
  auto within = op->getAttrOfType<PatternAttrInterface>("within");
  for (PatternAttrInterface named : {pattern, within})
    if (named)
      os << "_"
         << named.getAbstractAttribute().getName().drop_front(sizeof("dit.") -
                                                              1);
  if (op.getHalfWidths())
    os << "_bands";
  if (hasBias)
    os << "_bias";
}

func::FuncOp AttentionEmitter::getKernel(TypeRange viewTypes) {
  Builder b(op.getContext());
  SmallVector<Attribute> key = {op->getName().getIdentifier(),
                                op->getAttr("scale")};
  for (Type type : viewTypes)
    key.push_back(TypeAttr::get(type));
  key.push_back(pattern ? Attribute(pattern) : b.getUnitAttr());
  for (StringRef name : {"tile", "within"}) {
    Attribute attribute = op->getAttr(name);
    key.push_back(attribute ? attribute : b.getUnitAttr());
  }
  // Which of the optional operands the types belong to.
  for (Value operand : {op.getBias(), op.getTileNum(), op.getKvValid(),
                        op.getLse(), op.getHalfWidths()})
    key.push_back(b.getBoolAttr(static_cast<bool>(operand)));
  return library.getOrCreate(
      b.getArrayAttr(key), name, viewTypes, op.getLoc(),
      [&](KernelBuilder &kb, func::FuncOp func) { emitKernel(kb, func); });
}

void AttentionEmitter::bindMask(ArgumentReader &take,
                                AttentionOperands &operands) {
  take(operands.bias, hasBias);
  take(operands.num, op.hasTiles());
  take(operands.idx, op.hasTiles());
  take(operands.kvValid, static_cast<bool>(op.getKvValid()));
}

func::FuncOp
AttentionEmitter::emitHelper(KernelBuilder &kb, const Twine &name,
                             ValueRange arguments,
                             llvm::function_ref<void(func::FuncOp)> emitBody) {
  func::FuncOp func =
      library.createHelper(name, TypeRange(arguments), kb.getLoc());
  OpBuilder::InsertionGuard guard(kb);
  kb.setInsertionPointToStart(&func.getBody().front());
  emitBody(func);
  func::ReturnOp::create(kb);
  return func;
}

//===----------------------------------------------------------------------===//
// Query blocks
//===----------------------------------------------------------------------===//

Value AttentionEmitter::emitNumBlocks(KernelBuilder &kb, Value queryLength) {
  if (op.hasTiles())
    return kb.mul(kb.ceilDiv(queryLength, op.getQTile()), plan.blocksPerTile);
  return kb.ceilDiv(queryLength, plan.blockRows);
}

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

Value AttentionEmitter::emitListRow(KernelBuilder &kb, Value block) {
  return op.hasTiles() ? kb.div(block, plan.blocksPerTile) : block;
}

void AttentionEmitter::emitZeroRows(KernelBuilder &kb, Value rows,
                                    int64_t size) {
  Value zeros = kb.constant(vec, 0.0);
  kb.loop(0, plan.paddedRows, 1, [&](Value row) {
    kb.loop(0, size, plan.lanes,
            [&](Value column) { kb.vstore(zeros, rows, {row, column}); });
  });
}

void AttentionEmitter::createQueue(KernelBuilder &kb, AttentionStep &step) {
  Type index = kb.getIndexType();
  step.count = kb.scratch({}, index);
  if (plan.gather) {
    step.queue = kb.scratch({plan.getStepKeys()}, index);
    return;
  }
  step.queue = kb.scratch({plan.panelsPerStep, 3}, index);
  if (pattern || hasBands)
    createTrim(kb, step.tileColumns, step.tilePanels);
}

void AttentionEmitter::createTrim(KernelBuilder &kb, Value &columns,
                                  Value &panels) {
  Type index = kb.getIndexType();
  int64_t tiles = llvm::divideCeil(plan.paddedRows, plan.tileRows);
  columns = kb.scratch({tiles, plan.panelsPerStep, 2}, index);
  panels = kb.scratch({tiles, 2}, index);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

func::FuncOp AttentionEmitter::emitStep(KernelBuilder &kb, func::FuncOp block,
                                        const AttentionStep &arguments) {
  AttentionStep given = arguments;
  SmallVector<Value> values;
  for (Value *field : given.fields())
    if (*field)
      values.push_back(*field);
  return emitHelper(
      kb, block.getName() + "_step", values, [&](func::FuncOp func) {
        AttentionStep step;
        step.pattern = given.pattern;
        step.innerPattern = given.innerPattern;
        unsigned next = 0;
        for (auto [field, from] : llvm::zip(step.fields(), given.fields()))
          if (*from)
            *field = func.getArgument(next++);
        emitStepBody(kb, step);
      });
}

Value AttentionEmitter::emitStepPanels(KernelBuilder &kb,
                                       const AttentionStep &step) {
  return plan.gather ? kb.ceilDiv(step.count, plan.panelKeys) : step.count;
}

Value AttentionEmitter::emitEndRow(KernelBuilder &kb,
                                   const AttentionStep &step) {
  Value end = kb.mul(kb.ceilDiv(step.numRows, plan.tileRows), plan.tileRows);
  return plan.tailRows ? kb.min(end, kb.index(plan.paddedRows)) : end;
}

void AttentionEmitter::emitMaskedScores(KernelBuilder &kb,
                                        const AttentionStep &step,
                                        const ScoreProduct &product,
                                        Value panels, Value endRow) {
  if (plan.gather)
    kb.loop(kb.index(0), panels, 1, [&](Value p) {
      Value first = kb.mul(p, plan.panelKeys);
      Value left = kb.sub(step.count, first);
      auto keyOf = [&](Value column) {
        return kb.load(step.queue, kb.add(first, column));
      };
      emitPackGathered(kb, step, {step.k, step.batch, step.kvHead, left, keyOf},
                       {step.v, step.batch, step.kvHead, left, keyOf}, p);
    });
  emitTrim(kb, step, panels);
  emitScores(kb, step, product, panels, endRow);
  if (step.bias)
    emitBias(kb, step, panels);
  emitMask(kb, step, panels);
}
