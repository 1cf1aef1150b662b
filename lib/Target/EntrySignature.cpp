//===- EntrySignature.cpp - Types of exported functions -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Conversion of signatures from functions and to and from attributes.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/EntrySignature.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dit;

std::optional<dit_rt_dtype> mlir::dit::getDType(Type elementType) {
  if (elementType.isF16())
    return DIT_RT_F16;
  if (elementType.isBF16())
    return DIT_RT_BF16;
  if (elementType.isF32())
    return DIT_RT_F32;
  if (elementType.isF64())
    return DIT_RT_F64;
  if (elementType.isIndex())
    return DIT_RT_I64;
  if (!elementType.isInteger())
    return std::nullopt;
  switch (elementType.getIntOrFloatBitWidth()) {
  case 1:
    return DIT_RT_BOOL;
  case 8:
    return DIT_RT_I8;
  case 16:
    return DIT_RT_I16;
  case 32:
    return DIT_RT_I32;
  case 64:
    return DIT_RT_I64;
  }
  return std::nullopt;
}

/// The boundary's form of `type`, or null if it cannot cross.
static RankedTensorType getBoundaryType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor && !isa<ShapedType>(type))
    tensor =
        getDType(type) ? RankedTensorType::get({}, type) : RankedTensorType();
  if (!tensor || tensor.getEncoding() || !getDType(tensor.getElementType()))
    return {};
  return tensor;
}

/// The argument's name from `dit.name`, or a numbered one.
static std::string getArgumentName(DictionaryAttr attrs, StringRef fallback,
                                   unsigned index) {
  if (attrs)
    if (auto name = attrs.getAs<StringAttr>("dit.name"))
      return name.str();
  return (fallback + Twine(index)).str();
}

FailureOr<EntrySignature>
mlir::dit::inferSignature(FunctionOpInterface function) {
  EntrySignature signature;
  signature.name = function.getName().str();
  auto add = [&](SmallVectorImpl<EntryArgument> &list, Type type,
                 std::string name, StringRef role) -> LogicalResult {
    RankedTensorType boundaryType = getBoundaryType(type);
    if (!boundaryType)
      return function.emitError()
             << "cannot be exported: " << role << " " << list.size()
             << " has type " << type
             << "; expected a ranked tensor or scalar of i1, i8, i16, i32, i64,"
                " index, f16, bf16, f32 or f64";
    list.push_back({std::move(name), boundaryType});
    return success();
  };
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    if (failed(add(signature.inputs, type,
                   getArgumentName(function.getArgAttrDict(i), "arg", i),
                   "argument")))
      return failure();
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    if (failed(add(signature.results, type,
                   getArgumentName(function.getResultAttrDict(i), "result", i),
                   "result")))
      return failure();
  return signature;
}

void mlir::dit::setSignature(Operation *op, const EntrySignature &signature) {
  Builder builder(op->getContext());
  auto pack = [&](ArrayRef<EntryArgument> list) {
    SmallVector<Attribute> items;
    for (const EntryArgument &argument : list)
      items.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("name", builder.getStringAttr(argument.name)),
           builder.getNamedAttr("type", TypeAttr::get(argument.type))}));
    return builder.getArrayAttr(items);
  };
  op->setAttr(
      kEntryAttrName,
      builder.getDictionaryAttr(
          {builder.getNamedAttr("name", builder.getStringAttr(signature.name)),
           builder.getNamedAttr("inputs", pack(signature.inputs)),
           builder.getNamedAttr("results", pack(signature.results))}));
}

std::optional<EntrySignature> mlir::dit::getSignature(Operation *op) {
  auto dict = op->getAttrOfType<DictionaryAttr>(kEntryAttrName);
  if (!dict)
    return std::nullopt;
  auto name = dict.getAs<StringAttr>("name");
  auto inputs = dict.getAs<ArrayAttr>("inputs");
  auto results = dict.getAs<ArrayAttr>("results");
  if (!name || !inputs || !results)
    return std::nullopt;
  EntrySignature signature;
  signature.name = name.str();
  auto unpack = [](ArrayAttr items, SmallVectorImpl<EntryArgument> &list) {
    for (auto item : items.getAsRange<DictionaryAttr>())
      list.push_back(
          {item.getAs<StringAttr>("name").str(),
           cast<RankedTensorType>(item.getAs<TypeAttr>("type").getValue())});
  };
  unpack(inputs, signature.inputs);
  unpack(results, signature.results);
  return signature;
}
