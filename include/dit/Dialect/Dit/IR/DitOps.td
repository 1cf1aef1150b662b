//===- DitOps.td - Ops of dit ------------------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITOPS_TD
#define DIT_DIALECT_DIT_IR_DITOPS_TD

include "dit/Dialect/Dit/IR/DitAttentionOps.td"
include "dit/Dialect/Dit/IR/DitBranchOps.td"
include "dit/Dialect/Dit/IR/DitMaskOps.td"
include "dit/Dialect/Dit/IR/DitPlanOps.td"
include "dit/Dialect/Dit/IR/DitReuseOps.td"
include "dit/Dialect/Dit/IR/DitTokenOps.td"

#endif // DIT_DIALECT_DIT_IR_DITOPS_TD
