//===- TokenKernels.cpp - The kernels of group_tokens and ungroup_tokens --===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The place of a token in the grouped order follows from the sizes of the cubes
// before its own, so no table is stored.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

namespace {

/// Emits the copy between the row-major and the grouped order.
class PermutationEmitter {
public:
  PermutationEmitter(GridAttr grid, ArrayRef<int64_t> cube, int64_t dim,
                     bool ungroup)
      : sizes{grid.getFrames(), grid.getHeight(), grid.getWidth()}, cube(cube),
        grid(grid), dim(dim), ungroup(ungroup) {}

  void emit(KernelBuilder &kb, Value input, Value output);

private:
  void emitCube(KernelBuilder &kb, ValueRange cubeIndex);
  void emitToken(KernelBuilder &kb, Value rowMajor, Value grouped);
  void emitSlice(KernelBuilder &kb, Value from, Value to,
                 SmallVectorImpl<Value> &indices);

  int64_t sizes[3];
  ArrayRef<int64_t> cube;
  GridAttr grid;
  int64_t dim;
  bool ungroup;
  Value input, output;
};

} // namespace

/// Copies the elements of a token, dimension by dimension.
void PermutationEmitter::emitSlice(KernelBuilder &kb, Value from, Value to,
                                   SmallVectorImpl<Value> &indices) {
  int64_t d = indices.size();
  if (d == cast<MemRefType>(output.getType()).getRank()) {
    SmallVector<Value> source = llvm::to_vector(indices);
    SmallVector<Value> target = source;
    source[dim] = from;
    target[dim] = to;
    kb.store(kb.load(input, source), output, target);
    return;
  }
  if (d == dim) {
    indices.push_back(from);
    emitSlice(kb, from, to, indices);
    indices.pop_back();
    return;
  }
  kb.loop(kb.index(0), kb.dim(output, d), 1, [&](Value index) {
    indices.push_back(index);
    emitSlice(kb, from, to, indices);
    indices.pop_back();
  });
}

void PermutationEmitter::emitToken(KernelBuilder &kb, Value rowMajor,
                                   Value grouped) {
  SmallVector<Value> indices;
  if (ungroup)
    emitSlice(kb, grouped, rowMajor, indices);
  else
    emitSlice(kb, rowMajor, grouped, indices);
}

void PermutationEmitter::emitCube(KernelBuilder &kb, ValueRange cubeIndex) {
  Value begin[3], extent[3];
  for (int64_t axis = 0; axis < 3; ++axis) {
    begin[axis] = kb.mul(cubeIndex[axis], cube[axis]);
    extent[axis] = kb.min(kb.sub(kb.index(sizes[axis]), begin[axis]),
                          kb.index(cube[axis]));
  }
  // Tokens of the cubes before: whole frames, then whole rows of cubes of these
  // frames, then cubes of this row.
  Value before = kb.mul(begin[0], sizes[1] * sizes[2]);
  before = kb.add(before, kb.mul(kb.mul(extent[0], begin[1]), sizes[2]));
  before = kb.add(before, kb.mul(kb.mul(extent[0], extent[1]), begin[2]));
  Value zero = kb.index(0);
  kb.loop(zero, extent[0], 1, [&](Value f) {
    kb.loop(zero, extent[1], 1, [&](Value y) {
      kb.loop(zero, extent[2], 1, [&](Value x) {
        Value line = kb.add(kb.mul(f, extent[1]), y);
        Value grouped = kb.add(before, kb.add(kb.mul(line, extent[2]), x));
        Value row =
            kb.add(kb.mul(kb.add(begin[0], f), sizes[1]), kb.add(begin[1], y));
        Value rowMajor = kb.add(kb.mul(row, sizes[2]), kb.add(begin[2], x));
        emitToken(kb, kb.add(rowMajor, grid.getVideoBegin()),
                  kb.add(grouped, grid.getVideoBegin()));
      });
    });
  });
}

void PermutationEmitter::emit(KernelBuilder &kb, Value source, Value target) {
  input = source;
  output = target;
  SmallVector<Value> cubes;
  for (int64_t axis = 0; axis < 3; ++axis)
    cubes.push_back(kb.index((sizes[axis] + cube[axis] - 1) / cube[axis]));
  kb.parallel(cubes, [&](ValueRange cubeIndex) { emitCube(kb, cubeIndex); });
  if (grid.getText() == 0)
    return;
  int64_t textBegin = grid.getTextFirst() ? 0 : grid.getNumVideoTokens();
  kb.loop(textBegin, textBegin + grid.getText(), 1,
          [&](Value token) { emitToken(kb, token, token); });
}

template <typename OpTy>
static LogicalResult callPermutation(OpTy op, KernelBuilder &kb,
                                     KernelLibrary &library, bool ungroup) {
  SmallVector<OperandView> views = {getIdentityView(op.getInput()),
                                    getIdentityView(op.getOutput())};
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        PermutationEmitter(op.getGrid(), op.getCube(), op.getDim(), ungroup)
            .emit(kb, arguments[0], arguments[1]);
      });
}

LogicalResult mlir::dit::cpu::callKernel(GroupTokensOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  return callPermutation(op, kb, library, /*ungroup=*/false);
}

LogicalResult mlir::dit::cpu::callKernel(UngroupTokensOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  return callPermutation(op, kb, library, /*ungroup=*/true);
}
