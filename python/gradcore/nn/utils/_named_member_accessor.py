"""Tensors and submodules of a module by their dotted names: read, replaced and taken out, parameters by plain tensors too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..._C import Tensor
from ..modules.module import Module

_MISSING: Any = object()  # stands for a tensor that is not there

__all__ = ["NamedMemberAccessor", "set_tensor", "swap_submodule", "swap_tensor"]


def _registries(module: Module, name: str) -> dict[str, Any] | None:
    """The dict of parameters or of buffers that has the name."""
    return next((members for members in (module._parameters, module._buffers) if name in members), None)


def _check_name(name: str) -> None:
    if "." in name:
        raise KeyError('tensor name can\'t contain "."')
    if not name:
        raise KeyError('tensor name can\'t be empty string ""')


def set_tensor(module: Module, name: str, tensor: Tensor) -> None:
    """Puts a tensor, or None, in place of a parameter, a buffer or another attribute. It stays a plain tensor."""
    if not isinstance(module, Module):
        raise TypeError(f"{module} is not an instance of torch.nn.Module")
    if not isinstance(tensor, Tensor) and tensor is not None:
        raise TypeError(f"{tensor} is not an instance of torch.Tensor")
    _check_name(name)
    members = _registries(module, name)
    if members is not None:
        members[name] = tensor
    else:
        setattr(module, name, tensor)


def swap_tensor(module: Module, name: str, tensor: Any, allow_missing: bool = False) -> Any:
    """Puts a tensor in place of another, which it returns; `_MISSING` stands for none on both sides, with allow_missing.

    Raises AttributeError where there is none, and TypeError for what is no tensor.
    """
    if not isinstance(module, Module):
        raise TypeError(f"{module} is not an instance of torch.nn.Module")
    if tensor is not _MISSING and tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(f"{tensor} is not an instance of torch.Tensor")
    _check_name(name)
    members = _registries(module, name)
    before = getattr(module, name, _MISSING) if members is None else members[name]
    if before is _MISSING and not allow_missing:
        raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
    if members is None and before is not _MISSING and not isinstance(before, Tensor):
        raise TypeError(f"attribute `{name}`: {before} is not an instance of torch.Tensor")
    if tensor is not _MISSING:
        set_tensor(module, name, tensor)
    elif members is not None:
        del members[name]
    elif before is not _MISSING:
        delattr(module, name)
    return before


def swap_submodule(module: Module, name: str, submodule: Module) -> Module:
    """Puts a submodule in place of another, which it returns. Raises KeyError where there is none."""
    for given in (module, submodule):
        if not isinstance(given, Module):
            raise TypeError(f"{given} is not an instance of torch.nn.Module")
    if "." in name:
        raise KeyError(f'submodule name can\'t contain ".", got: {name}')
    if not name:
        raise KeyError('submodule name can\'t be empty string ""')
    before = module._modules.get(name)
    if name not in module._modules:
        raise KeyError(f"submodule {name} does not exist")
    if not isinstance(before, Module):
        raise TypeError(f"{name} attribute is not an instance of torch.nn.Module")
    module._modules[name] = submodule
    return before


class NamedMemberAccessor:
    """Reads and replaces what a module holds, by dotted names. Submodules that it has found are kept, so that the next look-up
    is quick.

    >>> import gradcore
    >>> net = gradcore.nn.Sequential(gradcore.nn.Linear(1, 1))
    >>> accessor = NamedMemberAccessor(net)
    >>> accessor.set_tensor("0.weight", gradcore.tensor([[2.0]]))
    >>> net[0].weight, accessor.check_keys(["0.weight", "1.weight"])
    (tensor([[2.]]), (['0.bias'], ['1.weight']))
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.memo: dict[str, Module] = {"": module}

    def get_submodule(self, name: str) -> Module:
        """The submodule. Raises AttributeError where there is none, TypeError for another attribute."""
        if name not in self.memo:
            prefix, _, last = name.rpartition(".")
            parent = self.get_submodule(prefix)
            if not hasattr(parent, last):
                raise AttributeError(f"{parent._get_name()} has no attribute `{last or parent}`")
            found = getattr(parent, last)
            if not isinstance(found, Module):
                raise TypeError(f"submodule `{name}`: {found} is not an instance of torch.nn.Module")
            self.memo[name] = found
        return self.memo[name]

    def _place(self, path: str) -> tuple[Module, str]:
        prefix, _, last = path.rpartition(".")
        return self.get_submodule(prefix), last

    def swap_submodule(self, path: str, value: Module) -> Module:
        """Puts a submodule in place of another, which it returns."""
        module, last = self._place(path)
        before = swap_submodule(module, last, value)
        for name in [name for name in self.memo if name == path or name.startswith(f"{path}.")]:
            del self.memo[name]
        return before

    def get_tensor(self, name: str) -> Tensor:
        """The tensor. Raises AttributeError where there is none, TypeError for another attribute."""
        module, last = self._place(name)
        if not hasattr(module, last):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        found = getattr(module, last)
        if not isinstance(found, Tensor) and found is not None:
            raise TypeError(f"{found} is not an instance of torch.Tensor")
        return found  # type: ignore[return-value]  # None where the module has said that there is no such parameter

    def set_tensor(self, name: str, value: Tensor) -> None:
        """Puts a tensor in place of another, or where none was."""
        set_tensor(*self._place(name), value)

    def del_tensor(self, name: str) -> None:
        """Takes a tensor out. Raises AttributeError where there is none."""
        module, last = self._place(name)
        if isinstance(getattr(module, last), Tensor) or last in module._parameters or last in module._buffers:
            delattr(module, last)

    def swap_tensor(self, name: str, value: Tensor, allow_missing: bool = False) -> Tensor:
        """Puts a tensor in place of another, which it returns."""
        found: Tensor = swap_tensor(*self._place(name), value, allow_missing)
        return found

    def get_tensors(self, names: Iterable[str]) -> list[Tensor]:
        """The tensors of these names."""
        return [self.get_tensor(name) for name in names]

    def set_tensors(self, names: Iterable[str], values: Iterable[Tensor]) -> None:
        """set_tensor() of each name. Raises AssertionError where the values are more or fewer."""
        for name, value in _paired(names, values):
            self.set_tensor(name, value)

    def set_tensors_dict(self, named_tensors: dict[str, Tensor]) -> None:
        """set_tensor() of each name."""
        for name, value in named_tensors.items():
            self.set_tensor(name, value)

    def del_tensors(self, names: Iterable[str]) -> None:
        """del_tensor() of each name."""
        for name in names:
            self.del_tensor(name)

    def swap_tensors(self, names: Iterable[str], values: Iterable[Tensor], allow_missing: bool = False) -> list[Tensor]:
        """swap_tensor() of each name. Raises AssertionError where the values are more or fewer."""
        return [self.swap_tensor(name, value, allow_missing) for name, value in _paired(names, values)]

    def swap_tensors_dict(
        self, named_tensors: dict[str, Tensor], allow_missing: bool = False
    ) -> tuple[dict[str, Tensor], list[str]]:
        """swap_tensor() of each name: the tensors before, and the names that had none.

        Raises RuntimeError for such names without allow_missing; then all tensors are back in their places.
        """
        before, missing = {}, []
        try:
            for name, value in named_tensors.items():
                before[name] = self.swap_tensor(name, value, allow_missing=True)
                if before[name] is _MISSING:
                    missing.append(name)
            if missing and not allow_missing:
                raise RuntimeError(f"Missing key(s): {', '.join(map(repr, missing))}.")
        except Exception:
            for name, value in before.items():
                self.swap_tensor(name, value, allow_missing=True)
            raise
        return before, missing

    def check_keys(self, keys: Iterable[str]) -> tuple[list[str], list[str]]:
        """The names of tensors that are not among the keys, and the keys that are none of them."""
        given, valid = set(keys), {name for name, _ in self.named_tensors(remove_duplicate=False)}
        return sorted(valid - given), sorted(given - valid)

    def named_parameters(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Those of the module."""
        return self.module.named_parameters(remove_duplicate=remove_duplicate)

    def named_buffers(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Those of the module."""
        return self.module.named_buffers(remove_duplicate=remove_duplicate)

    def named_tensors(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Parameters, then buffers."""
        yield from self.named_parameters(remove_duplicate)
        yield from self.named_buffers(remove_duplicate)

    def named_modules(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """Those of the module, itself among them."""
        return self.module.named_modules(remove_duplicate=remove_duplicate)


def _paired(names: Iterable[str], values: Iterable[Tensor]) -> list[tuple[str, Tensor]]:
    names, values = list(names), list(values)
    if len(names) != len(values):
        raise AssertionError(
            f"names and values must have the same length, got {len(names)} names and {len(values)} values"
        )
    return list(zip(names, values))
