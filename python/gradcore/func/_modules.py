"""Help for modules and functions under transforms: batch norms without statistics, functions without mutation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..nn import Module


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Takes the running statistics out of all batch norms in a module, and returns it: under vmap they cannot be written.

    >>> from gradcore import func, nn
    >>> func.replace_all_batch_norm_modules_(nn.Sequential(nn.BatchNorm1d(2)))[0].running_mean is None
    True
    """
    from ..nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """A function that gives what `func` gives. torch takes the mutation out of the graphs that it traces; nothing is traced here.

    remove: "mutations" or "mutations_and_views". Raises RuntimeError for another word.

    >>> import gradcore
    >>> gradcore.func.functionalize(lambda x: x.add_(1))(gradcore.zeros(1))
    tensor([1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove=...): Valid options for remove are 'mutations' and 'mutations_and_views', not {remove!r}"
        )

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapped
