//===- MaskEvaluator.cpp - Numbers of a mask ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Evaluates the arithmetic that masks are made of. All numbers are held as f64,
// which has every integer that a position or a boolean may be; floats are
// rounded to their type after each operation.
//
//===----------------------------------------------------------------------===//

#include "KeyBand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit::raise;

namespace {

/// A constant tensor as numbers, and where axes lie in it.
struct ConstantTensor {
  std::vector<double> numbers;
  /// For each axis of the evaluation, how far its neighbours are apart.
  SmallVector<int64_t> strides;
};

/// A step of the evaluation; operands are indices of earlier steps.
struct Step {
  const Expr *expr;
  SmallVector<unsigned, 3> operands;
  ConstantTensor tensor;
};

class Evaluator {
public:
  Evaluator(const AxisSpace &space, ArrayRef<Axis> axes, int64_t maxCost)
      : space(space), axes(axes), maxCost(maxCost) {}

  /// Plans the evaluation of `expr`; fails if something is not known.
  LogicalResult plan(const Expr *expr) {
    return success(addStep(expr).has_value());
  }
  size_t getNumSteps() const { return steps.size(); }
  /// The numbers for all values of the axes.
  std::optional<std::vector<double>> run(ArrayRef<int64_t> extents);

private:
  std::optional<unsigned> addStep(const Expr *expr);
  LogicalResult readTensor(const Expr *leaf, ConstantTensor &tensor);
  std::optional<double> compute(const Step &step) const;
  std::optional<double> computeOther(Operation *op,
                                     ArrayRef<double> operands) const;
  double getIndex(const Expr *index) const;

  const AxisSpace &space;
  ArrayRef<Axis> axes;
  int64_t maxCost;
  SmallVector<Step> steps;
  DenseMap<const Expr *, unsigned> stepOf;
  /// The current point and the values of the steps at it.
  SmallVector<int64_t> point;
  SmallVector<double> values;
};

} // namespace

static double roundTo(double value, Type type) {
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType || floatType.isF64())
    return value;
  if (floatType.isF32())
    return static_cast<float>(value);
  APFloat number(value);
  bool losesInfo;
  number.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

static std::optional<double> getNumber(Attribute attribute) {
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return number.getValueAsDouble();
  auto integer = dyn_cast<IntegerAttr>(attribute);
  if (!integer)
    return std::nullopt;
  // Booleans are 0 and 1.
  if (integer.getType().isInteger(1))
    return integer.getValue().isZero() ? 0.0 : 1.0;
  if (integer.getValue().getSignificantBits() > 53)
    return std::nullopt;
  return static_cast<double>(integer.getValue().getSExtValue());
}

/// The elements of a constant. A resource is an external blob whose layout is
/// that of the host's numbers.
static std::optional<std::vector<double>> readElements(ElementsAttr elements) {
  std::vector<double> numbers;
  numbers.reserve(elements.getNumElements());
  auto append = [&](auto range) {
    for (auto value : range)
      numbers.push_back(static_cast<double>(value));
    return numbers;
  };
  auto appendResource = [&](auto resource) {
    return [&]() -> std::optional<std::vector<double>> {
      if (auto range = resource.tryGetAsArrayRef())
        return append(*range);
      return std::nullopt;
    }();
  };
  if (auto resource = dyn_cast<DenseBoolResourceElementsAttr>(elements))
    return appendResource(resource);
  if (auto resource = dyn_cast<DenseF32ResourceElementsAttr>(elements))
    return appendResource(resource);
  if (auto resource = dyn_cast<DenseF64ResourceElementsAttr>(elements))
    return appendResource(resource);
  if (auto resource = dyn_cast<DenseI64ResourceElementsAttr>(elements))
    return appendResource(resource);
  if (auto resource = dyn_cast<DenseI32ResourceElementsAttr>(elements))
    return appendResource(resource);
  if (auto resource = dyn_cast<DenseI8ResourceElementsAttr>(elements))
    return appendResource(resource);
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return std::nullopt;
  Type type = dense.getElementType();
  if (type.isF32())
    return append(dense.getValues<float>());
  if (type.isF64())
    return append(dense.getValues<double>());
  if (isa<FloatType>(type)) {
    for (const APFloat &value : dense.getValues<APFloat>())
      numbers.push_back(value.convertToDouble());
    return numbers;
  }
  if (!type.isIntOrIndex())
    return std::nullopt;
  for (const APInt &value : dense.getValues<APInt>()) {
    if (value.getSignificantBits() > 53)
      return std::nullopt;
    numbers.push_back(type.isInteger(1)
                          ? static_cast<double>(value.getZExtValue())
                          : static_cast<double>(value.getSExtValue()));
  }
  return numbers;
}

/// The elements of `slice`, given those of its source.
static std::optional<std::vector<double>>
sliceNumbers(tensor::ExtractSliceOp slice, const std::vector<double> &source) {
  ArrayRef<int64_t> offsets = slice.getStaticOffsets();
  ArrayRef<int64_t> sizes = slice.getStaticSizes();
  ArrayRef<int64_t> steps = slice.getStaticStrides();
  if (ShapedType::isDynamicShape(offsets) ||
      ShapedType::isDynamicShape(sizes) || ShapedType::isDynamicShape(steps))
    return std::nullopt;
  SmallVector<int64_t> strides =
      computeStrides(slice.getSourceType().getShape());
  std::vector<double> numbers;
  for (int64_t i = 0, e = ShapedType::getNumElements(sizes); i < e; ++i) {
    int64_t position = 0;
    for (auto [dim, index] :
         llvm::enumerate(delinearize(i, computeStrides(sizes))))
      position += (offsets[dim] + index * steps[dim]) * strides[dim];
    numbers.push_back(source[position]);
  }
  return numbers;
}

/// The elements of `tensor`, which is computed from constants and positions.
static std::optional<std::vector<double>>
evaluateTensor(Value tensor, int64_t maxCost, unsigned depth = 0) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  // Buffers of the largest sequence are cut to size, once or twice.
  constexpr unsigned maxDepth = 8;
  if (!type || !type.hasStaticShape() || type.getNumElements() > maxCost ||
      depth > maxDepth)
    return std::nullopt;
  ElementsAttr elements;
  if (matchPattern(tensor, m_Constant(&elements)))
    return readElements(elements);
  if (auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>()) {
    std::optional<std::vector<double>> source =
        evaluateTensor(slice.getSource(), maxCost, depth + 1);
    return source ? sliceNumbers(slice, *source) : std::nullopt;
  }
  AxisSpace space;
  Tracer tracer(space);
  View view = tracer.createView(tensor);
  const Expr *expr = tracer.trace(tensor, view);
  if (expr->is(ExprKind::Leaf) && expr->value == tensor)
    return std::nullopt;
  AxisList axes = flatten(space.resolve(view));
  return evaluate(tracer.trace(tensor, view), space, axes, maxCost);
}

LogicalResult Evaluator::readTensor(const Expr *leaf, ConstantTensor &tensor) {
  auto type = dyn_cast<RankedTensorType>(leaf->value.getType());
  if (!type || !leaf->broadcastDims.empty())
    return failure();
  std::optional<std::vector<double>> numbers =
      evaluateTensor(leaf->value, maxCost);
  if (!numbers)
    return failure();
  tensor.numbers = std::move(*numbers);
  tensor.strides.assign(axes.size(), 0);
  int64_t stride = 1;
  for (const AxisList &dim : llvm::reverse(leaf->view))
    for (Axis axis : llvm::reverse(dim)) {
      const Axis *found = llvm::find(axes, axis);
      std::optional<int64_t> extent = space.getExtent(axis).getConstant();
      if (found == axes.end() || !extent)
        return failure();
      tensor.strides[found - axes.begin()] += stride;
      stride *= *extent;
    }
  return success(stride == static_cast<int64_t>(tensor.numbers.size()));
}

std::optional<unsigned> Evaluator::addStep(const Expr *expr) {
  if (auto known = stepOf.find(expr); known != stepOf.end())
    return known->second;
  constexpr size_t maxSteps = 64;
  if (steps.size() >= maxSteps)
    return std::nullopt;
  Step step;
  step.expr = expr;
  switch (expr->kind) {
  case ExprKind::Contraction:
  case ExprKind::Reduce:
    return std::nullopt;
  case ExprKind::Leaf:
    if (failed(readTensor(expr, step.tensor)))
      return std::nullopt;
    break;
  case ExprKind::Constant:
    if (!getNumber(expr->attribute))
      return std::nullopt;
    break;
  default:
    for (const Expr *operand : expr->operands) {
      std::optional<unsigned> index = addStep(operand);
      if (!index)
        return std::nullopt;
      step.operands.push_back(*index);
    }
  }
  steps.push_back(std::move(step));
  stepOf[expr] = steps.size() - 1;
  return steps.size() - 1;
}

double Evaluator::getIndex(const Expr *index) const {
  int64_t position = 0;
  for (Axis axis : index->axes) {
    position *= *space.getExtent(axis).getConstant();
    position += point[llvm::find(axes, axis) - axes.begin()];
  }
  return static_cast<double>(position);
}

static bool compareIntegers(arith::CmpIPredicate predicate, double a,
                            double b) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  default:
    return a >= b;
  }
}

std::optional<double> Evaluator::computeOther(Operation *op,
                                              ArrayRef<double> in) const {
  using Result = std::optional<double>;
  auto divide = [&](bool isFloor) -> Result {
    if (in[1] == 0)
      return std::nullopt;
    return isFloor ? std::floor(in[0] / in[1]) : std::trunc(in[0] / in[1]);
  };
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::SIToFPOp>(
          [&](Operation *cast) -> Result {
            // The sign of a boolean is not that of its number.
            return cast->getOperand(0).getType().isInteger(1) ? Result()
                                                              : Result(in[0]);
          })
      .Case<arith::ExtUIOp, arith::UIToFPOp>([&](Operation *cast) -> Result {
        return in[0] < 0 ? Result() : Result(in[0]);
      })
      .Case<arith::AddIOp>([&](auto) -> Result { return in[0] + in[1]; })
      .Case<arith::SubIOp>([&](auto) -> Result { return in[0] - in[1]; })
      .Case<arith::MulIOp>([&](auto) -> Result { return in[0] * in[1]; })
      .Case<arith::DivSIOp>([&](auto) { return divide(/*isFloor=*/false); })
      .Case<arith::FloorDivSIOp>([&](auto) { return divide(/*isFloor=*/true); })
      .Case<arith::RemSIOp>([&](auto) -> Result {
        return in[1] == 0 ? Result() : Result(std::fmod(in[0], in[1]));
      })
      .Case<arith::TruncIOp>([&](arith::TruncIOp op) -> Result {
        // Booleans are stored as bytes of 0 and 1.
        bool isBoolean =
            op.getType().isInteger(1) && (in[0] == 0 || in[0] == 1);
        return isBoolean ? Result(in[0]) : Result();
      })
      .Case<math::AbsIOp>([&](auto) -> Result { return std::abs(in[0]); })
      .Case<arith::MinSIOp>(
          [&](auto) -> Result { return std::min(in[0], in[1]); })
      .Case<arith::MaxSIOp>(
          [&](auto) -> Result { return std::max(in[0], in[1]); })
      .Case<arith::CmpIOp>([&](arith::CmpIOp cmp) -> Result {
        // Unsigned comparisons agree with signed ones where nothing is
        // negative.
        arith::CmpIPredicate predicate = cmp.getPredicate();
        bool isUnsigned = predicate >= arith::CmpIPredicate::ult;
        if (isUnsigned)
          return std::nullopt;
        return compareIntegers(predicate, in[0], in[1]);
      })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<bool> compareFloats(arith::CmpFPredicate predicate,
                                         double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::nullopt;
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
  case arith::CmpFPredicate::UEQ:
    return a == b;
  case arith::CmpFPredicate::ONE:
  case arith::CmpFPredicate::UNE:
    return a != b;
  case arith::CmpFPredicate::OLT:
  case arith::CmpFPredicate::ULT:
    return a < b;
  case arith::CmpFPredicate::OLE:
  case arith::CmpFPredicate::ULE:
    return a <= b;
  case arith::CmpFPredicate::OGT:
  case arith::CmpFPredicate::UGT:
    return a > b;
  case arith::CmpFPredicate::OGE:
  case arith::CmpFPredicate::UGE:
    return a >= b;
  default:
    return std::nullopt;
  }
}

std::optional<double> Evaluator::compute(const Step &step) const {
  const Expr *expr = step.expr;
  SmallVector<double, 3> in;
  for (unsigned operand : step.operands)
    in.push_back(values[operand]);
  switch (expr->kind) {
  case ExprKind::Constant:
    return getNumber(expr->attribute);
  case ExprKind::Leaf: {
    int64_t position = 0;
    for (auto [coordinate, stride] : llvm::zip(point, step.tensor.strides))
      position += coordinate * stride;
    return step.tensor.numbers[position];
  }
  case ExprKind::Index:
    return getIndex(expr);
  case ExprKind::Add:
    return in[0] + in[1];
  case ExprKind::Sub:
    return in[0] - in[1];
  case ExprKind::Mul:
    return in[0] * in[1];
  case ExprKind::Neg:
    return -in[0];
  case ExprKind::Max:
    return std::max(in[0], in[1]);
  case ExprKind::Select:
    return in[0] != 0 ? in[1] : in[2];
  case ExprKind::Cast:
    return in[0];
  case ExprKind::And:
    return in[0] != 0 && in[1] != 0;
  case ExprKind::Or:
    return in[0] != 0 || in[1] != 0;
  case ExprKind::Not:
    return in[0] == 0;
  case ExprKind::CmpF:
    return compareFloats(
        cast<arith::CmpFPredicateAttr>(expr->attribute).getValue(), in[0],
        in[1]);
  case ExprKind::Other:
    return computeOther(expr->op, in);
  default:
    return std::nullopt;
  }
}

std::optional<std::vector<double>> Evaluator::run(ArrayRef<int64_t> extents) {
  std::vector<double> table;
  int64_t size = 1;
  for (int64_t extent : extents)
    size *= extent;
  table.reserve(size);
  point.assign(extents.size(), 0);
  for (int64_t i = 0; i < size; ++i) {
    values.clear();
    for (const Step &step : steps) {
      std::optional<double> value = compute(step);
      if (!value || std::isnan(*value))
        return std::nullopt;
      values.push_back(roundTo(*value, step.expr->type));
    }
    table.push_back(values.back());
    for (size_t dim = extents.size(); dim-- > 0;) {
      if (++point[dim] < extents[dim])
        break;
      point[dim] = 0;
    }
  }
  return table;
}

std::optional<std::vector<double>>
mlir::dit::raise::evaluate(const Expr *expr, const AxisSpace &space,
                           ArrayRef<Axis> axes, int64_t maxCost) {
  SmallVector<int64_t> extents;
  int64_t size = 1;
  for (Axis axis : axes) {
    std::optional<int64_t> extent = space.getExtent(axis).getConstant();
    if (!extent || *extent > maxCost / size)
      return std::nullopt;
    extents.push_back(*extent);
    size *= *extent;
  }
  Evaluator evaluator(space, axes, maxCost);
  if (failed(evaluator.plan(expr)) ||
      static_cast<int64_t>(evaluator.getNumSteps()) > maxCost / size)
    return std::nullopt;
  return evaluator.run(extents);
}
