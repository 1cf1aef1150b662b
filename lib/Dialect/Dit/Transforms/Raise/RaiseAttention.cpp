//===- RaiseAttention.cpp - The pass --dit-raise-attention ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"

#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"

namespace mlir::dit {
#define GEN_PASS_DEF_RAISEATTENTIONPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

static StringRef getFunctionName(Operation *op) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  return function ? function.getName() : StringRef();
}

static remark::RemarkOpts getRemarkOpts(Operation *op) {
  return remark::RemarkOpts::name("RaiseAttention")
      .category("dit-raise-attention")
      .function(getFunctionName(op));
}

static std::string describeShape(AttentionOp op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto extent = [](int64_t size) {
    return ShapedType::isDynamic(size) ? std::string("?")
                                       : std::to_string(size);
  };
  os << "b=" << extent(op.getBatch()) << " h=" << extent(op.getNumQueryHeads());
  if (op.getNumKVHeads() != op.getNumQueryHeads())
    os << "/" << extent(op.getNumKVHeads());
  os << " s=" << extent(op.getQueryLength()) << "x" << extent(op.getKVLength())
     << " d=" << extent(op.getHeadSize());
  if (op.getValueHeadSize() != op.getHeadSize())
    os << "/" << extent(op.getValueHeadSize());
  os << " " << op.getElementType();
  return text;
}

static void emitMissed(Operation *op, const Twine &reason,
                       RaiseStatistics &statistics) {
  remark::missed(op->getLoc(), getRemarkOpts(op))
      << ("looks like attention but was not raised: " + reason).str();
  ++statistics.numMissed;
}

static void emitRaised(Location loc, AttentionOp op,
                       const AttentionMatch &match) {
  std::string text = "raised attention " + op.getSite()->str() + " (" +
                     describeShape(op) + ")";
  if (!match.folded.empty())
    text += ", folded " + llvm::join(match.folded, ", ");
  llvm::raw_string_ostream os(text);
  if (op.getPatternAttr())
    os << ", proved that a mask is " << op.getPatternAttr();
  for (double fill : match.hidingFills)
    os << ", took scores of " << llvm::format("%g", fill) << " for hidden keys";
  remark::passed(loc, getRemarkOpts(op)) << text;
}

namespace {

/// Names of sites, unique under an operation.
class SiteNames {
public:
  explicit SiteNames(Operation *root) {
    root->walk([&](AttentionOp op) {
      if (op.getSite())
        taken.insert(*op.getSite());
    });
  }
  StringAttr next(MLIRContext *context) {
    std::string name;
    do
      name = "attn" + std::to_string(counter++);
    while (!taken.insert(name).second);
    return StringAttr::get(context, name);
  }

private:
  llvm::StringSet<> taken;
  unsigned counter = 0;
};

} // namespace

/// Gives the attentions the kinds that all of them together prove.
static void assignKinds(MutableArrayRef<AttentionOp> ops,
                        MutableArrayRef<raise::KindEvidence> evidence) {
  raise::resolveKinds(evidence);
  for (auto [op, known] : llvm::zip_equal(ops, evidence)) {
    op.setKindAttr(AttentionKindAttr::get(op.getContext(), known.kind));
    if (known.isAmbiguous)
      remark::analysis(op.getLoc(), getRemarkOpts(op))
          << "kind of " + op.getSite()->str() +
                 " is self: an axis of the tokens is in the batch, and nothing "
                 "proves whether that is time or space";
  }
}

RaiseStatistics mlir::dit::raiseAttentions(Operation *root) {
  RaiseStatistics statistics;
  SiteNames sites(root);
  IRRewriter rewriter(root->getContext());
  SmallVector<Operation *> contractions;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (raise::isContraction(op))
      contractions.push_back(op);
  });
  SmallVector<AttentionOp> raised;
  SmallVector<raise::KindEvidence> evidence;
  // What raising one attention erases, earlier in the list, was visited.
  for (Operation *op : contractions) {
    AttentionMatchDiagnosis why;
    FailureOr<AttentionMatch> match = matchAttention(op, &why);
    if (succeeded(match)) {
      Location loc = op->getLoc();
      raised.push_back(
          rewriteAttention(rewriter, *match, sites.next(root->getContext())));
      evidence.push_back(match->state->evidence);
      emitRaised(loc, raised.back(), *match);
    } else if (why.looksLikeAttention) {
      emitMissed(op, why.reason, statistics);
    }
  }
  root->walk([&](Operation *op) {
    if (raise::isSumOfWeighted(op))
      emitMissed(op,
                 "the probabilities and the values are multiplied element by "
                 "element and summed, which is no contraction",
                 statistics);
  });
  assignKinds(raised, evidence);
  statistics.numRaised = raised.size();
  return statistics;
}

namespace {

struct RaiseAttentionPass
    : dit::impl::RaiseAttentionPassBase<RaiseAttentionPass> {
  void runOnOperation() override {
    RaiseStatistics statistics = raiseAttentions(getOperation());
    numRaised += statistics.numRaised;
    numMissed += statistics.numMissed;
    if (statistics.numRaised == 0)
      markAllAnalysesPreserved();
  }
};

} // namespace
