//===- FileCache.h - A folder of results under their keys -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keeps bytes in files named by a hash of what they were made from, for every
// process of a user at once. Whatever is wrong with the folder or a file in it
// costs a miss, never an error.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_FILECACHE_H
#define DIT_SUPPORT_FILECACHE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/MemoryBuffer.h"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace mlir::dit {

/// A hash of everything that a result depends on.
struct CacheKey {
  llvm::BLAKE3Result<> bytes = {};

  llvm::StringRef getBytes() const {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
  }
  /// As hexadecimal digits.
  std::string str() const;
  friend bool operator==(const CacheKey &a, const CacheKey &b) {
    return a.bytes == b.bytes;
  }
  friend bool operator!=(const CacheKey &a, const CacheKey &b) {
    return !(a == b);
  }
};

/// Hashes a list of texts such that lists that differ give keys that differ:
/// "ab", "c" is not "a", "bc".
class CacheKeyBuilder {
public:
  CacheKeyBuilder &add(llvm::StringRef text);
  CacheKey getKey() const;

private:
  mutable llvm::BLAKE3 hasher;
};

/// What is in a file of the cache.
struct CachedFile {
  std::unique_ptr<llvm::MemoryBuffer> file;
  /// A part of `file`.
  llvm::StringRef payload;
};

/// Where a cache is and how large it may become.
struct CacheSettings {
  static constexpr uint64_t kDefaultMaxBytes = uint64_t(2) << 30;

  /// Empty: no cache.
  std::string directory;
  uint64_t maxBytes = kDefaultMaxBytes;

  /// $DIT_CACHE_DIR, or else `dit` in the user's cache folder
  /// ($XDG_CACHE_HOME, ~/.cache). DIT_CACHE_DIR set to nothing turns caching
  /// off.
  static CacheSettings fromEnvironment();
};

/// May be used by several threads and processes at once: files come into being
/// under their names only when complete, and a reader keeps the file that it
/// has opened.
class FileCache {
public:
  /// The folder is made when something is stored.
  explicit FileCache(CacheSettings settings) : settings(std::move(settings)) {}

  /// What was stored under `key`. A file that is damaged, of another kind or of
  /// another user (root excepted) is not there.
  std::optional<CachedFile> lookup(const CacheKey &key);

  /// Stores the pieces one after the other under `key`, then removes the files
  /// that were not used for longest until the rest fits the size allowed.
  void store(const CacheKey &key, llvm::ArrayRef<llvm::StringRef> pieces);

  /// The file for `key`, which may not exist.
  std::string getPath(const CacheKey &key) const;
  /// The first reason for which something could not be stored; empty if there
  /// was none.
  std::string getProblem() const;

private:
  void setProblem(const llvm::Twine &text);

  CacheSettings settings;
  mutable std::mutex mutex;
  std::string problem;
};

} // namespace mlir::dit

#endif // DIT_SUPPORT_FILECACHE_H
