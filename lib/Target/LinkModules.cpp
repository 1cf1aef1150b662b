//===- LinkModules.cpp - One module from several --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Resolution of declarations and renaming of the other symbols.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/LinkModules.h"
#include "dit/Support/CommandLine.h"
#include "dit/Target/ModuleFile.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// What becomes of the symbols of a library; found before anything changes.
struct LinkPlan {
  /// Declarations of the program that a function of the library replaces.
  SmallVector<std::pair<FunctionOpInterface, FunctionOpInterface>> resolved;
  /// Declarations of the library that the program answers.
  SmallVector<Operation *> answered;
  /// Symbols of the library whose names are taken.
  SmallVector<Operation *> renamed;
};

} // namespace

template <typename T>
static std::string print(T value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << value;
  return text;
}

static llvm::Error checkTypes(FunctionOpInterface declaration,
                              FunctionOpInterface definition) {
  if (declaration.getFunctionType() == definition.getFunctionType())
    return llvm::Error::success();
  return llvm::createStringError(
      "function '" + definition.getName() + "' is declared as " +
      print(declaration.getFunctionType()) + " and defined as " +
      print(definition.getFunctionType()));
}

/// Decides about one symbol of the library, given the program's symbol of the
/// same name.
static llvm::Error planCollision(Operation *ours, Operation *theirs,
                                 LinkPlan &plan) {
  auto ourFunction = dyn_cast<FunctionOpInterface>(ours);
  auto theirFunction = dyn_cast<FunctionOpInterface>(theirs);
  bool bothFunctions = ourFunction && theirFunction;
  if (bothFunctions && theirFunction.isDeclaration()) {
    plan.answered.push_back(theirs);
    return checkTypes(theirFunction, ourFunction);
  }
  if (bothFunctions && theirFunction.isPublic() &&
      ourFunction.isDeclaration()) {
    plan.resolved.push_back({ourFunction, theirFunction});
    return checkTypes(ourFunction, theirFunction);
  }
  // The library's entries that the program does not ask for are inner functions
  // like any other.
  plan.renamed.push_back(theirs);
  return llvm::Error::success();
}

static llvm::Expected<LinkPlan> planLink(ModuleOp program, ModuleOp library) {
  LinkPlan plan;
  SymbolTable symbols(program);
  for (Operation &op : *library.getBody()) {
    StringAttr name = SymbolTable::getSymbolName(&op);
    if (!name)
      continue;
    if (Operation *ours = symbols.lookup(name))
      if (llvm::Error error = planCollision(ours, &op, plan))
        return std::move(error);
  }
  return plan;
}

/// Gives `op` of `library` a name that neither module uses.
static llvm::Error renameUniquely(Operation *op, SymbolTable &library,
                                  SymbolTable &program) {
  StringRef base = SymbolTable::getSymbolName(op).getValue();
  for (unsigned i = 0;; ++i) {
    std::string name = (base + "_" + Twine(i)).str();
    if (library.lookup(name) || program.lookup(name))
      continue;
    if (succeeded(library.rename(op, name)))
      return llvm::Error::success();
    return llvm::createStringError("symbol '" + base +
                                   "' is used in a way that cannot be renamed");
  }
}

llvm::Error mlir::dit::linkModules(ModuleOp program,
                                   OwningOpRef<ModuleOp> library) {
  llvm::Expected<LinkPlan> plan = planLink(program, *library);
  if (!plan)
    return plan.takeError();
  SymbolTable ours(program), theirs(*library);
  for (Operation *op : plan->renamed)
    if (llvm::Error error = renameUniquely(op, theirs, ours))
      return error;
  for (Operation *op : plan->answered)
    op->erase();
  for (auto &[declaration, definition] : plan->resolved)
    declaration->erase();
  for (Operation &op : llvm::make_early_inc_range(*library->getBody())) {
    if (SymbolTable::getSymbolName(&op))
      SymbolTable::setSymbolVisibility(&op, SymbolTable::Visibility::Private);
    op.moveBefore(program.getBody(), program.getBody()->end());
  }
  return llvm::Error::success();
}

/// What programs may call of the runtime by themselves: instrumented ones do.
static constexpr llvm::StringLiteral kClockFunction("dit_rt_seconds");

SmallVector<StringRef> mlir::dit::getUnresolvedFunctions(ModuleOp program) {
  SmallVector<StringRef> names;
  for (auto function : program.getOps<FunctionOpInterface>())
    if (function.isDeclaration() && function.getName() != kClockFunction &&
        !SymbolTable::symbolKnownUseEmpty(function, program))
      names.push_back(function.getName());
  return names;
}

llvm::Expected<OwningOpRef<ModuleOp>>
mlir::dit::loadModules(StringRef file, ArrayRef<std::string> libraries,
                       MLIRContext *context) {
  auto module = parseModuleFile(file, context);
  if (!module)
    return inArgument(file, module.takeError());
  for (const std::string &path : libraries) {
    auto library = parseModuleFile(path, context);
    if (!library)
      return inArgument("--link: " + path, library.takeError());
    if (llvm::Error error = linkModules(**module, std::move(*library)))
      return inArgument("--link: " + path, std::move(error));
  }
  SmallVector<StringRef> missing = getUnresolvedFunctions(**module);
  if (missing.empty())
    return module;
  return llvm::createStringError(file + ": no definition of " +
                                 llvm::join(missing, ", ") +
                                 "; name a module that has it with --link");
}
