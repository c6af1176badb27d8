"""vmap of ops whose course depends on elements: torch runs them sample by sample and says so, or refuses."""

import warnings

import pytest

from support import both

DROP = "performance drop"
X = "lib.tensor([[1.0, 2.0, 4.0], [3.0, 9.0, 5.0]])"
N = "lib.tensor([[1, 2, 0], [2, 0, 2]])"
MASKS = "lib.tensor([[True, False, True], [True, True, True]])"
LENGTHS = "lib.tensor([[1, 2], [2, 1]])"
BY_SAMPLE = {
    "histc": f"vmap(lambda t: lib.histc(t, 4))({X})",
    "histc of a range": f"vmap(lambda t: lib.histc(t, 3, 0, 8), 1)({X})",
    "nested histc": f"vmap(vmap(lambda t: lib.histc(t, 2)))({X}.view(1, 2, 3))",
    "bincount": f"vmap(lambda t: lib.bincount(t))({N})",
    "bincount of weights": f"vmap(lambda t: lib.bincount(lib.tensor([0, 1, 1]), t))({X})",
    "bincount of both": f"vmap(lambda t, w: lib.bincount(t, w, minlength=5))({N}, {X})",
    "argwhere": f"vmap(lambda t: lib.argwhere(t))({N})",
    "nonzero_static": f"vmap(lambda t: lib.nonzero_static(t, size=3))({N})",
    "segment_reduce": f"vmap(lambda t: lib.segment_reduce(t, 'sum', lengths=lib.tensor([1, 2])))({X})",
    "segment_reduce of offsets": f"vmap(lambda t: lib.segment_reduce(t, 'max', offsets=lib.tensor([0, 1, 3])))({X})",
    "segment_reduce by lengths": f"vmap(lambda n: lib.segment_reduce(lib.arange(3.0), 'prod', lengths=n))({LENGTHS})",
    "segment_reduce by both": f"vmap(lambda t, n: lib.segment_reduce(t, 'mean', lengths=n))({X}, {LENGTHS})",
}
WHOLE = {
    "masks": f"vmap(lambda t, m: t.masked_scatter(m, lib.arange(4.0)))({X}, {MASKS})",
    "masks alone": f"vmap(lambda m: lib.zeros(3).masked_scatter(m, lib.arange(4.0)))({MASKS})",
    "masks and sources": f"vmap(lambda m, s: lib.zeros(3).masked_scatter(m, s))({MASKS}, {X})",
    "in place": f"vmap(lambda t, m: t.masked_scatter_(m, lib.arange(4.0)))({X}, {MASKS})",
    "masks of nothing": f"vmap(lambda m: lib.zeros(3).masked_scatter(m, lib.zeros(0)))(~{MASKS} & {MASKS})",
    "a mask that broadcasts": f"vmap(lambda m: lib.zeros(2, 3).masked_scatter(m, lib.arange(6.0)))({MASKS})",
    "select": f"vmap(lambda t: lib.masked_select(t, lib.tensor([True, False, True])))({X})",
    "select along the other dim": f"vmap(lambda t: lib.masked_select(t, lib.tensor([False, True])), 1)({X})",
}
REFUSED = {
    "nonzero": (f"vmap(lambda t: lib.nonzero(t))({N})", "Attempted to vmap over aten::nonzero"),
    "masked_select": (f"vmap(lambda m: lib.masked_select(lib.zeros(3), m))({MASKS})", "Attempted to vmap over `mask`"),
    "bincount": ("vmap(lambda t: lib.bincount(t))(lib.tensor([[1, 2], [0, 1]]))", "expects each tensor to be equal"),
    "argwhere": ("vmap(lambda t: lib.argwhere(t))(lib.tensor([[1, 2], [0, 1]]))", "expects each tensor to be equal"),
    "a source too short": (f"vmap(lambda m: lib.zeros(3).masked_scatter(m, lib.zeros(2)))({MASKS})", "source"),
}


def run(lib, program):
    return eval(program, {"lib": lib, "vmap": lib.func.vmap})


@pytest.mark.parametrize("name", BY_SAMPLE)
def test_sample_by_sample(name):
    def program(lib):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = run(lib, BY_SAMPLE[name])
        return found, {DROP in str(w.message) for w in caught}

    both(program)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.filterwarnings("ignore:.*performance drop")
def test_masks(name):
    """torch runs masked_scatter() sample by sample too."""
    both(lambda lib: run(lib, WHOLE[name]), strides=None)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:.*performance drop")
def test_refusals(name):
    program, phrase = REFUSED[name]
    both(lambda lib: run(lib, program), raises=phrase)


@pytest.mark.filterwarnings("ignore:.*performance drop")
@pytest.mark.parametrize("reduce", ["sum", "mean", "prod", "max"])
def test_gradients_of_segments(reduce):
    def program(lib):
        vmap, grad = lib.func.vmap, lib.func.grad

        def reduced(t, n):
            return lib.segment_reduce(t, reduce, lengths=n)

        x, lengths = eval(X, {"lib": lib}), eval(LENGTHS, {"lib": lib})
        leaf = x.clone().requires_grad_()
        (vmap(reduced)(leaf, lengths) ** 2).sum().backward()
        alike = vmap(grad(lambda t: (reduced(t, lengths[0]) ** 2).sum()))(x)
        return leaf.grad, grad(lambda t: (vmap(reduced)(t, lengths) ** 2).sum())(x), alike

    both(program, ulps=2)


@pytest.mark.filterwarnings("ignore:.*performance drop")
def test_gradients_through_masks():
    def program(lib):
        masks = eval(MASKS, {"lib": lib})
        t, source = lib.ones(2, 3, requires_grad=True), lib.arange(4.0).requires_grad_()
        out = lib.func.vmap(lambda t, m: t.masked_scatter(m, source))(t, masks)
        (out**2 * 3).sum().backward()
        picked = lib.func.grad(lambda t: lib.func.vmap(lambda r: r.masked_select(masks[0]))(t).sum())(lib.ones(2, 3))
        return t.grad, source.grad, picked

    both(program)
