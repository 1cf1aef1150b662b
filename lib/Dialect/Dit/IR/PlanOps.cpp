//===- PlanOps.cpp - Profiles and plans -----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModeAssembly.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Assembly
//===----------------------------------------------------------------------===//

ParseResult mlir::dit::parseTimesteps(OpAsmParser &parser,
                                      DenseF64ArrayAttr &timesteps) {
  SmallVector<double> values;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parseNumber(parser, values.emplace_back());
      }))
    return failure();
  timesteps = parser.getBuilder().getDenseF64ArrayAttr(values);
  return success();
}

void mlir::dit::printTimesteps(OpAsmPrinter &printer, Operation *,
                               DenseF64ArrayAttr timesteps) {
  printer << "[";
  llvm::interleaveComma(timesteps.asArrayRef(), printer,
                        [&](double value) { printer << formatNumber(value); });
  printer << "]";
}

ParseResult mlir::dit::parseModes(OpAsmParser &parser, ModesAttr &modes) {
  return parseModes(static_cast<AsmParser &>(parser), modes);
}

void mlir::dit::printModes(OpAsmPrinter &printer, Operation *,
                           ModesAttr modes) {
  printModes(printer, modes.getTable());
}

ParseResult mlir::dit::parseMass(OpAsmParser &parser, FloatAttr &mass) {
  double value;
  if (parseNumber(parser, value))
    return failure();
  mass = parser.getBuilder().getF64FloatAttr(value);
  return success();
}

void mlir::dit::printMass(OpAsmPrinter &printer, Operation *, FloatAttr mass) {
  printer << formatNumber(mass.getValueAsDouble());
}

//===----------------------------------------------------------------------===//
// PlanOp and ProfileOp
//===----------------------------------------------------------------------===//

/// Checks what a plan and a profile share.
template <typename TableOp>
static LogicalResult verifyStepTable(TableOp op) {
  // plan_c1
  if (op.getTimesteps().empty() || op.getNumSteps() > kMaxSteps)
    return op.emitOpError() << "expected between 1 and " << kMaxSteps
                            << " timesteps, got " << op.getNumSteps();
  // plan_c2
  for (auto [step, timestep] : llvm::enumerate(op.getTimesteps()))
    if (!std::isfinite(timestep) || timestep < 0)
      return op.emitOpError() << "expected finite timesteps that are not "
                                 "negative, got "
                              << timestep << " at step " << step;
  // plan_c3
  auto isHex = [](char c) { return llvm::isHexDigit(c) && !llvm::isUpper(c); };
  if (std::optional<StringRef> print = op.getFingerprint())
    if (print->size() != 16 || !llvm::all_of(*print, isHex))
      return op.emitOpError() << "expected a fingerprint of 16 hexadecimal "
                                 "digits in lower case, got \""
                              << *print << "\"";
  return success();
}

/// Reports `entry`, whose `key` an entry of the same op has too.
static LogicalResult reportTwice(Operation *entry, Operation *first,
                                 StringRef what) {
  InFlightDiagnostic diag = entry->emitOpError() << what;
  diag.attachNote(first->getLoc()) << "the first one is here";
  return diag;
}

LogicalResult PlanOp::verifyRegions() {
  if (failed(verifyStepTable(*this)))
    return failure();
  llvm::StringMap<Operation *> sites;
  for (Operation &op : getBody().front()) {
    auto planned = dyn_cast<PlannedOp>(op);
    // plan_c4
    if (!planned)
      return op.emitOpError()
             << "expected only " << PlannedOp::getOperationName() << " in a "
             << getOperationName();
    // plan_c5
    auto [entry, isNew] = sites.try_emplace(planned.getSite(), planned);
    if (!isNew)
      return reportTwice(planned, entry->second,
                         "expected one entry for each site");
    // planned_c2
    if (planned.getModes().getTable().getNumSteps() != getNumSteps())
      return planned.emitOpError()
             << "expected modes of the " << getNumSteps()
             << " steps of the plan, got "
             << planned.getModes().getTable().getNumSteps();
  }
  return success();
}

/// What must be unique among the entries of a profile.
static std::string getKey(MeasuredOp op) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << op.getSite() << '\n' << static_cast<int>(op.getMetric());
  if (FloatAttr mass = op.getMassAttr())
    os << '\n' << mass.getValueAsDouble();
  if (ModeAttr mode = op.getModeAttr()) {
    os << '\n';
    printMode(os, mode.getMode());
  }
  return key;
}

LogicalResult ProfileOp::verifyRegions() {
  if (failed(verifyStepTable(*this)))
    return failure();
  llvm::StringMap<Operation *> keys;
  llvm::DenseMap<Attribute, Operation *> trials;
  for (Operation &op : getBody().front()) {
    // profile_c3
    if (auto trial = dyn_cast<TrialOp>(op)) {
      auto [entry, isNew] = trials.try_emplace(trial.getPlanAttr(), trial);
      if (!isNew)
        return reportTwice(trial, entry->second,
                           "expected one trial of each plan");
      continue;
    }
    auto measured = dyn_cast<MeasuredOp>(op);
    // profile_c1
    if (!measured)
      return op.emitOpError()
             << "expected only " << MeasuredOp::getOperationName() << " and "
             << TrialOp::getOperationName() << " in a " << getOperationName();
    // profile_c2
    auto [entry, isNew] = keys.try_emplace(getKey(measured), measured);
    if (!isNew)
      return reportTwice(measured, entry->second,
                         "expected each quantity of a site once");
    // measured_c2
    ShapedType type = measured.getValues().getShapedType();
    if (type.getDimSize(0) != getNumSteps())
      return measured.emitOpError()
             << "expected values of the " << getNumSteps()
             << " steps of the profile, got " << type.getDimSize(0);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// PlannedOp
//===----------------------------------------------------------------------===//

LogicalResult PlannedOp::verify() {
  // planned_c1
  if (getSite().empty())
    return emitOpError() << "expected the name of a site";
  // planned_c3
  if (getKind() == BranchKind::MLP &&
      getCache() == CachePoint::BeforeProjection)
    return emitOpError() << "expected a cache after the projection of an mlp, "
                            "which has none before it";
  ArrayRef<int64_t> tile = getTile().value_or(ArrayRef<int64_t>());
  // planned_c9
  if (getTile() && (tile.size() != 2 || tile[0] < 1 || tile[1] < 1 ||
                    tile[0] > Mode::kMaxWidth || tile[1] > Mode::kMaxWidth))
    return emitOpError() << "expected a tile of two extents between 1 and 2^40";
  // planned_c10
  if (getRounded() && tile.empty())
    return emitOpError() << "expected the tile to which masks are rounded";
  if (std::optional<ModeFault> fault = findBranchFault(
          getModes().getTable(), getKind(), getCache(), getGridAttr(), tile))
    return emitOpError() << fault->describe();
  return success();
}

//===----------------------------------------------------------------------===//
// MeasuredOp
//===----------------------------------------------------------------------===//

/// Whether a quantity is the error of a mode.
static bool isErrorOfMode(Metric metric) {
  return metric == Metric::Rse || metric == Metric::OutputLoss ||
         metric == Metric::SampleError;
}

/// Checks the mode of `op` against its metric and the ages of its values.
static LogicalResult verifyMode(MeasuredOp op) {
  ModeAttr mode = op.getModeAttr();
  // measured_c5
  if (op.getMetric() != Metric::Seconds &&
      isErrorOfMode(op.getMetric()) != static_cast<bool>(mode))
    return op.emitOpError()
           << "expected the mode of an rse, an output_loss or a sample_error, "
              "and of nothing else but seconds";
  // measured_c6
  if (op.getValues().getShapedType().getRank() == 3 &&
      !(mode && mode.getMode().hasSource() && isErrorOfMode(op.getMetric())))
    return op.emitOpError() << "expected ages only of the error of a share or "
                               "of a residual";
  // measured_c7
  if (mode && mode.getMode().source != Mode::kLatest)
    return op.emitOpError()
           << "expected a mode without the step that it takes a value of, got "
              "step "
           << mode.getMode().source << "; its age is a dimension of the values";
  return success();
}

LogicalResult MeasuredOp::verify() {
  auto values = dyn_cast<DenseFPElementsAttr>(getValues());
  // measured_c1
  if (!values || values.getType().getRank() < 1 ||
      values.getType().getRank() > 3 || values.empty())
    return emitOpError() << "expected dense floats for each step, for each "
                            "step and head, or for each step, head and age, "
                            "got "
                         << getValues().getType();
  // measured_c3
  bool isSparsity = getMetric() == Metric::Sparsity;
  int64_t perStep = values.getNumElements() / values.getType().getDimSize(0);
  int64_t ages =
      values.getType().getRank() == 3 ? values.getType().getDimSize(2) : 1;
  for (auto [index, value] : llvm::enumerate(values.getValues<APFloat>())) {
    APFloat one(value.getSemantics(), 1);
    if (value.isFinite() && !value.isNegative() && !(isSparsity && value > one))
      continue;
    SmallString<24> text;
    value.toString(text);
    return emitOpError() << "expected finite values that are not negative"
                         << (isSparsity ? " nor above 1" : "") << ", got "
                         << text << " at step " << index / perStep << ", head "
                         << index % perStep / ages;
  }
  // measured_c4
  FloatAttr mass = getMassAttr();
  if (isSparsity != static_cast<bool>(mass) ||
      (mass &&
       !(mass.getValueAsDouble() > 0.0 && mass.getValueAsDouble() < 1.0)))
    return emitOpError() << "expected the share of the mass, between 0 and 1, "
                            "of a sparsity and of nothing else";
  return verifyMode(*this);
}

//===----------------------------------------------------------------------===//
// TrialOp
//===----------------------------------------------------------------------===//

LogicalResult TrialOp::verify() {
  auto isSound = [](double value) {
    return std::isfinite(value) && value >= 0.0;
  };
  // trial_c1
  if (getErrors().empty())
    return emitOpError() << "expected the error of a sample or more";
  // trial_c2
  for (auto [index, error] : llvm::enumerate(getErrors()))
    if (!isSound(error))
      return emitOpError() << "expected finite errors that are not negative, "
                              "got "
                           << error << " at sample " << index;
  // trial_c3
  if (FloatAttr seconds = getSecondsAttr();
      seconds && !isSound(seconds.getValueAsDouble()))
    return emitOpError()
           << "expected finite seconds that are not negative, got "
           << seconds.getValueAsDouble();
  return success();
}
