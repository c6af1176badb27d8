"""What a registered hook is taken out by."""

from .._handle import RemovableHandle

__all__ = ["RemovableHandle"]
