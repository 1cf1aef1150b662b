/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   Compiles an attention given as text, calls it on arrays of this program, and
   says what went wrong where something does. */

#include "dit-c/Program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kLayer[] =
    "func.func @layer(%q: tensor<1x2x64x16xf32>, %k: tensor<1x2x64x16xf32>,\n"
    "    %v: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {\n"
    "  %init = tensor.empty() : tensor<1x2x64x16xf32>\n"
    "  %o = dit.attention ins(%q, %k, %v : tensor<1x2x64x16xf32>,\n"
    "      tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)\n"
    "      outs(%init : tensor<1x2x64x16xf32>)\n"
    "      {scale = 0.25 : f64, site = \"blocks.0.attn1\"}\n"
    "  return %o : tensor<1x2x64x16xf32>\n"
    "}\n";

static void printDiagnostic(const DitDiagnostic *diagnostic, void *unused) {
  (void)unused;
  fprintf(stderr, "%s:%d:%d: %s\n", diagnostic->file, (int)diagnostic->line,
          (int)diagnostic->column, diagnostic->message);
}

/* Ends the program with the last error unless `status` is DIT_OK. */
static void check(DitStatus status) {
  if (status == DIT_OK)
    return;
  fprintf(stderr, "%s: %s\n", ditStatusName(status), ditGetLastError());
  exit(1);
}

int main(void) {
  DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
  options.handler = printDiagnostic;
  DitContext *context;
  check(ditContextCreate(&options, &context));
  DitModule *module;
  check(ditModuleParse(context, kLayer, strlen(kLayer), "layer.mlir", &module));

  DitText report;
  check(ditModuleReportAttention(module, DIT_REPORT_TEXT, &report));
  fputs(report.data, stdout);
  ditTextFree(&report);

  /* A program needs neither module nor context any more. */
  DitProgram *program;
  check(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  ditContextDestroy(context);

  /* Equal values come out as they went in: weights of a softmax add up to 1. */
  static float q[2048], k[2048], v[2048], o[2048];
  for (int i = 0; i < 2048; ++i) {
    q[i] = (float)(i % 7);
    k[i] = (float)(i % 5);
    v[i] = 3.0F;
  }
  int64_t sizes[4] = {1, 2, 64, 16};
  dit_buffer qb = {q, DIT_RT_F32, 4, sizes, NULL};
  dit_buffer kb = {k, DIT_RT_F32, 4, sizes, NULL};
  dit_buffer vb = {v, DIT_RT_F32, 4, sizes, NULL};
  dit_buffer ob = {o, DIT_RT_F32, 4, sizes, NULL};
  const dit_buffer *inputs[3] = {&qb, &kb, &vb};
  dit_buffer *results[1] = {&ob};
  check(ditProgramInvoke(program, "layer", inputs, 3, results, 1, NULL));
  ditProgramDestroy(program);
  printf("o[0] = %.4f, o[2047] = %.4f\n", o[0], o[2047]);
  return 0;
}
