"""gradcore.func: functions that make derivatives of functions. Mirrors torch.func."""

from .._transforms.vmap import debug_unwrap, vmap
from ._forward import hessian, jacfwd, jvp, linearize
from ._modules import functionalize, replace_all_batch_norm_modules_
from ._reverse import grad, grad_and_value, jacrev, vjp
from ._stateless import functional_call, stack_module_state

__all__ = [
    "debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip
