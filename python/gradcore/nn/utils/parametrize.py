"""Parametrizations: a parameter of a module becomes a function of other parameters. Start at register_parametrization."""

from __future__ import annotations

import copy
from contextlib import contextmanager

from ..._C import Tensor
from ..._modes import no_grad
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
else:
    from ..._lazy import Any, Iterator

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_depth = 0
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Inside of this context each parametrized tensor is computed once, when it is first asked for.

    >>> from gradcore import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _cache_depth
    _cache_depth += 1
    try:
        yield
    finally:
        _cache_depth -= 1
        if not _cache_depth:
            _cache.clear()


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check_same(before: Tensor, after: Any, what: str, article: str = "the ") -> None:
    """A parametrization may not change dtype and shape of the tensor that it stands for."""
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    for kind, old, new in (("dtype", before.dtype, after.dtype), ("shape", before.shape, after.shape)):
        if old != new:
            raise ValueError(
                f"Registering a parametrization may not change the {kind} of the tensor, unless {article}`unsafe` flag "
                f"is enabled.\n{what} {kind}: {old}\nparametrized {kind}: {new}"
            )


def _inverse(parametrization: Any, value: Any) -> Any:
    """What the parametrization makes `value` of; `value` itself where it does not say."""
    if not hasattr(parametrization, "right_inverse"):
        return value
    try:
        return parametrization.right_inverse(value)
    except NotImplementedError:
        return value


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied one after another, and what they start from: `original`, or
    `original0`, `original1` and so on where the first one takes several tensors.

    Raises ValueError for no parametrizations, and for such as change dtype or shape unless `unsafe` allows it.
    """

    original: Tensor

    def __init__(self, modules: Any, original: Any, unsafe: bool = False) -> None:
        modules = list(modules)
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.detach().clone()
        with no_grad():
            made = original
            for parametrization in reversed(modules):
                made = _inverse(parametrization, made)
        if not isinstance(made, (Tensor, list, tuple)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(made).__name__}"
            )
        self.is_tensor = isinstance(made, Tensor)
        self.ntensors = 1 if isinstance(made, Tensor) else len(made)
        if isinstance(made, Tensor):
            self._keep_one(original, made)
        else:
            self._keep_many(original, made)
        if not unsafe:
            _check_same(before, self(), "unparametrized", article="")

    def _keep_one(self, original: Any, made: Tensor) -> None:
        if original.dtype != made.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {made.dtype}"
            )
        with no_grad():
            original.set_(made.detach())  # the same object as before: optimizers hold it
        _register(self, "original", original)

    def _keep_many(self, original: Any, made: Any) -> None:
        for i, tensor in enumerate(made):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                    f"{i} of the sequence with type {type(tensor).__name__}."
                )
            kept = Parameter(tensor, original.requires_grad) if isinstance(original, Parameter) else tensor
            kept.requires_grad_(original.requires_grad)
            _register(self, f"original{i}", kept)

    def _originals(self) -> list[Tensor]:
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Sets the originals so that the parametrized tensor becomes `value`: what an assignment to it does.

        Raises RuntimeError where a parametrization does not define right_inverse(), ValueError where what it returns
        does not fit.
        """
        with no_grad():
            for parametrization in reversed(list(self)):
                if not hasattr(parametrization, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(parametrization).__name__} does not implement right_inverse."
                    )
                value = parametrization.right_inverse(value)
            for original, new in zip(self._originals(), self._checked(value)):
                original.set_(new.detach())

    def _checked(self, value: Any) -> list[Any]:
        if self.is_tensor:
            if not isinstance(value, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
            values = [value]
        else:
            if not isinstance(value, (list, tuple)):
                raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value)}.")
            if len(value) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                    f"length {len(value)}."
                )
            values = list(value)
        for i, (original, new) in enumerate(zip(self._originals(), values)):
            if not isinstance(new, Tensor):
                raise ValueError(
                    f"`right_inverse` must return a sequence of tensors. Got element {i} of type {type(new)}"
                )
            if original.dtype != new.dtype:
                raise ValueError(
                    "The tensor returned by `right_inverse` has dtype "
                    f"{new.dtype} while `original{'' if self.is_tensor else i}` has dtype {original.dtype}"
                )
        return values

    def forward(self) -> Any:
        found = self[0](*self._originals())
        for parametrization in list(self)[1:]:
            found = parametrization(found)
        return found


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    made = memo.get(id(self))
    if made is None:
        made = memo[id(self)] = self.__new__(type(self))
        made.__dict__ = copy.deepcopy(self.__dict__, memo)
    return made


def _refuse_state(self: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _give_own_class(module: Module) -> None:
    """Properties belong to a class: the module gets one of its own."""
    cls = type(module)
    content = {"__getstate__": _refuse_state, "__module__": __name__}
    if not hasattr(cls, "__deepcopy__"):
        content["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), content)


def _inject_property(module: Module, tensor_name: str) -> None:
    name = tensor_name

    def parametrized(self: Any) -> Any:
        if not _cache_depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def assign(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(parametrized, assign))


def _check_another(module: Module, name: str, parametrization: Any) -> None:
    """What is put behind other parametrizations takes and gives tensors like theirs."""
    before = getattr(module, name)
    after = parametrization(before)
    _check_same(before, after, "module." + name)
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(after)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back)}")
    for kind, old, new in (("dtype", before.dtype, back.dtype), ("shape", before.shape, back.shape)):
        if old != new:
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {kind} as module.{name}, unless "
                f"the `unsafe` flag is enabled.\nmodule.{name} {kind}: {old}\nreturned {kind}: {new}"
            )


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """From now on module.tensor_name is parametrization(original): a module with forward(original), and, where the tensor
    is to be assigned, right_inverse(value). A further registration is applied to what the ones before give.

    The original is in module.parametrizations[tensor_name]. unsafe: the parametrization may change dtype and shape.
    Returns the module. Raises ValueError for a name that is no parameter or buffer, and for what does not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html

    >>> import gradcore
    >>> from gradcore import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_another(module, tensor_name, parametrization)
        chain: Any = module.parametrizations[tensor_name]
        chain.append(parametrization)
        chain.unsafe |= unsafe
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{tensor_name}'"
        )
    chain = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _give_own_class(module)
        module.parametrizations = ModuleDict()
    _inject_property(module, tensor_name)
    module.parametrizations[tensor_name] = chain
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the tensor of this name, or any without one, has a parametrization.

    >>> from gradcore import nn
    >>> nn.utils.parametrize.is_parametrized(nn.Linear(1, 1))
    False
    """
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Makes a parametrized tensor a plain parameter or buffer again: with the value that it has now, or with
    leave_parametrized=False with that of the original. Returns the module.

    Raises ValueError where the tensor has no parametrization, and with leave_parametrized=False where it is made of
    several.

    >>> from gradcore import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=3, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain: Any = module.parametrizations[tensor_name]
    if not (chain.is_tensor or leave_parametrized):
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence "
            "of tensors."
        )
    original: Any = chain.original if chain.is_tensor else None
    if leave_parametrized:
        value = getattr(module, tensor_name)
        if original is None:
            original = Parameter(value) if value.requires_grad else value
        else:
            with no_grad():
                original.set_(value.detach())
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before it was parametrized.

    >>> from gradcore import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Gives to_module the parametrizations of from_module, of one tensor or of all, and its parameters and buffers.

    Returns to_module. The parametrizations are shared, the tensors are copied.

    >>> from gradcore import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> other = nn.utils.parametrize.transfer_parametrizations_and_params(layer, nn.Linear(2, 3))
    >>> bool((other.weight == layer.weight).all())
    True
    """
    if not is_parametrized(from_module):
        return to_module
    names = from_module.parametrizations if tensor_name is None else [tensor_name]
    for name in list(names):
        chain: Any = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(copy.deepcopy(getattr(from_module, name).detach())))
        for parametrization in chain:
            register_parametrization(to_module, name, parametrization)
        made: Any = to_module.parametrizations[name]
        for mine, theirs in zip(made._originals(), chain._originals()):
            with no_grad():
                mine.set_(theirs.detach().clone())
    return to_module
