// A file of a newer release is refused: the version byte of this one was raised
// by one. That older files are read is tested in test/Compatibility.

// RUN: not dit-opt %S/Inputs/newer-version.mlirbc 2>&1 | FileCheck %s
// CHECK: dit bytecode version 2 is newer than the supported version 1; read it with a newer release of dit
