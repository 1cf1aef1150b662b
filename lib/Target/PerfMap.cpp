//===- PerfMap.cpp - Names of compiled functions for profilers ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plugin of the linker that lists functions when their addresses are final.
//
//===----------------------------------------------------------------------===//

#include "PerfMap.h"

#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"

using namespace llvm;

static bool isNamedFunction(const jitlink::Symbol &symbol) {
  return symbol.hasName() && symbol.isCallable();
}

/// Calls within a section leave no trace in the object, so that the linker
/// would drop the symbols of private functions.
static Error keepFunctions(jitlink::LinkGraph &graph) {
  for (jitlink::Symbol *symbol : graph.defined_symbols())
    if (isNamedFunction(*symbol))
      symbol->setLive(true);
  return Error::success();
}

static Error appendFunctions(jitlink::LinkGraph &graph) {
  std::error_code code;
  raw_fd_ostream file(
      formatv("/tmp/perf-{0}.map", sys::Process::getProcessId()).str(), code,
      sys::fs::OF_Append);
  if (code)
    return createStringError(code, "the map for perf cannot be written");
  for (jitlink::Symbol *symbol : graph.defined_symbols())
    if (isNamedFunction(*symbol))
      file << formatv("{0:x-} {1:x-} {2}\n", symbol->getAddress().getValue(),
                      symbol->getSize(), *symbol->getName());
  return Error::success();
}

namespace {

class PerfMapPlugin : public orc::ObjectLinkingLayer::Plugin {
public:
  void modifyPassConfig(orc::MaterializationResponsibility &,
                        jitlink::LinkGraph &,
                        jitlink::PassConfiguration &config) override {
    config.PrePrunePasses.push_back(keepFunctions);
    config.PostFixupPasses.push_back(appendFunctions);
  }
  Error notifyFailed(orc::MaterializationResponsibility &) override {
    return Error::success();
  }
  Error notifyRemovingResources(orc::JITDylib &, orc::ResourceKey) override {
    return Error::success();
  }
  void notifyTransferringResources(orc::JITDylib &, orc::ResourceKey,
                                   orc::ResourceKey) override {}
};

} // namespace

void mlir::dit::writePerfMap(orc::LLJIT &jit) {
  if (auto *layer =
          dyn_cast<orc::ObjectLinkingLayer>(&jit.getObjLinkingLayer()))
    layer->addPlugin(std::make_shared<PerfMapPlugin>());
}
