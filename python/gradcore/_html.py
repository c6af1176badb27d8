"""How tensors, modules and optimizers show in notebooks. Loaded when a notebook asks: see their `_repr_html_`.

A tensor shows a small picture of its values: blue below zero, red above, white at zero, gray for NaN.
"""

from __future__ import annotations

import base64
import html
import math
import struct
import zlib
from collections.abc import Iterable
from typing import Any

from . import _C
from ._C import Tensor
from ._tensor_str import tensor_str

_SIDE = 64  # pixels at most; of what is larger, every n-th row or column is shown
_GRAY = (160, 160, 160)


def tensor_html(t: Tensor) -> str:
    """A picture, what the tensor is, and its text."""
    text = f"<pre style='margin:0'>{html.escape(tensor_str(t))}</pre>"
    if _C._batch_levels(t):
        return text  # its values differ by sample
    values = _sampled(t.detach())
    facts = html.escape(" · ".join(_facts(t, values)))
    picture = _picture(values) if values else ""
    return f"<div style='display:flex;gap:1em;align-items:center'>{picture}<div><div>{facts}</div>{text}</div></div>"


def _facts(t: Tensor, values: list[list[float]]) -> Iterable[str]:
    kind = "tensor" if type(t) is Tensor else type(t).__name__
    yield f"{kind} {tuple(t.shape)}"
    yield str(t.dtype).removeprefix("torch.")
    if t.grad_fn is not None:
        yield f"grad_fn={t.grad_fn.name()}"
    elif t.requires_grad:
        yield "requires grad" + (", has a gradient" if t.grad is not None else "")
    numbers = [v for row in values for v in row if math.isfinite(v)]
    if numbers:
        sampled = "" if sum(map(len, values)) == t.numel() else " of those shown"
        yield f"{min(numbers):.4g} to {max(numbers):.4g}{sampled}"


def _sampled(t: Tensor) -> list[list[float]]:
    """The first matrix as rows of numbers, thinned out to a small one. Nothing for a single number."""
    if t.numel() < 2:
        return []
    while t.dim() > 2:
        t = t[0] if t.shape[0] == 1 or t.dim() > 3 else t.flatten(0, 1)
    if t.dim() == 1:
        t = t.unsqueeze(0)
    rows, columns = (max(1, math.ceil(n / _SIDE)) for n in t.shape)
    return [[float(v) for v in row] for row in t[::rows, ::columns].tolist()]


def _picture(values: list[list[float]]) -> str:
    """The numbers as an image of one pixel each, which the page enlarges."""
    largest = max((abs(v) for row in values for v in row if math.isfinite(v)), default=0.0) or 1.0
    rows = [b"\0" + b"".join(bytes(_colour(v / largest)) for v in row) for row in values]
    height, width = len(values), len(values[0])
    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    scale = max(1, min(16, 128 // max(width, height)))
    return (
        f"<img width='{width * scale}' height='{height * scale}' alt='values' style='image-rendering:pixelated;"
        f"border:1px solid #ccc' src='data:image/png;base64,{base64.b64encode(png).decode()}'>"
    )


def _colour(v: float) -> tuple[int, int, int]:
    if math.isnan(v):
        return _GRAY
    pale = round(255 * (1 - min(abs(v), 1.0)))
    return (255, pale, pale) if v > 0 else (pale, pale, 255)


def module_html(module: Any, name: str = "", deep: bool = True) -> str:
    """A tree that unfolds: classes, their options, and how many parameters each holds."""
    count = sum(p.numel() for p in module.parameters())
    label = f"({html.escape(name)}): " if name else ""
    extra = html.escape(module.extra_repr().replace("\n", ", "))
    line = f"{label}<b>{html.escape(module._get_name())}</b>({extra}) <small>{count:,} parameters</small>"
    children = [module_html(child, key, deep=False) for key, child in module._modules.items() if child is not None]
    if not children:
        return f"<div style='margin-left:1em'>{line}</div>"
    opened = " open" if deep else ""
    return f"<details style='margin-left:1em'{opened}><summary>{line}</summary>{''.join(children)}</details>"


def optimizer_html(optimizer: Any) -> str:
    """A table: a row for each option, a column for each group of parameters."""
    groups = optimizer.param_groups
    counts = [
        f"{len(group['params'])} tensors, {sum(p.numel() for p in group['params']):,} numbers" for group in groups
    ]
    heads = [f"group {i}" for i in range(len(groups))]
    rows = [("", heads), ("params", counts)]
    keys = sorted({key for group in groups for key in group} - {"params"})
    rows += [(key, [str(group.get(key, "")) for group in groups]) for key in keys]
    body = "".join(
        f"<tr><th style='text-align:left'>{html.escape(key)}</th>{_cells(cells)}</tr>" for key, cells in rows
    )
    return f"<table><caption>{html.escape(type(optimizer).__name__)}</caption>{body}</table>"


def _cells(cells: Iterable[str]) -> str:
    return "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
