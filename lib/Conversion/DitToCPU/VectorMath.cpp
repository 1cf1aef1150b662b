//===- VectorMath.cpp - Functions of vectors by polynomials ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VectorMath.h"

using namespace mlir;
using namespace mlir::dit::cpu;

namespace {

/// What the method needs to know of a float format.
struct Exp2Format {
  /// 1.5 * 2^mantissa bits: adding it rounds to an integer in the low bits.
  double rounder;
  int64_t mantissaBits;
  /// Smallest x with a normal 2^x.
  double smallest;
  /// Minimax polynomial of 2^f on [-1/2, 1/2] for the relative error, low
  /// powers first.
  ArrayRef<double> coefficients;
};

// Relative errors 1.9e-9 and 3.5e-18, below half an ulp of their formats.
const double kCoefficientsF32[] = {1.0,
                                   0.6931472057372673,
                                   0.2402264689063404,
                                   0.055503287769656136,
                                   0.009618488957130883,
                                   0.001339993121914177,
                                   0.00015345811997646624};
// The relative error is 2.6e-6.
const double kCoarseCoefficients[] = {0.99999926, 0.69312181, 0.24024745,
                                      0.05591789, 0.00957011};
const double kCoefficientsF64[] = {1.0,
                                   0.6931471805599453,
                                   0.24022650695910158,
                                   0.05550410866481985,
                                   0.0096181291075878,
                                   0.0013333558146803087,
                                   0.00015403530463108876,
                                   1.5252733480312947e-05,
                                   1.321543281855152e-06,
                                   1.0178201160392126e-07,
                                   7.074148959040846e-09,
                                   4.434913991232503e-10};

} // namespace

static Exp2Format getFormat(Type element, bool coarse) {
  if (element.isF64())
    return {6755399441055744.0, 52, -1022.0, kCoefficientsF64};
  ArrayRef<double> coefficients = kCoefficientsF32;
  if (coarse)
    coefficients = kCoarseCoefficients;
  return {12582912.0, 23, -126.0, coefficients};
}

Value mlir::dit::cpu::emitExp2OfNonPositive(KernelBuilder &kb, Value x,
                                            bool coarse) {
  Type type = x.getType();
  Type element = getElementTypeOrSelf(type);
  Exp2Format format = getFormat(element, coarse);
  Type bits = kb.getIntegerType(element.getIntOrFloatBitWidth());
  if (auto vector = dyn_cast<VectorType>(type))
    bits = vector.clone(bits);

  // x = n + f with n the nearest integer, kept in the low bits of `shifted`.
  Value rounder = kb.constant(type, format.rounder);
  Value shifted = kb.addf(x, rounder);
  Value f = kb.subf(x, kb.subf(shifted, rounder));
  Value p = kb.constant(type, format.coefficients.back());
  for (double c : llvm::reverse(format.coefficients.drop_back()))
    p = kb.fma(p, f, kb.constant(type, c));
  // 2^n enters through the exponent of p.
  Value n =
      arith::ShLIOp::create(kb, arith::BitcastOp::create(kb, bits, shifted),
                            kb.integer(bits, format.mantissaBits));
  Value scaled =
      arith::AddIOp::create(kb, arith::BitcastOp::create(kb, bits, p), n);
  Value result = arith::BitcastOp::create(kb, type, scaled);
  Value tiny =
      kb.cmpf(arith::CmpFPredicate::OLT, x, kb.constant(type, format.smallest));
  return arith::SelectOp::create(kb, tiny, kb.constant(type, 0.0), result);
}
