//===- FileCache.cpp - A folder of results under their keys ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file is a magic number, its key, a checksum of the payload and the payload.
// LLVM's pruneCache, which bounds the folder, touches only names that begin
// with "llvmcache-" (results) and "Thin-" (unfinished files): hence the names.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/FileCache.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace mlir::dit;
namespace fs = llvm::sys::fs;

static constexpr llvm::StringLiteral kMagic("ditcache1\n");
static constexpr size_t kHashSize = LLVM_BLAKE3_OUT_LEN;
static constexpr size_t kHeaderSize = kMagic.size() + 2 * kHashSize;

std::string CacheKey::str() const {
  return llvm::toHex(getBytes(), /*LowerCase=*/true);
}

CacheKeyBuilder &CacheKeyBuilder::add(llvm::StringRef text) {
  std::array<uint8_t, sizeof(uint64_t)> size;
  llvm::support::endian::write64le(size.data(), text.size());
  hasher.update(size);
  hasher.update(text);
  return *this;
}

CacheKey CacheKeyBuilder::getKey() const { return {hasher.final()}; }

CacheSettings CacheSettings::fromEnvironment() {
  CacheSettings settings;
  if (std::optional<std::string> directory =
          llvm::sys::Process::GetEnv("DIT_CACHE_DIR")) {
    settings.directory = std::move(*directory);
    return settings;
  }
  llvm::SmallString<128> path;
  if (llvm::sys::path::cache_directory(path)) {
    llvm::sys::path::append(path, "dit");
    settings.directory = path.str().str();
  }
  return settings;
}

std::string FileCache::getPath(const CacheKey &key) const {
  llvm::SmallString<128> path(settings.directory);
  llvm::sys::path::append(path, "llvmcache-" + key.str());
  return path.str().str();
}

std::string FileCache::getProblem() const {
  std::lock_guard<std::mutex> lock(mutex);
  return problem;
}

void FileCache::setProblem(const llvm::Twine &text) {
  std::lock_guard<std::mutex> lock(mutex);
  if (problem.empty())
    problem = text.str();
}

static llvm::BLAKE3Result<> getChecksum(llvm::ArrayRef<llvm::StringRef> parts) {
  llvm::BLAKE3 hasher;
  for (llvm::StringRef part : parts)
    hasher.update(part);
  return hasher.final();
}

static llvm::StringRef toText(const llvm::BLAKE3Result<> &hash) {
  return {reinterpret_cast<const char *>(hash.data()), hash.size()};
}

/// Whether the file is one that this process may believe: what is in it will be
/// run. Looked at before opening, which would block on a pipe.
static bool isTrusted(llvm::StringRef path) {
  fs::file_status status;
  return !fs::status(path, status) &&
         status.type() == fs::file_type::regular_file &&
         (status.getUser() == geteuid() || status.getUser() == 0);
}

std::optional<CachedFile> FileCache::lookup(const CacheKey &key) {
  std::string path = getPath(key);
  if (!isTrusted(path))
    return std::nullopt;
  llvm::Expected<fs::file_t> fd = fs::openNativeFileForRead(path);
  if (!fd) {
    llvm::consumeError(fd.takeError());
    return std::nullopt;
  }
  // Read rather than mapped: another program may cut the file short.
  auto file = llvm::MemoryBuffer::getOpenFile(*fd, path, /*FileSize=*/-1,
                                              /*RequiresNullTerminator=*/false,
                                              /*IsVolatile=*/true);
  // File systems seldom keep the time of the last access by themselves.
  (void)fs::setLastAccessAndModificationTime(*fd,
                                             std::chrono::system_clock::now());
  fs::closeFile(*fd);
  if (!file)
    return std::nullopt;
  llvm::StringRef rest = (*file)->getBuffer();
  if (!rest.consume_front(kMagic) || !rest.consume_front(key.getBytes()) ||
      rest.size() < kHashSize)
    return std::nullopt;
  llvm::StringRef payload = rest.drop_front(kHashSize);
  if (toText(getChecksum(payload)) != rest.take_front(kHashSize))
    return std::nullopt;
  return CachedFile{std::move(*file), payload};
}

/// Writes the parts to a new file in `directory`, whose name goes to `path`.
static std::error_code writeUnfinished(llvm::StringRef directory,
                                       llvm::ArrayRef<llvm::StringRef> parts,
                                       llvm::SmallVectorImpl<char> &path) {
  llvm::SmallString<128> model(directory);
  llvm::sys::path::append(model, "Thin-%%%%%%%%%%.tmp");
  int fd;
  if (std::error_code error = fs::createUniqueFile(
          model, fd, path, fs::OF_None, fs::owner_read | fs::owner_write))
    return error;
  llvm::raw_fd_ostream os(fd, /*shouldClose=*/true);
  for (llvm::StringRef part : parts)
    os << part;
  os.close();
  std::error_code error = os.error();
  os.clear_error();
  return error;
}

void FileCache::store(const CacheKey &key,
                      llvm::ArrayRef<llvm::StringRef> pieces) {
  uint64_t size = kHeaderSize;
  for (llvm::StringRef piece : pieces)
    size += piece.size();
  // It would only push everything else out.
  if (size > settings.maxBytes)
    return;
  llvm::SmallString<128> unfinished;
  std::error_code error = fs::create_directories(
      settings.directory, /*IgnoreExisting=*/true, fs::owner_all);
  if (!error) {
    llvm::BLAKE3Result<> checksum = getChecksum(pieces);
    llvm::SmallVector<llvm::StringRef> parts = {kMagic, key.getBytes(),
                                                toText(checksum)};
    parts.append(pieces.begin(), pieces.end());
    error = writeUnfinished(settings.directory, parts, unfinished);
  }
  if (!error)
    error = fs::rename(unfinished, getPath(key));
  if (error) {
    if (!unfinished.empty())
      (void)fs::remove(unfinished);
    return setProblem(settings.directory + ": " + error.message());
  }
  llvm::CachePruningPolicy policy;
  policy.Interval = policy.Expiration = std::chrono::seconds(0);
  policy.MaxSizeBytes = settings.maxBytes;
  llvm::pruneCache(settings.directory, policy);
}
