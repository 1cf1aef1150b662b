//===- BroadcastFile.cpp - Plans as rules of attention broadcast ----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The short form, a rule for each kind of branch, and the configuration of
// pyramid attention broadcast in diffusers, which has three rules.
//
//===----------------------------------------------------------------------===//

#include "PlanFormats.h"

#include "dit/Dialect/Dit/Plan/Broadcast.h"
#include "dit/Support/JsonReader.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

/// Starts the plan of a file of rules: all branches are full.
static bool startPlan(const PlanFileContext &context, const json::Object &root,
                      PlanFile &file, json::Path path) {
  SmallVector<double> timesteps;
  if (!readTimesteps(context, root, file, timesteps, path))
    return false;
  file.plan = Plan::getFull(context.sites, timesteps);
  return true;
}

/// Reads two timesteps, the lower one first.
static bool readWindow(const json::Value &value, PlanFile &file,
                       BroadcastRule &rule, json::Path path) {
  std::vector<double> bounds;
  if (!json::fromJSON(value, bounds, path))
    return false;
  if (bounds.size() != 2 || !(bounds[0] < bounds[1]))
    return report(file, path, "expected two timesteps, the lower one first");
  rule.lower = bounds[0];
  rule.upper = bounds[1];
  return true;
}

static bool readPeriod(const json::Value &value, PlanFile &file,
                       BroadcastRule &rule, json::Path path) {
  if (!readInteger(value, rule.period, path))
    return false;
  return rule.period > 0 || report(file, path, "expected a positive period");
}

//===----------------------------------------------------------------------===//
// Short form
//===----------------------------------------------------------------------===//

namespace {

/// What one entry of a file of keys says.
struct KeyEntry {
  BroadcastKey key;
  /// The layers that reuse; all if there are none.
  std::vector<int64_t> layers;
  bool covers(const BranchPlan &branch) const {
    return layers.empty() ||
           (branch.layer && llvm::is_contained(layers, *branch.layer));
  }
};

} // namespace

static bool readKey(const json::Value &value, PlanFile &file, KeyEntry &entry,
                    json::Path path) {
  const json::Object *object = readObject(value, path);
  if (!object || !hasOnlyKeys(*object, {"timestep", "skip", "layers"}, path))
    return false;
  const json::Value *timestep = readField(*object, "timestep", path);
  const json::Value *skip =
      timestep ? readField(*object, "skip", path) : nullptr;
  if (!skip ||
      !json::fromJSON(*timestep, entry.key.timestep, path.field("timestep")) ||
      !readInteger(*skip, entry.key.skip, path.field("skip")))
    return false;
  if (entry.key.skip < 0 || entry.key.skip > kMaxSteps)
    return report(file, path.field("skip"), "expected a number of steps");
  const json::Value *layers = object->get("layers");
  return !layers || readIntegers(*layers, entry.layers, path.field("layers"));
}

/// Reads keys and applies them to `branches`.
static bool applyKeys(const json::Value &value, PlanFile &file,
                      ArrayRef<BranchPlan *> branches, json::Path path) {
  const json::Array *array = value.getAsArray();
  if (!array)
    return report(file, path, "expected array");
  ArrayRef<double> timesteps = file.plan.getTimesteps();
  std::vector<KeyEntry> entries(array->size());
  for (auto [index, entry] : llvm::enumerate(entries)) {
    json::Path place = path.index(index);
    if (!readKey((*array)[index], file, entry, place))
      return false;
    for (int64_t layer : entry.layers)
      if (llvm::none_of(branches, [&](const BranchPlan *branch) {
            return branch->layer == layer;
          }))
        return report(
            file, place.field("layers"),
            llvm::formatv("no branch of this kind is of layer {0}", layer));
    if (!entry.key.findStep(timesteps))
      file.warnings.push_back(llvm::formatv(
          "key {0} is no timestep of the sampler and has no effect; the "
          "nearest ones are {1}",
          formatNumber(entry.key.timestep),
          entry.key.describeNearest(timesteps)));
  }
  for (BranchPlan *branch : branches) {
    SmallVector<int64_t> keySteps;
    for (const KeyEntry &entry : entries)
      if (entry.covers(*branch))
        if (std::optional<int64_t> step = entry.key.findStep(timesteps))
          keySteps.push_back(*step);
    for (const KeyEntry &entry : entries)
      if (entry.covers(*branch))
        entry.key.apply(timesteps, keySteps, *branch);
  }
  return true;
}

static bool hasBranch(const PlanFile &file, BranchKind kind) {
  return llvm::any_of(file.plan.getBranches(), [&](const BranchPlan &branch) {
    return branch.kind == kind;
  });
}

/// Reads the rule of the branches of `kind` and applies it.
static bool readKindRule(const json::Value &value, PlanFile &file,
                         BranchKind kind, json::Path path) {
  const json::Object *object = readObject(value, path);
  if (!object ||
      !hasOnlyKeys(*object, {"period", "window", "keys", "cache"}, path))
    return false;
  SmallVector<BranchPlan *> branches;
  for (BranchPlan &branch : file.plan.getBranches())
    if (branch.kind == kind)
      branches.push_back(&branch);
  if (const json::Value *cache = object->get("cache")) {
    std::string name;
    if (!json::fromJSON(*cache, name, path.field("cache")))
      return false;
    std::optional<CachePoint> point = symbolizeCachePoint(name);
    if (!point ||
        (kind == BranchKind::MLP && point == CachePoint::BeforeProjection))
      return report(file, path.field("cache"),
                    "expected before_projection (of an attention), "
                    "after_projection or after_gate, got '" +
                        name + "'");
    for (BranchPlan *branch : branches)
      branch->cache = *point;
  }
  if (const json::Value *keys = object->get("keys")) {
    if (object->get("period") || object->get("window"))
      return report(file, path, "expected either keys, or period and window");
    return applyKeys(*keys, file, branches, path.field("keys"));
  }
  BroadcastRule rule;
  const json::Value *period = readField(*object, "period", path);
  if (!period || !readPeriod(*period, file, rule, path.field("period")))
    return false;
  const json::Value *window = readField(*object, "window", path);
  if (!window || !readWindow(*window, file, rule, path.field("window")))
    return false;
  for (BranchPlan *branch : branches)
    rule.apply(file.plan.getTimesteps(), *branch);
  return true;
}

bool mlir::dit::readBroadcast(const PlanFileContext &context,
                              const json::Object &root, PlanFile &file,
                              json::Path path) {
  if (!hasOnlyKeys(root, {"timesteps", "broadcast"}, path) ||
      !startPlan(context, root, file, path))
    return false;
  json::Path place = path.field("broadcast");
  const json::Object *rules = readObject(*root.get("broadcast"), place);
  if (!rules)
    return false;
  bool hasEffect = false;
  for (const auto &[key, value] : *rules) {
    std::optional<BranchKind> kind = symbolizeBranchKind(StringRef(key));
    if (!kind)
      return report(file, place.field(key),
                    "expected one of the kinds self, full, spatial, temporal, "
                    "cross, joint, mlp");
    if (!readKindRule(value, file, *kind, place.field(key)))
      return false;
    // One set of rules may be for models of several kinds.
    hasEffect |= hasBranch(file, *kind);
    if (!hasBranch(file, *kind))
      file.warnings.push_back(
          llvm::formatv("the program has no branch of the kind {0}, whose rule "
                        "has no effect",
                        StringRef(key)));
  }
  if (!hasEffect && !rules->empty())
    return report(file, place,
                  "the program has no branch of these kinds, so that the plan "
                  "would do nothing");
  return true;
}

//===----------------------------------------------------------------------===//
// Configuration of diffusers
//===----------------------------------------------------------------------===//

namespace {

/// A group of branches that has a rule in diffusers.
struct DiffusersGroup {
  StringRef prefix;
  bool contains(BranchKind kind) const {
    switch (kind) {
    case BranchKind::MLP:
      return false;
    case BranchKind::Temporal:
      return prefix == "temporal";
    case BranchKind::Cross:
      return prefix == "cross";
    default:
      return prefix == "spatial";
    }
  }
  std::string getKey(StringRef field) const {
    return (prefix + "_attention_" + field).str();
  }
};

} // namespace

static constexpr StringRef kRange = "block_skip_range";
static constexpr StringRef kWindow = "timestep_skip_range";
static constexpr StringRef kNames = "block_identifiers";
static constexpr DiffusersGroup kGroups[] = {
    {"spatial"}, {"temporal"}, {"cross"}};

bool mlir::dit::isDiffusersFile(const json::Object &root) {
  return llvm::any_of(kGroups, [&](const DiffusersGroup &group) {
    return root.get(group.getKey(kRange)) || root.get(group.getKey(kWindow)) ||
           root.get(group.getKey(kNames));
  });
}

/// Reads a field that may be missing or null; `value` is null then.
static const json::Value *getSet(const json::Object &root, StringRef key) {
  const json::Value *value = root.get(key);
  return value && value->kind() != json::Value::Null ? value : nullptr;
}

/// Reads the expressions of which a name of a site has to contain one.
static bool readNames(const json::Value &value, PlanFile &file,
                      std::vector<std::string> &names, json::Path path) {
  if (!json::fromJSON(value, names, path))
    return false;
  for (auto [index, name] : llvm::enumerate(names)) {
    std::string error;
    if (!llvm::Regex(name).isValid(error))
      return report(file, path.index(index),
                    "expected a regular expression: " + error);
  }
  return true;
}

/// Applies the rule of `group`, if it has one.
static bool readGroup(const json::Object &root, const DiffusersGroup &group,
                      std::optional<int64_t> defaultPeriod, PlanFile &file,
                      json::Path path) {
  BroadcastRule rule{defaultPeriod.value_or(1), 100.0, 800.0};
  StringRef rangeKey = keepKey(file, group.getKey(kRange));
  StringRef windowKey = keepKey(file, group.getKey(kWindow));
  StringRef namesKey = keepKey(file, group.getKey(kNames));
  if (const json::Value *window = getSet(root, windowKey);
      window && !readWindow(*window, file, rule, path.field(windowKey)))
    return false;
  std::vector<std::string> names;
  if (const json::Value *value = getSet(root, namesKey);
      value && !readNames(*value, file, names, path.field(namesKey)))
    return false;
  const json::Value *range = getSet(root, rangeKey);
  if (range && !readPeriod(*range, file, rule, path.field(rangeKey)))
    return false;
  if (!range && !defaultPeriod)
    return true;
  bool found = false;
  for (BranchPlan &branch : file.plan.getBranches()) {
    bool named = names.empty() || llvm::any_of(names, [&](StringRef name) {
                   return llvm::Regex(name).match(branch.site);
                 });
    if (!group.contains(branch.kind) || !named)
      continue;
    rule.apply(file.plan.getTimesteps(), branch);
    found = true;
  }
  return found || !range ||
         report(
             file, path.field(rangeKey),
             ("the program has no such " + group.prefix + " attention").str());
}

bool mlir::dit::readDiffusers(const PlanFileContext &context,
                              const json::Object &root, PlanFile &file,
                              json::Path path) {
  SmallVector<std::string> known = {"current_timestep_callback"};
  for (const DiffusersGroup &group : kGroups)
    for (StringRef field : {kRange, kWindow, kNames})
      known.push_back(group.getKey(field));
  if (!hasOnlyKeys(root, SmallVector<StringRef>(known.begin(), known.end()),
                   path) ||
      !startPlan(context, json::Object(), file, path))
    return false;
  bool anyRange = llvm::any_of(kGroups, [&](const DiffusersGroup &group) {
    return getSet(root, group.getKey(kRange));
  });
  if (!anyRange)
    file.warnings.push_back("no skip range is given, so that of spatial "
                            "attention is 2, as in diffusers");
  for (const DiffusersGroup &group : kGroups) {
    std::optional<int64_t> period;
    if (!anyRange && group.prefix == "spatial")
      period = 2;
    if (!readGroup(root, group, period, file, path))
      return false;
  }
  return true;
}

/// The steps at which `branch` shares the latest value; none if something else
/// is not full, or it is kept elsewhere than where diffusers keeps it.
static std::optional<SmallVector<bool>>
getSharedSteps(const BranchPlan &branch) {
  ModeTable table = branch.getTable();
  SmallVector<bool> shared;
  for (int64_t step = 0; step < table.getNumSteps(); ++step) {
    auto sharesLatest = [&](int64_t head) {
      return table.get(step, head) ==
             Mode::share(table.findLatest(step, head, Mode::share()));
    };
    bool shares = !table.get(step, 0).computes();
    for (int64_t head = 0; head < branch.heads; ++head)
      if (shares ? !sharesLatest(head) : table.get(step, head) != Mode::full())
        return std::nullopt;
    shared.push_back(shares);
  }
  if (llvm::is_contained(shared, true) &&
      branch.cache != CachePoint::AfterProjection)
    return std::nullopt;
  return shared;
}

/// The rule that all branches of `group` follow.
static llvm::Expected<BroadcastRule> findRule(const Plan &plan,
                                              const DiffusersGroup &group) {
  std::optional<SmallVector<bool>> common;
  for (const BranchPlan &branch : plan.getBranches()) {
    if (!group.contains(branch.kind) &&
        !(branch.kind == BranchKind::MLP && !branch.isFull()))
      continue;
    std::optional<SmallVector<bool>> shared = getSharedSteps(branch);
    if (!shared || branch.kind == BranchKind::MLP)
      return llvm::createStringError(
          "site '" + branch.site +
          "': diffusers only reuses outputs of attentions after the "
          "projection, from the latest step that computed them");
    if (common && common != shared)
      return llvm::createStringError(
          "site '" + branch.site + "': diffusers has one rule for all " +
          group.prefix + " attentions, and others follow another one");
    common = shared;
  }
  if (!common)
    return BroadcastRule();
  std::optional<BroadcastRule> rule =
      BroadcastRule::find(plan.getTimesteps(), *common);
  if (!rule)
    return llvm::createStringError(
        "no period and window give the steps at which " + group.prefix +
        " attentions reuse");
  return *rule;
}

llvm::Error mlir::dit::writeDiffusers(const Plan &plan, raw_ostream &os) {
  SmallVector<BroadcastRule> rules;
  for (const DiffusersGroup &group : kGroups) {
    llvm::Expected<BroadcastRule> rule = findRule(plan, group);
    if (!rule)
      return rule.takeError();
    rules.push_back(*rule);
  }
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    for (auto [group, rule] : llvm::zip_equal(kGroups, rules)) {
      if (rule.period < 2) {
        json.attribute(group.getKey(kRange), nullptr);
        continue;
      }
      json.attribute(group.getKey(kRange), rule.period);
      json.attribute(group.getKey(kWindow),
                     json::Array{rule.lower, rule.upper});
    }
  });
  os << "\n";
  return llvm::Error::success();
}
