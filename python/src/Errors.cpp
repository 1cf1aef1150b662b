//===- Errors.cpp - From status codes to exceptions -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Diagnostics and failed calls, on their way to Python.
//
//===----------------------------------------------------------------------===//

#include "Errors.h"

namespace dit_python {

Diagnostic copyDiagnostic(const DitDiagnostic &from) {
  Diagnostic result{from.severity, from.message,  from.file, from.line,
                    from.column,   from.location, {}};
  for (size_t i = 0; i < from.num_notes; ++i)
    result.notes.push_back(copyDiagnostic(*from.notes[i]));
  return result;
}

std::optional<Failure> check(DitStatus status) {
  if (status == DIT_OK)
    return std::nullopt;
  return Failure{status, ditGetLastError()};
}

/// Messages quote names as the module has them, which may be any bytes.
static nb::object toText(const std::string &text) {
  return nb::steal(PyUnicode_DecodeUTF8(
      text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

nb::tuple toPython(const std::vector<Diagnostic> &diagnostics) {
  nb::list result;
  for (const Diagnostic &diagnostic : diagnostics)
    result.append(nb::make_tuple(
        diagnostic.severity, toText(diagnostic.message),
        toText(diagnostic.file), diagnostic.line, diagnostic.column,
        toText(diagnostic.location), toPython(diagnostic.notes)));
  return nb::tuple(result);
}

void raise(const Failure &failure, const std::vector<Diagnostic> &diagnostics) {
  nb::object error =
      nb::module_::import_("dit._errors")
          .attr("make")(ditStatusName(failure.status), toText(failure.message),
                        toPython(diagnostics));
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())),
                  error.ptr());
  throw nb::python_error();
}

nb::bytes takeBytes(DitText &text) {
  nb::bytes bytes(text.data, text.size);
  ditTextFree(&text);
  return bytes;
}

} // namespace dit_python
