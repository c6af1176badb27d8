"""Pruning: parameters with some elements held at zero by a mask. Start at BasePruningMethod."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod

from ... import _C
from ..._C import Tensor

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any
else:
    from ..._lazy import Any, Iterable, Iterator

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


def _same_shape(what: str, scores: Any, tensor: Tensor) -> None:
    if scores.shape != tensor.shape:
        raise AssertionError(f"{what} should have the same shape as parameter")


class BasePruningMethod(ABC):
    """A pruning technique, which a subclass defines by compute_mask(). As a hook it multiplies before each call the
    original parameter, name_orig, with the mask, the buffer name_mask.

    PRUNING_TYPE: "unstructured", "structured" or "global": which elements a further pruning chooses from.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for a tensor of scores, which keeps the zeros of default_mask."""

    def apply_mask(self, module: Any) -> Tensor:
        """The original parameter times the mask."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        mask, original = getattr(module, self._tensor_name + "_mask"), getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=original.dtype) * original  # type: ignore[no-any-return]

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any) -> Any:
        """Prunes a parameter, on top of what pruned it before; scores stand in for its elements where they are given."""
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        before = _take_hook(module, name)
        hook = method if before is None else _joined(before, method)
        original = getattr(module, name)
        if importance_scores is not None:
            _same_shape("importance_scores", importance_scores, original)
        scores = original if importance_scores is None else importance_scores
        default = _C.ones_like(original) if before is None else getattr(module, name + "_mask").detach().clone()
        try:
            mask = hook.compute_mask(scores, default_mask=default)
        except Exception:
            if before is not None:
                module.register_forward_pre_hook(before)
            raise
        if before is None:
            del module._parameters[name]
            module.register_parameter(name + "_orig", original)
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return hook

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """The tensor with zeros where the mask has them."""
        if importance_scores is not None:
            _same_shape("importance_scores", importance_scores, t)
        scores = t if importance_scores is None else importance_scores
        default = _C.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=default)

    def remove(self, module: Any) -> None:
        """Makes the pruned values the parameter itself; the mask goes away, the zeros stay."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"], module._buffers[name + "_mask"]
        setattr(module, name, original)


def _take_hook(module: Any, name: str) -> Any:
    """The hook that prunes this parameter, which is taken out of the module; None where there is none."""
    for key, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            del module._forward_pre_hooks[key]
            return hook
    return None


def _joined(before: Any, method: BasePruningMethod) -> PruningContainer:
    container = PruningContainer()
    container._tensor_name = method._tensor_name
    for part in before if isinstance(before, PruningContainer) else (before,):
        container.add_pruning_method(part)
    container.add_pruning_method(method)
    return container


class PruningContainer(BasePruningMethod):
    """Prunings of one parameter, one after another: each chooses among what those before have left."""

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if not isinstance(args[0] if args else None, BasePruningMethod) and len(args) == 1:
            args = tuple(args[0])
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Puts a pruning behind the others. Raises TypeError for what is none, ValueError for one of another parameter."""
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: Any) -> Any:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of all, where the last one chooses among the elements, or the slices, that are left."""
        method, mask = self._pruning_methods[-1], default_mask.to(dtype=t.dtype)
        chosen = self._left(method, t, mask)
        new_mask = mask.clone()
        new_mask[chosen] = method.compute_mask(t[chosen], default_mask=mask[chosen]).to(new_mask.dtype)
        return new_mask

    @staticmethod
    def _left(method: Any, t: Tensor, mask: Tensor) -> Any:
        kind = method.PRUNING_TYPE
        if kind == "unstructured":
            return mask == 1
        if kind == "global":
            return (slice(None),) * t.dim()
        if kind != "structured":
            raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
        dim = method.dim % t.dim()
        kept = mask.sum([d for d in range(t.dim()) if d != dim]) != 0
        places: list[Any] = [slice(None)] * t.dim()
        places[dim] = kept
        return tuple(places)


class Identity(BasePruningMethod):
    """Prunes nothing, and leaves a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


# The next ones have torch's names: methods that programs write ask for them.


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if (whole and amount < 0) or (not whole and (float(amount) > 1.0 or float(amount) < 0.0)):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _validate_pruning_amount(amount: Any, tensor_size: int) -> None:
    if isinstance(amount, numbers.Integral) and int(amount) > tensor_size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={tensor_size}")


def _compute_nparams_toprune(amount: Any, tensor_size: int) -> int:
    return int(amount) if isinstance(amount, numbers.Integral) else round(float(amount) * tensor_size)


def _validate_structured_pruning(t: Tensor) -> None:
    if t.dim() <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {t.dim()} dims"
        )


def _validate_pruning_dim(t: Tensor, dim: int) -> None:
    if not -t.dim() <= dim < t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")


def _compute_norm(t: Tensor, n: Any, dim: int) -> Tensor:
    """The norm of order n of each slice of a dim."""
    others = [d for d in range(t.dim()) if d != dim % t.dim()]
    found: Tensor = t.norm(n, others)
    return found


def _count(amount: Any, size: int) -> int:
    """How many of `size` an amount means. Raises ValueError for more."""
    _validate_pruning_amount(amount, size)
    return _compute_nparams_toprune(amount, size)


def _ascending(scores: Tensor) -> Tensor:
    """The places of the scores, the lowest one first."""
    return scores.detach().argsort(stable=True)


class _ByAmount(BasePruningMethod):
    def __init__(self, amount: Any) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount


class RandomUnstructured(_ByAmount):
    """Prunes elements at random: a share for a float, so many for an int."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = _count(self.amount, t.nelement())
        mask = default_mask.clone()
        if count:
            mask.view(-1)[_ascending(_C.rand_like(t).view(-1))[-count:]] = 0
        return mask


class L1Unstructured(_ByAmount):
    """Prunes the elements of smallest magnitude: a share for a float, so many for an int."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = _count(self.amount, t.nelement())
        mask = default_mask.clone()
        if count:
            mask.view(-1)[_ascending(t.abs().reshape(-1))[:count]] = 0
        return mask


class _ByDim(_ByAmount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def scores(self, t: Tensor) -> Tensor:
        """A number for each slice; the largest stay."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        slices = t.shape[self.dim]
        count = _count(self.amount, slices)
        if not count:
            return default_mask
        kept = _C.ones(slices, dtype=t.dtype)
        kept[_ascending(self.scores(t))[:count]] = 0
        shape = [1] * t.dim()
        shape[self.dim] = slices
        return kept.view(shape).expand(t.shape) * default_mask.to(t.dtype)


class RandomStructured(_ByDim):
    """Prunes slices of a dim at random: a share for a float, so many for an int."""

    def scores(self, t: Tensor) -> Tensor:
        return _C.rand(t.shape[self.dim])


class LnStructured(_ByDim):
    """Prunes the slices of a dim that have the smallest norm of order n."""

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def scores(self, t: Tensor) -> Tensor:
        return _compute_norm(t.detach(), self.n, self.dim)


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if self.mask.shape != default_mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# ------------------------------------------------------------------------------------------------------------
# Functions


def identity(module: Any, name: str) -> Any:
    """Gives a parameter a mask of ones. Returns the module, as all functions here do.

    >>> from gradcore import nn
    >>> nn.utils.prune.identity(nn.Linear(2, 1), "bias").bias_mask
    tensor([1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Prunes elements of a parameter at random. amount: a share, or as an int a number.

    Raises ValueError and TypeError for an amount that is none.

    >>> from gradcore import nn
    >>> int(nn.utils.prune.random_unstructured(nn.Linear(2, 3), "weight", amount=2).weight_mask.sum())
    4
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Tensor | None = None) -> Any:
    """Prunes the elements of smallest magnitude, of the parameter or of importance_scores.

    >>> import gradcore
    >>> from gradcore import nn
    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(gradcore.tensor([[0.1, -3.0]]))
    >>> nn.utils.prune.l1_unstructured(layer, "weight", amount=0.5).weight_mask
    tensor([[0., 1.]])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Prunes slices of a dim at random.

    >>> from gradcore import nn
    >>> int(nn.utils.prune.random_structured(nn.Linear(2, 3), "weight", amount=1, dim=0).weight_mask.sum())
    4
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Any:
    """Prunes the slices of a dim that have the smallest norm of order n.

    >>> from gradcore import nn
    >>> int(nn.utils.prune.ln_structured(nn.Linear(2, 3), "weight", amount=1, n=2, dim=1).weight_mask.sum())
    3
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prunes where the mask is zero.

    >>> import gradcore
    >>> from gradcore import nn
    >>> nn.utils.prune.custom_from_mask(nn.Linear(2, 2), "bias", gradcore.tensor([0, 1])).bias_mask
    tensor([0., 1.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Any, str]], pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prunes several parameters, pairs of module and name, as if they were one vector.

    pruning_method: a class whose PRUNING_TYPE is "unstructured"; importance_scores: a dict from such pairs to scores.
    Raises TypeError for arguments of other kinds.

    >>> from gradcore import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> prune = nn.utils.prune
    >>> prune.global_unstructured([(net[0], "weight"), (net[1], "weight")], prune.L1Unstructured, amount=4)
    >>> int(net[0].weight_mask.sum() + net[1].weight_mask.sum())
    5
    """
    if not hasattr(type(parameters), "__iter__"):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    tensors = [getattr(module, name) for module, name in pairs]
    values = [scores.get(pair, tensor) for pair, tensor in zip(pairs, tensors)]
    masks = [getattr(module, name + "_mask", _C.ones_like(t)) for (module, name), t in zip(pairs, tensors)]
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of type '
            f"{method.PRUNING_TYPE}"
        )
    container.add_pruning_method(method)
    whole = container.compute_mask(
        _C.cat([v.detach().reshape(-1) for v in values]), _C.cat([m.reshape(-1) for m in masks])
    )
    start = 0
    for (module, name), tensor in zip(pairs, tensors):
        custom_from_mask(module, name, whole[start : start + tensor.numel()].view(tensor.shape))
        start += tensor.numel()


def is_pruned(module: Any) -> bool:
    """Whether the module, or one below it, has a pruned parameter.

    >>> from gradcore import nn
    >>> nn.utils.prune.is_pruned(nn.Linear(1, 1))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod) for _, m in module.named_modules() for hook in m._forward_pre_hooks.values()
    )


def remove(module: Any, name: str) -> Any:
    """Makes the pruned values the parameter itself. Raises ValueError where the parameter is not pruned.

    >>> from gradcore import nn
    >>> layer = nn.utils.prune.identity(nn.Linear(2, 1), "weight")
    >>> sorted(nn.utils.prune.remove(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    hook = _take_hook(module, name)
    if hook is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    hook.remove(module)
    return module
