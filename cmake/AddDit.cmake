# Wrappers that give every target of the project the same flags, precompiled
# header and link mode.

# -fPIC everywhere, so that tools can share the libraries' precompiled header.
set(DIT_CXX_FLAGS -fPIC -Wall -Wextra -Wno-unused-parameter -fno-exceptions
    -Werror=return-type)

# The installed LLVM was built with NDEBUG, which changes the layout of some of
# its classes (Pass::Statistic), so its headers are read with NDEBUG too. Our
# own assertions stay on: see the end of DitPCH.h.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Lets ccache reuse results that were built with a precompiled header.
  add_compile_options(
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# What comes from upstream. Users of the package get its include folders,
# definitions and link mode from DitConfig.cmake.
add_library(DitUpstream INTERFACE)
target_link_libraries(DitUpstream INTERFACE LLVM)
set_target_properties(DitUpstream PROPERTIES
  EXPORT_NAME Upstream DIT_LINK_MLIR_DYLIB "${DIT_LINK_MLIR_DYLIB}")
install(TARGETS DitUpstream EXPORT DitTargets)

# dit_link_mlir(target [components...])
#   Links upstream MLIR and LLVM. With the shared library (default) component
#   names are ignored: naming them would drag a second, static MLIR in. The
#   choice is a property, not fixed when a library is made: whoever uses the
#   installed archives chooses for the whole program.
function(dit_link_mlir target)
  set(dylib $<BOOL:$<TARGET_PROPERTY:DitUpstream,DIT_LINK_MLIR_DYLIB>>)
  # MLIRIR for all, as the precompiled header refers to it.
  list(APPEND ARGN MLIRIR)
  target_link_libraries(${target} PUBLIC "$<IF:${dylib},MLIR,${ARGN}>"
    DitUpstream)
endfunction()

# dit_export(target [SET set])
#   Installs a library or program and puts it into the package, as Dit::X for
#   the target DitX and under its own name otherwise.
function(dit_export target)
  cmake_parse_arguments(ARG "" "SET" "" ${ARGN})
  if(NOT ARG_SET)
    set(ARG_SET DitTargets)
  endif()
  string(REGEX REPLACE "^Dit(.*)$" "\\1" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT ${ARG_SET}
    RUNTIME DESTINATION bin LIBRARY DESTINATION lib ARCHIVE DESTINATION lib
    INCLUDES DESTINATION include)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "EXECUTABLE")
    target_include_directories(${target} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
      $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
    add_library(Dit::${name} ALIAS ${target})
  endif()
endfunction()

# Dit::Dit: all libraries that add_dit_library made.
function(dit_add_umbrella)
  get_property(libraries GLOBAL PROPERTY DIT_LIBS)
  add_library(DitDit INTERFACE)
  target_link_libraries(DitDit INTERFACE ${libraries})
  dit_export(DitDit)
endfunction()

# One target owns the precompiled header of the MLIR core; others reuse it.
function(dit_add_pch)
  file(WRITE ${PROJECT_BINARY_DIR}/DitPCH.cpp "// Owner of the precompiled header.\n")
  add_library(DitPCH OBJECT ${PROJECT_BINARY_DIR}/DitPCH.cpp)
  target_compile_options(DitPCH PRIVATE ${DIT_CXX_FLAGS})
  target_precompile_headers(DitPCH PRIVATE ${PROJECT_SOURCE_DIR}/cmake/DitPCH.h)
endfunction()

# add_dit_library(name sources... [DEPENDS targets...] [LINK_LIBS libs...]
#                 [MLIR_LIBS components...] [NO_PCH] [NOT_IN_UMBRELLA])
#   A static library that is installed, exported and part of Dit::Dit. Other
#   kinds of library are made by add_library and exported by dit_export.
function(add_dit_library name)
  cmake_parse_arguments(ARG "NO_PCH;NOT_IN_UMBRELLA" "" "DEPENDS;LINK_LIBS;MLIR_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE ${DIT_CXX_FLAGS})
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM DitPCH)
  endif()
  add_dependencies(${name} dit-headers ${ARG_DEPENDS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  dit_link_mlir(${name} ${ARG_MLIR_LIBS})
  dit_export(${name})
  if(NOT ARG_NOT_IN_UMBRELLA)
    set_property(GLOBAL APPEND PROPERTY DIT_LIBS ${name})
  endif()
endfunction()

# add_dit_tool(name sources... [LINK_LIBS libs...] [MLIR_LIBS components...])
#   A program that knows all of dit and of upstream.
function(add_dit_tool name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS;LINK_LIBS;MLIR_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE ${DIT_CXX_FLAGS})
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM DitPCH)
  endif()
  add_dependencies(${name} dit-headers ${ARG_DEPENDS})
  target_link_libraries(${name} PRIVATE DitDit ${ARG_LINK_LIBS})
  dit_link_mlir(${name} ${ARG_MLIR_LIBS} MLIRRegisterAllDialects
    MLIRRegisterAllExtensions MLIRRegisterAllPasses)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  dit_export(${name})
  set_property(GLOBAL APPEND PROPERTY DIT_TOOLS ${name})
endfunction()

# add_dit_unittest(name sources... [LINK_LIBS libs...]): a GTest program, part
# of the target check-dit-unit.
function(add_dit_unittest name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS;LINK_LIBS;MLIR_LIBS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE ${DIT_CXX_FLAGS})
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM DitPCH)
  endif()
  add_dependencies(${name} dit-headers ${ARG_DEPENDS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} GTest::gtest GTest::gtest_main)
  dit_link_mlir(${name} ${ARG_MLIR_LIBS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/Unit)
  add_dependencies(DitUnitTests ${name})
endfunction()

# add_dit_doc(td generator output): a page in build/docs that mlir-tblgen makes
# of a .td file with -gen-<generator>; part of the target dit-doc.
add_custom_target(dit-doc)
function(add_dit_doc td generator output)
  cmake_parse_arguments(ARG "" "" "ARGS" ${ARGN})
  set(page ${PROJECT_BINARY_DIR}/docs/${output}.md)
  set(depfile ${CMAKE_CURRENT_BINARY_DIR}/${output}.md.d)
  add_custom_command(OUTPUT ${page}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/docs
    COMMAND ${MLIR_TABLEGEN_EXE} -gen-${generator} ${ARG_ARGS}
            -I ${PROJECT_SOURCE_DIR}/include -I ${MLIR_INCLUDE_DIRS}
            ${CMAKE_CURRENT_SOURCE_DIR}/${td} -o ${page} -d ${depfile}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${td} ${MLIR_TABLEGEN_EXE}
    DEPFILE ${depfile}
    COMMENT "Generating docs/${output}.md")
  add_custom_target(dit-doc-${output} DEPENDS ${page})
  add_dependencies(dit-doc dit-doc-${output})
endfunction()
