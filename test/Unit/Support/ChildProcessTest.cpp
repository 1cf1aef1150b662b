//===- ChildProcessTest.cpp - Work that may crash or hang -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/ChildProcess.h"

#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <unistd.h>

using namespace mlir::dit;
using llvm::Error;
using llvm::raw_ostream;

TEST(ChildProcess, ReturnsWhatTheChildWrote) {
  std::string large(3 << 20, 'x');
  auto answer = runInChild(
      [&](raw_ostream &os) {
        os << large;
        return Error::success();
      },
      "name", 60);
  ASSERT_TRUE(static_cast<bool>(answer));
  EXPECT_EQ(answer->signal, 0);
  EXPECT_EQ(answer->output->getBuffer(), large);
  EXPECT_EQ(answer->output->getBufferIdentifier(), "name");
}

TEST(ChildProcess, ReturnsItsError) {
  std::string text = std::string(10000, 'a') + "\nb";
  auto answer = runInChild(
      [&](raw_ostream &os) {
        os << "of no interest";
        return llvm::createStringError(text);
      },
      "name", 60);
  ASSERT_FALSE(static_cast<bool>(answer));
  EXPECT_EQ(llvm::toString(answer.takeError()), text);
}

TEST(ChildProcess, ChangesNothingHere) {
  int value = 1;
  auto answer = runInChild(
      [&](raw_ostream &os) {
        os << ++value;
        return Error::success();
      },
      "name", 60);
  ASSERT_TRUE(static_cast<bool>(answer));
  EXPECT_EQ(answer->output->getBuffer(), "2");
  EXPECT_EQ(value, 1);
}

TEST(ChildProcess, SurvivesCrashes) {
  for (int signal : {SIGSEGV, SIGABRT, SIGKILL}) {
    auto answer = runInChild(
        [&](raw_ostream &) {
          raise(signal);
          return Error::success();
        },
        "name", 60);
    ASSERT_TRUE(static_cast<bool>(answer));
    EXPECT_EQ(answer->signal, signal);
    EXPECT_FALSE(answer->output);
  }
}

TEST(ChildProcess, EndsWhatDoesNot) {
  auto answer = runInChild(
      [](raw_ostream &) {
        for (;;)
          pause();
        return Error::success();
      },
      "name", 1);
  ASSERT_TRUE(static_cast<bool>(answer));
  EXPECT_EQ(answer->signal, SIGALRM);
}
