//===- Compiler.cpp - From the LLVM dialect to machine code ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Translation to LLVM IR, LLVM's optimizer and its code generator for the host.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Compiler.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace mlir;
using namespace mlir::dit;

void mlir::dit::registerTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createHostMachine(unsigned optLevel) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError(message);
  llvm::SubtargetFeatures features;
  for (const auto &[name, enabled] : llvm::sys::getHostCPUFeatures())
    features.AddFeature(name, enabled);
  std::optional<llvm::CodeGenOptLevel> level =
      llvm::CodeGenOpt::getLevel(optLevel);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, llvm::sys::getHostCPUName(), features.getString(),
      llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
      level.value_or(llvm::CodeGenOptLevel::Default)));
  if (!machine)
    return llvm::createStringError("no code generator for " + triple.str());
  return machine;
}

/// Runs LLVM's standard pipeline with its vectorizers, tuned for `machine`.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned optLevel) {
  static const llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
      llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = optLevel > 1;
  tuning.LoopInterleaving = tuning.LoopUnrolling = optLevel > 1;
  llvm::PassBuilder passBuilder(&machine, tuning);
  llvm::LoopAnalysisManager loopAnalyses;
  llvm::FunctionAnalysisManager functionAnalyses;
  llvm::CGSCCAnalysisManager sccAnalyses;
  llvm::ModuleAnalysisManager moduleAnalyses;
  passBuilder.registerModuleAnalyses(moduleAnalyses);
  passBuilder.registerCGSCCAnalyses(sccAnalyses);
  passBuilder.registerFunctionAnalyses(functionAnalyses);
  passBuilder.registerLoopAnalyses(loopAnalyses);
  passBuilder.crossRegisterProxies(loopAnalyses, functionAnalyses, sccAnalyses,
                                   moduleAnalyses);
  llvm::ModulePassManager passes =
      optLevel == 0
          ? passBuilder.buildO0DefaultPipeline(levels[0])
          : passBuilder.buildPerModuleDefaultPipeline(levels[optLevel]);
  passes.run(module, moduleAnalyses);
}

/// A program is a long list of calls of kernels, most of them called once. The
/// inliner would make one function of it all, which gains nothing, as kernels
/// run for long, and on which the passes that follow spend most of their time.
static void keepKernelsOutOfLine(llvm::Module &module) {
  constexpr size_t kMaxInlined = 8;
  for (llvm::Function &function : module) {
    llvm::SmallSetVector<llvm::Function *, 32> kernels;
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = dyn_cast<llvm::CallInst>(&instruction))
        if (llvm::Function *callee = call->getCalledFunction())
          if (!callee->isDeclaration())
            kernels.insert(callee);
    if (kernels.size() <= kMaxInlined)
      continue;
    for (llvm::Function *kernel : kernels)
      kernel->addFnAttr(llvm::Attribute::NoInline);
  }
}

/// Weights reach the code generator as bytes, which it writes as one block
/// rather than number by number.
static void storeConstantsAsBytes(llvm::Module &module) {
  SmallVector<llvm::GlobalVariable *> globals;
  for (llvm::GlobalVariable &global : module.globals())
    if (global.isConstant() && global.hasInitializer() &&
        isa<llvm::ConstantDataArray>(global.getInitializer()) &&
        !global.getValueType()->getArrayElementType()->isIntegerTy(8))
      globals.push_back(&global);
  for (llvm::GlobalVariable *global : globals) {
    auto *data = cast<llvm::ConstantDataArray>(global->getInitializer());
    llvm::Constant *bytes = llvm::ConstantDataArray::getRaw(
        data->getRawDataValues(), data->getRawDataValues().size(),
        llvm::Type::getInt8Ty(module.getContext()));
    auto *replacement =
        new llvm::GlobalVariable(module, bytes->getType(), /*isConstant=*/true,
                                 global->getLinkage(), bytes, "", global);
    replacement->setAlignment(global->getAlign().value_or(
        module.getDataLayout().getPrefTypeAlign(global->getValueType())));
    replacement->takeName(global);
    global->replaceAllUsesWith(replacement);
    global->eraseFromParent();
  }
}

/// The weights that the program expects from outside: globals without a value.
static SmallVector<ExternalParameter> collectParameters(ModuleOp module) {
  SmallVector<ExternalParameter> parameters;
  for (auto global : module.getOps<LLVM::GlobalOp>()) {
    if (global.getValueOrNull() || global.getInitializerBlock() ||
        global.getLinkage() != LLVM::Linkage::External)
      continue;
    SmallVector<int64_t> shape;
    Type type = global.getGlobalType();
    while (auto array = dyn_cast<LLVM::LLVMArrayType>(type)) {
      shape.push_back(array.getNumElements());
      type = array.getElementType();
    }
    if (getDType(type))
      parameters.push_back(
          {global.getSymName().str(), RankedTensorType::get(shape, type)});
  }
  return parameters;
}

/// The entries of `module` and the weights it expects.
static CompiledObject collectInterface(ModuleOp module,
                                       const CompileOptions &options) {
  CompiledObject result;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    std::optional<EntrySignature> signature = getSignature(function);
    // The C wrapper of an entry carries a copy of its attributes.
    if (!signature || function.getName() != signature->name)
      continue;
    EntryPoint entry;
    entry.cName =
        options.cName.empty() ? getCName(signature->name) : options.cName;
    if (auto query = function->getAttrOfType<StringAttr>(kQueryAttrName)) {
      entry.query = query.str();
      entry.workspaceSize = std::nullopt;
    }
    if (auto size = function->getAttrOfType<IntegerAttr>(kWorkspaceAttrName))
      entry.workspaceSize = size.getInt();
    entry.returnsResults =
        !isa<LLVM::LLVMVoidType>(function.getFunctionType().getReturnType());
    entry.signature = std::move(*signature);
    result.entries.push_back(std::move(entry));
  }
  result.parameters = collectParameters(module);
  return result;
}

/// Points each parameter to its value in `files`.
static llvm::Error findParameters(MutableArrayRef<ExternalParameter> parameters,
                                  const ParameterFiles &files) {
  for (ExternalParameter &parameter : parameters) {
    dit_rt_dtype dtype = *getDType(parameter.type.getElementType());
    auto view = files.find(parameter.symbol, dtype, parameter.type.getShape());
    if (!view)
      return view.takeError();
    parameter.data = StringRef((*view)->data, parameter.type.getNumElements() *
                                                  dit_rt_dtype_size(dtype));
  }
  return llvm::Error::success();
}

/// LLVM IR for `machine` with the C entries of `interface`; null if the module
/// holds what cannot be translated.
static std::unique_ptr<llvm::Module> translate(ModuleOp module,
                                               const CompiledObject &interface,
                                               llvm::TargetMachine &machine,
                                               llvm::LLVMContext &context) {
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(module, context, "dit");
  if (!llvmModule)
    return nullptr;
  llvmModule->setTargetTriple(machine.getTargetTriple());
  llvmModule->setDataLayout(machine.createDataLayout());
  // The runtime's functions stand in for those of MLIR's runner utilities, so
  // that programs need no MLIR library.
  std::pair<StringRef, StringRef> replacements[] = {
      {"memrefCopy", "dit_rt_memref_copy"},
      {"_mlir_memref_to_llvm_alloc", "dit_rt_alloc"},
      {"_mlir_memref_to_llvm_free", "dit_rt_free"}};
  for (auto [name, replacement] : replacements)
    if (llvm::Function *function = llvmModule->getFunction(name))
      function->setName(replacement);
  emitEntryPoints(*llvmModule, interface.entries, interface.parameters);
  // A private function has no symbol: internal ones have names in profiles.
  for (llvm::Function &function : *llvmModule)
    if (function.hasPrivateLinkage())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  keepKernelsOutOfLine(*llvmModule);
  return llvmModule;
}

/// Whether optimized code still asks for memory.
static bool allocates(const llvm::Module &module) {
  return llvm::any_of(
      ArrayRef<StringRef>{"malloc", "aligned_alloc", "dit_rt_alloc"},
      [&](StringRef name) {
        llvm::Function *function = module.getFunction(name);
        return function && !function->use_empty();
      });
}

/// Appends an object file to `object`; false if the target has none.
static bool generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                         SmallVectorImpl<char> &object) {
  storeConstantsAsBytes(module);
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager codegen;
  if (machine.addPassesToEmitFile(codegen, stream, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return false;
  codegen.run(module);
  return true;
}

llvm::Expected<CompiledObject>
mlir::dit::compileToObject(ModuleOp module, const CompileOptions &options) {
  CompiledObject result = collectInterface(module, options);
  if (options.parameters)
    if (llvm::Error error =
            findParameters(result.parameters, *options.parameters))
      return std::move(error);
  auto machine = createHostMachine(options.optLevel);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule;
  {
    CompileTimer timer(options.times, &CompileTimes::translate);
    llvmModule = translate(module, result, **machine, context);
  }
  if (!llvmModule)
    return llvm::createStringError(
        "the lowered module could not be translated to LLVM IR");
  if (options.dumpLLVM)
    llvmModule->print(*options.dumpLLVM, nullptr);
  {
    CompileTimer timer(options.times, &CompileTimes::optimize);
    optimize(*llvmModule, **machine, options.optLevel);
  }
  for (EntryPoint &entry : result.entries)
    entry.allocates = allocates(*llvmModule);
  CompileTimer timer(options.times, &CompileTimes::codegen);
  if (!generateCode(*llvmModule, **machine, result.object))
    return llvm::createStringError("the target cannot emit object files");
  return result;
}
