//===- ProgramWorkTest.cpp - Tests of the work of programs ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sites and counts that can be checked by hand.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/ProgramWork.h"
#include "ParseModule.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

TEST(ProgramWorkTest, SitesOfBranches) {
  ParsedModule module(R"(
    !m = tensor<4x8xf32>
    !w = tensor<8x8xf32>
    func.func @f(%x: !m, %w: !w) -> (!m, !m) {
      %b = dit.branch "mlp" mlp of(%x : !m) project {
        %p = linalg.matmul ins(%x, %w : !m, !w) outs(%x : !m) -> !m
        %q = linalg.matmul ins(%p, %w : !m, !w) outs(%x : !m) -> !m
        dit.yield %q : !m
      } -> !m
      %r = linalg.matmul ins(%b, %w : !m, !w) outs(%x : !m) -> !m
      return %b, %r : !m, !m
    })");
  ASSERT_TRUE(module);
  ProgramWork work(module.getRoot());
  ASSERT_EQ(work.getEntries().size(), 2u);
  const WorkEntry &mlp =
      work.getEntries().find({"mlp", WorkKind::Projection})->second;
  EXPECT_EQ(mlp.runs, 2);
  EXPECT_EQ(mlp.flops, 2 * 2 * 4 * 8 * 8);
  EXPECT_TRUE(mlp.exact);
  const WorkEntry &rest =
      work.getEntries().find({"", WorkKind::Projection})->second;
  EXPECT_EQ(rest.runs, 1);
  EXPECT_EQ(rest.flops, 2 * 4 * 8 * 8);
}

TEST(ProgramWorkTest, DynamicExtentsAreNotKnown) {
  ParsedModule module(R"(
    func.func @f(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
      %r = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>)
          outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
      return %r : tensor<?x8xf32>
    })");
  ASSERT_TRUE(module);
  ProgramWork work(module.getRoot());
  ASSERT_EQ(work.getEntries().size(), 1u);
  EXPECT_FALSE(work.getEntries().front().second.exact);
  EXPECT_EQ(work.getEntries().front().second.runs, 1);
}

TEST(ProgramWorkTest, SiteIsSetWhereThereIsNone) {
  ParsedModule module(R"(
    !m = tensor<8x8xf32>
    func.func @f(%x: !m) -> (!m, !m) {
      %p = linalg.matmul {dit.work_site = "old"} ins(%x, %x : !m, !m)
          outs(%x : !m) -> !m
      %q = linalg.matmul ins(%p, %x : !m, !m) outs(%x : !m) -> !m
      return %p, %q : !m, !m
    })");
  ASSERT_TRUE(module);
  Operation *first = nullptr;
  module.getRoot().walk([&](linalg::MatmulOp op) {
    if (!first)
      first = op;
  });
  Block &block = *first->getBlock();
  setSiteOfWork(block.begin(), block.end(), "new");
  EXPECT_EQ(getSiteOfWork(first), "old");
  EXPECT_EQ(getSiteOfWork(first->getNextNode()), "new");
}
