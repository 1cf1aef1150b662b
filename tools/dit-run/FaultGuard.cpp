//===- FaultGuard.cpp - Faults of compiled programs -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FaultGuard.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"

#include <unistd.h>

using namespace mlir::dit;

/// What a signal says about the program; only async-signal-safe calls follow.
static llvm::StringRef describe(int signal) {
  switch (signal) {
  case SIGFPE:
    return "dit-run: error: the program divided an integer by zero; is an "
           "extent of an input 0?\n";
  case SIGILL:
    return "dit-run: error: the program ran an instruction that this "
           "processor lacks\n";
  default:
    return "dit-run: error: the program accessed memory that is not its own; "
           "indices inside it must be in range\n";
  }
}

static void reportFault(int signal) {
  llvm::StringRef text = describe(signal);
  ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  (void)written;
  _exit(1);
}

FaultGuard::FaultGuard() {
  struct sigaction action = {};
  action.sa_handler = reportFault;
  for (auto [signal, old] : llvm::zip_equal(signals, previous))
    sigaction(signal, &action, &old);
}

FaultGuard::~FaultGuard() {
  for (auto [signal, old] : llvm::zip_equal(signals, previous))
    sigaction(signal, &old, nullptr);
}
