//===- DitToCPU.cpp - dit ops on memrefs to CPU kernels -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/DitToCPU.h"

#include "BackwardEmitter.h"
#include "ForwardEmitter.h"
#include "Kernels.h"
#include "dit/Conversion/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::dit {
#define GEN_PASS_DEF_CONVERTDITTOCPU
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

//===----------------------------------------------------------------------===//
// Call sites
//===----------------------------------------------------------------------===//

OperandView mlir::dit::cpu::getIdentityView(Value value) {
  auto type = cast<MemRefType>(value.getType());
  OperandView view{value, {}, llvm::to_vector(type.getShape()), {}};
  for (int64_t d = 0; d < type.getRank(); ++d)
    view.dims.push_back(d);
  return view;
}

LogicalResult mlir::dit::cpu::callOnViews(
    Operation *op, KernelBuilder &kb, ArrayRef<OperandView> operands,
    ValueRange scalars, llvm::function_ref<func::FuncOp(TypeRange)> getKernel) {
  SmallVector<Type> types;
  for (const OperandView &operand : operands) {
    MemRefType type = KernelLibrary::getViewType(operand);
    if (!type)
      return op->emitOpError()
             << "expected operands with a strided layout to call a kernel, got "
             << operand.source.getType();
    types.push_back(type);
  }
  llvm::append_range(types, scalars.getTypes());
  SmallVector<Value> arguments;
  for (const OperandView &operand : operands)
    arguments.push_back(KernelLibrary::createView(kb, op->getLoc(), operand));
  llvm::append_range(arguments, scalars);
  func::CallOp::create(kb, getKernel(types), arguments);
  return success();
}

LogicalResult mlir::dit::cpu::callSimpleKernel(
    Operation *op, KernelBuilder &kb, KernelLibrary &library,
    ArrayRef<OperandView> operands, ValueRange scalars,
    llvm::function_ref<void(KernelBuilder &, ValueRange)> emitBody) {
  return callOnViews(op, kb, operands, scalars, [&](TypeRange types) {
    SmallVector<Attribute> key = {op->getName().getIdentifier(),
                                  op->getAttrDictionary()};
    for (Type type : types)
      key.push_back(TypeAttr::get(type));
    std::string name = "dit_" + op->getName().stripDialect().str();
    return library.getOrCreate(kb.getArrayAttr(key), name, types, op->getLoc(),
                               [&](KernelBuilder &body, func::FuncOp func) {
                                 emitBody(body, func.getArguments());
                               });
  });
}

/// A view of an attention operand with the dimensions `letters`.
static OperandView getAttentionView(Value value, DimOrderAttr order,
                                    ArrayRef<int64_t> shape) {
  OperandView view{value, {}, llvm::to_vector(shape), {}};
  for (char letter : StringRef("bhsd")) {
    std::optional<unsigned> position = order.position(letter);
    view.dims.push_back(position ? static_cast<int64_t>(*position) : -1);
  }
  return view;
}

/// A view that repeats dimensions of extent 1 up to `shape`, whose unknown
/// extents are `extents`.
static OperandView getBroadcastView(Value value, ArrayRef<int64_t> shape,
                                    ArrayRef<Value> extents) {
  OperandView view = getIdentityView(value);
  for (auto [i, extent] : llvm::enumerate(shape))
    view.shape[i] = extent;
  view.extents = llvm::to_vector(extents);
  view.extents.resize(view.shape.size());
  return view;
}

namespace {

/// The views of the operands of an attention or its gradient.
class AttentionViews {
public:
  AttentionViews(AttentionOpInterface op, KernelBuilder &kb);

  /// Adds the operand `name`, which has a dimension order.
  void addOrdered(StringRef name);
  void addIdentity(Value value) {
    if (value)
      views.push_back(getIdentityView(value));
  }
  /// Adds the bias, the tile list and kv_valid.
  void addMask();

  SmallVector<OperandView> views;

private:
  /// The value of an extent, from the first operand of `role`.
  Value getExtent(OperandRole role, char letter);

  AttentionOpInterface op;
  KernelBuilder &kb;
  SmallVector<OrderedOperand> operands;
};

} // namespace

AttentionViews::AttentionViews(AttentionOpInterface op, KernelBuilder &kb)
    : op(op), kb(kb), operands(op.getOrderedOperands()) {}

Value AttentionViews::getExtent(OperandRole role, char letter) {
  const OrderedOperand *operand =
      llvm::find_if(operands, [&](const OrderedOperand &operand) {
        return operand.role == role;
      });
  std::optional<unsigned> position = operand->order.position(letter);
  return position ? kb.dim(operand->getValue(), *position) : kb.index(1);
}

void AttentionViews::addOrdered(StringRef name) {
  const OrderedOperand &operand =
      *llvm::find_if(operands, [&](const OrderedOperand &operand) {
        return operand.name == name;
      });
  bool ofKeys =
      operand.role == OperandRole::Key || operand.role == OperandRole::Value;
  bool ofScores =
      operand.role == OperandRole::Query || operand.role == OperandRole::Key;
  int64_t shape[] = {op.getBatch(),
                     ofKeys ? op.getNumKVHeads() : op.getNumQueryHeads(),
                     ofKeys ? op.getKVLength() : op.getQueryLength(),
                     ofScores ? op.getHeadSize() : op.getValueHeadSize()};
  views.push_back(getAttentionView(operand.getValue(), operand.order, shape));
}

void AttentionViews::addMask() {
  int64_t batch = op.getBatch(), heads = op.getNumQueryHeads();
  // Values of the unknown extents, for operands that broadcast.
  Value batchValue = getExtent(OperandRole::Query, 'b');
  Value headsValue = getExtent(OperandRole::Query, 'h');
  if (Value bias = op.getBias())
    views.push_back(getBroadcastView(
        bias, {batch, heads, op.getQueryLength(), op.getKVLength()},
        {batchValue, headsValue, getExtent(OperandRole::Query, 's'),
         getExtent(OperandRole::Key, 's')}));
  if (op.hasTiles())
    for (Value list : {op.getTileNum(), op.getTileIdx()})
      views.push_back(
          getBroadcastView(list, {batch, heads}, {batchValue, headsValue}));
  addIdentity(op.getKvValid());
}

LogicalResult mlir::dit::cpu::callKernel(AttentionOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  AttentionViews views(op, kb);
  for (StringRef name : {"q", "k", "v"})
    views.addOrdered(name);
  views.addMask();
  views.addOrdered("output");
  views.addIdentity(op.getLse());
  views.addIdentity(op.getHalfWidths());
  return callOnViews(op, kb, views.views, {}, [&](TypeRange types) {
    return ForwardEmitter(op, library).getKernel(types);
  });
}

LogicalResult mlir::dit::cpu::callKernel(AttentionPairOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  AttentionViews views(op, kb);
  for (StringRef name : {"q", "k", "v"})
    views.addOrdered(name);
  views.addMask();
  for (StringRef name : {"output", "inner"})
    views.addOrdered(name);
  views.addIdentity(op.getHalfWidths());
  return callOnViews(op, kb, views.views, {}, [&](TypeRange types) {
    return ForwardEmitter(op, library).getKernel(types);
  });
}

LogicalResult mlir::dit::cpu::callKernel(AttentionBackwardOp op,
                                         KernelBuilder &kb,
                                         KernelLibrary &library) {
  AttentionViews views(op, kb);
  for (StringRef name : {"q", "k", "v", "o"})
    views.addOrdered(name);
  views.addIdentity(op.getLse());
  views.addOrdered("do");
  views.addMask();
  for (StringRef name : {"dq", "dk", "dv"})
    views.addOrdered(name);
  return callOnViews(op, kb, views.views, {}, [&](TypeRange types) {
    return BackwardEmitter(op, library).getKernel(types);
  });
}

//===----------------------------------------------------------------------===//
// The conversion
//===----------------------------------------------------------------------===//

/// The compute ops that have kernels.
static bool isComputeOp(Operation *op) {
  return isa<AttentionOp, AttentionPairOp, AttentionBackwardOp,
             AttentionMergeOp, LowRankScoreOp, TopkMaskOp, TilesUnionOp,
             TilesSliceOp, TilesTransposeOp, GroupTokensOp, UngroupTokensOp>(
      op);
}

static LogicalResult convert(Operation *op, KernelLibrary &library) {
  if (llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
    return op->emitOpError() << "expected memref operands to call a kernel; "
                                "bufferize the module first";
  KernelBuilder kb(op->getLoc(), OpBuilder(op));
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case<AttentionOp, AttentionPairOp, AttentionBackwardOp,
                AttentionMergeOp, LowRankScoreOp, TopkMaskOp, TilesUnionOp,
                TilesSliceOp, TilesTransposeOp, GroupTokensOp, UngroupTokensOp>(
              [&](auto typed) { return callKernel(typed, kb, library); })
          .Default([](Operation *) { return failure(); });
  if (succeeded(result))
    op->erase();
  return result;
}

/// Makes one call of the two ops and drops the scores between them.
static LogicalResult convert(LowRankScoreOp score, TopkMaskOp op,
                             KernelLibrary &library) {
  KernelBuilder kb(op->getLoc(), OpBuilder(op));
  Operation *alloc = op.getScores().getDefiningOp();
  if (failed(callKernel(score, op, kb, library)))
    return failure();
  op->erase();
  score->erase();
  if (alloc->use_empty())
    alloc->erase();
  return success();
}

LogicalResult mlir::dit::convertDitToCPU(ModuleOp module,
                                         const CPUTarget &target,
                                         int64_t &numKernels,
                                         int64_t &numCalls) {
  KernelLibrary library(module, target);
  SmallVector<TopkMaskOp> selections;
  module.walk([&](TopkMaskOp op) { selections.push_back(op); });
  for (TopkMaskOp op : selections) {
    LowRankScoreOp score = findScoresToSelect(op);
    if (!score)
      continue;
    if (failed(convert(score, op, library)))
      return failure();
    ++numCalls;
  }
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isComputeOp(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    if (failed(convert(op, library)))
      return failure();
  numKernels = library.getNumKernels();
  numCalls += ops.size();
  return success();
}

namespace {

struct ConvertDitToCPUPass
    : public dit::impl::ConvertDitToCPUBase<ConvertDitToCPUPass> {
  using ConvertDitToCPUBase::ConvertDitToCPUBase;

  void runOnOperation() override {
    CPUTarget given;
    given.vectorBits = vectorBits;
    given.vectorRegisters = registers;
    if (bf16Dot >= 0)
      given.bf16Dot = bf16Dot != 0;
    if (compress >= 0)
      given.compress = compress != 0;
    given.l1Bytes = l1Bytes;
    given.l2Bytes = l2Bytes;
    ModuleOp module = getOperation();
    CPUTarget target = given.resolve(module);
    // One f64 is the smallest vector of the widest type.
    if (target.vectorBits < 64 || !llvm::isPowerOf2_64(target.vectorBits) ||
        target.vectorRegisters < 4) {
      mlir::emitError(module.getLoc())
          << "expected vectors of a power of two of at least 64 "
             "bits and at least 4 registers, got "
          << target.vectorBits << " bits and " << target.vectorRegisters
          << " registers";
      return signalPassFailure();
    }
    int64_t kernels = 0, calls = 0;
    if (failed(convertDitToCPU(module, target, kernels, calls)))
      return signalPassFailure();
    numKernels += kernels;
    numCalls += calls;
  }
};

} // namespace
