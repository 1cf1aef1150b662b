//===- Profile.cpp - What was measured of a sampler -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Profiles as values, from ops and back, and whether they fit a program.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/Profile.h"
#include "dit/Dialect/Dit/Plan/Plan.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;

double Measurement::getSum(int64_t step, int64_t age) const {
  double sum = 0.0;
  for (int64_t head = 0; head < heads; ++head)
    sum += get(step, head, age);
  return sum;
}

double Trial::getLargestError() const { return *llvm::max_element(errors); }

Measurement Profile::get(MeasuredOp op) {
  Measurement entry;
  entry.site = op.getSite().str();
  entry.metric = op.getMetric();
  if (FloatAttr mass = op.getMassAttr())
    entry.mass = mass.getValueAsDouble();
  if (ModeAttr mode = op.getModeAttr())
    entry.mode = mode.getMode();
  auto values = cast<DenseFPElementsAttr>(op.getValues());
  ArrayRef<int64_t> shape = values.getType().getShape();
  if (shape.size() > 1)
    entry.heads = shape[1];
  if (shape.size() > 2)
    entry.ages = shape[2];
  for (APFloat value : values.getValues<APFloat>()) {
    bool lossy;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    entry.values.push_back(value.convertToDouble());
  }
  return entry;
}

Profile Profile::get(ProfileOp op) {
  Profile profile(op.getTimesteps());
  profile.setFingerprint(op.getFingerprint().value_or(""));
  for (auto measured : op.getBody().getOps<MeasuredOp>())
    profile.add(get(measured));
  for (auto op : op.getBody().getOps<TrialOp>()) {
    Trial trial;
    trial.plan = op.getPlan().value_or("").str();
    trial.errors.assign(op.getErrors().begin(), op.getErrors().end());
    if (FloatAttr seconds = op.getSecondsAttr())
      trial.seconds = seconds.getValueAsDouble();
    profile.add(std::move(trial));
  }
  return profile;
}

static void create(OpBuilder &builder, Location loc, const Measurement &entry) {
  MLIRContext *context = builder.getContext();
  SmallVector<int64_t> shape = {entry.getNumSteps(), entry.heads, entry.ages};
  while (shape.size() > 1 && shape.back() == 1)
    shape.pop_back();
  auto type = RankedTensorType::get(shape, builder.getF64Type());
  MeasuredOp::create(
      builder, loc, builder.getStringAttr(entry.site),
      MetricAttr::get(context, entry.metric),
      entry.mass ? builder.getF64FloatAttr(*entry.mass) : FloatAttr(),
      entry.mode ? ModeAttr::get(context, *entry.mode) : ModeAttr(),
      DenseElementsAttr::get(type, ArrayRef<double>(entry.values)));
}

ProfileOp Profile::create(OpBuilder &builder, Location loc,
                          StringRef name) const {
  OpBuilder::InsertionGuard guard(builder);
  auto op = ProfileOp::create(
      builder, loc, builder.getStringAttr(name),
      /*sym_visibility=*/StringAttr(), builder.getDenseF64ArrayAttr(timesteps),
      fingerprint.empty() ? StringAttr() : builder.getStringAttr(fingerprint));
  builder.createBlock(&op.getBody());
  for (const Measurement &entry : measurements)
    ::create(builder, loc, entry);
  for (const Trial &trial : trials)
    TrialOp::create(
        builder, loc,
        trial.plan.empty()
            ? FlatSymbolRefAttr()
            : FlatSymbolRefAttr::get(builder.getContext(), trial.plan),
        builder.getDenseF64ArrayAttr(trial.errors),
        trial.seconds ? builder.getF64FloatAttr(*trial.seconds) : FloatAttr());
  return op;
}

const Measurement *Profile::lookup(StringRef site, Metric metric,
                                   std::optional<Mode> mode) const {
  auto entry = llvm::find_if(measurements, [&](const Measurement &entry) {
    return entry.metric == metric && entry.mode == mode && entry.site == site;
  });
  return entry == measurements.end() ? nullptr : &*entry;
}

const Trial *Profile::getDenseTrial() const {
  auto trial = llvm::find_if(
      trials, [](const Trial &trial) { return trial.plan.empty(); });
  return trial == trials.end() ? nullptr : &*trial;
}

SmallVector<Mode> Profile::getModes(StringRef site, Metric metric) const {
  SmallVector<Mode> modes;
  for (const Measurement &entry : measurements)
    if (entry.metric == metric && entry.mode && entry.site == site)
      modes.push_back(*entry.mode);
  return modes;
}

/// `width` where `from` tokens are `to` of them; one that keeps a neighbour
/// still does.
static int64_t rescale(int64_t width, int64_t to, int64_t from) {
  if (width <= 0)
    return width;
  double share = static_cast<double>(width) * static_cast<double>(to) /
                 static_cast<double>(from);
  return std::max<int64_t>(
      1, std::llround(std::min(share, static_cast<double>(Mode::kMaxWidth))));
}

/// `mode` on `grid` in place of one of `tokens`.
static Mode rescale(Mode mode, GridAttr grid, ArrayRef<int64_t> tokens) {
  int64_t to[] = {grid.getFrames(), grid.getHeight(), grid.getWidth()};
  int64_t all = 1, allBefore = 1;
  for (auto [axis, extent] : llvm::enumerate(to)) {
    // A branch of a frame or of a place has one of them at any resolution.
    int64_t before = extent == 1 ? 1 : tokens[axis];
    all *= extent;
    allBefore *= before;
    if (mode.inGrid)
      mode.width[axis] = rescale(mode.width[axis], extent, before);
  }
  if (!mode.inGrid)
    mode.width[0] = rescale(mode.width[0], all, allBefore);
  return mode;
}

Profile Profile::getRescaled(ArrayRef<int64_t> tokens,
                             const SiteList &sites) const {
  Profile result(timesteps);
  result.setFingerprint(fingerprint);
  for (Measurement entry : measurements) {
    if (entry.metric == Metric::Seconds)
      continue;
    if (entry.mode && (entry.mode->kind == ModeKind::Window ||
                       entry.mode->kind == ModeKind::Arrow)) {
      const Site *site = sites.lookup(entry.site);
      if (!site || !site->grid)
        continue;
      entry.mode = rescale(*entry.mode, site->grid, tokens);
      // Narrow windows can become one.
      if (result.lookup(entry.site, entry.metric, entry.mode))
        continue;
    }
    result.add(std::move(entry));
  }
  for (Trial trial : trials) {
    trial.seconds.reset();
    result.add(std::move(trial));
  }
  return result;
}

std::string Profile::findMismatch(const Measurement &entry,
                                  const SiteList &sites) {
  const Site *site = sites.lookup(entry.site);
  if (!site) {
    BranchPlan branch;
    branch.site = entry.site;
    return Plan::findMismatch(branch, sites);
  }
  if (entry.heads != 1 && entry.heads != site->heads)
    return llvm::formatv("site '{0}' has {1} heads in the program, got values "
                         "of {2}",
                         entry.site, site->heads, entry.heads);
  return "";
}

std::string Profile::findMismatch(const SiteList &sites) const {
  if (fingerprint.empty() || fingerprint == sites.getFingerprint())
    return "";
  return llvm::formatv("it is of a program whose sites have the fingerprint "
                       "{0}, and those of this one have {1}",
                       fingerprint, sites.getFingerprint());
}
