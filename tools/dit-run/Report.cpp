//===- Report.cpp - What dit-run measured ---------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Printing of reports.
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "dit/Support/WriteFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <cmath>
#include <sys/resource.h>

using namespace llvm;
using namespace mlir::dit;

int64_t mlir::dit::getPeakRSSBytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return int64_t(usage.ru_maxrss) * 1024;
}

double RunReport::getMinSeconds() const { return *llvm::min_element(seconds); }

double RunReport::getMedianSeconds() const {
  SmallVector<double> sorted(seconds);
  llvm::sort(sorted);
  size_t n = sorted.size();
  return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

void RunReport::print(raw_ostream &os) const {
  os << "target " << target << ", entry " << entry << ", threads " << threads
     << '\n';
  os << (cache == "hit" ? "taken from the cache in " : "compiled in ")
     << format("%.3f s\n", compileTimes.getTotal());
  os << format("time min %.6f s, median %.6f s over %zu calls\n",
               getMinSeconds(), getMedianSeconds(), seconds.size());
  if (maxAbsError)
    os << format("max abs error %.3e, max rel error %.3e\n", *maxAbsError,
                 *maxRelError);
  os << format("peak memory %.1f MiB\n", peakRSSBytes / 1048576.0);
}

/// JSON has no infinity; null stands for it.
static json::Value toJSON(std::optional<double> value) {
  if (!value || !std::isfinite(*value))
    return nullptr;
  return *value;
}

Error RunReport::writeJSON(StringRef path) const {
  return writeFile(path, [&](raw_ostream &file) {
    json::OStream json(file, 2);
    json.object([&] {
      json.attribute("target", target);
      json.attribute("entry", entry);
      json.attribute("threads", threads);
      json.attribute("cache", cache);
      json.attribute("compile_time_s", compileTimes.getTotal());
      json.attributeObject("compile_phases_s", [&] {
        json.attribute("load", compileTimes.load);
        json.attribute("lower", compileTimes.lower);
        json.attribute("translate", compileTimes.translate);
        json.attribute("optimize", compileTimes.optimize);
        json.attribute("codegen", compileTimes.codegen);
        json.attribute("link", compileTimes.link);
      });
      json.attributeObject("time_s", [&] {
        json.attribute("min", getMinSeconds());
        json.attribute("median", getMedianSeconds());
      });
      json.attribute("max_abs_error", toJSON(maxAbsError));
      json.attribute("max_rel_error", toJSON(maxRelError));
      json.attribute("peak_rss_bytes", peakRSSBytes);
    });
    file << '\n';
  });
}
