//===- TextMutator.h - Mutations of text ------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random bytes rarely make another token. These mutations work on tokens:
// numbers become extreme ones, tokens are repeated, dropped or exchanged, and
// bytes change only now and then.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_TEXTMUTATOR_H
#define DIT_TEST_FUZZ_TEXTMUTATOR_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace mlir::dit {

/// Runs of letters and digits, runs of blanks, and single other characters.
inline llvm::SmallVector<llvm::StringRef> splitTokens(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> tokens;
  while (!text.empty()) {
    auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
    size_t length = isWord(text[0]) ? text.take_while(isWord).size() : 1;
    if (llvm::isSpace(text[0]))
      length = text.take_while(llvm::isSpace).size();
    tokens.push_back(text.take_front(length));
    text = text.drop_front(length);
  }
  return tokens;
}

inline size_t mutateText(uint8_t *data, size_t size, size_t maxSize,
                         unsigned seed) {
  static const char *const numbers[] = {"0",
                                        "1",
                                        "-1",
                                        "2",
                                        "1048576",
                                        "1048577",
                                        "2147483648",
                                        "1099511627776",
                                        "1099511627777",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "18446744073709551616",
                                        "?",
                                        "1.0e308",
                                        "0x7FC00000"};
  std::mt19937 random(seed);
  std::string text(reinterpret_cast<const char *>(data), size);
  llvm::SmallVector<llvm::StringRef> tokens = splitTokens(text);
  if (tokens.empty() || random() % 3 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  size_t at = random() % tokens.size(), other = random() % tokens.size();
  switch (random() % 5) {
  case 0:
    std::swap(tokens[at], tokens[other]);
    break;
  case 1:
    tokens.erase(tokens.begin() + at);
    break;
  case 2: {
    size_t count = 1 + random() % 8;
    llvm::SmallVector<llvm::StringRef> run(
        llvm::ArrayRef(tokens).slice(at).take_front(count));
    tokens.insert(tokens.begin() + other, run.begin(), run.end());
    break;
  }
  default:
    // The next number from here on.
    while (at + 1 < tokens.size() && !llvm::isDigit(tokens[at][0]))
      ++at;
    tokens[at] = numbers[random() % std::size(numbers)];
  }
  std::string result = llvm::join(tokens, "");
  size_t newSize = std::min(result.size(), maxSize);
  std::memcpy(data, result.data(), newSize);
  return newSize;
}

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_TEXTMUTATOR_H
