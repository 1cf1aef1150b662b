//===- Plan.cpp - Plans and reports of the C API --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What passes write to files, as text in memory.
//
//===----------------------------------------------------------------------===//

#include "dit-c/Plan.h"
#include "Internal.h"
#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "dit/Dialect/Dit/Analysis/ResidualBranches.h"
#include "dit/Dialect/Dit/Plan/ModulePlans.h"

#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

/// The JSON that an analysis writes, with a newline at its end.
template <typename Analysis>
static std::string getJSON(const Analysis &analysis) {
  std::string text;
  llvm::raw_string_ostream os(text);
  {
    llvm::json::OStream json(os, /*IndentSize=*/1);
    analysis.writeJSON(json);
  }
  os << '\n';
  return text;
}

DitStatus ditModuleReportAttention(DitModule *module, DitReportFormat format,
                                   DitText *report) {
  if (!module || !report)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleReportAttention: module or report is NULL");
  *report = DitText();
  if (format != DIT_REPORT_JSON && format != DIT_REPORT_TEXT)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleReportAttention: no format " +
                          llvm::Twine(static_cast<int>(format)));
  capi::ContextCall call(*module->owner);
  AttentionCostAnalysis analysis(*module->module);
  if (format == DIT_REPORT_JSON)
    return capi::returnText(getJSON(analysis), report);
  std::string text;
  llvm::raw_string_ostream os(text);
  analysis.print(os);
  return capi::returnText(text, report);
}

DitStatus ditModuleReportBranches(DitModule *module, DitText *json) {
  if (!module || !json)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleReportBranches: module or json is NULL");
  *json = DitText();
  capi::ContextCall call(*module->owner);
  return capi::returnText(getJSON(ResidualBranchAnalysis(*module->module)),
                          json);
}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

static std::optional<PlanFormat> convertFormat(DitPlanFormat format) {
  switch (format) {
  case DIT_PLAN_TABLE:
    return PlanFormat::Table;
  case DIT_PLAN_DIFFUSERS:
    return PlanFormat::Diffusers;
  case DIT_PLAN_XDIT:
    return PlanFormat::XDiT;
  }
  return std::nullopt;
}

DitStatus ditModuleExportPlan(DitModule *module, const char *name,
                              DitPlanFormat format, DitText *json) {
  if (!module || !json)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleExportPlan: module or json is NULL");
  *json = DitText();
  std::optional<PlanFormat> converted = convertFormat(format);
  if (!converted)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleExportPlan: no format " +
                          llvm::Twine(static_cast<int>(format)));
  capi::ContextCall call(*module->owner);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (failed(exportPlan(*module->module, name ? name : "", *converted, os)))
    return call.fail(DIT_ERROR_INVALID_ARGUMENT, "the plan cannot be written");
  return capi::returnText(text, json);
}

static std::optional<BatchPart> convertBatchPart(int32_t part) {
  switch (part) {
  case DIT_BATCH_UNKNOWN:
    return BatchPart::All;
  case DIT_BATCH_FIRST:
    return BatchPart::First;
  case DIT_BATCH_SECOND:
    return BatchPart::Second;
  default:
    return std::nullopt;
  }
}

DitStatus ditModuleImportPlan(DitModule *module, const char *json, size_t size,
                              const DitPlanImportOptions *options) {
  if (!module || (!json && size > 0))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleImportPlan: module or json is NULL");
  DitPlanImportOptions read = DIT_PLAN_IMPORT_OPTIONS_INIT;
  if (DitStatus status = capi::readOptions(options, read))
    return status;
  if (!read.timesteps && read.num_timesteps > 0)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleImportPlan: timesteps is NULL");
  std::optional<BatchPart> conditional = convertBatchPart(read.conditional);
  if (!conditional)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleImportPlan: no half of the batch " +
                          llvm::Twine(read.conditional));
  PlanImportOptions converted;
  if (read.name)
    converted.name = read.name;
  if (read.file_name)
    converted.fileName = read.file_name;
  converted.timesteps = ArrayRef(read.timesteps, read.num_timesteps);
  converted.steps = read.steps;
  converted.window = read.window;
  converted.conditional = *conditional;
  capi::ContextCall call(*module->owner);
  if (failed(importPlan(*module->module, StringRef(json, size), converted)))
    return call.fail(DIT_ERROR_INVALID_ARGUMENT, "the plan cannot be read");
  return DIT_OK;
}
