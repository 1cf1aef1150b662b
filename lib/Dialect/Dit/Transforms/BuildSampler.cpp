//===- BuildSampler.cpp - A denoiser in its step loop ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-build-sampler`. What a step takes from the schedule are
// numbers known before, in f64 like those of the samplers that models are
// trained with; the program holds them as constants.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <array>
#include <cmath>

namespace mlir::dit {
#define GEN_PASS_DEF_BUILDSAMPLERPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

/// What a term of a step is multiplied by: 0, 1 where there is no number, or a
/// table of numbers, of which a step has one.
struct Factor {
  Value number;
  bool isZero = false;
};

/// Writes the function that samples with a denoiser.
class SamplerBuilder {
public:
  SamplerBuilder(func::FuncOp model, const SamplerSchedule &schedule,
                 double guidance, BatchPart conditional)
      : model(model), schedule(schedule), guidance(guidance),
        conditional(conditional) {}

  /// Why the model has not the signature of a denoiser; empty if it has.
  std::string findObstacle();
  void build(ImplicitLocOpBuilder &b, StringRef name);

private:
  /// The terms of a step, as in `SamplerStep`.
  enum Term : unsigned { Sample, Velocity, Past, PastOfSample, PastOfVelocity };
  using Factors = std::array<Factor, PastOfVelocity + 1>;

  bool isGuided() const { return conditional != BatchPart::All; }
  RankedTensorType getModelType() {
    return cast<RankedTensorType>(model.getArgumentTypes()[0]);
  }
  RankedTensorType getSampleType();
  Value createTable(ImplicitLocOpBuilder &b, ArrayRef<double> values,
                    Type element);
  Value createBatch(ImplicitLocOpBuilder &b, Value sample);
  Value getHalf(ImplicitLocOpBuilder &b, Value batch, bool first);
  Value guide(ImplicitLocOpBuilder &b, ValueRange halves);
  Factors createTables(ImplicitLocOpBuilder &b, Type element);
  SmallVector<Value> createUpdate(ImplicitLocOpBuilder &b, ValueRange carried,
                                  Value velocity, const Factors &factors);
  SmallVector<Value> createStepBody(ImplicitLocOpBuilder &b, Value step,
                                    ValueRange carried, ValueRange conditions,
                                    Value timeTable, const Factors &tables);
  void nameArguments(func::FuncOp function);

  func::FuncOp model;
  const SamplerSchedule &schedule;
  double guidance;
  BatchPart conditional;
};

struct BuildSamplerPass
    : mlir::dit::impl::BuildSamplerPassBase<BuildSamplerPass> {
  using BuildSamplerPassBase::BuildSamplerPassBase;

  void runOnOperation() override {
    if (failed(build()))
      signalPassFailure();
  }

private:
  LogicalResult build();
};

} // namespace

std::string SamplerBuilder::findObstacle() {
  TypeRange inputs = model.getArgumentTypes();
  if (model.isDeclaration())
    return "it has no body";
  if (inputs.size() < 2 || model.getNumResults() != 1)
    return "expected the arguments x, t and conditions, and one result";
  auto x = dyn_cast<RankedTensorType>(inputs[0]);
  auto t = dyn_cast<RankedTensorType>(inputs[1]);
  if (!x || !x.hasStaticShape() || x.getRank() < 1 ||
      !isa<FloatType>(x.getElementType()))
    return "expected a first argument x of a static shape and floats";
  if (model.getResultTypes()[0] != x)
    return "expected a result of the type of x, what x moves along";
  if (!t || t.getShape() != x.getShape().take_front() ||
      !isa<FloatType>(t.getElementType()))
    return "expected a second argument t, a float for each of the batch";
  if (isGuided() && x.getDimSize(0) % 2 != 0)
    return "guidance needs a batch of an even extent";
  return "";
}

RankedTensorType SamplerBuilder::getSampleType() {
  RankedTensorType type = getModelType();
  SmallVector<int64_t> shape(type.getShape());
  if (isGuided())
    shape[0] /= 2;
  return type.clone(shape);
}

Value SamplerBuilder::createTable(ImplicitLocOpBuilder &b,
                                  ArrayRef<double> values, Type element) {
  auto type =
      RankedTensorType::get({static_cast<int64_t>(values.size())}, element);
  SmallVector<Attribute> numbers =
      llvm::map_to_vector(values, [&](double value) -> Attribute {
        return b.getFloatAttr(element, value);
      });
  return arith::ConstantOp::create(b, type,
                                   DenseElementsAttr::get(type, numbers));
}

/// The two halves of the batch, both of them `sample`.
Value SamplerBuilder::createBatch(ImplicitLocOpBuilder &b, Value sample) {
  if (!isGuided())
    return sample;
  RankedTensorType type = getModelType();
  auto half = cast<RankedTensorType>(sample.getType());
  Value batch =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  auto sizes = getAsIndexOpFoldResult(b.getContext(), half.getShape());
  for (int64_t offset : {int64_t(0), half.getDimSize(0)}) {
    offsets[0] = b.getIndexAttr(offset);
    batch = tensor::InsertSliceOp::create(b, sample, batch, offsets, sizes,
                                          strides);
  }
  return batch;
}

Value SamplerBuilder::getHalf(ImplicitLocOpBuilder &b, Value batch,
                              bool first) {
  RankedTensorType half = getSampleType();
  SmallVector<OpFoldResult> offsets(half.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(half.getRank(), b.getIndexAttr(1));
  offsets[0] = b.getIndexAttr(first ? 0 : half.getDimSize(0));
  return tensor::ExtractSliceOp::create(
      b, half, batch, offsets,
      getAsIndexOpFoldResult(b.getContext(), half.getShape()), strides);
}

Value SamplerBuilder::guide(ImplicitLocOpBuilder &b, ValueRange halves) {
  Value guided = halves[0];
  if (!isGuided())
    return guided;
  Value scale =
      arith::ConstantOp::create(b, b.getFloatAttr(guided.getType(), guidance));
  Value difference = arith::SubFOp::create(b, guided, halves[1]);
  return arith::AddFOp::create(b, halves[1],
                               arith::MulFOp::create(b, difference, scale));
}

/// `sum` with `value` times the factor of a term.
static Value addTerm(ImplicitLocOpBuilder &b, Value sum, const Factor &factor,
                     Value value) {
  if (factor.isZero)
    return sum;
  if (factor.number)
    value = arith::MulFOp::create(b, value, factor.number);
  return sum ? arith::AddFOp::create(b, sum, value) : value;
}

/// The next sample, and what later steps take of this one.
SmallVector<Value> SamplerBuilder::createUpdate(ImplicitLocOpBuilder &b,
                                                ValueRange carried,
                                                Value velocity,
                                                const Factors &factors) {
  RankedTensorType type = getSampleType();
  SmallVector<Value> inputs, outputs(carried);
  if (isGuided())
    for (bool unconditional : {false, true})
      inputs.push_back(getHalf(
          b, velocity, (conditional == BatchPart::First) != unconditional));
  else
    inputs.push_back(velocity);
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<AffineMap> maps(inputs.size() + outputs.size(), map);
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  bool isNarrow = type.getElementTypeBitWidth() < 32;
  auto update = linalg::GenericOp::create(
      b, ValueRange(outputs).getTypes(), inputs, outputs, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange arguments) {
        ImplicitLocOpBuilder b(loc, builder);
        SmallVector<Value> values(arguments);
        if (isNarrow)
          for (Value &value : values)
            value = arith::ExtFOp::create(b, b.getF32Type(), value);
        Value guided = guide(b, ArrayRef(values).take_front(inputs.size()));
        ArrayRef<Value> old = ArrayRef(values).drop_front(inputs.size());
        Value next = addTerm(b, Value(), factors[Sample], old[0]);
        next = addTerm(b, next, factors[Velocity], guided);
        SmallVector<Value> yielded = {next};
        if (old.size() > 1) {
          yielded[0] = addTerm(b, next, factors[Past], old[1]);
          Value past = addTerm(b, Value(), factors[PastOfSample], old[0]);
          yielded.push_back(addTerm(b, past, factors[PastOfVelocity], guided));
        }
        if (isNarrow)
          for (Value &value : yielded)
            value = arith::TruncFOp::create(b, type.getElementType(), value);
        linalg::YieldOp::create(b, yielded);
      });
  // A loop of one step is none, and what it starts from is the caller's.
  if (schedule.getNumSteps() == 1)
    return llvm::to_vector_of<Value>(update.getResults());
  // The loop carries each in one buffer.
  SmallVector<Value> results;
  for (auto [value, destination] :
       llvm::zip_equal(update.getResults(), outputs))
    results.push_back(bufferization::MaterializeInDestinationOp::create(
                          b, b.getLoc(), value.getType(), value, destination)
                          .getResult());
  return results;
}

/// The factors of all steps, each a constant or a table.
SamplerBuilder::Factors SamplerBuilder::createTables(ImplicitLocOpBuilder &b,
                                                     Type element) {
  static constexpr double SamplerStep::*kMembers[] = {
      &SamplerStep::sample, &SamplerStep::velocity, &SamplerStep::past,
      &SamplerStep::pastOfSample, &SamplerStep::pastOfVelocity};
  Factors factors;
  for (auto [factor, member] : llvm::zip_equal(factors, kMembers)) {
    SmallVector<double> values = llvm::map_to_vector(
        schedule.getSteps(),
        [&, m = member](const SamplerStep &step) { return step.*m; });
    factor.isZero = llvm::all_equal(values) && values.front() == 0.0;
    if (!llvm::all_equal(values) ||
        (values.front() != 0.0 && values.front() != 1.0))
      factor.number = createTable(b, values, element);
  }
  return factors;
}

SmallVector<Value>
SamplerBuilder::createStepBody(ImplicitLocOpBuilder &b, Value step,
                               ValueRange carried, ValueRange conditions,
                               Value timeTable, const Factors &tables) {
  auto timeType = cast<RankedTensorType>(model.getArgumentTypes()[1]);
  Value time = tensor::ExtractOp::create(b, timeTable, step);
  Factors factors = tables;
  for (Factor &factor : factors)
    if (factor.number)
      factor.number = tensor::ExtractOp::create(b, factor.number, step);
  SmallVector<Value> times(timeType.getDimSize(0), time);
  SmallVector<Value> arguments = {
      createBatch(b, carried[0]),
      tensor::FromElementsOp::create(b, timeType, times)};
  llvm::append_range(arguments, conditions);
  Value velocity = func::CallOp::create(b, model, arguments).getResult(0);
  return createUpdate(b, carried, velocity, factors);
}

/// Names the arguments and the result, those of the model where it does.
void SamplerBuilder::nameArguments(func::FuncOp function) {
  StringAttr key = StringAttr::get(function.getContext(), "dit.name");
  auto name = [&](StringRef text) {
    return StringAttr::get(function.getContext(), text);
  };
  function.setArgAttr(0, key, name("noise"));
  function.setResultAttr(0, key, name("sample"));
  for (unsigned index = 2; index < model.getNumArguments(); ++index)
    if (Attribute given = model.getArgAttr(index, key))
      function.setArgAttr(index - 1, key, given);
}

void SamplerBuilder::build(ImplicitLocOpBuilder &b, StringRef name) {
  RankedTensorType type = getSampleType();
  SmallVector<Type> inputs = {type};
  llvm::append_range(inputs, model.getArgumentTypes().drop_front(2));
  auto function =
      func::FuncOp::create(b, name, b.getFunctionType(inputs, {type}));
  b.setInsertionPointToStart(function.addEntryBlock());
  Type timeElement = getElementTypeOrSelf(model.getArgumentTypes()[1]);
  Type element = type.getElementType();
  if (element.getIntOrFloatBitWidth() < 32)
    element = b.getF32Type();
  Value timeTable = createTable(b, schedule.getTimesteps(), timeElement);
  Factors tables = createTables(b, element);
  SmallVector<Value> inits = {function.getArgument(0)};
  if (schedule.usesPast()) {
    Value zero =
        arith::ConstantOp::create(b, b.getZeroAttr(type.getElementType()));
    Value empty =
        tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
    inits.push_back(linalg::FillOp::create(b, zero, empty).getResult(0));
  }
  Value begin = arith::ConstantIndexOp::create(b, 0);
  Value end = arith::ConstantIndexOp::create(b, schedule.getNumSteps());
  Value one = arith::ConstantIndexOp::create(b, 1);
  ValueRange conditions = ValueRange(function.getArguments()).drop_front();
  auto loop = scf::ForOp::create(
      b, begin, end, one, inits,
      [&](OpBuilder &builder, Location loc, Value step, ValueRange carried) {
        ImplicitLocOpBuilder inner(loc, builder);
        scf::YieldOp::create(inner,
                             createStepBody(inner, step, carried, conditions,
                                            timeTable, tables));
      });
  loop->setAttr(kTimestepsAttrName,
                b.getDenseF64ArrayAttr(schedule.getTimesteps()));
  func::ReturnOp::create(b, loop.getResult(0));
  nameArguments(function);
}

LogicalResult BuildSamplerPass::build() {
  auto emit = [&] {
    return mlir::emitError(getOperation().getLoc(), "dit-build-sampler: ");
  };
  SamplerOptions options;
  options.steps = steps;
  options.sigmas.assign(sigmas.begin(), sigmas.end());
  options.timesteps.assign(timesteps.begin(), timesteps.end());
  options.shift = shift;
  options.scale = scale;
  options.solver = solver;
  std::string error;
  std::optional<SamplerSchedule> schedule =
      SamplerSchedule::get(options, error);
  if (!schedule)
    return emit() << error;
  if (!std::isfinite(static_cast<float>(guidance)))
    return emit() << "expected a finite guidance, got "
                  << formatNumber(guidance);
  auto model = getOperation().lookupSymbol<func::FuncOp>(denoiser);
  if (!model)
    return emit() << "there is no function '" << denoiser
                  << "'; give the denoiser in the option denoiser";
  if (Operation *other = getOperation().lookupSymbol(name))
    return other->emitError("dit-build-sampler: the symbol '")
           << name << "' is taken; give another option name";
  SamplerBuilder builder(model, *schedule, guidance, conditional);
  std::string obstacle = builder.findObstacle();
  if (!obstacle.empty())
    return model.emitError("dit-build-sampler: cannot sample with '")
           << denoiser << "': " << obstacle;
  ImplicitLocOpBuilder b(model.getLoc(), &getContext());
  b.setInsertionPointAfter(model);
  builder.build(b, name);
  // After inlining nothing is left of it.
  model.setPrivate();
  return success();
}
