"""Writes python/gradcore/_C.pyi from the op signatures of the built module. Run it after adding an op:

    python cpp/bindings/make_stubs.py
"""

from __future__ import annotations

import pathlib
import sys

TARGET = pathlib.Path(__file__).resolve().parents[2] / "python" / "gradcore" / "_C.pyi"

TYPES = {
    "Tensor": "Tensor",
    "Number": "Number",
    "Operand": "Tensor | Number",
    "int": "int",
    "float": "float | Tensor",
    "bool": "bool",
    "int[]": "Sequence[int]",
    "int[1]": "int | Sequence[int]",
    "Tensor[]": "Sequence[Tensor]",
    "Number[]": "Sequence[Number]",
    "dtype": "_DType",
    "device": "Any",
    "str": "str",
    "Generator": "Generator",
    "object": "Any",
}
# What does not return a tensor.
RETURNS = {
    "unbind": "tuple[Tensor, ...]",
    "split": "tuple[Tensor, ...]",
    "split_with_sizes": "tuple[Tensor, ...]",
    "chunk": "tuple[Tensor, ...]",
    "var_mean": "tuple[Tensor, Tensor]",
    "std_mean": "tuple[Tensor, Tensor]",
    "size": "Any",
    "stride": "Any",
    "numel": "int",
    "is_floating_point": "bool",
    "is_tensor": "bool",
    "equal": "bool",
    "allclose": "bool",
    "backward": "None",
    "nonzero": "Any",
    "where": "Any",
    "max": "Any",
    "min": "Any",
}
KEYWORDS = {"from", "in", "is", "lambda"}

HEADER = '''# Made by cpp/bindings/make_stubs.py from the signatures of the ops; do not edit.
from __future__ import annotations

from typing import Any, Callable, Iterator, Sequence, Union, overload

Number = Union[int, float, bool]
_DType = Any  # a dtype, or float, int, bool

__version__: str

class dtype:
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    itemsize: int
    _name: str

class Node:
    next_functions: tuple[tuple[Node | None, int], ...]
    variable: Tensor
    def name(self) -> str: ...
    def _sequence_nr(self) -> int: ...

class Generator:
    def __init__(self, device: Any = None) -> None: ...
    def manual_seed(self, seed: int) -> Generator: ...
    def _manual_seed(self, seed: int) -> None: ...
    def initial_seed(self) -> int: ...
    def seed(self) -> int: ...
    def get_state(self) -> Tensor: ...
    def set_state(self, state: Tensor) -> None: ...

class _FunctionBase(Node):
    to_save: Any
    saved_for_forward: Any
    non_differentiable: Any
    dirty_tensors: Any
    needs_input_grad: tuple[_bool, ...]
    materialize_grads: _bool
    setup_context: Any
    @property
    def saved_tensors(self) -> tuple[Any, ...]: ...
    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any: ...

class _HookHandle:
    def remove(self) -> None: ...

default_generator: Generator
bool: dtype
uint8: dtype
int8: dtype
int16: dtype
int32: dtype
int64: dtype
float32: dtype
float64: dtype

def tensor(data: Any, *, dtype: _DType = None, device: Any = None, requires_grad: _bool = False, pin_memory: _bool = False) -> Tensor: ...
def as_tensor(data: Any, *, dtype: _DType = None, device: Any = None) -> Tensor: ...
def from_numpy(ndarray: Any) -> Tensor: ...
def frombuffer(buffer: Any, *, dtype: _DType, count: int = -1, offset: int = 0, requires_grad: _bool = False) -> Tensor: ...
def get_default_dtype() -> dtype: ...
def set_default_dtype(d: _DType) -> None: ...
def promote_types(type1: dtype, type2: dtype) -> dtype: ...
def can_cast(from_: dtype, to: dtype) -> _bool: ...
def result_type(tensor1: Any, tensor2: Any) -> dtype: ...
def is_grad_enabled() -> _bool: ...
def is_inference_mode_enabled() -> _bool: ...
def get_num_threads() -> int: ...
def set_num_threads(num: int) -> None: ...
def memory_stats() -> dict[str, int]: ...
def release_unused_memory() -> None: ...
def available_isas() -> list[str]: ...
def _build_info() -> dict[str, Any]: ...
def _op_names() -> list[str]: ...
def _op_table() -> list[tuple[str, list[str], list[str]]]: ...
def _set_grad_enabled(on: _bool) -> _bool: ...
def _set_inference_mode(on: _bool) -> _bool: ...
def _set_python_types(size: type, device: type, cpu: Any) -> None: ...
def _register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> _HookHandle: ...
def _backward(tensors: Any, grads: Any, retain: _bool | None, create: _bool, inputs: Any) -> None: ...
def _register_post_accumulate_grad_hook(tensor: Tensor, hook: Callable[[Tensor], None]) -> _HookHandle: ...
def _register_node_hook(node: Node, hook: Callable[..., Any], pre: _bool) -> _HookHandle: ...
def _push_saved_hooks(pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> None: ...
def _pop_saved_hooks() -> None: ...
def _disable_saved_hooks(message: str | None) -> str | None: ...
def set_origin_tracking(mode: _bool) -> None:
    """Whether nodes and writes remember the line of the program that made them, for error messages (on by default)."""
def _backward_reaches(node: Node) -> _bool: ...
def _running_backward() -> tuple[_int, _int]: ...
def _backward_reaches_all_leaves() -> _bool: ...
def _gradient_edge(tensor: Tensor) -> tuple[Any, _int]: ...
def _has_live_leaf(tensor: Tensor) -> _bool: ...
def _grad(outputs: Any, inputs: Any, grads: Any, retain: _bool | None, create: _bool, allow_unused: _bool, materialize: _bool) -> tuple[Tensor, ...]: ...
def _cast(tensor: Tensor, dtype: _DType, copy: _bool) -> Tensor: ...
def _make_subclass(type: type, tensor: Tensor, requires_grad: _bool) -> Any: ...
def _sgd_step(group: dict[str, Any], state: dict[Any, Any]) -> None: ...
def _adam_step(group: dict[str, Any], state: dict[Any, Any], decoupled: _bool) -> None: ...
def _zero_grad(groups: list[dict[str, Any]], set_to_none: _bool) -> None: ...
'''

TENSOR = '''
class Tensor:
    shape: Any
    dtype: dtype
    device: Any
    layout: Any
    ndim: int
    requires_grad: _bool
    grad: Tensor | None
    grad_fn: Node | None
    is_leaf: _bool
    output_nr: int
    retains_grad: _bool
    _version: int
    _base: Tensor | None
    data: Tensor
    T: Tensor
    mT: Tensor
    itemsize: int
    nbytes: int
    is_cpu: _bool
    is_cuda: _bool
    is_sparse: _bool
    is_quantized: _bool
    is_meta: _bool
    is_mps: _bool
    names: None
    def __init__(self, *args: Any) -> None: ...
    def tolist(self) -> Any: ...
    def item(self) -> Any: ...
    def dim(self) -> int: ...
    def ndimension(self) -> int: ...
    def numel(self) -> int: ...
    def nelement(self) -> int: ...
    def element_size(self) -> int: ...
    def storage_offset(self) -> int: ...
    def data_ptr(self) -> int: ...
    def is_contiguous(self, memory_format: Any = None) -> _bool: ...
    def is_floating_point(self) -> _bool: ...
    def is_complex(self) -> _bool: ...
    def is_inference(self) -> _bool: ...
    def _is_view(self) -> _bool: ...
    def get_device(self) -> int: ...
    def retain_grad(self) -> None: ...
    def _to_bytes(self) -> bytes: ...
    def _storage_nbytes(self) -> int: ...
    def __buffer__(self, flags: int) -> memoryview: ...
    def numpy(self, *, force: _bool = False) -> Any: ...
    def type(self, dtype: Any = None, non_blocking: _bool = False) -> Any: ...
    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Any: ...
    def __array__(self, dtype: Any = None, copy: _bool | None = None) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __contains__(self, item: Any) -> _bool: ...
    def __getitem__(self, key: Any) -> Tensor: ...
    def __setitem__(self, key: Any, value: Tensor | Number) -> None: ...
    def __bool__(self) -> _bool: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...
    def __index__(self) -> int: ...
    def __neg__(self) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
    def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
    def __lt__(self, other: Any) -> Tensor: ...
    def __le__(self, other: Any) -> Tensor: ...
    def __gt__(self, other: Any) -> Tensor: ...
    def __ge__(self, other: Any) -> Tensor: ...
    def __hash__(self) -> int: ...
'''
BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
# In the module and in the class these names mean dtypes and methods: the builtins go by other names there.
BUILTINS = {"bool": "_bool", "float": "_float", "int": "_int"}


def parameters(signature: str, method: bool) -> str:
    parts = [p.strip() for p in signature[1:-1].split(", ")]
    if method:
        parts[0] = "self"
    positional = parts.index("*") if "*" in parts else len(parts)
    out = []
    for i, part in enumerate(parts):
        if not part:
            continue
        if part in ("*", "self"):
            out.append(part)
            continue
        kind, _, name = part.partition(" ")
        name, equals, default = name.partition("=")
        if name == "out" and method:
            continue
        optional = kind.endswith("?")
        text = TYPES[kind.rstrip("?")]
        if optional:
            text += " | None"
        spread = kind.startswith("int[]") and i == positional - 1 and i == (1 if method else 0) and not equals
        name = name + "_" if name in KEYWORDS else name
        out.append(f"*{name}: Any" if spread else f"{name}: {text}" + (f" = {default}" if equals else ""))
        if spread and i + 1 < len(parts) and parts[i + 1] == "*":
            parts[i + 1] = ""
    out = [p for p in out if p]
    if any(p.startswith("*") and p != "*" for p in out):
        out = [p for p in out if p != "*"]  # what follows *args is keyword-only already
    if out and out[-1] == "*":
        out.pop()
    return ", ".join(out)


def returned(name: str) -> str:
    if name.startswith("_foreach_"):
        return "Sequence[Tensor]" if name.endswith("_") else "tuple[Tensor, ...]"
    return RETURNS.get(name, "Tensor")


def definitions(name: str, signatures: list[str], method: bool, indent: str) -> list[str]:
    returns = returned(name)
    forms = list(dict.fromkeys(parameters(s, method) for s in signatures))
    if len(forms) > 1:  # overloads that a type checker cannot tell apart say more as one
        first = "self, " if method else ""
        return [f"{indent}def {name}({first}*args: Any, **kwargs: Any) -> {returns}: ..."]
    return [f"{indent}def {name}({forms[0]}) -> {returns}: ..."]


def rename_builtins(text: str) -> str:
    """Inside the stub `bool`, `int` and `float` as annotations must not mean the dtypes and methods of that name."""
    import re

    def fix(line: str) -> str:
        head, colon, tail = line.partition("(")
        return head + colon + re.sub(r"(?<![\w.])(bool|int|float)(?![\w(])", lambda m: BUILTINS[m[1]], tail) if colon else line

    return "\n".join(fix(line) if line.lstrip().startswith("def ") else line for line in text.split("\n"))


def render(table: list[tuple[str, list[str], list[str]]]) -> str:
    functions, methods = [], []
    known = {line.split("def ")[1].split("(")[0] for line in TENSOR.split("\n") if "def " in line}
    for name, function_signatures, method_signatures in sorted(table):
        if function_signatures:
            functions += definitions(name, function_signatures, False, "")
        if method_signatures and name not in known:
            methods += definitions(name, method_signatures, True, "    ")
    for op in BINARY:
        for prefix in ("", "r", "i"):
            if prefix == "r" and op == "matmul":
                continue
            methods.append(f"    def __{prefix}{op}__(self, other: Any) -> Tensor: ...")
    text = HEADER + "\n" + "\n".join(functions) + "\n" + TENSOR + "\n".join(methods) + "\n"
    text = text.replace("from typing import Any", "from builtins import bool as _bool, float as _float, int as _int\nfrom typing import Any", 1)
    text = text.replace("Number = Union[int, float, bool]", "Number = Union[_int, _float, _bool]")
    text = text.replace(": int\n", ": _int\n").replace(": bool\n", ": _bool\n").replace("_bool: dtype", "bool: dtype")
    return rename_builtins(text)


def main() -> None:
    from gradcore import _C

    text = render(_C._op_table())
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == text else f"{TARGET.name} is out of date: run {pathlib.Path(__file__).name}")
    TARGET.write_text(text)


if __name__ == "__main__":
    main()
