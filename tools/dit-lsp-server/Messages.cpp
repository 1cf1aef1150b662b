//===- Messages.cpp - Messages between editor and server ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Headers with a length, or, for tests, lines between messages.
//
//===----------------------------------------------------------------------===//

#include "Messages.h"

#include "llvm/ADT/StringExtras.h"

#include <cerrno>
#include <unistd.h>

using namespace mlir::dit;
using llvm::StringRef;
using llvm::lsp::JSONStreamStyle;

bool MessageReader::fill(int fd) {
  char chunk[1 << 16];
  ssize_t size;
  do
    size = read(fd, chunk, sizeof(chunk));
  while (size < 0 && errno == EINTR);
  if (size > 0)
    buffer.append(chunk, size);
  atEnd = size <= 0;
  return !atEnd;
}

std::optional<std::string> MessageReader::next() {
  return style == JSONStreamStyle::Standard ? nextStandard() : nextDelimited();
}

std::optional<std::string> MessageReader::nextStandard() {
  // Other headers than the length say nothing that matters.
  size_t end = buffer.find("\r\n\r\n");
  if (end == std::string::npos)
    return std::nullopt;
  uint64_t length = 0;
  for (StringRef line : llvm::split(StringRef(buffer).take_front(end), "\r\n"))
    if (line.consume_front_insensitive("Content-Length:"))
      (void)line.trim().getAsInteger(10, length);
  size_t begin = end + 4;
  if (buffer.size() - begin < length)
    return std::nullopt;
  std::string message = buffer.substr(begin, length);
  buffer.erase(0, begin + length);
  return message;
}

std::optional<std::string> MessageReader::nextDelimited() {
  std::string message;
  StringRef rest = buffer;
  while (!rest.empty()) {
    auto [line, behind] = rest.split('\n');
    bool isComplete = line.size() < rest.size();
    if (!isComplete && !atEnd)
      return std::nullopt;
    rest = behind;
    if (line.starts_with("// -----") || (rest.empty() && atEnd)) {
      if (!line.starts_with("//"))
        message += line;
      buffer = rest.str();
      return message;
    }
    if (!line.starts_with("//"))
      message += line;
  }
  return std::nullopt;
}

bool mlir::dit::writeAll(int fd, StringRef bytes) {
  while (!bytes.empty()) {
    ssize_t size = write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return false;
    bytes = bytes.drop_front(size);
  }
  return true;
}

bool mlir::dit::writeMessage(int fd, StringRef json, JSONStreamStyle style) {
  if (style == JSONStreamStyle::Delimited)
    return writeAll(fd, (json + "\n// -----\n").str());
  return writeAll(fd, "Content-Length: " + llvm::utostr(json.size()) +
                          "\r\n\r\n" + json.str());
}
