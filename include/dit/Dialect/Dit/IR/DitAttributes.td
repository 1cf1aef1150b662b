//===- DitAttributes.td - Attributes of dit ----------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITATTRIBUTES_TD
#define DIT_DIALECT_DIT_IR_DITATTRIBUTES_TD

include "dit/Dialect/Dit/IR/DitDialect.td"
include "dit/Dialect/Dit/IR/DitInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

def Dit_AttentionKind : I32EnumAttr<"AttentionKind",
    "what an attention mixes", [
      I32EnumAttrCase<"Self", 0, "self">,
      I32EnumAttrCase<"Full", 1, "full">,
      I32EnumAttrCase<"Spatial", 2, "spatial">,
      I32EnumAttrCase<"Temporal", 3, "temporal">,
      I32EnumAttrCase<"Cross", 4, "cross">,
      I32EnumAttrCase<"Joint", 5, "joint">
    ]> {
  let cppNamespace = "::mlir::dit";
  let genSpecializedAttr = 0;
}

def Dit_AttentionKindAttr : EnumAttr<DitDialect, Dit_AttentionKind, "kind"> {
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    The kind of an attention site: `full` (all video tokens), `spatial` (the
    tokens of a frame), `temporal` (one place over frames), `cross` (keys from
    another sequence), `joint` (video and text in one sequence), `self` where
    nothing proves more.
  }];
}

def Dit_Proxy : I32EnumAttr<"Proxy", "what stands for a tile of tokens", [
      I32EnumAttrCase<"Center", 0, "center">,
      I32EnumAttrCase<"First", 1, "first">,
      I32EnumAttrCase<"Mean", 2, "mean">
    ]> {
  let cppNamespace = "::mlir::dit";
  let genSpecializedAttr = 0;
}

def Dit_ProxyAttr : EnumAttr<DitDialect, Dit_Proxy, "proxy"> {
  let assemblyFormat = "`<` $value `>`";
}

//===----------------------------------------------------------------------===//
// Layout, grid and schedule
//===----------------------------------------------------------------------===//

class Dit_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<DitDialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Dit_DimOrderAttr : Dit_Attr<"DimOrder", "order"> {
  let summary = "Order of the dimensions of an attention operand";
  let description = [{
    Names the dimensions of an operand in memory order by the letters `b`
    (batch), `h` (head), `s` (sequence) and `d` (head size), each at most
    once. `s` and `d` are required; a missing `b` or `h` is a dimension of
    extent 1.

    ```mlir
    #dit.order<bshd>
    #dit.order<sd>
    ```
  }];
  let parameters = (ins StringRefParameter<"letters in memory order">:$letters);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The order `bhsd` that operands have by default.
    static DimOrderAttr getDefault(::mlir::MLIRContext *context);
    unsigned getRank() const { return getLetters().size(); }
    /// Position of dimension `letter` in the operand, or none if it is missing.
    std::optional<unsigned> position(char letter) const;
    /// Extent of dimension `letter` in an operand of `shape`.
    int64_t extent(char letter, ::llvm::ArrayRef<int64_t> shape) const;
  }];
}

def Dit_GridAttr : Dit_Attr<"Grid", "grid"> {
  let summary = "Where the tokens of a sequence lie in space and time";
  let description = [{
    The sequence holds `frames x height x width` video tokens in row-major
    order and `text` text tokens after them, or before them with `text_first`.

    ```mlir
    #dit.grid<8x16x16>
    #dit.grid<13x30x45, text = 226, text_first>
    ```
  }];
  let parameters = (ins "int64_t":$frames, "int64_t":$height, "int64_t":$width,
                        DefaultValuedParameter<"int64_t", "0">:$text,
                        DefaultValuedParameter<"bool", "false">:$textFirst);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Largest extent; keeps the number of tokens inside 64 bits.
    static constexpr int64_t kMaxExtent = int64_t(1) << 20;

    int64_t getNumVideoTokens() const {
      return getFrames() * getHeight() * getWidth();
    }
    int64_t getNumTokens() const { return getNumVideoTokens() + getText(); }
    /// Index of the first video token.
    int64_t getVideoBegin() const { return getTextFirst() ? getText() : 0; }
  }];
}

def Dit_ScheduleAttr : Dit_Attr<"Schedule", "schedule"> {
  let summary = "The diffusion steps that compute rather than reuse";
  let description = [{
    One character per step: `1` computes, `0` reuses. Steps beyond the end
    compute.

    ```mlir
    #dit.schedule<"1000100010001">
    ```
  }];
  let parameters = (ins StringRefParameter<"one of 0, 1 per step">:$steps);
  let assemblyFormat = "`<` $steps `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getNumSteps() const { return getSteps().size(); }
    /// Whether `step` computes; steps outside the schedule do.
    bool computes(int64_t step) const {
      return step < 0 || step >= getNumSteps() || getSteps()[step] == '1';
    }
  }];
}

//===----------------------------------------------------------------------===//
// Modes
//===----------------------------------------------------------------------===//

def Dit_BranchKind : I32EnumAttr<"BranchKind", "what a branch mixes", [
      I32EnumAttrCase<"Self", 0, "self">,
      I32EnumAttrCase<"Full", 1, "full">,
      I32EnumAttrCase<"Spatial", 2, "spatial">,
      I32EnumAttrCase<"Temporal", 3, "temporal">,
      I32EnumAttrCase<"Cross", 4, "cross">,
      I32EnumAttrCase<"Joint", 5, "joint">,
      I32EnumAttrCase<"MLP", 6, "mlp">
    ]> {
  let cppNamespace = "::mlir::dit";
}

def Dit_CachePoint : I32EnumAttr<"CachePoint",
    "where the value of a branch is kept", [
      I32EnumAttrCase<"BeforeProjection", 0, "before_projection">,
      I32EnumAttrCase<"AfterProjection", 1, "after_projection">,
      I32EnumAttrCase<"AfterGate", 2, "after_gate">
    ]> {
  let cppNamespace = "::mlir::dit";
}

def Dit_ModeAttr : Dit_Attr<"Mode", "mode"> {
  let cppClassName = "ModeAttr";
  let summary = "How a head runs at a step";
  let description = [{
    One mode, as a profile names the candidates that it measured.

    ```mlir
    #dit.mode<window(64) residual>
    ```
  }];
  let parameters = (ins "::mlir::dit::Mode":$mode);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Dit_ModesAttr : Dit_Attr<"Modes", "modes"> {
  let summary = "How each head of a branch runs at each step";
  let description = [{
    The modes of a branch, step by step. `n * mode` repeats, and so does
    `n * (mode, ...)`; `{mode, ...}` gives each head its own.

    ```mlir
    #dit.modes<heads 4 [5 * full, 11 * (share, full), 3 * full]>
    #dit.modes<heads 4 [full, {2 * share, arrow(16), full}, share]>
    ```
  }];
  let parameters = (ins "int64_t":$heads,
                        ArrayRefParameter<"::mlir::dit::Mode">:$modes);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::mlir::dit::ModeTable getTable() const {
      return ::mlir::dit::ModeTable(getHeads(), getModes());
    }
  }];
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

class Dit_PatternAttr<string name, string attrMnemonic,
                      list<string> overridden = []>
    : Dit_Attr<name, attrMnemonic, [
        DeclareAttrInterfaceMethods<Dit_PatternAttrInterface, overridden>]>;

def Dit_CausalAttr : Dit_PatternAttr<"Causal", "causal",
    ["classifyTile", "emitKeyRanges", "emitIntersects", "emitCovers"]> {
  let summary = "Keys up to the query's own position";
  let description = [{
    Query `i` looks at keys `j <= i + offset`. With `offset = kv - q` the mask
    is aligned to the bottom right corner.
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "0">:$offset);
  let assemblyFormat = "(`<` `offset` `=` $offset^ `>`)?";
  let genVerifyDecl = 1;
}

def Dit_WindowAttr : Dit_PatternAttr<"Window", "window",
    ["classifyTile", "emitKeyRanges", "emitIntersects", "emitCovers"]> {
  let summary = "Keys near the query along the sequence";
  let description = [{
    Query `i` looks at keys `i - left <= j <= i + right`; -1 is unlimited.

    ```mlir
    #dit.window<left = 128, right = 128>
    ```
  }];
  let parameters = (ins "int64_t":$left, "int64_t":$right);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Dit_GridWindowAttr : Dit_PatternAttr<"GridWindow", "grid_window",
    ["emitKeyRanges", "verifyShape"]> {
  let summary = "Keys near the query in space and time";
  let description = [{
    A query at `(f, y, x)` of the grid looks at the video keys at most
    `frames`, `height` and `width` away along each axis (-1 is unlimited), and
    at every text key; text queries look at everything.

    ```mlir
    #dit.grid_window<#dit.grid<8x16x16>, 1 x 4 x 4>
    ```
  }];
  let parameters = (ins "GridAttr":$grid, "int64_t":$frames, "int64_t":$height,
                        "int64_t":$width);
  let assemblyFormat = "`<` qualified($grid) `,` $frames `x` $height `x` $width `>`";
  let genVerifyDecl = 1;
}

def Dit_ArrowAttr : Dit_PatternAttr<"Arrow", "arrow",
    ["emitKeyRanges", "emitCovers", "verifyShape"]> {
  let summary = "A window over video tokens, with text seen by all";
  let description = [{
    The sequence holds `text` text tokens, last or with `text_first` first. A
    video query looks at every text key and at video keys at most `width`
    positions away; a text query looks at everything (DiTFastAttnV2, arXiv
    2503.22796).

    ```mlir
    #dit.arrow<width = 64, text = 16, text_first>
    ```
  }];
  let parameters = (ins "int64_t":$width, "int64_t":$text,
                        DefaultValuedParameter<"bool", "false">:$textFirst);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Dit_FrameCausalAttr : Dit_PatternAttr<"FrameCausal", "frame_causal",
    ["emitKeyRanges", "emitCovers", "verifyShape"]> {
  let summary = "Keys of the query's own frame and of earlier ones";
  let description = [{
    A video query looks at video keys of frames up to its own and at every
    text key; text queries look at everything.
  }];
  let parameters = (ins "GridAttr":$grid);
  let assemblyFormat = "`<` qualified($grid) `>`";
}

def Dit_AndAttr : Dit_PatternAttr<"And", "and",
    ["emitKeyRanges", "emitCovers", "verifyShape"]> {
  let summary = "Intersection of patterns";
  let parameters = (ins ArrayRefParameter<"PatternAttrInterface">:$patterns);
  let assemblyFormat = "`<` custom<Patterns>($patterns) `>`";
  let genVerifyDecl = 1;
}

def Dit_OrAttr : Dit_PatternAttr<"Or", "or", ["emitCovers", "verifyShape"]> {
  let summary = "Union of patterns";
  let parameters = (ins ArrayRefParameter<"PatternAttrInterface">:$patterns);
  let assemblyFormat = "`<` custom<Patterns>($patterns) `>`";
  let genVerifyDecl = 1;
}

def Dit_TiledAttr : Dit_PatternAttr<"Tiled", "tiled",
    ["emitKeyRanges", "emitCovers", "verifyShape"]> {
  let summary = "A pattern rounded out to tiles";
  let description = [{
    Holds every position of each `q x kv` tile in which `pattern` holds at
    least one: what kernels that skip whole tiles and mask nothing compute.
  }];
  let parameters = (ins "PatternAttrInterface":$pattern, "int64_t":$q,
                        "int64_t":$kv);
  let assemblyFormat = "`<` custom<Pattern>($pattern) `,` $q `x` $kv `>`";
  let genVerifyDecl = 1;
}

#endif // DIT_DIALECT_DIT_IR_DITATTRIBUTES_TD
