"""Functions of nn.functional that are ops of the core."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "_nn_linear": """
    input @ weight.T + bias.

    input: (..., in); weight: (out, in) or (in); bias: (out) or nothing. The result is (..., out). Raises RuntimeError for
    shapes or dtypes that do not fit.

    >>> gradcore.nn.functional.linear(gradcore.ones(1, 2), gradcore.ones(3, 2), gradcore.ones(3))
    tensor([[3., 3., 3.]])
    """,
}

__test__ = TEXTS
