//===- Nesting.cpp - How deep texts nest ----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A scan of the text for brackets, operators and numbers of results, which
// knows no grammar.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/Nesting.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <algorithm>

using namespace mlir::dit;
using llvm::StringRef;

namespace {

/// Scans text from its beginning.
class Scanner {
public:
  Scanner(StringRef text, bool isJson) : text(text), isJson(isJson) {}

  std::optional<NestingFault> run();

private:
  /// The position behind the string that begins at `at`.
  size_t skipString(size_t at) const;
  size_t skipComment(size_t at);
  void reset() {
    brackets.clear();
    aliases.clear();
    definition = {};
  }
  void open(char bracket) { brackets.push_back({bracket, 0}); }
  void close(char bracket);
  void visit(size_t at);
  /// An alias at `at`: a definition begins, or a known one is used.
  void visitAlias(size_t at);
  /// A number at `at` that chooses one of the results of an op.
  void visitResultNumber(size_t at);
  void endDefinition();
  /// Counts what is open, and `inside` that.
  bool exceeds(int64_t inside = 0) {
    depthOfDefinition =
        std::max<int64_t>(depthOfDefinition, brackets.size() + inside);
    return brackets.size() + inside > static_cast<size_t>(kMaxNesting);
  }
  NestingFault makeFault(size_t at, StringRef what) const;

  struct Bracket {
    char open;
    int64_t numOperators;
  };

  StringRef text;
  bool isJson;
  llvm::SmallVector<Bracket> brackets;
  /// Operators outside of brackets.
  int64_t numOperators = 0;
  /// How deep aliases nest, and the one that is being defined.
  llvm::StringMap<int64_t> aliases;
  StringRef definition;
  int64_t depthOfDefinition = 0;
  /// What is wrong with the last character; empty if nothing is.
  StringRef fault;
};

} // namespace

static constexpr StringRef kTooDeep =
    "expected brackets that nest at most 256 deep";

static bool isIdentifier(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$' || c == '-';
}

size_t Scanner::skipString(size_t at) const {
  for (++at; at < text.size(); ++at) {
    // Strings of MLIR end with their line, whatever is wrong with them.
    if (text[at] == '"' || (text[at] == '\n' && !isJson))
      return at + 1;
    if (text[at] == '\\')
      ++at;
  }
  return at;
}

size_t Scanner::skipComment(size_t at) {
  if (text.substr(at).starts_with("// -----"))
    reset();
  return text.find('\n', at);
}

void Scanner::close(char bracket) {
  // What was opened inside and is no bracket, such as a less-than, ends too.
  for (size_t i = brackets.size(); i > 0; --i) {
    if (brackets[i - 1].open == bracket) {
      brackets.truncate(i - 1);
      return;
    }
    if (brackets[i - 1].open != '<')
      return;
  }
}

void Scanner::endDefinition() {
  if (!definition.empty())
    aliases[definition] = depthOfDefinition;
  definition = {};
}

void Scanner::visitAlias(size_t at) {
  StringRef rest = text.substr(at);
  size_t end = 1 + rest.drop_front().take_while(isIdentifier).size();
  StringRef name = rest.take_front(end);
  StringRef behind = rest.drop_front(end).ltrim(' ');
  if (brackets.empty() && behind.starts_with("=") &&
      !behind.starts_with("==")) {
    endDefinition();
    definition = name;
    depthOfDefinition = 0;
    return;
  }
  auto known = aliases.find(name);
  if (known != aliases.end() && exceeds(known->second))
    fault = kTooDeep;
}

void Scanner::visitResultNumber(size_t at) {
  StringRef digits = text.substr(at).take_while(llvm::isDigit);
  int64_t number;
  if (digits.getAsInteger(10, number) || number > kMaxResultNumber)
    fault = "expected a result number of at most 1048576";
}

void Scanner::visit(size_t at) {
  char c = text[at];
  char previous = at ? text[at - 1] : ' ';
  char next = at + 1 < text.size() ? text[at + 1] : ' ';
  int64_t &operators =
      brackets.empty() ? numOperators : brackets.back().numOperators;
  switch (c) {
  case '(':
  case '[':
  case '{':
    return open(c);
  case ')':
    return close('(');
  case ']':
    return close('[');
  case '}':
    return close('{');
  case '<':
    if (!isJson && next != '=')
      open(c);
    return;
  case '>':
    if (!isJson && previous != '-' && next != '=')
      close('<');
    return;
  case ',':
    operators = 0;
    return;
  case '\n':
    // The value of an alias may begin on the next line.
    if (brackets.empty() && depthOfDefinition > 0)
      endDefinition();
    return;
  case '#':
  case '!':
    if (isJson)
      return;
    if (c == '#' && isIdentifier(previous) && llvm::isDigit(next))
      visitResultNumber(at + 1);
    else
      visitAlias(at);
    return;
  case '+':
  case '-':
  case '*':
    if (!isJson && next != '>')
      ++operators;
    return;
  default:
    // `mod`, `floordiv` and `ceildiv`, by the blank before them.
    if (!isJson && previous == ' ' &&
        (text.substr(at).starts_with("mod ") ||
         text.substr(at).starts_with("floordiv ") ||
         text.substr(at).starts_with("ceildiv ")))
      ++operators;
  }
}

NestingFault Scanner::makeFault(size_t at, StringRef what) const {
  StringRef before = text.take_front(at);
  size_t lineStart = before.rfind('\n');
  size_t column = lineStart == StringRef::npos ? at + 1 : at - lineStart;
  return {before.count('\n') + 1, column, what};
}

std::optional<NestingFault> Scanner::run() {
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = skipString(at);
      continue;
    }
    if (!isJson && text.substr(at).starts_with("//")) {
      at = skipComment(at);
      continue;
    }
    visit(at);
    if (exceeds())
      fault = kTooDeep;
    if (!fault.empty())
      return makeFault(at, fault);
    if (!brackets.empty() && brackets.back().numOperators > kMaxOperators)
      return makeFault(at, "expected at most 1024 operators in an expression");
    ++at;
  }
  return std::nullopt;
}

static_assert(kMaxNesting == 256 && kMaxOperators == 1024 &&
                  kMaxResultNumber == 1048576,
              "the messages say so");

std::optional<NestingFault> mlir::dit::findDeepNesting(StringRef text) {
  return Scanner(text, /*isJson=*/false).run();
}

std::optional<NestingFault> mlir::dit::findDeepJsonNesting(StringRef text) {
  return Scanner(text, /*isJson=*/true).run();
}
