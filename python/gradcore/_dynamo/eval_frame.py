"""What compile() makes of a module: torch's class, by which programs find the module again."""

from __future__ import annotations

from typing import Any

from ..nn.modules.module import Module


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
