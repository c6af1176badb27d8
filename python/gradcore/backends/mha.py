"""torch.backends.mha: the switch for what torch computes in one go, and for padding that its encoder leaves out."""

from __future__ import annotations

_fastpath = True


def get_fastpath_enabled() -> bool:
    """Whether nn.TransformerEncoder may leave out padding.

    >>> import gradcore
    >>> gradcore.backends.mha.get_fastpath_enabled()
    True
    """
    return _fastpath


def set_fastpath_enabled(value: bool) -> None:
    """Sets whether nn.TransformerEncoder may leave out padding. All else is computed in one way alone."""
    global _fastpath
    _fastpath = value
