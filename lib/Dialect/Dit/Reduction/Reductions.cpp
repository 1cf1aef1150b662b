//===- Reductions.cpp - The reducer of functions --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's reduction tree applies all patterns to a range of ops at once and
// then tests; a pattern that spoils the test hides all others. So there is one
// pattern here, on functions: it tries one step at a time on a copy of the
// module, asks the tester, and keeps what stays interesting.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Reduction/Reductions.h"
#include "Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Reducer/ReductionPatternInterface.h"
#include "mlir/Reducer/Tester.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

static Steps collectSteps(Operation *op) {
  Steps steps;
  if (auto function = dyn_cast<FunctionOpInterface>(op)) {
    collectFunctionSteps(function, steps);
    return steps;
  }
  // What removes most comes first.
  collectGenericSteps(op, steps);
  collectDitSteps(op, steps);
  if (auto attention = dyn_cast<AttentionOp>(op))
    collectShrinkSteps(attention, steps);
  return steps;
}

static void eraseDeadOps(Operation *root, RewriterBase &rewriter) {
  SmallVector<Operation *> dead;
  do {
    dead.clear();
    root->walk([&](Operation *op) {
      if (op != root && isOpTriviallyDead(op))
        dead.push_back(op);
    });
    // Nested dead ops come before what holds them.
    for (Operation *op : dead)
      rewriter.eraseOp(op);
  } while (!dead.empty());
}

/// Carries out `step` at `op` in `function`.
static void take(const Step &step, Operation *op, Operation *function,
                 RewriterBase &rewriter) {
  rewriter.setInsertionPoint(op);
  step(op, rewriter);
  eraseDeadOps(function, rewriter);
}

/// Whether the module of `op` is valid and interesting after `step`.
static bool staysInteresting(const Step &step, Operation *op,
                             Operation *function, const Tester &tester) {
  auto module = op->getParentOfType<ModuleOp>();
  while (auto parent = module->getParentOfType<ModuleOp>())
    module = parent;
  IRMapping mapping;
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module->clone(mapping)));
  IRRewriter rewriter(module->getContext());
  take(step, mapping.lookup(op), mapping.lookup(function), rewriter);
  ScopedDiagnosticHandler silence(module->getContext(),
                                  [](Diagnostic &) { return success(); });
  return succeeded(verify(*copy)) &&
         tester.isInteresting(*copy).first == Tester::Interestingness::True;
}

/// The ops that steps may start at: `function` and its body, in order.
static SmallVector<Operation *> collectOps(Operation *function) {
  SmallVector<Operation *> ops;
  function->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!op->hasTrait<OpTrait::IsTerminator>())
      ops.push_back(op);
  });
  return ops;
}

/// Takes steps in `function` until none is left; whether there was any.
static bool reduceFunction(Operation *function, const Tester &tester,
                           RewriterBase &rewriter) {
  bool changed = false, progress = true;
  while (progress) {
    progress = false;
    SmallVector<Operation *> ops = collectOps(function);
    // From the end: without their users more ops are of no use.
    for (size_t left = ops.size(); left > 0; --left) {
      Operation *op = ops[left - 1];
      for (const Step &step : collectSteps(op)) {
        if (!staysInteresting(step, op, function, tester))
          continue;
        take(step, op, function, rewriter);
        changed = progress = true;
        ops = collectOps(function);
        left = std::min(left, ops.size()) + 1;
        break;
      }
    }
  }
  return changed;
}

namespace {

struct ReduceFunction : OpInterfaceRewritePattern<FunctionOpInterface> {
  ReduceFunction(MLIRContext *context, const Tester &tester)
      : OpInterfaceRewritePattern(context), tester(tester) {}

  LogicalResult matchAndRewrite(FunctionOpInterface op,
                                PatternRewriter &rewriter) const override {
    if (op.isExternal())
      return rewriter.notifyMatchFailure(op, "nothing to reduce");
    if (!reduceFunction(op, tester, rewriter))
      return rewriter.notifyMatchFailure(op, "no step stays interesting");
    return success();
  }

  const Tester &tester;
};

struct DitReductions : DialectReductionPatternInterface {
  explicit DitReductions(Dialect *dialect)
      : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &) const override {}

  void populateReductionPatternsWithTester(RewritePatternSet &patterns,
                                           Tester &tester) const override {
    patterns.add<ReduceFunction>(patterns.getContext(), tester);
  }
};

} // namespace

void mlir::dit::registerReductions(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DitDialect *dialect) {
    dialect->addInterfaces<DitReductions>();
    // What the steps put into programs.
    context->loadDialect<arith::ArithDialect, tensor::TensorDialect>();
  });
}
