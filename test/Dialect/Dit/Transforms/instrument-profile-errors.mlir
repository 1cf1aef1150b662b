// RUN: dit-opt %s --dit-instrument-profile --split-input-file --verify-diagnostics

// expected-error@+1 {{expected a function with attentions or branches, got none; --dit-raise-attention and --dit-outline-branches find them}}
module {
  func.func @nothing() {
    return
  }
}

// -----

!t = tensor<1x1x4x2xf32>
// expected-note@+1 {{another one is here}}
func.func @one(%x: !t) -> !t {
  %o = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) {scale = 1.0 : f64, site = "a"}
  return %o : !t
}
// expected-error@+1 {{expected one function with attentions or branches; inline the model into the sampler (--inline --symbol-dce)}}
func.func @two(%x: !t) -> !t {
  %o = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) {scale = 1.0 : f64, site = "b"}
  return %o : !t
}

// -----

!t = tensor<1x1x4x2xf32>
// expected-error@+1 {{expected a function that nothing calls: it gets more results}}
func.func @called(%x: !t) -> !t {
  %o = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) {scale = 1.0 : f64, site = "a"}
  return %o : !t
}
func.func @caller(%x: !t) -> !t {
  %o = func.call @called(%x) : (!t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x1x4x2xf32>
func.func @steps(%x: !t, %n: index) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error@+1 {{expected a loop of a constant number of steps}}
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> (!t) {
    %o = dit.attention ins(%s, %s, %s : !t, !t, !t) outs(%x : !t) {scale = 1.0 : f64, site = "a"}
    scf.yield %o : !t
  }
  return %r : !t
}

// -----

!t = tensor<1x1x?x2xf32>
// expected-error@+1 {{expected a branch or an attention that can be measured; the remarks of this pass say why not}}
func.func @dynamic(%x: !t) -> !t {
  %o = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) {scale = 1.0 : f64, site = "a"}
  return %o : !t
}
