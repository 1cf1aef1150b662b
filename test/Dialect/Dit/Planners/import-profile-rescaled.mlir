// RUN: split-file %s %t
// RUN: dit-opt %t/model.mlir --dit-import-profile='file=%t/profile.json grid=2,4,4' | FileCheck %s
// RUN: not dit-opt %t/model.mlir --dit-import-profile='file=%t/profile.json grid=2,4' 2>&1 | FileCheck %s --check-prefix=GRID
// RUN: not dit-opt %t/model.mlir --dit-import-profile='file=%t/profile.json grid=2,0,4' 2>&1 | FileCheck %s --check-prefix=GRID

// GRID: error: dit-import-profile: expected frames, height and width in the option grid, each between 1 and 1048576

// From 32 tokens to 256, from 16 of a frame to 64, and from 2 frames to 4; 1 and 2
// of 32 are both at least one.
// CHECK:      dit.profile @profile
// CHECK-NEXT:   dit.measured "full" step_difference
// CHECK-NEXT:   dit.measured "full" rse of <window(64)>
// CHECK-NEXT:   dit.measured "full" rse of <window(2 x 2 x 8)>
// CHECK-NEXT:   dit.measured "spatial" rse of <window(16)>
// CHECK-NEXT:   dit.measured "temporal" rse of <window(2)>
// CHECK-NEXT:   dit.measured "temporal" rse of <share>
// CHECK-NEXT: }

//--- profile.json
{"timesteps": [1000, 500], "measured": [
  {"site": "full", "metric": "seconds", "values": [1, 2]},
  {"site": "full", "metric": "step_difference", "values": [0, 2]},
  {"site": "full", "metric": "rse", "mode": {"mode": "window", "width": 8}, "values": [0.1, 0.2]},
  {"site": "full", "metric": "rse", "mode": {"mode": "window", "width": [1, 1, 4]}, "values": [0.1, 0.2]},
  {"site": "spatial", "metric": "rse", "mode": {"mode": "window", "width": 4}, "values": [0.1, 0.2]},
  {"site": "temporal", "metric": "rse", "mode": {"mode": "window", "width": 1}, "values": [0.1, 0.2]},
  {"site": "temporal", "metric": "rse", "mode": "share", "values": [0.1, 0.2]},
  {"site": "unknown", "metric": "rse", "mode": {"mode": "window", "width": 1}, "values": [0.1, 0.2]}]}

//--- model.mlir
!f = tensor<1x1x256x4xf32>
!s = tensor<4x1x64x4xf32>
!t = tensor<64x1x4x4xf32>
func.func @main(%f: !f, %s: !s, %t: !t) -> (!f, !s, !t, !s) {
  %0 = dit.attention ins(%f, %f, %f : !f, !f, !f) outs(%f : !f) {scale = 1.0 : f64, site = "full", kind = #dit.kind<full>, grid = #dit.grid<4x8x8>}
  %1 = dit.attention ins(%s, %s, %s : !s, !s, !s) outs(%s : !s) {scale = 1.0 : f64, site = "spatial", kind = #dit.kind<spatial>, grid = #dit.grid<1x8x8>}
  %2 = dit.attention ins(%t, %t, %t : !t, !t, !t) outs(%t : !t) {scale = 1.0 : f64, site = "temporal", kind = #dit.kind<temporal>, grid = #dit.grid<4x1x1>}
  %3 = dit.attention ins(%s, %s, %s : !s, !s, !s) outs(%s : !s) {scale = 1.0 : f64, site = "unknown"}
  return %0, %1, %2, %3 : !f, !s, !t, !s
}
