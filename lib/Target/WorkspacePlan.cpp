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

WorkspacePlan WorkspacePlan::compute(llvm::ArrayRef<LiveBuffer> buffers) {
  WorkspacePlan plan;
  plan.offsets.assign(buffers.size(), 0);
  auto bySize = llvm::to_vector(llvm::seq<unsigned>(0, buffers.size()));
  llvm::sort(bySize, [&](unsigned a, unsigned b) {
    return std::pair(-buffers[a].size, a) < std::pair(-buffers[b].size, b);
  });
  llvm::SmallVector<unsigned> placed;
  for (unsigned index : bySize) {
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
