"""gradcore.autograd.graph: the nodes of the tape."""

from .._C import Node

__all__ = ["Node"]
