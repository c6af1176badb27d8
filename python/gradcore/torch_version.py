"""The class of `torch.__version__` under the proxy, which compares with others number by number."""

from __future__ import annotations

from ._compat.proxy import VERSION
from ._compat.proxy import TorchVersion as TorchVersion

__all__ = ["TorchVersion"]

__version__ = TorchVersion(VERSION)
