"""overrides.get_overridable_functions and its like, against what classes and modes are really asked for, and torch's lists."""

import inspect

import pytest

from support import gradcore, needs_torch, torch

overrides = gradcore.overrides


def names(functions):
    return {overrides.resolve_name(function) for function in functions}


@pytest.fixture(scope="module")
def offered():
    return {f for functions in overrides.get_overridable_functions().values() for f in functions}


def test_functions_that_are_offered_reach_a_class(offered):
    class Mine(gradcore.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            asked.append(func)
            return None

    x = gradcore.ones(2, 2).as_subclass(Mine)
    calls = [(f, args) for f in offered for args in ARGUMENTS.get(len(_parameters(f)), ())]
    assert len(calls) > 500
    for function, make in calls:
        asked = []
        function(*make(x))
        assert asked, overrides.resolve_name(function)


ARGUMENTS = {1: [lambda x: (x,)], 2: [lambda x: (x, x)]}


def _parameters(function):
    try:
        found = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return []
    return [p for p in found if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]


@needs_torch
def test_names_are_torchs(offered):
    theirs = {
        torch.overrides.resolve_name(f) for fs in torch.overrides.get_overridable_functions().values() for f in fs
    }
    ours = names(offered)
    assert len(ours & theirs) > 1050
    for name in ("torch.add", "torch.mul", "torch.Tensor.add", "torch.nn.functional.relu", "torch.linalg.det"):
        assert name in ours & theirs
    for name in ("torch.zeros", "torch.manual_seed", "torch.Tensor.__hash__", "torch.Tensor.__new__", "torch.relu_"):
        assert name not in ours | theirs


def test_overrides_for_testing(offered):
    dummies = overrides.get_testing_overrides()
    assert set(dummies) == offered
    assert dummies[gradcore.exp](gradcore.ones(1)) == dummies[gradcore.Tensor.T.__get__](None) == -1
    assert str(inspect.signature(dummies[gradcore.exp])) == "(input, *, out=None)"


def test_what_is_not_offered(offered):
    ignored = overrides.get_ignored_functions()
    assert gradcore.zeros in ignored
    assert gradcore.manual_seed in ignored
    assert not ignored & offered


def test_names_of_functions():
    assert overrides.resolve_name(gradcore.Tensor.grad.__get__) == "torch.Tensor.grad.__get__"
    assert overrides.resolve_name(gradcore.ops.aten.mm.default) == "aten.mm.default"
    assert overrides.resolve_name(len) is None
    assert overrides.is_tensor_method_or_property(gradcore.Tensor.grad.__get__)
    assert overrides.is_tensor_method_or_property(gradcore.Tensor.add)
    assert not overrides.is_tensor_method_or_property(gradcore.add)
