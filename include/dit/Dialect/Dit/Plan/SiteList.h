//===- SiteList.h - The sites of a program ----------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a plan has to know of the program that it is for.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_SITELIST_H
#define DIT_DIALECT_DIT_PLAN_SITELIST_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include <string>
#include <vector>

namespace mlir::dit {

/// A branch that a plan can speak of.
struct Site {
  std::string name;
  BranchKind kind = BranchKind::Self;
  std::optional<int64_t> layer;
  int64_t heads = 1;
  GridAttr grid;
};

/// The sites of a program, in program order.
class SiteList {
public:
  SiteList() = default;
  explicit SiteList(std::vector<Site> sites) : sites(std::move(sites)) {}

  /// The branches below `root`, and the attentions in none that have a name.
  static SiteList collect(Operation *root);

  ArrayRef<Site> getSites() const { return sites; }
  const Site *lookup(StringRef name) const;

  /// 16 hexadecimal digits that change with the names, the numbers of heads
  /// and the order of the attentions.
  std::string getFingerprint() const;

private:
  std::vector<Site> sites;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_SITELIST_H
