//===- Profile.cpp - C API: what instrumented programs measure ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calls of instrumented programs. Of their results two hold the profile: what
// was measured, and what that is.
//
//===----------------------------------------------------------------------===//

#include "ProgramHandle.h"
#include "dit/Dialect/Dit/Plan/ProfileLayout.h"

using namespace mlir::dit;
using llvm::Twine;

namespace {

/// A result of rank 1 that the library allocates for itself.
class OwnResult {
public:
  explicit OwnResult(int32_t dtype)
      : buffer{nullptr, dtype, 1, &size, nullptr} {}
  OwnResult(const OwnResult &) = delete;
  ~OwnResult() { ditBufferFree(&buffer); }
  dit_buffer *get() { return &buffer; }
  template <typename T>
  llvm::ArrayRef<T> getValues() const {
    return {static_cast<const T *>(buffer.data), static_cast<size_t>(size)};
  }

private:
  int64_t size = 0;
  dit_buffer buffer;
};

} // namespace

/// The buffers of all results of `entry`: those of the caller, with `values`
/// and `layout` where the profile goes.
static DitStatus listResults(const DitEntryInfo &entry,
                             llvm::ArrayRef<dit_buffer *> given,
                             dit_buffer *values, dit_buffer *layout,
                             llvm::SmallVectorImpl<dit_buffer *> &results) {
  unsigned numFound = 0;
  for (size_t i = 0; i < entry.num_results; ++i) {
    llvm::StringRef name = entry.results[i]->name;
    bool isValues = name == kProfileValues, isLayout = name == kProfileLayout;
    numFound += isValues || isLayout;
    if (isValues || isLayout)
      results.push_back(isValues ? values : layout);
    else if (results.size() - numFound < given.size())
      results.push_back(given[results.size() - numFound]);
  }
  if (numFound != 2)
    return capi::fail(DIT_ERROR_NOT_FOUND,
                      Twine(entry.name) + ": expected the results '" +
                          kProfileValues + "' and '" + kProfileLayout +
                          "'; the pass dit-instrument-profile adds them");
  if (given.size() + numFound != entry.num_results)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      Twine(entry.name) + ": expected " +
                          Twine(entry.num_results - numFound) +
                          " results beside the profile, got " +
                          Twine(given.size()));
  return DIT_OK;
}

DitStatus ditProgramProfile(DitProgram *program, const char *entry,
                            const dit_buffer *const *inputs, size_t num_inputs,
                            dit_buffer *const *results, size_t num_results,
                            const DitInvokeOptions *options, DitText *json) {
  if (!program || !json || (num_results > 0 && !results))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramProfile: program, results or json is NULL");
  *json = DitText();
  size_t index = 0;
  if (DitStatus status = capi::findEntry(*program, entry, index))
    return status;
  const DitEntryInfo &info = program->entries.entries[index]->info;
  OwnResult values(DIT_RT_F64), layout(DIT_RT_I8);
  llvm::ArrayRef<dit_buffer *> given(results, num_results);
  llvm::SmallVector<dit_buffer *> all, allocated;
  if (DitStatus status =
          listResults(info, given, values.get(), layout.get(), all))
    return status;
  for (dit_buffer *buffer : given)
    if (buffer && !buffer->data)
      allocated.push_back(buffer);
  if (DitStatus status =
          ditProgramInvoke(program, info.name, inputs, num_inputs, all.data(),
                           all.size(), options))
    return status;
  llvm::ArrayRef<char> text = layout.getValues<char>();
  llvm::ArrayRef<double> numbers = values.getValues<double>();
  DitStatus status = ditProfileFormat(numbers.data(), numbers.size(),
                                      text.data(), text.size(), json);
  if (status != DIT_OK)
    for (dit_buffer *buffer : allocated)
      ditBufferFree(buffer);
  return status;
}

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
