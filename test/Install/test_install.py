# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an embedder does: install dit, find it with CMake, build programs.

The project in consumer/, with examples/embedding as a part of it, in three ways:
from an install tree and from the build tree with libMLIR.so, and from the
install tree with MLIR's archives inside. One test, so that one worker does all
of it in order and the others stay free. With --slow, dit itself is built on
MLIR's archives too.
"""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

CONSUMER = pathlib.Path(__file__).resolve().parent / "consumer"
TOOLS = ("dit-opt", "dit-run", "dit-compile", "dit-reduce", "dit-lsp-server")

PROGRAM = """
func.func @main(%q: tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32> {
  %o = dit.attention ins(%q, %q, %q : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>)
    pattern(#host.stripes<period = 4>) outs(%q : tensor<1x1x8x4xf32>) {scale = 0.5 : f64}
  return %o : tensor<1x1x8x4xf32>
}
"""


def run(*command, **arguments):
    """Runs a command that has to succeed; what it wrote."""
    result = subprocess.run([str(part) for part in command], check=False, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            **arguments)
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def cache_entry(build_dir, name):
    found = re.search(rf"^{name}:\w+=(.*)$", (build_dir / "CMakeCache.txt").read_text(),
                      re.MULTILINE)
    return found[1] if found else ""


class Consumer:
    """Configures and builds projects with the compilers that dit was built with."""

    def __init__(self, build_dir, folder):
        self.folder = folder
        self.flags = ["-G", "Ninja"] + [
            f"-D{name}={cache_entry(build_dir, name)}" for name in
            ("CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_CXX_COMPILER_LAUNCHER",
             "CMAKE_EXE_LINKER_FLAGS", "MLIR_DIR")]

    def configure(self, source, name, *flags):
        build = self.folder / name
        result = subprocess.run(
            ["cmake", "-S", source, "-B", build, *self.flags, *flags], check=False,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return build, result

    def build(self, source, name, *flags):
        build, result = self.configure(source, name, *flags)
        assert result.returncode == 0, result.stdout[-4000:]
        run("cmake", "--build", build)
        return build / "bin" if (build / "bin").is_dir() else build


@pytest.fixture(scope="module")
def build_dir(tools_dir):
    return tools_dir.parent


@pytest.fixture(scope="module")
def folder(build_dir):
    """An empty folder; always the same, so that ccache knows its paths."""
    folder = build_dir / "test" / "Install"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def prefix(build_dir, folder):
    """An install tree of dit."""
    run("cmake", "--install", build_dir, "--prefix", folder / "prefix")
    return folder / "prefix"


@pytest.fixture(scope="module")
def consumer(build_dir, folder):
    return Consumer(build_dir, folder)


def check_programs(build):
    """The attention of the example has the right numbers, by both pipelines."""
    output = run(build / "host-run")
    assert re.search(r"^reference: max abs error \d\.\de-0[678]$", output, re.M), output
    assert re.search(r"^cpu: max abs error \d\.\de-0[678]$", output, re.M), output


def check_opt(host_opt):
    """The driver has dit, upstream and its own attribute in one context."""
    parsed = run(host_opt, input=PROGRAM)
    assert "pattern(#host.stripes<period = 4>)" in parsed
    meaning = run(host_opt, "--dit-decompose", input=PROGRAM)
    assert "dit." not in meaning and "linalg.generic" in meaning
    lowered = run(host_opt, "--pass-pipeline=builtin.module(dit-to-cpu)", input=PROGRAM)
    assert "llvm.func" in lowered and "dit.attention" not in lowered
    assert "llvm.urem" in lowered  # the pattern's own arithmetic
    wrong = subprocess.run([host_opt], input=PROGRAM.replace("= 4>", "= 0>"),
                           text=True, capture_output=True, check=False)
    assert wrong.returncode == 1
    assert "expected a positive period, got 0" in wrong.stderr


def test_embedding(build_dir, prefix, consumer):
    installed = consumer.build(CONSUMER, "installed", f"-DDit_DIR={prefix}/lib/cmake/Dit",
                               "-DCONSUMER_LINK_EACH=ON")
    check_programs(installed)
    check_opt(installed / "host-opt")
    # Programs for all libraries but the umbrella and Reduction, which is no part of it.
    linked = {path.name for path in installed.glob("link-*")}
    assert linked >= {"link-all", "link-IR", "link-Pipelines"} and len(linked) > 10, linked
    tree = consumer.build(CONSUMER, "tree", f"-DDit_DIR={build_dir}/lib/cmake/Dit",
                          "-DCMAKE_BUILD_TYPE=Debug", "-DHOST_BUILD_OPT=OFF",
                          "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    check_programs(tree)
    # LLVM's headers are read as Debian built LLVM, whatever the build type.
    commands = json.loads((tree.parent / "compile_commands.json").read_text())
    commands = [c["command"] for c in commands if "/examples/" in c["file"]]
    assert commands and all("-DNDEBUG" in c and "-D_GNU_SOURCE" in c for c in commands)
    static = consumer.build(CONSUMER, "static", f"-DDit_DIR={prefix}/lib/cmake/Dit",
                            "-DDIT_LINK_MLIR_DYLIB=OFF")
    check_programs(static)
    check_opt(static / "host-opt")
    for program in ("host-opt", "host-run", "link-all"):
        assert "libMLIR.so" in run("ldd", installed / program)
        assert "libMLIR.so" not in run("ldd", static / program)


@pytest.mark.slow
def test_dit_on_archives(source_root, consumer, folder):
    """All of dit with MLIR's archives inside, and a project that takes it so."""
    build, result = consumer.configure(source_root, "archives", "-DDIT_LINK_MLIR_DYLIB=OFF",
                                       "-DDIT_BUILD_PYTHON=OFF", "-DDIT_INCLUDE_TESTS=OFF")
    assert result.returncode == 0, result.stdout[-4000:]
    run("cmake", "--build", build)
    for tool in TOOLS:
        assert "libMLIR.so" not in run("ldd", build / "bin" / tool)
    assert "libMLIR.so" not in run("ldd", build / "lib" / "libdit-c.so")
    meaning = run(build / "bin" / "dit-opt", "--dit-decompose",
                  input=PROGRAM.replace("#host.stripes<period = 4>", "#dit.causal"))
    assert "dit." not in meaning and "linalg.generic" in meaning
    run("cmake", "--install", build, "--prefix", folder / "archives-prefix")
    programs = consumer.build(CONSUMER, "on-archives",
                              f"-DDit_DIR={folder}/archives-prefix/lib/cmake/Dit")
    check_programs(programs)
    check_opt(programs / "host-opt")
    assert "libMLIR.so" not in run("ldd", programs / "host-run")


def test_all_public_files_are_installed(source_root, build_dir, prefix):
    for root, patterns in ((source_root, ("*.h", "*.td")), (build_dir, ("*.inc",))):
        wanted = {path.relative_to(root) for pattern in patterns
                  for path in (root / "include").rglob(pattern)}
        assert wanted
        missing = {path for path in wanted if not (prefix / path).exists()}
        assert not missing
    internal = {"libDitProgramGenerator.a"}  # what the tests are made with
    for pattern in ("libDit*.a", "*.so"):
        libraries = {path.name for path in (build_dir / "lib").glob(pattern)}
        assert libraries - internal == {path.name for path in (prefix / "lib").glob(pattern)}


def test_installed_tools_run(prefix, folder):
    for tool in TOOLS:
        assert "USAGE" in run(prefix / "bin" / tool, "--help")
        assert (prefix / "share/bash-completion/completions" / tool).exists()
        assert (prefix / "share/fish/vendor_completions.d" / f"{tool}.fish").exists()
    assert (prefix / "share/zsh/site-functions/_dit").exists()
    module = folder / "square.mlir"
    module.write_text("func.func @square(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
                      "  %y = arith.mulf %x, %x : tensor<3xf32>\n"
                      "  return %y : tensor<3xf32>\n}\n")
    run(prefix / "bin" / "dit-compile", module, "-o", folder / "libsquare.so",
        "--header", folder / "square.h")
    assert str(prefix / "lib" / "libdit_runtime.so") in run("ldd", folder / "libsquare.so")


RUNTIME_PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(Dit REQUIRED COMPONENTS Runtime)
if(TARGET MLIR OR TARGET Dit::IR)
  message(FATAL_ERROR "the runtime asked for LLVM")
endif()
add_executable(user user.c)
target_link_libraries(user PRIVATE Dit::dit_runtime)
"""

RUNTIME_USER = """
#include "dit/Runtime/Runtime.h"
#include "dit/Runtime/Entry.h"
int main(void) {
  return dit_rt_dtype_size(DIT_RT_F32) != 4 || dit_rt_get_num_threads() < 1;
}
"""


def test_runtime_needs_no_llvm(prefix, consumer, folder):
    source = folder / "user"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(RUNTIME_PROJECT)
    (source / "user.c").write_text(RUNTIME_USER)
    build = consumer.build(source, "user-build", f"-DDit_DIR={prefix}/lib/cmake/Dit",
                           "-DMLIR_DIR=/nonexistent")
    run(build / "user")
    assert "LLVM" not in run("ldd", build / "user")


def test_c_api(source_root, prefix, consumer):
    """A C program needs the library and its headers, and no LLVM to build."""
    build = consumer.build(source_root / "examples" / "embedding" / "c", "c",
                           f"-DDit_DIR={prefix}/lib/cmake/Dit", "-DMLIR_DIR=/nonexistent")
    assert "o[0] = 3.0000, o[2047] = 3.0000" in run(build / "attention")


FINDER = """
cmake_minimum_required(VERSION 3.25)
project(finder LANGUAGES C CXX)
find_package(Dit REQUIRED CONFIG)
"""


@pytest.mark.parametrize("version", ["21.1.8", "22.2.0", "221.1.0"])
def test_other_llvm_is_refused(source_root, prefix, consumer, folder, version):
    """Both dit's users and dit itself say which LLVM is missing."""
    fake = folder / f"mlir-{version}"
    fake.mkdir()
    (fake / "MLIRConfig.cmake").write_text(f"set(LLVM_PACKAGE_VERSION {version})\n")
    source = folder / f"finder-{version}"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(FINDER)
    for project in (source, source_root):
        _, result = consumer.configure(project, f"build-{version}-{project.name}",
                                       f"-DDit_DIR={prefix}/lib/cmake/Dit",
                                       f"-DMLIR_DIR={fake}")
        assert result.returncode != 0
        text = " ".join(result.stdout.split())
        assert f"dit needs LLVM and MLIR 22.1, got {version} in {fake}" in text
        assert "set MLIR_DIR to the folder" in text
