//===- ModuleFile.h - Reading modules that may be damaged -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parsing of .mlir and .mlirbc files from outside.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_MODULEFILE_H
#define DIT_TARGET_MODULEFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::dit {

/// Keeps the first error of a context as one line of text instead of printing
/// diagnostics, for tools that report one line.
class FirstErrorHandler : public ScopedDiagnosticHandler {
public:
  explicit FirstErrorHandler(MLIRContext *context);
  bool hasError() const { return !text.empty(); }
  StringRef getText() const { return text; }

private:
  std::string text;
};

/// Parses and verifies a module, text or bytecode, for which the diagnostics of
/// `context` say what is wrong; null then. What nests so deep that working on
/// it could take all of the stack is wrong too (see dit/Support/Nesting.h).
OwningOpRef<ModuleOp> parseModule(std::unique_ptr<llvm::MemoryBuffer> buffer,
                                  MLIRContext *context);

/// Parses and verifies the module in the file `path`, text or bytecode.
///
/// Upstream's bytecode reader can crash or hang on damaged files, so a child
/// process reads the file first; after `timeoutSeconds` it is ended. Of
/// bytecode the caller reads only what the child wrote. To be called while the
/// process has one thread.
llvm::Expected<OwningOpRef<ModuleOp>>
parseModuleFile(StringRef path, MLIRContext *context,
                unsigned timeoutSeconds = 120);

/// Lets a child process read bytecode that may be damaged, and returns what it
/// wrote of it: the same module, as bytecode that is not damaged. An error has
/// all diagnostics. To be called while the process has one thread.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
rewriteBytecode(const llvm::MemoryBuffer &bytecode,
                const DialectRegistry &registry, bool allowUnregistered,
                bool verifyModule, unsigned timeoutSeconds = 120);

} // namespace mlir::dit

#endif // DIT_TARGET_MODULEFILE_H
