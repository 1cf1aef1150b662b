//===- GenericSteps.cpp - Steps for any op and for functions --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model is mostly ops of other dialects, which have no reductions of their
// own.
//
//===----------------------------------------------------------------------===//

#include "Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value mlir::dit::detail::makePlaceholder(RewriterBase &rewriter, Location loc,
                                         Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    if (!tensor.hasStaticShape())
      return Value();
    return tensor::EmptyOp::create(rewriter, loc, tensor.getShape(),
                                   tensor.getElementType(),
                                   tensor.getEncoding());
  }
  TypedAttr zero;
  if (type.isIntOrIndexOrFloat())
    zero = rewriter.getZeroAttr(type);
  return zero ? arith::ConstantOp::create(rewriter, loc, zero) : Value();
}

/// Whether an op with a result of `type` can be replaced by a placeholder.
static bool hasPlaceholder(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.hasStaticShape();
  return type.isIntOrIndexOrFloat();
}

/// Whether all offsets are 0 and all strides 1.
template <typename SliceOp>
static bool startsAtZero(SliceOp op) {
  return llvm::all_of(op.getStaticOffsets(),
                      [](int64_t o) { return o == 0; }) &&
         llvm::all_of(op.getStaticStrides(), [](int64_t s) { return s == 1; });
}

Value mlir::dit::detail::takeFront(RewriterBase &rewriter, Location loc,
                                   Value value, RankedTensorType type) {
  if (value.getType() == type)
    return value;
  if (value.getDefiningOp<tensor::EmptyOp>())
    return makePlaceholder(rewriter, loc, type);
  // A slice of a slice is one slice.
  if (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>())
    if (startsAtZero(slice) &&
        slice.getSourceType().getRank() == type.getRank())
      value = slice.getSource();
  SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(type.getRank(), rewriter.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes;
  for (int64_t extent : type.getShape())
    sizes.push_back(rewriter.getIndexAttr(extent));
  return tensor::ExtractSliceOp::create(rewriter, loc, type, value, offsets,
                                        sizes, strides);
}

//===----------------------------------------------------------------------===//
// Any op
//===----------------------------------------------------------------------===//

/// For each result the first operand of its type; empty if there is none.
static SmallVector<unsigned> findStandIns(Operation *op) {
  SmallVector<unsigned> positions;
  for (Type type : op->getResultTypes()) {
    auto types = op->getOperandTypes();
    auto found = llvm::find(types, type);
    if (found == types.end())
      return {};
    positions.push_back(std::distance(types.begin(), found));
  }
  return positions;
}

/// Replaces `op` by the body of `block`, with `arguments` for its arguments.
static void inlineBlock(Operation *op, Block &block, ValueRange arguments,
                        RewriterBase &rewriter) {
  Operation *terminator = block.getTerminator();
  rewriter.inlineBlockBefore(&block, op, arguments);
  SmallVector<Value> results(terminator->getOperands());
  rewriter.eraseOp(terminator);
  rewriter.replaceOp(op, results);
}

/// A loop becomes its first iteration, a condition one of its branches.
static void collectControlFlowSteps(Operation *op, Steps &steps) {
  if (isa<scf::ForOp>(op))
    steps.push_back([](Operation *op, RewriterBase &rewriter) {
      auto loop = cast<scf::ForOp>(op);
      SmallVector<Value> arguments = {loop.getLowerBound()};
      llvm::append_range(arguments, loop.getInitArgs());
      inlineBlock(op, *loop.getBody(), arguments, rewriter);
    });
  if (auto condition = dyn_cast<scf::IfOp>(op))
    for (Region &region : condition->getRegions())
      if (!region.empty())
        steps.push_back([index = region.getRegionNumber()](
                            Operation *op, RewriterBase &rewriter) {
          inlineBlock(op, op->getRegion(index).front(), {}, rewriter);
        });
}

void mlir::dit::detail::collectGenericSteps(Operation *op, Steps &steps) {
  if (isa<SymbolOpInterface>(op) || isa<ModuleOp>(op))
    return;
  if (op->getNumResults() == 0) {
    steps.push_back(
        [](Operation *op, RewriterBase &rewriter) { rewriter.eraseOp(op); });
    return;
  }
  if (SmallVector<unsigned> positions = findStandIns(op); !positions.empty())
    steps.push_back([positions](Operation *op, RewriterBase &rewriter) {
      SmallVector<Value> values;
      for (unsigned position : positions)
        values.push_back(op->getOperand(position));
      rewriter.replaceOp(op, values);
    });
  collectControlFlowSteps(op, steps);
  bool isPlaceholder =
      isa<tensor::EmptyOp>(op) || matchPattern(op, m_Constant());
  if (!isPlaceholder && llvm::all_of(op->getResultTypes(), hasPlaceholder))
    steps.push_back([](Operation *op, RewriterBase &rewriter) {
      SmallVector<Value> values;
      for (Type type : op->getResultTypes())
        values.push_back(makePlaceholder(rewriter, op->getLoc(), type));
      rewriter.replaceOp(op, values);
    });
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// The type of the slices that are all that is used of `argument`, or null.
static RankedTensorType getUsedPart(BlockArgument argument) {
  RankedTensorType part;
  for (Operation *user : argument.getUsers()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    if (!slice || !startsAtZero(slice) || !slice.getType().hasStaticShape() ||
        slice.getType().getRank() != slice.getSourceType().getRank() ||
        (part && part != slice.getType()))
      return RankedTensorType();
    part = slice.getType();
  }
  return part;
}

/// Makes the type of the function that of its entry block and its return.
static void updateType(FunctionOpInterface function, Operation *terminator) {
  Block &entry = function.getFunctionBody().front();
  function.setType(
      cast<FunctionType>(function.getFunctionType())
          .clone(entry.getArgumentTypes(), terminator->getOperandTypes()));
}

static void dropArguments(FunctionOpInterface function) {
  BitVector unused(function.getNumArguments());
  for (BlockArgument argument : function.getArguments())
    if (argument.use_empty())
      unused.set(argument.getArgNumber());
  (void)function.eraseArguments(unused);
}

static void narrowArgument(FunctionOpInterface function, unsigned index,
                           RewriterBase &rewriter) {
  BlockArgument argument = function.getArgument(index);
  RankedTensorType part = getUsedPart(argument);
  for (Operation *user : llvm::make_early_inc_range(argument.getUsers()))
    rewriter.replaceOp(user, argument);
  argument.setType(part);
}

/// A step that makes the function return what `choose` makes of result `index`.
static Step returnInstead(unsigned index,
                          std::function<Value(OpResult)> choose) {
  return [=](Operation *op, RewriterBase &) {
    auto function = cast<FunctionOpInterface>(op);
    Operation *terminator = function.getFunctionBody().front().getTerminator();
    auto result = cast<OpResult>(terminator->getOperand(index));
    terminator->setOperand(index, choose(result));
    updateType(function, terminator);
  };
}

/// Steps for the result `index` of a function, which is `value`.
static void collectReturnSteps(Value value, unsigned index, Steps &steps) {
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return;
  // The first result of an op is the main one: o rather than the LSE.
  if (result.getResultNumber() > 0)
    steps.push_back(returnInstead(index, [](OpResult result) {
      return result.getOwner()->getResult(0);
    }));
  // The last op is not needed if what it works on will do.
  for (OpOperand &operand : result.getOwner()->getOpOperands())
    if (isa<TensorType>(operand.get().getType()) &&
        operand.get().getDefiningOp())
      steps.push_back(returnInstead(
          index, [position = operand.getOperandNumber()](OpResult result) {
            return result.getOwner()->getOperand(position);
          }));
}

static void collectResultSteps(FunctionOpInterface function, Steps &steps) {
  Operation *terminator = function.getFunctionBody().front().getTerminator();
  for (unsigned i = 0; i < terminator->getNumOperands(); ++i) {
    steps.push_back([i](Operation *op, RewriterBase &rewriter) {
      auto function = cast<FunctionOpInterface>(op);
      BitVector dropped(function.getNumResults());
      dropped.set(i);
      function.getFunctionBody().front().getTerminator()->eraseOperand(i);
      (void)function.eraseResults(dropped);
    });
    collectReturnSteps(terminator->getOperand(i), i, steps);
  }
}

void mlir::dit::detail::collectFunctionSteps(FunctionOpInterface function,
                                             Steps &steps) {
  auto module = function->getParentOfType<ModuleOp>();
  // Calls would have to change with the type.
  if (function.isExternal() || !isa<FunctionType>(function.getFunctionType()) ||
      !llvm::hasSingleElement(function.getFunctionBody()) ||
      !SymbolTable::symbolKnownUseEmpty(function, module))
    return;
  if (llvm::any_of(function.getArguments(),
                   [](BlockArgument arg) { return arg.use_empty(); }))
    steps.push_back([](Operation *op, RewriterBase &) {
      dropArguments(cast<FunctionOpInterface>(op));
    });
  collectResultSteps(function, steps);
  for (BlockArgument argument : function.getArguments())
    if (getUsedPart(argument))
      steps.push_back([index = argument.getArgNumber()](
                          Operation *op, RewriterBase &rewriter) {
        auto function = cast<FunctionOpInterface>(op);
        narrowArgument(function, index, rewriter);
        updateType(function,
                   function.getFunctionBody().front().getTerminator());
      });
}
