//===- KernelLibrary.cpp - Kernels by configuration -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelLibrary.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

MemRefType KernelLibrary::getViewType(const OperandView &operand) {
  auto source = cast<MemRefType>(operand.source.getType());
  SmallVector<int64_t> sourceStrides;
  int64_t offset;
  if (failed(source.getStridesAndOffset(sourceStrides, offset)))
    return {};
  SmallVector<int64_t> strides(operand.dims.size(), ShapedType::kDynamic);
  if (!strides.empty()) {
    int64_t last = operand.dims.back();
    int64_t viewExtent = operand.shape.back();
    if (last < 0 || (source.getDimSize(last) == 1 && viewExtent != 1))
      strides.back() = 0;
    else if (sourceStrides[last] == 1)
      strides.back() = 1;
  }
  auto layout = StridedLayoutAttr::get(source.getContext(),
                                       ShapedType::kDynamic, strides);
  return MemRefType::get(operand.shape, source.getElementType(), layout,
                         source.getMemorySpace());
}

Value KernelLibrary::createView(OpBuilder &builder, Location loc,
                                const OperandView &operand) {
  KernelBuilder kb(loc, builder);
  MemRefType type = getViewType(operand);
  auto source = cast<MemRefType>(operand.source.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(kb, operand.source);
  SmallVector<OpFoldResult> sizes, strides;
  auto [typeStrides, typeOffset] = type.getStridesAndOffset();
  for (auto [i, dim] : llvm::enumerate(operand.dims)) {
    Value extent = operand.extents.empty() ? Value() : operand.extents[i];
    if (!type.isDynamicDim(i))
      sizes.push_back(kb.getIndexAttr(type.getDimSize(i)));
    else if (extent)
      sizes.push_back(extent);
    else
      sizes.push_back(dim < 0 ? OpFoldResult(kb.getIndexAttr(1))
                              : metadata.getConstifiedMixedSizes()[dim]);
    if (!ShapedType::isDynamic(typeStrides[i])) {
      strides.push_back(kb.getIndexAttr(typeStrides[i]));
    } else if (dim < 0 || source.getDimSize(dim) == 1) {
      strides.push_back(kb.index(0));
    } else if (source.isDynamicDim(dim)) {
      // An extent of 1 at run time repeats as well.
      Value one = kb.eq(metadata.getSizes()[dim], kb.index(1));
      strides.push_back(
          kb.select(one, kb.index(0), metadata.getStrides()[dim]));
    } else {
      strides.push_back(metadata.getStrides()[dim]);
    }
  }
  return memref::ReinterpretCastOp::create(
      kb, type, metadata.getBaseBuffer(), metadata.getOffset(), sizes, strides);
}

func::FuncOp KernelLibrary::createHelper(Twine name, TypeRange argumentTypes,
                                         Location loc) {
  auto func = func::FuncOp::create(
      loc, name.str(),
      FunctionType::get(loc.getContext(), argumentTypes, /*results=*/{}));
  func.setPrivate();
  symbols.insert(func);
  func.addEntryBlock();
  return func;
}

func::FuncOp KernelLibrary::getOrCreate(
    Attribute key, StringRef name, TypeRange argumentTypes, Location loc,
    llvm::function_ref<void(KernelBuilder &, func::FuncOp)> emitBody) {
  if (func::FuncOp existing = kernels.lookup(key))
    return existing;
  func::FuncOp func = createHelper(name, argumentTypes, loc);
  kernels[key] = func;
  KernelBuilder kb(loc, OpBuilder::atBlockBegin(&func.getBody().front()));
  emitBody(kb, func);
  func::ReturnOp::create(kb);
  return func;
}
