//===- OutlineBranches.cpp - Branches as ops ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-outline-branches`. What a stage needs is the slice back
// from what it yields to what the stage before yields; the analysis has found
// which ops run for the branch alone.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/OutlineBranches.h"
#include "dit/Dialect/Dit/Analysis/OpInputs.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::dit {
#define GEN_PASS_DEF_OUTLINEBRANCHESPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

static constexpr unsigned kAttend =
    static_cast<unsigned>(CachePoint::BeforeProjection);
static constexpr unsigned kProject =
    static_cast<unsigned>(CachePoint::AfterProjection);
static constexpr unsigned kGate = static_cast<unsigned>(CachePoint::AfterGate);

static bool isBefore(Operation *lhs, Operation *rhs) {
  return lhs->isBeforeInBlock(rhs);
}

//===----------------------------------------------------------------------===//
// BranchStages
//===----------------------------------------------------------------------===//

/// Whether a stage may have a copy of `op` of its own.
static bool isFree(Operation *op) {
  return isa<tensor::EmptyOp, linalg::FillOp>(op) ||
         op->hasTrait<OpTrait::ConstantLike>();
}

/// The ops of `members` from `values` back to `stop`, in program order.
static SmallVector<Operation *> getSlice(ArrayRef<Value> values,
                                         ArrayRef<Value> stop,
                                         const DenseSet<Operation *> &members) {
  SetVector<Operation *> slice;
  SmallVector<Value> worklist(values);
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!op || llvm::is_contained(stop, value) || !members.contains(op) ||
        !slice.insert(op))
      continue;
    llvm::append_range(worklist, getInputs(op));
  }
  SmallVector<Operation *> sorted = slice.takeVector();
  llvm::sort(sorted, isBefore);
  return sorted;
}

bool BranchStages::split(DenseSet<Operation *> &members) {
  ArrayRef<Value> before;
  DenseSet<Operation *> seen;
  SmallVector<Value> shared;
  for (unsigned stage = 0; stage < kNumStages; ++stage) {
    ops[stage] = getSlice(yielded[stage], before, members);
    before = yielded[stage];
    for (Operation *op : ops[stage])
      if (!isFree(op) && !seen.insert(op).second)
        llvm::append_range(shared, op->getResults());
  }
  for (Operation *op : getSlice(shared, {}, members))
    members.erase(op);
  return !shared.empty();
}

void BranchStages::collect(const ResidualBranch &branch) {
  DenseSet<Operation *> members(branch.ops.begin(), branch.ops.end());
  while (split(members)) {
  }
}

BranchStages::BranchStages(const ResidualBranch &branch) {
  DenseSet<Operation *> members(branch.ops.begin(), branch.ops.end());
  if (branch.attention) {
    if (!members.contains(branch.attention)) {
      obstacle = "its attention is used elsewhere too";
      return;
    }
    for (Value result : branch.attention->getResults())
      if (!result.use_empty())
        yielded[kAttend].push_back(result);
  }
  for (const BranchJoin &join : branch.joins) {
    if (!join.added.getDefiningOp() ||
        !members.contains(join.added.getDefiningOp())) {
      obstacle = "what it adds is used elsewhere too";
      return;
    }
    yielded[kProject].push_back(join.ungated);
    yielded[kGate].push_back(join.added);
  }
  collect(branch);
  AttentionOp attention = branch.attention;
  auto isWhole = [&] {
    return attention ? llvm::is_contained(ops[kAttend], attention)
                     : !ops[kProject].empty();
  };
  if (isWhole())
    return;
  // The gate needs something of the branch: there is no point before it.
  yielded[kProject] = yielded[kGate];
  collect(branch);
  if (!isWhole())
    obstacle = "its stages need values of each other";
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// Moves what `stages` read and `anchor` comes before, with what that needs, to
/// `anchor`.
static LogicalResult moveInputs(RewriterBase &rewriter,
                                const BranchStages &stages, Operation *anchor) {
  DenseSet<Operation *> inside;
  SmallVector<Value> worklist;
  for (unsigned stage = 0; stage < BranchStages::kNumStages; ++stage)
    inside.insert_range(stages.getOps(stage));
  for (Operation *op : inside)
    llvm::append_range(worklist, getInputs(op));
  SetVector<Operation *> late;
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (!op || op->getBlock() != anchor->getBlock() || inside.contains(op) ||
        isBefore(op, anchor))
      continue;
    // An addition of the branch, or what only comes after it.
    if (op == anchor || !isMemoryEffectFree(op))
      return failure();
    if (late.insert(op))
      llvm::append_range(worklist, getInputs(op));
  }
  SmallVector<Operation *> sorted = late.takeVector();
  llvm::sort(sorted, isBefore);
  for (Operation *op : sorted)
    rewriter.moveOpBefore(op, anchor);
  return success();
}

/// Fills `region` with the ops of a stage.
static void buildStage(RewriterBase &rewriter, Region &region,
                       const BranchStages &stages, unsigned stage,
                       ArrayRef<Value> before) {
  SmallVector<Location> locations =
      llvm::map_to_vector(before, [](Value value) { return value.getLoc(); });
  Block *body = rewriter.createBlock(&region, {}, ValueRange(before).getTypes(),
                                     locations);
  IRMapping copies;
  for (auto [value, argument] : llvm::zip_equal(before, body->getArguments()))
    copies.map(value, argument);
  for (Operation *op : stages.getOps(stage))
    copies.map(op, rewriter.clone(*op, copies));
  SmallVector<Value> values =
      llvm::map_to_vector(stages.getYielded(stage), [&](Value value) {
        return copies.lookupOrDefault(value);
      });
  YieldOp::create(rewriter, region.getLoc(), values);
}

/// Whether `stage` yields what it takes.
static bool isIdentity(const BranchStages &stages, unsigned stage) {
  return stage > 0 && stages.getOps(stage).empty() &&
         stages.getYielded(stage) == stages.getYielded(stage - 1);
}

FailureOr<BranchOp> mlir::dit::outlineBranch(RewriterBase &rewriter,
                                             const ResidualBranch &branch,
                                             const BranchStages &stages,
                                             StringRef site, int64_t layer) {
  assert(stages.getObstacle().empty() && "cannot be outlined");
  OpBuilder::InsertionGuard guard(rewriter);
  Operation *anchor =
      llvm::min_element(branch.joins, [](const BranchJoin &lhs,
                                         const BranchJoin &rhs) {
        return isBefore(lhs.addition, rhs.addition);
      })->addition;
  if (failed(moveInputs(rewriter, stages, anchor)))
    return failure();
  AttentionOp attention = branch.attention;
  int64_t heads = attention ? attention.getNumQueryHeads() : 1;
  SmallVector<Value> streams, added;
  for (const BranchJoin &join : branch.joins) {
    streams.push_back(join.stream);
    added.push_back(join.added);
  }
  rewriter.setInsertionPoint(anchor);
  auto op = BranchOp::create(
      rewriter, anchor->getLoc(), ValueRange(added).getTypes(),
      rewriter.getStringAttr(site),
      BranchKindAttr::get(rewriter.getContext(), branch.kind),
      rewriter.getI64IntegerAttr(layer),
      // Heads that only run time knows can only have one mode.
      rewriter.getI64IntegerAttr(ShapedType::isDynamic(heads) ? 1 : heads),
      streams);
  ArrayRef<Value> before;
  for (unsigned stage = 0; stage < BranchStages::kNumStages; ++stage) {
    bool isMissing = stage == kAttend ? !attention : isIdentity(stages, stage);
    if (isMissing)
      continue;
    buildStage(rewriter, op->getRegion(stage), stages, stage, before);
    before = stages.getYielded(stage);
  }
  for (auto [join, result] : llvm::zip_equal(branch.joins, op->getResults()))
    rewriter.replaceUsesWithIf(join.added, result, [&](OpOperand &use) {
      return use.getOwner()->getBlock() == anchor->getBlock();
    });
  // The copies in the stages took over.
  for (Operation *old : llvm::reverse(branch.ops))
    if (old->use_empty())
      rewriter.eraseOp(old);
  return op;
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

static remark::RemarkOpts remarkOn(Operation *op) {
  StringRef function;
  if (auto parent = op->getParentOfType<FunctionOpInterface>())
    function = parent.getName();
  return remark::RemarkOpts::name("OutlineBranches")
      .category("dit-outline-branches")
      .function(function);
}

/// The attention of `branch`, or one of the same block of the model; may be
/// null.
static AttentionOp findAttention(const ResidualBranch &branch,
                                 ArrayRef<ResidualBranch> branches) {
  if (branch.attention)
    return branch.attention;
  Block *block = branch.joins.front().addition->getBlock();
  for (const ResidualBranch &other : branches)
    if (other.attention && other.layer == branch.layer &&
        other.joins.front().addition->getBlock() == block)
      return other.attention;
  return {};
}

namespace {

/// Names for branches, of which each is given once.
class SiteNames {
public:
  explicit SiteNames(Operation *root);

  /// The name of an attention stays; an MLP gets that of the attention of its
  /// layer with another end, or a number.
  std::string choose(const ResidualBranch &branch, AttentionOp attention);

private:
  std::string makeUnique(const Twine &name);

  llvm::StringSet<> taken;
  int64_t numMLPs = 0;
  int64_t numAttentions = 0;
};

struct OutlineBranchesPass
    : mlir::dit::impl::OutlineBranchesPassBase<OutlineBranchesPass> {
  using OutlineBranchesPassBase::OutlineBranchesPassBase;

  void runOnOperation() override;

private:
  void outline(IRRewriter &rewriter, const ResidualBranch &branch,
               StringRef site, int64_t layer);
  void missed(Operation *op, StringRef reason) {
    ++numMissed;
    remark::missed(op->getLoc(), remarkOn(op)) << remark::reason("{0}", reason);
  }
};

} // namespace

SiteNames::SiteNames(Operation *root) {
  root->walk([&](Operation *op) {
    if (auto branch = dyn_cast<BranchOp>(op))
      taken.insert(branch.getSite());
    if (auto attention = dyn_cast<AttentionOp>(op);
        attention && attention.getSite())
      taken.insert(*attention.getSite());
  });
}

std::string SiteNames::makeUnique(const Twine &name) {
  std::string unique = name.str();
  for (int64_t count = 2; !taken.insert(unique).second; ++count)
    unique = (name + "." + Twine(count)).str();
  return unique;
}

std::string SiteNames::choose(const ResidualBranch &branch,
                              AttentionOp attention) {
  StringRef name = attention ? attention.getSite().value_or("") : "";
  if (branch.attention)
    return name.empty() ? makeUnique("attention" + Twine(numAttentions++))
                        : name.str();
  auto [block, part] = name.rsplit('.');
  return part.empty() ? makeUnique("mlp" + Twine(numMLPs++))
                      : makeUnique(block + ".mlp");
}

void OutlineBranchesPass::outline(IRRewriter &rewriter,
                                  const ResidualBranch &branch, StringRef site,
                                  int64_t layer) {
  Operation *addition = branch.joins.front().addition;
  BranchStages stages(branch);
  if (!stages.getObstacle().empty())
    return missed(addition, stages.getObstacle());
  FailureOr<BranchOp> op = outlineBranch(rewriter, branch, stages, site, layer);
  if (failed(op))
    return missed(addition, "it reads what is only known after one of the "
                            "streams that it joins went on");
  ++numOutlined;
  remark::passed(addition->getLoc(), remarkOn(addition))
      << remark::metric("Site", site)
      << remark::metric("Kind", stringifyBranchKind(branch.kind))
      << remark::metric("Layer", layer)
      << remark::metric("AttendOps", stages.getOps(kAttend).size())
      << remark::metric("ProjectOps", stages.getOps(kProject).size())
      << remark::metric("GateOps", stages.getOps(kGate).size());
}

void OutlineBranchesPass::runOnOperation() {
  ResidualBranchAnalysis analysis(getOperation());
  for (const UnknownJoin &unknown : analysis.getUnknown())
    missed(unknown.join.addition, unknown.reason);
  for (AttentionOp attention : analysis.getLoose())
    if (!attention->getParentOfType<BranchOp>())
      missed(attention, "no addition joins it to a stream");
  SiteNames names(getOperation());
  // Attentions move, so this comes before anything does.
  SmallVector<std::pair<std::string, int64_t>> sites;
  for (const ResidualBranch &branch : analysis.getBranches()) {
    AttentionOp attention = findAttention(branch, analysis.getBranches());
    int64_t layer = branch.layer;
    if (attention)
      layer = attention.getLayer().value_or(layer);
    sites.emplace_back(names.choose(branch, attention), layer);
  }
  IRRewriter rewriter(&getContext());
  for (auto [branch, site] : llvm::zip_equal(analysis.getBranches(), sites))
    outline(rewriter, branch, site.first, site.second);
}
