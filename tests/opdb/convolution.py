"""Convolutions."""

import itertools

import numpy as np

from support import FLOATS

from .rows import S, row


def wide(value, dims):
    return tuple(value) * (dims if len(value) == 1 else 1) if isinstance(value, (list, tuple)) else (value,) * dims


def summed(x, w, stride, padding, dilation, groups, reverse=None):
    """The sum over windows, as loops over taps: of x, or scattered from it into an array of the shape `reverse`."""
    kernel = w.shape[2:]
    places = x.shape[2:]
    if reverse is None:
        spread = [(0, 0), (0, 0)] + [(p, p + d * k + s) for p, d, k, s in zip(padding, dilation, kernel, stride)]
        padded = np.pad(x, spread)
        sizes = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in zip(places, padding, dilation, kernel, stride)
        ]
        found = np.zeros((x.shape[0], w.shape[0], *sizes))
    else:
        sizes = places
        room = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(places, stride, dilation, kernel)]
        room = [max(n, m + 2 * p) for n, m, p in zip(room, reverse[2:], padding)]
        found = np.zeros((*reverse[:2], *room))
    per_in, per_out = x.shape[1] // groups, found.shape[1] // groups
    for g in range(groups):
        ins, outs = slice(g * per_in, (g + 1) * per_in), slice(g * per_out, (g + 1) * per_out)
        for tap in itertools.product(*map(range, kernel)):
            window = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, sizes, stride))
            if reverse is None:
                taken = w[(outs, slice(None), *tap)]
                found[:, outs] += np.einsum("nc...,oc->no...", padded[(slice(None), ins, *window)], taken)
            else:
                taken = w[(ins, slice(None), *tap)]
                found[(slice(None), outs, *window)] += np.einsum("nc...,co->no...", x[:, ins], taken)
    if reverse is not None:
        found = found[(..., *(slice(p, p + n) for p, n in zip(padding, reverse[2:])))]
    return found


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    dims = w.ndim - 2
    if x.ndim == dims + 1:
        return conv(x[None], w, b, stride, padding, dilation, groups)[0]
    stride, dilation = wide(stride, dims), wide(dilation, dims)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, w.shape[2:])]
        x = np.pad(x, [(0, 0), (0, 0)] + [(0, t % 2) for t in totals])
        padding = [t // 2 for t in totals]
    padding = wide(0 if padding == "valid" else padding, dims)
    found = summed(x, w, stride, padding, dilation, groups)
    return found if b is None else found + b.reshape(-1, *[1] * dims)


def conv_transpose(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    dims = w.ndim - 2
    if x.ndim == dims + 1:
        return conv_transpose(x[None], w, b, stride, padding, output_padding, groups, dilation)[0]
    stride, padding, more, dilation = (wide(value, dims) for value in (stride, padding, output_padding, dilation))
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + m + 1
        for n, s, p, d, k, m in zip(x.shape[2:], stride, padding, dilation, w.shape[2:], more)
    ]
    found = summed(x, w, stride, padding, dilation, groups, (x.shape[0], w.shape[1] * groups, *sizes))
    return found if b is None else found + b.reshape(-1, *[1] * dims)


def convolution(x, w, b, stride, padding, dilation, transposed, output_padding, groups):
    if transposed:
        return conv_transpose(x, w, b, stride, padding, output_padding, groups, dilation)
    return conv(x, w, b, stride, padding, dilation, groups)


ONE_END = "torch pads what 'same' adds at one end alone in an op of its own"
COMMON = {"method": False, "dtypes": FLOATS, "ulps": 64, "scale": 30.0}

row(
    "conv1d",
    lambda d: [
        S(d(2, 3, 9), d(4, 3, 3), d(4)),
        S(d(2, 3, 9), d(4, 3, 2)),
        S(d(3, 9), d(4, 3, 3), d(4), 2, 1),
        S(d(2, 4, 40), d(6, 2, 3), d(6), stride=[3], padding=[2], dilation=[2], groups=2),
        S(d(1, 2, 7), d(2, 1, 4), d(2), 1, "same", 3, 2),
        S(d(1, 2, 7), d(2, 2, 3), d(2), padding="valid"),
        S(d(0, 2, 7), d(2, 2, 3), d(2)),
    ],
    numpy=conv,
    other_graphs={"conv1d(float64[1, 2, 7], float64[2, 1, 4]": ONE_END},
    large_call=lambda d: S(d(8, 40, 300), d(50, 40, 5), d(50), 1, 2),
    **COMMON,
)
row(
    "conv2d",
    lambda d: [
        S(d(2, 3, 5, 6), d(4, 3, 3, 3), d(4)),
        S(d(2, 3, 5, 6), d(4, 3, 3, 3), None, 1, 1),
        S(d(3, 5, 6), d(4, 3, 3, 2), d(4), (2, 1), (1, 0)),
        S(d(2, 4, 7, 8), d(6, 2, 3, 2), d(6), stride=2, padding=(2, 1), dilation=(1, 2), groups=2),
        S(d(2, 4, 6, 5), d(8, 1, 3, 3), d(8), padding=1, groups=4),
        S(d(2, 3, 4, 4), d(5, 3, 1, 1), d(5)),
        S(d(2, 3, 5, 5), d(5, 3, 1, 1), stride=2),
        S(d(1, 1, 8, 20), d(3, 1, 5, 7), d(3), padding=(2, 3)),
        S(d(2, 2, 5, 4), d(3, 2, 2, 3), d(3), padding="same"),
        S(d(2, 2, 5, 4), d(3, 2, 2, 3), d(3), 2, padding="valid"),
        S(d(1, 2, 4, 4), d(2, 2, 3, 3), padding=4),
        S(d(0, 2, 4, 4), d(2, 2, 3, 3), d(2)),
    ],
    numpy=conv,
    other_graphs={
        "conv2d(float64[2, 2, 5, 4], float64[3, 2, 2, 3], float64[3], padding": ONE_END,
        "conv2d(float64[2, 2, 5, 4], float64[3, 2, 2, 3], float64[3], 2": "torch shows one number for 'valid'",
    },
    large_call=lambda d: S(d(4, 20, 30, 33), d(30, 20, 3, 3), d(30), 1, 1),
    **COMMON,
)
row(
    "conv2d.winograd",
    lambda d: [S(d(1, 16, 6, 9), d(16, 16, 3, 3), d(16), padding=1)],
    numpy=conv,
    large_call=lambda d: S(d(3, 40, 29, 31), d(36, 40, 3, 3), d(36), 1, 1),
    skips={"numeric": "thousands of numbers", "gradgrad": "thousands of numbers"},
    **COMMON,
)
row(
    "conv3d",
    lambda d: [
        S(d(2, 2, 3, 4, 5), d(3, 2, 2, 3, 3), d(3)),
        S(d(2, 4, 5, 3), d(2, 2, 2, 2, 2), d(2), 2, 1),
        S(d(1, 4, 5, 4, 6), d(4, 2, 2, 3, 1), None, (2, 1, 3), (1, 2, 0), (3, 1, 1), 2),
        S(d(1, 2, 3, 3, 4), d(2, 1, 2, 3, 1), d(2), padding="same", groups=2),
        S(d(0, 2, 3, 3, 4), d(2, 2, 1, 1, 1), d(2)),
    ],
    numpy=conv,
    other_graphs={"conv3d(float64[1, 2, 3, 3, 4], float64[2, 1, 2, 3, 1]": ONE_END},
    **COMMON,
)
row(
    "conv_transpose1d",
    lambda d: [
        S(d(2, 3, 5), d(3, 4, 3), d(4)),
        S(d(3, 5), d(3, 4, 2), None, 2, 1, 1),
        S(d(2, 4, 5), d(4, 3, 3), d(6), stride=3, padding=2, output_padding=1, groups=2, dilation=2),
        S(d(2, 4, 5), d(4, 3, 3), stride=1, output_padding=2, dilation=3),
        S(d(0, 3, 5), d(3, 4, 3), d(4)),
    ],
    numpy=conv_transpose,
    **COMMON,
)
row(
    "conv_transpose2d",
    lambda d: [
        S(d(2, 3, 4, 5), d(3, 4, 3, 3), d(4)),
        S(d(3, 4, 5), d(3, 4, 2, 3), d(4), (2, 1), (1, 0), (1, 0)),
        S(d(2, 4, 3, 4), d(4, 3, 3, 2), d(6), stride=(2, 3), padding=1, output_padding=1, groups=2, dilation=(2, 1)),
        S(d(2, 4, 3, 4), d(4, 1, 3, 3), stride=2, groups=4),
        S(d(1, 2, 3, 3), d(2, 2, 1, 1), stride=3),
        S(d(0, 3, 4, 5), d(3, 4, 3, 3), d(4)),
    ],
    numpy=conv_transpose,
    large_call=lambda d: S(d(4, 20, 20, 23), d(20, 30, 3, 3), d(30), 2, 1),
    **COMMON,
)
row(
    "conv_transpose3d",
    lambda d: [
        S(d(1, 2, 3, 2, 3), d(2, 3, 2, 3, 2), d(3)),
        S(d(2, 2, 2, 3), d(2, 1, 2, 2, 3), d(2), (1, 2, 2), (0, 1, 1), (0, 0, 1), 2, (1, 2, 1)),
    ],
    numpy=conv_transpose,
    **COMMON,
)
row(
    "convolution",
    lambda d: [
        S(d(2, 3, 5, 6), d(4, 3, 3, 3), d(4), [1, 1], [1, 1], [1, 1], False, [0, 0], 1),
        S(d(2, 4, 5), d(4, 2, 3), None, [2], [1], [1], True, [1], 2),
    ],
    numpy=convolution,
    **COMMON,
)
