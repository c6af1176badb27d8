"""What programs ask of torch._dynamo.utils."""

from .._compat.absent import absent

__getattr__ = absent(__name__, "CompileProfiler", "gradcore does not compile programs")


def is_compile_supported(device_type: str) -> bool:
    """False: nothing is compiled."""
    return False
