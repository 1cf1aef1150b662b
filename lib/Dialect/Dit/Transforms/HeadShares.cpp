//===- HeadShares.cpp - Shares of key tiles per head ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads what each head keeps from JSON.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/SparsifyAttention.h"
#include "dit/Support/JsonReader.h"
#include "llvm/Support/JSON.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

static llvm::Error siteError(StringRef site, const Twine &text) {
  return llvm::createStringError("site \"" + site + "\": " + text);
}

/// Reads one number between 0 and 1 for each head.
static llvm::Expected<SmallVector<double>>
readNumbers(StringRef site, StringRef key, json::Array &values) {
  SmallVector<double> numbers;
  for (json::Value &value : values) {
    std::optional<double> number = value.getAsNumber();
    if (!number || !(*number >= 0.0 && *number <= 1.0))
      return siteError(site, "expected numbers between 0 and 1 in \"" + key +
                                 "\", got " +
                                 llvm::formatv("{0}", value).str());
    numbers.push_back(*number);
  }
  return numbers;
}

static llvm::Expected<SmallVector<double>>
readSite(StringRef site, json::Value &value,
         const HeadShares::Options &options) {
  json::Object *object = value.getAsObject();
  json::Array *keep = object ? object->getArray("keep") : nullptr;
  json::Array *sparsity = object ? object->getArray("sparsity") : nullptr;
  if (!keep == !sparsity)
    return siteError(site, "expected exactly one of the arrays \"keep\" and "
                           "\"sparsity\"");
  if (keep)
    return readNumbers(site, "keep", *keep);
  llvm::Expected<SmallVector<double>> numbers =
      readNumbers(site, "sparsity", *sparsity);
  if (!numbers)
    return numbers;
  for (double &number : *numbers)
    number = number < options.minSparsity
                 ? 1.0
                 : std::min(1.0, options.margin * (1.0 - number));
  return numbers;
}

llvm::Expected<HeadShares> HeadShares::parse(StringRef text,
                                             const Options &options) {
  llvm::Expected<json::Value> value = parseJson(text);
  if (!value)
    return value.takeError();
  json::Object *root = value->getAsObject();
  json::Object *sites = root ? root->getObject("sites") : nullptr;
  if (!sites)
    return llvm::createStringError("expected an object with the key \"sites\"");
  HeadShares result;
  for (auto &[site, entry] : *sites) {
    llvm::Expected<SmallVector<double>> numbers =
        readSite(site.str(), entry, options);
    if (!numbers)
      return numbers.takeError();
    result.shares[site.str()] = std::move(*numbers);
  }
  return result;
}

std::optional<ArrayRef<double>> HeadShares::lookup(StringRef site) const {
  auto it = shares.find(site);
  if (it == shares.end())
    return std::nullopt;
  return ArrayRef<double>(it->second);
}
