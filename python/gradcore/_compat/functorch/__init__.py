"""What `import functorch` gives: torch.func's transforms under their older names, and modules as functions of their state.

Each call warns that it is deprecated, as torch's does.
"""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gradcore
from gradcore import Tensor, func, nn

from ...func._stateless import replaced
from ..proxy import VERSION

__all__ = [
    "FunctionalModule", "FunctionalModuleWithBuffers", "combine_state_for_ensemble", "functionalize", "grad",
    "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "make_functional", "make_functional_with_buffers", "vjp", "vmap",
]  # fmt: skip

__version__ = VERSION


def _deprecated(instead: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            warnings.warn(
                f"`functorch.{function.__name__}` is deprecated as of PyTorch 2.0. Please use `{instead}` instead.",
                FutureWarning,
                stacklevel=2,
            )
            return function(*args, **kwargs)

        return call

    return wrap


vmap = _deprecated("torch.vmap")(func.vmap)
grad = _deprecated("torch.func.grad")(func.grad)
grad_and_value = _deprecated("torch.func.grad_and_value")(func.grad_and_value)
vjp = _deprecated("torch.func.vjp")(func.vjp)
jvp = _deprecated("torch.func.jvp")(func.jvp)
jacrev = _deprecated("torch.func.jacrev")(func.jacrev)
jacfwd = _deprecated("torch.func.jacfwd")(func.jacfwd)
hessian = _deprecated("torch.func.hessian")(func.hessian)
functionalize = _deprecated("torch.func.functionalize")(func.functionalize)


class FunctionalModuleWithBuffers(nn.Module):
    """A module as a function of its parameters and buffers; make_functional_with_buffers() makes it.

    A parameter that the module knows under several names is one parameter of the function.
    """

    def __init__(self, stateless_model: nn.Module, param_names: Sequence[str], buffer_names: Sequence[str]) -> None:
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names = tuple(param_names)
        self.buffer_names = tuple(buffer_names)

    def forward(self, params: Iterable[Tensor], buffers: Iterable[Tensor], *args: Any, **kwargs: Any) -> Any:
        state = dict(zip(self.param_names + self.buffer_names, (*params, *buffers), strict=False))
        with replaced(self.stateless_model, state, tie_weights=True, strict=False):
            return self.stateless_model(*args, **kwargs)


class FunctionalModule(FunctionalModuleWithBuffers):
    """A module without buffers as a function of its parameters; make_functional() makes it."""

    def forward(self, params: Iterable[Tensor], *args: Any, **kwargs: Any) -> Any:
        return super().forward(params, (), *args, **kwargs)


def _taken_apart(kind: type[Any], model: nn.Module, disable_autograd_tracking: bool) -> tuple[Any, Any, Any]:
    model = copy.deepcopy(model)
    params, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    if disable_autograd_tracking:
        model.requires_grad_(False)
    return kind(model, params, buffers), tuple(params.values()), tuple(buffers.values())


@_deprecated("torch.func.functional_call")
def make_functional(model: nn.Module, disable_autograd_tracking: bool = False) -> tuple[FunctionalModule, Any]:
    """(function, parameters): a copy of the module to call as function(parameters, *args), and the copy's parameters.

    disable_autograd_tracking: the parameters do not require grad.
    Raises RuntimeError for a module with buffers.

    >>> import gradcore, warnings
    >>> from gradcore._compat.functorch import make_functional
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> function, (weight,) = make_functional(gradcore.nn.Linear(2, 1, bias=False))
    >>> function((gradcore.ones(1, 2),), gradcore.tensor([3.0, 4.0]))
    tensor([7.])
    """
    if next(model.buffers(), None) is not None:
        raise RuntimeError(
            "make_functional(model): `model` has buffers. Please use make_functional_with_buffers(model) instead."
        )
    return _taken_apart(FunctionalModule, model, disable_autograd_tracking)[:2]


@_deprecated("torch.func.functional_call")
def make_functional_with_buffers(
    model: nn.Module, disable_autograd_tracking: bool = False
) -> tuple[FunctionalModuleWithBuffers, Any, Any]:
    """(function, parameters, buffers), to call as function(parameters, buffers, *args). See make_functional().

    >>> import gradcore, warnings
    >>> from gradcore._compat.functorch import make_functional_with_buffers
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> function, params, buffers = make_functional_with_buffers(gradcore.nn.BatchNorm1d(3))
    >>> len(params), len(buffers)
    (2, 3)
    """
    return _taken_apart(FunctionalModuleWithBuffers, model, disable_autograd_tracking)


def _stacked(of_models: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    return tuple(gradcore.stack(same).detach() for same in zip(*of_models, strict=False))


@_deprecated("torch.func.stack_module_state")
def combine_state_for_ensemble(models: Sequence[nn.Module]) -> tuple[FunctionalModuleWithBuffers, Any, Any]:
    """(function, parameters, buffers) of modules of one kind, their tensors stacked along a new first dim: for vmap.

    Raises RuntimeError for no modules, and for modules of different classes or modes.

    >>> import gradcore, warnings
    >>> from gradcore._compat.functorch import combine_state_for_ensemble
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> function, params, buffers = combine_state_for_ensemble([gradcore.nn.Linear(2, 3) for _ in range(4)])
    >>> tuple(gradcore.vmap(function, (0, 0, None))(params, buffers, gradcore.ones(5, 2)).shape)
    (4, 5, 3)
    """
    if len(models) == 0:
        raise RuntimeError("combine_state_for_ensemble: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("combine_state_for_ensemble: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("combine_state_for_ensemble: Expected all models to be of the same class.")
    functions, params, buffers = zip(
        *(_taken_apart(FunctionalModuleWithBuffers, m, False) for m in models), strict=True
    )
    return functions[0], _stacked(params), _stacked(buffers)
