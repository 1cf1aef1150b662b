//===- EmulatorRunner.h - Kernels written in C++ ----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_UNIT_EMULATOR_EMULATORRUNNER_H
#define DIT_TEST_UNIT_EMULATOR_EMULATORRUNNER_H

#include "dit/Emulator/Emulator.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

/// Runs `thread` as a kernel of `ctas` CTAs of `threads` threads under schedule
/// `seed`; returns the report, or nothing.
inline std::string runKernel(std::function<void()> thread, int64_t threads,
                             uint64_t seed = 0, int64_t ctas = 1,
                             int64_t shared = 1024) {
  dit_emu_kernel kernel{
      "test",
      [](void **arguments) {
        (*static_cast<std::function<void()> *>(arguments[0]))();
      },
      0};
  dit_emu_grid grid{{ctas, 1, 1}, {threads, 1, 1}, shared};
  void *arguments[] = {&thread};
  dit_emu_set_seed(seed);
  const char *report = dit_emu_run(&kernel, &grid, arguments, nullptr, 0);
  return report ? report : "";
}

inline int32_t getThread() { return dit_emu_register(DIT_EMU_TID); }
inline uint32_t getLane() { return dit_emu_register(DIT_EMU_LANEID); }

/// Whether a report says `part`.
inline testing::AssertionResult contains(const std::string &report,
                                         const std::string &part) {
  if (report.find(part) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "expected a report with '" << part << "', got '" << report << "'";
}

/// Schedules that each test of synchronization runs under.
inline constexpr uint64_t kNumSeeds = 24;

#endif // DIT_TEST_UNIT_EMULATOR_EMULATORRUNNER_H
