//===- Profile.cpp - C API: what instrumented programs measure ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The two results of a program under --dit-instrument-profile as one file.
//
//===----------------------------------------------------------------------===//

#include "ProgramHandle.h"
#include "dit/Dialect/Dit/Plan/ProfileLayout.h"

using namespace mlir::dit;

DitStatus ditProfileFormat(const double *values, size_t num_values,
                           const char *layout, size_t layout_size,
                           DitText *json) {
  if (!values || !layout || !json)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProfileFormat: values, layout or json is NULL");
  *json = DitText();
  auto text = fillProfileLayout(llvm::StringRef(layout, layout_size),
                                llvm::ArrayRef(values, num_values));
  if (!text)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      llvm::toString(text.takeError()));
  return capi::returnText(*text, json);
}
