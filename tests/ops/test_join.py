"""cat and stack over lengths of pieces and memory layouts, which choose how bytes are copied."""

import numpy as np
import pytest

from support import both, gradcore, needs_torch

DTYPES = {
    "uint8": gradcore.uint8,
    "int16": gradcore.int16,
    "float32": gradcore.float32,
    "float64": gradcore.float64,
}
LAYOUTS = {
    "dense": lambda x: x,
    "transposed": lambda x: x.t().contiguous().t(),
    "stepped": lambda x: gradcore.stack([x, x], -1).flatten(1)[:, ::2],
    "one row": lambda x: x[:1].expand(x.shape),
}


def numbers(rows, columns, dtype, first=0):
    return gradcore.arange(first, first + rows * columns).remainder(251).to(dtype).view(rows, columns)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lengths", [(n, n) for n in (*range(1, 18), 31, 33, 64, 65, 129)] + [(1, 2, 9), (0, 3), (1,)])
def test_rows_of_short_pieces(lengths, dtype, layout):
    for rows in (1, 3, 1037):
        pieces = [
            LAYOUTS[layout](numbers(rows, n, DTYPES[dtype], first=7 * i)) if n else numbers(rows, n, DTYPES[dtype])
            for i, n in enumerate(lengths)
        ]
        expected = np.concatenate([np.array(p.tolist(), dtype=dtype).reshape(rows, -1) for p in pieces], axis=-1)
        assert np.array_equal(gradcore.cat(pieces, -1).numpy(), expected)
        if len(set(lengths)) == 1:
            expected = np.stack([np.array(p.tolist(), dtype=dtype).reshape(rows, -1) for p in pieces], axis=-1)
            assert np.array_equal(gradcore.stack(pieces, -1).numpy(), expected)


def test_short_pieces_of_several_dtypes():
    x, y = numbers(40000, 2, gradcore.float32), numbers(40000, 2, gradcore.int64, first=5)
    expected = np.concatenate([x.numpy(), y.numpy().astype(np.float32)], axis=-1)
    assert np.array_equal(gradcore.cat([x, y], -1).numpy(), expected)
    assert np.array_equal(gradcore.cat([x, gradcore.zeros(0), y.t().contiguous().t()], -1).numpy(), expected)


@needs_torch
@pytest.mark.parametrize(
    "name", ["block_diag", "broadcast_tensors", "atleast_1d", "atleast_3d", "meshgrid", "cartesian_prod"]
)
def test_of_no_tensors(name):
    phrase = "expects a non-empty TensorList" if name in ("meshgrid", "cartesian_prod") else None
    both(lambda lib: getattr(lib, name)(), raises=phrase)
