//===- BufferLifetimes.cpp - When buffers are in use ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferLifetimes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

using namespace mlir;
using namespace mlir::dit;

bool mlir::dit::isInParallelLoop(Operation *op) {
  return op->getParentOfType<scf::ParallelOp>() ||
         op->getParentOfType<scf::ForallOp>();
}

BufferLifetimes::BufferLifetimes(func::FuncOp function) : aliases(function) {
  number(function.getBody());
}

void BufferLifetimes::number(Region &region) {
  for (Operation &op : region.getOps()) {
    int64_t first = numSteps++;
    for (Region &inner : op.getRegions())
      number(inner);
    steps[&op] = {first, numSteps - 1};
  }
}

Block *BufferLifetimes::findHome(memref::AllocOp alloc,
                                 ArrayRef<Region *> mustContain) const {
  Block *home = alloc->getBlock();
  auto containsAll = [&] {
    return llvm::all_of(mustContain, [&](Region *region) {
      return home->getParent()->isAncestor(region);
    });
  };
  while (!containsAll()) {
    // Out of a branch the memory is that of its result; out of a loop it would
    // meet that of the next iteration.
    auto branch = dyn_cast<RegionBranchOpInterface>(home->getParentOp());
    if (!branch ||
        branch.isRepetitiveRegion(home->getParent()->getRegionNumber()))
      return nullptr;
    home = branch->getBlock();
  }
  return home;
}

std::optional<BufferLifetimes::Range>
BufferLifetimes::get(memref::AllocOp alloc, Operation *task) const {
  if (task ? alloc->getParentOfType<scf::ParallelOp>() != task
           : isInParallelLoop(alloc))
    return std::nullopt;
  SmallVector<Region *> regions;
  SmallVector<Operation *> users;
  for (Value alias : aliases.resolve(alloc.getMemref())) {
    regions.push_back(alias.getParentRegion());
    for (Operation *user : alias.getUsers()) {
      if (isa<func::ReturnOp>(user))
        return std::nullopt;
      if (!isa<memref::DeallocOp>(user))
        users.push_back(user);
    }
  }
  Block *home = findHome(alloc, regions);
  if (!home || !steps.contains(alloc))
    return std::nullopt;
  if (users.empty())
    return steps.lookup(alloc);
  Range range{numSteps, -1};
  for (Operation *user : users) {
    // A loop in the home block uses the memory until its last iteration.
    Range use = steps.lookup(home->findAncestorOpInBlock(*user));
    range.first = std::min(range.first, use.first);
    range.last = std::max(range.last, use.last);
  }
  return range;
}
