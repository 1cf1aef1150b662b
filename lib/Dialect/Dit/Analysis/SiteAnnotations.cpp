//===- SiteAnnotations.cpp - The annotation file of sites -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/SiteAnnotations.h"

#include "dit/Support/JsonReader.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::dit;

namespace json = llvm::json;

static bool readKind(const json::Value &value, std::optional<BranchKind> &kind,
                     json::Path path) {
  std::string name;
  if (!json::fromJSON(value, name, path))
    return false;
  kind = symbolizeBranchKind(name);
  if (kind)
    return true;
  path.report(
      "expected one of self, full, spatial, temporal, cross, joint, mlp");
  return false;
}

bool mlir::dit::readGrid(MLIRContext *context, const json::Value &value,
                         GridAttr &grid, json::Path path) {
  const json::Object *object = readObject(value, path);
  if (!object)
    return false;
  int64_t frames = 0, height = 0, width = 0, text = 0;
  bool textFirst = false;
  json::ObjectMapper mapper(value, path);
  if (!hasOnlyKeys(*object, {"frames", "height", "width", "text", "text_first"},
                   path) ||
      !readInteger(*object, "frames", frames, path) ||
      !readInteger(*object, "height", height, path) ||
      !readInteger(*object, "width", width, path) ||
      (object->get("text") && !readInteger(*object, "text", text, path)) ||
      !mapper.mapOptional("text_first", textFirst))
    return false;
  if (textFirst && text == 0)
    textFirst = false;
  ScopedDiagnosticHandler silence(context,
                                  [](Diagnostic &) { return success(); });
  grid = GridAttr::getChecked(UnknownLoc::get(context), context, frames, height,
                              width, text, textFirst);
  if (grid)
    return true;
  path.report("expected positive frames, height and width and no negative "
              "text, none above 1048576");
  return false;
}

static bool readSite(MLIRContext *context, const json::Value &value,
                     SiteAnnotation &result, json::Path path) {
  const json::Object *object = readObject(value, path);
  if (!object ||
      !hasOnlyKeys(*object, {"site", "name", "kind", "layer", "grid"}, path))
    return false;
  const json::Value *site = readField(*object, "site", path);
  if (!site || !readName(*site, result.site, path.field("site")))
    return false;
  if (const json::Value *name = object->get("name");
      name && !readName(*name, result.name.emplace(), path.field("name")))
    return false;
  if (const json::Value *kind = object->get("kind");
      kind && !readKind(*kind, result.kind, path.field("kind")))
    return false;
  if (object->get("layer") &&
      !readInteger(*object, "layer", result.layer.emplace(), path))
    return false;
  const json::Value *grid = object->get("grid");
  return !grid || readGrid(context, *grid, result.grid, path.field("grid"));
}

static bool readSites(MLIRContext *context, const json::Value &value,
                      SmallVectorImpl<SiteAnnotation> &annotations,
                      json::Path path) {
  const json::Object *object = value.getAsObject();
  const json::Array *sites = object ? object->getArray("sites") : nullptr;
  if (!sites) {
    path.report("expected an object with an array \"sites\"");
    return false;
  }
  if (!hasOnlyKeys(*object, {"sites"}, path))
    return false;
  llvm::StringSet<> seen;
  // A path refers to the one it was made from.
  json::Path list = path.field("sites");
  for (auto [index, site] : llvm::enumerate(*sites)) {
    json::Path place = list.index(index);
    SiteAnnotation annotation;
    if (!readSite(context, site, annotation, place))
      return false;
    if (!seen.insert(annotation.site).second) {
      place.field("site").report("site is annotated twice");
      return false;
    }
    annotations.push_back(std::move(annotation));
  }
  return true;
}

llvm::Expected<SmallVector<SiteAnnotation>>
mlir::dit::parseSiteAnnotations(MLIRContext *context, StringRef text) {
  // Grids are attributes.
  context->getOrLoadDialect<DitDialect>();
  llvm::Expected<json::Value> value = parseJson(text);
  if (!value)
    return value.takeError();
  json::Path::Root root("annotations");
  SmallVector<SiteAnnotation> annotations;
  if (!readSites(context, *value, annotations, root))
    return root.getError();
  return annotations;
}

std::optional<AttentionKind> mlir::dit::getKindOnGrid(GridAttr grid) {
  if (grid.getText() > 0)
    return AttentionKind::Joint;
  // One frame is an image as well as a frame of a video.
  if (grid.getFrames() == 1)
    return std::nullopt;
  return grid.getHeight() * grid.getWidth() == 1 ? AttentionKind::Temporal
                                                 : AttentionKind::Full;
}
