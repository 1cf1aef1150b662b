//===- PlanWorkspace.cpp - Allocations become parts of a workspace --------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-plan-workspace. Functions are planned callees first: what a
// private function needs becomes one allocation at each of its calls, which is
// then planned with the caller's own. Static buffers are placed by
// WorkspacePlan, dynamic ones share places by class.
//
//===----------------------------------------------------------------------===//

#include "BufferLifetimes.h"
#include "ExtentResolver.h"
#include "ResultPlacement.h"

#include "dit/Target/EntrySignature.h"
#include "dit/Target/Passes.h"
#include "dit/Target/WorkspacePlan.h"

#include "mlir/IR/SymbolTable.h"

namespace mlir::dit {
#define GEN_PASS_DEF_PLANWORKSPACEPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// What unknown extents are taken for where buffers are put in order of size.
static constexpr int64_t kTypicalExtent = 64;

namespace {

/// The allocations of one function that a workspace can hold, and their places.
class FunctionPlan {
public:
  explicit FunctionPlan(func::FuncOp function)
      : function(function), builder(function.getContext()),
        loc(function.getLoc()) {}

  /// Adds the workspace to the arguments and puts views in the place of
  /// allocations; false if there is nothing to place.
  bool apply();

  unsigned getNumPlaced() const {
    return staticAllocs.size() + dynamicAllocs.size();
  }
  int64_t getStaticBytes() const { return staticBytes; }
  /// The size of the workspace if it is known, else a value of the function.
  OpFoldResult getSize() const { return size; }

private:
  void collect();
  void placeStatic(Value workspace);
  Value placeDynamic(Value workspace);
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value add(Value lhs, Value rhs) {
    return builder.createOrFold<arith::AddIOp>(loc, lhs, rhs);
  }
  Value roundUp(Value bytes);
  void replaceByView(memref::AllocOp alloc, Value workspace, Value offset);

  func::FuncOp function;
  OpBuilder builder;
  Location loc;
  SmallVector<memref::AllocOp> staticAllocs, dynamicAllocs;
  SmallVector<LiveBuffer> staticBuffers, dynamicBuffers;
  /// Bytes of each dynamic allocation, computed at the function's entry.
  SmallVector<Value> dynamicBytes;
  int64_t staticBytes = 0;
  OpFoldResult size;
};

/// Plans a module.
class WorkspacePlanner {
public:
  explicit WorkspacePlanner(ModuleOp module)
      : module(module), symbols(tables.getSymbolTable(module)),
        users(tables, module) {}

  LogicalResult run();

  int64_t numPlaced = 0, numBytesAllocated = 0, numBytesPlanned = 0;

private:
  void visit(func::FuncOp function);
  /// The calls of `function` if all of them can be rewritten.
  std::optional<SmallVector<func::CallOp>> getCalls(func::FuncOp function);
  void plan(func::FuncOp function);
  void passWorkspace(func::FuncOp function, ArrayRef<func::CallOp> calls,
                     OpFoldResult size);
  void createQuery(func::FuncOp entry, OpFoldResult size,
                   ArrayRef<Value> resultExtents);

  ModuleOp module;
  SymbolTableCollection tables;
  SymbolTable &symbols;
  SymbolUserMap users;
  /// Functions that are done, or not done because they reach themselves.
  llvm::DenseMap<Operation *, bool> visited;
};

struct PlanWorkspacePass
    : public mlir::dit::impl::PlanWorkspacePassBase<PlanWorkspacePass> {
  void runOnOperation() override {
    WorkspacePlanner planner(getOperation());
    if (failed(planner.run()))
      return signalPassFailure();
    numPlanned += planner.numPlaced;
    numBytesAllocated += planner.numBytesAllocated;
    numBytesPlanned += planner.numBytesPlanned;
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// One function
//===----------------------------------------------------------------------===//

void FunctionPlan::collect() {
  BufferLifetimes lifetimes(function);
  SmallVector<memref::AllocOp> allocs;
  function.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
  builder.setInsertionPointToStart(&function.getBody().front());
  ExtentResolver extents(builder, function, getSizeArguments(function));
  for (memref::AllocOp alloc : allocs) {
    std::optional<BufferLifetimes::Range> range = lifetimes.get(alloc);
    if (!range || alloc.getAlignment().value_or(1) > WorkspacePlan::kAlignment)
      continue;
    Value bytes =
        extents.resolveNumBytes(alloc.getType(), alloc.getDynamicSizes());
    if (!bytes)
      continue;
    if (std::optional<int64_t> known = getConstantIntValue(bytes)) {
      staticAllocs.push_back(alloc);
      staticBuffers.push_back({*known, range->first, range->last});
      staticBytes += *known;
      continue;
    }
    std::optional<int64_t> typical = evaluateAt(bytes, kTypicalExtent);
    dynamicAllocs.push_back(alloc);
    dynamicBuffers.push_back({typical.value_or(1), range->first, range->last});
    dynamicBytes.push_back(bytes);
  }
}

void FunctionPlan::replaceByView(memref::AllocOp alloc, Value workspace,
                                 Value offset) {
  for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
    if (isa<memref::DeallocOp>(user))
      user->erase();
  // Sizes are computed in front of the first operation, which may be this one.
  if (builder.getInsertionPoint() == alloc->getIterator())
    builder.setInsertionPointAfter(alloc);
  OpBuilder atAlloc(alloc);
  Value view =
      memref::ViewOp::create(atAlloc, alloc.getLoc(), alloc.getType(),
                             workspace, offset, alloc.getDynamicSizes());
  alloc.replaceAllUsesWith(view);
  alloc.erase();
}

void FunctionPlan::placeStatic(Value workspace) {
  WorkspacePlan plan = WorkspacePlan::compute(staticBuffers);
  for (auto [i, alloc] : llvm::enumerate(staticAllocs)) {
    OpBuilder atAlloc(alloc);
    replaceByView(alloc, workspace,
                  arith::ConstantIndexOp::create(atAlloc, alloc.getLoc(),
                                                 plan.getOffset(i)));
  }
  size = builder.getIndexAttr(plan.getSize());
}

Value FunctionPlan::roundUp(Value bytes) {
  Value units = builder.createOrFold<arith::CeilDivUIOp>(
      loc, bytes, constant(WorkspacePlan::kAlignment));
  return builder.createOrFold<arith::MulIOp>(
      loc, units, constant(WorkspacePlan::kAlignment));
}

/// Puts the classes one after the other behind the static buffers; returns the
/// end of the last one.
Value FunctionPlan::placeDynamic(Value workspace) {
  SharedPlaces places = SharedPlaces::compute(dynamicBuffers);
  SmallVector<Value> sizes(places.getNumPlaces());
  for (auto [i, bytes] : llvm::enumerate(dynamicBytes)) {
    Value &size = sizes[places.getPlace(i)];
    if (!size)
      size = bytes;
    else if (size != bytes)
      size = builder.createOrFold<arith::MaxUIOp>(loc, size, bytes);
  }
  Value offset = getValueOrCreateConstantIndexOp(builder, loc, size);
  SmallVector<Value> offsets;
  for (Value size : sizes) {
    offsets.push_back(offset);
    offset = add(offset, roundUp(size));
  }
  for (auto [i, alloc] : llvm::enumerate(dynamicAllocs))
    replaceByView(alloc, workspace, offsets[places.getPlace(i)]);
  return offset;
}

bool FunctionPlan::apply() {
  collect();
  if (getNumPlaced() == 0)
    return false;
  // The type is refined once the size is known.
  auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  unsigned index = function.getNumArguments();
  if (failed(function.insertArgument(index, type, {}, loc)))
    return false;
  BlockArgument workspace = function.getArgument(index);
  size = builder.getIndexAttr(0);
  placeStatic(workspace);
  if (!dynamicAllocs.empty()) {
    size = placeDynamic(workspace);
    return true;
  }
  workspace.setType(
      MemRefType::get({*getConstantIntValue(size)}, builder.getI8Type()));
  SmallVector<Type> types(function.getBody().getArgumentTypes());
  function.setFunctionType(
      builder.getFunctionType(types, function.getResultTypes()));
  return true;
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

std::optional<SmallVector<func::CallOp>>
WorkspacePlanner::getCalls(func::FuncOp function) {
  SmallVector<func::CallOp> calls;
  if (getSignature(function))
    return users.useEmpty(function) ? std::optional(calls) : std::nullopt;
  if (!function.isPrivate())
    return std::nullopt;
  for (Operation *user : users.getUsers(function)) {
    auto call = dyn_cast<func::CallOp>(user);
    if (!call || isInParallelLoop(call))
      return std::nullopt;
    calls.push_back(call);
  }
  return calls;
}

/// Hands each call of `function` an allocation for its workspace.
void WorkspacePlanner::passWorkspace(func::FuncOp function,
                                     ArrayRef<func::CallOp> calls,
                                     OpFoldResult size) {
  auto type = cast<MemRefType>(function.getArgumentTypes().back());
  for (func::CallOp call : calls) {
    OpBuilder builder(call);
    SmallVector<Value> dynamicSizes;
    if (auto bytes = dyn_cast<Value>(size))
      dynamicSizes.push_back(
          ExtentResolver(builder, function, call.getOperands()).resolve(bytes));
    Value workspace = memref::AllocOp::create(
        builder, call.getLoc(), type, dynamicSizes,
        builder.getI64IntegerAttr(WorkspacePlan::kAlignment));
    call.getOperandsMutable().append(workspace);
  }
}

/// A function of the inputs of `entry` that stores the bytes of its workspace
/// and the extents of its dynamic results.
void WorkspacePlanner::createQuery(func::FuncOp entry, OpFoldResult size,
                                   ArrayRef<Value> resultExtents) {
  OpBuilder builder(entry);
  Location loc = entry.getLoc();
  unsigned numInputs = getSignature(entry)->inputs.size();
  SmallVector<Type> types(entry.getArgumentTypes().take_front(numInputs));
  int64_t numValues = 1 + resultExtents.size();
  types.push_back(MemRefType::get({numValues}, builder.getI64Type()));
  auto query =
      func::FuncOp::create(builder, loc, (entry.getName() + "_query").str(),
                           builder.getFunctionType(types, {}));
  query->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                 builder.getUnitAttr());
  symbols.insert(query);
  entry->setAttr(kQueryAttrName, query.getNameAttr());
  Block *body = query.addEntryBlock();
  builder.setInsertionPointToStart(body);
  ExtentResolver extents(builder, entry,
                         body->getArguments().take_front(numInputs));
  SmallVector<Value> values;
  if (auto known = getConstantIntValue(size))
    values.push_back(arith::ConstantIndexOp::create(builder, loc, *known));
  else
    values.push_back(extents.resolve(cast<Value>(size)));
  for (Value extent : resultExtents)
    values.push_back(extents.resolve(extent));
  for (auto [i, value] : llvm::enumerate(values)) {
    Value number =
        arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
    Value index = arith::ConstantIndexOp::create(builder, loc, i);
    memref::StoreOp::create(builder, loc, number, body->getArguments().back(),
                            index);
  }
  func::ReturnOp::create(builder, loc);
}

void WorkspacePlanner::plan(func::FuncOp function) {
  std::optional<SmallVector<func::CallOp>> calls = getCalls(function);
  if (!calls || !llvm::hasSingleElement(function.getBody()))
    return;
  SmallVector<Value> resultExtents = placeResults(function, *calls);
  FunctionPlan plan(function);
  OpFoldResult size = Builder(function.getContext()).getIndexAttr(0);
  if (plan.apply()) {
    size = plan.getSize();
    numPlaced += plan.getNumPlaced();
    numBytesAllocated += plan.getStaticBytes();
    passWorkspace(function, *calls, size);
  }
  if (!getSignature(function))
    return;
  std::optional<int64_t> known = getConstantIntValue(size);
  if (known)
    function->setAttr(
        kWorkspaceAttrName,
        IntegerAttr::get(IntegerType::get(function.getContext(), 64), *known));
  numBytesPlanned += known.value_or(0);
  if (!known || !resultExtents.empty())
    createQuery(function, size, resultExtents);
}

void WorkspacePlanner::visit(func::FuncOp function) {
  auto [entry, isNew] = visited.try_emplace(function, false);
  if (!isNew || function.isExternal())
    return;
  // Planning a callee replaces the calls of it.
  llvm::SetVector<Operation *> callees;
  function.walk([&](func::CallOp call) {
    if (Operation *callee = symbols.lookup(call.getCallee()))
      callees.insert(callee);
  });
  bool reachesItself = false;
  for (Operation *callee : callees) {
    auto inner = dyn_cast<func::FuncOp>(callee);
    if (!inner || inner.isExternal())
      continue;
    visit(inner);
    reachesItself |= !visited.lookup(inner);
  }
  if (reachesItself)
    return;
  visited[function] = true;
  plan(function);
}

LogicalResult WorkspacePlanner::run() {
  for (auto function :
       llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    visit(function);
  return success();
}
