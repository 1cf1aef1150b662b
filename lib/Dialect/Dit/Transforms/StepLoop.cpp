//===- StepLoop.cpp - The loop over diffusion steps -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Steps count from the first iteration, whatever the bounds of the loop.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

Value mlir::dit::createStep(OpBuilder &builder, scf::ForOp loop) {
  Location loc = loop.getLoc();
  Value step = loop.getInductionVar();
  if (!isConstantIntValue(loop.getLowerBound(), 0))
    step = arith::SubIOp::create(builder, loc, step, loop.getLowerBound());
  if (!isConstantIntValue(loop.getStep(), 1))
    step = arith::DivUIOp::create(builder, loc, step, loop.getStep());
  if (!step.getType().isIndex())
    step =
        arith::IndexCastOp::create(builder, loc, builder.getIndexType(), step);
  return step;
}
