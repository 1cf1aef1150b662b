module {
  dit.profile @probed timesteps [750, 500] {
    dit.measured "blocks.0.attn1" output_loss of <window(64) residual> dense<[[1.000000e-02], [2.000000e-02]]> : tensor<2x1xf64>
    dit.measured "blocks.0.attn1" sample_error of <share> dense<[[1.000000e-01], [2.000000e-01]]> : tensor<2x1xf64>
    dit.trial errors [0.001, 0.002] seconds 1.5
    dit.trial of @plan errors [0.01]
  }
  dit.plan @plan timesteps [750, 500] {
    dit.planned "blocks.0.attn1" full layer 0 cache after_projection heads 1 [full, share]
  }
}

