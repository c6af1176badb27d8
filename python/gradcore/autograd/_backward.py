"""backward and grad, the two ways to ask for gradients."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

else:
    from .._lazy import Any, Sequence

TensorOrTensors = Tensor | Sequence[Tensor]


def backward(
    tensors: TensorOrTensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: TensorOrTensors | None = None,
) -> None:
    """Accumulates the gradients of `tensors` into the leaves they came from.

    tensors: one or several outputs; grad_tensors: a gradient of the same shape for each (None for scalars);
    retain_graph: keep what the graph saved (default: create_graph); create_graph: record the backward itself;
    inputs: accumulate into these only. Raises RuntimeError as Tensor.backward() does.

    >>> import gradcore
    >>> x = gradcore.tensor(3.0, requires_grad=True)
    >>> gradcore.autograd.backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "'grad_tensors' and 'grad_variables' (deprecated) arguments both passed to backward(). "
                "Please only use 'grad_tensors'."
            )
        grad_tensors = grad_variables
    _C._backward(tensors, grad_tensors, retain_graph, create_graph, inputs)


def grad(
    outputs: TensorOrTensors,
    inputs: TensorOrTensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of `outputs` with respect to `inputs`, one of each input's shape; no .grad is touched.

    is_grads_batched: the first dim of each of grad_outputs counts samples, and so does that of each result: one backward
    computes the products of many vectors with the Jacobian.

    Raises RuntimeError for an input that was not used, unless allow_unused (then None stands for it) or
    materialize_grads (then zeros do).

    >>> import gradcore
    >>> x = gradcore.tensor(2.0, requires_grad=True)
    >>> (g,) = gradcore.autograd.grad(x**3, x, create_graph=True)
    >>> gradcore.autograd.grad(g, x)
    (tensor(12.),)
    """
    if not only_inputs:
        import warnings

        warnings.warn(
            "only_inputs is deprecated and ignored: use backward() to accumulate", FutureWarning, stacklevel=2
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )

    unused = bool(allow_unused)
    if not is_grads_batched:
        return _C._grad(outputs, inputs, grad_outputs, retain_graph, create_graph, unused, materialize_grads)
    from .._transforms.vmap import with_batched_weights

    def gradients(*weights: Tensor) -> tuple[Tensor, ...]:
        return _C._grad(outputs, inputs, weights, retain_graph, create_graph, unused or materialize_grads, False)

    found = with_batched_weights(gradients, outputs, grad_outputs)
    return _with_zeros(found, inputs, create_graph) if materialize_grads else found


def _with_zeros(found: Any, inputs: Any, requires_grad: bool) -> tuple[Tensor, ...]:
    """Zeros for what is missing in a batch of gradients; as torch has it, they are those of a single sample."""
    points = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    if any(g is None and not isinstance(point, _C.Tensor) for g, point in zip(found, points)):
        raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
    return tuple(
        _C.zeros_like(point, requires_grad=requires_grad) if g is None else g for g, point in zip(found, points)
    )
