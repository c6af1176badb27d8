"""Names of type hints that torch._functorch.vmap has."""

from __future__ import annotations

from typing import Any

in_dims_t = int | tuple[Any, ...]
out_dims_t = int | tuple[int, ...]
