//===- ObjectFormat.h - Compiled objects as bytes ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writing a compiled module, with all that is known of its entries, and reading
// it back.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_OBJECTFORMAT_H
#define DIT_TARGET_OBJECTFORMAT_H

#include "dit/Target/Compiler.h"

#include <optional>
#include <string>

namespace mlir::dit {

/// Everything about `object` but its code, as JSON; none if a name is not
/// UTF-8.
std::optional<std::string> describeObject(const CompiledObject &object);

/// The object with this description and code; none if the description is not
/// one that `describeObject` writes.
std::optional<CompiledObject>
rebuildObject(StringRef description, StringRef code, MLIRContext *context);

} // namespace mlir::dit

#endif // DIT_TARGET_OBJECTFORMAT_H
