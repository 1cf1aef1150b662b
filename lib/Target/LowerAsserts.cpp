//===- LowerAsserts.cpp - Checks that end the call, not the process -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-lower-asserts.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::dit {
#define GEN_PASS_DEF_LOWERASSERTSPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

static constexpr StringLiteral kCheckFailed("dit_rt_check_failed");

namespace {

class AssertLowering {
public:
  explicit AssertLowering(ModuleOp module)
      : module(module), symbols(module), builder(module.getContext()) {}

  void lower(cf::AssertOp op);

private:
  /// The text as a global, one per distinct text.
  LLVM::GlobalOp getMessage(StringRef text);
  LLVM::LLVMFuncOp getCallee();

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder builder;
  llvm::StringMap<LLVM::GlobalOp> messages;
};

struct LowerAssertsPass
    : public mlir::dit::impl::LowerAssertsPassBase<LowerAssertsPass> {
  void runOnOperation() override {
    SmallVector<cf::AssertOp> ops;
    getOperation().walk([&](cf::AssertOp op) { ops.push_back(op); });
    AssertLowering lowering(getOperation());
    for (cf::AssertOp op : ops)
      lowering.lower(op);
    numLowered += ops.size();
  }
};

} // namespace

/// Texts of --generate-runtime-verification quote the whole operation; kept are
/// the lines with the reason and the place. Any text becomes one line.
static std::string shorten(StringRef text) {
  SmallVector<StringRef> lines;
  text.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  if (text.starts_with("ERROR: Runtime op verification failed"))
    llvm::erase_if(lines, [](StringRef line) {
      return !line.starts_with("^") && !line.starts_with("Location");
    });
  std::string result;
  for (StringRef line : lines) {
    line.consume_front("^ ");
    result += (result.empty() ? "" : ", ") + line.str();
  }
  return result;
}

LLVM::GlobalOp AssertLowering::getMessage(StringRef text) {
  LLVM::GlobalOp &global = messages[text];
  if (global)
    return global;
  std::string terminated = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size());
  builder.setInsertionPointToStart(module.getBody());
  global = LLVM::GlobalOp::create(builder, module.getLoc(), type,
                                  /*isConstant=*/true, LLVM::Linkage::Private,
                                  "dit_check_text",
                                  builder.getStringAttr(terminated));
  symbols.insert(global);
  return global;
}

LLVM::LLVMFuncOp AssertLowering::getCallee() {
  if (auto known = symbols.lookup<LLVM::LLVMFuncOp>(kCheckFailed))
    return known;
  builder.setInsertionPointToStart(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(module.getContext()),
      LLVM::LLVMPointerType::get(module.getContext()));
  auto callee =
      LLVM::LLVMFuncOp::create(builder, module.getLoc(), kCheckFailed, type);
  symbols.insert(callee);
  return callee;
}

void AssertLowering::lower(cf::AssertOp op) {
  LLVM::GlobalOp message = getMessage(shorten(op.getMsg()));
  LLVM::LLVMFuncOp callee = getCallee();
  Location loc = op.getLoc();
  builder.setInsertionPoint(op);
  Value isTrue = arith::ConstantIntOp::create(builder, loc, 1, 1);
  Value fails = arith::XOrIOp::create(builder, loc, op.getArg(), isTrue);
  auto branch = scf::IfOp::create(builder, loc, fails, /*withElse=*/false);
  builder.setInsertionPointToStart(branch.thenBlock());
  Value text = LLVM::AddressOfOp::create(builder, loc, message);
  LLVM::CallOp::create(builder, loc, callee, text);
  op.erase();
}
