// RUN: dit-opt %s --dit-lower-reuse --split-input-file | FileCheck %s
// RUN: dit-opt %s --dit-lower-reuse --canonicalize --split-input-file | FileCheck %s --check-prefix=FOLD

// The new state is built into the old one, so that both branches end in the
// same buffer.

// CHECK-LABEL: func.func @default_gives_state_back(
// CHECK-SAME:    %[[ON:.*]]: i1, %[[X:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<4xf32>)
// CHECK:         %[[R:.*]]:2 = scf.if %[[ON]] -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK-NEXT:      %[[E:.*]] = linalg.exp ins(%[[X]] : tensor<4xf32>) outs(%[[C]] : tensor<4xf32>)
// CHECK-NEXT:      scf.yield %[[E]], %[[E]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %[[C]], %[[C]]
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[R]]#0, %[[R]]#1
func.func @default_gives_state_back(%on: i1, %x: tensor<4xf32>, %c0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y, %c1 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%dst: tensor<4xf32>):
    %b = linalg.exp ins(%x : tensor<4xf32>) outs(%dst : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %b, %b : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return %y, %c1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @otherwise(
// CHECK-SAME:    %[[ON:.*]]: i1, %[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<4xf32>)
// CHECK:         scf.if %[[ON]] -> (f32, tensor<4xf32>, tensor<4xf32>)
// CHECK:           tensor.extract %[[A]]
// The compute region yields its second destination untouched, and swaps.
// CHECK:           scf.yield %{{.*}}, %[[B]], %[[A]]
// CHECK-NEXT:    } else {
// CHECK:           %[[F:.*]] = tensor.extract %[[B]]
// CHECK-NEXT:      scf.yield %[[F]], %[[A]], %[[B]]
func.func @otherwise(%on: i1, %a: tensor<4xf32>, %b: tensor<4xf32>) -> (f32, tensor<4xf32>, tensor<4xf32>) {
  %i = arith.constant 1 : index
  %y, %s:2 = dit.reuse compute(%on) state(%a, %b : tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%d0: tensor<4xf32>, %d1: tensor<4xf32>):
    %e = tensor.extract %d0[%i] : tensor<4xf32>
    dit.yield %e, %d1, %d0 : f32, tensor<4xf32>, tensor<4xf32>
  } otherwise {
  ^bb0(%c0: tensor<4xf32>, %c1: tensor<4xf32>):
    %e = tensor.extract %c1[%i] : tensor<4xf32>
    dit.yield %e : f32
  } -> f32, tensor<4xf32>, tensor<4xf32>
  return %y, %s#0, %s#1 : f32, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @nested(
// CHECK-SAME:    %[[ON:.*]]: i1, %[[OFF:.*]]: i1, %[[C:.*]]: tensor<4xf32>)
// CHECK:         scf.if %[[ON]]
// CHECK:           scf.if %[[OFF]]
// CHECK-NOT:     dit.
func.func @nested(%on: i1, %off: i1, %c: tensor<4xf32>) -> tensor<4xf32> {
  %y, %s = dit.reuse compute(%on) state(%c : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    %z, %t = dit.reuse compute(%off) state(%d : tensor<4xf32>) {
    ^bb0(%e: tensor<4xf32>):
      %x = linalg.exp ins(%e : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      dit.yield %x, %x : tensor<4xf32>, tensor<4xf32>
    } -> tensor<4xf32>, tensor<4xf32>
    dit.yield %z, %t : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Steps 0 and 3 of four compute: the word is 0b1001. A step outside, also a
// negative one, computes.

// CHECK-LABEL: func.func @word(
// CHECK-SAME:    %[[STEP:.*]]: index)
// CHECK-DAG:     %[[TRUE:.*]] = arith.constant true
// CHECK-DAG:     %[[N:.*]] = arith.constant 4 : index
// CHECK:         %[[IN:.*]] = arith.cmpi ult, %[[STEP]], %[[N]]
// CHECK:         %[[SAFE:.*]] = arith.select %[[IN]], %[[STEP]]
// CHECK:         %[[WORD:.*]] = arith.constant 9 : i64
// CHECK:         %[[SHIFT:.*]] = arith.index_cast %[[SAFE]]
// CHECK:         %[[SHR:.*]] = arith.shrui %[[WORD]], %[[SHIFT]]
// CHECK:         %[[BIT:.*]] = arith.trunci %[[SHR]] : i64 to i1
// CHECK:         arith.select %[[IN]], %[[BIT]], %[[TRUE]]
func.func @word(%step: index) -> i1 {
  %on = dit.scheduled %step, #dit.schedule<"1001">
  return %on : i1
}

// FOLD-LABEL: func.func @word_constant
// FOLD-DAG:     %[[FALSE:.*]] = arith.constant false
// FOLD-DAG:     %[[TRUE:.*]] = arith.constant true
// FOLD:         return %[[TRUE]], %[[FALSE]], %[[FALSE]], %[[TRUE]], %[[TRUE]], %[[TRUE]]
func.func @word_constant() -> (i1, i1, i1, i1, i1, i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %m1 = arith.constant -1 : index
  %0 = dit.scheduled %c0, #dit.schedule<"1001">
  %1 = dit.scheduled %c1, #dit.schedule<"1001">
  %2 = dit.scheduled %c2, #dit.schedule<"1001">
  %3 = dit.scheduled %c3, #dit.schedule<"1001">
  %4 = dit.scheduled %c4, #dit.schedule<"1001">
  %5 = dit.scheduled %m1, #dit.schedule<"1001">
  return %0, %1, %2, %3, %4, %5 : i1, i1, i1, i1, i1, i1
}

// -----

// 66 steps: step 63 is the sign bit of word 0, step 65 bit 1 of word 1.

// CHECK-LABEL: func.func @words(
// CHECK:         %[[TABLE:.*]] = arith.constant dense<[-9223372036854775807, 2]> : tensor<2xi64>
// CHECK:         arith.divui
// CHECK:         tensor.extract %[[TABLE]]
// CHECK:         arith.remui
// CHECK-NOT:     dit.scheduled
func.func @words(%step: index) -> i1 {
  %on = dit.scheduled %step, #dit.schedule<"100000000000000000000000000000000000000000000000000000000000000101">
  return %on : i1
}

// The stages of a branch run one after the other.

// CHECK-LABEL: func.func @branch(
// CHECK-SAME:      %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT:    %[[EXP:.*]] = linalg.exp ins(%[[X]] : tensor<4xf32>) outs(%[[X]]
// CHECK-NEXT:    %[[LOG:.*]] = linalg.log ins(%[[EXP]] : tensor<4xf32>) outs(%[[X]]
// CHECK-NEXT:    return %[[EXP]], %[[LOG]]
func.func @branch(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y:2 = dit.branch "a" joint heads 2 of(%x, %x : tensor<4xf32>, tensor<4xf32>) attend {
    %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %0 : tensor<4xf32>
  } gate {
  ^bb0(%a: tensor<4xf32>):
    %1 = linalg.log ins(%a : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %a, %1 : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return %y#0, %y#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Nothing reads profiles and plans any more.

// CHECK-NOT: dit.plan
// CHECK-NOT: dit.profile
// CHECK-LABEL: func.func private @after_plans
dit.plan @plan timesteps [2, 1] {
  dit.planned "a" self cache after_projection heads 1 [full, share]
}
dit.profile @profile timesteps [1] {
  dit.measured "a" seconds dense<1.0> : tensor<1xf64>
}
func.func private @after_plans()
