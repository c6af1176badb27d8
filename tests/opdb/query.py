"""Questions about whole tensors, which answer with a Python value, and isclose."""

import numpy as np

from support import FLOATS

from .rows import S, row

row(
    "equal",
    lambda d: [S(d(3), d(3)), S(np.ones(3, d.dtype), np.ones(3, d.dtype)), S(d(3), d(2))],
    grad=False,
    reads_values=True,
)
row(
    "allclose",
    lambda d: [S(np.ones(3, d.dtype), np.ones(3, d.dtype)), S(d(3), d(3)), S(d(3), d(3), rtol=10.0)],
    grad=False,
    reads_values=True,
    dtypes=FLOATS,
)
row(
    "isclose",
    lambda d: [S(np.ones(3, d.dtype), np.ones(3, d.dtype)), S(d(3), d(3), atol=1.0), S(d(0), d(0))],
    grad=False,
)
row("numel", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], grad=False)
row("is_floating_point", lambda d: [S(d(3))], grad=False)
row("is_inference", lambda d: [S(d(3))], grad=False)
row("get_device", lambda d: [S(d(3)), S(input=d(2))], grad=False)
row("is_same_size", lambda d: [S(d(3, 4), d(3, 4)), S(d(3, 4), d(4, 3)), S(d(), other=d(1))], grad=False)
row("is_set_to", lambda d: [S(d(3, 4), d(3, 4)), S(d(0), d(0))], function=False, grad=False)
