//===- ProfileLayout.cpp - What an instrumented program gives -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes layouts, and puts values into them.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/ProfileLayout.h"
#include "PlanFormats.h"

#include "dit/Support/JsonReader.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::dit;
namespace json = llvm::json;

std::string mlir::dit::writeProfileLayout(const Profile &profile) {
  std::string text;
  llvm::raw_string_ostream os(text);
  json::OStream json(os);
  json.object([&] {
    writeMeasurements(
        profile,
        [&](const Measurement &entry) {
          json.attribute("shape", json::Array{entry.getNumSteps(), entry.heads,
                                              entry.ages});
        },
        json);
  });
  return text;
}

static llvm::Error makeError(const Twine &text) {
  return llvm::createStringError("the profile of the program: " + text);
}

/// The values of a quantity as a file has them, in as few dimensions as it can.
static json::Value nest(ArrayRef<double> values, ArrayRef<int64_t> shape) {
  json::Array steps;
  for (int64_t step = 0; step < shape[0]; ++step) {
    json::Array heads;
    for (int64_t head = 0; head < shape[1]; ++head) {
      ArrayRef<double> ages =
          values.slice((step * shape[1] + head) * shape[2], shape[2]);
      heads.push_back(shape[2] == 1 ? json::Value(ages.front())
                                    : json::Value(json::Array(ages)));
    }
    steps.push_back(shape[1] == 1 && shape[2] == 1
                        ? std::move(heads.front())
                        : json::Value(std::move(heads)));
  }
  return steps;
}

/// Replaces the shape of `entry` by the first values of `rest`.
static llvm::Error fill(json::Object &entry, ArrayRef<double> &rest) {
  SmallVector<int64_t> shape;
  if (json::Array *extents = entry.getArray("shape"))
    for (const json::Value &extent : *extents)
      shape.push_back(extent.getAsInteger().value_or(0));
  if (shape.size() != 3 || llvm::any_of(shape, [](int64_t extent) {
        return extent < 1 || extent > kMaxSteps;
      }))
    return makeError("expected a shape of three positive extents");
  size_t count = shape[0] * shape[1] * shape[2];
  if (count > rest.size())
    return makeError("expected more values than it has");
  for (double value : rest.take_front(count))
    if (!std::isfinite(value))
      return makeError("a " + entry.getString("metric").value_or("value") +
                       " of site '" + entry.getString("site").value_or("") +
                       "' is not finite");
  entry["values"] = nest(rest.take_front(count), shape);
  entry.erase("shape");
  rest = rest.drop_front(count);
  return llvm::Error::success();
}

llvm::Expected<std::string>
mlir::dit::fillProfileLayout(StringRef layout, ArrayRef<double> values) {
  llvm::Expected<json::Value> root = parseJson(layout);
  if (!root)
    return root.takeError();
  json::Object *object = root->getAsObject();
  json::Array *measured = object ? object->getArray("measured") : nullptr;
  if (!measured)
    return makeError("expected a layout with the array measured");
  ArrayRef<double> rest = values;
  for (json::Value &value : *measured) {
    json::Object *entry = value.getAsObject();
    if (!entry)
      return makeError("expected an object for each quantity");
    if (llvm::Error error = fill(*entry, rest))
      return std::move(error);
  }
  if (!rest.empty())
    return makeError("expected " + Twine(values.size() - rest.size()) +
                     " values, got " + Twine(values.size()));
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:1}\n", *root);
  return text;
}
