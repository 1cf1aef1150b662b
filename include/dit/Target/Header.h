//===- Header.h - C headers of compiled functions ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The declaration of a compiled entry, with all that its caller must know.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_HEADER_H
#define DIT_TARGET_HEADER_H

#include "dit/Target/Compiler.h"

#include "llvm/Support/raw_ostream.h"

namespace mlir::dit {

/// Writes a C header for the entries of `object`. `source` and `target` say in
/// its first line where the code comes from.
void emitHeader(raw_ostream &os, const CompiledObject &object, StringRef source,
                StringRef target);

} // namespace mlir::dit

#endif // DIT_TARGET_HEADER_H
