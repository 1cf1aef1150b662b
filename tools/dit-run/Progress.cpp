//===- Progress.cpp - Notes on what takes long ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A watcher thread that sleeps until the work is done or a note is due.
//
//===----------------------------------------------------------------------===//

#include "Progress.h"

#include <chrono>
#include <cstdio>

using namespace mlir::dit;

Progress::Progress(std::string what)
    : what(std::move(what)), watcher([this] { watch(); }) {}

Progress::~Progress() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  finished.notify_one();
  watcher.join();
}

void Progress::watch() {
  auto start = std::chrono::steady_clock::now();
  std::unique_lock<std::mutex> lock(mutex);
  for (int seconds = 2;; seconds *= 2) {
    auto due = start + std::chrono::seconds(seconds);
    if (finished.wait_until(lock, due, [this] { return done; }))
      return;
    std::fprintf(stderr, "dit-run: %s (%d s so far)\n", what.c_str(), seconds);
  }
}
