"""Pools: the largest or the mean element of each window."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "_nn_fractional_max_pool": """
    The largest element of each window, and where in its plane it lies; a sample from 0 to 1 for each plane and dim says
    where the windows begin.

    input: (N, C, H, W) or (N, C, D, H, W); samples: (N, C, 2) or (N, C, 3). Raises RuntimeError for sizes that do not fit.

    >>> x, samples = gradcore.arange(9.0).view(1, 1, 3, 3), gradcore.zeros(1, 1, 2)
    >>> gradcore._C._nn_fractional_max_pool(x, samples, (2, 2), (2, 2))[0]
    tensor([[[[4., 5.],
              [7., 8.]]]])
    """,
    "_nn_max_pool1d": """
    The largest element of each window; with return_indices also where it lies.

    input: (N, C, L) or (C, L), of floats; stride: by default the kernel's size; padding: with -infinity; ceil_mode: with
    a last window that sticks out. A NaN is the largest. Raises RuntimeError for sizes that do not fit,
    NotImplementedError for ints.
    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html>.

    >>> gradcore.nn.functional.max_pool1d(gradcore.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[5., 3.]])
    """,
    "_nn_max_pool2d": """
    max_pool1d() in two dims. input: (N, C, H, W) or (C, H, W), also of ints; indices count through H and W, flat.

    >>> gradcore.nn.functional.max_pool2d(gradcore.tensor([[[1.0, 5.0], [2.0, 3.0]]]), 2, return_indices=True)
    (tensor([[[5.]]]), tensor([[[1]]]))
    """,
    "_nn_max_pool3d": """
    max_pool2d() in three dims. input: (N, C, D, H, W) or (C, D, H, W).

    >>> gradcore.nn.functional.max_pool3d(gradcore.ones(1, 2, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """,
    "_nn_max_pool1d_with_indices": """
    max_pool1d() with return_indices.

    >>> gradcore.nn.functional.max_pool1d_with_indices(gradcore.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """,
    "_nn_max_pool2d_with_indices": """
    max_pool2d() with return_indices.

    >>> gradcore.nn.functional.max_pool2d_with_indices(gradcore.arange(4.0).view(1, 2, 2), 2)
    (tensor([[[3.]]]), tensor([[[3]]]))
    """,
    "_nn_max_pool3d_with_indices": """
    max_pool3d() with return_indices.

    >>> values, indices = gradcore.nn.functional.max_pool3d_with_indices(gradcore.arange(8.0).view(1, 2, 2, 2), 2)
    >>> indices.flatten()
    tensor([7])
    """,
    "max_pool1d": """
    The largest element of each window: nn.functional.max_pool1d() without indices.

    >>> gradcore.max_pool1d(gradcore.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[5., 3.]])
    """,
    "max_pool2d": """
    The largest element of each window: nn.functional.max_pool2d() without indices.

    >>> gradcore.max_pool2d(gradcore.tensor([[[1.0, 5.0], [2.0, 3.0]]]), 2)
    tensor([[[5.]]])
    """,
    "max_pool3d": """
    The largest element of each window: nn.functional.max_pool3d() without indices.

    >>> gradcore.max_pool3d(gradcore.arange(8.0).view(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """,
    "max_pool1d_with_indices": """
    nn.functional.max_pool1d() with its indices.

    >>> gradcore.max_pool1d_with_indices(gradcore.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """,
    "avg_pool1d": """
    The mean of each window.

    input: (N, C, L) or (C, L), of floats or int64; stride: by default the kernel's size; ceil_mode: with a last window
    that sticks out; count_include_pad: whether padding counts as elements. Raises RuntimeError for sizes that do not fit,
    NotImplementedError for other dtypes.
    Source: <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html>.

    >>> gradcore.nn.functional.avg_pool1d(gradcore.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[3.0000, 2.5000]])
    """,
    "_nn_avg_pool2d": """
    avg_pool1d() in two dims. input: (N, C, H, W) or (C, H, W); divisor_override: by what sums are divided.

    >>> gradcore.nn.functional.avg_pool2d(gradcore.tensor([[[1.0, 5.0], [2.0, 4.0]]]), 2)
    tensor([[[3.]]])
    """,
    "_nn_avg_pool3d": """
    avg_pool2d() in three dims. input: (N, C, D, H, W) or (C, D, H, W).

    >>> gradcore.nn.functional.avg_pool3d(gradcore.ones(1, 2, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """,
    "adaptive_avg_pool1d": """
    Means of as many windows as output_size says: nn.functional.adaptive_avg_pool1d().

    >>> gradcore.adaptive_avg_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5000, 4.0000]])
    """,
    "adaptive_max_pool1d": """
    Maxima of as many windows as output_size says, and where they lie: nn.functional.adaptive_max_pool1d().

    >>> gradcore.adaptive_max_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    (tensor([[2., 6.]]), tensor([[1, 2]]))
    """,
    "_nn_adaptive_avg_pool1d": """
    nn.functional.adaptive_avg_pool1d(), whose text says more.

    >>> gradcore._C._nn_adaptive_avg_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5000, 4.0000]])
    """,
    "_nn_adaptive_avg_pool2d": """
    nn.functional.adaptive_avg_pool2d() of given sizes.

    >>> gradcore._C._nn_adaptive_avg_pool2d(gradcore.ones(1, 5, 7), 2).shape
    torch.Size([1, 2, 2])
    """,
    "_nn_adaptive_avg_pool3d": """
    nn.functional.adaptive_avg_pool3d() of given sizes.

    >>> gradcore._C._nn_adaptive_avg_pool3d(gradcore.ones(1, 5, 7, 3), 2).shape
    torch.Size([1, 2, 2, 2])
    """,
    "_nn_adaptive_max_pool1d": """
    nn.functional.adaptive_max_pool1d(), whose text says more.

    >>> gradcore._C._nn_adaptive_max_pool1d(gradcore.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[2., 6.]])
    """,
    "_nn_adaptive_max_pool2d": """
    nn.functional.adaptive_max_pool2d() of given sizes.

    >>> gradcore._C._nn_adaptive_max_pool2d(gradcore.ones(1, 5, 7), 2).shape
    torch.Size([1, 2, 2])
    """,
    "_nn_adaptive_max_pool3d": """
    nn.functional.adaptive_max_pool3d() of given sizes.

    >>> gradcore._C._nn_adaptive_max_pool3d(gradcore.ones(1, 5, 7, 3), 2).shape
    torch.Size([1, 2, 2, 2])
    """,
    "_nn_max_unpool1d": """
    Elements at their places, of 0 elsewhere: what nn.functional.max_unpool1d() does with the size that it found.

    >>> gradcore._C._nn_max_unpool1d(gradcore.tensor([[5.0]]), gradcore.tensor([[1]]), 2)
    tensor([[0., 5.]])
    """,
    "_nn_max_unpool2d": """
    Elements at their places, of 0 elsewhere: what nn.functional.max_unpool2d() does with the sizes that it found.

    >>> gradcore._C._nn_max_unpool2d(gradcore.tensor([[[5.0]]]), gradcore.tensor([[[1]]]), 2)
    tensor([[[0., 5.],
             [0., 0.]]])
    """,
    "_nn_max_unpool3d": """
    Elements at their places, of 0 elsewhere: what nn.functional.max_unpool3d() does with the sizes that it found.

    >>> gradcore._C._nn_max_unpool3d(gradcore.ones(1, 1, 1, 1), gradcore.tensor([[[[1]]]]), (1, 1, 2))
    tensor([[[[0., 1.]]]])
    """,
    "_nn_upsample": """
    What nn.functional.interpolate() does with the sizes that it found; no scale_factors: the sizes tell.

    >>> gradcore._C._nn_upsample(gradcore.tensor([[[1.0, 3.0]]]), [4], "linear", [])
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """,
}

__test__ = TEXTS
