"""Where torch has the class: see gradcore.cuda.amp."""

from __future__ import annotations

from . import autocast as autocast
from . import custom_bwd as custom_bwd
from . import custom_fwd as custom_fwd
