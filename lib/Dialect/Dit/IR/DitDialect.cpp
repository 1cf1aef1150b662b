//===- DitDialect.cpp - The dit dialect -----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BytecodeVersion.h"
#include "ModeAssembly.h"

#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/RuntimeVerifiableOpInterface.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace mlir::dit;

#include "dit/Dialect/Dit/IR/DitDialect.cpp.inc"

namespace {

struct DitBytecodeInterface : BytecodeDialectInterface {
  explicit DitBytecodeInterface(Dialect *dialect)
      : BytecodeDialectInterface(dialect) {}

  void writeVersion(DialectBytecodeWriter &writer) const final {
    writer.writeVarInt(DitDialectVersion::current);
  }

  std::unique_ptr<DialectVersion>
  readVersion(DialectBytecodeReader &reader) const final {
    uint64_t value;
    if (failed(reader.readVarInt(value)))
      return nullptr;
    if (value > DitDialectVersion::current) {
      reader.emitError() << "dit bytecode version " << value
                         << " is newer than the supported version "
                         << DitDialectVersion::current
                         << "; read it with a newer release of dit";
      return nullptr;
    }
    return std::make_unique<DitDialectVersion>(value);
  }

  LogicalResult upgradeFromVersion(Operation *op,
                                   const DialectVersion &version) const final {
    return success();
  }
};

/// Functions with ops of dit, and calls inside of a reuse, may be inlined.
struct DitInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final {
    return true;
  }
};

} // namespace

void DitDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dit/Dialect/Dit/IR/DitOps.cpp.inc"
      >();
  addInterfaces<DitBytecodeInterface, DitInlinerInterface>();
  declarePromisedInterfaces<bufferization::BufferizableOpInterface, AttentionOp,
                            AttentionPairOp, AttentionBackwardOp,
                            AttentionMergeOp, LowRankScoreOp, TopkMaskOp,
                            TilesUnionOp, TilesSliceOp, TilesTransposeOp,
                            GroupTokensOp, UngroupTokensOp>();
  declarePromisedInterfaces<TilingInterface, AttentionOp>();
  declarePromisedInterfaces<RuntimeVerifiableOpInterface, AttentionOp,
                            AttentionPairOp, AttentionBackwardOp, TilesUnionOp,
                            TilesSliceOp, TilesTransposeOp>();
}

Operation *DitDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                           Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

#define GET_OP_CLASSES
#include "dit/Dialect/Dit/IR/DitOps.cpp.inc"
