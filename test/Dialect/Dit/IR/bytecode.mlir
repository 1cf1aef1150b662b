// A file that an older release wrote parses for good: Inputs/version1.mlirbc
// is `dit-opt --emit-bytecode Inputs/version1.mlir` of dialect version 1. After
// a change of an encoding, add a pair for the new version, keep this one, and
// teach the dialect to upgrade it.

// RUN: dit-opt %S/Inputs/version1.mlirbc -o %t.from-bytecode.mlir
// RUN: dit-opt %S/Inputs/version1.mlir -o %t.from-text.mlir
// RUN: diff %t.from-bytecode.mlir %t.from-text.mlir

// The other file has its version byte raised by one.

// RUN: not dit-opt %S/Inputs/newer-version.mlirbc 2>&1 | FileCheck %s
// CHECK: dit bytecode version 2 is newer than the supported version 1; read it with a newer release of dit
