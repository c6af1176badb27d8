# pip: torchviz graphviz
"""The graph of a small computation, as the text of a drawing."""

import torch
from torchviz import make_dot

w = torch.ones(3, requires_grad=True)
text = make_dot((w.exp() * 2 + w.sin()).sum(), params={"w": w}).source
print(
    sorted(
        name
        for name in ("SumBackward0", "AddBackward0", "MulBackward0", "ExpBackward0", "SinBackward0")
        if name in text
    ),
    text.count("->"),
)
