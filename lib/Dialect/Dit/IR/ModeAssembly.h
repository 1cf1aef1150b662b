//===- ModeAssembly.h - The assembly of modes -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the attributes of modes and the ops that hold them share.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_IR_MODEASSEMBLY_H
#define DIT_LIB_DIALECT_DIT_IR_MODEASSEMBLY_H

#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit {

/// Parses an integer or a number with a point.
ParseResult parseNumber(AsmParser &parser, double &value);

/// Parses a mode; a source that is not given stays `Mode::kLatest`.
ParseResult parseMode(AsmParser &parser, Mode &mode);

/// Parses and prints `heads 4 [...]`.
ParseResult parseModes(AsmParser &parser, ModesAttr &attr);
void printModes(AsmPrinter &printer, const ModeTable &table);

// Directives of the ops' assembly formats.
ParseResult parseTimesteps(OpAsmParser &parser, DenseF64ArrayAttr &timesteps);
void printTimesteps(OpAsmPrinter &printer, Operation *op,
                    DenseF64ArrayAttr timesteps);
ParseResult parseModes(OpAsmParser &parser, ModesAttr &modes);
void printModes(OpAsmPrinter &printer, Operation *op, ModesAttr modes);
ParseResult parseMass(OpAsmParser &parser, FloatAttr &mass);
void printMass(OpAsmPrinter &printer, Operation *op, FloatAttr mass);

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_IR_MODEASSEMBLY_H
