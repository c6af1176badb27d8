"""Ops of complex numbers, for real tensors."""

import numpy as np

from .rows import S, row


def itself(name, **settings):
    row(name, lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], **settings)


itself("conj")
itself("resolve_conj")
itself("resolve_neg")
itself(
    "conj_physical",
    inplace=True,
    inplace_grad=False,
    other_graphs={"conj_physical_": "changes nothing, and makes no node"},
)
itself("real", method=False)
itself("imag", method=False)
itself("isreal", grad=False)
itself("view_as_real", method=False)
for question in ("is_complex", "is_conj", "is_neg", "is_signed"):
    itself(question, grad=False)
row("adjoint", lambda d: [S(d(3, 4)), S(d(2, 3, 4)), S(d(3))], kind="view")
row(
    "angle",
    lambda d: [S(d(3, 4)), S(d()), S(d(0)), S(np.array([np.nan, -np.inf, np.inf, -0.0, 0.0, -1.0], np.float32))],
    kind="unary",
    out=True,
    gradgrad=False,
    numpy=lambda x: np.where(np.isnan(x), x, np.where(x < 0, np.pi, 0)).astype(x.dtype),  # np.angle(-0.0) is pi
    other_graphs="keeps nothing",
)
itself("view_as_real_copy", method=False)
