//===- Progress.h - Notes on what takes long --------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tool that is silent for more than two seconds says what it is doing.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TOOLS_DITRUN_PROGRESS_H
#define DIT_TOOLS_DITRUN_PROGRESS_H

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace mlir::dit {

/// While it lives, prints `what` to stderr after two seconds, then ever more
/// rarely, each time with the seconds gone.
class Progress {
public:
  explicit Progress(std::string what);
  ~Progress();

private:
  void watch();

  std::string what;
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  std::thread watcher;
};

} // namespace mlir::dit

#endif // DIT_TOOLS_DITRUN_PROGRESS_H
