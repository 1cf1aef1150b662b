//===- KeyBandTest.cpp - Tests of masks along diagonals -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeyBand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

namespace {

/// A mask that a function returns, with its rows for queries.
class Mask {
public:
  explicit Mask(StringRef body, StringRef type) {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect>();
    std::string text = ("#id = affine_map<(i, j) -> (i, j)>\nfunc.func @f(%n: "
                        "index, %m: index) -> " +
                        type + " {\n" + body + "\nreturn %r : " + type + "\n}")
                           .str();
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return;
    auto function = *module->getOps<func::FuncOp>().begin();
    Value value = function.front().getTerminator()->getOperand(0);
    View view = tracer.createView(value);
    queries = view[0];
    keys = view[1];
    expr = tracer.trace(value, view);
  }

  /// A mask whose body computes a boolean `%x` from the positions `%i`, `%j`.
  static Mask ofPositions(StringRef scalars, StringRef type = "tensor<?x?xi1>",
                          StringRef sizes = "%n, %m") {
    return Mask(("%c0 = arith.constant 0 : index\n"
                 "%c2 = arith.constant 2 : index\n"
                 "%e = tensor.empty(" +
                 sizes + ") : " + type +
                 "\n%r = linalg.generic {indexing_maps = [#id], iterator_types "
                 "= [\"parallel\", \"parallel\"]} outs(%e : " +
                 type +
                 ") {\n^bb0(%out: i1):\n%i = linalg.index 0 : index\n%j = "
                 "linalg.index 1 : index\n" +
                 scalars + "\nlinalg.yield %x : i1\n} -> " + type)
                    .str(),
                type);
  }

  BandAnalysis analysis() { return {space, queries, keys}; }
  std::optional<KeyBand> findBand(bool when = true) {
    return analysis().findBand(expr, when);
  }

  const Expr *expr = nullptr;

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  AxisSpace space;
  Tracer tracer{space};
  AxisList queries, keys;
};

KeyBand band(std::optional<int64_t> lower, std::optional<int64_t> upper) {
  return {lower, upper};
}

TEST(KeyBandTest, Intersection) {
  EXPECT_EQ(band(-3, 5).intersect(band({}, 2)), band(-3, 2));
  EXPECT_EQ(band(-3, {}).intersect(band(-1, 4)), band(-1, 4));
  EXPECT_TRUE(band({}, {}).intersect(band({}, {})).isEverything());
}

TEST(KeyBandTest, ComparisonsOfAnyLength) {
  Mask causal = Mask::ofPositions("%x = arith.cmpi sge, %i, %j : index");
  EXPECT_EQ(causal.findBand(), band({}, 0));
  // What is hidden lies above the diagonal, which is no pattern.
  EXPECT_EQ(causal.findBand(/*when=*/false), std::nullopt);
  EXPECT_EQ(Mask::ofPositions("%d = arith.addi %j, %c2 : index\n"
                              "%x = arith.cmpi slt, %d, %i : index")
                .findBand(),
            band({}, -3));
  EXPECT_EQ(Mask::ofPositions("%a = arith.cmpi sle, %j, %i : index\n"
                              "%d = arith.subi %i, %j : index\n"
                              "%b = arith.cmpi sle, %d, %c2 : index\n"
                              "%x = arith.andi %a, %b : i1")
                .findBand(),
            band(-2, 0));
  // Neither a multiple of the position nor a disjunction is a band.
  EXPECT_EQ(Mask::ofPositions("%d = arith.muli %j, %c2 : index\n"
                              "%x = arith.cmpi sge, %i, %d : index")
                .findBand(),
            std::nullopt);
  EXPECT_EQ(Mask::ofPositions("%a = arith.cmpi eq, %i, %j : index\n"
                              "%b = arith.cmpi eq, %j, %c0 : index\n"
                              "%x = arith.ori %a, %b : i1")
                .findBand(),
            std::nullopt);
}

TEST(KeyBandTest, Evaluation) {
  auto square = [](StringRef scalars) {
    return Mask::ofPositions(scalars, "tensor<4x6xi1>", "").findBand();
  };
  EXPECT_EQ(square("%d = arith.minsi %i, %j : index\n"
                   "%x = arith.cmpi eq, %d, %j : index"),
            band({}, 0));
  EXPECT_EQ(square("%d = arith.divsi %i, %c2 : index\n"
                   "%e2 = arith.divsi %j, %c2 : index\n"
                   "%x = arith.cmpi sge, %d, %e2 : index"),
            std::nullopt);
  // All keys are seen.
  EXPECT_EQ(square("%d = arith.maxsi %i, %c0 : index\n"
                   "%x = arith.cmpi sge, %d, %c0 : index"),
            band({}, {}));
}

TEST(KeyBandTest, EvaluationIsBounded) {
  Mask mask = Mask::ofPositions("%d = arith.minsi %i, %j : index\n"
                                "%x = arith.cmpi eq, %d, %j : index",
                                "tensor<100000x100000xi1>", "");
  EXPECT_EQ(mask.findBand(), std::nullopt);
}

TEST(KeyBandTest, Addends) {
  Mask mask("%r = arith.constant dense<[[0.0, -1.0e4], [0.0, 0.0]]> : "
            "tensor<2x2xf32>",
            "tensor<2x2xf32>");
  std::optional<ZeroBand> zeros = mask.analysis().findZeros(mask.expr, 1.0);
  ASSERT_TRUE(zeros);
  EXPECT_EQ(zeros->band, band({}, 0));
  EXPECT_EQ(zeros->finiteFill, -1.0e4);
  // Scaled, it hides nothing.
  EXPECT_FALSE(mask.analysis().findZeros(mask.expr, 0.01));
  EXPECT_FALSE(mask.analysis().findZeros(mask.expr, -1.0));
}

TEST(KeyBandTest, EmptyRows) {
  Mask mask("%r = arith.constant dense<true> : tensor<4x6xi1>",
            "tensor<4x6xi1>");
  BandAnalysis analysis = mask.analysis();
  EXPECT_TRUE(analysis.isNowhereEmpty(band({}, 0)));
  EXPECT_FALSE(analysis.isNowhereEmpty(band({}, -1)));
  EXPECT_TRUE(analysis.isNowhereEmpty(band(0, 1)));
  EXPECT_FALSE(analysis.isNowhereEmpty(band(1, 0)));
  Mask unknown = Mask::ofPositions("%x = arith.cmpi sge, %i, %j : index");
  EXPECT_TRUE(unknown.analysis().isNowhereEmpty(band({}, 0)));
  // There may be more queries than keys.
  EXPECT_FALSE(unknown.analysis().isNowhereEmpty(band(-1, 0)));
}

} // namespace
