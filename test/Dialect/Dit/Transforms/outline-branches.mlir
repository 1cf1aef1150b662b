// RUN: dit-opt %s --dit-outline-branches --split-input-file | FileCheck %s
// RUN: dit-opt %s --dit-outline-branches --split-input-file --remarks-filter=dit-outline-branches 2>&1 >%t.out | FileCheck %s --check-prefix=REMARK
// What was outlined is not outlined again, and inlining gives the program back.
// RUN: dit-opt %s --dit-outline-branches --dit-outline-branches --split-input-file | FileCheck %s
// RUN: dit-opt %s --dit-outline-branches --dit-lower-reuse --split-input-file | FileCheck %s --check-prefix=INLINED

#id = affine_map<(i, j) -> (i, j)>
!t = tensor<8x4xf32>
!w = tensor<4x4xf32>

// The scale is shared by the attention and the gate, and stays before the
// branch. A fill may be repeated.

// CHECK-LABEL: func.func @block(
// CHECK-SAME:      %[[X:.*]]: tensor<8x4xf32>, %[[T:.*]]: tensor<8x4xf32>, %[[W:.*]]: tensor<4x4xf32>)
// CHECK:         %[[E:.*]] = tensor.empty
// CHECK-NEXT:    %[[SCALE:.*]] = linalg.exp ins(%[[T]]
// CHECK-NEXT:    %[[A:.*]] = dit.branch "blocks.2.attn1" full layer 2 of(%[[X]] : tensor<8x4xf32>) attend {
// CHECK-NEXT:      arith.constant
// CHECK-NEXT:      %[[ZERO:.*]] = linalg.fill
// CHECK-NEXT:      linalg.mul ins(%[[X]], %[[SCALE]]
// CHECK-NEXT:      linalg.matmul {{.*}} outs(%[[ZERO]]
// CHECK-NEXT:      %[[O:.*]] = dit.attention
// CHECK-NEXT:      dit.yield %[[O]] : tensor<8x4xf32>
// CHECK-NEXT:    } project {
// CHECK-NEXT:    ^bb0(%[[O:.*]]: tensor<8x4xf32>):
// CHECK-NEXT:      arith.constant
// CHECK-NEXT:      %[[ZERO:.*]] = linalg.fill
// CHECK-NEXT:      %[[P:.*]] = linalg.matmul ins(%[[O]], %[[W]] {{.*}} outs(%[[ZERO]]
// CHECK-NEXT:      dit.yield %[[P]] : tensor<8x4xf32>
// CHECK-NEXT:    } gate {
// CHECK-NEXT:    ^bb0(%[[P:.*]]: tensor<8x4xf32>):
// CHECK-NEXT:      %[[G:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[SCALE]]
// CHECK:           dit.yield %[[G]] : tensor<8x4xf32>
// CHECK-NEXT:    } -> tensor<8x4xf32>
// CHECK-NEXT:    %[[X1:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[A]]
// CHECK:         %[[B:.*]] = dit.branch "blocks.2.mlp" mlp layer 2 of(%[[X1]] : tensor<8x4xf32>) project {
// CHECK-NEXT:      linalg.matmul
// CHECK-NEXT:      linalg.exp
// CHECK-NEXT:      %[[D:.*]] = linalg.matmul
// CHECK-NEXT:      dit.yield %[[D]]
// CHECK-NEXT:    } -> tensor<8x4xf32>
// CHECK-NEXT:    %[[X2:.*]] = linalg.generic {{.*}} ins(%[[B]], %[[X1]]
// CHECK:         linalg.matmul
// CHECK:         %[[X3:.*]] = linalg.generic
// CHECK:         return %[[X3]]

// INLINED-LABEL: func.func @block(
// INLINED-NOT:     dit.branch
// INLINED:         dit.attention
// INLINED-NOT:     dit.branch
// INLINED:         return

// REMARK-DAG: remark: [Passed] OutlineBranches | Category:dit-outline-branches | Function=block | AttendOps=5, GateOps=1, Kind=full, Layer=2, ProjectOps=3, Site=blocks.2.attn1
// REMARK-DAG: remark: [Passed] OutlineBranches | Category:dit-outline-branches | Function=block | AttendOps=0, GateOps=0, Kind=mlp, Layer=2, ProjectOps=3, Site=blocks.2.mlp
// REMARK-DAG: remark: [Missed] OutlineBranches | Category:dit-outline-branches | Function=block | Reason="it holds a single contraction"

func.func @block(%x: !t, %t: !t, %w: !w) -> !t {
  %f0 = arith.constant 0.0 : f32
  %e = tensor.empty() : !t
  %zero = linalg.fill ins(%f0 : f32) outs(%e : !t) -> !t
  %scale = linalg.exp ins(%t : !t) outs(%e : !t) -> !t
  %norm = linalg.mul ins(%x, %scale : !t, !t) outs(%e : !t) -> !t
  %q = linalg.matmul ins(%norm, %w : !t, !w) outs(%zero : !t) -> !t
  %a = dit.attention ins(%q, %q, %q : !t, !t, !t) outs(%e : !t)
      {scale = 0.5 : f64, site = "blocks.2.attn1", kind = #dit.kind<full>, layer = 2, q_order = #dit.order<sd>,
       k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  %p = linalg.matmul ins(%a, %w : !t, !w) outs(%zero : !t) -> !t
  %gated = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %scale : !t, !t) outs(%e : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.mulf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  %x1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %gated : !t, !t) outs(%e : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  %up = linalg.matmul ins(%x1, %w : !t, !w) outs(%e : !t) -> !t
  %active = linalg.exp ins(%up : !t) outs(%e : !t) -> !t
  %down = linalg.matmul ins(%active, %w : !t, !w) outs(%e : !t) -> !t
  %x2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%down, %x1 : !t, !t) outs(%e : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  %linear = linalg.matmul ins(%x2, %w : !t, !w) outs(%e : !t) -> !t
  %x3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x2, %linear : !t, !t) outs(%e : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  return %x3 : !t
}

// -----

#id = affine_map<(i, j) -> (i, j)>
!v = tensor<8x4xf32>
!t = tensor<2x4xf32>
!j = tensor<10x4xf32>
!w = tensor<4x4xf32>

// Two streams have one branch each, of the attention and of an MLP that takes
// both. What the text's join reads moves before the video's.

// CHECK-LABEL: func.func @joint(
// CHECK:         %[[M:.*]] = linalg.exp ins(%{{.*}} : tensor<2x4xf32>)
// CHECK-NEXT:    %[[A:.*]]:2 = dit.branch "attn0" joint layer 0 of(%{{.*}}, %{{.*}} : tensor<8x4xf32>, tensor<2x4xf32>) attend {
// CHECK-NEXT:      tensor.concat
// CHECK-NEXT:      %[[O:.*]] = dit.attention
// CHECK-NEXT:      dit.yield %[[O]] : tensor<10x4xf32>
// CHECK-NEXT:    } project {
// CHECK-NEXT:    ^bb0(%[[O:.*]]: tensor<10x4xf32>):
// CHECK-NEXT:      %[[V:.*]] = tensor.extract_slice %[[O]]
// CHECK-NEXT:      %[[T:.*]] = tensor.extract_slice %[[O]]
// CHECK-NEXT:      %[[P:.*]] = linalg.matmul ins(%[[T]]
// CHECK-NEXT:      dit.yield %[[V]], %[[P]] : tensor<8x4xf32>, tensor<2x4xf32>
// CHECK-NEXT:    } gate {
// CHECK-NEXT:    ^bb0(%[[V:.*]]: tensor<8x4xf32>, %[[P:.*]]: tensor<2x4xf32>):
// CHECK-NEXT:      %[[G:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[M]]
// CHECK:           dit.yield %[[V]], %[[G]] : tensor<8x4xf32>, tensor<2x4xf32>
// CHECK-NEXT:    } -> tensor<8x4xf32>, tensor<2x4xf32>
// CHECK:         %[[B:.*]]:2 = dit.branch "mlp0" mlp layer 0 of({{.*}}) project {
// CHECK-NEXT:      tensor.concat
// CHECK:         } -> tensor<8x4xf32>, tensor<2x4xf32>

func.func @joint(%v: !v, %t: !t, %c: !t, %w: !w, %ev: !v, %et: !t, %ej: !j) -> (!v, !t) {
  %j = tensor.concat dim(0) %v, %t : (!v, !t) -> !j
  %a = dit.attention ins(%j, %j, %j : !j, !j, !j) outs(%ej : !j)
      {scale = 0.5 : f64, site = "attn0", kind = #dit.kind<joint>, q_order = #dit.order<sd>,
       k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  %av = tensor.extract_slice %a[0, 0] [8, 4] [1, 1] : !j to !v
  %v1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v, %av : !v, !v) outs(%ev : !v) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !v
  %m = linalg.exp ins(%c : !t) outs(%et : !t) -> !t
  %used = linalg.log ins(%m : !t) outs(%et : !t) -> !t
  %at = tensor.extract_slice %a[8, 0] [2, 4] [1, 1] : !j to !t
  %pt = linalg.matmul ins(%at, %w : !t, !w) outs(%et : !t) -> !t
  %gt = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%pt, %m : !t, !t) outs(%et : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.mulf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  %t1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t, %gt : !t, !t) outs(%et : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  %j1 = tensor.concat dim(0) %v1, %t1 : (!v, !t) -> !j
  %up = linalg.matmul ins(%j1, %w : !j, !w) outs(%ej : !j) -> !j
  %active = linalg.exp ins(%up : !j) outs(%ej : !j) -> !j
  %down = linalg.matmul ins(%active, %w : !j, !w) outs(%ej : !j) -> !j
  %dv = tensor.extract_slice %down[0, 0] [8, 4] [1, 1] : !j to !v
  %dt = tensor.extract_slice %down[8, 0] [2, 4] [1, 1] : !j to !t
  %v2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v1, %dv : !v, !v) outs(%ev : !v) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !v
  %t2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t1, %dt : !t, !t) outs(%et : !t) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> !t
  %t3 = linalg.add ins(%t2, %used : !t, !t) outs(%et : !t) -> !t
  return %v2, %t3 : !v, !t
}
