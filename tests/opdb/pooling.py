"""Pools and other resolutions, of nn.functional and of torch itself."""

import numpy as np

from support import FLOATS

from .nn import nn_row
from .rows import S, row

SPACE = {1: (7,), 2: (5, 6), 3: (4, 3, 5)}
# Elements that differ: of equal ones torch and central differences choose differently.
SETTINGS = {"dtypes": FLOATS, "ulps": 4, "scale": 4.0}
FIELDS = "shows other fields of what it keeps"
ONE_DIM = "is no pool of two dims between views"
LARGE = {1: (40, 50, 101), 2: (10, 20, 31, 33), 3: (4, 20, 9, 11, 13)}


def max_samples(n, **more):
    def samples(d):
        yield S(d(2, 3, *SPACE[n]), 2, **more)
        yield S(d(3, *SPACE[n]), 3, 2, 1, **more)
        yield S(d(2, 3, *SPACE[n]), 2, 1, 1, 2, **more)
        yield S(d(2, 3, *SPACE[n]), (2,) * n, (3,) * n, 1, ceil_mode=True, **more)
        yield S(d(2, 1, *SPACE[n]), [3], [], 0, 1, True, **more)
        yield S(d(0, 3, *SPACE[n]), 2, **more)
        yield S(d(2, 3, *SPACE[n]), 30, **more)
        yield S(d(2, 3, *SPACE[n]), 2, 0, **more)
        yield S(d(2, 3, *SPACE[n]), 2, 2, 2, **more)
        yield S(d(2, 3, *SPACE[n]), (2,) * (n + 1), **more)
        yield S(d(*SPACE[n])[0], 2, **more)
        yield S(d(2, 0, *SPACE[n]), 2, **more)
        if n == 1:  # short rows, which are taken together
            yield S(d(5, 4, 6), 2, **more)
            yield S(d(7, 3, 12), 2, 4, **more)

    return samples


def avg_samples(n):
    def samples(d):
        yield S(d(2, 3, *SPACE[n]), 2)
        yield S(d(3, *SPACE[n]), 3, 2, 1)
        yield S(d(2, 3, *SPACE[n]), 3, 2, 1, True, False)
        yield S(d(2, 3, *SPACE[n]), (2,) * n, (3,) * n, 1, ceil_mode=True)
        yield S(d(2, 1, *SPACE[n]), [3], [], 0, True)
        if n > 1:
            yield S(d(2, 3, *SPACE[n]), 2, 1, divisor_override=3)
            yield S(d(2, 3, *SPACE[n]), 2, 1, divisor_override=-2)
            yield S(d(2, 3, *SPACE[n]), 2, 1, divisor_override=0)
        else:
            yield S(d(5, 4, 6), 2)  # short rows, which are taken together
            yield S(d(7, 3, 12), 2, 4)
        yield S(d(0, 3, *SPACE[n]), 2)
        yield S(d(2, 3, *SPACE[n]), 30)
        yield S(d(2, 3, *SPACE[n]), 2, -1)
        yield S(d(2, 3, *SPACE[n]), 2, 2, -1)
        yield S(d(2, 0, *SPACE[n]), 2)

    return samples


def adaptive_samples(n, **more):
    def samples(d):
        yield S(d(2, 3, *SPACE[n]), 2, **more)
        yield S(d(3, *SPACE[n]), 1, **more)
        yield S(d(2, 3, *SPACE[n]), [3] * n, **more)
        yield S(d(2, 3, *SPACE[n]), [9] * n, **more)
        yield S(d(2, 3, *SPACE[n]), SPACE[n], **more)
        yield S(d(0, 3, *SPACE[n]), 2, **more)
        yield S(d(2, 3, *SPACE[n]), [2] * (n + 1), **more)
        if n > 1:
            yield S(d(2, 3, *SPACE[n]), [2] * (n - 1) + [None], **more)

    return samples


UNCAST = {"autocast": "torch casts the pool of three dims without indices alone"}
for n in SPACE:
    ints = () if n == 1 else ("int64", "uint8")
    large = {"large_call": lambda d, n=n: S(d(*LARGE[n]), 3, 2, 1)}
    graphs = {"other_graphs": ONE_DIM if n == 1 else FIELDS}
    graphs_of_one = {"other_graphs": ONE_DIM if n == 1 else ""}
    nn_row(f"max_pool{n}d", max_samples(n), **(SETTINGS | large | graphs | {"dtypes": (*FLOATS, *ints)}))
    nn_row(f"max_pool{n}d.indices", max_samples(n, return_indices=True), **SETTINGS, **graphs, skips=UNCAST)
    nn_row(f"max_pool{n}d_with_indices", max_samples(n), **SETTINGS, **graphs)
    nn_row(
        f"avg_pool{n}d",
        avg_samples(n),
        **(
            SETTINGS
            | large
            | graphs
            | {"aliases": ("_nn_avg_pool1d",) if n == 1 else (), "dtypes": (*FLOATS, *(ints and ["int64"]))}
        ),
    )
    nn_row(f"adaptive_avg_pool{n}d", adaptive_samples(n), **SETTINGS, **graphs_of_one)
    nn_row(f"adaptive_max_pool{n}d", adaptive_samples(n, return_indices=True), **SETTINGS, **graphs_of_one)
    nn_row(
        f"max_unpool{n}d",
        lambda d, n=n: [
            S(d(2, 3, *[2] * n), d.index(2, 3, *[2] * n, below=1) + 2**n * places(n), 2),
            S(d(3, *[2] * n), d.index(3, *[2] * n, below=1) + 2**n * places(n), 2, 2, 0, [4] * n),
            S(d(2, 3, *[2] * n), d.index(2, 3, *[2] * n, below=1) + 4**n, 2),
            S(d(2, 3, *[2] * n), d.index(2, 3, *[2] * n, below=1) - 1, 2),
            S(d(0, 3, *[2] * n), d.index(0, 3, *[2] * n, below=1), 2),
        ],
        **SETTINGS,
        **graphs_of_one,
        skips={"layouts": "torch's backward takes no other order"},
    )
    for name, more in (("adaptive_avg_pool", {}), ("adaptive_max_pool", {"return_indices": True})):
        nn_row(
            f"{name}{n}d.of_nothing",
            lambda d, n=n, more=more: [S(d(2, 3, *SPACE[n]), 0, **more), S(d(2, 3, *SPACE[n]), [0, 2, 2][:n], **more)],
            **SETTINGS,
            **graphs_of_one,
            skips=dict.fromkeys(("grad", "gradgrad", "layouts"), "torch's backward refuses what its forward gave"),
        )
    row(f"max_pool{n}d", max_samples(n), method=False, **SETTINGS, **graphs)


def places(n):
    import numpy as np

    return np.arange(2**n).reshape([2] * n)


row("max_pool1d_with_indices", max_samples(1), method=False, other_graphs=ONE_DIM, **SETTINGS)
row("avg_pool1d", avg_samples(1), method=False, other_graphs=ONE_DIM, **SETTINGS)
row("adaptive_avg_pool1d", adaptive_samples(1), method=False, other_graphs=ONE_DIM, **SETTINGS)
row("adaptive_max_pool1d", adaptive_samples(1), method=False, other_graphs=ONE_DIM, **SETTINGS)


def resized(d):
    for mode in ("nearest", "nearest-exact", "area", "linear"):
        yield S(d(2, 3, 5), 8, mode=mode)
        yield S(d(2, 3, 5), 3, mode=mode)
        yield S(d(2, 3, 5), scale_factor=1.7, mode=mode)
    for mode in ("nearest", "nearest-exact", "area", "bilinear", "bicubic"):
        yield S(d(2, 3, 5, 4), (7, 9), mode=mode)
        yield S(d(2, 3, 5, 4), (2, 3), mode=mode)
        yield S(d(2, 3, 5, 4), scale_factor=2, mode=mode)
        yield S(d(2, 3, 5, 4), scale_factor=(0.6, 1.9), mode=mode)
        yield S(d(2, 3, 5, 4), scale_factor=(0.6, 1.9), mode=mode, recompute_scale_factor=True)
        yield S(d(2, 3, 5, 4), (5, 4), mode=mode)
    for mode in ("bilinear", "bicubic"):
        yield S(d(2, 3, 5, 4), (7, 9), mode=mode, align_corners=True)
        yield S(d(2, 3, 5, 4), (1, 1), mode=mode, align_corners=True)
        yield S(d(2, 3, 9, 8), (4, 3), mode=mode, antialias=True)
        yield S(d(2, 3, 9, 8), (11, 3), mode=mode, antialias=True)
    yield S(d(2, 3, 9, 8), (4, 11), mode="lanczos", antialias=True)
    yield S(d(2, 3, 5, 4), scale_factor=(0.6, 1.9), mode="lanczos", antialias=True)
    for mode in ("nearest", "nearest-exact", "area", "trilinear"):
        yield S(d(2, 3, 3, 4, 2), (4, 2, 5), mode=mode)
        yield S(d(2, 3, 3, 4, 2), scale_factor=2, mode=mode)
    yield S(d(2, 3, 3, 4, 2), (4, 2, 5), mode="trilinear", align_corners=True)
    yield S(d(0, 3, 5, 4), (7, 9), mode="bilinear")
    yield S(d(2, 3, 5, 4), (0, 9), mode="bilinear")


nn_row(
    "interpolate",
    resized,
    aliases=("_nn_upsample",),
    other_graphs=FIELDS,
    dtypes=FLOATS,
    ulps=64,
    scale=64.0,
    large_call=lambda d: S(d(2, 30, 61, 63), (97, 41), mode="bilinear"),
    skips={"halves": "torch has no antialias of them"},
)


def patches(d):
    yield S(d(2, 3, 5, 6), 2)
    yield S(d(3, 5, 6), (2, 3), 2, 1, (2, 1))
    yield S(d(2, 3, 5, 6), (3, 2), (1, 2), (2, 0), 3)
    yield S(d(0, 3, 5, 6), 2)
    yield S(d(2, 1, 1, 6), 3, 1, 4)
    yield S(d(2, 3, 0, 6), 2)
    yield S(d(5, 6), 2)
    yield S(d(2, 3, 5, 6), 7)
    yield S(d(2, 3, 5, 6), 0)
    yield S(d(2, 3, 5, 6), 2, 0)
    yield S(d(2, 3, 5, 6), 2, 1, -1)
    yield S(d(2, 3, 5, 6), 2, 1, 0, 0)
    yield S(d(2, 3, 5, 6), (2, 2, 2))


def columns(d):
    yield S(d(2, 12, 20), (5, 6), 2)
    yield S(d(18, 16), (5, 6), (2, 3), 2, 1, (1, 2))
    yield S(d(2, 12, 12), (6, 5), (3, 2), (1, 2), (2, 0), (3, 1))
    yield S(d(0, 12, 20), (5, 6), 2)
    yield S(d(2, 12, 20), (5, 6), 5)
    yield S(d(2, 12, 21), (5, 6), 2)
    yield S(d(2, 12, 20), (1, 1), 2)
    yield S(d(20), (5, 6), 2)
    yield S(d(2, 12, 20), (5, 6, 7), 2)
    yield S(d(2, 12, 20), (5, 6), -2)


nn_row(
    "unfold",
    patches,
    dtypes=(*FLOATS, "bool"),
    ulps=0,
    other_graphs=FIELDS,
    large_call=lambda d: S(d(3, 20, 40, 50), 3, 1, 1),
)
nn_row("fold", columns, dtypes=FLOATS, ulps=4, scale=8.0)


def paddings(d):
    yield S(d(3, 4), (1, 2))
    yield S(d(3, 4), (1, -2, 0, 3), value=2)
    yield S(d(3, 4), ())
    for mode in ("reflect", "replicate", "circular"):
        yield S(d(3, 4), (1, 2), mode=mode)
        yield S(d(2, 3, 4), (3, 0), mode=mode)
        yield S(d(2, 3, 4), (1, 2, 0, 1), mode=mode)
        yield S(d(2, 3, 4, 5), (1, 2, 3, 0), mode=mode)
        yield S(d(2, 3, 4, 5), (0, 0, 2, 1), mode=mode)
        yield S(d(2, 3, 4, 5), (0, 0, 0, 0), mode=mode)
        yield S(d(2, 2, 3, 4, 5), (1, 2, 2, 0, 1, 1), mode=mode)
        yield S(d(2, 3, 4), (-1, 2), mode=mode)
        yield S(d(2, 3, 4), (1, -2), mode=mode)
        yield S(d(2, 3, 4), (-1, -1), mode=mode)
        yield S(d(2, 3, 4), (5, 0), mode=mode)
        yield S(d(2, 3, 4), (-5, 0), mode=mode)
        yield S(d(2, 3, 4), (1, 1), mode=mode, value=1.0)
        yield S(d(4), (1, 1), mode=mode)
        yield S(d(3, 4), (1, 1, 1), mode=mode)
        yield S(d(3, 4), (1,) * 6, mode=mode)
    yield S(d(3, 4), (1, 1), mode="mirror")


nn_row(
    "pad",
    paddings,
    dtypes=(*FLOATS, "int64", "int32"),
    ulps=4,
    scale=8.0,
    other_graphs="shows other fields of what it keeps, and a circle is one node where torch copies its parts",
    large_call=lambda d: S(d(3, 20, 61, 63), (5, 7, 3, 2), mode="reflect"),
    strides="any",
)


def shuffled(d):
    yield S(d(2, 8, 3, 4), 2)
    yield S(d(9, 2, 1), 3)
    yield S(d(2, 1, 4, 2, 3), 2)
    yield S(d(2, 8, 3, 4), 3)
    yield S(d(2, 8, 3, 4), 0)
    yield S(d(8, 3), 2)


row("pixel_shuffle", shuffled, method=False, other_graphs="has its steps as nodes", strides="any")
row(
    "pixel_unshuffle",
    lambda d: [
        S(d(2, 2, 6, 4), 2),
        S(d(1, 3, 6), 3),
        S(d(2, 1, 1, 4, 2), 2),
        S(d(2, 2, 5, 4), 2),
        S(d(2, 2, 4, 5), 2),
        S(d(2, 2, 4, 4), -1),
        S(d(4, 4), 2),
    ],
    method=False,
    other_graphs="has its steps as nodes",
    strides="any",
)
row(
    "channel_shuffle",
    lambda d: [
        S(d(2, 6, 3), 2),
        S(d(2, 6, 3, 4), 3),
        S(d(0, 6, 2), 2),
        S(d(2, 6, 3), 4),
        S(d(2, 6, 3), 0),
        S(d(6, 3), 2),
    ],
    method=False,
    aliases=("native_channel_shuffle",),
    other_graphs="has its steps as nodes",
    strides="any",
)
nn_row(
    "one_hot",
    lambda d: [
        S(np.array([0, 2, 1])),
        S(np.array([[0, 2], [1, 1]]), 4),
        S(np.array(1), 3),
        S(np.array([0, 2]), 2),
        S(np.array([0, -1]), 2),
        S(np.array([0, 1]), 0),
        S(np.array([0, 1], dtype=np.int32), 2),
        S(np.zeros((0, 2), dtype=np.int64), 3),
        S(np.zeros((0, 2), dtype=np.int64)),
    ],
    grad=False,
    dtypes=("int64",),
    reads_values=True,
)
row(
    "cosine_similarity",
    lambda d: [
        S(d(3, 4), d(3, 4)),
        S(d(3, 4), d(3, 4), 0),
        S(d(2, 3, 4), d(3, 1), dim=-1),
        S(d(4), d(4), 0, 0.5),
        S(d(0, 4), d(0, 4)),
        S(d(3, 4), d(3, 5)),
    ],
    method=False,
    dtypes=FLOATS,
    ulps=16,
    scale=2.0,
)
row(
    "cosine_similarity.of_small_vectors",
    lambda d: [S(d(3, 4), d(3, 4) / 10, 1, 0.7)],
    method=False,
    dtypes=FLOATS,
    ulps=16,
    scale=2.0,
    skips={
        "numeric": "a norm below eps counts as eps without a derivative",
        "tangents": "in torch's forward mode it has one",
    },
)
