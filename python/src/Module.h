//===- Module.h - Modules for Python ----------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Modules of the C API, each with a context that keeps what was reported.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PYTHON_SRC_MODULE_H
#define DIT_PYTHON_SRC_MODULE_H

#include "Errors.h"
#include "Program.h"

#include <mutex>

namespace dit_python {

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

class Module {
public:
  Module(std::shared_ptr<Context> context, DitModule *module)
      : context(std::move(context)), module(module) {}
  Module(const Module &) = delete;
  ~Module() { ditModuleDestroy(module); }

  static std::unique_ptr<Module> parse(nb::bytes data, const std::string &name,
                                       const Module *sibling,
                                       std::optional<std::string> remarks,
                                       bool trusted);
  static std::unique_ptr<Module> parseFile(const std::string &path,
                                           const Module *sibling,
                                           std::optional<std::string> remarks,
                                           bool trusted);
  std::unique_ptr<Module> clone();
  nb::tuple run(const std::string &pipeline);
  void link(Module &library);
  void verify();
  nb::bytes print(int64_t elideElements, int locations, bool generic);
  nb::bytes writeBytecode();
  nb::bytes reportAttention(bool json);
  nb::bytes reportBranches();
  nb::bytes exportPlan(const std::string &name, int format);
  nb::tuple importPlan(const std::string &json, const std::string &fileName,
                       const std::string &name,
                       const std::vector<double> &timesteps, int64_t steps,
                       int64_t window, int conditional);
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

} // namespace dit_python

#endif // DIT_PYTHON_SRC_MODULE_H
