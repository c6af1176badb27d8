"""Normalisations by channel, losses with classes and embeddings."""

import numpy as np

from support import FLOATS

from .nn import nn_row
from .rows import S, row

NORM = {"dtypes": FLOATS, "ulps": 64, "scale": 16.0, "other_graphs": "shows other fields of what it keeps"}
OF_BATCHES = NORM | {
    "skips": {
        "forward over reverse": "all tangents add up to zero, but for rounding; tests/linalg compares with differences"
    }
}
OF_INSTANCES = OF_BATCHES | {"other_graphs": "is no batch_norm between views"}


def batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    dims = tuple(i for i in range(x.ndim) if i != 1)
    shape = (1, -1, *[1] * (x.ndim - 2))
    if training:
        mean, var = x.mean(dims), x.var(dims)
    elif mean is None:
        raise TypeError("no statistics")
    y = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + eps)
    return y * (1 if weight is None else weight.reshape(shape)) + (0 if bias is None else bias.reshape(shape))


nn_row(
    "batch_norm",
    lambda d: [
        S(d(4, 3, 2, 5), None, None, d(3), d(3), True),
        S(d(4, 3, 7), None, None, d(3), None, True, 0.1, 0.5),
        S(d(2, 3, 2, 3, 2), None, None, d(3), d(3), True),
        S(d(0, 3, 2), None, None, d(3), d(3), True),
        S(d(1, 3), None, None, d(3), d(3), True),
        S(d(4, 3, 2), None, None, d(2), d(3), True),
        S(d(4, 3, 2), None, None),
        S(d(3), None, None, training=True),
    ],
    numpy=batch_norm,
    large_call=lambda d: S(d(6, 20, 31, 33), None, None, d(20), d(20), True),
    **OF_BATCHES,
)
nn_row(  # torch's second derivatives want a weight
    "batch_norm.without_weight",
    lambda d: [S(d(4, 3), None, None, None, d(3), True), S(d(40, 3), None, None, None, None, True)],
    gradgrad=False,
    numpy=batch_norm,
    **(NORM | {"other_graphs": ""}),
)
nn_row(
    "batch_norm.given",
    lambda d: [
        S(d(4, 3, 2, 5), np.full(3, 0.5, d.dtype), np.full(3, 1.5, d.dtype), d(3), d(3)),
        S(d(4, 3), np.full(3, 0.5, d.dtype), np.full(3, 1.5, d.dtype)),
        S(d(4, 3, 2), np.full(2, 0.5, d.dtype), np.full(3, 1.5, d.dtype)),
    ],
    numpy=batch_norm,
    skips=dict.fromkeys(("grad", "gradgrad", "layouts", "numeric", "tangents"), "statistics take no derivative"),
    **NORM,
)
row(
    "batch_norm",
    lambda d: [S(d(4, 3, 2, 5), d(3), d(3), None, None, True, 0.1, 1e-5, False)],
    method=False,
    **(OF_BATCHES | {"other_graphs": ""}),
)
row(
    "native_batch_norm",
    lambda d: [
        S(d(4, 3, 2, 5), d(3), d(3), None, None, True, 0.1, 1e-5),
        S(d(4, 3), d(3), None, None, None, True, 0.1, 1e-5),
    ],
    method=False,
    **(OF_BATCHES | {"other_graphs": ""}),
)
row(
    "native_layer_norm",
    lambda d: [
        S(d(4, 3, 5), [5], d(5), d(5), 1e-5),
        S(d(4, 3, 5), [3, 5], None, None, 0.5),
        S(d(4), [4], d(4), None, 1e-5),
        S(d(4, 3), [4], None, None, 1e-5),
        S(d(4, 3), [], None, None, 1e-5),
    ],
    method=False,
    **OF_BATCHES,
)
GIVEN_SIZES = OF_BATCHES | {"other_graphs": "reshapes to samples, channels and places"}
row(
    "native_group_norm",
    lambda d: [
        S(d(2, 4, 3, 2), None, None, 2, 4, 6, 4, 0.5),
        S(d(4, 6, 5), None, None, 4, 6, 5, 2, 1e-5),
        S(d(2, 4), None, None, 2, 4, 2, 2, 1e-5),
    ],
    method=False,
    **GIVEN_SIZES | {"skips": OF_BATCHES["skips"] | {"layouts": "torch refuses inputs that are not contiguous"}},
)
row(
    "native_group_norm.with_weight",
    lambda d: [S(d(4, 6, 5), d(6), d(6), 4, 6, 5, 2, 1e-5)],
    method=False,
    **GIVEN_SIZES
    | {
        "skips": dict.fromkeys(
            ("grad", "gradgrad", "layouts", "tangents", "forward over reverse"),
            "torch's mean requires grad where the weight alone does",
        )
    },
)
nn_row(
    "instance_norm",
    lambda d: [
        S(d(4, 3, 2, 5)),
        S(d(4, 3, 7), None, None, d(3), d(3)),
        S(d(4, 3, 7), weight=d(3), eps=0.5),
        S(d(0, 3, 2)),
        S(d(4, 3, 1)),
        S(d(4, 3, 2), None, None, d(2)),
        S(d(4, 3, 2), use_input_stats=False),
    ],
    large_call=lambda d: S(d(6, 20, 31, 33), None, None, d(20), d(20)),
    **OF_INSTANCES,
)
row(
    "instance_norm",
    lambda d: [S(d(4, 3, 2, 5), d(3), d(3), None, None, True, 0.1, 1e-5, False)],
    method=False,
    **OF_INSTANCES,
)


def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    y = x.reshape(x.shape[0], groups, -1)
    y = ((y - y.mean(2, keepdims=True)) / np.sqrt(y.var(2, keepdims=True) + eps)).reshape(x.shape)
    shape = (1, -1, *[1] * (x.ndim - 2))
    return y * (1 if weight is None else weight.reshape(shape)) + (0 if bias is None else bias.reshape(shape))


GROUPS = {
    "samples": lambda d: [
        S(d(4, 6, 2, 5), 2, d(6), d(6)),
        S(d(4, 6, 7), 3, d(6), d(6), 0.5),
        S(d(4, 6), 2, d(6), d(6)),
        S(d(4, 6, 2), 4),
        S(d(4, 6, 2), 2, d(5)),
        S(d(6), 2),
        S(d(4, 6, 2), -1),
    ],
    "numpy": group_norm,
}
nn_row("group_norm", large_call=lambda d: S(d(6, 20, 31, 33), 4, d(20), d(20)), **GROUPS, **NORM)
row("group_norm", lambda d: [S(d(4, 6, 2, 5), 2, d(6), d(6)), S(d(4, 6), 4)], method=False, numpy=group_norm, **NORM)
nn_row(  # torch's second derivatives want a weight
    "group_norm.without_weight",
    lambda d: [S(d(4, 6, 2, 5), 2), S(d(4, 6, 3), 3), S(d(0, 6, 2), 2)],
    gradgrad=False,
    numpy=group_norm,
    **NORM,
)


def rms_norm(x, shape, weight=1.0, eps=2.0**-52):
    return x / np.sqrt((x**2).mean(tuple(range(-len(shape), 0)), keepdims=True) + eps) * weight


def rms_samples(d):
    yield S(d(4, 3), (3,), d(3))
    yield S(d(4, 3), (3,))
    yield S(d(2, 3, 4), (3, 4), d(3, 4), 0.1)
    yield S(d(5), (5,), d(5))
    yield S(d(0, 3), (3,), d(3))
    yield S(d(70, 33), (33,), d(33), 1e-5)
    yield S(d(4, 3), (2,))
    yield S(d(4, 3), ())
    yield S(d(4, 3), (3,), d(2))


RMS = NORM | {"numpy": rms_norm, "other_graphs": "is one node"}
nn_row("rms_norm", rms_samples, large_call=lambda d: S(d(900, 700), (700,), d(700)), **RMS)
row("rms_norm", rms_samples, method=False, **RMS)

LOSS = {"dtypes": FLOATS, "ulps": 64, "scale": 8.0, "other_graphs": "shows other fields of what it keeps"}


def classes(d, *shape, below):
    return d.index(*shape, below=below)


def loss_samples(**more):
    def samples(d):
        yield S(d(5, 4), classes(d, 5, below=4), **more)
        for reduction in ("none", "sum", "mean"):
            yield S(d(5, 4), np.array([0, 3, 1, 1, 2]), ignore_index=1, reduction=reduction, **more)
            yield S(d(5, 4), np.array([0, 3, 1, 1, 2]), d(4), reduction=reduction, **more)
        yield S(d(3, 4, 2), classes(d, 3, 2, below=4), **more)
        yield S(d(4), np.array(2), **more)
        yield S(d(0, 4), classes(d, 0, below=4), **more)
        yield S(d(5, 4), np.array([0, 3, 1, 1, 4]), **more)
        yield S(d(5, 4), np.array([0, 3, 1, 1, -1]), **more)
        yield S(d(5, 4), classes(d, 4, below=4), **more)
        yield S(d(5, 4), classes(d, 5, 1, below=4), **more)
        yield S(d(3, 4, 2, 5), classes(d, 3, 2, 4, below=4), **more)
        yield S(d(5, 4), classes(d, 5, below=4), reduction="avg", **more)
        yield S(d(70, 33), classes(d, 70, below=33), **more)

    return samples


def image_samples(**more):
    def samples(d):
        for reduction in ("none", "sum", "mean"):
            yield S(d(3, 4, 2, 5), classes(d, 3, 2, 5, below=4), reduction=reduction, **more)

    return samples


nn_row("nll_loss", loss_samples(), **LOSS)
nn_row("nll_loss.images", image_samples(), **LOSS, skips={"layouts": "torch's backward takes no other order"})
ONE_NODE = LOSS | {"other_graphs": "is one node"}
nn_row("cross_entropy.images", image_samples(label_smoothing=0.1), **ONE_NODE)
nn_row("cross_entropy", loss_samples(), large_call=lambda d: S(d(300, 257), classes(d, 300, below=257)), **LOSS)
nn_row(
    "cross_entropy.smoothed",
    loss_samples(label_smoothing=0.3),
    **ONE_NODE,
    skips={"tangents": "torch takes the weight for a constant in one part alone"},
)


def margin_samples(d):
    for reduction in ("none", "sum", "mean"):
        yield S(d(5, 4), classes(d, 5, below=4), reduction=reduction)
        yield S(d(5, 4), classes(d, 5, below=4), 2, 0.5, d(4), reduction=reduction)
        yield S(d(4), np.array(2), reduction=reduction)
        yield S(d(4), np.array([2]), weight=d(4), reduction=reduction)
    yield S(d(), np.array(0))
    yield S(d(70, 133), classes(d, 70, below=133), 2)
    yield S(d(0, 4), classes(d, 0, below=4), reduction="none")
    yield S(d(5, 4), np.array([0, 3, 1, 1, 4]))
    yield S(d(5, 4), np.array([0, 3, 1, 1, -1]))
    yield S(d(5, 4), np.array([0, 3, 1, 1, 2], dtype=np.int32))
    yield S(d(5, 4), classes(d, 4, below=4))
    yield S(d(5, 4), classes(d, 5, 1, below=4))
    yield S(d(5, 4), classes(d, 5, below=4), 1, 1.0, d(3))
    yield S(d(5, 4), classes(d, 5, below=4), 3)
    yield S(d(5, 0), classes(d, 5, below=4))
    yield S(d(2, 5, 4), classes(d, 5, below=4))


def labels(d, rows, classes):
    """Of each row some classes, one of them twice; what is behind the first -1 counts as nothing."""
    found = d.index(rows, classes, below=classes)
    found[:, classes // 2] = -1
    found[0] = -1
    return found


def multilabel_samples(d):
    for reduction in ("none", "sum", "mean"):
        yield S(d(5, 4), labels(d, 5, 4), reduction=reduction)
        yield S(d(5, 4), classes(d, 5, 4, below=4), reduction=reduction)
        yield S(d(4), np.array([2, 2, -1, 1]), reduction=reduction)
    yield S(d(), np.array([0]))
    yield S(d(1), np.array(0))
    yield S(d(70, 133), labels(d, 70, 133))
    yield S(d(0, 4), classes(d, 0, 4, below=4), reduction="none")
    yield S(d(2, 3), np.array([[0, 1, 3], [0, 1, 2]]))
    yield S(d(2, 3), np.array([[0, -1, -2], [0, 1, 2]]))
    yield S(d(2, 3), np.array([[0, 1, 2], [0, 1, 2]], dtype=np.int32))
    yield S(d(2, 3), np.array([0, 1, 2]))
    yield S(d(3), np.array([[0, 1, 2]]))
    yield S(d(2, 0), classes(d, 2, 0, below=4))


MARGIN = LOSS | {"gradgrad": False, "skips": {"tangents": "torch has no forward mode for it"}}  # nor second derivatives
nn_row(
    "multi_margin_loss",
    margin_samples,
    large_call=lambda d: S(d(300, 257), classes(d, 300, below=257)),
    aliases=("_nn_multi_margin",),
    **MARGIN,
)
nn_row(
    "multilabel_margin_loss",
    multilabel_samples,
    large_call=lambda d: S(d(300, 57), classes(d, 300, 57, below=57)),
    aliases=("_nn_multilabel_margin",),
    **MARGIN,
)

row(
    "embedding",
    lambda d: [
        S(d(5, 3), d.index(4, below=5)),
        S(d(5, 3), d.index(2, 4, below=5)),
        S(d(5, 3), np.array(2)),
        S(d(5, 3), d.index(0, below=5)),
        S(d(5, 3), np.array([1, 5])),
        S(d(5, 3), np.array([1, -1])),
        S(d(5), np.array([1])),
    ],
    method=False,
    dtypes=FLOATS,
    grad_ulps=8,
    large_call=lambda d: S(d(3000, 64), d.index(4000, below=3000)),
)
row(
    "embedding.padded",
    lambda d: [S(d(5, 3), np.array([1, 1, 0, 4, 1]), 1), S(d(5, 3), d.index(2, 4, below=5), 0)],
    method=False,
    dtypes=FLOATS,
    grad_ulps=8,
    skips={"numeric": "the gradient leaves out a row"},
)
row(  # torch's second derivative leaves out the scale
    "embedding.scaled",
    lambda d: [S(d(5, 3), np.array([1, 1, 0, 4, 1]), -1, True), S(d(5, 3), np.array([1, 1, 0, 4, 1]), 4, True)],
    method=False,
    gradgrad=False,
    dtypes=FLOATS,
    grad_ulps=8,
    skips={"numeric": "the gradient is scaled"},
)
