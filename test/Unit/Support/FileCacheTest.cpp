//===- FileCacheTest.cpp - Unit tests of the folder of results ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/FileCache.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

using namespace mlir::dit;

namespace {

class FileCacheTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("dit-cache", folder));
    settings.directory = (folder + "/made/when/needed").str();
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  static CacheKey makeKey(llvm::StringRef text) {
    return CacheKeyBuilder().add(text).getKey();
  }

  /// What is stored under the key of `text`, or "<none>".
  static std::string read(FileCache &cache, llvm::StringRef text) {
    std::optional<CachedFile> file = cache.lookup(makeKey(text));
    return file ? file->payload.str() : "<none>";
  }

  static std::string readFile(llvm::StringRef path) {
    auto file = llvm::MemoryBuffer::getFile(path);
    return file ? (*file)->getBuffer().str() : "";
  }

  static void writeFile(llvm::StringRef path, llvm::StringRef text) {
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    ASSERT_FALSE(error);
    os << text;
  }

  size_t countFiles() {
    size_t count = 0;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator it(settings.directory, error), end;
         it != end && !error; it.increment(error))
      ++count;
    return count;
  }

  llvm::SmallString<128> folder;
  CacheSettings settings;
};

TEST_F(FileCacheTest, KeysTellListsApart) {
  CacheKey key = CacheKeyBuilder().add("ab").add("c").getKey();
  EXPECT_EQ(key, CacheKeyBuilder().add("ab").add("c").getKey());
  EXPECT_NE(key, CacheKeyBuilder().add("a").add("bc").getKey());
  EXPECT_NE(key, CacheKeyBuilder().add("ab").add("c").add("").getKey());
  EXPECT_EQ(key.str().size(), 64u);
}

TEST_F(FileCacheTest, FindsWhatWasStored) {
  FileCache cache(settings);
  EXPECT_EQ(read(cache, "a"), "<none>");
  cache.store(makeKey("a"), {"one", "", "two"});
  cache.store(makeKey("b"), {});
  EXPECT_EQ(read(cache, "a"), "onetwo");
  EXPECT_EQ(read(cache, "b"), "");
  EXPECT_EQ(read(cache, "c"), "<none>");
  cache.store(makeKey("a"), {"three"});
  EXPECT_EQ(read(cache, "a"), "three");
  EXPECT_EQ(cache.getProblem(), "");
  FileCache other(settings);
  EXPECT_EQ(read(other, "a"), "three");
}

TEST_F(FileCacheTest, IgnoresAndReplacesDamagedFiles) {
  FileCache cache(settings);
  std::string path = cache.getPath(makeKey("a"));
  cache.store(makeKey("a"), {"some payload"});
  std::string good = readFile(path);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    writeFile(path, bad);
    EXPECT_EQ(read(cache, "a"), "<none>") << "flipped byte " << i;
    writeFile(path, llvm::StringRef(good).take_front(i));
    EXPECT_EQ(read(cache, "a"), "<none>") << "cut at byte " << i;
  }
  writeFile(path, good + "x");
  EXPECT_EQ(read(cache, "a"), "<none>");
  cache.store(makeKey("a"), {"some payload"});
  EXPECT_EQ(read(cache, "a"), "some payload");
}

TEST_F(FileCacheTest, IgnoresFilesUnderForeignNames) {
  FileCache cache(settings);
  cache.store(makeKey("a"), {"of a"});
  ASSERT_FALSE(llvm::sys::fs::copy_file(cache.getPath(makeKey("a")),
                                        cache.getPath(makeKey("b"))));
  EXPECT_EQ(read(cache, "b"), "<none>");
}

TEST_F(FileCacheTest, IgnoresWhatIsNoFile) {
  FileCache cache(settings);
  cache.store(makeKey("a"), {"of a"});
  llvm::sys::fs::create_directory(cache.getPath(makeKey("d")));
  EXPECT_EQ(read(cache, "d"), "<none>");
  // Opening it would wait for a writer.
  ASSERT_EQ(mkfifo(cache.getPath(makeKey("f")).c_str(), 0600), 0);
  EXPECT_EQ(read(cache, "f"), "<none>");
  cache.store(makeKey("f"), {"of f"});
  EXPECT_EQ(read(cache, "f"), "of f");
}

TEST_F(FileCacheTest, RemovesWhatWasUnusedForLongest) {
  std::string big(1000, 'x');
  settings.maxBytes = 3500;
  FileCache cache(settings);
  auto pause = [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  for (llvm::StringRef name : {"a", "b", "c"}) {
    cache.store(makeKey(name), {big});
    pause();
  }
  EXPECT_EQ(read(cache, "a"), big);
  pause();
  cache.store(makeKey("d"), {big});
  EXPECT_EQ(read(cache, "a"), big);
  EXPECT_EQ(read(cache, "b"), "<none>");
  EXPECT_EQ(read(cache, "c"), big);
  EXPECT_EQ(read(cache, "d"), big);
  // Larger than all the cache may be: the rest stays.
  cache.store(makeKey("e"), {big, big, big, big});
  EXPECT_EQ(read(cache, "e"), "<none>");
  EXPECT_EQ(read(cache, "d"), big);
  EXPECT_EQ(cache.getProblem(), "");
}

TEST_F(FileCacheTest, SaysOnceWhyItCannotStore) {
  writeFile((folder + "/made").str(), "not a folder");
  FileCache cache(settings);
  EXPECT_EQ(read(cache, "a"), "<none>");
  cache.store(makeKey("a"), {"of a"});
  cache.store(makeKey("b"), {"of b"});
  EXPECT_EQ(read(cache, "a"), "<none>");
  EXPECT_EQ(cache.getProblem(), settings.directory + ": Not a directory");
}

TEST_F(FileCacheTest, LeavesNothingOfAFailedWrite) {
  FileCache cache(settings);
  cache.store(makeKey("a"), {"of a"});
  size_t numFiles = countFiles();
  // A limit on the size of files is as good as a full disk.
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = {1000, before.rlim_max};
  auto *handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  cache.store(makeKey("b"), {std::string(5000, 'x')});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(cache.getProblem(), settings.directory + ": File too large");
  EXPECT_EQ(read(cache, "b"), "<none>");
  EXPECT_EQ(countFiles(), numFiles);
}

TEST_F(FileCacheTest, ReadersSeeWholeFilesOnly) {
  FileCache cache(settings);
  std::vector<std::string> versions;
  for (int i = 0; i < 4; ++i)
    versions.push_back(std::string(20000 + 5000 * i, 'a' + i));
  cache.store(makeKey("k"), {versions[0]});
  std::vector<std::thread> writers;
  for (const std::string &version : versions)
    writers.emplace_back([&] {
      FileCache own(settings);
      for (int i = 0; i < 25; ++i)
        own.store(makeKey("k"), {version});
      EXPECT_EQ(own.getProblem(), "");
    });
  for (int i = 0; i < 200; ++i) {
    std::string seen = read(cache, "k");
    EXPECT_NE(std::find(versions.begin(), versions.end(), seen),
              versions.end());
  }
  for (std::thread &writer : writers)
    writer.join();
  EXPECT_NE(read(cache, "k"), "<none>");
}

TEST_F(FileCacheTest, EnvironmentNamesTheFolder) {
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  unsetenv("DIT_CACHE_DIR");
  EXPECT_EQ(CacheSettings::fromEnvironment().directory, "/somewhere/dit");
  setenv("DIT_CACHE_DIR", "/elsewhere", 1);
  EXPECT_EQ(CacheSettings::fromEnvironment().directory, "/elsewhere");
  setenv("DIT_CACHE_DIR", "", 1);
  EXPECT_EQ(CacheSettings::fromEnvironment().directory, "");
  unsetenv("DIT_CACHE_DIR");
  unsetenv("XDG_CACHE_HOME");
}

} // namespace
