"""Forward mode beside torch: the tangents of every op, second derivatives through them, and the rules of levels."""

import subprocess
import sys

import pytest

import support
import test_ops
from opdb import ROWS
from support import build, collected, needs_torch


def forward_ad(lib):
    __import__(f"{lib.__name__}.autograd.forward_ad")
    return lib.autograd.forward_ad


def duals_of(lib, leaves, seed):
    """Random tangents for leaves; where they are None there is none to give."""
    tangents = build(lib, test_ops.cotangents_for(leaves, seed))
    return [forward_ad(lib).make_dual(leaf, tangent) for leaf, tangent in zip(leaves, tangents)]


def with_duals(lib, sample, chosen, use, *, requires_grad=False):
    """use(args, kwargs, leaves) inside a level, the chosen arrays being duals; its tangents come out as they are."""
    with forward_ad(lib).dual_level():
        args, kwargs, leaves = test_ops.as_leaves(lib, sample, chosen)
        for leaf in leaves:
            leaf.requires_grad_(requires_grad)
        duals = dict(zip(map(id, leaves), duals_of(lib, leaves, 5)))

        def exchange(value):
            if isinstance(value, (list, tuple)):
                return type(value)(exchange(item) for item in value)
            return duals.get(id(value), value)

        return use(exchange(args), {name: exchange(value) for name, value in kwargs.items()}, leaves)


def tangents(lib, outputs):
    """With None for a tangent that is zero everywhere: the libraries differ in which of them they make."""
    found = []
    for output in support.flat_tensors(outputs):
        primal, tangent = forward_ad(lib).unpack_dual(output)
        zero = tangent is None or not bool((tangent != 0).any())
        found.append((primal, None if zero else tangent.detach()))
    return found


def defined(gradient):
    """A derivative of second order that is NaN somewhere may be told as a zero by the other library."""
    return None if gradient is None or gradient.isnan().any() else test_ops.none_for_zeros(gradient)


DIFFERENTIABLE = [row for row in ROWS if row.grad and row.kind not in ("creation", "writer")]


def samples_of(row):
    return [sample for sample in row.calls("float64") if all(array.size for array in test_ops.arrays_of(sample))]


def rows_of(condition=lambda row: True):
    chosen = [row for row in DIFFERENTIABLE if condition(row)]
    return pytest.mark.parametrize("row", chosen, ids=[row.name for row in chosen])


@needs_torch
@rows_of()
def test_tangents(row):
    def program(lib, sample, chosen):
        return with_duals(lib, sample, chosen, lambda args, kwargs, _: tangents(lib, row.form(lib)(*args, **kwargs)))

    with collected() as failures:
        for sample in samples_of(row):
            for chosen in test_ops.choices(sample):
                test_ops.compare(failures, f"{sample} duals {chosen}", row,
                                 lambda lib, s=sample, c=chosen: program(lib, s, c), **test_ops.gradient_tolerances(row))


@needs_torch
@rows_of(lambda row: row.gradgrad)
def test_forward_over_reverse(row):
    """The tangents of gradients, and the gradients of tangents."""
    def program(lib, sample, chosen):
        def use(args, kwargs, leaves):
            outputs = test_ops.recorded(row.form(lib)(*args, **kwargs))
            if not outputs or not all(output.numel() for output in outputs):
                return []
            seeds = build(lib, test_ops.cotangents_for(outputs, 7))
            carried = [t for t in (forward_ad(lib).unpack_dual(o).tangent for o in outputs) if t is not None]
            of_tangents = [None] * len(leaves)
            if carried and all(t.requires_grad for t in carried):
                of_tangents = lib.autograd.grad(carried, leaves, [lib.ones_like(t) for t in carried], retain_graph=True,
                                                allow_unused=True)
            gradients = lib.autograd.grad(outputs, leaves, seeds, allow_unused=True)
            of_gradients = [None if g is None else forward_ad(lib).unpack_dual(g).tangent for g in gradients]
            return [*map(defined, of_gradients)], [*map(defined, of_tangents)]

        return with_duals(lib, sample, chosen, use, requires_grad=True)

    with collected() as failures:
        for sample in samples_of(row):
            for chosen in test_ops.choices(sample)[:1]:
                if isinstance(support.outcome(program, support.torch, sample, chosen), support.Raised):
                    continue  # torch's own formulas write over what they saved, in norm and logsumexp
                test_ops.compare(failures, f"{sample} duals {chosen}", row,
                                 lambda lib, s=sample, c=chosen: program(lib, s, c), **test_ops.gradient_tolerances(row))


@needs_torch
@rows_of(lambda row: row.inplace_grad and row.inplace and row.kind != "view")
def test_tangents_in_place(row):
    """On a copy of a dual, and on a window of one whose base sees it."""
    name = row.attribute + "_"

    def program(lib, sample, chosen, window):
        def use(args, kwargs, _):
            target = lib.stack([args[0], args[0] * 2]) if window else args[0].clone()
            view = target[1]
            getattr(view if window else target, name)(*args[1:], **kwargs)
            return tangents(lib, [target, view])

        return with_duals(lib, sample, chosen, use)

    with collected() as failures:
        for sample in filter(test_ops.takes_tensor_first, samples_of(row)):
            if not sample.args[0].ndim:
                continue
            for chosen in test_ops.choices(sample):
                for window in (False, True):
                    test_ops.compare(failures, f"{sample} duals {chosen} window {window}", row,
                                     lambda lib, s=sample, c=chosen, w=window: program(lib, s, c, w),
                                     **test_ops.gradient_tolerances(row))


def test_level_left_open_when_the_process_ends():
    """What the level noted is not freed then: there is no interpreter any more for the hooks in it."""
    code = """
import gradcore
from gradcore.autograd import forward_ad

forward_ad.enter_dual_level()
x = forward_ad.make_dual(gradcore.ones(3, requires_grad=True), gradcore.ones(3))
for _ in range(9):
    y = x.exp()
    forward_ad.unpack_dual(y).tangent.register_hook(lambda g, held=object(): None)
    gradcore.autograd.grad(y.sum(), x)
del y
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_no_level_is_closed_that_is_not_open():
    with pytest.raises(RuntimeError, match="no forward AD level is open"):
        support.gradcore._C._exit_dual_level()
