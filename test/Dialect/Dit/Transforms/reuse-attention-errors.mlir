// RUN: not dit-opt %s --dit-reuse-attention="schedule=0101" 2>&1 | FileCheck %s --check-prefix=FIRST
// RUN: not dit-opt %s --dit-reuse-attention="schedule=10101" 2>&1 | FileCheck %s --check-prefix=LONG
// RUN: not dit-opt %s --dit-reuse-attention="schedule=1x" 2>&1 | FileCheck %s --check-prefix=LETTER
// RUN: not dit-opt %s --dit-reuse-attention="schedule=10 sites=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not dit-opt %s --dit-reuse-attention="schedule=10 kinds=sideways" 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not dit-opt %s --dit-reuse-attention 2>&1 | FileCheck %s --check-prefix=NONE

// FIRST: error: schedule "0101" reuses at step 0, before anything was computed; expected it to start with 1
// LONG: error: expected a schedule of at most the 4 steps of this loop, got 5
// LETTER: error: dit-reuse-attention:
// REGEX: error: dit-reuse-attention: expected a regular expression in the option sites, got '('
// KIND: error: dit-reuse-attention: expected a kind of attention in the option kinds, got 'sideways'
// NONE: error: dit-reuse-attention: expected the option schedule
func.func @loop(%x0: tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %x0) -> (tensor<1x1x8x4xf32>) {
    %a = dit.attention ins(%x, %x, %x : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>) outs(%x : tensor<1x1x8x4xf32>) {scale = 0.5 : f64, site = "a"}
    scf.yield %a : tensor<1x1x8x4xf32>
  }
  return %r : tensor<1x1x8x4xf32>
}
