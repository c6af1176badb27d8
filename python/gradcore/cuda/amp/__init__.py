"""torch.cuda.amp: the deprecated place of autocast and GradScaler for GPUs; both are disabled."""

from __future__ import annotations

from ...amp import custom_bwd as custom_bwd
from ...amp import custom_fwd as custom_fwd
from ...amp._places import PlacedAutocast, PlacedGradScaler


class autocast(PlacedAutocast):
    """autocast("cuda"): warns and does nothing."""

    _place = "cuda"


class GradScaler(PlacedGradScaler):
    """GradScaler("cuda"): warns and does nothing."""

    _place = "cuda"
