//===- ExportEntries.cpp - Destination passing at the boundary ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-export-entries. Working on tensors, before any pipeline,
// keeps the calling convention independent of how a pipeline bufferizes.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/EntrySignature.h"
#include "dit/Target/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::dit {
#define GEN_PASS_DEF_EXPORTENTRIESPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// The memref that carries a tensor across the boundary: row-major, and `index`
/// as the i64 it is.
static MemRefType getBoundaryBuffer(RankedTensorType type) {
  Type elementType = type.getElementType();
  if (elementType.isIndex())
    elementType = IntegerType::get(type.getContext(), 64);
  return MemRefType::get(type.getShape(), elementType);
}

/// Turns the buffer of an argument into a value of the function's own type.
static Value importArgument(OpBuilder &builder, Location loc, Value buffer,
                            Type type) {
  auto bufferType = cast<MemRefType>(buffer.getType());
  auto tensorType = dyn_cast<RankedTensorType>(type);
  if (!tensorType) {
    Value value = memref::LoadOp::create(builder, loc, buffer, ValueRange());
    if (type.isIndex())
      value = arith::IndexCastOp::create(builder, loc, type, value);
    return value;
  }
  auto carried =
      RankedTensorType::get(tensorType.getShape(), bufferType.getElementType());
  Value value = bufferization::ToTensorOp::create(builder, loc, carried, buffer,
                                                  /*restrict=*/true);
  if (carried != tensorType)
    value = arith::IndexCastOp::create(builder, loc, tensorType, value);
  return value;
}

/// The value that crosses the boundary, as a tensor of the buffer's type.
static Value exportResult(OpBuilder &builder, Location loc, Value value,
                          MemRefType bufferType) {
  Type elementType = bufferType.getElementType();
  if (getElementTypeOrSelf(value.getType()).isIndex()) {
    Type type = elementType;
    if (auto tensorType = dyn_cast<RankedTensorType>(value.getType()))
      type = tensorType.clone(elementType);
    value = arith::IndexCastOp::create(builder, loc, type, value);
  }
  if (!isa<RankedTensorType>(value.getType()))
    value = tensor::FromElementsOp::create(
        builder, loc, RankedTensorType::get({}, elementType), value);
  return value;
}

/// Rewrites the return of `function` for destination passing.
static void rewriteReturn(func::FuncOp function, func::ReturnOp returnOp,
                          ArrayRef<Value> destinations) {
  OpBuilder builder(returnOp);
  Location loc = returnOp.getLoc();
  SmallVector<Value> returned;
  for (auto [value, destination] :
       llvm::zip_equal(returnOp.getOperands(), destinations)) {
    Type type = value.getType();
    auto tensorType = dyn_cast<RankedTensorType>(type);
    if (!tensorType)
      tensorType = RankedTensorType::get({}, type);
    MemRefType bufferType = getBoundaryBuffer(tensorType);
    Value exported = exportResult(builder, loc, value, bufferType);
    if (!destination) {
      // Not marked read-only, so bufferization yields memory of the function's
      // own, never a constant or an argument.
      returned.push_back(bufferization::ToBufferOp::create(
          builder, loc, bufferType, exported));
      continue;
    }
    auto store = bufferization::MaterializeInDestinationOp::create(
        builder, loc, exported, destination);
    store.setRestrict(true);
    store.setWritable(true);
  }
  returnOp->setOperands(returned);
}

/// Gives `function` the calling convention of compiled code.
static LogicalResult exportFunction(func::FuncOp function,
                                    const EntrySignature &signature) {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitError()
           << "cannot be exported: its body has several blocks; expected "
              "structured control flow (run --lift-cf-to-scf first)";
  Block &body = function.getBody().front();
  Location loc = function.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  SmallVector<Type> inputTypes, resultTypes;
  for (auto [i, argument] : llvm::enumerate(signature.inputs)) {
    inputTypes.push_back(getBoundaryBuffer(argument.type));
    BlockArgument buffer = body.insertArgument(i, inputTypes.back(), loc);
    BlockArgument value = body.getArgument(i + 1);
    value.replaceAllUsesWith(
        importArgument(builder, loc, buffer, value.getType()));
    body.eraseArgument(i + 1);
  }
  SmallVector<Value> destinations;
  for (const EntryArgument &result : signature.results) {
    MemRefType type = getBoundaryBuffer(result.type);
    if (!result.type.hasStaticShape()) {
      resultTypes.push_back(type);
      destinations.push_back({});
      continue;
    }
    inputTypes.push_back(type);
    destinations.push_back(body.addArgument(type, loc));
  }
  rewriteReturn(function, cast<func::ReturnOp>(body.getTerminator()),
                destinations);
  function.setFunctionType(builder.getFunctionType(inputTypes, resultTypes));
  function.removeArgAttrsAttr();
  function.removeResAttrsAttr();
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  setSignature(function, signature);
  return success();
}

/// Moves the body of `function` to a private copy that callers inside the
/// module use; `function` becomes a call of it.
static void splitImplementation(func::FuncOp function, SymbolTable &symbols,
                                SymbolUserMap &users) {
  auto implementation = cast<func::FuncOp>(function->clone());
  implementation.setPrivate();
  symbols.insert(implementation);
  users.replaceAllUsesWith(function, implementation.getNameAttr());

  function.getBody().dropAllReferences();
  function.getBody().getBlocks().clear();
  Block *body = function.addEntryBlock();
  OpBuilder builder = OpBuilder::atBlockBegin(body);
  auto call = func::CallOp::create(builder, function.getLoc(), implementation,
                                   body->getArguments());
  func::ReturnOp::create(builder, function.getLoc(), call.getResults());
}

/// Replaces the loads of an immutable `global`: of weights that come from
/// outside by reads of a buffer that nothing defines, of others by constants.
static void lowerGlobal(ml_program::GlobalOp global, SymbolUserMap &users) {
  auto type = dyn_cast<RankedTensorType>(global.getType());
  if (!type || global.getIsMutable() || !global.getValue())
    return;
  bool isExternal = isa<ml_program::ExternAttr>(*global.getValue());
  SmallVector<Operation *> loads(users.getUsers(global));
  if (!llvm::all_of(loads, llvm::IsaPred<ml_program::GlobalLoadOp,
                                         ml_program::GlobalLoadConstOp>))
    return;
  auto bufferType = MemRefType::get(type.getShape(), type.getElementType());
  for (Operation *load : loads) {
    OpBuilder builder(load);
    Value value;
    if (isExternal) {
      Value buffer = memref::GetGlobalOp::create(builder, load->getLoc(),
                                                 bufferType, global.getName());
      value = bufferization::ToTensorOp::create(builder, load->getLoc(), type,
                                                buffer, /*restrict=*/true);
    } else {
      value = arith::ConstantOp::create(builder, load->getLoc(),
                                        cast<TypedAttr>(*global.getValue()));
    }
    load->getResult(0).replaceAllUsesWith(value);
    load->erase();
  }
  if (isExternal) {
    OpBuilder builder(global);
    memref::GlobalOp::create(builder, global.getLoc(), global.getName(),
                             /*sym_visibility=*/StringAttr(), bufferType,
                             /*initial_value=*/Attribute(),
                             /*constant=*/true, /*alignment=*/IntegerAttr());
  }
  global->erase();
}

namespace {
struct ExportEntriesPass
    : public mlir::dit::impl::ExportEntriesPassBase<ExportEntriesPass> {
  using ExportEntriesPassBase::ExportEntriesPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTableCollection tables;
    SymbolTable &symbols = tables.getSymbolTable(module);
    for (const std::string &name : entries)
      if (!symbols.lookup<func::FuncOp>(name)) {
        mlir::emitError(module.getLoc())
            << "no function '" << name << "' to export";
        return signalPassFailure();
      }
    SymbolUserMap users(tables, module);
    for (auto global :
         llvm::make_early_inc_range(module.getOps<ml_program::GlobalOp>()))
      lowerGlobal(global, users);
    SmallVector<func::FuncOp> exported;
    for (auto function : module.getOps<func::FuncOp>()) {
      bool wanted = entries.empty()
                        ? function.isPublic() && !function.isDeclaration()
                        : llvm::is_contained(entries, function.getName());
      if (!wanted) {
        function.setPrivate();
        continue;
      }
      if (function.isDeclaration()) {
        function.emitError() << "cannot be exported: it has no body";
        return signalPassFailure();
      }
      exported.push_back(function);
    }
    for (func::FuncOp function : exported) {
      FailureOr<EntrySignature> signature = inferSignature(function);
      if (failed(signature))
        return signalPassFailure();
      if (!users.useEmpty(function))
        splitImplementation(function, symbols, users);
      function.setPublic();
      if (failed(exportFunction(function, *signature)))
        return signalPassFailure();
      ++numExported;
    }
  }
};
} // namespace
