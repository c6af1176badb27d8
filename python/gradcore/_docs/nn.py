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
    "_nn_scaled_dot_product_attention": """
    softmax(query @ key.T * scale + mask) @ value.

    query: (..., L, E); key: (..., S, E); value: (..., S, Ev). attn_mask: bools that say where attention is allowed, or
    numbers that are added, broadcast to (..., L, S); is_causal: position i sees the first i + 1; dropout_p: of the
    weights; scale: by default 1 / sqrt(E); enable_gqa: key and value may have fewer heads (dim -3), each for several of
    the query's. A row that may attend to nothing is 0. The scores are never all in memory, but for dropout and masks
    that require grad. Raises RuntimeError for what does not fit. Source: A. Vaswani et al., "Attention is all you need",
    2017; T. Dao et al., "FlashAttention", 2022.

    >>> x = gradcore.tensor([[1.0], [2.0]])
    >>> gradcore.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000],
            [1.8808]])
    """,
}

__test__ = TEXTS
