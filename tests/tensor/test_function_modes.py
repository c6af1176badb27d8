"""overrides.TorchFunctionMode: blocks whose calls of public functions go to an object."""

import threading

import pytest

import gradcore
from support import both


def recorder(lib):
    """A mode that keeps the names of the functions that it answers for."""

    class Recorder(lib.overrides.TorchFunctionMode):
        def __init__(self):
            super().__init__()
            self.names = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names.append((func.__name__, types))
            return func(*args, **(kwargs or {}))

    return Recorder()


CALLS = [
    "x * 2 + 1", "torch.add(x, 1, alpha=2)", "x.sum()", "torch.ones(3)", "torch.matmul(x, x)", "1 + x", "x[0]", "x @ x",
    "x.view(2, 1)", "torch.zeros(2).add_(1)", "torch.stack([x, x])", "torch.nn.functional.linear(x, y)", "x.neg_()",
    "torch.nn.functional.conv1d(y, y.view(2, 2, 1))", "x.to(torch.float64)", "torch.where(x > 1, x, 2)", "torch.linalg.norm(x)",
    "x.add(1, out=None) if False else x.add(1)", "torch.zeros_like(x)",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_it_sees_the_calls_that_torch_s_sees(call):
    def program(lib):
        values = {"torch": lib, "x": lib.tensor([1.0, 2.0]), "y": lib.ones(2, 2)}
        with recorder(lib) as mode:
            result = eval(call, values)
        return result, [name for name, _ in mode.names], eval(call, values)

    both(program)


def test_modes_inside_of_each_other_and_of_classes():
    def program(lib):
        order = []

        class Mode(lib.overrides.TorchFunctionMode):
            def __init__(self, name):
                super().__init__()
                self.name = name

            def __torch_function__(self, func, types, args=(), kwargs=None):
                order.append((self.name, func.__name__, [t.__name__ for t in types]))
                return func(*args, **(kwargs or {}))

        class Own(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                order.append(("class", func.__name__, [t.__name__ for t in types]))
                return super().__torch_function__(func, types, args, kwargs or {})

        own = lib.ones(2).as_subclass(Own)
        with Mode("outer"), Mode("inner"):
            lib.add(own, 1)
        return order

    both(program)


def test_a_mode_may_answer_otherwise_and_decline():
    def program(lib):
        class Products(lib.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                return lib.mul(*args) if func in (lib.add, lib.Tensor.add) else func(*args, **(kwargs or {}))

        class Declines(lib.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                return NotImplemented

        x = lib.tensor([2.0])
        with Products():
            found = [(x + 3).item(), lib.add(x, 5).item()]
        try:
            with Declines():
                lib.add(x, 1)
        except TypeError as error:
            return found, str(error).splitlines()[0], (x + 3).item()

    both(program)


def test_an_error_in_a_mode_leaves_everything_as_it_was():
    class Fails(gradcore.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            raise KeyError(func.__name__)

    x = gradcore.ones(2)
    with recorder(gradcore) as outer:
        with Fails():
            for _ in range(2):
                with pytest.raises(KeyError, match="sum"):
                    x.sum()
        x.sum()
    assert [name for name, _ in outer.names] == ["sum"]
    assert not gradcore._C._has_mode()
    with pytest.raises(RuntimeError, match="no mode of this thread"):
        gradcore._C._leave_mode()
    with pytest.raises(NotImplementedError, match="has no __torch_function__"), gradcore.overrides.TorchFunctionMode():
        x.sum()


def test_a_mode_holds_for_its_thread():
    seen = []

    def other():
        gradcore.ones(2).sum()
        with recorder(gradcore) as mode:
            gradcore.ones(2)
        seen.extend(mode.names)

    with recorder(gradcore) as mode:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert mode.names == [] and [name for name, _ in seen] == ["ones"]


def test_a_mode_that_leaves_itself_while_it_answers():
    """The stack is the program's: nothing is read after it."""

    class Leaves(gradcore.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            with pytest.raises(RuntimeError, match="no mode"):
                gradcore._C._leave_mode()
            return func(*args, **(kwargs or {}))

    with Leaves():
        assert gradcore.ones(2).sum().item() == 2
    assert not gradcore._C._has_mode()


def test_gradients_and_modules_in_a_mode():
    def program(lib):
        net = lib.nn.Linear(2, 1)
        x = lib.ones(3, 2, requires_grad=True)
        with recorder(lib) as mode:
            net(x).sum().backward()
        return x.grad.shape, [name for name, _ in mode.names if name in ("linear", "sum", "backward")]

    both(program)
