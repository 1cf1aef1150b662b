//===- KernelLibrary.h - Kernels by configuration ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keeps one private function for each configuration, shared by all call sites,
// and gives operands the form that kernels take them in: dimensions in one
// order, missing and broadcast dimensions as strides of zero.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_KERNELLIBRARY_H
#define DIT_LIB_CONVERSION_DITTOCPU_KERNELLIBRARY_H

#include "KernelBuilder.h"
#include "dit/Conversion/CPUTarget.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::dit::cpu {

/// How an operand is handed to a kernel.
struct OperandView {
  Value source;
  /// For each dimension of the view, the dimension of the source, or -1 for one
  /// that the source does not have.
  SmallVector<int64_t> dims;
  /// Extents of the view, `ShapedType::kDynamic` where unknown.
  SmallVector<int64_t> shape;
  /// Values of the unknown extents, one per dimension or null; those of the
  /// source where null.
  SmallVector<Value> extents;
};

class KernelLibrary {
public:
  KernelLibrary(ModuleOp module, const CPUTarget &target)
      : target(target), symbols(module) {}

  const CPUTarget &getTarget() const { return target; }

  /// The type of a view of `operand`: static extents where known, all strides
  /// dynamic but an innermost one that is known to be 0 or 1. Null if the
  /// source is not strided.
  static MemRefType getViewType(const OperandView &operand);

  /// The view itself, at the insertion point of `builder`. A dimension of the
  /// view that is 1 in the source repeats it.
  static Value createView(OpBuilder &builder, Location loc,
                          const OperandView &operand);

  /// The kernel for `key`, or one named after `name` made of `argumentTypes`
  /// and filled by `emitBody`, which leaves the return to the library.
  func::FuncOp
  getOrCreate(Attribute key, StringRef name, TypeRange argumentTypes,
              Location loc,
              llvm::function_ref<void(KernelBuilder &, func::FuncOp)> emitBody);

  /// Makes a private function that a kernel calls.
  func::FuncOp createHelper(Twine name, TypeRange argumentTypes, Location loc);

  int64_t getNumKernels() const { return kernels.size(); }

private:
  CPUTarget target;
  SymbolTable symbols;
  llvm::DenseMap<Attribute, func::FuncOp> kernels;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_KERNELLIBRARY_H
