"""The handle that takes a registered hook out."""

from .._handle import RemovableHandle

__all__ = ["RemovableHandle"]
