# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The part of the export that needs torch and torch-mlir."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dit._errors import ArgumentError, CompileError, Error
from dit._module import Module
from dit.export._sites import Grid, find_sites
from dit.export._types import Exported

try:
    import torch
    from torch_mlir import fx, ir, passmanager
    from torch_mlir.dialects import torch as torch_dialect
    from torch_mlir.extras import fx_decomp_util, fx_importer
except ImportError as error:
    raise ArgumentError(
        f"dit.export needs torch and torch-mlir ({error}); `python -m dit.export` makes an "
        "environment with the versions that are known to work, "
        f"those of {pathlib.Path(__file__).parent / 'requirements.txt'}") from error

_MLIR_TYPES = {
    torch.bool: "i1", torch.int8: "i8", torch.uint8: "i8", torch.int16: "i16",
    torch.int32: "i32", torch.int64: "i64", torch.float16: "f16", torch.bfloat16: "bf16",
    torch.float32: "f32", torch.float64: "f64",
}


class _Call(torch.nn.Module):  # type: ignore[misc]
    """Calls a module on its tensors in order, and gives tensors back."""

    def __init__(self, module: Any, names: list[str], fixed: Mapping[str, Any]) -> None:
        super().__init__()
        self.module, self.names, self.fixed = module, names, dict(fixed)

    def forward(self, *args: Any) -> Any:
        positional = args[:len(args) - len(self.names)]
        named = dict(zip(self.names, args[len(positional):]))
        return _flatten(self.module(*positional, **named, **self.fixed))


def _flatten(result: Any) -> Any:
    """The tensors in a result: one, or a tuple."""
    if isinstance(result, torch.Tensor):
        return result
    if hasattr(result, "to_tuple"):  # outputs of diffusers and transformers
        result = result.to_tuple()
    if isinstance(result, Mapping):
        result = tuple(result.values())
    if not isinstance(result, (tuple, list)):
        raise ArgumentError(f"the module gives a {type(result).__name__}; expected tensors")
    tensors = tuple(value for value in result if value is not None)
    return _flatten(tensors[0]) if len(tensors) == 1 else tensors


@contextlib.contextmanager
def _all_buffers_persistent(module: Any) -> Iterator[None]:
    """torch-mlir looks buffers up among those that are saved."""
    saved = [(part, set(part._non_persistent_buffers_set)) for part in module.modules()]
    for part, _ in saved:
        part._non_persistent_buffers_set.clear()
    try:
        yield
    finally:
        for part, names in saved:
            part._non_persistent_buffers_set.update(names)


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Makes errors of foreign tools errors of dit, in one line."""
    try:
        yield
    except Error:
        raise
    except Exception as error:  # Theirs are of many classes.
        lines = [line.strip() for line in str(error).splitlines()]
        reasons = [line for line in lines if "error:" in line] + [line for line in lines if line]
        reason = reasons[0] if reasons else type(error).__name__
        raise CompileError(f"{what} cannot take the model: {reason}") from error


class _Parameters(fx_importer.FxImporterHooks):  # type: ignore[misc]
    """Makes large tensors parameters, globals that come from outside."""

    def __init__(self, names: dict[int, str], least_bytes: int) -> None:
        self.names, self.least_bytes = names, least_bytes
        self.tensors: dict[str, Any] = {}
        self.module_op: Any = None

    def prepare_module(self, module_op: Any) -> None:
        self.module_op = module_op

    def resolve_literal(self, gni: Any, literal: Any, info: Any) -> Any:
        if not isinstance(literal, torch.Tensor) or literal.dtype not in _MLIR_TYPES or (
                literal.numel() * literal.element_size() < self.least_bytes):
            return None
        name = self.names.setdefault(id(literal), f"constant.{len(self.names)}")
        shape = "".join(f"{size}x" for size in literal.shape)
        with gni._c, ir.Location.unknown():
            value_type = ir.Type.parse(f"tensor<{shape}{_MLIR_TYPES[literal.dtype]}>")
            if name not in self.tensors:
                self.tensors[name] = literal
                self._declare(name, value_type)
            at_end = ir.InsertionPoint(gni._b)
            load = ir.Operation.create(
                "ml_program.global_load_const", results=[value_type], ip=at_end,
                attributes={"global": ir.FlatSymbolRefAttr.get(name)})
            cast = ir.Operation.create(
                "torch_c.from_builtin_tensor", operands=[load.result], ip=at_end,
                results=[gni._cc.tensor_to_vtensor_type(literal)])
            return cast.result

    def _declare(self, name: str, value_type: Any) -> None:
        begin = ir.InsertionPoint.at_block_begin(self.module_op.regions[0].blocks[0])
        ir.Operation.create("ml_program.global", ip=begin, attributes={
            "sym_name": ir.StringAttr.get(name),
            "sym_visibility": ir.StringAttr.get("private"),
            "type": ir.TypeAttr.get(value_type),
            "value": ir.Attribute.parse(f"#ml_program.extern<{value_type}>")})


def _new_context() -> Any:
    context = ir.Context()
    torch_dialect.register_dialect(context)
    # A pass on nothing, since it loads the dialect of torch_c.
    with context:
        nothing = ir.Module.create(ir.Location.unknown())
        passmanager.PassManager.parse(
            "builtin.module(torch-func-backend-type-conversion)").run(nothing.operation)
    return context


def _name_locations(program: Any) -> None:
    """Makes the parts of the model what locations say: the importer takes them
    from stack traces. Line 0 is that of no file."""
    for node in program.graph.nodes:
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        name = stack[-1][0] if stack else ""
        node.meta["stack_trace"] = f'File "{name.removeprefix("module").lstrip(".")}", line 0,'


def _name_inputs(module: Any, function: str, names: Sequence[str]) -> None:
    """Gives the arguments of `function` the names that dit shows."""
    with module.context as context:
        context.allow_unregistered_dialects = True
        for op in module.body.operations:
            if op.operation.name == "func.func" and op.sym_name.value == function:
                op.arg_attrs = ir.ArrayAttr.get([
                    ir.DictAttr.get({"dit.name": ir.StringAttr.get(name)}) for name in names])


def _dynamic_shapes(dynamic: Mapping[str | int, Mapping[int, Any]],
                    names: Sequence[str]) -> Any:
    """Dynamic extents as torch.export wants them, one entry for each input."""
    dims: dict[str, Any] = {}
    shapes: list[dict[int, Any]] = [{} for _ in names]
    for key, extents in dynamic.items():
        if key not in names and not (isinstance(key, int) and 0 <= key < len(names)):
            raise ArgumentError(f"dynamic: no input {key!r}; the inputs are {', '.join(names)}")
        shape = shapes[key if isinstance(key, int) else names.index(key)]
        for dimension, extent in extents.items():
            if isinstance(extent, str):
                extent = dims.setdefault(extent, torch.export.Dim(extent))
            shape[dimension] = extent
    return (tuple(shapes),)


def _import(module: Any, args: tuple[Any, ...], names: Sequence[str],
            dynamic: Mapping[str | int, Mapping[int, Any]], function: str,
            parameter_bytes: int) -> tuple[str, dict[str, Any]]:
    """The text of the module on linalg, and its parameters."""
    shapes = _dynamic_shapes(dynamic, names) if dynamic else None
    with torch.no_grad(), _all_buffers_persistent(module), _explained("torch.export"):
        program = torch.export.export(module, args, strict=False, dynamic_shapes=shapes)
        program = program.run_decompositions(fx_decomp_util.get_decomposition_table())
    _name_locations(program)
    state = {name.removeprefix("module."): tensor for name, tensor in program.state_dict.items()}
    parameters = _Parameters({id(tensor): name for name, tensor in reversed(state.items())},
                             parameter_bytes)
    importer = fx_importer.FxImporter(context=_new_context(), hooks=parameters)
    # Decomposed already, so that locations are set.
    with _explained("torch-mlir"):
        lowered = fx.export_and_import(program, output_type="linalg-on-tensors",
                                       func_name=function, fx_importer=importer,
                                       decomposition_table={})
    _name_inputs(lowered, function, names)
    return lowered.operation.get_asm(enable_debug_info=True), parameters.tensors


def _save_parameters(tensors: dict[str, Any], path: pathlib.Path) -> None:
    from safetensors.torch import save_file

    # Tensors that share memory are written apart.
    save_file({name: tensor.detach().cpu().contiguous().clone()
               for name, tensor in tensors.items()}, path)


def input_names(module: Any, count: int) -> list[str]:
    """Names of the first arguments of `forward`, or arg0, arg1, ..."""
    import inspect

    parameters = inspect.signature(module.forward).parameters.values()
    names = [parameter.name for parameter in parameters
             if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    return names[:count] if len(names) >= count else [f"arg{i}" for i in range(count)]


def export(module: Any, example_inputs: Sequence[Any] | Mapping[str, Any], *, out: str,
           grid: Grid | None, dynamic: Mapping[str | int, Mapping[int, Any]], name: str,
           parameter_bytes: int, fixed: Mapping[str, Any]) -> Exported:
    """See dit.export.export."""
    if not isinstance(module, torch.nn.Module):
        raise ArgumentError(f"expected a torch.nn.Module, got {type(module).__name__}")
    if isinstance(example_inputs, Mapping):
        names = list(example_inputs)
        args, by_name = tuple(example_inputs.values()), names
    else:
        args, by_name = tuple(example_inputs), []
        names = input_names(module, len(args))
    for input_name, value in zip(names, args):
        if not isinstance(value, torch.Tensor):
            raise ArgumentError(f"input '{input_name}': expected a tensor, got "
                                f"{type(value).__name__}; pass it in fixed")
    text, tensors = _import(_Call(module, by_name, fixed), args, names, dynamic, name,
                            parameter_bytes)
    base = pathlib.Path(out.removesuffix(".mlirbc"))
    base.parent.mkdir(parents=True, exist_ok=True)
    program = Module.parse(text, name=base.name, trusted=True).run("canonicalize")
    paths = [base.with_name(base.name + suffix)
             for suffix in (".mlirbc", ".safetensors", ".sites.json")]
    program.save(paths[0])
    if tensors:
        _save_parameters(tensors, paths[1])
        # safetensors writes for its owner alone.
        paths[1].chmod(paths[0].stat().st_mode)
    annotations = find_sites(program, grid)
    rows = ",\n  ".join(json.dumps(annotation) for annotation in annotations)
    paths[2].write_text(f'{{"sites": [\n  {rows}\n]}}\n')
    return Exported(paths[0], paths[1] if tensors else None, paths[2], tuple(annotations))


def check(exported: Exported, module: Any, inputs: Sequence[Any] | Mapping[str, Any],
          fixed: Mapping[str, Any]) -> float:
    """Compiles the export and compares it with the module: the largest
    difference over the largest value, over all results."""
    from dit._program import compile as compile_program

    names = list(inputs) if isinstance(inputs, Mapping) else []
    args = tuple(inputs.values()) if isinstance(inputs, Mapping) else tuple(inputs)
    with torch.no_grad():
        expected = _Call(module, names, fixed)(*args)
    program = compile_program(exported.module, parameters=exported.parameters)
    got = program(*args)
    if isinstance(expected, torch.Tensor):
        expected, got = (expected,), (got,)
    return max(float((a.double() - b.double()).abs().max() / b.double().abs().max())
               for a, b in zip(got, expected))
