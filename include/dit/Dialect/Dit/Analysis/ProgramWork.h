//===- ProgramWork.h - Work of a program by site ----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The floating-point operations of a program by the branch that they belong to:
// attention, the selection of its tiles, and projections.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_ANALYSIS_PROGRAMWORK_H
#define DIT_DIALECT_DIT_ANALYSIS_PROGRAMWORK_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "llvm/ADT/MapVector.h"

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace mlir::dit {

/// Names the branch that an op was written out for.
inline constexpr llvm::StringLiteral kWorkSiteAttrName = "dit.work_site";

enum class WorkKind {
  /// QK^T and PV of the positions that are kept.
  Attention,
  /// Scores from which tiles are selected.
  Selection,
  /// Contractions: what surrounds an attention, and all of an MLP.
  Projection
};

StringRef stringifyWorkKind(WorkKind kind);

/// What `op` does, if its work is counted.
std::optional<WorkKind> getWorkKind(Operation *op);

/// The site for which `op` works: its own, that of the attention it selects
/// for, or that of the branch around it; empty if there is none.
StringRef getSiteOfWork(Operation *op);

/// Says in the ops from `begin` to `end` that they work for `site`.
void setSiteOfWork(Block::iterator begin, Block::iterator end, StringRef site);

/// A site and what is done for it.
using WorkKey = std::pair<StringRef, WorkKind>;

/// The work of all ops with one key.
struct WorkEntry {
  /// How often the ops run.
  int64_t runs = 0;
  /// A multiplication and an addition are two operations.
  int64_t flops = 0;
  /// Whether both are known. What depends on run-time data is an upper bound or
  /// an estimate.
  bool exact = true;
};

/// Counts the work below an op by analysis.
class ProgramWork {
public:
  explicit ProgramWork(Operation *root);

  /// In program order.
  const llvm::MapVector<WorkKey, WorkEntry> &getEntries() const {
    return entries;
  }

  /// Writes an object with the array `work` and the object `total`.
  void writeJSON(llvm::json::OStream &json) const;

private:
  llvm::MapVector<WorkKey, WorkEntry> entries;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_ANALYSIS_PROGRAMWORK_H
