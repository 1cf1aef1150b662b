//===- InitAll.h - Registration of everything in dit ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One call for tools and embedders that want all of dit; what is registered
// is explicit, so that a host can also take single parts.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_INITALL_H
#define DIT_INITALL_H

#include "dit/Conversion/NVVMToEmulator.h"
#include "dit/Conversion/Passes.h"
#include "dit/Dialect/Dit/IR/Dit.h"
#include "dit/Dialect/Dit/Planners/Passes.h"
#include "dit/Dialect/Dit/Transforms/BufferizableOpInterfaceImpl.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Dialect/Dit/Transforms/RuntimeOpVerification.h"
#include "dit/Dialect/Dit/Transforms/TilingInterfaceImpl.h"
#include "dit/Pipelines/Pipelines.h"
#include "dit/Target/Passes.h"
#include "mlir/IR/DialectRegistry.h"

namespace mlir::dit {

/// Adds the dialects of dit and the external models of their ops' interfaces.
inline void registerAllDialects(DialectRegistry &registry) {
  registry.insert<DitDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
  registerLaunchEffectsExternalModels(registry);
  registerRuntimeVerifiableOpInterfaceExternalModels(registry);
  registerTilingInterfaceExternalModels(registry);
}

/// Registers the passes and pipelines of dit with the global registry.
inline void registerAllPasses() {
  registerDitConversionPasses();
  registerDitPlannersPasses();
  registerDitTransformsPasses();
  registerDitTargetPasses();
  registerPipelines();
}

} // namespace mlir::dit

#endif // DIT_INITALL_H
