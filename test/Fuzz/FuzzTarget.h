//===- FuzzTarget.h - What the fuzz targets share ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A context for many runs, and the end of a run that found something.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_FUZZTARGET_H
#define DIT_TEST_FUZZ_FUZZTARGET_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <memory>

namespace mlir::dit {

/// Says what does not hold, and fails as a crash would.
[[noreturn]] inline void reportFinding(StringRef what) {
  llvm::errs() << "finding: " << what << '\n';
  std::abort();
}

/// A context without threads and diagnostics. Types and attributes live as long
/// as their context, so it is made anew once in a while.
class FuzzContext {
public:
  explicit FuzzContext(void (*registerDialects)(DialectRegistry &))
      : registerDialects(registerDialects) {}

  /// `release` is called before the context of earlier runs goes.
  MLIRContext *get(llvm::function_ref<void()> release = [] {}) {
    if (!context || ++runs % 1000 == 0) {
      release();
      DialectRegistry registry;
      registerDialects(registry);
      context = std::make_unique<MLIRContext>(registry,
                                              MLIRContext::Threading::DISABLED);
      context->getDiagEngine().registerHandler(
          [](Diagnostic &) { return success(); });
    }
    return context.get();
  }

private:
  void (*registerDialects)(DialectRegistry &);
  std::unique_ptr<MLIRContext> context;
  unsigned runs = 0;
};

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_FUZZTARGET_H
