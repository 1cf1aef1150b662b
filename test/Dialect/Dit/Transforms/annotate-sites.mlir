// RUN: split-file %s %t
// RUN: dit-opt %t/module.mlir --dit-annotate-sites=file=%t/sites.json | FileCheck %s
// RUN: dit-opt %t/module.mlir --dit-annotate-sites=file=%t/none.json | FileCheck %s --check-prefix=NONE

// What is not annotated stays, names may be swapped, and the branch only has a
// name to change.

// CHECK-LABEL: func.func @main
// CHECK: dit.attention {{.*}} {grid = #dit.grid<3x4x5, text = 4>, kind = #dit.kind<joint>, layer = 0 : i64, scale = {{.*}}, site = "attn1"}
// CHECK: dit.attention {{.*}} {kind = #dit.kind<cross>, layer = 7 : i64, scale = {{.*}}, site = "attn0"}
// CHECK: dit.attention {{.*}} {scale = 1.000000e+00 : f64, site = "attn2"}
// CHECK: dit.attention {{.*}} {scale = 1.000000e+00 : f64}
// CHECK: {site = "blocks.0.mlp"}
// CHECK-LABEL: func.func @dynamic
// CHECK: grid = #dit.grid<1x2x3>

// NONE-LABEL: func.func @main
// NONE: {scale = 1.000000e+00 : f64, site = "attn0"}
// NONE: {kind = #dit.kind<self>, layer = 7 : i64, scale = 1.000000e+00 : f64, site = "attn1"}

// A grid tells the kind of a site of which nothing more was known, if the keys
// are its tokens, too.

// RUN: dit-opt %t/module.mlir --dit-annotate-sites=file=%t/only-grid.json | FileCheck %s --check-prefix=ONLY-GRID
// ONLY-GRID-LABEL: func.func @main
// ONLY-GRID: grid = #dit.grid<8x1x8>, kind = #dit.kind<full>, scale = {{.*}}, site = "attn0"
// ONLY-GRID: grid = #dit.grid<64x1x1>, kind = #dit.kind<temporal>, {{.*}}site = "attn1"
// ONLY-GRID: kind = #dit.kind<self>, {{.*}}site = "attn2"
// ONLY-GRID-LABEL: func.func @dynamic
// ONLY-GRID: {grid = #dit.grid<2x2x3>, scale

// A branch and its attention are one site. Without branches, what is said of
// MLPs waits.

// RUN: dit-opt %t/branches.mlir --dit-annotate-sites=file=%t/branches.json | FileCheck %s --check-prefix=IN-BRANCH
// IN-BRANCH: dit.branch "blocks.3.attn1" spatial layer 3 heads 4
// IN-BRANCH: kind = #dit.kind<spatial>, layer = 3 : i64, {{.*}}site = "blocks.3.attn1"
// IN-BRANCH: dit.branch "blocks.3.ffn" mlp layer 3 of
// RUN: dit-opt %t/branches.mlir --dit-lower-reuse --dit-annotate-sites=file=%t/branches.json | FileCheck %s --check-prefix=NO-BRANCH
// NO-BRANCH: site = "blocks.3.attn1"
// RUN: not dit-opt %t/branches.mlir --dit-annotate-sites=file=%t/is-mlp.json 2>&1 | FileCheck %s --check-prefix=IS-MLP
// IS-MLP: error: annotation of site 'mlp0': expected kind mlp
// RUN: not dit-opt %t/branches.mlir --dit-annotate-sites=file=%t/no-mlp.json 2>&1 | FileCheck %s --check-prefix=NO-MLP
// NO-MLP: error: annotation of site 'attn0': it is no mlp

// Each mistake gets one diagnostic.

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites 2>&1 | FileCheck %s --check-prefix=NO-OPTION
// NO-OPTION: error: expected an annotation file: give the option file

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/missing.json 2>&1 | FileCheck %s --check-prefix=NO-FILE
// NO-FILE: error: cannot open input file '{{.*}}missing.json': No such file or directory

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/malformed.json 2>&1 | FileCheck %s --check-prefix=MALFORMED
// MALFORMED: error: annotation file '{{.*}}malformed.json': [3:0, byte={{.*}}]: Expected , or ] after array element

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/array.json 2>&1 | FileCheck %s --check-prefix=ARRAY
// ARRAY: error: annotation file '{{.*}}array.json': expected an object with an array "sites" when parsing annotations

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/key.json 2>&1 | FileCheck %s --check-prefix=KEY
// KEY: error: annotation file '{{.*}}key.json': unknown key at annotations.sites[1].layers

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/no-site.json 2>&1 | FileCheck %s --check-prefix=NO-SITE
// NO-SITE: error: annotation file '{{.*}}no-site.json': missing value at annotations.sites[0].site

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/kind.json 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: error: annotation file '{{.*}}kind.json': expected one of self, full, spatial, temporal, cross, joint, mlp at annotations.sites[0].kind

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/layer.json 2>&1 | FileCheck %s --check-prefix=LAYER
// LAYER: error: annotation file '{{.*}}layer.json': expected integer at annotations.sites[0].layer

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/grid.json 2>&1 | FileCheck %s --check-prefix=GRID
// GRID: error: annotation file '{{.*}}grid.json': expected positive frames, height and width and no negative text, none above 1048576 at annotations.sites[0].grid

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/no-width.json 2>&1 | FileCheck %s --check-prefix=NO-WIDTH
// NO-WIDTH: error: annotation file '{{.*}}no-width.json': missing value at annotations.sites[0].grid.width

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/misfit.json 2>&1 | FileCheck %s --check-prefix=MISFIT
// MISFIT: error: annotation of site 'attn0': expected a grid of 64 tokens, got 63 in #dit.grid<3x3x7>

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/branch.json 2>&1 | FileCheck %s --check-prefix=BRANCH
// BRANCH: error: annotation of site 'mlp': only an attention has a kind or a grid

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/reuse-layer.json 2>&1 | FileCheck %s --check-prefix=REUSE-LAYER
// REUSE-LAYER: error: annotation of site 'mlp': only an attention or a branch has a layer

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/unknown.json 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: annotation of unknown site 'attn9'; the sites are: attn0, attn1, attn2, mlp, dyn

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/twice.json 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: error: annotation file '{{.*}}twice.json': site is annotated twice at annotations.sites[1].site

// RUN: not dit-opt %t/module.mlir --dit-annotate-sites=file=%t/names.json 2>&1 | FileCheck %s --check-prefix=NAMES
// NAMES: error: annotations give the sites 'attn0' and 'mlp' the same name 'mlp'

// RUN: not dit-opt %t/not-unique.mlir --dit-annotate-sites=file=%t/none.json 2>&1 | FileCheck %s --check-prefix=NOT-UNIQUE
// NOT-UNIQUE: error: site "a" is not unique
// NOT-UNIQUE: note: it is also here

//--- module.mlir
func.func @main(%q: tensor<2x4x64x32xf32>, %c: tensor<4xf32>, %on: i1) -> (tensor<2x4x64x32xf32>, tensor<4xf32>) {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "attn0"}
  %1 = dit.attention ins(%0, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "attn1", layer = 7, kind = #dit.kind<self>}
  %2 = dit.attention ins(%1, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "attn2"}
  %3 = dit.attention ins(%2, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %y = dit.reuse compute(%on) state(%c : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    dit.yield %d : tensor<4xf32>
  } {site = "mlp"} -> tensor<4xf32>
  return %3, %y : tensor<2x4x64x32xf32>, tensor<4xf32>
}
func.func @dynamic(%q: tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>)
    outs(%q : tensor<2x4x?x32xf32>) {scale = 1.0 : f64, site = "dyn"}
  return %0 : tensor<2x4x?x32xf32>
}

//--- branches.mlir
func.func @main(%x: tensor<2x4x64x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {
  %0 = dit.branch "attn0" full layer 0 heads 4 of(%x : tensor<2x4x64x32xf32>) attend {
    %a = dit.attention ins(%x, %x, %x : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
      outs(%x : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "attn0", kind = #dit.kind<full>}
    dit.yield %a : tensor<2x4x64x32xf32>
  } -> tensor<2x4x64x32xf32>
  %1 = dit.branch "mlp0" mlp of(%x : tensor<2x4x64x32xf32>) project {
    %b = linalg.exp ins(%x : tensor<2x4x64x32xf32>) outs(%x : tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32>
    dit.yield %b : tensor<2x4x64x32xf32>
  } -> tensor<2x4x64x32xf32>
  return %0, %1 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>
}

//--- branches.json
{"sites": [
  {"site": "attn0", "name": "blocks.3.attn1", "kind": "spatial", "layer": 3},
  {"site": "mlp0", "name": "blocks.3.ffn", "kind": "mlp", "layer": 3}
]}
//--- is-mlp.json
{"sites": [{"site": "mlp0", "kind": "full"}]}
//--- no-mlp.json
{"sites": [{"site": "attn0", "kind": "mlp"}]}
//--- not-unique.mlir
func.func @main(%q: tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "a"}
  %1 = dit.attention ins(%0, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "a"}
  return %1 : tensor<2x4x64x32xf32>
}

//--- sites.json
{"sites": [
  {"site": "attn0", "name": "attn1", "kind": "joint", "layer": 0,
   "grid": {"frames": 3, "height": 4, "width": 5, "text": 4, "text_first": false}},
  {"site": "attn1", "name": "attn0", "kind": "cross"},
  {"site": "mlp", "name": "blocks.0.mlp"},
  {"site": "dyn", "grid": {"frames": 1, "height": 2, "width": 3}}
]}
//--- only-grid.json
{"sites": [
  {"site": "attn0", "grid": {"frames": 8, "height": 1, "width": 8}},
  {"site": "attn1", "grid": {"frames": 64, "height": 1, "width": 1}},
  {"site": "attn2", "kind": "self", "grid": {"frames": 8, "height": 1, "width": 8}},
  {"site": "dyn", "grid": {"frames": 2, "height": 2, "width": 3}}
]}
//--- none.json
{"sites": []}
//--- malformed.json
{"sites": [
  {"site": "attn0"}
//--- array.json
[]
//--- key.json
{"sites": [{"site": "attn1"}, {"site": "attn0", "layers": 1}]}
//--- no-site.json
{"sites": [{"name": "attn0"}]}
//--- kind.json
{"sites": [{"site": "attn0", "kind": "causal"}]}
//--- layer.json
{"sites": [{"site": "attn0", "layer": "one"}]}
//--- grid.json
{"sites": [{"site": "attn0", "grid": {"frames": 0, "height": 1, "width": 64}}]}
//--- no-width.json
{"sites": [{"site": "attn0", "grid": {"frames": 1, "height": 64}}]}
//--- misfit.json
{"sites": [{"site": "attn1", "kind": "full"}, {"site": "attn0", "grid": {"frames": 3, "height": 3, "width": 7}}]}
//--- branch.json
{"sites": [{"site": "mlp", "kind": "full"}]}
//--- reuse-layer.json
{"sites": [{"site": "mlp", "layer": 1}]}
//--- unknown.json
{"sites": [{"site": "attn9", "kind": "full"}]}
//--- twice.json
{"sites": [{"site": "attn0", "kind": "full"}, {"site": "attn0", "layer": 1}]}
//--- names.json
{"sites": [{"site": "attn0", "name": "mlp"}]}
