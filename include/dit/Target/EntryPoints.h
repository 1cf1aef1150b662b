//===- EntryPoints.h - C entries of compiled functions ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C functions and descriptors that a caller of compiled code sees, added to
// the LLVM module of the program; dit/Runtime/Entry.h describes them.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_ENTRYPOINTS_H
#define DIT_TARGET_ENTRYPOINTS_H

#include "dit/Target/EntrySignature.h"

#include "llvm/Support/Error.h"

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::dit {

/// A weight of the program that its user supplies at run time, if not
/// before.
struct ExternalParameter {
  /// Name of the symbol in the program.
  std::string symbol;
  RankedTensorType type;
  /// Its value, row-major, to be put into the object; empty for none. Users can
  /// bind another one all the same.
  StringRef data = {};
};

/// All that the outside must know of one entry.
struct EntryPoint {
  EntrySignature signature;
  /// Name of the C function.
  std::string cName;
  /// Bytes; nothing if they depend on the extents of inputs.
  std::optional<int64_t> workspaceSize = 0;
  /// The function that computes them and the extents of dynamic results; empty
  /// if there is none.
  std::string query;
  /// Whether the body returns dynamic results in memory of its own.
  bool returnsResults = false;
  /// Whether the program allocates memory beside the workspace.
  bool allocates = false;
};

/// A C identifier for the function `name`: other characters become `_`, and
/// `main`, which C keeps for itself, becomes `dit_main`.
std::string getCName(StringRef name);

/// The symbol of the descriptor of the entry with the C name `cName`.
std::string getDescriptorName(StringRef cName);

/// Adds the C function, the descriptor and the workspace query of each entry to
/// `module`, which holds the translated program, and hides every other symbol.
void emitEntryPoints(llvm::Module &module, ArrayRef<EntryPoint> entries,
                     ArrayRef<ExternalParameter> parameters);

} // namespace mlir::dit

#endif // DIT_TARGET_ENTRYPOINTS_H
