"""Methods that torch's tensors have for other layouts, types and devices: what they answer for one that is dense, real and on
the CPU. Start at `_DenseMethods`; the names that refuse stand in two tables below it."""

from __future__ import annotations

from . import _C
from ._C import Tensor
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn
else:
    from ._lazy import Any, Callable, NoReturn

_DENSE = "all tensors are dense and strided"
_UNQUANTISED = "there are no quantised tensors"
_CPU = "gradcore runs on the CPU"

# By reason: what has nothing to work on here, and raises NotImplementedError.
REFUSED = {
    _DENSE: "to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr to_padded_tensor sparse_mask "
    "sparse_resize_ sparse_resize_and_clear_ resize_as_sparse_",
    _UNQUANTISED: "int_repr q_per_channel_axis q_per_channel_scales q_per_channel_zero_points q_scale q_zero_point qscheme",
    _CPU: "record_stream to_mkldnn",
}

# What a dense tensor raises in torch as well.
_LAYOUTS = {
    "ccol_indices": "sparse column compressed tensor",
    "coalesce": "sparse coordinate tensor",
    "col_indices": "sparse row compressed tensor",
    "crow_indices": "sparse row compressed tensor",
    "indices": "sparse coordinate tensor",
    "is_coalesced": "sparse coordinate tensor",
    "row_indices": "sparse column compressed tensor",
    "values": "sparse tensor",
}
_ERRORS = {name: f"{name} expected {kind} layout but got Strided" for name, kind in _LAYOUTS.items()}
_ERRORS |= dict.fromkeys(("smm", "sspaddmm"), "tensor.sspaddmm(...) can only be called on sparse tensors")
_ERRORS |= {
    "eig": "eig() was removed. Use torch.linalg.eigh for a symmetric matrix.",
    "ipu": "PyTorch is not linked with support for ipu devices",
    "lstsq": "lstsq() was removed. Use torch.linalg.lstsq, whose arguments are the other way round.",
    "reinforce": "reinforce() was removed. Use torch.distributions instead.",
    "solve": "solve() was removed. Use torch.linalg.solve, whose arguments are the other way round.",
    "symeig": "symeig() was removed. Use torch.linalg.eigh.",
}


def _no(name: str, what: str) -> property:
    """A property that is False."""

    def never(self: Tensor) -> bool:
        return False

    never.__name__ = name
    return property(never, doc=f"False: {what}.")


class _DenseMethods(Tensor):
    """Tensor gets these methods."""

    is_ipu = _no("is_ipu", _CPU)
    is_maia = _no("is_maia", _CPU)
    is_mkldnn = _no("is_mkldnn", _CPU)
    is_mtia = _no("is_mtia", _CPU)
    is_vulkan = _no("is_vulkan", _CPU)
    is_xla = _no("is_xla", _CPU)
    is_xpu = _no("is_xpu", _CPU)
    is_nested = _no("is_nested", _DENSE)
    is_sparse_csr = _no("is_sparse_csr", _DENSE)

    @property
    def name(self) -> str | None:
        """What autograd.Variable was given as a name, as torch's oldest programs do; else None."""
        return getattr(self, "_name", None)

    @property
    def grad_dtype(self) -> Any:
        """The dtype of this leaf's gradient, which is that of the tensor. Raises RuntimeError for what is no leaf.

        Setting another one raises NotImplementedError.
        """
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
        return self.dtype

    @grad_dtype.setter
    def grad_dtype(self, dtype: Any) -> None:
        if dtype != self.grad_dtype:
            raise NotImplementedError("grad_dtype: a gradient of gradcore has the dtype of its tensor")

    def is_distributed(self) -> bool:
        """False: one process computes."""
        return False

    def dense_dim(self) -> int:
        """How many dims are dense: all.

        >>> import gradcore
        >>> gradcore.ones(2, 3).dense_dim()
        2
        """
        return self.dim()

    def sparse_dim(self) -> int:
        """How many dims are sparse: none.

        >>> import gradcore
        >>> gradcore.ones(2, 3).sparse_dim()
        0
        """
        return 0

    def to_dense(self, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
        """The tensor itself, or a copy of another dtype: it is dense.

        >>> import gradcore
        >>> gradcore.ones(1).to_dense()
        tensor([1.])
        """
        return self if dtype is None else self.to(dtype)

    def dequantize(self) -> Tensor:
        """The tensor as float32.

        >>> import gradcore
        >>> gradcore.tensor([1]).dequantize()
        tensor([1.])
        """
        return self.to(_C.float32)

    def const_data_ptr(self) -> int:
        """The address of the first element, to read from: data_ptr().

        >>> import gradcore
        >>> x = gradcore.ones(1)
        >>> x.const_data_ptr() == x.data_ptr()
        True
        """
        return self.data_ptr()

    def storage_type(self) -> Any:
        """The class of the tensor's storage().

        >>> import gradcore
        >>> gradcore.ones(1).storage_type()
        <class 'torch.FloatStorage'>
        """
        return type(self.storage())

    def module_load(self, other: Tensor, assign: bool = False) -> Tensor:
        """What load_state_dict() makes of a parameter for which `other` is loaded: itself with the numbers of `other`, or, with
        assign=True, `other`; without history.

        Raises RuntimeError for shapes that do not fit.

        >>> import gradcore
        >>> gradcore.zeros(2).module_load(gradcore.ones(2))
        tensor([1., 1.])
        """
        return other.detach() if assign else self.copy_(other).detach()

    def mtia(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """Refused as torch's CPU build does: AssertionError."""
        raise AssertionError("Torch not compiled with MTIA enabled")


def _raises(name: str, error: type[Exception], text: str) -> Callable[..., Any]:
    def refuse(self: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
        raise error(text)

    refuse.__name__ = name
    refuse.__qualname__ = f"Tensor.{name}"
    refuse.__doc__ = f"Raises {error.__name__}: {text}"
    if error is NotImplementedError:
        refuse._refuses = text  # type: ignore[attr-defined]
    return refuse


def refusing_methods() -> dict[str, Callable[..., Any]]:
    """The methods that do nothing but raise."""
    made = {name: _raises(name, RuntimeError, text) for name, text in _ERRORS.items()}
    for why, names in REFUSED.items():
        made |= {name: _raises(name, NotImplementedError, f"Tensor.{name}: {why}") for name in names.split()}
    return made
