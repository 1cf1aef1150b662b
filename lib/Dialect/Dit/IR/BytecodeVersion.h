//===- BytecodeVersion.h - Version of the dialect's bytecode ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For ops whose properties were encoded in another way once: their
// `readProperties` asks the reader for `getDialectVersion<DitDialect>()`. See
// docs/Compatibility.md.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_IR_BYTECODEVERSION_H
#define DIT_LIB_DIALECT_DIT_IR_BYTECODEVERSION_H

#include "mlir/Bytecode/BytecodeImplementation.h"

namespace mlir::dit {

/// Increase `current` with a change of an encoding and read older files too, in
/// `readProperties` of the op or in the dialect's `upgradeFromVersion`.
struct DitDialectVersion : DialectVersion {
  static constexpr uint64_t current = 1;
  explicit DitDialectVersion(uint64_t value) : value(value) {}
  uint64_t value;
};

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_IR_BYTECODEVERSION_H
