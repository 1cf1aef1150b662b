//===- Fiber.h - Stacks that take turns -------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function on a stack of its own that can stop in the middle. A switch costs
// a few nanoseconds, where ucontext asks the kernel about signals each time.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_EMULATOR_FIBER_H
#define DIT_LIB_EMULATOR_FIBER_H

#include <cstddef>

namespace dit_emu {

/// Where a stack goes on.
struct Context {
  void *stackPointer = nullptr;
  /// Of AddressSanitizer, which has to know about each switch.
  void *fakeStack = nullptr;
};

/// A stack with a guard page below it, for one run after another.
class Fiber {
public:
  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

  /// Prepares a run of `function(argument)`, which starts with the first
  /// `resume` and must not return: it ends by a last `suspend`. What was left
  /// of an earlier run is dropped. False if there is no memory for a stack.
  bool start(void (*function)(void *), void *argument);
  /// From outside: runs until the next `suspend`.
  void resume();
  /// From inside: goes back to who resumed; for good if `last`.
  void suspend(bool last = false);

  /// Whether `address` is on the stack.
  bool contains(const void *address) const {
    auto byte = static_cast<const char *>(address);
    return byte >= stack && byte < stack + kStackBytes;
  }

private:
  static constexpr size_t kStackBytes = 256 * 1024;
  static void enter(Fiber *fiber);

  char *stack = nullptr;
  Context inside, outside;
  [[maybe_unused]] const void *outsideStack = nullptr;
  [[maybe_unused]] size_t outsideBytes = 0;
  void (*function)(void *) = nullptr;
  void *argument = nullptr;
};

} // namespace dit_emu

#endif // DIT_LIB_EMULATOR_FIBER_H
