//===- PlanFile.cpp - Plans in JSON ---------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tells the formats apart, and what all of them share.
//
//===----------------------------------------------------------------------===//

#include "PlanFormats.h"

#include "dit/Support/JsonReader.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

/// What a path reports for a fault whose text stands in the file.
static constexpr llvm::StringLiteral kFault("fault");

bool mlir::dit::report(PlanFile &file, json::Path path, std::string text) {
  file.fault = std::move(text);
  path.report(kFault);
  return false;
}

/// Whether there are modes for so many heads at so many steps.
static bool checkNumModes(const PlanFileContext &context, int64_t steps,
                          PlanFile &file, json::Path path) {
  for (const Site &site : context.sites.getSites()) {
    if (site.heads > kMaxHeads)
      return report(file, path,
                    llvm::formatv("a plan is for at most {0} heads, and site "
                                  "'{1}' has {2}",
                                  kMaxHeads, site.name, site.heads));
    if (site.heads * steps > kMaxModesOfBranch)
      return report(file, path,
                    llvm::formatv("a plan holds at most {0} modes of a branch, "
                                  "and site '{1}' has {2} heads at {3} steps",
                                  kMaxModesOfBranch, site.name, site.heads,
                                  steps));
  }
  return true;
}

bool mlir::dit::readTimesteps(const PlanFileContext &context,
                              const json::Object &root, PlanFile &file,
                              SmallVectorImpl<double> &timesteps,
                              json::Path path) {
  const json::Value *value = root.get("timesteps");
  if (!value) {
    llvm::append_range(timesteps, context.timesteps.empty()
                                      ? context.defaultTimesteps
                                      : context.timesteps);
    if (timesteps.empty())
      return report(file, path,
                    "expected the timesteps of the sampler, in the file or as "
                    "an option");
    return checkNumModes(context, timesteps.size(), file, path);
  }
  json::Path place = path.field("timesteps");
  std::vector<double> values;
  if (!json::fromJSON(*value, values, place))
    return false;
  if (values.empty() || values.size() > kMaxSteps)
    return report(file, place,
                  llvm::formatv("expected between 1 and {0} timesteps, got {1}",
                                kMaxSteps, values.size()));
  for (auto [step, timestep] : llvm::enumerate(values))
    if (!std::isfinite(timestep) || timestep < 0)
      return report(file, place.index(step),
                    "expected a finite timestep that is not negative");
  if (!context.timesteps.empty() &&
      ArrayRef<double>(context.timesteps) != ArrayRef<double>(values))
    return report(file, place,
                  llvm::formatv("the plan is for other timesteps, {0} of them, "
                                "than the {1} that were asked for",
                                values.size(), context.timesteps.size()));
  // A zero has no sign in the text that is written of it.
  for (double timestep : values)
    timesteps.push_back(timestep + 0.0);
  return checkNumModes(context, timesteps.size(), file, path);
}

/// Reads the format that the keys of `root` tell.
static bool readAny(const PlanFileContext &context, const json::Value &value,
                    PlanFile &file, json::Path path) {
  const json::Object *root = readObject(value, path);
  if (!root)
    return false;
  if (root->get("branches"))
    return readTable(context, *root, file, path);
  if (root->get("broadcast"))
    return readBroadcast(context, *root, file, path);
  if (isDiffusersFile(*root))
    return readDiffusers(context, *root, file, path);
  if (isXDiTFile(*root))
    return readXDiT(context, *root, file, path);
  return report(
      file, path,
      "expected the key \"branches\" of a table of modes, "
      "\"broadcast\" of rules, \"spatial_attention_block_skip_range\" "
      "or another one of diffusers, or \"block0\" of xDiT");
}

llvm::Error mlir::dit::takeFault(json::Path::Root &root, PlanFile &file) {
  std::string error = llvm::toString(root.getError());
  StringRef rest = error;
  if (rest.consume_front(kFault))
    error = file.fault + rest.str();
  return llvm::createStringError(error);
}

llvm::Expected<PlanFile>
mlir::dit::parsePlanFile(const PlanFileContext &context, StringRef text) {
  llvm::Expected<json::Value> value = parseJson(text);
  if (!value)
    return value.takeError();
  json::Path::Root root("plan");
  PlanFile file;
  if (readAny(context, *value, file, root))
    return file;
  return takeFault(root, file);
}

llvm::Error mlir::dit::writePlanFile(const Plan &plan, PlanFormat format,
                                     raw_ostream &os) {
  switch (format) {
  case PlanFormat::Table:
    return writeTable(plan, os);
  case PlanFormat::Diffusers:
    return writeDiffusers(plan, os);
  case PlanFormat::XDiT:
    return writeXDiT(plan, os);
  }
  llvm_unreachable("all formats are listed");
}
