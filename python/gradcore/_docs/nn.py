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
    numbers that are added, broadcast to (..., L, S); is_causal: position i sees the first i + 1 alone, of which attn_mask
    may take some away, but not with dropout or where it requires grad; dropout_p: of the weights; scale: by default
    1 / sqrt(E); enable_gqa: key and value may have fewer heads (dim -3), each for several of the query's. A row that may
    attend to nothing is 0. The scores are never all in memory, but for dropout and masks that require grad. Raises
    RuntimeError for what does not fit. Source: A. Vaswani et al., "Attention is all you need", 2017; T. Dao et al.,
    "FlashAttention", 2022.

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
    "_nn_softplus": """
    log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold.

    Raises NotImplementedError for dtypes that are not float.

    >>> gradcore.nn.functional.softplus(gradcore.tensor([-1.0, 2.0, 30.0]))
    tensor([ 0.3133,  2.1269, 30.0000])
    """,
    "_nn_logsigmoid": """
    log(sigmoid(x)), without overflow. Raises NotImplementedError for dtypes that are not float.

    >>> gradcore.nn.functional.logsigmoid(gradcore.tensor([-200.0, 2.0]))
    tensor([-2.0000e+02, -1.2693e-01])
    """,
    "_nn_hardshrink": """
    0 where |x| <= lambd, else x. Raises NotImplementedError for dtypes that are not float.

    >>> gradcore.nn.functional.hardshrink(gradcore.tensor([-1.0, 0.4]))
    tensor([-1.,  0.])
    """,
    "_nn_softshrink": """
    x moved towards 0 by lambd, and 0 where |x| <= lambd. Raises RuntimeError for a negative lambd.

    >>> gradcore.nn.functional.softshrink(gradcore.tensor([-1.0, 0.4, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """,
    "_nn_glu": """
    a * sigmoid(b), where a and b are the halves of the input along dim. Raises RuntimeError for an odd size.

    Source: Y. Dauphin et al., "Language modeling with gated convolutional networks", 2016.

    >>> gradcore.nn.functional.glu(gradcore.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """,
    "_nn_prelu": """
    x where x > 0, else weight * x with a learnable weight: one number, or one for each channel (dim 1).

    Raises RuntimeError where the weight has neither one element nor one for each channel, more than one dim, or another
    dtype. Source: K. He et al., "Delving deep into rectifiers", 2015.

    >>> gradcore.nn.functional.prelu(gradcore.tensor([[-1.0, -1.0]]), gradcore.tensor([0.5, 0.1]))
    tensor([[-0.5000, -0.1000]])
    """,
    "_nn_gelu": """
    x * Phi(x), Phi being the normal distribution's; approximate="tanh" takes tanh in place of erf.

    Raises RuntimeError for another word, NotImplementedError for dtypes that are not float.
    Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.

    >>> gradcore.nn.functional.gelu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """,
    "_nn_leaky_relu": """
    nn.functional.leaky_relu() without `inplace`; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_leaky_relu(gradcore.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """,
    "_nn_threshold": """
    nn.functional.threshold() without `inplace`; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_threshold(gradcore.tensor([0.5, 2.0]), 1.0, 7.0)
    tensor([7., 2.])
    """,
    "_nn_hardtanh": """
    nn.functional.hardtanh() without `inplace` of floats; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_hardtanh(gradcore.tensor([-3.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """,
    "_nn_elu": """
    nn.functional.elu() without `inplace`, and with the factors that make selu() and celu() of it; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_elu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """,
    "_nn_silu": """
    nn.functional.silu() without `inplace`; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_silu(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """,
    "_nn_mish": """
    nn.functional.mish() without `inplace`; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_mish(gradcore.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """,
    "_nn_hardsigmoid": """
    nn.functional.hardsigmoid() without `inplace`; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_hardsigmoid(gradcore.tensor([-4.0, 1.5]))
    tensor([0.0000, 0.7500])
    """,
    "_nn_hardswish": """
    nn.functional.hardswish() without `inplace`; with an underscore behind its name it is in place.

    >>> gradcore._C._nn_hardswish(gradcore.tensor([-4.0, 1.5, 5.0]))
    tensor([-0.0000, 1.1250, 5.0000])
    """,
    "_nn_mse": """
    What nn.functional.mse_loss() computes of each element, before weights and reduction.

    >>> gradcore._C._nn_mse(gradcore.tensor([1.0]), gradcore.tensor([3.0]))
    tensor([4.])
    """,
    "_nn_smooth_l1": """
    What nn.functional.smooth_l1_loss() computes of each element, before weights and reduction.

    >>> gradcore._C._nn_smooth_l1(gradcore.tensor([0.5, 3.0]), gradcore.zeros(2))
    tensor([0.1250, 2.5000])
    """,
    "_nn_huber": """
    What nn.functional.huber_loss() computes of each element, before weights and reduction.

    >>> gradcore._C._nn_huber(gradcore.tensor([0.5, 5.0]), gradcore.zeros(2))
    tensor([0.1250, 4.5000])
    """,
    "_nn_reduced": """
    The mean of a new `loss`, or its sum where `mean` is False. The node of the loss goes over into the result's.

    >>> gradcore._C._nn_reduced(gradcore._C._nn_mse(gradcore.tensor([1.0, 2.0]), gradcore.zeros(2)), True)
    tensor(2.5000)
    """,
    "_nn_bce": """
    What nn.functional.binary_cross_entropy() computes of each element, before weights and reduction.

    >>> gradcore._C._nn_bce(gradcore.tensor([0.5]), gradcore.tensor([1.0]))
    tensor([0.6931])
    """,
    "_nn_bce_with_logits": """
    What nn.functional.binary_cross_entropy_with_logits() computes of each element, before weights and reduction.

    >>> gradcore._C._nn_bce_with_logits(gradcore.zeros(1), gradcore.ones(1))
    tensor([0.6931])
    """,
    "grid_sampler": """
    nn.functional.grid_sample(), the modes being numbers: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros, 1 border, 2 reflection.

    Raises RuntimeError for other numbers (torch reads what is not there) and for tensors that do not fit.

    >>> gradcore.grid_sampler(gradcore.tensor([[[[1.0, 3.0]]]]), gradcore.zeros(1, 1, 1, 2), 0, 0, True)
    tensor([[[[2.]]]])
    """,
    "grid_sampler_2d": """
    grid_sampler() of images (N, C, H, W) alone.

    >>> gradcore.grid_sampler_2d(gradcore.tensor([[[[1.0, 3.0]]]]), gradcore.zeros(1, 1, 1, 2), 0, 0, True)
    tensor([[[[2.]]]])
    """,
    "grid_sampler_3d": """
    grid_sampler() of volumes (N, C, D, H, W) alone.

    >>> gradcore.grid_sampler_3d(gradcore.tensor([[[[[1.0, 3.0]]]]]), gradcore.zeros(1, 1, 1, 1, 3), 0, 0, True)
    tensor([[[[[2.]]]]])
    """,
    "_nn_pad": """
    Adds elements before and after, in the last dim by pad[0] and pad[1], in the one before by pad[2] and pad[3] ...

    mode: 'constant' (any dims; value, by default 0; negative numbers cut), 'reflect', 'replicate' or 'circular' (the last
    one, two or three dims of an input with one or two more). Raises RuntimeError and NotImplementedError for what does not
    fit. Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html>.

    >>> gradcore.nn.functional.pad(gradcore.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    >>> gradcore.nn.functional.pad(gradcore.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """,
    "_nn_unfold": """
    The windows of a convolution as columns: (N, C, H, W) to (N, C * kernel, windows), or without N.

    Raises RuntimeError for sizes that do not fit.
    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html>.

    >>> gradcore.nn.functional.unfold(gradcore.arange(6.0).view(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """,
    "_nn_fold": """
    The transpose of unfold(): columns (N, C * kernel, windows) are added where they lie in (N, C, *output_size).

    Raises RuntimeError for sizes that do not fit.
    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html>.

    >>> gradcore.nn.functional.fold(gradcore.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """,
    "pixel_shuffle": """
    Groups of r^2 channels become r x r pixels: (..., C * r^2, H, W) to (..., C, H * r, W * r).

    Raises RuntimeError for fewer than three dims and a number of channels that does not fit.
    Source: W. Shi et al., "Real-time single image and video super-resolution", 2016.

    >>> gradcore.nn.functional.pixel_shuffle(gradcore.arange(4.0).view(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """,
    "pixel_unshuffle": """
    What pixel_shuffle() did, undone: (..., C, H * r, W * r) to (..., C * r^2, H, W).

    >>> gradcore.nn.functional.pixel_unshuffle(gradcore.ones(1, 4, 4), 2).shape
    torch.Size([4, 2, 2])
    """,
    "channel_shuffle": """
    Channels in the order 0, C / groups, 2 C / groups, ..., 1 ... input: (N, C, ...).

    Source: X. Zhang et al., "ShuffleNet", 2017.

    >>> gradcore.nn.functional.channel_shuffle(gradcore.arange(4.0).view(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """,
    "cosine_similarity": """
    x1 . x2 / (max(|x1|, eps) * max(|x2|, eps)) along dim; x1, x2 are broadcast.

    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html>.

    >>> gradcore.nn.functional.cosine_similarity(gradcore.tensor([[1.0, 1.0]]), gradcore.tensor([[2.0, 2.0]]))
    tensor([1.0000])
    """,
    "_nn_one_hot": """
    0 and 1 (int64) in a new last dim of num_classes, by default the largest class + 1.

    input: int64, from 0 to num_classes - 1. Raises RuntimeError for another dtype, or a class out of range.
    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html>.

    >>> gradcore.nn.functional.one_hot(gradcore.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """,
    "_nn_embedding_bag": """
    nn.functional.embedding_bag() of a table and indices, where every row counts and gradients are not scaled.

    >>> gradcore._C._nn_embedding_bag(gradcore.tensor([[1.0], [4.0]]), gradcore.tensor([[0, 1]]), mode="sum")
    tensor([[5.]])
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
    "_nn_multi_margin": """
    What nn.functional.multi_margin_loss() computes of each row, before reduction; squared: with p=2.

    >>> gradcore._C._nn_multi_margin(gradcore.tensor([[1.0, 1.0]]), gradcore.tensor([0]))
    tensor([0.5000])
    """,
    "_nn_multilabel_margin": """
    What nn.functional.multilabel_margin_loss() computes of each row, before reduction.

    >>> gradcore._C._nn_multilabel_margin(gradcore.tensor([[1.0, 1.0]]), gradcore.tensor([[0, -1]]))
    tensor([0.5000])
    """,
    "_nn_ctc_loss": """
    nn.functional.ctc_loss(), the lengths being tensors.

    >>> log_probs = gradcore.zeros(2, 1, 2).log_softmax(2)
    >>> one, two = gradcore.tensor([1]), gradcore.tensor([2])
    >>> gradcore._C._nn_ctc_loss(log_probs, gradcore.tensor([[1]]), two, one, 0, "mean", False)
    tensor(0.2877)
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
