//===- Supervisor.cpp - A language server that outlives crashes -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The relay between editor and server. Behind each message the server gets a
// request that it does not know: once it has answered that, it is done with the
// message.
//
//===----------------------------------------------------------------------===//

#include "Supervisor.h"

#include "dit/Support/Nesting.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/LSP/Protocol.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir::dit;
using llvm::StringRef;
using llvm::lsp::ErrorCode;
namespace json = llvm::json;

static constexpr StringRef kProbe = "dit-lsp-server-probe";

std::string Supervisor::Message::getUri() const {
  if (const json::Object *params = content.getObject("params"))
    if (const json::Object *document = params->getObject("textDocument"))
      return document->getString("uri").value_or("").str();
  return "";
}

static std::string format(const json::Value &value) {
  return llvm::formatv("{0}", value).str();
}

//===----------------------------------------------------------------------===//
// The server
//===----------------------------------------------------------------------===//

void Supervisor::start() {
  int input[2], output[2];
  if (pipe(input) != 0 || pipe(output) != 0 || (child = fork()) < 0) {
    llvm::errs() << "dit-lsp-server: error: no process: " << strerror(errno)
                 << '\n';
    exitCode = 1;
    return;
  }
  if (child == 0) {
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    for (int fd : {input[0], input[1], output[0], output[1]})
      close(fd);
    std::signal(SIGPIPE, SIG_DFL);
    std::exit(serve());
  }
  close(input[0]);
  close(output[1]);
  toServer = input[1];
  fromServer = output[0];
  server.emplace(llvm::lsp::JSONStreamStyle::Standard);
  isTooSlow = false;
}

/// Sends the next message to the server, and the probe behind it.
void Supervisor::send() {
  Message message = std::move(queue.front());
  queue.pop_front();
  if (message.isNew) {
    track(message);
    if (refuse(message))
      return;
  }
  current = std::move(message);
  deadline = std::chrono::steady_clock::now() + timeLimit;
  // The server is at its end if it does not read, which is seen there.
  if (writeMessage(toServer, current->text, style))
    (void)writeMessage(toServer,
                       format(json::Object{{"jsonrpc", "2.0"},
                                           {"id", kProbe},
                                           {"method", "$/dit/probe"}}),
                       style);
}

/// Gives the editor what the server wrote.
void Supervisor::forward(StringRef text) {
  llvm::Expected<json::Value> message = json::parse(text);
  if (!message)
    return llvm::consumeError(message.takeError());
  const json::Object *content = message->getAsObject();
  const json::Value *id = content ? content->get("id") : nullptr;
  if (id && *id == json::Value(kProbe)) {
    current.reset();
    return;
  }
  // The editor knows the answer to its `initialize`.
  bool isKnown = current && !current->isNew && id && !content->get("method");
  if (!isKnown)
    (void)writeMessage(STDOUT_FILENO, text,
                       llvm::lsp::JSONStreamStyle::Standard);
}

/// After the server closed its output: the end, or another server.
void Supervisor::endServer() {
  close(toServer);
  close(fromServer);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  child = -1;
  // Help, for example, is no message.
  (void)writeAll(STDOUT_FILENO, server->getRest());
  bool hasFailed = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
  if (hasFailed && current && current->getMethod() != "exit")
    return recover(isTooSlow ? llvm::formatv("MLIR takes longer than {0} s for "
                                             "this",
                                             timeLimit.count())
                                   .str()
                             : "MLIR crashes on this");
  exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// Tells the editor what is wrong with the message that the server died of, and
/// starts another server.
void Supervisor::recover(StringRef what) {
  Message fatal = std::move(*current);
  current.reset();
  std::string uri = fatal.getUri();
  if (const json::Value *id = fatal.content.get("id")) {
    if (fatal.getMethod() == "initialize") {
      exitCode = 1;
      return;
    }
    reply(*id, static_cast<int>(ErrorCode::InternalError), what);
  } else if (documents.count(uri)) {
    publish(uri, 0, 0, what);
    documents.erase(uri);
  }
  std::deque<Message> replay;
  auto add = [&](json::Object content) {
    std::string text = format(json::Object(content));
    replay.push_back({std::move(text), std::move(content), /*isNew=*/false});
  };
  for (const std::optional<Message> *message : {&initialize, &initialized})
    if (*message)
      add((*message)->content);
  for (const auto &[uri, document] : documents)
    add(json::Object{
        {"jsonrpc", "2.0"},
        {"method", "textDocument/didOpen"},
        {"params", json::Object{{"textDocument", json::Object(document)}}}});
  // Of an earlier restart.
  while (!queue.empty() && !queue.front().isNew)
    queue.pop_front();
  queue.insert(queue.begin(), std::make_move_iterator(replay.begin()),
               std::make_move_iterator(replay.end()));
  start();
}

//===----------------------------------------------------------------------===//
// The editor
//===----------------------------------------------------------------------===//

void Supervisor::writeToEditor(json::Value message) {
  (void)writeMessage(STDOUT_FILENO, format(message),
                     llvm::lsp::JSONStreamStyle::Standard);
}

void Supervisor::reply(json::Value id, int code, StringRef text) {
  writeToEditor(
      json::Object{{"jsonrpc", "2.0"},
                   {"id", std::move(id)},
                   {"error", json::Object{{"code", code}, {"message", text}}}});
}

/// Shows an error at a place of a document, in place of those it had.
void Supervisor::publish(const std::string &uri, size_t line, size_t column,
                         StringRef text) {
  auto place = [&] {
    return json::Object{{"line", static_cast<int64_t>(line)},
                        {"character", static_cast<int64_t>(column)}};
  };
  json::Object diagnostic{
      {"range", json::Object{{"start", place()}, {"end", place()}}},
      {"severity", static_cast<int>(llvm::lsp::DiagnosticSeverity::Error)},
      {"source", "mlir"},
      {"message", text}};
  json::Object params{{"uri", uri},
                      {"diagnostics", json::Array{std::move(diagnostic)}}};
  auto document = documents.find(uri);
  if (document != documents.end())
    if (const json::Value *version = document->second.get("version"))
      params["version"] = *version;
  writeToEditor(json::Object{{"jsonrpc", "2.0"},
                             {"method", "textDocument/publishDiagnostics"},
                             {"params", std::move(params)}});
}

/// Keeps what a new server would have to know.
void Supervisor::track(const Message &message) {
  StringRef method = message.getMethod();
  if (method == "initialize")
    initialize = message;
  else if (method == "initialized")
    initialized = message;
  std::string uri = message.getUri();
  const json::Object *params = message.content.getObject("params");
  if (uri.empty())
    return;
  if (method == "textDocument/didOpen") {
    documents[uri] = *params->getObject("textDocument");
  } else if (method == "textDocument/didClose") {
    documents.erase(uri);
  } else if (method == "textDocument/didChange") {
    // The server asks for whole texts.
    const json::Array *changes = params->getArray("contentChanges");
    const json::Object *change = changes && changes->size() == 1
                                     ? changes->front().getAsObject()
                                     : nullptr;
    json::Object &document = documents[uri];
    document = *params->getObject("textDocument");
    document["languageId"] = "mlir";
    document["text"] =
        change ? change->getString("text").value_or("") : StringRef();
  }
}

/// Whether a message is the text of a document that would take all of the
/// parser's stack; the editor is told where.
bool Supervisor::refuse(const Message &message) {
  StringRef method = message.getMethod();
  auto document = documents.find(message.getUri());
  if (document == documents.end() ||
      (method != "textDocument/didOpen" && method != "textDocument/didChange"))
    return false;
  std::optional<NestingFault> fault =
      findDeepNesting(document->second.getString("text").value_or(""));
  if (!fault)
    return false;
  publish(document->first, fault->line - 1, fault->column - 1, fault->text);
  documents.erase(document);
  return true;
}

void Supervisor::receive(std::string text) {
  if (StringRef(text).trim().empty())
    return;
  if (std::optional<NestingFault> fault = findDeepJsonNesting(text))
    return reply(nullptr, static_cast<int>(ErrorCode::ParseError), fault->text);
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value)
    return reply(nullptr, static_cast<int>(ErrorCode::ParseError),
                 llvm::toString(value.takeError()));
  json::Object *content = value->getAsObject();
  if (!content)
    return reply(nullptr, static_cast<int>(ErrorCode::InvalidRequest),
                 "expected an object");
  Message message{std::move(text), std::move(*content), /*isNew=*/true};
  queue.push_back(std::move(message));
}

//===----------------------------------------------------------------------===//
// The relay
//===----------------------------------------------------------------------===//

/// Waits for either side, and reads what it wrote.
void Supervisor::wait(int timeout) {
  pollfd fds[] = {{fromServer, POLLIN, 0},
                  {editorIsOpen ? STDIN_FILENO : -1, POLLIN, 0}};
  if (poll(fds, 2, timeout) < 0)
    return;
  if (fds[1].revents) {
    editorIsOpen = editor.fill(STDIN_FILENO);
    while (std::optional<std::string> text = editor.next())
      receive(std::move(*text));
  }
  if (fds[0].revents) {
    bool isOpen = server->fill(fromServer);
    while (std::optional<std::string> text = server->next())
      forward(*text);
    if (!isOpen)
      endServer();
  }
}

int Supervisor::run() {
  std::signal(SIGPIPE, SIG_IGN);
  start();
  while (!exitCode) {
    while (!current && !queue.empty())
      send();
    // The server ends with its input.
    if (!current && !editorIsOpen && toServer >= 0) {
      close(toServer);
      toServer = -1;
    }
    int timeout = -1;
    if (current) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      timeout = std::max<int64_t>(left.count(), 0) + 1;
      if (left.count() <= 0 && !isTooSlow) {
        isTooSlow = true;
        kill(child, SIGKILL);
      }
      if (isTooSlow)
        timeout = -1;
    }
    wait(timeout);
  }
  return *exitCode;
}
