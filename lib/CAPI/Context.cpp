//===- Context.cpp - Contexts and their diagnostics -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registers everything once for the process, makes contexts, and turns MLIR's
// diagnostics into those of the C API.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"
#include "dit/InitAll.h"
#include "dit/Target/Compiler.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "llvm/Support/Regex.h"

#include <deque>

using namespace mlir;
using namespace mlir::dit;

/// Registers all passes with the registry of the process. False if another copy
/// of dit did so before: its passes work on types of its own.
static bool registerPassesOnce() {
  static const bool registered = [] {
    if (PassPipelineInfo::lookup("dit-to-cpu"))
      return false;
    mlir::registerAllPasses();
    mlir::dit::registerAllPasses();
    return true;
  }();
  return registered;
}

namespace {

/// A diagnostic with its notes as the C API shows it, and what that points to.
class DiagnosticView {
public:
  DiagnosticView(DiagnosticSeverity severity, Location loc, std::string text);

  void addNote(Diagnostic &note) {
    notes.emplace_back(DiagnosticSeverity::Note, note.getLocation(),
                       note.str());
  }
  const DitDiagnostic *get();
  /// "file:line:column: message", or the message alone.
  std::string formatLine() const;

private:
  std::string message, file, location;
  std::deque<DiagnosticView> notes;
  std::vector<const DitDiagnostic *> notePointers;
  DitDiagnostic diagnostic;
};

} // namespace

static DitSeverity convertSeverity(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return DIT_SEVERITY_NOTE;
  case DiagnosticSeverity::Remark:
    return DIT_SEVERITY_REMARK;
  case DiagnosticSeverity::Warning:
    return DIT_SEVERITY_WARNING;
  case DiagnosticSeverity::Error:
    return DIT_SEVERITY_ERROR;
  }
  llvm_unreachable("no such severity");
}

DiagnosticView::DiagnosticView(DiagnosticSeverity severity, Location loc,
                               std::string text)
    : message(std::move(text)), diagnostic() {
  diagnostic.struct_size = sizeof(DitDiagnostic);
  diagnostic.severity = convertSeverity(severity);
  if (auto place = loc->findInstanceOf<FileLineColLoc>()) {
    file = place.getFilename().str();
    diagnostic.line = static_cast<int32_t>(place.getLine());
    diagnostic.column = static_cast<int32_t>(place.getColumn());
  }
  llvm::raw_string_ostream os(location);
  os << loc;
}

const DitDiagnostic *DiagnosticView::get() {
  for (DiagnosticView &note : notes)
    notePointers.push_back(note.get());
  diagnostic.message = message.c_str();
  diagnostic.file = file.c_str();
  diagnostic.location = location.c_str();
  diagnostic.num_notes = notePointers.size();
  diagnostic.notes = notePointers.data();
  return &diagnostic;
}

std::string DiagnosticView::formatLine() const {
  if (file.empty())
    return message;
  return file + ":" + std::to_string(diagnostic.line) + ":" +
         std::to_string(diagnostic.column) + ": " + message;
}

static void handleDiagnostic(DitContext &owner, Diagnostic &diagnostic) {
  DiagnosticView view(diagnostic.getSeverity(), diagnostic.getLocation(),
                      diagnostic.str());
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
      owner.firstError.empty())
    owner.firstError = view.formatLine();
  if (!owner.handler)
    return;
  for (Diagnostic &note : diagnostic.getNotes())
    view.addNote(note);
  owner.handler(view.get(), owner.userData);
}

/// Makes remarks of the passes that `filter` matches diagnostics.
static DitStatus enableRemarks(MLIRContext &context, const char *filter) {
  std::string error;
  if (!llvm::Regex(filter).isValid(error))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "remarks: '" + llvm::Twine(filter) +
                          "' is no regular expression: " + error);
  // `all` extends the other filters, and does nothing where there is none.
  remark::RemarkCategories categories;
  categories.passed = categories.missed = filter;
  categories.analysis = categories.failed = filter;
  auto policy = std::make_unique<remark::RemarkEmittingPolicyAll>();
  if (failed(remark::enableOptimizationRemarks(context, /*streamer=*/nullptr,
                                               std::move(policy), categories,
                                               /*printAsEmitRemarks=*/true)))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "remarks: '" + llvm::Twine(filter) +
                          "' is no filter of remarks");
  return DIT_OK;
}

/// Pass managers make room for each thread, so that absurd numbers would take
/// all memory.
static constexpr int32_t kMaxThreads = 1024;

/// Reading takes seconds even where gigabytes of weights are inside.
static constexpr int64_t kTimeLimit = 120, kMaxTimeLimit = 24 * 60 * 60;

/// Gives the context its threads, the caller's among them.
static void enableThreads(DitContext &owner, int32_t numThreads) {
  if (numThreads == 1)
    return;
  owner.threads =
      std::make_unique<llvm::DefaultThreadPool>(llvm::hardware_concurrency(
          static_cast<unsigned>(std::min(numThreads, kMaxThreads))));
  owner.context.setThreadPool(*owner.threads);
}

DitStatus ditContextCreate(const DitContextOptions *options,
                           DitContext **context) {
  if (!context)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditContextCreate: context is NULL");
  *context = nullptr;
  DitContextOptions read = DIT_CONTEXT_OPTIONS_INIT;
  if (DitStatus status = capi::readOptions(options, read))
    return status;
  if (read.num_threads < 0)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditContextCreate: num_threads is negative");
  if (read.parse_seconds < 0 || read.parse_seconds > kMaxTimeLimit)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditContextCreate: parse_seconds: expected 0 to " +
                          llvm::Twine(kMaxTimeLimit) + ", got " +
                          llvm::Twine(read.parse_seconds));
  if (!registerPassesOnce())
    return capi::fail(DIT_ERROR_UNSUPPORTED,
                      "another copy of dit is in this process; link one of "
                      "libdit-c.so and the C++ libraries, not both");
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  mlir::dit::registerAllDialects(registry);
  registerTranslations(registry);
  auto owner = std::make_unique<DitContext>(registry);
  owner->handler = read.handler;
  owner->userData = read.user_data;
  owner->timeLimit = read.parse_seconds ? read.parse_seconds : kTimeLimit;
  // Locations say where; whole operations in notes would drown the rest.
  owner->context.printOpOnDiagnostic(false);
  owner->context.getDiagEngine().registerHandler(
      [owner = owner.get()](Diagnostic &diagnostic) {
        handleDiagnostic(*owner, diagnostic);
        return success();
      });
  if (read.remarks)
    if (DitStatus status = enableRemarks(owner->context, read.remarks))
      return status;
  enableThreads(*owner, read.num_threads);
  *context = owner.release();
  return DIT_OK;
}

void ditContextDestroy(DitContext *context) { delete context; }
