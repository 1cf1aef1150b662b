//===- SafetensorsTest.cpp - Unit tests of weight files -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/Safetensors.h"

#include "llvm/Support/Endian.h"

#include "gtest/gtest.h"

using namespace mlir::dit;

namespace {

llvm::Expected<SafetensorsFile>
parse(llvm::StringRef table, llvm::StringRef data, uint64_t tableSize = 0) {
  std::string contents(8, 0);
  llvm::support::endian::write64le(contents.data(),
                                   tableSize ? tableSize : table.size());
  contents += table;
  contents += data;
  return SafetensorsFile::parse(llvm::MemoryBuffer::getMemBufferCopy(contents));
}

std::string errorOf(llvm::StringRef table, llvm::StringRef data,
                    uint64_t tableSize = 0) {
  auto file = parse(table, data, tableSize);
  return file ? "" : llvm::toString(file.takeError());
}

TEST(Safetensors, FindsTensors) {
  auto file = parse(
      R"({"__metadata__": {"format": "pt"},
          "a": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [4, 8]},
          "b": {"dtype": "I32", "shape": [], "data_offsets": [0, 4]},
          "odd": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}})",
      "wxyzabcd");
  ASSERT_TRUE(bool(file));
  const TensorView *a = file->lookup("a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->dtype, DIT_RT_BF16);
  EXPECT_EQ(llvm::ArrayRef<int64_t>(a->shape), llvm::ArrayRef<int64_t>({2, 1}));
  EXPECT_EQ(llvm::StringRef(a->data, 4), "abcd");
  EXPECT_TRUE(file->lookup("b"));
  EXPECT_FALSE(file->lookup("odd"));
  EXPECT_FALSE(file->lookup("c"));
  EXPECT_EQ(file->size(), 2u);
}

TEST(Safetensors, RejectsDamagedFiles) {
  EXPECT_NE(errorOf("{}", "", 1000).find("truncated"), std::string::npos);
  EXPECT_NE(errorOf("{}", "", ~uint64_t(0)).find("truncated"),
            std::string::npos);
  EXPECT_NE(errorOf("[1]", "").find("no JSON object"), std::string::npos);
  EXPECT_NE(errorOf("{", "").find("malformed"), std::string::npos);
  EXPECT_NE(errorOf(R"({"a": 1})", "").find("'a' is no object"),
            std::string::npos);
  EXPECT_NE(errorOf(R"({"a": {"dtype": "F32"}})", "").find("needs dtype"),
            std::string::npos);
  auto row = [](llvm::StringRef shape, llvm::StringRef offsets) {
    return (R"({"a": {"dtype": "F32", "shape": )" + shape +
            R"(, "data_offsets": )" + offsets + "}}")
        .str();
  };
  EXPECT_NE(errorOf(row("[1]", "[0, 8]"), "abcd").find("outside the file"),
            std::string::npos);
  EXPECT_NE(errorOf(row("[1]", "[-4, 0]"), "abcd").find("outside the file"),
            std::string::npos);
  EXPECT_NE(errorOf(row("[1]", "[4, 0]"), "abcd").find("outside the file"),
            std::string::npos);
  EXPECT_NE(errorOf(row("[2]", "[0, 4]"), "abcd").find("needs 8 bytes"),
            std::string::npos);
  EXPECT_NE(errorOf(row("[-1]", "[0, 4]"), "abcd").find("extents"),
            std::string::npos);
  EXPECT_NE(errorOf(row("[4611686018427387904, 4]", "[0, 4]"), "abcd")
                .find("extents"),
            std::string::npos);
}

} // namespace
