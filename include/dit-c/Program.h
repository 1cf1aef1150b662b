//===- Program.h - Compiled programs ------------------------------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiling modules, calling what comes out in this process, and taking it
// elsewhere. See dit-c/Support.h for the rules that hold everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_C_PROGRAM_H
#define DIT_C_PROGRAM_H

#include "dit-c/Module.h"
#include "dit/Runtime/Entry.h"
#include "dit/Runtime/Runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Machine code with its entries. It does not need its context or module any
/// more.
typedef struct DitProgram DitProgram;

typedef struct DitCompileOptions {
  size_t struct_size;
  /// "cpu" (fast code for this machine) or "reference" (the meaning of every
  /// operation as plain loops). NULL: "cpu".
  const char *target;
  /// Functions to compile. None: @main, or else the only public function.
  const char *const *entries;
  size_t num_entries;
  /// Options of the pipeline dit-to-<target>, "a=1 b=2". NULL: none.
  const char *pipeline_options;
  /// Of LLVM, 0 to 3.
  int32_t opt_level;
  /// Whether to keep LLVM IR for `ditProgramGetArtifact`.
  int32_t keep_llvm_ir;
  /// Name of the C function, if there is one entry. NULL: its own, and dit_main
  /// for main.
  const char *c_name;
  /// Folder in which compiled programs are kept and found again; "" means the
  /// user's ($DIT_CACHE_DIR, or dit in $XDG_CACHE_HOME or ~/.cache). NULL:
  /// nothing is kept.
  const char *cache_dir;
} DitCompileOptions;

#define DIT_COMPILE_OPTIONS_INIT                                               \
  {sizeof(DitCompileOptions), NULL, NULL, 0, NULL, 3, 0, NULL, NULL}

/// Compiles `module`, which stays as it is.
DIT_C_EXPORTED DitStatus ditModuleCompile(DitModule *module,
                                          const DitCompileOptions *options,
                                          DitProgram **program);
DIT_C_EXPORTED void ditProgramDestroy(DitProgram *program);

/// The entries, as long as the program lives; not to be destroyed.
DIT_C_EXPORTED const DitEntryList *
ditProgramGetEntries(const DitProgram *program);

/// Weights that the program expects from outside.
DIT_C_EXPORTED size_t ditProgramGetNumParameters(const DitProgram *program);
/// NULL if there is no parameter `index`; valid as long as the program.
DIT_C_EXPORTED const DitTensorInfo *
ditProgramGetParameter(const DitProgram *program, size_t index);

/// Gives every parameter that the .safetensors file at `path` holds its data.
/// The file is mapped, not read, until the program is destroyed. It is an error
/// if it holds none of the parameters, or one of another type.
DIT_C_EXPORTED DitStatus ditProgramLoadParameters(DitProgram *program,
                                                  const char *path);
/// Gives one parameter its data, row-major and not copied: it must outlive the
/// program's calls. Neither function may run beside calls of the program.
DIT_C_EXPORTED DitStatus ditProgramBindParameter(DitProgram *program,
                                                 const char *name,
                                                 const dit_buffer *value);
/// Fails with DIT_ERROR_UNBOUND_PARAMETER if a parameter has no data yet.
DIT_C_EXPORTED DitStatus ditProgramCheckParameters(const DitProgram *program);

typedef struct DitInvokeOptions {
  size_t struct_size;
  /// Threads of this call; 0: as `ditSetNumThreads` says.
  int32_t num_threads;
  /// At least as many bytes as ditProgramGetWorkspaceSize says, aligned to 64.
  /// NULL: the library's, kept for later calls.
  void *workspace;
} DitInvokeOptions;

#define DIT_INVOKE_OPTIONS_INIT {sizeof(DitInvokeOptions), 0, NULL}

/// Bytes of workspace that `entry` (NULL: the only one) needs for inputs of
/// these extents; nothing but their types and extents is read.
DIT_C_EXPORTED DitStatus ditProgramGetWorkspaceSize(
    DitProgram *program, const char *entry, const dit_buffer *const *inputs,
    size_t num_inputs, int64_t *size);

/// Calls `entry`; NULL means the only one. Buffers are the caller's, strided as
/// it likes. A result whose `data` is NULL is allocated by the library, which
/// stores its extents in `sizes`, and freed by `ditBufferFree`. Calls of one
/// program may run at the same time.
DIT_C_EXPORTED DitStatus ditProgramInvoke(
    DitProgram *program, const char *entry, const dit_buffer *const *inputs,
    size_t num_inputs, dit_buffer *const *results, size_t num_results,
    const DitInvokeOptions *options);

/// Calls `entry`, a function that --dit-instrument-profile rewrote, as
/// ditProgramInvoke does, and writes the profile file (docs/Spec.md) of what it
/// measured. `results` are those of the entry without `profile_values` and
/// `profile_layout`. An entry without these is DIT_ERROR_NOT_FOUND.
DIT_C_EXPORTED DitStatus ditProgramProfile(
    DitProgram *program, const char *entry, const dit_buffer *const *inputs,
    size_t num_inputs, dit_buffer *const *results, size_t num_results,
    const DitInvokeOptions *options, DitText *json);

/// The profile file (docs/Spec.md) of what a program under
/// --dit-instrument-profile measured: its results `profile_values` (f64) and
/// `profile_layout` (i8).
DIT_C_EXPORTED DitStatus ditProfileFormat(const double *values,
                                          size_t num_values, const char *layout,
                                          size_t layout_size, DitText *json);

/// Bytes of an element and name ("f32", ...) of a dit_rt_dtype; 0 and "unknown"
/// for other numbers.
DIT_C_EXPORTED int64_t ditDTypeGetSize(int32_t dtype);
DIT_C_EXPORTED const char *ditDTypeGetName(int32_t dtype);

/// Frees the data of a result that `ditProgramInvoke` allocated.
DIT_C_EXPORTED void ditBufferFree(dit_buffer *buffer);

typedef enum DitArtifact {
  /// A relocatable object to link with libdit_runtime.
  DIT_ARTIFACT_OBJECT = 0,
  /// The C header of the object.
  DIT_ARTIFACT_HEADER = 1,
  /// LLVM IR before LLVM's optimizer, if `keep_llvm_ir` was set.
  DIT_ARTIFACT_LLVM_IR = 2,
  /// Code for NVIDIA's GPUs: DIT_ERROR_UNSUPPORTED where the program's target
  /// has none.
  DIT_ARTIFACT_PTX = 3
} DitArtifact;

DIT_C_EXPORTED DitStatus ditProgramGetArtifact(const DitProgram *program,
                                               DitArtifact artifact,
                                               DitText *bytes);
/// Links the program to a shared library with the system's compiler driver.
/// `runtime_dir` is where libdit_runtime.so is; NULL: beside this library.
DIT_C_EXPORTED DitStatus ditProgramWriteSharedLibrary(const DitProgram *program,
                                                      const char *path,
                                                      const char *runtime_dir);

/// The number of threads of calls that do not ask for their own; zero or less:
/// one for each processor.
DIT_C_EXPORTED void ditSetNumThreads(int32_t num_threads);
DIT_C_EXPORTED int32_t ditGetNumThreads(void);
/// Makes programs run on the host's threads instead of OpenMP's; NULL brings
/// those back. See dit_rt_set_parallel_for. Not while a program runs.
DIT_C_EXPORTED void ditSetParallelFor(dit_rt_parallel_for_impl impl,
                                      void *pool);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* DIT_C_PROGRAM_H */
