//===- BlockSchedule.cpp - An order that keeps groups together
//-------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A group and each op outside of groups is a unit. Of the units that wait for
// no other, the one comes next that stood first, where a group stands at its
// last op: until then all that it needs has passed in the old order, too.
//
//===----------------------------------------------------------------------===//

#include "BlockSchedule.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/PriorityQueue.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

struct Unit {
  SmallVector<Operation *, 1> ops;
  /// Where the last of `ops` stands in the block.
  unsigned position = 0;
  /// Units that need this one, once for each need, and the needs of this one
  /// that are not met yet.
  SmallVector<unsigned> users;
  unsigned numOpen = 0;
};

/// The units of a block and what they wait for.
class UnitGraph {
public:
  UnitGraph(Block &block, ArrayRef<SmallVector<Operation *>> groups);

  /// The ops of all units, as many as can be ordered.
  SmallVector<Operation *> getOrder();

private:
  void addNeeds(Operation &op);
  void addEdge(Operation *from, Operation &to);

  Block &block;
  SmallVector<Unit> units;
  llvm::DenseMap<Operation *, unsigned> unitOf;
};

} // namespace

UnitGraph::UnitGraph(Block &block, ArrayRef<SmallVector<Operation *>> groups)
    : block(block), units(groups.size()) {
  for (auto [number, group] : llvm::enumerate(groups))
    for (Operation *op : group)
      unitOf[op] = number;
  for (auto [position, op] : llvm::enumerate(block)) {
    auto [place, isAlone] = unitOf.try_emplace(&op, units.size());
    if (isAlone)
      units.emplace_back();
    units[place->second].ops.push_back(&op);
    units[place->second].position = position;
  }
  Operation *lastEffect = nullptr;
  for (Operation &op : block) {
    addNeeds(op);
    if (isMemoryEffectFree(&op))
      continue;
    if (lastEffect)
      addEdge(lastEffect, op);
    lastEffect = &op;
  }
}

void UnitGraph::addEdge(Operation *from, Operation &to) {
  unsigned source = unitOf.at(from), target = unitOf.at(&to);
  if (source == target)
    return;
  units[source].users.push_back(target);
  ++units[target].numOpen;
}

/// What `op` and all in it take from the block.
void UnitGraph::addNeeds(Operation &op) {
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      producer = producer ? block.findAncestorOpInBlock(*producer) : nullptr;
      if (producer)
        addEdge(producer, op);
    }
  });
}

SmallVector<Operation *> UnitGraph::getOrder() {
  auto standsLater = [&](unsigned lhs, unsigned rhs) {
    return units[lhs].position > units[rhs].position;
  };
  llvm::PriorityQueue<unsigned, std::vector<unsigned>, decltype(standsLater)>
      ready(standsLater);
  for (auto [number, unit] : llvm::enumerate(units))
    if (unit.numOpen == 0)
      ready.push(number);
  SmallVector<Operation *> order;
  while (!ready.empty()) {
    Unit &unit = units[ready.top()];
    ready.pop();
    llvm::append_range(order, unit.ops);
    for (unsigned user : unit.users)
      if (--units[user].numOpen == 0)
        ready.push(user);
  }
  return order;
}

std::optional<SmallVector<Operation *>>
mlir::dit::scheduleGroups(Block &block,
                          ArrayRef<SmallVector<Operation *>> groups) {
  SmallVector<Operation *> order = UnitGraph(block, groups).getOrder();
  if (order.size() != block.getOperations().size())
    return std::nullopt;
  return order;
}

bool mlir::dit::gatherGroups(Block &block,
                             ArrayRef<SmallVector<Operation *>> groups) {
  std::optional<SmallVector<Operation *>> order = scheduleGroups(block, groups);
  if (!order)
    return false;
  for (Operation *op : *order)
    op->moveBefore(&block, block.end());
  return true;
}
