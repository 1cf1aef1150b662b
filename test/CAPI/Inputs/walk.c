/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   Every function of the C API once, from text to numbers.
   usage: walk FOLDER WEIGHTS.safetensors */

#include "dit-c/Plan.h"
#include "dit-c/Program.h"
#include "expect.h"

static const char kAttention[] =
    "func.func @layer(%q: tensor<1x2x64x16xf32>, %k: tensor<1x2x64x16xf32>,\n"
    "    %v: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {\n"
    "  %init = tensor.empty() : tensor<1x2x64x16xf32>\n"
    "  %o = dit.attention ins(%q, %k, %v : tensor<1x2x64x16xf32>,\n"
    "      tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)\n"
    "      outs(%init : tensor<1x2x64x16xf32>)\n"
    "      {scale = 0.25 : f64, site = \"blocks.0.attn1\"}\n"
    "  return %o : tensor<1x2x64x16xf32>\n"
    "}\n";

static const char kCaller[] =
    "func.func private @square(tensor<?x3xf32>) -> tensor<?x3xf32>\n"
    "func.func @main(%x: tensor<?x3xf32> {dit.name = \"x\"}, %s: f32)\n"
    "    -> (tensor<?x3xf32>, tensor<2xbf16>) {\n"
    "  %0 = call @square(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>\n"
    "  %1 = tensor.splat %s : tensor<2xf32>\n"
    "  %2 = arith.truncf %1 : tensor<2xf32> to tensor<2xbf16>\n"
    "  return %0, %2 : tensor<?x3xf32>, tensor<2xbf16>\n"
    "}\n"
    "func.func @token(%t: !llvm.ptr) { return }\n";

static const char kLibrary[] =
    "func.func @square(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {\n"
    "  %0 = arith.mulf %x, %x : tensor<?x3xf32>\n"
    "  return %0 : tensor<?x3xf32>\n"
    "}\n";

static const char kWeighted[] =
    "ml_program.global private @w(#ml_program.extern<tensor<3xf32>>)\n"
    "    : tensor<3xf32>\n"
    "func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
    "  %w = ml_program.global_load_const @w : tensor<3xf32>\n"
    "  %0 = arith.addf %x, %w : tensor<3xf32>\n"
    "  return %0 : tensor<3xf32>\n"
    "}\n";

static DitModule *parse(DitContext *context, const char *text) {
  DitModule *module = NULL;
  EXPECT_OK(ditModuleParse(context, text, strlen(text), "text.mlir", &module));
  return module;
}

static void checkVersions(void) {
  EXPECT(ditGetApiVersion() == DIT_C_API_MAJOR * 65536 + DIT_C_API_MINOR);
  EXPECT(ditGetVersion()[0] != '\0');
  EXPECT(strncmp(ditGetLLVMVersion(), "22.1", 4) == 0);
  EXPECT(strcmp(ditStatusName(DIT_ERROR_PARSE), "DIT_ERROR_PARSE") == 0);
  EXPECT(strcmp(ditStatusName((DitStatus)99), "unknown") == 0);
  EXPECT(ditDTypeGetSize(DIT_RT_BF16) == 2 && ditDTypeGetSize(99) == 0);
  EXPECT(strcmp(ditDTypeGetName(DIT_RT_BF16), "bf16") == 0);
}

/* Printing, bytecode, pipelines and reports. */
static void checkModules(DitContext *context, const char *folder) {
  DitModule *module = parse(context, kAttention), *again = NULL, *copy = NULL;
  DitText text, bytecode;
  EXPECT_OK(ditModuleVerify(module));
  EXPECT_OK(ditModulePrint(module, NULL, &text));
  EXPECT(text.size == strlen(text.data) && strstr(text.data, "dit.attention"));
  ditTextFree(&text);
  EXPECT(!text.data && !text.size);

  EXPECT_OK(ditModuleWriteBytecode(module, &bytecode));
  EXPECT_OK(
      ditModuleParse(context, bytecode.data, bytecode.size, NULL, &again));
  char path[4096];
  snprintf(path, sizeof(path), "%s/layer.mlirbc", folder);
  FILE *file = fopen(path, "wb");
  EXPECT(file && fwrite(bytecode.data, 1, bytecode.size, file));
  fclose(file);
  ditModuleDestroy(again);
  EXPECT_OK(ditModuleParseTrusted(context, bytecode.data, bytecode.size, NULL,
                                  &again));
  ditModuleDestroy(again);
  EXPECT_OK(ditModuleParseFileTrusted(context, path, &again));
  ditModuleDestroy(again);
  EXPECT_OK(ditModuleParseFile(context, path, &again));
  ditTextFree(&bytecode);

  DitPrintOptions options = DIT_PRINT_OPTIONS_INIT;
  options.locations = 2;
  options.generic = 1;
  EXPECT_OK(ditModulePrint(again, &options, &text));
  EXPECT(strstr(text.data, "\"dit.attention\"(") && strstr(text.data, "loc("));
  ditTextFree(&text);

  EXPECT_OK(ditModuleReportAttention(again, DIT_REPORT_JSON, &text));
  EXPECT(strstr(text.data, "\"site\": \"blocks.0.attn1\""));
  ditTextFree(&text);
  EXPECT_OK(ditModuleReportAttention(again, DIT_REPORT_TEXT, &text));
  EXPECT(strstr(text.data, "blocks.0.attn1") &&
         strstr(text.data, "1 attentions, 0.001 of 0.001 GFLOP"));
  ditTextFree(&text);

  EXPECT_OK(ditModuleClone(again, &copy));
  EXPECT_OK(ditModuleRunPipeline(copy, "dit-decompose,canonicalize"));
  EXPECT_OK(ditModulePrint(copy, NULL, &text));
  EXPECT(!strstr(text.data, "dit.attention") && strstr(text.data, "math.exp"));
  ditTextFree(&text);
  EXPECT_OK(ditModuleRunPipeline(
      again, "builtin.module(func.func(canonicalize{max-iterations=2}),cse)"));
  ditModuleDestroy(copy);
  ditModuleDestroy(again);
  ditModuleDestroy(module);
}

/* A model's branches, and a plan from rules to a program and back. */
static void checkPlans(DitContext *context, const char *model) {
  DitModule *module;
  DitText text;
  EXPECT_OK(ditModuleParseFile(context, model, &module));
  EXPECT_OK(ditModuleRunPipeline(module, "dit-raise-attention"));
  EXPECT_OK(ditModuleReportBranches(module, &text));
  EXPECT(strstr(text.data, "\"branches\": []") &&
         strstr(text.data, "\"loose\": ["));
  ditTextFree(&text);
  ditModuleDestroy(module);

  module = parse(context, kAttention);
  static const char rules[] =
      "{\"broadcast\": {\"self\": {\"period\": 2, \"window\": [0, 900]}}}";
  DitPlanImportOptions options = DIT_PLAN_IMPORT_OPTIONS_INIT;
  options.name = "pab";
  options.steps = 4;
  EXPECT_OK(ditModuleImportPlan(module, rules, strlen(rules), &options));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "there is a symbol 'pab' already",
               ditModuleImportPlan(module, rules, strlen(rules), &options));
  EXPECT_OK(ditModuleVerify(module));
  EXPECT_OK(ditModuleExportPlan(module, NULL, DIT_PLAN_TABLE, &text));
  EXPECT(strstr(text.data, "blocks.0.attn1") && strstr(text.data, "share"));
  /* What is written can be read, for the same steps only. */
  double timesteps[4] = {1000, 750, 500, 250};
  options.name = "again";
  options.steps = 0;
  options.timesteps = timesteps;
  options.num_timesteps = 4;
  EXPECT_OK(ditModuleImportPlan(module, text.data, text.size, &options));
  options.name = "other";
  options.num_timesteps = 3;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "the plan is for other timesteps",
               ditModuleImportPlan(module, text.data, text.size, &options));
  ditTextFree(&text);
  EXPECT_OK(ditModuleExportPlan(module, "again", DIT_PLAN_TABLE, &text));
  ditTextFree(&text);
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "the plans are: again, pab",
               ditModuleExportPlan(module, NULL, DIT_PLAN_TABLE, &text));
  ditModuleDestroy(module);
}

static int countRemarks;
static void onDiagnostic(const DitDiagnostic *diagnostic, void *userData) {
  EXPECT(userData == &countRemarks);
  EXPECT(diagnostic->struct_size == sizeof(DitDiagnostic));
  if (diagnostic->severity == DIT_SEVERITY_REMARK)
    ++countRemarks;
}

/* Remarks of chosen passes arrive as diagnostics, passes use two threads. */
static void checkRemarks(const char *model) {
  DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
  options.handler = onDiagnostic;
  options.user_data = &countRemarks;
  options.remarks = "dit-raise-attention";
  options.num_threads = 2;
  DitContext *context;
  EXPECT_OK(ditContextCreate(&options, &context));
  DitModule *module;
  EXPECT_OK(ditModuleParseFile(context, model, &module));
  EXPECT_OK(ditModuleRunPipeline(module, "dit-raise-attention"));
  EXPECT(countRemarks > 0);
  ditModuleDestroy(module);
  ditContextDestroy(context);
}

/* Linking, signatures, several ways to pass buffers. */
static void checkProgram(DitContext *context, const char *folder) {
  DitModule *module = parse(context, kCaller);
  DitModule *library = parse(context, kLibrary);
  EXPECT_OK(ditModuleLink(module, library));
  DitText text;
  EXPECT_OK(ditModulePrint(library, NULL, &text));
  EXPECT(!strstr(text.data, "func"));
  ditTextFree(&text);

  DitEntryList *entries;
  EXPECT_OK(ditModuleGetEntries(module, &entries));
  EXPECT(ditEntryListGetSize(entries) == 1 && !ditEntryListGet(entries, 1));
  const DitEntryInfo *info = ditEntryListGet(entries, 0);
  EXPECT(info->struct_size == sizeof(DitEntryInfo));
  EXPECT(strcmp(info->name, "main") == 0 && strcmp(info->c_name, "") == 0);
  EXPECT(info->num_inputs == 2 && info->num_results == 2);
  EXPECT(strcmp(info->inputs[0]->name, "x") == 0);
  EXPECT(info->inputs[0]->dtype == DIT_RT_F32 && info->inputs[0]->rank == 2);
  EXPECT(info->inputs[0]->sizes[0] == -1 && info->inputs[0]->sizes[1] == 3);
  EXPECT(info->inputs[1]->rank == 0);
  EXPECT(info->results[1]->dtype == DIT_RT_BF16);
  ditEntryListDestroy(entries);

  DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
  options.keep_llvm_ir = 1;
  options.pipeline_options = "parallel=false";
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, &options, &program));
  ditModuleDestroy(module);
  ditModuleDestroy(library);

  info = ditEntryListGet(ditProgramGetEntries(program), 0);
  EXPECT(strcmp(info->c_name, "dit_main") == 0);
  EXPECT(ditProgramGetNumParameters(program) == 0);
  EXPECT_OK(ditProgramCheckParameters(program));

  /* Columns of a 3 x 2 array; a dynamic and a static result of the library. */
  float x[6] = {1, 2, 3, 4, 5, 6}, s = 1.5F;
  int64_t xSizes[2] = {2, 3}, xStrides[2] = {1, 2}, ySizes[2], zSizes[1];
  dit_buffer xb = {x, DIT_RT_F32, 2, xSizes, xStrides};
  dit_buffer sb = {&s, DIT_RT_F32, 0, NULL, NULL};
  dit_buffer yb = {NULL, DIT_RT_F32, 2, ySizes, NULL};
  dit_buffer zb = {NULL, DIT_RT_BF16, 1, zSizes, NULL};
  const dit_buffer *inputs[2] = {&xb, &sb};
  dit_buffer *results[2] = {&yb, &zb};
  EXPECT_OK(ditProgramInvoke(program, "main", inputs, 2, results, 2, NULL));
  EXPECT(ySizes[0] == 2 && ySizes[1] == 3 && zSizes[0] == 2);
  float expected[6] = {1, 9, 25, 4, 16, 36};
  EXPECT(memcmp(yb.data, expected, sizeof(expected)) == 0);
  EXPECT(((uint16_t *)zb.data)[1] == 0x3FC0);
  ditBufferFree(&yb);
  ditBufferFree(&zb);
  EXPECT(!yb.data && !zb.data);

  /* Memory of the caller, contiguous input, one thread. */
  float y[6];
  uint16_t z[2];
  yb.data = y;
  zb.data = z;
  xb.strides = NULL;
  DitInvokeOptions invoke = DIT_INVOKE_OPTIONS_INIT;
  invoke.num_threads = 1;
  int64_t size = -1;
  EXPECT_OK(ditProgramGetWorkspaceSize(program, NULL, inputs, 2, &size));
  EXPECT(size >= 0 &&
         (info->workspace_size == -1 || info->workspace_size == size));
  xb.rank = 1;
  EXPECT(ditProgramGetWorkspaceSize(program, NULL, inputs, 2, &size) ==
         DIT_ERROR_SHAPE_MISMATCH);
  xb.rank = 2;
  void *workspace = aligned_alloc(64, (size + 128) / 64 * 64);
  invoke.workspace = workspace;
  EXPECT_OK(ditProgramInvoke(program, NULL, inputs, 2, results, 2, &invoke));
  EXPECT(y[5] == 36 && z[0] == 0x3FC0);
  free(workspace);

  EXPECT_OK(ditProgramGetArtifact(program, DIT_ARTIFACT_OBJECT, &text));
  EXPECT(text.size > 4 && memcmp(text.data, "\177ELF", 4) == 0);
  ditTextFree(&text);
  EXPECT_OK(ditProgramGetArtifact(program, DIT_ARTIFACT_HEADER, &text));
  EXPECT(strstr(text.data, "int32_t dit_main(const dit_buffer *x"));
  ditTextFree(&text);
  EXPECT_OK(ditProgramGetArtifact(program, DIT_ARTIFACT_LLVM_IR, &text));
  EXPECT(strstr(text.data, "define"));
  ditTextFree(&text);
  char path[4096];
  snprintf(path, sizeof(path), "%s/libprogram.so", folder);
  EXPECT_OK(ditProgramWriteSharedLibrary(program, path, NULL));
  FILE *file = fopen(path, "rb");
  EXPECT(file);
  fclose(file);
  ditProgramDestroy(program);
}

/* A static program of several entries, with workspace, on both targets. */
static void checkTargets(DitContext *context) {
  static float q[2048], first[2048], second[2048];
  for (int i = 0; i < 2048; ++i)
    q[i] = (float)(i % 13) * 0.1F;
  int64_t sizes[4] = {1, 2, 64, 16};
  dit_buffer in = {q, DIT_RT_F32, 4, sizes, NULL};
  const dit_buffer *inputs[3] = {&in, &in, &in};
  const char *names[1] = {"layer"}, *targets[2] = {"cpu", "reference"};
  float *outputs[2] = {first, second};
  for (int i = 0; i < 2; ++i) {
    DitModule *module = parse(context, kAttention);
    DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
    options.target = targets[i];
    options.entries = names;
    options.num_entries = 1;
    options.c_name = "my_layer";
    DitProgram *program;
    EXPECT_OK(ditModuleCompile(module, &options, &program));
    EXPECT(strcmp(ditEntryListGet(ditProgramGetEntries(program), 0)->c_name,
                  "my_layer") == 0);
    dit_buffer out = {outputs[i], DIT_RT_F32, 4, sizes, NULL};
    dit_buffer *results[1] = {&out};
    for (int j = 0; j < 2; ++j)
      EXPECT_OK(ditProgramInvoke(program, NULL, inputs, 3, results, 1, NULL));
    ditProgramDestroy(program);
    ditModuleDestroy(module);
  }
  for (int i = 0; i < 2048; ++i)
    EXPECT(first[i] - second[i] < 1e-5F && second[i] - first[i] < 1e-5F);
}

/* A program that was kept is found again. */
static void checkCache(DitContext *context, const char *folder) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/cache", folder);
  DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
  options.cache_dir = path;
  DitText objects[2];
  for (int i = 0; i < 2; ++i) {
    DitModule *module = parse(context, kWeighted);
    DitProgram *program;
    EXPECT_OK(ditModuleCompile(module, &options, &program));
    EXPECT(ditProgramGetNumParameters(program) == 1);
    EXPECT_OK(ditProgramGetArtifact(program, DIT_ARTIFACT_OBJECT, &objects[i]));
    ditProgramDestroy(program);
    ditModuleDestroy(module);
  }
  EXPECT(objects[0].size == objects[1].size);
  EXPECT(memcmp(objects[0].data, objects[1].data, objects[0].size) == 0);
  ditTextFree(&objects[0]);
  ditTextFree(&objects[1]);
}

/* Two public functions in one program. */
static void checkTwoEntries(DitContext *context) {
  DitModule *module =
      parse(context, "func.func @one(%x: i32) -> i32 { return %x : i32 }\n"
                     "func.func @two(%x: i32) -> i32 {\n"
                     "  %0 = arith.addi %x, %x : i32\n"
                     "  return %0 : i32\n}\n");
  const char *names[2] = {"one", "two"};
  DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
  options.entries = names;
  options.num_entries = 2;
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, &options, &program));
  EXPECT(ditEntryListGetSize(ditProgramGetEntries(program)) == 2);
  int32_t x = 21, y = 0;
  dit_buffer in = {&x, DIT_RT_I32, 0, NULL, NULL};
  dit_buffer out = {&y, DIT_RT_I32, 0, NULL, NULL};
  const dit_buffer *inputs[1] = {&in};
  dit_buffer *results[1] = {&out};
  EXPECT_OK(ditProgramInvoke(program, "two", inputs, 1, results, 1, NULL));
  EXPECT(y == 42);
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "name one of one, two",
               ditProgramInvoke(program, NULL, inputs, 1, results, 1, NULL));
  ditProgramDestroy(program);
  ditModuleDestroy(module);
}

/* Weights from a file and from memory. */
static void checkParameters(DitContext *context, const char *weights) {
  DitModule *module = parse(context, kWeighted);
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  EXPECT(ditProgramGetNumParameters(program) == 1);
  EXPECT(!ditProgramGetParameter(program, 1));
  const DitTensorInfo *info = ditProgramGetParameter(program, 0);
  EXPECT(strcmp(info->name, "w") == 0 && info->rank == 1 &&
         info->sizes[0] == 3 && info->dtype == DIT_RT_F32);

  float x[3] = {1, 2, 3}, y[3], w[3] = {10, 10, 10};
  int64_t sizes[1] = {3}, wrong[1] = {2};
  dit_buffer in = {x, DIT_RT_F32, 1, sizes, NULL};
  dit_buffer out = {y, DIT_RT_F32, 1, sizes, NULL};
  dit_buffer value = {w, DIT_RT_F32, 1, wrong, NULL};
  const dit_buffer *inputs[1] = {&in};
  dit_buffer *results[1] = {&out};
  EXPECT_ERROR(DIT_ERROR_UNBOUND_PARAMETER, "no tensor 'w'",
               ditProgramCheckParameters(program));
  EXPECT_ERROR(DIT_ERROR_UNBOUND_PARAMETER, "parameter 'w' has no data",
               ditProgramInvoke(program, NULL, inputs, 1, results, 1, NULL));
  EXPECT_ERROR(DIT_ERROR_UNBOUND_PARAMETER, "no tensor 'w'",
               ditProgramCheckParameters(program));
  EXPECT_ERROR(DIT_ERROR_NOT_FOUND, "no parameter 'u'",
               ditProgramBindParameter(program, "u", &value));
  EXPECT_ERROR(DIT_ERROR_SHAPE_MISMATCH, "needs row-major data",
               ditProgramBindParameter(program, "w", &value));
  value.sizes = sizes;
  EXPECT_OK(ditProgramBindParameter(program, "w", &value));
  EXPECT_OK(ditProgramCheckParameters(program));
  EXPECT_OK(ditProgramInvoke(program, NULL, inputs, 1, results, 1, NULL));
  EXPECT(y[0] == 11 && y[2] == 13);
  EXPECT_OK(ditProgramLoadParameters(program, weights));
  EXPECT_OK(ditProgramInvoke(program, NULL, inputs, 1, results, 1, NULL));
  EXPECT(y[0] == 101 && y[2] == 303);
  ditProgramDestroy(program);
}

static int poolCalls;
static void runOnPool(void *pool, int64_t count, int64_t grain,
                      dit_rt_parallel_fn fn, void *context) {
  ++*(int *)pool;
  for (int64_t begin = 0; begin < count; begin += grain)
    fn(context, begin, begin + grain < count ? begin + grain : count);
}

/* An attention that measures itself. */
static void checkProfile(DitContext *context) {
  DitModule *module = parse(context, kAttention);
  EXPECT_OK(ditModuleRunPipeline(module, "dit-instrument-profile"));
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  static float q[2 * 64 * 16], o[2 * 64 * 16];
  int64_t sizes[4] = {1, 2, 64, 16};
  for (int i = 0; i < 2 * 64 * 16; ++i)
    q[i] = 1;
  dit_buffer input = {q, DIT_RT_F32, 4, sizes, NULL};
  dit_buffer output = {o, DIT_RT_F32, 4, sizes, NULL};
  const dit_buffer *inputs[3] = {&input, &input, &input};
  dit_buffer *results[1] = {&output};
  DitText json;
  EXPECT_OK(
      ditProgramProfile(program, NULL, inputs, 3, results, 1, NULL, &json));
  EXPECT(strstr(json.data, "\"site\": \"blocks.0.attn1\"") &&
         strstr(json.data, "\"metric\": \"seconds\""));
  EXPECT(o[0] > 0.999f && o[0] < 1.001f);
  ditTextFree(&json);
  ditProgramDestroy(program);
}

int main(int argc, char **argv) {
  EXPECT(argc == 4);
  checkVersions();
  DitContext *context;
  EXPECT_OK(ditContextCreate(NULL, &context));
  checkModules(context, argv[1]);
  checkPlans(context, argv[3]);
  checkRemarks(argv[3]);
  checkProgram(context, argv[1]);
  checkTargets(context);
  ditSetParallelFor(runOnPool, &poolCalls);
  checkTargets(context);
  EXPECT(poolCalls > 0);
  ditSetParallelFor(NULL, NULL);
  ditSetNumThreads(1);
  EXPECT(ditGetNumThreads() == 1);
  ditSetNumThreads(0);
  EXPECT(ditGetNumThreads() >= 1);
  checkCache(context, argv[1]);
  checkTwoEntries(context);
  checkProfile(context);
  checkParameters(context, argv[2]);
  ditContextDestroy(context);
  /* Destroying nothing is fine. */
  ditContextDestroy(NULL);
  ditModuleDestroy(NULL);
  ditProgramDestroy(NULL);
  ditEntryListDestroy(NULL);
  ditTextFree(NULL);
  ditBufferFree(NULL);
  puts("ok");
  return 0;
}
