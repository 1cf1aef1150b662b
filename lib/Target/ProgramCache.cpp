//===- ProgramCache.cpp - Programs that were compiled before --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys, and what is in the files: a program is the size of its description, the
// description and the code; a tie is the key of a program.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/ProgramCache.h"
#include "dit/Conversion/CPUTarget.h"
#include "dit/Target/ObjectFormat.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/TargetParser/Host.h"

#include <dlfcn.h>

using namespace mlir;
using namespace mlir::dit;

static constexpr llvm::StringLiteral kProgram("program:");
static constexpr llvm::StringLiteral kTie("tie:");

namespace {

/// Hashes what is written to it.
class HashingStream : public llvm::raw_ostream {
public:
  HashingStream() { SetBufferSize(1 << 16); }
  ~HashingStream() override { flush(); }

  llvm::BLAKE3Result<> getHash() {
    flush();
    return hasher.final();
  }

private:
  void write_impl(const char *data, size_t size) override {
    hasher.update(StringRef(data, size));
    position += size;
  }
  uint64_t current_pos() const override { return position; }

  llvm::BLAKE3 hasher;
  uint64_t position = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// All that code generation learns from the machine it runs on.
static std::string describeHost() {
  SmallVector<std::string> features;
  for (const auto &[name, enabled] : llvm::sys::getHostCPUFeatures())
    features.push_back(((enabled ? "+" : "-") + name).str());
  llvm::sort(features);
  CPUTarget target = CPUTarget::getHost();
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::sys::getProcessTriple() << ' ' << llvm::sys::getHostCPUName()
     << ' ' << llvm::join(features, ",") << ' ' << target.l1Bytes << ' '
     << target.l2Bytes;
  return text;
}

/// The shared library that `symbol` is in, such that its upgrade shows; empty
/// if that is the program or library that holds dit.
static std::string describeLibrary(const void *symbol) {
  Dl_info library, own;
  if (!dladdr(symbol, &library) ||
      !dladdr(reinterpret_cast<const void *>(&describeHost), &own) ||
      library.dli_fbase == own.dli_fbase)
    return "";
  llvm::sys::fs::file_status status;
  if (llvm::sys::fs::status(library.dli_fname, status))
    return "";
  std::string text;
  llvm::raw_string_ostream os(text);
  os << status.getSize() << ' '
     << status.getLastModificationTime().time_since_epoch().count();
  return text;
}

/// The code generator and the passes, as loaded: packages may be newer than
/// the headers that dit was built with.
static std::string describeLLVM() {
  static const std::string text = [] {
    auto *ofLLVM = &llvm::sys::getHostCPUName;
    LogicalResult (*ofMLIR)(Operation *, bool) = &verify;
    return std::string(LLVM_VERSION_STRING) + ' ' +
           describeLibrary(reinterpret_cast<const void *>(ofLLVM)) + ' ' +
           describeLibrary(reinterpret_cast<const void *>(ofMLIR));
  }();
  return text;
}

CacheKeyBuilder ProgramCache::startKey(StringRef kind,
                                       const ProgramRequest &request) const {
  CacheKeyBuilder builder;
  builder.add(kind)
      .add(compilerId)
      .add(describeLLVM())
      .add(describeHost())
      .add(request.entries)
      .add(request.target)
      .add(request.pipelineOptions)
      .add(llvm::utostr(request.options.optLevel))
      .add(request.options.cName);
  return builder;
}

CacheKey ProgramCache::getKey(ArrayRef<StringRef> sources,
                              const ProgramRequest &request) const {
  CacheKeyBuilder builder = startKey("files", request);
  for (StringRef source : sources)
    builder.add(source);
  return builder.getKey();
}

FailureOr<CacheKey> ProgramCache::getKey(ModuleOp module,
                                         const ProgramRequest &request) const {
  OwningOpRef<ModuleOp> copy = module.clone();
  Location unknown = UnknownLoc::get(module.getContext());
  copy->walk([&](Operation *op) {
    op->setLoc(unknown);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setLoc(unknown);
  });
  HashingStream stream;
  if (failed(writeBytecodeToFile(*copy, stream)))
    return failure();
  return startKey("module", request)
      .add(CacheKey{stream.getHash()}.getBytes())
      .getKey();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static std::optional<CompiledObject> readProgram(StringRef text,
                                                 MLIRContext *context) {
  if (!text.consume_front(kProgram) || text.size() < sizeof(uint64_t))
    return std::nullopt;
  uint64_t size = llvm::support::endian::read64le(text.data());
  text = text.drop_front(sizeof(uint64_t));
  if (size > text.size())
    return std::nullopt;
  return rebuildObject(text.take_front(size), text.drop_front(size), context);
}

std::optional<CompiledObject> ProgramCache::lookup(const CacheKey &key,
                                                   MLIRContext *context) {
  std::optional<CachedFile> file = files.lookup(key);
  if (!file)
    return std::nullopt;
  StringRef text = file->payload;
  CacheKey module;
  if (text.consume_front(kTie) && text.size() == module.bytes.size()) {
    llvm::copy(text.bytes(), module.bytes.begin());
    file = files.lookup(module);
    if (!file)
      return std::nullopt;
    text = file->payload;
  }
  return readProgram(text, context);
}

void ProgramCache::store(const CacheKey &key, const CompiledObject &object) {
  std::optional<std::string> description = describeObject(object);
  if (!description)
    return;
  char size[sizeof(uint64_t)];
  llvm::support::endian::write64le(size, description->size());
  files.store(key, {kProgram, StringRef(size, sizeof(size)), *description,
                    StringRef(object.object.data(), object.object.size())});
}

void ProgramCache::tie(const CacheKey &sources, const CacheKey &module) {
  files.store(sources, {kTie, module.getBytes()});
}
