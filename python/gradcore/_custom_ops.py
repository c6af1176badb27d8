"""torch._custom_ops: the older place of what torch.library has."""

from ._compat.absent import absent
from .library import custom_op, impl, impl_abstract

__all__ = ["custom_op", "impl", "impl_abstract"]

__getattr__ = absent(__name__, "get_ctx impl_backward impl_save_for_backward", "gradcore has no dispatcher")
