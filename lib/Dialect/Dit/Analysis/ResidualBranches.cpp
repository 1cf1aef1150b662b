//===- ResidualBranches.cpp - The branches of a residual stream -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An addition joins a branch to a stream when one operand depends on the other,
// or on an earlier value of the same stream, through a contraction. The
// contraction tells it from the additions inside of an activation, such as
// x + 0.04 x^3; the dependence from embeddings and rotations.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/ResidualBranches.h"
#include "dit/Dialect/Dit/Analysis/OpInputs.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Forms of ops
//===----------------------------------------------------------------------===//

/// The value that `value`, of the body of an elementwise op, is but for a
/// change of its float type.
static Value skipCasts(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// The two tensor operands of an elementwise op that yields one `BodyOp` of
/// them, each read as it is or broadcast.
template <typename BodyOp>
static std::optional<std::pair<Value, Value>> matchBinary(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumLoops() != generic.getNumParallelLoops() ||
      generic->getNumResults() != 1)
    return std::nullopt;
  Block *body = generic.getBody();
  auto binary =
      skipCasts(body->getTerminator()->getOperand(0)).getDefiningOp<BodyOp>();
  if (!binary)
    return std::nullopt;
  auto operandOf = [&](Value value) -> Value {
    auto argument = dyn_cast<BlockArgument>(skipCasts(value));
    if (!argument || argument.getOwner() != body ||
        argument.getArgNumber() >= generic.getNumDpsInputs())
      return {};
    return generic.getDpsInputs()[argument.getArgNumber()];
  };
  Value lhs = operandOf(binary.getLhs()), rhs = operandOf(binary.getRhs());
  if (!lhs || !rhs)
    return std::nullopt;
  return std::pair(lhs, rhs);
}

/// The source of a value that only has its elements in other places.
static Value getViewSource(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op))
    return op->getOperand(0);
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return transpose.getInput();
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumLoops() != generic.getNumParallelLoops())
    return {};
  Value yielded = skipCasts(generic.getBody()->getTerminator()->getOperand(0));
  return yielded == generic.getBody()->getArgument(0)
             ? generic.getDpsInputs().front()
             : Value();
}

/// Whether `op` multiplies its inputs along a dimension that it sums up.
static bool isContraction(Operation *op) {
  if (isa<AttentionOp>(op))
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && (linalg::isaContractionOpInterface(linalgOp) ||
                      linalg::isaConvolutionOpInterface(linalgOp));
}

//===----------------------------------------------------------------------===//
// Finder
//===----------------------------------------------------------------------===//

namespace {

/// What lies between a stream and a value that is added to it.
struct Explored {
  /// All ops, in program order, back to values of any stream.
  SmallVector<Operation *> ops;
  /// What depends on a value of a stream; the rest is conditioning.
  DenseSet<Value> dependents;
  /// Whether the stream itself was reached.
  bool reachesStream = false;
  /// Whether a branch that joins the stream somewhere else was reached.
  bool goesAround = false;

  bool dependsOnStream(Value value) const { return dependents.contains(value); }
  bool dependsOnStream(Operation *op) const {
    return llvm::any_of(op->getResults(),
                        [&](Value value) { return dependsOnStream(value); });
  }
};

/// Finds the branches of one block.
class Finder {
public:
  explicit Finder(Block &block) : block(block) {}

  void run();

  std::vector<ResidualBranch> branches;
  SmallVector<UnknownJoin> unknown;

private:
  DenseSet<Value> getStream(Value value);
  Explored explore(Value added, const DenseSet<Value> &stream);
  std::optional<std::pair<BranchJoin, Explored>> matchJoin(Operation *op);
  void addJoin(BranchJoin join, Explored explored);
  std::optional<StringRef> findObstacle(const Explored &explored,
                                        ArrayRef<AttentionOp> attentions);
  void setLayers();
  void setOps(ResidualBranch &branch);

  Block &block;
  /// For each join, the stream before it.
  DenseMap<Operation *, Value> streamOf;
  /// What was explored for each join.
  DenseMap<Operation *, SmallVector<Operation *>> exploredOf;
  /// The index of the branch of an attention, or of the last contraction of an
  /// MLP.
  DenseMap<Operation *, size_t> branchOf;
};

} // namespace

/// What the stream was at `value` and before, with views of it.
DenseSet<Value> Finder::getStream(Value value) {
  DenseSet<Value> stream;
  while (value && stream.insert(value).second) {
    if (Value source = getViewSource(value)) {
      value = source;
      continue;
    }
    Operation *op = value.getDefiningOp();
    value = op ? streamOf.lookup(op) : Value();
  }
  return stream;
}

Explored Finder::explore(Value added, const DenseSet<Value> &stream) {
  Explored explored;
  DenseSet<Operation *> seen;
  SmallVector<Value> worklist = {added};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (stream.contains(value)) {
      explored.reachesStream = true;
      explored.dependents.insert(value);
    } else if (op && streamOf.contains(op)) {
      explored.dependents.insert(value);
      explored.goesAround |= llvm::any_of(
          getStream(value), [&](Value at) { return stream.contains(at); });
    } else if (op && op->getBlock() == &block && seen.insert(op).second) {
      explored.ops.push_back(op);
      llvm::append_range(worklist, getInputs(op));
    }
  }
  llvm::sort(explored.ops, [](Operation *lhs, Operation *rhs) {
    return lhs->isBeforeInBlock(rhs);
  });
  for (Operation *op : explored.ops)
    if (llvm::any_of(getInputs(op), [&](Value input) {
          return explored.dependsOnStream(input);
        }))
      explored.dependents.insert(op->result_begin(), op->result_end());
  return explored;
}

/// Matches the addition of a value to the stream that it depends on through a
/// contraction.
std::optional<std::pair<BranchJoin, Explored>>
Finder::matchJoin(Operation *op) {
  auto operands = matchBinary<arith::AddFOp>(op);
  if (!operands || operands->first.getType() != operands->second.getType())
    return std::nullopt;
  auto [lhs, rhs] = *operands;
  for (auto [stream, added] : {std::pair(lhs, rhs), std::pair(rhs, lhs)}) {
    DenseSet<Value> values = getStream(stream);
    if (values.contains(added))
      continue;
    Explored explored = explore(added, values);
    if (!explored.reachesStream && !explored.goesAround)
      continue;
    if (llvm::any_of(explored.ops, [&](Operation *op) {
          return isContraction(op) && explored.dependsOnStream(op);
        }))
      return std::pair(BranchJoin{op, stream, added, nullptr, added},
                       std::move(explored));
  }
  return std::nullopt;
}

/// Looks for the multiplication of what `join` adds by a value that does not
/// depend on a stream.
static void findGate(BranchJoin &join, const Explored &explored) {
  Value added = join.added;
  while (Value source = getViewSource(added))
    added = source;
  Operation *op = added.getDefiningOp();
  auto factors = op ? matchBinary<arith::MulFOp>(op) : std::nullopt;
  if (!factors || explored.dependsOnStream(factors->first) ==
                      explored.dependsOnStream(factors->second))
    return;
  join.gate = op;
  join.ungated = explored.dependsOnStream(factors->first) ? factors->first
                                                          : factors->second;
}

/// Why the join is of no branch, none if it is of one.
std::optional<StringRef>
Finder::findObstacle(const Explored &explored,
                     ArrayRef<AttentionOp> attentions) {
  if (explored.goesAround)
    return StringRef("it goes around other branches");
  if (attentions.size() > 1)
    return StringRef("it holds several attentions");
  if (!attentions.empty())
    return std::nullopt;
  int64_t contractions = 0;
  for (Operation *op : explored.ops) {
    if (!isContraction(op) || !explored.dependsOnStream(op))
      continue;
    ++contractions;
    auto inputs = cast<linalg::LinalgOp>(op).getDpsInputs();
    if (llvm::count_if(inputs, [&](Value input) {
          return explored.dependsOnStream(input);
        }) > 1)
      return StringRef("it multiplies tokens with each other, and no attention "
                       "was raised there");
  }
  if (contractions < 2)
    return StringRef("it holds a single contraction");
  return std::nullopt;
}

void Finder::addJoin(BranchJoin join, Explored explored) {
  SmallVector<AttentionOp> attentions;
  for (Operation *op : explored.ops)
    if (auto attention = dyn_cast<AttentionOp>(op);
        attention && explored.dependsOnStream(op))
      attentions.push_back(attention);
  std::optional<StringRef> obstacle = findObstacle(explored, attentions);
  findGate(join, explored);
  streamOf[join.addition] = join.stream;
  if (obstacle) {
    unknown.push_back({join, *obstacle});
    return;
  }
  // Streams that go through one attention, or one MLP, have one branch.
  Operation *key = nullptr;
  for (Operation *op : explored.ops)
    if (isContraction(op) && explored.dependsOnStream(op))
      key = op;
  if (!attentions.empty())
    key = attentions.front();
  size_t index = branchOf.try_emplace(key, branches.size()).first->second;
  exploredOf[join.addition] = std::move(explored.ops);
  if (index == branches.size()) {
    ResidualBranch branch;
    branch.kind = BranchKind::MLP;
    if (!attentions.empty()) {
      branch.attention = attentions.front();
      AttentionKind kind =
          branch.attention.getKind().value_or(AttentionKind::Self);
      branch.kind = *symbolizeBranchKind(stringifyAttentionKind(kind));
    }
    branches.push_back(std::move(branch));
  }
  branches[index].joins.push_back(join);
}

/// A block of the model ends with its MLPs, one for each stream, or where an
/// attention of a kind that it has comes again.
void Finder::setLayers() {
  int64_t layer = 0;
  DenseSet<unsigned> kinds;
  for (ResidualBranch &branch : branches) {
    bool afterMLP = kinds.contains(static_cast<unsigned>(BranchKind::MLP));
    unsigned kind = static_cast<unsigned>(branch.kind);
    if (branch.attention && (afterMLP || kinds.contains(kind))) {
      ++layer;
      kinds.clear();
    }
    kinds.insert(kind);
    branch.layer = layer;
  }
}

void Finder::setOps(ResidualBranch &branch) {
  DenseSet<Operation *> members;
  SetVector<Operation *> candidates;
  for (const BranchJoin &join : branch.joins) {
    members.insert(join.addition);
    candidates.insert_range(exploredOf[join.addition]);
  }
  SmallVector<Operation *> sorted = candidates.takeVector();
  llvm::sort(sorted, [](Operation *lhs, Operation *rhs) {
    return rhs->isBeforeInBlock(lhs);
  });
  for (Operation *op : sorted) {
    bool exclusive =
        isMemoryEffectFree(op) && !op->use_empty() &&
        llvm::all_of(op->getUsers(), [&](Operation *user) {
          return members.contains(block.findAncestorOpInBlock(*user));
        });
    if (!exclusive)
      continue;
    members.insert(op);
    branch.ops.push_back(op);
  }
  std::reverse(branch.ops.begin(), branch.ops.end());
}

void Finder::run() {
  for (Operation &op : block)
    if (auto match = matchJoin(&op))
      addJoin(match->first, std::move(match->second));
  setLayers();
  for (ResidualBranch &branch : branches)
    setOps(branch);
}

//===----------------------------------------------------------------------===//
// ResidualBranchAnalysis
//===----------------------------------------------------------------------===//

ResidualBranchAnalysis::ResidualBranchAnalysis(Operation *root) {
  SetVector<Block *> blocks;
  SmallVector<AttentionOp> attentions;
  // A stream lies in one block: the body of a function or of a step loop.
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<linalg::GenericOp>(op))
      blocks.insert(op->getBlock());
    if (auto attention = dyn_cast<AttentionOp>(op))
      attentions.push_back(attention);
  });
  DenseSet<Operation *> found;
  for (Block *block : blocks) {
    Finder finder(*block);
    finder.run();
    for (ResidualBranch &branch : finder.branches) {
      if (branch.attention)
        found.insert(branch.attention);
      branches.push_back(std::move(branch));
    }
    llvm::append_range(unknown, finder.unknown);
  }
  llvm::copy_if(attentions, std::back_inserter(loose),
                [&](AttentionOp op) { return !found.contains(op); });
}

static void writeBranch(const ResidualBranch &branch,
                        llvm::json::OStream &json) {
  AttentionOp attention = branch.attention;
  json.object([&] {
    json.attribute("kind", stringifyBranchKind(branch.kind));
    json.attribute("layer", branch.layer);
    if (attention)
      json.attribute("site", attention.getSite().value_or(""));
    json.attributeArray("adds", [&] {
      for (const BranchJoin &join : branch.joins)
        json.value(llvm::formatv("{0}", join.added.getType()).str());
    });
    json.attribute("gates",
                   llvm::count_if(branch.joins, [](const BranchJoin &join) {
                     return join.gate != nullptr;
                   }));
    json.attribute("ops", static_cast<int64_t>(branch.ops.size()));
  });
}

void ResidualBranchAnalysis::writeJSON(llvm::json::OStream &json) const {
  json.object([&] {
    json.attributeArray("branches", [&] {
      for (const ResidualBranch &branch : branches)
        writeBranch(branch, json);
    });
    json.attributeArray("unknown", [&] {
      for (const UnknownJoin &join : unknown)
        json.value(join.reason);
    });
    json.attributeArray("loose", [&] {
      for (AttentionOp op : loose)
        json.value(op.getSite().value_or(""));
    });
  });
}
