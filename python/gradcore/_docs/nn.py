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
    "_nn_layer_norm": """
    (x - mean) / sqrt(var + eps) * weight + bias, over the last dims.

    normalized_shape: the sizes of those dims, which weight and bias have too. Raises RuntimeError for other shapes and
    for other dtypes than the input's, NotImplementedError for an input that is of no float dtype. After J. L. Ba et al.,
    "Layer normalization", 2016.

    >>> gradcore.nn.functional.layer_norm(gradcore.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """,
}

__test__ = TEXTS
