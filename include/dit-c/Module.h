//===- Module.h - Contexts and modules ----------------------------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading, transforming and writing MLIR modules: all dialects and passes of
// MLIR and dit are there. See dit-c/Support.h for the rules that hold
// everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_C_MODULE_H
#define DIT_C_MODULE_H

#include "dit-c/Support.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Owns what modules are made of. Modules must be destroyed before it.
typedef struct DitContext DitContext;
/// One MLIR module.
typedef struct DitModule DitModule;

typedef struct DitContextOptions {
  size_t struct_size;
  /// Receives all diagnostics. They are never printed.
  DitDiagnosticHandler handler;
  void *user_data;
  /// A regular expression over pass names: remarks of these passes arrive as
  /// diagnostics of severity DIT_SEVERITY_REMARK. NULL: none do.
  const char *remarks;
  /// Threads that passes may use, the caller's included, at most 1024; 0 means
  /// one for each processor.
  int32_t num_threads;
  /// Seconds that reading a module may take (see ditModuleParse), up to a day;
  /// 0 means 120.
  int64_t parse_seconds;
} DitContextOptions;

#define DIT_CONTEXT_OPTIONS_INIT                                               \
  {sizeof(DitContextOptions), NULL, NULL, NULL, 1, 0}

DIT_C_EXPORTED DitStatus ditContextCreate(const DitContextOptions *options,
                                          DitContext **context);
DIT_C_EXPORTED void ditContextDestroy(DitContext *context);

/// Parses and verifies `size` bytes of MLIR, text or bytecode. They are copied.
/// `name` stands for the file in locations; NULL means "-". Damaged bytecode
/// and some half-written text crash MLIR's parsers, so another process
/// (dit-check-module, which is installed with the library) reads it first, and
/// writes bytecode anew, which is what this one reads; that takes a tenth of a
/// second.
DIT_C_EXPORTED DitStatus ditModuleParse(DitContext *context, const char *data,
                                        size_t size, const char *name,
                                        DitModule **module);
/// The same with the contents of a file.
DIT_C_EXPORTED DitStatus ditModuleParseFile(DitContext *context,
                                            const char *path,
                                            DitModule **module);
/// Both, without that process: for modules that a program wrote. Text that
/// nests too deep is an error here, too.
DIT_C_EXPORTED DitStatus ditModuleParseTrusted(DitContext *context,
                                               const char *data, size_t size,
                                               const char *name,
                                               DitModule **module);
DIT_C_EXPORTED DitStatus ditModuleParseFileTrusted(DitContext *context,
                                                   const char *path,
                                                   DitModule **module);
DIT_C_EXPORTED DitStatus ditModuleClone(DitModule *module, DitModule **copy);
DIT_C_EXPORTED void ditModuleDestroy(DitModule *module);

/// Moves everything from `library`, a module of the same context, into
/// `module`, where functions that it only declares become defined. `library` is
/// empty afterwards. On an error both are as they were.
DIT_C_EXPORTED DitStatus ditModuleLink(DitModule *module, DitModule *library);

typedef struct DitPrintOptions {
  size_t struct_size;
  /// Constants of more elements are shown as `__elided__`, and such a text
  /// cannot be parsed back; -1: all are written.
  int64_t elide_elements;
  /// Whether to write locations: 0 none, 1 at the end, 2 behind each operation.
  int32_t locations;
  /// Whether to write operations in MLIR's generic form.
  int32_t generic;
} DitPrintOptions;

#define DIT_PRINT_OPTIONS_INIT {sizeof(DitPrintOptions), -1, 0, 0}

DIT_C_EXPORTED DitStatus ditModulePrint(DitModule *module,
                                        const DitPrintOptions *options,
                                        DitText *text);
DIT_C_EXPORTED DitStatus ditModuleWriteBytecode(DitModule *module,
                                                DitText *bytecode);
DIT_C_EXPORTED DitStatus ditModuleVerify(DitModule *module);

/// Runs passes as `dit-opt --pass-pipeline` does, "builtin.module(a,b{c=1})";
/// what surrounds them may be left out, "a,b{c=1}". On an error the module is
/// as it was.
DIT_C_EXPORTED DitStatus ditModuleRunPipeline(DitModule *module,
                                              const char *pipeline);

typedef enum DitReportFormat {
  /// What --dit-report-attention writes.
  DIT_REPORT_JSON = 0,
  /// A table, one line for each attention.
  DIT_REPORT_TEXT = 1
} DitReportFormat;

/// Lists the attentions (ops of dit) of the module and what they cost.
DIT_C_EXPORTED DitStatus ditModuleReportAttention(DitModule *module,
                                                  DitReportFormat format,
                                                  DitText *report);

/// A tensor at the boundary of a program. The struct belongs to what it was
/// asked of.
typedef struct DitTensorInfo {
  size_t struct_size;
  const char *name;
  /// One of dit_rt_dtype.
  int32_t dtype;
  int32_t rank;
  /// `rank` extents; -1 where any is taken.
  const int64_t *sizes;
} DitTensorInfo;

/// A function that can be called from outside.
typedef struct DitEntryInfo {
  size_t struct_size;
  const char *name;
  size_t num_inputs;
  const DitTensorInfo *const *inputs;
  size_t num_results;
  const DitTensorInfo *const *results;
  /// The rest is known of compiled entries only. The name of the C function,
  /// else "".
  const char *c_name;
  /// Bytes of workspace, -1 if they depend on the extents of inputs (see
  /// ditProgramGetWorkspaceSize), else 0.
  int64_t workspace_size;
  /// Whether a call allocates memory beside the workspace.
  int32_t allocates;
} DitEntryInfo;

typedef struct DitEntryList DitEntryList;

/// The public functions of the module that can be compiled, with names as in
/// MLIR.
DIT_C_EXPORTED DitStatus ditModuleGetEntries(DitModule *module,
                                             DitEntryList **entries);
DIT_C_EXPORTED void ditEntryListDestroy(DitEntryList *entries);
DIT_C_EXPORTED size_t ditEntryListGetSize(const DitEntryList *entries);
/// NULL if there is no entry `index`; valid as long as the list.
DIT_C_EXPORTED const DitEntryInfo *ditEntryListGet(const DitEntryList *entries,
                                                   size_t index);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* DIT_C_MODULE_H */
