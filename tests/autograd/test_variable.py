"""autograd.Variable and Tensor.volatile, which old programs have, beside torch's."""

import importlib
import warnings

import pytest

from support import both


def made(lib, *args, **kwargs):
    """The Variable, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        variable = lib.autograd.Variable(*args, **kwargs)
    return variable, variable.is_leaf, type(variable) is lib.Tensor, [str(warning.message) for warning in caught]


ARGUMENTS = {
    "data": lambda lib, t: ([t], {}),
    "a keyword": lambda lib, t: ([], {"data": t}),
    "nothing": lambda lib, t: ([], {}),
    "none": lambda lib, t: ([None], {}),
    "requires_grad": lambda lib, t: ([t], {"requires_grad": True}),
    "in order": lambda lib, t: ([t, True, False, None, None], {}),
    "numbers": lambda lib, t: ([t, 1, 0], {}),
    "volatile": lambda lib, t: ([t], {"volatile": True}),
    "with a history": lambda lib, t: ([t.clone().requires_grad_() * 2], {}),
    "integers": lambda lib, t: ([t.long()], {}),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name):
    def program(lib):
        args, kwargs = ARGUMENTS[name](lib, lib.arange(3.0))
        return made(lib, *args, **kwargs)

    both(program)


REFUSED = {
    "a number": (lambda lib, t: lib.autograd.Variable(2.0), "Variable data has to be a tensor, but got float"),
    "a list": (lambda lib, t: lib.autograd.Variable([1.0]), "Variable data has to be a tensor, but got list"),
    "volatile with gradient": (
        lambda lib, t: lib.autograd.Variable(t, requires_grad=True, volatile=True),
        "Variable can't be volatile and require_grad at the same time!",
    ),
    "a node": (
        lambda lib, t: lib.autograd.Variable(t, _grad_fn=(t.clone().requires_grad_() * 2).grad_fn),
        "_grad_fn has to be a Function object or None, but got MulBackward0",
    ),
    "integers with gradient": (lambda lib, t: lib.autograd.Variable(t.long(), True), "can require gradients"),
    "another keyword": (lambda lib, t: lib.autograd.Variable(t, data_=t), "data_"),
}


@pytest.mark.filterwarnings("ignore:volatile was removed")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    program, phrase = REFUSED[name]
    both(lambda lib: program(lib, lib.arange(3.0)), raises=phrase)


def test_memory_and_versions_are_shared():
    def program(lib):
        t = lib.zeros(2)
        t.add_(1)
        variable = lib.autograd.Variable(t)
        variable.add_(1)
        return t, variable._version, t._version, variable is t

    both(program)


def test_names():
    both(lambda lib: lib.autograd.Variable(lib.ones(1), name="weight").name)


def test_every_tensor_is_a_variable():
    def program(lib):
        cls = lib.autograd.Variable
        module = importlib.import_module(f"{lib.__name__}.autograd.variable")
        same = module.Variable is cls, type(cls) is module.VariableMeta, lib.autograd.variable.Variable is cls
        return isinstance(lib.ones(1), cls), isinstance(1.0, cls), issubclass(lib.Tensor, cls), same

    both(program)


def test_the_function_is_gone():
    both(lambda lib: lib.autograd.variable([1.0]), raises="torch.autograd.variable(...) is deprecated")


def test_volatile():
    def program(lib):
        t = lib.ones(2)
        with pytest.warns(UserWarning, match=r"volatile was removed \(Variable.volatile is always False\)"):
            before = t.volatile
        with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
            t.volatile = True
        with pytest.warns(UserWarning):
            return before, t.volatile

    both(program)
