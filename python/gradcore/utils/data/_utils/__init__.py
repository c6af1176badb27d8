"""What the DataLoader is made of: collation, and worker processes."""

from __future__ import annotations

from . import collate as collate
from . import fetch as fetch
from . import pin_memory as pin_memory
from . import worker as worker
