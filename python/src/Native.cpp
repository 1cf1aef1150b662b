//===- Native.cpp - Python's view of the C API ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The extension module dit._native: modules, programs and buffers as the C API
// has them. What is pleasant to use is in the Python around it. Every call that
// takes time gives up the interpreter's lock.
//
//===----------------------------------------------------------------------===//

#include "Module.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace dit_python;

/// The profile file of the two results of an instrumented program.
static nb::bytes formatProfile(const nb::bytes &values,
                               const nb::bytes &layout) {
  DitText text = {};
  callFreely([&] {
    return ditProfileFormat(static_cast<const double *>(values.data()),
                            values.size() / sizeof(double),
                            static_cast<const char *>(layout.data()),
                            layout.size(), &text);
  });
  return takeBytes(text);
}

NB_MODULE(_native, m) {
  using namespace nb::literals;
  m.doc() = "The C API of dit; use the package dit instead.";
  m.attr("VERSION") = ditGetVersion();
  m.attr("LLVM_VERSION") = ditGetLLVMVersion();
  m.attr("ARTIFACT_OBJECT") = static_cast<int>(DIT_ARTIFACT_OBJECT);
  m.attr("ARTIFACT_HEADER") = static_cast<int>(DIT_ARTIFACT_HEADER);
  m.attr("ARTIFACT_LLVM_IR") = static_cast<int>(DIT_ARTIFACT_LLVM_IR);
  m.attr("ARTIFACT_PTX") = static_cast<int>(DIT_ARTIFACT_PTX);
  m.def("set_num_threads", &ditSetNumThreads, "num_threads"_a);
  m.def("get_num_threads", &ditGetNumThreads);
  m.def("format_profile", &formatProfile, "values"_a, "layout"_a);
  nb::class_<Module>(m, "Module")
      .def_static("parse", &Module::parse, "data"_a, "name"_a,
                  "sibling"_a.none(), "remarks"_a.none(), "trusted"_a)
      .def_static("parse_file", &Module::parseFile, "path"_a,
                  "sibling"_a.none(), "remarks"_a.none(), "trusted"_a)
      .def("clone", &Module::clone)
      .def("run", &Module::run, "pipeline"_a)
      .def("link", &Module::link, "library"_a)
      .def("verify", &Module::verify)
      .def("print", &Module::print, "elide_elements"_a, "locations"_a,
           "generic"_a)
      .def("write_bytecode", &Module::writeBytecode)
      .def("report_attention", &Module::reportAttention, "json"_a)
      .def("report_branches", &Module::reportBranches)
      .def("export_plan", &Module::exportPlan, "name"_a, "format"_a)
      .def("import_plan", &Module::importPlan, "json"_a, "file_name"_a,
           "name"_a, "timesteps"_a, "steps"_a, "window"_a, "conditional"_a)
      .def("entries", &Module::getEntries)
      .def("compile", &Module::compile, "target"_a, "entries"_a,
           "pipeline_options"_a, "opt_level"_a, "keep_llvm_ir"_a, "c_name"_a,
           "cache_dir"_a.none());
  nb::class_<Buffer>(m, "Buffer")
      .def(nb::init<uintptr_t, std::string, std::vector<int64_t>,
                    std::optional<std::vector<int64_t>>, nb::object>(),
           "data"_a, "dtype"_a, "sizes"_a, "strides"_a.none(), "owner"_a.none())
      .def_static("missing", &Buffer::makeMissing, "dtype"_a, "rank"_a)
      .def_static("from_dlpack", &Buffer::fromDLPack, "tensor"_a, "writable"_a)
      .def("take_data", &Buffer::takeData)
      .def_prop_ro("shape", &Buffer::getShape)
      .def_prop_ro("dtype", &Buffer::getDType);
  nb::class_<Program>(m, "Program")
      .def("entries", &Program::getEntries)
      .def("parameters", &Program::getParameters)
      .def("load_parameters", &Program::loadParameters, "path"_a)
      .def("bind_parameter", &Program::bindParameter, "name"_a, "value"_a)
      .def("check_parameters", &Program::checkParameters)
      .def("invoke", &Program::invoke, "entry"_a, "inputs"_a, "results"_a,
           "num_threads"_a)
      .def("artifact", &Program::getArtifact, "artifact"_a)
      .def("write_shared_library", &Program::writeSharedLibrary, "path"_a,
           "runtime_dir"_a.none());
}
