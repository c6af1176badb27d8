"""torch.utils.flop_counter: how many floating-point operations products, convolutions and attention take. Start at
FlopCounterMode.

gradcore has no dispatcher that sees the ops of torch. Forward, a TorchFunctionMode sees the calls, and `_products` says of
which of torch's ops one consists. Backward, the nodes are torch's, and a hook on each (`_BACKWARD`) sees which gradients it
made. Counts are kept by torch's names: torch.ops.aten.mm, addmm, bmm, convolution ...
"""

from __future__ import annotations

import functools
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._ops import OpOverloadPacket, ops
from .._transforms import running
from .._transforms.vmap import BatchLevel
from ..autograd import backward
from ..functional import broadcast_shapes
from ..overrides import TorchFunctionMode
from ._pytree import tree_leaves, tree_map, tree_map_
from .module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

aten: Any = ops.aten
Shape = Sequence[int]
flop_registry: dict[Any, Callable[..., int]] = {}


# ---- formulas


def get_shape(item: Any) -> Any:
    """The shape of a tensor; anything else is left as it is."""
    return item.shape if isinstance(item, Tensor) else item


def shape_wrapper(formula: Callable[..., int]) -> Callable[..., int]:
    """A formula of shapes as one of tensors: what it is given in `out_val` it sees as `out_shape`."""

    @functools.wraps(formula)
    def of_tensors(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
        args, kwargs, out_shape = tree_map(get_shape, (args, kwargs, out_val))
        return formula(*args, out_shape=out_shape, **kwargs)

    return of_tensors


def register_flop_formula(targets: Any, get_raw: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """A decorator: the function says how many operations a call of torch.ops.x.y (or of one of several) takes.

    It is called as the op is, with shapes in place of tensors and the result's in `out_shape`; with get_raw, with the
    tensors themselves and the result in `out_val`.

    Raises ValueError for a target that is no op, RuntimeError for one that has a formula.

    >>> import gradcore
    >>> from gradcore.utils.flop_counter import FlopCounterMode, flop_registry, register_flop_formula
    >>> @register_flop_formula(gradcore.ops.aten.exp)
    ... def exp_flop(shape, out_shape=None, **kwargs):
    ...     return 10 * shape.numel()
    >>> with FlopCounterMode(display=False) as counter:
    ...     _ = gradcore.ones(3).exp()
    >>> counter.get_total_flops()
    30
    >>> del flop_registry[gradcore.ops.aten.exp]
    """

    def register(formula: Callable[..., int]) -> Callable[..., int]:
        of_tensors = formula if get_raw else shape_wrapper(formula)

        def put(target: Any) -> None:
            if not isinstance(target, OpOverloadPacket):
                raise ValueError(
                    "register_flop_formula(targets): expected each target to be OpOverloadPacket (i.e. "
                    f"torch.ops.mylib.foo), got {target} which is of type {type(target)}"
                )
            if target in flop_registry:
                raise RuntimeError(f"duplicate registrations for {target}")
            flop_registry[target] = of_tensors

        tree_map_(put, targets)
        return of_tensors

    return register


@register_flop_formula(aten.mm)
def mm_flop(a_shape: Shape, b_shape: Shape, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    """2 m k n of an (m, k) and a (k, n) matrix."""
    (m, k), (k2, n) = a_shape, b_shape
    if k != k2:
        raise AssertionError(f"matmul: inner dimensions must match (k == k2), got {k} and {k2}")
    return 2 * m * k * n


@register_flop_formula(aten.addmm)
def addmm_flop(self_shape: Shape, a_shape: Shape, b_shape: Shape, out_shape: Any = None, **kwargs: Any) -> int:
    """Those of the product."""
    return mm_flop(a_shape, b_shape)


@register_flop_formula(aten.bmm)
def bmm_flop(a_shape: Shape, b_shape: Shape, out_shape: Any = None, **kwargs: Any) -> int:
    """2 b m k n of (b, m, k) and (b, k, n) matrices."""
    if a_shape[0] != b_shape[0]:
        raise AssertionError(f"bmm: batch dimensions must match (b == b2), got {a_shape[0]} and {b_shape[0]}")
    return a_shape[0] * mm_flop(a_shape[1:], b_shape[1:])


@register_flop_formula(aten.baddbmm)
def baddbmm_flop(self_shape: Shape, a_shape: Shape, b_shape: Shape, out_shape: Any = None, **kwargs: Any) -> int:
    """Those of the products."""
    return bmm_flop(a_shape, b_shape)


def conv_flop_count(x_shape: Shape, w_shape: Shape, out_shape: Shape, transposed: bool = False) -> int:
    """Two for each element of the kernel at each place, for all pairs of channels. (So torch counts: groups do not
    make it fewer where the kernel's shape does not.)"""
    places = (x_shape if transposed else out_shape)[2:]
    return 2 * x_shape[0] * math.prod(places) * math.prod(w_shape)


@register_flop_formula([aten.convolution, aten._convolution])
def conv_flop(
    x_shape: Shape,
    w_shape: Shape,
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    *args: Any,
    out_shape: Any = None,
    **kwargs: Any,
) -> int:
    """Those of conv_flop_count()."""
    return conv_flop_count(x_shape, w_shape, out_shape, transposed)


@register_flop_formula(aten.convolution_backward)
def conv_backward_flop(
    grad_out_shape: Shape,
    x_shape: Shape,
    w_shape: Shape,
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: Any,
    output_mask: Sequence[bool],
    out_shape: Any = None,
    **kwargs: Any,
) -> int:
    """The input's gradient is the opposite convolution of the output's; the weight's is one of input and output."""

    def swapped(shape: Shape) -> list[int]:
        return [shape[1], shape[0], *shape[2:]]

    count = 0
    if output_mask[0]:
        count += conv_flop_count(grad_out_shape, w_shape, out_shape[0], not transposed)
    if output_mask[1]:
        first, second = (grad_out_shape, x_shape) if transposed else (x_shape, grad_out_shape)
        count += conv_flop_count(swapped(first), swapped(second), swapped(out_shape[1]))
    return count


def sdpa_flop_count(query_shape: Shape, key_shape: Shape, value_shape: Shape) -> int:
    """Those of the two products, of all heads of the query."""
    b, h, s_q, d_q = query_shape
    _, h_kv, s_k, d_k = key_shape
    if key_shape[:3] != value_shape[:3] or d_q != d_k or key_shape[0] != b or h % h_kv:
        raise AssertionError(
            f"sdpa_flop_count: query/key/value shapes are incompatible: q={query_shape}, k={key_shape}, v={value_shape}"
        )
    d_v = value_shape[-1]
    return bmm_flop((b * h, s_q, d_q), (b * h, d_q, s_k)) + bmm_flop((b * h, s_q, s_k), (b * h, s_k, d_v))


@register_flop_formula(aten._scaled_dot_product_flash_attention)
def sdpa_flop(
    query_shape: Shape, key_shape: Shape, value_shape: Shape, *args: Any, out_shape: Any = None, **kwargs: Any
) -> int:
    """Those of sdpa_flop_count(). A causal mask does not make it fewer."""
    return sdpa_flop_count(query_shape, key_shape, value_shape)


def sdpa_backward_flop_count(grad_out_shape: Shape, query_shape: Shape, key_shape: Shape, value_shape: Shape) -> int:
    """Those of five products: the scores once more, and the gradients of weights, values, queries and keys."""
    b, h, s_q, d_q = query_shape
    s_k, d_v = value_shape[2:]
    scores, weighted = bmm_flop((b * h, s_q, d_q), (b * h, d_q, s_k)), bmm_flop((b * h, s_q, d_v), (b * h, d_v, s_k))
    return 3 * scores + 2 * weighted


@register_flop_formula(aten._scaled_dot_product_flash_attention_backward)
def sdpa_backward_flop(
    grad_out_shape: Shape,
    query_shape: Shape,
    key_shape: Shape,
    value_shape: Shape,
    *args: Any,
    out_shape: Any = None,
    **kwargs: Any,
) -> int:
    """Those of sdpa_backward_flop_count()."""
    return sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape)


# ---- which ops a call consists of: an op, its arguments (shapes will do), and its result where that is not the call's own

Calls = Iterator[tuple[Any, ...]]


def _rows(shape: Shape) -> tuple[int, int]:
    return math.prod(shape[:-1]), shape[-1]


def _matmul(out: Any, a: Tensor, b: Tensor) -> Calls:
    """Products of vectors alone, or of matrices and a vector behind them, are no matrix products to torch."""
    if b.dim() < 2 or (a.dim() == 1 and b.dim() > 2):
        return
    k, n = b.shape[-2:]
    if b.dim() == 2:
        yield aten.mm, (_rows(a.shape), (k, n))
    elif a.dim() == 2:
        yield aten.mm, ((math.prod(b.shape[:-2]) * n, k), (k, a.shape[0]))
    else:
        batch = math.prod(broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        yield aten.bmm, ((batch, *a.shape[-2:]), (batch, k, n))


def _linear(out: Any, input: Tensor, weight: Tensor, bias: Any = None) -> Calls:
    if weight.dim() != 2:
        return
    x, w = _rows(input.shape), weight.shape[::-1]
    yield (aten.mm, (x, w)) if bias is None else (aten.addmm, (bias.shape, x, w))


def _addbmm(out: Any, input: Any, batch1: Tensor, batch2: Tensor, **kwargs: Any) -> Calls:
    yield aten.bmm, (batch1.shape, batch2.shape)


def _tensordot(out: Any, a: Tensor, b: Tensor, dims: Any = 2) -> Calls:
    count = dims if isinstance(dims, int) else len(dims[0])
    of_a = range(a.dim() - count, a.dim()) if isinstance(dims, int) else dims[0]
    inner = math.prod(a.shape[int(d)] for d in of_a)
    if inner:
        yield aten.mm, ((a.numel() // inner, inner), (inner, b.numel() // inner))


def _convolution(transposed: bool) -> Callable[..., Calls]:
    def calls(out: Tensor, input: Tensor, weight: Tensor, *args: Any, **kwargs: Any) -> Calls:
        batched = input.dim() == weight.dim()
        x, result = (t.shape if batched else (1, *t.shape) for t in (input, out))
        yield aten.convolution, (x, weight.shape, None, None, None, None, transposed), result

    return calls


def _attention(out: Any, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Calls:
    yield aten._scaled_dot_product_flash_attention, tuple(_of_four_dims(t.shape) for t in (query, key, value))


def _of_four_dims(shape: Shape) -> tuple[int, ...]:
    return (math.prod(shape[:-3]), *((1,) * (3 - len(shape))), *shape[-3:])


def _recurrent(out: Any, data: Tensor, *args: Any, **kwargs: Any) -> Calls:
    """Each layer's products with its inputs, and with its hidden states."""
    weights = next(item for item in (*args, *kwargs.values()) if isinstance(item, (tuple, list)) and len(item) > 2)
    rows = _rows(data.shape)[0]
    for weight in weights:
        if weight.dim() == 2:
            yield aten.mm, ((rows, weight.shape[1]), weight.shape[::-1])


def _recurrent_cell(out: Any, input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, *args: Any, **kwargs: Any) -> Calls:
    rows = _rows(input.shape)[0]
    for weight in (w_ih, w_hh):
        yield aten.addmm, ((weight.shape[0],), (rows, weight.shape[1]), weight.shape[::-1])


def _einsum(out: Any, equation: str, operands: Sequence[Tensor], path: Sequence[int]) -> Calls:
    """Operands are contracted in pairs, each pair as a product of batches of matrices."""
    terms, output, sizes = _labelled(equation, operands)
    order = list(zip(path[::2], path[1::2])) or [(0, 1)] * (len(terms) - 1)
    for first, second in order:
        a, b = terms[first], terms[second]
        rest = [term for place, term in enumerate(terms) if place not in (first, second)]
        wanted = set(output).union(*rest)
        shared, kept = (a & b) - wanted, (a | b) & wanted
        if shared:
            numbers = [math.prod(sizes[x] for x in part) for part in (a & b & kept, kept - b, shared, kept - a)]
            batch, m, k, n = numbers
            yield aten.bmm, ((batch, m, k), (batch, k, n))
        # The result stands first where there is no path, and last where there is one.
        terms = [*rest, kept] if path else [kept, *rest]


def _labelled(equation: str, operands: Sequence[Tensor]) -> tuple[list[set[Any]], set[Any], dict[Any, int]]:
    """The labels of each operand and of the result, and their sizes. Those of an ellipsis are numbers, counted from its end."""
    left, arrow, right = equation.replace(" ", "").replace("...", "*").partition("->")
    sizes: dict[Any, int] = {}
    terms = []
    for text, operand in zip(left.split(","), operands):
        hidden = list(range(operand.dim() - len(text.replace("*", "")), 0, -1))
        labels = [label for mark in text for label in (hidden if mark == "*" else [mark])]
        for label, size in zip(labels, operand.shape):
            sizes[label] = max(size, sizes.get(label, 0))
        terms.append(set(labels))
    hidden_labels = {label for label in sizes if isinstance(label, int)}
    if arrow:
        return terms, {mark for mark in right if mark != "*"} | (hidden_labels if "*" in right else set()), sizes
    return terms, {label for label in sizes if left.count(str(label)) == 1} | hidden_labels, sizes


_CALLS: dict[str, Callable[..., Calls]] = {
    "matmul": _matmul,
    "linear": _linear,
    "addbmm": _addbmm,
    "tensordot": _tensordot,
    "scaled_dot_product_attention": _attention,
    "_einsum": _einsum,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
    **dict.fromkeys(("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"), _recurrent_cell),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution(False)),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _convolution(True)),
}


def _products(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any, registry: dict[Any, Any]) -> Calls:
    """The ops of torch that a call of gradcore's function of this name consists of."""
    kwargs = {key: value for key, value in kwargs.items() if key != "out"}
    if name in _CALLS:
        yield from _CALLS[name](out, *args, **kwargs)
        return
    packet = None if name.startswith("__") else getattr(aten, name)
    if packet in registry:
        yield packet, args


def _batch_of(tensors: list[Tensor]) -> int:
    """How many samples a vmap computes at once, which its function does not see."""
    levels = {level for t in tensors for level in _C._batch_levels(t)}
    return math.prod(t.size for t in running.running.transforms if isinstance(t, BatchLevel) and t.number in levels)


# ---- backward: what a node computed, seen from the gradients that came in and out


def _gradients_of_product(made: list[Any], given: list[Any]) -> Calls:
    """The last two inputs of the node are matrices, or batches of them."""
    grad, (a, b) = given[0].shape, made[-2:]
    packet = aten.mm if len(grad) == 2 else aten.bmm
    batch = grad[:-2]
    if a is not None:
        yield packet, (grad, (*batch, grad[-1], a.shape[-1]))
    if b is not None:
        yield packet, ((*batch, b.shape[-2], grad[-2]), grad)


def _gradients_of_addbmm(made: list[Any], given: list[Any]) -> Calls:
    a, b = made[-2:]
    batch = next((t.shape[0] for t in (a, b) if t is not None), 0)
    yield from _gradients_of_product(made, [given[0].expand(batch, *given[0].shape)])


def _gradients_of_attention(made: list[Any], given: list[Any]) -> Calls:
    if all(gradient is not None for gradient in made[:3]):
        shapes = [_of_four_dims(t.shape) for t in (given[0], *made[:3])]
        yield aten._scaled_dot_product_flash_attention_backward, tuple(shapes)
        return
    raise NotImplementedError(
        "FlopCounterMode: attention is counted where query, key and value require grad, or none does"
    )


def _gradients_of_layer(made: list[Any], given: list[Any]) -> Calls:
    weights = [g for g in made[1:] if g is not None and g.dim() == 2][-2:]
    if len(weights) < 2:
        raise NotImplementedError(
            "FlopCounterMode: a recurrent layer is counted where both of its weights require grad"
        )
    rows = next(g for g in given if g is not None).shape[0]
    into, hidden = weights
    times = ((into, 2 if made[0] is not None else 1), (hidden, 2))
    for weight, count in times:
        for _ in range(count):
            yield aten.mm, ((weight.shape[0], rows), (rows, weight.shape[1]))


_BACKWARD: dict[str, Callable[[list[Any], list[Any]], Calls]] = {
    **dict.fromkeys(("MmBackward0", "AddmmBackward0", "BmmBackward0", "BaddbmmBackward0"), _gradients_of_product),
    "AddbmmBackward0": _gradients_of_addbmm,
    "ScaledDotProductFlashAttentionForCpuBackward0": _gradients_of_attention,
    "RecurrentLayerBackward0": _gradients_of_layer,
}


def _gradients_of_convolution(node: Any) -> Callable[[list[Any], list[Any]], Calls]:
    x, w, transposed = node._saved_input.shape, node._saved_weight.shape, node._saved_transposed

    def calls(made: list[Any], given: list[Any]) -> Calls:
        mask = [gradient is not None for gradient in made]
        batched = given[0].dim() == len(w)
        shapes = [None if g is None else g.shape if batched else (1, *g.shape) for g in made[:1]] + [
            None if g is None else g.shape for g in made[1:]
        ]
        grad = given[0].shape if batched else (1, *given[0].shape)
        args = (grad, x if batched else (1, *x), w, None, None, None, None, transposed, None, None, mask)
        yield aten.convolution_backward, args, shapes

    return calls


# ---- the counter


class FlopCounterMode:
    """A context that counts the floating-point operations of matrix products, convolutions and attention, forward and
    backward, in all and for each module.

    depth: how deep the modules are that the table shows; display: whether it is printed when the context ends;
    custom_mapping: formulas for further ops, as register_flop_formula() takes them. Results are those of torch for what
    both do, but for these: fused attention and LSTMs are counted (torch's kernels for the CPU are not in its table);
    functions that make products inside of themselves (inverses, cdist) and forward mode are not counted, nor is backward of
    what was computed before, unless Tensor.backward() starts it.

    Backward of a recurrent layer or of attention raises NotImplementedError where the gradients of some inputs alone are
    needed.

    >>> import gradcore
    >>> from gradcore.utils.flop_counter import FlopCounterMode
    >>> layer = gradcore.nn.Linear(3, 5)
    >>> with FlopCounterMode(display=False) as counter:
    ...     layer(gradcore.ones(2, 3)).sum().backward()
    >>> counter.get_flop_counts()["Linear"][gradcore.ops.aten.addmm]
    60
    >>> print(counter.get_table())
    Module           FLOP    % Total
    -------------  ------  ---------
    Linear            120    100.00%
     - aten.addmm      60     50.00%
     - aten.mm         60     50.00%
    """

    def __init__(
        self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: dict[Any, Any] | None = None
    ) -> None:
        if mods is not None:
            warnings.warn("mods argument is not needed anymore, you can stop passing it", stacklevel=2)
        self.depth, self.display = depth, display
        self.flop_counts: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
        own = {op: formula if getattr(formula, "_get_raw", False) else shape_wrapper(formula)
               for op, formula in (custom_mapping or {}).items()}  # fmt: skip
        self.flop_registry = {**flop_registry, **own}
        self.mod_tracker = ModuleTracker()
        self._mode: _Mode | None = None

    def get_total_flops(self) -> int:
        """All that were counted."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """Those of each module ("Global" for all), by op."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """The counts as a table of modules down to `depth`."""
        depth = self.depth if depth is None else depth
        names = sorted(name for name in self.flop_counts if name != "Global")
        shown = [name for name in names if depth is None or name.count(".") < depth]
        total = self.get_total_flops()
        covered = any(sum(self.flop_counts[name].values()) >= total for name in shown)
        rows = [row for name in shown for row in self._rows_of(name, name.count(".") + (not covered), total)]
        if not covered:
            rows = [*self._rows_of("Global", 0, total), *rows]
        return _table([("Module", "FLOP", "% Total"), *(rows if total else [("Global", "0", "0%")])])

    def _rows_of(self, name: str, indent: int, total: int) -> list[tuple[str, str, str]]:
        counts = self.flop_counts[name]
        entries = [(name, sum(counts.values())), *((f" - {op}", count) for op, count in counts.items())]
        share = [f"{count / total:.2%}" if total else "0%" for _, count in entries]
        return [(" " * indent + text, _in_units(count, total), part) for (text, count), part in zip(entries, share)]

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self._mode = _Mode(self)
        self._mode.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        mode, self._mode = self._mode, None
        assert mode is not None
        mode.__exit__(*error)
        self.mod_tracker.__exit__(*error)
        if self.display:
            print(self.get_table(self.depth))

    def _add(self, calls: Calls, batch: int, out: Any) -> None:
        for op, args, *own in calls:
            if op not in self.flop_registry:
                continue
            count = batch * self.flop_registry[op](*args, out_val=own[0] if own else out)
            for name in self.mod_tracker.parents:
                self.flop_counts[name][op] += count


class _Mode(TorchFunctionMode):
    """Sees the calls of a FlopCounterMode's block."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self.counter = counter

    def __torch_function__(
        self, func: Any, types: tuple[type, ...], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Counts the call. Of functions in Python, and of backward, the calls inside are counted."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "backward":
            self.watch(args[0])
            with self:
                return backward(*args, **kwargs)
        inside = getattr(func, "__wrapped__", None)
        if inside is not None and name not in _CALLS:
            with self:
                return inside(*args, **kwargs)
        out = func(*args, **kwargs)
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        calls = _products(_plain(name), args, kwargs, out, self.counter.flop_registry)
        self.counter._add(calls, _batch_of(tensors), out)
        for result in tree_leaves(out):
            self.watch(result)
        return out

    def watch(self, result: Any) -> None:
        """Hooks the nodes behind a result that compute products, each once."""
        waiting: list[Any] = [result.grad_fn] if isinstance(result, Tensor) and result.grad_fn is not None else []
        while waiting:
            node = waiting.pop()
            if node is None or node.metadata.get("flop_counter") is self:
                continue
            node.metadata["flop_counter"] = self
            waiting += [behind for behind, _ in node.next_functions]
            calls = (
                _gradients_of_convolution(node) if node.name() == "ConvolutionBackward0" else _BACKWARD.get(node.name())
            )
            if calls is not None:
                node.register_hook(functools.partial(self.after_node, calls))

    def after_node(self, calls: Callable[[list[Any], list[Any]], Calls], made: Any, given: Any) -> None:
        """Counts what a node computed."""
        if self.counter._mode is not self:
            return
        tensors = [t for t in (*made, *given) if t is not None]
        self.counter._add(calls(list(made), list(given)), _batch_of(tensors), made)
        for gradient in tensors:  # of create_graph
            self.watch(gradient)


def _plain(name: str) -> str:
    """The op of a method in place, or of an operator."""
    if name in ("__matmul__", "__rmatmul__", "__imatmul__"):
        return "matmul"
    return name.rstrip("_") if not name.startswith("__") else name


# ---- the table


def _in_units(count: int, total: int) -> str:
    """In the unit that suits the total: thousands, millions ..."""
    power = max(0, min(4, (len(str(total)) - 2) // 3))
    return f"{count / 1000**power:.3f}{' KMBT'[power]}" if power else str(count)


def _table(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(len(row[column]) + 2 * (column > 0 and row is rows[0]) for row in rows) for column in range(3)]
    lines = [
        [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:]))] for row in rows
    ]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(line).rstrip() for line in lines)
