//===- OutlineKernels.cpp - One function per distinct linalg op -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-outline-kernels. Two ops share a function if the functions
// that hold them print alike.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::dit {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

class KernelOutliner {
public:
  explicit KernelOutliner(ModuleOp module) : module(module), symbols(module) {}

  /// Replaces `op` by a call.
  void outline(linalg::LinalgOp op);

  unsigned getNumKernels() const { return kernels.size(); }

private:
  func::FuncOp buildKernel(linalg::LinalgOp op, ValueRange arguments,
                           ArrayRef<Operation *> constants);

  ModuleOp module;
  SymbolTable symbols;
  /// By printed form under a common name.
  llvm::StringMap<func::FuncOp> kernels;
};

struct OutlineKernelsPass
    : public mlir::dit::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    KernelOutliner outliner(getOperation());
    for (linalg::LinalgOp op : ops)
      outliner.outline(op);
    numOutlined += ops.size();
    numKernels += outliner.getNumKernels();
  }
};

} // namespace

/// A private function with clones of `constants` and of `op`, not in the module
/// yet. LLVM must not undo the work by inlining.
func::FuncOp KernelOutliner::buildKernel(linalg::LinalgOp op,
                                         ValueRange arguments,
                                         ArrayRef<Operation *> constants) {
  MLIRContext *context = op.getContext();
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  std::string name = "dit_" + op->getName().getStringRef().str();
  llvm::replace(name, '.', '_');
  auto kernel = func::FuncOp::create(
      builder, loc, name,
      builder.getFunctionType(arguments.getTypes(), TypeRange()));
  kernel.setPrivate();
  kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  Block *body = kernel.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(arguments, body->getArguments());
  for (Operation *constant : constants)
    builder.clone(*constant, mapping);
  builder.clone(*op, mapping);
  func::ReturnOp::create(builder, loc);
  return kernel;
}

void KernelOutliner::outline(linalg::LinalgOp op) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  SmallVector<Value> arguments;
  SmallVector<Operation *> constants;
  for (Value value : used) {
    if (matchPattern(value, m_Constant()))
      constants.push_back(value.getDefiningOp());
    else
      arguments.push_back(value);
  }
  func::FuncOp kernel = buildKernel(op, arguments, constants);
  std::string key;
  llvm::raw_string_ostream os(key);
  kernel.print(os, OpPrintingFlags().useLocalScope().printGenericOpForm());
  auto [known, isNew] = kernels.try_emplace(key, kernel);
  if (isNew)
    symbols.insert(kernel);
  else
    kernel->erase();
  OpBuilder builder(op);
  func::CallOp::create(builder, op->getLoc(), known->second, arguments);
  op->erase();
}
