"""Convolutions."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "conv1d": """
    out[n, o, p] = bias[o] + sum over c, k of weight[o, c, k] * input[n, c, p * stride + k * dilation - padding].

    input: (N, C, L) or (C, L); weight: (out, C / groups, kernel); bias: (out). Each group of outputs sees its group of
    the channels alone. padding: zeros at both ends, or 'valid' for none, or 'same' for as many as keep the length. A list
    of one int stands for all dims. Raises RuntimeError for sizes and dtypes that do not fit, NotImplementedError for
    other dtypes than float32 and float64. The result is float32 or float64, in channels_last order where input or
    weight are. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html.

    >>> gradcore.conv1d(gradcore.tensor([[[1.0, 2.0, 4.0]]]), gradcore.tensor([[[1.0, -1.0]]]))
    tensor([[[-1., -2.]]])
    """,
    "conv2d": """
    conv1d() in two dims. input: (N, C, H, W) or (C, H, W); weight: (out, C / groups, kH, kW).

    Raises what conv1d() raises.

    >>> gradcore.conv2d(gradcore.ones(1, 1, 3, 3), gradcore.ones(1, 1, 2, 2), padding=1)[0, 0]
    tensor([[1., 2., 2., 1.],
            [2., 4., 4., 2.],
            [2., 4., 4., 2.],
            [1., 2., 2., 1.]])
    """,
    "conv3d": """
    conv1d() in three dims. input: (N, C, D, H, W) or (C, D, H, W); weight: (out, C / groups, kD, kH, kW).

    Raises what conv1d() raises.

    >>> gradcore.conv3d(gradcore.ones(1, 2, 3, 3, 3), gradcore.ones(4, 2, 2, 2, 2)).shape
    torch.Size([1, 4, 2, 2, 2])
    """,
    "conv_transpose1d": """
    What conv1d() with the same weight, stride and padding does to gradients, as a layer: it makes inputs longer.

    input: (N, C, L) or (C, L); weight: (C, out / groups, kernel); bias: (out). The result is (L - 1) * stride
    - 2 * padding + dilation * (kernel - 1) + output_padding + 1 long. Raises RuntimeError for sizes that do not fit, and
    NotImplementedError for other dtypes than float32 and float64. See
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html.

    >>> gradcore.conv_transpose1d(gradcore.tensor([[[1.0, 2.0]]]), gradcore.ones(1, 1, 2), stride=2)
    tensor([[[1., 1., 2., 2.]]])
    """,
    "conv_transpose2d": """
    conv_transpose1d() in two dims. input: (N, C, H, W) or (C, H, W); weight: (C, out / groups, kH, kW).

    Raises what conv_transpose1d() raises.

    >>> gradcore.conv_transpose2d(gradcore.ones(1, 3, 4, 4), gradcore.ones(3, 2, 3, 3), stride=2).shape
    torch.Size([1, 2, 9, 9])
    """,
    "conv_transpose3d": """
    conv_transpose1d() in three dims. input: (N, C, D, H, W) or (C, D, H, W); weight: (C, out / groups, kD, kH, kW).

    Raises what conv_transpose1d() raises.

    >>> gradcore.conv_transpose3d(gradcore.ones(1, 3, 2, 2, 2), gradcore.ones(3, 2, 3, 3, 3)).shape
    torch.Size([1, 2, 4, 4, 4])
    """,
    "convolution": """
    The op under all convolutions: of a batch, in as many dims as weight has sizes of a kernel (1 to 3).

    input: (N, C, *places); weight: (out, C / groups, *kernel), or (C, out / groups, *kernel) where `transposed`; bias:
    (out). output_padding counts for transposed convolutions alone. Raises RuntimeError for sizes and dtypes that do not
    fit, NotImplementedError for other dtypes than float32 and float64.

    >>> gradcore.convolution(gradcore.ones(1, 1, 3), gradcore.ones(1, 1, 2), None, [1], [0], [1], False, [0], 1)
    tensor([[[2., 2.]]])
    """,
}

__test__ = TEXTS
