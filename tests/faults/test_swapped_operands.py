"""Whatever Python code runs in the middle of an op may give any operand other data: nothing may crash.

For every row of opdb each moment is found at which Python can run, and at each of them every operand is swapped in turn. What
comes out is not looked at: an exception or a result, never memory that is not there. (Run under the address sanitizer
it says so; see CONTRIBUTING.) A row that has no such moment is skipped and says so: `pytest -rs` lists them.
"""

import itertools
import traceback

import pytest
from row_programs import Operands, calls, converted, recorded_outputs

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
        operands = Operands(self.sample)

        def act():
            which, data = swap
            if which < len(operands.tensors):
                operands.tensors[which].data = data.clone()
            gradcore.release_unused_memory()

        moments.action = act
        with kind(moments) as middle:
            args = [converted(arg, middle.number) for arg in operands.args]
            kwargs = {name: converted(value, middle.number) for name, value in operands.kwargs.items()}
            outputs = recorded_outputs(self.form(*args, **kwargs))
            for output in outputs[:1]:
                middle.recorded(output)
            operands.gradients(outputs)
        return len(operands.tensors)


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
    for call, kind in itertools.product(calls(row), KINDS):
        program = Program(*call)
        operands, count = moments_of(program, kind)
        found += count
        for at, which, data in itertools.product(range(count), range(operands), REPLACEMENTS):
            quietly(program, kind, Moments(at), (which, data))
    if not found:
        pytest.skip(f"{row.name}: no Python code runs in the middle of it")
