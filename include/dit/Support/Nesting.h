//===- Nesting.h - How deep texts nest --------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parsers of MLIR and JSON call themselves for what nests, and so does much
// that works on modules. Texts that would take all of the stack, or of the
// memory, are refused before.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_NESTING_H
#define DIT_SUPPORT_NESTING_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace mlir::dit {

/// The number of brackets that texts may nest.
constexpr int64_t kMaxNesting = 256;
/// The number of operators that may follow one another in an affine expression,
/// which nests by each.
constexpr int64_t kMaxOperators = 1024;
/// The largest number in a use of a result, as in `%x#2`. The parser makes room
/// for as many before it sees the op.
constexpr int64_t kMaxResultNumber = int64_t(1) << 20;

/// What is too much in a text, and where.
struct NestingFault {
  size_t line, column;
  llvm::StringRef text;
};

/// The first place of `text`, a module or a pass pipeline, that nests too deep
/// or names a result that no op can have.
/// Comments and strings do not count, and a line `// -----` starts anew.
std::optional<NestingFault> findDeepNesting(llvm::StringRef text);

/// The same for JSON.
std::optional<NestingFault> findDeepJsonNesting(llvm::StringRef text);

} // namespace mlir::dit

#endif // DIT_SUPPORT_NESTING_H
