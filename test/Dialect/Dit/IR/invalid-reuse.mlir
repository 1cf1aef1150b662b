// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @reuse_c1(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected the last 1 results to have the types of the states}}
  %0:2 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield %d, %f : tensor<4xf32>, f32
  } -> tensor<4xf32>, f32
  return
}

// -----

func.func @reuse_c1_no_result(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected the last 1 results to have the types of the states}}
  dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield
  }
  return
}

// -----

func.func @reuse_c2(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected the compute region to take one argument of the type of each state}}
  %0:2 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<5xf32>):
    dit.yield %c0, %c0 : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @reuse_c3(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected the compute region to yield the outputs and then one new state for each state}}
  %0:2 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield %d : tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @reuse_c4(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected an otherwise region, or outputs with the types of the first states}}
  %0:2 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield %f, %d : f32, tensor<4xf32>
  } -> f32, tensor<4xf32>
  return
}

// -----

func.func @reuse_c5(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected the otherwise region to take one argument of the type of each state}}
  %0:2 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield %d, %d : tensor<4xf32>, tensor<4xf32>
  } otherwise {
    dit.yield %c0 : tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @reuse_c6(%on: i1, %c0: tensor<4xf32>, %f: f32) {
  // expected-error @+1 {{expected the otherwise region to yield the outputs alone}}
  %0:2 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield %d, %d : tensor<4xf32>, tensor<4xf32>
  } otherwise {
  ^bb0(%c: tensor<4xf32>):
    dit.yield %c, %c : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @reuse_c7(%on: i1, %c0: tensor<4xf32>) {
  // expected-error @+1 {{expected each region to end with dit.yield, got llvm.unreachable}}
  %0 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    llvm.unreachable
  } -> tensor<4xf32>
  return
}

// -----

func.func @yield_outside_reuse() {
  // expected-error @+1 {{expects parent op to be one of 'dit.branch, dit.reuse'}}
  dit.yield
}
