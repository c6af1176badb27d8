"""Recurrent layers and cells. tests/nn/moduledb.py has more layers, tests/nn/test_sequences.py packed sequences."""

import numpy as np

from support import FLOATS

from .rows import S, row


def recurrent_row(name, samples, **settings):
    settings = {
        "method": False,
        "dtypes": FLOATS,
        "ulps": 64,
        "scale": 8.0,
        "low": -1.0,
        "high": 1.0,
        "strides": "any",
        "other_graphs": "one node, where torch has many",
    } | settings
    row(name, samples, **settings)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step(x, h, w_ih, w_hh, b_ih=0, b_hh=0):
    xr, xz, xn = np.split(x @ w_ih.T + b_ih, 3, -1)
    hr, hz, hn = np.split(h @ w_hh.T + b_hh, 3, -1)
    z = sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h


def tanh_step(x, h, w_ih, w_hh, b_ih=0, b_hh=0):
    return np.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)


def relu_step(x, h, w_ih, w_hh, b_ih=0, b_hh=0):
    return np.maximum(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 0)


def cell_samples(gates, as_state):
    def samples(d):
        weights = d(gates * 4, 3), d(gates * 4, 4)
        biases = d(gates * 4), d(gates * 4)
        return [
            S(d(2, 3), as_state(d, 2, 4), *weights, *biases),
            S(d(1, 3), as_state(d, 1, 4), *weights),
            S(d(5, 2), as_state(d, 5, 21), d(gates * 21, 2), d(gates * 21, 21), d(gates * 21), d(gates * 21)),
            S(d(0, 3), as_state(d, 0, 4), *weights, *biases),
        ]

    return samples


def one(d, *shape):
    return d(*shape)


def two(d, *shape):
    return [d(*shape), d(*shape)]


CELLS = {
    "lstm": (4, two, None),
    "gru": (3, one, gru_step),
    "rnn_tanh": (1, one, tanh_step),
    "rnn_relu": (1, one, relu_step),
}
for name, (gates, as_state, step) in CELLS.items():
    recurrent_row(f"{name}_cell", cell_samples(gates, as_state), numpy=step)


def layer_call(gates, as_state, d, shape, hidden, biases=True):
    """Small parameters: over many steps large ones would make the results depend wildly on the last bits."""
    _, batch, features = shape
    shapes = [(gates * hidden, features), (gates * hidden, hidden)] + [(gates * hidden,)] * (2 * biases)
    params = [d(*shape, low=-0.4, high=0.4) for shape in shapes]
    return S(d(*shape), as_state(d, 1, batch, hidden), params, biases, 1, 0.0, True, False, False)


def layer_row(name, gates, as_state):
    recurrent_row(
        name,
        lambda d: [
            layer_call(gates, as_state, d, (5, 2, 3), 4),
            layer_call(gates, as_state, d, (6, 1, 2), 17, biases=False),
        ],
        large_call=lambda d: layer_call(gates, as_state, d, (20, 50, 40), 70),
    )


for name, (gates, as_state, _) in CELLS.items():
    layer_row(name, gates, as_state)
