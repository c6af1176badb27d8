"""Ops that stand in nn.functional."""

import math

import numpy as np

from support import ALL_DTYPES, FLOATS

from .rows import S, row


def nn_row(name, samples, **settings):
    row(name, samples, **({"module": "nn.functional", "method": False} | settings))


nn_row(
    "linear",
    lambda d: [
        S(d(2, 3), d(4, 3), d(4)),
        S(d(2, 3), d(4, 3)),
        S(d(3), d(4, 3), d(4)),
        S(d(3), d(3)),
        S(d(2, 5, 3), d(4, 3), d(4)),
        S(d(2, 5, 3), d(4, 3)),
        S(d(0, 3), d(4, 3), d(4)),
        S(d(2, 0, 3), d(4, 3), d(4)),
        S(d(2, 0), d(4, 0), d(4)),
    ],
    dtypes=tuple(dtype for dtype in ALL_DTYPES if dtype != "bool"),
    ulps=4,
    scale=30.0,
    numpy=lambda x, w, b=0: x @ w.T + b,
    large_call=lambda d: S(d(200, 300), d(250, 300), d(250)),
    other_graphs="has views, and products of vectors, at other places",
)


def layer_norm(x, shape, weight=1.0, bias=0.0, eps=1e-5):
    dims = tuple(range(-len(shape), 0))
    centred = x - x.mean(dims, keepdims=True)
    return centred / np.sqrt((centred**2).mean(dims, keepdims=True) + eps) * weight + bias


nn_row(
    "layer_norm",
    lambda d: [
        S(d(4, 3), (3,), d(3), d(3)),
        S(d(4, 3), (3,), d(3)),
        S(d(4, 3), (3,)),
        S(d(2, 3, 4), (3, 4), d(3, 4), d(3, 4), 0.1),
        S(d(5), (5,), d(5), d(5)),
        S(d(3, 1), (1,), d(1), d(1)),
        S(d(0, 3), (3,), d(3), d(3)),
        S(d(70, 33), (33,), d(33), d(33)),
    ],
    dtypes=FLOATS,
    ulps=64,
    scale=8.0,
    numpy=layer_norm,
    large_call=lambda d: S(d(900, 700), (700,), d(700), d(700)),
    other_graphs="shows other fields of what it keeps",
    skips={"forward over reverse": "torch's formula leaves out a part; tests/linalg compares with differences"},
)


nn_row(  # torch's second derivatives want a weight
    "layer_norm.without_weight",
    lambda d: [S(d(4, 3), [3], bias=d(3))],
    dtypes=FLOATS,
    ulps=64,
    scale=8.0,
    gradgrad=False,
    numpy=layer_norm,
    other_graphs="shows other fields of what it keeps",
)


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if enable_gqa:
        k, v = (np.repeat(t, q.shape[-3] // t.shape[-3], -3) for t in (k, v))
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    top = np.where(np.isfinite(scores), scores, -np.inf).max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total) @ v


def attention_row(name, samples, **settings):
    nn_row(
        name,
        samples,
        dtypes=FLOATS,
        ulps=64,
        scale=8.0,
        numpy=attention,
        strides="any",
        other_graphs="is one node where torch has many, or other fields of what it keeps",
        **settings,
    )


attention_row(
    "scaled_dot_product_attention",
    lambda d: [
        S(d(3, 4), d(3, 4), d(3, 4)),
        S(d(2, 3, 4), d(2, 5, 4), d(2, 5, 3)),
        S(d(2, 4, 5), d(2, 6, 5), d(2, 6, 5), d.mask(4, 6) | (np.arange(6) == 2)),
        S(d(2, 4, 5), d(2, 6, 5), d(2, 6, 5), d(2, 1, 6)),
        S(d(2, 3, 4), d(2, 2, 4), d(2, 2, 4), is_causal=True, scale=0.3),
    ],
)
attention_row(  # torch has no second derivatives of these
    "scaled_dot_product_attention.of_heads",
    lambda d: [
        S(d(2, 3, 4, 5), d(2, 3, 6, 5), d(2, 3, 6, 5), d.mask(4, 6) | (np.arange(6) == 2)),
        S(d(2, 3, 4, 5), d(2, 3, 6, 5), d(2, 3, 6, 5), d(2, 1, 4, 6)),
        S(d(1, 2, 70, 3), d(1, 2, 70, 3), d(1, 2, 70, 3), is_causal=True),
        S(d(1, 4, 3, 2), d(1, 2, 5, 2), d(1, 2, 5, 2), enable_gqa=True),
        S(d(2, 1, 3, 4), d(1, 3, 3, 4), d(2, 3, 3, 4)),
    ],
    gradgrad=False,
    skips={"tangents": "torch has no forward mode for them"},
    large_call=lambda d: S(d(2, 3, 300, 40), d(2, 3, 400, 40), d(2, 3, 400, 33), is_causal=True),
)


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + np.vectorize(math.erf, otypes=[x.dtype])(x / np.sqrt(2)))


nn_row(
    "gelu",
    lambda d: [S(d(3, 4)), S(d(17), approximate="tanh"), S(d()), S(d(0, 3)), S(d(2, 3, 4), approximate="tanh")],
    kind="unary",
    dtypes=FLOATS,
    ulps=16,
    scale=1.0,
    numpy=gelu,
    large_call=lambda d: S(d(600, 700)),
    avoid=(np.inf, 3e38),  # torch gives NaN and infinity; the function is x itself there
    other_graphs="shows other fields of what it keeps",
)


def bags(d):
    table, rows, flat = d(5, 3), np.array([[0, 4, 1], [1, 1, 2]]), np.array([0, 4, 1, 1, 3])
    for mode in ("sum", "mean", "max"):
        yield S(rows, table, mode=mode)
        yield S(flat, table, np.array([0, 2, 2, 4]), mode=mode)
        yield S(flat.astype(np.int32), table, np.array([0, 3, 5]), mode=mode, include_last_offset=True)
        yield S(flat, table, np.array([0, 2]), mode=mode, padding_idx=1)
        yield S(np.zeros(0, dtype=np.int64), table, np.array([0]), mode=mode)
    yield S(rows, table, mode="sum", per_sample_weights=d(2, 3))
    yield S(flat, table, np.array([0, 2]), mode="sum", per_sample_weights=d(5))
    yield S(flat, table, np.array([1, 2]), mode="sum")
    yield S(flat, table, np.array([0, 7]), mode="sum")
    yield S(np.array([[0, 5]]), table)
    yield S(flat, table)


nn_row(
    "embedding_bag",
    bags,
    dtypes=("float32", "float64"),
    ulps=8,
    scale=16.0,
    large_call=lambda d: S(np.arange(30000).reshape(300, 100) % 701, d(701, 33), mode="max"),
    other_graphs="is made of ops where a row does not count, and shows other fields of what it keeps",
    skips={
        "expanded": "equal offsets end before the indices do, which torch does not look for",
        "gradgrad": "torch has no second derivative of it",
        "tangents": "torch has no forward mode for it",
    },
)
