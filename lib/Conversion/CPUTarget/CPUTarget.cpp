//===- CPUTarget.cpp - What kernels know of a CPU -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/CPUTarget.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <unistd.h>

using namespace mlir;
using namespace mlir::dit;

/// A cache size that the system reports, or `fallback` if it does not know.
static int64_t getCacheSize(int name, int64_t fallback) {
  long size = sysconf(name);
  return size > 0 ? size : fallback;
}

CPUTarget CPUTarget::getHost() {
  CPUTarget target;
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  if (triple.isAArch64()) {
    target.vectorBits = 128;
    target.vectorRegisters = 32;
  } else if (features.lookup("avx512f")) {
    target.vectorBits = 512;
    target.vectorRegisters = 32;
  } else if (features.lookup("avx")) {
    target.vectorBits = 256;
    target.vectorRegisters = 16;
  } else {
    target.vectorBits = 128;
    target.vectorRegisters = 16;
  }
  target.bf16Dot = features.lookup("avx512bf16");
  target.compress = features.lookup("avx512f");
#ifdef _SC_LEVEL1_DCACHE_SIZE
  target.l1Bytes = getCacheSize(_SC_LEVEL1_DCACHE_SIZE, 32 * 1024);
  target.l2Bytes = getCacheSize(_SC_LEVEL2_CACHE_SIZE, 512 * 1024);
#else
  target.l1Bytes = 32 * 1024;
  target.l2Bytes = 512 * 1024;
#endif
  return target;
}

CPUTarget CPUTarget::getFromSpec(TargetSystemSpecInterface spec) {
  CPUTarget target;
  if (!spec)
    return target;
  Builder b(spec.getContext());
  std::optional<TargetDeviceSpecInterface> device =
      spec.getDeviceSpecForDeviceID(b.getStringAttr("CPU"));
  if (!device)
    return target;
  auto find = [&](StringRef name) -> std::optional<int64_t> {
    FailureOr<Attribute> value = device->query(b.getStringAttr(name));
    if (failed(value))
      return std::nullopt;
    auto integer = dyn_cast<IntegerAttr>(*value);
    if (!integer)
      return std::nullopt;
    return integer.getValue().getSExtValue();
  };
  auto read = [&](StringRef name) { return find(name).value_or(0); };
  target.vectorBits = read("vector_bits");
  target.vectorRegisters = read("vector_registers");
  if (std::optional<int64_t> dot = find("bf16_dot"))
    target.bf16Dot = *dot != 0;
  if (std::optional<int64_t> compress = find("vector_compress"))
    target.compress = *compress != 0;
  target.l1Bytes = read("L1_cache_size_in_bytes");
  target.l2Bytes = read("L2_cache_size_in_bytes");
  return target;
}

CPUTarget CPUTarget::withDefaults(const CPUTarget &other) const {
  CPUTarget target = *this;
  auto fill = [](int64_t &field, int64_t value) {
    if (field == 0)
      field = value;
  };
  fill(target.vectorBits, other.vectorBits);
  fill(target.vectorRegisters, other.vectorRegisters);
  fill(target.l1Bytes, other.l1Bytes);
  fill(target.l2Bytes, other.l2Bytes);
  if (!target.bf16Dot)
    target.bf16Dot = other.bf16Dot;
  if (!target.compress)
    target.compress = other.compress;
  return target;
}

CPUTarget CPUTarget::resolve(ModuleOp module) const {
  return withDefaults(getFromSpec(module.getTargetSystemSpec()))
      .withDefaults(getHost());
}
