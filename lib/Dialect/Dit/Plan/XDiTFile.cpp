//===- XDiTFile.cpp - Plans as methods of xDiT ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// DiTFastAttn (arXiv 2406.08552) as xDiT stores it: `block<i>` of
// self-attention layer i holds the name of a method at each `step<j>`. The
// half-width of the windows and the half of the batch that stands for both are
// not in the file.
//
//===----------------------------------------------------------------------===//

#include "PlanFormats.h"

#include "dit/Support/JsonReader.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

bool mlir::dit::isXDiTFile(const json::Object &root) {
  return root.get("block0");
}

static constexpr StringRef kMethods =
    "FULL_ATTN, RESIDUAL_WINDOW_ATTN, OUTPUT_SHARE, "
    "RESIDUAL_WINDOW_ATTN_CFG_SHARE or FULL_ATTN_CFG_SHARE";

/// The mode of a method, none if it has no such name.
static std::optional<Mode> getMode(const PlanFileContext &context,
                                   StringRef method) {
  Mode window = Mode::window(context.window);
  window.residual = true;
  std::optional<Mode> mode =
      llvm::StringSwitch<std::optional<Mode>>(method)
          .Cases({"FULL_ATTN", "FULL_ATTN_CFG_SHARE"}, Mode::full())
          .Cases({"RESIDUAL_WINDOW_ATTN", "RESIDUAL_WINDOW_ATTN_CFG_SHARE"},
                 window)
          .Case("OUTPUT_SHARE", Mode::share())
          .Default(std::nullopt);
  if (mode && method.ends_with("_CFG_SHARE"))
    mode->part = context.conditional;
  return mode;
}

/// The branches that xDiT compresses: self-attention, in program order.
static bool isCompressed(BranchKind kind) {
  return kind != BranchKind::Cross && kind != BranchKind::MLP;
}

static bool readBlock(const PlanFileContext &context, const json::Object &block,
                      PlanFile &file, BranchPlan &branch, json::Path path) {
  int64_t steps = file.plan.getNumSteps();
  for (int64_t step = 0; step < steps; ++step) {
    StringRef key = keepKey(file, llvm::formatv("step{0}", step));
    const json::Value *value = block.get(key);
    if (!value)
      return report(file, path,
                    llvm::formatv("expected {0} of {1} steps", key, steps));
    json::Path place = path.field(key);
    std::string method;
    if (!json::fromJSON(*value, method, place))
      return false;
    std::optional<Mode> mode = getMode(context, method);
    if (!mode)
      return report(file, place,
                    "expected " + kMethods.str() + ", got '" + method + "'");
    if (StringRef(method).ends_with("CFG_SHARE") &&
        context.conditional == BatchPart::All)
      return report(file, place,
                    "expected to be told which half of the batch is the "
                    "conditional one, which computes for both");
    branch.setStep(step, *mode);
  }
  for (const auto &[key, value] : block) {
    StringRef number = key;
    int64_t step;
    if (!number.consume_front("step") || number.getAsInteger(10, step) ||
        step >= steps)
      return report(file, path.field(key),
                    llvm::formatv("expected step0 to step{0} only", steps - 1));
  }
  resolveSources(branch.heads, branch.modes);
  std::optional<ModeFault> fault = branch.findFault();
  if (!fault)
    return true;
  StringRef key = keepKey(file, llvm::formatv("step{0}", fault->step));
  return report(file, path.field(key), fault->text);
}

bool mlir::dit::readXDiT(const PlanFileContext &context,
                         const json::Object &root, PlanFile &file,
                         json::Path path) {
  SmallVector<double> timesteps;
  if (!readTimesteps(context, json::Object(), file, timesteps, path))
    return false;
  file.plan = Plan(timesteps);
  file.plan.setFingerprint(context.sites.getFingerprint());
  size_t count = 0;
  for (const Site &site : context.sites.getSites()) {
    if (!isCompressed(site.kind))
      continue;
    StringRef key = keepKey(file, llvm::formatv("block{0}", count++));
    json::Path place = path.field(key);
    const json::Object *block = root.getObject(key);
    if (!block)
      return report(file, place,
                    "expected the methods of site '" + site.name + "'");
    BranchPlan branch = BranchPlan::getFull(site, timesteps.size());
    if (!readBlock(context, *block, file, branch, place))
      return false;
    file.plan.add(std::move(branch));
  }
  for (const auto &[key, value] : root) {
    StringRef number = key;
    size_t block;
    if (!number.consume_front("block") || number.getAsInteger(10, block) ||
        block >= count)
      return report(
          file, path.field(key),
          llvm::formatv("the program has {0} self-attentions", count));
  }
  return true;
}

/// The method of `mode`, empty if it is none.
static std::string getMethod(const Mode &mode) {
  std::string name;
  if (mode.kind == ModeKind::Share)
    return "OUTPUT_SHARE";
  if (mode.kind == ModeKind::Full)
    name = "FULL_ATTN";
  else if (mode.kind == ModeKind::Window && mode.residual && !mode.inGrid &&
           !mode.byPlace)
    name = "RESIDUAL_WINDOW_ATTN";
  else
    return "";
  return mode.part == BatchPart::All ? name : name + "_CFG_SHARE";
}

/// What a file of xDiT cannot say of `plan`, empty if it says it all.
static std::string findUnwritable(const Plan &plan) {
  std::optional<int64_t> width;
  std::optional<BatchPart> part;
  for (const BranchPlan &branch : plan.getBranches()) {
    auto where = [&](int64_t step) {
      return llvm::formatv("site '{0}', step {1}: ", branch.site, step).str();
    };
    if (!isCompressed(branch.kind)) {
      if (!branch.isFull())
        return llvm::formatv("site '{0}' of kind {1} is not full, and xDiT "
                             "knows methods of self-attention only",
                             branch.site, stringifyBranchKind(branch.kind));
      continue;
    }
    ModeTable table = branch.getTable();
    for (int64_t step = 0; step < table.getNumSteps(); ++step) {
      const Mode &mode = table.get(step, 0);
      if (!llvm::all_equal(table.getStep(step)))
        return where(step) + "heads have different modes, and a method of xDiT "
                             "is for all";
      if (getMethod(mode).empty())
        return where(step) + "xDiT has no method for this mode";
      if (mode.hasSource() && mode.source != table.findLatest(step, 0, mode))
        return where(step) + "xDiT takes the latest value only";
      if (mode.residual && width.value_or(mode.width[0]) != mode.width[0])
        return where(step) + "xDiT has one half-width for all windows";
      if (mode.residual)
        width = mode.width[0];
      if (mode.part != BatchPart::All && part.value_or(mode.part) != mode.part)
        return where(step) + "xDiT computes the same half of the batch always";
      if (mode.part != BatchPart::All)
        part = mode.part;
    }
  }
  return "";
}

llvm::Error mlir::dit::writeXDiT(const Plan &plan, raw_ostream &os) {
  std::string unwritable = findUnwritable(plan);
  if (!unwritable.empty())
    return llvm::createStringError(unwritable);
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    size_t block = 0;
    for (const BranchPlan &branch : plan.getBranches()) {
      if (!isCompressed(branch.kind))
        continue;
      json.attributeObject(llvm::formatv("block{0}", block++).str(), [&] {
        for (int64_t step = 0; step < plan.getNumSteps(); ++step)
          json.attribute(llvm::formatv("step{0}", step).str(),
                         getMethod(branch.getTable().get(step, 0)));
      });
    }
  });
  os << "\n";
  return llvm::Error::success();
}
