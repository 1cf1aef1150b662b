//===- ObjectFormat.cpp - Compiled objects as bytes -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Entries as JSON objects; types are MLIR's text for them.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/ObjectFormat.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::dit;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static json::Value describeTensor(StringRef name, RankedTensorType type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << type;
  return json::Object{{"name", name}, {"type", std::move(text)}};
}

static json::Value describeArguments(ArrayRef<EntryArgument> arguments) {
  json::Array list;
  for (const EntryArgument &argument : arguments)
    list.push_back(describeTensor(argument.name, argument.type));
  return list;
}

static bool isUTF8(const CompiledObject &object) {
  auto isArgumentUTF8 = [](const EntryArgument &argument) {
    return json::isUTF8(argument.name);
  };
  return llvm::all_of(object.entries,
                      [&](const EntryPoint &entry) {
                        const EntrySignature &signature = entry.signature;
                        return json::isUTF8(signature.name) &&
                               json::isUTF8(entry.cName) &&
                               llvm::all_of(signature.inputs, isArgumentUTF8) &&
                               llvm::all_of(signature.results, isArgumentUTF8);
                      }) &&
         llvm::all_of(object.parameters,
                      [](const ExternalParameter &parameter) {
                        return json::isUTF8(parameter.symbol);
                      });
}

std::optional<std::string>
mlir::dit::describeObject(const CompiledObject &object) {
  if (!isUTF8(object))
    return std::nullopt;
  json::Array entries, parameters;
  for (const EntryPoint &entry : object.entries)
    entries.push_back(
        json::Object{{"name", entry.signature.name},
                     {"c_name", entry.cName},
                     {"inputs", describeArguments(entry.signature.inputs)},
                     {"results", describeArguments(entry.signature.results)},
                     {"workspace_size", entry.workspaceSize.value_or(-1)},
                     {"allocates", entry.allocates}});
  for (const ExternalParameter &parameter : object.parameters)
    parameters.push_back(describeTensor(parameter.symbol, parameter.type));
  std::string text;
  llvm::raw_string_ostream os(text);
  os << json::Value(json::Object{{"entries", std::move(entries)},
                                 {"parameters", std::move(parameters)}});
  return text;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static std::optional<EntryArgument> rebuildTensor(const json::Value &value,
                                                  MLIRContext *context) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return std::nullopt;
  std::optional<StringRef> name = object->getString("name");
  std::optional<StringRef> text = object->getString("type");
  if (!name || !text)
    return std::nullopt;
  auto type = dyn_cast_or_null<RankedTensorType>(parseType(*text, context));
  if (!type || !getDType(type.getElementType()))
    return std::nullopt;
  return EntryArgument{name->str(), type};
}

static bool rebuildArguments(const json::Object &object, StringRef key,
                             MLIRContext *context,
                             SmallVectorImpl<EntryArgument> &arguments) {
  const json::Array *list = object.getArray(key);
  if (!list)
    return false;
  for (const json::Value &item : *list) {
    std::optional<EntryArgument> argument = rebuildTensor(item, context);
    if (!argument)
      return false;
    arguments.push_back(std::move(*argument));
  }
  return true;
}

static std::optional<EntryPoint> rebuildEntry(const json::Value &value,
                                              MLIRContext *context) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return std::nullopt;
  std::optional<StringRef> name = object->getString("name");
  std::optional<StringRef> cName = object->getString("c_name");
  std::optional<int64_t> workspaceSize = object->getInteger("workspace_size");
  std::optional<bool> allocates = object->getBoolean("allocates");
  if (!name || !cName || !workspaceSize || !allocates)
    return std::nullopt;
  EntryPoint entry;
  entry.signature.name = name->str();
  entry.cName = cName->str();
  entry.workspaceSize = std::nullopt;
  if (*workspaceSize >= 0)
    entry.workspaceSize = *workspaceSize;
  entry.allocates = *allocates;
  if (!rebuildArguments(*object, "inputs", context, entry.signature.inputs) ||
      !rebuildArguments(*object, "results", context, entry.signature.results))
    return std::nullopt;
  return entry;
}

std::optional<CompiledObject> mlir::dit::rebuildObject(StringRef description,
                                                       StringRef code,
                                                       MLIRContext *context) {
  ScopedDiagnosticHandler silence(context,
                                  [](Diagnostic &) { return success(); });
  llvm::Expected<json::Value> value = json::parse(description);
  if (!value) {
    llvm::consumeError(value.takeError());
    return std::nullopt;
  }
  const json::Object *object = value->getAsObject();
  const json::Array *entries = object ? object->getArray("entries") : nullptr;
  if (!entries)
    return std::nullopt;
  CompiledObject result;
  for (const json::Value &item : *entries) {
    std::optional<EntryPoint> entry = rebuildEntry(item, context);
    if (!entry)
      return std::nullopt;
    result.entries.push_back(std::move(*entry));
  }
  SmallVector<EntryArgument> parameters;
  if (!rebuildArguments(*object, "parameters", context, parameters))
    return std::nullopt;
  for (EntryArgument &parameter : parameters)
    result.parameters.push_back({std::move(parameter.name), parameter.type});
  result.object.assign(code.begin(), code.end());
  return result;
}
