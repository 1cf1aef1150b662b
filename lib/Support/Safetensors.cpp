//===- Safetensors.cpp - Files of named tensors ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A .safetensors file is the length of a JSON object as eight bytes, the object
// (name -> dtype, shape, data_offsets), and the data.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/Safetensors.h"
#include "dit/Support/JsonReader.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

#include <optional>

using namespace llvm;
using namespace mlir::dit;

static std::optional<dit_rt_dtype> parseDType(StringRef name) {
  return StringSwitch<std::optional<dit_rt_dtype>>(name)
      .Case("BOOL", DIT_RT_BOOL)
      .Cases({"I8", "U8"}, DIT_RT_I8)
      .Cases({"I16", "U16"}, DIT_RT_I16)
      .Cases({"I32", "U32"}, DIT_RT_I32)
      .Cases({"I64", "U64"}, DIT_RT_I64)
      .Case("F16", DIT_RT_F16)
      .Case("BF16", DIT_RT_BF16)
      .Case("F32", DIT_RT_F32)
      .Case("F64", DIT_RT_F64)
      .Default(std::nullopt);
}

/// Reads one row of the table; `data` is what follows the table. Nothing for a
/// type that dit does not know.
static Expected<std::optional<TensorView>>
parseTensor(const json::Object &object, StringRef data) {
  std::optional<StringRef> dtypeName = object.getString("dtype");
  const json::Array *shape = object.getArray("shape");
  const json::Array *offsets = object.getArray("data_offsets");
  if (!dtypeName || !shape || !offsets || offsets->size() != 2)
    return createStringError("needs dtype, shape and two data_offsets");
  std::optional<int64_t> begin = getInteger((*offsets)[0]);
  std::optional<int64_t> end = getInteger((*offsets)[1]);
  if (!begin || !end || *begin < 0 || *end < *begin ||
      uint64_t(*end) > data.size())
    return createStringError("data_offsets are outside the file");
  std::optional<dit_rt_dtype> dtype = parseDType(*dtypeName);
  if (!dtype)
    return std::nullopt;
  TensorView view{*dtype, {}, data.data() + *begin};
  int64_t bytes = dit_rt_dtype_size(*dtype);
  for (const json::Value &value : *shape) {
    std::optional<int64_t> size = getInteger(value);
    if (!size || *size < 0 || MulOverflow(bytes, *size, bytes))
      return createStringError("shape holds something else than extents");
    view.shape.push_back(*size);
  }
  if (bytes != *end - *begin)
    return createStringError("shape needs " + Twine(bytes) +
                             " bytes, data_offsets span " +
                             Twine(*end - *begin));
  return view;
}

Expected<SafetensorsFile>
SafetensorsFile::parse(std::unique_ptr<MemoryBuffer> buffer) {
  StringRef contents = buffer->getBuffer();
  if (contents.size() < 8)
    return createStringError("not a .safetensors file: shorter than 8 bytes");
  uint64_t tableSize = support::endian::read64le(contents.data());
  contents = contents.drop_front(8);
  if (tableSize > contents.size())
    return createStringError(
        "not a .safetensors file, or a truncated one: its table needs " +
        Twine(tableSize) + " bytes, there are " + Twine(contents.size()));
  Expected<json::Value> table = parseJson(contents.take_front(tableSize));
  if (!table)
    return createStringError("malformed .safetensors table: " +
                             toString(table.takeError()));
  const json::Object *rows = table->getAsObject();
  if (!rows)
    return createStringError("malformed .safetensors table: no JSON object");
  SafetensorsFile file;
  for (const auto &[key, value] : *rows) {
    if (key == "__metadata__")
      continue;
    const json::Object *object = value.getAsObject();
    if (!object)
      return createStringError("malformed .safetensors table: tensor '" +
                               StringRef(key) + "' is no object");
    auto view = parseTensor(*object, contents.drop_front(tableSize));
    if (!view)
      return createStringError("malformed .safetensors table: tensor '" +
                               StringRef(key) +
                               "': " + toString(view.takeError()));
    if (*view)
      file.tensors[key] = std::move(**view);
  }
  file.buffer = std::move(buffer);
  return file;
}

Expected<SafetensorsFile> SafetensorsFile::open(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return errorCodeToError(buffer.getError());
  return parse(std::move(*buffer));
}

const TensorView *SafetensorsFile::lookup(StringRef name) const {
  auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : &it->second;
}
