//===- PlanFormats.h - The formats of plan files ----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reader and a writer for each format. Readers report a fault at its place
// and return whether there was none.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_PLAN_PLANFORMATS_H
#define DIT_LIB_DIALECT_DIT_PLAN_PLANFORMATS_H

#include "dit/Dialect/Dit/Plan/PlanFile.h"
#include "dit/Dialect/Dit/Plan/Profile.h"
#include "llvm/Support/JSON.h"

namespace mlir::dit {

/// Whether `root` is a file of diffusers or of xDiT.
bool isDiffusersFile(const llvm::json::Object &root);
bool isXDiTFile(const llvm::json::Object &root);

bool readTable(const PlanFileContext &context, const llvm::json::Object &root,
               PlanFile &file, llvm::json::Path path);
bool readBroadcast(const PlanFileContext &context,
                   const llvm::json::Object &root, PlanFile &file,
                   llvm::json::Path path);
bool readDiffusers(const PlanFileContext &context,
                   const llvm::json::Object &root, PlanFile &file,
                   llvm::json::Path path);
bool readXDiT(const PlanFileContext &context, const llvm::json::Object &root,
              PlanFile &file, llvm::json::Path path);

/// Reads a mode as a table has it; its source stays open if it is not said.
bool readMode(PlanFile &file, const llvm::json::Value &value, Mode &mode,
              llvm::json::Path path);
/// Writes `mode`, whose source goes without saying if it is `latest`.
void writeMode(const Mode &mode, int64_t latest, llvm::json::OStream &json);

/// Writes the fields of `profile` up to its measurements, whose numbers
/// `writeNumbers` writes.
void writeMeasurements(
    const Profile &profile,
    llvm::function_ref<void(const Measurement &)> writeNumbers,
    llvm::json::OStream &json);

llvm::Error writeTable(const Plan &plan, raw_ostream &os);
llvm::Error writeDiffusers(const Plan &plan, raw_ostream &os);
llvm::Error writeXDiT(const Plan &plan, raw_ostream &os);

/// Reads the timesteps of the sampler, from the field `timesteps` if it is
/// there and else from `context`, which must not contradict it.
bool readTimesteps(const PlanFileContext &context,
                   const llvm::json::Object &root, PlanFile &file,
                   SmallVectorImpl<double> &timesteps, llvm::json::Path path);

/// Reports `text` at `path`; a path itself only takes literals. Returns false.
bool report(PlanFile &file, llvm::json::Path path, std::string text);

/// What was reported at `root`, with the text of `file` if it has one.
llvm::Error takeFault(llvm::json::Path::Root &root, PlanFile &file);

/// Keeps `key` as long as the file, since a path only refers to its fields.
inline StringRef keepKey(PlanFile &file, std::string key) {
  return file.keys.emplace_back(std::move(key));
}

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_PLAN_PLANFORMATS_H
