//===- TileListGenerator.cpp - Random tile lists --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileListGenerator.h"
#include "PatternGenerator.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir::dit;

/// Constants of more elements are not written.
static constexpr int64_t kMaxConstantElements = 512;

static GeneratedExtent getTiles(GeneratedExtent tokens, int64_t tile) {
  return {(tokens.size + tile - 1) / tile, tokens.dynamic};
}

GeneratedTileList TileListGenerator::inits(GeneratedExtent batch,
                                           GeneratedExtent heads,
                                           GeneratedExtent rows,
                                           GeneratedExtent room) {
  GeneratedExtents num = {batch, heads, rows}, idx = {batch, heads, rows, room};
  return {choices.once(2) ? text.empty("i32", num) : text.zeros("i32", num),
          text.zeros("i32", idx), queryTile, keyTile};
}

GeneratedTileList TileListGenerator::results(const GeneratedTileList &inits,
                                             bool stable) {
  GeneratedTileList list = inits;
  list.num = text.fresh("i32", inits.num.extents);
  list.idx = text.fresh("i32", inits.idx.extents);
  list.num.stable = list.idx.stable = stable;
  return list;
}

/// Each row takes each tile with some probability.
GeneratedTileList TileListGenerator::constantList(const Shape &shape) {
  int64_t room = std::max<int64_t>(shape.tiles - choices.between(0, 1), 1);
  GeneratedExtents numExtents = {shape.batch, shape.heads, shape.rows};
  GeneratedExtents idxExtents = numExtents;
  idxExtents.push_back({room});
  int64_t numRows = shape.batch.size * shape.heads.size * shape.rows.size;
  llvm::SmallVector<int64_t> num, idx;
  for (int64_t row = 0; row < numRows; ++row) {
    int64_t taken = 0;
    for (int64_t tile = 0; tile < shape.tiles && taken < room; ++tile)
      if (choices.once(2)) {
        idx.push_back(tile);
        ++taken;
      }
    num.push_back(taken);
    // What is beyond the number has no meaning.
    idx.append(room - taken, 1000000);
  }
  auto write = [&](const GeneratedExtents &extents,
                   llvm::ArrayRef<int64_t> numbers) {
    size_t next = 0;
    return text.constant("i32", extents, formatDense(extents, [&] {
                           return std::to_string(numbers[next++]);
                         }));
  };
  GeneratedValue first = write(numExtents, num);
  return {first, write(idxExtents, idx), queryTile, keyTile};
}

GeneratedTileList TileListGenerator::slice(const Shape &shape) {
  Shape source = shape;
  int64_t offsets[] = {0, 0, choices.between(0, 2)};
  source.rows.size += offsets[2] + choices.between(0, 1);
  for (auto [offset, extent] : {std::pair(&offsets[0], &source.batch),
                                std::pair(&offsets[1], &source.heads)}) {
    // An extent of 1 stands for all, whatever the offset.
    *offset = choices.between(0, 1);
    if (extent->size > 1)
      ++extent->size;
  }
  GeneratedTileList list = constantList(source);
  GeneratedTileList outs =
      inits(shape.batch, shape.heads, shape.rows, list.idx.extents.back());
  GeneratedTileList result = results(outs, list.num.stable);
  text.line(joinNames({result.num, result.idx}) + " = dit.tiles_slice ins(" +
            joinTyped({list.num, list.idx}) + ") at(" + text.index(offsets[0]) +
            ", " + text.index(offsets[1]) + ", " + text.index(offsets[2]) +
            ") outs(" + joinTyped({outs.num, outs.idx}) + ")");
  return result;
}

GeneratedTileList TileListGenerator::transpose(const Shape &shape) {
  GeneratedTileList list =
      constantList({shape.batch, shape.heads, {shape.tiles}, shape.rows.size});
  GeneratedTileList outs =
      inits(shape.batch, shape.heads, shape.rows,
            {choices.between(1, shape.tiles + 1), choices.once(4)});
  GeneratedTileList result = results(outs, list.num.stable);
  text.line(joinNames({result.num, result.idx}) +
            " = dit.tiles_transpose ins(" + joinTyped({list.num, list.idx}) +
            ") outs(" + joinTyped({outs.num, outs.idx}) + ")");
  return result;
}

GeneratedTileList TileListGenerator::unite(const GeneratedTileList &lhs,
                                           const GeneratedTileList &rhs) {
  auto broadcast = [&](unsigned d) {
    GeneratedExtent extent = lhs.num.extents[d];
    return extent == GeneratedExtent{1} ? rhs.num.extents[d] : extent;
  };
  int64_t most = lhs.idx.extents.back().size + rhs.idx.extents.back().size;
  GeneratedTileList outs = inits(broadcast(0), broadcast(1), lhs.num.extents[2],
                                 {choices.between(1, most), choices.once(4)});
  GeneratedTileList result = results(outs, lhs.num.stable && rhs.num.stable);
  text.line(joinNames({result.num, result.idx}) + " = dit.tiles_union ins((" +
            joinNames({lhs.num, lhs.idx}) + "), (" +
            joinNames({rhs.num, rhs.idx}) + ") : " + lhs.num.getType() + ", " +
            lhs.idx.getType() + ", " + rhs.num.getType() + ", " +
            rhs.idx.getType() + ") outs(" + joinTyped({outs.num, outs.idx}) +
            ")");
  return result;
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// Whether the mean of each tile is exact: all divide by a power of two.
static bool hasExactMeans(int64_t tokens, int64_t tile) {
  int64_t tail = tokens % tile;
  return (tokens < tile || llvm::isPowerOf2_64(tile)) &&
         (tail == 0 || llvm::isPowerOf2_64(tail));
}

GeneratedValue TileListGenerator::scores(GeneratedExtent queries,
                                         GeneratedExtent keys) {
  GeneratedExtent rows = getTiles(queries, queryTile),
                  tiles = getTiles(keys, keyTile);
  GeneratedExtent listBatch = choices.once(2) ? batch : GeneratedExtent{1};
  GeneratedExtent listHeads = choices.once(2) ? heads : GeneratedExtent{1};
  std::string element = choices.oneOf({"f32", "bf16", "f16", "f64"});
  std::string accumulator = element == "f64" ? "f64" : "f32";
  if (choices.once(3))
    return text.argument(accumulator, {listBatch, listHeads, rows, tiles});
  GeneratedExtent rank = {choices.between(1, 8)};
  GeneratedValue q =
      text.argument(element, {listBatch, listHeads, queries, rank});
  GeneratedValue k = text.argument(element, {listBatch, listHeads, keys, rank});
  GeneratedValue init =
      text.empty(accumulator, {listBatch, listHeads, rows, tiles});
  GeneratedValue result = text.fresh(accumulator, init.extents);
  std::string proxy = choices.oneOf({"center", "first", "mean"});
  result.stable = proxy != "mean" || (hasExactMeans(queries.size, queryTile) &&
                                      hasExactMeans(keys.size, keyTile));
  text.line(result.name + " = dit.low_rank_score ins(" + joinTyped({q, k}) +
            ") by [" + std::to_string(queryTile) + ", " +
            std::to_string(keyTile) + "] proxy <" + proxy + "> outs(" +
            joinTyped({init}) + ")" +
            (choices.once(2) ? " {scale = 0.25 : f64}" : ""));
  return result;
}

GeneratedTileList TileListGenerator::topk(const GeneratedValue &scores) {
  GeneratedExtent rows = scores.extents[2], tiles = scores.extents[3];
  bool stable = scores.stable;
  std::string amount;
  switch (choices.below(4)) {
  case 0:
    amount = std::string(" fraction(") +
             choices.oneOf({"0.0", "0.25", "0.5", "0.7", "1.0"}) + ")";
    break;
  case 1:
    // The softmax is rounded, and may just reach the mass or not.
    stable = false;
    amount = std::string(" mass(") +
             choices.oneOf({"0.0", "0.5", "0.9", "1.0"}) + ")";
    break;
  default:
    amount =
        " count(" +
        joinTyped({text.argument(
            "i32", {choices.once(2) ? scores.extents[1] : GeneratedExtent{1}},
            tiles.size + 1)}) +
        ")";
  }
  if (choices.once(3))
    amount += " keep(" +
              PatternGenerator(choices).generate(rows.size, tiles.size, 1) +
              ")";
  GeneratedTileList outs =
      inits(scores.extents[0], scores.extents[1], rows,
            {choices.between(1, tiles.size + 1), choices.once(4)});
  GeneratedTileList result = results(outs, stable);
  text.line(joinNames({result.num, result.idx}) + " = dit.topk_mask ins(" +
            joinTyped({scores}) + ")" + amount + " outs(" +
            joinTyped({outs.num, outs.idx}) + ")");
  if (choices.once(2))
    text.result(result.num, 0.0);
  return result;
}

GeneratedTileList TileListGenerator::select(GeneratedExtent queries,
                                            GeneratedExtent keys) {
  Shape shape{choices.once(2) && !batch.dynamic ? batch : GeneratedExtent{1},
              choices.once(2) ? heads : GeneratedExtent{1},
              {getTiles(queries, queryTile).size},
              getTiles(keys, keyTile).size};
  if (shape.batch.size * shape.heads.size * (shape.rows.size + 2) *
          (shape.tiles + 1) >
      kMaxConstantElements)
    return topk(scores(queries, keys));
  switch (choices.below(5)) {
  case 0:
    return constantList(shape);
  case 1:
    return slice(shape);
  case 2:
    return transpose(shape);
  default:
    return topk(scores(queries, keys));
  }
}

GeneratedTileList TileListGenerator::generate(GeneratedExtent queries,
                                              GeneratedExtent keys) {
  queryTile = choices.oneOf<int64_t>({1, 2, 3, 4, 8, 16, 64});
  keyTile = choices.oneOf<int64_t>({1, 2, 3, 4, 8, 16, 64});
  GeneratedTileList list = select(queries, keys);
  return choices.once(4) ? unite(list, select(queries, keys)) : list;
}
