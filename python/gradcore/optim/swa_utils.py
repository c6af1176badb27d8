"""Averages of parameters over a training run, and the learning rate that goes with them. Start at AveragedModel.

Source: P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov, A. G. Wilson, "Averaging Weights Leads to Wider Optima and Better
Generalization", 2018, https://arxiv.org/abs/1803.05407. Names: https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, Literal

from .. import _C
from .._C import Tensor
from .._modes import no_grad
from ..nn.modules.module import Module
from .lr_scheduler import LRScheduler, _for_each_group, _plain
from .optimizer import Optimizer

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AvgFn = Callable[[Tensor, Tensor, Any], Tensor]  # average, new value, how many are averaged: the new average
MultiAvgFn = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]  # the same for lists, in place


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """The exponential moving average of one parameter: decay * average + (1 - decay) * new value.

    Raises ValueError for a decay outside of [0, 1].

    >>> import gradcore
    >>> average = gradcore.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(gradcore.tensor([0.0]), gradcore.tensor([4.0]), 1)
    tensor([1.])
    """
    _check_decay(decay)

    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """The exponential moving average of a list of parameters of one dtype, in place, in one call for floats.

    Raises ValueError for a decay outside of [0, 1]; its function IndexError for no parameters.

    >>> import gradcore
    >>> averages = [gradcore.tensor([0.0])]
    >>> gradcore.optim.swa_utils.get_ema_multi_avg_fn(0.75)(averages, [gradcore.tensor([4.0])], 1)
    >>> averages
    [tensor([1.])]
    """
    _check_decay(decay)

    def ema_update(ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any) -> None:
        with no_grad():
            if ema_param_list[0].is_floating_point():
                _C._foreach_lerp_(ema_param_list, current_param_list, 1 - decay)
                return
            pairs = zip(ema_param_list, current_param_list, strict=True)
            _C._foreach_copy_(ema_param_list, [old * decay + new * (1 - decay) for old, new in pairs])

    return ema_update


def get_swa_avg_fn() -> AvgFn:
    """The equally weighted average of one parameter: average + (new value - average) / (num_averaged + 1).

    >>> import gradcore
    >>> average = gradcore.optim.swa_utils.get_swa_avg_fn()
    >>> average(gradcore.tensor([1.0]), gradcore.tensor([4.0]), 2)
    tensor([2.])
    """

    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            share: Tensor = (current_param - averaged_param) / (num_averaged + 1)
            return averaged_param + share

    return swa_update


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """The equally weighted average of a list of parameters of one dtype, in place, in one call for floats.

    Its function raises IndexError for no parameters and RuntimeError for integers, as in torch.

    >>> import gradcore
    >>> averages = [gradcore.tensor([1.0])]
    >>> gradcore.optim.swa_utils.get_swa_multi_avg_fn()(averages, [gradcore.tensor([4.0])], 2)
    >>> averages
    [tensor([2.])]
    """

    def swa_update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        with no_grad():
            if averaged[0].is_floating_point():
                _C._foreach_lerp_(averaged, current, 1 / (num_averaged + 1))
                return
            differences = _C._foreach_sub(current, averaged)
            if isinstance(num_averaged, Tensor):
                _C._foreach_addcdiv_(averaged, differences, [num_averaged + 1] * len(averaged))
            else:
                _C._foreach_add_(averaged, differences, alpha=1.0 / (num_averaged + 1))

    return swa_update


def _copy_all(to: list[Tensor], source: list[Tensor]) -> None:
    if to:  # the _foreach_ functions refuse empty lists
        _C._foreach_copy_(to, source)


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's.

    device: model.to(device) where given. avg_fn(average, new, n_averaged) returns a parameter's new average;
    multi_avg_fn(averages, new, n_averaged) writes those of a list of one dtype; neither: the equally weighted average.
    use_buffers: average the buffers too, else they are copied.

    Attributes as in torch: module (the copy), n_averaged (a buffer, 0-d int64). Raises AssertionError for both functions at
    once.

    >>> import gradcore
    >>> model = gradcore.nn.Linear(1, 1, bias=False)
    >>> averaged = gradcore.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = model.weight.data.fill_(value)
    ...     averaged.update_parameters(model)
    >>> averaged(gradcore.ones(1)).detach()
    tensor([3.])
    """

    module: Any
    n_averaged: Tensor

    def __init__(
        self,
        model: Any,
        device: Any = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        super().__init__()
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _C.tensor(0, dtype=_C.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged copy gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Any) -> None:
        """Averages the model's parameters as they are now in; the first time they are copied.

        Raises ValueError where the model has another number of buffers.
        """
        averages = [p.detach() for p in self.module.parameters()]
        current = [p.detach() for p in model.parameters()]
        buffers = [b.detach() for b in self.module.buffers()]
        current_buffers = [b.detach() for b in model.buffers()]
        if self.use_buffers:
            averages += buffers
            current += current_buffers
        elif len(buffers) != len(current_buffers):
            raise ValueError(f"the averaged model has {len(buffers)} buffers, the model has {len(current_buffers)}")
        pairs = list(zip(averages, current))  # the shorter list ends it, as in torch
        if self.n_averaged == 0:
            _copy_all([old for old, _ in pairs], [new for _, new in pairs])
        elif self.multi_avg_fn is not None:
            self._average_lists(self.multi_avg_fn, pairs)
        else:  # tensor by tensor, as torch does on the CPU: integers too, and the count is divided by in the tensor's dtype
            average = self.avg_fn or get_swa_avg_fn()
            _copy_all([old for old, _ in pairs], [average(old, new, self.n_averaged.clone()) for old, new in pairs])
        if not self.use_buffers:
            _copy_all(buffers, current_buffers)
        self.n_averaged += 1

    def _average_lists(self, average: MultiAvgFn, pairs: list[tuple[Tensor, Tensor]]) -> None:
        groups: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
        for old, new in pairs:
            averages, current = groups.setdefault(old.dtype, ([], []))
            averages.append(old)
            current.append(new)
        for averages, current in groups.values():
            average(averages, current, self.n_averaged.clone())


def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Sets the running statistics of a model's batch normalisations to those of the data, in one pass in training mode.

    loader: gives inputs, or lists and tuples that begin with one. A model without batch normalisation is not called.

    >>> import gradcore
    >>> net = gradcore.nn.BatchNorm1d(1)
    >>> gradcore.optim.swa_utils.update_bn([gradcore.tensor([[1.0], [3.0]])], net)
    >>> net.running_mean
    tensor([2.])
    """
    from ..nn.modules.batchnorm import _BatchNorm

    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the plain average of all batches
    try:
        with no_grad():
            for input in loader:
                if isinstance(input, (list, tuple)):
                    input = input[0]
                model(input if device is None else input.to(device))
    finally:
        for module, momentum in momenta.items():
            module.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """Moves each group's learning rate to its swa_lr in `anneal_epochs` epochs, then keeps it.

    swa_lr: for all groups, or a list of one for each; anneal_strategy: 'cos' or 'linear'. Raises ValueError for another
    strategy, a wrong length, or anneal_epochs that is not a whole number from 0 on.

    >>> import gradcore
    >>> sgd = gradcore.optim.SGD([gradcore.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = gradcore.optim.swa_utils.SWALR(sgd, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for epoch in range(3):
    ...     _ = sgd.step()
    ...     scheduler.step()
    ...     print(scheduler.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        swa_lrs = _for_each_group(optimizer, swa_lr, "swa_lr")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for group, lr in zip(optimizer.param_groups, swa_lrs):
            group["swa_lr"] = _plain(lr)
        self._anneal_strategy = anneal_strategy  # the first in torch's state dict, too
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """How far the learning rate has come at the share `t` of the epochs."""
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def _share(self, step: int) -> float:
        """How far it has come after some steps."""
        return self.anneal_func(max(0, min(1, step / max(1, self.anneal_epochs))))

    def get_lr(self) -> list[Any]:
        self._check_within_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        found = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            # The learning rate that this began with, from the one that is set: a program may have changed it since.
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            found.append(end * now + start * (1 - now))
        return found
