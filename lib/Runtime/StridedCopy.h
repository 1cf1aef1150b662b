//===- StridedCopy.h - Copies between strided buffers -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the entry check, which packs strided arguments, and by the callee
// of memref.copy.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_RUNTIME_STRIDEDCOPY_H
#define DIT_LIB_RUNTIME_STRIDEDCOPY_H

#include <cstdint>

/// Copies `sizes` elements of `elementSize` bytes; strides are in elements.
void dit_rt_strided_copy(int64_t rank, int64_t elementSize,
                         const int64_t *sizes, const void *src,
                         const int64_t *srcStrides, void *dst,
                         const int64_t *dstStrides);

#endif // DIT_LIB_RUNTIME_STRIDEDCOPY_H
