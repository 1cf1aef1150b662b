//===- Messages.h - Messages between editor and server ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The framing of the Language Server Protocol, on file descriptors that are
// polled: LLVM's reader works on a FILE and blocks.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TOOLS_DITLSPSERVER_MESSAGES_H
#define DIT_TOOLS_DITLSPSERVER_MESSAGES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LSP/Transport.h"

#include <optional>
#include <string>

namespace mlir::dit {

/// What arrived of a stream of messages.
class MessageReader {
public:
  explicit MessageReader(llvm::lsp::JSONStreamStyle style) : style(style) {}

  /// Reads what there is in `fd`; false at its end.
  bool fill(int fd);
  /// Takes the next message that is complete. At the end of a delimited stream
  /// that is the rest.
  std::optional<std::string> next();
  /// What is left and no message.
  llvm::StringRef getRest() const { return buffer; }

private:
  std::optional<std::string> nextStandard();
  std::optional<std::string> nextDelimited();

  llvm::lsp::JSONStreamStyle style;
  std::string buffer;
  bool atEnd = false;
};

/// Writes a message; false if nobody reads any more.
bool writeMessage(int fd, llvm::StringRef json,
                  llvm::lsp::JSONStreamStyle style);
/// Writes bytes; false if nobody reads any more.
bool writeAll(int fd, llvm::StringRef bytes);

} // namespace mlir::dit

#endif // DIT_TOOLS_DITLSPSERVER_MESSAGES_H
