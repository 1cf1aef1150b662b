//===- CommandLine.cpp - Options of our tools alone -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Helpers of the tools' main functions.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/CommandLine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

/// What LLVM's libraries registered, except for the options of every tool.
static SmallVector<cl::Option *> getForeignOptions() {
  SmallVector<cl::Option *> foreign;
  for (auto &[name, option] : cl::getRegisteredOptions())
    if (!is_contained(
            {"help", "help-hidden", "help-list", "help-list-hidden", "version"},
            name))
      foreign.push_back(option);
  return foreign;
}

void mlir::dit::removeForeignOptions() {
  for (cl::Option *option : getForeignOptions())
    option->removeArgument();
}

void mlir::dit::hideForeignOptions() {
  for (cl::Option *option : getForeignOptions())
    option->setHiddenFlag(cl::Hidden);
}

void mlir::dit::addVersion() {
  cl::AddExtraVersionPrinter(
      [](raw_ostream &os) { os << "dit " DIT_VERSION "\n"; });
}

SmallVector<std::string> mlir::dit::splitList(StringRef text) {
  SmallVector<std::string> items;
  if (!text.empty())
    for (StringRef item : llvm::split(text, ','))
      items.push_back(item.trim().str());
  return items;
}

Error mlir::dit::inArgument(const Twine &argument, Error error) {
  return createStringError(argument + ": " + toString(std::move(error)));
}

int mlir::dit::reportError(StringRef tool, Error error) {
  if (!error)
    return 0;
  outs().flush();
  std::string text = toString(std::move(error));
  for (StringRef line : llvm::split(text, '\n'))
    errs() << tool << ": error: " << line << '\n';
  return 1;
}
