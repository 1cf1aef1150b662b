//===- JsonReader.h - Reading of checked JSON -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What readers of JSON files share: each function reports the first fault at
// its place in the file and returns whether there was none.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_JSONREADER_H
#define DIT_SUPPORT_JSONREADER_H

#include "dit/Support/Nesting.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"

#include <cmath>
#include <optional>
#include <string>

namespace mlir::dit {

/// Parses JSON; LLVM's parser has no limit on nesting but the stack.
inline llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text) {
  if (std::optional<NestingFault> fault = findDeepJsonNesting(text))
    return llvm::createStringError("[" + llvm::Twine(fault->line) + ":" +
                                   llvm::Twine(fault->column) + "] " +
                                   fault->text);
  return llvm::json::parse(text);
}

/// Reports a key of `object` that is none of `known`.
inline bool hasOnlyKeys(const llvm::json::Object &object,
                        llvm::ArrayRef<llvm::StringRef> known,
                        llvm::json::Path path) {
  for (const auto &[key, value] : object) {
    if (llvm::is_contained(known, llvm::StringRef(key)))
      continue;
    path.field(key).report("unknown key");
    return false;
  }
  return true;
}

/// The object that `value` has to be.
inline const llvm::json::Object *readObject(const llvm::json::Value &value,
                                            llvm::json::Path path) {
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    path.report("expected object");
  return object;
}

/// The value of `key`, which has to be there.
inline const llvm::json::Value *readField(const llvm::json::Object &object,
                                          llvm::StringRef key,
                                          llvm::json::Path path) {
  const llvm::json::Value *value = object.get(key);
  if (!value)
    path.field(key).report("missing value");
  return value;
}

/// Reads a string that is not empty.
inline bool readName(const llvm::json::Value &value, std::string &result,
                     llvm::json::Path path) {
  if (!llvm::json::fromJSON(value, result, path))
    return false;
  if (!result.empty())
    return true;
  path.report("expected a string that is not empty");
  return false;
}

/// The integer that `value` is, of less than 63 bits. LLVM's conversion is
/// undefined for a number that rounds to 2^63.
inline std::optional<int64_t> getInteger(const llvm::json::Value &value) {
  std::optional<double> number = value.getAsNumber();
  if (!number || !(std::abs(*number) < 0x1p63))
    return std::nullopt;
  return value.getAsInteger();
}

/// Reads the integer that `value` has to be.
inline bool readInteger(const llvm::json::Value &value, int64_t &result,
                        llvm::json::Path path) {
  std::optional<int64_t> integer = getInteger(value);
  if (!integer) {
    path.report("expected integer");
    return false;
  }
  result = *integer;
  return true;
}

/// Reads the integer under `key`, which has to be there.
inline bool readInteger(const llvm::json::Object &object, llvm::StringRef key,
                        int64_t &result, llvm::json::Path path) {
  const llvm::json::Value *value = readField(object, key, path);
  return value && readInteger(*value, result, path.field(key));
}

/// Reads the integers of the array that `value` has to be.
template <typename Container>
bool readIntegers(const llvm::json::Value &value, Container &result,
                  llvm::json::Path path) {
  const llvm::json::Array *array = value.getAsArray();
  if (!array) {
    path.report("expected array");
    return false;
  }
  result.resize(array->size());
  for (auto [index, element] : llvm::enumerate(*array))
    if (!readInteger(element, result[index], path.index(index)))
      return false;
  return true;
}

} // namespace mlir::dit

#endif // DIT_SUPPORT_JSONREADER_H
