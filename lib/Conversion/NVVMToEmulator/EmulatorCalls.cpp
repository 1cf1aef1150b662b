//===- EmulatorCalls.cpp - Calls of the emulator's functions --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmulatorCalls.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::dit::emulator;

std::string mlir::dit::emulator::describePlace(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto loc = op->getLoc()->findInstanceOf<FileLineColLoc>())
    os << llvm::sys::path::filename(loc.getFilename()) << ':' << loc.getLine()
       << ':' << loc.getColumn() << ": ";
  os << op->getName();
  return text;
}

Value mlir::dit::emulator::allocateOnStack(ImplicitLocOpBuilder &builder,
                                           Type type, int64_t count) {
  OpBuilder::InsertionGuard guard(builder);
  Operation *function = builder.getInsertionBlock()->getParentOp();
  while (!function->hasTrait<OpTrait::IsIsolatedFromAbove>())
    function = function->getParentOp();
  builder.setInsertionPointToStart(&function->getRegion(0).front());
  Value size = LLVM::ConstantOp::create(builder, builder.getI64Type(),
                                        builder.getI64IntegerAttr(count));
  return LLVM::AllocaOp::create(
      builder, LLVM::LLVMPointerType::get(builder.getContext()), type, size);
}

Value EmulatorCalls::getText(ImplicitLocOpBuilder &builder, StringRef text) {
  LLVM::GlobalOp &global = texts[text];
  if (!global) {
    OpBuilder::InsertionGuard guard(builder);
    builder.clearInsertionPoint();
    std::string bytes = text.str();
    bytes.push_back('\0');
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
    global = LLVM::GlobalOp::create(builder, type, /*isConstant=*/true,
                                    LLVM::Linkage::Internal, "dit_emu_text",
                                    builder.getStringAttr(bytes));
    symbols.insert(global);
  }
  return LLVM::AddressOfOp::create(builder, global);
}

Value EmulatorCalls::call(ImplicitLocOpBuilder &builder, StringRef name,
                          Type result, ValueRange arguments, Operation *op) {
  auto generic = LLVM::LLVMPointerType::get(builder.getContext());
  SmallVector<Value> operands;
  for (Value argument : arguments) {
    if (isa<LLVM::LLVMPointerType>(argument.getType()) &&
        argument.getType() != generic)
      argument = LLVM::AddrSpaceCastOp::create(builder, generic, argument);
    operands.push_back(argument);
  }
  if (op)
    operands.push_back(getText(builder, describePlace(op)));
  auto callee = symbols.lookup<LLVM::LLVMFuncOp>(name);
  if (!callee) {
    OpBuilder::InsertionGuard guard(builder);
    builder.clearInsertionPoint();
    Type returned =
        result ? result : LLVM::LLVMVoidType::get(builder.getContext());
    callee = LLVM::LLVMFuncOp::create(
        builder, name,
        LLVM::LLVMFunctionType::get(
            returned, llvm::to_vector(ValueRange(operands).getTypes())));
    symbols.insert(callee);
  }
  auto call = LLVM::CallOp::create(builder, callee, operands);
  return result ? call.getResult() : Value();
}
