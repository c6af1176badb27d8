"""torch.backends.quantized: there are no quantised tensors."""

from __future__ import annotations

engine = "none"
supported_engines = ["none"]
