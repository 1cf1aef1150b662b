// RUN: not dit-opt %s --convert-linalg-to-cpu=vector-bits=100 2>&1 | FileCheck %s

// CHECK: error: expected vectors of a power of two of at least 64 bits, got 100
module {
}
