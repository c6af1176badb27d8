"""What programs ask of torch's private module _dynamo: nothing is compiled, and decorators change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .._compat.absent import absent_modules
from ..compiler import allow_in_graph as allow_in_graph
from ..compiler import disable as disable
from ..compiler import is_compiling as is_compiling
from ..compiler import list_backends as list_backends
from ..compiler import reset as reset
from ..compiler import substitute_in_graph as substitute_in_graph
from . import eval_frame as eval_frame
from . import utils as utils
from .eval_frame import OptimizedModule as OptimizedModule
from .eval_frame import set_stance as set_stance

absent_modules(__name__, {"exc": "TorchDynamoException Unsupported"}, "gradcore does not compile programs")


class _Config:
    """Settings of a compiler that is not there: they are kept, and change nothing."""

    suppress_errors = verbose = disable = capture_scalar_outputs = capture_dynamic_output_shape_ops = False
    compiled_autograd = allow_unspec_int_on_nn_module = fail_on_recompile_limit_hit = False
    optimize_ddp = dynamic_shapes = automatic_dynamic_shapes = assume_static_by_default = True
    guard_nn_modules = inline_inbuilt_nn_modules = force_parameter_static_shapes = True
    cache_size_limit = recompile_limit = 8
    accumulated_cache_size_limit = accumulated_recompile_limit = 256

    @contextlib.contextmanager
    def patch(self, arg1: Any = None, arg2: Any = None, **changes: Any) -> Iterator[None]:
        """Other settings for the time of a context, or of a function that it decorates: a dict of them, keywords, or a
        name and its value."""
        changes.update({arg1: arg2} if isinstance(arg1, str) else arg1 or {})
        before = {name: getattr(self, name) for name in changes}
        try:
            vars(self).update(changes)
            yield
        finally:
            vars(self).update(before)


config: Any = _Config()


def optimize(*args: Any, **kwargs: Any) -> Any:
    """A decorator that changes nothing."""
    return lambda function: function


optimize_assert = optimize


def run(fn: Any = None) -> Any:
    """The function itself; without one a decorator that changes nothing."""
    return fn if fn is not None else lambda function: function


def forbid_in_graph(fn: Any) -> Any:
    """The function itself."""
    return fn


def explain(f: Any, *extra_args: Any, **extra_kwargs: Any) -> Any:
    """Raises NotImplementedError when it is called: there are no graphs to tell about."""

    def explained(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("_dynamo.explain: gradcore does not compile programs, and has no graphs to explain")

    return explained(*extra_args, **extra_kwargs) if extra_args or extra_kwargs else explained


def graph_break(msg: str = "") -> None:
    """Does nothing."""


def mark_static_address(t: Any, guard: bool = True) -> None:
    """Does nothing: no compiler asks whether a tensor stays where it is."""


def mark_dynamic(t: Any, index: Any, *, hint_override: Any = None, min: Any = None, max: Any = None) -> None:
    """Does nothing: no compiler asks which sizes change."""


mark_unbacked = maybe_mark_dynamic = mark_static = mark_dynamic


def assume_constant_result(fn: Any) -> Any:
    """The function itself."""
    return fn
