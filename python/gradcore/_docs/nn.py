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
    "_nn_batch_norm": """
    (x - mean) / sqrt(var + eps) * weight + bias, for each channel.

    input: (N, C, ...); all others: (C) or None. In training mean and variance are those of the input, and the running ones
    move towards them by momentum; otherwise they are the running ones. Raises ValueError for a single value per channel in
    training, RuntimeError for sizes and dtypes that do not fit.
    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    >>> gradcore.nn.functional.batch_norm(gradcore.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """,
    "batch_norm": """
    nn.functional.batch_norm() with torch's own order of arguments; cudnn_enabled changes nothing.

    >>> x = gradcore.tensor([[1.0], [3.0]])
    >>> gradcore.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[-1.0000],
            [ 1.0000]])
    """,
    "native_batch_norm": """
    batch_norm() with the mean and 1 / sqrt(var + eps) that it took from the input.

    Both are of no elements where they are not computed: outside of training, and under vmap.

    >>> out, mean, scale = gradcore.native_batch_norm(gradcore.tensor([[1.0], [3.0]]), None, None, None, None, True, 0.1, 0.0)
    >>> mean, scale
    (tensor([2.]), tensor([1.]))
    """,
    "_nn_instance_norm": """
    batch_norm() of each sample for itself. input: (N, C, L, ...); the running statistics move by the samples' mean.

    use_input_stats: whether mean and variance are those of the input. Raises ValueError for a single value per channel.
    Source: D. Ulyanov et al., "Instance normalization: the missing ingredient for fast stylization", 2016.

    >>> gradcore.nn.functional.instance_norm(gradcore.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """,
    "instance_norm": """
    nn.functional.instance_norm() with torch's own order of arguments; cudnn_enabled changes nothing.

    >>> gradcore.instance_norm(gradcore.tensor([[[1.0, 3.0]]]), None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[[-1.0000,  1.0000]]])
    """,
    "_nn_group_norm": """
    (x - mean) / sqrt(var + eps) * weight + bias, over groups of channels of each sample.

    input: (N, C, ...); weight, bias: (C). Raises RuntimeError where C is no multiple of num_groups and for other shapes.
    Source: Y. Wu, K. He, "Group normalization", 2018.

    >>> gradcore.nn.functional.group_norm(gradcore.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """,
    "group_norm": """
    nn.functional.group_norm(); cudnn_enabled changes nothing.

    >>> gradcore.group_norm(gradcore.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """,
    "_nn_gelu": """
    What nn.functional.gelu() computes, for each element of an input that it has checked.

    >>> gradcore._C._nn_gelu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """,
    "_nn_nll_loss": """
    nn.functional.nll_loss() without the arguments of old.

    >>> gradcore._C._nn_nll_loss(gradcore.tensor([[-0.5, -1.0]]), gradcore.tensor([1]))
    tensor(1.)
    """,
    "_nn_cross_entropy": """
    nn.functional.cross_entropy() with classes, without the arguments of old.

    >>> gradcore._C._nn_cross_entropy(gradcore.zeros(1, 4), gradcore.tensor([2]))
    tensor(1.3863)
    """,
    "embedding": """
    weight[indices]: a row of a table for each index; nn.functional.embedding() says more.

    weight: (V, D); indices: int64 or int32 of any shape; the result is (*indices.shape, D). padding_idx: a row without
    gradient; scale_grad_by_freq: gradients are divided by how often a row is used. Raises IndexError for an index out of
    range, NotImplementedError for sparse=True.
    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html>.

    >>> gradcore.embedding(gradcore.tensor([[1.0], [2.0], [3.0]]), gradcore.tensor([2, 0]))
    tensor([[3.],
            [1.]])
    """,
    "rms_norm": """
    x / sqrt(mean(x^2) + eps) * weight, over the last dims; without eps it is that of the dtype.

    normalized_shape: the sizes of those dims, which weight has too. Raises RuntimeError for other shapes,
    NotImplementedError for an input that is of no float dtype.
    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    >>> gradcore.nn.functional.rms_norm(gradcore.tensor([[1.0, 7.0]]), (2,))
    tensor([[0.2000, 1.4000]])
    """,
    "native_layer_norm": """
    layer_norm() with the mean and 1 / sqrt(var + eps) of each part that it normalises, which have no gradients.

    >>> out, mean, scale = gradcore.native_layer_norm(gradcore.tensor([[1.0, 3.0]]), [2], None, None, 0.0)
    >>> out, mean, scale
    (tensor([[-1.,  1.]]), tensor([[2.]]), tensor([[1.]]))
    """,
    "native_group_norm": """
    group_norm() with the mean and 1 / sqrt(var + eps) of each group of each sample, (N, group).

    `N`, `C` and `HxW` say how many samples, channels and places the input has. Raises RuntimeError where their product is
    not the number of its elements.

    >>> out, mean, scale = gradcore.native_group_norm(gradcore.tensor([[1.0, 3.0]]), None, None, 1, 2, 1, 1, 0.0)
    >>> out, mean, scale
    (tensor([[-1.,  1.]]), tensor([[2.]]), tensor([[1.]]))
    """,
    "native_dropout": """
    Each element 0 with probability `p`, else divided by 1 - p; and the mask, true where it was kept.

    train=False gives a copy and a mask of ones. Raises RuntimeError for p that is no probability, and for integers in
    training.

    >>> gradcore.native_dropout(gradcore.tensor([1.0, 2.0]), 0.5, False)
    (tensor([1., 2.]), tensor([True, True]))
    """,
}

__test__ = TEXTS
