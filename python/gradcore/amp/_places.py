"""The warning that autocast and GradScaler give at their deprecated places."""

from __future__ import annotations

import warnings


def warn_of_place(device: str, name: str) -> None:
    warnings.warn(
        f"`torch.{device}.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}('{device}', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )
