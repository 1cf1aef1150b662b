//===- PerfMap.h - Names of compiled functions for profilers ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tells Linux' perf where the functions of a program in this process are.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_TARGET_PERFMAP_H
#define DIT_LIB_TARGET_PERFMAP_H

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mlir::dit {

/// Appends the functions of every object that `jit` links from now on to
/// /tmp/perf-<process>.map, where perf looks for them.
void writePerfMap(llvm::orc::LLJIT &jit);

} // namespace mlir::dit

#endif // DIT_LIB_TARGET_PERFMAP_H
