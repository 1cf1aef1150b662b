// RUN: dit-opt %s --convert-math-to-cpu | FileCheck %s

// CHECK-LABEL: func.func @powers(
// CHECK-SAME: %[[X:.*]]: f32, %[[V:.*]]: vector<8xf32>, %[[N:.*]]: i64)
// CHECK: %[[X2:.*]] = arith.mulf %[[X]], %[[X]]
// CHECK: %[[X3:.*]] = arith.mulf %[[X]], %[[X2]]
// A splat exponent is a constant too; a negative one divides.
// CHECK: %[[V2:.*]] = arith.mulf %[[V]], %[[V]]
// CHECK: %[[D:.*]] = arith.divf %{{.*}}, %[[V2]]
// CHECK: %[[F:.*]] = arith.sitofp %[[N]]
// CHECK: math.powf %[[X]], %[[F]]
func.func @powers(%x: f32, %v: vector<8xf32>, %n: i64) -> (f32, vector<8xf32>, f32) {
  %c3 = arith.constant 3 : i64
  %cm2 = arith.constant dense<-2> : vector<8xi64>
  %a = math.fpowi %x, %c3 : f32, i64
  %b = math.fpowi %v, %cm2 : vector<8xf32>, vector<8xi64>
  %c = math.fpowi %x, %n : f32, i64
  return %a, %b, %c : f32, vector<8xf32>, f32
}

// CHECK-LABEL: func.func @hot(
// CHECK-NOT: math.{{exp|tanh|erf|log}}
// CHECK: return
func.func @hot(%v: vector<8xf32>, %h: vector<8xbf16>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xbf16>) {
  %a = math.exp %v : vector<8xf32>
  %b = math.tanh %v : vector<8xf32>
  %c = math.erf %v : vector<8xf32>
  %d = math.log %v : vector<8xf32>
  %e = math.exp %h : vector<8xbf16>
  return %a, %b, %c, %d, %e : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xbf16>
}

// Single values, f64 and the sine are left to libm.
// CHECK-LABEL: func.func @cold(
// CHECK: math.exp %{{.*}} : f32
// CHECK: math.exp %{{.*}} : vector<8xf64>
// CHECK: math.sin %{{.*}} : vector<8xf32>
// CHECK: %[[R:.*]] = math.sqrt
// CHECK: arith.divf %{{.*}}, %[[R]]
func.func @cold(%x: f32, %d: vector<8xf64>, %v: vector<8xf32>) -> (f32, vector<8xf64>, vector<8xf32>, f32) {
  %a = math.exp %x : f32
  %b = math.exp %d : vector<8xf64>
  %c = math.sin %v : vector<8xf32>
  %r = math.rsqrt %x : f32
  return %a, %b, %c, %r : f32, vector<8xf64>, vector<8xf32>, f32
}
