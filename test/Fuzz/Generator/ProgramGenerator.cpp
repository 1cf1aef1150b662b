//===- ProgramGenerator.cpp - Random valid programs -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program is a problem, the extents and the type that its attentions share,
// and a few statements over a pool of values of that problem.
//
//===----------------------------------------------------------------------===//

#include "ProgramGenerator.h"
#include "PatternGenerator.h"
#include "ProgramText.h"
#include "TileListGenerator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <algorithm>

using namespace mlir::dit;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// What one attention is made of; what is not given is chosen.
struct AttentionRequest {
  std::optional<GeneratedValue> q, init;
  bool wantsLse = false;
  /// Output and LSE in the default order, for ops that know no other.
  bool plainOrder = false;
  /// Only what an attention can have that has a gradient.
  bool hasGradient = false;
  /// The masks of a pair.
  bool isPair = false;
};

/// What an attention and its gradient share, as text.
struct AttentionParts {
  /// Of q, k, v and the output.
  std::string orders[4];
  llvm::SmallVector<GeneratedValue> inputs;
  /// Bias and masks.
  std::string clauses;
  std::string scale;
  bool stable = true;
  /// Whether heads may be skipped, so that what `outs` holds is seen.
  bool seesOuts = false;
};

struct AttentionValues {
  /// In the order `bhsd`.
  GeneratedValue output;
  std::optional<GeneratedValue> lse;
  AttentionParts parts;
};

class Generator {
public:
  explicit Generator(Choices &choices) : choices(choices) {}

  GeneratedProgram run();

private:
  void chooseProblem();
  void addStatement();
  void addMerge();
  void addPair();
  void addGradient();
  void addGrouping();
  void addElementwise();
  void addLoop();
  void addConditionalReuse();

  AttentionValues addAttention(const AttentionRequest &request);
  AttentionParts chooseParts(const AttentionRequest &request);
  std::string maskClauses(bool &stable);
  std::string pairClauses(bool &seesOuts);
  std::string lengths();
  std::string halfWidths(bool maySkip);
  GeneratedValue bias();
  GeneratedValue attentionInit(const AttentionParts &parts,
                               StringRef initElement,
                               const GeneratedExtents &stored);
  std::string attributes(const AttentionParts &parts);
  GeneratedExtents getStored(const GeneratedExtents &canonical,
                             StringRef order);
  std::string order(const GeneratedExtents &canonical);
  GeneratedValue operand(const GeneratedExtents &canonical, StringRef order);
  GeneratedValue transpose(const GeneratedValue &value,
                           const GeneratedExtents &extents,
                           ArrayRef<int64_t> permutation);
  GeneratedValue fromOrder(const GeneratedValue &value, StringRef order,
                           const GeneratedExtents &canonical);
  GeneratedValue binary(StringRef name, const GeneratedValue &lhs,
                        const GeneratedValue &rhs);
  /// A value of the pool with these extents, or a new argument.
  GeneratedValue pick(const GeneratedExtents &extents);
  void publish(const GeneratedValue &value);
  void leaveScope(ArrayRef<GeneratedValue> outer);

  GeneratedExtents queries() const { return {batch, heads, rows, headSize}; }
  GeneratedExtents keys() const { return {batch, kvHeads, columns, headSize}; }
  GeneratedExtents values() const {
    return {batch, kvHeads, columns, valueSize};
  }
  GeneratedExtents outputs() const { return {batch, heads, rows, valueSize}; }

  Choices &choices;
  ProgramText text;
  std::string element, accumulator;
  GeneratedExtent batch, heads, kvHeads, rows, columns, headSize, valueSize;
  /// Values in the order `bhsd`.
  llvm::SmallVector<GeneratedValue> pool;
  unsigned numSites = 0;
};

} // namespace

/// Bounds for a chain of a few ops, each of which may round once more than the
/// other target does.
static double getTolerance(StringRef element) {
  return llvm::StringSwitch<double>(element)
      .Case("f64", 1e-9)
      .Case("f32", 1e-4)
      .Case("f16", 1e-2)
      .Case("bf16", 6e-2)
      .Default(0.0);
}

void Generator::chooseProblem() {
  element = choices.oneOf({"f32", "bf16", "f16", "f64"});
  accumulator = element == "f64" ? "f64" : "f32";
  batch = {choices.between(1, 3), choices.once(4)};
  kvHeads = {choices.between(1, 3)};
  heads = {kvHeads.size * choices.between(1, 3)};
  rows = {choices.oneOf<int64_t>({1, 2, 5, 7, 8, 12, 17, 24, 33, 40}),
          choices.once(4)};
  columns = rows;
  if (choices.once(3))
    columns = {choices.oneOf<int64_t>({1, 3, 4, 8, 13, 16, 31, 65}),
               choices.once(4)};
  headSize = {choices.oneOf<int64_t>({1, 3, 4, 8, 16, 20, 32})};
  valueSize = headSize;
  if (choices.once(4))
    valueSize = {choices.oneOf<int64_t>({1, 2, 8, 24})};
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

GeneratedValue Generator::pick(const GeneratedExtents &extents) {
  llvm::SmallVector<GeneratedValue> fitting;
  llvm::copy_if(pool, std::back_inserter(fitting),
                [&](const auto &value) { return value.extents == extents; });
  if (!fitting.empty() && choices.once(2))
    return fitting[choices.below(fitting.size())];
  GeneratedValue value = text.argument(element, extents);
  pool.push_back(value);
  return value;
}

/// A dimension order in which an operand of these extents can be stored.
std::string Generator::order(const GeneratedExtents &canonical) {
  std::string letters;
  for (auto [letter, extent] : llvm::zip(StringRef("bhsd"), canonical))
    if (extent.size != 1 || extent.dynamic || letter == 's' || letter == 'd' ||
        !choices.once(3))
      letters += letter;
  if (choices.once(2))
    for (size_t i = letters.size(); i > 1; --i)
      std::swap(letters[i - 1], letters[choices.below(i)]);
  return letters;
}

static llvm::SmallVector<int64_t> getPositions(StringRef order) {
  llvm::SmallVector<int64_t> positions;
  for (char letter : order)
    positions.push_back(StringRef("bhsd").find(letter));
  return positions;
}

GeneratedValue Generator::transpose(const GeneratedValue &value,
                                    const GeneratedExtents &extents,
                                    ArrayRef<int64_t> permutation) {
  GeneratedValue init = text.empty(value.element, extents);
  GeneratedValue result = text.fresh(value.element, extents);
  result.stable = value.stable;
  std::string list = llvm::join(
      llvm::map_range(permutation, [](int64_t d) { return std::to_string(d); }),
      ", ");
  text.line(result.name + " = linalg.transpose ins(" + value.name + " : " +
            value.getType() + ") outs(" + init.name + " : " + init.getType() +
            ") permutation = [" + list + "]");
  return result;
}

/// An operand stored in `order`, as an argument or as a transpose of a value.
GeneratedValue Generator::operand(const GeneratedExtents &canonical,
                                  StringRef order) {
  GeneratedExtents stored;
  llvm::SmallVector<int64_t> positions = getPositions(order);
  for (int64_t position : positions)
    stored.push_back(canonical[position]);
  if (order.size() < 4 || (order != "bhsd" && choices.once(2)))
    return text.argument(element, stored);
  GeneratedValue value = pick(canonical);
  return order == "bhsd" ? value : transpose(value, stored, positions);
}

/// `value`, stored in `order`, in the order `bhsd`.
GeneratedValue Generator::fromOrder(const GeneratedValue &value,
                                    StringRef order,
                                    const GeneratedExtents &canonical) {
  if (order == "bhsd")
    return value;
  assert(order.size() == 4 && "only a full order can be undone");
  llvm::SmallVector<int64_t> inverse(4);
  for (auto [i, position] : llvm::enumerate(getPositions(order)))
    inverse[position] = i;
  return transpose(value, canonical, inverse);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

GeneratedValue Generator::bias() {
  GeneratedExtents extents = {batch, heads, rows, columns};
  int64_t count = 1;
  for (GeneratedExtent &extent : extents) {
    if (choices.once(2))
      extent = {1};
    count *= extent.size;
  }
  std::string type = choices.once(2) ? accumulator : element;
  bool isStatic = llvm::none_of(
      extents, [](GeneratedExtent extent) { return extent.dynamic; });
  if (type == "bf16" || type == "f16" || !isStatic || count > 128)
    return text.argument(type, extents);
  // Rows without a finite score, and scores that only just are.
  std::string infinity = type == "f64" ? "0xFFF0000000000000" : "0xFF800000";
  std::string lowest = type == "f64" ? "0xFFEFFFFFFFFFFFFF" : "0xFF7FFFFF";
  return text.constant(type, extents, formatDense(extents, [&]() {
                         switch (choices.below(5)) {
                         case 0:
                           return std::string("0.0");
                         case 1:
                           return infinity;
                         case 2:
                           return lowest;
                         default:
                           return choices.once(2) ? std::string("1.5")
                                                  : std::string("-2.0");
                         }
                       }));
}

/// Pattern, tile list and lengths; what follows the inputs of an attention.
std::string Generator::maskClauses(bool &stable) {
  std::string clauses;
  PatternGenerator patterns(choices);
  if (choices.once(2))
    clauses += " pattern(" + patterns.generate(rows.size, columns.size) + ")";
  if (choices.once(3)) {
    TileListGenerator lists(choices, text, batch, heads);
    GeneratedTileList list = lists.generate(rows, columns);
    stable &= list.num.stable;
    clauses += " tiles(" + joinTyped({list.num, list.idx}) + ") by [" +
               std::to_string(list.queryTile) + ", " +
               std::to_string(list.keyTile) + "]";
  }
  return clauses + lengths();
}

std::string Generator::lengths() {
  if (!choices.once(4))
    return "";
  GeneratedValue valid = text.argument("i32", {batch}, columns.size);
  return " kv_valid(" + joinTyped({valid}) + ")";
}

/// Two patterns, or bands beside the second one.
std::string Generator::pairClauses(bool &seesOuts) {
  PatternGenerator patterns(choices);
  auto clause = [&](StringRef name) {
    return (" " + name + "(" + patterns.generate(rows.size, columns.size) + ")")
        .str();
  };
  bool bands = choices.once(2);
  std::string clauses;
  if (!bands && choices.once(2))
    clauses += clause("pattern");
  if (!bands || choices.once(2))
    clauses += clause("within");
  clauses += lengths();
  if (!bands)
    return clauses;
  seesOuts = true;
  return clauses + halfWidths(/*maySkip=*/true);
}

/// Bands of heads. A head that is skipped keeps what `outs` holds, which then
/// has to be known.
std::string Generator::halfWidths(bool maySkip) {
  GeneratedValue widths =
      maySkip && choices.once(2)
          ? text.argument("i32", {heads}, columns.size, /*lowest=*/-1)
          : text.constant("i32", {heads}, formatDense({heads}, [&]() {
                            int64_t width = choices.between(-1, 9);
                            return std::to_string(
                                width == 0 && !maySkip ? -1 : width);
                          }));
  return " half_widths(" + joinTyped({widths}) + ")";
}

AttentionParts Generator::chooseParts(const AttentionRequest &request) {
  AttentionParts parts;
  parts.orders[0] = request.q ? "bhsd" : order(queries());
  parts.orders[1] = order(keys());
  parts.orders[2] = order(values());
  parts.orders[3] =
      request.plainOrder || request.init ? "bhsd" : order(outputs());
  // Only a full order of the output is undone for later ops.
  if (parts.orders[3].size() < 4)
    parts.orders[3] = "bhsd";
  parts.inputs = {request.q ? *request.q : operand(queries(), parts.orders[0]),
                  operand(keys(), parts.orders[1]),
                  operand(values(), parts.orders[2])};
  parts.stable =
      llvm::all_of(parts.inputs, [](auto &input) { return input.stable; });
  if (choices.once(3))
    parts.clauses += " bias(" + joinTyped({bias()}) + ")";
  parts.clauses +=
      request.isPair ? pairClauses(parts.seesOuts) : maskClauses(parts.stable);
  if (!request.hasGradient && choices.once(5)) {
    parts.seesOuts = !request.init;
    parts.clauses += halfWidths(/*maySkip=*/parts.seesOuts);
  }
  parts.scale = "scale = ";
  parts.scale +=
      choices.oneOf({"0.25", "1.0", "0.17677669529663687", "-0.5", "0.0"});
  parts.scale += " : f64";
  return parts;
}

std::string Generator::attributes(const AttentionParts &parts) {
  std::string result = "{" + parts.scale;
  if (choices.once(2))
    result += ", site = \"attn" + std::to_string(numSites++) + "\"";
  if (choices.once(4))
    result += ", kind = #dit.kind<" +
              std::string(choices.oneOf({"self", "full", "cross"})) +
              ">, layer = 3";
  if (choices.once(4))
    result += ", grid = " + PatternGenerator(choices).generateGrid(rows.size);
  for (auto [name, order] : llvm::zip(StringRef("qkvo"), parts.orders))
    if (order != "bhsd" || choices.once(8))
      result +=
          (", " + Twine(name) + "_order = #dit.order<" + order + ">").str();
  return result + "}";
}

GeneratedExtents Generator::getStored(const GeneratedExtents &canonical,
                                      StringRef order) {
  GeneratedExtents stored;
  for (int64_t position : getPositions(order))
    stored.push_back(canonical[position]);
  return stored;
}

/// What a result of these extents is written to.
GeneratedValue Generator::attentionInit(const AttentionParts &parts,
                                        StringRef initElement,
                                        const GeneratedExtents &stored) {
  if (initElement == element && choices.once(2))
    return text.argument(element, stored);
  return parts.seesOuts ? text.zeros(initElement, stored)
                        : text.empty(initElement, stored);
}

AttentionValues Generator::addAttention(const AttentionRequest &request) {
  AttentionParts parts = chooseParts(request);
  GeneratedExtents stored = getStored(outputs(), parts.orders[3]);
  llvm::SmallVector<GeneratedValue> inits = {
      request.init ? *request.init : attentionInit(parts, element, stored)};
  if (request.wantsLse)
    inits.push_back(attentionInit(parts, accumulator, {batch, heads, rows}));
  llvm::SmallVector<GeneratedValue> results;
  for (const GeneratedValue &init : inits) {
    results.push_back(text.fresh(init.element, init.extents));
    results.back().stable = parts.stable;
  }
  text.line(joinNames(results) + " = dit.attention ins(" +
            joinTyped(parts.inputs) + ")" + parts.clauses + " outs(" +
            joinTyped(inits) + ") " + attributes(parts));
  AttentionValues produced{
      fromOrder(results[0], parts.orders[3], outputs()), {}, {}};
  if (request.wantsLse)
    produced.lse = results[1];
  produced.parts = std::move(parts);
  return produced;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

void Generator::publish(const GeneratedValue &value) {
  if (value.extents.size() == 4 && value.element == element)
    pool.push_back(value);
  text.result(value, getTolerance(element));
}

/// Forgets what was defined since the pool was `outer`, but for arguments.
void Generator::leaveScope(ArrayRef<GeneratedValue> outer) {
  text.leaveRegion();
  llvm::erase_if(pool, [&](const GeneratedValue &value) {
    return !StringRef(value.name).starts_with("%a") &&
           llvm::none_of(outer, [&](const GeneratedValue &known) {
             return known.name == value.name;
           });
  });
}

void Generator::addMerge() {
  AttentionRequest request;
  request.wantsLse = request.plainOrder = true;
  AttentionValues first = addAttention(request), second = addAttention(request);
  GeneratedValue output = text.empty(element, outputs());
  GeneratedValue lse = text.empty(accumulator, first.lse->extents);
  GeneratedValue results[] = {text.fresh(element, outputs()),
                              text.fresh(accumulator, lse.extents)};
  for (GeneratedValue &result : results)
    result.stable = first.output.stable && second.output.stable;
  text.line(joinNames(results) + " = dit.attention_merge ins((" +
            joinNames({first.output, *first.lse}) + "), (" +
            joinNames({second.output, *second.lse}) +
            ") : " + first.output.getType() + ", " + first.lse->getType() +
            ", " + second.output.getType() + ", " + second.lse->getType() +
            ") outs(" + joinTyped({output, lse}) + ")");
  publish(results[0]);
  publish(results[1]);
}

/// Two attentions that share their scores.
void Generator::addPair() {
  AttentionRequest request;
  request.hasGradient = request.isPair = true;
  AttentionParts parts = chooseParts(request);
  std::string innerOrder = order(outputs());
  if (innerOrder.size() < 4)
    innerOrder = "bhsd";
  llvm::SmallVector<GeneratedValue> inits, results;
  for (StringRef stored : {StringRef(parts.orders[3]), StringRef(innerOrder)}) {
    inits.push_back(
        attentionInit(parts, element, getStored(outputs(), stored)));
    results.push_back(text.fresh(element, inits.back().extents));
    results.back().stable = parts.stable;
  }
  std::string attributes = "{" + parts.scale;
  for (auto [name, order] : llvm::zip(StringRef("qkvo"), parts.orders))
    attributes +=
        (", " + Twine(name) + "_order = #dit.order<" + order + ">").str();
  text.line(joinNames(results) + " = dit.attention_pair ins(" +
            joinTyped(parts.inputs) + ")" + parts.clauses + " outs(" +
            joinTyped(inits) + ") " + attributes +
            ", inner_order = #dit.order<" + innerOrder + ">}");
  publish(fromOrder(results[0], parts.orders[3], outputs()));
  publish(fromOrder(results[1], innerOrder, outputs()));
}

/// An attention and its gradient. The output is an argument, so that the sum of
/// its products with the gradient is exact: what the attention gives would
/// leave differences of almost equal numbers.
void Generator::addGradient() {
  AttentionRequest request;
  request.wantsLse = request.hasGradient = true;
  AttentionValues forward = addAttention(request);
  publish(forward.output);
  const AttentionParts &parts = forward.parts;
  llvm::SmallVector<GeneratedValue> inputs = parts.inputs;
  std::string doOrder = order(outputs());
  inputs.push_back(
      text.argument(element, getStored(outputs(), parts.orders[3])));
  inputs.push_back(*forward.lse);
  inputs.push_back(text.argument(element, getStored(outputs(), doOrder)));
  std::string attributes = "{" + parts.scale;
  auto addOrder = [&](StringRef name, StringRef order) {
    attributes += (", " + name + "_order = #dit.order<" + order + ">").str();
  };
  for (auto [name, order] : llvm::zip(StringRef("qkvo"), parts.orders))
    addOrder(StringRef(&name, 1), order);
  addOrder("do", doOrder);
  llvm::SmallVector<GeneratedValue> inits, results;
  for (auto [name, extents] : {std::pair(StringRef("dq"), queries()),
                               std::pair(StringRef("dk"), keys()),
                               std::pair(StringRef("dv"), values())}) {
    std::string chosen = order(extents);
    addOrder(name, chosen);
    inits.push_back(text.empty(element, getStored(extents, chosen)));
    results.push_back(text.fresh(element, inits.back().extents));
    results.back().stable = parts.stable;
  }
  text.line(joinNames(results) + " = dit.attention_backward ins(" +
            joinTyped(inputs) + ")" + parts.clauses + " outs(" +
            joinTyped(inits) + ") " + attributes + "}");
  // Gradients grow too large to be operands of later attentions.
  for (const GeneratedValue &result : results)
    text.result(result, getTolerance(element));
}

void Generator::addGrouping() {
  GeneratedValue value = pick(queries());
  PatternGenerator patterns(choices);
  StringRef grid = "grid ", name = choices.once(2) ? "group" : "ungroup";
  std::string clauses = " dim 2 " +
                        (grid + patterns.generateGridBody(rows.size)).str() +
                        " cube [" + std::to_string(choices.between(1, 3)) +
                        ", " + std::to_string(choices.between(1, 4)) + ", " +
                        std::to_string(choices.between(1, 5)) + "]";
  auto permute = [&](StringRef direction, const GeneratedValue &input) {
    GeneratedValue init = text.empty(element, input.extents);
    GeneratedValue result = text.fresh(element, input.extents);
    result.stable = input.stable;
    text.line(result.name + " = dit." + direction + "_tokens ins(" +
              joinTyped({input}) + ")" + clauses + " outs(" +
              joinTyped({init}) + ")");
    return result;
  };
  GeneratedValue grouped = permute(name, value);
  publish(grouped);
  if (choices.once(3))
    publish(permute(name == "group" ? "ungroup" : "group", grouped));
}

GeneratedValue Generator::binary(StringRef name, const GeneratedValue &lhs,
                                 const GeneratedValue &rhs) {
  GeneratedValue init = text.empty(element, lhs.extents);
  GeneratedValue result = text.fresh(element, lhs.extents);
  result.stable = lhs.stable && rhs.stable;
  text.line(result.name + " = linalg." + name + " ins(" +
            joinTyped({lhs, rhs}) + ") outs(" + joinTyped({init}) + ") -> " +
            init.getType());
  return result;
}

void Generator::addElementwise() {
  GeneratedValue lhs = pick(queries()), rhs = pick(queries());
  publish(binary(choices.oneOf({"add", "sub", "max"}), lhs, rhs));
}

/// A step loop with a branch that some steps reuse.
void Generator::addLoop() {
  if (!(valueSize == headSize))
    return addElementwise();
  GeneratedValue start = pick(queries());
  GeneratedValue cache =
      choices.once(2) ? text.zeros(element, queries()) : pick(queries());
  auto make = [&] { return text.fresh(element, queries()); };
  GeneratedValue x = make(), state = make(), y = make(), kept = make();
  GeneratedValue destination = make(), results[] = {make(), make()};
  std::string type = x.getType(), both = type + ", " + type;
  std::string step = "%i" + results[0].name.substr(2), on = step + "on";
  std::string schedule;
  for (int64_t i = 0, e = choices.between(1, 4); i < e; ++i)
    schedule += choices.once(2) ? '1' : '0';
  llvm::SmallVector<GeneratedValue> outer = pool;
  text.enterRegion();
  std::string zero = text.index(0), one = text.index(1),
              last = text.index(choices.between(0, 3));
  text.line(joinNames(results) + " = scf.for " + step + " = " + zero + " to " +
            last + " step " + one + " iter_args(" + x.name + " = " +
            start.name + ", " + state.name + " = " + cache.name + ") -> (" +
            both + ") {");
  text.line(on + " = dit.scheduled " + step + ", #dit.schedule<\"" + schedule +
            "\">");
  text.line(joinNames({y, kept}) + " = dit.reuse compute(" + on + ") state(" +
            joinTyped({state}) + ") {");
  text.line("^bb0(" + destination.name + ": " + type + "):");
  AttentionRequest request;
  request.q = x;
  if (choices.once(2))
    request.init = destination;
  GeneratedValue output = addAttention(request).output;
  text.line("dit.yield " + joinTyped({output, output}));
  if (choices.once(3)) {
    GeneratedValue old = make();
    text.line("} otherwise {");
    text.line("^bb0(" + old.name + ": " + type + "):");
    text.line("dit.yield " + joinTyped({binary("add", old, x)}));
  }
  text.line("} -> " + both);
  GeneratedValue next = binary("sub", x, y);
  text.line("scf.yield " + joinTyped({next, kept}));
  text.line("}");
  leaveScope(outer);
  for (GeneratedValue &result : results) {
    result.stable = start.stable && cache.stable && output.stable;
    publish(result);
  }
}

void Generator::addConditionalReuse() {
  GeneratedValue state = pick(outputs()),
                 destination = text.fresh(element, outputs());
  GeneratedValue results[] = {text.fresh(element, outputs()),
                              text.fresh(element, outputs())};
  std::string on = "%on" + results[0].name.substr(2);
  text.line(on + " = dit.scheduled " + text.index(choices.between(0, 4)) +
            ", #dit.schedule<\"" + choices.oneOf({"101", "1", "0110"}) + "\">");
  llvm::SmallVector<GeneratedValue> outer = pool;
  text.enterRegion();
  text.line(joinNames(results) + " = dit.reuse compute(" + on + ") state(" +
            joinTyped({state}) + ") {");
  text.line("^bb0(" + destination.name + ": " + state.getType() + "):");
  GeneratedValue output = addAttention(AttentionRequest()).output;
  text.line("dit.yield " + joinTyped({output, output}));
  text.line("} -> " + state.getType() + ", " + state.getType());
  leaveScope(outer);
  for (GeneratedValue &result : results) {
    result.stable = state.stable && output.stable;
    publish(result);
  }
}

void Generator::addStatement() {
  switch (choices.below(11)) {
  case 8:
  case 9:
    return addGradient();
  case 10:
    return addPair();
  case 0:
    return addMerge();
  case 1:
    return addGrouping();
  case 2:
    return addElementwise();
  case 3:
    return addLoop();
  case 4:
    return addConditionalReuse();
  default:
    AttentionRequest request;
    request.wantsLse = choices.once(3);
    AttentionValues produced = addAttention(request);
    publish(produced.output);
    if (produced.lse)
      publish(*produced.lse);
  }
}

GeneratedProgram Generator::run() {
  chooseProblem();
  for (int64_t i = 0, e = choices.between(1, 4); i < e; ++i)
    addStatement();
  return text.finish();
}

GeneratedProgram mlir::dit::generateProgram(Choices &choices) {
  return Generator(choices).run();
}
