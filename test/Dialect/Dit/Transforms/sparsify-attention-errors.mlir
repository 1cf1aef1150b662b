// RUN: split-file %s %t
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention="file=%t/missing.json" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention="file=%t/empty.json" 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention="file=%t/both.json" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention="file=%t/range.json" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention="file=%t/range.json tile=64" 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not dit-opt %t/module.mlir --dit-sparsify-attention="file=%t/range.json cube=4,4" 2>&1 | FileCheck %s --check-prefix=CUBE

// NOFILE: error: dit-sparsify-attention: expected the option file
// MISSING: error: dit-sparsify-attention: cannot read '{{.*}}missing.json'
// EMPTY: error: dit-sparsify-attention: '{{.*}}empty.json': expected an object with the key "sites"
// BOTH: site "a": expected exactly one of the arrays "keep" and "sparsity"
// RANGE: site "a": expected numbers between 0 and 1 in "keep", got 1.5
// TILE: expected a tile of two positive extents
// CUBE: expected a cube of three positive extents

//--- module.mlir
module {
}
//--- empty.json
{}
//--- both.json
{"sites": {"a": {"keep": [1], "sparsity": [1]}}}
//--- range.json
{"sites": {"a": {"keep": [1, 1.5]}}}
