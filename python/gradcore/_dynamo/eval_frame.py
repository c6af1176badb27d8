"""What compile() makes of a module: torch's class, by which programs find the module again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from ..nn.modules.module import Module
from ..utils._contextlib import _DecoratorContextManager

_STANCES = "default eager_then_compile aot_eager_then_compile force_eager eager_on_recompile fail_on_recompile".split()


@dataclass
class DynamoStance:
    """How compiled programs are to run. None are compiled."""

    stance: str = "default"
    skip_guard_eval_unsafe: bool = False
    backend: Any = None


_stance = DynamoStance()


def _set_stance(stance: DynamoStance) -> DynamoStance:
    """Sets the stance and gives the one before, which it takes to restore it."""
    global _stance

    if stance.stance not in _STANCES:  # refused before it is set: what is restored later must be a valid one
        raise RuntimeError(f"invalid torch.compile stance {stance.stance!r}: it is none of {_STANCES}")
    before, _stance = _stance, stance
    return before


class set_stance(_DecoratorContextManager):
    """What compiler.set_stance() gives. The stance is set at once; `with` and a decorated function restore the one before."""

    def __init__(
        self, stance: Any = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
    ) -> None:
        if isinstance(stance, DynamoStance):
            self.stance = stance
        elif force_backend is not None and stance != "default":
            raise RuntimeError("non-default stance cannot have force_backend set")
        else:
            self.stance = DynamoStance(stance, skip_guard_eval_unsafe, force_backend)
        self.prev = _set_stance(self.stance)

    def __call__(self, orig_func: Any) -> Any:
        _set_stance(self.prev)
        return super().__call__(orig_func)

    def __enter__(self) -> None:
        _set_stance(self.stance)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        _set_stance(self.prev)

    def clone(self) -> Self:
        return type(self)(self.stance)


class OptimizedModule(Module):
    """A module that was given to compile(): `_orig_mod` is that module, which runs as it is.

    Its state dict names everything below "_orig_mod.", as torch's does; other attributes are those of the module.

    >>> import gradcore
    >>> net = gradcore.compile(gradcore.nn.Linear(1, 2))
    >>> list(net.state_dict()), net.out_features, net._orig_mod
    (['_orig_mod.weight', '_orig_mod.bias'], 2, Linear(in_features=1, out_features=2, bias=True))
    """

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self._modules["_orig_mod"] = mod

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._orig_mod(*args, **kwargs)

    @property
    def training(self) -> bool:
        return bool(self._orig_mod.training)

    @training.setter
    def training(self, mode: bool) -> None:
        self._orig_mod.training = mode

    def __getattr__(self, name: str) -> Any:
        original = self.__dict__["_modules"]["_orig_mod"]
        return original if name == "_orig_mod" else getattr(original, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_orig_mod":
            self._modules[name] = value
        elif hasattr(type(self), name):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def __len__(self) -> int:
        return len(self._orig_mod)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._orig_mod)})

    def __reduce__(self) -> Any:
        return type(self), (self._orig_mod,)
