//===- Header.cpp - C headers of compiled functions -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints headers.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Header.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::dit;

/// "f32 [2, 3, ?]"
static void printType(raw_ostream &os, RankedTensorType type) {
  os << dit_rt_dtype_name(*getDType(type.getElementType())) << " [";
  llvm::interleaveComma(type.getShape(), os, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      os << '?';
    else
      os << size;
  });
  os << ']';
}

static void printArguments(raw_ostream &os, StringRef title,
                           ArrayRef<EntryArgument> arguments,
                           ArrayRef<std::string> names) {
  os << "/// " << title << ":\n";
  for (auto [argument, name] : llvm::zip_equal(arguments, names)) {
    os << "///   " << name << ": ";
    printType(os, argument.type);
    os << '\n';
  }
}

/// C names for the arguments, each once.
static SmallVector<std::string> nameArguments(const EntrySignature &signature) {
  llvm::StringSet<> taken;
  taken.insert("workspace");
  SmallVector<std::string> names;
  auto add = [&](const EntryArgument &argument) {
    std::string base = getCName(argument.name), name = base;
    for (unsigned i = 1; !taken.insert(name).second; ++i)
      name = base + "_" + std::to_string(i);
    names.push_back(name);
  };
  llvm::for_each(signature.inputs, add);
  llvm::for_each(signature.results, add);
  return names;
}

static void printEntry(raw_ostream &os, const EntryPoint &entry) {
  SmallVector<std::string> names = nameArguments(entry.signature);
  ArrayRef<std::string> inputs =
      ArrayRef(names).take_front(entry.signature.inputs.size());
  ArrayRef<std::string> results =
      ArrayRef(names).drop_front(entry.signature.inputs.size());
  os << "/// The function @" << entry.signature.name << ".\n///\n";
  printArguments(os, "Inputs", entry.signature.inputs, inputs);
  printArguments(os, "Results, in memory of the caller",
                 entry.signature.results, results);
  os << "///\n/// Extents outermost first; `?` is any. Buffers are row-major "
        "without gaps if\n/// `strides` is NULL; other strides cost a packed "
        "copy, which is allocated. The workspace is of\n/// "
     << entry.cName << "_workspace_size("
     << (entry.workspaceSize ? "" : "the inputs") << ") bytes, aligned to 64";
  os << (entry.workspaceSize == 0 ? "; here none, NULL will do.\n" : ".\n");
  if (!entry.workspaceSize)
    os << "/// It depends on the extents of the inputs, of which nothing else "
          "is "
          "read for it.\n";
  os << (entry.allocates ? "/// The function also allocates memory while it "
                           "runs: some sizes "
                           "depend on data.\n"
                         : "/// Nothing else is allocated.\n");
  // What tasks of attention kernels keep there is bounded by their plans.
  os << "/// Threads that run it need a stack of 1 MB.\n";
  os << "///\n/// Returns a dit_rt_status; dit_rt_last_error() explains it.\n";
  os << "int32_t " << entry.cName << "(";
  for (StringRef name : inputs)
    os << "const dit_buffer *" << name << ", ";
  for (StringRef name : results)
    os << "dit_buffer *" << name << ", ";
  os << "void *workspace);\n";
  os << "int64_t " << entry.cName << "_workspace_size(";
  if (entry.workspaceSize)
    os << "void";
  else
    llvm::interleaveComma(inputs, os, [&](StringRef name) {
      os << "const dit_buffer *" << name;
    });
  os << ");\n";
  os << "/// For dit_rt_invoke and dit_rt_bind_parameter.\n";
  os << "extern const dit_rt_entry " << getDescriptorName(entry.cName)
     << ";\n\n";
}

void mlir::dit::emitHeader(raw_ostream &os, const CompiledObject &object,
                           StringRef source, StringRef target) {
  std::string guard = "DIT_COMPILED";
  for (const EntryPoint &entry : object.entries)
    guard += "_" + StringRef(entry.cName).upper();
  guard += "_H";
  os << "/* Written by dit-compile from " << source << " for target " << target
     << ".\n   Link with the library dit_runtime and with libm. */\n\n";
  os << "#ifndef " << guard << "\n#define " << guard << "\n\n";
  os << "#include \"dit/Runtime/Entry.h\"\n\n";
  os << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  for (const EntryPoint &entry : object.entries)
    printEntry(os, entry);
  if (!object.parameters.empty()) {
    os << (object.parameters.front().data.empty()
               ? "/* Weights to bind with dit_rt_bind_parameter before the "
                 "first call:\n"
               : "/* Weights. They are in the object; dit_rt_bind_parameter "
                 "replaces one:\n");
    for (const ExternalParameter &parameter : object.parameters) {
      os << "     \"" << parameter.symbol << "\": ";
      printType(os, parameter.type);
      os << '\n';
    }
    os << "*/\n\n";
  }
  os << "#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
}
