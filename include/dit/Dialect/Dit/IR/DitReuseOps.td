//===- DitReuseOps.td - Reuse across diffusion steps -------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITREUSEOPS_TD
#define DIT_DIALECT_DIT_IR_DITREUSEOPS_TD

include "dit/Dialect/Dit/IR/DitBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Dit_ScheduledOp : Dit_Op<"scheduled", [Pure]> {
  let summary = "Whether a diffusion step computes";
  let description = [{
    True when character `step` of the schedule is `1`, and for steps outside
    the schedule.

    ```mlir
    %on = dit.scheduled %step, #dit.schedule<"1001">
    ```
  }];
  let arguments = (ins Index:$step, Dit_ScheduleAttr:$schedule);
  let results = (outs I1:$result);
  let assemblyFormat = "$step `,` qualified($schedule) attr-dict";
  let hasFolder = 1;
}

// No RegionBranchOpInterface: the second region does not yield the states that
// stay, so its edge to the parent has fewer values than the op has results.
def Dit_ReuseOp : Dit_Op<"reuse", [RecursiveMemoryEffects]> {
  let summary = "A result computed at some steps and reused at others";
  let description = [{
    When `compute` is true, runs the first region: its arguments are
    destinations for the new states, and it yields the outputs followed by one
    new state for each `state`. Otherwise runs the second region on the
    states: it yields the outputs, and the states stay. Without a second
    region the outputs are the first states.

    States are values: a loop carries them from step to step.

    ```mlir
    %y, %c1 = dit.reuse compute(%on) state(%c0 : tensor<4x8xf32>) {
    ^bb0(%dst: tensor<4x8xf32>):
      %b = linalg.exp ins(%x : tensor<4x8xf32>) outs(%dst : tensor<4x8xf32>)
          -> tensor<4x8xf32>
      dit.yield %b, %b : tensor<4x8xf32>, tensor<4x8xf32>
    } -> tensor<4x8xf32>, tensor<4x8xf32>
    ```
  }];
  let arguments = (ins I1:$compute, Variadic<AnyType>:$states,
                       OptionalAttr<StrAttr>:$site);
  // The outputs, then one new state for each state.
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$computeRegion,
                        MaxSizedRegion<1>:$otherwiseRegion);
  let assemblyFormat = [{
    `compute` `(` $compute `)` (`state` `(` $states^ `:` type($states) `)`)?
    $computeRegion (`otherwise` $otherwiseRegion^)?
    attr-dict (`->` type($results)^)?
  }];
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    unsigned getNumStates() { return getStates().size(); }
    unsigned getNumOutputs() { return getNumResults() - getNumStates(); }
    ::mlir::ResultRange getOutputs() {
      return getResults().take_front(getNumOutputs());
    }
    ::mlir::ResultRange getNewStates() {
      return getResults().drop_front(getNumOutputs());
    }
    bool hasOtherwise() { return !getOtherwiseRegion().empty(); }
    YieldOp getComputeYield();
    YieldOp getOtherwiseYield();
  }];
}

def Dit_YieldOp : Dit_Op<"yield", [
    Pure, ReturnLike, Terminator, ParentOneOf<["BranchOp", "ReuseOp"]>]> {
  let summary = "Ends a region of a branch or a reuse";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // DIT_DIALECT_DIT_IR_DITREUSEOPS_TD
