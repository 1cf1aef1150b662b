//===- ProfileFile.h - Profiles in JSON -------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes the files that `docs/Spec.md` describes under "Profile
// files".
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_PROFILEFILE_H
#define DIT_DIALECT_DIT_PLAN_PROFILEFILE_H

#include "dit/Dialect/Dit/Plan/Profile.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace mlir::dit {

/// Reads the text of a file. The profile keeps the constraints of the op and
/// fits `sites`; the plans of its trials are those that `isPlan` knows.
llvm::Expected<Profile>
parseProfileFile(const SiteList &sites,
                 llvm::function_ref<bool(StringRef)> isPlan, StringRef text);

void writeProfileFile(const Profile &profile, raw_ostream &os);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_PROFILEFILE_H
