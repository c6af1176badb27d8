"""functional_call and stack_module_state: modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import _C
from .._C import Tensor
from ..nn.parameter import Parameter

__all__ = ["functional_call", "stack_module_state"]

_ABSENT: Any = object()


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with other tensors in place of its parameters and buffers; the module is as before
    afterwards.

    parameter_and_buffer_dicts: tensors by name as in named_parameters() and named_buffers(), or several such dicts.
    args: a tuple, or the only argument. tie_weights: a parameter that the module knows under two names is replaced
    under both. strict: every parameter and buffer must be given, and nothing else; otherwise a name that the module does
    not have is one of its attributes for the time of the call. Where the module assigns to an attribute that was given, the
    only dict that was given has the new tensor afterwards.

    Raises ValueError for something else than dicts, and for a name in two dicts or tied names with different tensors,
    RuntimeError if strict finds a name too many or too few, AttributeError for the name of a part that the module does
    not have, TypeError for a value that is neither a tensor nor None.

    >>> import gradcore
    >>> class Scale:
    ...     def __init__(self):
    ...         self.factor = gradcore.tensor(2.0)
    ...     def named_parameters(self, remove_duplicate=True):
    ...         return [("factor", self.factor)]
    ...     def named_buffers(self, remove_duplicate=True):
    ...         return []
    ...     def __call__(self, x):
    ...         return x * self.factor
    >>> gradcore.func.functional_call(Scale(), {"factor": gradcore.tensor(3.0)}, gradcore.tensor(5.0))
    tensor(15.)
    """
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, _merged(parameter_and_buffer_dicts), tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


@contextmanager
def replaced(module: Any, given: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    """A block in which the module has these tensors in place of its own: functional_call()."""
    own: dict[str, Any] = {}
    if tie_weights or strict:  # a module that is its own part has no end of names
        own = {
            **dict(module.named_parameters(remove_duplicate=False)),
            **dict(module.named_buffers(remove_duplicate=False)),
        }
    values = _with_ties(own, given) if tie_weights else given
    if strict:
        _check_names(module, own, values)
    for value in values.values():
        if not (value is None or isinstance(value, Tensor)):
            raise TypeError(f"{value} is not an instance of torch.Tensor")
    places = [_Place(module, name, value) for name, value in values.items()]
    done: list[_Place] = []
    try:
        for place in places:
            place.fill()
            done.append(place)
        yield
    finally:
        left = {place.path: place.restore() for place in reversed(done)}
        given.update((name, left[name]) for name in given if left.get(name, _ABSENT) is not _ABSENT)


class _Place:
    """Where a module has a tensor, or would have it, and what is to stand there."""

    def __init__(self, module: Any, path: str, value: Any) -> None:
        self.path, self.value = path, value
        self.name = path.rpartition(".")[2]
        owner = _owner(module, path)
        self.holder = _holder(owner, self.name, value)
        self.before = self.holder.get(self.name, _ABSENT)
        if not (self.before is None or self.before is _ABSENT or isinstance(self.before, Tensor)):
            raise TypeError(f"attribute `{self.name}`: {self.before} is not an instance of torch.Tensor")

    def fill(self) -> None:
        self.holder[self.name] = self.value

    def restore(self) -> Any:
        """Gives what stands there by now: the module may have assigned to its attribute."""
        last = self.holder.pop(self.name, _ABSENT) if self.before is _ABSENT else self.holder.get(self.name, _ABSENT)
        if self.before is not _ABSENT:
            self.holder[self.name] = self.before
        return last


def _merged(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}"
        )
    if not all(isinstance(d, dict) for d in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in dicts for name in d]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: value for d in dicts for name, value in d.items()}


def _check_names(module: Any, own: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    unexpected, missing = given.keys() - own.keys(), own.keys() - given.keys()
    if unexpected or missing:
        what = [
            f"{kind} key(s): {', '.join(map(repr, sorted(keys)))}"
            for kind, keys in (("Unexpected", unexpected), ("Missing", missing))
            if keys
        ]
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + ".\n\t".join(what) + ".")


def _with_ties(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with an entry for each other name of a tensor that it replaces."""
    names: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), []).append(name)
    result = dict(given)
    for tied in names.values():
        values = [given[name] for name in tied if name in given]
        if any(value is not values[0] for value in values):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(tied)}, which are tied. Consider using "
                "tie_weights=False"
            )
        result.update((name, values[0]) for name in tied if values)
    return result


def _owner(module: Any, name: str) -> Any:
    for part in name.split(".")[:-1]:
        if not hasattr(module, part):
            raise AttributeError(f"{type(module).__name__} has no attribute `{part}`")
        module = getattr(module, part)
    return module


def _holder(owner: Any, name: str, value: Any) -> dict[str, Any]:
    """The dict in which a module keeps the tensor, or would: past __setattr__, which takes only parameters."""
    state: dict[str, Any] = vars(owner)
    for holder in (state.get("_parameters", {}), state.get("_buffers", {}), state):
        if name in holder:
            return holder
    return state["_parameters"] if isinstance(value, Parameter) and "_parameters" in state else state


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of several modules of one kind, stacked along a new first dim, by name.

    Raises RuntimeError for no modules, for modules of different classes or modes and for parameters of which only some
    require grad.
    """
    if len(models) == 0:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(model) is not type(models[0]) for model in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return _stacked(parameters), _stacked(buffers)


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    result = {}
    for name in states[0]:
        tensors = [state[name] for state in states]
        if len({t.requires_grad for t in tensors}) > 1:
            raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
        stacked = _C.stack(tensors)
        result[name] = stacked.detach().requires_grad_() if tensors[0].requires_grad else stacked
    return result
