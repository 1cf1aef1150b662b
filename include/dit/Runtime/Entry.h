//===- Entry.h - Calling convention of compiled functions ---------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A compiled entry `f` is a plain C function that takes one pointer to a
// `dit_buffer` per input and per result and a workspace, and returns a
// status:
//
//   int32_t f(const dit_buffer *in0, ..., dit_buffer *out0, ...,
//             void *workspace);
//   int64_t f_workspace_size(void);
//
// Where the size of the workspace depends on the extents of inputs, the second
// function takes the inputs too, of which it reads the extents, and returns -1
// for extents that do not fit. The workspace is aligned to 64 bytes; no two
// calls may use it at once. Between calls it holds nothing.
//
// Results are written into memory of the caller. `f` checks every buffer
// against what it was compiled for before it computes anything; after a
// status other than DIT_RT_OK, `dit_rt_last_error` says what was wrong.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_RUNTIME_ENTRY_H
#define DIT_RUNTIME_ENTRY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a compiled function returns.
enum dit_rt_status {
  DIT_RT_OK = 0,
  /// A null pointer, a wrong element type or rank, a misaligned workspace.
  DIT_RT_INVALID_ARGUMENT = 1,
  /// An extent differs from the compiled one or from that of the result.
  DIT_RT_SHAPE_MISMATCH = 2,
  DIT_RT_OUT_OF_MEMORY = 3,
  /// A check inside the program failed.
  DIT_RT_CHECK_FAILED = 4,
  /// A parameter (weight) has no data yet.
  DIT_RT_UNBOUND_PARAMETER = 5
};

/// Element types. A boolean is one byte, 0 or 1.
enum dit_rt_dtype {
  DIT_RT_BOOL = 1,
  DIT_RT_I8 = 2,
  DIT_RT_I16 = 3,
  DIT_RT_I32 = 4,
  DIT_RT_I64 = 5,
  DIT_RT_F16 = 6,
  DIT_RT_BF16 = 7,
  DIT_RT_F32 = 8,
  DIT_RT_F64 = 9
};

/// A tensor in memory of the caller.
typedef struct dit_buffer {
  void *data;
  /// One of dit_rt_dtype.
  int32_t dtype;
  int32_t rank;
  /// `rank` extents. For a result with extents unknown at compile time, see
  /// `dit_rt_invoke`.
  int64_t *sizes;
  /// `rank` strides in elements, or NULL for row-major without gaps. Other
  /// strides are taken too, at the price of a packed copy, the only thing that
  /// a call allocates unless the program's header says otherwise.
  const int64_t *strides;
} dit_buffer;

/// Text for the last failure on this thread; "" if there was none. Valid until
/// the next call of a compiled function on this thread.
const char *dit_rt_last_error(void);

/// Bytes of one element, 0 for a value that is no dit_rt_dtype.
int64_t dit_rt_dtype_size(int32_t dtype);
/// "f32", "bf16", ...; "unknown" for a value that is no dit_rt_dtype.
const char *dit_rt_dtype_name(int32_t dtype);

/// What the compiler knows of an input or result; an extent of -1 is dynamic.
typedef struct dit_rt_arg_spec {
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *sizes;
} dit_rt_arg_spec;

/// A weight that lives outside the program. `slot` holds its address, NULL
/// until bound.
typedef struct dit_rt_parameter {
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *sizes;
  void **slot;
} dit_rt_parameter;

/// Describes an entry; the compiler emits one as `<entry>_descriptor`.
typedef struct dit_rt_entry {
  const char *name;
  int32_t num_inputs;
  int32_t num_results;
  /// Inputs, then results.
  const dit_rt_arg_spec *args;
  /// Bytes, or -1 if they depend on extents: see `dit_rt_workspace_size`.
  int64_t workspace_size;
  int64_t num_parameters;
  const dit_rt_parameter *parameters;
  /// The compiled body behind a uniform signature; private to the runtime.
  void (*call)(void **descriptors);
  /// Computes the bytes of the workspace and the extents of dynamic results
  /// from the extents of the inputs; NULL if nothing depends on them. Private
  /// to the runtime.
  void (*query)(void **descriptors);
  /// Whether the body allocates and returns the results with dynamic extents,
  /// because those depend on more than the extents of the inputs.
  int32_t returns_results;
} dit_rt_entry;

/// Bytes of workspace that `entry` needs for inputs with the extents of `args`,
/// of which nothing else is read; -1 if they do not fit the entry, with the
/// reason in `dit_rt_last_error`.
int64_t dit_rt_workspace_size(const dit_rt_entry *entry,
                              dit_buffer *const *args);

/// Checks `args` (inputs, then results) against `entry` and runs it. The C
/// entries are calls of this.
///
/// A result with dynamic extents: if its `data` is NULL the runtime allocates
/// it with malloc, fills in `data` and `sizes`, and the caller frees it;
/// otherwise the extents must be those the program computes, and on a mismatch
/// the right ones are stored in `sizes` beside DIT_RT_SHAPE_MISMATCH. Extents
/// that follow from those of the inputs are checked before anything runs.
int32_t dit_rt_invoke(const dit_rt_entry *entry, dit_buffer *const *args,
                      void *workspace);

/// Gives the parameter `name` of `entry` its data, which is not copied and must
/// outlive the calls. It must be row-major without gaps.
int32_t dit_rt_bind_parameter(const dit_rt_entry *entry, const char *name,
                              const dit_buffer *value);

#ifdef __cplusplus
}
#endif

#endif /* DIT_RUNTIME_ENTRY_H */
