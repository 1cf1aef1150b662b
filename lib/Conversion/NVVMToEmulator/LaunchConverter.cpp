//===- LaunchConverter.cpp - Launches to calls of the emulator ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arguments go as the CUDA driver takes them: an array of pointers to them. A
// memref is the pointers, offset, sizes and strides that upstream's calling
// convention makes of it.
//
//===----------------------------------------------------------------------===//

#include "LaunchConverter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::dit::emulator;

static Value createConstant(ImplicitLocOpBuilder &builder, int64_t value) {
  return LLVM::ConstantOp::create(builder, builder.getI64Type(),
                                  builder.getI64IntegerAttr(value));
}

/// The address of element `index` of an array of `element`s.
static Value createElement(ImplicitLocOpBuilder &builder, Type element,
                           Value array, int64_t index) {
  return LLVM::GEPOp::create(
      builder, LLVM::LLVMPointerType::get(builder.getContext()), element, array,
      ArrayRef<LLVM::GEPArg>{int32_t(index)});
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A function that takes its arguments from an array of pointers to them.
static LLVM::LLVMFuncOp createEntry(LLVM::LLVMFuncOp function,
                                    EmulatorCalls &calls) {
  ImplicitLocOpBuilder builder(function.getLoc(), function.getContext());
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), {pointer});
  auto entry =
      LLVM::LLVMFuncOp::create(builder, (function.getName() + "_thread").str(),
                               type, LLVM::Linkage::Internal);
  calls.getSymbols().insert(entry);
  Block *body = entry.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  SmallVector<Value> arguments;
  for (auto [i, argument] : llvm::enumerate(function.getArgumentTypes())) {
    Value at = createElement(builder, pointer, body->getArgument(0), i);
    at = LLVM::LoadOp::create(builder, pointer, at);
    arguments.push_back(LLVM::LoadOp::create(builder, argument, at));
  }
  LLVM::CallOp::create(builder, function, arguments);
  LLVM::ReturnOp::create(builder, ValueRange());
  return entry;
}

LLVM::GlobalOp mlir::dit::emulator::createDescriptor(LLVM::LLVMFuncOp function,
                                                     int64_t sharedBytes,
                                                     EmulatorCalls &calls) {
  LLVM::LLVMFuncOp entry = createEntry(function, calls);
  ImplicitLocOpBuilder builder(function.getLoc(), function.getContext());
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), {pointer, pointer, builder.getI64Type()});
  auto descriptor = LLVM::GlobalOp::create(
      builder, type, /*isConstant=*/true, LLVM::Linkage::Internal,
      (function.getName() + "_kernel").str(), Attribute());
  calls.getSymbols().insert(descriptor);
  builder.createBlock(&descriptor.getInitializerRegion());
  Value value = LLVM::PoisonOp::create(builder, type);
  auto insert = [&](Value field, int64_t at) {
    value = LLVM::InsertValueOp::create(builder, value, field, at);
  };
  insert(calls.getText(builder, function.getName()), 0);
  insert(LLVM::AddressOfOp::create(builder, entry), 1);
  insert(createConstant(builder, sharedBytes), 2);
  LLVM::ReturnOp::create(builder, value);
  return descriptor;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

namespace {

/// What a launch hands over.
class LaunchConverter {
public:
  LaunchConverter(gpu::LaunchFuncOp launch, const Kernel &kernel,
                  EmulatorCalls &calls)
      : launch(launch), kernel(kernel), calls(calls),
        builder(launch.getLoc(), launch), i64(builder.getI64Type()),
        pointer(LLVM::LLVMPointerType::get(launch.getContext())) {}

  LogicalResult convert();

private:
  void addMemRef(Value memref);
  /// Adds `begin` and what lies between it and the end of a memref of `sizes`
  /// and `strides` to the memory that the kernel may touch.
  void addBuffer(Value begin, MemRefType type, ValueRange sizes,
                 ValueRange strides);
  Value createGrid();
  Value createArguments();
  Value createBuffers();

  Value toI64(Value value) {
    if (value.getType().isIndex())
      return arith::IndexCastOp::create(builder, i64, value);
    if (value.getType() == i64)
      return value;
    return LLVM::SExtOp::create(builder, i64, value);
  }
  Value multiply(Value a, Value b) {
    return LLVM::MulOp::create(builder, a, b);
  }

  gpu::LaunchFuncOp launch;
  const Kernel &kernel;
  EmulatorCalls &calls;
  ImplicitLocOpBuilder builder;
  Type i64;
  LLVM::LLVMPointerType pointer;
  SmallVector<Value> arguments;
  SmallVector<std::pair<Value, Value>> buffers;
  /// Nothing is known of the memory behind a plain pointer.
  bool hasPlainPointers = false;
};

} // namespace

void LaunchConverter::addBuffer(Value begin, MemRefType type, ValueRange sizes,
                                ValueRange strides) {
  // The last element's number, and one more; nothing if an extent is zero.
  Value last = createConstant(builder, 0), holds = createConstant(builder, 1);
  for (auto [size, stride] : llvm::zip_equal(sizes, strides)) {
    Value steps =
        LLVM::SubOp::create(builder, size, createConstant(builder, 1));
    last = LLVM::AddOp::create(builder, last, multiply(steps, stride));
    Value some = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, size,
                                      createConstant(builder, 0));
    holds = multiply(holds, LLVM::ZExtOp::create(builder, i64, some));
  }
  Value count = LLVM::AddOp::create(builder, last, createConstant(builder, 1));
  int64_t bytes = llvm::divideCeil(
      DataLayout::closest(launch).getTypeSizeInBits(type.getElementType()), 8);
  buffers.emplace_back(
      begin, multiply(multiply(count, holds), createConstant(builder, bytes)));
}

void LaunchConverter::addMemRef(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(builder, memref);
  Value address =
      toI64(memref::ExtractAlignedPointerAsIndexOp::create(builder, memref));
  Value data = LLVM::IntToPtrOp::create(builder, pointer, address);
  Value offset = toI64(metadata.getOffset());
  SmallVector<Value> sizes, strides;
  for (Value size : metadata.getSizes())
    sizes.push_back(toI64(size));
  for (Value stride : metadata.getStrides())
    strides.push_back(toI64(stride));
  llvm::append_values(arguments, data, data, offset);
  llvm::append_range(arguments, sizes);
  llvm::append_range(arguments, strides);
  Value begin = LLVM::GEPOp::create(builder, pointer, type.getElementType(),
                                    data, ArrayRef<LLVM::GEPArg>{offset});
  addBuffer(begin, type, sizes, strides);
}

Value LaunchConverter::createGrid() {
  gpu::KernelDim3 ctas = launch.getGridSizeOperandValues();
  gpu::KernelDim3 threads = launch.getBlockSizeOperandValues();
  Value dynamic = launch.getDynamicSharedMemorySize();
  SmallVector<Value> fields = {ctas.x,    ctas.y,    ctas.z,
                               threads.x, threads.y, threads.z};
  fields.push_back(dynamic ? dynamic : createConstant(builder, 0));
  Value grid = allocateOnStack(builder, i64, fields.size());
  for (auto [i, field] : llvm::enumerate(fields))
    LLVM::StoreOp::create(builder, toI64(field),
                          createElement(builder, i64, grid, i));
  return grid;
}

Value LaunchConverter::createArguments() {
  Value array =
      allocateOnStack(builder, pointer, std::max<int64_t>(arguments.size(), 1));
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    Value place = allocateOnStack(builder, argument.getType(), 1);
    LLVM::StoreOp::create(builder, argument, place);
    LLVM::StoreOp::create(builder, place,
                          createElement(builder, pointer, array, i));
  }
  return array;
}

Value LaunchConverter::createBuffers() {
  auto type =
      LLVM::LLVMStructType::getLiteral(builder.getContext(), {pointer, i64});
  Value array =
      allocateOnStack(builder, type, std::max<int64_t>(buffers.size(), 1));
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    Value value = LLVM::PoisonOp::create(builder, type);
    value = LLVM::InsertValueOp::create(builder, value, buffer.first,
                                        ArrayRef<int64_t>{0});
    value = LLVM::InsertValueOp::create(builder, value, buffer.second, 1);
    LLVM::StoreOp::create(builder, value,
                          createElement(builder, type, array, i));
  }
  return array;
}

LogicalResult LaunchConverter::convert() {
  if (!launch.getAsyncDependencies().empty() || launch.getAsyncToken())
    return launch.emitError("the emulator runs launches one after the other; "
                            "expected no async tokens");
  if (launch.hasClusterSize())
    return launch.emitError("the emulator does not know clusters");
  for (Value operand : launch.getKernelOperands()) {
    if (isa<MemRefType>(operand.getType())) {
      addMemRef(operand);
      continue;
    }
    hasPlainPointers |= isa<LLVM::LLVMPointerType>(operand.getType());
    arguments.push_back(operand.getType().isIndex() ? toI64(operand) : operand);
  }
  LLVM::LLVMFuncOp function = kernel.function;
  ArrayRef<Type> expected = function.getArgumentTypes();
  if (!llvm::equal(expected, ValueRange(arguments).getTypes()))
    return launch.emitError("expected operands of types ")
           << expected << " for kernel " << launch.getKernel() << ", got "
           << ValueRange(arguments).getTypes();
  for (LLVM::GlobalOp global : kernel.globals) {
    Value address = LLVM::AddressOfOp::create(builder, global);
    if (address.getType() != pointer)
      address = LLVM::AddrSpaceCastOp::create(builder, pointer, address);
    int64_t bytes = DataLayout::closest(launch).getTypeSize(global.getType());
    buffers.emplace_back(address, createConstant(builder, bytes));
  }
  Value descriptor = LLVM::AddressOfOp::create(builder, kernel.descriptor);
  Value numBuffers =
      createConstant(builder, hasPlainPointers ? 0 : buffers.size());
  calls.call(builder, "dit_emu_launch", {},
             {descriptor, createGrid(), createArguments(), createBuffers(),
              numBuffers});
  launch.erase();
  return success();
}

LogicalResult mlir::dit::emulator::convertLaunch(gpu::LaunchFuncOp launch,
                                                 const Kernel &kernel,
                                                 EmulatorCalls &calls) {
  return LaunchConverter(launch, kernel, calls).convert();
}
