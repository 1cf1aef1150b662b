//===- SiteList.cpp - The sites of a program ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/SiteList.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::dit;

/// The branch of an attention has the attention's kind; the enumerations agree.
static BranchKind getBranchKind(AttentionOp op) {
  AttentionKind kind = op.getKind().value_or(AttentionKind::Self);
  return *symbolizeBranchKind(stringifyAttentionKind(kind));
}

/// Appends the site of an attention that is in no branch.
static void append(AttentionOp op, std::vector<Site> &sites) {
  if (!op.getSite())
    return;
  // Heads that only run time knows can only have one mode.
  int64_t heads = op.getNumQueryHeads();
  sites.push_back({op.getSite()->str(), getBranchKind(op), op.getLayer(),
                   ShapedType::isDynamic(heads) ? 1 : heads, op.getGridAttr()});
}

static void append(BranchOp op, std::vector<Site> &sites) {
  AttentionOp attention = op.getAttention();
  sites.push_back({op.getSite().str(), op.getKind(), op.getLayer(),
                   static_cast<int64_t>(op.getHeads()),
                   attention ? attention.getGridAttr() : GridAttr()});
}

SiteList SiteList::collect(Operation *root) {
  std::vector<Site> sites;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto branch = dyn_cast<BranchOp>(op)) {
      append(branch, sites);
      return WalkResult::skip();
    }
    if (auto attention = dyn_cast<AttentionOp>(op))
      append(attention, sites);
    return WalkResult::advance();
  });
  return SiteList(std::move(sites));
}

const Site *SiteList::lookup(StringRef name) const {
  auto site =
      llvm::find_if(sites, [&](const Site &site) { return site.name == name; });
  return site == sites.end() ? nullptr : &*site;
}

std::string SiteList::getFingerprint() const {
  std::string text;
  for (const Site &site : sites)
    if (site.kind != BranchKind::MLP)
      text += site.name + '\0' + std::to_string(site.heads) + '\0';
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true,
                         /*Width=*/16);
}
