# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Options of sanitizers that programs linked to the installed LLVM need."""

import pathlib

LEAKS = pathlib.Path(__file__).resolve().parent / "leaks.supp"


def get_environment():
    """Environment variables for a program that was built under sanitizers."""
    # Tests ask for more memory than there is.
    allocator = "allocator_may_return_null=1"
    return {
        # LLVM's allocators poison what they own when compiled with ASan, as parts
        # in headers are here, and the installed library does not lift that.
        "ASAN_OPTIONS": f"allow_user_poisoning=0:{allocator}",
        "LSAN_OPTIONS": f"suppressions={LEAKS}:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        # The OpenMP library tells TSan nothing of its locks.
        "TSAN_OPTIONS": f"ignore_noninstrumented_modules=1:{allocator}",
    }
