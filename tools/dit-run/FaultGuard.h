//===- FaultGuard.h - Faults of compiled programs ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program can do what the hardware refuses, such as dividing an integer by
// an extent of zero. That is an error of the input, not of the tool, and gets
// one line like every other.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TOOLS_DITRUN_FAULTGUARD_H
#define DIT_TOOLS_DITRUN_FAULTGUARD_H

#include <array>
#include <csignal>

namespace mlir::dit {

/// While it lives, a hardware fault in any thread ends the process with one
/// line on stderr and exit code 1.
class FaultGuard {
public:
  FaultGuard();
  ~FaultGuard();

private:
  static constexpr std::array<int, 4> signals = {SIGFPE, SIGSEGV, SIGBUS,
                                                 SIGILL};
  std::array<struct sigaction, 4> previous;
};

} // namespace mlir::dit

#endif // DIT_TOOLS_DITRUN_FAULTGUARD_H
