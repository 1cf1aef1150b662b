//===- PatternsTest.cpp - Patterns say the same in all their ways ---------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each pattern is compared with `contains`, position by position: its key
// intervals, its tile classes, and the IR that it emits, which is run here.
// `contains` itself is compared with formulas written down once more.
//
//===----------------------------------------------------------------------===//

#include "IndexInterpreter.h"

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinOps.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::test;

namespace {

struct PatternCase {
  std::string text;
  PatternShape shape;
};

std::ostream &operator<<(std::ostream &os, const PatternCase &value) {
  return os << value.text << " on " << value.shape.q << " x " << value.shape.kv;
}

class PatternTest : public testing::TestWithParam<PatternCase> {
protected:
  PatternTest() {
    context.loadDialect<DitDialect, arith::ArithDialect, func::FuncDialect,
                        memref::MemRefDialect, scf::SCFDialect>();
    pattern = dyn_cast_or_null<PatternAttrInterface>(
        parseAttribute(GetParam().text, &context));
    shape = GetParam().shape;
    module = ModuleOp::create(UnknownLoc::get(&context));
  }

  void SetUp() override { ASSERT_TRUE(pattern); }

  bool contains(int64_t q, int64_t kv) {
    return pattern.contains(q, kv, shape);
  }

  /// A function of `numArguments` index values whose body `emit` makes.
  func::FuncOp
  emitFunction(unsigned numArguments,
               function_ref<SmallVector<Value>(OpBuilder &, ValueRange)> emit) {
    OpBuilder builder(&context);
    builder.setInsertionPointToEnd(module->getBody());
    SmallVector<Type> types(numArguments, builder.getIndexType());
    auto function = func::FuncOp::create(builder, loc(), "emitted",
                                         builder.getFunctionType(types, {}));
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToEnd(body);
    SmallVector<Value> results = emit(builder, body->getArguments());
    func::ReturnOp::create(builder, loc(), results);
    return function;
  }

  Location loc() { return UnknownLoc::get(&context); }

  /// Calls `visit` for tiles of several extents, ragged at the far ends.
  void forTiles(function_ref<void(int64_t, int64_t, int64_t, int64_t)> visit) {
    for (auto [tq, tkv] : {std::pair<int64_t, int64_t>{1, 1},
                           {3, 5},
                           {8, 2},
                           {shape.q, shape.kv}})
      for (int64_t q0 = 0; q0 < shape.q; q0 += tq)
        for (int64_t kv0 = 0; kv0 < shape.kv; kv0 += tkv)
          visit(q0, std::min(q0 + tq, shape.q), kv0,
                std::min(kv0 + tkv, shape.kv));
  }

  TileClass classify(int64_t q0, int64_t q1, int64_t kv0, int64_t kv1) {
    int64_t held = 0;
    for (int64_t q = q0; q < q1; ++q)
      for (int64_t kv = kv0; kv < kv1; ++kv)
        held += contains(q, kv);
    return held == 0                         ? TileClass::Empty
           : held == (q1 - q0) * (kv1 - kv0) ? TileClass::Full
                                             : TileClass::Partial;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  PatternAttrInterface pattern;
  PatternShape shape;
};

TEST_P(PatternTest, FitsItsShape) {
  EXPECT_TRUE(
      succeeded(pattern.verifyShape([&] { return emitError(loc()); }, shape)));
}

TEST_P(PatternTest, IntervalsAreMaximalAndHoldWhatIsContained) {
  for (int64_t q = 0; q < shape.q; ++q) {
    SmallVector<KeyInterval> intervals;
    pattern.appendKeyIntervals(q, shape, intervals);
    std::vector<bool> held(shape.kv, false);
    int64_t last = -1;
    for (KeyInterval interval : intervals) {
      EXPECT_LT(last, interval.begin) << "row " << q;
      EXPECT_LT(interval.begin, interval.end) << "row " << q;
      ASSERT_LE(interval.end, shape.kv) << "row " << q;
      last = interval.end;
      for (int64_t kv = interval.begin; kv < interval.end; ++kv)
        held[kv] = true;
    }
    for (int64_t kv = 0; kv < shape.kv; ++kv)
      EXPECT_EQ(held[kv], contains(q, kv)) << q << ", " << kv;
  }
}

TEST_P(PatternTest, TileClassesCount) {
  forTiles([&](int64_t q0, int64_t q1, int64_t kv0, int64_t kv1) {
    EXPECT_EQ(pattern.classifyTile(q0, q1, kv0, kv1, shape),
              classify(q0, q1, kv0, kv1))
        << q0 << ", " << q1 << ", " << kv0 << ", " << kv1;
  });
}

TEST_P(PatternTest, EmittedContains) {
  func::FuncOp function =
      emitFunction(4, [&](OpBuilder &builder, ValueRange args) {
        return SmallVector<Value>{pattern.emitContains(
            builder, loc(), args[0], args[1], args[2], args[3])};
      });
  IndexInterpreter interpreter;
  for (int64_t q = 0; q < shape.q; ++q)
    for (int64_t kv = 0; kv < shape.kv; ++kv)
      EXPECT_EQ(interpreter.run(function, {q, kv, shape.q, shape.kv}).front(),
                contains(q, kv))
          << q << ", " << kv;
}

TEST_P(PatternTest, EmittedIntersects) {
  func::FuncOp function = emitFunction(6, [&](OpBuilder &builder,
                                              ValueRange args) {
    return SmallVector<Value>{pattern.emitIntersects(
        builder, loc(), args[0], args[1], args[2], args[3], args[4], args[5])};
  });
  IndexInterpreter interpreter;
  forTiles([&](int64_t q0, int64_t q1, int64_t kv0, int64_t kv1) {
    EXPECT_EQ(interpreter.run(function, {q0, q1, kv0, kv1, shape.q, shape.kv})
                  .front(),
              classify(q0, q1, kv0, kv1) != TileClass::Empty)
        << q0 << ", " << q1 << ", " << kv0 << ", " << kv1;
  });
}

TEST_P(PatternTest, EmittedKeyRangesCover) {
  func::FuncOp function =
      emitFunction(4, [&](OpBuilder &builder, ValueRange args) {
        pattern.emitKeyRanges(
            builder, loc(), args[0], args[1], args[2], args[3],
            [&](OpBuilder &inner, Location at, Value begin, Value end) {
              func::CallOp::create(inner, at, "range", TypeRange(),
                                   ValueRange{begin, end});
            });
        return SmallVector<Value>();
      });
  for (int64_t tile : {int64_t(1), int64_t(5), shape.q})
    for (int64_t q0 = 0; q0 < shape.q; q0 += tile) {
      int64_t q1 = std::min(q0 + tile, shape.q);
      std::vector<bool> covered(shape.kv, false);
      int64_t last = 0;
      IndexInterpreter interpreter([&](ArrayRef<int64_t> range) {
        if (range[1] <= range[0])
          return;
        EXPECT_LE(last, range[0]) << "ranges overlap, queries from " << q0;
        ASSERT_LE(range[1], shape.kv);
        last = range[1];
        for (int64_t kv = range[0]; kv < range[1]; ++kv)
          covered[kv] = true;
      });
      interpreter.run(function, {q0, q1, shape.q, shape.kv});
      for (int64_t kv = 0; kv < shape.kv; ++kv)
        for (int64_t q = q0; q < q1; ++q)
          EXPECT_LE(contains(q, kv), covered[kv]) << q << ", " << kv;
    }
}

TEST_P(PatternTest, SimplerFormHoldsTheSame) {
  PatternAttrInterface simple = simplifyPattern(pattern, shape);
  EXPECT_EQ(!simple, classify(0, shape.q, 0, shape.kv) == TileClass::Full);
  EXPECT_EQ(isFullPattern(pattern, shape), !simple);
  for (int64_t q = 0; simple && q < shape.q; ++q)
    for (int64_t kv = 0; kv < shape.kv; ++kv)
      EXPECT_EQ(simple.contains(q, kv, shape), contains(q, kv));
}

std::vector<PatternCase> makeCases() {
  std::vector<PatternCase> cases;
  PatternShape anyShapes[] = {{1, 1}, {7, 7}, {13, 22}, {22, 13}, {16, 16}};
  for (const char *text :
       {"#dit.causal",
        "#dit.causal<offset = -3>",
        "#dit.causal<offset = 9>",
        "#dit.causal<offset = -99>",
        "#dit.window<left = 0, right = 0>",
        "#dit.window<left = 3, right = 1>",
        "#dit.window<left = -1, right = 2>",
        "#dit.window<left = 2, right = -1>",
        "#dit.window<left = -1, right = -1>",
        "#dit.window<left = 99, right = 99>",
        "#dit.arrow<width = 2, text = 0>",
        "#dit.arrow<width = 0, text = 1>",
        "#dit.arrow<width = 2, text = 1, text_first>",
        "#dit.tiled<#dit.causal, 4 x 3>",
        "#dit.tiled<#dit.window<left = 1, right = 1>, 5 x 2>",
        "#dit.tiled<#dit.tiled<#dit.causal, 2 x 2>, 3 x 3>",
        "#dit.tiled<#dit.arrow<width = 1, text = 1>, 4 x 4>",
        "#dit.tiled<#dit.causal, 1 x 1>",
        "#dit.and<#dit.causal, #dit.window<left = 4, right = 4>>",
        "#dit.or<#dit.window<left = 0, right = 0>, #dit.causal<offset = -5>>",
        "#dit.and<#dit.or<#dit.causal, #dit.causal<offset = 2>>, "
        "#dit.and<#dit.window<left = 3, right = 9>, #dit.causal>>",
        "#dit.or<#dit.causal, #dit.window<left = -1, right = -1>>"})
    for (PatternShape shape : anyShapes)
      cases.push_back({text, shape});
  for (const char *grid :
       {"2x3x4", "1x5x5, text = 3", "3x2x4, text = 2, text_first"}) {
    int64_t tokens = StringRef(grid).starts_with("2")   ? 24
                     : StringRef(grid).starts_with("1") ? 28
                                                        : 26;
    std::string attr = "#dit.grid<" + std::string(grid) + ">";
    for (const char *size :
         {"0 x 0 x 0", "1 x 1 x 1", "-1 x 0 x 1", "0 x -1 x -1", "0 x 1 x 9"})
      cases.push_back(
          {"#dit.grid_window<" + attr + ", " + size + ">", {tokens, tokens}});
    std::string causal = "#dit.frame_causal<" + attr + ">";
    cases.push_back({causal, {tokens, tokens}});
    cases.push_back({"#dit.tiled<" + causal + ", 5 x 3>", {tokens, tokens}});
    cases.push_back(
        {"#dit.tiled<#dit.grid_window<" + attr + ", 0 x 1 x 1>, 4 x 4>",
         {tokens, tokens}});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, PatternTest, testing::ValuesIn(makeCases()));

//===----------------------------------------------------------------------===//
// The formulas of the specification
//===----------------------------------------------------------------------===//

class AttributeTest : public testing::Test {
protected:
  AttributeTest() { context.loadDialect<DitDialect>(); }

  template <typename AttrTy>
  AttrTy parse(StringRef text) {
    return cast<AttrTy>(parseAttribute(text, &context));
  }

  MLIRContext context;
};

TEST_F(AttributeTest, GridWindowIsNearInSpaceAndTime) {
  auto window = parse<GridWindowAttr>(
      "#dit.grid_window<#dit.grid<3x4x5, text = 2, text_first>, 1 x 0 x 2>");
  PatternShape shape{62, 62};
  for (int64_t q = 0; q < 62; ++q)
    for (int64_t kv = 0; kv < 62; ++kv) {
      bool text = q < 2 || kv < 2;
      int64_t a = q - 2, b = kv - 2;
      bool near = std::abs(a / 20 - b / 20) <= 1 && a / 5 % 4 == b / 5 % 4 &&
                  std::abs(a % 5 - b % 5) <= 2;
      EXPECT_EQ(window.contains(q, kv, shape), text || near);
    }
}

TEST_F(AttributeTest, FrameCausalLooksAtThePast) {
  auto causal =
      parse<FrameCausalAttr>("#dit.frame_causal<#dit.grid<3x2x2, text = 2>>");
  PatternShape shape{14, 14};
  for (int64_t q = 0; q < 14; ++q)
    for (int64_t kv = 0; kv < 14; ++kv)
      EXPECT_EQ(causal.contains(q, kv, shape),
                q >= 12 || kv >= 12 || kv / 4 <= q / 4);
}

TEST_F(AttributeTest, ArrowSeesText) {
  auto arrow = parse<ArrowAttr>("#dit.arrow<width = 1, text = 3>");
  PatternShape shape{9, 12};
  for (int64_t q = 0; q < 9; ++q)
    for (int64_t kv = 0; kv < 12; ++kv)
      EXPECT_EQ(arrow.contains(q, kv, shape),
                q >= 6 || kv >= 9 || std::abs(q - kv) <= 1);
}

TEST_F(AttributeTest, TiledRoundsOut) {
  auto tiled =
      parse<TiledAttr>("#dit.tiled<#dit.window<left = 0, right = 0>, 4 x 2>");
  PatternShape shape{9, 9};
  for (int64_t q = 0; q < 9; ++q)
    for (int64_t kv = 0; kv < 9; ++kv)
      EXPECT_EQ(tiled.contains(q, kv, shape), q / 4 == kv / 2 * 2 / 4);
}

TEST_F(AttributeTest, GroupedOrderIsAPermutation) {
  for (const char *text :
       {"#dit.grid<4x4x4>", "#dit.grid<3x5x7>", "#dit.grid<2x3x4, text = 5>",
        "#dit.grid<2x3x4, text = 5, text_first>"})
    for (auto cube : {std::array<int64_t, 3>{1, 1, 1},
                      {2, 2, 2},
                      {3, 1, 4},
                      {100, 100, 100}}) {
      auto grid = parse<GridAttr>(text);
      SmallVector<int64_t> order = computeGroupedOrder(grid, cube);
      ASSERT_EQ(int64_t(order.size()), grid.getNumTokens());
      for (int64_t i = 0; i < grid.getNumTokens(); ++i) {
        bool isText = i < grid.getVideoBegin() ||
                      i >= grid.getVideoBegin() + grid.getNumVideoTokens();
        if (isText)
          EXPECT_EQ(order[i], i);
      }
      llvm::sort(order);
      for (int64_t i = 0; i < grid.getNumTokens(); ++i)
        ASSERT_EQ(order[i], i);
    }
}

TEST_F(AttributeTest, GroupedOrderGoesCubeByCube) {
  auto grid = parse<GridAttr>("#dit.grid<1x3x4, text = 1, text_first>");
  EXPECT_EQ(computeGroupedOrder(grid, {1, 2, 3}),
            (SmallVector<int64_t>{0, 1, 2, 3, 5, 6, 7, 4, 8, 9, 10, 11, 12}));
}

TEST_F(AttributeTest, Schedule) {
  auto schedule = parse<ScheduleAttr>("#dit.schedule<\"1001\">");
  EXPECT_EQ(schedule.getNumSteps(), 4);
  for (auto [step, computes] :
       {std::pair(-1, true), {0, true}, {1, false}, {3, true}, {4, true}})
    EXPECT_EQ(schedule.computes(step), computes) << step;
}

TEST_F(AttributeTest, Order) {
  auto order = parse<DimOrderAttr>("#dit.order<shd>");
  EXPECT_EQ(order.getRank(), 3u);
  EXPECT_EQ(order.position('s'), 0u);
  EXPECT_EQ(order.position('b'), std::nullopt);
  EXPECT_EQ(order.extent('h', {64, 4, 32}), 4);
  EXPECT_EQ(order.extent('b', {64, 4, 32}), 1);
  EXPECT_EQ(DimOrderAttr::getDefault(&context).getLetters(), "bhsd");
}

TEST_F(AttributeTest, NormalizeIntervals) {
  SmallVector<KeyInterval> intervals = {{5, 7}, {3, 3}, {0, 2},  {2, 4},
                                        {6, 9}, {9, 8}, {11, 12}};
  normalizeIntervals(intervals);
  EXPECT_EQ(intervals, (SmallVector<KeyInterval>{{0, 4}, {5, 9}, {11, 12}}));
}

//===----------------------------------------------------------------------===//
// Constraints that no text can break
//===----------------------------------------------------------------------===//

/// The message with which an empty `AttrTy` is refused.
template <typename AttrTy>
std::string refusal() {
  MLIRContext context;
  context.loadDialect<DitDialect>();
  std::string message;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  EXPECT_FALSE(AttrTy::getChecked(UnknownLoc::get(&context), &context,
                                  ArrayRef<PatternAttrInterface>()));
  return message;
}

TEST(Constraints, and_c1) {
  EXPECT_EQ(refusal<AndAttr>(), "expected at least one pattern");
}

TEST(Constraints, or_c1) {
  EXPECT_EQ(refusal<OrAttr>(), "expected at least one pattern");
}

} // namespace
