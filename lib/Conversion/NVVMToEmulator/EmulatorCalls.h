//===- EmulatorCalls.h - Calls of the emulator's functions ------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the converters of threads and of launches share: symbols of the module,
// declared or made when they are first used.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_NVVMTOEMULATOR_EMULATORCALLS_H
#define DIT_LIB_CONVERSION_NVVMTOEMULATOR_EMULATORCALLS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::dit::emulator {

class EmulatorCalls {
public:
  explicit EmulatorCalls(ModuleOp module) : symbols(module) {}

  SymbolTable &getSymbols() { return symbols; }

  /// Calls `name` of dit/Emulator/Emulator.h; `result` may be null. Pointers
  /// are brought to the generic address space. `place` is what reports shall
  /// say of `op`, if the function takes it.
  Value call(ImplicitLocOpBuilder &builder, StringRef name, Type result,
             ValueRange arguments, Operation *op = nullptr);

  /// A constant string that ends with a zero.
  Value getText(ImplicitLocOpBuilder &builder, StringRef text);

private:
  SymbolTable symbols;
  llvm::StringMap<LLVM::GlobalOp> texts;
};

/// `file:line:column: name` of an operation.
std::string describePlace(Operation *op);

/// Memory on the stack of the function that `builder` is in, for `count`
/// elements of `type`.
Value allocateOnStack(ImplicitLocOpBuilder &builder, Type type, int64_t count);

} // namespace mlir::dit::emulator

#endif // DIT_LIB_CONVERSION_NVVMTOEMULATOR_EMULATORCALLS_H
