"""Ops as Python objects, and what every row of the register promises: signatures, types of arguments, the GIL, the stubs."""

import copy
import inspect
import pathlib
import pickle
import subprocess
import sys
import threading
import time
import weakref

import pytest

import gradcore

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTION, METHOD = gradcore.relu, gradcore.Tensor.relu
N = 1 << 20  # elements: above the work from which other threads may run


# ---- the objects


@pytest.mark.parametrize("op", [FUNCTION, METHOD, gradcore._C._foreach_add])
def test_ops_are_pickled_and_copied_by_name(op):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(op, protocol)) is op
    assert copy.copy(op) is op and copy.deepcopy(op) is op


def test_ops_have_the_attributes_of_functions():
    assert (FUNCTION.__name__, FUNCTION.__qualname__, FUNCTION.__module__) == ("relu", "relu", "gradcore._C")
    assert (METHOD.__name__, METHOD.__qualname__, METHOD.__objclass__) == ("relu", "Tensor.relu", gradcore.Tensor)
    assert repr(FUNCTION) == "<built-in function relu>"
    assert repr(METHOD) == "<method 'relu' of 'gradcore.Tensor' objects>"
    assert inspect.isroutine(FUNCTION) and inspect.isroutine(METHOD)
    assert weakref.ref(FUNCTION)() is FUNCTION and weakref.ref(METHOD)() is METHOD
    assert {FUNCTION: 1}[gradcore.relu] == 1


def test_nobody_makes_an_op_or_changes_one():
    for op in (FUNCTION, METHOD):
        with pytest.raises(TypeError):
            type(op)()
        with pytest.raises(TypeError):
            type(op).__call__ = None
        with pytest.raises(AttributeError):
            op.anything = 1


def test_a_function_in_a_class_does_not_bind_and_a_method_does():
    class Layer:
        act = gradcore.relu

    x = gradcore.tensor([-1.0, 2.0])
    assert Layer().act(x).tolist() == [0.0, 2.0]
    bound = x.relu
    assert bound.__self__ is x and bound.__func__ is METHOD and bound().tolist() == [0.0, 2.0]
    assert METHOD.__get__(x, gradcore.Tensor)().tolist() == [0.0, 2.0]
    assert METHOD.__get__(None, gradcore.Tensor) is METHOD


def test_subclasses_inherit_override_and_call_on():
    class Mine(gradcore.Tensor):
        def relu(self):
            return super().relu() + 1

    assert Mine([-1.0, 2.0]).relu().tolist() == [1.0, 3.0]
    assert Mine([1.0, 2.0]).sum(dim=0).item() == 3.0


def test_a_method_wants_a_tensor():
    with pytest.raises(TypeError, match="needs an argument"):
        METHOD()
    with pytest.raises(TypeError, match="doesn't apply to a 'int' object"):
        METHOD(1)
    with pytest.raises(TypeError, match="doesn't apply to a 'int' object"):
        METHOD.__get__(1)


def test_signatures_are_those_of_the_rows():
    assert str(inspect.signature(gradcore.cumsum)) == "(input, dim, *, dtype=None, out=None)"
    assert str(inspect.signature(gradcore.Tensor.cumsum)) == "(self, dim, *, dtype=None)"
    assert str(inspect.signature(gradcore.ones(2).cumsum)) == "(dim, *, dtype=None)"
    for several in (gradcore.sum, gradcore.zeros):
        with pytest.raises(ValueError, match="several forms"):
            inspect.signature(several)


# ---- arguments


def test_every_type_of_argument_is_converted():
    """Through an op that gives back what arrived."""
    echo = gradcore._C._echo
    assert echo(1, 2) == "pair=[1, 1] triple=[2, 2, 2] reduction=mean"
    assert echo([3, 4], (5, 6, 7), "sum") == "pair=[3, 4] triple=[5, 6, 7] reduction=sum"
    assert echo(gradcore.tensor(8), triple=9, reduction="none") == "pair=[8, 8] triple=[9, 9, 9] reduction=none"
    with pytest.raises(ValueError, match="average is not a valid value for reduction"):
        echo(1, 2, "average")
    with pytest.raises(TypeError, match="argument 'pair' .* must be tuple of ints, not float"):
        echo(1.0, 2)


def test_layouts_and_memory_formats_are_checked():
    assert gradcore.zeros(2, layout=gradcore.strided).tolist() == [0.0, 0.0]
    other = type(gradcore.strided)("torch.sparse_coo")
    with pytest.raises(NotImplementedError, match="strided tensors only, not torch.sparse_coo"):
        gradcore.zeros(2, layout=other)
    with pytest.raises(TypeError, match="layout"):
        gradcore.zeros(2, layout="strided")
    x = gradcore.ones(2, 3).t()
    assert x.clone(memory_format=gradcore.contiguous_format).stride() == (2, 1)
    assert x.clone(memory_format=gradcore.preserve_format).stride() == (1, 3)
    with pytest.raises(TypeError, match="memory_format must be one of those that have names"):
        x.clone(memory_format=type(gradcore.preserve_format)("torch.channels_last"))


def test_a_remembered_overload_is_no_overload_for_other_arguments():
    """The same line, with the same keywords, is called with arguments of other types."""
    x, seen = gradcore.arange(6.0).reshape(2, 3), []
    for dim in (0, (0, 1), None, 0, "x", 1):
        try:
            seen.append(x.sum(dim=dim).tolist())
        except TypeError:
            seen.append("refused")
    assert seen == [[3.0, 5.0, 7.0], 15.0, 15.0, [3.0, 5.0, 7.0], "refused", [3.0, 12.0]]
    results = []
    for other in (x, 0, x, 1):
        got = gradcore.max(x, other)
        results.append(got.indices.tolist() if isinstance(got, tuple) else got.shape)
    assert results == [(2, 3), [1, 1, 1], (2, 3), [2, 2]]
    sizes = [gradcore.zeros(*args).shape for args in ((2, 3), ((4, 5),), (2, 3), ([1, 2],))]
    assert sizes == [(2, 3), (4, 5), (2, 3), (1, 2)]


def test_calls_with_more_than_sixteen_parameters_are_bound():
    assert gradcore._C._echo_many(*range(18)) == sum(i * i for i in range(18))
    assert gradcore._C._echo_many(*range(17), p17=17) == sum(i * i for i in range(18))


# ---- the GIL


@pytest.fixture
def other_thread():
    """Counts on in a thread of its own, whenever the GIL is free: it never takes it from anybody."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    count, done = [0], threading.Event()

    def work():
        while not done.is_set():
            count[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=work)
    thread.start()
    yield count
    done.set()
    thread.join()
    sys.setswitchinterval(before)


def big():
    return gradcore.arange(N, dtype=gradcore.float32).remainder(7) + 1


RELEASED = {
    "exp": lambda x: gradcore.exp(x),
    "add": lambda x: x.add(x),
    "exp into": lambda x: gradcore.exp(x, out=x),
    "add_": lambda x: x.add_(x),
    "cumsum": lambda x: x.cumsum(0),
    "softmax": lambda x: x.softmax(0),
    "sum": lambda x: x.double().sum(dim=0),
    "cat": lambda x: gradcore.cat([x, x]),
    "index_select": lambda x: x.index_select(0, gradcore.zeros(N, dtype=gradcore.int64)),
    "masked_select": lambda x: x.masked_select(x > 3),
    "normal_": lambda x: x.normal_(),
    "_foreach_add": lambda x: gradcore._foreach_add([x, x], 1),
}


@pytest.mark.parametrize("name", RELEASED)
def test_large_ops_let_other_threads_run(name, other_thread):
    for _ in range(200):
        x = big()
        before = other_thread[0]
        RELEASED[name](x)
        if other_thread[0] > before:
            return
    pytest.fail("no other thread ran meanwhile")


HELD = {
    "view": lambda x: x.view(2, -1),
    "detach": lambda x: x.detach(),
    "unsqueeze_": lambda x: x.unsqueeze_(0),
    "small": lambda x: gradcore.ones(3).exp(),
}


@pytest.mark.parametrize("name", HELD)
def test_views_and_small_ops_keep_the_gil(name, other_thread):
    x = big()
    for _ in range(20):
        before = other_thread[0]
        HELD[name](x)
        assert other_thread[0] == before


def test_a_recorded_write_keeps_the_gil(other_thread):
    x = big().requires_grad_() * 1
    before = other_thread[0]
    x.add_(1)
    assert other_thread[0] == before
    with gradcore.no_grad():
        for _ in range(200):
            before = other_thread[0]
            x.add_(1)
            if other_thread[0] > before:
                return
    pytest.fail("no other thread ran meanwhile")


def test_an_error_without_the_gil_comes_back(other_thread):
    x, y = gradcore.ones(N), gradcore.ones(N - 1)
    with pytest.raises(RuntimeError, match="must match"):
        x.add(y)
    assert x.add(1)[0].item() == 2.0


# ---- the stubs


def test_stubs_are_up_to_date():
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools/make_stubs.py"), "--check"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr


def test_stubs_say_what_the_module_does(tmp_path):
    """From an empty folder, so that the package is found where Python finds it, sources beside the tests never."""
    pytest.importorskip("mypy.stubtest")
    command = [sys.executable, "-m", "mypy.stubtest", "gradcore._C", "--allowlist", str(ROOT / "tools/stubtest.txt")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_entry_of_the_stubs_takes_anything():
    text = (ROOT / "python/gradcore/_C.pyi").read_text()
    allowed = ("def apply(cls, *args: Any, **kwargs: Any)", "def new(self, *args: Any, **kwargs: Any)")  # torch's own
    for entry in allowed:
        text = text.replace(entry, "")
    assert "*args: Any, **kwargs: Any" not in text
