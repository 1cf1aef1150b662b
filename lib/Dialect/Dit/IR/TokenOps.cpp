//===- TokenOps.cpp - Token order -----------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

DIT_DEFINE_TRAILING_INITS_OP_METHODS(GroupTokensOp, 1)
DIT_DEFINE_TRAILING_INITS_OP_METHODS(UngroupTokensOp, 1)

SmallVector<int64_t> mlir::dit::computeGroupedOrder(GridAttr grid,
                                                    ArrayRef<int64_t> cube) {
  int64_t sizes[] = {grid.getFrames(), grid.getHeight(), grid.getWidth()};
  SmallVector<int64_t> order;
  order.reserve(grid.getNumTokens());
  for (int64_t token = 0; token < grid.getVideoBegin(); ++token)
    order.push_back(token);
  auto appendCube = [&](int64_t f0, int64_t y0, int64_t x0) {
    for (int64_t f = f0; f < std::min(f0 + cube[0], sizes[0]); ++f)
      for (int64_t y = y0; y < std::min(y0 + cube[1], sizes[1]); ++y)
        for (int64_t x = x0; x < std::min(x0 + cube[2], sizes[2]); ++x)
          order.push_back(grid.getVideoBegin() + (f * sizes[1] + y) * sizes[2] +
                          x);
  };
  for (int64_t f0 = 0; f0 < sizes[0]; f0 += cube[0])
    for (int64_t y0 = 0; y0 < sizes[1]; y0 += cube[1])
      for (int64_t x0 = 0; x0 < sizes[2]; x0 += cube[2])
        appendCube(f0, y0, x0);
  for (int64_t token = order.size(); token < grid.getNumTokens(); ++token)
    order.push_back(token);
  return order;
}

template <typename OpTy>
static LogicalResult verifyPermutation(OpTy op) {
  if (failed(verifyUniformOperands(op)))
    return failure();
  auto input = cast<ShapedType>(op.getInput().getType());
  auto output = cast<ShapedType>(op.getOutput().getType());
  // group_tokens_c1
  if (input.getElementType() != output.getElementType() ||
      failed(verifyCompatibleShape(input.getShape(), output.getShape())))
    return op.emitOpError() << "expected input and output of the same shape "
                               "and element type, got "
                            << input << " and " << output;
  // group_tokens_c2
  int64_t dim = op.getDim();
  if (dim < 0 || dim >= input.getRank())
    return op.emitOpError() << "expected dim between 0 and "
                            << input.getRank() - 1 << ", got " << dim;
  // group_tokens_c3
  ArrayRef<int64_t> cube = op.getCube();
  constexpr int64_t limit = GridAttr::kMaxExtent;
  if (cube.size() != 3 ||
      llvm::any_of(cube, [](int64_t e) { return e < 1 || e > limit; })) {
    InFlightDiagnostic diag = op.emitOpError()
                              << "expected a cube of three extents [frames, "
                                 "height, width] between 1 and "
                              << limit << ", got [";
    llvm::interleaveComma(cube, diag);
    return diag << "]";
  }
  // group_tokens_c4
  return verifyExtent(op, input.getDimSize(dim), op.getGrid().getNumTokens(),
                      "a token dimension with the grid's number of tokens,");
}

LogicalResult GroupTokensOp::verify() { return verifyPermutation(*this); }
LogicalResult UngroupTokensOp::verify() { return verifyPermutation(*this); }

/// `op` of its inverse is the identity; a cube of one token moves nothing.
template <typename InverseOp, typename OpTy>
static LogicalResult foldPermutation(OpTy op,
                                     SmallVectorImpl<OpFoldResult> &results) {
  if (op->getNumResults() == 0)
    return foldMemRefCasts(op);
  if (op.getInput().getType() == op->getResult(0).getType() &&
      llvm::all_of(op.getCube(), [](int64_t e) { return e == 1; })) {
    results.push_back(op.getInput());
    return success();
  }
  auto inverse = op.getInput().template getDefiningOp<InverseOp>();
  if (!inverse || inverse.getDim() != op.getDim() ||
      inverse.getGrid() != op.getGrid() || inverse.getCube() != op.getCube() ||
      inverse.getInput().getType() != op->getResult(0).getType())
    return failure();
  results.push_back(inverse.getInput());
  return success();
}

LogicalResult GroupTokensOp::fold(FoldAdaptor,
                                  SmallVectorImpl<OpFoldResult> &results) {
  return foldPermutation<UngroupTokensOp>(*this, results);
}

LogicalResult UngroupTokensOp::fold(FoldAdaptor,
                                    SmallVectorImpl<OpFoldResult> &results) {
  return foldPermutation<GroupTokensOp>(*this, results);
}
