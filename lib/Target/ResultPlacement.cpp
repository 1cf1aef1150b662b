//===- ResultPlacement.cpp - Results into memory of the caller ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ResultPlacement.h"
#include "ExtentResolver.h"

#include "dit/Target/EntrySignature.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// The results of one function on their way to become arguments.
class ResultPlacer {
public:
  ResultPlacer(func::FuncOp function, SmallVectorImpl<func::CallOp> &calls)
      : function(function), calls(calls), builder(function.getContext()),
        returnOp(
            cast<func::ReturnOp>(function.getBody().front().getTerminator())) {}

  SmallVector<Value> placeOfEntry(const EntrySignature &signature);
  void placeOfPrivate();

private:
  /// The extents of result `index`, computed at the function's entry; nothing
  /// if they do not follow from the arguments.
  std::optional<SmallVector<Value>> getExtents(unsigned index);
  /// Makes result `index` argument `position`; returns it.
  void moveToArgument(unsigned index, unsigned position);
  void dropResults(const llvm::BitVector &dropped);

  func::FuncOp function;
  SmallVectorImpl<func::CallOp> &calls;
  OpBuilder builder;
  func::ReturnOp returnOp;
};

} // namespace

std::optional<SmallVector<Value>> ResultPlacer::getExtents(unsigned index) {
  auto type = dyn_cast<MemRefType>(function.getResultTypes()[index]);
  if (!type || !type.getLayout().isIdentity() || type.getMemorySpace())
    return std::nullopt;
  builder.setInsertionPointToStart(&function.getBody().front());
  ExtentResolver resolver(builder, function, getSizeArguments(function));
  SmallVector<Value> extents;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    extents.push_back(resolver.resolveDim(returnOp.getOperand(index), dim));
    if (!extents.back())
      return std::nullopt;
  }
  return extents;
}

void ResultPlacer::moveToArgument(unsigned index, unsigned position) {
  Value returned = returnOp.getOperand(index);
  Location loc = returnOp.getLoc();
  LogicalResult inserted =
      function.insertArgument(position, returned.getType(), {}, loc);
  assert(succeeded(inserted) && "any type can be an argument");
  (void)inserted;
  Value argument = function.getArgument(position);
  auto alloc = returned.getDefiningOp<memref::AllocOp>();
  // Memory that is returned under one name only can be the caller's from the
  // start.
  if (alloc && alloc->getBlock() == returnOp->getBlock() &&
      llvm::count(returnOp.getOperands(), returned) == 1) {
    returned.replaceUsesWithIf(
        argument, [&](OpOperand &use) { return use.getOwner() != returnOp; });
    returnOp->setOperand(index, argument);
    alloc.erase();
    return;
  }
  builder.setInsertionPoint(returnOp);
  memref::CopyOp::create(builder, loc, returned, argument);
}

void ResultPlacer::dropResults(const llvm::BitVector &dropped) {
  returnOp->eraseOperands(dropped);
  LogicalResult erased = function.eraseResults(dropped);
  assert(succeeded(erased) && "any result can be erased");
  (void)erased;
}

SmallVector<Value> ResultPlacer::placeOfEntry(const EntrySignature &signature) {
  SmallVector<Value> extents;
  SmallVector<unsigned> positions;
  for (auto [i, result] : llvm::enumerate(signature.results))
    if (!result.type.hasStaticShape())
      positions.push_back(signature.inputs.size() + i);
  // Entries return what is dynamic and nothing else.
  if (positions.size() != function.getNumResults())
    return {};
  for (unsigned i = 0, e = positions.size(); i < e; ++i) {
    std::optional<SmallVector<Value>> some = getExtents(i);
    if (!some)
      return {};
    llvm::append_range(extents, *some);
  }
  for (auto [i, position] : llvm::enumerate(positions))
    moveToArgument(i, position);
  dropResults(llvm::BitVector(positions.size(), true));
  return extents;
}

void ResultPlacer::placeOfPrivate() {
  llvm::BitVector dropped(function.getNumResults());
  for (unsigned i = 0, e = function.getNumResults(); i < e; ++i) {
    Value returned = returnOp.getOperand(i);
    auto argument = dyn_cast<BlockArgument>(returned);
    // What a caller brought it has already.
    if (argument && isa<MemRefType>(returned.getType())) {
      for (func::CallOp call : calls)
        call.getResult(i).replaceAllUsesWith(
            call.getOperand(argument.getArgNumber()));
      dropped.set(i);
      continue;
    }
    std::optional<SmallVector<Value>> extents = getExtents(i);
    if (!extents)
      continue;
    auto type = cast<MemRefType>(returned.getType());
    for (func::CallOp call : calls) {
      builder.setInsertionPoint(call);
      ExtentResolver resolver(builder, function, call.getOperands());
      SmallVector<Value> sizes;
      for (auto [dim, extent] : llvm::enumerate(*extents))
        if (type.isDynamicDim(dim))
          sizes.push_back(resolver.resolve(extent));
      Value buffer =
          memref::AllocOp::create(builder, call.getLoc(), type, sizes);
      call.getResult(i).replaceAllUsesWith(buffer);
      call.getOperandsMutable().append(buffer);
    }
    moveToArgument(i, function.getNumArguments());
    dropped.set(i);
  }
  if (dropped.none())
    return;
  dropResults(dropped);
  for (func::CallOp &call : calls) {
    builder.setInsertionPoint(call);
    auto shorter = func::CallOp::create(builder, call.getLoc(), function,
                                        call.getOperands());
    unsigned next = 0;
    for (auto [i, result] : llvm::enumerate(call.getResults()))
      if (!dropped[i])
        result.replaceAllUsesWith(shorter.getResult(next++));
    call.erase();
    call = shorter;
  }
}

SmallVector<Value>
mlir::dit::placeResults(func::FuncOp function,
                        SmallVectorImpl<func::CallOp> &calls) {
  ResultPlacer placer(function, calls);
  if (std::optional<EntrySignature> signature = getSignature(function))
    return placer.placeOfEntry(*signature);
  placer.placeOfPrivate();
  return {};
}
