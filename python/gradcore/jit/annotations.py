"""torch.jit.annotations: names for type hints, which nobody reads here."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035  (packages import them from here)

__all__ = ["Any", "Dict", "List", "Optional", "Tuple", "Union", *(f"BroadcastingList{n}" for n in range(1, 7))]


class _BroadcastingList:
    """A list of that length, or one value for all of it: BroadcastingList2[int]."""

    def __getitem__(self, types: Any) -> None: ...


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()
BroadcastingList4 = BroadcastingList5 = BroadcastingList6 = _BroadcastingList()
