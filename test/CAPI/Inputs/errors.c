/* Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   Every way to fail: a status, a text, nothing made, and nothing broken.
   usage: errors FOLDER FOLDER_OF_DAMAGED_FILES */

#include "dit-c/Plan.h"
#include "dit-c/Program.h"
#include "expect.h"

static const char kProgram[] =
    "func.func @f(%x: tensor<2x?xf32> {dit.name = \"x\"}) -> tensor<2xf32> {\n"
    "  %c0 = arith.constant 0 : index\n"
    "  %c1 = arith.constant 1 : index\n"
    "  %n = tensor.dim %x, %c1 : tensor<2x?xf32>\n"
    "  %some = arith.cmpi ne, %n, %c0 : index\n"
    "  cf.assert %some, \"x is empty\"\n"
    "  %0 = tensor.extract_slice %x[0, 0] [2, 1] [1, 1]\n"
    "      : tensor<2x?xf32> to tensor<2xf32>\n"
    "  return %0 : tensor<2xf32>\n"
    "}\n";

static const char kWeighted[] =
    "ml_program.global private @w(#ml_program.extern<tensor<3xf32>>)\n"
    "    : tensor<3xf32>\n"
    "func.func @main() -> tensor<3xf32> {\n"
    "  %w = ml_program.global_load_const @w : tensor<3xf32>\n"
    "  %0 = arith.addf %w, %w : tensor<3xf32>\n"
    "  return %0 : tensor<3xf32>\n"
    "}\n";

/* The last error that the handler saw. */
static struct {
  int count;
  int line, column;
  size_t notes;
  char file[64], message[256], note[256];
} seen;

static void onDiagnostic(const DitDiagnostic *diagnostic, void *userData) {
  (void)userData;
  if (diagnostic->severity != DIT_SEVERITY_ERROR)
    return;
  ++seen.count;
  seen.line = diagnostic->line;
  seen.column = diagnostic->column;
  seen.notes = diagnostic->num_notes;
  snprintf(seen.file, sizeof(seen.file), "%s", diagnostic->file);
  snprintf(seen.message, sizeof(seen.message), "%s", diagnostic->message);
  snprintf(seen.note, sizeof(seen.note), "%s",
           diagnostic->num_notes ? diagnostic->notes[0]->message : "");
  EXPECT(strstr(diagnostic->location, "loc("));
}

static DitModule *parse(DitContext *context, const char *text) {
  DitModule *module = NULL;
  EXPECT_OK(ditModuleParse(context, text, strlen(text), "text.mlir", &module));
  return module;
}

/* Text that would take all of the stack of whoever parses it. */
static void checkNesting(DitContext *context) {
  enum { kDepth = 100000 };
  static char text[2 * kDepth + 64];
  DitModule *module = NULL;
  size_t size = (size_t)sprintf(text, "module attributes {p = ");
  memset(text + size, '[', kDepth);
  memset(text + size + kDepth, ']', kDepth);
  size += 2 * kDepth;
  size += (size_t)sprintf(text + size, "} {}");
  EXPECT_ERROR(DIT_ERROR_PARSE, "nest at most 256 deep",
               ditModuleParse(context, text, size, "deep.mlir", &module));
  EXPECT(!module);
  module = parse(context, kProgram);
  memset(text, '(', kDepth);
  text[kDepth] = 0;
  EXPECT_ERROR(DIT_ERROR_PIPELINE, "nest at most 256 deep",
               ditModuleRunPipeline(module, text));
  ditModuleDestroy(module);
}

static void checkOptions(void) {
  DitContext *context = (DitContext *)&seen;
  DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "context is NULL",
               ditContextCreate(NULL, NULL));
  options.struct_size = 0;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "struct_size is 0",
               ditContextCreate(&options, &context));
  EXPECT(!context);
  options.struct_size = sizeof(options);
  options.num_threads = -1;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "num_threads is negative",
               ditContextCreate(&options, &context));
  options.num_threads = 1;
  options.remarks = "(";
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "no regular expression",
               ditContextCreate(&options, &context));

  /* A caller with an older header, and one with a newer: fields that the
     library does not know are refused unless they are zero. */
  options.remarks = "(";
  options.struct_size = offsetof(DitContextOptions, remarks);
  EXPECT_OK(ditContextCreate(&options, &context));
  ditContextDestroy(context);
  struct {
    DitContextOptions known;
    int64_t unknown;
  } newer = {DIT_CONTEXT_OPTIONS_INIT, 0};
  newer.known.struct_size = sizeof(newer);
  EXPECT_OK(ditContextCreate(&newer.known, &context));
  ditContextDestroy(context);
  newer.unknown = 1;
  EXPECT_ERROR(DIT_ERROR_UNSUPPORTED, "does not know a field",
               ditContextCreate(&newer.known, &context));
}

static void checkModules(DitContext *context, const char *folder) {
  DitModule *module = (DitModule *)&seen;
  DitText text;
  static const char bad[] = "func.func @f(%x: f32) -> f32 {\n  return\n}\n";
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleParse(NULL, "", 0, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleParse(context, NULL, 1, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_PARSE, "bad.mlir:2:3: 'func.return' op has 0 operands",
               ditModuleParse(context, bad, strlen(bad), "bad.mlir", &module));
  EXPECT(!module && seen.count == 1 && seen.line == 2 && seen.column == 3);
  EXPECT(strcmp(seen.file, "bad.mlir") == 0);
  EXPECT_ERROR(DIT_ERROR_PARSE,
               "-:1:1: ", ditModuleParse(context, "}{", 2, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_PARSE, "",
               ditModuleParse(context, "ML\xefR\1", 5, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleParseFile(context, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_IO, "missing.mlir: ",
               ditModuleParseFile(context, "missing.mlir", &module));
  EXPECT_ERROR(DIT_ERROR_IO, folder,
               ditModuleParseFile(context, folder, &module));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleClone(NULL, &module));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL", ditModuleVerify(NULL));

  /* Nothing and an empty module are modules. */
  EXPECT_OK(ditModuleParse(context, NULL, 0, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModulePrint(module, NULL, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleWriteBytecode(NULL, &text));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleReportAttention(module, DIT_REPORT_TEXT, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "no format 7",
               ditModuleReportAttention(module, (DitReportFormat)7, &text));
  DitPrintOptions print = DIT_PRINT_OPTIONS_INIT;
  print.locations = 3;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "locations 0, 1 or 2",
               ditModulePrint(module, &print, &text));
  DitEntryList *entries;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleGetEntries(NULL, &entries));
  EXPECT(ditEntryListGetSize(NULL) == 0 && !ditEntryListGet(NULL, 0));
  ditModuleDestroy(module);
}

/* What is wrong with a file, by the parser of files and by that of bytes. */
static void expectDamage(DitContext *context, const char *path,
                         const char *text) {
  DitModule *module = NULL;
  seen.count = 0;
  EXPECT_ERROR(DIT_ERROR_PARSE, text,
               ditModuleParseFile(context, path, &module));
  EXPECT(!module && seen.count == 1 && strstr(seen.file, ".mlirbc"));
  static char bytes[1000];
  FILE *file = fopen(path, "rb");
  size_t size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
  EXPECT(size > 0 && size < sizeof(bytes));
  fclose(file);
  EXPECT_ERROR(DIT_ERROR_PARSE, text,
               ditModuleParse(context, bytes, size, NULL, &module));
  EXPECT(!module);
}

static void checkDamaged(const char *folder) {
  DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
  options.handler = onDiagnostic;
  options.parse_seconds = -1;
  DitContext *context;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "expected 0 to 86400, got -1",
               ditContextCreate(&options, &context));
  options.parse_seconds = 1;
  EXPECT_OK(ditContextCreate(&options, &context));
  char path[4096];
  /* LLVM's reader loops. */
  snprintf(path, sizeof(path), "%s/hang.mlirbc", folder);
  expectDamage(context, path,
               "the bytecode is damaged: reading it took longer than 1 s");
  ditContextDestroy(context);
  options.parse_seconds = 0;
  EXPECT_OK(ditContextCreate(&options, &context));
  /* It gives up, and it follows a null pointer. */
  snprintf(path, sizeof(path), "%s/abort.mlirbc", folder);
  expectDamage(context, path, "the bytecode is damaged: reading it crashes");
  snprintf(path, sizeof(path), "%s/fault.mlirbc", folder);
  expectDamage(context, path, "the bytecode is damaged: reading it crashes");
  /* It writes behind an array. Whether that is noticed, and the text of the
     error then, depends on what lies there. */
  snprintf(path, sizeof(path), "%s/overflow.mlirbc", folder);
  expectDamage(context, path, "bytecode");
  /* Text that is half written, and crashes MLIR's parser. */
  static const char kPart[] =
      "func.func @f(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>) {\n"
      "  linalg.transpose ins(%x : tensor<2x3xf32>)\n"
      "      outs(%y : tensor<3x2xf32>) permutation = [";
  DitModule *module = NULL;
  seen.count = 0;
  EXPECT_ERROR(DIT_ERROR_PARSE, "MLIR's parser fails on this text: it crashes",
               ditModuleParse(context, kPart, strlen(kPart), NULL, &module));
  EXPECT(!module && seen.count == 1);
  EXPECT_ERROR(DIT_ERROR_PARSE, "",
               ditModuleParseTrusted(context, "}{", 2, NULL, &module));
  EXPECT_ERROR(DIT_ERROR_IO, "missing.mlir: ",
               ditModuleParseFileTrusted(context, "missing.mlir", &module));
  ditContextDestroy(context);
}

static void checkPlans(DitContext *context) {
  DitModule *module = parse(context, "");
  DitText json = {NULL, 0}, before, after;
  EXPECT_OK(ditModulePrint(module, NULL, &before));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleReportBranches(module, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleExportPlan(NULL, NULL, DIT_PLAN_TABLE, &json));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "no format 9",
               ditModuleExportPlan(module, NULL, (DitPlanFormat)9, &json));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "the module has no plan",
               ditModuleExportPlan(module, NULL, DIT_PLAN_TABLE, &json));
  EXPECT(!json.data);
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleImportPlan(module, NULL, 1, NULL));
  DitPlanImportOptions options = DIT_PLAN_IMPORT_OPTIONS_INIT;
  options.num_timesteps = 1;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "timesteps is NULL",
               ditModuleImportPlan(module, "{}", 2, &options));
  options.num_timesteps = 0;
  options.conditional = 3;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "no half of the batch 3",
               ditModuleImportPlan(module, "{}", 2, &options));
  options.conditional = DIT_BATCH_FIRST;
  options.file_name = "plan.json";
  options.steps = -1;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "in the option steps, got -1",
               ditModuleImportPlan(module, "{}", 2, &options));
  options.steps = 4;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "plan file 'plan.json': ",
               ditModuleImportPlan(module, "{\"a\"}", 5, &options));
  options.struct_size = 1;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "struct_size is 1",
               ditModuleImportPlan(module, "{}", 2, &options));
  EXPECT_OK(ditModulePrint(module, NULL, &after));
  EXPECT(strcmp(before.data, after.data) == 0);
  ditTextFree(&before);
  ditTextFree(&after);
  ditModuleDestroy(module);
}

static void checkPipelines(DitContext *context) {
  DitModule *module = parse(context, kProgram);
  DitText before, after;
  EXPECT_OK(ditModulePrint(module, NULL, &before));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleRunPipeline(module, NULL));
  EXPECT_ERROR(DIT_ERROR_PIPELINE, "no-such-pass",
               ditModuleRunPipeline(module, "canonicalize,no-such-pass"));
  EXPECT_ERROR(DIT_ERROR_PIPELINE, "no-such-option",
               ditModuleRunPipeline(module, "dit-to-cpu{no-such-option=1}"));
  EXPECT_ERROR(DIT_ERROR_PIPELINE, "builtin.module(cse",
               ditModuleRunPipeline(module, "builtin.module(cse"));
  /* The second pass fails: what the first did is undone. */
  seen.count = 0;
  EXPECT_ERROR(
      DIT_ERROR_PIPELINE, "expected an annotation file",
      ditModuleRunPipeline(module, "inline,canonicalize,dit-annotate-sites"));
  EXPECT(seen.count == 1);
  EXPECT_OK(ditModulePrint(module, NULL, &after));
  EXPECT(strcmp(before.data, after.data) == 0);
  ditTextFree(&before);
  ditTextFree(&after);

  /* Notes travel with their error. */
  DitModule *twins = parse(
      context,
      "func.func @f(%q: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {\n"
      "  %0 = dit.attention ins(%q, %q, %q : tensor<1x1x4x4xf32>,\n"
      "    tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>)\n"
      "    outs(%q : tensor<1x1x4x4xf32>) {scale = 1.0 : f64, site = \"a\"}\n"
      "  %1 = dit.attention ins(%0, %0, %0 : tensor<1x1x4x4xf32>,\n"
      "    tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>)\n"
      "    outs(%q : tensor<1x1x4x4xf32>) {scale = 1.0 : f64, site = \"a\"}\n"
      "  return %1 : tensor<1x1x4x4xf32>\n"
      "}\n");
  FILE *file = fopen("sites.json", "w");
  EXPECT(file);
  fputs("{\"sites\": []}", file);
  fclose(file);
  EXPECT_ERROR(DIT_ERROR_PIPELINE, "site \"a\" is not unique",
               ditModuleRunPipeline(twins, "dit-annotate-sites{"
                                           "file=sites.json}"));
  EXPECT(seen.notes == 1 && strstr(seen.note, "it is also here"));
  ditModuleDestroy(twins);

  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleLink(module, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "two modules of one context",
               ditModuleLink(module, module));
  DitContext *otherContext;
  EXPECT_OK(ditContextCreate(NULL, &otherContext));
  DitModule *other = parse(otherContext, kProgram);
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "two modules of one context",
               ditModuleLink(module, other));
  ditModuleDestroy(other);
  ditContextDestroy(otherContext);
  DitModule *caller =
      parse(context, "func.func private @f(tensor<4xf32>) -> tensor<4xf32>\n"
                     "func.func @g(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
                     "  %0 = call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>\n"
                     "  return %0 : tensor<4xf32>\n}\n");
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "function 'f' is declared as",
               ditModuleLink(caller, module));
  EXPECT_OK(ditModuleVerify(module));
  ditModuleDestroy(caller);
  ditModuleDestroy(module);
}

static void checkCompile(DitContext *context) {
  DitModule *module = parse(context, kProgram);
  DitProgram *program = (DitProgram *)&seen;
  const char *name = "g", *empty = "";
  DitCompileOptions options = DIT_COMPILE_OPTIONS_INIT;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditModuleCompile(NULL, NULL, &program));
  options.target = "cuda";
  EXPECT_ERROR(DIT_ERROR_UNSUPPORTED,
               "target 'cuda': this build of dit has cpu and reference, and no "
               "GPU target",
               ditModuleCompile(module, &options, &program));
  EXPECT(!program);
  options.target = NULL;
  options.opt_level = 4;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "opt_level: expected 0 to 3, got 4",
               ditModuleCompile(module, &options, &program));
  options.opt_level = 3;
  options.num_entries = 1;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "entries is NULL",
               ditModuleCompile(module, &options, &program));
  options.entries = &empty;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "entries: name 0 is empty",
               ditModuleCompile(module, &options, &program));
  options.entries = &name;
  EXPECT_ERROR(DIT_ERROR_NOT_FOUND, "no function 'g' in the module; it has f",
               ditModuleCompile(module, &options, &program));
  name = "f";
  options.c_name = "not a name";
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "expected a C identifier",
               ditModuleCompile(module, &options, &program));
  options.c_name = NULL;
  options.pipeline_options = "speed=11";
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "bad pipeline options",
               ditModuleCompile(module, &options, &program));
  options.struct_size = 3;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "struct_size is 3",
               ditModuleCompile(module, &options, &program));
  ditModuleDestroy(module);

  module = parse(context, "func.func @p(%x: !llvm.ptr) { return }");
  seen.count = 0;
  EXPECT_ERROR(DIT_ERROR_COMPILE,
               "text.mlir:1:1: ", ditModuleCompile(module, NULL, &program));
  EXPECT(seen.count > 0 && !program);
  ditModuleDestroy(module);
  module = parse(context, "");
  EXPECT_ERROR(DIT_ERROR_NOT_FOUND, "no public function",
               ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
}

static void checkInvoke(DitContext *context) {
  DitModule *module = parse(context, kProgram);
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  float x[4] = {1, 2, 3, 4}, y[2] = {0, 0};
  int64_t xSizes[2] = {2, 2}, ySizes[1] = {2};
  dit_buffer in = {x, DIT_RT_F32, 2, xSizes, NULL};
  dit_buffer out = {y, DIT_RT_F32, 1, ySizes, NULL};
  const dit_buffer *inputs[1] = {&in}, *none[1] = {NULL};
  dit_buffer *results[1] = {&out}, *noResults[1] = {NULL};
#define INVOKE(in, out) ditProgramInvoke(program, "f", in, 1, out, 1, NULL)
  EXPECT_OK(INVOKE(inputs, results));
  EXPECT(y[0] == 1 && y[1] == 3);
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProgramInvoke(NULL, "f", inputs, 1, results, 1, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL", INVOKE(NULL, results));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL", INVOKE(inputs, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "'x' is a null buffer",
               INVOKE(none, results));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is a null buffer",
               INVOKE(inputs, noResults));
  EXPECT_ERROR(DIT_ERROR_NOT_FOUND, "no entry 'h'; the program has f",
               ditProgramInvoke(program, "h", inputs, 1, results, 1, NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT,
               "f: expected 1 inputs and 1 results, got 0 and 1",
               ditProgramInvoke(program, "f", NULL, 0, results, 1, NULL));
  in.dtype = DIT_RT_F64;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "expected element type f32, got f64",
               INVOKE(inputs, results));
  in.dtype = 77;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "got unknown",
               INVOKE(inputs, results));
  in.dtype = DIT_RT_F32;
  in.rank = 1;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "expected rank 2, got 1",
               INVOKE(inputs, results));
  in.rank = 2;
  in.data = NULL;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "input 'x' has no data",
               INVOKE(inputs, results));
  in.data = x;
  xSizes[0] = 3;
  EXPECT_ERROR(DIT_ERROR_SHAPE_MISMATCH,
               "expected extent 2 in dimension 0, got 3",
               INVOKE(inputs, results));
  xSizes[0] = 2;
  xSizes[1] = -5;
  EXPECT_ERROR(DIT_ERROR_SHAPE_MISMATCH, "negative extent",
               INVOKE(inputs, results));
  xSizes[1] = 0;
  EXPECT_ERROR(DIT_ERROR_CHECK_FAILED, "x is empty", INVOKE(inputs, results));
  /* What the library allocated for a call that fails is gone. */
  out.data = NULL;
  EXPECT_ERROR(DIT_ERROR_CHECK_FAILED, "x is empty", INVOKE(inputs, results));
  EXPECT(!out.data);
  xSizes[1] = 2;
  out.sizes = NULL;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "has no sizes",
               INVOKE(inputs, results));
  out.sizes = ySizes;
  out.dtype = DIT_RT_I8;
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "expected element type f32, got i8",
               INVOKE(inputs, results));
  out.dtype = DIT_RT_F32;
  EXPECT_OK(INVOKE(inputs, results));
  ditBufferFree(&out);

  DitText text;
  EXPECT_ERROR(
      DIT_ERROR_INVALID_ARGUMENT, "is NULL",
      ditProgramProfile(program, NULL, inputs, 1, results, 1, NULL, NULL));
  EXPECT_ERROR(
      DIT_ERROR_NOT_FOUND, "no entry 'h'",
      ditProgramProfile(program, "h", inputs, 1, results, 1, NULL, &text));
  EXPECT_ERROR(
      DIT_ERROR_NOT_FOUND, "f: expected the results 'profile_values'",
      ditProgramProfile(program, NULL, inputs, 1, results, 1, NULL, &text));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProfileFormat(NULL, 0, "", 0, &text));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProgramGetArtifact(program, DIT_ARTIFACT_OBJECT, NULL));
  EXPECT_ERROR(DIT_ERROR_UNSUPPORTED,
               "has no PTX; this build of dit has no "
               "GPU target",
               ditProgramGetArtifact(program, DIT_ARTIFACT_PTX, &text));
  EXPECT(!text.data && text.size == 0);
  EXPECT_ERROR(DIT_ERROR_NOT_FOUND, "without keep_llvm_ir",
               ditProgramGetArtifact(program, DIT_ARTIFACT_LLVM_IR, &text));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "no artefact 9",
               ditProgramGetArtifact(program, (DitArtifact)9, &text));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProgramWriteSharedLibrary(program, NULL, NULL));
  EXPECT_ERROR(DIT_ERROR_IO, "no runtime at nowhere",
               ditProgramWriteSharedLibrary(program, "x.so", "nowhere"));
  EXPECT(!ditProgramGetEntries(NULL));
  EXPECT(ditProgramGetNumParameters(NULL) == 0);
  EXPECT(!ditProgramGetParameter(NULL, 0));
  ditProgramDestroy(program);
}

/* Programs that give a profile which is none. */
static void checkProfiles(DitContext *context) {
  static const char kFalse[] =
      "func.func @f(%x: tensor<2xf64>)\n"
      "    -> (tensor<2xf64> {dit.name = \"profile_values\"},\n"
      "        tensor<2xf64>, tensor<1xi8> {dit.name = \"profile_layout\"}) {\n"
      "  %l = arith.constant dense<123> : tensor<1xi8>\n"
      "  return %x, %x, %l : tensor<2xf64>, tensor<2xf64>, tensor<1xi8>\n"
      "}\n";
  DitModule *module = parse(context, kFalse);
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  double x[2] = {1, 2};
  int64_t sizes[1] = {2};
  dit_buffer in = {x, DIT_RT_F64, 1, sizes, NULL};
  dit_buffer out = {NULL, DIT_RT_F64, 1, sizes, NULL};
  const dit_buffer *inputs[1] = {&in};
  dit_buffer *results[1] = {&out};
  DitText json;
  EXPECT_ERROR(
      DIT_ERROR_INVALID_ARGUMENT,
      "f: expected 1 results beside the profile, got 0",
      ditProgramProfile(program, NULL, inputs, 1, NULL, 0, NULL, &json));
  /* What the library allocated is gone. */
  EXPECT_ERROR(
      DIT_ERROR_INVALID_ARGUMENT, "",
      ditProgramProfile(program, NULL, inputs, 1, results, 1, NULL, &json));
  EXPECT(!out.data && !json.data);
  ditProgramDestroy(program);
}

static void checkParameters(DitContext *context, const char *folder) {
  DitModule *module = parse(context, kWeighted);
  DitProgram *program;
  EXPECT_OK(ditModuleCompile(module, NULL, &program));
  ditModuleDestroy(module);
  char path[4096];
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProgramLoadParameters(program, NULL));
  EXPECT_ERROR(DIT_ERROR_IO, "missing.safetensors: ",
               ditProgramLoadParameters(program, "missing.safetensors"));
  snprintf(path, sizeof(path), "%s/weights.py", folder);
  EXPECT_ERROR(DIT_ERROR_IO, "not a .safetensors file",
               ditProgramLoadParameters(program, path));
  snprintf(path, sizeof(path), "%s/short.safetensors", folder);
  EXPECT_ERROR(DIT_ERROR_SHAPE_MISMATCH,
               "tensor 'w': expected 3xf32, got 2xf32",
               ditProgramLoadParameters(program, path));
  snprintf(path, sizeof(path), "%s/other.safetensors", folder);
  EXPECT_ERROR(DIT_ERROR_NOT_FOUND, "holds none of the program's parameters",
               ditProgramLoadParameters(program, path));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProgramBindParameter(program, "w", NULL));
  EXPECT_ERROR(DIT_ERROR_INVALID_ARGUMENT, "is NULL",
               ditProgramCheckParameters(NULL));
  ditProgramDestroy(program);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  EXPECT(ditGetLastError()[0] == '\0');
  checkOptions();
  DitContextOptions options = DIT_CONTEXT_OPTIONS_INIT;
  options.handler = onDiagnostic;
  DitContext *context;
  EXPECT_OK(ditContextCreate(&options, &context));
  checkModules(context, argv[1]);
  checkNesting(context);
  checkDamaged(argv[2]);
  checkPlans(context);
  checkPipelines(context);
  checkCompile(context);
  checkInvoke(context);
  checkProfiles(context);
  checkParameters(context, argv[1]);
  ditContextDestroy(context);
  puts("ok");
  return 0;
}
