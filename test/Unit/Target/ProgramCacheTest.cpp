//===- ProgramCacheTest.cpp - Unit tests of kept programs -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Target/ProgramCache.h"
#include "dit/Target/ObjectFormat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

#include <functional>
#include <set>

using namespace mlir;
using namespace mlir::dit;

namespace {

class ProgramCacheTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("dit-cache", folder));
    settings.directory = folder.str().str();
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  /// In a context of its own, as in another process.
  CacheKey getModuleKey(StringRef text,
                        const ProgramRequest &request = ProgramRequest()) {
    MLIRContext own;
    own.loadDialect<func::FuncDialect, arith::ArithDialect>();
    auto module = parseSourceString<ModuleOp>(text, ParserConfig(&own));
    EXPECT_TRUE(module);
    auto key = ProgramCache(settings, "id").getKey(*module, request);
    EXPECT_TRUE(succeeded(key));
    return *key;
  }

  CompiledObject makeObject() {
    Builder b(&context);
    CompiledObject object;
    StringRef code("\x7f"
                   "ELF\0code",
                   9);
    object.object.assign(code.begin(), code.end());
    EntryPoint entry;
    entry.cName = "dit_main";
    entry.workspaceSize = int64_t(1) << 40;
    entry.allocates = true;
    entry.signature.name = "main";
    entry.signature.inputs.push_back(
        {"x \"quoted\"",
         RankedTensorType::get({ShapedType::kDynamic, 3}, b.getBF16Type())});
    entry.signature.inputs.push_back(
        {"n", RankedTensorType::get({}, b.getIndexType())});
    entry.signature.results.push_back(
        {"y", RankedTensorType::get({2}, b.getI1Type())});
    object.entries.push_back(std::move(entry));
    object.parameters.push_back(
        {"w", RankedTensorType::get({4, 5}, b.getF32Type())});
    return object;
  }

  static void expectEqual(const CompiledObject &a, const CompiledObject &b) {
    EXPECT_EQ(a.object, b.object);
    EXPECT_EQ(describeObject(a), describeObject(b));
  }

  MLIRContext context;
  llvm::SmallString<128> folder;
  CacheSettings settings;
};

TEST_F(ProgramCacheTest, ObjectsSurviveTheirDescription) {
  CompiledObject object = makeObject();
  std::optional<std::string> text = describeObject(object);
  ASSERT_TRUE(text);
  auto rebuilt = rebuildObject(
      *text, StringRef(object.object.data(), object.object.size()), &context);
  ASSERT_TRUE(rebuilt);
  EXPECT_EQ(rebuilt->object, object.object);
  ASSERT_EQ(rebuilt->entries.size(), 1u);
  const EntryPoint &entry = rebuilt->entries.front();
  EXPECT_EQ(entry.cName, "dit_main");
  EXPECT_EQ(entry.workspaceSize, int64_t(1) << 40);
  EXPECT_TRUE(entry.allocates);
  EXPECT_EQ(entry.signature.name, "main");
  ASSERT_EQ(entry.signature.inputs.size(), 2u);
  EXPECT_EQ(entry.signature.inputs[0].name, "x \"quoted\"");
  EXPECT_EQ(entry.signature.inputs[0].type,
            object.entries.front().signature.inputs[0].type);
  EXPECT_EQ(entry.signature.inputs[1].type,
            object.entries.front().signature.inputs[1].type);
  ASSERT_EQ(rebuilt->parameters.size(), 1u);
  EXPECT_EQ(rebuilt->parameters.front().symbol, "w");
  EXPECT_EQ(rebuilt->parameters.front().type, object.parameters.front().type);
}

TEST_F(ProgramCacheTest, OtherDescriptionsAreRefused) {
  std::string good = *describeObject(makeObject());
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(
        rebuildObject(StringRef(good).take_front(length), "", &context));
  for (
      StringRef bad :
      {"[]", "{}", R"({"entries": [{}], "parameters": []})",
       R"({"entries": [], "parameters": [{"name": "w", "type": "tensor<4x"}]})",
       R"({"entries": [], "parameters": [{"name": "w", "type": "i32"}]})",
       R"({"entries": [], "parameters": [{"name": "w", "type": "tensor<2xi7>"}]})"})
    EXPECT_FALSE(rebuildObject(bad, "", &context)) << bad.str();
}

TEST_F(ProgramCacheTest, NamesThatAreNotTextAreNotKept) {
  CompiledObject object = makeObject();
  object.entries.front().signature.inputs[0].name = "\xff";
  EXPECT_FALSE(describeObject(object));
}

TEST_F(ProgramCacheTest, EveryPartOfTheRequestIsInTheKey) {
  std::function<void(ProgramRequest &)> changes[] = {
      [](ProgramRequest &r) {},
      [](ProgramRequest &r) { r.entries = "f"; },
      [](ProgramRequest &r) { r.target = "reference"; },
      [](ProgramRequest &r) { r.pipelineOptions = "raise=false"; },
      [](ProgramRequest &r) { r.options.optLevel = 1; },
      [](ProgramRequest &r) { r.options.cName = "f"; }};
  std::set<std::string> keys;
  for (const auto &change : changes) {
    ProgramRequest request;
    change(request);
    keys.insert(ProgramCache(settings, "id").getKey({"a", "b"}, request).str());
    keys.insert(
        ProgramCache(settings, "id2").getKey({"a", "b"}, request).str());
    keys.insert(ProgramCache(settings, "id").getKey({"ab"}, request).str());
    keys.insert(ProgramCache(settings, "id").getKey({"b", "a"}, request).str());
    keys.insert(getModuleKey("func.func private @f()", request).str());
  }
  EXPECT_EQ(keys.size(), 5 * std::size(changes));
}

TEST_F(ProgramCacheTest, ModulesOfTheSameMeaningShareAKey) {
  StringRef text = "func.func @f(%x: f32) -> f32 { return %x : f32 }";
  CacheKey key = getModuleKey(text);
  EXPECT_EQ(key, getModuleKey("\n// Elsewhere.\n" + text.str()));
  EXPECT_EQ(key, getModuleKey("func.func @f(%y : f32 loc(\"y\")) -> f32 {\n"
                              "  return %y : f32 loc(\"other\")\n}"));
  EXPECT_NE(key, getModuleKey("func.func @g(%x: f32) -> f32 "
                              "{ return %x : f32 }"));
}

TEST_F(ProgramCacheTest, WeightsAreInTheKey) {
  auto makeModule = [](StringRef bytes) {
    return ("func.func @f() -> tensor<1xf32> {\n"
            "  %c = arith.constant dense_resource<w> : tensor<1xf32>\n"
            "  return %c : tensor<1xf32>\n}\n"
            "{-# dialect_resources: { builtin: { w: \"0x04000000" +
            bytes + "\" } } #-}")
        .str();
  };
  EXPECT_EQ(getModuleKey(makeModule("0000803F")),
            getModuleKey(makeModule("0000803F")));
  EXPECT_NE(getModuleKey(makeModule("0000803F")),
            getModuleKey(makeModule("00000040")));
}

TEST_F(ProgramCacheTest, FilesLeadToTheProgramOfTheirModule) {
  ProgramCache cache(settings, "id");
  ProgramRequest request;
  CacheKey module = getModuleKey("func.func private @f()");
  CacheKey files = cache.getKey({"the text"}, request);
  CompiledObject object = makeObject();
  cache.tie(files, module);
  EXPECT_FALSE(cache.lookup(files, &context));
  cache.store(module, object);
  for (const CacheKey &key : {module, files}) {
    auto found = cache.lookup(key, &context);
    ASSERT_TRUE(found);
    expectEqual(*found, object);
  }
  EXPECT_FALSE(cache.lookup(cache.getKey({"other text"}, request), &context));
}

TEST_F(ProgramCacheTest, TiesInACircleLeadNowhere) {
  ProgramCache cache(settings, "id");
  CacheKey a = cache.getKey({"a"}, ProgramRequest());
  cache.tie(a, a);
  EXPECT_FALSE(cache.lookup(a, &context));
}

} // namespace
