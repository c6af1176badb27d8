"""The base class of optimizers: parameter groups, state, state dicts. The arithmetic of a step is in C++."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from .. import _C
from .._C import Tensor
from .._modes import enable_grad

Closure = Callable[[], Any]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Holds parameters in groups and what is remembered of each.

    params: an iterable of leaf tensors, or of dicts with a key 'params' and options of their own;
    defaults: the options of groups that do not set them. Derived classes define step().

    Raises TypeError for a tensor instead of an iterable and for anything that is not a tensor; ValueError for an empty
    list, for a tensor with a history and for a parameter in two groups.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group))

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines.append("")
        return "\n".join(lines[:-1] + [")"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, filling in the defaults. Raises as the constructor does; nothing is added then."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        params = group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = list(params)
        if params and all(isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], str) for p in params):
            group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        ids = [id(p) for p in params]
        if len(set(ids)) != len(ids):
            import warnings

            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see "
                "github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        known = {id(p) for g in self.param_groups for p in g["params"]}
        if not known.isdisjoint(ids):
            raise ValueError("some parameters appear in more than one parameter group")
        group["params"] = params
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros."""
        _C._zero_grad(self.param_groups, set_to_none)

    def step(self, closure: Closure | None = None) -> Any:
        """Updates the parameters. Derived classes do the work."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def state_dict(self) -> dict[str, Any]:
        """The options and the state in torch's layout: parameters are numbered through the groups."""
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over options and state from state_dict(), of this library or of torch through plain values.

        Raises ValueError, with nothing changed, when the groups do not match.
        """
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(self.param_groups, saved)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
        numbered = {
            number: p for new, old in zip(self.param_groups, saved) for number, p in zip(old["params"], new["params"])
        }
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            p = numbered.get(key)
            state[key if p is None else p] = deepcopy(value) if p is None else _fit(value, p)
        groups = []
        for new, old in zip(self.param_groups, saved):
            group = {key: deepcopy(value) for key, value in old.items() if key != "params"}
            group["params"] = new["params"]
            if "param_names" in new:
                group["param_names"] = new["param_names"]
            groups.append({**{k: v for k, v in self.defaults.items() if k not in group}, **group})
        self.__setstate__({"state": state, "param_groups": groups})


def _fit(value: Any, param: Tensor, key: str | None = None) -> Any:
    """A copy of a state value, in the parameter's dtype but for the step counter."""
    if isinstance(value, dict):
        return {k: _fit(v, param, k) for k, v in value.items()}
    if isinstance(value, Tensor):
        value = value.detach()
        return value.clone() if key == "step" or not param.is_floating_point() else value.to(param.dtype, copy=True)
    if isinstance(value, (list, tuple)):
        return type(value)(_fit(v, param, key) for v in value)
    if type(value).__module__ in ("numpy", "torch"):  # from another library
        import numpy

        tensor = _C.tensor(numpy.array(value))
        return tensor if key == "step" or not param.is_floating_point() else tensor.to(param.dtype)
    if key == "step" and isinstance(value, (int, float)):
        return _C.tensor(float(value), dtype=_C.float32)
    return deepcopy(value)


def call_closure(closure: Closure | None) -> Any:
    """The loss that a closure computes, with recording switched on."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def check_options(lr: Any, weight_decay: float, differentiable: bool, capturable: bool = False) -> None:
    """What all optimizers refuse."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not 0.0 <= lr:
        raise ValueError(f"Invalid learning rate: {lr}")
    if not 0.0 <= weight_decay:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}")
    if differentiable:
        raise NotImplementedError("gradcore's optimizers do not record their own steps: differentiable=True is not implemented")
    if capturable:
        raise NotImplementedError("capturable=True is for CUDA graphs, which a CPU library does not have")
