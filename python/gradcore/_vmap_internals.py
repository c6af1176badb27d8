"""torch's older private place of vmap(), which some packages import it from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._transforms.vmap import vmap as vmap


def _vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, allow_none_pass_through: bool = False
) -> Callable[..., Any]:
    """vmap() without its later options. allow_none_pass_through: None may be an output, as it always may be here."""
    return vmap(func, in_dims, out_dims)
