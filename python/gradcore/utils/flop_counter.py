"""torch.utils.flop_counter counts what its dispatcher sees; gradcore has none: a counter can be made, and counts nothing."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["FlopCounterMode"]


class FlopCounterMode:
    """A counter of floating-point operations that was never entered: its counts are empty. Entering it is refused.

    Lightning makes one for each summary of a model, and enters it where the model has an example of its input.

    >>> from gradcore.utils.flop_counter import FlopCounterMode
    >>> FlopCounterMode(display=False).get_total_flops()
    0

    Raises NotImplementedError by `with`: gradcore has no dispatcher, and its profiler counts bytes and calls.
    """

    def __init__(
        self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: dict[Any, Any] | None = None
    ) -> None:
        self.depth, self.display = depth, display

    def get_total_flops(self) -> int:
        """0: nothing was counted."""
        return 0

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """No counts of any module."""
        return {}

    def __enter__(self) -> NoReturn:
        raise NotImplementedError(
            "gradcore.utils.flop_counter.FlopCounterMode: gradcore has no dispatcher; its profiler counts bytes and calls"
        )

    def __exit__(self, *error: object) -> None: ...
