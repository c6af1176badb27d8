"""gradcheck, gradgradcheck: gradients compared with differences of the function's values. Mirrors
torch.autograd.gradcheck.

Slow mode compares whole Jacobians, element by element. Fast mode compares one number for each output and input, v J u
with random v and u (in forward mode the vector J u), and takes two evaluations for each input instead of two for each of
its elements. Start at `gradcheck`.

A Jacobian here has a row for each element of the input and a column for each element of the output, as torch prints it.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .. import _C, _lazy
from .._C import Tensor
from .._transforms.vmap import over_samples
from . import Function, grad
from .forward_ad import dual_level, make_dual, unpack_dual

__all__ = [
    "gradcheck", "gradgradcheck", "GradcheckError", "get_numerical_jacobian", "get_analytical_jacobian",
    "get_numerical_jacobian_wrt_specific_input",
]  # fmt: skip

Tensors = tuple[Tensor, ...]


class GradcheckError(RuntimeError):
    """gradcheck() and gradgradcheck() raise it when gradients are wrong."""


class _Options(NamedTuple):
    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_undefined_grad: bool
    check_grad_dtypes: bool
    check_batched_grad: bool
    check_batched_forward_grad: bool
    check_forward_ad: bool
    check_backward_ad: bool
    fast_mode: bool
    masked: bool | None


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """True if the gradients of func(*inputs) agree with central differences of width 2 * eps.

    func: returns a tensor or several; inputs: a tensor or a tuple, of which tensors that require grad are checked
    (float64, or rounding drowns the differences; their data is changed for a moment while func runs). A gradient is
    right if |analytic - numeric| <= atol + rtol * |numeric|. It is computed twice and may differ by nondet_tol
    between the two.
    check_undefined_grad: also call backward with gradients missing, and forward mode with tangents missing.
    check_backward_ad, check_forward_ad: which modes are compared with differences. check_batched_grad,
    check_batched_forward_grad: also compare them under vmap with themselves, along random vectors from the default
    generator. masked: gradients of zero need to be zero up to rounding only. check_grad_dtypes: accepted; the engine
    gives a gradient its tensor's dtype anyway.

    Raises GradcheckError if they disagree (with raise_exception=False the result is False instead), ValueError if no
    input requires grad, RuntimeError for an input whose elements share memory, AssertionError for options that
    contradict.

    >>> import gradcore
    >>> x = gradcore.tensor([0.5, 2.0], dtype=gradcore.float64, requires_grad=True)
    >>> gradcore.autograd.gradcheck(lambda x: x.exp() * x, x)
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    options = _Options(
        eps,
        atol,
        rtol,
        nondet_tol,
        check_undefined_grad,
        check_grad_dtypes,
        check_batched_grad,
        check_batched_forward_grad,
        check_forward_ad,
        check_backward_ad,
        fast_mode,
        masked,
    )
    try:
        _check(func, _as_tuple(inputs), options)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """True if the second derivatives of func are right: gradcheck of its backward, as a function of inputs and
    grad_outputs, by backward (check_rev_over_rev) or forward mode (check_fwd_over_rev).

    grad_outputs: of the shapes of the outputs that require grad; random in [-1, 1) if not given, with
    gen_non_contig_grad_outputs not contiguous. The other options and what is raised are gradcheck's.

    >>> import gradcore
    >>> x = gradcore.tensor([0.5, 2.0], dtype=gradcore.float64, requires_grad=True)
    >>> gradcore.autograd.gradgradcheck(lambda x: x.exp() * x, x)
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    for name, value in (("check_undefined_grad", check_undefined_grad), ("check_batched_grad", check_batched_grad)):
        if value and not check_rev_over_rev:
            raise AssertionError(f"Setting {name}=True requires check_rev_over_rev to be True")
    points = _as_tuple(inputs)
    if grad_outputs is None:
        weights = tuple(_random_weight(out, gen_non_contig_grad_outputs) for out in _differentiable(func(*points)))
    else:
        weights = _as_tuple(grad_outputs)
    tracked = [_is_checked(value) for value in points + weights]

    def backward(*values: Any) -> Tensors:
        values = tuple(v.requires_grad_() if on else v for v, on in zip(values, tracked))
        arguments, given = values[: len(points)], values[len(points) :]
        wanted = [value for value, on in zip(arguments, tracked) if on]
        found = grad(_differentiable(func(*arguments)), wanted, given, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        backward,
        points + weights,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


def _check(func: Callable[..., Any], inputs: tuple[Any, ...], options: _Options) -> None:
    _check_inputs(inputs)
    all_outputs = _as_tuple(func(*inputs))
    outputs = _differentiable(all_outputs)
    if options.check_backward_ad:
        compare = _compare_fast if options.fast_mode else _compare_slow
        compare(func, inputs, all_outputs, options)
    if options.check_forward_ad:
        compare = _compare_fast_forward if options.fast_mode else _compare_slow_forward
        compare(func, inputs, all_outputs, options)
        if options.check_undefined_grad:
            _check_missing_tangents(func, inputs)
    if options.check_batched_forward_grad:
        _check_batched_tangents(func, inputs)
    if not options.check_backward_ad:
        return
    if options.check_batched_grad:
        _check_batched_gradients(inputs, outputs)
    _check_zero_gradient(inputs, outputs, options)
    if options.check_undefined_grad:
        _check_undefined(func, inputs, len(outputs))


def _check_inputs(inputs: tuple[Any, ...]) -> None:
    checked = [(i, value) for i, value in enumerate(inputs) if _is_checked(value)]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i, value in checked:
        if value.dtype != _C.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex.",
                stacklevel=4,
            )
        if any(stride == 0 and size > 1 for stride, size in zip(value.stride(), value.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping, because it changes their elements one by one. You should call .contiguous "
                "on the input first."
            )


# ---- Slow mode: whole Jacobians --------------------------------------------------------------------------------------


def _compare_slow(func: Callable[..., Any], inputs: tuple[Any, ...], all_outputs: Tensors, options: _Options) -> None:
    def analytic(number: int) -> list[Tensor]:
        return _analytic_jacobians(inputs, all_outputs[number], options.nondet_tol)

    _compare_jacobians(func, inputs, all_outputs, options, analytic)


def _compare_slow_forward(
    func: Callable[..., Any], inputs: tuple[Any, ...], all_outputs: Tensors, options: _Options
) -> None:
    pushed: list[Tensors] = []

    def analytic(number: int) -> list[Tensor]:
        if not pushed:
            pushed.extend(_pushed_jacobians(func, inputs, i, all_outputs) for i in _checked(inputs))
        return [jacobians[number] for jacobians in pushed]

    _compare_jacobians(func, inputs, all_outputs, options, analytic, _FORWARD)


def _compare_jacobians(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    all_outputs: Tensors,
    options: _Options,
    analytic: Callable[[int], list[Tensor]],
    mode: str = "",
) -> None:
    """analytic(number of an output): its Jacobians, for each checked input."""
    numeric = [_numeric_jacobians(func, inputs, inputs[i], all_outputs, options.eps) for i in _checked(inputs)]
    if not _differentiable(all_outputs):
        return _expect_zero(numeric, all_outputs, 0.0)
    kept = [i for i, out in enumerate(all_outputs) if out.requires_grad]
    for output, number in enumerate(kept):
        for i, jacobian in enumerate(analytic(number)):
            if not _close(jacobian, numeric[i][number], options.rtol, options.atol):
                raise GradcheckError(_mismatch(output, i, numeric[i][number], jacobian, mode))


def _numeric_jacobians(
    func: Callable[..., Any], inputs: tuple[Any, ...], point: Tensor, outputs: Tensors, eps: float
) -> Tensors:
    """For each output the Jacobian with respect to one input, by central differences."""
    data = point.data
    rows = [
        _slopes(func, inputs, data[index], 1.0, eps, f"on index {index} ")
        for index in itertools.product(*(range(size) for size in data.shape))
    ]
    if not rows:
        return tuple(_C.zeros(0, out.numel(), dtype=data.dtype) for out in outputs)
    return tuple(_C.stack(columns) for columns in zip(*rows))


def _slopes(
    func: Callable[..., Any], inputs: tuple[Any, ...], entry: Tensor, direction: Any, eps: float, where: str = ""
) -> Tensors:
    """For each output its flat slope when `entry`, a part of an input's data, moves in a direction."""
    before = entry.clone()

    def at(step: Any) -> Tensors:
        entry.copy_(before + step)
        # Clones, because an output may share its memory with the input that moves next.
        return tuple(out.clone() for out in _as_tuple(func(*inputs)))

    try:
        low, high = at(-eps * direction), at(eps * direction)
    finally:
        entry.copy_(before)
    for a, b in zip(low, high):
        for what, first, second in (("shape", a.shape, b.shape), ("dtype", a.dtype, b.dtype)):
            if first != second:
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {what} when inputs are perturbed "
                    f"{where}by {eps}, but got: {what}s {first} and {second}."
                )
    return tuple(((b - a) / (2 * eps)).detach().reshape(-1) for a, b in zip(low, high))


def _analytic_jacobians(inputs: tuple[Any, ...], output: Tensor, nondet_tol: float) -> list[Tensor]:
    """For each checked input the Jacobian of one output, a backward for each of its elements."""
    wanted = [inputs[i] for i in _checked(inputs)]
    return _stacked(output, wanted, lambda unit: _vjp(output, wanted, unit, nondet_tol))


def _stacked(output: Tensor, wanted: list[Tensor], pull: Callable[[Tensor], list[Tensor]]) -> list[Tensor]:
    """For each wanted tensor its Jacobian, of which pull(unit vector) gives a column."""
    if output.numel() == 0:
        return [_C.zeros(point.numel(), 0, dtype=point.dtype) for point in wanted]
    units = _C.eye(output.numel(), dtype=output.dtype).view(-1, *output.shape)
    return [_C.stack(column, 1) for column in zip(*(pull(unit) for unit in units.unbind()))]


def _pushed_jacobians(func: Callable[..., Any], inputs: tuple[Any, ...], number: int, outputs: Tensors) -> Tensors:
    """For each output the Jacobian with respect to one input by forward mode, a call for each element of the input."""
    point = inputs[number]
    if point.numel() == 0:
        return tuple(_C.zeros(0, out.numel(), dtype=point.dtype) for out in outputs)
    units = _C.eye(point.numel(), dtype=point.dtype).view(-1, *point.shape)
    return tuple(_C.stack(rows) for rows in zip(*(_jvp(func, inputs, number, unit) for unit in units.unbind())))


def _jvp(func: Callable[..., Any], inputs: tuple[Any, ...], number: int, direction: Tensor) -> Tensors:
    """For each output its flat tangent when one input has the direction as its own, and other checked ones zero."""
    tangents = {i: _C.zeros_like(inputs[i]) for i in _checked(inputs)} | {number: direction}
    return tuple(
        _C.zeros(value.numel(), dtype=value.dtype) if tangent is None else tangent.detach().reshape(-1)
        for value, tangent in _with_tangents(func, inputs, tangents)
    )


def _with_tangents(
    func: Callable[..., Any], inputs: tuple[Any, ...], tangents: dict[int, Tensor]
) -> list[tuple[Tensor, Tensor | None]]:
    """(value, tangent) of each output, where the inputs with these numbers have tangents. No input requires grad."""
    values = [value.detach() if _is_checked(value) else value for value in inputs]
    with dual_level():
        for i, tangent in tangents.items():
            values[i] = make_dual(values[i], tangent)
        return [unpack_dual(out) for out in _as_tuple(func(*values))]


def _vjp(output: Tensor, wanted: list[Tensor], weight: Tensor, nondet_tol: float) -> list[Tensor]:
    """For each wanted tensor weight * its Jacobian, flat. GradcheckError if a second backward gives something else."""
    first, second = _pulled(output, wanted, weight), _pulled(output, wanted, weight)
    if _differ(first, second, nondet_tol):
        raise GradcheckError(
            "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
            "different values, although analytical gradient matches numerical gradient. "
            f"The tolerance for nondeterminism was {nondet_tol}: pass nondet_tol to allow more."
        )
    return first


def _pulled(output: Tensor, wanted: list[Tensor], weight: Tensor) -> list[Tensor]:
    found = grad(output, wanted, weight, retain_graph=True, allow_unused=True)
    return [
        _C.zeros(point.numel(), dtype=point.dtype) if gradient is None else gradient.reshape(-1).clone()
        for gradient, point in zip(found, wanted)
    ]


def _differ(first: list[Tensor], second: list[Tensor], tolerance: float) -> bool:
    return any(a.numel() and float((a - b).abs().max()) > tolerance for a, b in zip(first, second))


# ---- Fast mode: v J u ------------------------------------------------------------------------------------------------


def _compare_fast(func: Callable[..., Any], inputs: tuple[Any, ...], all_outputs: Tensors, options: _Options) -> None:
    generator = _C.Generator()  # a new one has a fixed seed: the same vectors each time, and the default stream stays
    numbers = _checked(inputs)
    wanted = [inputs[i] for i in numbers]
    directions = [_random_direction(point, generator) for point in wanted]
    weights = {i: _random_direction(out, generator) for i, out in enumerate(all_outputs) if out.requires_grad}
    numeric = [
        _slopes(func, inputs, inputs[i].data, u.view(inputs[i].shape), options.eps) for i, u in zip(numbers, directions)
    ]
    if not weights:
        return _expect_zero(numeric, all_outputs, options.nondet_tol)
    for output, (number, v) in enumerate(weights.items()):
        products = _vjp(all_outputs[number], wanted, v.view(all_outputs[number].shape), options.nondet_tol)
        for i, (u, product) in enumerate(zip(directions, products)):
            expected, got = (v * numeric[i][number]).sum(), (u * product).sum()
            atol = options.atol * float(u.sum()) * float(v.sum())
            if not _close(got, expected, options.rtol, atol):
                text = _mismatch(output, i, expected, got)
                raise GradcheckError(text + _slow_mode_text(func, inputs, all_outputs, numbers[i], number, options))


def _compare_fast_forward(
    func: Callable[..., Any], inputs: tuple[Any, ...], all_outputs: Tensors, options: _Options
) -> None:
    generator = _C.Generator()
    floating = [number for number, out in enumerate(all_outputs) if out.is_floating_point()]
    directions = {i: _random_direction(inputs[i], generator) for i in _checked(inputs)}
    for point, (i, u) in enumerate(directions.items()):
        direction = u.view(inputs[i].shape)
        numeric = _slopes(func, inputs, inputs[i].data, direction, options.eps)
        pushed = _jvp(func, inputs, i, direction)
        for output, number in enumerate(floating):
            if not _close(pushed[number], numeric[number], options.rtol, options.atol * float(u.sum())):
                text = _mismatch(output, point, numeric[number], pushed[number], _FORWARD)
                raise GradcheckError(text + _slow_mode_text(func, inputs, all_outputs, i, number, options, _FORWARD))


def _random_direction(like: Tensor, generator: _C.Generator) -> Tensor:
    vector = _C.rand(like.numel(), generator=generator).to(like.dtype)
    return vector / vector.norm()


def _slow_mode_text(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    outputs: Tensors,
    number: int,
    output: int,
    options: _Options,
    mode: str = "",
) -> str:
    """Slow mode's message about the pair that failed in fast mode."""
    numeric = _numeric_jacobians(func, inputs, inputs[number], outputs, options.eps)[output]
    if mode == _FORWARD:
        analytic = _pushed_jacobians(func, inputs, number, outputs)[output]
    else:
        analytic = _analytic_jacobians(inputs, outputs[output], float("inf"))[_checked(inputs).index(number)]
    text = (
        "The above quantities relating the numerical and analytical jacobians are computed in fast mode: they are "
        "products with random vectors. In slow mode the jacobians are:\n"
        f"Numerical:\n{numeric}\nAnalytical:\n{analytic}\n"
        f"The max per-element difference (slow mode) is: {float((numeric - analytic).abs().max())}.\n"
    )
    if _close(analytic, numeric, options.rtol, options.atol):
        text += "Fast gradcheck failed but element-wise differences are small: it passes with `fast_mode=False`.\n"
    return text


# ---- What both share -------------------------------------------------------------------------------------------------


def _expect_zero(slopes: list[Tensors], outputs: Tensors, tolerance: float) -> None:
    """Nothing depends on the inputs as far as autograd knows: then the differences must say so too."""
    for found in slopes:
        for slope, out in zip(found, outputs):
            if out.is_floating_point() and slope.numel() and not float(slope.abs().max()) <= tolerance:
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _check_zero_gradient(inputs: tuple[Any, ...], outputs: Tensors, options: _Options) -> None:
    zeros = [_C.zeros_like(out) for out in outputs]
    found = grad(outputs, [inputs[i] for i in _checked(inputs)], zeros, allow_unused=True)
    for gradient in found:
        if gradient is None:
            continue
        nothing = _C.zeros_like(gradient)
        if not (_C.allclose(gradient, nothing) if options.masked else bool((gradient == nothing).all())):
            raise GradcheckError("backward not multiplied by grad_output")


def _check_undefined(func: Callable[..., Any], inputs: tuple[Any, ...], count: int) -> None:
    """Backward with the gradients of all outputs missing, then of each in turn while the others are zero."""
    everything = set(range(count))
    for missing in [everything, *({i} for i in range(count))] if count > 1 else [everything]:
        outputs = [
            _NoGradient.apply(out) if i in missing else out for i, out in enumerate(_differentiable(func(*inputs)))
        ]
        wanted = [inputs[i] for i in _checked(inputs)]
        try:
            found = grad(outputs, wanted, [_C.zeros_like(out) for out in outputs], allow_unused=True)
        except RuntimeError as error:
            _warn_of_undefined()
            raise GradcheckError("Expected backward function to handle undefined output grads.") from error
        if not all(gradient is None or bool((gradient == 0).all()) for gradient in found):
            _warn_of_undefined()
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are undefined or zero."
            )


class _NoGradient(Function):
    """Passes a value on, and no gradient back."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> None:
        return None


def _warn_of_undefined() -> None:
    warnings.warn(
        "Backwards compatibility: New undefined gradient support checking feature calls backward with undefined "
        'gradients too. If your function may not be called so, pass "check_undefined_grad=False" to disable it.',
        stacklevel=5,
    )


def _check_missing_tangents(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Forward mode with each input in turn without a tangent, beside a tangent of zero."""
    generator = _C.Generator()
    tangents = {i: _random_direction(inputs[i], generator).view(inputs[i].shape) for i in _checked(inputs)}
    for i in tangents:
        zero = _with_tangents(func, inputs, tangents | {i: _C.zeros_like(inputs[i])})
        missing = _with_tangents(func, inputs, {k: t for k, t in tangents.items() if k != i})
        for output, ((_, expected), (_, found)) in enumerate(zip(zero, missing)):
            if expected is not None and found is not None and not _C.allclose(expected, found):
                raise GradcheckError(
                    f"Mismatch in tangent values for output with index: {output} when input: {inputs[i]} has an "
                    f"undefined tangent value.  Got: {found} but expected: {expected}"
                )


# ---- Batches ---------------------------------------------------------------------------------------------------------


def _check_batched_tangents(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Forward mode along two random tangents, under vmap and one after the other."""
    for i in _checked(inputs):

        def push(tangent: Tensor, number: int = i) -> Tensors:
            pairs = _with_tangents(func, inputs, {number: tangent})
            return tuple(_C.zeros_like(value) if found is None else found for value, found in pairs)

        _compare_batched(push, inputs[i], "check_batched_forward_grad")


def _check_batched_gradients(inputs: tuple[Any, ...], outputs: Tensors) -> None:
    """Backward with two random gradients, under vmap and one after the other."""
    wanted = [inputs[i] for i in _checked(inputs)]
    for number, output in enumerate(outputs):

        def pull(weight: Tensor, output: Tensor = output) -> Tensors:
            found = grad(output, wanted, weight, retain_graph=True, allow_unused=True)
            return tuple(_C.zeros_like(point) if g is None else g for g, point in zip(found, wanted))

        _compare_batched(pull, output, "check_batched_grad", number)


def _compare_batched(
    function: Callable[[Tensor], Tensors], like: Tensor, option: str, output: int | None = None
) -> None:
    """function along two random vectors under vmap beside the two calls. output: which one's, for the message."""
    mode = " with forward-mode AD" if "forward" in option else ""
    advice = (
        f"gradcheck or gradgradcheck failed while testing batched gradient computation{mode}. Pass {option}=False where "
        "derivatives need not work under vmap."
    )
    vectors = [_C.randn_like(like).detach() for _ in range(2)]
    expected = [_C.stack(column) for column in zip(*map(function, vectors))]
    try:
        found = over_samples(function, _C.stack(vectors))
    except RuntimeError as error:
        raise GradcheckError(f"While computing batched gradients, got: {error}\n\n{advice}") from error
    for i, (batched, single) in enumerate(zip(found, expected)):
        if not _C.allclose(batched, single):
            place = f"For output {i if output is None else output} and input {i}"
            raise GradcheckError(f"{place}:\n\n{advice}\n\nGot:\n{batched}\n\nExpected:\n{single}")


# ---- What torch once showed of its insides --------------------------------------------------------------------------


def get_numerical_jacobian(
    fn: Callable[[Any], Any], inputs: Any, target: Any = None, eps: float = 1e-3, grad_out: float = 1.0
) -> Tensors:
    """For each tensor of target (or of inputs) that requires grad the Jacobian of the first output of fn(inputs), by
    differences.

    Deprecated in torch, and warned of (FutureWarning). ValueError for a grad_out other than 1.
    """
    _refuse_weight("get_numerical_jacobian", grad_out)
    outputs = _as_tuple(fn(inputs))
    points = _tensors_with_grad(inputs if target is None else target)
    return tuple(_numeric_jacobians(lambda *_: fn(inputs), (), point, outputs, eps)[0] for point in points)


def get_numerical_jacobian_wrt_specific_input(
    fn: Callable[..., Any],
    input_idx: int,
    inputs: Any,
    outputs: Any,
    eps: float,
    input: Tensor | None = None,
    is_forward_ad: bool = False,
) -> Tensors:
    """For each output of fn(*inputs) the Jacobian with respect to one input, by differences. input: what to move
    instead of inputs[input_idx]; is_forward_ad: accepted. AssertionError if it does not require grad.
    """
    point = inputs[input_idx] if input is None else input
    if not point.requires_grad:
        raise AssertionError("Expected input to have requires_grad=True")
    return _numeric_jacobians(fn, _as_tuple(inputs), point, _as_tuple(outputs), eps)


def get_analytical_jacobian(
    inputs: Any, output: Tensor, nondet_tol: float = 0.0, grad_out: float = 1.0
) -> tuple[Tensors, bool, bool, bool]:
    """(Jacobians of output with respect to the inputs that require grad, by backward; whether a second backward gives
    the same up to nondet_tol; whether gradients have their tensors' sizes; and dtypes: the engine sees to both).

    Deprecated in torch, and warned of (FutureWarning). ValueError for a grad_out other than 1.
    """
    _refuse_weight("get_analytical_jacobian", grad_out)
    wanted = _tensors_with_grad(inputs)
    first, second = (_stacked(output, wanted, lambda unit: _pulled(output, wanted, unit)) for _ in range(2))
    return tuple(first), not _differ(first, second, nondet_tol), True, True


def _refuse_weight(name: str, grad_out: float) -> None:
    warnings.warn(
        f"`{name}` was part of PyTorch's private API and not meant to be exposed: use gradcheck().",
        FutureWarning,
        stacklevel=3,
    )
    if grad_out != 1.0:
        raise ValueError(f"Expected grad_out to be 1.0. {name} no longer supports values of grad_out != 1.0.")


def _tensors_with_grad(values: Any) -> list[Tensor]:
    if isinstance(values, Tensor):
        return [values] if values.requires_grad else []
    if isinstance(values, Iterable) and not isinstance(values, str):
        return [tensor for value in values for tensor in _tensors_with_grad(value)]
    return []


# ---- Small things ----------------------------------------------------------------------------------------------------

_FORWARD = "computed with forward mode "


def _mismatch(output: int, point: int, numeric: Tensor, analytic: Tensor, mode: str = "") -> str:
    return (
        f"Jacobian {mode}mismatch for output {output} with respect to input {point},\n"
        f"numerical:{numeric}\nanalytical:{analytic}\n"
    )


def _close(a: Tensor, b: Tensor, rtol: float, atol: float) -> bool:
    dtype = _C.promote_types(a.dtype, b.dtype)
    return bool(_C.allclose(a.to(dtype), b.to(dtype), rtol, atol))


def _random_weight(out: Tensor, spaced: bool) -> Tensor:
    weight = _C.rand(out.shape, dtype=out.dtype) * 2 - 1
    if spaced and out.numel() > 1:
        weight = _C.stack([weight, weight], -1)[..., 0]  # every other element of a larger tensor
    return weight.requires_grad_()


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _is_checked(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _checked(inputs: tuple[Any, ...]) -> list[int]:
    return [i for i, value in enumerate(inputs) if _is_checked(value)]


def _differentiable(outputs: Any) -> Tensors:
    return tuple(out for out in _as_tuple(outputs) if out.requires_grad)


_lazy.make_callable(__name__, gradcheck)
