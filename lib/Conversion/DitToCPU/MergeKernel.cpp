//===- MergeKernel.cpp - The kernel of dit.attention_merge ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

namespace {

/// The operands of the kernel.
struct Merge {
  Value o1, lse1, o2, lse2, output, lse;
  VectorType vec;
};

} // namespace

/// The weights of both sides of a row; writes the row's log-sum-exp.
static std::pair<Value, Value> emitWeights(KernelBuilder &kb,
                                           const Merge &merge, ValueRange row) {
  Type type = merge.vec.getElementType();
  Value lse1 = kb.load(merge.lse1, row), lse2 = kb.load(merge.lse2, row);
  Value larger = arith::MaximumFOp::create(kb, lse1, lse2);
  Value empty =
      kb.cmpf(arith::CmpFPredicate::OEQ, larger, kb.minusInfinity(type));
  Value zero = kb.constant(type, 0.0);
  Value shift = kb.select(empty, zero, larger);
  Value first = math::ExpOp::create(kb, kb.subf(lse1, shift));
  Value second = math::ExpOp::create(kb, kb.subf(lse2, shift));
  Value total = kb.addf(first, second);
  // Two empty sides have a total of 0, and ln 0 = -inf.
  kb.store(kb.addf(shift, math::LogOp::create(kb, total)), merge.lse, row);
  auto share = [&](Value weight) {
    return kb.select(empty, zero,
                     arith::DivFOp::create(kb, weight, total).getResult());
  };
  return {share(first), share(second)};
}

/// Writes `count` elements of an output row from element `d` on.
static void emitElements(KernelBuilder &kb, const Merge &merge, ValueRange at,
                         Value weight1, Value weight2, int64_t count) {
  Type element = cast<MemRefType>(merge.output.getType()).getElementType();
  Type compute = merge.vec.getElementType();
  auto source = VectorType::get(merge.vec.getShape(), element);
  auto side = [&](Value o) {
    return kb.convert(kb.vloadPart(source, o, at, count), compute);
  };
  Value sum = kb.fma(side(merge.o1), kb.splat(merge.vec, weight1),
                     kb.mulf(side(merge.o2), kb.splat(merge.vec, weight2)));
  kb.vstorePart(kb.convert(sum, element), merge.output, at, count);
}

static void emitMerge(KernelBuilder &kb, const Merge &merge) {
  auto type = cast<MemRefType>(merge.output.getType());
  Type compute = merge.vec.getElementType();
  int64_t lanes = merge.vec.getNumElements(), size = type.getDimSize(3);
  bool vectors = !ShapedType::isDynamic(size);
  for (Value operand : {merge.o1, merge.o2, merge.output})
    vectors &= cast<MemRefType>(operand.getType())
                   .getStridesAndOffset()
                   .first.back() == 1;
  SmallVector<Value> rows;
  for (int64_t d = 0; d < 3; ++d)
    rows.push_back(kb.dim(merge.output, d));
  kb.parallel(rows, [&](ValueRange row) {
    Value weight1, weight2;
    std::tie(weight1, weight2) = emitWeights(kb, merge, row);
    auto at = [&](Value d) {
      SmallVector<Value> indices(row);
      indices.push_back(d);
      return indices;
    };
    if (vectors) {
      int64_t whole = size / lanes * lanes;
      kb.loop(0, whole, lanes, [&](Value d) {
        emitElements(kb, merge, at(d), weight1, weight2, lanes);
      });
      if (whole < size)
        emitElements(kb, merge, at(kb.index(whole)), weight1, weight2,
                     size - whole);
      return;
    }
    kb.loop(kb.index(0), kb.dim(merge.output, 3), 1, [&](Value d) {
      auto side = [&](Value o) {
        return kb.convert(kb.load(o, at(d)), compute);
      };
      Value sum = kb.addf(kb.mulf(side(merge.o1), weight1),
                          kb.mulf(side(merge.o2), weight2));
      kb.store(kb.convert(sum, type.getElementType()), merge.output, at(d));
    });
  });
}

LogicalResult mlir::dit::cpu::callKernel(AttentionMergeOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  Type compute = cast<MemRefType>(op.getLse().getType()).getElementType();
  int64_t lanes = library.getTarget().getLanes(compute.getIntOrFloatBitWidth());
  SmallVector<OperandView> views;
  for (Value operand : op->getOperands())
    views.push_back(getIdentityView(operand));
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        emitMerge(kb, {arguments[0], arguments[1], arguments[2], arguments[3],
                       arguments[4], arguments[5],
                       VectorType::get(lanes, compute)});
      });
}
