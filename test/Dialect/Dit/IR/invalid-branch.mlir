// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @branch_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected a name of the site that is not empty}}
  %0 = dit.branch "" mlp of(%x : tensor<4xf32>) project {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected between 1 and 4096 heads, got 0}}
  %0 = dit.branch "a" self heads 0 of(%x : tensor<4xf32>) attend {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c3(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected one head of an mlp, got 2}}
  %0 = dit.branch "a" mlp heads 2 of(%x : tensor<4xf32>) project {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c4(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected no stage attend in an mlp}}
  %0 = dit.branch "a" mlp of(%x : tensor<4xf32>) attend {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c4_of_attention(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected the stage attend}}
  %0 = dit.branch "a" cross of(%x : tensor<4xf32>) project {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c5(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected the stage project in an mlp}}
  %0 = dit.branch "a" mlp of(%x : tensor<4xf32>) gate {
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c6(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected each stage to end with dit.yield, got llvm.unreachable}}
  %0 = "dit.branch"(%x) ({
  }, {
    llvm.unreachable
  }, {
  }) {site = "a", kind = 6 : i32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @branch_c7(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected each stage to take what the one before it yields, and the first one nothing}}
  %0 = dit.branch "a" self of(%x : tensor<4xf32>) attend {
    dit.yield %x : tensor<4xf32>
  } project {
  ^bb0(%a: tensor<5xf32>):
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c8(%x: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected each stage to yield ranked tensors}}
  %0 = dit.branch "a" self of(%x : tensor<4xf32>) attend {
    dit.yield %f : f32
  } project {
  ^bb0(%a: f32):
    dit.yield %x : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c9(%x: tensor<4xf32>, %y: tensor<5xf32>) {
  // expected-error @+1 {{expected the last stage to yield values of the types of the results}}
  %0 = dit.branch "a" self of(%x : tensor<4xf32>) attend {
    dit.yield %y : tensor<5xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @branch_c10(%x: tensor<4xf32>, %y: tensor<5xf32>) {
  // expected-error @+1 {{expected a result for each stream, and of the stream's type}}
  %0 = dit.branch "a" self of(%x : tensor<4xf32>) attend {
    dit.yield %y : tensor<5xf32>
  } -> tensor<5xf32>
  return
}
