//===- ProgramText.h - Text of a program in the making ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Values with names and types, and the lines that define them. Extents have a
// size here even where the type says `?`, because the program is to be run.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_GENERATOR_PROGRAMTEXT_H
#define DIT_TEST_FUZZ_GENERATOR_PROGRAMTEXT_H

#include "ProgramGenerator.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/Twine.h"

#include <map>

namespace mlir::dit {

struct GeneratedExtent {
  int64_t size;
  bool dynamic = false;

  bool operator==(const GeneratedExtent &other) const {
    return size == other.size && dynamic == other.dynamic;
  }
};

using GeneratedExtents = llvm::SmallVector<GeneratedExtent, 4>;

struct GeneratedValue {
  std::string name;
  std::string element;
  GeneratedExtents extents;
  /// Whether every target computes the same value, up to rounding.
  bool stable = true;

  std::string getType() const;
};

/// "%a, %b : tensor<...>, tensor<...>".
std::string joinTyped(llvm::ArrayRef<GeneratedValue> values);

/// "%a, %b".
std::string joinNames(llvm::ArrayRef<GeneratedValue> values);

/// The literal of a constant with `getElement()` for each element, in order.
std::string formatDense(llvm::ArrayRef<GeneratedExtent> extents,
                        llvm::function_ref<std::string()> getElement);

class ProgramText {
public:
  /// A new argument of `main`.
  GeneratedValue argument(llvm::StringRef element,
                          const GeneratedExtents &extents, int64_t limit = 0,
                          int64_t lowest = 0);

  /// A value that a line to come defines.
  GeneratedValue fresh(llvm::StringRef element,
                       const GeneratedExtents &extents);

  void line(const llvm::Twine &text) { body += "  " + text.str() + "\n"; }

  /// The name of an index constant.
  std::string index(int64_t value);

  /// The name of a constant of `value`'s type, `text` being its value.
  GeneratedValue constant(llvm::StringRef element,
                          const GeneratedExtents &extents,
                          const llvm::Twine &text);

  /// A tensor that is not initialised.
  GeneratedValue empty(llvm::StringRef element,
                       const GeneratedExtents &extents);

  /// A tensor of zeros.
  GeneratedValue zeros(llvm::StringRef element,
                       const GeneratedExtents &extents);

  /// Makes `value` a result of `main`, if there are not many yet. What a region
  /// defines cannot be one.
  void result(const GeneratedValue &value, double tolerance);

  /// Lines between these two are in a region of an op.
  void enterRegion() { ++depth; }
  void leaveRegion() { --depth; }

  GeneratedProgram finish();

private:
  /// The name of an index that is `size` at run time; of an argument's
  /// dimension where one has that extent.
  std::string size(int64_t size);

  std::string prologue, body;
  llvm::SmallVector<GeneratedValue> arguments, results;
  /// Dimensions of unknown extent, by what they are at run time.
  std::map<int64_t, std::string> dimensions;
  std::map<int64_t, std::string> indices;
  GeneratedProgram program;
  unsigned numValues = 0, depth = 0;
};

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_GENERATOR_PROGRAMTEXT_H
