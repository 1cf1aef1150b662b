//===- ProgramChecker.cpp - What must hold of a program -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramChecker.h"

#include "dit/InitAll.h"
#include "dit/Pipelines/Lowering.h"
#include "dit/Target/ModuleFile.h"
#include "dit/Target/Program.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cstring>
#include <random>

using namespace mlir;
using namespace mlir::dit;

void mlir::dit::registerCheckerDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  mlir::dit::registerAllDialects(registry);
  registerTranslations(registry);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

llvm::Expected<OwningOpRef<ModuleOp>> ProgramChecker::parse(StringRef text) {
  FirstErrorHandler errors(context);
  auto module = parseSourceString<ModuleOp>(text, context);
  if (module)
    return module;
  return llvm::createStringError("a valid program is rejected: " +
                                 errors.getText());
}

static std::string print(ModuleOp module, bool generic = false) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  if (generic)
    flags.printGenericOpForm();
  module.print(os, flags);
  return text;
}

static std::string writeBytecode(ModuleOp module) {
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  if (failed(writeBytecodeToFile(module, os)))
    bytes.clear();
  return bytes;
}

llvm::Error ProgramChecker::checkRoundTrip(const GeneratedProgram &program) {
  auto module = parse(program.text);
  if (!module)
    return module.takeError();
  std::string text = print(**module);
  for (auto [form, contents] :
       {std::pair("text", text),
        std::pair("generic form", print(**module, true)),
        std::pair("bytecode", writeBytecode(**module))}) {
    auto again = parse(contents);
    if (!again)
      return again.takeError();
    if (print(**again) != text)
      return llvm::createStringError(
          "the program changes when it is written and read as " + Twine(form));
  }
  return llvm::Error::success();
}

llvm::Error ProgramChecker::run(PassManager &pm, ModuleOp module,
                                StringRef name) {
  FirstErrorHandler errors(context);
  if (succeeded(pm.run(module)) && succeeded(verify(module)))
    return llvm::Error::success();
  return llvm::createStringError(
      name + " fails: " +
      (errors.hasError() ? errors.getText() : StringRef("no reason given")));
}

llvm::Error ProgramChecker::runPipeline(ModuleOp module, StringRef pipeline) {
  std::unique_ptr<PassManager> &pm = managers[pipeline];
  if (!pm) {
    pm = std::make_unique<PassManager>(context, ModuleOp::getOperationName());
    std::string problem;
    llvm::raw_string_ostream os(problem);
    if (failed(parsePassPipeline(pipeline, *pm, os)))
      return llvm::createStringError("bad pipeline: " + problem);
  }
  return run(*pm, module, "pipeline '" + pipeline.str() + "'");
}

/// As `lowerToTarget`, with the pass manager of an earlier program.
llvm::Error ProgramChecker::lower(ModuleOp module, StringRef target,
                                  StringRef options) {
  std::string name = (target + " {" + options + "}").str();
  std::unique_ptr<PassManager> &pm = managers[name];
  if (!pm) {
    pm = std::make_unique<PassManager>(context, ModuleOp::getOperationName());
    if (llvm::Error error = buildTargetPipeline(*pm, "main", target, options))
      return error;
    pm->enableVerifier(false);
  }
  return run(*pm, module, "lowering to " + name);
}

/// `tile` as far as `op` can be tiled: patterns, tile lists and half-widths
/// speak of absolute queries, and heads that share keys go one by one.
static SmallVector<int64_t> getLegalTile(AttentionOp op,
                                         ArrayRef<int64_t> tile) {
  SmallVector<int64_t> legal(tile);
  if (op.getPattern() || op.hasTiles() || op.getHalfWidths()) {
    auto output = cast<ShapedType>(op.getOutput().getType());
    if (ShapedType::isDynamic(op.getODimOrder().extent('s', output.getShape())))
      return SmallVector<int64_t>(tile.size(), 0);
    legal[2] = 0;
  }
  if (op.getNumKVHeads() != 1 && op.getNumKVHeads() != op.getNumQueryHeads())
    legal[1] = std::min<int64_t>(legal[1], 1);
  return legal;
}

LogicalResult mlir::dit::tileAttentions(ModuleOp module,
                                        ArrayRef<int64_t> tile) {
  SmallVector<AttentionOp> attentions;
  module.walk([&](AttentionOp op) { attentions.push_back(op); });
  for (AttentionOp op : attentions) {
    SmallVector<int64_t> legal = getLegalTile(op, tile);
    if (llvm::all_of(legal, [](int64_t extent) { return extent == 0; }))
      continue;
    IRRewriter rewriter(op);
    scf::SCFTilingOptions options;
    options.setTileSizes(getAsIndexOpFoldResult(op.getContext(), legal));
    FailureOr<scf::SCFTilingResult> result = scf::tileUsingSCF(
        rewriter, cast<TilingInterface>(op.getOperation()), options);
    if (failed(result))
      return failure();
    rewriter.replaceOp(op, result->replacements);
  }
  return verify(module);
}

/// Options that programs must be independent of.
static std::string chooseCPUOptions(Choices &choices) {
  std::string options;
  for (StringRef name : {"raise", "parallel", "checks", "workspace"})
    if (choices.once(3))
      options += (name + "=false ").str();
  return options;
}

llvm::Error ProgramChecker::checkPasses(const GeneratedProgram &program,
                                        Choices &choices) {
  auto module = parse(program.text);
  if (!module)
    return module.takeError();
  // Lowering takes 20 to 40 times as long as the others do.
  uint64_t action = choices.below(20);
  if (action == 18)
    return lower(**module, "reference", "");
  if (action == 19)
    return lower(**module, "cpu", chooseCPUOptions(choices));
  switch (action % 5) {
  case 0:
    return runPipeline(**module, "canonicalize,cse,canonicalize");
  case 1:
    return runPipeline(**module, "dit-decompose,canonicalize");
  case 2:
    return runPipeline(**module,
                       "dit-decompose,canonicalize,dit-raise-attention,"
                       "dit-lower-reuse,canonicalize");
  case 3:
    if (failed(tileAttentions(**module,
                              {choices.between(0, 2), choices.between(0, 3),
                               choices.between(0, 9)})))
      return llvm::createStringError("the tiled program does not verify");
    return runPipeline(**module, "canonicalize,dit-lower-reuse,dit-decompose");
  default:
    return runPipeline(**module, "dit-report-attention{file=/dev/null},"
                                 "dit-report-work{file=/dev/null},cse");
  }
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static const std::pair<StringRef, dit_rt_dtype> kDTypes[] = {
    {"i32", DIT_RT_I32},
    {"f16", DIT_RT_F16},
    {"bf16", DIT_RT_BF16},
    {"f32", DIT_RT_F32},
    {"f64", DIT_RT_F64}};

static dit_rt_dtype getDTypeOf(StringRef element) {
  for (auto [name, dtype] : kDTypes)
    if (name == element)
      return dtype;
  llvm_unreachable("the generator knows no other element type");
}

static void setElement(HostTensor &tensor, int64_t index, double value) {
  auto store = [&](auto bits) {
    std::memcpy(tensor.data() + index * sizeof(bits), &bits, sizeof(bits));
  };
  switch (tensor.getDType()) {
  case DIT_RT_I32:
    return store(static_cast<int32_t>(value));
  case DIT_RT_F64:
    return store(value);
  case DIT_RT_F32:
    return store(static_cast<float>(value));
  default:
    llvm::APFloat narrow(value);
    bool inexact = false;
    narrow.convert(tensor.getDType() == DIT_RT_F16 ? llvm::APFloat::IEEEhalf()
                                                   : llvm::APFloat::BFloat(),
                   llvm::APFloat::rmNearestTiesToEven, &inexact);
    return store(static_cast<uint16_t>(narrow.bitcastToAPInt().getZExtValue()));
  }
}

llvm::SmallVector<HostTensor>
mlir::dit::makeInputs(const GeneratedProgram &program, uint64_t seed) {
  std::mt19937_64 random(seed);
  SmallVector<HostTensor> tensors;
  for (const GeneratedInput &input : program.inputs) {
    HostTensor &tensor =
        tensors.emplace_back(getDTypeOf(input.element), input.shape);
    for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
      setElement(
          tensor, i,
          input.element == "i32"
              ? double(input.lowest +
                       int64_t(random() % (input.limit - input.lowest + 1)))
              : double(int64_t(random() % 33) - 16) / 8);
  }
  return tensors;
}

/// Runs the entry; results whose extents only the program knows are allocated
/// by the runtime.
static llvm::Expected<SmallVector<HostTensor>>
invoke(const dit_rt_entry *entry, SmallVectorImpl<HostTensor> &inputs) {
  ArrayRef<dit_rt_arg_spec> specs(entry->args + entry->num_inputs,
                                  entry->num_results);
  SmallVector<HostTensor> results;
  SmallVector<SmallVector<int64_t>> sizes;
  for (const dit_rt_arg_spec &spec : specs) {
    SmallVector<int64_t> &shape =
        sizes.emplace_back(ArrayRef<int64_t>(spec.sizes, spec.rank));
    bool isStatic = llvm::all_of(shape, [](int64_t n) { return n >= 0; });
    results.push_back(
        isStatic ? HostTensor(static_cast<dit_rt_dtype>(spec.dtype), shape)
                 : HostTensor());
  }
  SmallVector<dit_buffer> buffers;
  for (HostTensor &input : inputs)
    buffers.push_back(input.getBuffer());
  for (auto [spec, result, shape] : llvm::zip_equal(specs, results, sizes))
    buffers.push_back(result.data() ? result.getBuffer()
                                    : dit_buffer{nullptr, spec.dtype, spec.rank,
                                                 shape.data(), nullptr});
  SmallVector<dit_buffer *> args;
  for (dit_buffer &buffer : buffers)
    args.push_back(&buffer);
  int64_t size = dit_rt_workspace_size(entry, args.data());
  if (size < 0)
    return llvm::createStringError("no workspace: " +
                                   Twine(dit_rt_last_error()));
  // Bytes behind the workspace stay as they are.
  constexpr int64_t kGuard = 64;
  HostTensor workspace(DIT_RT_I8, {size + kGuard});
  char *end = workspace.data() + size;
  std::memset(end, 17, kGuard);
  if (dit_rt_invoke(entry, args.data(), workspace.data()) != DIT_RT_OK)
    return llvm::createStringError("the program fails: " +
                                   Twine(dit_rt_last_error()));
  if (std::count(end, end + kGuard, 17) != kGuard)
    return llvm::createStringError("the program writes behind its workspace");
  for (auto [spec, result, shape, arg] : llvm::zip_equal(
           specs, results, sizes, ArrayRef(args).drop_front(inputs.size())))
    if (!result.data())
      result = HostTensor::adopt(static_cast<dit_rt_dtype>(spec.dtype), shape,
                                 arg->data);
  return results;
}

llvm::Expected<SmallVector<HostTensor>>
ProgramChecker::execute(const GeneratedProgram &program, StringRef preparation,
                        StringRef target, StringRef options, uint64_t seed) {
  auto module = parse(program.text);
  if (!module)
    return module.takeError();
  if (!preparation.empty())
    if (llvm::Error error = runPipeline(**module, preparation))
      return std::move(error);
  if (llvm::Error error = lower(**module, target, options))
    return std::move(error);
  CompileOptions compileOptions;
  compileOptions.optLevel = target == "cpu" ? 1 : 0;
  auto object = compileToObject(**module, compileOptions);
  if (!object)
    return object.takeError();
  auto loaded = Program::load(std::move(*object));
  if (!loaded)
    return loaded.takeError();
  auto entry = loaded->lookup("main");
  if (!entry)
    return entry.takeError();
  SmallVector<HostTensor> inputs = makeInputs(program, seed);
  return invoke(*entry, inputs);
}

/// Compares results of one run with those of another.
static llvm::Error compareResults(const GeneratedProgram &program,
                                  ArrayRef<HostTensor> got,
                                  ArrayRef<HostTensor> expected) {
  for (auto [index, spec] : llvm::enumerate(program.results)) {
    if (!spec.comparable)
      continue;
    if (got[index].getShape() != expected[index].getShape())
      return llvm::createStringError(
          "result " + Twine(index) + ": expected extents " +
          formatTensorType(expected[index].getDType(),
                           expected[index].getShape()) +
          ", got " +
          formatTensorType(got[index].getDType(), got[index].getShape()));
    TensorDifference difference = compare(got[index], expected[index]);
    if (difference.unexpectedNaNs || difference.missingNaNs ||
        !(difference.maxRel <= spec.tolerance))
      return llvm::createStringError(
          llvm::formatv("result {0}: max rel error {1:e3} is above {2:e3}, "
                        "{3} unexpected NaNs",
                        index, difference.maxRel, spec.tolerance,
                        difference.unexpectedNaNs + difference.missingNaNs)
              .str());
  }
  return llvm::Error::success();
}

llvm::Error ProgramChecker::checkNumbers(const GeneratedProgram &program,
                                         Choices &choices, uint64_t seed) {
  std::string preparation, target = "cpu", options = chooseCPUOptions(choices);
  switch (choices.below(5)) {
  case 0:
    preparation = "canonicalize,cse";
    target = "reference";
    options.clear();
    break;
  case 1:
    preparation = "dit-lower-reuse,dit-decompose,canonicalize,"
                  "dit-raise-attention";
    break;
  case 2:
    preparation = "canonicalize";
    break;
  default:
    break;
  }
  auto expected = execute(program, "", "reference", "", seed);
  if (!expected)
    return expected.takeError();
  auto got = execute(program, preparation, target, options, seed);
  std::string path = "[" + preparation + "] " + target + " {" + options + "}: ";
  if (!got)
    return llvm::createStringError(path + llvm::toString(got.takeError()));
  if (llvm::Error error = compareResults(program, *got, *expected))
    return llvm::createStringError(path + llvm::toString(std::move(error)));
  return llvm::Error::success();
}
