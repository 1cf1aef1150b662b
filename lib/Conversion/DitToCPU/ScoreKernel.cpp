//===- ScoreKernel.cpp - The kernel of dit.low_rank_score -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See ScoreEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "ScoreEmitter.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

ScoreEmitter::ScoreEmitter(LowRankScoreOp op, Type compute,
                           const CPUTarget &target)
    : op(op), compute(compute),
      vec(VectorType::get(target.getLanes(compute.getIntOrFloatBitWidth()),
                          compute)) {
  // Accumulators, a row of keys and a broadcast query stay in registers.
  if (target.vectorRegisters >= 32)
    std::tie(tileRows, tileVectors) = std::pair(6, 4);
  else if (target.vectorRegisters >= 16)
    std::tie(tileRows, tileVectors) = std::pair(4, 2);
}

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

/// Proxies as `[batch, head, tile, r]`, or `[batch, head, r, tile]`, with the
/// tiles rounded up to whole register tiles.
Value ScoreEmitter::emitProxies(KernelBuilder &kb, Value tokens, int64_t size,
                                bool transposed) {
  int64_t unit = transposed ? vec.getNumElements() * tileVectors : tileRows;
  Value tiles = kb.ceilDiv(kb.dim(tokens, 2), size), rank = kb.dim(tokens, 3);
  Value padded = kb.mul(kb.ceilDiv(tiles, unit), unit);
  SmallVector<Value> extents = {kb.dim(tokens, 0), kb.dim(tokens, 1), padded,
                                rank};
  if (transposed)
    std::swap(extents[2], extents[3]);
  SmallVector<int64_t> shape(4, ShapedType::kDynamic);
  auto alloc =
      memref::AllocOp::create(kb, MemRefType::get(shape, compute), extents);
  alloc.setAlignment(64);
  kb.parallel({extents[0], extents[1], padded}, [&](ValueRange tile) {
    // What fills up the last register tile repeats the last tile.
    Value index = kb.min(tile[2], kb.add(tiles, -1));
    kb.loop(kb.index(0), rank, 1, [&](Value r) {
      Value proxy = emitProxy(kb, tokens, {tile[0], tile[1], index}, r, size);
      SmallVector<Value> at = {tile[0], tile[1], tile[2], r};
      if (transposed)
        std::swap(at[2], at[3]);
      kb.store(proxy, alloc, at);
    });
  });
  return alloc;
}

/// Stores the scores of the tiles that exist.
void ScoreEmitter::emitStore(KernelBuilder &kb, Value sum, Value memory,
                             ValueRange at) {
  int64_t lanes = vec.getNumElements();
  bool contiguous =
      cast<MemRefType>(memory.getType()).getStridesAndOffset().first.back() ==
      1;
  Value left = kb.sub(kb.dim(memory, at.size() - 1), at.back());
  if (contiguous) {
    vector::MaskedStoreOp::create(kb, memory, at, kb.lanesBelow(lanes, left),
                                  sum);
    return;
  }
  kb.loop(kb.index(0), kb.min(left, kb.index(lanes)), 1, [&](Value lane) {
    Value score = vector::ExtractOp::create(kb, sum, OpFoldResult(lane));
    SmallVector<Value> place(at);
    place.back() = kb.add(place.back(), lane);
    kb.store(score, memory, place);
  });
}

/// The scores of one register tile of rows with all keys, which are read once
/// for all of them.
void ScoreEmitter::emitRows(KernelBuilder &kb, const Proxies &proxies,
                            ValueRange block, Value rows,
                            const Target &target) {
  int64_t lanes = vec.getNumElements();
  Value queries = proxies.queries, keys = proxies.keys;
  Value rank = kb.dim(queries, 3);
  Value scale = kb.constant(vec, op.getScale().convertToDouble());
  // h / (Hq / Hkv), as Hkv divides Hq.
  Value keyHead = kb.div(kb.mul(block[1], kb.dim(keys, 1)), kb.dim(queries, 1));
  Value firstRow = kb.mul(block[2], tileRows);
  kb.loop(kb.index(0), kb.dim(keys, 3), lanes * tileVectors, [&](Value column) {
    SmallVector<Value> zeros(tileRows * tileVectors, kb.constant(vec, 0.0));
    SmallVector<Value> sums =
        kb.loop(kb.index(0), rank, 1, zeros, [&](Value r, ValueRange acc) {
          SmallVector<Value> loaded, next;
          for (int64_t v = 0; v < tileVectors; ++v)
            loaded.push_back(kb.vload(
                vec, keys, {block[0], keyHead, r, kb.add(column, v * lanes)}));
          for (int64_t i = 0; i < tileRows; ++i) {
            Value query = kb.splat(
                vec,
                kb.load(queries, {block[0], block[1], kb.add(firstRow, i), r}));
            for (int64_t v = 0; v < tileVectors; ++v)
              next.push_back(
                  kb.fma(query, loaded[v], acc[i * tileVectors + v]));
          }
          return next;
        });
    for (int64_t i = 0; i < tileRows; ++i) {
      Value row = kb.add(firstRow, i);
      kb.ifThen(kb.lt(row, rows), [&] {
        for (int64_t v = 0; v < tileVectors; ++v) {
          SmallVector<Value> at = target.at(row);
          at.push_back(kb.add(column, v * lanes));
          emitStore(kb, kb.mulf(sums[i * tileVectors + v], scale),
                    target.memory, at);
        }
      });
    }
  });
}

ScoreEmitter::Proxies ScoreEmitter::emitProxies(KernelBuilder &kb, Value q,
                                                Value k) {
  Value queries = emitProxies(kb, q, op.getQTile(), /*transposed=*/false);
  return {queries, emitProxies(kb, k, op.getKVTile(), /*transposed=*/true)};
}

static void emitScores(KernelBuilder &kb, ScoreEmitter &emitter,
                       ValueRange arguments) {
  Value scores = arguments[2], rows = kb.dim(scores, 2);
  ScoreEmitter::Proxies proxies =
      emitter.emitProxies(kb, arguments[0], arguments[1]);
  kb.parallel({kb.dim(scores, 0), kb.dim(scores, 1),
               kb.ceilDiv(rows, emitter.getTileRows())},
              [&](ValueRange block) {
                auto at = [&](Value row) {
                  return SmallVector<Value>{block[0], block[1], row};
                };
                emitter.emitRows(kb, proxies, block, rows, {scores, at});
              });
}

LogicalResult mlir::dit::cpu::callKernel(LowRankScoreOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views;
  for (Value operand : op->getOperands())
    views.push_back(getIdentityView(operand));
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        auto scores = cast<MemRefType>(op.getScores().getType());
        ScoreEmitter emitter(op, scores.getElementType(), library.getTarget());
        emitScores(kb, emitter, arguments);
      });
}
