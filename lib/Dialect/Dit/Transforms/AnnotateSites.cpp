//===- AnnotateSites.cpp - Sites from an annotation file ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks that the sites of a module are unique, and then gives them what an
// annotation file says of them. Nothing changes unless all of it applies.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/SiteAnnotations.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::dit {
#define GEN_PASS_DEF_ANNOTATESITESPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// The name of the site that `op` is, or none. An attention whose name its
/// branch has is one site with it.
static StringAttr getSite(Operation *op) {
  if (auto branch = dyn_cast<BranchOp>(op))
    return branch.getSiteAttr();
  if (auto reuse = dyn_cast<ReuseOp>(op))
    return reuse.getSiteAttr();
  auto attention = dyn_cast<AttentionOp>(op);
  if (!attention)
    return {};
  auto branch = op->getParentOfType<BranchOp>();
  return branch && branch.getSiteAttr() == attention.getSiteAttr()
             ? StringAttr()
             : attention.getSiteAttr();
}

/// The attention of a site; null if it is no attention.
static AttentionOp getAttention(Operation *op) {
  if (auto branch = dyn_cast<BranchOp>(op))
    return branch.getAttention();
  return dyn_cast<AttentionOp>(op);
}

static bool isMLP(Operation *op) {
  auto branch = dyn_cast<BranchOp>(op);
  return branch && branch.getKind() == BranchKind::MLP;
}

namespace {

/// The sites of a module, in program order.
using SiteMap = llvm::MapVector<StringAttr, Operation *>;

class AnnotateSitesPass
    : public mlir::dit::impl::AnnotateSitesPassBase<AnnotateSitesPass> {
public:
  using AnnotateSitesPassBase::AnnotateSitesPassBase;

protected:
  void runOnOperation() override {
    std::optional<SmallVector<SiteAnnotation>> annotations = readFile();
    SiteMap sites;
    if (!annotations || failed(collect(sites)))
      return signalPassFailure();
    // MLPs are sites once they were outlined.
    bool hasBranches = llvm::any_of(
        sites, [](const auto &site) { return isa<BranchOp>(site.second); });
    if (!hasBranches)
      llvm::erase_if(*annotations, [](const SiteAnnotation &annotation) {
        return annotation.isOfMLP();
      });
    if (failed(check(sites, *annotations)))
      return signalPassFailure();
    for (const SiteAnnotation &annotation : *annotations)
      apply(sites.lookup(getNameAttr(annotation.site)), annotation);
    numAnnotated += annotations->size();
  }

private:
  StringAttr getNameAttr(StringRef name) {
    return StringAttr::get(&getContext(), name);
  }

  /// What the file holds; reports why it cannot be read.
  std::optional<SmallVector<SiteAnnotation>> readFile() {
    if (file.empty()) {
      mlir::emitError(getOperation().getLoc())
          << "expected an annotation file: give the option file";
      return std::nullopt;
    }
    std::string message;
    std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(file, &message);
    if (!buffer) {
      mlir::emitError(getOperation().getLoc()) << message;
      return std::nullopt;
    }
    llvm::Expected<SmallVector<SiteAnnotation>> annotations =
        parseSiteAnnotations(&getContext(), buffer->getBuffer());
    if (!annotations) {
      mlir::emitError(getOperation().getLoc())
          << "annotation file '" << file
          << "': " << llvm::toString(annotations.takeError());
      return std::nullopt;
    }
    return std::move(*annotations);
  }

  /// Finds the sites; fails if two have the same name.
  LogicalResult collect(SiteMap &sites) {
    WalkResult result =
        getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
          StringAttr site = getSite(op);
          if (!site)
            return WalkResult::advance();
          auto [entry, isNew] = sites.insert({site, op});
          if (isNew)
            return WalkResult::advance();
          InFlightDiagnostic diag = op->emitError()
                                    << "site " << site << " is not unique";
          diag.attachNote(entry->second->getLoc()) << "it is also here";
          return WalkResult::interrupt();
        });
    return failure(result.wasInterrupted());
  }

  /// Checks that every annotation has a site that it fits, and that the names
  /// are unique afterwards.
  LogicalResult check(const SiteMap &sites,
                      ArrayRef<SiteAnnotation> annotations) {
    llvm::StringMap<StringRef> renamed;
    for (const SiteAnnotation &annotation : annotations) {
      Operation *op = sites.lookup(getNameAttr(annotation.site));
      if (!op)
        return reportUnknownSite(sites, annotation.site);
      if (annotation.name)
        renamed[annotation.site] = *annotation.name;
      if (failed(checkFit(op, annotation)))
        return failure();
    }
    llvm::StringMap<StringRef> owners;
    for (auto [site, op] : sites) {
      auto found = renamed.find(site);
      StringRef name = found == renamed.end() ? site.getValue() : found->second;
      auto [owner, isNew] = owners.try_emplace(name, site.getValue());
      if (!isNew)
        return op->emitError()
               << "annotations give the sites '" << owner->second << "' and '"
               << site.getValue() << "' the same name '" << name << "'";
    }
    return success();
  }

  LogicalResult reportUnknownSite(const SiteMap &sites, StringRef site) {
    InFlightDiagnostic diag = mlir::emitError(getOperation().getLoc())
                              << "annotation of unknown site '" << site
                              << "'; the sites are: ";
    llvm::interleaveComma(sites, diag, [&](const auto &entry) {
      diag << entry.first.getValue();
    });
    return diag;
  }

  static LogicalResult checkFit(Operation *op,
                                const SiteAnnotation &annotation) {
    if (annotation.isOfMLP() != isMLP(op) && annotation.kind)
      return op->emitError()
             << "annotation of site '" << annotation.site
             << "': " << (isMLP(op) ? "expected kind mlp" : "it is no mlp");
    AttentionOp attention = getAttention(op);
    if (annotation.layer && !attention && !isa<BranchOp>(op))
      return op->emitError() << "annotation of site '" << annotation.site
                             << "': only an attention or a branch has a layer";
    if (!attention)
      return annotation.isOfAttention()
                 ? op->emitError() << "annotation of site '" << annotation.site
                                   << "': only an attention has a kind or a "
                                      "grid"
                 : success();
    int64_t length = attention.getQueryLength();
    if (annotation.grid && !ShapedType::isDynamic(length) &&
        length != annotation.grid.getNumTokens())
      return op->emitError()
             << "annotation of site '" << annotation.site << "': expected a "
             << "grid of " << length << " tokens, got "
             << annotation.grid.getNumTokens() << " in " << annotation.grid;
    return success();
  }

  /// The kind that the annotation gives, or that its grid proves of a site of
  /// which nothing more was known: the keys are the same tokens.
  static std::optional<AttentionKind>
  getKind(AttentionOp attention, const SiteAnnotation &annotation) {
    if (annotation.kind)
      return symbolizeAttentionKind(stringifyBranchKind(*annotation.kind));
    if (!annotation.grid)
      return std::nullopt;
    bool isOpen = attention.getKind().value_or(AttentionKind::Self) ==
                      AttentionKind::Self &&
                  attention.getKVLength() == annotation.grid.getNumTokens();
    return isOpen ? getKindOnGrid(annotation.grid) : std::nullopt;
  }

  static void apply(Operation *op, const SiteAnnotation &annotation) {
    Builder builder(op->getContext());
    AttentionOp attention = getAttention(op);
    auto branch = dyn_cast<BranchOp>(op);
    if (annotation.name) {
      StringAttr name = builder.getStringAttr(*annotation.name);
      if (auto reuse = dyn_cast<ReuseOp>(op))
        reuse.setSiteAttr(name);
      if (branch)
        branch.setSiteAttr(name);
      if (attention)
        attention.setSiteAttr(name);
    }
    if (annotation.layer && branch)
      branch.setLayerAttr(builder.getI64IntegerAttr(*annotation.layer));
    if (!attention)
      return;
    if (std::optional<AttentionKind> kind = getKind(attention, annotation)) {
      attention.setKindAttr(AttentionKindAttr::get(op->getContext(), *kind));
      if (branch)
        branch.setKind(*symbolizeBranchKind(stringifyAttentionKind(*kind)));
    }
    if (annotation.layer)
      attention.setLayerAttr(builder.getI64IntegerAttr(*annotation.layer));
    if (annotation.grid)
      attention.setGridAttr(annotation.grid);
  }
};

} // namespace
