"""Subclasses of Tensor and __torch_function__: results keep the class, calls can be taken over, as in torch.

Protocol: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-python-api
"""

import copy
import inspect
import operator
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest

from support import both, gradcore, libraries, needs_torch


class Kept(gradcore.Tensor):
    """Results are instances again."""


OPERATIONS = {
    "s + 1": lambda lib, s: s + 1,
    "1 - s": lambda lib, s: 1 - s,
    "s * s": lambda lib, s: s * s,
    "t / s": lambda lib, s: lib.ones(2, 2) / s,
    "2 ** s": lambda lib, s: 2**s,
    "s // 2": lambda lib, s: s // 2,
    "s % 2": lambda lib, s: s % 2,
    "s @ s": lambda lib, s: s @ s,
    "t @ s": lambda lib, s: lib.ones(2, 2) @ s,
    "-s": lambda lib, s: -s,
    "abs": lambda lib, s: abs(s),
    "s > 1": lambda lib, s: s > 1,
    "1 < s": lambda lib, s: 1 < s,
    "s == s": lambda lib, s: s == s,
    "~": lambda lib, s: ~(s > 0),
    "&": lambda lib, s: (s > 0) & True,
    "s[0]": lambda lib, s: s[0],
    "s[mask]": lambda lib, s: s[s > 1],
    "exp": lambda lib, s: lib.exp(s),
    ".exp()": lambda lib, s: s.exp(),
    "sum": lambda lib, s: s.sum(),
    "cat": lambda lib, s: lib.cat([lib.ones(1, 2), s]),
    "stack": lambda lib, s: lib.stack((s, s)),
    "where": lambda lib, s: lib.where(lib.ones(2, 2) > 0, s, 0.0),
    "clone": lambda lib, s: s.clone(),
    "detach": lambda lib, s: s.detach(),
    "double": lambda lib, s: s.to(lib.float64),
    "view": lambda lib, s: s.view(4),
    ".T": lambda lib, s: s.T,
    ".mT": lambda lib, s: s.mT,
    ".data": lambda lib, s: s.data,
    "zeros_like": lambda lib, s: lib.zeros_like(s),
    "split": lambda lib, s: s.split(1)[1],
    "max": lambda lib, s: s.max(0).values,
    "max's index": lambda lib, s: s.max(0)[1],
    "iteration": lambda lib, s: next(iter(s)),
    "relu": lambda lib, s: lib.nn.functional.relu(s),
    "+=": lambda lib, s: operator.iadd(s, 1),
    "add_": lambda lib, s: s.add_(1),
    "keyword": lambda lib, s: lib.add(lib.ones(2, 2), other=s),
}


def test_a_class_that_is_no_tensor():
    both(
        lambda lib: lib.ones(1).as_subclass(int),
        raises="from a class that does not inherit from Tensor is not possible",
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_results_are_instances(name):
    for lib in libraries():
        mine = type("Mine", (lib.Tensor,), {})
        s = lib.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(mine)
        plain = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
        found, expected = OPERATIONS[name](lib, s), OPERATIONS[name](lib, plain)
        assert type(found) is mine and type(expected) is lib.Tensor
        assert lib.equal(found.as_subclass(lib.Tensor), expected)


def test_what_is_no_tensor_stays_what_it_is():
    s = Kept([[1.0, 2.0]])
    assert type(s.shape) is gradcore.Size and type(s.tolist()) is list and type(s.sum().item()) is float
    assert type(s.grad) is type(None) and type(len(s)) is int
    assert type(s.max(0)) is type(gradcore.ones(1, 2).max(0))


def test_gradients_flow_and_are_plain():
    s = Kept([1.0, 2.0]).requires_grad_()
    y = (s * s).sum()
    assert type(y) is Kept and y.requires_grad
    y.backward()
    assert type(s.grad) is gradcore.Tensor and s.grad.tolist() == [2, 4]


def test_plain_results_beside_a_subclass_stay_plain():
    assert type(gradcore.ones(1) + 1) is gradcore.Tensor
    p = gradcore.nn.Parameter(gradcore.ones(2))
    assert type(p * 2) is gradcore.Tensor and type(p + Kept([1.0, 2.0])) is Kept and type(Kept([1.0, 2.0]) + p) is Kept


def test_classes_in_one_call():
    for lib in libraries():
        base = type("Base", (lib.Tensor,), {})
        derived, other = type("Derived", (base,), {}), type("Other", (lib.Tensor,), {})
        b, d, o = (lib.ones(1).as_subclass(c) for c in (base, derived, other))
        assert type(b + d) is derived and type(d + b) is derived
        with pytest.raises(TypeError):
            b + o
        with pytest.raises(TypeError, match="all __torch_function__ handlers returned NotImplemented"):
            lib.add(b, o)


def logging_class(lib, log):
    class Logged(lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            log.append((func.__name__, tuple(t.__name__ for t in types), len(args), sorted(kwargs or {})))
            return super().__torch_function__(func, types, args, kwargs or {})

    return Logged


@needs_torch
def test_calls_are_seen_as_torch_sees_them():
    def program(lib):
        log = []
        s = lib.ones(2, 2).as_subclass(logging_class(lib, log))
        results = [s + 1, 1 + s, s - 1, 1 - s, s * 2, s / 2, s % 2, 2 ** s, s @ s, lib.ones(2, 2) @ s, -s, s < 1, s[0], s.T,
                   lib.exp(s), s.exp(), lib.cat([s, s]), lib.zeros_like(s), lib.sum(s, dim=0), s.max(0)]  # fmt: skip
        s += 1
        s[0] = 5.0
        return log, [type(r).__name__ for r in results]

    both(program)


METHODS = ["repr(s)", "str(s)", "f'{s}'", "f'{s[0]}'", "s.numpy().tolist()", "s.type()", "s.register_hook(print) and None", "s.storage().tolist()",
           "reversed(s)", "s.is_shared()", "s.dim_order()", "s.apply_(abs)", "s.map_(s, max)",
           "s.untyped_storage().nbytes()"]  # fmt: skip


@pytest.mark.parametrize("call", METHODS)
def test_methods_that_are_no_ops_are_seen(call):
    def program(lib):
        log = []
        s = lib.ones(2, requires_grad="hook" in call).as_subclass(logging_class(lib, log))
        return eval(call, {"s": s, "np": np}), [(name, types) for name, types, *_ in log]

    both(program)


def test_a_class_prints_without_asking_itself():
    """The example in torch's notes on extending it."""

    def program(lib):
        log = []

        class Logging(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                if func is not lib.Tensor.__repr__:
                    log.append(f"func: {func.__name__}, args: {args!r}")
                return super().__torch_function__(func, types, args, kwargs)

        x = lib.ones(2).as_subclass(Logging)
        return repr(x + 1), log

    both(program)


def test_calls_within_a_default_are_not_taken_over():
    log = []
    s = gradcore.ones(3).as_subclass(logging_class(gradcore, log))
    s.std()
    assert [name for name, *_ in log] == ["std"]
    with gradcore._C.DisableTorchFunctionSubclass():
        assert type(s + 1) is gradcore.Tensor
    assert len(log) == 1
    repr(s)
    assert [name for name, *_ in log] == ["std", "__repr__"]


@needs_torch
def test_objects_that_are_no_tensors():
    def program(lib):
        class Duck:
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return func.__name__, [t.__name__ for t in types], len(args)

        class Declines:
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return NotImplemented

        t = lib.ones(2)
        found = [
            lib.add(Duck(), 1),
            lib.add(1.0, Duck()),
            t + Duck(),
            t.add(Duck()),
            lib.exp(Duck()),
            lib.cat([Duck()]),
        ]
        for call in (lambda: lib.add(Declines(), 1), lambda: t + Declines()):
            with pytest.raises(TypeError):
                call()
        with pytest.raises(TypeError):
            lib.exp(object())
        return found

    both(program)


PYTHON_FUNCTIONS = {
    "relu": lambda lib, f, x: f(x),
    "elu": lambda lib, f, x: f(x, alpha=2.0),
    "softmax": lambda lib, f, x: f(x, dim=0),
    "normalize": lambda lib, f, x: f(x),
    "dropout": lambda lib, f, x: f(x, 0.5),
    "cross_entropy": lambda lib, f, x: f(x, lib.tensor([0, 1])),
    "mse_loss": lambda lib, f, x: f(lib.ones(2, 2), x),
    "binary_cross_entropy": lambda lib, f, x: f(x, target=lib.ones(2, 2)),
    "embedding": lambda lib, f, x: f(lib.tensor([0]), x),
    "interpolate": lambda lib, f, x: f(x, scale_factor=2),
    "adaptive_avg_pool2d": lambda lib, f, x: f(x, 1),
    "grid_sample": lambda lib, f, x: f(x, x),
    "gumbel_softmax": lambda lib, f, x: f(x),
    "einsum": lambda lib, f, x: f("ij->", x),
    "tensordot": lambda lib, f, x: f(x, lib.ones(2, 2)),
}


@needs_torch
@pytest.mark.parametrize("name", PYTHON_FUNCTIONS)
def test_functions_written_in_python_are_seen_as_themselves(name):
    """Programs have tables of what they answer for: {F.relu: my_relu}."""

    def program(lib):
        function = getattr(lib.nn.functional, name, None) or getattr(lib, name)
        seen = []

        class Answering(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                seen.append((func is function, cls in types))
                return "answered"

        class Duck:
            __torch_function__ = Answering.__torch_function__

        class Declines(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return NotImplemented

        call = PYTHON_FUNCTIONS[name]
        answers = [call(lib, function, x) for x in (lib.ones(2, 2).as_subclass(Answering), Duck())]
        with pytest.raises(TypeError, match=name):
            call(lib, function, lib.ones(2, 2).as_subclass(Declines))
        return answers, seen

    both(program)


def test_functions_that_ask_their_arguments_stay_the_same():
    assert type(Kept([1.0]) + 1) is Kept  # there is a class that overrides
    function = gradcore.nn.functional.elu
    assert list(inspect.signature(function).parameters) == ["input", "alpha", "inplace"]
    assert inspect.getsource(function).startswith("def elu(")
    assert pickle.loads(pickle.dumps(function)) is function and function.__name__ == "elu"
    assert type(function(gradcore.ones(1))) is gradcore.Tensor and type(function(Kept([1.0]), inplace=True)) is Kept
    assert type(function(gradcore.nn.Parameter(gradcore.ones(1)))) is gradcore.Tensor
    with pytest.raises(TypeError, match=r"elu\(\) missing 1 required positional argument: 'input'"):
        function()
    with pytest.raises(TypeError, match=r"elu\(\) got an unexpected keyword argument 'beta'"):
        function(gradcore.ones(1), beta=1)


WARNED = (
    lambda functional, x: functional.softmax(x),
    lambda functional, x: functional.mse_loss(x, x, size_average=True),
    lambda functional, x: functional.mse_loss(x, x[0]),
    lambda functional, x: functional.upsample(x[None, None], scale_factor=2),
)


@pytest.mark.parametrize("call", WARNED)
def test_warnings_name_the_callers_line_with_and_without_overriding_classes(call):
    x = gradcore.ones(2, 2)
    type("Another", (gradcore.Tensor,), {})
    functions = [gradcore.nn.functional]
    # The same functions as they are before the first such class.
    plain = {
        name: inspect.unwrap(getattr(gradcore.nn.functional, name)) for name in ("softmax", "mse_loss", "upsample")
    }
    functions.append(types.SimpleNamespace(**plain))
    for functional in functions:
        with pytest.warns(UserWarning) as caught:
            call(functional, x)
        assert caught[0].filename == __file__


@needs_torch
def test_parameters_of_a_subclass_keep_it():
    def program(lib):
        class Sub(lib.Tensor):
            def new_empty(self, *args, **kwargs):  # without it torch refuses to deepcopy
                return lib.Tensor.new_empty(self, *args, **kwargs).as_subclass(Sub)

        nn = lib.nn
        source = Sub([1.0, 2.0])
        parameter = nn.Parameter(source)
        module = nn.Module()
        module.weight = parameter
        (module.weight * 3).sum().backward()
        lib.optim.SGD(module.parameters(), lr=0.5).step()
        copied = copy.deepcopy(module).weight
        found = [type(p).__name__ for p in (parameter, parameter.grad, copied)]
        checks = [isinstance(p, nn.Parameter) for p in (parameter, source, copied)]
        shares = parameter.data_ptr() == source.data_ptr()
        with pytest.raises(TypeError, match="cannot assign"):
            module.weight = Sub([1.0])
        return found, checks, shares, repr(parameter), list(module.state_dict()), parameter.as_subclass(lib.Tensor)

    both(program)


@needs_torch
def test_a_parameter_of_a_class_that_detach_loses():
    def program(lib):
        class Mine(lib.nn.Parameter):
            pass

        lib.nn.Parameter(Mine(lib.ones(2)))

    both(program, raises="Creating a Parameter from an instance of type Mine requires that detach() returns an")


def test_a_class_without_overrides():
    class Plain(gradcore.Tensor):
        __torch_function__ = gradcore.nn.Parameter.__torch_function__

    assert type(Plain([1.0]) + 1) is gradcore.Tensor


def test_as_subclass_and_make_subclass():
    x = gradcore.ones(2, requires_grad=True)
    s = (x * 2).as_subclass(Kept)
    assert type(s) is Kept and type(s.grad_fn).__name__ == "AliasBackward0"
    s.sum().backward()
    assert x.grad.tolist() == [2, 2]
    made = gradcore.Tensor._make_subclass(Kept, x.detach(), True)
    assert type(made) is Kept and made.is_leaf and made.requires_grad and made.data_ptr() == x.data_ptr()
    for cls in (int, "Kept"):
        with pytest.raises(TypeError):
            x.as_subclass(cls)


def test_copies_keep_class_and_attributes():
    s = Kept([1.0, 2.0])
    s.note = "mine"
    for other in (copy.copy(s), copy.deepcopy(s), pickle.loads(pickle.dumps(s))):
        assert type(other) is Kept and other.note == "mine" and other.tolist() == [1, 2]


def test_subclass_hooks_of_python_run():
    seen = []

    class Mixin:
        def __init_subclass__(cls, **kwargs):
            seen.append((cls.__name__, kwargs.pop("flag", None)))
            super().__init_subclass__(**kwargs)

    class Both(gradcore.Tensor, Mixin, flag=3):
        pass

    assert seen == [("Both", 3)] and type(Both([1.0]) + 1) is Both


def test_overrides_module():
    overrides = gradcore.overrides
    s, t = Kept([1.0]), gradcore.ones(1)
    assert overrides.has_torch_function((t, s)) and not overrides.has_torch_function((t, 1))
    assert overrides.has_torch_function_unary(s) and overrides.has_torch_function_variadic(t, s)
    assert overrides.is_tensor_like(s) and not overrides.is_tensor_like(1)

    @overrides.wrap_torch_function(lambda x: (x,))
    def twice(x):
        return x.as_subclass(gradcore.Tensor) * 2

    assert type(twice(t)) is gradcore.Tensor and type(twice(s)) is Kept
    with pytest.raises(TypeError):
        overrides.handle_torch_function(twice, (t,), t)


def test_nothing_is_asked_before_the_first_subclass():
    """Importing everything defines none that could take over a call."""
    code = (
        "import gradcore as t, gradcore.nn, gradcore.optim, gradcore.distributions, gradcore.utils.data, gradcore.func\n"
        "t.nn.Linear(2, 2)(t.ones(1, 2)), t.nn.LazyLinear\n"
        "assert not t._C._overrides_exist()\n"
        "{}\n"
        "assert t._C._overrides_exist()"
    )
    for overriding in ("class S(t.Tensor): pass", "t.nn.UninitializedParameter()", "t.nn.UninitializedBuffer()"):
        subprocess.run([sys.executable, "-c", code.format(overriding)], check=True)


def test_the_frames_of_functions_that_subclasses_answer_for_can_be_looked_into():
    """Some have free variables; a debugger, or a traceback with variables, reads those of every frame."""

    class Asks(gradcore.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return super().__torch_function__(function, types, args, kwargs or {})

    looked = 0
    for call in (
        lambda x: gradcore.nn.functional.cross_entropy(x, gradcore.zeros(1, dtype=gradcore.int64)),
        lambda x: gradcore.nn.functional.cosine_similarity(x, gradcore.zeros(3, 7)),
    ):
        for x in (gradcore.ones(4, 3, 5), gradcore.ones(4, 3, 5).as_subclass(Asks)):
            with pytest.raises((RuntimeError, ValueError)) as caught:
                call(x)
            traceback = caught.tb
            while traceback is not None:
                looked += "function" in traceback.tb_frame.f_locals  # what a decorator calls
                traceback = traceback.tb_next
    assert looked


def test_a_tensor_that_wraps_others_is_refused():
    """Its class would see its ops by __torch_dispatch__, which nobody calls here."""
    with pytest.raises(NotImplementedError, match="no dispatcher"):
        gradcore.Tensor._make_wrapper_subclass(gradcore.Tensor, (2,))
