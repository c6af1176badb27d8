"""Activations of nn.functional, and the losses of pairs of numbers."""

import numpy as np

from support import FLOATS

from .nn import nn_row
from .rows import S, row

FIELDS = "shows other fields of what it keeps"


def activation_row(name, *settings_of_calls, in_place=True, **settings):
    """Calls with the arguments given, or without any, and calls on no dims and no elements."""
    given = settings_of_calls or ((),)

    def samples(d):
        yield from (S(d(3, 4), *arguments) for arguments in given)
        yield S(d(2, 3, 5).transpose(2, 0, 1), *given[-1])
        yield S(d(), *given[0])
        yield S(d(0, 3), *given[0])

    nn_row(
        name,
        samples,
        aliases=(f"_nn_{name}_",) if in_place else (),
        large_call=lambda d: S(d(600, 700), *given[-1]),
        **{"kind": "unary", "dtypes": FLOATS, "ulps": 4, "scale": 1.0, **settings},
    )


activation_row("leaky_relu", (), (0.3,))
activation_row("threshold", (0.5, 2.0), (-1, 7), other_graphs=FIELDS)
activation_row("hardtanh", (), (-0.5, 2.5))
activation_row("elu", (), (1.5,), ulps=8)
activation_row("silu", ulps=8)
activation_row("mish", ulps=16)
SIXTH = "torch divides by 6 in float32, whatever the dtype is"
activation_row(
    "hardsigmoid",
    skips={
        "grad": SIXTH,
        "layouts": SIXTH,
        "tangents": SIXTH,
        "gradgrad": "torch has no second derivative of it",
    },
)
activation_row("hardswish", avoid=(-np.inf, 3e38))  # torch gives NaN and infinity; the function is 0, and x
activation_row("hardshrink", (), (1.5,), in_place=False)
activation_row("softshrink", (), (1.5,), (-1.0,), (0.25,), in_place=False)
activation_row("softplus", (), (2.0,), (0.5, 1.0), in_place=False, ulps=8)
activation_row("logsigmoid", in_place=False, ulps=8, other_graphs=FIELDS)
nn_row(
    "prelu",
    lambda d: [
        S(d(3, 4), d(4)),
        S(d(3, 4), d(1)),
        S(d(3, 4), d()),
        S(d(2, 3, 4), d(3)),
        S(d(), d(1)),
        S(d(), d(2)),
        S(d(3, 4), d(3)),
        S(d(3, 4), d(1, 4)),
        S(d(5), d(1)),
    ],
    dtypes=FLOATS,
    ulps=4,
    scale=8.0,
    other_graphs="has a reshape more, or less",
)
nn_row(
    "glu",
    lambda d: [S(d(3, 4)), S(d(4, 3), 0), S(d(2, 6, 3), 1), S(d(3)), S(d()), S(d(0, 4)), S(d(2, 4), 2)],
    dtypes=FLOATS,
    ulps=8,
    scale=2.0,
    other_graphs="has the halves as views",
)


def loss_row(name, core, low=-3.0, high=3.0, target=None, arguments=((),), **settings):
    def samples(d):
        for more in arguments:
            for reduction in ("none", "mean", "sum"):
                yield S(d(3, 4), d(3, 4) if target is None else target(d), *more, reduction=reduction)

    nn_row(
        name,
        samples,
        low=low,
        high=high,
        aliases=core,
        **{
            "dtypes": FLOATS,
            "ulps": 8,
            "scale": 16.0,
            "other_graphs": "the node does not show which reduction it is",
            **settings,
        },
    )


loss_row("mse_loss", ("_nn_mse", "_nn_reduced"))
loss_row("smooth_l1_loss", ("_nn_smooth_l1",), arguments=((), (None, None, "mean", 0.5)))
loss_row("huber_loss", ("_nn_huber",))
loss_row(
    "binary_cross_entropy",
    ("_nn_bce",),
    low=0.05,
    high=0.95,
    skips=dict.fromkeys(
        ("gradgrad", "forward over reverse"), "torch adds 1e-12 to the divisor of the second derivative alone"
    ),
)
loss_row("binary_cross_entropy_with_logits", ("_nn_bce_with_logits",), strides="any")


def grids(d):
    for dims in (2, 3):
        size, places = (5, 4, 3)[:dims], (2, 3, 2)[:dims]
        for mode in range(3):
            for padding in range(3):
                for corners in (False, True):
                    yield S(d(2, 3, *size), d(2, *places, dims) / 2, mode, padding, corners)
    yield S(d(2, 3, 5, 4), d(2, 0, 3, 2), 0, 0, False)
    yield S(d(2, 0, 5, 4), d(2, 2, 3, 2), 0, 0, False)
    yield S(d(0, 3, 5, 4), d(0, 2, 3, 2), 0, 0, False)
    yield S(d(2, 3, 1, 1), d(2, 2, 3, 2), 0, 2, True)
    yield S(d(2, 3, 0, 4), d(2, 2, 3, 2), 0, 0, False)
    yield S(d(2, 3, 5, 4), d(2, 2, 3, 3), 0, 0, False)
    yield S(d(2, 3, 5, 4), d(1, 2, 3, 2), 0, 0, False)


row(
    "grid_sampler",
    grids,
    method=False,
    dtypes=("float32", "float64"),
    aliases=("grid_sampler_2d", "grid_sampler_3d"),
    ulps=64,
    scale=16.0,
    grad_ulps=4096,
    large_call=lambda d: S(d(3, 20, 40, 50), d(3, 60, 70, 2) / 3, 0, 0, False),
    skips={"gradgrad": "torch has no second derivative of it", "tangents": "torch has no forward mode for it"},
)
