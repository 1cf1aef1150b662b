// RUN: dit-opt %s --dit-reuse-attention="schedule=1010 sites=^b" | FileCheck %s
// RUN: dit-opt %s --dit-reuse-attention="schedule=1010 kinds=cross" | FileCheck %s --check-prefix=KIND
// RUN: dit-opt %s --dit-reuse-attention="schedule=1010" --remarks-filter=dit-reuse-attention --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: dit-opt %s --dit-reuse-attention="schedule=1010 sites=^b" --dit-lower-reuse | FileCheck %s --check-prefix=LOWERED

!t = tensor<1x1x8x4xf32>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// Norm, projection and what follows up to the gate go into the branch; the
// hidden state, which others use, and the gate, which varies, do not.
// CHECK-LABEL: func.func @branch
// CHECK-SAME:    %[[X0:[a-z0-9]+]]: tensor<1x1x8x4xf32>, %[[W:[a-z0-9]+]]: tensor<1x1x8x4xf32>
// CHECK:         %[[EMPTY:.*]] = tensor.empty
// CHECK:         %[[ZEROS:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<1x1x8x4xf32>)
// CHECK:         scf.for %[[I:[a-z0-9]+]] = {{.*}} iter_args(%[[X:[a-z0-9]+]] = %[[X0]], %[[STATE:[a-z0-9]+]] = %[[ZEROS]])
// CHECK:           %[[ON:.*]] = dit.scheduled %[[I]], #dit.schedule<"1010">
// CHECK:           %[[GATE:.*]] = linalg.exp ins(%[[X]]
// CHECK:           %[[R:.*]]:2 = dit.reuse compute(%[[ON]]) state(%[[STATE]] : tensor<1x1x8x4xf32>) {
// CHECK:           ^bb0(%[[DST:.*]]: tensor<1x1x8x4xf32>):
// CHECK:             %[[NORM:.*]] = linalg.abs ins(%[[X]]
// CHECK:             %[[Q:.*]] = linalg.mul ins(%[[NORM]], %[[W]]
// CHECK:             %[[A:.*]] = dit.attention ins(%[[Q]], %[[NORM]], %[[NORM]]
// CHECK:             %[[P:.*]] = linalg.mul ins(%[[A]], %[[W]] : {{.*}}) outs(%[[EMPTY]]
// CHECK:             %[[B:.*]] = linalg.add ins(%[[P]], %[[W]] : {{.*}}) outs(%[[DST]]
// CHECK:             %[[S:.*]] = bufferization.materialize_in_destination %[[B]] in %[[DST]]
// CHECK:             dit.yield %[[S]], %[[S]]
// CHECK:           }
// CHECK-SAME:      {site = "b0"}
// CHECK:           %[[G:.*]] = linalg.mul ins(%[[R]]#0, %[[GATE]]
// CHECK:           %[[N:.*]] = linalg.add ins(%[[X]], %[[G]]
// CHECK:           scf.yield %[[N]], %[[R]]#1
// REMARK-DAG: [Passed] ReuseAttention | Category:dit-reuse-attention | Function=branch | OpsInBranch=5, ReusedSteps=2, SavedAttentionFlops=2048, Site=b0, StateBytes=128, Steps=4
// A step that reuses gives the state back and runs nothing.
// LOWERED-LABEL: func.func @branch
// LOWERED:         scf.if
// LOWERED:           dit.attention
// LOWERED:         } else {
// LOWERED-NEXT:      scf.yield
// LOWERED-NEXT:    }
// LOWERED-NOT:     dit.attention
// LOWERED:         return
// KIND-LABEL: func.func @branch
// KIND-NOT:     dit.reuse
func.func @branch(%x0: !t, %w: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = tensor.empty() : !t
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %x0) -> (!t) {
    %gate = linalg.exp ins(%x : !t) outs(%e : !t) -> !t
    %norm = linalg.abs ins(%x : !t) outs(%e : !t) -> !t
    %q = linalg.mul ins(%norm, %w : !t, !t) outs(%e : !t) -> !t
    %a = dit.attention ins(%q, %norm, %norm : !t, !t, !t) outs(%e : !t) {scale = 0.5 : f64, site = "b0", kind = #dit.kind<self>}
    %p = linalg.mul ins(%a, %w : !t, !t) outs(%e : !t) -> !t
    %b = linalg.add ins(%p, %w : !t, !t) outs(%e : !t) -> !t
    %g = linalg.mul ins(%b, %gate : !t, !t) outs(%e : !t) -> !t
    %n = linalg.add ins(%x, %g : !t, !t) outs(%e : !t) -> !t
    scf.yield %n : !t
  }
  return %r : !t
}

// Two branches of one loop share the condition; the step is counted from the
// first iteration; a reshape at the end stays outside; a sum is started in the
// state itself.
// CHECK-LABEL: func.func @two
// CHECK:         scf.for %[[I:[a-z0-9]+]] = %[[LB:.*]] to {{.*}} step %[[ST:.*]] iter_args(%[[X:[a-z0-9]+]] = {{.*}}, %[[S0:.*]] = {{.*}}, %[[S1:.*]] = {{.*}}) ->
// CHECK:           %[[D:.*]] = arith.subi %[[I]], %[[LB]]
// CHECK:           %[[STEP:.*]] = arith.divui %[[D]], %[[ST]]
// CHECK:           %[[ON:.*]] = dit.scheduled %[[STEP]],
// CHECK:           %[[R0:.*]]:2 = dit.reuse compute(%[[ON]])
// CHECK:             dit.attention
// CHECK:             %[[C:.*]] = tensor.collapse_shape
// CHECK:             %[[F:.*]] = linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<8x4xf32>)
// CHECK:             linalg.matmul ins(%[[C]], %{{.*}}) outs(%[[F]]
// CHECK:           {site = "b1"}
// CHECK:           tensor.expand_shape %[[R0]]#0
// CHECK:           dit.reuse compute(%[[ON]])
// CHECK:           {site = "b2"}
// KIND-LABEL: func.func @two
// KIND:           dit.reuse
// KIND:           {site = "b2"}
// KIND-NOT:       dit.reuse
func.func @two(%x0: !t, %w: tensor<4x4xf32>, %text: tensor<1x1x2x4xf32>) -> !t {
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c14 = arith.constant 14 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : !t
  %r = scf.for %i = %c2 to %c14 step %c3 iter_args(%x = %x0) -> (!t) {
    %a = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%e : !t) {scale = 0.5 : f64, site = "b1", kind = #dit.kind<self>}
    %c = tensor.collapse_shape %a [[0, 1, 2], [3]] : !t into tensor<8x4xf32>
    %e2 = tensor.empty() : tensor<8x4xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8x4xf32>) -> tensor<8x4xf32>
    %m = linalg.matmul ins(%c, %w : tensor<8x4xf32>, tensor<4x4xf32>) outs(%f : tensor<8x4xf32>) -> tensor<8x4xf32>
    %p = tensor.expand_shape %m [[0, 1, 2], [3]] output_shape [1, 1, 8, 4] : tensor<8x4xf32> into !t
    %n = linalg.add ins(%x, %p : !t, !t) outs(%e : !t) -> !t
    %b = dit.attention ins(%n, %text, %text : !t, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>) outs(%e : !t) {scale = 0.5 : f64, site = "b2", kind = #dit.kind<cross>}
    %n2 = linalg.add ins(%n, %b : !t, !t) outs(%e : !t) -> !t
    scf.yield %n2 : !t
  }
  return %r : !t
}

// A result that is not written to a fresh tensor comes to the state all the
// same.
// CHECK-LABEL: func.func @copied
// CHECK:         dit.reuse
// CHECK:         ^bb0(%[[DST:.*]]: tensor<1x1x8x4xf32>):
// CHECK:           %[[A:.*]] = dit.attention
// CHECK:           %[[C:.*]] = bufferization.materialize_in_destination %[[A]] in %[[DST]]
// CHECK:           dit.yield %[[C]], %[[C]]
func.func @copied(%x0: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %x0) -> (!t) {
    %a = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%x0 : !t) {scale = 0.5 : f64, site = "b5"}
    %n = linalg.add ins(%x, %a : !t, !t) outs(%x : !t) -> !t
    scf.yield %n : !t
  }
  return %r : !t
}

// CHECK-LABEL: func.func @left_alone
// CHECK-NOT:     dit.reuse
// REMARK-DAG: [Missed] {{.*}} Function=left_alone {{.*}} Reason="it is not directly in the body of a step loop"
// REMARK-DAG: [Missed] {{.*}} Function=left_alone {{.*}} Reason="the result of its branch has a dynamic shape, so no state can be set up before the loop"
func.func @left_alone(%x0: !t, %d0: tensor<1x1x?x4xf32>) -> (!t, tensor<1x1x?x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = dit.attention ins(%x0, %x0, %x0 : !t, !t, !t) outs(%x0 : !t) {scale = 0.5 : f64, site = "b3"}
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%d = %d0) -> (tensor<1x1x?x4xf32>) {
    %b = dit.attention ins(%d, %d, %d : tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>) outs(%d : tensor<1x1x?x4xf32>) {scale = 0.5 : f64, site = "b4"}
    scf.yield %b : tensor<1x1x?x4xf32>
  }
  return %a, %r : !t, tensor<1x1x?x4xf32>
}
