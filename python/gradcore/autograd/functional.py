"""Derivatives of functions: vjp, jvp, jacobian, hessian, vhp, hvp. Mirrors torch.autograd.functional.

Each takes func(*inputs) -> a tensor or a tuple of tensors, and inputs: a tensor or a tuple of tensors; results have
the same structure. With create_graph the results are differentiable themselves; with strict an input that an output
does not depend on is an error, otherwise its derivative is zero. Start at `vjp`: the others are put together from the
same pieces (_tensors, _points, _gradients, _or_zeros).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

from .. import _C
from .._C import Tensor
from .._modes import enable_grad, set_grad_enabled
from . import grad

__all__ = ["vjp", "jvp", "jacobian", "hessian", "hvp", "vhp"]

Tensors = tuple[Tensor, ...]
TensorOrTensors = Any  # a tensor or a tuple of tensors

_BASIS_ELEMENTS = 1 << 16  # unit vectors are made this many elements at a time: n * n of them could fill the memory


def vjp(
    func: Callable[..., TensorOrTensors],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[TensorOrTensors, TensorOrTensors]:
    """(func(*inputs), v times its Jacobian): one backward.

    v: of the shapes of the outputs; may be left out if there is a single output with a single element.

    Raises TypeError for anything but tensors, RuntimeError for a v of the wrong size and, with strict, for an input
    that the outputs do not depend on.

    >>> import gradcore
    >>> x = gradcore.tensor([1.0, 2.0])
    >>> gradcore.autograd.functional.vjp(lambda x: x**3, x, gradcore.tensor([1.0, 10.0]))
    (tensor([1., 8.]), tensor([  3., 120.]))
    """
    with enable_grad():
        many, points = _points(inputs, "vjp", create_graph)
        many_outputs, outputs = _outputs(func, points, "vjp", strict)
        if v is None and (len(outputs) != 1 or outputs[0].numel() != 1):
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns "
                "a single Tensor with a single element."
            )
        vector = _vector(v, outputs, many_outputs, "vjp", create_graph)
    with set_grad_enabled(create_graph or _C.is_grad_enabled()):
        found = _gradients(outputs, points, vector, create_graph=create_graph)
        result = _or_zeros(found, points, "back", strict, create_graph)
    return _finished(outputs, many_outputs, create_graph), _finished(result, many, create_graph)


def jvp(
    func: Callable[..., TensorOrTensors],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[TensorOrTensors, TensorOrTensors]:
    """(func(*inputs), its Jacobian times v), by two backwards.

    u -> u J is linear, so the gradient of <u J, v> with respect to u is J v, whatever u is (J. Townsend, "A new trick
    for calculating Jacobian vector products", 2017).

    v: of the shapes of the inputs; may be left out if there is a single input with a single element. Raises as vjp
    does.

    >>> import gradcore
    >>> x = gradcore.tensor([1.0, 2.0])
    >>> gradcore.autograd.functional.jvp(lambda x: x.prod() * x, x, gradcore.tensor([1.0, 0.0]))
    (tensor([2., 4.]), tensor([4., 4.]))
    """
    with enable_grad():
        many, points = _points(inputs, "jvp", create_graph)
        vector = _vector_for_inputs(v, points, many, "jvp", create_graph)
        many_outputs, outputs = _outputs(func, points, "jvp", strict)
        anything = tuple(_C.zeros_like(out, requires_grad=True) for out in outputs)
        found = _gradients(outputs, points, anything, create_graph=True)
        _check_depends(found, _GRADIENT, strict)
    with set_grad_enabled(create_graph or _C.is_grad_enabled()):
        product = _gradients(found, anything, vector, create_graph=create_graph)
        result = _or_zeros(product, outputs, "back_trick", strict, create_graph)
    return _finished(outputs, many_outputs, create_graph), _finished(result, many_outputs, create_graph)


def jacobian(
    func: Callable[..., TensorOrTensors],
    inputs: TensorOrTensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> TensorOrTensors:
    """The Jacobian: for an output and an input a tensor of shape output.shape + input.shape.

    Several outputs or inputs give a tuple; several of both a tuple of tuples, result[output][input]. Each output
    element takes one backward; with vectorize all are done at once. strategy="forward-mode" takes one forward pass for
    each input element and needs vectorize=True.

    Raises as vjp does, AssertionError for an unknown strategy, NotImplementedError or RuntimeError for combinations
    that torch does not have either.

    >>> import gradcore
    >>> gradcore.autograd.functional.jacobian(lambda x: x**2, gradcore.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        return _forward_jacobian(func, inputs, create_graph, strict, vectorize)
    with enable_grad():
        many, points = _points(inputs, "jacobian", create_graph)
        many_outputs, outputs = _outputs(func, points, "jacobian", strict)
        if vectorize and strict:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorize=True` are not supported together. "
                "Please set either `strict=False` or `vectorize=False`."
            )
        rows_of = _rows_at_once if vectorize else _rows_one_by_one
        blocks = tuple(
            tuple(rows.view(out.shape + point.shape) for rows, point in zip(found, points))
            for out, found in zip(outputs, rows_of(outputs, points, strict, create_graph))
        )
    if not create_graph:
        blocks = tuple(tuple(block.detach() for block in row) for row in blocks)
    return _packed(tuple(_packed(row, many) for row in blocks), many_outputs)


def hessian(
    func: Callable[..., Tensor],
    inputs: TensorOrTensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> TensorOrTensors:
    """The Hessian of a function that returns a single element: for two inputs a tensor of shape first.shape +
    second.shape.

    Several inputs give a tuple of tuples, result[first][second]. Raises as jacobian does, RuntimeError also for a
    function that returns more than one element.

    >>> import gradcore
    >>> gradcore.autograd.functional.hessian(lambda x: x[0] ** 2 * x[1], gradcore.tensor([3.0, 5.0]))
    tensor([[10.,  6.],
            [ 6.,  0.]])
    """
    many, points = _tensors(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def gradient(*points: Tensor) -> Tensors:
        if outer_jacobian_strategy == "forward-mode":
            for point in points:
                point.requires_grad = True  # requires_grad_() is refused inside of jacfwd's vmap
        many_outputs, outputs = _outputs(func, points, "hessian", strict)
        _check_single(outputs, many_outputs, "hessian")
        found = _gradients(outputs, points, create_graph=True)
        result = tuple(_C.zeros_like(p) if g is None else g for g, p in zip(found, points))
        _check_depends(result, _JACOBIAN, strict)
        return result

    result = jacobian(gradient, points, create_graph, strict, vectorize, outer_jacobian_strategy)
    return result if many else result[0][0]


def vhp(
    func: Callable[..., Tensor],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, TensorOrTensors]:
    """(func(*inputs), v times its Hessian), by two backwards. func returns a single element; v is of the inputs'
    shapes.

    Raises as vjp does, RuntimeError also for a function that returns more than one element.

    >>> import gradcore
    >>> x, v = gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 1.0])
    >>> gradcore.autograd.functional.vhp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        many, points, vector, outputs, first = _first_derivative("vhp", func, inputs, v, create_graph, strict)
    with set_grad_enabled(create_graph or _C.is_grad_enabled()):
        found = _gradients(first, points, vector, create_graph=create_graph)
        result = _or_zeros(found, points, "double_back", strict, create_graph)
    return _finished(outputs, False, create_graph), _finished(result, many, create_graph)


def hvp(
    func: Callable[..., Tensor],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, TensorOrTensors]:
    """(func(*inputs), its Hessian times v), by three backwards. The Hessian is symmetric, so vhp gives the same for
    less.

    Raises as vhp does.

    >>> import gradcore
    >>> x, v = gradcore.tensor([1.0, 2.0]), gradcore.tensor([1.0, 1.0])
    >>> gradcore.autograd.functional.hvp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        many, points, vector, outputs, first = _first_derivative("hvp", func, inputs, v, create_graph, strict)
        anything = tuple(_C.zeros_like(point, requires_grad=True) for point in points)
        second = _gradients(first, points, anything, create_graph=True)
    with set_grad_enabled(create_graph or _C.is_grad_enabled()):
        found = _gradients(second, anything, vector, create_graph=create_graph)
        result = _or_zeros(found, points, "double_back_trick", strict, create_graph)
    return _finished(outputs, False, create_graph), _finished(result, many, create_graph)


def _first_derivative(
    name: str, func: Callable[..., Tensor], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[bool, Tensors, Tensors | None, Tensors, Sequence[Tensor | None]]:
    """The beginning of vhp and hvp: returns (whether inputs are a tuple, points, v, outputs, recorded gradient)."""
    many, points = _points(inputs, name, create_graph)
    vector = _vector_for_inputs(v, points, many, name, create_graph)
    many_outputs, outputs = _outputs(func, points, name, strict)
    _check_single(outputs, many_outputs, name)
    first = _gradients(outputs, points, create_graph=True)
    _check_depends(first, _JACOBIAN, strict)
    return many, points, vector, outputs, first


# ---- Jacobians -------------------------------------------------------------------------------------------------------


def _rows_one_by_one(outputs: Tensors, points: Tensors, strict: bool, create_graph: bool) -> Iterator[list[Tensor]]:
    """For each output, for each input, the rows of the Jacobian, stacked."""
    for i, out in enumerate(outputs):
        rows: list[list[Tensor]] = [[] for _ in points]
        for unit in _unit_vectors(out):
            found = _gradients((out,), points, (unit,), create_graph=create_graph, retain_graph=True)
            for j, (row, gradient) in enumerate(zip(rows, found)):
                if strict:
                    _check_row(gradient, i, j, create_graph)
                row.append(_C.zeros_like(points[j]) if gradient is None else gradient)
        yield [_C.stack(row) for row in rows]


def _check_row(gradient: Tensor | None, output: int, point: int, create_graph: bool) -> None:
    if gradient is None:
        raise RuntimeError(
            f"Output {output} of the user-provided function is independent of input {point}. "
            "This is not allowed in strict mode."
        )
    if create_graph and not gradient.requires_grad:
        raise RuntimeError(_independent("jacobian", f"input {output}", create_graph))  # torch names the output's number


def _unit_vectors(out: Tensor) -> Iterable[Tensor | None]:
    """For each element of `out` a tensor of its shape that is 1 there and 0 elsewhere. Nones if there is no graph."""
    n = out.numel()
    return _made_unit_vectors(out, n) if out.requires_grad else repeat(None, n)


def _made_unit_vectors(out: Tensor, n: int) -> Iterator[Tensor]:
    count = max(1, _BASIS_ELEMENTS // max(n, 1))
    for start in range(0, n, count):
        basis = _C.zeros(min(count, n - start), n, dtype=out.dtype)
        basis.diagonal(start).fill_(1)
        yield from basis.view(-1, *out.shape).unbind()


def _rows_at_once(outputs: Tensors, points: Tensors, strict: bool, create_graph: bool) -> Iterator[list[Tensor]]:
    """As _rows_one_by_one, with all rows in one batched backward."""
    for out in outputs:
        n = out.numel()
        basis = _C.eye(n, dtype=out.dtype).view(n, *out.shape) if out.requires_grad else None
        found = _gradients((out,), points, (basis,), create_graph=create_graph, retain_graph=True, batched=True)
        yield [_C.zeros(n, *p.shape, dtype=p.dtype) if g is None else g for g, p in zip(found, points)]


def _forward_jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    if create_graph:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please set either `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please set either `strict=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotImplementedError("A Jacobian in forward mode is only implemented for `vectorize=True`.")
    if _C._in_transform():
        raise RuntimeError(
            "torch.autograd.functional.jacobian in forward mode was called inside of a function being transformed by a "
            "functorch transform. This is unsupported: please use func.jacfwd there instead."
        )
    from .._transforms.running import tracing
    from ..func._forward import jacobian_by_columns

    many, points = _tensors(inputs, "inputs", "jacobian")
    many_outputs = False

    def flat(*points: Tensor) -> Tensors:
        nonlocal many_outputs
        many_outputs, outputs = _outputs(func, points, "jacobian", strict)
        return outputs

    jacfwd = jacobian_by_columns(flat, tuple(range(len(points))), False, "error", tracing)
    blocks = jacfwd(*(point.detach() for point in points))
    return _packed(tuple(_packed(tuple(block.detach() for block in row), many) for row in blocks), many_outputs)


# ---- What goes in ----------------------------------------------------------------------------------------------------


def _tensors(value: Any, what: str, name: str) -> tuple[bool, Tensors]:
    """(whether it is a tuple, the tensors). TypeError for anything else."""
    many = isinstance(value, tuple)
    values = value if many else (value,)
    for i, item in enumerate(values):
        if not isinstance(item, Tensor):
            where = f"value at index {i}" if many else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {where} "
                f"has type {type(item)}."
            )
    return many, values


def _points(inputs: Any, name: str, create_graph: bool) -> tuple[bool, Tensors]:
    """The inputs as the tensors that func sees: new leaves, or with create_graph views of inputs that require grad."""
    many, tensors = _tensors(inputs, "inputs", name)
    return many, tuple(
        t.view_as(t) if create_graph and t.requires_grad else t.detach().requires_grad_() for t in tensors
    )


def _outputs(func: Callable[..., Any], points: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    many, outputs = _tensors(func(*points), "outputs of the user-provided function", name)
    _check_depends(outputs, _OUTPUT, strict)
    return many, outputs


def _vector(v: Any, like: Tensors, many: bool, name: str, create_graph: bool) -> Tensors | None:
    """v, checked against the tensors that it is multiplied with. None stays None: that is 1 for a single element."""
    if v is None:
        return None
    _, tensors = _tensors(v, "v", name)
    vector = tuple(t if create_graph and t.requires_grad else t.detach() for t in tensors)
    if len(vector) != len(like):
        if not many:
            raise RuntimeError("The given v should contain a single Tensor.")
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vector)}.")
    for i, (given, wanted) in enumerate(zip(vector, like)):
        if given.shape != wanted.shape:
            entry = f"Entry {i} in " if many else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {wanted.shape} but got {given.shape}.")
    return vector


def _vector_for_inputs(v: Any, points: Tensors, many: bool, name: str, create_graph: bool) -> Tensors | None:
    if v is None and (len(points) != 1 or points[0].numel() != 1):
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor "
            "with a single element."
        )
    return _vector(v, points, many, name, create_graph)


def _check_single(outputs: Tensors, many: bool, name: str) -> None:
    if many:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")


# ---- What comes out --------------------------------------------------------------------------------------------------


def _gradients(
    outputs: Sequence[Tensor | None],
    inputs: Tensors,
    grad_outputs: Sequence[Tensor | None] | None = None,
    *,
    create_graph: bool,
    retain_graph: bool | None = None,
    batched: bool = False,
) -> Sequence[Tensor | None]:
    """autograd.grad for those outputs that have a graph; None for an input that none of them depends on."""
    weights = repeat(None, len(outputs)) if grad_outputs is None else grad_outputs
    pairs = [(out, weight) for out, weight in zip(outputs, weights) if out is not None and out.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    used, given = zip(*pairs)
    return grad(used, inputs, given, retain_graph, create_graph, allow_unused=True, is_grads_batched=batched)


def _finished(tensors: Tensors, many: bool, create_graph: bool) -> TensorOrTensors:
    return _packed(tensors if create_graph else tuple(t.detach() for t in tensors), many)


def _packed(values: tuple[Any, ...], many: bool) -> Any:
    return values if many else values[0]


# Strict mode's messages about an input that something does not depend on, by the stage that finds it.
_INDEPENDENT = {
    "back": "The output of the user-provided function is independent of input {0}.",
    "back_trick": "The gradient with respect to the input is independent of entry {0} in the grad_outputs when using "
    "the double backward trick to compute forward mode gradients.",
    "double_back": "The jacobian of the user-provided function is independent of input {0}.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {0} in the grad_jacobian, "
    "which the double backward trick needs.",
}
_OUTPUT = (
    "Output {0} of the user-provided function does not require gradients. The outputs must be computed in a "
    "differentiable manner from the input when running in strict mode."
)
_GRADIENT = (
    "The gradient with respect to input {0} is independent of the inputs of the user-provided function. "
    "This is not allowed in strict mode."
)
_JACOBIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {0} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function "
    "for example)."
)


def _independent(what: str, of: str, create_graph: bool) -> str:
    when = " when create_graph=True" if create_graph else ""
    return f"The {what} of the user-provided function is independent of {of}. This is not allowed in strict mode{when}."


def _check_depends(tensors: Sequence[Tensor | None], message: str, strict: bool) -> None:
    """In strict mode RuntimeError for a tensor that is missing, or has no graph (then with `message`)."""
    if not strict:
        return
    for i, tensor in enumerate(tensors):
        if tensor is None:
            raise RuntimeError(_independent("output", f"input {i}", create_graph=False))
        if not tensor.requires_grad:
            raise RuntimeError(message.format(i))


def _or_zeros(found: Sequence[Tensor | None], like: Tensors, stage: str, strict: bool, create_graph: bool) -> Tensors:
    """The gradients found, zeros for the missing ones; in strict mode RuntimeError instead of zeros."""
    if strict:
        for i, gradient in enumerate(found):
            if gradient is None:
                raise RuntimeError(_INDEPENDENT[stage].format(i) + " This is not allowed in strict mode.")
            if create_graph and not gradient.requires_grad:
                what = "hessian" if stage.startswith("double") else "jacobian"
                raise RuntimeError(_independent(what, f"input {i}", create_graph))
    return tuple(_C.zeros_like(t) if g is None else g for g, t in zip(found, like))


# ---- Private names of torch's module that packages import ------------------------------------------------------------


def _as_tuple(inp: Any, arg_name: str | None = None, fn_name: str | None = None) -> Any:
    """(whether inp is a tuple, inp as one), its items checked. Without the names for a message: the tuple alone."""
    if arg_name is not None or fn_name is not None:
        return _tensors(inp, str(arg_name), str(fn_name))
    return tuple(inp) if isinstance(inp, (list, tuple)) else (inp,)


def _grad_postprocess(inputs: Any, create_graph: bool) -> Any:
    """A tuple, or a tuple of tuples, of derivatives as a function gives them back: detached without create_graph."""
    if create_graph:
        return inputs
    return tuple(_grad_postprocess(x, create_graph) if isinstance(x, tuple) else x.detach() for x in inputs)


def _tuple_postprocess(res: Any, to_unpack: bool | tuple[bool, bool]) -> Any:
    """res with the structure that the caller's values have: to_unpack says which levels are tuples."""
    if not isinstance(to_unpack, tuple):
        return _packed(res, to_unpack)
    outer, inner = to_unpack
    return _packed(tuple(_packed(row, inner) for row in res), outer)


def _construct_standard_basis_for(tensors: Sequence[Tensor], tensor_numels: Sequence[int]) -> Tensors:
    """The rows of an identity matrix over all elements of the tensors, cut into a block of columns for each tensor."""
    total = sum(tensor_numels)
    blocks = []
    start = 0
    for tensor, n in zip(tensors, tensor_numels):
        block = _C.zeros(total, n, dtype=tensor.dtype)
        block.diagonal(-start).fill_(1)
        blocks.append(block)
        start += n
    return tuple(blocks)
