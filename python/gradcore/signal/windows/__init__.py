"""torch.signal.windows: window functions. Start at general_cosine."""

from .windows import *  # noqa: F403  (its __all__ lists them)
from .windows import __all__ as __all__
