"""autocast and GradScaler at their deprecated places, torch.cuda.amp and torch.cpu.amp: a class there names its device."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from . import GradScaler, autocast


def _warn_of_place(device: str, name: str) -> None:
    warnings.warn(
        f"`torch.{device}.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}('{device}', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


class PlacedAutocast(autocast):
    _place: ClassVar[str]

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        _warn_of_place(self._place, "autocast")
        super().__init__(self._place, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class PlacedGradScaler(GradScaler):
    _place: ClassVar[str]

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        _warn_of_place(self._place, "GradScaler")
        super().__init__(self._place, init_scale, growth_factor, backoff_factor, growth_interval, enabled)
