//===- RegionSlicerTest.cpp - Tests of what a part of a value needs -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parts of projections by head and by batch, and ops that cannot be cut.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/RegionSlicer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A function whose ops are copied in part behind them.
class RegionSlicerTest : public ::testing::Test {
protected:
  void parse(StringRef text) {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    body = &(*module->getOps<func::FuncOp>().begin()).getBody().front();
  }

  Value getResult() { return body->getTerminator()->getOperand(0); }

  /// Copies what `part` of the result needs, and returns it.
  Value slice(const TensorPart &part) {
    OpBuilder builder(body->getTerminator());
    last = body->getTerminator()->getPrevNode();
    RegionSlicer slicer(*body, IRMapping());
    slicer.demand(getResult(), part);
    slicer.plan();
    // Only the ops that were there are copied.
    slicer.emit(builder);
    Value value = slicer.get(builder, getResult(), part);
    EXPECT_TRUE(succeeded(verify(*module)));
    return value;
  }

  /// The types of the results of the copies of `OpTy`.
  template <typename OpTy>
  SmallVector<Type> getCopies() {
    SmallVector<Type> types;
    for (Operation *op = last->getNextNode(); op; op = op->getNextNode())
      if (isa<OpTy>(op))
        types.push_back(op->getResult(0).getType());
    return types;
  }

  Type getType(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, Float32Type::get(&context));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Block *body = nullptr;
  Operation *last = nullptr;
};

} // namespace

/// A projection of 2 x 6 tokens to 4 heads of 8.
static constexpr const char *kProjection = R"(
  func.func @f(%x: tensor<12x16xf32>, %w: tensor<16x32xf32>,
      %b: tensor<2x6x4x8xf32>) -> tensor<2x6x4x8xf32> {
    %c0 = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<12x32xf32>
    %z = linalg.fill ins(%c0 : f32) outs(%e : tensor<12x32xf32>)
        -> tensor<12x32xf32>
    %m = linalg.matmul ins(%x, %w : tensor<12x16xf32>, tensor<16x32xf32>)
        outs(%z : tensor<12x32xf32>) -> tensor<12x32xf32>
    %s = tensor.expand_shape %m [[0, 1], [2, 3]] output_shape [2, 6, 4, 8]
        : tensor<12x32xf32> into tensor<2x6x4x8xf32>
    %r = arith.addf %s, %b : tensor<2x6x4x8xf32>
    return %r : tensor<2x6x4x8xf32>
  })";

TEST_F(RegionSlicerTest, HeadsOfAProjection) {
  parse(kProjection);
  auto type = cast<RankedTensorType>(getResult().getType());
  TensorPart part = TensorPart::get(type, /*dim=*/2, /*offset=*/1, /*size=*/2);
  EXPECT_EQ(slice(part).getType(), getType({2, 6, 2, 8}));
  EXPECT_EQ(getCopies<linalg::MatmulOp>(),
            SmallVector<Type>{getType({12, 16})});
  // The columns of two heads, from the second one on.
  bool found = false;
  for (Operation *op = last->getNextNode(); op; op = op->getNextNode())
    if (auto cut = dyn_cast<tensor::ExtractSliceOp>(op);
        cut && cut.getSource() == body->getArgument(1)) {
      found = true;
      EXPECT_EQ(cut.getStaticOffsets(), (ArrayRef<int64_t>{0, 8}));
      EXPECT_EQ(cut.getStaticSizes(), (ArrayRef<int64_t>{16, 16}));
    }
  EXPECT_TRUE(found);
}

TEST_F(RegionSlicerTest, HalfOfTheBatch) {
  parse(kProjection);
  auto type = cast<RankedTensorType>(getResult().getType());
  TensorPart part = TensorPart::get(type, /*dim=*/0, /*offset=*/1, /*size=*/1);
  EXPECT_EQ(slice(part).getType(), getType({1, 6, 4, 8}));
  EXPECT_EQ(getCopies<linalg::MatmulOp>(), SmallVector<Type>{getType({6, 32})});
}

TEST_F(RegionSlicerTest, TokensCannotBeToldApartInAReshape) {
  // A range of the inner one of two joined dimensions is no range: the
  // projection is computed whole.
  parse(kProjection);
  auto type = cast<RankedTensorType>(getResult().getType());
  TensorPart part = TensorPart::get(type, /*dim=*/1, /*offset=*/0, /*size=*/2);
  EXPECT_EQ(slice(part).getType(), getType({2, 2, 4, 8}));
  EXPECT_EQ(getCopies<linalg::MatmulOp>(),
            SmallVector<Type>{getType({12, 32})});
}

TEST_F(RegionSlicerTest, BodiesThatAskWhereTheyAreStayWhole) {
  parse(R"(
    #map = affine_map<(d0, d1) -> (d0, d1)>
    func.func @f(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %r = linalg.generic {indexing_maps = [#map, #map],
          iterator_types = ["parallel", "parallel"]}
          ins(%x : tensor<4x8xf32>) outs(%x : tensor<4x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        %i = linalg.index 0 : index
        %i32 = arith.index_cast %i : index to i32
        %f = arith.sitofp %i32 : i32 to f32
        linalg.yield %f : f32
      } -> tensor<4x8xf32>
      return %r : tensor<4x8xf32>
    })");
  auto type = cast<RankedTensorType>(getResult().getType());
  EXPECT_EQ(slice(TensorPart::get(type, 0, 2, 2)).getType(), getType({2, 8}));
  EXPECT_EQ(getCopies<linalg::GenericOp>(), SmallVector<Type>{getType({4, 8})});
}

TEST_F(RegionSlicerTest, WhatIsNeeded) {
  parse(kProjection);
  auto type = cast<RankedTensorType>(getResult().getType());
  RegionSlicer slicer(*body, IRMapping());
  slicer.demand(getResult(), TensorPart::get(type, 2, 0, 1));
  slicer.plan();
  auto weights = cast<RankedTensorType>(body->getArgument(1).getType());
  auto tokens = cast<RankedTensorType>(body->getArgument(0).getType());
  EXPECT_TRUE(slicer.needsOnly(body->getArgument(1),
                               TensorPart::get(weights, 1, 0, 8)));
  EXPECT_FALSE(slicer.needsOnly(body->getArgument(1),
                                TensorPart::get(weights, 1, 8, 8)));
  EXPECT_FALSE(
      slicer.needsOnly(body->getArgument(0), TensorPart::get(tokens, 0, 0, 6)));
}
