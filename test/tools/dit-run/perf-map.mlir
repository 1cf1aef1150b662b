// Kernels have names in the map that perf reads; the process is told by its file.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/npy.py %t/x.npy '<f4' 2 1 2
// RUN: bash -c 'dit-run %s --no-cache --opt-level 0 --perf-map --inputs %t/x.npy & wait $!; mv /tmp/perf-$!.map %t/map'
// RUN: FileCheck %s --input-file %t/map

// CHECK-DAG: {{^[0-9a-f]+ [0-9a-f]+}} linalg_generic{{$}}
// CHECK-DAG: {{^[0-9a-f]+ [0-9a-f]+}} dit_main{{$}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = math.exp %x : tensor<2xf32>
  return %r : tensor<2xf32>
}
