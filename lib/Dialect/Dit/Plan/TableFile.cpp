//===- TableFile.cpp - Plans as tables of modes ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The project's own format, which says all that a plan can.
//
//===----------------------------------------------------------------------===//

#include "PlanFormats.h"

#include "dit/Dialect/Dit/Analysis/SiteAnnotations.h"
#include "dit/Support/JsonReader.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads the entries of one file.
class TableReader {
public:
  TableReader(const PlanFileContext &context, PlanFile &file)
      : context(context), file(file) {}

  bool read(const json::Object &root, json::Path path);

private:
  bool readBranch(const json::Value &value, BranchPlan &branch,
                  json::Path path);
  bool readProperties(const json::Object &object, BranchPlan &branch,
                      json::Path path);
  bool readModes(const json::Value &value, BranchPlan &branch, json::Path path);

  const PlanFileContext &context;
  PlanFile &file;
};

} // namespace

bool TableReader::readModes(const json::Value &value, BranchPlan &branch,
                            json::Path path) {
  const json::Array *steps = value.getAsArray();
  if (!steps)
    return report(file, path, "expected array");
  if (static_cast<int64_t>(steps->size()) != file.plan.getNumSteps())
    return report(file, path,
                  llvm::formatv("expected the modes of {0} steps, got {1}",
                                file.plan.getNumSteps(), steps->size()));
  for (auto [step, entry] : llvm::enumerate(*steps)) {
    json::Path place = path.index(step);
    const json::Array *heads = entry.getAsArray();
    if (!heads) {
      Mode mode;
      if (!readMode(file, entry, mode, place))
        return false;
      branch.modes.append(branch.heads, mode);
      continue;
    }
    if (static_cast<int64_t>(heads->size()) != branch.heads)
      return report(file, place,
                    llvm::formatv("expected the modes of {0} heads, got {1}",
                                  branch.heads, heads->size()));
    for (auto [head, one] : llvm::enumerate(*heads))
      if (!readMode(file, one, branch.modes.emplace_back(), place.index(head)))
        return false;
  }
  resolveSources(branch.heads, branch.modes);
  std::optional<ModeFault> fault = branch.findFault();
  return !fault || report(file, path.index(fault->step), fault->describe());
}

bool TableReader::readProperties(const json::Object &object, BranchPlan &branch,
                                 json::Path path) {
  std::string cache = stringifyCachePoint(branch.cache).str();
  if (const json::Value *value = object.get("cache");
      value && !json::fromJSON(*value, cache, path.field("cache")))
    return false;
  std::optional<CachePoint> point = symbolizeCachePoint(cache);
  if (!point ||
      (branch.kind == BranchKind::MLP && point == CachePoint::BeforeProjection))
    return report(file, path.field("cache"),
                  "expected before_projection (of an attention), "
                  "after_projection or after_gate, got '" +
                      cache + "'");
  branch.cache = *point;
  if (const json::Value *value = object.get("grid");
      value &&
      !readGrid(context.context, *value, branch.grid, path.field("grid")))
    return false;
  if (const json::Value *value = object.get("rounded");
      value && !json::fromJSON(*value, branch.rounded, path.field("rounded")))
    return false;
  json::Path place = path.field("tile");
  if (const json::Value *value = object.get("tile")) {
    std::vector<int64_t> tile;
    if (!readIntegers(*value, tile, place))
      return false;
    auto fits = [](int64_t e) { return e > 0 && e <= Mode::kMaxWidth; };
    if (tile.size() != 2 || !llvm::all_of(tile, fits))
      return report(file, place, "expected two extents between 1 and 2^40");
    branch.tile.assign(tile.begin(), tile.end());
  }
  return !branch.rounded || !branch.tile.empty() ||
         report(file, path.field("rounded"),
                "expected the tile to which masks are rounded");
}

bool TableReader::readBranch(const json::Value &value, BranchPlan &branch,
                             json::Path path) {
  const json::Object *object = readObject(value, path);
  if (!object || !hasOnlyKeys(*object,
                              {"site", "kind", "layer", "heads", "cache",
                               "grid", "tile", "rounded", "modes"},
                              path))
    return false;
  const json::Value *name = readField(*object, "site", path);
  if (!name || !readName(*name, branch.site, path.field("site")))
    return false;
  const Site *site = context.sites.lookup(branch.site);
  if (!site)
    return report(file, path.field("site"),
                  Plan::findMismatch(branch, context.sites));
  branch = BranchPlan::getFull(*site, 0);
  std::string kind = stringifyBranchKind(site->kind).str();
  if (const json::Value *field = object->get("kind");
      field && !json::fromJSON(*field, kind, path.field("kind")))
    return false;
  if (kind != stringifyBranchKind(site->kind))
    return report(file, path.field("kind"),
                  llvm::formatv("site '{0}' is of kind {1} in the program, got "
                                "'{2}'",
                                site->name, stringifyBranchKind(site->kind),
                                kind));
  int64_t heads = site->heads;
  if (const json::Value *field = object->get("heads");
      field && !readInteger(*field, heads, path.field("heads")))
    return false;
  if (heads != site->heads)
    return report(file, path.field("heads"),
                  llvm::formatv("site '{0}' has {1} heads in the program, got "
                                "{2}",
                                site->name, site->heads, heads));
  int64_t layer = 0;
  if (const json::Value *field = object->get("layer")) {
    if (!readInteger(*field, layer, path.field("layer")))
      return false;
    branch.layer = layer;
  }
  const json::Value *modes = readField(*object, "modes", path);
  return modes && readProperties(*object, branch, path) &&
         readModes(*modes, branch, path.field("modes"));
}

bool TableReader::read(const json::Object &root, json::Path path) {
  SmallVector<double> timesteps;
  if (!hasOnlyKeys(root, {"timesteps", "fingerprint", "branches"}, path) ||
      !readTimesteps(context, root, file, timesteps, path))
    return false;
  file.plan = Plan(timesteps);
  const json::Array *branches = root.getArray("branches");
  json::Path list = path.field("branches");
  if (!branches)
    return report(file, list, "expected array");
  llvm::StringSet<> seen;
  for (auto [index, value] : llvm::enumerate(*branches)) {
    json::Path place = list.index(index);
    BranchPlan branch;
    if (!readBranch(value, branch, place))
      return false;
    if (!seen.insert(branch.site).second)
      return report(file, place.field("site"),
                    "site '" + branch.site + "' is planned twice");
    file.plan.add(std::move(branch));
  }
  std::string fingerprint = context.sites.getFingerprint();
  if (const json::Value *value = root.get("fingerprint");
      value && !json::fromJSON(*value, fingerprint, path.field("fingerprint")))
    return false;
  file.plan.setFingerprint(fingerprint);
  std::string mismatch = file.plan.findMismatch(context.sites);
  return mismatch.empty() ||
         report(file, path.field("fingerprint"), std::move(mismatch));
}

bool mlir::dit::readTable(const PlanFileContext &context,
                          const json::Object &root, PlanFile &file,
                          json::Path path) {
  return TableReader(context, file).read(root, path);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeModes(const BranchPlan &branch, json::OStream &json) {
  ModeTable table = branch.getTable();
  auto write = [&](int64_t step, int64_t head) {
    const Mode &mode = table.get(step, head);
    writeMode(mode, table.findLatest(step, head, mode), json);
  };
  for (int64_t step = 0; step < table.getNumSteps(); ++step) {
    auto sameSource = [&](int64_t head) {
      const Mode &mode = table.get(step, 0);
      return table.findLatest(step, head, mode) ==
             table.findLatest(step, 0, mode);
    };
    if (llvm::all_equal(table.getStep(step)) &&
        llvm::all_of(llvm::seq(int64_t(0), branch.heads), sameSource)) {
      write(step, 0);
      continue;
    }
    json.array([&] {
      for (int64_t head = 0; head < branch.heads; ++head)
        write(step, head);
    });
  }
}

static void writeBranch(const BranchPlan &branch, json::OStream &json) {
  json.object([&] {
    json.attribute("site", branch.site);
    json.attribute("kind", stringifyBranchKind(branch.kind));
    if (branch.layer)
      json.attribute("layer", *branch.layer);
    json.attribute("heads", branch.heads);
    json.attribute("cache", stringifyCachePoint(branch.cache));
    if (GridAttr grid = branch.grid)
      json.attributeObject("grid", [&] {
        json.attribute("frames", grid.getFrames());
        json.attribute("height", grid.getHeight());
        json.attribute("width", grid.getWidth());
        json.attribute("text", grid.getText());
        json.attribute("text_first", grid.getTextFirst());
      });
    if (!branch.tile.empty())
      json.attribute("tile", json::Array(branch.tile));
    if (branch.rounded)
      json.attribute("rounded", true);
    json.attributeArray("modes", [&] { writeModes(branch, json); });
  });
}

llvm::Error mlir::dit::writeTable(const Plan &plan, raw_ostream &os) {
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("timesteps", json::Array(plan.getTimesteps()));
    if (!plan.getFingerprint().empty())
      json.attribute("fingerprint", plan.getFingerprint());
    json.attributeArray("branches", [&] {
      for (const BranchPlan &branch : plan.getBranches())
        writeBranch(branch, json);
    });
  });
  os << "\n";
  return llvm::Error::success();
}
