/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   What docs/Compatibility.md promises of the C API within a minor release: the
   numbers and places here only get company. Compiling it is the test. */

#include "dit-c/Program.h"

#define IS(name, value)                                                        \
  _Static_assert((int)(name) == (int)(value), #name " changed")
#define AT(type, field, offset)                                                \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " moved")

IS(DIT_OK, 0);
IS(DIT_ERROR_INVALID_ARGUMENT, DIT_RT_INVALID_ARGUMENT);
IS(DIT_ERROR_SHAPE_MISMATCH, DIT_RT_SHAPE_MISMATCH);
IS(DIT_ERROR_OUT_OF_MEMORY, DIT_RT_OUT_OF_MEMORY);
IS(DIT_ERROR_CHECK_FAILED, DIT_RT_CHECK_FAILED);
IS(DIT_ERROR_UNBOUND_PARAMETER, DIT_RT_UNBOUND_PARAMETER);
IS(DIT_ERROR_PARSE, 16);
IS(DIT_ERROR_VERIFY, 17);
IS(DIT_ERROR_PIPELINE, 18);
IS(DIT_ERROR_COMPILE, 19);
IS(DIT_ERROR_NOT_FOUND, 20);
IS(DIT_ERROR_IO, 21);
IS(DIT_ERROR_UNSUPPORTED, 22);
IS(DIT_SEVERITY_NOTE, 0);
IS(DIT_SEVERITY_REMARK, 1);
IS(DIT_SEVERITY_WARNING, 2);
IS(DIT_SEVERITY_ERROR, 3);
IS(DIT_REPORT_JSON, 0);
IS(DIT_REPORT_TEXT, 1);
IS(DIT_ARTIFACT_OBJECT, 0);
IS(DIT_ARTIFACT_HEADER, 1);
IS(DIT_ARTIFACT_LLVM_IR, 2);
IS(DIT_ARTIFACT_PTX, 3);

AT(DitText, data, 0);
AT(DitText, size, 8);
IS(sizeof(DitText), 16);
AT(DitDiagnostic, severity, 8);
AT(DitDiagnostic, message, 16);
AT(DitDiagnostic, file, 24);
AT(DitDiagnostic, line, 32);
AT(DitDiagnostic, column, 36);
AT(DitDiagnostic, location, 40);
AT(DitDiagnostic, num_notes, 48);
AT(DitDiagnostic, notes, 56);
AT(DitContextOptions, handler, 8);
AT(DitContextOptions, user_data, 16);
AT(DitContextOptions, remarks, 24);
AT(DitContextOptions, num_threads, 32);
AT(DitContextOptions, parse_seconds, 40);
AT(DitPrintOptions, elide_elements, 8);
AT(DitPrintOptions, locations, 16);
AT(DitPrintOptions, generic, 20);
AT(DitTensorInfo, name, 8);
AT(DitTensorInfo, dtype, 16);
AT(DitTensorInfo, rank, 20);
AT(DitTensorInfo, sizes, 24);
AT(DitEntryInfo, name, 8);
AT(DitEntryInfo, num_inputs, 16);
AT(DitEntryInfo, inputs, 24);
AT(DitEntryInfo, num_results, 32);
AT(DitEntryInfo, results, 40);
AT(DitEntryInfo, c_name, 48);
AT(DitEntryInfo, workspace_size, 56);
AT(DitEntryInfo, allocates, 64);
AT(DitCompileOptions, target, 8);
AT(DitCompileOptions, entries, 16);
AT(DitCompileOptions, num_entries, 24);
AT(DitCompileOptions, pipeline_options, 32);
AT(DitCompileOptions, opt_level, 40);
AT(DitCompileOptions, keep_llvm_ir, 44);
AT(DitCompileOptions, c_name, 48);
AT(DitCompileOptions, cache_dir, 56);
AT(DitInvokeOptions, num_threads, 8);
AT(DitInvokeOptions, workspace, 16);
