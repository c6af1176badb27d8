"""torch.cpu.amp: the deprecated place of autocast and GradScaler for the CPU."""

from __future__ import annotations

from ..amp._places import PlacedAutocast, PlacedGradScaler


class autocast(PlacedAutocast):
    """autocast("cpu"), with a warning."""

    _place = "cpu"


class GradScaler(PlacedGradScaler):
    """GradScaler("cpu"), with a warning."""

    _place = "cpu"
