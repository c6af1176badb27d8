"""Writes docs/missing.md: the public names of torch that gradcore does not have, each under the reason.

python tools/make_missing.py          # after adding a name that torch has
python tools/make_missing.py --check  # says whether the file is up to date
"""

from __future__ import annotations

import pathlib
import re
import sys
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

TARGET = pathlib.Path(__file__).resolve().parents[1] / "docs" / "missing.md"

# Ops that raise NotImplementedError whatever they are given.
REFUSING_OPS = set("complex polar view_as_complex view_as_complex_copy stft istft eigvals".split())

NAMESPACES = ("torch", "torch.Tensor", "torch.nn.functional", "torch.linalg", "torch.special")

HEAD = """\
# What torch has and gradcore does not

The public names of `torch`, `torch.Tensor`, `torch.nn.functional`, `torch.linalg` and `torch.special` in torch {version}
that gradcore lacks, or has only to raise NotImplementedError, each under the reason. Made by `tools/make_missing.py`; do not edit.
"""


@dataclass(frozen=True)
class Group:
    title: str
    reason: str
    names: str  # a regular expression that matches a whole name
    spaces: tuple[str, ...] = NAMESPACES


TORCHSCRIPT = Group(
    "TorchScript, tracing and compilation",
    "Programs run as Python runs them: nothing is scripted, traced or compiled.",
    r"Sym.*|sym_.*|fork|wait|cond|while_loop|ops|classes|library|package|cpp|ao|monitor|import_ir_.*|parse_.*"
    r"|merge_type_.*|unify_type_list|Script.*|JITException|LoggerBase|functional|has_torch_function.*"
    r"|handle_torch_function|boolean_dispatch|DispatchKey.*|Tag",
    spaces=("torch", "torch.nn.functional"),
)

# A name belongs to the first group that it fits, and to the last one if it fits none.
GROUPS = (
    Group(
        "Other devices",
        "gradcore runs on the CPU. These belong to GPUs, to other accelerators and to libraries of kernels for them.",
        r".*(cudnn|miopen|mkldnn|vulkan|cuda|_ipu_|_xla_|mtia).*|is_(ipu|maia|xla|xpu)|ipu|(Stream|Event|StreamObjType)"
        r"|record_stream|get_device_module|DeviceObjType",
    ),
    Group(
        "Complex numbers",
        "There are no complex tensors yet. What gives or takes them waits for them, as does what tells them from real ones.",
        r".*complex.*|Complex.*|polar|c(double|float|half)|chalf|angle|imag|real|adjoint|[m]?H|conj.*|is_conj|is_neg"
        r"|resolve_(conj|neg)|sgn_?|i?stft|fft|eig|eigvals|isreal|view_as_real.*|has_spectral",
    ),
    Group(
        "Sparse, nested and named tensors",
        "All tensors are dense and strided, and their dims have no names.",
        r".*sparse.*|c?(col|row)_indices(_copy)?|crow_indices(_copy)?|dsmm|hsmm|hspmm|s?spmm|smm|saddmm|sspaddmm|(is_)?coalesced?|indices(_copy)?|values(_copy)?"
        r"|dense_dim|to_dense|jagged|nested|is_nested|to_padded_tensor|masked|native_norm",
    ),
    Group(
        "Quantised and narrow types",
        "There are no quantised tensors, and no dtypes of fewer than eight bits.",
        r"q(int|u?scheme|_).*|quint.*|Q(U?)Int.*|.*quant(?!ile).*|fbgemm.*|u?int[1-7]|bits\d.*|bit|float[48]_.*|int_repr"
        r"|per_(channel|tensor)_.*|choose_qparams.*|scaled_(grouped_)?mm|grouped_mm|ScalingType|SwizzleType",
    ),
    Group("Distributed", "One process computes.", r"RRefType|is_distributed|Future(Type)?|futures|AwaitType"),
    TORCHSCRIPT,
    Group(
        "Internals of torch",
        "Names that are public by their spelling alone: parts of torch's own functions, constants of its build, imports.",
        r"batch_norm_(stats|elemt|backward.*|gather.*|update_stats)|autocast_(in|de)crement_nesting|.*Logger"
        r"|PRIVATE_OPS|USE_.*|TYPE_CHECKING|AVG|SUM|FatalError|DisableTorchFunction.*|BroadcastingList\d|DType|Optional"
        r"|Callable|Tensor|GRID_SAMPLE_.*|assert_int_or_pair|.*_notes|common_(args|notes)|multi_dim_common|classproperty"
        r"|get_file_path|prepare_multiprocessing_environment|torch_version|windows"
        r"|StorageBase"
        r"|slice_inverse|LinAlgError|set_autocast_(ipu|xla).*"
        r"|convolution|index",
    ),
    Group("Not yet", "Dense tensors on the CPU could have these.", r".*"),
)


def main() -> None:
    text = render()
    if "--check" not in sys.argv:
        TARGET.write_text(text)
    elif TARGET.read_text() != text:
        sys.exit("docs/missing.md is out of date: run python tools/make_missing.py")


def render() -> str:
    import torch

    listed: dict[Group, dict[str, list[str]]] = {group: {space: [] for space in NAMESPACES} for group in GROUPS}
    for space in NAMESPACES:
        for name in missing(space):
            listed[group_of(space, name)][space].append(name)
    parts = [HEAD.format(version=torch.__version__.partition("+")[0])]
    for group, spaces in listed.items():
        if any(spaces.values()):
            lines = [f"`{space}`: {', '.join(names)}" for space, names in spaces.items() if names]
            wrapped = ["\n".join(textwrap.wrap(line, 120, break_on_hyphens=False)) for line in lines]
            parts.append("\n\n".join([f"## {group.title}", group.reason, *wrapped]) + "\n")
    return "\n".join(parts)


def missing(space: str) -> list[str]:
    """The public names of torch's namespace that ours lacks, but for the modules of Python that it imports."""
    theirs, ours = find("torch", space), find("gradcore", space)
    names = [name for name in dir(theirs) if not name.startswith("_") and is_missing(ours, name)]
    return [name for name in names if not is_foreign(getattr(theirs, name, None))]


def is_missing(ours: Any, name: str) -> bool:
    """Whether a namespace of ours lacks the name, or has it only to refuse with a sentence."""
    return name in REFUSING_OPS or not hasattr(ours, name) or hasattr(getattr(ours, name), "_refuses")


def find(package: str, space: str) -> Any:
    """The object that torch calls `space`, in one of both packages; None where it is not there."""
    found: Any = __import__(package)
    for part in space.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def is_foreign(value: Any) -> bool:
    return isinstance(value, ModuleType) and (value.__name__ == "torch" or value.__name__.partition(".")[0] != "torch")


def group_of(space: str, name: str) -> Group:
    found = next(group for group in GROUPS if space in group.spaces and re.fullmatch(group.names, name))
    if found is GROUPS[-1] and type(getattr(find("torch", space), name, None)).__name__ == "pybind11_type":
        return TORCHSCRIPT  # its classes of types, values and graphs
    return found


if __name__ == "__main__":
    main()
