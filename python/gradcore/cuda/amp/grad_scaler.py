"""Where torch has the class: see gradcore.cuda.amp."""

from __future__ import annotations

from . import GradScaler as GradScaler
