//===- Program.h - Compiled programs in this process ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads a compiled object into the running process and calls its entries.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_PROGRAM_H
#define DIT_TARGET_PROGRAM_H

#include "dit/Target/Compiler.h"

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mlir::dit {

class Program {
public:
  /// Links `object` against the runtime in this process. With `perfMap`, Linux'
  /// `perf` is told the names of its functions, in /tmp/perf-<process>.map.
  static llvm::Expected<Program> load(CompiledObject object,
                                      bool perfMap = false);

  Program(Program &&);
  Program &operator=(Program &&);
  ~Program();

  ArrayRef<EntryPoint> getEntries() const { return entries; }

  /// The descriptor of the entry for the function `name`.
  llvm::Expected<const dit_rt_entry *> lookup(StringRef name) const;

private:
  Program(std::unique_ptr<llvm::orc::LLJIT> jit,
          SmallVector<EntryPoint> entries);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  SmallVector<EntryPoint> entries;
};

} // namespace mlir::dit

#endif // DIT_TARGET_PROGRAM_H
