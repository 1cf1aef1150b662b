//===- dit-plugin.cpp - dit for a stock mlir-opt --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The dialects, passes and pipelines of dit as a plugin:
//
//   mlir-opt --load-dialect-plugin=dit-plugin.so
//   --load-pass-plugin=dit-plugin.so
//            --pass-pipeline='builtin.module(dit-to-cpu)' model.mlir
//
// The host must link the same libMLIR.so. It knows its options before it loads
// plugins, so passes are reached by --pass-pipeline and not by flags.
//
//===----------------------------------------------------------------------===//

#include "dit/InitAll.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "dit", DIT_VERSION,
          [](mlir::DialectRegistry *registry) {
            mlir::dit::registerAllDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "dit", DIT_VERSION,
          [] { mlir::dit::registerAllPasses(); }};
}
