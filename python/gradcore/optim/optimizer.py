"""The base class of optimizers: parameter groups, state, state dicts, hooks. The arithmetic of a step is in C++."""

from __future__ import annotations

import functools
import sys
from collections import OrderedDict, defaultdict
from copy import deepcopy
from itertools import chain

from .. import _C
from .._C import Tensor
from .._lazy import TYPE_CHECKING
from .._modes import enable_grad, set_grad_enabled
from ..utils.hooks import RemovableHandle
from . import _copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any
else:
    from .._lazy import Any, Callable, Iterable

# What the annotations of optimizers name; programs import these for their own.
ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Closure = Callable[[], Any]
StateDict = dict[str, Any]
StepPreHook = Callable[["Optimizer", tuple[Any, ...], dict[str, Any]], Any]
StepPostHook = Callable[["Optimizer", tuple[Any, ...], dict[str, Any]], None]

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]


globals().update({name: value for name, value in vars(_copied).items() if name.startswith("_") and name[1] != "_"})


class _RequiredParameter:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()  # the default of an option that every group must set

_global_optimizer_pre_hooks: OrderedDict[int, StepPreHook] = OrderedDict()
_global_optimizer_post_hooks: OrderedDict[int, StepPostHook] = OrderedDict()


def register_optimizer_step_pre_hook(hook: StepPreHook) -> RemovableHandle:
    """Registers a hook that runs before every step of every optimizer: hook(optimizer, args, kwargs) -> None or
    (new args, new kwargs). Returns a handle to take it out with.

    >>> import gradcore
    >>> seen = []
    >>> with register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: seen.append(type(optimizer).__name__)):
    ...     gradcore.optim.SGD([gradcore.ones(1, requires_grad=True)]).step()
    >>> seen
    ['SGD']
    """
    return _add_hook(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: StepPostHook) -> RemovableHandle:
    """Registers a hook that runs after every step of every optimizer: hook(optimizer, args, kwargs) -> None. Returns a
    handle to take it out with.

    >>> import gradcore
    >>> seen = []
    >>> with register_optimizer_step_post_hook(lambda optimizer, args, kwargs: seen.append(type(optimizer).__name__)):
    ...     gradcore.optim.SGD([gradcore.ones(1, requires_grad=True)]).step()
    >>> seen
    ['SGD']
    """
    return _add_hook(_global_optimizer_post_hooks, hook)


def _add_hook(hooks: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _use_grad_for_differentiable(step: Any) -> Any:
    """Decorates the step() of an optimizer: it records if the option `differentiable` says so."""

    @functools.wraps(step)
    def wrapped(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        with set_grad_enabled(self.defaults["differentiable"]):
            return step(self, *args, **kwargs)

    return wrapped


class Optimizer:
    """Holds parameters in groups and what is remembered of each. Derived classes define step().

    params: an iterable of tensors, of (name, tensor) pairs, or of dicts with a key 'params' and options of their own;
    defaults: the options of groups that do not set them.

    Raises TypeError for a tensor instead of an iterable and for anything that is not a tensor; ValueError for an empty
    list, for a tensor with a history, for a parameter in two groups and where only some parameters have names.

    >>> import gradcore
    >>> class Descent(Optimizer):
    ...     @gradcore.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.add_(p.grad, alpha=-group["lr"])
    >>> w = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = Descent([w], {"lr": 0.1})
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_hooks()
        self._patch_step_function()
        if isinstance(params, Tensor):
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got {_type_name(params)}"
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_hooks()
        self._patch_step_function()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            options = [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines += [f"Parameter Group {i}", *options, ""]
        lines[-1] = lines[-1] + ")"
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """For notebooks: a table of the options of each group."""
        from .._html import optimizer_html

        return optimizer_html(self)

    # ---- hooks ----

    _HOOKS = (
        "_optimizer_step_pre_hooks",
        "_optimizer_step_post_hooks",
        "_optimizer_state_dict_pre_hooks",
        "_optimizer_state_dict_post_hooks",
        "_optimizer_load_state_dict_pre_hooks",
        "_optimizer_load_state_dict_post_hooks",
    )
    if TYPE_CHECKING:  # what typing.get_type_hints() evaluates does without names of typing
        _optimizer_step_pre_hooks: OrderedDict[int, StepPreHook]
        _optimizer_step_post_hooks: OrderedDict[int, StepPostHook]
        _optimizer_state_dict_pre_hooks: OrderedDict[int, Callable[[Optimizer], None]]
        _optimizer_state_dict_post_hooks: OrderedDict[int, Callable[[Optimizer, StateDict], StateDict | None]]
        _optimizer_load_state_dict_pre_hooks: OrderedDict[int, Callable[[Optimizer, StateDict], StateDict | None]]
        _optimizer_load_state_dict_post_hooks: OrderedDict[int, Callable[[Optimizer], None]]

    def _make_hooks(self) -> None:
        attributes = self.__dict__
        for name in self._HOOKS:
            if name not in attributes:
                attributes[name] = OrderedDict()

    def _patch_step_function(self) -> None:
        """Wraps the step() of this class, once, in what runs the hooks."""
        self._zero_grad_profile_name = f"Optimizer.zero_grad#{type(self).__name__}.zero_grad"
        cls = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = self.profile_hook_step(cls.step)  # type: ignore[method-assign]
            cls.step.hooked = True  # type: ignore[attr-defined]

    @staticmethod
    def profile_hook_step(func: Callable[..., Any]) -> Callable[..., Any]:
        """A step() that runs the registered hooks before and after `func`."""

        @functools.wraps(func)
        def step(*args: Any, **kwargs: Any) -> Any:
            self = args[0]
            before, after = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
            if not (before or after or _global_optimizer_pre_hooks or _global_optimizer_post_hooks):
                return func(*args, **kwargs)
            for pre_hook in chain(tuple(_global_optimizer_pre_hooks.values()), tuple(before.values())):
                replaced = pre_hook(self, args, kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        f"{func} must return None or a tuple of (new_args, new_kwargs), but got {replaced}."
                    )
                args, kwargs = replaced
            result = func(*args, **kwargs)
            for post_hook in chain(tuple(after.values()), tuple(_global_optimizer_post_hooks.values())):
                post_hook(self, args, kwargs)
            return result

        return step

    def register_step_pre_hook(self, hook: StepPreHook) -> RemovableHandle:
        """Registers hook(optimizer, args, kwargs) -> None or (new args, new kwargs), run before each step; args holds
        the optimizer too. Returns a handle to take it out with."""
        return _add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: StepPostHook) -> RemovableHandle:
        """Registers hook(optimizer, args, kwargs) -> None, run after each step. Returns a handle to take it out with."""
        return _add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[[Optimizer], None], prepend: bool = False) -> RemovableHandle:
        """Registers hook(optimizer) -> None, run before state_dict(); with prepend before those already there."""
        return _add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers hook(optimizer, state_dict) -> None or another dict to return, run at the end of state_dict()."""
        return _add_hook(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers hook(optimizer, state_dict) -> None or another dict to load, run before load_state_dict()."""
        return _add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[[Optimizer], None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers hook(optimizer) -> None, run after load_state_dict()."""
        return _add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # ---- groups ----

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, filling in the defaults. Raises as the constructor does; nothing is added or changed then.

        >>> import gradcore
        >>> optimizer = gradcore.optim.SGD([gradcore.ones(1, requires_grad=True)], lr=0.1)
        >>> optimizer.add_param_group({"params": gradcore.ones(2, requires_grad=True), "lr": 0.5})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.5]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        options = _split_names(_as_list(param_group["params"]))
        params: list[Any] = options["params"]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {_type_name(p)}")
            if not (p.is_leaf or self.defaults.get("differentiable") or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if name in param_group:
                continue
            if default is required:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            options[name] = default
        if len(params) != len(set(params)):
            import warnings

            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see "
                "github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        if self.param_groups:
            self._check_fits({**param_group, **options})
        param_group.update(options)
        self.param_groups.append(param_group)

    def _check_fits(self, new: dict[str, Any]) -> None:
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                kind = "with names" if "param_names" in new else "without names"
                raise ValueError(
                    f"all optimizer param groups should be with/without names. cannot add param group {kind} to the optimizer"
                )
        known = set(chain.from_iterable(group["params"] for group in self.param_groups))
        if not known.isdisjoint(new["params"]):
            raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros."""
        _C._zero_grad(self.param_groups, set_to_none)

    def step(self, closure: Closure | None = None) -> Any:
        """Updates the parameters. `closure` computes the loss again, with gradients, and returns it."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    # ---- state dicts ----

    def state_dict(self) -> StateDict:
        """The options and the state in torch's layout: parameters are numbered through the groups. The tensors are the
        optimizer's own, not copies.

        >>> import gradcore
        >>> gradcore.optim.SGD([gradcore.ones(1, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["lr"]
        0.1
        """
        for pre_hook in self._optimizer_state_dict_pre_hooks.values():
            pre_hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            # As in torch: the first group that has a parameter counts, and in it the last place.
            places = enumerate(group["params"], start)
            numbers.update({id(p): i for i, p in places if id(p) not in numbers})
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            groups.append({**packed, "params": [numbers[id(p)] for p in group["params"]]})
        state = {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        result: StateDict = {"state": state, "param_groups": groups}
        for post_hook in self._optimizer_state_dict_post_hooks.values():
            replaced = post_hook(self, result)
            result = result if replaced is None else replaced
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Takes over options and state from state_dict(), of this library or of torch: NumPy arrays and torch's tensors
        are converted. Tensors are copied: an optimizer that still lives keeps its state to itself.

        Raises ValueError, with nothing changed, when the groups do not match.
        """
        state_dict = state_dict.copy()
        for pre_hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = pre_hook(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        saved: list[dict[str, Any]] = _ours(deepcopy(state_dict["param_groups"]))
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(self.param_groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        owners = {
            number: (p, old)
            for new, old in zip(self.param_groups, saved)
            for number, p in zip(old["params"], new["params"])
        }
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in owners:
                p, group = owners[key]
                state[p] = _fit(value, p, group)
            else:
                state[key] = _own(value)
        for new, old in zip(self.param_groups, saved):
            old["params"] = new["params"]
            if "param_names" in new:
                old.setdefault("param_names", new["param_names"])
        before = self.state, self.param_groups
        try:
            self.__setstate__({"state": state, "param_groups": list(saved)})
        except BaseException:
            self.state, self.param_groups = before
            raise
        for post_hook in self._optimizer_load_state_dict_post_hooks.values():
            post_hook(self)


def _as_list(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
            "will change between runs. Please use a list instead."
        )
    return list(params)


def _split_names(params: list[Any]) -> dict[str, Any]:
    """The entries of a group for parameters, which may come as (name, tensor) pairs."""
    named = [p for p in params if isinstance(p, tuple)]
    if not named:
        return {"params": params}
    if len(named) != len(params):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    return {"params": [p[1] for p in named], "param_names": [p[0] for p in named]}


def _type_name(value: Any) -> str:
    """As torch.typename says it."""
    if isinstance(value, Tensor):
        return str(value.type())
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def _ours(value: Any) -> Any:
    """The value with NumPy's arrays and torch's tensors as tensors of this library."""
    if isinstance(value, dict):
        return {key: _ours(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_ours, value))
    if type(value).__module__.partition(".")[0] not in ("numpy", "torch"):
        return value
    import numpy

    return _C.tensor(numpy.array(value))


def _fit(value: Any, param: Tensor, group: dict[str, Any], key: Any = None) -> Any:
    """A copy of a state value as it belongs to `param`: in its dtype, but for the step counter, which keeps its own."""
    if isinstance(value, dict):
        return {k: _fit(v, param, group, k) for k, v in value.items()}
    value = _ours(value)
    if isinstance(value, Tensor):
        dtype = value.dtype
        if key == "step":
            dtype = _C.float32 if group.get("capturable") or group.get("fused") else dtype
        elif param.is_floating_point():
            dtype = param.dtype
        return value.clone() if dtype == value.dtype else value.to(dtype)
    if isinstance(value, (list, tuple)):
        return type(value)(_fit(v, param, group) for v in value)
    return value


def _own(value: Any) -> Any:
    """The value, with tensors copied."""
    if isinstance(value, dict):
        return {k: _own(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_own(v) for v in value)
    return value.clone() if isinstance(value, Tensor) else value


def _to_scalar(x: Any) -> Any:
    """A tensor option of one element without its dims."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() else x


def option_names(names: str) -> tuple[str, ...]:
    """The names, each the one object that all code has of it: a step finds options by comparing addresses."""
    return tuple(map(sys.intern, names.split()))


def options_among(arguments: dict[str, Any], order: tuple[str, ...] = ()) -> dict[str, Any]:
    """The options among the `locals()` at the beginning of an optimizer's constructor: all but self and params.

    order: their names as torch's groups list them, where the constructor has another order; state dicts show it.
    """
    if order:
        return {name: arguments[name] for name in order}
    options = arguments.copy()  # what locals() gives is the frame's own
    for name in ("self", "params", "__class__"):
        options.pop(name, None)
    return options


def call_closure(closure: Closure | None) -> Any:
    """The loss that a closure computes, with recording switched on."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


# ---- what the optimizers refuse ----


def check_lr(lr: Any) -> None:
    """Raises ValueError for a learning rate that is a tensor of several elements, negative or not a number."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_not_negative("learning rate", lr)


def check_not_negative(what: str, value: Any) -> None:
    """Raises ValueError for what is negative or not a number."""
    if not 0.0 <= value:
        raise ValueError(f"Invalid {what}: {value}")


def check_betas(betas: Any) -> None:
    """Raises ValueError for a decay rate outside of [0, 1)."""
    for i in range(2):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_rho(rho: float) -> None:
    """Raises ValueError for an average's decay outside of [0, 1]."""
    if not 0.0 <= rho <= 1.0:
        raise ValueError(f"Invalid rho value: {rho}")


def check_etas(etas: tuple[float, float]) -> None:
    """Raises ValueError for factors of a step that do not lie on both sides of 1."""
    if not 0.0 < etas[0] < 1.0 < etas[1]:
        raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "lr": check_lr,
    "betas": check_betas,
    "rho": check_rho,
    "etas": check_etas,
    "eps": functools.partial(check_not_negative, "epsilon value"),
    **{
        name: functools.partial(check_not_negative, f"{name} value")
        for name in ("alpha", "initial_accumulator_value", "lr_decay", "momentum", "momentum_decay", "weight_decay")
    },
}


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Raises RuntimeError where fused=True excludes another option."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


class RuleOptimizer(Optimizer):
    """An optimizer whose step is one of the update rules in C++ (cpp/formulas/optim): one call for all parameters.

    foreach and fused are accepted and change nothing: there is one kernel, over all parameters. capturable is for graphs
    of accelerators: step() refuses it with AssertionError, as torch does on a CPU. With differentiable=True the rule runs
    on recorded ops, so that gradients flow through the step into parameters, gradients and tensor options.
    """

    if TYPE_CHECKING:
        _rule: Callable[[list[dict[str, Any]], defaultdict[Any, Any], bool], None]
    _checked: tuple[str, ...] = (
        "lr",
    )  # options that must be in their range, in the order in which torch looks at them
    _numbers: tuple[str, ...] = ("step",)  # state that torch once kept as Python numbers
    _later_options: dict[str, object] = {  # and the options that old state dicts lack
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        for name in self._checked:
            _CHECKS[name](defaults[name])
        super().__init__(params, defaults)
        if "fused" in defaults:
            check_fused(defaults["fused"], defaults["foreach"], defaults["differentiable"])

    def step(self, closure: Closure | None = None) -> Any:
        """One step over all parameters that have a gradient. Returns what `closure` returned, None without one."""
        loss = None if closure is None else call_closure(closure)
        self._rule(self.param_groups, self.state, self.defaults["differentiable"])
        return loss

    @staticmethod
    def profile_hook_step(func: Callable[..., Any]) -> Callable[..., Any]:
        """As Optimizer's, but a step without hooks and closure, which takes half a microsecond, costs two calls less."""
        hooked = Optimizer.profile_hook_step(func)
        if func is not RuleOptimizer.step:
            return hooked

        @functools.wraps(func)
        def step(self: RuleOptimizer, *args: Any, **kwargs: Any) -> Any:
            if (
                args
                or kwargs
                or self._optimizer_step_pre_hooks
                or self._optimizer_step_post_hooks
                or _global_optimizer_pre_hooks
                or _global_optimizer_post_hooks
            ):
                return hooked(self, *args, **kwargs)
            self._rule(self.param_groups, self.state, self.defaults["differentiable"])
            return None

        return step

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._later_options.items():
                group.setdefault(name, value)
            for p in group["params"]:
                kept: dict[str, Any] = self.state.get(p) or {}
                for name in self._numbers if kept else ():
                    if not isinstance(kept[name], Tensor):
                        single = group.get("fused") or group.get("capturable")
                        kept[name] = _C.tensor(float(kept[name]), dtype=_C.float32 if single else None)
