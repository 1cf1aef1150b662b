//===- ProgramText.cpp - Text of a program in the making ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramText.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir::dit;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

static constexpr size_t kMaxResults = 6;

std::string GeneratedValue::getType() const {
  std::string text = "tensor<";
  for (GeneratedExtent extent : extents)
    text += (extent.dynamic ? "?" : std::to_string(extent.size)) + "x";
  return text + element + ">";
}

template <typename Range, typename Fn>
static std::string joinMapped(const Range &values, Fn getText) {
  std::string text;
  for (const GeneratedValue &value : values)
    text += (text.empty() ? "" : ", ") + getText(value);
  return text;
}

static std::string joinTypes(ArrayRef<GeneratedValue> values) {
  return joinMapped(values, [](const auto &value) { return value.getType(); });
}

std::string mlir::dit::joinNames(ArrayRef<GeneratedValue> values) {
  return joinMapped(values, [](const auto &value) { return value.name; });
}

std::string mlir::dit::joinTyped(ArrayRef<GeneratedValue> values) {
  return joinNames(values) + " : " + joinTypes(values);
}

std::string
mlir::dit::formatDense(ArrayRef<GeneratedExtent> extents,
                       llvm::function_ref<std::string()> getElement) {
  if (extents.empty())
    return getElement();
  std::string text = "[";
  for (int64_t i = 0; i < extents.front().size; ++i)
    text += (i ? ", " : "") + formatDense(extents.drop_front(), getElement);
  return text + "]";
}

GeneratedValue ProgramText::fresh(StringRef element,
                                  const GeneratedExtents &extents) {
  return {"%v" + std::to_string(numValues++), element.str(), extents};
}

GeneratedValue ProgramText::argument(StringRef element,
                                     const GeneratedExtents &extents,
                                     int64_t limit, int64_t lowest) {
  GeneratedValue value = fresh(element, extents);
  value.name = "%a" + std::to_string(arguments.size());
  GeneratedInput input{element.str(), {}, limit, lowest};
  for (auto [d, extent] : llvm::enumerate(extents)) {
    input.shape.push_back(extent.size);
    if (!extent.dynamic || dimensions.count(extent.size))
      continue;
    std::string name = "%d" + std::to_string(extent.size);
    dimensions[extent.size] = name;
    prologue += ("  " + Twine(name) + " = tensor.dim " + value.name + ", " +
                 index(d) + " : " + value.getType() + "\n")
                    .str();
  }
  arguments.push_back(value);
  program.inputs.push_back(std::move(input));
  return value;
}

std::string ProgramText::index(int64_t value) {
  std::string &name = indices[value];
  if (name.empty()) {
    name = "%c" + std::to_string(value);
    prologue += "  " + name + " = arith.constant " + std::to_string(value) +
                " : index\n";
  }
  return name;
}

std::string ProgramText::size(int64_t size) {
  auto it = dimensions.find(size);
  return it == dimensions.end() ? index(size) : it->second;
}

GeneratedValue ProgramText::constant(StringRef element,
                                     const GeneratedExtents &extents,
                                     const Twine &text) {
  GeneratedValue value = fresh(element, extents);
  line(value.name + " = arith.constant dense<" + text +
       "> : " + value.getType());
  return value;
}

GeneratedValue ProgramText::empty(StringRef element,
                                  const GeneratedExtents &extents) {
  GeneratedValue value = fresh(element, extents);
  std::string sizes;
  for (GeneratedExtent extent : extents)
    if (extent.dynamic)
      sizes += (sizes.empty() ? "" : ", ") + size(extent.size);
  line(value.name + " = tensor.empty(" + sizes + ") : " + value.getType());
  return value;
}

GeneratedValue ProgramText::zeros(StringRef element,
                                  const GeneratedExtents &extents) {
  GeneratedValue init = empty(element, extents);
  GeneratedValue zero = fresh(element, {}), value = fresh(element, extents);
  line(zero.name + " = arith.constant " +
       (element.starts_with("i") ? "0" : "0.0") + " : " + element);
  line(value.name + " = linalg.fill ins(" + zero.name + " : " + element +
       ") outs(" + init.name + " : " + init.getType() + ") -> " +
       init.getType());
  return value;
}

void ProgramText::result(const GeneratedValue &value, double tolerance) {
  if (depth > 0 || results.size() == kMaxResults)
    return;
  results.push_back(value);
  program.results.push_back({value.element, tolerance, value.stable});
}

GeneratedProgram ProgramText::finish() {
  std::string parameters = joinMapped(arguments, [](const auto &value) {
    return value.name + ": " + value.getType();
  });
  program.text = "func.func @main(" + parameters + ")";
  if (!results.empty())
    program.text += " -> (" + joinTypes(results) + ")";
  program.text += " {\n" + prologue + body + "  return";
  if (!results.empty())
    program.text += " " + joinTyped(results);
  program.text += "\n}\n";
  return std::move(program);
}
