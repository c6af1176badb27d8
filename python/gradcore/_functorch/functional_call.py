"""What torch._functorch.functional_call has."""

from __future__ import annotations

from ..func import functional_call as functional_call
from ..func import stack_module_state as stack_module_state
