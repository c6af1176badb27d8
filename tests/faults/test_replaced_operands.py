"""Whatever an op is given, an exception or a result comes of it, never memory that is not there.

For every row of opdb each operand in turn is another tensor than the sample has: of other sizes or fewer dims, of another dtype,
with other elements. Each whole number is one at the ends of the range. What comes out is not looked at. (Dims
that are not there raise in C++, some in developer builds alone; the sanitizers say the rest.)
"""

import warnings

import pytest
from row_programs import Operands, Turn, calls, converted, recorded_outputs
from test_replaced_saved_tensors import REPLACED

from opdb import ROWS

NUMBERS = (0, -1, 7, -7, 2**62, -(2**62), 2**63 - 1, -(2**63), 2**63)


def run(call, tensors=None, numbers=None):
    """The op and its gradients. `tensors`, `numbers`: Turns, which see all of them."""
    form, sample = call
    operands = Operands(sample, tensors or (lambda tensor: tensor))

    def number(value):
        return numbers(value) if numbers and type(value) is int else value

    args = [converted(arg, number) for arg in operands.args]
    kwargs = {name: converted(value, number) for name, value in operands.kwargs.items()}
    try:
        operands.gradients(recorded_outputs(form(*args, **kwargs)), twice=False)
    except SystemError:  # what Python itself finds wrong
        raise
    except Exception:  # noqa: BLE001  any other is an answer
        pass


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_operand_is_another(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in calls(row):
            run(call, tensors=(all_of_them := Turn()))
            for at in range(all_of_them.count):
                for replacement in REPLACED.values():
                    run(call, tensors=Turn(at, replacement))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_number_is_another(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in calls(row):
            run(call, numbers=(all_of_them := Turn()))
            for at in range(all_of_them.count):
                for number in NUMBERS:
                    run(call, numbers=Turn(at, lambda _, number=number: number))
