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

#include "dit-c/Program.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace nb = nanobind;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

namespace {

struct Diagnostic {
  int severity;
  std::string message, file;
  int line, column;
  std::string location;
  std::vector<Diagnostic> notes;
};

/// What went wrong, on its way to Python.
struct Failure {
  DitStatus status;
  std::string message;
};

} // namespace

static Diagnostic copyDiagnostic(const DitDiagnostic &from) {
  Diagnostic result{from.severity, from.message,  from.file, from.line,
                    from.column,   from.location, {}};
  for (size_t i = 0; i < from.num_notes; ++i)
    result.notes.push_back(copyDiagnostic(*from.notes[i]));
  return result;
}

static std::optional<Failure> check(DitStatus status) {
  if (status == DIT_OK)
    return std::nullopt;
  return Failure{status, ditGetLastError()};
}

static nb::tuple toPython(const std::vector<Diagnostic> &diagnostics) {
  nb::list result;
  for (const Diagnostic &diagnostic : diagnostics)
    result.append(nb::make_tuple(diagnostic.severity, diagnostic.message,
                                 diagnostic.file, diagnostic.line,
                                 diagnostic.column, diagnostic.location,
                                 toPython(diagnostic.notes)));
  return nb::tuple(result);
}

/// Raises what `dit._errors.make` makes of a failure.
[[noreturn]] static void raise(const Failure &failure,
                               const std::vector<Diagnostic> &diagnostics) {
  nb::object error = nb::module_::import_("dit._errors")
                         .attr("make")(ditStatusName(failure.status),
                                       failure.message, toPython(diagnostics));
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())),
                  error.ptr());
  throw nb::python_error();
}

/// Runs `function`, which returns a status, without the interpreter's lock.
template <typename Function>
static void callFreely(Function function) {
  std::optional<Failure> failure;
  {
    nb::gil_scoped_release release;
    failure = check(function());
  }
  if (failure)
    raise(*failure, {});
}

static nb::bytes takeBytes(DitText &text) {
  nb::bytes bytes(text.data, text.size);
  ditTextFree(&text);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

namespace {

/// A context with what it reported during the last call.
class Context {
public:
  Context(const char *remarks) {
    DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
    options.handler = [](const DitDiagnostic *diagnostic, void *self) {
      static_cast<Context *>(self)->diagnostics.push_back(
          copyDiagnostic(*diagnostic));
    };
    options.user_data = this;
    options.remarks = remarks;
    if (std::optional<Failure> failure =
            check(ditContextCreate(&options, &context)))
      raise(*failure, {});
  }
  Context(const Context &) = delete;
  ~Context() { ditContextDestroy(context); }

  DitContext *get() const { return context; }

  /// Runs `function` without the interpreter's lock, one call at a time.
  /// Returns what was reported; raises an error with it.
  template <typename Function>
  std::vector<Diagnostic> call(Function function) {
    std::optional<Failure> failure;
    std::vector<Diagnostic> reported;
    {
      nb::gil_scoped_release release;
      std::lock_guard<std::mutex> lock(mutex);
      diagnostics.clear();
      failure = check(function());
      reported.swap(diagnostics);
    }
    if (failure)
      raise(*failure, reported);
    return reported;
  }

private:
  DitContext *context = nullptr;
  std::mutex mutex;
  std::vector<Diagnostic> diagnostics;
};

class Program;

class Module {
public:
  Module(std::shared_ptr<Context> context, DitModule *module)
      : context(std::move(context)), module(module) {}
  Module(const Module &) = delete;
  ~Module() { ditModuleDestroy(module); }

  static std::unique_ptr<Module> parse(nb::bytes data, const std::string &name,
                                       const Module *sibling,
                                       std::optional<std::string> remarks);
  static std::unique_ptr<Module> parseFile(const std::string &path,
                                           const Module *sibling,
                                           std::optional<std::string> remarks);
  std::unique_ptr<Module> clone();
  nb::tuple run(const std::string &pipeline);
  void link(Module &library);
  void verify();
  nb::bytes print(int64_t elideElements, int locations, bool generic);
  nb::bytes writeBytecode();
  nb::bytes report(bool json);
  nb::list getEntries();
  std::unique_ptr<Program>
  compile(const std::string &target, const std::vector<std::string> &entries,
          const std::string &pipelineOptions, int optLevel, bool keepLLVMIR,
          const std::string &cName, std::optional<std::string> cacheDir);

private:
  template <typename Function>
  nb::bytes getText(Function function) {
    DitText text = {};
    context->call([&] { return function(&text); });
    return takeBytes(text);
  }

  std::shared_ptr<Context> context;
  DitModule *module;
};

} // namespace

/// The context of `sibling`, or a new one.
static std::shared_ptr<Context>
getContext(const std::shared_ptr<Context> *sibling,
           const std::optional<std::string> &remarks) {
  if (sibling)
    return *sibling;
  return std::make_shared<Context>(remarks ? remarks->c_str() : nullptr);
}

std::unique_ptr<Module> Module::parse(nb::bytes data, const std::string &name,
                                      const Module *sibling,
                                      std::optional<std::string> remarks) {
  auto context = getContext(sibling ? &sibling->context : nullptr, remarks);
  DitModule *module = nullptr;
  context->call([&, bytes = data.c_str(), size = data.size()] {
    return ditModuleParse(context->get(), bytes, size, name.c_str(), &module);
  });
  return std::make_unique<Module>(std::move(context), module);
}

std::unique_ptr<Module> Module::parseFile(const std::string &path,
                                          const Module *sibling,
                                          std::optional<std::string> remarks) {
  auto context = getContext(sibling ? &sibling->context : nullptr, remarks);
  DitModule *module = nullptr;
  context->call([&] {
    return ditModuleParseFile(context->get(), path.c_str(), &module);
  });
  return std::make_unique<Module>(std::move(context), module);
}

std::unique_ptr<Module> Module::clone() {
  DitModule *copy = nullptr;
  context->call([&] { return ditModuleClone(module, &copy); });
  return std::make_unique<Module>(context, copy);
}

nb::tuple Module::run(const std::string &pipeline) {
  return toPython(context->call(
      [&] { return ditModuleRunPipeline(module, pipeline.c_str()); }));
}

void Module::link(Module &library) {
  context->call([&] { return ditModuleLink(module, library.module); });
}

void Module::verify() {
  context->call([&] { return ditModuleVerify(module); });
}

nb::bytes Module::print(int64_t elideElements, int locations, bool generic) {
  DitPrintOptions options = DIT_PRINT_OPTIONS_INIT;
  options.elide_elements = elideElements;
  options.locations = locations;
  options.generic = generic;
  return getText(
      [&](DitText *text) { return ditModulePrint(module, &options, text); });
}

nb::bytes Module::writeBytecode() {
  return getText(
      [&](DitText *text) { return ditModuleWriteBytecode(module, text); });
}

nb::bytes Module::report(bool json) {
  return getText([&](DitText *text) {
    return ditModuleReportAttention(
        module, json ? DIT_REPORT_JSON : DIT_REPORT_TEXT, text);
  });
}

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

static nb::tuple toPython(const DitTensorInfo &info) {
  nb::list sizes;
  for (int32_t i = 0; i < info.rank; ++i)
    sizes.append(info.sizes[i]);
  return nb::make_tuple(info.name, ditDTypeGetName(info.dtype),
                        nb::tuple(sizes));
}

static nb::list toPython(const DitEntryList *list) {
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

nb::list Module::getEntries() {
  DitEntryList *entries = nullptr;
  context->call([&] { return ditModuleGetEntries(module, &entries); });
  nb::list result = toPython(entries);
  ditEntryListDestroy(entries);
  return result;
}

//===----------------------------------------------------------------------===//
// Buffers and programs
//===----------------------------------------------------------------------===//

namespace {

/// A dit_buffer with what it points to, and what keeps its data alive.
class Buffer {
public:
  Buffer(uintptr_t data, const std::string &dtype, std::vector<int64_t> sizes,
         std::optional<std::vector<int64_t>> strides, nb::object owner);
  explicit Buffer(nb::ndarray<nb::ro> array);
  Buffer(const Buffer &) = delete;
  ~Buffer() {
    if (allocated)
      ditBufferFree(&buffer);
  }

  /// A result that the library shall allocate.
  static std::unique_ptr<Buffer> makeMissing(const std::string &dtype,
                                             int rank);
  /// The data that the library allocated, as bytes of NumPy.
  nb::object takeData();

  dit_buffer *get() { return &buffer; }
  nb::tuple getShape() const;
  const char *getDType() const { return ditDTypeGetName(buffer.dtype); }

private:
  void setSizes(std::vector<int64_t> newSizes,
                std::optional<std::vector<int64_t>> newStrides);

  dit_buffer buffer = {};
  std::vector<int64_t> sizes, strides;
  nb::object owner;
  nb::ndarray<nb::ro> array;
  bool allocated = false;
};

class Program {
public:
  explicit Program(DitProgram *program) : program(program) {}
  Program(const Program &) = delete;
  ~Program() { ditProgramDestroy(program); }

  nb::list getEntries() const {
    return toPython(ditProgramGetEntries(program));
  }
  nb::list getParameters() const;
  void loadParameters(const std::string &path);
  void bindParameter(const std::string &name, Buffer &value);
  void checkParameters();
  void invoke(const std::string &entry, const std::vector<Buffer *> &inputs,
              const std::vector<Buffer *> &results, int numThreads);
  nb::bytes getArtifact(int artifact);
  void writeSharedLibrary(const std::string &path,
                          std::optional<std::string> runtimeDir);

private:
  DitProgram *program;
};

} // namespace

/// The number of the type that dit calls `name`, or of none.
static int32_t getDTypeNumber(const std::string &name) {
  for (int32_t dtype = DIT_RT_BOOL; dtype <= DIT_RT_F64; ++dtype)
    if (name == ditDTypeGetName(dtype))
      return dtype;
  raise({DIT_ERROR_INVALID_ARGUMENT, "no element type '" + name + "'"}, {});
}

static int32_t getDTypeNumber(nb::dlpack::dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  auto code = static_cast<Code>(dtype.code);
  bool isInteger = code == Code::Int || code == Code::UInt;
  if (dtype.lanes == 1) {
    if (code == Code::Bool && dtype.bits == 8)
      return DIT_RT_BOOL;
    if (code == Code::Bfloat && dtype.bits == 16)
      return DIT_RT_BF16;
    for (int32_t number : {DIT_RT_I8, DIT_RT_I16, DIT_RT_I32, DIT_RT_I64})
      if (isInteger && dtype.bits == 8 * ditDTypeGetSize(number))
        return number;
    for (int32_t number : {DIT_RT_F16, DIT_RT_F32, DIT_RT_F64})
      if (code == Code::Float && dtype.bits == 8 * ditDTypeGetSize(number))
        return number;
  }
  raise(
      {DIT_ERROR_INVALID_ARGUMENT, "no element type of dit has DLPack's code " +
                                       std::to_string(dtype.code) + " with " +
                                       std::to_string(dtype.bits) + " bits"},
      {});
}

void Buffer::setSizes(std::vector<int64_t> newSizes,
                      std::optional<std::vector<int64_t>> newStrides) {
  sizes = std::move(newSizes);
  buffer.rank = static_cast<int32_t>(sizes.size());
  buffer.sizes = sizes.data();
  if (!newStrides)
    return;
  strides = std::move(*newStrides);
  buffer.strides = strides.data();
}

Buffer::Buffer(uintptr_t data, const std::string &dtype,
               std::vector<int64_t> newSizes,
               std::optional<std::vector<int64_t>> newStrides, nb::object owner)
    : owner(std::move(owner)) {
  buffer.data = reinterpret_cast<void *>(data);
  buffer.dtype = getDTypeNumber(dtype);
  setSizes(std::move(newSizes), std::move(newStrides));
}

Buffer::Buffer(nb::ndarray<nb::ro> newArray) : array(std::move(newArray)) {
  if (array.device_type() != nb::device::cpu::value)
    raise({DIT_ERROR_INVALID_ARGUMENT,
           "the tensor is not in the memory of the CPU"},
          {});
  buffer.data = const_cast<void *>(array.data());
  buffer.dtype = getDTypeNumber(array.dtype());
  std::vector<int64_t> newSizes, newStrides;
  for (size_t i = 0; i < array.ndim(); ++i) {
    newSizes.push_back(static_cast<int64_t>(array.shape(i)));
    newStrides.push_back(array.stride(i));
  }
  setSizes(std::move(newSizes), std::move(newStrides));
}

std::unique_ptr<Buffer> Buffer::makeMissing(const std::string &dtype,
                                            int rank) {
  auto result = std::make_unique<Buffer>(0, dtype, std::vector<int64_t>(rank),
                                         std::nullopt, nb::none());
  result->allocated = true;
  return result;
}

nb::object Buffer::takeData() {
  size_t bytes = ditDTypeGetSize(buffer.dtype);
  for (int64_t size : sizes)
    bytes *= size;
  void *data = buffer.data;
  buffer.data = nullptr;
  nb::capsule free(data, [](void *data) noexcept {
    dit_buffer buffer = {};
    buffer.data = data;
    ditBufferFree(&buffer);
  });
  return nb::cast(nb::ndarray<nb::numpy, uint8_t>(data, {bytes}, free));
}

nb::tuple Buffer::getShape() const {
  nb::list shape;
  for (int64_t size : sizes)
    shape.append(size);
  return nb::tuple(shape);
}

std::unique_ptr<Program> Module::compile(
    const std::string &target, const std::vector<std::string> &entries,
    const std::string &pipelineOptions, int optLevel, bool keepLLVMIR,
    const std::string &cName, std::optional<std::string> cacheDir) {
  std::vector<const char *> names;
  for (const std::string &entry : entries)
    names.push_back(entry.c_str());
  DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
  options.target = target.c_str();
  options.entries = names.data();
  options.num_entries = names.size();
  options.pipeline_options = pipelineOptions.c_str();
  options.opt_level = optLevel;
  options.keep_llvm_ir = keepLLVMIR;
  options.c_name = cName.c_str();
  options.cache_dir = cacheDir ? cacheDir->c_str() : nullptr;
  DitProgram *program = nullptr;
  context->call([&] { return ditModuleCompile(module, &options, &program); });
  return std::make_unique<Program>(program);
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
  nb::class_<Module>(m, "Module")
      .def_static("parse", &Module::parse, "data"_a, "name"_a,
                  "sibling"_a.none(), "remarks"_a.none())
      .def_static("parse_file", &Module::parseFile, "path"_a,
                  "sibling"_a.none(), "remarks"_a.none())
      .def("clone", &Module::clone)
      .def("run", &Module::run, "pipeline"_a)
      .def("link", &Module::link, "library"_a)
      .def("verify", &Module::verify)
      .def("print", &Module::print, "elide_elements"_a, "locations"_a,
           "generic"_a)
      .def("write_bytecode", &Module::writeBytecode)
      .def("report", &Module::report, "json"_a)
      .def("entries", &Module::getEntries)
      .def("compile", &Module::compile, "target"_a, "entries"_a,
           "pipeline_options"_a, "opt_level"_a, "keep_llvm_ir"_a, "c_name"_a,
           "cache_dir"_a.none());
  nb::class_<Buffer>(m, "Buffer")
      .def(nb::init<uintptr_t, std::string, std::vector<int64_t>,
                    std::optional<std::vector<int64_t>>, nb::object>(),
           "data"_a, "dtype"_a, "sizes"_a, "strides"_a.none(), "owner"_a.none())
      .def_static("missing", &Buffer::makeMissing, "dtype"_a, "rank"_a)
      .def_static(
          "from_dlpack",
          [](nb::ndarray<nb::ro> array) {
            return std::make_unique<Buffer>(std::move(array));
          },
          "tensor"_a)
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
