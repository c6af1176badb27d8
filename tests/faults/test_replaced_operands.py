"""Whatever an op is given, an exception or a result comes of it, never memory that is not there.

For every row of opdb each operand in turn is another tensor than the sample has: of other sizes or fewer dims, of another dtype,
with other elements. Each whole number is one at the ends of the range. What comes out is not looked at. (Dims
that are not there raise in C++, some in developer builds alone; the sanitizers say the rest.)
"""

import warnings

import numpy as np
import pytest
from test_replaced_saved_tensors import REPLACED
from test_swapped_operands import programs

import support
from opdb import ROWS
from support import gradcore

NUMBERS = (0, -1, 7, -7, 2**62, -(2**62), 2**63 - 1, -(2**63), 2**63)


class Replacing:
    """Builds a sample's values; the one at `at` is replaced, of tensors or of numbers."""

    def __init__(self, at=-1, replacement=None, of_numbers=False):
        self.at, self.replacement, self.of_numbers = at, replacement, of_numbers
        self.count = 0
        self.leaves = []

    def turn(self):
        self.count += 1
        return self.count - 1 == self.at

    def tensor(self, array):
        made = gradcore.from_numpy(array.copy())
        if not self.of_numbers and self.turn():
            made = self.replacement(made)
        if made.dtype.is_floating_point:
            self.leaves.append(made.requires_grad_())
            return made.clone()
        return made

    def value(self, given):
        if isinstance(given, np.ndarray):
            return self.tensor(given)
        if isinstance(given, (list, tuple)):
            return type(given)(map(self.value, given))
        if self.of_numbers and type(given) is int and self.turn():
            return self.replacement
        return support.build(gradcore, given)


def run(program, values):
    """The op and its gradients."""
    args = [values.value(arg) for arg in program.sample.args]
    kwargs = {name: values.value(value) for name, value in program.sample.kwargs.items()}
    try:
        outputs = [t for t in support.flat_tensors(program.form(*args, **kwargs)) if t.requires_grad]
        if outputs and values.leaves:
            seeds = [gradcore.ones_like(t) for t in outputs]
            gradcore.autograd.grad(outputs, values.leaves, seeds, allow_unused=True)
    except SystemError:  # what Python itself finds wrong
        raise
    except Exception:  # noqa: BLE001  any other is an answer
        pass
    return values.count


def counts_terms(row):
    """Whether a number says how many steps a sum takes: it ends, but not in our time."""
    return "polynomial" in row.name or row.name == "mvlgamma"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_operand_is_another(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for program in programs(row):
            for at in range(run(program, Replacing())):
                for name, replacement in REPLACED.items():
                    if name != "large elements" or not counts_terms(row):
                        run(program, Replacing(at, replacement))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_number_is_another(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for program in programs(row):
            for at in range(run(program, Replacing(of_numbers=True))):
                for number in NUMBERS[: 4 if counts_terms(row) else None]:
                    run(program, Replacing(at, number, of_numbers=True))
