"""Warnings that torch gives and programs look for: once for a call, at the program's line."""

import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

from support import libraries


def mask(lib):
    return lib.ones(2, dtype=lib.uint8)


def hooked(lib):
    module = lib.nn.Linear(2, 1)
    module.register_full_backward_hook(lambda *_: None)
    return module


def storage_of(lib):
    if lib.__name__ == "torch":
        lib.storage._reset_warn_typed_storage_removal()  # it warns once, and another test may have asked before
    return lib.ones(2).storage()


CALLS = {
    "a byte mask": (lambda lib: lib.ones(2)[mask(lib)], "dtype torch.uint8 is now deprecated"),
    "a byte mask in a tuple": (lambda lib: lib.ones(2, 3)[mask(lib), 0], "dtype torch.uint8 is now deprecated"),
    "a byte mask in index_put": (
        lambda lib: lib.ones(2).index_put((mask(lib),), lib.ones(2)), "dtype torch.uint8 is now deprecated"),
    "a byte mask in index_put_": (
        lambda lib: lib.ones(2).index_put_((mask(lib),), lib.ones(2)), "dtype torch.uint8 is now deprecated"),
    "integers that a float skips": (lambda lib: lib.ones(2).random_(0, 2**25), r"to - 1 is out of bounds [-(2^24), 2^24]"),
    "integers that a half skips": (
        lambda lib: lib.ones(2, dtype=lib.float16).random_(-(2**12), 0), r"from is out of bounds [-(2^11), 2^11]"),
    "a grid of one pixel": (
        lambda lib: lib.nn.functional.affine_grid(lib.ones(1, 2, 3), (1, 1, 1, 2), align_corners=True), "unit-size grids"),
    "where by bytes": (lambda lib: lib.where(mask(lib), lib.ones(2), lib.ones(2)), "uint8 condition tensor"),
    "tensor(tensor)": (lambda lib: lib.tensor(lib.ones(2)), "To copy construct from a tensor"),
    "new_tensor(tensor)": (lambda lib: lib.ones(2).new_tensor(lib.ones(2)), "To copy construct from a tensor"),
    "storage": (storage_of, "TypedStorage is deprecated"),
    ".T of three dims": (lambda lib: lib.ones(2, 3, 4).T, "dimension other than 2"),
    ".T of none": (lambda lib: lib.ones(()).T, "deprecated on 0-D tensors"),
    ".mT of none": (lambda lib: lib.ones(()).mT, "deprecated on 0-D tensors"),
    "index_put_ on repeated memory": (
        lambda lib: lib.ones(3, 1).expand(3, 4).index_put_((lib.tensor([0]),), lib.tensor(2.0)), "expanded tensors"),
    "index_fill_ on repeated memory": (
        lambda lib: lib.ones(1).expand(4).index_fill_(0, lib.tensor([1]), 2.0), "Use of index_fill_ on expanded tensors"),
    "masked_fill_ on repeated memory": (
        lambda lib: lib.ones(1).expand(4).masked_fill_(lib.arange(4) > 2, 2.0), "Use of masked_fill_ on expanded tensors"),
    "a resized out": (lambda lib: lib.add(lib.ones(3), 1, out=lib.empty(2)), "was resized"),
    "a sequence into a smaller out": (
        lambda lib: lib.arange(3, out=lib.empty(2)),
        "of shape [2] is 2 which does not match the computed number of elements 3. Note that this may occur",
    ),
    "a full backward hook without inputs": (
        lambda lib: hooked(lib)(lib.ones(1, 2)).sum().backward(), "Full backward hook is firing"),
    "std of one": (lambda lib: lib.ones(1).std(), "degrees of freedom"),
}  # fmt: skip
QUIET = {
    "a bool mask": lambda lib: lib.ones(2)[mask(lib).bool()],
    ".T of a matrix": lambda lib: lib.ones(2, 3).T,
    ".mT": lambda lib: lib.ones(2, 3, 4).mT,
    "an empty out": lambda lib: lib.add(lib.ones(3), 1, out=lib.empty(0)),
    "zeros into a larger out": lambda lib: lib.zeros(2, out=lib.empty(3)),
    "random numbers into a larger out": lambda lib: lib.randn(2, out=lib.empty(3)),
    "steps into a larger out": lambda lib: lib.linspace(0, 1, 2, out=lib.empty(3)),
    "a list of tensors": lambda lib: lib.tensor([lib.ones(())]),
    "backward of indexing": lambda lib: lib.ones(3, requires_grad=True)[lib.tensor([0, 2])].sum().backward(),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_warning(name):
    call, phrase = CALLS[name]
    for lib in libraries():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(lib)
        assert [phrase in str(w.message) for w in caught] == [True], (lib.__name__, [str(w.message) for w in caught])
        assert caught[0].category is UserWarning and caught[0].filename == __file__


@pytest.mark.parametrize("name", QUIET)
def test_no_warning(name):
    for lib in libraries():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            QUIET[name](lib)


def test_bytes_are_the_memory():
    """bytes() of a tensor with one integer is no count of zeros: __bytes__ comes before __index__."""
    import gradcore

    for t in (gradcore.tensor(5, dtype=gradcore.int32), gradcore.tensor([5]), gradcore.tensor([[5.0]]),
              gradcore.arange(6.0).reshape(2, 3).t(), gradcore.tensor(True), gradcore.zeros(0)):  # fmt: skip
        assert bytes(t) == t.numpy().tobytes() == bytes(t.detach().requires_grad_(t.is_floating_point()))


def test_float_of_what_requires_grad_warns_once():
    program = """
        import sys, warnings
        lib = __import__(sys.argv[1])
        warnings.simplefilter("always")
        x = lib.ones(1, requires_grad=True)
        with warnings.catch_warnings(record=True) as quiet:
            float(x.detach()), int(x), x.item()
            with lib.no_grad():
                float(x)
        with warnings.catch_warnings(record=True) as caught:
            "%.1f" % x, float(x)
        print([str(w.message).splitlines()[0] for w in caught], len(quiet))
    """
    for lib in libraries():
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), lib.__name__], capture_output=True, text=True
        )
        text = "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior."
        assert run.stdout.strip() == f"{[text]} 0", (lib.__name__, run.stdout, run.stderr)


def test_the_transposed_of_a_vector_warns_once():
    program = """
        import sys, warnings
        lib = __import__(sys.argv[1])
        warnings.simplefilter("always")
        with warnings.catch_warnings(record=True) as caught:
            print(lib.ones(2).T, lib.ones(2).T)
        print([str(w.message).split(" to reverse")[0] for w in caught])
    """
    shown = [
        subprocess.run([sys.executable, "-c", textwrap.dedent(program), lib.__name__], capture_output=True, text=True)
        for lib in libraries()
    ]
    for run in shown:
        assert run.stdout.splitlines()[1:] == ["['The use of `x.T` on tensors of dimension other than 2']"], run.stderr


ONCE = {
    "lib.ones(2).add_(0.5, lib.ones(2))": "This overload of add_ is deprecated",
    "lib.add(lib.ones(2), 0.5, lib.ones(2))": "This overload of add is deprecated",
    "lib.ones(2).sub(0.5, lib.ones(2))": "This overload of sub is deprecated",
    "lib.addmm(0.5, m, 2, m, m)": "This overload of addmm is deprecated",
    "lib.addmm(0.5, m, m, m)": "This overload of addmm is deprecated",
    "m.addmm_(0.5, 2, m, m)": "This overload of addmm_ is deprecated",
    "m.addr(0.5, lib.ones(2), lib.ones(2))": "This overload of addr is deprecated",
    "lib.ones(2).addcmul_(0.5, lib.ones(2), lib.ones(2))": "This overload of addcmul_ is deprecated",
    "lib.addcdiv(lib.ones(2), 0.5, lib.ones(2), lib.ones(2))": "This overload of addcdiv is deprecated",
    "lib.ones(2).sub(2, 3)": "This overload of sub is deprecated",
    "lib.ones(2).add_(2, 3)": "This overload of add_ is deprecated",
    "lib.ones(2).subtract(2, 3)": None,
    "lib.rsub(lib.ones(2), 2, 3)": None,
    "lib.zeros(3).scatter(0, lib.tensor([1]), lib.ones(1), reduce='add')": "The reduce argument of torch.scatter with",
    "lib.zeros(3).scatter_(0, lib.tensor([1]), lib.ones(1), reduce='multiply')": "The reduce argument of torch.scatter",
    "lib.zeros(3).scatter(0, lib.tensor([1]), 2.0, reduce='add')": None,
    "lib.zeros(3).index_reduce(0, lib.tensor([1]), lib.ones(1), 'prod')": "index_reduce() is in beta",
    "lib.zeros(3).index_reduce_(0, lib.tensor([1]), lib.ones(1), 'mean')": "index_reduce() is in beta",
    "lib.segment_reduce(lib.ones(3), 'max', lengths=lib.tensor([3]))": None,
    "lib.searchsorted(lib.arange(4.0)[::2], lib.ones(1))": "torch.searchsorted(): boundary tensor is non-contiguous",
    "lib.searchsorted(lib.arange(4.0), m.t()[:, :1].expand(2, 2))": "torch.searchsorted(): input value tensor is non-",
    "lib.bucketize(lib.ones(1), lib.arange(4.0)[::2])": "torch.searchsorted(): boundary tensor is non-contiguous",
    "lib.searchsorted(lib.arange(4.0), lib.ones(1))": None,
    "lib.where(lib.ones(2, dtype=lib.uint8), 1, 2)": "where received a uint8 condition tensor",
}


def test_warnings_that_come_once():
    """Each line in a process of its own would take long: all of them in one, which forks for each."""
    program = """
        import os, sys, warnings
        lib = __import__(sys.argv[1])
        for line in LINES:
            sys.stdout.flush()
            if os.fork():
                os.wait()
                continue
            m = lib.ones(2, 2)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(2):
                    eval(line)
            print([str(w.message).splitlines()[0] for w in caught], flush=True)
            os._exit(0)
    """
    lines = list(ONCE)
    for lib in libraries():
        source = f"LINES = {lines!r}\n" + textwrap.dedent(program)
        run = subprocess.run([sys.executable, "-c", source, lib.__name__], capture_output=True, text=True)
        shown = [eval(text) for text in run.stdout.splitlines()]
        assert len(shown) == len(lines), run.stderr
        for line, phrase, texts in zip(lines, ONCE.values(), shown):
            assert len(texts) == (phrase is not None), (lib.__name__, line, texts)
            assert not texts or phrase in texts[0], (lib.__name__, line, texts)


def test_a_list_of_arrays():
    """It is said once in a process, if the program does not ask for all warnings."""
    for lib in libraries():
        lib.set_warn_always(True)
        try:
            for call in (lib.tensor, lib.as_tensor):
                with pytest.warns(UserWarning, match="from a list of numpy.ndarrays is extremely slow"):
                    call([np.ones(2), np.zeros(2)])
        finally:
            lib.set_warn_always(False)
