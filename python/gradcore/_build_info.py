"""What this gradcore was built of and runs on."""

from . import _C


def show_config() -> str:
    """How this gradcore was built and what it runs on: version, instruction set, threads and their layer, compiler.

    >>> import gradcore
    >>> print(gradcore.show_config())  # doctest: +ELLIPSIS
    gradcore ...
    """
    info = _C._build_info()
    missing = f" (no openmp: {info['openmp_missing']})" if info["openmp_missing"] else ""
    return (
        f"gradcore {info['version']}\n  instruction set: {info['isa']}\n"
        f"  threads: {info['threads']}\n  threading layer: {info['threading_layer']}{missing}\n"
        f"  compiler: {info['compiler']}"
    )
