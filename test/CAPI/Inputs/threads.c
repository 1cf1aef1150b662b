/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   Several contexts in several threads, one context in several threads, and one
   program called from several threads at once. */

#include "dit-c/Program.h"
#include "expect.h"
#include <pthread.h>

enum { kThreads = 4, kSize = 2 * 64 * 16 };

static const char kProgram[] =
    "func.func @f(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {\n"
    "  %init = tensor.empty() : tensor<1x2x64x16xf32>\n"
    "  %o = dit.attention ins(%q, %q, %q : tensor<1x2x64x16xf32>,\n"
    "      tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)\n"
    "      outs(%init : tensor<1x2x64x16xf32>) {scale = 0.25 : f64}\n"
    "  %0 = arith.addf %o, %q : tensor<1x2x64x16xf32>\n"
    "  return %0 : tensor<1x2x64x16xf32>\n"
    "}\n";

static DitProgram *compile(DitContext *context) {
  DitModule *module;
  DitProgram *program;
  EXPECT_OK(ditModuleParse(context, kProgram, strlen(kProgram), NULL, &module));
  EXPECT_OK(ditModuleRunPipeline(module, "canonicalize,cse"));
  EXPECT_OK(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  return program;
}

static void run(DitProgram *program, float value, float *output) {
  float input[kSize];
  for (int i = 0; i < kSize; ++i)
    input[i] = value;
  int64_t sizes[4] = {1, 2, 64, 16};
  dit_buffer in = {input, DIT_RT_F32, 4, sizes, NULL};
  dit_buffer out = {output, DIT_RT_F32, 4, sizes, NULL};
  const dit_buffer *inputs[1] = {&in};
  dit_buffer *results[1] = {&out};
  EXPECT_OK(ditProgramInvoke(program, NULL, inputs, 1, results, 1, NULL));
}

/* The mean of equal rows is the row, plus the row. */
static void check(DitProgram *program, float value) {
  static const float tolerance = 1e-4F;
  float output[kSize];
  run(program, value, output);
  for (int i = 0; i < kSize; ++i)
    EXPECT(output[i] - 2 * value < tolerance &&
           2 * value - output[i] < tolerance);
}

static DitContext *shared;
static DitProgram *sharedProgram;

static void *work(void *argument) {
  int index = *(int *)argument;
  /* Errors are of the thread that made them. */
  EXPECT(ditGetLastError()[0] == '\0');
  DitContext *context;
  EXPECT_OK(ditContextCreate(NULL, &context));
  DitProgram *own = compile(context);
  ditContextDestroy(context);
  /* Nothing of a program is the context's. */
  DitText header;
  EXPECT_OK(ditProgramGetArtifact(own, DIT_ARTIFACT_HEADER, &header));
  EXPECT(strstr(header.data, "f32 [1, 2, 64, 16]"));
  ditTextFree(&header);
  EXPECT(ditEntryListGet(ditProgramGetEntries(own), 0)->inputs[0]->rank == 4);
  DitProgram *ofShared = compile(shared);
  char text[32];
  snprintf(text, sizeof(text), "broken%d", index);
  DitModule *module;
  for (int i = 0; i < 20; ++i) {
    check(own, (float)index);
    check(ofShared, (float)(index + i));
    check(sharedProgram, (float)(index * i));
    EXPECT_ERROR(
        DIT_ERROR_PARSE, text,
        ditModuleParseTrusted(shared, text, strlen(text), text, &module));
  }
  ditProgramDestroy(own);
  ditProgramDestroy(ofShared);
  return NULL;
}

int main(void) {
  EXPECT_OK(ditContextCreate(NULL, &shared));
  sharedProgram = compile(shared);
  pthread_t threads[kThreads];
  int indices[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    indices[i] = i;
    EXPECT(pthread_create(&threads[i], NULL, work, &indices[i]) == 0);
  }
  for (int i = 0; i < kThreads; ++i)
    EXPECT(pthread_join(threads[i], NULL) == 0);
  EXPECT(ditGetLastError()[0] == '\0');
  ditProgramDestroy(sharedProgram);
  ditContextDestroy(shared);
  puts("ok");
  return 0;
}
