# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The one place that knows which LLVM is supported; used by the build and by
# DitConfig.cmake. LLVM's C++ API changes with every release, and its ABI is
# kept within one (22.1.x), so it is exactly one release.

set(DIT_LLVM_RELEASE 22.1)

# dit_find_mlir(out)
#   Finds MLIR and LLVM of that release. `out` is why it failed, or empty.
macro(dit_find_mlir out)
  set(${out} "")
  find_package(MLIR QUIET CONFIG
    HINTS ${DIT_MLIR_HINT} /usr/lib/llvm-22/lib/cmake/mlir)
  if(NOT MLIR_FOUND)
    string(CONCAT ${out} "dit needs LLVM and MLIR ${DIT_LLVM_RELEASE}, and no "
      "package MLIR was found. Install it (Debian: libmlir-22-dev "
      "mlir-22-tools llvm-22-dev), or set MLIR_DIR to the folder of its "
      "MLIRConfig.cmake. ${MLIR_NOT_FOUND_MESSAGE}")
  elseif(NOT "${LLVM_PACKAGE_VERSION}." MATCHES "^22\\.1\\.")
    string(CONCAT ${out} "dit needs LLVM and MLIR ${DIT_LLVM_RELEASE}, got "
      "${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}. Other releases have another C++ "
      "API: install ${DIT_LLVM_RELEASE}, and set MLIR_DIR to the folder of its "
      "MLIRConfig.cmake.")
  endif()
endmacro()
