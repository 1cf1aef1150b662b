//===- Module.cpp - Modules for Python ------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading, transforming, writing, reporting and compiling.
//
//===----------------------------------------------------------------------===//

#include "Module.h"

#include "dit-c/Plan.h"

namespace dit_python {

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
                                      std::optional<std::string> remarks,
                                      bool trusted) {
  auto context = getContext(sibling ? &sibling->context : nullptr, remarks);
  DitModule *module = nullptr;
  context->call([&, bytes = data.c_str(), size = data.size()] {
    return (trusted ? ditModuleParseTrusted : ditModuleParse)(
        context->get(), bytes, size, name.c_str(), &module);
  });
  return std::make_unique<Module>(std::move(context), module);
}

std::unique_ptr<Module> Module::parseFile(const std::string &path,
                                          const Module *sibling,
                                          std::optional<std::string> remarks,
                                          bool trusted) {
  auto context = getContext(sibling ? &sibling->context : nullptr, remarks);
  DitModule *module = nullptr;
  context->call([&] {
    return (trusted ? ditModuleParseFileTrusted : ditModuleParseFile)(
        context->get(), path.c_str(), &module);
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

nb::bytes Module::reportAttention(bool json) {
  return getText([&](DitText *text) {
    return ditModuleReportAttention(
        module, json ? DIT_REPORT_JSON : DIT_REPORT_TEXT, text);
  });
}

nb::bytes Module::reportBranches() {
  return getText(
      [&](DitText *text) { return ditModuleReportBranches(module, text); });
}

nb::bytes Module::exportPlan(const std::string &name, int format) {
  return getText([&](DitText *text) {
    return ditModuleExportPlan(module, name.c_str(),
                               static_cast<DitPlanFormat>(format), text);
  });
}

nb::tuple Module::importPlan(const std::string &json,
                             const std::string &fileName,
                             const std::string &name,
                             const std::vector<double> &timesteps,
                             int64_t steps, int64_t window, int conditional) {
  DitPlanImportOptions options = DIT_PLAN_IMPORT_OPTIONS_INIT;
  options.name = name.c_str();
  options.file_name = fileName.c_str();
  options.timesteps = timesteps.data();
  options.num_timesteps = timesteps.size();
  options.steps = steps;
  options.window = window;
  options.conditional = conditional;
  return toPython(context->call([&] {
    return ditModuleImportPlan(module, json.data(), json.size(), &options);
  }));
}

nb::list Module::getEntries() {
  DitEntryList *entries = nullptr;
  context->call([&] { return ditModuleGetEntries(module, &entries); });
  nb::list result = toPython(entries);
  ditEntryListDestroy(entries);
  return result;
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

} // namespace dit_python
