//===- ParallelToRuntime.cpp - Parallel loops to runtime calls ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Outlines parallel loops into functions that `dit_rt_parallel_for` calls with
// ranges of iterations. The outlined function has the C signature of
// `dit_rt_parallel_fn` from the start, and captured values go through a struct
// of their LLVM types: casts bridge the two sides until the rest of the
// function is lowered too.
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::dit {
#define GEN_PASS_DEF_CONVERTPARALLELTORUNTIME
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;

static constexpr StringLiteral kRuntimeFunction = "dit_rt_parallel_for";
static constexpr StringLiteral kGrainAttr = "dit.grain";
/// Chunks that a loop without a grain of its own is cut into: enough for a
/// balanced load on many threads, few enough that handing them out is free.
static constexpr int64_t kDefaultChunks = 256;

/// Replaces `loop` by nested serial loops.
static void serialize(scf::ParallelOp loop) {
  OpBuilder builder(loop);
  Location loc = loop.getLoc();
  SmallVector<Value> ivs;
  for (auto [lower, upper, step] : llvm::zip_equal(
           loop.getLowerBound(), loop.getUpperBound(), loop.getStep())) {
    auto inner = scf::ForOp::create(builder, loc, lower, upper, step);
    ivs.push_back(inner.getInductionVar());
    builder.setInsertionPointToStart(inner.getBody());
  }
  Block *target = builder.getInsertionBlock();
  Block *body = loop.getBody();
  body->getTerminator()->erase();
  for (auto [argument, iv] : llvm::zip_equal(body->getArguments(), ivs))
    argument.replaceAllUsesWith(iv);
  target->getOperations().splice(target->begin(), body->getOperations());
  loop.erase();
}

/// Moves every stack allocation of static size to the entry of `function`:
/// its contents do not outlive an iteration, so one allocation serves all.
static unsigned hoistStaticAllocas(func::FuncOp function) {
  if (function.isExternal())
    return 0;
  Block &entry = function.getBody().front();
  SmallVector<memref::AllocaOp> allocas;
  function.walk([&](memref::AllocaOp alloca) {
    if (alloca->getNumOperands() == 0 && alloca->getBlock() != &entry)
      allocas.push_back(alloca);
  });
  for (memref::AllocaOp alloca : llvm::reverse(allocas))
    alloca->moveBefore(&entry, entry.begin());
  return allocas.size();
}

/// Restores the stack at the end of each iteration of `loop` that has a stack
/// allocation of dynamic size directly in its body.
static void restoreStackPerIteration(scf::ForOp loop) {
  if (loop.getBody()->getOps<memref::AllocaOp>().empty())
    return;
  Location loc = loop.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(loop.getBody());
  auto pointer = LLVM::LLVMPointerType::get(loop.getContext());
  Value stack = LLVM::StackSaveOp::create(builder, loc, pointer);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  LLVM::StackRestoreOp::create(builder, loc, stack);
}

namespace {

/// Outlines one parallel loop.
class Outliner {
public:
  Outliner(scf::ParallelOp loop, SymbolTable &symbols,
           const LLVMTypeConverter &converter)
      : loop(loop), symbols(symbols), converter(converter),
        parent(loop->getParentOfType<func::FuncOp>()), builder(loop),
        pointer(LLVM::LLVMPointerType::get(loop.getContext())) {}

  LogicalResult run(func::FuncOp runtime);

private:
  LogicalResult collectCaptures();
  Value emitCount();
  Value emitContext();
  Value emitGrain(Value count);
  func::FuncOp createFunction();
  void emitBody(func::FuncOp function);
  SmallVector<Value> delinearize(Value linear, IRMapping &mapping);
  Value fieldPointer(Value context, unsigned index);
  Value indexConstant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loop.getLoc(), value);
  }
  Value toI64(Value value) {
    return arith::IndexCastOp::create(builder, loop.getLoc(),
                                      builder.getI64Type(), value);
  }

  scf::ParallelOp loop;
  SymbolTable &symbols;
  const LLVMTypeConverter &converter;
  func::FuncOp parent;
  OpBuilder builder;
  LLVM::LLVMPointerType pointer;
  /// Ops without operands that are cheaper to repeat than to pass.
  SmallVector<Operation *> cloned;
  SmallVector<Value> captures;
  LLVM::LLVMStructType contextType;
  /// Iterations of each dimension, outside the outlined function.
  SmallVector<Value> extents;
};

} // namespace

LogicalResult Outliner::collectCaptures() {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop.getRegion(), used);
  used.insert_range(loop.getLowerBound());
  used.insert_range(loop.getStep());
  used.insert_range(extents);
  SmallVector<Type> fields;
  for (Value value : used) {
    Operation *definition = value.getDefiningOp();
    if (definition && (definition->hasTrait<OpTrait::ConstantLike>() ||
                       isa<memref::GetGlobalOp>(definition))) {
      cloned.push_back(definition);
      continue;
    }
    Type field = converter.convertType(value.getType());
    if (!field)
      return loop.emitOpError()
             << "expected captured values of types that LLVM can hold, got "
             << value.getType() << "; bufferize before this pass";
    captures.push_back(value);
    fields.push_back(field);
  }
  contextType = LLVM::LLVMStructType::getLiteral(loop.getContext(), fields);
  return success();
}

Value Outliner::emitCount() {
  Location loc = loop.getLoc();
  Value count, zero = indexConstant(0);
  for (auto [lower, upper, step] : llvm::zip_equal(
           loop.getLowerBound(), loop.getUpperBound(), loop.getStep())) {
    Value span = builder.createOrFold<arith::SubIOp>(loc, upper, lower);
    Value positive = builder.createOrFold<arith::MaxSIOp>(loc, span, zero);
    Value extent =
        builder.createOrFold<arith::CeilDivSIOp>(loc, positive, step);
    extents.push_back(extent);
    count = count ? builder.createOrFold<arith::MulIOp>(loc, count, extent)
                  : extent;
  }
  return count;
}

Value Outliner::emitGrain(Value count) {
  Location loc = loop.getLoc();
  if (auto grain = loop->getAttrOfType<IntegerAttr>(kGrainAttr))
    return arith::ConstantIntOp::create(builder, loc, builder.getI64Type(),
                                        std::max<int64_t>(1, grain.getInt()));
  Value chunks = indexConstant(kDefaultChunks);
  Value grain = arith::CeilDivSIOp::create(builder, loc, count, chunks);
  return toI64(grain);
}

Value Outliner::fieldPointer(Value context, unsigned index) {
  return LLVM::GEPOp::create(
      builder, loop.getLoc(), pointer, contextType, context,
      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(index)});
}

/// The struct of captured values, filled; it lies at the function's entry,
/// since a loop around this one would grow the stack.
Value Outliner::emitContext() {
  Location loc = loop.getLoc();
  Value context;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&parent.getBody().front());
    Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                         builder.getI64IntegerAttr(1));
    context = LLVM::AllocaOp::create(builder, loc, pointer, contextType, one);
  }
  for (auto [index, value] : llvm::enumerate(captures)) {
    Value field = UnrealizedConversionCastOp::create(
                      builder, loc, contextType.getBody()[index], value)
                      .getResult(0);
    LLVM::StoreOp::create(builder, loc, field, fieldPointer(context, index));
  }
  return context;
}

func::FuncOp Outliner::createFunction() {
  Type i64 = builder.getI64Type();
  auto type = builder.getFunctionType({pointer, i64, i64}, {});
  auto function = func::FuncOp::create(
      loop.getLoc(), (parent.getSymName() + "_parallel").str(), type);
  function.setPrivate();
  symbols.insert(function, std::next(Block::iterator(parent)));
  return function;
}

/// The induction variables of iteration `linear`; the last dimension varies
/// fastest.
SmallVector<Value> Outliner::delinearize(Value linear, IRMapping &mapping) {
  Location loc = loop.getLoc();
  unsigned rank = extents.size();
  SmallVector<Value> ivs(rank);
  for (unsigned d = rank; d-- > 0;) {
    Value position = linear;
    if (d > 0) {
      Value extent = mapping.lookup(extents[d]);
      position = arith::RemUIOp::create(builder, loc, linear, extent);
      linear = arith::DivUIOp::create(builder, loc, linear, extent);
    }
    Value scaled = builder.createOrFold<arith::MulIOp>(
        loc, position, mapping.lookup(loop.getStep()[d]));
    ivs[d] = builder.createOrFold<arith::AddIOp>(
        loc, scaled, mapping.lookup(loop.getLowerBound()[d]));
  }
  return ivs;
}

void Outliner::emitBody(func::FuncOp function) {
  Location loc = loop.getLoc();
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  IRMapping mapping;
  for (Operation *constant : cloned)
    builder.clone(*constant, mapping);
  for (auto [index, value] : llvm::enumerate(captures)) {
    Value field =
        LLVM::LoadOp::create(builder, loc, contextType.getBody()[index],
                             fieldPointer(entry->getArgument(0), index));
    mapping.map(value, UnrealizedConversionCastOp::create(
                           builder, loc, value.getType(), field)
                           .getResult(0));
  }
  auto toIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                      value);
  };
  Value begin = toIndex(entry->getArgument(1));
  Value end = toIndex(entry->getArgument(2));
  auto range = scf::ForOp::create(builder, loc, begin, end, indexConstant(1));
  func::ReturnOp::create(builder, loc);
  builder.setInsertionPointToStart(range.getBody());
  SmallVector<Value> ivs = delinearize(range.getInductionVar(), mapping);
  mapping.map(loop.getInductionVars(), ivs);
  for (Operation &op : loop.getBody()->without_terminator())
    builder.clone(op, mapping);
}

LogicalResult Outliner::run(func::FuncOp runtime) {
  Location loc = loop.getLoc();
  Value count = emitCount();
  if (failed(collectCaptures()))
    return failure();
  Value context = emitContext();
  Value grain = emitGrain(count);
  func::FuncOp function = createFunction();
  Value address = func::ConstantOp::create(
      builder, loc, function.getFunctionType(), function.getSymName());
  Value callee =
      UnrealizedConversionCastOp::create(builder, loc, pointer, address)
          .getResult(0);
  func::CallOp::create(builder, loc, runtime,
                       ValueRange{toI64(count), grain, callee, context});
  emitBody(function);
  loop.erase();
  return success();
}

/// The declaration of the runtime's entry, created on first use.
static FailureOr<func::FuncOp> declareRuntime(ModuleOp module,
                                              SymbolTable &symbols) {
  OpBuilder builder(module.getContext());
  Type i64 = builder.getI64Type();
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto type = builder.getFunctionType({i64, i64, pointer, pointer}, {});
  if (Operation *existing = symbols.lookup(kRuntimeFunction)) {
    auto function = dyn_cast<func::FuncOp>(existing);
    if (function && function.getFunctionType() == type)
      return function;
    return existing->emitError()
           << "expected '" << kRuntimeFunction << "' to be a function of type "
           << type << "; rename this symbol";
  }
  auto function = func::FuncOp::create(module.getLoc(), kRuntimeFunction, type);
  function.setPrivate();
  symbols.insert(function, module.getBody()->begin());
  return function;
}

namespace {

struct ConvertParallelToRuntimePass
    : dit::impl::ConvertParallelToRuntimeBase<ConvertParallelToRuntimePass> {
  void runOnOperation() override;
};

} // namespace

void ConvertParallelToRuntimePass::runOnOperation() {
  ModuleOp module = getOperation();
  SymbolTable symbols(module);
  LLVMTypeConverter converter(&getContext());
  SmallVector<scf::ParallelOp> outermost, nested;
  module.walk([&](scf::ParallelOp loop) {
    if (!loop.getInitVals().empty() || !loop->getParentOfType<func::FuncOp>())
      return;
    bool inside = loop->getParentOfType<scf::ParallelOp>() != nullptr;
    (inside ? nested : outermost).push_back(loop);
  });
  // The walk lists inner loops first.
  for (scf::ParallelOp loop : nested)
    serialize(loop);
  numSerialized += nested.size();
  if (!outermost.empty()) {
    FailureOr<func::FuncOp> runtime = declareRuntime(module, symbols);
    if (failed(runtime))
      return signalPassFailure();
    for (scf::ParallelOp loop : outermost)
      if (failed(Outliner(loop, symbols, converter).run(*runtime)))
        return signalPassFailure();
    numOutlined += outermost.size();
  }
  for (auto function : module.getOps<func::FuncOp>())
    numHoistedAllocas += hoistStaticAllocas(function);
  module.walk(restoreStackPerIteration);
}
