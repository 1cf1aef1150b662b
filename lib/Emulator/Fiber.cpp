//===- Fiber.cpp - Stacks that take turns ---------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A switch saves the registers that a callee has to keep on the old stack and
// takes those of the new one; what remains is left to the compiler by the
// calling convention.
//
//===----------------------------------------------------------------------===//

#include "Fiber.h"

#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DIT_EMU_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif
#endif

using namespace dit_emu;

#if defined(__x86_64__)

extern "C" void ditEmuSwitch(void **save, void *load);
asm(R"(
.text
.hidden ditEmuSwitch
.globl ditEmuSwitch
.type ditEmuSwitch,@function
ditEmuSwitch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ditEmuSwitch,.-ditEmuSwitch
)");

// A new stack is entered by the `ret` of a switch, here: the first argument is
// in r12, the function in r13.
extern "C" void ditEmuEnter();
asm(R"(
.text
.hidden ditEmuEnter
.globl ditEmuEnter
.type ditEmuEnter,@function
ditEmuEnter:
  movq %r12, %rdi
  callq *%r13
  ud2
.size ditEmuEnter,.-ditEmuEnter
)");

static void *prepareStack(char *end, void (*function)(Fiber *), Fiber *fiber) {
  auto *top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(end) & ~15);
  *--top = reinterpret_cast<void *>(ditEmuEnter);
  *--top = nullptr;                            // rbp
  *--top = nullptr;                            // rbx
  *--top = fiber;                              // r12
  *--top = reinterpret_cast<void *>(function); // r13
  *--top = nullptr;                            // r14
  *--top = nullptr;                            // r15
  return top;
}

#elif defined(__aarch64__)

extern "C" void ditEmuSwitch(void **save, void *load);
asm(R"(
.text
.hidden ditEmuSwitch
.globl ditEmuSwitch
.type ditEmuSwitch,%function
ditEmuSwitch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size ditEmuSwitch,.-ditEmuSwitch
)");

extern "C" void ditEmuEnter();
asm(R"(
.text
.hidden ditEmuEnter
.globl ditEmuEnter
.type ditEmuEnter,%function
ditEmuEnter:
  mov x0, x19
  blr x20
  brk #0
.size ditEmuEnter,.-ditEmuEnter
)");

static void *prepareStack(char *end, void (*function)(Fiber *), Fiber *fiber) {
  auto *top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(end) & ~15);
  top -= 20;
  for (int i = 0; i < 20; ++i)
    top[i] = nullptr;
  top[0] = fiber;                                  // x19
  top[1] = reinterpret_cast<void *>(function);     // x20
  top[11] = reinterpret_cast<void *>(ditEmuEnter); // x30
  return top;
}

#else
#error "fibers are written for x86-64 and AArch64"
#endif

static size_t getGuardBytes() { return sysconf(_SC_PAGESIZE); }

Fiber::~Fiber() {
  if (stack)
    munmap(stack - getGuardBytes(), kStackBytes + getGuardBytes());
}

void Fiber::enter(Fiber *fiber) {
#ifdef DIT_EMU_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &fiber->outsideStack,
                                  &fiber->outsideBytes);
#endif
  fiber->function(fiber->argument);
  abort();
}

bool Fiber::start(void (*newFunction)(void *), void *newArgument) {
  function = newFunction;
  argument = newArgument;
  if (!stack) {
    void *memory =
        mmap(nullptr, kStackBytes + getGuardBytes(), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
      return false;
    mprotect(memory, getGuardBytes(), PROT_NONE);
    stack = static_cast<char *>(memory) + getGuardBytes();
  }
  inside.stackPointer = prepareStack(stack + kStackBytes, enter, this);
  inside.fakeStack = nullptr;
  return true;
}

void Fiber::resume() {
#ifdef DIT_EMU_ASAN
  __sanitizer_start_switch_fiber(&outside.fakeStack, stack, kStackBytes);
#endif
  ditEmuSwitch(&outside.stackPointer, inside.stackPointer);
#ifdef DIT_EMU_ASAN
  __sanitizer_finish_switch_fiber(outside.fakeStack, nullptr, nullptr);
#endif
}

void Fiber::suspend([[maybe_unused]] bool last) {
#ifdef DIT_EMU_ASAN
  __sanitizer_start_switch_fiber(last ? nullptr : &inside.fakeStack,
                                 outsideStack, outsideBytes);
#endif
  ditEmuSwitch(&inside.stackPointer, outside.stackPointer);
#ifdef DIT_EMU_ASAN
  __sanitizer_finish_switch_fiber(inside.fakeStack, &outsideStack,
                                  &outsideBytes);
#endif
}
