//===- HostTensor.h - Tensors in host memory --------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Row-major tensors that tools read, write, pass to compiled functions and
// compare.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_HOSTTENSOR_H
#define DIT_SUPPORT_HOSTTENSOR_H

#include "dit/Runtime/Entry.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdlib>
#include <memory>
#include <string>

namespace mlir::dit {

/// A row-major tensor that owns its memory, aligned for vector loads.
class HostTensor {
public:
  HostTensor() = default;
  /// Allocates zeros, of which there has to be memory.
  HostTensor(dit_rt_dtype dtype, llvm::ArrayRef<int64_t> shape);
  /// Allocates zeros. The error says how many bytes there are not.
  static llvm::Expected<HostTensor> allocate(dit_rt_dtype dtype,
                                             llvm::ArrayRef<int64_t> shape);
  /// Takes over memory from malloc.
  static HostTensor adopt(dit_rt_dtype dtype, llvm::ArrayRef<int64_t> shape,
                          void *data);

  dit_rt_dtype getDType() const { return dtype; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getNumElements() const;
  int64_t getNumBytes() const {
    return getNumElements() * dit_rt_dtype_size(dtype);
  }
  char *data() { return static_cast<char *>(memory.get()); }
  const char *data() const { return static_cast<const char *>(memory.get()); }

  /// The element at row-major position `index`, widened.
  double getAsDouble(int64_t index) const;

  /// The same bits under another type of the same width.
  void setDType(dit_rt_dtype newType);

  /// A view for the runtime; valid while this tensor lives and is not moved.
  dit_buffer getBuffer();

private:
  struct Free {
    void operator()(void *p) const { std::free(p); }
  };

  dit_rt_dtype dtype = DIT_RT_F32;
  llvm::SmallVector<int64_t> shape;
  std::unique_ptr<void, Free> memory;
};

/// "2x3xf32", for messages.
std::string formatTensorType(int32_t dtype, llvm::ArrayRef<int64_t> shape);

/// How far a result is from what was expected.
struct TensorDifference {
  double maxAbs = 0;
  /// max |a - b| over max |b|; infinite when b is zero and a is not.
  double maxRel = 0;
  /// Positions where only the result is NaN.
  int64_t unexpectedNaNs = 0;
  /// Positions where only the expectation is NaN.
  int64_t missingNaNs = 0;
};

/// Compares tensors of the same shape, of any types. Equal infinities and NaNs
/// at the same place do not differ.
TensorDifference compare(const HostTensor &result, const HostTensor &expected);

/// The number of NaN elements.
int64_t countNaNs(const HostTensor &tensor);

} // namespace mlir::dit

#endif // DIT_SUPPORT_HOSTTENSOR_H
