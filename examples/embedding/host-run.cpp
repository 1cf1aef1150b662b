//===- host-run.cpp - Compiling and calling from C++ ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles an attention with a pattern of its own dialect in this process, by
// the meaning (`dit-to-reference`) and by the fast pipeline (`dit-to-cpu`) with
// options set in C++, and compares both with plain loops in f64.
//
//===----------------------------------------------------------------------===//

#include "Stripes.h"
#include "dit/InitAll.h"
#include "dit/Target/Compiler.h"
#include "dit/Target/Program.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

using namespace mlir;

static constexpr int64_t kHeads = 3, kTokens = 70, kDepth = 16, kPeriod = 4;
static constexpr double kScale = 0.25;

static const char kProgram[] = R"mlir(
  func.func @main(%q: tensor<1x3x70x16xf32>, %k: tensor<1x3x70x16xf32>,
                  %v: tensor<1x3x70x16xf32>) -> tensor<1x3x70x16xf32> {
    %init = tensor.empty() : tensor<1x3x70x16xf32>
    %o = dit.attention
        ins(%q, %k, %v : tensor<1x3x70x16xf32>, tensor<1x3x70x16xf32>,
                         tensor<1x3x70x16xf32>)
        pattern(#host.stripes<period = 4>)
        outs(%init : tensor<1x3x70x16xf32>) {scale = 0.25 : f64}
    return %o : tensor<1x3x70x16xf32>
  })mlir";

using Array = std::vector<float>;

/// Numbers that look random and are the same everywhere.
static Array makeArray(int seed) {
  Array array(kHeads * kTokens * kDepth);
  for (size_t i = 0; i < array.size(); ++i)
    array[i] = std::sin(0.37 * double(i) + seed);
  return array;
}

/// softmax(q k^T scale) v over the keys that `#host.stripes` holds.
static std::vector<double> computeReference(const Array &q, const Array &k,
                                            const Array &v) {
  std::vector<double> result(q.size(), 0.0);
  for (int64_t h = 0; h < kHeads; ++h) {
    for (int64_t i = 0; i < kTokens; ++i) {
      double sum = 0;
      int64_t row = (h * kTokens + i) * kDepth;
      for (int64_t j = i % kPeriod; j < kTokens; j += kPeriod) {
        int64_t column = (h * kTokens + j) * kDepth;
        double score = 0;
        for (int64_t d = 0; d < kDepth; ++d)
          score += double(q[row + d]) * k[column + d];
        double weight = std::exp(score * kScale);
        sum += weight;
        for (int64_t d = 0; d < kDepth; ++d)
          result[row + d] += weight * v[column + d];
      }
      for (int64_t d = 0; d < kDepth; ++d)
        result[row + d] /= sum;
    }
  }
  return result;
}

static llvm::Expected<dit::Program>
compile(MLIRContext &context,
        const std::function<void(OpPassManager &)> &pipeline) {
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(kProgram, &context);
  if (!module)
    return llvm::createStringError("the program does not parse");
  PassManager pm(&context);
  pm.addPass(dit::createExportEntriesPass());
  pipeline(pm);
  if (failed(pm.run(*module)))
    return llvm::createStringError("the pipeline failed");
  auto object = dit::compileToObject(*module, dit::CompileOptions());
  if (!object)
    return object.takeError();
  return dit::Program::load(std::move(*object));
}

/// Runs @main of `program` on the three inputs.
static llvm::Expected<Array> call(const dit::Program &program,
                                  Array inputs[3]) {
  auto entry = program.lookup("main");
  if (!entry)
    return entry.takeError();
  Array result(inputs[0].size());
  int64_t sizes[4] = {1, kHeads, kTokens, kDepth};
  dit_buffer buffers[4];
  dit_buffer *args[4];
  for (int i = 0; i < 4; ++i) {
    float *data = i < 3 ? inputs[i].data() : result.data();
    buffers[i] = {data, DIT_RT_F32, 4, sizes, /*strides=*/nullptr};
    args[i] = &buffers[i];
  }
  // The workspace is aligned to 64 bytes.
  std::vector<char> memory(dit_rt_workspace_size(*entry, args) + 64);
  auto address = reinterpret_cast<uintptr_t>(memory.data());
  void *workspace = memory.data() + (64 - address % 64);
  if (dit_rt_invoke(*entry, args, workspace) != DIT_RT_OK)
    return llvm::createStringError(dit_rt_last_error());
  return result;
}

/// Compiles by `pipeline`, runs, compares; whether it all went well.
static bool check(const char *name, MLIRContext &context,
                  const std::function<void(OpPassManager &)> &pipeline) {
  Array inputs[3] = {makeArray(1), makeArray(2), makeArray(3)};
  auto program = compile(context, pipeline);
  llvm::Expected<Array> result =
      program ? call(*program, inputs) : program.takeError();
  if (!result) {
    std::string text = llvm::toString(result.takeError());
    std::fprintf(stderr, "%s: %s\n", name, text.c_str());
    return false;
  }
  auto expected = computeReference(inputs[0], inputs[1], inputs[2]);
  double error = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    error = std::max(error, std::abs(expected[i] - (*result)[i]));
  std::printf("%s: max abs error %.1e\n", name, error);
  return error < 1e-5;
}

int main() {
  DialectRegistry registry;
  registry.insert<host::HostDialect>();
  dit::registerPipelineDialects(registry);
  dit::registerAllDialects(registry);
  dit::registerTranslations(registry);
  MLIRContext context(registry);
  context.loadDialect<host::HostDialect>();

  dit::CPUPipelineOptions options;
  options.raise = false; // there is no linalg to look at
  options.parallel = false;
  options.maxStackBytes = 1024;
  bool ok = check("reference", context, [](OpPassManager &pm) {
    dit::buildReferencePipeline(pm, dit::ReferencePipelineOptions());
  });
  ok &= check("cpu", context, [&](OpPassManager &pm) {
    dit::buildDitToCPUPipeline(pm, options);
  });
  return ok ? 0 : 1;
}
