//===- ParseModule.h - Modules for tests of analyses ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parses text into a module whose attentions are found by their sites.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_UNIT_DIALECT_DIT_ANALYSIS_PARSEMODULE_H
#define DIT_TEST_UNIT_DIALECT_DIT_ANALYSIS_PARSEMODULE_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"

namespace mlir::dit {

class ParsedModule {
public:
  explicit ParsedModule(StringRef text) {
    context.loadDialect<DitDialect, arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, scf::SCFDialect,
                        tensor::TensorDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
  }

  explicit operator bool() const { return static_cast<bool>(module); }

  ModuleOp getRoot() { return *module; }

  AttentionOp find(StringRef site) {
    AttentionOp found;
    module->walk([&](AttentionOp op) {
      if (op.getSite() == site)
        found = op;
    });
    return found;
  }

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace mlir::dit

#endif // DIT_TEST_UNIT_DIALECT_DIT_ANALYSIS_PARSEMODULE_H
