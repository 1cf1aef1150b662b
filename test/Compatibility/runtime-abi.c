/*===- runtime-abi.c - The layout that compiled programs rely on
 * ------------===*
 *
 * Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------------------------===*
 *
 * Compiles only if fields are where programs of this minor release expect them.
 * Structs may grow at the end; to move a field is to break programs.
 *
 *===------------------------------------------------------------------------===*/

#include "dit/Runtime/Entry.h"
#include "dit/Runtime/Runtime.h"

#include <stddef.h>

#define AT(type, field, offset)                                                \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define IS(name, value) _Static_assert((name) == (value), #name)

AT(dit_buffer, data, 0);
AT(dit_buffer, dtype, 8);
AT(dit_buffer, rank, 12);
AT(dit_buffer, sizes, 16);
AT(dit_buffer, strides, 24);

AT(dit_rt_arg_spec, name, 0);
AT(dit_rt_arg_spec, dtype, 8);
AT(dit_rt_arg_spec, rank, 12);
AT(dit_rt_arg_spec, sizes, 16);

AT(dit_rt_parameter, name, 0);
AT(dit_rt_parameter, dtype, 8);
AT(dit_rt_parameter, rank, 12);
AT(dit_rt_parameter, sizes, 16);
AT(dit_rt_parameter, slot, 24);

AT(dit_rt_entry, name, 0);
AT(dit_rt_entry, num_inputs, 8);
AT(dit_rt_entry, num_results, 12);
AT(dit_rt_entry, args, 16);
AT(dit_rt_entry, workspace_size, 24);
AT(dit_rt_entry, num_parameters, 32);
AT(dit_rt_entry, parameters, 40);
AT(dit_rt_entry, call, 48);
AT(dit_rt_entry, query, 56);
AT(dit_rt_entry, returns_results, 64);

/* Buffers and specifications lie in arrays: their sizes count too. */
IS(sizeof(dit_rt_arg_spec), 24);
IS(sizeof(dit_rt_parameter), 32);
IS(sizeof(dit_buffer), 32);

IS(DIT_RT_OK, 0);
IS(DIT_RT_INVALID_ARGUMENT, 1);
IS(DIT_RT_SHAPE_MISMATCH, 2);
IS(DIT_RT_OUT_OF_MEMORY, 3);
IS(DIT_RT_CHECK_FAILED, 4);
IS(DIT_RT_UNBOUND_PARAMETER, 5);
IS(DIT_RT_BOOL, 1);
IS(DIT_RT_I8, 2);
IS(DIT_RT_I16, 3);
IS(DIT_RT_I32, 4);
IS(DIT_RT_I64, 5);
IS(DIT_RT_F16, 6);
IS(DIT_RT_BF16, 7);
IS(DIT_RT_F32, 8);
IS(DIT_RT_F64, 9);
