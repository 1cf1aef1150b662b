/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   Checks for the C programs of these tests. */

#ifndef DIT_TEST_CAPI_EXPECT_H
#define DIT_TEST_CAPI_EXPECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      printf("%s:%d: expected %s (last error: %s)\n", __FILE__, __LINE__,      \
             #condition, ditGetLastError());                                   \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#define EXPECT_OK(call) EXPECT((call) == DIT_OK)

/* The call must fail with `wanted` and a text that holds `part`. */
#define EXPECT_ERROR(wanted, part, call)                                       \
  do {                                                                         \
    DitStatus got = (call);                                                    \
    if (got != (wanted) || !strstr(ditGetLastError(), part)) {                 \
      printf("%s:%d: expected %s with '%s', got %s with '%s'\n", __FILE__,     \
             __LINE__, #wanted, part, ditStatusName(got), ditGetLastError());  \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#endif /* DIT_TEST_CAPI_EXPECT_H */
