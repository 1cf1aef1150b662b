//===- CompilerTest.cpp - Unit tests of code generation -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Compiler.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A program that calls `numKernels` functions.
std::string makeProgram(unsigned numKernels) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (unsigned i = 0; i < numKernels; ++i)
    os << "llvm.func @kernel" << i << "(%p: !llvm.ptr) {\n"
       << "  %x = llvm.mlir.constant(" << i << " : i32) : i32\n"
       << "  llvm.store %x, %p : i32, !llvm.ptr\n  llvm.return\n}\n";
  os << "llvm.func @program(%p: !llvm.ptr) {\n";
  for (unsigned i = 0; i < numKernels; ++i)
    os << "  llvm.call @kernel" << i << "(%p) : (!llvm.ptr) -> ()\n";
  os << "  llvm.return\n}\n";
  return text;
}

class CompilerTest : public ::testing::Test {
protected:
  /// The LLVM IR that the optimizer gets.
  std::string translate(StringRef program, CompileTimes *times = nullptr) {
    DialectRegistry registry;
    registry.insert<LLVM::LLVMDialect>();
    registerTranslations(registry);
    MLIRContext context(registry);
    auto module = parseSourceString<ModuleOp>(program, ParserConfig(&context));
    EXPECT_TRUE(module);
    std::string text;
    llvm::raw_string_ostream os(text);
    CompileOptions options;
    options.dumpLLVM = &os;
    options.times = times;
    auto object = compileToObject(*module, options);
    EXPECT_TRUE(static_cast<bool>(object));
    EXPECT_TRUE(StringRef(object->object.data(), object->object.size())
                    .starts_with("\x7f"
                                 "ELF"));
    return text;
  }
};

TEST_F(CompilerTest, LongProgramsAreNotInlinedIntoOneFunction) {
  EXPECT_TRUE(StringRef(translate(makeProgram(20))).contains("noinline"));
  EXPECT_FALSE(StringRef(translate(makeProgram(3))).contains("noinline"));
}

TEST_F(CompilerTest, TimesItsPhases) {
  CompileTimes times;
  translate(makeProgram(1), &times);
  EXPECT_GT(times.translate, 0);
  EXPECT_GT(times.optimize, 0);
  EXPECT_GT(times.codegen, 0);
  EXPECT_EQ(times.load + times.lower + times.link, 0);
  EXPECT_EQ(times.getTotal(), times.translate + times.optimize + times.codegen);
}

} // namespace
