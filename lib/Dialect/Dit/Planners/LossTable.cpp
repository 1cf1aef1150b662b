//===- LossTable.cpp - The error of modes, measured -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/LossTable.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::dit;

/// The losses of shares of up to `maxAge` steps. The root of a mean squared
/// difference is a norm, so that over several steps the roots add up at most.
static Measurement getShares(const Measurement &difference, int64_t maxAge) {
  Measurement shares = difference;
  int64_t steps = difference.getNumSteps();
  shares.mode = Mode::share();
  shares.ages = std::max<int64_t>(1, std::min(maxAge, steps - 1));
  shares.values.clear();
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t head = 0; head < difference.heads; ++head) {
      double norm = 0.0;
      for (int64_t age = 1; age <= shares.ages; ++age) {
        if (age <= step)
          norm += std::sqrt(difference.get(step - age + 1, head));
        shares.values.push_back(norm * norm);
      }
    }
  return shares;
}

LossTable::LossTable(const Profile &profile, Metric metric, int64_t maxAge)
    : metric(metric) {
  for (const Measurement &entry : profile.getMeasurements()) {
    if (entry.metric != metric)
      continue;
    if (metric == Metric::StepDifference)
      modesOfSite[entry.site].push_back(getShares(entry, maxAge));
    else if (entry.mode && *entry.mode != Mode::full())
      modesOfSite[entry.site].push_back(entry);
  }
}

ArrayRef<Measurement> LossTable::getModes(StringRef site) const {
  auto modes = modesOfSite.find(site);
  if (modes == modesOfSite.end())
    return {};
  return modes->second;
}

const Measurement *LossTable::lookup(StringRef site, Mode mode) const {
  mode.source = Mode::kLatest;
  ArrayRef<Measurement> modes = getModes(site);
  auto entry = llvm::find_if(
      modes, [&](const Measurement &entry) { return entry.mode == mode; });
  return entry == modes.end() ? nullptr : entry;
}

std::optional<std::vector<double>>
LossTable::getLosses(const BranchPlan &branch, ModeFault *unknown) const {
  ModeTable table = branch.getTable();
  std::vector<double> losses(table.getNumSteps() * branch.heads, 0.0);
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    for (int64_t head = 0; head < branch.heads; ++head) {
      const Mode &mode = table.get(step, head);
      if (mode == Mode::full())
        continue;
      const Measurement *entry = lookup(branch.site, mode);
      int64_t age = mode.hasSource() ? step - mode.source : 1;
      bool isWhole = entry && entry->heads == 1;
      if (!entry || age > entry->ages ||
          (isWhole && !llvm::all_equal(table.getStep(step)))) {
        if (unknown)
          *unknown = {step, head, "not measured"};
        return std::nullopt;
      }
      double loss =
          isWhole ? entry->get(step, 0, age) / static_cast<double>(branch.heads)
                  : entry->get(step, head, age);
      if (mode.hasSource())
        loss += losses[mode.source * branch.heads + head];
      losses[step * branch.heads + head] = loss;
    }
  return losses;
}

void LossTable::weigh(StringRef site, double weight) {
  for (Measurement &entry : modesOfSite[site])
    for (double &value : entry.values)
      value *= weight;
}

std::optional<double> LossTable::predict(const Plan &plan) const {
  double sum = 0.0;
  for (const BranchPlan &branch : plan.getBranches()) {
    std::optional<std::vector<double>> losses = getLosses(branch);
    if (!losses)
      return std::nullopt;
    for (double loss : *losses)
      sum += loss;
  }
  return sum;
}

std::optional<Metric> LossTable::findBestMetric(const Profile &profile) {
  for (Metric metric : {Metric::SampleError, Metric::OutputLoss, Metric::Rse,
                        Metric::StepDifference})
    if (llvm::any_of(profile.getMeasurements(), [&](const Measurement &entry) {
          return entry.metric == metric;
        }))
      return metric;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// ErrorModel
//===----------------------------------------------------------------------===//

namespace {

/// The losses of each site in a run, over the error that it had.
struct TrialRow {
  SmallVector<double> losses;
  double error = 0.0;
};

} // namespace

/// How strongly weights of kinds, and of sites, are held to what they would be
/// without trials of their own.
static constexpr double kKindHold = 0.01;
static constexpr double kSiteHold = 0.1;
/// No weight is less than this part of what it is held to: a trial that does
/// not show a loss is no proof that there is none.
static constexpr double kLeastPart = 0.05;
static constexpr int kSweeps = 200;

/// The weights of groups that come closest to the relative errors of all rows,
/// with a penalty on relative distance from `expected`; by descent along one
/// weight after the other. `groupOf` gives the group of each site.
static SmallVector<double> fitWeights(ArrayRef<TrialRow> rows,
                                      ArrayRef<size_t> groupOf,
                                      ArrayRef<double> expected, double hold) {
  SmallVector<double> weights(expected);
  std::vector<SmallVector<double>> shares;
  for (const TrialRow &row : rows) {
    SmallVector<double> &share =
        shares.emplace_back(SmallVector<double>(expected.size(), 0.0));
    for (auto [site, loss] : llvm::enumerate(row.losses))
      share[groupOf[site]] += loss / row.error;
  }
  for (int sweep = 0; sweep < kSweeps; ++sweep)
    for (size_t group = 0; group < weights.size(); ++group) {
      double stiffness = hold / (expected[group] * expected[group]);
      double force = hold / expected[group];
      for (const SmallVector<double> &share : shares) {
        double missing = 1.0;
        for (size_t other = 0; other < weights.size(); ++other)
          if (other != group)
            missing -= weights[other] * share[other];
        force += share[group] * missing;
        stiffness += share[group] * share[group];
      }
      weights[group] =
          std::max(force / stiffness, kLeastPart * expected[group]);
    }
  return weights;
}

/// The runs under plans whose modes were all measured.
static std::vector<TrialRow>
collectRows(const Profile &profile, const LossTable &table,
            const SiteList &sites, double base,
            llvm::function_ref<std::optional<Plan>(StringRef)> findPlan) {
  std::vector<TrialRow> rows;
  for (const Trial &trial : profile.getTrials()) {
    std::optional<Plan> plan =
        trial.plan.empty() ? std::nullopt : findPlan(trial.plan);
    TrialRow row;
    row.error = trial.getLargestError() - base;
    if (!plan || row.error <= 0.0 || table.predict(*plan).value_or(0.0) <= 0.0)
      continue;
    for (const Site &site : sites.getSites()) {
      double sum = 0.0;
      std::optional<std::vector<double>> losses;
      if (const BranchPlan *branch = plan->lookup(site.name))
        losses = table.getLosses(*branch);
      if (losses)
        sum = std::accumulate(losses->begin(), losses->end(), 0.0);
      row.losses.push_back(sum);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void ErrorModel::weigh(LossTable &table) const {
  for (const auto &weight : weights)
    table.weigh(weight.first(), weight.second);
}

ErrorModel ErrorModel::calibrate(
    const Profile &profile, LossTable &table, const SiteList &sites,
    llvm::function_ref<std::optional<Plan>(StringRef)> findPlan) {
  ErrorModel model;
  if (const Trial *dense = profile.getDenseTrial())
    model.base = dense->getLargestError();
  std::vector<TrialRow> rows =
      collectRows(profile, table, sites, model.base, findPlan);
  model.numTrials = rows.size();
  if (rows.empty())
    return model;
  double logFactor = 0.0;
  for (const TrialRow &row : rows) {
    double loss = 0.0;
    for (double value : row.losses)
      loss += value;
    logFactor += std::log(row.error / loss) / static_cast<double>(rows.size());
  }
  size_t numSites = sites.getSites().size();
  SmallVector<size_t> kindOf, siteOf;
  size_t numKinds = 0;
  for (auto [index, site] : llvm::enumerate(sites.getSites())) {
    kindOf.push_back(static_cast<size_t>(site.kind));
    siteOf.push_back(index);
    numKinds = std::max(numKinds, kindOf.back() + 1);
  }
  SmallVector<double> factors(numKinds, std::exp(logFactor));
  SmallVector<double> ofKinds = fitWeights(rows, kindOf, factors, kKindHold);
  SmallVector<double> expected;
  for (size_t kind : kindOf)
    expected.push_back(ofKinds[kind]);
  SmallVector<double> weights = fitWeights(rows, siteOf, expected, kSiteHold);
  double scale = 0.0;
  for (const TrialRow &row : rows) {
    double predicted = 0.0;
    for (size_t site = 0; site < numSites; ++site)
      predicted += weights[site] * row.losses[site];
    scale = std::max(scale, row.error / predicted);
  }
  for (auto [site, weight] : llvm::zip(sites.getSites(), weights))
    model.weights[site.name] = scale * weight;
  model.weigh(table);
  return model;
}

double mlir::dit::getErrorOfPSNR(double psnr, double peak) {
  return peak * peak * std::pow(10.0, -psnr / 10.0);
}

double mlir::dit::getPSNROfError(double error, double peak) {
  return 10.0 * std::log10(peak * peak / error);
}
