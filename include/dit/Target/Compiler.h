//===- Compiler.h - From the LLVM dialect to machine code -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Turns a module of exported functions, lowered to the LLVM dialect, into an
// object for the host. The just-in-time and the ahead-of-time path share it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_COMPILER_H
#define DIT_TARGET_COMPILER_H

#include "dit/Target/EntryPoints.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/Error.h"

namespace mlir::dit {

/// A compiled module.
struct CompiledObject {
  /// An ELF relocatable object.
  SmallVector<char, 0> object;
  SmallVector<EntryPoint> entries;
  SmallVector<ExternalParameter> parameters;
};

struct CompileOptions {
  /// 0 to 3. 3 runs LLVM's vectorizers.
  unsigned optLevel = 3;
  /// If not empty, the C name of the only entry.
  std::string cName;
  /// Where the LLVM IR goes before and after optimization, if not null.
  raw_ostream *dumpLLVM = nullptr;
};

/// Registers what `compileToObject` needs to translate a module.
void registerTranslations(DialectRegistry &registry);

/// Compiles `module`, in the LLVM dialect, for the host's processor.
llvm::Expected<CompiledObject> compileToObject(ModuleOp module,
                                               const CompileOptions &options);

} // namespace mlir::dit

#endif // DIT_TARGET_COMPILER_H
