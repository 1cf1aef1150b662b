//===- GenericPlanTest.cpp - Tests of the loops of linalg ops -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GenericPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::dit;

namespace {

class GenericPlanTest : public ::testing::Test {
protected:
  GenericPlanTest() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, memref::MemRefDialect>();
  }

  /// The plan of the one linalg op in a function of `arguments` with `body`.
  GenericPlan plan(StringRef arguments, StringRef body) {
    std::string text =
        ("func.func @f(" + arguments + ") {\n" + body + "\nreturn\n}").str();
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    GenericPlan result;
    module->walk([&](linalg::LinalgOp op) {
      result = GenericPlan::get(op, /*floatLanes=*/16);
    });
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(GenericPlanTest, SmallStaysSerial) {
  GenericPlan small =
      plan("%a: memref<8x16xf32>", "linalg.exp ins(%a : memref<8x16xf32>) "
                                   "outs(%a : memref<8x16xf32>)");
  EXPECT_EQ(small.strategy, VectorStrategy::Parallel);
  EXPECT_EQ(small.vectorDim, 1u);
  EXPECT_EQ(small.lanes, 16);
  EXPECT_EQ(small.numParallelLoops, 0u);
}

TEST_F(GenericPlanTest, LargeRunsOnThreads) {
  GenericPlan large = plan("%a: memref<1024x1024xf32>",
                           "linalg.exp ins(%a : memref<1024x1024xf32>) "
                           "outs(%a : memref<1024x1024xf32>)");
  EXPECT_EQ(large.numParallelLoops, 1u);
  EXPECT_GE(large.grain, 1);
}

TEST_F(GenericPlanTest, NarrowRowsTakeNarrowVectors) {
  GenericPlan narrow =
      plan("%a: memref<8x12xf32>", "linalg.exp ins(%a : memref<8x12xf32>) "
                                   "outs(%a : memref<8x12xf32>)");
  EXPECT_EQ(narrow.lanes, 4);
}

TEST_F(GenericPlanTest, RowSumsHaveVectorAccumulators) {
  GenericPlan sum = plan("%a: memref<8x128xf32>, %b: memref<8xf32>",
                         "linalg.reduce { arith.addf } "
                         "ins(%a : memref<8x128xf32>) "
                         "outs(%b : memref<8xf32>) dimensions = [1]");
  EXPECT_EQ(sum.strategy, VectorStrategy::Reduction);
  EXPECT_EQ(sum.vectorDim, 1u);
  EXPECT_EQ(sum.lanes, 64);
}

TEST_F(GenericPlanTest, ColumnSumsHaveLanesAlongColumns) {
  GenericPlan sum = plan("%a: memref<8x128xf32>, %b: memref<128xf32>",
                         "linalg.reduce { arith.addf } "
                         "ins(%a : memref<8x128xf32>) "
                         "outs(%b : memref<128xf32>) dimensions = [0]");
  EXPECT_EQ(sum.strategy, VectorStrategy::Parallel);
  EXPECT_EQ(sum.vectorDim, 1u);
  EXPECT_EQ(sum.reductionDims.size(), 1u);
}

TEST_F(GenericPlanTest, Access) {
  AffineExpr d0 = getAffineDimExpr(0, &context);
  AffineExpr d1 = getAffineDimExpr(1, &context);
  auto access = [&](AffineExpr expr, Type element) {
    return classifyAccess(AffineMap::get(2, 0, expr),
                          MemRefType::get({64}, element), /*dim=*/1);
  };
  Type f32 = Float32Type::get(&context);
  EXPECT_EQ(access(d0, f32), LaneAccess::Uniform);
  EXPECT_EQ(access(d1, f32), LaneAccess::Contiguous);
  EXPECT_EQ(access(d0 + d1, f32), LaneAccess::Contiguous);
  EXPECT_EQ(access(d1 * 2 + d0, f32), LaneAccess::EverySecond);
  EXPECT_EQ(access(d1 * 3 + d0, f32), LaneAccess::Scattered);
  EXPECT_EQ(access(d1, IntegerType::get(&context, 1)), LaneAccess::Scattered);
}

} // namespace
