//===- Errors.h - From status codes to exceptions ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How calls of the C API fail in Python, and how they give up the interpreter's
// lock.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PYTHON_SRC_ERRORS_H
#define DIT_PYTHON_SRC_ERRORS_H

#include "dit-c/Support.h"

#include <nanobind/nanobind.h>

#include <optional>
#include <string>
#include <vector>

namespace dit_python {

namespace nb = nanobind;

struct Diagnostic {
  int severity;
  std::string message, file;
  int line, column;
  std::string location;
  std::vector<Diagnostic> notes;
};

/// What went wrong, on its way to Python.
struct Failure {
  DitStatus status;
  std::string message;
};

Diagnostic copyDiagnostic(const DitDiagnostic &from);

/// The failure of a call that returned `status`, if it is one.
std::optional<Failure> check(DitStatus status);

nb::tuple toPython(const std::vector<Diagnostic> &diagnostics);

/// Raises what `dit._errors.make` makes of a failure.
[[noreturn]] void raise(const Failure &failure,
                        const std::vector<Diagnostic> &diagnostics);

/// Runs `function`, which returns a status, without the interpreter's lock.
template <typename Function>
void callFreely(Function function) {
  std::optional<Failure> failure;
  {
    nb::gil_scoped_release release;
    failure = check(function());
  }
  if (failure)
    raise(*failure, {});
}

nb::bytes takeBytes(DitText &text);

} // namespace dit_python

#endif // DIT_PYTHON_SRC_ERRORS_H
