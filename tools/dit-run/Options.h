//===- Options.h - Command line of dit-run ----------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parsed command line.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TOOLS_DITRUN_OPTIONS_H
#define DIT_TOOLS_DITRUN_OPTIONS_H

#include "dit/Support/FileCache.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::dit {

struct RunOptions {
  std::string file;
  /// Empty: `main`, or the only function.
  std::string entry;
  llvm::SmallVector<std::string> inputs, outputs, expected;
  /// Files of weights.
  llvm::SmallVector<std::string> parameters;
  /// Modules that define what `file` declares.
  llvm::SmallVector<std::string> libraries;
  /// Where the linked module goes; empty: it is run.
  std::string emitModule;
  std::string target;
  std::string pipelineOptions;
  std::string jsonPath;
  /// Where the profile of an instrumented program goes.
  std::string profilePath;
  /// Without a folder if programs are not to be kept.
  CacheSettings cache;
  double tolerance;
  int threads;
  int repeat;
  unsigned optLevel;
  bool listEntries;
  bool perfMap;
  bool printIR;
};

/// Parses the arguments; exits with usage text on unknown ones, as LLVM's
/// command line library does.
llvm::Expected<RunOptions> parseCommandLine(int argc, char **argv);

} // namespace mlir::dit

#endif // DIT_TOOLS_DITRUN_OPTIONS_H
