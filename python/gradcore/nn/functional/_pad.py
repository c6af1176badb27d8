"""Padding, which is an op of the core."""

from ..._C import _nn_pad as pad

__all__ = ["pad"]
