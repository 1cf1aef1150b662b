//===- ParserFuzzer.cpp - Fuzz target: text of modules --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parses and verifies text. What is accepted has to come back the same from
// its custom and its generic form, and patterns must answer about any tile.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"
#include "TextMutator.h"

#include "dit/Dialect/Dit/IR/Dit.h"
#include "dit/Support/Nesting.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::dit;

static void registerDialects(DialectRegistry &registry) {
  registry
      .insert<DitDialect, arith::ArithDialect, func::FuncDialect,
              memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect>();
}

static std::string print(ModuleOp module, bool generic) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  module.print(os, generic ? flags.printGenericOpForm() : flags);
  return text;
}

static void checkPatterns(ModuleOp module) {
  module.walk([](AttentionOp op) {
    if (!op.getPattern())
      return;
    PatternShape shape{op.getQueryLength(), op.getKVLength()};
    simplifyPattern(*op.getPattern(), shape);
  });
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzContext fuzzContext(registerDialects);
  MLIRContext *context = fuzzContext.get();
  ParserConfig config(context);
  // The lexer reads the zero behind a text.
  std::string owned(reinterpret_cast<const char *>(data), size);
  StringRef text = owned;
  // As tools do.
  if (findDeepNesting(text))
    return -1;
  auto module = parseSourceString<ModuleOp>(text, config);
  if (!module)
    return -1;
  checkPatterns(*module);
  for (bool generic : {false, true}) {
    std::string once = print(*module, generic);
    auto again = parseSourceString<ModuleOp>(once, config);
    // Only modules of ours: upstream has ops that do not print what they parse.
    bool ours = !text.contains("memref.") && !text.contains("tensor.");
    if (ours && (!again || print(*again, generic) != once))
      reportFinding("a module does not come back from its text:\n" + once);
  }
  PassManager pm(context);
  pm.addPass(createCanonicalizerPass());
  (void)pm.run(*module);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  return mutateText(data, size, maxSize, seed);
}
