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
