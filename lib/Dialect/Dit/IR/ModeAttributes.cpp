//===- ModeAttributes.cpp - The assembly of modes -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan has hundreds of modes and few different ones, so runs and repeated
// groups are written once. What is printed depends on the modes alone, not on
// how they were written.
//
//===----------------------------------------------------------------------===//

#include "ModeAssembly.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

/// Where in a list a group repeats: `count` times the first `period` entries.
namespace {
struct Repetition {
  size_t period = 1;
  size_t count = 1;
  size_t saved() const { return (count - 1) * period; }
};
} // namespace

/// Longest group that is looked for.
static constexpr size_t kMaxPeriod = 24;

static Repetition findRepetition(ArrayRef<std::string> items) {
  Repetition best;
  for (size_t period = 1; period <= std::min(kMaxPeriod, items.size() / 2);
       ++period) {
    ArrayRef<std::string> group = items.take_front(period);
    size_t count = 1;
    while ((count + 1) * period <= items.size() &&
           items.slice(count * period, period) == group)
      ++count;
    if (Repetition found{period, count}; found.saved() > best.saved())
      best = found;
  }
  return best;
}

static void printItems(raw_ostream &os, ArrayRef<std::string> items) {
  llvm::ListSeparator separator;
  while (!items.empty()) {
    Repetition run = findRepetition(items);
    ArrayRef<std::string> group = items.take_front(run.period);
    os << separator;
    if (run.count > 1)
      os << run.count << " * ";
    if (run.period == 1) {
      os << group.front();
    } else {
      os << "(";
      printItems(os, group);
      os << ")";
    }
    items = items.drop_front(run.period * run.count);
  }
}

/// The modes of a step: one for all heads if they agree.
static std::string printStep(const ModeTable &table, int64_t step) {
  SmallVector<std::string> heads;
  for (auto [head, mode] : llvm::enumerate(table.getStep(step))) {
    int64_t latest =
        mode.hasSource() ? table.findLatest(step, head, mode) : Mode::kLatest;
    llvm::raw_string_ostream os(heads.emplace_back());
    printMode(os, mode, latest);
  }
  if (llvm::all_equal(heads))
    return heads.front();
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{";
  printItems(os, heads);
  os << "}";
  return text;
}

void mlir::dit::printModes(AsmPrinter &printer, const ModeTable &table) {
  SmallVector<std::string> steps;
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    steps.push_back(printStep(table, step));
  printer << "heads " << table.getNumHeads() << " [";
  printItems(printer.getStream(), steps);
  printer << "]";
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

ParseResult mlir::dit::parseNumber(AsmParser &parser, double &value) {
  int64_t integer;
  OptionalParseResult whole = parser.parseOptionalInteger(integer);
  if (!whole.has_value())
    return parser.parseFloat(value);
  value = static_cast<double>(integer);
  return *whole;
}

/// Parses `(step)` if it is there.
static ParseResult parseSource(AsmParser &parser, int64_t &source) {
  if (parser.parseOptionalLParen())
    return success();
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseInteger(source) || parser.parseRParen())
    return failure();
  if (source < 0)
    return parser.emitError(loc, "expected a step, got ") << source;
  return success();
}

/// Parses the half-widths of a window or an arrow and the order of tokens.
static ParseResult parseMask(AsmParser &parser, Mode &mode) {
  if (parser.parseLParen() || parser.parseInteger(mode.width[0]))
    return failure();
  if (mode.kind == ModeKind::Window &&
      succeeded(parser.parseOptionalKeyword("x"))) {
    mode.inGrid = true;
    if (parser.parseInteger(mode.width[1]) || parser.parseKeyword("x") ||
        parser.parseInteger(mode.width[2]))
      return failure();
  } else if (succeeded(parser.parseOptionalComma())) {
    mode.byPlace = true;
    if (parser.parseKeyword("by_place"))
      return failure();
  }
  return parser.parseRParen();
}

static ParseResult parseHalf(AsmParser &parser, Mode &mode) {
  StringRef half;
  SMLoc loc;
  if (parser.parseLParen() || parser.getCurrentLocation(&loc) ||
      parser.parseKeyword(&half) || parser.parseRParen())
    return failure();
  mode.part = half == "first" ? BatchPart::First : BatchPart::Second;
  if (half != "first" && half != "second")
    return parser.emitError(loc, "expected first or second, got '")
           << half << "'";
  return success();
}

ParseResult mlir::dit::parseMode(AsmParser &parser, Mode &mode) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  ParseResult parsed = success();
  if (name == "full") {
    mode.kind = ModeKind::Full;
  } else if (name == "share") {
    mode.kind = ModeKind::Share;
    parsed = parseSource(parser, mode.source);
  } else if (name == "window" || name == "arrow") {
    mode.kind = name == "window" ? ModeKind::Window : ModeKind::Arrow;
    parsed = parseMask(parser, mode);
  } else if (name == "topk") {
    mode.kind = ModeKind::TopK;
    if (parser.parseLParen())
      return failure();
    mode.ofMass = succeeded(parser.parseOptionalKeyword("mass"));
    parsed = failure(parseNumber(parser, mode.amount) || parser.parseRParen());
  } else {
    return parser.emitError(loc, "expected full, window, arrow, topk or share, "
                                 "got '")
           << name << "'";
  }
  if (parsed)
    return failure();
  if (succeeded(parser.parseOptionalKeyword("residual"))) {
    mode.residual = true;
    if (parseSource(parser, mode.source))
      return failure();
  }
  return succeeded(parser.parseOptionalKeyword("half"))
             ? parseHalf(parser, mode)
             : success();
}

/// The largest number of modes of a table, so that a short text cannot ask for
/// all memory.
static constexpr int64_t kMaxModes = int64_t(1) << 20;

namespace {

/// Parses runs of modes into a table.
class ModesParser {
public:
  ModesParser(AsmParser &parser, int64_t heads)
      : parser(parser), heads(heads) {}

  ParseResult parseSteps(SmallVectorImpl<Mode> &modes, unsigned depth) {
    return parser.parseCommaSeparatedList([&]() -> ParseResult {
      SMLoc loc = parser.getCurrentLocation();
      int64_t count = 1;
      SmallVector<Mode> run;
      if (parseCount(count))
        return failure();
      if (succeeded(parser.parseOptionalLParen())) {
        if (depth == kMaxDepth)
          return parser.emitError(loc, "groups are nested too deeply");
        if (parseSteps(run, depth + 1) || parser.parseRParen())
          return failure();
      } else if (parseStep(run)) {
        return failure();
      }
      return append(modes, run, count, std::min(kMaxModes, kMaxSteps * heads),
                    loc);
    });
  }

private:
  static constexpr unsigned kMaxDepth = 16;

  /// Parses `count *` if it is there.
  ParseResult parseCount(int64_t &count) {
    SMLoc loc = parser.getCurrentLocation();
    OptionalParseResult result = parser.parseOptionalInteger(count);
    if (!result.has_value())
      return success();
    if (*result || parser.parseStar())
      return failure();
    if (count < 1)
      return parser.emitError(loc, "expected a positive number of times, got ")
             << count;
    return success();
  }

  /// Appends `run`, `count` times, if there are at most `most` modes then.
  ParseResult append(SmallVectorImpl<Mode> &modes, ArrayRef<Mode> run,
                     int64_t count, int64_t most, SMLoc loc) {
    int64_t room = most - static_cast<int64_t>(modes.size());
    if (count > room / static_cast<int64_t>(run.size()))
      return parser.emitError(loc, "expected at most ")
             << most << " modes, and these are more";
    for (int64_t i = 0; i < count; ++i)
      llvm::append_range(modes, run);
    return success();
  }

  /// Parses the modes of one step.
  ParseResult parseStep(SmallVectorImpl<Mode> &step) {
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseOptionalLBrace()) {
      Mode mode;
      if (parseMode(parser, mode))
        return failure();
      step.assign(heads, mode);
      return success();
    }
    auto parseRun = [&]() -> ParseResult {
      SMLoc at = parser.getCurrentLocation();
      int64_t count = 1;
      Mode mode;
      if (parseCount(count) || parseMode(parser, mode))
        return failure();
      return append(step, mode, count, heads, at);
    };
    if (parser.parseCommaSeparatedList(parseRun) || parser.parseRBrace())
      return failure();
    if (static_cast<int64_t>(step.size()) != heads)
      return parser.emitError(loc, "expected a mode for each of ")
             << heads << " heads, got " << step.size();
    return success();
  }

  AsmParser &parser;
  int64_t heads;
};

} // namespace

ParseResult mlir::dit::parseModes(AsmParser &parser, ModesAttr &attr) {
  SMLoc loc = parser.getCurrentLocation();
  int64_t heads;
  SmallVector<Mode> modes;
  if (parser.parseKeyword("heads") || parser.parseInteger(heads))
    return failure();
  // The table is made of this many, so it is checked first.
  if (heads < 1 || heads > kMaxHeads)
    return parser.emitError(loc, "expected between 1 and ")
           << kMaxHeads << " heads, got " << heads;
  if (parser.parseLSquare() ||
      ModesParser(parser, heads).parseSteps(modes, 0) || parser.parseRSquare())
    return failure();
  resolveSources(heads, modes);
  attr =
      ModesAttr::getChecked([&] { return parser.emitError(loc); },
                            parser.getContext(), heads, ArrayRef<Mode>(modes));
  return success(static_cast<bool>(attr));
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

Attribute ModeAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  Mode mode;
  if (parser.parseLess() || parseMode(parser, mode) || parser.parseGreater())
    return {};
  return ModeAttr::getChecked([&] { return parser.emitError(loc); },
                              parser.getContext(), mode);
}

void ModeAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printMode(printer.getStream(), getMode());
  printer << ">";
}

LogicalResult ModeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               Mode mode) {
  std::string fault = findModeFault(mode);
  return fault.empty() ? success() : emitError() << fault;
}

Attribute ModesAttr::parse(AsmParser &parser, Type) {
  ModesAttr attr;
  if (parser.parseLess() || parseModes(parser, attr) || parser.parseGreater())
    return {};
  return attr;
}

void ModesAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printModes(printer, getTable());
  printer << ">";
}

LogicalResult ModesAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t heads, ArrayRef<Mode> modes) {
  // modes_c1
  if (heads < 1 || heads > kMaxHeads)
    return emitError() << "expected between 1 and " << kMaxHeads
                       << " heads, got " << heads;
  // modes_c2
  if (modes.empty() || modes.size() % heads ||
      static_cast<int64_t>(modes.size()) / heads > kMaxSteps ||
      static_cast<int64_t>(modes.size()) > kMaxModes)
    return emitError() << "expected a mode for each of " << heads
                       << " heads at each of 1 to " << kMaxSteps
                       << " steps, and at most " << kMaxModes << ", got "
                       << modes.size() << " modes";
  if (std::optional<ModeFault> fault = findTableFault({heads, modes}))
    return emitError() << fault->describe();
  return success();
}
