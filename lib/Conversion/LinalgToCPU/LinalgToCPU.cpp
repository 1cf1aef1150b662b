//===- LinalgToCPU.cpp - linalg on memrefs to vector kernels --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Moves each linalg op into a function of its own, shared by all ops that
// read the same, and emits its loops there. Layers of a model repeat the same
// few ops on the same shapes, so this keeps the code that LLVM sees small.
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/CPUTarget.h"
#include "dit/Conversion/Passes.h"

#include "GenericEmitter.h"
#include "MatmulEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::dit {
#define GEN_PASS_DEF_CONVERTLINALGTOCPU
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Marks the product of a kernel that ignores the old contents of its output.
static constexpr StringLiteral kOverwriteAttr = "dit.overwrite";

/// The loop around `op` whose iterations run on several threads, if any.
static Operation *findTaskLoop(Operation *op) {
  Operation *task = nullptr;
  while ((op = op->getParentOp()))
    if (isa<scf::ParallelOp>(op))
      task = op;
  return task;
}

/// Writes copies between different layouts as linalg ops, so that they become
/// vector loops too; others are one memcpy.
static void generalizeCopies(ModuleOp module) {
  module.walk([](memref::CopyOp copy) {
    auto source = dyn_cast<MemRefType>(copy.getSource().getType());
    auto target = dyn_cast<MemRefType>(copy.getTarget().getType());
    if (!source || !target ||
        (source.getLayout().isIdentity() && target.getLayout().isIdentity()))
      return;
    OpBuilder builder(copy);
    AffineMap map = builder.getMultiDimIdentityMap(source.getRank());
    SmallVector<utils::IteratorType> iterators(source.getRank(),
                                               utils::IteratorType::parallel);
    linalg::GenericOp::create(
        builder, copy.getLoc(), copy.getSource(), copy.getTarget(),
        ArrayRef{map, map}, iterators,
        [](OpBuilder &inner, Location loc, ValueRange args) {
          linalg::YieldOp::create(inner, loc, args.front());
        });
    copy.erase();
  });
}

/// The fill with zeros that alone wrote `value` before `op`, if there is one.
static linalg::FillOp findZeroFill(linalg::LinalgOp op, Value value) {
  if (!value.getDefiningOp<memref::AllocOp>() &&
      !value.getDefiningOp<memref::AllocaOp>())
    return {};
  for (Operation *before = op->getPrevNode(); before;
       before = before->getPrevNode()) {
    bool uses = false;
    before->walk([&](Operation *inner) {
      uses |= llvm::is_contained(inner->getOperands(), value);
    });
    if (!uses)
      continue;
    auto fill = dyn_cast<linalg::FillOp>(before);
    if (!fill || fill.getOutputs().front() != value ||
        !matchPattern(fill.getInputs().front(), m_AnyZeroFloat()))
      return {};
    return fill;
  }
  return {};
}

/// The values that `op` and its regions take from around it.
static llvm::SetVector<Value> getUsedValues(Operation *op) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  return used;
}

namespace {

/// Moves ops to functions and remembers which there are.
class KernelOutliner {
public:
  KernelOutliner(ModuleOp module) : symbols(module) {}

  /// Replaces `op` by a call; a new function is appended to `created`.
  void outline(Operation *op, SmallVectorImpl<func::FuncOp> &created);

private:
  func::FuncOp buildFunction(Operation *op, ValueRange operands);

  SymbolTable symbols;
  /// Functions by their text, which leaves out names and places.
  llvm::StringMap<func::FuncOp> functions;
};

} // namespace

static StringRef getKernelName(Operation *op) {
  return isa<scf::ParallelOp>(op) ? "rows" : op->getName().stripDialect();
}

/// A function of `operands` that holds a copy of `op` and of the constants that
/// it uses.
func::FuncOp KernelOutliner::buildFunction(Operation *op, ValueRange operands) {
  Location loc = op->getLoc();
  OpBuilder builder(op->getContext());
  auto function =
      func::FuncOp::create(loc, "linalg_" + getKernelName(op).str(),
                           builder.getFunctionType(operands.getTypes(), {}));
  function.setPrivate();
  function.setNoInline(true);
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  func::ReturnOp::create(builder, loc);
  builder.setInsertionPointToStart(entry);
  IRMapping mapping;
  mapping.map(operands, entry->getArguments());
  for (Value value : getUsedValues(op))
    if (!mapping.contains(value))
      builder.clone(*value.getDefiningOp(), mapping);
  builder.clone(*op, mapping);
  return function;
}

void KernelOutliner::outline(Operation *op,
                             SmallVectorImpl<func::FuncOp> &created) {
  SmallVector<Value> operands;
  for (Value value : getUsedValues(op))
    if (!matchPattern(value, m_Constant()))
      operands.push_back(value);
  func::FuncOp function = buildFunction(op, operands);
  std::string key;
  llvm::raw_string_ostream stream(key);
  function.print(stream,
                 OpPrintingFlags().useLocalScope().elideLargeElementsAttrs());
  auto [entry, inserted] = functions.try_emplace(key, function);
  if (inserted) {
    symbols.insert(function);
    created.push_back(function);
  } else {
    function.erase();
    function = entry->second;
  }
  OpBuilder builder(op);
  func::CallOp::create(builder, op->getLoc(), function, operands);
  op->erase();
}

namespace {

struct ConvertLinalgToCPUPass
    : dit::impl::ConvertLinalgToCPUBase<ConvertLinalgToCPUPass> {
  using ConvertLinalgToCPUBase::ConvertLinalgToCPUBase;

  void runOnOperation() override;

private:
  void emitKernel(linalg::LinalgOp op, int64_t bits);
};

} // namespace

void ConvertLinalgToCPUPass::emitKernel(linalg::LinalgOp op, int64_t bits) {
  OpBuilder builder(op);
  if (std::optional<MatmulPlan> plan = MatmulPlan::get(op, bits)) {
    emitMatmul(builder, op, *plan, op->hasAttr(kOverwriteAttr));
    ++numPacked;
  } else {
    GenericPlan generic = GenericPlan::get(op, bits / 32);
    GenericEmitter(builder, op, generic).emit();
    numScalar += generic.strategy == VectorStrategy::Scalar;
  }
  op->erase();
}

void ConvertLinalgToCPUPass::runOnOperation() {
  ModuleOp module = getOperation();
  CPUTarget given;
  given.vectorBits = vectorBits;
  int64_t bits = given.resolve(module).vectorBits;
  // One f64 is the smallest vector of the widest type.
  if (bits < 64 || !llvm::isPowerOf2_64(bits)) {
    mlir::emitError(module.getLoc())
        << "expected vectors of a power of two of at least 64 "
           "bits, got "
        << bits;
    return signalPassFailure();
  }
  generalizeCopies(module);
  SmallVector<linalg::LinalgOp> ops;
  llvm::SetVector<Operation *> roots;
  module.walk([&](linalg::LinalgOp op) {
    if (op.hasPureBufferSemantics())
      ops.push_back(op);
  });
  for (linalg::LinalgOp op : ops) {
    Operation *root = op;
    if (Operation *task = findTaskLoop(op)) {
      op->setAttr(kSerialAttr, UnitAttr::get(&getContext()));
      root = task;
    }
    if (!MatmulPlan::get(op, bits)) {
      roots.insert(root);
      continue;
    }
    if (linalg::FillOp fill = findZeroFill(op, op.getDpsInits().front())) {
      op->setAttr(kOverwriteAttr, UnitAttr::get(&getContext()));
      roots.remove(fill);
      fill->erase();
    }
    roots.insert(root);
  }
  KernelOutliner outliner(module);
  SmallVector<func::FuncOp> created;
  for (Operation *root : roots) {
    SmallVector<Operation *> kernels;
    root->walk([&](linalg::LinalgOp op) { kernels.push_back(op); });
    // Loops call kernels, too, which they share with other loops.
    if (!isa<linalg::LinalgOp>(root))
      kernels.push_back(root);
    for (Operation *kernel : kernels)
      outliner.outline(kernel, created);
    numCalls += kernels.size();
  }
  for (func::FuncOp function : created) {
    SmallVector<linalg::LinalgOp> inner;
    function.walk([&](linalg::LinalgOp op) { inner.push_back(op); });
    for (linalg::LinalgOp op : inner)
      emitKernel(op, bits);
  }
  numKernels += created.size();
}
