"""What programs written for torch ask for beside tensors: devices that are not there, legacy constructors, the proxy.

`LAZY` lists names of the package `gradcore` that are imported when they are first asked for: a name, its module, and
the attribute of that module, or None for the module itself.
"""

from __future__ import annotations

from collections.abc import Iterable

MODULES = (
    "_dynamo accelerator amp backends compiler cpu cuda distributed distributions export fx hub jit mps mtia multiprocessing "
    "onnx overrides quantization serialization storage types version xpu __config__ __future__"
).split()

LEGACY = (
    "BoolTensor ByteTensor CharTensor ShortTensor IntTensor LongTensor FloatTensor DoubleTensor HalfTensor BFloat16Tensor "
    "BoolStorage ByteStorage CharStorage ShortStorage IntStorage LongStorage FloatStorage DoubleStorage HalfStorage "
    "BFloat16Storage TypedStorage UntypedStorage is_storage set_default_tensor_type"
).split()

SETTINGS = (
    "are_deterministic_algorithms_enabled get_deterministic_debug_mode get_float32_matmul_precision "
    "get_num_interop_threads is_deterministic_algorithms_warn_only_enabled is_warn_always_enabled set_deterministic_debug_mode "
    "set_float32_matmul_precision set_flush_denormal set_num_interop_threads set_warn_always typename use_deterministic_algorithms "
    "compile OutOfMemoryError AcceleratorError"
).split()

AUTOCAST = (
    "autocast clear_autocast_cache get_autocast_dtype get_autocast_gpu_dtype get_autocast_cpu_dtype is_autocast_available "
    "is_autocast_cache_enabled is_autocast_cpu_enabled is_autocast_enabled set_autocast_enabled"
).split()

LAZY: dict[str, tuple[str, str | None]] = {
    **{name: (name, None) for name in MODULES},
    **{name: ("_compat.legacy", name) for name in LEGACY},
    **{name: ("_compat.settings", name) for name in SETTINGS},
    **{name: ("amp.autocast_mode", name) for name in AUTOCAST},
    "as_torch": ("_compat.proxy", "as_torch"),
}


def missing(name: str, known: Iterable[str]) -> str:
    """The message for a name that the package does not have, with the nearest one that it has."""
    from difflib import get_close_matches

    near = get_close_matches(name, [other for other in known if not other.startswith("_")], n=1, cutoff=0.75)
    return f"module 'gradcore' has no attribute {name!r}" + (
        f". The nearest name that it has is {near[0]!r}" if near else ""
    )
