//===- Npy.cpp - NumPy's array files --------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A .npy file is a magic string, the text of a Python dict with the keys descr,
// fortran_order and shape, and the elements.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/Npy.h"
#include "dit/Support/WriteFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <optional>

using namespace llvm;
using namespace mlir::dit;

static constexpr StringLiteral kMagic("\x93NUMPY");

namespace {

struct Header {
  dit_rt_dtype dtype;
  bool fortranOrder = false;
  SmallVector<int64_t> shape;
};

/// Reads the dict literal of the header; each key must occur once.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}
  Expected<Header> parse();

private:
  Error parseEntry(Header &header);
  Error parseShape(Header &header);
  Error parseDescr(Header &header);
  std::optional<StringRef> takeString();
  bool take(StringRef token) {
    text = text.ltrim();
    return text.consume_front(token);
  }
  Error malformed(const Twine &what) {
    return createStringError("malformed .npy header: " + what);
  }

  StringRef text;
  bool seenDescr = false, seenOrder = false, seenShape = false;
};

} // namespace

static std::optional<dit_rt_dtype> parseDType(StringRef descr) {
  return StringSwitch<std::optional<dit_rt_dtype>>(descr)
      .Case("|b1", DIT_RT_BOOL)
      .Cases({"|i1", "|u1"}, DIT_RT_I8)
      .Cases({"<i2", "<u2"}, DIT_RT_I16)
      .Cases({"<i4", "<u4"}, DIT_RT_I32)
      .Cases({"<i8", "<u8"}, DIT_RT_I64)
      .Case("<f2", DIT_RT_F16)
      .Cases({"<V2", "|V2"}, DIT_RT_BF16)
      .Case("<f4", DIT_RT_F32)
      .Case("<f8", DIT_RT_F64)
      .Default(std::nullopt);
}

static StringRef getDescr(dit_rt_dtype dtype) {
  static constexpr StringLiteral names[] = {"",    "|b1", "|i1", "<i2", "<i4",
                                            "<i8", "<f2", "<V2", "<f4", "<f8"};
  return names[dtype];
}

std::optional<StringRef> HeaderParser::takeString() {
  text = text.ltrim();
  if (text.empty() || (text.front() != '\'' && text.front() != '"'))
    return std::nullopt;
  char quote = text.front();
  size_t end = text.find(quote, 1);
  if (end == StringRef::npos)
    return std::nullopt;
  StringRef value = text.slice(1, end);
  text = text.drop_front(end + 1);
  return value;
}

Error HeaderParser::parseDescr(Header &header) {
  std::optional<StringRef> descr = takeString();
  if (!descr)
    return malformed("'descr' is not a string; structured arrays are not "
                     "supported");
  std::optional<dit_rt_dtype> dtype = parseDType(*descr);
  if (!dtype)
    return createStringError("dtype '" + *descr +
                             "' is not supported; use little-endian bool, "
                             "integers, float16, bfloat16 (<V2 or <u2), "
                             "float32 or float64");
  header.dtype = *dtype;
  seenDescr = true;
  return Error::success();
}

Error HeaderParser::parseShape(Header &header) {
  if (!take("("))
    return malformed("'shape' is not a tuple");
  while (!take(")")) {
    int64_t size;
    text = text.ltrim();
    if (text.consumeInteger(10, size) || size < 0)
      return malformed("'shape' holds something else than extents");
    text.consume_front("L");
    header.shape.push_back(size);
    if (!take(",") && !text.ltrim().starts_with(")"))
      return malformed("'shape' does not end");
  }
  seenShape = true;
  return Error::success();
}

Error HeaderParser::parseEntry(Header &header) {
  std::optional<StringRef> key = takeString();
  if (!key || !take(":"))
    return malformed("expected a key");
  if (*key == "descr" && !seenDescr)
    return parseDescr(header);
  if (*key == "shape" && !seenShape)
    return parseShape(header);
  if (*key != "fortran_order" || seenOrder)
    return malformed("unexpected key '" + *key + "'");
  header.fortranOrder = take("True");
  if (!header.fortranOrder && !take("False"))
    return malformed("'fortran_order' is neither True nor False");
  seenOrder = true;
  return Error::success();
}

Expected<Header> HeaderParser::parse() {
  Header header;
  if (!take("{"))
    return malformed("expected a dict");
  while (!take("}")) {
    if (Error error = parseEntry(header))
      return std::move(error);
    if (!take(",") && !text.ltrim().starts_with("}"))
      return malformed("the dict does not end");
  }
  if (!seenDescr || !seenOrder || !seenShape)
    return malformed("one of 'descr', 'fortran_order', 'shape' is missing");
  return header;
}

/// Bytes of the elements, or nothing if that overflows.
static std::optional<int64_t> computeNumBytes(const Header &header) {
  int64_t bytes = dit_rt_dtype_size(header.dtype);
  for (int64_t size : header.shape)
    if (MulOverflow(bytes, size, bytes))
      return std::nullopt;
  return bytes;
}

/// Copies column-major `src` into row-major `tensor`.
static void copyFromFortranOrder(const char *src, HostTensor &tensor) {
  int64_t elementSize = dit_rt_dtype_size(tensor.getDType());
  ArrayRef<int64_t> shape = tensor.getShape();
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    int64_t offset = 0;
    for (int64_t dim = shape.size() - 1; dim >= 0; --dim)
      offset = offset * shape[dim] + index[dim];
    std::memcpy(tensor.data() + i * elementSize, src + offset * elementSize,
                elementSize);
    for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
      if (++index[dim] < shape[dim])
        break;
      index[dim] = 0;
    }
  }
}

Expected<HostTensor> mlir::dit::parseNpy(StringRef contents) {
  if (!contents.consume_front(kMagic) || contents.size() < 4)
    return createStringError("not a .npy file");
  unsigned version = static_cast<uint8_t>(contents[0]);
  if (version < 1 || version > 3)
    return createStringError("unknown .npy version " + Twine(version));
  size_t lengthBytes = version == 1 ? 2 : 4;
  contents = contents.drop_front(2);
  if (contents.size() < lengthBytes)
    return createStringError("truncated .npy file");
  size_t headerSize = version == 1 ? support::endian::read16le(contents.data())
                                   : support::endian::read32le(contents.data());
  contents = contents.drop_front(lengthBytes);
  if (contents.size() < headerSize)
    return createStringError("truncated .npy file");
  Expected<Header> header =
      HeaderParser(contents.take_front(headerSize)).parse();
  if (!header)
    return header.takeError();
  contents = contents.drop_front(headerSize);
  std::optional<int64_t> bytes = computeNumBytes(*header);
  if (!bytes || uint64_t(*bytes) != contents.size())
    return createStringError(
        "the .npy file holds " + Twine(contents.size()) +
        " bytes of elements where its header, " +
        formatTensorType(header->dtype, header->shape) + ", needs " +
        (bytes ? Twine(*bytes) : Twine("more than can be addressed")));
  auto tensor = HostTensor::allocate(header->dtype, header->shape);
  if (!tensor)
    return tensor.takeError();
  if (header->fortranOrder)
    copyFromFortranOrder(contents.data(), *tensor);
  else
    std::memcpy(tensor->data(), contents.data(), contents.size());
  return tensor;
}

Expected<HostTensor> mlir::dit::readNpy(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return errorCodeToError(buffer.getError());
  return parseNpy((*buffer)->getBuffer());
}

Error mlir::dit::writeNpy(StringRef path, const HostTensor &tensor) {
  std::string dict;
  raw_string_ostream os(dict);
  os << "{'descr': '" << getDescr(tensor.getDType())
     << "', 'fortran_order': False, 'shape': (";
  interleave(tensor.getShape(), os, ", ");
  os << (tensor.getShape().size() == 1 ? ",), }" : "), }");
  // The elements start at a multiple of 64 bytes.
  size_t unpadded = kMagic.size() + 4 + dict.size() + 1;
  os.indent(alignTo(unpadded, 64) - unpadded) << '\n';

  char prefix[4] = {1, 0};
  support::endian::write16le(prefix + 2, dict.size());
  return writeFile(path, [&](raw_ostream &file) {
    file << kMagic << StringRef(prefix, 4) << dict
         << StringRef(tensor.data(), tensor.getNumBytes());
  });
}
