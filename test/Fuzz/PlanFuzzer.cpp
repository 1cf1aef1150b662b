//===- PlanFuzzer.cpp - Fuzz target: plan and profile files ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The first byte decides what the rest is, and what the program tells it: a
// plan file in any format, a profile file, or the layout of an instrumented
// program. A plan or a profile that is accepted has to be a valid op, and to
// come back from the op and from the file that is written of it.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"
#include "TextMutator.h"

#include "dit/Dialect/Dit/Plan/PlanFile.h"
#include "dit/Dialect/Dit/Plan/ProfileFile.h"
#include "dit/Dialect/Dit/Plan/ProfileLayout.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"

#include <numeric>

using namespace mlir;
using namespace mlir::dit;

static void registerDialects(DialectRegistry &registry) {
  registry.insert<DitDialect>();
}

/// A branch of each kind.
static SiteList makeSites(MLIRContext *context) {
  auto grid = GridAttr::get(context, 2, 4, 4, /*text=*/3, /*textFirst=*/false);
  std::vector<Site> sites = {{"b.0.self", BranchKind::Self, 0, 4, grid},
                             {"b.0.cross", BranchKind::Cross, 0, 4, {}},
                             {"b.0.mlp", BranchKind::MLP, 0, 1, {}},
                             {"b.1.spatial", BranchKind::Spatial, 1, 2, {}},
                             {"b.1.temporal", BranchKind::Temporal, 1, 2, {}},
                             {"b.2.full", BranchKind::Full, {}, 1, grid}};
  return SiteList(std::move(sites));
}

static PlanFileContext makeContext(MLIRContext *context, uint8_t choice) {
  PlanFileContext result{context, makeSites(context), {}, {}};
  if (choice % 2)
    result.timesteps = {900.0, 600.5, 300.0, 1.0};
  if (choice % 4 > 1)
    result.conditional = BatchPart::First;
  result.window = choice % 8 > 3 ? 2 : 64;
  return result;
}

//===----------------------------------------------------------------------===//
// Plans and profiles
//===----------------------------------------------------------------------===//

static std::string write(const Plan &plan, PlanFormat format) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (llvm::Error error = writePlanFile(plan, format, os)) {
    // A table can say all that a plan can.
    std::string message = llvm::toString(std::move(error));
    if (format == PlanFormat::Table)
      reportFinding("a plan is not written as a table: " + message);
    return "";
  }
  return text;
}

namespace {

struct PlanText {
  using Value = Plan;
  static constexpr llvm::StringLiteral kName = "plan";

  static llvm::Expected<Plan> read(const PlanFileContext &known,
                                   StringRef text) {
    llvm::Expected<PlanFile> file = parsePlanFile(known, text);
    if (!file)
      return file.takeError();
    return std::move(file->plan);
  }
  static std::string write(const Plan &plan) {
    return ::write(plan, PlanFormat::Table);
  }
};

struct ProfileText {
  using Value = Profile;
  static constexpr llvm::StringLiteral kName = "profile";

  static llvm::Expected<Profile> read(const PlanFileContext &known,
                                      StringRef text) {
    return parseProfileFile(
        known.sites, [](StringRef name) { return name == "pab"; }, text);
  }
  static std::string write(const Profile &profile) {
    std::string text;
    llvm::raw_string_ostream os(text);
    writeProfileFile(profile, os);
    return text;
  }
};

} // namespace

/// What is read of a text stays the same as an op and as a file; none if the
/// text is refused.
template <typename Text>
static std::optional<typename Text::Value>
checkText(const PlanFileContext &known, StringRef text) {
  auto value = Text::read(known, text);
  if (!value) {
    llvm::consumeError(value.takeError());
    return std::nullopt;
  }
  std::string name = Text::kName.str(), written = Text::write(*value);
  OpBuilder builder(known.context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module(ModuleOp::create(loc));
  builder.setInsertionPointToStart(module->getBody());
  auto op = value->create(builder, loc, name);
  if (failed(verify(*module)))
    reportFinding("a " + name + " that was read is not valid:\n" + written);
  if (Text::write(Text::Value::get(op)) != written)
    reportFinding("a " + name + " changes in its op:\n" + written);
  auto again = Text::read(known, written);
  if (!again)
    reportFinding("a written " + name + " is not read: " +
                  llvm::toString(again.takeError()) + "\n" + written);
  if (Text::write(*again) != written)
    reportFinding("a " + name + " changes in its file:\n" + written);
  return std::move(*value);
}

static void checkPlan(const PlanFileContext &known, StringRef text) {
  std::optional<Plan> plan = checkText<PlanText>(known, text);
  if (!plan)
    return;
  // Other formats cannot say every plan; what they write must be read.
  for (PlanFormat format : {PlanFormat::Diffusers, PlanFormat::XDiT}) {
    std::string written = write(*plan, format);
    PlanFileContext withSteps = known;
    if (known.timesteps.empty())
      llvm::append_range(withSteps.timesteps, plan->getTimesteps());
    if (written.empty())
      continue;
    if (auto other = parsePlanFile(withSteps, written))
      continue;
    else
      llvm::consumeError(other.takeError());
  }
}

static void checkLayout(const PlanFileContext &known, StringRef text) {
  double values[24];
  std::iota(std::begin(values), std::end(values), 0.0);
  llvm::Expected<std::string> file = fillProfileLayout(text, values);
  if (!file)
    return llvm::consumeError(file.takeError());
  checkText<ProfileText>(known, *file);
}

//===----------------------------------------------------------------------===//
// The target
//===----------------------------------------------------------------------===//

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzContext fuzzContext(registerDialects);
  if (size == 0)
    return -1;
  MLIRContext *context = fuzzContext.get();
  context->loadDialect<DitDialect>();
  PlanFileContext known = makeContext(context, data[0]);
  StringRef text(reinterpret_cast<const char *>(data + 1), size - 1);
  if (!(data[0] & 8))
    checkPlan(known, text);
  else if (!(data[0] & 16))
    checkText<ProfileText>(known, text);
  else
    checkLayout(known, text);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  return mutateText(data, size, maxSize, seed);
}
