"""Helpers of tests with rows: the call of a sample in a library, comparing both, and gradients of its arrays."""

import itertools

import numpy as np
import pytest

import support
from support import build, gradcore, outcome, outcome_difference, torch

from .rows import ROWS


def rows(aspect, condition=lambda row: True):
    """Parametrizes a test by the rows that have the aspect; a row's own skip is shown with its reason."""
    marked = []
    for row in filter(condition, ROWS):
        reason = row.skips.get(aspect)
        marks = [pytest.mark.skip(reason=reason)] if reason else []
        marked.append(pytest.param(row, id=row.label, marks=marks))
    return pytest.mark.parametrize("row", marked)


def compare(failures, label, row, program, **tolerances):
    """Runs program(lib) in both libraries, each from the same random seed."""
    outcomes = []
    for lib in (gradcore, torch):
        lib.manual_seed(7)
        outcomes.append(outcome(program, lib))
    if not row.values:
        forget_values(outcomes)
    failures.add(label, outcome_difference(*outcomes, **(row.tolerances() | tolerances)))


def forget_values(found):
    if isinstance(found, list):
        for item in found:
            forget_values(item)
    elif isinstance(found, support.Facts):
        found.array = np.zeros_like(found.array)


def call(row, lib, sample, layout=support.contiguous):
    args, kwargs = build(lib, sample.args, layout), build(lib, sample.kwargs, layout)
    return row.form(lib)(*args, **kwargs)


def takes_tensor_first(sample):
    return bool(sample.args) and isinstance(sample.args[0], np.ndarray)


def has_tensor(sample):
    return bool(arrays_of(sample))


def arrays_of(sample):
    """The sample's arrays in order, those in lists included."""
    found = []
    for value in (*sample.args, *sample.kwargs.values()):
        items = value if isinstance(value, (list, tuple)) else [value]
        found += [item for item in items if isinstance(item, np.ndarray)]
    return found


def cotangents_for(outputs, seed):
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, tuple(output.shape)).astype(support.dtype_name(output.dtype)) for output in outputs]


def gradient_tolerances(row):
    """The memory order of a gradient that autograd.grad returns is not compared."""
    return {"ulps": row.grad_ulps, "scale": max(1, row.scale), "strides": "any"}


def as_leaves(lib, sample, chosen, layout=support.contiguous):
    """The sample's arguments with its chosen float arrays as leaves, and those leaves."""
    leaves, count = [], itertools.count()

    def convert(value):
        if isinstance(value, (list, tuple)):
            return type(value)(convert(item) for item in value)
        built = build(lib, value, layout)
        if support.is_float(value) and next(count) in chosen:
            leaves.append(built.detach().requires_grad_())
            return leaves[-1]
        return built

    args = [convert(arg) for arg in sample.args]
    kwargs = {name: convert(value) for name, value in sample.kwargs.items()}
    return args, kwargs, leaves


def recorded(result):
    return [tensor for tensor in support.flat_tensors(result) if tensor.requires_grad]


def none_for_zeros(gradient):
    """A second gradient that vanishes everywhere may be told either way."""
    return None if gradient is None or (gradient.abs() < 1e-15).all() else gradient


def choices(sample):
    """All float arrays require grad; where there are several, also each alone."""
    count = sum(map(support.is_float, arrays_of(sample)))
    alone = [{i} for i in range(count)] if count > 1 else []
    return [set(range(count)), *alone] if count else []
