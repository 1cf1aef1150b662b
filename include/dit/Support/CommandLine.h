//===- CommandLine.h - Options of our tools alone ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What tools share on top of LLVM's command line library.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_COMMANDLINE_H
#define DIT_SUPPORT_COMMANDLINE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::dit {

/// Removes the options that libLLVM registers in every program that loads it,
/// so that their names are free and --help shows only the tool's own. To be
/// called before the tool's options come into being.
void removeForeignOptions();

/// Leaves the options that LLVM's libraries register out of --help; they work,
/// and --help-hidden lists them.
void hideForeignOptions();

/// Makes --version name the release of dit beside LLVM's.
void addVersion();

/// The items of a comma-separated list, blanks trimmed; none for "".
llvm::SmallVector<std::string> splitList(llvm::StringRef text);

/// Prefixes an error with the argument it is about.
llvm::Error inArgument(const llvm::Twine &argument, llvm::Error error);

/// Prints each line of `error` to stderr as an error of `tool`. Returns the
/// exit code: 1, or 0 for success.
int reportError(llvm::StringRef tool, llvm::Error error);

} // namespace mlir::dit

#endif // DIT_SUPPORT_COMMANDLINE_H
