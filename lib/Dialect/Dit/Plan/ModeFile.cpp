//===- ModeFile.cpp - Modes in JSON ---------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mode as the files of plans and of profiles have it.
//
//===----------------------------------------------------------------------===//

#include "PlanFormats.h"

#include "dit/Support/JsonReader.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

static bool readMask(PlanFile &file, const json::Object &object, Mode &mode,
                     json::Path path) {
  const json::Value *value = readField(object, "width", path);
  if (!value)
    return false;
  json::Path place = path.field("width");
  if (const json::Array *widths = value->getAsArray();
      widths && mode.kind == ModeKind::Window) {
    mode.inGrid = true;
    if (widths->size() != 3)
      return report(file, place, "expected frames, height and width");
    for (auto [index, width] : llvm::enumerate(*widths))
      if (!readInteger(width, mode.width[index], place.index(index)))
        return false;
  } else if (!readInteger(*value, mode.width[0], place)) {
    return false;
  }
  const json::Value *byPlace = object.get("by_place");
  if (byPlace &&
      !json::fromJSON(*byPlace, mode.byPlace, path.field("by_place")))
    return false;
  return !(mode.byPlace && mode.inGrid) ||
         report(file, path.field("by_place"),
                "expected an order of tokens for one width only");
}

static bool readAmount(PlanFile &file, const json::Object &object, Mode &mode,
                       json::Path path) {
  const json::Value *fraction = object.get("fraction");
  const json::Value *mass = object.get("mass");
  if (!fraction == !mass)
    return report(file, path, "expected either \"fraction\" or \"mass\"");
  mode.ofMass = mass;
  return json::fromJSON(mass ? *mass : *fraction, mode.amount,
                        path.field(mass ? "mass" : "fraction"));
}

static bool readSource(PlanFile &file, const json::Object &object, Mode &mode,
                       json::Path path) {
  const json::Value *from = object.get("from");
  if (!from)
    return true;
  json::Path place = path.field("from");
  if (!readInteger(*from, mode.source, place))
    return false;
  return mode.source >= 0 || report(file, place, "expected a step");
}

static bool readModeObject(PlanFile &file, const json::Object &object,
                           Mode &mode, json::Path path) {
  std::string half;
  bool isMask = mode.kind == ModeKind::Window || mode.kind == ModeKind::Arrow;
  SmallVector<StringRef> keys = {"mode", "half"};
  if (isMask)
    keys.append({"width", "by_place", "residual", "from"});
  if (mode.kind == ModeKind::Full)
    keys.append({"residual", "from"});
  if (mode.kind == ModeKind::TopK)
    keys.append({"fraction", "mass"});
  if (mode.kind == ModeKind::Share)
    keys.push_back("from");
  if (!hasOnlyKeys(object, keys, path))
    return false;
  if (const json::Value *value = object.get("half")) {
    if (!json::fromJSON(*value, half, path.field("half")))
      return false;
    if (half != "first" && half != "second")
      return report(file, path.field("half"), "expected first or second");
    mode.part = half == "first" ? BatchPart::First : BatchPart::Second;
  }
  if (const json::Value *value = object.get("residual");
      value && !json::fromJSON(*value, mode.residual, path.field("residual")))
    return false;
  if (object.get("from") && !mode.hasSource())
    return report(file, path.field("from"),
                  "expected the step of a residual or a share only");
  if (isMask && !readMask(file, object, mode, path))
    return false;
  if (mode.kind == ModeKind::TopK && !readAmount(file, object, mode, path))
    return false;
  return readSource(file, object, mode, path);
}

bool mlir::dit::readMode(PlanFile &file, const json::Value &value, Mode &mode,
                         json::Path path) {
  const json::Object *object = value.getAsObject();
  const json::Value *field = object ? readField(*object, "mode", path) : &value;
  if (!field)
    return false;
  json::Path place = object ? path.field("mode") : path;
  std::string name;
  if (!json::fromJSON(*field, name, place))
    return false;
  std::optional<ModeKind> kind =
      llvm::StringSwitch<std::optional<ModeKind>>(name)
          .Case("full", ModeKind::Full)
          .Case("window", ModeKind::Window)
          .Case("arrow", ModeKind::Arrow)
          .Case("topk", ModeKind::TopK)
          .Case("share", ModeKind::Share)
          .Default(std::nullopt);
  if (!kind)
    return report(file, place,
                  "expected full, window, arrow, topk or share, got '" + name +
                      "'");
  mode.kind = *kind;
  // A name alone is an object without other keys.
  static const json::Object none;
  return readModeObject(file, object ? *object : none, mode, path);
}

static StringRef getName(ModeKind kind) {
  switch (kind) {
  case ModeKind::Full:
    return "full";
  case ModeKind::Window:
    return "window";
  case ModeKind::Arrow:
    return "arrow";
  case ModeKind::TopK:
    return "topk";
  case ModeKind::Share:
    return "share";
  }
  llvm_unreachable("all modes are listed");
}

void mlir::dit::writeMode(const Mode &mode, int64_t latest,
                          json::OStream &json) {
  bool writesSource = mode.hasSource() && mode.source != latest;
  bool isMask = mode.kind == ModeKind::Window || mode.kind == ModeKind::Arrow;
  if (!isMask && mode.kind != ModeKind::TopK && mode.part == BatchPart::All &&
      !writesSource)
    return json.value(getName(mode.kind));
  json.object([&] {
    json.attribute("mode", getName(mode.kind));
    if (isMask && mode.inGrid)
      json.attribute("width", json::Array(mode.width));
    else if (isMask)
      json.attribute("width", mode.width[0]);
    if (mode.byPlace)
      json.attribute("by_place", true);
    if (mode.kind == ModeKind::TopK)
      json.attribute(mode.ofMass ? "mass" : "fraction", mode.amount);
    if (mode.residual)
      json.attribute("residual", true);
    if (writesSource)
      json.attribute("from", mode.source);
    if (mode.part != BatchPart::All)
      json.attribute("half",
                     mode.part == BatchPart::First ? "first" : "second");
  });
}
