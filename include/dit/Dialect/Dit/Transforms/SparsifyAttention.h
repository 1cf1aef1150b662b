//===- SparsifyAttention.h - Attention on selected tiles --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Makes an attention look only at the key tiles with the highest scores, a
// number of them for each head, and says from which heads that is taken.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_SPARSIFYATTENTION_H
#define DIT_DIALECT_DIT_TRANSFORMS_SPARSIFYATTENTION_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

/// For each site, the share of key tiles that each head keeps.
class HeadShares {
public:
  /// How a measured sparsity becomes a share.
  struct Options {
    /// Heads that measured less keep everything.
    double minSparsity = 0.0;
    /// Factor on the share of keys that the measurement needed.
    double margin = 1.0;
  };

  /// Reads `{"sites": {"<site>": {"keep": [...]} or {"sparsity": [...]}}}`
  /// with one number between 0 and 1 for each head.
  static llvm::Expected<HeadShares> parse(StringRef json,
                                          const Options &options);

  /// The shares of `site`, none when the profile does not know it.
  std::optional<ArrayRef<double>> lookup(StringRef site) const;

private:
  llvm::StringMap<SmallVector<double>> shares;
};

/// How tiles are formed and scored.
struct SparsifyOptions {
  /// Queries and keys of a tile.
  SmallVector<int64_t, 2> tile = {64, 64};
  /// Frames, height and width of the cubes that tokens are grouped by before
  /// they are cut into tiles; empty leaves them in their order.
  SmallVector<int64_t, 3> cube;
  Proxy proxy = Proxy::Mean;
  /// First steps of the loop around an attention in which it keeps everything.
  int64_t denseSteps = 0;
  /// The share of the softmax mass that is kept, instead of numbers of tiles.
  std::optional<double> mass;
};

/// Why `op` cannot look at selected tiles, none when it can.
std::optional<StringRef> findSparsifyObstacle(AttentionOp op,
                                              const SparsifyOptions &options,
                                              ArrayRef<double> shares);

/// Replaces `op`, which has no obstacle, by scores of its key tiles, a
/// selection and an attention on the selected tiles. Head `h` keeps
/// `ceil(shares[h] * tiles)` of them.
AttentionOp sparsifyAttention(RewriterBase &rewriter, AttentionOp op,
                              const SparsifyOptions &options,
                              ArrayRef<double> shares);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_SPARSIFYATTENTION_H
