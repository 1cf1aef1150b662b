//===- WorkspacePlan.cpp - Buffers that share memory ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Greedy placement by size.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/WorkspacePlan.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::dit;

static bool areLiveTogether(const LiveBuffer &a, const LiveBuffer &b) {
  return a.firstUse <= b.lastUse && b.firstUse <= a.lastUse;
}

/// Indices of `buffers`, largest first, equal ones as given.
static llvm::SmallVector<unsigned>
sortBySize(llvm::ArrayRef<LiveBuffer> buffers) {
  auto bySize = llvm::to_vector(llvm::seq<unsigned>(0, buffers.size()));
  llvm::sort(bySize, [&](unsigned a, unsigned b) {
    return std::pair(-buffers[a].size, a) < std::pair(-buffers[b].size, b);
  });
  return bySize;
}

WorkspacePlan WorkspacePlan::compute(llvm::ArrayRef<LiveBuffer> buffers) {
  WorkspacePlan plan;
  plan.offsets.assign(buffers.size(), 0);
  llvm::SmallVector<unsigned> placed;
  for (unsigned index : sortBySize(buffers)) {
    const LiveBuffer &buffer = buffers[index];
    llvm::SmallVector<std::pair<int64_t, int64_t>> taken;
    for (unsigned other : placed)
      if (areLiveTogether(buffer, buffers[other]))
        taken.push_back(
            {plan.offsets[other], plan.offsets[other] + buffers[other].size});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (begin - offset >= buffer.size)
        break;
      offset = std::max<int64_t>(offset, llvm::alignTo(end, kAlignment));
    }
    plan.offsets[index] = offset;
    plan.size = std::max<int64_t>(
        plan.size, llvm::alignTo(offset + buffer.size, kAlignment));
    placed.push_back(index);
  }
  return plan;
}

SharedPlaces SharedPlaces::compute(llvm::ArrayRef<LiveBuffer> buffers) {
  SharedPlaces result;
  result.places.assign(buffers.size(), 0);
  // The buffers of each place; the first is the largest.
  llvm::SmallVector<llvm::SmallVector<unsigned>> members;
  for (unsigned index : sortBySize(buffers)) {
    auto isFree = [&](llvm::ArrayRef<unsigned> place) {
      return llvm::none_of(place, [&](unsigned other) {
        return areLiveTogether(buffers[index], buffers[other]);
      });
    };
    // Later places are no larger than earlier ones.
    auto place = llvm::find_if(llvm::reverse(members), isFree);
    if (place == members.rend()) {
      members.push_back({index});
      result.places[index] = members.size() - 1;
      continue;
    }
    place->push_back(index);
    result.places[index] = members.rend() - place - 1;
  }
  result.numPlaces = members.size();
  return result;
}
