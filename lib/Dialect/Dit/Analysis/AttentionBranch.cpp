//===- AttentionBranch.cpp - What runs for one attention alone ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Follows the result forwards, then takes the exclusive backward slice.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/AttentionBranch.h"
#include "dit/Dialect/Dit/Analysis/OpInputs.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dit;

bool AttentionBranchFinder::isInvariant(Value value) {
  if (!loop.getRegion().isAncestor(value.getParentRegion()))
    return true;
  Operation *op = value.getDefiningOp();
  return op && isInvariant(op);
}

bool AttentionBranchFinder::isInvariant(Operation *op) {
  auto [it, inserted] = invariant.try_emplace(op, false);
  if (!inserted)
    return it->second;
  bool result = isMemoryEffectFree(op) &&
                llvm::all_of(getInputs(op),
                             [&](Value input) { return isInvariant(input); });
  return invariant[op] = result;
}

/// The op in the body that holds every use of `value`, if there is just one.
Operation *AttentionBranchFinder::findSoleUser(Value value) {
  Operation *sole = nullptr;
  for (Operation *user : value.getUsers()) {
    Operation *ancestor = loop.getBody()->findAncestorOpInBlock(*user);
    if (!ancestor || (sole && ancestor != sole))
      return nullptr;
    sole = ancestor;
  }
  return sole;
}

bool AttentionBranchFinder::canFollow(Operation *user, Value value) {
  return user && !user->hasTrait<OpTrait::IsTerminator>() &&
         !isa<AttentionOp>(user) && user->getNumResults() == 1 &&
         isMemoryEffectFree(user) &&
         llvm::all_of(getInputs(user), [&](Value input) {
           return input == value || isInvariant(input);
         });
}

static bool isReshape(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
      op);
}

std::optional<AttentionBranch>
AttentionBranchFinder::find(AttentionOp attention) {
  assert(attention->getBlock() == loop.getBody() && "not in the loop's body");
  if (attention->getNumResults() == 0 ||
      !llvm::all_of(attention->getResults().drop_front(),
                    [](Value result) { return result.use_empty(); }))
    return std::nullopt;

  SetVector<Operation *> chain;
  chain.insert(attention);
  Value value = attention->getResult(0);
  for (Operation *user = findSoleUser(value); canFollow(user, value);
       user = findSoleUser(value)) {
    chain.insert(user);
    value = user->getResult(0);
  }
  while (isReshape(chain.back()))
    chain.pop_back();

  // Users come after definitions, so one walk backwards finds all.
  Operation *last = chain.back();
  DenseSet<Operation *> members(chain.begin(), chain.end());
  AttentionBranch branch{attention, {}, last->getResult(0)};
  for (Operation &op : llvm::reverse(llvm::make_range(
           loop.getBody()->begin(), std::next(last->getIterator())))) {
    bool exclusive =
        !op.use_empty() && isMemoryEffectFree(&op) &&
        llvm::all_of(op.getUsers(), [&](Operation *user) {
          return members.contains(loop.getBody()->findAncestorOpInBlock(*user));
        });
    if (!members.contains(&op) && !exclusive)
      continue;
    members.insert(&op);
    branch.ops.push_back(&op);
  }
  std::reverse(branch.ops.begin(), branch.ops.end());
  return branch;
}
