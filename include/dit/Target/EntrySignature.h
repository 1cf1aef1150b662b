//===- EntrySignature.h - Types of exported functions -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the caller of a compiled function must know, kept on the function from
// the tensor level down to LLVM as the attribute `dit.entry`.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_ENTRYSIGNATURE_H
#define DIT_TARGET_ENTRYSIGNATURE_H

#include "dit/Runtime/Entry.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <optional>
#include <string>

namespace mlir::dit {

/// An input or a result of an exported function.
struct EntryArgument {
  std::string name;
  /// Ranked, of an element type that `getDType` knows.
  RankedTensorType type;
};

struct EntrySignature {
  std::string name;
  SmallVector<EntryArgument> inputs;
  SmallVector<EntryArgument> results;
};

/// Name of the attribute that carries the signature.
inline constexpr llvm::StringLiteral kEntryAttrName("dit.entry");

/// Name of the attribute with the bytes of workspace that a function takes, if
/// they are the same for all inputs.
inline constexpr llvm::StringLiteral kWorkspaceAttrName("dit.workspace_size");

/// Name of the attribute with the function that computes, from the extents of
/// the inputs, the bytes of workspace and the extents of dynamic results.
inline constexpr llvm::StringLiteral kQueryAttrName("dit.query");

/// The element type as the runtime numbers it, if it can cross the boundary.
std::optional<dit_rt_dtype> getDType(Type elementType);

/// The signature that exporting `function` would give: tensors as they are,
/// scalars as tensors of rank 0. Fails with a diagnostic on other types.
FailureOr<EntrySignature> inferSignature(FunctionOpInterface function);

/// Stores `signature` on `op`.
void setSignature(Operation *op, const EntrySignature &signature);

/// Reads the signature of an exported function back, at any level.
std::optional<EntrySignature> getSignature(Operation *op);

} // namespace mlir::dit

#endif // DIT_TARGET_ENTRYSIGNATURE_H
