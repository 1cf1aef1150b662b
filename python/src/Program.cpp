//===- Program.cpp - Programs for Python ----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Signatures, parameters, calls and artefacts of programs.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "Errors.h"

namespace dit_python {

static nb::tuple toPython(const DitTensorInfo &info) {
  nb::list sizes;
  for (int32_t i = 0; i < info.rank; ++i)
    sizes.append(info.sizes[i]);
  return nb::make_tuple(info.name, ditDTypeGetName(info.dtype),
                        nb::tuple(sizes));
}

nb::list toPython(const DitEntryList *list) {
  nb::list result;
  for (size_t i = 0; i < ditEntryListGetSize(list); ++i) {
    const DitEntryInfo &info = *ditEntryListGet(list, i);
    nb::list inputs, results;
    for (size_t j = 0; j < info.num_inputs; ++j)
      inputs.append(toPython(*info.inputs[j]));
    for (size_t j = 0; j < info.num_results; ++j)
      results.append(toPython(*info.results[j]));
    result.append(nb::make_tuple(info.name, nb::tuple(inputs),
                                 nb::tuple(results), info.c_name,
                                 info.workspace_size, info.allocates != 0));
  }
  return result;
}

nb::list Program::getParameters() const {
  nb::list result;
  for (size_t i = 0; i < ditProgramGetNumParameters(program); ++i)
    result.append(toPython(*ditProgramGetParameter(program, i)));
  return result;
}

void Program::loadParameters(const std::string &path) {
  callFreely([&] { return ditProgramLoadParameters(program, path.c_str()); });
}

void Program::bindParameter(const std::string &name, Buffer &value) {
  callFreely([&] {
    return ditProgramBindParameter(program, name.c_str(), value.get());
  });
}

void Program::checkParameters() {
  callFreely([&] { return ditProgramCheckParameters(program); });
}

void Program::invoke(const std::string &entry,
                     const std::vector<Buffer *> &inputs,
                     const std::vector<Buffer *> &results, int numThreads) {
  std::vector<const dit_buffer *> in;
  std::vector<dit_buffer *> out;
  for (Buffer *buffer : inputs)
    in.push_back(buffer->get());
  for (Buffer *buffer : results)
    out.push_back(buffer->get());
  DitInvokeOptions options = DIT_INVOKE_OPTIONS_INIT;
  options.num_threads = numThreads;
  callFreely([&] {
    return ditProgramInvoke(program, entry.c_str(), in.data(), in.size(),
                            out.data(), out.size(), &options);
  });
}

nb::bytes Program::getArtifact(int artifact) {
  DitText text = {};
  callFreely([&] {
    return ditProgramGetArtifact(program, static_cast<DitArtifact>(artifact),
                                 &text);
  });
  return takeBytes(text);
}

void Program::writeSharedLibrary(const std::string &path,
                                 std::optional<std::string> runtimeDir) {
  callFreely([&] {
    return ditProgramWriteSharedLibrary(
        program, path.c_str(), runtimeDir ? runtimeDir->c_str() : nullptr);
  });
}

} // namespace dit_python
