"""torch.__config__: how this library was built."""

from __future__ import annotations

from . import _C


def show() -> str:
    """The version, instruction set, threads and compiler: gradcore.show_config()."""
    import gradcore

    return gradcore.show_config()


def parallel_info() -> str:
    """How many threads an operation may use."""
    return f"gradcore: {_C.get_num_threads()} threads"
