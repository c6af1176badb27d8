"""Padding with what a tensor has: copies, beside NumPy's."""

import numpy as np
import pytest

import gradcore

F = gradcore.nn.functional

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
SHAPES = [
    ((2, 3, 5), 1),
    ((2, 3, 40), 1),
    ((2, 3, 4, 5), 2),
    ((1, 2, 20, 30), 2),
    ((2, 1, 3, 4, 5), 3),
    ((1, 3, 4, 3, 33), 3),
]


def padded(x, before, after, mode):
    """The last dims of x padded, the negative numbers cut first."""
    dims = len(before)
    cut = [slice(None)] * (x.ndim - dims)
    cut += [slice(max(0, -b), n - max(0, -a)) for b, a, n in zip(before, after, x.shape[-dims:])]
    widths = [(0, 0)] * (x.ndim - dims) + [(max(0, b), max(0, a)) for b, a in zip(before, after)]
    return np.pad(x[tuple(cut)], widths, mode=MODES[mode])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_beside_numpy(mode, dtype):
    for shape, dims in SHAPES:
        x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
        for before, after in (((1, 2, 1), (2, 0, 1)), ((0, 1, 2), (0, 2, 2)), ((2, 2, 2), (2, 2, 2))):
            before, after = before[-dims:], after[-dims:]
            pad = [n for pair in zip(before[::-1], after[::-1]) for n in pair]
            right = padded(x, before, after, mode)
            plain = gradcore.tensor(x)
            layouts = [plain, plain.mT.contiguous().mT]
            if dims == 2:
                layouts.append(plain.to(memory_format=gradcore.channels_last))
            for t in layouts:
                assert np.array_equal(F.pad(t, pad, mode=mode).numpy(), right), (shape, pad)


@pytest.mark.parametrize("mode", ["replicate", "circular"])
def test_negative_numbers_cut(mode):
    x = np.arange(60.0, dtype="float32").reshape(1, 2, 30)
    for before, after in ((-3, 4), (5, -2), (-1, -1)):
        found = F.pad(gradcore.tensor(x), [before, after], mode=mode)
        assert np.array_equal(found.numpy(), padded(x, [before], [after], mode)), (before, after)
