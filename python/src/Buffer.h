//===- Buffer.h - Arrays for Python -----------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The memory of arrays, as calls take it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PYTHON_SRC_BUFFER_H
#define DIT_PYTHON_SRC_BUFFER_H

#include "dit-c/Program.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dit_python {

namespace nb = nanobind;

/// A dit_buffer with what it points to, and what keeps its data alive.
class Buffer {
public:
  Buffer(uintptr_t data, const std::string &dtype, std::vector<int64_t> sizes,
         std::optional<std::vector<int64_t>> strides, nb::object owner);
  explicit Buffer(nb::ndarray<nb::ro> array);
  Buffer(const Buffer &) = delete;
  ~Buffer() {
    if (allocated)
      ditBufferFree(&buffer);
  }

  /// The memory of what speaks DLPack; `writable` refuses what is read-only.
  static std::unique_ptr<Buffer> fromDLPack(nb::handle tensor, bool writable);
  /// A result that the library shall allocate.
  static std::unique_ptr<Buffer> makeMissing(const std::string &dtype,
                                             int rank);
  /// The data that the library allocated, as bytes of NumPy.
  nb::object takeData();

  dit_buffer *get() { return &buffer; }
  nb::tuple getShape() const;
  const char *getDType() const { return ditDTypeGetName(buffer.dtype); }

private:
  void setSizes(std::vector<int64_t> newSizes,
                std::optional<std::vector<int64_t>> newStrides);

  dit_buffer buffer = {};
  std::vector<int64_t> sizes, strides;
  nb::object owner;
  nb::ndarray<nb::ro> array;
  bool allocated = false;
};

} // namespace dit_python

#endif // DIT_PYTHON_SRC_BUFFER_H
