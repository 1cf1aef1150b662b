//===- Support.cpp - What all of the C API shares -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements dit-c/Support.h and the failing of calls.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"
#include "dit/Version/Version.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Path.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace mlir::dit;

/// The text of `ditGetLastError`.
static std::string &getErrorText() {
  static thread_local std::string text;
  return text;
}

DitStatus capi::fail(DitStatus status, const llvm::Twine &message) {
  // `message` may refer to the old text.
  std::string text = message.str();
  // One line, whatever quotes a whole operation.
  text.resize(std::min(text.find('\n'), text.size()));
  getErrorText() = std::move(text);
  return status;
}

DitStatus capi::fail(DitStatus status, llvm::Error error) {
  return fail(status, llvm::toString(std::move(error)));
}

DitStatus capi::returnText(llvm::StringRef contents, DitText *text) {
  text->data = static_cast<char *>(std::malloc(contents.size() + 1));
  if (!text->data)
    return fail(DIT_ERROR_OUT_OF_MEMORY, "no memory for a text of " +
                                             llvm::Twine(contents.size()) +
                                             " bytes");
  if (!contents.empty())
    std::memcpy(text->data, contents.data(), contents.size());
  text->data[contents.size()] = '\0';
  text->size = contents.size();
  return DIT_OK;
}

std::string capi::getOwnDirectory() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&ditGetVersion), &info) ||
      !info.dli_fname)
    return ".";
  return llvm::sys::path::parent_path(info.dli_fname).str();
}

const char *ditStatusName(DitStatus status) {
  switch (status) {
#define DIT_STATUS_CASE(name)                                                  \
  case name:                                                                   \
    return #name
    DIT_STATUS_CASE(DIT_OK);
    DIT_STATUS_CASE(DIT_ERROR_INVALID_ARGUMENT);
    DIT_STATUS_CASE(DIT_ERROR_SHAPE_MISMATCH);
    DIT_STATUS_CASE(DIT_ERROR_OUT_OF_MEMORY);
    DIT_STATUS_CASE(DIT_ERROR_CHECK_FAILED);
    DIT_STATUS_CASE(DIT_ERROR_UNBOUND_PARAMETER);
    DIT_STATUS_CASE(DIT_ERROR_PARSE);
    DIT_STATUS_CASE(DIT_ERROR_VERIFY);
    DIT_STATUS_CASE(DIT_ERROR_PIPELINE);
    DIT_STATUS_CASE(DIT_ERROR_COMPILE);
    DIT_STATUS_CASE(DIT_ERROR_NOT_FOUND);
    DIT_STATUS_CASE(DIT_ERROR_IO);
    DIT_STATUS_CASE(DIT_ERROR_UNSUPPORTED);
#undef DIT_STATUS_CASE
  }
  return "unknown";
}

uint32_t ditGetApiVersion(void) {
  return DIT_C_API_MAJOR * 65536U + DIT_C_API_MINOR;
}

const char *ditGetVersion(void) { return getVersion().data(); }

const char *ditGetLLVMVersion(void) { return LLVM_VERSION_STRING; }

const char *ditGetLastError(void) { return getErrorText().c_str(); }

void ditTextFree(DitText *text) {
  if (!text)
    return;
  std::free(text->data);
  *text = DitText();
}
