"""The transforms that torch._functorch.apis has."""

from __future__ import annotations

from .._compat.functorch.experimental import chunk_vmap as chunk_vmap
from ..func import grad as grad
from ..func import grad_and_value as grad_and_value
from ..func import vmap as vmap
