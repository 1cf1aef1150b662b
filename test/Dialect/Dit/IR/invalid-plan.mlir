// RUN: dit-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{expected between 1 and 65536 timesteps, got 0}}
dit.plan @plan_c1 timesteps [] {
}

// -----

// expected-error@+1 {{expected between 1 and 65536 timesteps, got 0}}
dit.profile @plan_c1_of_profile timesteps [] {
}

// -----

// expected-error@+1 {{expected finite timesteps that are not negative, got -1.000000e+00 at step 1}}
dit.plan @plan_c2 timesteps [1, -1] {
}

// -----

// expected-error@+1 {{expected a fingerprint of 16 hexadecimal digits in lower case, got "12AB"}}
dit.plan @plan_c3 timesteps [1] fingerprint "12AB" {
}

// -----

dit.plan @plan_c4 timesteps [1] {
  // expected-error@+1 {{'arith.constant' op expected only dit.planned in a dit.plan}}
  %0 = arith.constant 0 : index
}

// -----

dit.plan @plan_c5 timesteps [1] {
  // expected-note@+1 {{the first one is here}}
  dit.planned "a" self cache after_projection heads 1 [full]
  // expected-error@+1 {{expected one entry for each site}}
  dit.planned "a" self cache after_projection heads 1 [full]
}

// -----

dit.plan @planned_c1 timesteps [1] {
  // expected-error@+1 {{expected the name of a site}}
  dit.planned "" self cache after_projection heads 1 [full]
}

// -----

dit.plan @planned_c2 timesteps [2, 1] {
  // expected-error@+1 {{expected modes of the 2 steps of the plan, got 3}}
  dit.planned "a" self cache after_projection heads 1 [3 * full]
}

// -----

dit.plan @planned_c3 timesteps [1] {
  // expected-error@+1 {{expected a cache after the projection of an mlp, which has none before it}}
  dit.planned "a" mlp cache before_projection heads 1 [full]
}

// -----

dit.plan @planned_c4 timesteps [1] {
  // expected-error@+1 {{step 0, head 0: expected the mode full or share of an mlp, which has no mask}}
  dit.planned "a" mlp cache after_projection heads 1 [window(8)]
}

// -----

dit.plan @planned_c5 timesteps [2, 1] {
  // expected-error@+1 {{step 1, head 1: expected the cache before the projection where some heads share and others compute}}
  dit.planned "a" self cache after_projection heads 2 [full, {full, share}]
}

// -----

dit.plan @planned_c5_sources timesteps [3, 2, 1] {
  // expected-error@+1 {{step 2, head 1: expected the cache before the projection where heads share different steps}}
  dit.planned "a" self cache after_gate heads 2 [2 * full, {share, share(0)}]
}

// -----

dit.plan @planned_c6 timesteps [1] {
  // expected-error@+1 {{step 0, head 0: expected the grid of a mask along its axes}}
  dit.planned "a" self cache after_gate heads 2 [arrow(8, by_place)]
}

// -----

dit.plan @planned_c7 timesteps [1] {
  // expected-error@+1 {{step 0, head 1: expected a half-width that fits the grid, below 4, got 4}}
  dit.planned "a" self cache after_gate heads 2 [{full, window(1 x 4 x 4)}] grid <2x4x8>
}

// -----

dit.plan @planned_c7_along timesteps [1] {
  // expected-error@+1 {{step 0, head 0: expected a half-width that fits the grid, below 64, got 64}}
  dit.planned "a" joint cache after_gate heads 2 [arrow(64)] grid <2x4x8, text = 100>
}

// -----

dit.plan @planned_c8 timesteps [1] {
  // expected-error@+1 {{step 0, head 0: expected the tile of which top-k selects}}
  dit.planned "a" self cache after_gate heads 2 [topk(0.5)]
}

// -----

dit.plan @planned_c9 timesteps [1] {
  // expected-error@+1 {{expected a tile of two extents between 1 and 2^40}}
  dit.planned "a" self cache after_gate heads 2 [topk(0.5)] tile [0, 1]
}

// -----

dit.plan @planned_c10 timesteps [1] {
  // expected-error@+1 {{expected the tile to which masks are rounded}}
  dit.planned "a" self cache after_gate heads 2 [window(8)] rounded
}

// -----

dit.plan @planned_c11 timesteps [2, 1] {
  // expected-error@+1 {{step 1, head 0: expected the cache after the projection for the residual of a half}}
  dit.planned "a" self cache before_projection heads 2 [full, full residual half(first)]
}

// -----

dit.plan @planned_c11_heads timesteps [2, 1] {
  // expected-error@+1 {{step 1, head 1: expected the residual of a half of all heads or none}}
  dit.planned "a" self cache after_gate heads 2 [full, {full residual half(first), full}]
}

// -----

// expected-error@+1 {{expected between 1 and 4096 heads, got 0}}
func.func private @modes_c1() attributes {m = #dit.modes<heads 0 [full]>}

// -----

// expected-error@+1 {{expected at most 131072 modes, and these are more}}
func.func private @modes_c2() attributes {m = #dit.modes<heads 2 [full, 65536 * full]>}

// -----

// expected-error@+1 {{expected at most 1048576 modes, and these are more}}
func.func private @modes_c2_memory() attributes {m = #dit.modes<heads 4096 [257 * full]>}

// -----

// expected-error@+1 {{step 0, head 0: expected a half-width between 0 and 2^40, got -1}}
func.func private @modes_c3() attributes {m = #dit.modes<heads 1 [window(-1)]>}

// -----

// expected-error@+1 {{step 1, head 0: expected a share above 0 and at most 1, got 1.5}}
func.func private @modes_c4() attributes {m = #dit.modes<heads 1 [full, topk(1.5)]>}

// -----

// expected-error@+1 {{step 1, head 0: expected a residual of a window, an arrow, or a half in full}}
func.func private @modes_c5() attributes {m = #dit.modes<heads 1 [full, topk(0.5) residual]>}

// -----

// expected-error@+1 {{step 1, head 0: expected no half of a share, which takes both}}
func.func private @modes_c6() attributes {m = #dit.modes<heads 1 [full, share half(first)]>}

// -----

// expected-error@+1 {{step 0, head 1: expected a step that computes before a share}}
func.func private @modes_c7() attributes {m = #dit.modes<heads 2 [{full, share}]>}

// -----

// expected-error@+1 {{step 1, head 0: expected a full step before a residual}}
func.func private @modes_c7_residual() attributes {m = #dit.modes<heads 2 [window(8), arrow(8) residual]>}

// -----

// A cycle: each would take the value of the other.
// expected-error@+1 {{step 1, head 0: expected an earlier step to reuse, got step 2}}
func.func private @modes_c7_cycle() attributes {m = #dit.modes<heads 2 [full, share(2), share(1)]>}

// -----

// expected-error@+1 {{step 2, head 0: expected a share of a step that computes; step 1 shares too}}
func.func private @modes_c8() attributes {m = #dit.modes<heads 2 [full, share, share(1)]>}

// -----

// expected-error@+1 {{step 2, head 1: expected the residual of a full step; step 1 is not full}}
func.func private @modes_c9() attributes {m = #dit.modes<heads 2 [full, window(8), {full, window(8) residual(1)}]>}

// -----

// expected-error@+1 {{step 2, head 0: expected the residual of a full step; step 1 is not full for all of the batch}}
func.func private @modes_c9_half() attributes {m = #dit.modes<heads 1 [full, full half(first), full residual(1) half(first)]>}

// -----

// expected-error@+1 {{expected a half-width between 0 and 2^40, got 1099511627777}}
func.func private @a_mode_alone() attributes {m = #dit.mode<arrow(1099511627777)>}

// -----

dit.profile @profile_c1 timesteps [1] {
  // expected-error@+1 {{'arith.constant' op expected only dit.measured and dit.trial in a dit.profile}}
  %0 = arith.constant 0 : index
}

// -----

dit.profile @profile_c2 timesteps [1] {
  // expected-note@+1 {{the first one is here}}
  dit.measured "a" rse of <window(8)> dense<1.0> : tensor<1xf32>
  dit.measured "a" rse of <window(9)> dense<1.0> : tensor<1xf32>
  // expected-error@+1 {{expected each quantity of a site once}}
  dit.measured "a" rse of <window(8)> dense<1.0> : tensor<1xf64>
}

// -----

dit.profile @measured_c1 timesteps [1] {
  // expected-error@+1 {{expected dense floats for each step, for each step and head, or for each step, head and age, got 'tensor<1x1x1x1xf32>'}}
  dit.measured "a" rse of <share> dense<1.0> : tensor<1x1x1x1xf32>
}

// -----

dit.profile @measured_c1_type timesteps [1] {
  // expected-error@+1 {{expected dense floats for each step, for each step and head, or for each step, head and age, got 'tensor<1xi32>'}}
  dit.measured "a" seconds dense<1> : tensor<1xi32>
}

// -----

dit.profile @measured_c2 timesteps [1] {
  // expected-error@+1 {{expected values of the 1 steps of the profile, got 2}}
  dit.measured "a" seconds dense<1.0> : tensor<2xf32>
}

// -----

dit.profile @measured_c3 timesteps [2, 1] {
  // expected-error@+1 {{expected finite values that are not negative, got NaN at step 1, head 0}}
  dit.measured "a" seconds dense<[[0.0, 1.0], [0x7FC00000, 1.0]]> : tensor<2x2xf32>
}

// -----

dit.profile @measured_c3_sparsity timesteps [2, 1] {
  // expected-error@+1 {{expected finite values that are not negative nor above 1, got 1.5 at step 0, head 1}}
  dit.measured "a" sparsity at 0.9 dense<[[0.0, 1.5], [1.0, 1.0]]> : tensor<2x2xf32>
}

// -----

dit.profile @measured_c4 timesteps [1] {
  // expected-error@+1 {{expected the share of the mass, between 0 and 1, of a sparsity and of nothing else}}
  dit.measured "a" sparsity dense<1.0> : tensor<1xf32>
}

// -----

dit.profile @measured_c5 timesteps [1] {
  // expected-error@+1 {{expected the mode of an rse, an output_loss or a sample_error, and of nothing else but seconds}}
  dit.measured "a" step_difference of <full> dense<1.0> : tensor<1xf32>
}

// -----

dit.profile @measured_c5_missing timesteps [1] {
  // expected-error@+1 {{expected the mode of an rse, an output_loss or a sample_error, and of nothing else but seconds}}
  dit.measured "a" sample_error dense<1.0> : tensor<1xf32>
}

// -----

dit.profile @measured_c6 timesteps [1] {
  // expected-error@+1 {{expected ages only of the error of a share or of a residual}}
  dit.measured "a" rse of <window(8)> dense<1.0> : tensor<1x1x2xf32>
}

// -----

dit.profile @measured_c6_seconds timesteps [1] {
  // expected-error@+1 {{expected ages only of the error of a share or of a residual}}
  dit.measured "a" seconds of <share> dense<1.0> : tensor<1x1x2xf32>
}

// -----

dit.profile @measured_c7 timesteps [1] {
  // expected-error@+1 {{expected a mode without the step that it takes a value of, got step 0; its age is a dimension of the values}}
  dit.measured "a" rse of <share(0)> dense<1.0> : tensor<1xf32>
}

// -----

dit.profile @profile_c3 timesteps [1] {
  // expected-note@+1 {{the first one is here}}
  dit.trial errors [0.5]
  dit.trial of @a errors [0.5]
  // expected-error@+1 {{expected one trial of each plan}}
  dit.trial errors [0.5, 0.25]
}

// -----

dit.profile @trial_c1 timesteps [1] {
  // expected-error@+1 {{expected the error of a sample or more}}
  dit.trial errors []
}

// -----

dit.profile @trial_c2 timesteps [1] {
  // expected-error@+1 {{expected finite errors that are not negative, got -1.000000e+00 at sample 1}}
  dit.trial errors [0, -1]
}

// -----

dit.profile @trial_c3 timesteps [1] {
  // expected-error@+1 {{expected finite seconds that are not negative, got -2.000000e+00}}
  dit.trial errors [0] seconds -2
}

// -----

// expected-error@+1 {{expected full, window, arrow, topk or share, got 'causal'}}
func.func private @unknown_mode() attributes {m = #dit.modes<heads 1 [causal]>}

// -----

// expected-error@+1 {{expected first or second, got 'third'}}
func.func private @unknown_half() attributes {m = #dit.modes<heads 1 [full half(third)]>}

// -----

// expected-error@+1 {{expected a mode for each of 3 heads, got 2}}
func.func private @missing_head() attributes {m = #dit.modes<heads 3 [{full, full}]>}

// -----

// expected-error@+1 {{expected at most 3 modes, and these are more}}
func.func private @too_many_heads() attributes {m = #dit.modes<heads 3 [{4 * full}]>}

// -----

// expected-error@+1 {{expected a positive number of times, got 0}}
func.func private @zero_times() attributes {m = #dit.modes<heads 3 [0 * full]>}

// -----

// expected-error@+1 {{groups are nested too deeply}}
func.func private @deep() attributes {m = #dit.modes<heads 3 [((((((((((((((((((full))))))))))))))))))]>}

// -----

// expected-error@+1 {{expected a step, got -4}}
func.func private @negative_step() attributes {m = #dit.modes<heads 3 [full, share(-4)]>}
