//===- NVVMToEmulator.cpp - GPU kernels that run on the CPU ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --convert-nvvm-to-emulator: functions of gpu.modules move to the
// module around, under the name of theirs, and are converted there.
//
//===----------------------------------------------------------------------===//

#include "LaunchConverter.h"
#include "ThreadConverter.h"

#include "dit/Conversion/Passes.h"

namespace mlir::dit {
#define GEN_PASS_DEF_CONVERTNVVMTOEMULATOR
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit::emulator;

/// Functions of libdevice are those of libm with this before their names.
static constexpr StringLiteral kLibdevice = "__nv_";

namespace {

/// One gpu.module on its way into the module around.
class ModuleMover {
public:
  ModuleMover(gpu::GPUModuleOp source, EmulatorCalls &calls)
      : source(source), calls(calls), symbols(source),
        shared(layOutShared(source)) {}

  /// Moves all that is in it and adds its kernels to `kernels`.
  LogicalResult move(DenseMap<Attribute, Kernel> &kernels);

private:
  LogicalResult checkOps();
  LogicalResult rename(Operation *symbol);
  LogicalResult moveDeclaration(LLVM::LLVMFuncOp declaration);

  gpu::GPUModuleOp source;
  EmulatorCalls &calls;
  SymbolTable symbols;
  SharedLayout shared;
};

} // namespace

LogicalResult ModuleMover::checkOps() {
  for (Operation &op : source.getBodyRegion().front())
    if (!isa<LLVM::LLVMFuncOp, LLVM::GlobalOp>(op))
      return op.emitError(
          "expected functions and globals of the LLVM dialect in "
          "a gpu.module; run --convert-gpu-to-nvvm first");
  return success();
}

/// Puts the module's name before that of `symbol`, in itself and in its uses.
LogicalResult ModuleMover::rename(Operation *symbol) {
  std::string name =
      (source.getName() + "_" + SymbolTable::getSymbolName(symbol).getValue())
          .str();
  while (calls.getSymbols().lookup(name))
    name += '_';
  return symbols.rename(symbol, name);
}

/// What a kernel calls without having it must be a function of libdevice.
LogicalResult ModuleMover::moveDeclaration(LLVM::LLVMFuncOp declaration) {
  StringRef name = declaration.getName();
  if (!name.consume_front(kLibdevice))
    return declaration.emitError("the emulator does not know function '")
           << name << "'";
  if (failed(SymbolTable::replaceAllSymbolUses(
          declaration, StringAttr::get(source.getContext(), name), source)))
    return failure();
  declaration->remove();
  if (calls.getSymbols().lookup(name)) {
    declaration->destroy();
    return success();
  }
  declaration.setSymName(name);
  calls.getSymbols().insert(declaration);
  return success();
}

LogicalResult ModuleMover::move(DenseMap<Attribute, Kernel> &kernels) {
  if (failed(checkOps()))
    return failure();
  SmallVector<LLVM::LLVMFuncOp> functions, declarations;
  SmallVector<LLVM::GlobalOp> globals;
  SmallVector<std::pair<Attribute, LLVM::LLVMFuncOp>> entries;
  for (auto function : source.getOps<LLVM::LLVMFuncOp>()) {
    if (function.isExternal()) {
      declarations.push_back(function);
      continue;
    }
    functions.push_back(function);
    if (function->hasAttr("nvvm.kernel") || function->hasAttr("gpu.kernel"))
      entries.emplace_back(
          SymbolRefAttr::get(source.getNameAttr(),
                             FlatSymbolRefAttr::get(function.getSymNameAttr())),
          function);
  }
  for (LLVM::LLVMFuncOp function : functions)
    if (failed(convertThread(function, calls, shared)))
      return failure();
  for (LLVM::LLVMFuncOp declaration : declarations)
    if (failed(moveDeclaration(declaration)))
      return failure();
  for (auto global : source.getOps<LLVM::GlobalOp>())
    if (!shared.offsets.contains(global.getName()))
      globals.push_back(global);
  for (LLVM::GlobalOp global : globals)
    if (failed(rename(global)))
      return failure();
  for (LLVM::LLVMFuncOp function : functions)
    if (failed(rename(function)))
      return failure();
  for (LLVM::GlobalOp global : globals) {
    global->remove();
    calls.getSymbols().insert(global);
  }
  for (LLVM::LLVMFuncOp function : functions) {
    function->remove();
    function.setLinkage(LLVM::Linkage::Internal);
    for (StringRef name : {"nvvm.kernel", "gpu.kernel"})
      function->removeAttr(name);
    calls.getSymbols().insert(function);
  }
  for (auto &[name, function] : entries)
    kernels[name] = {function, createDescriptor(function, shared.bytes, calls),
                     globals};
  source.erase();
  return success();
}

namespace {

struct ConvertNVVMToEmulator
    : public mlir::dit::impl::ConvertNVVMToEmulatorBase<ConvertNVVMToEmulator> {
  void runOnOperation() override {
    EmulatorCalls calls(getOperation());
    DenseMap<Attribute, Kernel> kernels;
    for (auto module :
         llvm::make_early_inc_range(getOperation().getOps<gpu::GPUModuleOp>()))
      if (failed(ModuleMover(module, calls).move(kernels)))
        return signalPassFailure();
    numKernels += kernels.size();
    SmallVector<gpu::LaunchFuncOp> launches;
    getOperation().walk(
        [&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    for (gpu::LaunchFuncOp launch : launches) {
      auto kernel = kernels.find(launch.getKernel());
      if (kernel == kernels.end()) {
        launch.emitError("no kernel ") << launch.getKernel();
        return signalPassFailure();
      }
      if (failed(convertLaunch(launch, kernel->second, calls)))
        return signalPassFailure();
    }
    getOperation()->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }
};

} // namespace
