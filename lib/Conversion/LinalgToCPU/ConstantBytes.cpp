//===- ConstantBytes.cpp - Constants in another order ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantBytes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::dit;

/// The bytes of a constant that is no splat and whose elements are whole
/// bytes; empty for others.
static ArrayRef<char> getRawBytes(ElementsAttr attr) {
  if (!attr.getElementType().isIntOrFloat() ||
      attr.getElementType().getIntOrFloatBitWidth() % 8 != 0)
    return {};
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    return dense.isSplat() ? ArrayRef<char>() : dense.getRawData();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  return {};
}

/// Elements of `source` of `shape`, in the order of `permutation`.
static void permuteBytes(ArrayRef<char> source, MutableArrayRef<char> target,
                         ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation,
                         int64_t bytes) {
  unsigned rank = shape.size();
  SmallVector<int64_t> strides(rank, 1), steps, extents, position(rank, 0);
  for (unsigned d = rank - 1; d-- > 0;)
    strides[d] = strides[d + 1] * shape[d + 1];
  for (int64_t d : permutation) {
    steps.push_back(strides[d]);
    extents.push_back(shape[d]);
  }
  int64_t offset = 0;
  for (char *out = target.begin(); out != target.end(); out += bytes) {
    std::copy_n(source.data() + offset * bytes, bytes, out);
    for (unsigned d = rank; d-- > 0;) {
      offset += steps[d];
      if (++position[d] < extents[d])
        break;
      offset -= steps[d] * extents[d];
      position[d] = 0;
    }
  }
}

ElementsAttr mlir::dit::permuteElements(ElementsAttr attr,
                                        ArrayRef<int64_t> shape,
                                        ArrayRef<int64_t> permutation,
                                        StringRef name) {
  ArrayRef<char> source = getRawBytes(attr);
  auto type = RankedTensorType::get(applyPermutation(shape, permutation),
                                    attr.getElementType());
  if (source.empty() || shape.empty())
    return {};
  int64_t bytes = attr.getElementType().getIntOrFloatBitWidth() / 8;
  if (static_cast<int64_t>(source.size()) != type.getNumElements() * bytes)
    return {};
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(source.size(), /*align=*/bytes);
  permuteBytes(source, blob.getMutableData(), shape, permutation, bytes);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}
