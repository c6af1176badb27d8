"""functorch.experimental: what functorch kept apart, and torch.func has."""

from ...func import functionalize, hessian, jacfwd, jvp, replace_all_batch_norm_modules_
from ..absent import absent

__all__ = ["functionalize", "hessian", "jacfwd", "jvp", "replace_all_batch_norm_modules_"]

__getattr__ = absent("functorch.experimental", "chunk_vmap", "torch.vmap() takes chunk_size")
