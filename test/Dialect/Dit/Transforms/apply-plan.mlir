// RUN: split-file %s %t
// RUN: dit-opt %t/loop.mlir --dit-apply-plan --canonicalize | FileCheck %s --check-prefix=TABLE
// RUN: dit-opt %t/loop.mlir --dit-apply-plan=form=steps --canonicalize | FileCheck %s --check-prefix=STEPS
// RUN: dit-opt %t/loop.mlir --dit-apply-plan --remarks-filter=dit-apply-plan 2>&1 | FileCheck %s --check-prefix=REMARK

// One body: full steps that nothing reads save, too, so there are two kinds of
// steps. Nothing of the branch runs at a step that shares.

// TABLE-NOT:   dit.plan
// TABLE-LABEL: func.func @main(
// TABLE:         %[[ZEROS:.*]] = linalg.fill
// TABLE:         %{{.*}}:2 = scf.for %[[I:.*]] = {{.*}} iter_args(%[[X:.*]] = %{{.*}}, %[[S:.*]] = %[[ZEROS]])
// TABLE:           %[[ON:.*]] = dit.scheduled %[[I]], #dit.schedule<"110101">
// TABLE:           %[[R:.*]]:2 = dit.reuse compute(%[[ON]]) state(%[[S]] : tensor<4x4xf32>) {
// TABLE:             linalg.exp
// TABLE:             linalg.log
// TABLE:           } otherwise {
// TABLE-NEXT:      ^bb0(%[[C:.*]]: tensor<4x4xf32>):
// TABLE-NEXT:        %[[G:.*]] = linalg.mul ins(%[[C]]
// TABLE-NEXT:        dit.yield %[[G]]
// TABLE-NEXT:      }
// TABLE:           %[[NEXT:.*]] = linalg.add ins(%[[X]], %[[R]]#0
// TABLE:           scf.yield %[[NEXT]], %[[R]]#1

// Written out, the steps are a full one, twice full and shared, and a full one.
// A value lives from a full step to the next shared one.

// STEPS-LABEL: func.func @main(
// STEPS-SAME:      %[[X:[a-z0-9]+]]: tensor<4x4xf32>
// STEPS:         %[[E:.*]] = linalg.exp ins(%[[X]]
// STEPS:         linalg.log
// STEPS:         %[[X1:.*]] = linalg.add
// STEPS:         %[[L:.*]] = scf.for {{.*}} iter_args(%[[XI:.*]] = %[[X1]])
// STEPS:           linalg.exp ins(%[[XI]]
// STEPS:           %[[K:.*]] = linalg.log
// STEPS:           linalg.mul ins(%[[K]]
// STEPS:           linalg.add
// STEPS-NEXT:      linalg.mul ins(%[[K]]
// STEPS-NEXT:      %[[XN:.*]] = linalg.add
// STEPS-NEXT:      scf.yield %[[XN]]
// STEPS:         linalg.exp ins(%[[L]]
// STEPS:         linalg.add
// STEPS-NEXT:    return

// REMARK: remark: [Passed] ApplyPlan | Category:dit-apply-plan | Function=main | DistinctSteps=2, SharedSteps=2, Site=mlp, StateBytes=64, States=1, Steps=6

// Heads of their own: what is shared is the destination of what is computed,
// and only the heads that compute are projected.

// RUN: dit-opt %t/heads.mlir --dit-apply-plan=form=steps --canonicalize | FileCheck %s --check-prefix=HEADS
// HEADS-LABEL: func.func @main(
// HEADS:         %[[O:.*]] = dit.attention
// HEADS:         linalg.add
// HEADS:         tensor.extract_slice %{{.*}}[0, 4] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
// HEADS:         linalg.matmul {{.*}} -> tensor<6x4xf32>
// HEADS:         %[[D:.*]] = tensor.extract_slice %[[O]][0, 1, 0] [6, 1, 4]
// HEADS:         %[[P:.*]] = dit.attention {{.*}} pattern(#dit.window<left = 2, right = 2>) outs(%[[D]] : tensor<6x1x4xf32>)
// HEADS:         tensor.insert_slice %[[P]] into %[[O]][0, 1, 0]

// A denoiser alone becomes a step function.

// RUN: dit-opt %t/function.mlir --dit-apply-plan | FileCheck %s --check-prefix=FUNCTION
// FUNCTION-LABEL: func.func @denoise(
// FUNCTION-SAME:      %{{.*}}: tensor<4x4xf32>, %[[STEP:.*]]: index {dit.name = "step"}, %[[S:.*]]: tensor<4x4xf32> {dit.name = "state0"})
// FUNCTION-SAME:      -> (tensor<4x4xf32>, tensor<4x4xf32> {dit.name = "state0"})
// FUNCTION:         arith.cmpi ult, %[[STEP]]
// FUNCTION:         cf.assert %{{.*}}, "expected a step below 2, the number of steps of the plan"
// FUNCTION:         dit.scheduled %[[STEP]]
// FUNCTION:         %[[R:.*]]:2 = dit.reuse
// FUNCTION:         return %{{.*}}, %[[R]]#1
// FUNCTION-LABEL: func.func @init_states() -> tensor<4x4xf32>
// FUNCTION:         linalg.fill

// With a step for each branch, a caller chooses modes at run time.

// RUN: dit-opt %t/function.mlir --dit-apply-plan=step-by-branch | FileCheck %s --check-prefix=BRANCHES
// BRANCHES-LABEL: func.func @denoise(
// BRANCHES-SAME:      %[[PLACES:[a-z0-9]+]]: tensor<1xi64> {dit.name = "step"}
// BRANCHES:         %[[N:.*]] = tensor.extract %[[PLACES]]
// BRANCHES:         %[[STEP:.*]] = arith.index_cast %[[N]]
// BRANCHES:         arith.cmpi ult, %[[STEP]]
// BRANCHES:         tensor.extract %[[PLACES]]
// BRANCHES:         dit.scheduled

// RUN: not dit-opt %t/function.mlir --dit-apply-plan="step-by-branch form=steps" 2>&1 | FileCheck %s --check-prefix=BRANCHES-FORM
// BRANCHES-FORM: error: dit-apply-plan: the option step-by-branch is for a denoiser and form=table

// The residual of a half: the full step keeps how far the halves are apart, and
// the next one computes the first half alone.

// RUN: dit-opt %t/halves.mlir --dit-apply-plan=form=steps --canonicalize | FileCheck %s --check-prefix=HALVES
// HALVES-LABEL: func.func @main(
// HALVES:         %[[B:.*]] = linalg.exp
// HALVES-DAG:     %[[FIRST:.*]] = tensor.extract_slice %[[B]][0, 0] [2, 4]
// HALVES-DAG:     %[[SECOND:.*]] = tensor.extract_slice %[[B]][2, 0] [2, 4]
// HALVES:         %[[APART:.*]] = linalg.sub ins(%[[SECOND]], %[[FIRST]]
// HALVES:         %[[HALF:.*]] = linalg.exp {{.*}} -> tensor<2x4xf32>
// HALVES:         linalg.add ins(%[[HALF]], %[[APART]]

// One error, and nothing changes.

// RUN: not dit-opt %t/none.mlir --dit-apply-plan 2>&1 | FileCheck %s --check-prefix=NO-PLAN
// NO-PLAN: error: dit-apply-plan: there is no plan; run --dit-import-plan first
// RUN: not dit-opt %t/loop.mlir --dit-apply-plan=name=other 2>&1 | FileCheck %s --check-prefix=NO-NAME
// NO-NAME: error: dit-apply-plan: there is no plan 'other'
// RUN: not dit-opt %t/steps.mlir --dit-apply-plan 2>&1 | FileCheck %s --check-prefix=STEP-COUNT
// STEP-COUNT: steps.mlir:1:1: error: dit-apply-plan: the plan is for 3 steps, and the sampler has 6; make a plan for these, or give the option remap
// STEP-COUNT: note: the steps are here
// RUN: dit-opt %t/steps.mlir --dit-apply-plan=remap | FileCheck %s --check-prefix=REMAP
// REMAP: dit.scheduled %{{.*}}, #dit.schedule<"110011">
// RUN: not dit-opt %t/site.mlir --dit-apply-plan 2>&1 | FileCheck %s --check-prefix=SITE
// SITE: site.mlir:2:3: error: dit-apply-plan: the program has no site 'mlp7'; its sites are: mlp
// RUN: not dit-opt %t/model.mlir --dit-apply-plan 2>&1 | FileCheck %s --check-prefix=MODEL
// MODEL: error: dit-apply-plan: the plan does not fit: it is for a program whose sites have the fingerprint 0123456789abcdef
// RUN: not dit-opt %t/attention.mlir --dit-apply-plan 2>&1 | FileCheck %s --check-prefix=ATTENTION
// ATTENTION: error: dit-apply-plan: there is no branch; run --dit-outline-branches first
// RUN: not dit-opt %t/odd.mlir --dit-apply-plan 2>&1 | FileCheck %s --check-prefix=ODD
// ODD: odd.mlir:2:3: error: dit-apply-plan: site 'mlp': a half needs a batch, the first dimension of what it adds, of an even extent
// ODD: note: the branch is here

//--- loop.mlir
dit.plan @plan timesteps [6, 5, 4, 3, 2, 1] {
  dit.planned "mlp" mlp cache after_projection heads 1 [full, 2 * (full, share), full]
}
!t = tensor<4x4xf32>
func.func @main(%x0: !t, %g: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 6 : index
  %e = tensor.empty() : !t
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %x0) -> (!t) {
    %b = dit.branch "mlp" mlp of(%x : !t) project {
      %0 = linalg.exp ins(%x : !t) outs(%e : !t) -> !t
      %1 = linalg.log ins(%0 : !t) outs(%e : !t) -> !t
      dit.yield %1 : !t
    } gate {
    ^bb0(%p: !t):
      %0 = linalg.mul ins(%p, %g : !t, !t) outs(%e : !t) -> !t
      dit.yield %0 : !t
    } -> !t
    %y = linalg.add ins(%x, %b : !t, !t) outs(%e : !t) -> !t
    scf.yield %y : !t
  }
  return %r : !t
}

//--- heads.mlir
dit.plan @plan timesteps [2, 1] {
  dit.planned "a" self cache before_projection heads 2 [full, {share, window(2)}]
}
!t = tensor<6x4xf32>
!q = tensor<6x8xf32>
!h = tensor<6x2x4xf32>
!w = tensor<4x8xf32>
#o = #dit.order<shd>
func.func @main(%x0: !t, %w: !w, %wo: tensor<8x4xf32>) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 2 : index
  %e = tensor.empty() : !t
  %eq = tensor.empty() : !q
  %eh = tensor.empty() : !h
  %f = arith.constant 0.0 : f32
  %z = linalg.fill ins(%f : f32) outs(%eq : !q) -> !q
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %x0) -> (!t) {
    %b = dit.branch "a" self heads 2 of(%x : !t) attend {
      %m = linalg.matmul ins(%x, %w : !t, !w) outs(%z : !q) -> !q
      %q = tensor.expand_shape %m [[0], [1, 2]] output_shape [6, 2, 4] : !q into !h
      %a = dit.attention ins(%q, %q, %q : !h, !h, !h) outs(%eh : !h)
          {scale = 0.5 : f64, site = "a", q_order = #o, k_order = #o, v_order = #o, o_order = #o}
      dit.yield %a : !h
    } project {
    ^bb0(%a: !h):
      %c = tensor.collapse_shape %a [[0], [1, 2]] : !h into !q
      %p = linalg.matmul ins(%c, %wo : !q, tensor<8x4xf32>) outs(%e : !t) -> !t
      dit.yield %p : !t
    } -> !t
    %y = linalg.add ins(%x, %b : !t, !t) outs(%e : !t) -> !t
    scf.yield %y : !t
  }
  return %r : !t
}

//--- function.mlir
dit.plan @plan timesteps [2, 1] {
  dit.planned "mlp" mlp cache after_projection heads 1 [full, share]
}
!t = tensor<4x4xf32>
func.func @denoise(%x: !t) -> !t {
  %e = tensor.empty() : !t
  %b = dit.branch "mlp" mlp of(%x : !t) project {
    %0 = linalg.exp ins(%x : !t) outs(%e : !t) -> !t
    dit.yield %0 : !t
  } -> !t
  %y = linalg.add ins(%x, %b : !t, !t) outs(%e : !t) -> !t
  return %y : !t
}

//--- halves.mlir
dit.plan @plan timesteps [2, 1] {
  dit.planned "mlp" mlp cache after_projection heads 1 [full, full residual half(first)]
}
!t = tensor<4x4xf32>
func.func @main(%x0: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %e = tensor.empty() : !t
  %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%x = %x0) -> (!t) {
    %b = dit.branch "mlp" mlp of(%x : !t) project {
      %0 = linalg.exp ins(%x : !t) outs(%e : !t) -> !t
      dit.yield %0 : !t
    } -> !t
    %y = linalg.add ins(%x, %b : !t, !t) outs(%e : !t) -> !t
    scf.yield %y : !t
  }
  return %r : !t
}

//--- none.mlir
func.func private @main()

//--- steps.mlir
dit.plan @plan timesteps [3, 2, 1] {
  dit.planned "mlp" mlp cache after_projection heads 1 [full, share, full]
}
!t = tensor<4x4xf32>
func.func @main(%x0: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 6 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %x0) -> (!t) {
    %b = dit.branch "mlp" mlp of(%x : !t) project {
      %0 = linalg.exp ins(%x : !t) outs(%x : !t) -> !t
      dit.yield %0 : !t
    } -> !t
    scf.yield %b : !t
  }
  return %r : !t
}

//--- site.mlir
dit.plan @plan timesteps [2, 1] {
  dit.planned "mlp7" mlp cache after_projection heads 1 [full, share]
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %b = dit.branch "mlp" mlp of(%x : tensor<4xf32>) project {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return %b : tensor<4xf32>
}

//--- model.mlir
dit.plan @plan timesteps [2, 1] fingerprint "0123456789abcdef" {
  dit.planned "mlp" mlp cache after_projection heads 1 [full, share]
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %b = dit.branch "mlp" mlp of(%x : tensor<4xf32>) project {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return %b : tensor<4xf32>
}

//--- attention.mlir
dit.plan @plan timesteps [2, 1] {
  dit.planned "a" self cache after_projection heads 1 [full, share]
}
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %a = dit.attention ins(%x, %x, %x : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%x : tensor<4x4xf32>)
      {scale = 0.5 : f64, site = "a", q_order = #dit.order<sd>, k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  return %a : tensor<4x4xf32>
}

//--- odd.mlir
dit.plan @plan timesteps [2, 1] {
  dit.planned "mlp" mlp cache after_projection heads 1 [full, full half(first)]
}
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %b = dit.branch "mlp" mlp of(%x : tensor<3xf32>) project {
    dit.yield %x : tensor<3xf32>
  } -> tensor<3xf32>
  return %b : tensor<3xf32>
}
