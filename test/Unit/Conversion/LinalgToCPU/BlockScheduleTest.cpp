//===- BlockScheduleTest.cpp - Tests of orders of groups ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whatever groups of rows are found in a program, they must have an order, and
// loops in that order must make a valid program.
//
//===----------------------------------------------------------------------===//

#include "BlockSchedule.h"
#include "RowTiling.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace mlir::dit;

/// Of the tensors of the programs, [64, 4]; four tiles.
static constexpr RowSpace kSpace{64, 16};
/// Three products fit one group.
static constexpr int64_t kSharedBytes = 200;

static constexpr StringLiteral kPrologue = R"mlir(
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
#left = affine_map<(m, p, w, k) -> (m, k)>
#panels = affine_map<(m, p, w, k) -> (p, k, w)>
#out = affine_map<(m, p, w, k) -> (m, p, w)>
#from = affine_map<(d0, d1, d2) -> (d2, d1)>
#to = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func private @use(tensor<64x4xf32>)
func.func @program(%v0: tensor<64x4xf32>, %w: tensor<1x4x4xf32>, %c: i1)
    -> tensor<64x4xf32> {
  %zero = arith.constant 0.0 : f32
)mlir";

namespace {

/// Text of a program of random ops on tensors of 64 rows.
class RandomProgram {
public:
  RandomProgram(unsigned seed, unsigned numOps) : random(seed) {
    text = kPrologue.str();
    for (unsigned op = 0; op < numOps; ++op)
      addOp(pick(8));
    text += llvm::formatv("  return {0} : tensor<64x4xf32>\n}\n", any());
  }

  std::string text;

private:
  unsigned pick(unsigned count) { return random() % count; }
  /// One of the last tensors.
  std::string any() {
    unsigned back = std::min(numValues - 1, pick(7));
    return llvm::formatv("%v{0}", numValues - 1 - back);
  }
  /// A new name; those before it are taken.
  std::string name() { return llvm::formatv("%v{0}", numValues++); }
  std::string temporary() { return llvm::formatv("%t{0}", numTemporaries++); }

  std::string empty(StringRef type) {
    std::string result = temporary();
    text +=
        llvm::formatv("  {0} = tensor.empty() : tensor<{1}>\n", result, type);
    return result;
  }
  std::string fill(StringRef type) {
    std::string init = empty(type), result = temporary();
    text += llvm::formatv("  {0} = linalg.fill ins(%zero : f32) outs({1} : "
                          "tensor<{2}>) -> tensor<{2}>\n",
                          result, init, type);
    return result;
  }
  /// A generic op of one input or two that combines them by `body`.
  void generic(StringRef result, StringRef resultType, StringRef maps,
               StringRef iterators, StringRef inputs, StringRef init,
               StringRef body);
  void addOp(unsigned kind);
  void addProduct();
  void addTranspose();
  void addReshape();

  std::mt19937 random;
  unsigned numValues = 1, numTemporaries = 0;
};

class BlockScheduleTest : public ::testing::Test {
protected:
  BlockScheduleTest() {
    context.loadDialect<affine::AffineDialect, arith::ArithDialect,
                        func::FuncDialect, linalg::LinalgDialect,
                        scf::SCFDialect, tensor::TensorDialect>();
  }

  /// The body of the function of `text`.
  Block &parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text.str();
    return module->lookupSymbol<func::FuncOp>("program").getBody().front();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

void RandomProgram::generic(StringRef result, StringRef resultType,
                            StringRef maps, StringRef iterators,
                            StringRef inputs, StringRef init, StringRef body) {
  text += llvm::formatv(
      "  {0} = linalg.generic {{indexing_maps = [{2}], iterator_types = [{3}]} "
      "ins({4}) outs({5} : tensor<{1}>) {{\n{6}  } -> tensor<{1}>\n",
      result, resultType, maps, iterators, inputs, init, body);
}

static constexpr StringLiteral kParallel2 = R"("parallel", "parallel")";
static constexpr StringLiteral kMove = R"(
  ^bb0(%l: f32, %o: f32):
    linalg.yield %l : f32
)";
static constexpr StringLiteral kAdd = R"(
  ^bb0(%l: f32, %o: f32):
    %s = arith.addf %l, %o : f32
    linalg.yield %s : f32
)";

/// Another dimension order and back: no rows between.
void RandomProgram::addTranspose() {
  std::string input = llvm::formatv("{0} : tensor<64x4xf32>", any());
  std::string there = temporary();
  std::string init = empty("4x64xf32");
  generic(there, "4x64xf32", "#swap, #id", kParallel2, input, init, kMove);
  init = empty("64x4xf32");
  generic(name(), "64x4xf32", "#swap, #id", kParallel2,
          there + " : tensor<4x64xf32>", init, kMove);
}

/// A product with weights; what fills a group.
void RandomProgram::addProduct() {
  std::string input =
      llvm::formatv("{0}, %w : tensor<64x4xf32>, tensor<1x4x4xf32>", any());
  std::string init = fill("64x1x4xf32"), product = temporary();
  generic(product, "64x1x4xf32", "#left, #panels, #out",
          R"("parallel", "parallel", "parallel", "reduction")", input, init,
          R"(
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
)");
  text += llvm::formatv("  {0} = tensor.collapse_shape {1} [[0], [1, 2]] : "
                        "tensor<64x1x4xf32> into tensor<64x4xf32>\n",
                        name(), product);
}

void RandomProgram::addReshape() {
  std::string input = any(), there = temporary();
  text += llvm::formatv("  {0} = tensor.expand_shape {1} [[0, 1], [2]] "
                        "output_shape [2, 32, 4] : tensor<64x4xf32> into "
                        "tensor<2x32x4xf32>\n",
                        there, input);
  text += llvm::formatv("  {0} = tensor.collapse_shape {1} [[0, 1], [2]] : "
                        "tensor<2x32x4xf32> into tensor<64x4xf32>\n",
                        name(), there);
}

void RandomProgram::addOp(unsigned kind) {
  std::string first = any(), second = any();
  std::string one = first + " : tensor<64x4xf32>";
  switch (kind) {
  case 0:
    return addProduct();
  case 1:
    return addTranspose();
  case 2:
    return addReshape();
  case 3: {
    // The sum of all rows in each row.
    std::string init = fill("64x4xf32");
    return generic(name(), "64x4xf32", "#from, #to",
                   R"("parallel", "parallel", "reduction")", one, init, kAdd);
  }
  case 4:
    text += llvm::formatv("  func.call @use({0}) : (tensor<64x4xf32>) -> ()\n",
                          first);
    return;
  case 5:
    text += llvm::formatv(
        "  {0} = scf.if %c -> tensor<64x4xf32> {{\n    scf.yield {1} : "
        "tensor<64x4xf32>\n  } else {{\n    scf.yield {2} : "
        "tensor<64x4xf32>\n  }\n",
        name(), first, second);
    return;
  default:
    // Into the other operand.
    return generic(name(), "64x4xf32", "#id, #id", kParallel2, one, second,
                   kAdd);
  }
}

/// Expects that `order` keeps the rules of scheduleGroups.
static void expectValid(Block &block, ArrayRef<Operation *> order,
                        ArrayRef<SmallVector<Operation *>> groups) {
  llvm::DenseMap<Operation *, unsigned> place;
  for (auto [position, op] : llvm::enumerate(order))
    place[op] = position;
  EXPECT_EQ(place.size(), block.getOperations().size());
  EXPECT_EQ(order.back(), block.getTerminator());
  unsigned lastEffect = 0;
  for (Operation &op : block) {
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          EXPECT_LE(place.at(block.findAncestorOpInBlock(*producer)),
                    place.at(&op));
    });
    if (isMemoryEffectFree(&op))
      continue;
    EXPECT_GE(place.at(&op), lastEffect);
    lastEffect = place.at(&op);
  }
  for (ArrayRef<Operation *> group : groups)
    for (auto [position, op] : llvm::enumerate(group))
      EXPECT_EQ(place.at(op), place.at(group.front()) + position);
}

TEST_F(BlockScheduleTest, GroupsOfRandomPrograms) {
  unsigned numGroups = 0, numMoved = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    RandomProgram program(seed, 6 + seed % 25);
    Block &block = parse(program.text);
    RowGroups groups(block, kSpace, kSharedBytes);
    auto order = scheduleGroups(block, groups.getGroups());
    ASSERT_TRUE(order) << program.text;
    expectValid(block, *order, groups.getGroups());
    numGroups += groups.getGroups().size();
    numMoved += !llvm::equal(*order, llvm::make_pointer_range(block));
    ASSERT_TRUE(gatherGroups(block, groups.getGroups()));
    ASSERT_TRUE(succeeded(verify(*module))) << program.text;
    for (ArrayRef<Operation *> group : groups.getGroups())
      tileRowGroup(group, kSpace);
    ASSERT_TRUE(succeeded(verify(*module))) << program.text;
  }
  // The programs are worth the test.
  EXPECT_GT(numGroups, 300u);
  EXPECT_GT(numMoved, 100u);
}

TEST_F(BlockScheduleTest, WhatNeedNotMoveStays) {
  Block &block = parse(kPrologue.str() + R"mlir(
    %a = arith.constant 1 : i32
    %b = arith.constant 2 : i32
    %x = arith.addi %a, %b : i32
    %y = arith.muli %x, %x : i32
    %z = arith.addi %a, %a : i32
    return %v0 : tensor<64x4xf32>
  })mlir");
  SmallVector<Operation *> ops =
      llvm::to_vector(llvm::make_pointer_range(block));
  EXPECT_EQ(scheduleGroups(block, {}), ops);
  // The sums are complete at %z, and %y needs one of them.
  SmallVector<SmallVector<Operation *>> sums = {{ops[3], ops[5]}};
  std::swap(ops[4], ops[5]);
  EXPECT_EQ(scheduleGroups(block, sums), ops);
}

TEST_F(BlockScheduleTest, GroupsThatWaitForEachOther) {
  Block &block = parse(kPrologue.str() + R"mlir(
    %a = arith.constant 1 : i32
    %b = arith.addi %a, %a : i32
    %x = arith.muli %a, %a : i32
    %d = arith.addi %x, %x : i32
    %y = arith.muli %b, %b : i32
    return %v0 : tensor<64x4xf32>
  })mlir");
  SmallVector<Operation *> ops =
      llvm::to_vector(llvm::make_pointer_range(block));
  SmallVector<SmallVector<Operation *>> groups = {{ops[2], ops[4]},
                                                  {ops[3], ops[5]}};
  EXPECT_EQ(scheduleGroups(block, groups), std::nullopt);
  EXPECT_FALSE(gatherGroups(block, groups));
  EXPECT_TRUE(llvm::equal(ops, llvm::make_pointer_range(block)));
}
