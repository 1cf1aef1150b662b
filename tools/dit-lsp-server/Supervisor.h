//===- Supervisor.h - A language server that outlives crashes ---*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's parsers crash on some texts, often on those that are half written, and
// on damaged bytecode. Upstream's server therefore works in a child process,
// and this one stands between it and the editor: what crashes the server, or
// takes it too long, becomes a diagnostic or an error, and a new server gets
// the documents that are open.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TOOLS_DITLSPSERVER_SUPERVISOR_H
#define DIT_TOOLS_DITLSPSERVER_SUPERVISOR_H

#include "Messages.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/JSON.h"

#include <chrono>
#include <deque>
#include <map>

namespace mlir::dit {

class Supervisor {
public:
  /// `serve` is what the child does, on its standard input and output.
  Supervisor(llvm::function_ref<int()> serve, llvm::lsp::JSONStreamStyle style,
             unsigned timeLimitSeconds)
      : serve(serve), style(style), timeLimit(timeLimitSeconds), editor(style) {
  }

  /// Serves until the editor or the server ends; the exit code.
  int run();

private:
  struct Message {
    std::string text;
    llvm::json::Object content;
    /// Whether the editor sent it, and not a restart.
    bool isNew;

    llvm::StringRef getMethod() const {
      return content.getString("method").value_or("");
    }
    /// Of the document that the message is about.
    std::string getUri() const;
  };

  void start();
  void wait(int timeout);
  void receive(std::string text);
  void track(const Message &message);
  bool refuse(const Message &message);
  void send();
  void forward(llvm::StringRef text);
  void endServer();
  void recover(llvm::StringRef what);
  void reply(llvm::json::Value id, int code, llvm::StringRef text);
  void publish(const std::string &uri, size_t line, size_t column,
               llvm::StringRef text);
  void writeToEditor(llvm::json::Value message);

  llvm::function_ref<int()> serve;
  llvm::lsp::JSONStreamStyle style;
  std::chrono::seconds timeLimit;
  MessageReader editor;
  bool editorIsOpen = true;

  // The server.
  pid_t child = -1;
  int toServer = -1, fromServer = -1;
  std::optional<MessageReader> server;
  bool isTooSlow = false;
  std::optional<int> exitCode;

  // Messages one by one, so that it is known which one a crash is due to.
  std::deque<Message> queue;
  std::optional<Message> current;
  std::chrono::steady_clock::time_point deadline;

  // What a new server has to be told.
  std::optional<Message> initialize, initialized;
  std::map<std::string, llvm::json::Object> documents;
};

} // namespace mlir::dit

#endif // DIT_TOOLS_DITLSPSERVER_SUPERVISOR_H
