//===- TileListGenerator.h - Random tile lists ------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tile lists that hold what the specification asks for: constants, selections,
// and what the ops on lists make of those.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_GENERATOR_TILELISTGENERATOR_H
#define DIT_TEST_FUZZ_GENERATOR_TILELISTGENERATOR_H

#include "Choices.h"
#include "ProgramText.h"

namespace mlir::dit {

struct GeneratedTileList {
  GeneratedValue num, idx;
  int64_t queryTile = 1, keyTile = 1;
};

class TileListGenerator {
public:
  TileListGenerator(Choices &choices, ProgramText &text, GeneratedExtent batch,
                    GeneratedExtent heads)
      : choices(choices), text(text), batch(batch), heads(heads) {}

  /// A list for `queries` by `keys` tokens, under a tile of its choice.
  GeneratedTileList generate(GeneratedExtent queries, GeneratedExtent keys);

private:
  /// Extents of a list, in tiles.
  struct Shape {
    GeneratedExtent batch, heads, rows;
    /// Number of tiles that rows choose from.
    int64_t tiles;
  };

  GeneratedTileList select(GeneratedExtent queries, GeneratedExtent keys);
  GeneratedTileList constantList(const Shape &shape);
  GeneratedTileList slice(const Shape &shape);
  GeneratedTileList transpose(const Shape &shape);
  GeneratedTileList unite(const GeneratedTileList &lhs,
                          const GeneratedTileList &rhs);
  GeneratedTileList topk(const GeneratedValue &scores);
  GeneratedValue scores(GeneratedExtent queries, GeneratedExtent keys);
  GeneratedTileList inits(GeneratedExtent batch, GeneratedExtent heads,
                          GeneratedExtent rows, GeneratedExtent room);
  GeneratedTileList results(const GeneratedTileList &inits, bool stable);

  Choices &choices;
  ProgramText &text;
  GeneratedExtent batch, heads;
  int64_t queryTile = 1, keyTile = 1;
};

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_GENERATOR_TILELISTGENERATOR_H
