//===- WorkspacePlan.h - Buffers that share memory --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Packs buffers with known lifetimes into one block of memory.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_WORKSPACEPLAN_H
#define DIT_TARGET_WORKSPACEPLAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace mlir::dit {

/// A buffer in use from step `firstUse` to step `lastUse`, both included.
struct LiveBuffer {
  int64_t size;
  int64_t firstUse;
  int64_t lastUse;
};

/// A place for each buffer such that buffers in use at the same step do not
/// overlap.
class WorkspacePlan {
public:
  /// Every offset is a multiple of this.
  static constexpr int64_t kAlignment = 64;

  /// Places large buffers first, each at the lowest offset that is free while
  /// it is in use. Takes quadratic time.
  static WorkspacePlan compute(llvm::ArrayRef<LiveBuffer> buffers);

  /// The offset of buffer `index` of the list given.
  int64_t getOffset(unsigned index) const { return offsets[index]; }
  /// Bytes of the whole block, a multiple of the alignment.
  int64_t getSize() const { return size; }

private:
  llvm::SmallVector<int64_t> offsets;
  int64_t size = 0;
};

/// Places for buffers whose sizes are not known: buffers share a place only if
/// they are never in use together, and a place is as large as its largest
/// buffer turns out to be. The sizes given are guesses that decide what is put
/// together, not what is right.
class SharedPlaces {
public:
  /// Large buffers choose first, and take the smallest place that is free for
  /// them. Takes quadratic time.
  static SharedPlaces compute(llvm::ArrayRef<LiveBuffer> buffers);

  /// The place of buffer `index` of the list given.
  unsigned getPlace(unsigned index) const { return places[index]; }
  unsigned getNumPlaces() const { return numPlaces; }

private:
  llvm::SmallVector<unsigned> places;
  unsigned numPlaces = 0;
};

} // namespace mlir::dit

#endif // DIT_TARGET_WORKSPACEPLAN_H
