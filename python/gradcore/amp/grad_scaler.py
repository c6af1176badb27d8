"""GradScaler: multiplies the loss so that small gradients survive a half type, and divides them again."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import gradcore

from .._C import Tensor
from .._types import device as _device

__all__ = ["GradScaler", "OptState"]


class OptState(enum.Enum):
    """How far an optimizer has come since the last update() of its scaler.

    >>> from gradcore.amp.grad_scaler import OptState
    >>> [state.name for state in OptState]
    ['READY', 'UNSCALED', 'STEPPED']
    """

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class GradScaler:
    """Scales losses and unscales gradients; a step is left out when a gradient is not finite.

    For "cuda" it warns and is disabled, as in torch without a GPU: scale() returns what it is given and step() steps. For
    "cpu" it works. The scale grows by `growth_factor` after `growth_interval` good steps and shrinks by `backoff_factor`
    after a bad one.

    >>> import gradcore
    >>> scaler = gradcore.amp.GradScaler("cpu", init_scale=8.0)
    >>> scaler.scale(gradcore.ones(1))
    tensor([8.])

    Raises AssertionError for a growth factor of at most 1 or a backoff factor of at least 1.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = _device(device).type
        self._enabled = enabled and self._device == "cpu"
        if enabled and not self._enabled:
            warnings.warn(
                f"torch.{self._device}.amp.GradScaler is enabled, but {self._device.upper()} is not available.  Disabling.",
                stacklevel=2,
            )
        if not self._enabled:
            return
        assert growth_factor > 1.0, "The growth factor must be > 1.0."
        assert backoff_factor < 1.0, "The backoff factor must be < 1.0."
        self._scale = float(init_scale)
        self._has_scaled = False
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._found: dict[int, bool] = {}  # by optimizer: whether unscale_ met a gradient that is not finite
        self._stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """The tensor, or each tensor of a list or tuple, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            self._has_scaled = True
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(item) for item in outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of the optimizer's parameters by the scale.

        Raises RuntimeError when this was done since the last update(), or after step().
        """
        if not self._enabled:
            return
        self._check_used("unscale_")
        if id(optimizer) in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if id(optimizer) in self._found:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        bad = False
        with gradcore.no_grad():
            for group in optimizer.param_groups:
                for grad in (p.grad for p in group["params"] if p.grad is not None):
                    bad = bad or not bool(grad.isfinite().all())
                    grad.mul_(1.0 / self._scale)
        self._found[id(optimizer)] = bad

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Unscales if that was not done, and calls optimizer.step() unless a gradient was not finite.

        Raises RuntimeError when it is called twice without update(), or with a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        self._check_used("step")
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        if id(optimizer) in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if id(optimizer) not in self._found:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return None if self._found[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapts the scale to what the steps met, or sets it. Raises AssertionError when no step came before."""
        if not self._enabled:
            return
        self._check_used("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            assert self._found, "No inf checks were recorded prior to update."
            self._adapt(any(self._found.values()))
        self._found.clear()
        self._stepped.clear()

    def _check_used(self, name: str) -> None:
        assert self._has_scaled, (
            f"Attempted {name} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) "
            "earlier in the iteration."
        )

    def _adapt(self, bad: bool) -> None:
        self._growth_tracker = 0 if bad else self._growth_tracker + 1
        if bad:
            self._scale *= self._backoff_factor
        elif self._growth_tracker == self._growth_interval:
            self._scale *= self._growth_factor
            self._growth_tracker = 0

    def is_enabled(self) -> bool:
        """Whether the scaler does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The scale; 1.0 when disabled."""
        return self._scale if self._enabled else 1.0

    def _get_growth_tracker(self) -> int:
        """Steps without infinities since the scale changed, as training loops log it."""
        return self._growth_tracker if self._enabled else 0

    def get_growth_factor(self) -> float:
        """What the scale grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets what the scale grows by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale shrinks by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets what the scale shrinks by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many good steps the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many good steps the scale grows."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """The scale and how it adapts; empty when disabled."""
        if not self._enabled:
            return {}
        names = ("growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")
        return {"scale": self._scale, **{name: getattr(self, name if name[0] == "_" else f"_{name}") for name in names}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what state_dict() gave. Raises RuntimeError for the state of a disabled scaler."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        for name, value in state_dict.items():
            setattr(self, name if name[0] == "_" else f"_{name}", value)
