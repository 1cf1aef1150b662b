//===- Plan.h - Plans and reports as text -------------------------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a module says about itself, and plans of it, as JSON in memory. The
// formats are those of --dit-import-plan, --dit-export-plan and
// --dit-report-branches. See dit-c/Support.h for the rules that hold
// everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_C_PLAN_H
#define DIT_C_PLAN_H

#include "dit-c/Module.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the residual branches of the module, as --dit-report-branches does.
/// Run it after attentions were raised.
DIT_C_EXPORTED DitStatus ditModuleReportBranches(DitModule *module,
                                                 DitText *json);

typedef enum DitPlanFormat {
  /// A table of modes, which says all that a plan can.
  DIT_PLAN_TABLE = 0,
  /// A PyramidAttentionBroadcastConfig of diffusers.
  DIT_PLAN_DIFFUSERS = 1,
  /// The methods of xDiT, for each block and step.
  DIT_PLAN_XDIT = 2
} DitPlanFormat;

/// Writes the plan `name` of the module; NULL or "" stands for the only one. A
/// plan that `format` cannot say is DIT_ERROR_UNSUPPORTED, and a name that no
/// plan has DIT_ERROR_NOT_FOUND.
DIT_C_EXPORTED DitStatus ditModuleExportPlan(DitModule *module,
                                             const char *name,
                                             DitPlanFormat format,
                                             DitText *json);

typedef enum DitBatchPart {
  DIT_BATCH_UNKNOWN = 0,
  DIT_BATCH_FIRST = 1,
  DIT_BATCH_SECOND = 2
} DitBatchPart;

typedef struct DitPlanImportOptions {
  size_t struct_size;
  /// The symbol of the plan. NULL: "plan".
  const char *name;
  /// What the text is called in diagnostics. NULL: "-".
  const char *file_name;
  /// The timesteps of the sampler, if the text has none, or their number n,
  /// which stands for 1000 (n - i) / n.
  const double *timesteps;
  size_t num_timesteps;
  int64_t steps;
  /// Half-width, in tokens, of the windows of xDiT's methods.
  int64_t window;
  /// A DitBatchPart: the half of the batch that computes for both where xDiT's
  /// methods share it; a plan that does needs it.
  int32_t conditional;
} DitPlanImportOptions;

#define DIT_PLAN_IMPORT_OPTIONS_INIT                                           \
  {sizeof(DitPlanImportOptions), NULL, NULL, NULL, 0, 0, 64, DIT_BATCH_UNKNOWN}

/// Makes a plan of `size` bytes of JSON, whose keys tell the format, for the
/// sites of the module. On an error the module is as it was.
DIT_C_EXPORTED DitStatus
ditModuleImportPlan(DitModule *module, const char *json, size_t size,
                    const DitPlanImportOptions *options);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* DIT_C_PLAN_H */
