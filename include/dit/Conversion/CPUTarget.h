//===- CPUTarget.h - What kernels know of a CPU -----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The only place where code generation learns the width of vectors, the number
// of registers and the sizes of caches. It comes from the host, from the
// module's target description, or from pass options, so that a test can fix it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_CONVERSION_CPUTARGET_H
#define DIT_CONVERSION_CPUTARGET_H

#include "mlir/Interfaces/DataLayoutInterfaces.h"

#include <cstdint>
#include <optional>

namespace mlir {
class ModuleOp;
class Type;

namespace dit {

/// A CPU as the kernels see it. A zero stands for "not known".
struct CPUTarget {
  /// Width of a vector register in bits.
  int64_t vectorBits = 0;
  /// Number of vector registers.
  int64_t vectorRegisters = 0;
  /// Whether there is a dot product of bf16 pairs into f32.
  std::optional<bool> bf16Dot;
  /// Whether lanes of 32 and 64 bits that a mask chooses can be moved to the
  /// front of a vector of 512 bits, as AVX-512 does.
  std::optional<bool> compress;
  /// Data cache of one core, in bytes.
  int64_t l1Bytes = 0;
  int64_t l2Bytes = 0;

  /// The machine this runs on.
  static CPUTarget getHost();

  /// The values of a device named "CPU" in `spec`, zero for those it lacks.
  static CPUTarget getFromSpec(TargetSystemSpecInterface spec);

  /// This target with the fields it does not know taken from `other`.
  CPUTarget withDefaults(const CPUTarget &other) const;

  /// This target completed by what the specification of `module` says, and
  /// then by the host.
  CPUTarget resolve(ModuleOp module) const;

  /// Number of elements of a float type of `bits` bits in one vector.
  int64_t getLanes(unsigned bits) const { return vectorBits / bits; }
};

} // namespace dit
} // namespace mlir

#endif // DIT_CONVERSION_CPUTARGET_H
