//===- MemRefCopy.cpp - Copies between strided buffers --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies a strided buffer of any rank, moving the longest contiguous runs that
// both sides share as one block.
//
//===----------------------------------------------------------------------===//

#include "StridedCopy.h"

#include <cstring>

namespace {

/// Recursive over the outer dimensions; the innermost run is one memcpy.
struct Copier {
  int64_t elementSize;
  /// Elements of one run: contiguous on both sides.
  int64_t run;
  const int64_t *sizes, *srcStrides, *dstStrides;

  void copy(int64_t dim, int64_t outerRank, const char *src, char *dst) const {
    if (dim == outerRank) {
      std::memcpy(dst, src, run * elementSize);
      return;
    }
    for (int64_t i = 0; i < sizes[dim]; ++i) {
      copy(dim + 1, outerRank, src, dst);
      src += srcStrides[dim] * elementSize;
      dst += dstStrides[dim] * elementSize;
    }
  }
};

/// A memref descriptor of any rank, as the lowering of memref.copy passes it.
struct UnrankedMemRef {
  int64_t rank;
  void *descriptor;
};

/// The fields of a ranked descriptor: two pointers, the offset, `rank` sizes,
/// then `rank` strides.
struct DescriptorView {
  char *data;
  int64_t offset;
  const int64_t *sizes, *strides;

  explicit DescriptorView(const UnrankedMemRef &ref) {
    auto **pointers = static_cast<char **>(ref.descriptor);
    data = pointers[1];
    auto *words = reinterpret_cast<const int64_t *>(pointers + 2);
    offset = words[0];
    sizes = words + 1;
    strides = sizes + ref.rank;
  }
};

} // namespace

void dit_rt_strided_copy(int64_t rank, int64_t elementSize,
                         const int64_t *sizes, const void *src,
                         const int64_t *srcStrides, void *dst,
                         const int64_t *dstStrides) {
  for (int64_t dim = 0; dim < rank; ++dim)
    if (sizes[dim] == 0)
      return;
  int64_t run = 1, outerRank = rank;
  while (outerRank > 0 &&
         (sizes[outerRank - 1] == 1 || (srcStrides[outerRank - 1] == run &&
                                        dstStrides[outerRank - 1] == run)))
    run *= sizes[--outerRank];
  Copier copier{elementSize, run, sizes, srcStrides, dstStrides};
  copier.copy(0, outerRank, static_cast<const char *>(src),
              static_cast<char *>(dst));
}

extern "C" void dit_rt_memref_copy(int64_t elementSize,
                                   const UnrankedMemRef *src,
                                   const UnrankedMemRef *dst) {
  DescriptorView from(*src), to(*dst);
  dit_rt_strided_copy(src->rank, elementSize, from.sizes,
                      from.data + from.offset * elementSize, from.strides,
                      to.data + to.offset * elementSize, to.strides);
}
