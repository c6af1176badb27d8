"""What Python hands over is checked where it is used: subclasses that lie about their items, private functions, names."""

import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from support import both, gradcore, needs_torch

EDGE_OF_DIMS = [
    "lib.ones(2, 3, 4) + lib.zeros([1] * {n})", "lib.zeros([1] * {n})", "lib.ones(1).view([1] * {n})", "lib.ones(1).expand([1] * {n})",
    "lib.ones([1] * {m}).unsqueeze(0)", "lib.ones([1] * {m})[None]", "lib.ones(1)[(None,) * {m}]", "lib.stack([lib.ones([1] * {m})])",
    "lib.ones(1).as_strided([1] * {n}, [1] * {n})", "lib.ones(1).repeat([1] * {n})",
    "lib.tensor(__import__('numpy').ones([1] * 32)).reshape([1] * {n})", "lib.randn([1] * {n})", "lib.empty_strided([1] * {n}, [1] * {n})",
    "lib.ones([1] * 33)[lib.zeros([1] * ({n} - 32), dtype=lib.int64)]",
]  # fmt: skip


@pytest.mark.parametrize("program", EDGE_OF_DIMS)
def test_more_than_64_dims_are_refused_by_whatever_makes_them(program):
    """(torch makes such tensors, and refuses to reduce them in these words.)"""
    scope = {"lib": gradcore}
    fits = eval(program.format(n=64, m=63), scope)
    assert fits.dim() == 64 and (fits + 1).numel() == fits.numel()
    with pytest.raises(RuntimeError, match="only tensors with up to 64 dims are supported"):
        eval(program.format(n=65, m=64), scope)
    with pytest.raises(RuntimeError, match="64 dims|overflow"):
        eval(program.format(n=70, m=69), scope)


def test_a_batch_dim_counts():
    deep = gradcore.zeros([2] + [1] * 63)
    assert gradcore.func.vmap(lambda t: t + 1)(deep).dim() == 64
    with pytest.raises(RuntimeError, match="64 dims"):
        gradcore.func.vmap(lambda t: t.unsqueeze(0) + 1)(deep)


class LyingList(list):
    def __iter__(self):
        return iter([1, "x"])


class LyingTuple(tuple):
    def __getitem__(self, i):
        return "x" * 50 if i == 0 else 0

    def __iter__(self):
        return iter(["x" * 50, 5])


def test_out_as_a_list_with_other_items():
    out = LyingList([gradcore.empty(4), gradcore.empty(4, dtype=gradcore.int64)])
    with pytest.raises(TypeError, match="out"):
        gradcore.max(gradcore.ones(3, 4), 0, out=out)


def test_an_edge_with_other_items():
    x = gradcore.ones(3, requires_grad=True)
    y = x * 2
    edge = LyingTuple((y.grad_fn, 0))
    (gradient,) = gradcore.autograd.grad(edge, x, gradcore.ones(3))
    assert gradient.tolist() == [2.0] * 3


@pytest.mark.parametrize("name", ["register_hook", "register_prehook"])
def test_methods_of_nodes_on_what_is_none(name):
    with pytest.raises((TypeError, AttributeError)):
        getattr(gradcore.autograd.graph.Node, name)("x" * 100, print)


@pytest.mark.parametrize("attribute", ["non_differentiable", "dirty_tensors"])
def test_contexts_whose_tuples_are_replaced(attribute):
    class Square(gradcore.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def jvp(ctx, tangent):
            setattr(ctx, attribute, "x" * 50)
            return tangent * 2

    with gradcore.autograd.forward_ad.dual_level():
        dual = gradcore.autograd.forward_ad.make_dual(gradcore.ones(3), gradcore.ones(3))
        assert gradcore.autograd.forward_ad.unpack_dual(Square.apply(dual)).tangent.tolist() == [2.0] * 3


def test_a_context_of_another_class():
    class Odd(gradcore.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

    Odd._backward_cls = dict
    with pytest.raises(TypeError, match="no context"):
        Odd.apply(gradcore.ones(1))


def test_saved_tensors_are_not_made_by_hand():
    kind = type((gradcore.ones(1, requires_grad=True) ** 2).grad_fn._raw_saved_self)
    for program in (lambda: kind.__new__(kind), kind, lambda: object.__new__(kind)):
        with pytest.raises(TypeError):
            program()


@needs_torch
@pytest.mark.parametrize("keyword", ["dim\0x", "dim\0", "", "\0", "out"])
def test_keywords_are_compared_whole(keyword):
    both(lambda lib: lib.ones(2, 3).amax(**{keyword: 0}), raises="")


# Every private function with arguments of all kinds, in a process of its own: they set modes.
HOSTILE = """
    import itertools, random, gradcore
    import numpy as np
    _C, values = gradcore._C, []
    x = gradcore.ones(2, 3, requires_grad=True); y = x.exp()
    class L(list):
        __iter__ = lambda self: iter([1, "x" * 40])
    class T(tuple):
        __getitem__ = lambda self, i: "x" * 40
    values += [None, True, 0, 1, -1, 3, 2**31, 2**63, -2**63, 2**70, 0.5, float("nan"), "", "x" * 40, b"x" * 40, (), [], {}, object(), int, dict]
    values += [x, y, y.grad_fn, (y.grad_fn, 0), (y.grad_fn, 9), T((y.grad_fn, 0)), L([x, y]), [x, y], [None, y], x.shape, gradcore.float32]
    values += [gradcore.zeros(0), gradcore.ones((), dtype=gradcore.bool), np.ones(3), type(y.grad_fn), gradcore.Tensor, gradcore.default_generator]
    values += [lambda *args: None, y.grad_fn._raw_saved_result, gradcore.autograd.Function, (1, 2, False), (2**31, 0, True), [{"params": [x]}]]
    leave_out = {"_set_python_types"} | {name for name in dir(_C) if "thread" in name}
    chosen = random.Random(0)
    for name in sorted(dir(_C)):
        function = getattr(_C, name)
        if not name.startswith("_") or name.startswith("__") or name in leave_out or not callable(function) or isinstance(function, type): continue
        if isinstance(function, type(_C.add)): continue  # an op of a package: its row is checked as every op's
        for count in range(6):
            product = list(itertools.product(values, repeat=count)) if count < 3 else [[chosen.choice(values) for _ in range(count)] for _ in range(1500)]
            for arguments in product:
                try: function(*arguments)
                except SystemError: raise
                except Exception: pass
    print("all of them")
"""


def test_private_functions_check_their_arguments():
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(HOSTILE)], capture_output=True, text=True, timeout=500)
    assert ran.returncode == 0 and ran.stdout.endswith("all of them\n"), ran.stderr[-2000:]


def test_a_tensor_of_an_array_that_begins_with_a_list():
    with pytest.raises((TypeError, ValueError)):
        gradcore.tensor([np.ones(2), [1.0]])


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_objects_of_the_core_that_cannot_be_pickled(protocol):
    """(An exception in a slot of pybind11's base class ended the process.)"""
    result = gradcore.ones(2, requires_grad=True).exp()
    for thing in (result.grad_fn._raw_saved_result, result.grad_fn):
        with pytest.raises((TypeError, RuntimeError)):
            pickle.dumps(thing, protocol)
    with pytest.raises((TypeError, RuntimeError)):
        type(gradcore.float32).__mro__[1]()


def test_what_looks_like_a_storage_must_give_a_tensor():
    class Fake:
        def _tensor_on_memory(self, *args):
            return 5

    calls = (gradcore.tensor, gradcore.as_tensor, gradcore.zeros(3).set_, lambda o: gradcore.zeros(3).set_(o, 0, (2,)))
    for call in calls:
        with pytest.raises(TypeError, match="a storage's memory is a tensor, not int"):
            call(Fake())
