//===- SamplerScheduleTest.cpp - Tests of the numbers of samplers ---------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Orders of solvers on an equation with a known solution, timesteps as samplers
// compute them, and options that make no schedule.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

static SamplerSchedule getSchedule(const SamplerOptions &options) {
  std::string error;
  std::optional<SamplerSchedule> schedule =
      SamplerSchedule::get(options, error);
  EXPECT_TRUE(schedule) << error;
  return schedule ? *schedule : SamplerSchedule();
}

static std::string getError(const SamplerOptions &options) {
  std::string error;
  EXPECT_FALSE(SamplerSchedule::get(options, error));
  return error;
}

/// How far a solver is from the solution of x' = u x at u = 0.
static double getError(Solver solver, int64_t steps) {
  SamplerOptions options;
  options.steps = steps;
  options.solver = solver;
  SamplerSchedule schedule = getSchedule(options);
  double x = 1.0, past = 0.0;
  for (int64_t i = 0; i < steps; ++i) {
    const SamplerStep &step = schedule.getSteps()[i];
    double v = (1.0 - static_cast<double>(i) / steps) * x;
    double next = step.sample * x + step.velocity * v + step.past * past;
    past = step.pastOfSample * x + step.pastOfVelocity * v;
    x = next;
  }
  return std::abs(x - std::exp(-0.5));
}

TEST(SamplerScheduleTest, Orders) {
  // Half the length of steps, half the error or a quarter.
  EXPECT_NEAR(getError(Solver::Euler, 50) / getError(Solver::Euler, 100), 2.0,
              0.1);
  EXPECT_NEAR(getError(Solver::Adams, 50) / getError(Solver::Adams, 100), 4.0,
              0.1);
  EXPECT_LT(getError(Solver::DPM, 100), getError(Solver::Euler, 100) / 5);
}

TEST(SamplerScheduleTest, SolversCarryWhatTheyNeed) {
  for (auto [solver, carries] :
       {std::pair(Solver::Euler, false), std::pair(Solver::Adams, true),
        std::pair(Solver::DPM, true)}) {
    SamplerOptions options;
    options.steps = 3;
    options.solver = solver;
    EXPECT_EQ(getSchedule(options).usesPast(), carries);
  }
}

TEST(SamplerScheduleTest, DPMIsOfFirstOrderAtTheEnds) {
  SamplerOptions options;
  options.steps = 4;
  options.solver = Solver::DPM;
  SamplerSchedule schedule = getSchedule(options);
  for (int64_t step : {0, 1, 3}) {
    EXPECT_EQ(schedule.getSteps()[step].past, 0.0);
    EXPECT_EQ(schedule.getSteps()[step].velocity, -0.25);
  }
  EXPECT_NE(schedule.getSteps()[2].past, 0.0);
}

TEST(SamplerScheduleTest, UniformTimestepsAreThoseOfSinglePrecision) {
  SamplerOptions options;
  options.steps = 30;
  SamplerSchedule schedule = getSchedule(options);
  EXPECT_EQ(schedule.getTimesteps()[0], 1000.0);
  EXPECT_EQ(schedule.getTimesteps()[27], 100.00002);
  EXPECT_EQ(ArrayRef<double>(getUniformTimesteps(30)), schedule.getTimesteps());
}

TEST(SamplerScheduleTest, GivenTimesteps) {
  SamplerOptions options;
  options.timesteps = {900.0, 400.0, 50.0};
  SamplerSchedule schedule = getSchedule(options);
  EXPECT_EQ(schedule.getTimesteps(), ArrayRef<double>(options.timesteps));
  EXPECT_DOUBLE_EQ(schedule.getSteps()[0].velocity, -0.5);
  EXPECT_DOUBLE_EQ(schedule.getSteps()[2].velocity, -0.05);
}

TEST(SamplerScheduleTest, ShiftDrawsStepsToTheNoise) {
  SamplerOptions options;
  options.steps = 2;
  options.shift = 3.0;
  // 3 / 2 over 1 + 2 / 2.
  EXPECT_DOUBLE_EQ(getSchedule(options).getTimesteps()[1], 750.0);
}

TEST(SamplerScheduleTest, Faults) {
  SamplerOptions options;
  EXPECT_EQ(getError(options), "expected between 1 and 65536 steps, got 0");
  options.timesteps = {900.0, 900.0};
  EXPECT_EQ(getError(options), "expected falling timesteps from 1000 at most "
                               "to above 0, got 900 at step 1");
  options.timesteps = {std::nan("")};
  EXPECT_EQ(getError(options), "expected falling timesteps from 1000 at most "
                               "to above 0, got nan at step 0");
  options.timesteps = {900.0};
  options.shift = 2.0;
  EXPECT_EQ(getError(options), "expected no shift of given timesteps");
  options.shift = 1.0;
  options.steps = 2;
  EXPECT_EQ(getError(options),
            "expected a timestep for each of the 2 steps, got 1");
  options.sigmas = {1.0, 0.0};
  EXPECT_EQ(getError(options),
            "expected one of the options sigmas and timesteps");
  options.timesteps.clear();
  EXPECT_EQ(getError(options),
            "expected one sigma more than the 2 steps, got 2");
  options = SamplerOptions();
  options.steps = 1;
  options.shift = std::nan("");
  EXPECT_EQ(getError(options),
            "expected a positive shift and a positive scale");
}
