"""Views: results that share their argument's memory."""

import numpy as np

from .rows import S, row


def view(name, samples, numpy=None, **settings):
    row(name, samples, kind="view", numpy=numpy, **settings)


view(
    "view",
    lambda d: [
        S(d(3, 4), 4, 3),
        S(d(3, 4), (2, 6)),
        S(d(3, 4), -1),
        S(d(), 1),
        S(d(1), ()),
        S(d(0, 3), 3, 0),
        S(d(2, 3, 4), 6, -1),
    ],
    function=False,
    skips={"layouts": "refuses most of them; see view.refused"},
)
view("view_as", lambda d: [S(d(3, 4), d(4, 3))], function=False, skips={"layouts": "refuses most of them"})
view(
    "reshape",
    lambda d: [
        S(d(3, 4), (4, 3)),
        S(d(3, 4), (-1,)),
        S(d(), (1, 1)),
        S(d(0, 3), (3, 0)),
        S(d(2, 3, 4), (2, 12)),
        S(d(1), ()),
    ],
    numpy=np.reshape,
)
view("reshape_as", lambda d: [S(d(3, 4), d(4, 3))], function=False)
view(
    "flatten",
    lambda d: [S(d(3, 4)), S(d()), S(d(2, 3, 4), 1), S(d(2, 3, 4), 0, 1), S(d(2, 3, 4), start_dim=-2, end_dim=-1)],
)
view("unflatten", lambda d: [S(d(2, 12), 1, (3, 4)), S(d(2, 12), -1, (-1, 6))])
view("ravel", lambda d: [S(d(3, 4)), S(d())])
view(
    "transpose",
    lambda d: [S(d(3, 4), 0, 1), S(d(2, 3, 4), -1, 0), S(d(2, 3, 4), dim0=1, dim1=2), S(d(), 0, -1), S(d(0, 3), 0, 1)],
    inplace=True,
    aliases=("swapaxes", "swapdims"),
)
view("t", lambda d: [S(d(3, 4)), S(d(3)), S(d())], inplace=True, numpy=np.transpose)
view("permute", lambda d: [S(d(2, 3, 4), (2, 0, 1)), S(d(3, 4), (-1, 0)), S(d(), ())], numpy=np.transpose)
view(
    "movedim",
    lambda d: [S(d(2, 3, 4), 0, 2), S(d(2, 3, 4), (0, 1), (2, 0)), S(d(2, 3, 4), -1, 0)],
    numpy=np.moveaxis,
    aliases=("moveaxis",),
)
view(
    "squeeze",
    lambda d: [
        S(d(1, 3, 1)),
        S(d(1, 3, 1), 0),
        S(d(1, 3, 1), -1),
        S(d(3, 4), 0),
        S(d()),
        S(d(1, 3, 1), (0, 2)),
        S(d(), 0),
    ],
    inplace=True,
)
view(
    "unsqueeze",
    lambda d: [S(d(3, 4), 0), S(d(3, 4), -1), S(d(3, 4), 1), S(d(), 0), S(d(3, 4), dim=-3)],
    inplace=True,
    numpy=lambda x, dim: np.expand_dims(x, dim),
)
view(
    "expand",
    lambda d: [S(d(1, 3), 2, 3), S(d(3), (2, -1)), S(d(), 2, 2), S(d(1, 3), 4, 1, -1), S(d(1), 0)],
    function=False,
)
view("expand_as", lambda d: [S(d(1, 3), d(2, 3))], function=False)
view("broadcast_to", lambda d: [S(d(1, 3), (2, 3)), S(d(), (2,))], numpy=np.broadcast_to)
view(
    "narrow",
    lambda d: [S(d(5, 4), 0, 1, 3), S(d(5, 4), -1, -2, 2), S(d(5), 0, 0, 0), S(d(5), dim=0, start=2, length=1)],
)
view("select", lambda d: [S(d(3, 4), 0, 1), S(d(3, 4), -1, -1), S(d(5), 0, 2), S(d(2, 3, 4), dim=1, index=2)])
view(
    "split",
    lambda d: [S(d(5, 4), 2), S(d(5, 4), [2, 3]), S(d(5, 4), 3, 1), S(d(5, 4), 5, dim=-2), S(d(0), 2), S(d(4), [0, 4])],
)
view("chunk", lambda d: [S(d(5, 4), 2), S(d(5, 4), 3, 1), S(d(3), 5), S(d(6), chunks=4, dim=0)])
view("unbind", lambda d: [S(d(3, 4)), S(d(3, 4), 1), S(d(2), dim=-1)])
view(
    "diagonal",
    lambda d: [
        S(d(3, 4)),
        S(d(3, 4), 1),
        S(d(3, 4), -1),
        S(d(3, 4), offset=5),
        S(d(2, 3, 4), 0, 1, 2),
        S(d(2, 3, 4), offset=-1, dim1=0, dim2=-1),
    ],
)
view(
    "as_strided",
    lambda d: [
        S(d(12), (2, 3), (1, 2)),
        S(d(12), (3, 2), (4, 1), 1),
        S(d(12), (4, 4), (2, 1)),
        S(d(12), (), ()),
        S(d(12), (5,), (0,)),
    ],
    inplace=True,
    skips={"layouts": "reads the storage, not the elements"},
)
view("contiguous", lambda d: [S(d(3, 4)), S(d()), S(d(0, 3))], function=False)
view("detach", lambda d: [S(d(3, 4))], grad=False, inplace=True, inplace_grad=False)

view(
    "unfold",
    lambda d: [
        S(d(5), 0, 2, 1),
        S(d(3, 5), 1, 3, 2),
        S(d(3, 5), dimension=0, size=2, step=1),
        S(d(), 0, 1, 1),
        S(d(3), 0, 0, 1),
        S(d(3), 0, 4, 1),
        S(d(3), 0, 1, 0),
    ],
    function=False,
)
view(
    "tensor_split",
    lambda d: [
        S(d(5, 4), 2),
        S(d(5, 4), 3, 1),
        S(d(5, 4), (1, 3)),
        S(d(5, 4), [2, 1, 9], dim=-1),
        S(d(2), 4),
        S(d(5), np.array([1, 2])),
        S(d(5), np.array(2)),
        S(d(5), 0),
        S(d(), 2),
    ],
    reads_values=True,
    other_graphs={"tensor_split(float64[5, 4], [2, 1, 9]": "shows bounds as they are kept to the size"},
)
view("hsplit", lambda d: [S(d(3, 4), 2), S(d(4), 2), S(d(3, 4), (1, 3)), S(d(3, 4), 3), S(d(), 1)])
view("vsplit", lambda d: [S(d(4, 3), 2), S(d(4, 3), [1, 3]), S(d(4, 3), 3), S(d(4), 2)])
view("dsplit", lambda d: [S(d(2, 3, 4), 2), S(d(2, 3, 4), [1]), S(d(2, 3, 4), 3), S(d(2, 3), 1)])
# Without a base: autograd takes them for tensors of their own.
row(
    "unsafe_split",
    lambda d: [S(d(5, 4), 2), S(d(5, 4), 3, 1), S(d(0), 2)],
    other_graphs="the node behind it shows what was split",
)
row(
    "unsafe_split_with_sizes",
    lambda d: [S(d(5, 4), [2, 3]), S(d(5, 4), [1, 3], -1), S(d(5), [2, 2])],
    other_graphs="the node behind it shows what was split",
)
row("unsafe_chunk", lambda d: [S(d(5, 4), 2), S(d(5, 4), 3, 1)], other_graphs="the node behind it shows what was split")

# ---- the same as new memory


def copies(name, samples, **settings):
    settings = {"method": False, "out": True, "other_graphs": "has a view, and a copy of it"} | settings
    row(f"{name}_copy", samples, **settings)


SEVERAL = {"out": False, "skips": {"vmap": "torch has no rule for it"}}
copies("alias", lambda d: [S(d(3, 4)), S(d())])
RAISES = "has no history, where torch's raises in backward"
copies("detach", lambda d: [S(d(3, 4))], grad=False, other_graphs=RAISES, skips={"grad": RAISES})
copies(
    "as_strided",
    lambda d: [S(d(3, 4), (2, 2), (1, 2)), S(d(12), (2, 3), (4, 1), 1), S(d(6), (), ()), S(d(3), (2, 2), (2, 2))],
    skips={"layouts": "reads the storage, not the elements"},
)
copies("diagonal", lambda d: [S(d(3, 4)), S(d(2, 3, 4), 1, 0, 2), S(d(3, 4), offset=-1, dim1=1, dim2=0), S(d(3))])
copies("expand", lambda d: [S(d(3, 1), (3, 4)), S(d(3), (2, -1)), S(d(3), (2, 3), implicit=True), S(d(3), (2,))])
copies(
    "narrow",
    lambda d: [
        S(d(3, 4), 0, 1, 2),
        S(d(3, 4), -2, 0, 2),
        S(d(3, 4), 0, 3, 0),
        S(d(3, 4), 0, 1, 5),
        S(d(3, 4), 0, 4, 0),
        S(d(), 0, 0, 1),
    ],
    method=True,
    skips={"out": "torch writes to a stepped tensor as if it were contiguous"},
)
row(
    "narrow_copy.from_the_end",
    lambda d: [S(d(3, 4), 1, -1, 1), S(d(3, 4), 0, -3, 2)],
    other_graphs="has a view, and a copy of it",
    skips=dict.fromkeys(("grad", "gradgrad", "layouts", "out"), "torch's gradient is that of other places"),
)
copies("permute", lambda d: [S(d(2, 3, 4), (2, 0, 1)), S(d(), ()), S(d(2, 3), (0, 0))])
copies("select", lambda d: [S(d(3, 4), 0, 1), S(d(3, 4), -1, -2), S(d(3), 0, 3), S(d(), 0, 0)])
copies(
    "slice",
    lambda d: [
        S(d(5, 4)),
        S(d(5, 4), 0, 1, 3),
        S(d(5, 4), 0, -3),
        S(d(5, 4), 1, None, -1),
        S(d(5, 4), 0, 0, 5, 2),
        S(d(5, 4), start=3, end=1),
        S(d(5, 4), 0, 0, 5, -1),
        S(d(5, 4), 2),
    ],
)
copies("split", lambda d: [S(d(5, 2), 2), S(d(4, 3), 2, 1), S(d(4), 0)], **SEVERAL)
copies("split_with_sizes", lambda d: [S(d(5, 2), (2, 3)), S(d(4, 3), (1, 0, 2), dim=1), S(d(4), (1, 2))], **SEVERAL)
copies("squeeze", lambda d: [S(d(1, 3, 1)), S(d(1, 3, 1), 0), S(d(1, 3, 1), (0, 2)), S(d(2, 3), 1), S(d(1, 3), 2)])
copies("t", lambda d: [S(d(3, 4)), S(d(3)), S(d()), S(d(2, 3, 4))])
copies("transpose", lambda d: [S(d(2, 3, 4), 0, 2), S(d(2, 3), -1, -2), S(d(2, 3), 0, 2)])
copies("unbind", lambda d: [S(d(3, 4)), S(d(3, 4), 1), S(d(3), dim=-1), S(d())], **SEVERAL)
copies("unfold", lambda d: [S(d(5, 2), 0, 2, 1), S(d(2, 6), 1, 3, 2), S(d(3), 0, 4, 1)])
copies("unsqueeze", lambda d: [S(d(3), 0), S(d(2, 3), -1), S(d(3), 3)])
copies("view", lambda d: [S(d(3, 4), (4, 3)), S(d(3, 4), (-1,)), S(d(0, 3), (3, 0)), S(d(3), (2,))])
