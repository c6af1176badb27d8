"""Whatever Python code runs in the middle of an op may give any operand other data: nothing may crash.

For every row of opdb each moment is found at which Python can run, and at each of them every operand is swapped in turn. What
comes out is not looked at: an exception or a result, never memory that is not there. (Run under the address sanitizer
it says so; see CONTRIBUTING.) A row that has no such moment is skipped and says so: `pytest -rs` lists them.
"""

import itertools
import traceback

import numpy as np
import pytest

import support
from opdb import ROWS
from support import gradcore


class Moments:
    """Counts the moments of a program; at one of them it acts."""

    def __init__(self, at=-1, action=None):
        self.at, self.action, self.count = at, action, 0

    def tick(self):
        self.count += 1
        if self.count - 1 == self.at:
            self.action()


class Index:
    def __init__(self, value, moments):
        self.value, self.moments = value, moments

    def __index__(self):
        self.moments.tick()
        return self.value


class Float:
    def __init__(self, value, moments):
        self.value, self.moments = value, moments

    def __float__(self):
        self.moments.tick()
        return self.value


# ---- kinds of moments: contexts


class Kind:
    def __init__(self, moments):
        self.moments = moments

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def number(self, value):
        """What the op is given in a number's place."""
        return value

    def recorded(self, output):
        """Is told of each output that has a history."""


class SavedTensorHooks(Kind):
    def __enter__(self):
        def hook(tensor):
            self.moments.tick()
            return tensor

        self.hooks = gradcore.autograd.graph.saved_tensors_hooks(hook, hook)
        self.hooks.__enter__()
        return self

    def __exit__(self, *exception):
        self.hooks.__exit__(*exception)


class HooksOnTheLast(Kind):
    """Of what a node saved: the others are unpacked before it, without hooks."""

    def recorded(self, output):
        def unpack(tensor):
            self.moments.tick()
            return tensor

        names = [name for name in dir(output.grad_fn) if name.startswith("_raw_saved_")]
        saved = getattr(output.grad_fn, names[-1]) if names else ()
        for one in saved if isinstance(saved, tuple) else (saved,):
            one.register_hooks(lambda tensor: tensor, unpack)


class NumbersWithMethods(Kind):
    def number(self, value):
        if type(value) is int:
            return Index(value, self.moments)
        return Float(value, self.moments) if type(value) is float else value


class AnomalyMode(Kind):
    """It asks the traceback module where a node is made."""

    def __enter__(self):
        def format_stack():
            self.moments.tick()
            return []

        self.before, traceback.format_stack = traceback.format_stack, format_stack
        self.mode = gradcore.autograd.set_detect_anomaly(True, check_nan=False)
        return self

    def __exit__(self, *exception):
        traceback.format_stack = self.before
        with self.mode:
            pass


KINDS = (SavedTensorHooks, HooksOnTheLast, NumbersWithMethods, AnomalyMode)

# ---- programs: a call of a row, forward and twice backward


class Program:
    """A call of a row's sample, on tensors that are no leaves so that it may write to them."""

    def __init__(self, form, sample):
        self.form, self.sample = form, sample

    def run(self, kind, moments, swap=None):
        """`swap`: which operand is given which data."""
        operands, leaves = [], []

        def built(value):
            """The value with its arrays as tensors."""
            if isinstance(value, (list, tuple)):
                return type(value)(map(built, value))
            if not isinstance(value, np.ndarray):
                return support.build(gradcore, value)
            tensor = gradcore.from_numpy(value.copy())
            if support.is_float(value):
                leaves.append(tensor.requires_grad_())
                tensor = tensor.clone()
            operands.append(tensor)
            return tensor

        def act():
            which, data = swap
            if which < len(operands):
                operands[which].data = data.clone()
            gradcore.release_unused_memory()

        moments.action = act
        args, kwargs = built(self.sample.args), {name: built(value) for name, value in self.sample.kwargs.items()}
        with kind(moments) as middle:
            args = [converted(arg, middle.number) for arg in args]
            kwargs = {name: converted(value, middle.number) for name, value in kwargs.items()}
            outputs = [t for t in support.flat_tensors(self.form(*args, **kwargs)) if t.requires_grad]
            for output in outputs[:1]:
                middle.recorded(output)
            if outputs and leaves:
                seeds = [gradcore.ones_like(t) for t in outputs]
                first = gradcore.autograd.grad(outputs, leaves, seeds, create_graph=True, allow_unused=True)
                second = [g.sum() for g in first if g is not None and g.requires_grad]
                if second:
                    gradcore.autograd.grad(second, leaves, allow_unused=True)
        return len(operands)


def converted(value, convert):
    if type(value) in (list, tuple):
        return type(value)(converted(item, convert) for item in value)
    return convert(value)


def programs(row):
    names = [row.attribute] + ([row.attribute + "_"] if row.inplace else [])
    for sample in row.calls("float64"):
        for name in names:
            owner = row.home(gradcore) if row.function and not name.endswith("_") else gradcore.Tensor
            yield Program(getattr(owner, name), sample)


REPLACEMENTS = (
    gradcore.zeros(0),
    gradcore.zeros(1),
    gradcore.zeros(2, 300),
    gradcore.full((40, 1), 7, dtype=gradcore.int64),
)


def quietly(program, *args):
    """The number of operands, or 0 where the program raises. An error that Python itself finds wrong is none."""
    try:
        return program.run(*args)
    except SystemError:
        raise
    except Exception:
        return 0


def moments_of(program, kind):
    moments = Moments()
    return quietly(program, kind, moments), moments.count


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_operand_is_swapped_at_every_moment(row):
    found = 0
    for program, kind in itertools.product(programs(row), KINDS):
        operands, count = moments_of(program, kind)
        found += count
        for at, which, data in itertools.product(range(count), range(operands), REPLACEMENTS):
            quietly(program, kind, Moments(at), (which, data))
    if not found:
        pytest.skip(f"{row.name}: no Python code runs in the middle of it")
