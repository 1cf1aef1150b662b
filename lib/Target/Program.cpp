//===- Program.cpp - Compiled programs in this process --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thin layer over LLVM's ORC just-in-time linker.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Program.h"
#include "PerfMap.h"

#include "dit/Emulator/Emulator.h"
#include "dit/Runtime/Runtime.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;
using namespace mlir::dit;

extern "C" void dit_rt_memref_copy(int64_t, const void *, const void *);
extern "C" void dit_rt_check_failed(const char *);
extern "C" __bf16 __truncsfbf2(float);
extern "C" __bf16 __truncdfbf2(double);

Program::Program(std::unique_ptr<llvm::orc::LLJIT> jit,
                 SmallVector<EntryPoint> entries)
    : jit(std::move(jit)), entries(std::move(entries)) {}
Program::Program(Program &&) = default;
Program &Program::operator=(Program &&) = default;
Program::~Program() = default;

/// What kernels call in the emulator.
template <typename Fn>
static void addEmulatorSymbols(Fn add) {
  add("dit_emu_launch", dit_emu_launch);
  add("dit_emu_register", dit_emu_register);
  add("dit_emu_shared", dit_emu_shared);
  add("dit_emu_access", dit_emu_access);
  add("dit_emu_atomic", dit_emu_atomic);
  add("dit_emu_barrier", dit_emu_barrier);
  add("dit_emu_barrier_reduce", dit_emu_barrier_reduce);
  add("dit_emu_syncwarp", dit_emu_syncwarp);
  add("dit_emu_shuffle", dit_emu_shuffle);
  add("dit_emu_vote", dit_emu_vote);
  add("dit_emu_redux", dit_emu_redux);
  add("dit_emu_elect", dit_emu_elect);
  add("dit_emu_ldmatrix", dit_emu_ldmatrix);
  add("dit_emu_stmatrix", dit_emu_stmatrix);
  add("dit_emu_mma", dit_emu_mma);
  add("dit_emu_cp_async", dit_emu_cp_async);
  add("dit_emu_cp_async_commit", dit_emu_cp_async_commit);
  add("dit_emu_cp_async_wait", dit_emu_cp_async_wait);
  add("dit_emu_cp_async_mbarrier_arrive", dit_emu_cp_async_mbarrier_arrive);
  add("dit_emu_cp_async_bulk", dit_emu_cp_async_bulk);
  add("dit_emu_mbarrier_init", dit_emu_mbarrier_init);
  add("dit_emu_mbarrier_inval", dit_emu_mbarrier_inval);
  add("dit_emu_mbarrier_arrive", dit_emu_mbarrier_arrive);
  add("dit_emu_mbarrier_complete_tx", dit_emu_mbarrier_complete_tx);
  add("dit_emu_mbarrier_test", dit_emu_mbarrier_test);
  add("dit_emu_mbarrier_wait", dit_emu_mbarrier_wait);
}

/// The runtime as linked into this process. Named one by one: it is a static
/// library, whose symbols the dynamic linker does not know.
static llvm::orc::SymbolMap getRuntimeSymbols(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](StringRef name, auto *function) {
    symbols[jit.mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  add("dit_rt_parallel_for", dit_rt_parallel_for);
  add("dit_rt_set_num_threads", dit_rt_set_num_threads);
  add("dit_rt_get_num_threads", dit_rt_get_num_threads);
  add("dit_rt_set_parallel_for", dit_rt_set_parallel_for);
  add("dit_rt_alloc", dit_rt_alloc);
  add("dit_rt_free", dit_rt_free);
  add("dit_rt_seconds", dit_rt_seconds);
  add("dit_rt_invoke", dit_rt_invoke);
  add("dit_rt_workspace_size", dit_rt_workspace_size);
  add("dit_rt_memref_copy", dit_rt_memref_copy);
  add("dit_rt_check_failed", dit_rt_check_failed);
  add("__truncsfbf2", __truncsfbf2);
  add("__truncdfbf2", __truncdfbf2);
  addEmulatorSymbols(add);
  return symbols;
}

llvm::Expected<Program> Program::load(CompiledObject object, bool perfMap) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  if (perfMap)
    writePerfMap(**jit);
  // What goes wrong while linking is reported to the session, not to the lookup
  // that caused it.
  auto sessionErrors = std::make_shared<std::string>();
  (*jit)->getExecutionSession().setErrorReporter(
      [sessionErrors](llvm::Error error) {
        *sessionErrors += llvm::toString(std::move(error));
      });
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  if (llvm::Error error =
          library.define(llvm::orc::absoluteSymbols(getRuntimeSymbols(**jit))))
    return std::move(error);
  // malloc, free and the functions of libm.
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(
      StringRef(object.object.data(), object.object.size()), "program");
  if (llvm::Error error = (*jit)->addObjectFile(std::move(buffer)))
    return std::move(error);
  Program program(std::move(*jit), std::move(object.entries));
  for (const EntryPoint &entry : program.entries) {
    auto descriptor = program.lookup(entry.signature.name);
    if (descriptor)
      continue;
    std::string error = llvm::toString(descriptor.takeError());
    return llvm::createStringError(
        "the compiled program cannot be linked: " +
        (sessionErrors->empty() ? error : *sessionErrors));
  }
  return program;
}

llvm::Expected<const dit_rt_entry *> Program::lookup(StringRef name) const {
  for (const EntryPoint &entry : entries) {
    if (entry.signature.name != name)
      continue;
    auto address = jit->lookup(getDescriptorName(entry.cName));
    if (!address)
      return address.takeError();
    return address->toPtr<const dit_rt_entry *>();
  }
  return llvm::createStringError("no entry '" + name + "'");
}
