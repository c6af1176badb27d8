"""A row for each module: how it is made and what it is called with. Start at ROWS.

The tests of test_modules.py run over all of them; a module class of gradcore.nn without a row fails there.
"""

import numpy as np
from nn_data import Fixed, const, f, i, kinks, p, signs


class Row:
    """name: the class; args, kwargs: of its constructor; inputs: of the call.

    bad: inputs that are refused; random: results are random in training, with the same numbers as torch's; gradgrad:
    whether second derivatives are compared; dtype: of the inputs ('float32' where the module has no double()).
    """

    def __init__(
        self, name, *args, inputs, bad=(), label="", gradgrad=True, grad=True, batch=True, rough=False, **kwargs
    ):
        self.name, self.args, self.kwargs, self.inputs, self.bad = name, args, kwargs, inputs, bad
        self.gradgrad = gradgrad and grad
        self.grad = grad  # whether gradients are compared
        self.batch = batch  # whether dim 0 of each input is one of samples, which may be 0
        self.rough = rough  # torch computes with constants of single precision: True, or in "second" derivatives only
        words = [repr(a) for a in args] + [f"{k}={v!r}" for k, v in kwargs.items()] + ([label] if label else [])
        self.id = f"{name}({', '.join(words)})"


def elementwise(name, *args, **kwargs):
    return Row(name, *args, inputs=(kinks(),), **kwargs)


ACTIVATIONS = [
    elementwise("ReLU"),
    elementwise("Sigmoid"),
    elementwise("Tanh"),
    elementwise("SiLU"),
    elementwise("Mish"),
    elementwise("Hardsigmoid", rough=True, gradgrad=False),
    elementwise("Hardswish"),
    elementwise("Hardtanh"),
    elementwise("Hardtanh", -0.5, 3.0),
    elementwise("ReLU6"),
    elementwise("LeakyReLU"),
    elementwise("LeakyReLU", -0.2),
    elementwise("ELU", 0.7),
    elementwise("CELU", 2.0),
    elementwise("SELU"),
    elementwise("GELU"),
    elementwise("GELU", "tanh"),
    elementwise("Hardshrink"),
    elementwise("Softshrink"),
    elementwise("LogSigmoid"),
    elementwise("Softsign"),
    elementwise("Tanhshrink"),
    elementwise("Softplus"),
    elementwise("Softplus", 2.0, 5.0),
    elementwise("Threshold", 0.5, 9.0),
    elementwise("PReLU"),
    elementwise("RReLU"),
    Row("RReLU", inputs=(f(4, 5),)),
    Row("PReLU", 3, inputs=(f(2, 3, 4),), bad=[(f(2, 4),)]),
    Row("GLU", inputs=(f(3, 4),), bad=[(f(3, 3),), (f(),)]),
    Row("GLU", 1, inputs=(f(3, 4, 2),)),
    Row("Softmax", 1, inputs=(f(3, 4),), bad=[(f(3),)]),
    Row("Softmax", inputs=(f(3, 4),), label="dim guessed"),
    Row("Softmin", 0, inputs=(f(3, 4),)),
    Row("LogSoftmax", -1, inputs=(f(3, 4),)),
    Row("Softmax2d", inputs=(f(2, 3, 2, 2),), bad=[(f(2, 3),)]),
]

LINEAR = [
    Row("Identity", 3, unused=4, inputs=(f(2, 3),)),
    Row("Linear", 4, 3, inputs=(f(2, 4),), bad=[(f(2, 3),), (f(),)]),
    Row("Linear", 4, 3, bias=False, inputs=(f(5, 2, 4),), bad=[(f(2, 3),)]),
    Row("Linear", 4, 3, inputs=(f(4),), batch=False),
    Row("LazyLinear", 3, inputs=(f(2, 4),)),
    Row("Bilinear", 3, 2, 4, inputs=(f(5, 3), f(5, 2)), bad=[(f(5, 3), f(5, 3)), (f(5, 3), f(4, 2))]),
    Row("Bilinear", 3, 2, 4, bias=False, inputs=(f(2, 5, 3), f(2, 5, 2))),
    Row("Flatten", inputs=(f(2, 3, 4),)),
    Row("Flatten", 0, 1, inputs=(f(2, 3, 4),)),
    Row("Unflatten", 1, (2, -1), inputs=(f(3, 4),), bad=[(f(3, 5),)]),
]

DROPOUT = [
    Row("Dropout", inputs=(f(5, 6),)),
    Row("Dropout", 1.0, inputs=(f(5, 6),)),
    Row("Dropout1d", 0.4, inputs=(f(3, 4, 5),), bad=[(f(3),)]),
    Row("Dropout1d", 0.4, inputs=(f(3, 4),), batch=False),
    Row("Dropout2d", 0.4, inputs=(f(3, 4, 2, 2),), bad=[(f(3),)]),
    Row("Dropout3d", 0.4, inputs=(f(3, 4, 2, 2, 2),)),
    Row("AlphaDropout", 0.3, inputs=(f(5, 6),)),
    Row("FeatureAlphaDropout", 0.3, inputs=(f(5, 6, 2),), bad=[(f(3),)]),
]

CLASSES = Fixed([1, 0, 2])
LOSSES = [
    Row("L1Loss", inputs=(f(3, 4), f(3, 4))),
    Row("MSELoss", inputs=(f(3, 4), f(3, 4))),
    Row("MSELoss", reduction="sum", inputs=(f(3, 4), f(4))),
    Row("SmoothL1Loss", beta=0.5, inputs=(f(3, 4), f(3, 4))),
    Row("SmoothL1Loss", beta=0.0, inputs=(f(3, 4), f(3, 4))),
    Row("HuberLoss", delta=0.7, inputs=(f(3, 4), f(3, 4))),
    Row("NLLLoss", inputs=(f(3, 4), CLASSES), bad=[(f(3, 2), CLASSES), (f(2, 4), CLASSES), (f(3, 4), f(3))]),
    Row("NLLLoss", ignore_index=1, inputs=(f(3, 4), CLASSES)),
    Row("NLLLoss", reduction="none", inputs=(f(3, 4, 2), i(4, 3, 2)), bad=[(f(3, 4, 2), i(4, 3, 3))]),
    Row("NLLLoss2d", inputs=(f(3, 4, 2, 2), i(4, 3, 2, 2))),
    Row("CrossEntropyLoss", inputs=(f(3, 4), CLASSES), bad=[(f(3, 2), CLASSES), (f(2, 4), CLASSES)]),
    Row("CrossEntropyLoss", inputs=(f(4), Fixed(2)), batch=False),
    Row("CrossEntropyLoss", inputs=(f(3, 4), p(3, 4)), label="probabilities"),
    Row("CrossEntropyLoss", label_smoothing=0.1, inputs=(f(3, 4), CLASSES)),
    Row("CrossEntropyLoss", label_smoothing=0.1, ignore_index=2, inputs=(f(3, 4), CLASSES)),
    Row("CrossEntropyLoss", label_smoothing=0.1, reduction="none", inputs=(f(3, 4), p(3, 4))),
    Row("CrossEntropyLoss", reduction="sum", inputs=(f(3, 4, 2), i(4, 3, 2))),
    Row("LinearCrossEntropyLoss", 4, 3, inputs=(f(5, 4), i(3, 5)), gradgrad=False),
    Row("PoissonNLLLoss", inputs=(f(3, 4), p(3, 4))),
    Row("PoissonNLLLoss", log_input=False, full=True, inputs=(p(4), const(Fixed([0.0, 1.0, 2.0, 5.0])))),
    Row("GaussianNLLLoss", inputs=(f(3, 4), f(3, 4), p(3, 4)), bad=[(f(3, 4), f(3, 4), f(3, 4))]),
    Row("GaussianNLLLoss", full=True, inputs=(f(3, 4), f(3, 4), p(3, 1))),
    Row("KLDivLoss", inputs=(f(3, 4), p(3, 4))),
    Row("KLDivLoss", reduction="batchmean", inputs=(f(2, 2), const(Fixed([[0.0, 1.0], [0.3, 0.7]])))),
    Row("KLDivLoss", log_target=True, inputs=(f(3, 4), f(3, 4))),
    Row("BCELoss", rough="second", inputs=(p(3, 4), p(3, 4)), bad=[(f(3, 4), p(3, 4)), (p(3, 4), p(4))]),
    Row(
        "BCELoss",
        reduction="none",
        gradgrad=False,
        rough=True,
        inputs=(Fixed([0.0, 1.0, 0.0, 1.0, 0.5]), const(Fixed([0.0, 0.0, 1.0, 1.0, 1.0]))),
    ),
    Row("BCEWithLogitsLoss", inputs=(f(3, 4), p(3, 4)), bad=[(f(3, 4), p(4))]),
    Row("HingeEmbeddingLoss", inputs=(f(3, 4), signs(3, 4))),
    Row(
        "MultiLabelMarginLoss",
        gradgrad=False,
        batch=False,
        inputs=(f(2, 4), Fixed([[3, 0, -1, 1], [1, -1, 0, 0]])),
        bad=[(f(2, 3), i(3, 2, 4))],
    ),
    Row("SoftMarginLoss", inputs=(f(3, 4), const(signs(3, 4)))),
    Row("MultiLabelSoftMarginLoss", inputs=(f(3, 4), p(3, 4))),
    Row("CosineEmbeddingLoss", 0.1, inputs=(f(4, 3), f(4, 3), signs(4)), bad=[(f(3), f(3), signs(4))]),
    Row("MarginRankingLoss", 0.1, inputs=(f(4), f(4), signs(4)), bad=[(f(4), f(4), signs(1, 4))]),
    Row(
        "MultiMarginLoss",
        gradgrad=False,
        batch=False,
        inputs=(f(3, 4), CLASSES),
        bad=[(f(3, 2), CLASSES), (f(2, 4), CLASSES)],
    ),
    Row("MultiMarginLoss", gradgrad=False, batch=False, p=2, reduction="none", inputs=(f(3, 4), CLASSES)),
    Row("TripletMarginLoss", inputs=(f(4, 3), f(4, 3), f(4, 3))),
    Row("TripletMarginLoss", p=1, swap=True, inputs=(f(4, 3), f(4, 3), f(4, 3))),
    Row("TripletMarginWithDistanceLoss", inputs=(f(4, 3), f(4, 3), f(4, 3))),
    Row("CTCLoss", inputs=(f(6, 2, 4), Fixed([[1, 2, 2], [3, 0, 1]]), (6, 5), (3, 1)), gradgrad=False, batch=False),
    Row(
        "CTCLoss",
        reduction="none",
        zero_infinity=True,
        inputs=(f(6, 2, 4), Fixed([1, 1, 3]), (2, 5), (2, 1)),
        gradgrad=False,
        batch=False,
    ),
]

DISTANCES = [
    Row("PairwiseDistance", inputs=(f(4, 3), f(4, 3))),
    Row("PairwiseDistance", 1.0, keepdim=True, inputs=(f(4, 3), f(3))),
    Row("CosineSimilarity", inputs=(f(4, 3), f(4, 3))),
    Row("CosineSimilarity", 0, 1.5, inputs=(f(4, 3), f(4, 1))),
]

NORMS = [
    Row("BatchNorm1d", 3, inputs=(f(4, 3),), bad=[(f(3),), (f(4, 2),), (f(1, 3),)]),
    Row("BatchNorm1d", 3, affine=False, track_running_stats=False, inputs=(f(4, 3, 2),)),
    Row("BatchNorm2d", 3, momentum=None, inputs=(f(4, 3, 2, 2),), bad=[(f(4, 3),)]),
    Row("BatchNorm2d", 3, bias=False, eps=0.1, inputs=(f(4, 3, 2, 2),)),
    Row("BatchNorm3d", 2, inputs=(f(2, 2, 2, 2, 2),), bad=[(f(4, 3),)]),
    Row("SyncBatchNorm", 3, inputs=(f(4, 3, 2),)),
    Row("LazyBatchNorm1d", inputs=(f(4, 3),), bad=[(f(3),)]),
    Row("LazyBatchNorm2d", inputs=(f(4, 3, 2, 2),)),
    Row("LazyBatchNorm3d", inputs=(f(4, 3, 2, 2, 1),)),
    Row("InstanceNorm1d", 3, inputs=(f(2, 3, 4),), bad=[(f(4),), (f(2, 3, 1),)]),
    Row("InstanceNorm1d", 3, affine=True, track_running_stats=True, inputs=(f(3, 4),), batch=False, bad=[(f(2, 4),)]),
    Row("InstanceNorm2d", 3, affine=True, bias=False, batch=False, inputs=(f(2, 3, 4, 2),), bad=[(f(4),)]),
    Row("InstanceNorm3d", 3, track_running_stats=True, inputs=(f(2, 3, 2, 2, 2),)),
    Row("LazyInstanceNorm1d", batch=False, inputs=(f(2, 3, 4),)),
    Row("LazyInstanceNorm2d", batch=False, inputs=(f(2, 3, 4, 2),)),
    Row("LazyInstanceNorm3d", batch=False, inputs=(f(2, 3, 4, 2, 2),)),
    Row("LayerNorm", 3, inputs=(f(4, 3),), bad=[(f(4, 2),), (f(),)]),
    Row("LayerNorm", (3, 2), bias=False, inputs=(f(4, 3, 2),)),
    Row("LayerNorm", [5], elementwise_affine=False, inputs=(f(4, 3, 5),)),
    Row("RMSNorm", 3, inputs=(f(4, 3),), bad=[(f(4, 2),)]),
    Row("RMSNorm", (3, 2), 0.1, False, inputs=(f(4, 3, 2),)),
    Row("GroupNorm", 2, 4, inputs=(f(3, 4, 3),), bad=[(f(3, 3),), (f(3),)]),
    Row("GroupNorm", 2, 4, affine=False, inputs=(f(3, 4, 2, 2),)),
    Row("GroupNorm", 4, 4, bias=False, inputs=(f(3, 4, 5),)),
    Row("LocalResponseNorm", 2, 0.5, inputs=(f(3, 4, 2),), bad=[(f(3, 4),)]),
    Row("LocalResponseNorm", 3, 0.5, 1.5, 2.0, inputs=(f(3, 4, 2, 2),)),
    # torch's gradient is not that of its own forward, in which the first channel never leaves the window.
    Row("CrossMapLRN2d", 3, 0.5, inputs=(f(3, 4, 2, 2),), grad=False, batch=False),
]

SPACE = {1: (5,), 2: (5, 4), 3: (4, 3, 5)}  # spatial dims of the inputs of layers for 1, 2 and 3 of them
CONVOLUTIONS = [
    row
    for d, space in SPACE.items()
    for row in (
        Row(f"Conv{d}d", 4, 6, 3, inputs=(f(2, 4, *space),), bad=[(f(2, 3, *space),), (f(4),), (f(2, 4, *[1] * d),)]),
        Row(f"Conv{d}d", 4, 6, 2, stride=2, padding=1, groups=2, bias=False, inputs=(f(2, 4, *space),)),
        Row(f"Conv{d}d", 2, 2, 2, padding="same", padding_mode="circular", inputs=(f(2, *space),), batch=False),
        Row(f"Conv{d}d", 3, 3, 3, padding=1, padding_mode="reflect", groups=3, inputs=(f(2, 3, *space),)),
        Row(f"ConvTranspose{d}d", 4, 6, 3, inputs=(f(2, 4, *space),), bad=[(f(2, 3, *space),), (f(4),)]),
        Row(f"ConvTranspose{d}d", 4, 2, 2, 2, 1, output_padding=1, groups=2, inputs=(f(2, 4, *space),)),
        Row(f"LazyConv{d}d", 4, 2, inputs=(f(2, 3, *space),), bad=[(f(4),)]),
        Row(f"LazyConvTranspose{d}d", 4, 2, bias=False, inputs=(f(2, 3, *space),)),
    )
]

POOLS = [
    row
    for d, space in SPACE.items()
    for row in (
        Row(f"MaxPool{d}d", 2, inputs=(f(2, 3, *space),), bad=[(f(3),), (f(2, 3, *[1] * d),)]),
        Row(f"MaxPool{d}d", 3, 2, 1, ceil_mode=True, inputs=(f(3, *space),), batch=False),
        Row(f"MaxPool{d}d", 2, return_indices=True, inputs=(f(2, 3, *space),)),
        Row(f"AvgPool{d}d", 2, inputs=(f(2, 3, *space),), bad=[(f(2, 3, *[1] * d),)]),
        Row(f"AvgPool{d}d", 3, 2, 1, ceil_mode=True, count_include_pad=False, inputs=(f(2, 3, *space),)),
        Row(f"LPPool{d}d", 2, 2, inputs=(f(2, 3, *space),)),
        Row(f"AdaptiveMaxPool{d}d", 2, inputs=(f(2, 3, *space),), bad=[(f(3),)]),
        Row(f"AdaptiveAvgPool{d}d", 2, inputs=(f(2, 3, *space),), bad=[(f(3),)]),
        Row(f"AdaptiveAvgPool{d}d", 1, inputs=(f(2, 3, *space),)),
        Row(
            f"MaxUnpool{d}d",
            1,
            inputs=(f(1, 2, *[2] * d), Fixed(np.arange(2 * 2**d).reshape(1, 2, *[2] * d) % 2**d)),
            batch=False,
        ),
    )
] + [
    Row("FractionalMaxPool2d", 2, output_size=3, inputs=(f(2, 3, 5, 5),), batch=False),
    Row("FractionalMaxPool2d", 2, output_ratio=0.6, return_indices=True, inputs=(f(3, 5, 5),), batch=False),
    Row("FractionalMaxPool3d", 2, output_size=2, inputs=(f(2, 3, 4, 4, 4),), batch=False),
]

PADS = [
    row
    for d, space in SPACE.items()
    for row in (
        Row(f"ConstantPad{d}d", 1, 2.5, inputs=(f(2, 3, *space),)),
        Row(f"ZeroPad{d}d", tuple(range(2 * d)), inputs=(f(2, 3, *space),)),
        Row(f"ReflectionPad{d}d", 1, inputs=(f(2, 3, *space),), bad=[(f(3),), (f(2, 3, *[1] * d),)]),
        Row(f"ReplicationPad{d}d", tuple(range(2 * d)), inputs=(f(2, 3, *space),), bad=[(f(3),)]),
        Row(f"CircularPad{d}d", 2, inputs=(f(2, 3, *space),), bad=[(f(3),)]),
    )
]

IMAGES = [
    Row("Upsample", 7, inputs=(f(2, 3, 5),)),
    Row("Upsample", scale_factor=1.7, mode="bilinear", inputs=(f(2, 3, 5, 4),), bad=[(f(2, 3, 5),)]),
    Row("Upsample", scale_factor=(2, 0.5), mode="bicubic", align_corners=True, inputs=(f(2, 3, 5, 4),)),
    Row("UpsamplingNearest2d", scale_factor=2, inputs=(f(2, 3, 5, 4),)),
    Row("UpsamplingBilinear2d", (7, 3), inputs=(f(2, 3, 5, 4),)),
    Row("PixelShuffle", 2, batch=False, inputs=(f(2, 8, 3, 2),), bad=[(f(2, 7, 3, 2),), (f(2, 2),)]),
    Row("PixelUnshuffle", 2, batch=False, inputs=(f(2, 2, 4, 6),), bad=[(f(2, 7, 3, 2),)]),
    Row("ChannelShuffle", 2, inputs=(f(2, 4, 3),), bad=[(f(2, 3, 3),)]),
    Row("Unfold", 2, padding=1, stride=2, inputs=(f(2, 3, 4, 5),), bad=[(f(3, 0, 4),)]),
    Row("Fold", (4, 5), 2, inputs=(f(2, 8, 12),), bad=[(f(2, 8, 11),), (f(2, 7, 12),)]),
]

TABLES = [
    Row("Embedding", 5, 3, inputs=(i(5, 2, 4),), bad=[(f(2),), (Fixed([7]),)]),
    Row("Embedding", 5, 3, padding_idx=-2, inputs=(i(5, 4, 4),)),
    Row("Embedding", 5, 3, max_norm=1.0, norm_type=1.0, inputs=(i(5, 4),), gradgrad=False),
    Row("Embedding", 5, 3, scale_grad_by_freq=True, inputs=(i(3, 8),), gradgrad=False),
    Row("EmbeddingBag", 5, 3, inputs=(i(5, 4, 2),), gradgrad=False, batch=False),
    Row(
        "EmbeddingBag", 5, 3, mode="sum", padding_idx=1, inputs=(i(5, 6), Fixed([0, 0, 4])), gradgrad=False, batch=False
    ),
    Row("EmbeddingBag", 5, 3, mode="max", inputs=(i(5, 6), Fixed([0, 2, 2])), gradgrad=False, batch=False),
    Row(
        "EmbeddingBag", 5, 3, include_last_offset=True, inputs=(i(5, 6), Fixed([0, 2, 6])), gradgrad=False, batch=False
    ),
]

RECURRENT = [
    row
    for kind in ("RNN", "LSTM", "GRU")
    for row in (
        Row(kind, 4, 3, inputs=(f(5, 2, 4),), batch=False, bad=[(f(5, 2, 3),), (f(4),), (f(0, 2, 4),)]),
        Row(kind, 4, 3, 2, bidirectional=True, batch_first=True, dropout=0.4, inputs=(f(2, 5, 4),)),
        Row(kind, 4, 3, bias=False, inputs=(f(5, 4),), batch=False),
        Row(f"{kind}Cell", 4, 3, inputs=(f(2, 4),), bad=[(f(2, 3),), (f(2, 2, 4),)]),
    )
] + [
    Row("RNN", 4, 3, 2, "relu", inputs=(f(5, 2, 4), f(2, 2, 3)), batch=False, bad=[(f(5, 2, 4), f(1, 2, 3))]),
    Row(
        "LSTM",
        4,
        3,
        proj_size=2,
        inputs=(f(5, 2, 4), (f(1, 2, 2), f(1, 2, 3))),
        batch=False,
        bad=[(f(5, 2, 4), (f(1, 2, 3), f(1, 2, 3)))],
    ),
    Row("GRU", 4, 3, inputs=(f(5, 2, 4), f(1, 2, 3)), batch=False, bad=[(f(5, 2, 4), f(2, 3))]),
    Row("LSTMCell", 4, 3, bias=False, inputs=(f(2, 4), (f(2, 3), f(2, 3))), bad=[(f(2, 4), (f(2, 2), f(2, 3)))]),
    Row("GRUCell", 4, 3, inputs=(f(4), f(3)), batch=False),
    Row("RNNCell", 4, 3, nonlinearity="relu", inputs=(f(2, 4), f(2, 3)), bad=[(f(2, 4), f(3, 3))]),
]

# torch has no second derivatives of its attention without weights.
ATTENTION = [
    Row(
        "MultiheadAttention",
        6,
        2,
        inputs=(f(4, 2, 6), f(3, 2, 6), f(3, 2, 6)),
        batch=False,
        bad=[
            (f(4, 2, 5), f(3, 2, 6), f(3, 2, 6)),
            (f(4, 6), f(3, 2, 6), f(3, 2, 6)),
            (f(4, 2, 6), f(3, 2, 6), f(2, 2, 6)),
        ],
    ),
    Row(
        "MultiheadAttention",
        6,
        2,
        kdim=4,
        vdim=5,
        batch_first=True,
        inputs=(f(2, 4, 6), f(2, 3, 4), f(2, 3, 5)),
        batch=False,
    ),
    Row(
        "MultiheadAttention",
        6,
        3,
        bias=False,
        add_bias_kv=True,
        add_zero_attn=True,
        inputs=(f(4, 6), f(3, 6), f(3, 6)),
        batch=False,
    ),
    Row("MultiheadAttention", 6, 2, dropout=0.3, inputs=(f(4, 2, 6), f(4, 2, 6), f(4, 2, 6)), batch=False),
    Row("TransformerEncoderLayer", 6, 2, 8, 0.0, inputs=(f(4, 2, 6),), batch=False, gradgrad=False),
    Row(
        "TransformerEncoderLayer",
        6,
        2,
        8,
        0.3,
        "gelu",
        batch_first=True,
        norm_first=True,
        inputs=(f(2, 4, 6),),
        batch=False,
        gradgrad=False,
    ),
    Row("TransformerDecoderLayer", 6, 2, 8, 0.3, inputs=(f(4, 2, 6), f(3, 2, 6)), batch=False, gradgrad=False),
    Row(
        "TransformerDecoderLayer",
        6,
        2,
        8,
        0.0,
        norm_first=True,
        bias=False,
        inputs=(f(4, 6), f(3, 6)),
        batch=False,
        gradgrad=False,
    ),
    Row(
        "Transformer",
        6,
        2,
        1,
        2,
        8,
        0.1,
        inputs=(f(4, 2, 6), f(3, 2, 6)),
        batch=False,
        gradgrad=False,
        bad=[(f(4, 2, 6), f(3, 1, 6)), (f(4, 2, 6), f(3, 2, 5))],
    ),
]

ADAPTIVE = [
    Row("AdaptiveLogSoftmaxWithLoss", 8, 20, [5, 10], 2.0, inputs=(f(6, 8), Fixed([1, 19, 4, 5, 9, 10])), batch=False,
        bad=[(f(6, 8), Fixed([1, 20, 4, 5, 9, 10])), (f(5, 8), Fixed([1, 19, 4, 5, 9, 10])), (f(8), Fixed([1]))]),
    Row("AdaptiveLogSoftmaxWithLoss", 8, 12, [4], head_bias=True, inputs=(f(8), Fixed(7)), batch=False),
]  # fmt: skip

ROWS = [
    *RECURRENT,
    *ATTENTION,
    *CONVOLUTIONS,
    *POOLS,
    *PADS,
    *IMAGES,
    *TABLES,
    *NORMS,
    *ACTIVATIONS,
    *LINEAR,
    *DROPOUT,
    *LOSSES,
    *DISTANCES,
    *ADAPTIVE,
]

# Bases and containers, whose tests are in test_module.py and test_containers.py.
NO_ROW = {
    "Module", "Container", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
    "TransformerEncoder", "TransformerDecoder", "RNNBase", "RNNCellBase", "DataParallel",  # in the rows of those that use them
}  # fmt: skip
