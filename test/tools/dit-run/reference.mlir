// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/Inputs/npy.py %t/a.npy '<f4' 2,3 1 2 3 4 5 6
// RUN: %python %S/Inputs/npy.py %t/s.npy '<i8' - 7
// RUN: %python %S/Inputs/npy.py %t/sum.npy '<f4' 2 6 15
// RUN: %python %S/Inputs/npy.py %t/t.npy '<f4' 3,2 1 4 2 5 3 6
// RUN: %python %S/Inputs/npy.py %t/n.npy '<i8' - 10
// RUN: dit-run %s --target reference --inputs %t/a.npy,%t/s.npy \
// RUN:   --expect %t/sum.npy,%t/t.npy,%t/n.npy --tolerance 0 \
// RUN:   --outputs %t/o.npy,, --json %t/report.json --repeat 3 | FileCheck %s
// RUN: FileCheck %s --check-prefix=JSON < %t/report.json
// RUN: dit-run %s --target reference --inputs %t/a.npy,%t/s.npy \
// RUN:   --expect %t/o.npy,, --tolerance 0 | FileCheck %s --check-prefix=AGAIN

// Static and dynamic extents, a scalar argument and a scalar result.

// CHECK: target reference, entry main
// CHECK: time min {{.*}} over 3 calls
// CHECK: max abs error 0.000e+00, max rel error 0.000e+00

// What was written reads back.
// AGAIN: max abs error 0.000e+00

// JSON-DAG: "target": "reference"
// JSON-DAG: "time_s": {
// JSON-DAG: "min":
// JSON-DAG: "median":
// JSON-DAG: "max_abs_error": 0
// JSON-DAG: "max_rel_error": 0
// JSON-DAG: "peak_rss_bytes":
// JSON-DAG: "compile_time_s":

func.func @main(%a: tensor<2x?xf32>, %s: index)
    -> (tensor<2xf32>, tensor<?x2xf32>, index) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2xf32>)
      -> tensor<2xf32>
  %sum = linalg.reduce { arith.addf } ins(%a : tensor<2x?xf32>)
      outs(%init : tensor<2xf32>) dimensions = [1]
  %c1 = arith.constant 1 : index
  %d = tensor.dim %a, %c1 : tensor<2x?xf32>
  %empty2 = tensor.empty(%d) : tensor<?x2xf32>
  %t = linalg.transpose ins(%a : tensor<2x?xf32>)
      outs(%empty2 : tensor<?x2xf32>) permutation = [1, 0]
  %n = arith.addi %d, %s : index
  return %sum, %t, %n : tensor<2xf32>, tensor<?x2xf32>, index
}
