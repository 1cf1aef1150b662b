//===- Lowering.cpp - Lowering for a named target -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Choice of the entry, and the pass manager that takes it to the LLVM dialect.
//
//===----------------------------------------------------------------------===//

#include "dit/Pipelines/Lowering.h"
#include "dit/Target/ModuleFile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::dit;

llvm::Expected<std::string> mlir::dit::chooseEntry(ModuleOp module,
                                                   StringRef entry) {
  SmallVector<StringRef> names;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isDeclaration())
      names.push_back(function.getName());
  if (names.empty())
    return llvm::createStringError("the module has no public function");
  if (entry.empty())
    entry = llvm::is_contained(names, "main") || names.size() > 1
                ? StringRef("main")
                : names.front();
  if (llvm::is_contained(names, entry))
    return entry.str();
  return llvm::createStringError("no function '" + entry +
                                 "' in the module; it has " +
                                 llvm::join(names, ", "));
}

llvm::Error mlir::dit::buildTargetPipeline(OpPassManager &pm, StringRef entries,
                                           StringRef target,
                                           StringRef pipelineOptions) {
  std::string pipeline = ("dit-to-" + target).str();
  if (!PassPipelineInfo::lookup(pipeline))
    return llvm::createStringError("unknown target '" + target +
                                   "': there is no pipeline " + pipeline);
  std::string text = "dit-export-entries{entries=" + entries.str() +
                     "},symbol-dce," + pipeline + "{" + pipelineOptions.str() +
                     "}";
  std::string parseErrors;
  llvm::raw_string_ostream parseErrorStream(parseErrors);
  if (failed(parsePassPipeline(text, pm, parseErrorStream)))
    return llvm::createStringError(
        "bad pipeline options '" + pipelineOptions +
        "': " + StringRef(parseErrors).trim().split('\n').first);
  return llvm::Error::success();
}

llvm::Error mlir::dit::lowerToTarget(ModuleOp module, StringRef entry,
                                     StringRef target,
                                     StringRef pipelineOptions) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  if (llvm::Error error =
          buildTargetPipeline(pm, entry, target, pipelineOptions))
    return error;
  // Passes are tested with the verifier after each; here it would take almost
  // half of the time.
  pm.enableVerifier(false);
  FirstErrorHandler errors(module.getContext());
  if (succeeded(pm.run(module)) && succeeded(verify(module)))
    return llvm::Error::success();
  return llvm::createStringError(
      "lowering for target '" + target + "' failed: " +
      (errors.hasError() ? errors.getText() : StringRef("no reason given")));
}
