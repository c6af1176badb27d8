"""What is held for as long as it is needed and no longer; what happens where there is no memory."""

import gc
import pathlib
import re
import subprocess
import sys
import textwrap
import weakref

import pytest

from support import gradcore


class Anything:
    """An attribute of a tensor by which a test sees the tensor go."""


@pytest.mark.parametrize(
    "tie",
    [
        lambda t: t.__dict__.__setitem__("me", t),
        lambda t: vars(t).update(me=t),
        lambda t: setattr(t, "me", t),
        lambda t: setattr(t, "__dict__", {"me": t}),
        lambda t: vars(t).setdefault("list", [t]),
    ],
)
def test_cycles_through_the_dict_of_a_tensor(tie):
    t = gradcore.ones(3)
    t.seen = Anything()
    seen = weakref.ref(t.seen)
    tie(t)
    if seen() is None:
        return  # __dict__ was replaced
    del t
    gc.collect()
    assert seen() is None


def gone(make):
    """Whether what make() gives to `watch` is gone after it."""
    refs = []
    make(lambda t: refs.append(weakref.ref(t)))
    gc.collect()
    return [ref() is None for ref in refs]


class Triple(gradcore.autograd.Function):
    """Writes to its argument, marks it dirty and saves it."""

    @staticmethod
    def forward(ctx, part):
        ctx.mark_dirty(part.mul_(3))
        ctx.save_for_backward(part)
        return part

    @staticmethod
    def backward(ctx, g):
        (part,) = ctx.saved_tensors
        return 3 * g + 0 * part


class SinCos(gradcore.autograd.Function):
    """Saves both of its results."""

    @staticmethod
    def forward(ctx, x):
        sin, cos = x.sin(), x.cos()
        ctx.save_for_backward(sin, cos)
        return sin, cos

    @staticmethod
    def backward(ctx, g, h):
        sin, cos = ctx.saved_tensors
        return g * cos - h * sin


def bytes_after(step, rounds=3):
    """Bytes in use, more than before, after `rounds` steps."""
    step()
    gc.collect()
    before = gradcore.memory_stats()["in_use"]
    for _ in range(rounds):
        step()
    gc.collect()
    return gradcore.memory_stats()["in_use"] - before


def view_written_to(backward):
    w = gradcore.ones(10000, requires_grad=True)
    base = w * 2
    out = Triple.apply(base.narrow(0, 0, 5000))
    if backward:
        out.sum().backward()
        assert w.grad.tolist() == [6.0] * 5000 + [0.0] * 5000


def whole_written_to(backward):
    w = gradcore.ones(10000, requires_grad=True)
    out = Triple.apply(w * 2)
    if backward:
        out.sum().backward()
        assert w.grad.tolist() == [6.0] * 10000


def checkpointed(use_reentrant):
    def step(backward):
        x = gradcore.ones(10000, requires_grad=True)
        out = gradcore.utils.checkpoint.checkpoint(lambda x: sum(SinCos.apply(x)), x, use_reentrant=use_reentrant)
        if backward:
            out.sum().backward()
            assert gradcore.testing.assert_close(x.grad, x.detach().cos() - x.detach().sin()) is None

    return step


def checkpointed_view(backward):
    x = gradcore.ones(10000, requires_grad=True)
    out = gradcore.utils.checkpoint.checkpoint(lambda x: Triple.apply((x * 2)[:5000]), x, use_reentrant=False)
    if backward:
        out.sum().backward()


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "step",
    [view_written_to, whole_written_to, checkpointed(False), checkpointed(True), checkpointed_view],
    ids=["view", "whole", "checkpoint", "reentrant checkpoint", "checkpointed view"],
)
def test_functions_that_save_their_results(step, backward):
    assert bytes_after(lambda: step(backward)) == 0


def test_a_view_that_was_saved_has_its_history_in_a_second_derivative():
    class Square(gradcore.autograd.Function):
        @staticmethod
        def forward(ctx, part):
            ctx.mark_dirty(part.exp_())
            ctx.save_for_backward(part)
            return part

        @staticmethod
        def backward(ctx, g):
            (part,) = ctx.saved_tensors
            return g * part

    w = gradcore.full((4,), 0.5, dtype=gradcore.float64, requires_grad=True)
    out = Square.apply((w * 2)[:2])
    (first,) = gradcore.autograd.grad(out.sum(), w, create_graph=True)
    (second,) = gradcore.autograd.grad(first.sum(), w)
    e = gradcore.tensor(1.0, dtype=gradcore.float64).exp().item()
    assert first.tolist() == pytest.approx([2 * e, 2 * e, 0, 0]) and second.tolist() == pytest.approx(
        [4 * e, 4 * e, 0, 0]
    )


def in_a_process(program):
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, f"exit status {ran.returncode}: {ran.stderr[-3000:]}"
    return ran.stdout


def test_code_objects_are_not_kept_for_good():
    """The last thousands are, for the lines that errors name: a notebook's cell is gone when it has run."""
    code = lambda i: compile("y = x + 1", f"<cell {i}>", "exec")  # noqa: E731
    x = gradcore.ones(2, requires_grad=True)
    last = code(-1)
    seen = weakref.ref(last)
    exec(last, {"x": x})
    del last
    for i in range(6000):
        exec(code(i), {"x": x})
    gc.collect()
    assert seen() is None


def test_the_line_of_code_that_is_gone():
    scope = {"x": gradcore.ones(2, requires_grad=True)}
    exec(compile("\n\ny = x.exp()", "<cell 7>", "exec"), scope)
    scope["y"].add_(1) if not scope["y"].requires_grad else scope["y"].detach().add_(1)
    with pytest.raises(RuntimeError, match=r"<cell 7>:3"):
        scope["y"].sum().backward()


# ---- no memory

# Python 3.13 does not survive it.
FUNCTIONS_WITHOUT_MEMORY = """
    import _testcapi
    def make():
        inner = 1
        return lambda: inner
    for k in range(1, 6):
        _testcapi.set_nomemory(k, k + 1)
        try: make()
        except MemoryError: pass
        finally: _testcapi.remove_mem_hooks()
"""


def test_failing_allocations_of_python():
    """The interpreter's own allocations fail, one after the other: exceptions, and every mode as it was."""
    testcapi = pytest.importorskip("_testcapi")
    assert hasattr(testcapi, "set_nomemory")
    if subprocess.run([sys.executable, "-c", textwrap.dedent(FUNCTIONS_WITHOUT_MEMORY)]).returncode:
        pytest.skip("this Python crashes where a function object finds no memory")
    out = in_a_process("""
        import gc, sys, _testcapi, warnings, gradcore as T, numpy as np
        warnings.simplefilter("ignore")
        gc.disable()
        x = T.ones(2, 3, requires_grad=True); plain = T.ones(2, 3)
        class F(T.autograd.Function):
            @staticmethod
            def forward(x): return x * 2
            @staticmethod
            def setup_context(ctx, inputs, output): ctx.save_for_backward(output)
            @staticmethod
            def backward(ctx, g): return g * 2
            @staticmethod
            def jvp(ctx, t): return t * 2
        def modes():
            return (T.is_grad_enabled(), T.is_inference_mode_enabled(), T.is_anomaly_enabled(), T._C._in_transform(), T._C._dual_levels(),
                    T._C._is_fwd_grad_enabled(), T._C._saved_hooks_disabled(), T._C._batch_levels(x))
        def dual():
            with T.autograd.forward_ad.dual_level(): T.autograd.forward_ad.make_dual(plain, plain).exp()
        def anomaly():
            with T.autograd.detect_anomaly(): x.exp()
        def no_grad():
            with T.no_grad(), T.inference_mode(), T.enable_grad(): plain + 1
        def hooks():
            with T.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t): x.exp().sum().backward()
        def function():
            y = F.apply(x); fn = y.grad_fn; del y; fn.saved_tensors
        programs = [lambda: memoryview(plain), lambda: plain.numpy(), lambda: plain.shape, lambda: plain.tolist(), lambda: repr(plain), dual, anomaly,
            no_grad, hooks, function, lambda: T.func.grad(lambda t: t.exp().sum())(plain), lambda: T.func.jvp(T.exp, (plain,), (plain,)),
            lambda: T.func.vmap(T.exp)(plain), lambda: T.tensor([[1.0, 2.0]]), lambda: plain[0, 1:], lambda: plain.unbind(), lambda: T.max(plain, 0)]
        before, points = modes(), 0
        for program in programs:
            try: program()
            except Exception as e: raise SystemExit(repr(e))
            for k in range(1, 120):
                _testcapi.set_nomemory(k, k + 1)
                try: program(); done = True
                except MemoryError: done = False
                except BaseException as e: done = False
                finally: _testcapi.remove_mem_hooks()
                points += not done
                e = None
                if modes() != before: raise SystemExit(f"{program} left {modes()} at {k}")
        print(points)
    """)
    assert int(out) > 50


def test_shapes_have_no_holes_without_memory():
    testcapi = pytest.importorskip("_testcapi")
    assert hasattr(testcapi, "set_nomemory")
    in_a_process("""
        import _testcapi, gradcore
        t = gradcore.ones(1, 1, 1).expand(1000, 1001, 1002)
        for k in range(1, 8):
            _testcapi.set_nomemory(k, k + 1)
            try: shape = t.shape
            except MemoryError: shape = None
            finally: _testcapi.remove_mem_hooks()
            assert shape is None or tuple(shape) == (1000, 1001, 1002)
    """)


def test_constructors_that_survive_without_memory():
    """Those of pybind11 do not: where an instance finds no room in its table, the value is freed twice, or the exception
    leaves through the interpreter's own frames."""
    bindings = pathlib.Path(__file__).resolve().parents[2] / "cpp" / "bindings"
    texts = [file.read_text() for file in bindings.rglob("*.cpp")]
    assert len(texts) > 20 and not any("py::init" in re.sub(r"//.*", "", text) for text in texts)


def test_the_switch_of_overrides_is_what_it_was():
    off = gradcore._C._overrides_are_off
    with gradcore._C.DisableTorchFunctionSubclass():
        with gradcore._C.DisableTorchFunctionSubclass():
            assert off()
        assert off()
    assert not off()
    assert gradcore.Generator("cpu").initial_seed() == gradcore.Generator().initial_seed()
    with pytest.raises(RuntimeError):
        gradcore.Generator("nowhere")


def test_the_static_thread_locals_are_few():
    """A module that is loaded late gets what the loader has left, some 1,600 bytes for all modules."""
    if sys.platform != "linux":
        pytest.skip("the sections of an ELF file")
    readelf = subprocess.run(["readelf", "-lW", gradcore._C.__file__], capture_output=True, text=True)
    if readelf.returncode:
        pytest.skip("no readelf")
    (line,) = [line.split() for line in readelf.stdout.splitlines() if line.split()[:1] == ["TLS"]]
    assert int(line[5], 16) <= 400
    dynamic = subprocess.run(["readelf", "-dW", gradcore._C.__file__], capture_output=True, text=True).stdout
    assert "BIND_NOW" in dynamic
