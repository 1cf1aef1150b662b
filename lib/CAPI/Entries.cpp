//===- Entries.cpp - Signatures in the C API ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lists of entries, of modules and of programs.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::dit;

capi::TensorRecord::TensorRecord(StringRef name, RankedTensorType type)
    : name(name), info() {
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
  info.struct_size = sizeof(DitTensorInfo);
  info.name = this->name.c_str();
  info.dtype = *getDType(type.getElementType());
  info.rank = static_cast<int32_t>(sizes.size());
  info.sizes = sizes.data();
}

capi::EntryRecord::EntryRecord(const EntrySignature &signature)
    : name(signature.name), info() {
  for (auto [arguments, pointers] :
       {std::pair(&signature.inputs, &inputs), {&signature.results, &results}})
    for (const EntryArgument &argument : *arguments) {
      tensors.push_back(
          std::make_unique<TensorRecord>(argument.name, argument.type));
      pointers->push_back(&tensors.back()->info);
    }
  info.struct_size = sizeof(DitEntryInfo);
  info.name = name.c_str();
  info.num_inputs = inputs.size();
  info.inputs = inputs.data();
  info.num_results = results.size();
  info.results = results.data();
  info.c_name = cName.c_str();
}

capi::EntryRecord::EntryRecord(const EntryPoint &entry)
    : EntryRecord(entry.signature) {
  cName = entry.cName;
  info.c_name = cName.c_str();
  info.workspace_size = entry.workspaceSize.value_or(-1);
  info.allocates = entry.allocates;
}

DitStatus ditModuleGetEntries(DitModule *module, DitEntryList **entries) {
  if (!module || !entries)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleGetEntries: module or entries is NULL");
  capi::ContextCall call(*module->owner);
  // A function of other types is not listed; that is no error.
  ScopedDiagnosticHandler silence(&module->owner->context,
                                  [](Diagnostic &) { return success(); });
  auto list = std::make_unique<DitEntryList>();
  for (auto function : module->module->getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    FailureOr<EntrySignature> signature = inferSignature(function);
    if (succeeded(signature))
      list->entries.push_back(std::make_unique<capi::EntryRecord>(*signature));
  }
  *entries = list.release();
  return DIT_OK;
}

void ditEntryListDestroy(DitEntryList *entries) { delete entries; }

size_t ditEntryListGetSize(const DitEntryList *entries) {
  return entries ? entries->entries.size() : 0;
}

const DitEntryInfo *ditEntryListGet(const DitEntryList *entries, size_t index) {
  return index < ditEntryListGetSize(entries) ? &entries->entries[index]->info
                                              : nullptr;
}
