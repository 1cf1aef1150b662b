//===- KindInference.cpp - What kind an attention is ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KindInference.h"

#include "MatchState.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

//===----------------------------------------------------------------------===//
// Projections
//===----------------------------------------------------------------------===//

bool mlir::dit::raise::isWeightTensor(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->hasTrait<OpTrait::ConstantLike>() ||
        isa<ml_program::GlobalLoadConstOp, ml_program::GlobalLoadOp>(op))
      return true;
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp,
             tensor::ExtractSliceOp, linalg::TransposeOp, linalg::BroadcastOp,
             linalg::GenericOp>(op) ||
        op->getNumOperands() == 0)
      return false;
    if (auto generic = dyn_cast<linalg::GenericOp>(op);
        generic && generic.getNumDpsInputs() != 1)
      return false;
    value = op->getOperand(0);
  }
  return false;
}

// The walks below are bounded: what lies beyond proves nothing.
static constexpr size_t maxVisited = 4096;

/// The activations that `value` is projected from, or arguments. `projected`
/// tells whether all of them are seen to be projected.
static llvm::SetVector<Value> getProjections(Value value, bool &projected) {
  llvm::SetVector<Value> sources;
  projected = true;
  llvm::SetVector<Value> worklist;
  worklist.insert(value);
  for (size_t i = 0; i < worklist.size() && i < maxVisited; ++i) {
    Operation *op = worklist[i].getDefiningOp();
    if (!op) {
      sources.insert(worklist[i]);
      projected = false;
      continue;
    }
    if (Value activation = getProjected(op)) {
      sources.insert(activation);
      continue;
    }
    for (Value operand : getReadTensors(op))
      worklist.insert(operand);
  }
  return sources;
}

/// The arguments that `values` depend on, as far as activations lead.
static DenseSet<Value> getArguments(ArrayRef<Value> values) {
  DenseSet<Value> arguments;
  llvm::SetVector<Value> worklist(values.begin(), values.end());
  constexpr size_t maxSlice = 1 << 16;
  for (size_t i = 0; i < worklist.size() && i < maxSlice; ++i) {
    Operation *op = worklist[i].getDefiningOp();
    if (!op) {
      arguments.insert(worklist[i]);
      continue;
    }
    for (Value operand : getReadTensors(op))
      worklist.insert(operand);
  }
  return arguments;
}

//===----------------------------------------------------------------------===//
// Evidence
//===----------------------------------------------------------------------===//

namespace {

using Sources = llvm::SetVector<Value>;

/// The tokens of one operand.
struct OperandTokens {
  TokenFlow flow;
  /// The tensors that the tokens are made of, and which of them are arguments;
  /// the others are weights, such as learned tokens and positions.
  Sources sources, arguments;
  /// Whether two parts of the sequence are tokens of different arguments.
  bool isJoined = false;
};

/// Follows the operands of one match.
class EvidenceBuilder {
public:
  explicit EvidenceBuilder(const AttentionMatch &match) : match(match) {}

  KindEvidence build();

private:
  /// The axes that are not mixed. Without a dimension of heads, one of the
  /// batch may be taken for it; true heads lead to no dimension of the input.
  AxisList getShared() const {
    AxisList shared(match.batch);
    llvm::append_range(shared, match.heads);
    llvm::append_range(shared, match.groups);
    return shared;
  }
  OperandTokens follow(const AttentionTensor &tensor, ArrayRef<Axis> sequence);
  const Sources &getSources(Value value, unsigned dim);
  bool isCross(const OperandTokens &q, const OperandTokens &k);
  void describeGrid(const TokenFlow &flow, KindEvidence &evidence);

  const AttentionMatch &match;
  llvm::MapVector<std::pair<Value, unsigned>, Sources> known;
};

} // namespace

static Sources onlyArguments(const Sources &sources) {
  Sources arguments;
  for (Value source : sources)
    if (isa<BlockArgument>(source))
      arguments.insert(source);
  return arguments;
}

static bool areDisjoint(const Sources &a, const Sources &b) {
  return llvm::none_of(a, [&](Value value) { return b.contains(value); });
}

const Sources &EvidenceBuilder::getSources(Value value, unsigned dim) {
  auto [entry, isNew] = known.insert({{value, dim}, {}});
  if (isNew)
    entry->second = getTokenSources(value, dim);
  return entry->second;
}

OperandTokens EvidenceBuilder::follow(const AttentionTensor &tensor,
                                      ArrayRef<Axis> sequence) {
  View view(tensor.dims.begin(), tensor.dims.end());
  AxisList axes = getShared();
  llvm::append_range(axes, sequence);
  OperandTokens tokens{
      TokenFlow(match.state->space, tensor.value, view, axes), {}, {}};
  AxisList wanted = tokens.flow.resolve(sequence);
  for (const TokenRoot &root : tokens.flow.getRoots())
    if (!root.getDims(wanted).empty())
      tokens.sources.insert(root.value);
  for (const JoinedParts &parts : tokens.flow.getJoins()) {
    Sources streams;
    unsigned numStreams = 0;
    for (auto [part, dim] : parts) {
      const Sources &sources = getSources(part, dim);
      tokens.sources.insert_range(sources);
      Sources arguments = onlyArguments(sources);
      bool isSequence =
          cast<RankedTensorType>(part.getType()).getDimSize(dim) != 1;
      if (!isSequence || arguments.empty() || !areDisjoint(arguments, streams))
        continue;
      ++numStreams;
      streams.insert_range(arguments);
    }
    tokens.isJoined |= numStreams > 1;
  }
  tokens.arguments = onlyArguments(tokens.sources);
  return tokens;
}

/// Whether something of `tokens` went into `operand`.
static bool dependsOn(const Sources &operand, const Sources &tokens) {
  DenseSet<Value> arguments = getArguments(operand.getArrayRef());
  return llvm::any_of(tokens,
                      [&](Value token) { return arguments.contains(token); });
}

/// Whether the tokens of the keys are not those of the queries.
bool EvidenceBuilder::isCross(const OperandTokens &q, const OperandTokens &k) {
  bool qProjected, kProjected;
  Sources qSources = getProjections(match.q.value, qProjected);
  Sources kSources = getProjections(match.k.value, kProjected);
  if (!areDisjoint(qSources, kSources))
    return false;
  // What comes as an argument may be anything of any sequence.
  const AxisSpace &space = match.state->space;
  std::optional<int64_t> queries = space.getExtent(match.queries).getConstant();
  std::optional<int64_t> keys = space.getExtent(match.keys).getConstant();
  bool hasOtherLength = queries && keys && *queries != *keys;
  if (!hasOtherLength && (!qProjected || !kProjected))
    return false;
  if (!q.arguments.empty() && !k.arguments.empty())
    return areDisjoint(q.arguments, k.arguments);
  // Tokens that were mixed along the sequence are followed no further, so what
  // they were computed from tells; so do learned tokens on both sides.
  return areDisjoint(q.sources, k.sources) &&
         !(q.arguments.empty() && k.arguments.empty()) &&
         !dependsOn(qSources, k.arguments) && !dependsOn(kSources, q.arguments);
}

/// Finds the argument that holds all tokens, and what its dimensions are.
void EvidenceBuilder::describeGrid(const TokenFlow &flow,
                                   KindEvidence &evidence) {
  AxisList sequence = flow.resolve(match.queries);
  AxisList batch = flow.resolve(getShared());
  for (const TokenRoot &root : flow.getRoots()) {
    AxisList held;
    for (const AxisList &dim : root.axes)
      llvm::append_range(held, dim);
    bool holdsSequence =
        !sequence.empty() && llvm::all_of(sequence, [&](Axis a) {
          return llvm::is_contained(held, a);
        });
    if (!root.isArgument() || !holdsSequence)
      continue;
    evidence.input = root.value;
    evidence.sequenceDims = root.getDims(sequence);
    evidence.batchDims = root.getDims(batch);
    SmallVector<unsigned, 3> cut;
    for (auto [dim, axes] : llvm::enumerate(root.axes))
      if (!axes.empty() && root.isShared[dim])
        cut.push_back(dim);
    if (!cut.empty())
      evidence.windows.push_back(cut);
    for (ArrayRef<AxisList> slides : flow.getWindows()) {
      SmallVector<unsigned, 3> dims;
      for (const AxisList &axes : slides)
        for (unsigned dim : root.getDims(axes))
          if (!llvm::is_contained(dims, dim))
            dims.push_back(dim);
      llvm::sort(dims);
      evidence.windows.push_back(dims);
    }
    return;
  }
}

KindEvidence EvidenceBuilder::build() {
  KindEvidence evidence;
  OperandTokens q = follow(match.q, match.queries);
  OperandTokens k = follow(match.k, match.keys);
  if (isCross(q, k)) {
    evidence.kind = AttentionKind::Cross;
  } else if (q.isJoined && k.isJoined && follow(match.v, match.keys).isJoined) {
    evidence.kind = AttentionKind::Joint;
  } else if (!areDisjoint(q.arguments, k.arguments)) {
    describeGrid(q.flow, evidence);
  }
  return evidence;
}

KindEvidence mlir::dit::raise::gatherEvidence(const AttentionMatch &match) {
  return EvidenceBuilder(match).build();
}

//===----------------------------------------------------------------------===//
// Decision
//===----------------------------------------------------------------------===//

namespace {

using Dims = SmallVector<unsigned, 3>;

/// What the attentions of a function tell of one input.
struct InputEvidence {
  /// Pairs of dimensions that may be the two axes of a frame.
  llvm::SetVector<std::pair<unsigned, unsigned>> planes;
  /// Dimensions that are the sequence of a temporal attention.
  llvm::SetVector<unsigned> timeDims;

  /// The axes of a frame, if just one pair of dimensions may be that.
  std::optional<Dims> getPlane() const {
    if (planes.size() != 1)
      return std::nullopt;
    return Dims{planes[0].first, planes[0].second};
  }
};

} // namespace

static bool holdsAll(ArrayRef<unsigned> dims, ArrayRef<unsigned> wanted) {
  return llvm::all_of(
      wanted, [&](unsigned dim) { return llvm::is_contained(dims, dim); });
}

static bool holdsNone(ArrayRef<unsigned> dims, ArrayRef<unsigned> unwanted) {
  return llvm::none_of(
      unwanted, [&](unsigned dim) { return llvm::is_contained(dims, dim); });
}

/// The pairs of dimensions that windows or patches join.
static void findWindowPlanes(const KindEvidence &attention,
                             InputEvidence &input) {
  for (const Dims &window : attention.windows)
    if (window.size() == 2)
      input.planes.insert({window[0], window[1]});
}

/// The pairs that one attention joins while another has the third dimension.
static void findMixedPlanes(Value value, ArrayRef<KindEvidence> attentions,
                            InputEvidence &input) {
  for (const KindEvidence &two : attentions) {
    if (two.input != value || two.sequenceDims.size() != 2 ||
        !holdsNone(two.batchDims, two.sequenceDims))
      continue;
    bool hasThird = llvm::any_of(attentions, [&](const KindEvidence &one) {
      return one.input == value && one.sequenceDims.size() == 1 &&
             holdsNone(two.sequenceDims, one.sequenceDims) &&
             holdsAll(two.batchDims, one.sequenceDims) &&
             holdsAll(one.batchDims, two.sequenceDims);
    });
    if (hasThird)
      input.planes.insert({two.sequenceDims[0], two.sequenceDims[1]});
  }
}

static bool isTemporal(const KindEvidence &attention,
                       ArrayRef<unsigned> plane) {
  return attention.sequenceDims.size() == 1 &&
         holdsNone(plane, attention.sequenceDims) &&
         holdsAll(attention.batchDims, plane);
}

/// The kind of a self attention over `attention.input`.
static AttentionKind decide(const KindEvidence &attention,
                            const InputEvidence &input) {
  const Dims &sequence = attention.sequenceDims;
  if (sequence.size() == 3 && holdsNone(attention.batchDims, sequence))
    return AttentionKind::Full;
  std::optional<Dims> plane = input.getPlane();
  if (!plane)
    return AttentionKind::Self;
  if (isTemporal(attention, *plane))
    return AttentionKind::Temporal;
  bool isFrame = sequence.size() == 2 && holdsAll(sequence, *plane) &&
                 holdsNone(attention.batchDims, sequence);
  // The first dimension is the batch, unless another attention proves that
  // frames are in it.
  bool hasFrames = llvm::any_of(attention.batchDims, [&](unsigned dim) {
    return dim != 0 || input.timeDims.contains(dim);
  });
  return isFrame && hasFrames ? AttentionKind::Spatial : AttentionKind::Self;
}

void mlir::dit::raise::resolveKinds(MutableArrayRef<KindEvidence> attentions) {
  llvm::MapVector<Value, InputEvidence> inputs;
  for (const KindEvidence &attention : attentions)
    if (attention.input)
      findWindowPlanes(attention, inputs[attention.input]);
  for (auto &[value, input] : inputs) {
    if (input.planes.empty())
      findMixedPlanes(value, attentions, input);
    std::optional<Dims> plane = input.getPlane();
    for (const KindEvidence &attention : attentions)
      if (plane && attention.input == value && isTemporal(attention, *plane))
        input.timeDims.insert(attention.sequenceDims[0]);
  }
  for (KindEvidence &attention : attentions) {
    if (!attention.input || attention.kind != AttentionKind::Self)
      continue;
    attention.kind = decide(attention, inputs[attention.input]);
    attention.isAmbiguous =
        attention.kind == AttentionKind::Self &&
        attention.batchDims.size() + attention.sequenceDims.size() > 2 &&
        llvm::none_of(attention.sequenceDims,
                      [&](unsigned dim) {
                        return dim != 0 &&
                               llvm::is_contained(attention.batchDims, dim);
                      }) &&
        llvm::any_of(attention.batchDims,
                     [](unsigned dim) { return dim != 0; });
  }
}
