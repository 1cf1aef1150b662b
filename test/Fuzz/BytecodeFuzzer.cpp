//===- BytecodeFuzzer.cpp - Fuzz target: bytecode of modules --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reader is upstream's and crashes on some damaged files, which is why our
// tools read them in a child process first; what is of interest here are our
// own frames. Inputs are text that becomes bytecode, of which a few bytes are
// then changed, so that most of the file stays readable.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mlir::dit;

static void registerDialects(DialectRegistry &registry) {
  registry.insert<DitDialect, arith::ArithDialect, func::FuncDialect,
                  scf::SCFDialect, tensor::TensorDialect>();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzContext fuzzContext(registerDialects);
  StringRef bytes(reinterpret_cast<const char *>(data), size);
  auto module =
      parseSourceString<ModuleOp>(bytes, ParserConfig(fuzzContext.get()));
  return module ? 0 : -1;
}
