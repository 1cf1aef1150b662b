# Builds under sanitizers, and the fuzzers, each in a build folder of its own:
# `./dev test asan`, `./dev test tsan` and `./dev fuzz` configure them.

set(DIT_SANITIZE "" CACHE STRING
  "Sanitizers of all targets: empty, address;undefined or thread")
option(DIT_BUILD_FUZZERS "Build the libFuzzer targets in test/Fuzz (clang)" OFF)

set(dit_sanitizer_flags "")
if(DIT_SANITIZE)
  string(REPLACE ";" "," dit_sanitizers "${DIT_SANITIZE}")
  list(APPEND dit_sanitizer_flags -fsanitize=${dit_sanitizers}
       -fno-omit-frame-pointer -g1)
  # The installed LLVM has no type information for the first two checks; the
  # third is about enumerations that C programs hand over.
  if("undefined" IN_LIST DIT_SANITIZE)
    list(APPEND dit_sanitizer_flags -fno-sanitize=vptr,function,enum
         -fno-sanitize-recover=undefined)
  endif()
endif()
if(DIT_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "DIT_BUILD_FUZZERS needs clang, whose libFuzzer it "
            "uses; CMAKE_CXX_COMPILER is ${CMAKE_CXX_COMPILER_ID}")
  endif()
  list(APPEND dit_sanitizer_flags -fsanitize=fuzzer-no-link)
endif()
add_compile_options(${dit_sanitizer_flags})
add_link_options(${dit_sanitizer_flags})
