//===- Support.h - What all of the C API shares -------------------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Status codes, versions, texts and diagnostics of the C API of dit, which is
// the shared library libdit-c.so. The rules that hold everywhere:
//
// - Handles are opaque pointers. Who creates one destroys it; destroying NULL
//   does nothing.
// - A function that can fail returns a DitStatus and writes what it makes
//   through its last pointer, which it sets to NULL (a DitText: to an empty
//   one) when it fails. `ditGetLastError` then says in one line what was wrong.
// - No exception crosses the interface, and nothing in dit ends the process.
//   What LLVM itself regards as fatal still does: running out of memory while
//   compiling.
// - Structs for options begin with `struct_size` and are made by their
//   DIT_..._INIT macro, so that fields can be added. Where options are NULL,
//   the defaults hold. Structs that the library hands out begin with
//   `struct_size` too; they may grow at the end.
// - Every function may be called from any thread. Calls on one context and on
//   the modules in it wait for each other; different contexts, and all calls of
//   programs, run at the same time. A handle must not be used while another
//   thread destroys it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_C_SUPPORT_H
#define DIT_C_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define DIT_C_EXPORTED
#else
#define DIT_C_EXPORTED __attribute__((visibility("default")))
#endif

/// The version of this interface. The major number changes when programs that
/// were compiled with an older header no longer work.
#define DIT_C_API_MAJOR 0
#define DIT_C_API_MINOR 1

#ifdef __cplusplus
extern "C" {
#endif

/// What functions return. The values from 1 to 5 are those of `dit_rt_status`.
typedef enum DitStatus {
  DIT_OK = 0,
  /// A null pointer, a malformed option, a wrong element type or rank.
  DIT_ERROR_INVALID_ARGUMENT = 1,
  /// An extent differs from the compiled one.
  DIT_ERROR_SHAPE_MISMATCH = 2,
  DIT_ERROR_OUT_OF_MEMORY = 3,
  /// A check inside the compiled program failed.
  DIT_ERROR_CHECK_FAILED = 4,
  /// A parameter (weight) of the program has no data yet.
  DIT_ERROR_UNBOUND_PARAMETER = 5,
  /// The text or bytecode is no valid module.
  DIT_ERROR_PARSE = 16,
  DIT_ERROR_VERIFY = 17,
  /// A pass pipeline is malformed, or one of its passes failed.
  DIT_ERROR_PIPELINE = 18,
  DIT_ERROR_COMPILE = 19,
  /// No entry, parameter or function has the name.
  DIT_ERROR_NOT_FOUND = 20,
  /// A file cannot be read or written.
  DIT_ERROR_IO = 21,
  /// This build of dit cannot do it.
  DIT_ERROR_UNSUPPORTED = 22
} DitStatus;

/// "DIT_OK", "DIT_ERROR_PARSE", ...; "unknown" for other values.
DIT_C_EXPORTED const char *ditStatusName(DitStatus status);

/// DIT_C_API_MAJOR * 65536 + DIT_C_API_MINOR of the library.
DIT_C_EXPORTED uint32_t ditGetApiVersion(void);
/// The versions of dit, and of the LLVM that it uses, as "1.2.3".
DIT_C_EXPORTED const char *ditGetVersion(void);
DIT_C_EXPORTED const char *ditGetLLVMVersion(void);

/// One line on the last call of this thread that failed, "" if none did. Valid
/// until the next call on this thread.
DIT_C_EXPORTED const char *ditGetLastError(void);

/// Bytes that the library allocated; `data` is followed by a zero that `size`
/// does not count.
typedef struct DitText {
  char *data;
  size_t size;
} DitText;

/// Frees `text` and makes it empty.
DIT_C_EXPORTED void ditTextFree(DitText *text);

typedef enum DitSeverity {
  DIT_SEVERITY_NOTE = 0,
  DIT_SEVERITY_REMARK = 1,
  DIT_SEVERITY_WARNING = 2,
  DIT_SEVERITY_ERROR = 3
} DitSeverity;

/// A message of the parser, a verifier or a pass.
typedef struct DitDiagnostic {
  size_t struct_size;
  DitSeverity severity;
  const char *message;
  /// Where in a source file; "" and zeros if it is not known.
  const char *file;
  int32_t line;
  int32_t column;
  /// The location as MLIR prints it: names, call sites and fusions too.
  const char *location;
  size_t num_notes;
  const struct DitDiagnostic *const *notes;
} DitDiagnostic;

/// Receives each diagnostic while a call on its context runs, perhaps on
/// another thread but never two at once. What it is given is gone when it
/// returns. It must not call functions on the same context.
typedef void (*DitDiagnosticHandler)(const DitDiagnostic *diagnostic,
                                     void *user_data);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* DIT_C_SUPPORT_H */
