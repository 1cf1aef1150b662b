//===- EntryPoints.cpp - C entries of compiled functions ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builds, in LLVM IR, what dit/Runtime/Entry.h declares. The checks themselves
// are in the runtime; an entry is a table and two small functions.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/EntryPoints.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ReplaceConstant.h"

using namespace mlir;
using namespace mlir::dit;

std::string mlir::dit::getCName(StringRef name) {
  if (name == "main")
    return "dit_main";
  std::string result;
  for (char c : name)
    result.push_back(llvm::isAlnum(c) ? c : '_');
  if (result.empty() || llvm::isDigit(result.front()))
    result.insert(result.begin(), '_');
  return result;
}

std::string mlir::dit::getDescriptorName(StringRef cName) {
  return (cName + "_descriptor").str();
}

namespace {

/// Emits the parts of one entry. Struct layouts follow dit/Runtime/Entry.h.
class EntryEmitter {
public:
  EntryEmitter(llvm::Module &module, const EntryPoint &entry)
      : module(module), entry(entry), builder(module.getContext()) {
    llvm::LLVMContext &context = module.getContext();
    ptrType = llvm::PointerType::get(context, 0);
    i32Type = llvm::Type::getInt32Ty(context);
    i64Type = llvm::Type::getInt64Ty(context);
    argSpecType =
        llvm::StructType::get(context, {ptrType, i32Type, i32Type, ptrType});
    parameterType = llvm::StructType::get(
        context, {ptrType, i32Type, i32Type, ptrType, ptrType});
  }

  void emit(llvm::Constant *parameterTable, int64_t numParameters);
  llvm::Constant *emitParameterTable(ArrayRef<ExternalParameter> parameters);

private:
  /// void adapter(void **descriptors): calls the C wrapper of `function`, which
  /// takes one descriptor pointer per argument, from those at `firstSlot`.
  llvm::Function *emitAdapter(StringRef function, const Twine &name,
                              int64_t firstSlot);
  llvm::Constant *emitQuery();
  llvm::Constant *emitArgSpec(const EntryArgument &argument);
  void emitEntryFunction(llvm::Constant *descriptor);
  void emitWorkspaceQuery(llvm::Constant *descriptor);
  llvm::Value *emitArgumentList(llvm::Function *function, int64_t count);

  llvm::Function *startFunction(llvm::FunctionType *type, const Twine &name,
                                llvm::GlobalValue::LinkageTypes linkage);
  llvm::GlobalVariable *addConstant(llvm::Constant *value);
  llvm::Constant *addSizes(ArrayRef<int64_t> sizes);
  llvm::Constant *i32(int64_t value) {
    return llvm::ConstantInt::get(i32Type, value, /*IsSigned=*/true);
  }

  llvm::Module &module;
  const EntryPoint &entry;
  llvm::IRBuilder<> builder;
  llvm::PointerType *ptrType;
  llvm::IntegerType *i32Type, *i64Type;
  llvm::StructType *argSpecType, *parameterType;
};

} // namespace

llvm::GlobalVariable *EntryEmitter::addConstant(llvm::Constant *value) {
  return new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                  llvm::GlobalValue::PrivateLinkage, value);
}

llvm::Constant *EntryEmitter::addSizes(ArrayRef<int64_t> sizes) {
  if (sizes.empty())
    return llvm::ConstantPointerNull::get(ptrType);
  SmallVector<uint64_t> words;
  for (int64_t size : sizes)
    words.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return addConstant(llvm::ConstantDataArray::get(module.getContext(), words));
}

llvm::Constant *EntryEmitter::emitArgSpec(const EntryArgument &argument) {
  llvm::Constant *name = addConstant(
      llvm::ConstantDataArray::getString(module.getContext(), argument.name));
  return llvm::ConstantStruct::get(
      argSpecType,
      {name, i32(*getDType(argument.type.getElementType())),
       i32(argument.type.getRank()), addSizes(argument.type.getShape())});
}

llvm::Function *
EntryEmitter::startFunction(llvm::FunctionType *type, const Twine &name,
                            llvm::GlobalValue::LinkageTypes linkage) {
  auto *function = llvm::Function::Create(type, linkage, name, module);
  builder.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "entry", function));
  return function;
}

llvm::Function *EntryEmitter::emitAdapter(StringRef function, const Twine &name,
                                          int64_t firstSlot) {
  llvm::Function *body = module.getFunction(("_mlir_ciface_" + function).str());
  assert(body && "the function lost its C wrapper");
  auto *type = llvm::FunctionType::get(builder.getVoidTy(), {ptrType}, false);
  llvm::Function *adapter =
      startFunction(type, name, llvm::GlobalValue::InternalLinkage);
  SmallVector<llvm::Value *> operands;
  for (unsigned i = 0, e = body->arg_size(); i < e; ++i) {
    llvm::Value *slot =
        builder.CreateConstGEP1_64(ptrType, adapter->getArg(0), firstSlot + i);
    operands.push_back(builder.CreateLoad(ptrType, slot));
  }
  builder.CreateCall(body, operands);
  builder.CreateRetVoid();
  return adapter;
}

llvm::Constant *EntryEmitter::emitQuery() {
  if (entry.query.empty())
    return llvm::ConstantPointerNull::get(ptrType);
  return emitAdapter(entry.query, entry.cName + ".query", /*firstSlot=*/0);
}

/// The first `count` arguments of `function` as an array on the stack.
llvm::Value *EntryEmitter::emitArgumentList(llvm::Function *function,
                                            int64_t count) {
  llvm::Value *list = builder.CreateAlloca(
      ptrType, llvm::ConstantInt::get(i64Type, std::max<int64_t>(count, 1)));
  for (int64_t i = 0; i < count; ++i)
    builder.CreateStore(function->getArg(i),
                        builder.CreateConstGEP1_64(ptrType, list, i));
  return list;
}

/// int32_t f(const dit_buffer *in0, ..., void *workspace)
void EntryEmitter::emitEntryFunction(llvm::Constant *descriptor) {
  int64_t numBuffers =
      entry.signature.inputs.size() + entry.signature.results.size();
  SmallVector<llvm::Type *> types(numBuffers + 1, ptrType);
  llvm::Function *function =
      startFunction(llvm::FunctionType::get(i32Type, types, false), entry.cName,
                    llvm::GlobalValue::ExternalLinkage);
  llvm::Value *list = emitArgumentList(function, numBuffers);
  llvm::FunctionCallee invoke = module.getOrInsertFunction(
      "dit_rt_invoke",
      llvm::FunctionType::get(i32Type, {ptrType, ptrType, ptrType}, false));
  builder.CreateRet(builder.CreateCall(
      invoke, {descriptor, list, function->getArg(numBuffers)}));
}

/// int64_t f_workspace_size(void), or (const dit_buffer *in0, ...) if it
/// depends on the extents of those.
void EntryEmitter::emitWorkspaceQuery(llvm::Constant *descriptor) {
  std::string name = entry.cName + "_workspace_size";
  if (entry.workspaceSize) {
    startFunction(llvm::FunctionType::get(i64Type, false), name,
                  llvm::GlobalValue::ExternalLinkage);
    builder.CreateRet(llvm::ConstantInt::get(i64Type, *entry.workspaceSize));
    return;
  }
  SmallVector<llvm::Type *> types(entry.signature.inputs.size(), ptrType);
  llvm::Function *function =
      startFunction(llvm::FunctionType::get(i64Type, types, false), name,
                    llvm::GlobalValue::ExternalLinkage);
  llvm::Value *list = emitArgumentList(function, types.size());
  llvm::FunctionCallee size = module.getOrInsertFunction(
      "dit_rt_workspace_size",
      llvm::FunctionType::get(i64Type, {ptrType, ptrType}, false));
  builder.CreateRet(builder.CreateCall(size, {descriptor, list}));
}

llvm::Constant *
EntryEmitter::emitParameterTable(ArrayRef<ExternalParameter> parameters) {
  SmallVector<llvm::Constant *> rows;
  for (const ExternalParameter &parameter : parameters) {
    llvm::Constant *spec = emitArgSpec({parameter.symbol, parameter.type});
    SmallVector<llvm::Constant *> fields;
    for (unsigned i = 0; i < 4; ++i)
      fields.push_back(spec->getAggregateElement(i));
    fields.push_back(module.getNamedGlobal(parameter.symbol + ".address"));
    rows.push_back(llvm::ConstantStruct::get(parameterType, fields));
  }
  if (rows.empty())
    return llvm::ConstantPointerNull::get(ptrType);
  return addConstant(llvm::ConstantArray::get(
      llvm::ArrayType::get(parameterType, rows.size()), rows));
}

void EntryEmitter::emit(llvm::Constant *parameterTable, int64_t numParameters) {
  SmallVector<llvm::Constant *> specs;
  for (const EntryArgument &argument : entry.signature.inputs)
    specs.push_back(emitArgSpec(argument));
  for (const EntryArgument &argument : entry.signature.results)
    specs.push_back(emitArgSpec(argument));
  llvm::Constant *table = addConstant(llvm::ConstantArray::get(
      llvm::ArrayType::get(argSpecType, specs.size()), specs));
  llvm::Constant *name = addConstant(llvm::ConstantDataArray::getString(
      module.getContext(), entry.signature.name));
  llvm::Constant *fields = llvm::ConstantStruct::getAnon(
      {name, i32(entry.signature.inputs.size()),
       i32(entry.signature.results.size()), table,
       llvm::ConstantInt::get(i64Type, entry.workspaceSize.value_or(-1),
                              /*IsSigned=*/true),
       llvm::ConstantInt::get(i64Type, numParameters), parameterTable,
       // The first slot is for returned descriptors, whether there are any or
       // not.
       emitAdapter(entry.signature.name, entry.cName + ".call",
                   entry.returnsResults ? 0 : 1),
       emitQuery(), i32(entry.returnsResults)});
  auto *descriptor =
      new llvm::GlobalVariable(module, fields->getType(), /*isConstant=*/true,
                               llvm::GlobalValue::ExternalLinkage, fields,
                               getDescriptorName(entry.cName));
  emitEntryFunction(descriptor);
  emitWorkspaceQuery(descriptor);
}

/// The address of the value of `parameter` in the program, null if it has none.
static llvm::Constant *emitValue(llvm::Module &module,
                                 const ExternalParameter &parameter) {
  if (parameter.data.empty())
    return llvm::ConstantPointerNull::get(
        llvm::PointerType::get(module.getContext(), 0));
  llvm::Constant *bytes = llvm::ConstantDataArray::getRaw(
      parameter.data, parameter.data.size(),
      llvm::Type::getInt8Ty(module.getContext()));
  auto *value = new llvm::GlobalVariable(
      module, bytes->getType(), /*isConstant=*/true,
      llvm::GlobalValue::InternalLinkage, bytes, parameter.symbol + ".value");
  value->setAlignment(llvm::Align(64));
  return value;
}

/// Replaces each external parameter by a load of its address from a slot.
static void makeParametersIndirect(llvm::Module &module,
                                   ArrayRef<ExternalParameter> parameters) {
  auto *ptrType = llvm::PointerType::get(module.getContext(), 0);
  for (const ExternalParameter &parameter : parameters) {
    auto *slot = new llvm::GlobalVariable(module, ptrType, /*isConstant=*/false,
                                          llvm::GlobalValue::InternalLinkage,
                                          emitValue(module, parameter),
                                          parameter.symbol + ".address");
    llvm::GlobalVariable *global = module.getNamedGlobal(parameter.symbol);
    if (!global)
      continue;
    llvm::convertUsersOfConstantsToInstructions({global});
    while (!global->use_empty()) {
      llvm::Use &use = *global->use_begin();
      auto *user = cast<llvm::Instruction>(use.getUser());
      llvm::Instruction *position = user;
      if (auto *phi = dyn_cast<llvm::PHINode>(user))
        position = phi->getIncomingBlock(use)->getTerminator();
      use.set(new llvm::LoadInst(ptrType, slot, parameter.symbol,
                                 position->getIterator()));
    }
    global->eraseFromParent();
  }
}

void mlir::dit::emitEntryPoints(llvm::Module &module,
                                ArrayRef<EntryPoint> entries,
                                ArrayRef<ExternalParameter> parameters) {
  makeParametersIndirect(module, parameters);
  for (llvm::GlobalValue &value : module.global_values())
    if (!value.isDeclaration())
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
  // Bodies may not keep a name that a C entry takes.
  for (const EntryPoint &entry : entries)
    if (llvm::Function *body = module.getFunction(entry.signature.name))
      body->setName(entry.signature.name + ".body");
  llvm::Constant *table = nullptr;
  for (const EntryPoint &entry : entries) {
    EntryEmitter emitter(module, entry);
    if (!table)
      table = emitter.emitParameterTable(parameters);
    emitter.emit(table, parameters.size());
  }
}
