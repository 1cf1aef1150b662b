//===- NpyTest.cpp - Unit tests of array files ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/Npy.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

#include "gtest/gtest.h"

#include <cstring>
#include <vector>

using namespace mlir::dit;

namespace {

/// A file of version 1 with the given header and elements.
std::string makeFile(llvm::StringRef header, llvm::StringRef elements) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file.push_back(char(header.size() & 255));
  file.push_back(char(header.size() >> 8));
  return file + header.str() + elements.str();
}

std::string errorOf(llvm::StringRef contents) {
  auto tensor = parseNpy(contents);
  return tensor ? "" : llvm::toString(tensor.takeError());
}

TEST(Npy, ReadsRowMajor) {
  float values[] = {1, 2, 3, 4, 5, 6};
  std::string elements(reinterpret_cast<char *>(values), sizeof(values));
  auto tensor = parseNpy(
      makeFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
               elements));
  ASSERT_TRUE(bool(tensor));
  EXPECT_EQ(tensor->getDType(), DIT_RT_F32);
  EXPECT_EQ(tensor->getShape(), llvm::ArrayRef<int64_t>({2, 3}));
  EXPECT_EQ(tensor->getAsDouble(4), 5);
}

TEST(Npy, ReadsFortranOrder) {
  int16_t values[] = {1, 4, 2, 5, 3, 6};
  std::string elements(reinterpret_cast<char *>(values), sizeof(values));
  auto tensor = parseNpy(makeFile(
      "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3)}", elements));
  ASSERT_TRUE(bool(tensor));
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(tensor->getAsDouble(i), i + 1);
}

TEST(Npy, ReadsScalarsAndEmptyArrays) {
  auto scalar = parseNpy(
      makeFile("{\"descr\": \"|b1\", \"fortran_order\": False, \"shape\": ()}",
               llvm::StringRef("\1", 1)));
  ASSERT_TRUE(bool(scalar));
  EXPECT_EQ(scalar->getDType(), DIT_RT_BOOL);
  EXPECT_EQ(scalar->getNumElements(), 1);
  auto empty = parseNpy(makeFile(
      "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5)}", ""));
  ASSERT_TRUE(bool(empty));
  EXPECT_EQ(empty->getNumElements(), 0);
}

TEST(Npy, RejectsDamagedFiles) {
  EXPECT_EQ(errorOf(""), "not a .npy file");
  EXPECT_EQ(errorOf("\x93NUMPY"), "not a .npy file");
  EXPECT_EQ(errorOf(llvm::StringRef("\x93NUMPY\x09\x00\x00\x00", 10)),
            "unknown .npy version 9");
  EXPECT_EQ(errorOf(llvm::StringRef("\x93NUMPY\x01\x00\xff\xff", 10)),
            "truncated .npy file");
  auto errorOfHeader = [](llvm::StringRef header) {
    return errorOf(makeFile(header, ""));
  };
  EXPECT_NE(errorOfHeader("").find("expected a dict"), std::string::npos);
  EXPECT_NE(errorOfHeader("{'descr': '<f4'").find("does not end"),
            std::string::npos);
  EXPECT_NE(errorOfHeader("{'descr': '<f4'}").find("is missing"),
            std::string::npos);
  EXPECT_NE(errorOfHeader("{'shape': (1, }").find("extents"),
            std::string::npos);
  EXPECT_NE(errorOfHeader("{'shape': (-1,)}").find("extents"),
            std::string::npos);
  EXPECT_NE(errorOfHeader("{'fortran_order': 3}").find("neither True"),
            std::string::npos);
  EXPECT_NE(errorOfHeader("{'descr': '>f4'}").find("'>f4' is not supported"),
            std::string::npos);
  EXPECT_NE(errorOfHeader("{'descr': [('a', '<f4')]}").find("structured"),
            std::string::npos);
}

TEST(Npy, ComparesSizes) {
  EXPECT_EQ(
      errorOf(makeFile(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "abcd")),
      "the .npy file holds 4 bytes of elements where its header, 2x3xf32, "
      "needs 24");
  EXPECT_NE(errorOf(makeFile("{'descr': '<f4', 'fortran_order': False, "
                             "'shape': (4611686018427387904, 4)}",
                             ""))
                .find("more than can be addressed"),
            std::string::npos);
}

TEST(Npy, WhatIsWrittenReadsBack) {
  llvm::SmallString<64> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("dit", "npy", path));
  llvm::FileRemover remover(path);
  for (dit_rt_dtype dtype :
       {DIT_RT_BOOL, DIT_RT_I8, DIT_RT_I16, DIT_RT_I32, DIT_RT_I64, DIT_RT_F16,
        DIT_RT_BF16, DIT_RT_F32, DIT_RT_F64})
    for (const auto &shape :
         std::vector<std::vector<int64_t>>{{}, {3}, {2, 3}}) {
      HostTensor tensor(dtype, shape);
      for (int64_t i = 0; i < tensor.getNumBytes(); ++i)
        tensor.data()[i] = char(i % 2);
      ASSERT_FALSE(bool(writeNpy(path, tensor)));
      auto copy = readNpy(path);
      ASSERT_TRUE(bool(copy));
      EXPECT_EQ(copy->getDType(), dtype);
      EXPECT_EQ(copy->getShape(), llvm::ArrayRef(shape));
      EXPECT_EQ(std::memcmp(copy->data(), tensor.data(), tensor.getNumBytes()),
                0);
    }
}

} // namespace
