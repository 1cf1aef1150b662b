# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os

import lit.formats
import lit.util

config.name = "DIT"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Compatibility", "Inputs", "Unit", "Numeric", "Install"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.dit_obj_root, "test")

tools = os.path.join(config.dit_obj_root, "bin")
config.environment["PATH"] = os.pathsep.join(
    [tools, config.llvm_tools_dir, config.environment["PATH"]])
# Tests compile what they test, and leave the user's cache alone.
config.environment["DIT_CACHE_DIR"] = ""
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --allow-unused-prefixes=false"

# One switch sends every module through printer, parser and bytecode again.
dit_opt = "dit-opt"
if lit_config.params.get("verify_roundtrip") or os.environ.get("DIT_VERIFY_ROUNDTRIP"):
    dit_opt += " --verify-roundtrip"
config.substitutions.append((r"(?<![\w/-])dit-opt(?![\w/.-])", dit_opt))
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%cxx", config.cxx_compiler))
config.substitutions.append(("%dit_bin", tools))
config.substitutions.append(("%dit_lib", os.path.join(config.dit_obj_root, "lib")))
config.substitutions.append(("%examples", os.path.join(config.dit_src_root, "examples")))
config.substitutions.append(("%src", config.dit_src_root))

plugin = os.path.join(config.dit_obj_root, "lib", "dit-plugin.so")
config.substitutions.append(("%dit_plugin", plugin))
if os.path.exists(plugin):
    config.available_features.add("dit-plugin")

# Programs that are not ours cannot load what is built with AddressSanitizer.
if "address" in config.c_compiler:
    config.available_features.add("asan")
if lit.util.which("ptxas", config.environment["PATH"]):
    config.available_features.add("ptxas")
