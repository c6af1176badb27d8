"""Custom Functions: an op whose forward and backward are written in Python. Start at Function."""

from __future__ import annotations

import functools

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .._modes import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
else:
    from .._lazy import Any, Callable

__all__ = ["BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "InplaceFunction", "once_differentiable"]


class FunctionCtx(_C._FunctionBase):
    """The context of one call, the first argument of forward and backward."""

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps inputs, outputs or intermediate tensors for backward: `saved_tensors` gives them back, and refuses to if
        one was modified in between. Call it at most once; raises TypeError (at the end of forward) for other objects.
        """
        self.to_save = tensors

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of saved_tensors; warns."""
        import warnings

        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for jvp."""
        for tensor in tensors:
            if not (tensor is None or isinstance(tensor, _C.Tensor)):
                raise TypeError(
                    "save_for_forward expects all arguments to be tensors; you should save non-tensors as "
                    f"attributes on ctx, not {type(tensor).__name__}"
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Says which inputs forward wrote to; each must be returned as well."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Says which outputs have no gradient; integer outputs never have one."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for an output that was not used."""
        self.materialize_grads = value


class BackwardCFunction(FunctionCtx):
    """The class of every context: `type(result.grad_fn)` derives from it."""

    _forward_cls: type[Function]
    __repr__ = object.__repr__  # with its module, where other nodes have their name alone

    def _backward(self, *grads: Tensor | None) -> Any:
        function = self._forward_cls
        backward, vjp = function.backward, function.vjp
        if vjp is Function.vjp:
            return backward(self, *grads)
        if backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. "
                "You should only implement one of them."
            )
        return vjp(self, *grads)


class FunctionMeta(type):
    """Gives every Function the class of its contexts, named after it as torch names it."""

    def __init__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> None:
        super().__init__(name, bases, attributes)
        module = f"{_C.Tensor.__module__}.autograd.function"
        cls._backward_cls = type(f"{name}Backward", (BackwardCFunction,), {"_forward_cls": cls, "__module__": module})
        cls._bind = None
        cls._bind_after_ctx = staticmethod(functools.partial(_bind_after_ctx, cls))
        own: Any = cls  # what the class itself has, which its metaclass cannot know
        if own.setup_context is not _C._FunctionBase.setup_context:
            cls._bind = staticmethod(functools.partial(_bind, cls))


def _bind_after_ctx(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a forward that takes ctx first, keywords in their places."""
    import inspect

    try:
        return inspect.signature(cls.forward).bind(None, *args, **kwargs).args[1:]
    except TypeError as error:
        raise TypeError(f"forward() {error}") from None


def _bind(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of forward in order, defaults filled in."""
    code = getattr(cls.forward, "__code__", None)
    if not kwargs and code is not None and len(args) == code.co_argcount and not code.co_flags & 0x0C:
        return args
    import inspect

    bound = inspect.signature(cls.forward).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        _refuse_keywords(bound.kwargs)
    return bound.args


def _refuse_keywords(keywords: dict[str, Any]) -> None:
    """Refuses keyword-only arguments of forward, which apply cannot hand on."""
    from .._transforms.vmap import in_vmap

    if in_vmap() and any(isinstance(value, _C.Tensor) for value in keywords.values()):
        raise NotImplementedError(
            "Run vmap on autograd.Function with kwarg-only Tensor args. Please do not pass kwarg-only Tensors to "
            f"autograd.Function. Got: {keywords}"
        )
    raise TypeError(f"forward() got an unexpected keyword argument '{next(iter(keywords))}'")


class Function(FunctionCtx, metaclass=FunctionMeta):
    """An op with a gradient of your own. Derive from it, write forward and backward as static methods, call `apply`.

    forward(ctx, *args) computes (unrecorded) and may keep things in ctx; backward(ctx, *grads) gets a gradient for each
    output and returns one for each argument of forward, None where there is none. Alternatively forward(*args) without
    ctx, and setup_context(ctx, inputs, output). Backward is recorded like any code under create_graph, so that it can be
    differentiated again. Source: https://docs.pytorch.org/docs/stable/autograd.html#function

    >>> import gradcore
    >>> class Square(gradcore.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * grad
    >>> x = gradcore.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from warnings import warn

        warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke "
            "them on the class itself.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
            "with static forward method: call apply on the class."
        )

    # Says that forward, backward and jvp work on batches as they are. They do if they are made of ops.
    generate_vmap_rule = False

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The rule of a call under vmap: override it, or set generate_vmap_rule.

        args: those of forward with their batch dims; in_dims: the batch dim of each, None for one that is not a tensor
        or the same for all samples; info: has batch_size and randomness. Returns (output, the
        batch dim of each output).
        See https://docs.pytorch.org/docs/stable/notes/extending.func.html
        """
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
            "generate_vmap_rule=True."
        )

    @classmethod
    def _apply_in_vmap(cls, args: tuple[Any, ...]) -> Any:
        from .._transforms.custom_function import apply_in_vmap

        return apply_in_vmap(cls, args, cls.vmap is not Function.vmap)

    @classmethod
    def _refuse_without_setup(cls) -> None:
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override "
            "the setup_context staticmethod. See https://docs.pytorch.org/docs/stable/notes/extending.func.html"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Computes the gradients of the arguments from those of the outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it "
            "with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Computes the tangents of the outputs from those of the arguments."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )


class InplaceFunction(Function):
    """A Function with a flag that says whether it works in place; kept for old programs."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a backward that cannot be differentiated again: trying to is an error instead of a wrong gradient."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = backward(ctx, *args)
        if not _C.is_grad_enabled():
            return outputs
        if not any(isinstance(a, _C.Tensor) and a.requires_grad for a in args):
            return outputs
        several = isinstance(outputs, tuple)
        results = tuple(
            _Refused.apply(_leaf(o)) if isinstance(o, _C.Tensor) else o for o in (outputs if several else (outputs,))
        )
        return results if several else results[0]

    return wrapper


def _leaf(value: Tensor) -> Tensor:
    leaf = value.detach()
    leaf.requires_grad = True  # requires_grad_() is refused in transforms
    return leaf


class _Refused(Function):
    """Hands a gradient on and refuses its own."""

    generate_vmap_rule = True

    @staticmethod
    def forward(grad: Tensor) -> Tensor:
        return grad.detach()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


_Refused._backward_cls.__name__ = "torch::autograd::Error"  # what torch calls its node
