//===- ScoreKernel.cpp - The kernel of dit.low_rank_score -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The proxies of all tiles are made first: those of the queries as rows, those
// of the keys transposed, so that a row of scores is a sum of scaled vectors.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

namespace {

class ScoreEmitter {
public:
  ScoreEmitter(LowRankScoreOp op, const CPUTarget &target)
      : op(op),
        compute(cast<MemRefType>(op.getScores().getType()).getElementType()),
        vec(VectorType::get(target.getLanes(compute.getIntOrFloatBitWidth()),
                            compute)) {}

  void emit(KernelBuilder &kb, Value q, Value k, Value scores);

private:
  Value emitProxy(KernelBuilder &kb, Value tokens, ValueRange tile, Value r,
                  int64_t size);
  Value emitProxies(KernelBuilder &kb, Value tokens, int64_t size,
                    bool transposed);
  void emitRow(KernelBuilder &kb, Value queries, Value keys, Value scores,
               ValueRange row);

  LowRankScoreOp op;
  Type compute;
  VectorType vec;
};

} // namespace

/// Element `r` of what stands for tile `tile` = (batch, head, index).
Value ScoreEmitter::emitProxy(KernelBuilder &kb, Value tokens, ValueRange tile,
                              Value r, int64_t size) {
  Value length = kb.dim(tokens, 2);
  auto element = [&](Value token) {
    return kb.convert(kb.load(tokens, {tile[0], tile[1], token, r}), compute);
  };
  Value first = kb.mul(tile[2], size);
  if (op.getProxy() == Proxy::First || size == 1)
    return element(first);
  if (op.getProxy() == Proxy::Center)
    return element(kb.min(kb.add(first, size / 2), kb.add(length, -1)));
  Value end = kb.min(kb.add(first, size), length);
  Value sum =
      kb.loop(first, end, 1, kb.constant(compute, 0.0),
              [&](Value token, ValueRange acc) {
                return SmallVector<Value>{kb.addf(acc[0], element(token))};
              })
          .front();
  Value count = arith::SIToFPOp::create(
      kb, compute,
      arith::IndexCastOp::create(kb, kb.getI64Type(), kb.sub(end, first)));
  return arith::DivFOp::create(kb, sum, count);
}

/// Proxies as `[batch, head, tile, r]`, or `[batch, head, r, tile]` with the
/// tiles rounded up to whole vectors.
Value ScoreEmitter::emitProxies(KernelBuilder &kb, Value tokens, int64_t size,
                                bool transposed) {
  int64_t lanes = vec.getNumElements();
  Value tiles = kb.ceilDiv(kb.dim(tokens, 2), size), rank = kb.dim(tokens, 3);
  SmallVector<Value> extents = {kb.dim(tokens, 0), kb.dim(tokens, 1), tiles,
                                rank};
  if (transposed) {
    extents[2] = rank;
    extents[3] = kb.mul(kb.ceilDiv(tiles, lanes), lanes);
  }
  SmallVector<int64_t> shape(4, ShapedType::kDynamic);
  auto alloc =
      memref::AllocOp::create(kb, MemRefType::get(shape, compute), extents);
  alloc.setAlignment(64);
  kb.parallel({extents[0], extents[1], transposed ? extents[3] : tiles},
              [&](ValueRange tile) {
                // Columns that fill up the last vector repeat the last tile.
                Value index = kb.min(tile[2], kb.add(tiles, -1));
                kb.loop(kb.index(0), rank, 1, [&](Value r) {
                  Value proxy =
                      emitProxy(kb, tokens, {tile[0], tile[1], index}, r, size);
                  SmallVector<Value> at = {tile[0], tile[1], tile[2], r};
                  if (transposed)
                    std::swap(at[2], at[3]);
                  kb.store(proxy, alloc, at);
                });
              });
  return alloc;
}

void ScoreEmitter::emitRow(KernelBuilder &kb, Value queries, Value keys,
                           Value scores, ValueRange row) {
  int64_t lanes = vec.getNumElements();
  bool contiguous =
      cast<MemRefType>(scores.getType()).getStridesAndOffset().first.back() ==
      1;
  Value tiles = kb.dim(scores, 3), rank = kb.dim(queries, 3);
  Value scale = kb.constant(vec, op.getScale().convertToDouble());
  // h / (Hq / Hkv), as Hkv divides Hq.
  Value keyHead = kb.div(kb.mul(row[1], kb.dim(keys, 1)), kb.dim(queries, 1));
  kb.loop(kb.index(0), tiles, lanes, [&](Value column) {
    Value sum =
        kb.loop(kb.index(0), rank, 1, kb.constant(vec, 0.0),
                [&](Value r, ValueRange acc) {
                  Value query = kb.splat(
                      vec, kb.load(queries, {row[0], row[1], row[2], r}));
                  Value key = kb.vload(vec, keys, {row[0], keyHead, r, column});
                  return SmallVector<Value>{kb.fma(query, key, acc[0])};
                })
            .front();
    sum = kb.mulf(sum, scale);
    Value left = kb.sub(tiles, column);
    if (contiguous) {
      vector::MaskedStoreOp::create(kb, scores,
                                    ValueRange{row[0], row[1], row[2], column},
                                    kb.lanesBelow(lanes, left), sum);
      return;
    }
    kb.loop(kb.index(0), kb.min(left, kb.index(lanes)), 1, [&](Value lane) {
      Value score = vector::ExtractOp::create(kb, sum, OpFoldResult(lane));
      kb.store(score, scores, {row[0], row[1], row[2], kb.add(column, lane)});
    });
  });
}

void ScoreEmitter::emit(KernelBuilder &kb, Value q, Value k, Value scores) {
  Value queries = emitProxies(kb, q, op.getQTile(), /*transposed=*/false);
  Value keys = emitProxies(kb, k, op.getKVTile(), /*transposed=*/true);
  kb.parallel({kb.dim(scores, 0), kb.dim(scores, 1), kb.dim(scores, 2)},
              [&](ValueRange row) { emitRow(kb, queries, keys, scores, row); });
  memref::DeallocOp::create(kb, queries);
  memref::DeallocOp::create(kb, keys);
}

LogicalResult mlir::dit::cpu::callKernel(LowRankScoreOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views;
  for (Value operand : op->getOperands())
    views.push_back(getIdentityView(operand));
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        ScoreEmitter(op, library.getTarget())
            .emit(kb, arguments[0], arguments[1], arguments[2]);
      });
}
