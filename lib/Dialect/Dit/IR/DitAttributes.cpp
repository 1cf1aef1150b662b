//===- DitAttributes.cpp - Layout, grid and schedule attributes -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dit;

#include "dit/Dialect/Dit/IR/DitAttrInterfaces.cpp.inc"
#include "dit/Dialect/Dit/IR/DitEnums.cpp.inc"

/// Patterns nest at most this deep in text and bytecode: parsers recurse.
static constexpr unsigned kMaxPatternDepth = 64;

/// Parses a pattern inside of another one.
static ParseResult parsePattern(AsmParser &parser,
                                PatternAttrInterface &pattern) {
  static thread_local unsigned depth = 0;
  if (depth == kMaxPatternDepth)
    return parser.emitError(parser.getCurrentLocation())
           << "expected patterns that nest at most " << kMaxPatternDepth
           << " deep";
  ++depth;
  ParseResult result = parser.parseAttribute(pattern);
  --depth;
  return result;
}

static void printPattern(AsmPrinter &printer, PatternAttrInterface pattern) {
  printer << pattern;
}

static ParseResult
parsePatterns(AsmParser &parser,
              SmallVectorImpl<PatternAttrInterface> &patterns) {
  return parser.parseCommaSeparatedList(
      [&] { return parsePattern(parser, patterns.emplace_back()); });
}

static void printPatterns(AsmPrinter &printer,
                          ArrayRef<PatternAttrInterface> patterns) {
  llvm::interleaveComma(patterns, printer);
}

#define GET_ATTRDEF_CLASSES
#include "dit/Dialect/Dit/IR/DitAttributes.cpp.inc"

void DitDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dit/Dialect/Dit/IR/DitAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// DimOrderAttr
//===----------------------------------------------------------------------===//

DimOrderAttr DimOrderAttr::getDefault(MLIRContext *context) {
  return DimOrderAttr::get(context, "bhsd");
}

std::optional<unsigned> DimOrderAttr::position(char letter) const {
  size_t index = getLetters().find(letter);
  if (index == StringRef::npos)
    return std::nullopt;
  return index;
}

int64_t DimOrderAttr::extent(char letter, ArrayRef<int64_t> shape) const {
  std::optional<unsigned> index = position(letter);
  return index ? shape[*index] : 1;
}

Attribute DimOrderAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef letters;
  if (parser.parseLess() || parser.parseKeyword(&letters) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<DimOrderAttr>(loc, parser.getContext(), letters);
}

void DimOrderAttr::print(AsmPrinter &printer) const {
  printer << "<" << getLetters() << ">";
}

LogicalResult DimOrderAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   StringRef letters) {
  // order_c1
  for (auto [index, letter] : llvm::enumerate(letters))
    if (!StringRef("bhsd").contains(letter) ||
        letters.substr(0, index).contains(letter))
      return emitError() << "expected each of the letters b, h, s, d at most "
                            "once, got '"
                         << letters << "'";
  // order_c2
  if (!letters.contains('s') || !letters.contains('d'))
    return emitError() << "expected the letters s and d in '" << letters << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// GridAttr
//===----------------------------------------------------------------------===//

Attribute GridAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t, 3> sizes;
  int64_t text = 0;
  bool textFirst = false;
  if (parser.parseLess() ||
      parser.parseDimensionList(sizes, /*allowDynamic=*/false,
                                /*withTrailingX=*/false))
    return {};
  if (sizes.size() != 3) {
    parser.emitError(loc) << "expected frames x height x width, got "
                          << sizes.size() << " extents";
    return {};
  }
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("text_first")))
      textFirst = true;
    else if (parser.parseKeyword("text") || parser.parseEqual() ||
             parser.parseInteger(text))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<GridAttr>(loc, parser.getContext(), sizes[0],
                                     sizes[1], sizes[2], text, textFirst);
}

void GridAttr::print(AsmPrinter &printer) const {
  printer << "<" << getFrames() << "x" << getHeight() << "x" << getWidth();
  if (getText())
    printer << ", text = " << getText();
  if (getTextFirst())
    printer << ", text_first";
  printer << ">";
}

LogicalResult GridAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t frames, int64_t height, int64_t width,
                               int64_t text, bool textFirst) {
  // grid_c1
  if (frames < 1 || height < 1 || width < 1 || frames > kMaxExtent ||
      height > kMaxExtent || width > kMaxExtent)
    return emitError() << "expected frames, height and width between 1 and "
                       << kMaxExtent << ", got " << frames << " x " << height
                       << " x " << width;
  // grid_c2
  if (text < 0 || text > kMaxExtent)
    return emitError() << "expected between 0 and " << kMaxExtent
                       << " text tokens, got " << text;
  // grid_c3
  if (textFirst && text == 0)
    return emitError() << "expected text tokens with text_first";
  return success();
}

//===----------------------------------------------------------------------===//
// ScheduleAttr
//===----------------------------------------------------------------------===//

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   StringRef steps) {
  // schedule_c1
  if (steps.empty())
    return emitError() << "expected at least one step";
  // schedule_c2
  size_t bad = steps.find_first_not_of("01");
  if (bad != StringRef::npos)
    return emitError() << "expected 0 or 1 for each step, got '" << steps[bad]
                       << "' at step " << bad;
  return success();
}
