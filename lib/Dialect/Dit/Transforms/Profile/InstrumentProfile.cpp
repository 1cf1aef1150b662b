//===- InstrumentProfile.cpp - Programs that measure themselves -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-instrument-profile`. All numbers go into one tensor that
// the step loop carries, at places that are known from the start; the text that
// says what they are is a constant.
//
//===----------------------------------------------------------------------===//

#include "ProfileSite.h"
#include "dit/Dialect/Dit/Plan/ProfileLayout.h"
#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace mlir::dit {
#define GEN_PASS_DEF_INSTRUMENTPROFILEPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct InstrumentProfilePass
    : mlir::dit::impl::InstrumentProfilePassBase<InstrumentProfilePass> {
  using InstrumentProfilePassBase::InstrumentProfilePassBase;

  void runOnOperation() override;

private:
  FailureOr<func::FuncOp> findFunction();
  LogicalResult findSites(func::FuncOp function);
  LogicalResult prepareRequest(func::FuncOp function);
  void measure(RewriterBase &rewriter, func::FuncOp function);
  void addResults(RewriterBase &rewriter, func::FuncOp function);

  ProfileRequest request;
  /// Null in a function that is one step.
  scf::ForOp loop;
  std::vector<ProfileSite> sites;
  Profile profile;
  int64_t numValues = 0;
  Value values;
};

} // namespace

static remark::RemarkOpts remarkOn(func::FuncOp function) {
  return remark::RemarkOpts::name("InstrumentProfile")
      .category("dit-instrument-profile")
      .function(function.getName());
}

/// What of a program can be measured: branches, and attentions outside.
static SmallVector<Operation *> collectOps(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<BranchOp, AttentionOp>(op))
      return WalkResult::advance();
    ops.push_back(op);
    return WalkResult::skip();
  });
  return ops;
}

/// The one function with attentions or branches.
FailureOr<func::FuncOp> InstrumentProfilePass::findFunction() {
  func::FuncOp found;
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    if (collectOps(function).empty())
      continue;
    if (found) {
      auto diagnostic = function.emitError(
          "expected one function with attentions or branches; inline the "
          "model into the sampler (--inline --symbol-dce)");
      diagnostic.attachNote(found.getLoc()) << "another one is here";
      return failure();
    }
    found = function;
  }
  if (!found)
    return mlir::emitError(
        getOperation().getLoc(),
        "expected a function with attentions or branches, got none; "
        "--dit-raise-attention and --dit-outline-branches find them");
  if (!SymbolTable::symbolKnownUseEmpty(found, getOperation()))
    return found.emitError("expected a function that nothing calls: it gets "
                           "more results");
  if (!llvm::hasSingleElement(found.getBody()))
    return found.emitError("expected a function of one block");
  return found;
}

/// Finds the loop over the steps, and what is in it.
LogicalResult InstrumentProfilePass::findSites(func::FuncOp function) {
  SmallVector<Operation *> ops = collectOps(function);
  auto it = llvm::find_if(
      ops, [](Operation *op) { return isa<scf::ForOp>(op->getParentOp()); });
  loop =
      it == ops.end() ? scf::ForOp() : cast<scf::ForOp>((*it)->getParentOp());
  request.steps = 1;
  if (loop) {
    std::optional<APInt> trips = loop.getStaticTripCount();
    if (!trips || trips->getSExtValue() < 1 ||
        trips->getSExtValue() > kMaxSteps)
      return loop.emitError("expected a loop of a constant number of steps");
    if (loop->getParentOp() != function)
      return loop.emitError("expected the loop over the steps directly in the "
                            "function");
    request.steps = trips->getSExtValue();
  }
  Operation *parent = loop ? loop.getOperation() : function.getOperation();
  for (Operation *op : ops) {
    ProfileSite site(op, request);
    std::string obstacle = op->getParentOp() != parent
                               ? "it is not directly in the loop over the steps"
                               : site.getObstacle().str();
    if (obstacle.empty())
      obstacle = site.getMaskObstacle().str();
    if (!obstacle.empty())
      remark::missed(op->getLoc(), remarkOn(function))
          << remark::reason("{0}", obstacle);
    if (op->getParentOp() != parent || !site.getObstacle().empty())
      ++numMissed;
    else
      sites.push_back(std::move(site));
  }
  return success();
}

LogicalResult InstrumentProfilePass::prepareRequest(func::FuncOp function) {
  SmallVector<double> times(timesteps.begin(), timesteps.end());
  if (times.empty())
    times = findTimesteps(function);
  if (times.empty())
    times = getUniformTimesteps(request.steps);
  if (static_cast<int64_t>(times.size()) != request.steps)
    return function.emitError()
           << "expected as many timesteps as the loop has steps, "
           << request.steps << ", got " << times.size();
  for (double time : times)
    if (!std::isfinite(time) || time < 0.0)
      return function.emitError(
          "expected finite timesteps that are not negative");
  profile = Profile(times);
  profile.setFingerprint(SiteList::collect(getOperation()).getFingerprint());
  return success();
}

static Value createZeros(OpBuilder &b, Location loc, RankedTensorType type) {
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  return linalg::FillOp::create(b, loc, zero, empty).getResult(0);
}

/// One tensor of all numbers of all sites.
static Value join(OpBuilder &b, Location loc, ValueRange parts,
                  RankedTensorType type) {
  Value all =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  int64_t offset = 0;
  for (Value part : parts) {
    int64_t size = cast<RankedTensorType>(part.getType()).getDimSize(0);
    all = tensor::InsertSliceOp::create(
        b, loc, part, all, ArrayRef<OpFoldResult>{b.getIndexAttr(offset)},
        ArrayRef<OpFoldResult>{b.getIndexAttr(size)},
        ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
    offset += size;
  }
  return all;
}

void InstrumentProfilePass::measure(RewriterBase &rewriter,
                                    func::FuncOp function) {
  rewriter.setInsertionPoint(loop ? loop.getOperation()
                                  : &function.getBody().front().front());
  Location loc = function.getLoc();
  // The values of each site, then what it keeps of earlier steps. With one
  // tensor for all sites, bufferization would take long.
  SmallVector<Value> inits, parts;
  for (ProfileSite &site : sites) {
    inits.push_back(createZeros(rewriter, loc, site.getValuesType(rewriter)));
    for (RankedTensorType history : site.getHistoryTypes())
      inits.push_back(createZeros(rewriter, loc, history));
  }
  if (!loop) {
    Value step = arith::ConstantIndexOp::create(rewriter, loc, 0);
    for (auto [site, init] : llvm::zip_equal(sites, inits)) {
      ProfileState state{init, step};
      site.emit(rewriter, state, {});
      parts.push_back(state.values);
    }
  } else {
    auto emit = [&](OpBuilder &, Location, ArrayRef<BlockArgument> carried) {
      rewriter.setInsertionPointToStart(loop.getBody());
      Value step = createStep(rewriter, loop);
      SmallVector<Value> yielded;
      for (ProfileSite &site : sites) {
        ProfileState state{carried.front(), step};
        size_t count = site.getHistoryTypes().size();
        SmallVector<Value> history(carried.slice(1, count));
        carried = carried.drop_front(count + 1);
        SmallVector<Value> kept = site.emit(rewriter, state, history);
        yielded.push_back(state.values);
        llvm::append_range(yielded, kept);
      }
      return yielded;
    };
    unsigned result = loop.getNumResults();
    FailureOr<LoopLikeOpInterface> replaced = loop.replaceWithAdditionalYields(
        rewriter, inits, /*replaceInitOperandUsesInLoop=*/false, emit);
    assert(succeeded(replaced) && "a loop takes more values");
    for (ProfileSite &site : sites) {
      parts.push_back((*replaced)->getResult(result));
      result += 1 + site.getHistoryTypes().size();
    }
  }
  rewriter.setInsertionPoint(function.getBody().front().getTerminator());
  values = join(rewriter, loc, parts,
                RankedTensorType::get(numValues, rewriter.getF64Type()));
}

/// A constant of the bytes of `text`.
static Value createText(OpBuilder &b, Location loc, StringRef text) {
  SmallVector<int8_t> bytes(text.begin(), text.end());
  auto type =
      RankedTensorType::get(static_cast<int64_t>(bytes.size()), b.getI8Type());
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
}

void InstrumentProfilePass::addResults(RewriterBase &rewriter,
                                       func::FuncOp function) {
  Operation *end = function.getBody().front().getTerminator();
  rewriter.setInsertionPoint(end);
  Value layout =
      createText(rewriter, function.getLoc(), writeProfileLayout(profile));
  for (auto [value, name] : {std::pair(values, StringRef(kProfileValues)),
                             std::pair(layout, StringRef(kProfileLayout))}) {
    auto attributes = rewriter.getDictionaryAttr(
        rewriter.getNamedAttr("dit.name", rewriter.getStringAttr(name)));
    LogicalResult inserted = function.insertResult(function.getNumResults(),
                                                   value.getType(), attributes);
    assert(succeeded(inserted) && "a function takes another result");
    (void)inserted;
    end->insertOperands(end->getNumOperands(), value);
  }
}

void InstrumentProfilePass::runOnOperation() {
  sites.clear();
  request.masses.assign(masses.begin(), masses.end());
  request.windows.assign(windows.begin(), windows.end());
  request.ages = ages;
  request.queryStride = queryStride;
  FailureOr<func::FuncOp> function = findFunction();
  if (failed(function) || failed(findSites(*function)) ||
      failed(prepareRequest(*function)))
    return signalPassFailure();
  numValues = 0;
  for (ProfileSite &site : sites)
    numValues += site.declare(profile);
  if (numValues == 0) {
    function->emitError("expected a branch or an attention that can be "
                        "measured; the remarks of this pass say why not");
    return signalPassFailure();
  }
  IRRewriter rewriter(&getContext());
  rewriter.setInsertionPointToStart(getOperation().getBody());
  auto clock =
      func::FuncOp::create(rewriter, getOperation().getLoc(), kClockFunction,
                           rewriter.getFunctionType({}, rewriter.getF64Type()));
  clock.setPrivate();
  measure(rewriter, *function);
  addResults(rewriter, *function);
  numSites += sites.size();
}
