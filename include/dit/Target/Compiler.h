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
#include "dit/Target/ParameterFiles.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/Error.h"

#include <chrono>

namespace mlir::dit {

/// A compiled module.
struct CompiledObject {
  /// An ELF relocatable object.
  SmallVector<char, 0> object;
  SmallVector<EntryPoint> entries;
  SmallVector<ExternalParameter> parameters;
};

/// Seconds that the phases of a compilation took.
struct CompileTimes {
  /// Reading modules from files, or finding the program in a cache.
  double load = 0;
  /// MLIR's passes.
  double lower = 0;
  /// From the LLVM dialect to LLVM IR.
  double translate = 0;
  double optimize = 0;
  double codegen = 0;
  /// Making the code ready to be called.
  double link = 0;

  double getTotal() const {
    return load + lower + translate + optimize + codegen + link;
  }
};

/// Adds the time it lives to a phase of `times`, which may be null.
class CompileTimer {
public:
  CompileTimer(CompileTimes *times, double CompileTimes::*phase)
      : times(times), phase(phase), start(std::chrono::steady_clock::now()) {}
  ~CompileTimer() {
    if (times)
      times->*phase += std::chrono::duration<double>(
                           std::chrono::steady_clock::now() - start)
                           .count();
  }
  CompileTimer(const CompileTimer &) = delete;
  CompileTimer &operator=(const CompileTimer &) = delete;

private:
  CompileTimes *times;
  double CompileTimes::*phase;
  std::chrono::steady_clock::time_point start;
};

struct CompileOptions {
  /// 0 to 3. 3 runs LLVM's vectorizers.
  unsigned optLevel = 3;
  /// If not empty, the C name of the only entry.
  std::string cName;
  /// If not null, these hold the weights of the program, all of them, and the
  /// object gets copies.
  const ParameterFiles *parameters = nullptr;
  /// Where the LLVM IR goes before and after optimization, if not null.
  raw_ostream *dumpLLVM = nullptr;
  /// Where the times of the phases go, if not null.
  CompileTimes *times = nullptr;
};

/// Registers what `compileToObject` needs to translate a module.
void registerTranslations(DialectRegistry &registry);

/// Compiles `module`, in the LLVM dialect, for the host's processor.
llvm::Expected<CompiledObject> compileToObject(ModuleOp module,
                                               const CompileOptions &options);

} // namespace mlir::dit

#endif // DIT_TARGET_COMPILER_H
