//===- Passes.td - Profiles and planners -------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_PASSES_TD
#define DIT_DIALECT_DIT_PLANNERS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExportProfilePass : Pass<"dit-export-profile", "::mlir::ModuleOp"> {
  let summary = "Write a profile as JSON";
  let description = [{
    Writes a `dit.profile` of the module in the format that `docs/Spec.md`,
    "Profile files", describes. Plans of trials are named, not written; use
    `--dit-export-plan` for them.

    Accepts phases 1 and 2 and changes nothing.

    ```json
    {"timesteps": [750, 500],
     "measured": [
       {"site": "blocks.0.attn1", "metric": "seconds", "values": [0.25, 0.25]}
     ]
    }
    ```
  }];
  let options = [
    Option<"name", "name", "std::string", "\"\"",
           "The profile, if there are several">,
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the profile, - for the standard output">
  ];
}

def ImportProfilePass : Pass<"dit-import-profile", "::mlir::ModuleOp"> {
  let summary = "Read a profile for the sites of a module from JSON";
  let description = [{
    Makes a `dit.profile` from a file in the format that `docs/Spec.md`, "Profile
    files", describes. The sites of its entries are those of the module, so run
    it after raising and naming, and after the plans of its trials were imported.

    A file that is malformed, that holds a number that is not finite, or that
    does not fit the module gives one error at the entry at fault, and no
    profile.

    Accepts and yields phase 1. Numerics do not change.

    ```mlir
    dit.profile @profile timesteps [750, 500] fingerprint "..." {
      dit.measured "blocks.0.attn1" seconds dense<0.25> : tensor<2xf64>
    }
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"", "The file of the profile">,
    Option<"name", "name", "std::string", "\"profile\"",
           "The symbol of the profile">
  ];
  let statistics = [
    Statistic<"numMeasured", "num-measured", "Quantities read">,
    Statistic<"numTrials", "num-trials", "Trials read">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

#endif // DIT_DIALECT_DIT_PLANNERS_PASSES_TD
