//===- Report.h - What dit-run measured -------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times, errors and memory of a run, for people and as JSON.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TOOLS_DITRUN_REPORT_H
#define DIT_TOOLS_DITRUN_REPORT_H

#include "dit/Target/Compiler.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

namespace mlir::dit {

struct RunReport {
  std::string target, entry;
  int threads = 1;
  CompileTimes compileTimes;
  /// "hit", "miss", or "off".
  std::string cache = "off";
  /// One per call.
  llvm::SmallVector<double> seconds;
  /// The largest over all compared results; none if nothing was compared.
  std::optional<double> maxAbsError, maxRelError;
  int64_t peakRSSBytes = 0;

  double getMinSeconds() const;
  double getMedianSeconds() const;
  void print(llvm::raw_ostream &os) const;
  llvm::Error writeJSON(llvm::StringRef path) const;
};

/// The most memory this process has used so far.
int64_t getPeakRSSBytes();

} // namespace mlir::dit

#endif // DIT_TOOLS_DITRUN_REPORT_H
