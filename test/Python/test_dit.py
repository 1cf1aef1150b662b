# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Python package: modules, programs, arrays, errors, threads."""

import doctest
import json
import pathlib
import subprocess
import sys
import threading
import time

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

dit = pytest.importorskip("dit", reason="CMake found no nanobind and left the package out")
INPUTS = pathlib.Path(__file__).parent / "Inputs"

SCALE = """
func.func @main(%x: tensor<?x3xf32> {dit.name = "x"}, %s: f32 {dit.name = "s"})
    -> tensor<?x3xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x3xf32>
  %init = tensor.empty(%n) : tensor<?x3xf32>
  %0 = linalg.map ins(%x : tensor<?x3xf32>) outs(%init : tensor<?x3xf32>)
      (%in: f32, %out: f32) {
        %1 = arith.mulf %in, %s : f32
        linalg.yield %1 : f32
      }
  return %0 : tensor<?x3xf32>
}
"""

WEIGHTED = """
ml_program.global private @a(#ml_program.extern<tensor<3xf32>>) : tensor<3xf32>
ml_program.global private @b(#ml_program.extern<tensor<3xf32>>) : tensor<3xf32>
func.func @main() -> tensor<3xf32> {
  %a = ml_program.global_load_const @a : tensor<3xf32>
  %b = ml_program.global_load_const @b : tensor<3xf32>
  %0 = arith.addf %a, %b : tensor<3xf32>
  return %0 : tensor<3xf32>
}
"""


def attention(batch=1, length=64, dtype="f32"):
    tensor = f"tensor<{batch}x2x{length}x16x{dtype}>"
    return f"""
func.func @main(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
  %init = tensor.empty() : {tensor}
  %o = dit.attention ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
      outs(%init : {tensor}) {{scale = 0.25 : f64, site = "a"}}
  return %o : {tensor}
}}"""


def elementwise(dtype, op="addi"):
    tensor = f"tensor<2x3x{dtype}>"
    return f"""
func.func @main(%x: {tensor}) -> {tensor} {{
  %0 = arith.{op} %x, %x : {tensor}
  return %0 : {tensor}
}}"""


def softmax_attention(q, k, v, scale):
    scores = np.einsum("bhqd,bhkd->bhqk", q, k) * scale
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bhqk,bhkd->bhqd", weights / weights.sum(-1, keepdims=True), v)


@pytest.fixture(scope="module")
def scale():
    return dit.compile(SCALE)


# Modules.


def test_the_documentation_runs():
    import dit._module
    for module in (dit, dit._module):
        result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
        assert result.attempted > 0 and result.failed == 0


def test_parse_text_bytecode_and_files(tmp_path):
    module = dit.Module.parse(attention())
    assert "dit.attention" in str(module)
    assert repr(module).startswith("Module(main: (arg0: f32[1, 2, 64, 16]")
    again = dit.Module.parse(module.to_bytecode())
    assert str(again) == str(module)
    for name in ("m.mlir", "m.mlirbc"):
        module.save(tmp_path / name)
        for path in (tmp_path / name, str(tmp_path / name)):
            assert str(dit.Module.parse(path)) == str(module)
    assert (tmp_path / "m.mlirbc").read_bytes().startswith(b"ML\xefR")


def test_pipelines_and_printing():
    module = dit.Module.parse(attention())
    copy = module.clone()
    assert copy.run("dit-decompose") is copy
    assert "dit.attention" not in str(copy) and "dit.attention" in str(module)
    assert '"dit.attention"(' in module.to_text(generic=True)
    assert "loc(" in module.to_text(locations=True) and "loc(" not in module.to_text()
    large = dit.Module.parse("func.func @f() -> tensor<4xf32> {\n"
                             "%0 = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>\n"
                             "return %0 : tensor<4xf32>\n}")
    assert "__elided__" in large.to_text(elide=2) and "__elided__" not in str(large)
    module.verify()


def test_sites_and_reports():
    module = dit.Module.parse(attention())
    assert [site["site"] for site in module.sites] == ["a"]
    assert module.sites[0]["dense_flops"] == 4 * 2 * 64 * 64 * 16
    assert "1 attentions" in module.attention_report()


def test_branches():
    module = dit.Module.parse(INPUTS / "softmax.mlir").run("dit-raise-attention")
    report = module.branches
    assert report["branches"] == [] and len(report["loose"]) == 1


RULES = {"broadcast": {"self": {"period": 2, "window": [0, 900]}}}


def test_plans(tmp_path):
    """A plan as an object, as text and as a file, and out again."""
    module = dit.Module.parse(attention())
    assert module.import_plan(RULES, steps=4) is module
    table = module.export_plan()
    (branch,) = table["branches"]
    assert branch["site"] == "a" and branch["modes"] == ["full", "share", "full", "share"]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(table))
    for plan in (table, json.dumps(table), path, str(path)):
        again = dit.Module.parse(attention()).import_plan(plan, name="p")
        assert again.export_plan("p") == table
    assert list(module.import_plan(RULES, name="q", timesteps=[9, 4]).export_plan("q")
                ["timesteps"]) == [9, 4]


def test_wrong_plans(tmp_path):
    module = dit.Module.parse(attention())
    before = str(module)
    for plan, arguments, text in (
            (RULES, {}, "expected the timesteps of the sampler"),
            ({"broadcast": {"self": 3}}, {"steps": 4}, "plan file '-': .*broadcast"),
            ('{"a": ', {}, "plan file '-': "),
            (RULES, {"conditional": "third"}, "expected None, 'first' or 'second', got 'third'")):
        with pytest.raises(dit.ArgumentError, match=text):
            module.import_plan(plan, **arguments)
    with pytest.raises(dit.FileError, match="none.json: No such file"):
        module.import_plan(tmp_path / "none.json")
    with pytest.raises(dit.ArgumentError, match="the module has no plan") as info:
        module.export_plan()
    assert info.value.diagnostics
    with pytest.raises(dit.ArgumentError, match="expected table or diffusers or xdit, got 'csv'"):
        module.export_plan(format="csv")
    assert str(module) == before


@pytest.mark.parametrize("name", ["abort", "fault"])
def test_damaged_bytecode(source_root, name):
    """LLVM's reader crashes on these; this process does not."""
    path = source_root / "test" / "CAPI" / "Inputs" / f"{name}.mlirbc"
    for source in (path, path.read_bytes()):
        with pytest.raises(dit.CompileError, match="the bytecode is damaged") as info:
            dit.Module.parse(source)
        assert len(info.value.diagnostics) == 1
    good = dit.Module.parse(attention())
    assert str(dit.Module.parse(good.to_bytecode(), trusted=True)) == str(good)


def test_half_written_text():
    """MLIR's parser crashes on it."""
    text = """func.func @f(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>) {
      linalg.transpose ins(%x : tensor<2x3xf32>) outs(%y : tensor<3x2xf32>) permutation = ["""
    with pytest.raises(dit.CompileError, match="MLIR's parser fails on this text"):
        dit.Module.parse(text)


def test_messages_may_quote_any_bytes():
    with pytest.raises(dit.CompileError, match="is unknown"):
        dit.Module.parse(dit.Module.parse("").to_bytecode().replace(b"builtin", b"\xffuiltin"))


def test_remarks_are_diagnostics():
    text = INPUTS / "softmax.mlir"
    module = dit.Module.parse(text, remarks="dit-raise-attention")
    module.run("dit-raise-attention")
    assert module.sites
    assert [d.severity for d in module.diagnostics] == [dit.Severity.REMARK]
    assert "raised attention" in module.diagnostics[0].message
    assert module.diagnostics[0].file == str(text) and module.diagnostics[0].line > 1
    assert dit.Module.parse(text).run("dit-raise-attention").diagnostics == []


def test_link():
    caller = dit.Module.parse("""
        func.func private @f(f32) -> f32
        func.func @main(%x: f32) -> f32 {
          %0 = call @f(%x) : (f32) -> f32
          return %0 : f32
        }""")
    library = """
        func.func @f(%x: f32) -> f32 {
          %0 = arith.addf %x, %x : f32
          return %0 : f32
        }"""
    other = caller.clone().link(dit.Module.parse(library))
    program = dit.compile(caller.link(library))
    assert program(1.5) == dit.compile(other)(1.5) == 3.0


# Arrays.


def test_numpy_in_any_strides(scale):
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    for view in (x, x[::2], x[::-1], np.asfortranarray(x), x[:0],
                 np.broadcast_to(x[0], (5, 3)), x.T.copy().T):
        result = scale(view, 2.0)
        assert isinstance(result, np.ndarray) and result.dtype == np.float32
        np.testing.assert_array_equal(result, view * 2)


def test_inputs_by_name(scale):
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(scale(s=np.float32(3), x=x), 3 * x)
    np.testing.assert_array_equal(scale(x, s=3), 3 * x)


def test_nothing_is_copied():
    """A read-only input is read where it is; out is written where it is."""
    program = dit.compile(elementwise("i32"))
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    x.flags.writeable = False
    out = np.empty((3, 2), np.int32).T
    assert program(x, out=out) is out
    np.testing.assert_array_equal(out, 2 * x)
    address = out.__array_interface__["data"][0]
    assert program(x, out=(out,))[0].__array_interface__["data"][0] == address


def test_out_of_dynamic_extents(scale):
    x = np.ones((2, 3), np.float32)
    out = np.empty((2, 3), np.float32)
    scale(x, 4, out=out)
    np.testing.assert_array_equal(out, 4 * x)
    with pytest.raises(dit.ArgumentError, match="other extents"):
        scale(x, 4, out=np.empty((3, 3), np.float32))


@pytest.mark.parametrize("dtype,numpy_dtype,op", [
    ("i8", np.int8, "addi"), ("i16", np.int16, "addi"), ("i64", np.int64, "addi"),
    ("i8", np.uint8, "addi"), ("i32", np.uint32, "addi"), ("i1", np.bool_, "ori"),
    ("f16", np.float16, "addf"), ("bf16", ml_dtypes.bfloat16, "addf"),
    ("f64", np.float64, "addf")])
def test_element_types(dtype, numpy_dtype, op):
    program = dit.compile(elementwise(dtype, op), target="reference")
    x = np.array([[0, 1, 2], [3, 4, 5]]).astype(numpy_dtype)
    result = program(x)
    wanted = x if op == "ori" else x + x
    np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))
    assert result.dtype == program["main"].results[0].numpy_dtype


def test_targets_agree():
    rng = np.random.default_rng(0)
    q, k, v = rng.standard_normal((3, 1, 2, 64, 16), dtype=np.float32)
    wanted = softmax_attention(*(x.astype(np.float64) for x in (q, k, v)), 0.25)
    for target in ("cpu", "reference"):
        np.testing.assert_allclose(dit.compile(attention(), target=target)(q, k, v),
                                   wanted, atol=1e-5)


def test_results_outlive_programs(scale):
    x = np.ones((2, 3), np.float32)
    result = dit.compile(SCALE)(x, 2)
    np.testing.assert_array_equal(result, 2 * x)
    # Memory of the library goes when its last array goes.
    before = sys.getrefcount(result.base)
    part = result[1:]
    assert sys.getrefcount(result.base) > before or part.base is not None
    del result
    np.testing.assert_array_equal(part, 2 * x[1:])


class OnlyDLPack:
    """A tensor of a framework that dit has never heard of."""

    def __init__(self, array, device=1):
        self.array, self.device = array, device

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.device, 0


class WithArrayAPI(OnlyDLPack):
    """The same of a framework with the array API, which is this class."""

    bfloat16 = "bfloat16"

    @classmethod
    def from_dlpack(cls, array):
        return cls(np.from_dlpack(array))

    def __array_namespace__(self):
        return type(self)

    def view(self, dtype):
        assert dtype == self.bfloat16
        return type(self)(self.array.view(ml_dtypes.bfloat16))


def test_dlpack(scale):
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    frozen = x.copy()
    frozen.flags.writeable = False
    for view in (x, x[::2], x[::-1], x.T.copy().T, x[:0], frozen):
        got = scale(OnlyDLPack(view), 2)
        assert isinstance(got, np.ndarray)
        np.testing.assert_array_equal(got, 2 * view)
    out = np.empty((3, 4), np.float32).T
    wrapped = OnlyDLPack(out)
    assert scale(OnlyDLPack(x), 3, out=wrapped) is wrapped
    np.testing.assert_array_equal(out, 3 * x)


def test_other_frameworks_get_their_own(scale):
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    got = scale(WithArrayAPI(x), 2)
    assert isinstance(got, WithArrayAPI)
    np.testing.assert_array_equal(got.array, 2 * x)
    bf16 = dit.compile(elementwise("bf16", "addf"))
    y = np.ones((2, 3), ml_dtypes.bfloat16)
    got = bf16(y, out=None)
    assert isinstance(got, np.ndarray)
    mixed = dit.compile("""
        func.func @main(%x: tensor<2xf32>) -> tensor<2xbf16> {
          %0 = arith.truncf %x : tensor<2xf32> to tensor<2xbf16>
          return %0 : tensor<2xbf16>
        }""")
    got = mixed(WithArrayAPI(np.array([1, 2], np.float32)))
    assert isinstance(got, WithArrayAPI) and got.array.dtype == ml_dtypes.bfloat16
    assert got.array.tolist() == [1, 2]


def test_wrong_dlpack(scale):
    x = np.ones((2, 3), np.float32)
    with pytest.raises(dit.ArgumentError, match="expected element type f32, got f64"):
        scale(OnlyDLPack(x.astype(np.float64)), 2)
    with pytest.raises(dit.ArgumentError, match="no element type of dit has DLPack's code"):
        scale(OnlyDLPack(x.astype(np.complex64)), 2)
    with pytest.raises(dit.ArgumentError, match="expected extent 3 in dimension 1, got 4"):
        scale(OnlyDLPack(np.ones((2, 4), np.float32)), 2)
    for device, name in ((2, "CUDA"), (99, "DLPack's device type 99")):
        with pytest.raises(dit.ArgumentError, match=f"'x': the tensor is in the memory of {name};"):
            scale(OnlyDLPack(x, device), 2)
    frozen = x.copy()
    frozen.flags.writeable = False
    with pytest.raises(dit.ArgumentError, match="cannot pass on to be written"):
        scale(x, 2, out=OnlyDLPack(frozen))
    with pytest.raises(dit.ArgumentError, match="expected element type f32, got f64"):
        scale(x, 2, out=OnlyDLPack(np.ones((2, 3))))


def test_jax(scale):
    """In an environment that has it; the tests of the project need no JAX."""
    jnp = pytest.importorskip("jax.numpy")
    x = jnp.arange(12, dtype=jnp.float32).reshape(4, 3)
    got = scale(x, 2)
    assert isinstance(got, type(x)) and got.dtype == jnp.float32 and (got == 2 * x).all()
    y = jnp.ones((2, 3), jnp.bfloat16)
    got = dit.compile(elementwise("bf16", "addf"))(y)
    assert isinstance(got, type(x)) and got.dtype == jnp.bfloat16 and (got == 2).all()
    with pytest.raises(dit.ArgumentError, match="expected element type f32, got i32"):
        scale(x.astype(jnp.int32), 2)
    with pytest.raises(dit.ArgumentError, match="arrays of JAX never change"):
        scale(x, 2, out=x)


# Programs.


def test_program(tmp_path, scale):
    assert list(scale) == ["main"] and len(scale) == 1
    entry = scale["main"]
    assert str(entry.signature) == "(x: f32[?, 3], s: f32[]) -> (result0: f32[?, 3])"
    assert entry.c_name == "dit_main" and entry.workspace_size >= 0
    assert not entry.inputs[0].is_static and entry.inputs[1].is_static
    assert repr(scale) == f"Program(main: {entry.signature})"
    assert scale.object_code.startswith(b"\x7fELF")
    assert "int32_t dit_main(" in scale.header
    assert "define" in dit.compile(SCALE, keep_llvm_ir=True).llvm_ir
    scale.write_shared_library(tmp_path / "libscale.so")
    assert (tmp_path / "libscale.so").stat().st_size > 0


def test_several_entries():
    module = dit.Module.parse("func.func @f(%x: i32) -> i32 { return %x : i32 }\n"
                              "func.func @g(%x: i32) -> (i32, i32) { return %x, %x : i32, i32 }")
    program = dit.compile(module, entries=["f", "g"])
    assert program["f"](7) == 7 and program["g"](7) == (7, 7)
    with pytest.raises(dit.ArgumentError, match="name one of f, g"):
        program(7)
    with pytest.raises(KeyError, match="f, g"):
        program["h"]
    assert list(dit.compile(module, entries="g")) == ["g"]
    assert dit.compile(module, entries="g", c_name="my_g")["g"].c_name == "my_g"


def test_parameters(tmp_path):
    a, b = np.array([1, 2, 3], np.float32), np.array([10, 20, 30], np.float32)
    save_file({"a": a}, tmp_path / "a.safetensors")
    save_file({"b": b}, tmp_path / "b.safetensors")
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    program = dit.compile(WEIGHTED, parameters=paths)
    np.testing.assert_array_equal(program(), a + b)
    assert [str(p) for p in program.parameters] == ["a: f32[3]", "b: f32[3]"]
    program.load_parameters({"b": a})
    np.testing.assert_array_equal(program(), a + a)
    with pytest.raises(dit.RunError, match="no tensor 'b'"):
        dit.compile(WEIGHTED, parameters=paths[0])
    with pytest.raises(dit.RunError, match="parameter 'a' has no data"):
        dit.compile(WEIGHTED)()
    with pytest.raises(dit.ArgumentError, match="no parameter 'c'; the program has a, b"):
        program.load_parameters({"c": a})
    with pytest.raises(dit.FileError, match="missing.safetensors"):
        program.load_parameters("missing.safetensors")


def test_threads_and_cache(tmp_path):
    before = dit.get_num_threads()
    dit.set_num_threads(1)
    assert dit.get_num_threads() == 1
    dit.set_num_threads(0)
    assert dit.get_num_threads() == before
    x = np.ones((1, 2, 64, 16), np.float32)
    programs = [dit.compile(attention(), threads=threads, cache=tmp_path) for threads in (1, 2)]
    results = [program(x, x, x) for program in programs] + [programs[0](x, x, x, threads=2)]
    for result in results:
        np.testing.assert_allclose(result, x, atol=1e-6)
    assert len(list(tmp_path.glob("llvmcache-*"))) == 1


# Errors.


def test_diagnostics():
    with pytest.raises(dit.CompileError) as info:
        dit.Module.parse("func.func @f() -> f32 {\n  return\n}", name="f.mlir")
    (diagnostic,) = info.value.diagnostics
    assert (diagnostic.file, diagnostic.line, diagnostic.column) == ("f.mlir", 2, 3)
    assert diagnostic.severity is dit.Severity.ERROR
    assert str(info.value) == f"f.mlir:2:3: {diagnostic.message}"
    assert info.value.status == "DIT_ERROR_PARSE"


def test_diagnostics_have_notes(tmp_path):
    sites = tmp_path / "sites.json"
    sites.write_text(json.dumps({"sites": []}))
    text = attention()
    body = text[text.index("  %o"):text.index("  return")]
    twice = text.replace("  return", body.replace("%o", "%p") + "  return")
    with pytest.raises(dit.CompileError, match='site "a" is not unique') as info:
        dit.Module.parse(twice).run(f"dit-annotate-sites{{file={sites}}}")
    (error,) = info.value.diagnostics
    assert [note.message for note in error.notes] == ["it is also here"]
    assert str(error).endswith("note: it is also here")


def test_a_failed_pipeline_changes_nothing():
    module = dit.Module.parse(attention())
    before = str(module)
    with pytest.raises(dit.CompileError, match="annotation file"):
        module.run("dit-decompose,dit-annotate-sites")
    assert str(module) == before
    with pytest.raises(dit.CompileError, match="no-such-pass"):
        module.run("no-such-pass")


@pytest.mark.parametrize("arguments,kind,text", [
    ((1.0,), dit.ArgumentError, "expected the inputs x, s; got 1"),
    ((np.ones((2, 3), np.float64), 1), dit.ArgumentError, "expected element type f32, got f64"),
    ((np.ones((2, 4), np.float32), 1), dit.ArgumentError, "expected extent 3 in dimension 1, got 4"),
    ((np.ones(3, np.float32), 1), dit.ArgumentError, "expected rank 2, got 1"),
    ((np.ones((2, 3), ">f4"), 1), dit.ArgumentError, "no element type of dit is NumPy's >f4"),
    ((np.ones((2, 3), np.complex64), 1), dit.ArgumentError, "complex64"),
    (([[1.0] * 3], 1), dit.ArgumentError, "expected an array of NumPy .* got list"),
    ((np.frombuffer(bytes(25), np.uint8)[1:].view(np.float32).reshape(2, 3), 1),
     dit.ArgumentError, "not at multiples of their size"),
    ((np.ones((2, 3), np.float32), "1"), dit.ArgumentError, "got str")])
def test_wrong_arguments(scale, arguments, kind, text):
    with pytest.raises(kind, match=text):
        scale(*arguments)


def test_wrong_names_and_outputs(scale):
    x = np.ones((2, 3), np.float32)
    with pytest.raises(dit.ArgumentError, match="and t"):
        scale(x, 1, t=2)
    with pytest.raises(dit.ArgumentError, match="out: expected 1 arrays, got 2"):
        scale(x, 1, out=(x, x))
    frozen = np.ones((2, 3), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(dit.ArgumentError, match="the array is read-only"):
        scale(x, 1, out=frozen)
    with pytest.raises(dit.ArgumentError, match="got list"):
        scale(x, 1, out=[[1]])


def test_wrong_requests(tmp_path):
    with pytest.raises(dit.UnsupportedError, match="no GPU target"):
        dit.compile(SCALE, target="cuda")
    with pytest.raises(dit.UnsupportedError, match="no PTX"):
        dit.compile(SCALE).ptx
    with pytest.raises(dit.ArgumentError, match="no function 'f' in the module; it has main"):
        dit.compile(SCALE, entries="f")
    with pytest.raises(dit.ArgumentError, match="opt_level"):
        dit.compile(SCALE, opt_level=7)
    with pytest.raises(dit.ArgumentError, match="keep_llvm_ir"):
        dit.compile(SCALE).llvm_ir
    with pytest.raises(dit.FileError, match="missing.mlir"):
        dit.Module.parse("missing.mlir")
    with pytest.raises(dit.ArgumentError, match="got int"):
        dit.Module.parse(3)
    with pytest.raises(dit.CompileError) as info:
        dit.compile("func.func @p(%x: !llvm.ptr) { return }")
    assert info.value.diagnostics and isinstance(info.value, dit.Error)


def test_checks_inside_programs_raise():
    program = dit.compile("""
        func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
          %c0 = arith.constant 0 : index
          %n = tensor.dim %x, %c0 : tensor<?xf32>
          %some = arith.cmpi ne, %n, %c0 : index
          cf.assert %some, "x is empty"
          %0 = arith.addf %x, %x : tensor<?xf32>
          return %0 : tensor<?xf32>
        }""")
    with pytest.raises(dit.RunError, match="x is empty"):
        program(np.ones(0, np.float32))
    assert program(np.ones(1, np.float32)) == [2]


# Threads.


class Counter(threading.Thread):
    """Counts as long as it is let."""

    def __init__(self):
        super().__init__(daemon=True)
        self.steps, self.stopped = 0, False

    def run(self):
        while not self.stopped:
            self.steps += 1
            time.sleep(0.0005)


def steps_during(function):
    """Steps that another Python thread makes meanwhile, and the seconds."""
    counter = Counter()
    counter.start()
    while counter.steps == 0:
        time.sleep(0.001)
    steps, start = counter.steps, time.monotonic()
    function()
    steps, seconds = counter.steps - steps, time.monotonic() - start
    counter.stopped = True
    counter.join()
    return steps, seconds


def test_the_interpreter_is_free_while_dit_works():
    """A thread of Python runs on while dit compiles and while it computes."""
    module = dit.Module.parse(attention(length=2048))
    x = np.zeros((1, 2, 2048, 16), np.float32)
    program = dit.compile(module, target="reference")
    for work in (lambda: dit.compile(module, cache=False), lambda: program(x, x, x)):
        steps, seconds = steps_during(work)
        assert seconds > 0.02, "too little work to tell"
        # Held, the lock would let the other thread make a step or two.
        assert steps >= 5


def test_many_threads():
    """Modules of their own, one shared module, one shared program."""
    shared_module = dit.Module.parse(attention())
    shared_program = dit.compile(shared_module)
    failures = []

    def work(index):
        try:
            x = np.full((1, 2, 64, 16), index, np.float32)
            own = dit.compile(dit.Module.parse(attention()), cache=False)
            again = dit.compile(shared_module.run("canonicalize"), cache=False)
            for program in (own, again, shared_program) * 10:
                np.testing.assert_allclose(program(x, x, x), x, atol=1e-5)
            with pytest.raises(dit.CompileError, match=f"broken{index}"):
                dit.Module.parse(f"broken{index}", name=f"broken{index}")
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# Types and versions.


def test_versions(source_root):
    assert f'\nversion = "{dit.__version__}"\n' in (source_root / "pyproject.toml").read_text()
    assert dit.LLVM_VERSION.startswith("22.1.")


def test_types(packages, source_root):
    """The package is typed, and the stub of the extension says what is there."""
    mypy = subprocess.run([sys.executable, "-m", "mypy", "-p", "dit",
                           "--config-file", str(source_root / "pyproject.toml"),
                           "--cache-dir", str(packages / ".mypy_cache")],
                          cwd=packages, check=False, capture_output=True, text=True)
    assert mypy.returncode == 0, mypy.stdout + mypy.stderr
    native = dit._native
    stub = (pathlib.Path(dit.__file__).parent / "_native.pyi").read_text()
    for owner in (native, native.Module, native.Buffer, native.Program):
        for name in vars(owner):
            if not name.startswith("_"):
                assert name in stub, f"{owner.__name__}.{name} is not in _native.pyi"
