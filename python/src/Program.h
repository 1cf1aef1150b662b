//===- Program.h - Programs for Python --------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled programs of the C API, and the records in which signatures go to
// Python.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PYTHON_SRC_PROGRAM_H
#define DIT_PYTHON_SRC_PROGRAM_H

#include "Buffer.h"

namespace dit_python {

/// (name, inputs, results, ...) of each entry, as `Signature.of` takes them.
nb::list toPython(const DitEntryList *list);

class Program {
public:
  explicit Program(DitProgram *program) : program(program) {}
  Program(const Program &) = delete;
  ~Program() { ditProgramDestroy(program); }

  nb::list getEntries() const {
    return toPython(ditProgramGetEntries(program));
  }
  nb::list getParameters() const;
  void loadParameters(const std::string &path);
  void bindParameter(const std::string &name, Buffer &value);
  void checkParameters();
  void invoke(const std::string &entry, const std::vector<Buffer *> &inputs,
              const std::vector<Buffer *> &results, int numThreads);
  nb::bytes getArtifact(int artifact);
  void writeSharedLibrary(const std::string &path,
                          std::optional<std::string> runtimeDir);

private:
  DitProgram *program;
};

} // namespace dit_python

#endif // DIT_PYTHON_SRC_PROGRAM_H
