//===- SiteAnnotations.h - The annotation file of sites ---------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a person knows of the sites of a model and the program does not show:
// names, kinds, layers and grids. `docs/Spec.md` describes the file.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_ANALYSIS_SITEANNOTATIONS_H
#define DIT_DIALECT_DIT_ANALYSIS_SITEANNOTATIONS_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>

namespace mlir::dit {

/// The annotation of one site; what is absent stays as it is.
struct SiteAnnotation {
  std::string site;
  std::optional<std::string> name;
  std::optional<BranchKind> kind;
  std::optional<int64_t> layer;
  GridAttr grid;

  bool isOfMLP() const { return kind == BranchKind::MLP; }
  /// Whether it holds what only an attention, or the branch of one, has.
  bool isOfAttention() const { return grid || (kind && !isOfMLP()); }
};

/// Reads a grid, or reports at `path` what is wrong.
bool readGrid(MLIRContext *context, const llvm::json::Value &value,
              GridAttr &grid, llvm::json::Path path);

/// Parses the text of an annotation file. Fails on malformed JSON, a key that
/// is not known, a value of the wrong form, and a site that comes twice.
llvm::Expected<SmallVector<SiteAnnotation>>
parseSiteAnnotations(MLIRContext *context, StringRef text);

/// The kind of an attention whose queries and keys are the tokens of `grid`, if
/// the grid tells: `joint` with text beside video, `full` over several frames
/// of several tokens, `temporal` over frames of one token.
std::optional<AttentionKind> getKindOnGrid(GridAttr grid);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_ANALYSIS_SITEANNOTATIONS_H
