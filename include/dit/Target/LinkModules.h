//===- LinkModules.h - One module from several ------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linking on the level of IR, so that a sampling loop and the model it calls
// are compiled as one program.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_LINKMODULES_H
#define DIT_TARGET_LINKMODULES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace mlir::dit {

/// Moves everything from `library` into `program`.
///
/// A function that `program` declares and `library` defines as public resolves
/// the declaration; their types must be equal. What comes from `library` is
/// private afterwards, and its symbols are renamed where `program` uses the
/// name for something else. Both must be of one context, which keeps their
/// resources apart. On an error `program` is as it was.
llvm::Error linkModules(ModuleOp program, OwningOpRef<ModuleOp> library);

/// Reads the module in `file` and links those in `libraries`, given by path, to
/// it. All functions that are used must be defined. Errors name the file.
llvm::Expected<OwningOpRef<ModuleOp>>
loadModules(StringRef file, ArrayRef<std::string> libraries,
            MLIRContext *context);

/// The functions that `program` declares and calls but nothing defines.
SmallVector<StringRef> getUnresolvedFunctions(ModuleOp program);

} // namespace mlir::dit

#endif // DIT_TARGET_LINKMODULES_H
