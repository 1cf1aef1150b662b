//===- CAPIFuzzer.cpp - Fuzz target: calls of the C API -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes are a program of calls: handles are made, used in any order and
// with wrong arguments, and destroyed. Nothing may crash, leak, or fail without
// a reason, and what fails gives nothing back.
//
//===----------------------------------------------------------------------===//

#include "Choices.h"
#include "FuzzTarget.h"

#include "dit-c/Program.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace mlir::dit;

static const char *const kTexts[] = {
    "func.func @f(%x: tensor<2x?xf32> {dit.name = \"x\"}) -> tensor<2xf32> {"
    " %0 = tensor.extract_slice %x[0, 0] [2, 1] [1, 1] : tensor<2x?xf32> to"
    " tensor<2xf32> return %0 : tensor<2xf32> }",
    "func.func @main(%x: tensor<3xf64>) -> (tensor<3xf64>, f64) {"
    " %c0 = arith.constant 0 : index %y = arith.addf %x, %x : tensor<3xf64>"
    " %e = tensor.extract %y[%c0] : tensor<3xf64>"
    " return %y, %e : tensor<3xf64>, f64 }",
    "ml_program.global private @w(#ml_program.extern<tensor<3xf32>>)"
    " : tensor<3xf32> func.func @main() -> tensor<3xf32> {"
    " %w = ml_program.global_load_const @w : tensor<3xf32>"
    " return %w : tensor<3xf32> }",
    "func.func @a(%q: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {"
    " %o = dit.attention ins(%q, %q, %q : tensor<1x2x4x4xf32>,"
    " tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) outs(%q : tensor<1x2x4x4xf32>)"
    " {scale = 0.5 : f64, site = \"s\"} return %o : tensor<1x2x4x4xf32> }",
    "func.func private @f(tensor<2x?xf32>) -> tensor<2xf32>"
    " func.func @g(%x: tensor<?x?xi8>) -> tensor<?x?xi8> {"
    " return %x : tensor<?x?xi8> } func.func @h(%n: index) { return }",
    "func.func @bad(%x: f32) { %0 = arith.addf %x, %y : f32 return }",
    "",
    ("ML\xefR\x01"
     "damaged")};

static const char *const kPipelines[] = {
    "canonicalize",
    "builtin.module(dit-decompose,func.func(cse))",
    "dit-raise-attention,dit-lower-reuse",
    "dit-build-sampler{steps=2}",
    "dit-export-entries,dit-to-reference",
    "builtin.module(",
    "no-such-pass",
    "dit-build-sampler{steps=x}",
    "func.func(canonicalize",
    "any(cse)",
    ""};

namespace {

/// Buffers of a call, with memory for what they say they hold.
class Buffers {
public:
  dit_buffer *add(Choices &choices, const DitTensorInfo *wanted, bool isResult);
  std::vector<dit_buffer *> pointers;
  ~Buffers() {
    for (dit_buffer *buffer : allocatedByCall)
      ditBufferFree(buffer);
  }

private:
  struct One {
    dit_buffer buffer;
    std::vector<int64_t> sizes, strides;
    std::vector<char> data;
  };
  std::vector<std::unique_ptr<One>> owned;
  std::vector<dit_buffer *> allocatedByCall;
};

/// The handles that live, and the calls on them.
class Session {
public:
  explicit Session(Choices &choices) : choices(choices) {}
  ~Session();
  void step();

private:
  void createContext();
  void parse();
  void transform();
  void print();
  void list();
  void compile();
  void invoke();
  void take();

  /// Checks a status, and that `made` is there if and only if it says so.
  bool check(DitStatus status, bool made) {
    if (status != DIT_OK && !*ditGetLastError())
      reportFinding("a call fails without a reason");
    if (made != (status == DIT_OK))
      reportFinding("a call gives something back and fails, or neither");
    return status == DIT_OK;
  }
  void checkText(DitStatus status, DitText &text) {
    check(status, text.data != nullptr);
    ditTextFree(&text);
  }
  /// A live handle, or null once in a while.
  template <typename Handle>
  Handle *pick(const std::vector<Handle *> &handles) {
    if (handles.empty() || choices.once(16))
      return nullptr;
    return handles[choices.below(handles.size())];
  }
  template <typename Handle>
  void drop(std::vector<Handle *> &handles, void (*destroy)(Handle *)) {
    Handle *handle = pick(handles);
    handles.erase(std::remove(handles.begin(), handles.end(), handle),
                  handles.end());
    destroy(handle);
  }
  DitModule *keep(DitStatus status, DitModule *module) {
    if (check(status, module != nullptr))
      modules.push_back(module);
    return module;
  }
  const DitEntryInfo *pickEntry(const DitEntryList *entries) {
    size_t size = entries ? ditEntryListGetSize(entries) : 0;
    return size ? ditEntryListGet(entries, choices.below(size + 1)) : nullptr;
  }

  Choices &choices;
  DitContext *context = nullptr;
  std::vector<DitModule *> modules;
  std::vector<DitProgram *> programs;
};

} // namespace

dit_buffer *Buffers::add(Choices &choices, const DitTensorInfo *wanted,
                         bool isResult) {
  if (choices.once(16)) {
    pointers.push_back(nullptr);
    return nullptr;
  }
  One &one = *owned.emplace_back(std::make_unique<One>());
  dit_buffer &buffer = one.buffer;
  buffer.dtype = wanted && !choices.once(8) ? wanted->dtype
                                            : int32_t(choices.below(20)) - 2;
  buffer.rank =
      wanted && !choices.once(8) ? wanted->rank : int32_t(choices.below(6));
  int64_t count = 1;
  for (int32_t d = 0; d < buffer.rank; ++d) {
    int64_t size = wanted && d < wanted->rank ? wanted->sizes[d] : 1;
    if (size < 0 || choices.once(8))
      size = choices.between(0, 4);
    one.sizes.push_back(size);
    one.strides.push_back(choices.between(0, 3));
    count += size * one.strides.back() + 1;
    count *= std::max<int64_t>(size, 1);
  }
  buffer.sizes = choices.once(32) ? nullptr : one.sizes.data();
  // Without strides the tensor is dense, and smaller than what is there.
  buffer.strides = choices.once(2) ? one.strides.data() : nullptr;
  one.data.resize(count * 16);
  buffer.data = one.data.data();
  if (choices.once(isResult ? 2 : 16)) {
    buffer.data = nullptr;
    if (isResult)
      allocatedByCall.push_back(&buffer);
  }
  pointers.push_back(&buffer);
  return &buffer;
}

Session::~Session() {
  for (DitModule *module : modules)
    ditModuleDestroy(module);
  ditContextDestroy(context);
  // Programs outlive their context.
  for (DitProgram *program : programs)
    ditProgramDestroy(program);
}

static void countDiagnostic(const DitDiagnostic *diagnostic, void *count) {
  if (!diagnostic->message || !diagnostic->file || !diagnostic->location)
    reportFinding("a diagnostic lacks a text");
  // An older caller has no field for it.
  if (count)
    ++*static_cast<unsigned *>(count);
}

void Session::createContext() {
  static unsigned numDiagnostics;
  // As of a caller with a newer header.
  struct {
    DitContextOptions known = DIT_CONTEXT_OPTIONS_INIT;
    char unknown[8] = {};
  } newer;
  DitContextOptions &options = newer.known;
  if (choices.once(2)) {
    options.handler = countDiagnostic;
    options.user_data = &numDiagnostics;
  }
  if (choices.once(4))
    options.remarks = choices.oneOf({".*", "(", ""});
  if (choices.once(8))
    options.num_threads = choices.oneOf({-1, 0, 2, 1 << 30});
  if (choices.once(16))
    options.struct_size =
        choices.oneOf<size_t>({0, 8, 16, sizeof(options), sizeof(newer)});
  newer.unknown[7] = choices.once(16);
  DitContext *made = nullptr;
  check(ditContextCreate(&options, &made), made != nullptr);
  if (context)
    ditContextDestroy(made);
  else
    context = made;
}

void Session::parse() {
  std::string text = kTexts[choices.below(std::size(kTexts))];
  // Bytecode is upstream's to read, which crashes on much that is damaged.
  bool isText = !text.empty() && text[0] != 'M';
  for (int edits = isText && choices.once(4) ? 2 : 0; edits > 0; --edits)
    text[choices.below(text.size())] = static_cast<char>(choices.below(256));
  DitModule *module = nullptr;
  DitStatus status =
      ditModuleParseTrusted(context, text.data(), text.size(),
                            choices.once(2) ? "text.mlir" : nullptr, &module);
  keep(status, module);
}

void Session::transform() {
  DitModule *module = pick(modules), *made = nullptr;
  switch (choices.below(4)) {
  case 0:
    check(ditModuleVerify(module), module);
    return;
  case 1: {
    DitStatus status = ditModuleClone(module, &made);
    keep(status, made);
    return;
  }
  case 2:
    if (ditModuleLink(module, pick(modules)) != DIT_OK && !*ditGetLastError())
      reportFinding("linking fails without a reason");
    return;
  default:
    const char *text = kPipelines[choices.below(std::size(kPipelines))];
    if (ditModuleRunPipeline(module, text) != DIT_OK && !*ditGetLastError())
      reportFinding("a pipeline fails without a reason");
  }
}

void Session::print() {
  DitModule *module = pick(modules), *again = nullptr;
  DitText text = {nullptr, 0};
  if (choices.once(3)) {
    checkText(
        ditModuleReportAttention(
            module, static_cast<DitReportFormat>(choices.below(3)), &text),
        text);
    return;
  }
  DitStatus status;
  bool comesBack = true;
  if (choices.once(2)) {
    status = ditModuleWriteBytecode(module, &text);
  } else {
    DitPrintOptions options = DIT_PRINT_OPTIONS_INIT;
    options.elide_elements = choices.between(-2, 2);
    options.locations = static_cast<int32_t>(choices.between(-1, 3));
    options.generic = static_cast<int32_t>(choices.below(2));
    comesBack = options.elide_elements < 0;
    status = ditModulePrint(module, &options, &text);
  }
  if (check(status, text.data != nullptr) && context && comesBack) {
    // Trusted, or else a process is started to read it first.
    DitStatus parsed =
        ditModuleParseTrusted(context, text.data, text.size, nullptr, &again);
    check(parsed, again != nullptr);
    if (!again)
      reportFinding("a module does not come back: " +
                    std::string(ditGetLastError()) + "\n" + text.data);
    ditModuleDestroy(again);
  }
  ditTextFree(&text);
}

void Session::list() {
  DitEntryList *entries = nullptr;
  check(ditModuleGetEntries(pick(modules), &entries), entries != nullptr);
  if (const DitEntryInfo *entry = pickEntry(entries))
    for (size_t i = 0; i < entry->num_inputs; ++i)
      if (entry->inputs[i]->rank > 0 && !entry->inputs[i]->sizes)
        reportFinding("an input has no extents");
  ditEntryListDestroy(entries);
}

void Session::compile() {
  if (programs.size() > 1)
    return drop(programs, ditProgramDestroy);
  DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
  options.target = choices.oneOf<const char *>(
      {"reference", "reference", "reference", "cpu", "tpu", nullptr});
  options.opt_level = choices.once(8) ? 9 : 0;
  options.keep_llvm_ir = static_cast<int32_t>(choices.below(2));
  if (choices.once(8))
    options.pipeline_options = choices.oneOf({"parallel=false", "x=1", "{"});
  if (choices.once(8))
    options.c_name = choices.oneOf({"f", "not a name", ""});
  const char *names[] = {choices.oneOf({"main", "f", "none"})};
  if (choices.once(3)) {
    options.entries = names;
    options.num_entries = 1;
  }
  DitProgram *program = nullptr;
  DitModule *module = pick(modules);
  if (check(ditModuleCompile(module, &options, &program), program != nullptr))
    programs.push_back(program);
}

void Session::invoke() {
  DitProgram *program = pick(programs);
  const DitEntryInfo *entry =
      program ? pickEntry(ditProgramGetEntries(program)) : nullptr;
  Buffers inputs, results;
  size_t numInputs = entry ? entry->num_inputs : 1;
  size_t numResults = entry ? entry->num_results : 1;
  for (size_t i = 0; i < numInputs; ++i)
    inputs.add(choices, entry ? entry->inputs[i] : nullptr, false);
  for (size_t i = 0; i < numResults; ++i)
    results.add(choices, entry ? entry->results[i] : nullptr, true);
  const char *name = entry && !choices.once(4) ? entry->name : nullptr;
  int64_t size = 0;
  if (choices.once(3) &&
      ditProgramGetWorkspaceSize(program, name, inputs.pointers.data(),
                                 numInputs, &size) != DIT_OK)
    check(DIT_ERROR_INVALID_ARGUMENT, false);
  DitInvokeOptions options = DIT_INVOKE_OPTIONS_INIT;
  if (choices.once(4))
    options.num_threads = choices.oneOf({-1, 1, 2});
  // One more than there are, as far as the call can know.
  inputs.pointers.push_back(nullptr);
  results.pointers.push_back(nullptr);
  numInputs += choices.once(8);
  numResults += choices.once(8);
  DitStatus status =
      ditProgramInvoke(program, name, inputs.pointers.data(), numInputs,
                       results.pointers.data(), numResults, &options);
  if (status != DIT_OK && !*ditGetLastError())
    reportFinding("a call of a program fails without a reason");
}

void Session::take() {
  DitProgram *program = pick(programs);
  if (!program)
    return;
  DitText text = {nullptr, 0};
  auto artifact = static_cast<DitArtifact>(choices.below(6));
  checkText(ditProgramGetArtifact(program, artifact, &text), text);
  if (!ditProgramGetNumParameters(program))
    return;
  ditProgramGetParameter(program, choices.below(3));
  static float weights[3] = {1, 2, 3};
  int64_t size = choices.between(2, 4);
  dit_buffer value{weights, choices.once(4) ? DIT_RT_I32 : DIT_RT_F32, 1, &size,
                   nullptr};
  (void)ditProgramBindParameter(program, choices.once(4) ? "v" : "w", &value);
  (void)ditProgramLoadParameters(program, "no such file");
  (void)ditProgramCheckParameters(program);
}

void Session::step() {
  switch (choices.below(12)) {
  case 0:
  case 1:
    return context ? parse() : createContext();
  case 2:
    return createContext();
  case 3:
    return drop(modules, ditModuleDestroy);
  case 4:
  case 5:
    return transform();
  case 6:
    return print();
  case 7:
    return list();
  case 8:
    return compile();
  case 9:
  case 10:
    return invoke();
  default:
    return take();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Choices choices(llvm::ArrayRef(data, std::min<size_t>(size, 256)));
  Session session(choices);
  // Each step takes a byte at least; none are left after the last.
  for (size_t i = 0, e = std::min<size_t>(size, 24); i < e; ++i)
    session.step();
  return 0;
}
