"""Legal arguments that few programs pass: empty batches, negative padding, masks of several kinds, mixed dtypes, autocast."""

import contextlib
import warnings

import pytest

from support import both, dtype_name, gradcore, is_tensor, needs_torch

# Expressions of `lib`, `F` (nn.functional), `nn` and of `x`, ten numbers in (2, 5); each is evaluated in both libraries.
VALUES = {
    "circular padding that cuts": "F.pad(x, (-1, 2), mode='circular')",
    "circular padding that cuts and goes around": "F.pad(x, (-2, 3), mode='circular')",
    "circular padding that cuts both ends": "F.pad(x.view(1, 1, 2, 5), (-1, -2, 1, 0), mode='circular')",
    "nothing left of circular padding": "F.pad(x, (-2, -3), mode='circular')",
    "features of a vector that are all dropped": "F.dropout3d(x[0], 1.0)",
    "alpha dropout of a vector of which all is dropped": "F.feature_alpha_dropout(x[0], 1.0, True)",
    "fractional pool of no samples": "F.fractional_max_pool2d(lib.ones(0, 2, 5, 5, requires_grad=True), 2, 3)",
    "fractional pool of no samples with indices": "F.fractional_max_pool3d(lib.ones(0, 1, 5, 5, 5), 2, 3, return_indices=True)",
    "adaptive maxima of no channels": "F.adaptive_max_pool1d(lib.ones(0, 5), 2)",
    "adaptive means of no volumes": "F.adaptive_avg_pool3d(lib.ones(0, 5, 5, 5), 2)",
    "layer norm of no samples": "F.layer_norm(lib.ones(0, 3), (3,))",
    "maxima of ints with their places": "F.max_pool1d(lib.arange(12).view(1, 2, 6), 3, return_indices=True)",
    "a number beside a vector": "F.l1_loss(lib.tensor(0.5, dtype=lib.float64), x[0], reduction='none')",
    "a number beside a vector, squared": "F.mse_loss(lib.tensor(0.5, dtype=lib.float64), x[0])",
    "a number beside a vector, Huber's": "F.huber_loss(lib.tensor(0.5, dtype=lib.float64), x[0], reduction='none').shape",
    "a wide target of smooth_l1_loss": "F.smooth_l1_loss(x[0], x, reduction='none', beta=0)",
    "ints with weights": "F.mse_loss(lib.arange(3), lib.arange(3) * 2, weight=lib.tensor([1.0, 2.0, 1.0]))",
    "a wide target of multilabel_soft_margin_loss": "F.multilabel_soft_margin_loss(x, lib.ones(3, 2, 5))",
    "a target of another dtype": "F.binary_cross_entropy_with_logits(x.double(), x.sigmoid(), weight=lib.ones(5), reduction='none')",
    "a wide target of losses": "[f(a, b.double(), reduction=how) for f in (F.huber_loss, F.soft_margin_loss) for how in ('mean', 'none') for a, b in ((x, x + 1), (x.double(), x.float() + 1))]",
    "pairs of one order 0": "lib.autograd.grad(F.pdist(r, 0).sum(), r)",
    "maxima of empty bags": "F.embedding_bag(lib.empty(0).long(), x.clone().requires_grad_(), lib.tensor([0, 0]), mode='max')",
    "weights behind the last bag": "F.embedding_bag(lib.tensor([1, 0, 1, 0]), x, lib.tensor([0, 1, 3]), mode='sum', include_last_offset=True, padding_idx=0, per_sample_weights=lib.arange(4.0))",
    "zeros beside keys of the caller": "F.multi_head_attention_forward(*[x.view(1, 1, 10)] * 3, 10, 1, lib.arange(300.0).view(30, 10) / 300, None, None, None, True, 0.0, lib.eye(10), None, key_padding_mask=lib.tensor([[False]]), static_k=x.view(1, 1, 10), static_v=x.view(1, 1, 10))",
    "no bags at all": "F.embedding_bag(lib.empty(0, 3).long(), x.clone().requires_grad_(), mode='max')",
    "a window of too few dims": "repr(nn.Conv2d(3, 4, (3,)))",
    "a line into out": "F.linear(x, lib.ones(3, 5), out=lib.empty(2, 3))",
    "activations into out": "[f(x.abs(), out=lib.empty(0)) for f in (F.gelu, F.hardshrink, F.softshrink, F.softplus, F.logsigmoid)]",
    "means of windows into out": "[F.avg_pool2d(x[None], 2, out=lib.empty(0)), F.avg_pool3d(x[None, None], (1, 2, 2), out=lib.empty(0))]",
    "a bilinear form of bytes": "F.bilinear(*[lib.full((1, 1), 200, dtype=lib.uint8)] * 2, lib.ones(1, 1, 1, dtype=lib.uint8))",
    "largest sizes of windows": "[F.lp_pool1d(x, float('inf'), 2), F.lp_pool2d(x[None], float('inf'), 2, 1), F.lp_pool3d(-x.view(1, 1, 2, 5), float('inf'), (1, 2, 2), ceil_mode=True)]",
    "smallest sizes of windows": "F.lp_pool1d(-x, -float('inf'), 2)",
    "slopes of largest sizes": "lib.autograd.grad(F.lp_pool1d(-r, float('inf'), 2).sum(), r)",
    "smoothing below 0": "[F.cross_entropy(x, t, label_smoothing=-0.1) for t in (lib.tensor([0, 1]), x)]",
    "smoothing by NaN": "F.cross_entropy(x, lib.tensor([0, 1]), label_smoothing=float('nan'))",
    "a power that is a tensor": "F.multi_margin_loss(x, lib.tensor([0, 1]), lib.tensor(2))",
    "variances that are the samples' own": "[F.gaussian_nll_loss(x, x.exp(), lib.rand(*shape) + 1) for shape in ((1, 5), (2, 1), (2,))]",
    "a module with a number in channels_last": "list(nn.BatchNorm2d(2).to(memory_format=lib.channels_last).state_dict().values())",
}  # fmt: skip

REFUSED = {
    "smoothing above 1": ("F.cross_entropy(x, x, label_smoothing=1.1)", "label_smoothing must be between"),
    "dropout by NaN": ("F.dropout(x, float('nan'))", "has to be between 0 and 1, but got nan"),
    "dropout by NaN of channels": ("F.dropout2d(x, float('nan'))", "has to be between 0 and 1, but got nan"),
    "dropout by NaN that changes nothing": ("F.dropout(x, float('nan'), training=False)", "has to be between 0 and 1, but got nan"),
    "alpha dropout by NaN": ("nn.AlphaDropout(float('nan'))(x)", "has to be between 0 and 1, but got nan"),
    "more than there is cut": ("F.pad(x, (-3, -3), mode='circular')", "Negative padding value"),
    "an eps of 0 in training": ("F.batch_norm(x, None, None, training=True, eps=0.0)", "eps must be positive during training"),
    "a negative eps": ("F.batch_norm(x, x[0], x[0].exp(), eps=-1.0)", "eps must be non-negative"),
    "ints that diverge": ("F.kl_div(x, lib.arange(5))", "kl_div: Integral inputs not supported."),
    "ints among logarithms": ("F.kl_div(x.long(), x, log_target=True)", "kl_div: Integral inputs not supported."),
    "a volume below its window": ("F.avg_pool3d(lib.ones(1, 2, 4, 4), 3, padding=1)", "smaller than kernel size"),
    "adaptive maxima of nothing": ("F.adaptive_max_pool2d(lib.ones(2, 0, 3), 1)", "with dimension 1 being empty"),
    "adaptive means of too few dims": ("F.adaptive_avg_pool2d(x, (1, None))", "Input dimension should be at least 3"),
    "adaptive maxima of too few dims": ("F.adaptive_max_pool3d(x, (1, 1, 1))", "Input dimension should be at least 4"),
    "an activation into another dtype": ("F.gelu(x, out=lib.empty(2, 5).double())", "Found dtype Double but expected Float"),
    "variances of too few": ("F.gaussian_nll_loss(x, x, lib.ones(1, 1))", "var is of incorrect size"),
    "a bias that is a number": ("nn.LSTM(2, 3, bias=0)", "bias should be of type bool, got: int"),
    "a number of layers as batch_first": ("nn.GRU(2, 3, batch_first=2)", "batch_first should be of type bool"),
    "states of no inputs": ("nn.RNN(0, 3)", "input_size must be greater than zero"),
    "a delta that is a tensor": ("nn.HuberLoss(delta=x)", "delta must be a float or int"),
    "the last of no pairs": ("nn.ParameterDict().popitem()", "dictionary is empty"),
    "a bias beside keys of the caller": ("F.multi_head_attention_forward(*[x.view(1, 1, 10)] * 3, 10, 1, lib.ones(30, 10), None, *[lib.ones(1, 1, 10)] * 2, False, 0.0, lib.eye(10), None, static_k=x.view(1, 1, 10))", "bias cannot be added to static key."),
    "a mask for other heads": ("nn.MultiheadAttention(5, 5)(x, x, x, attn_mask=lib.zeros(4, 2, 2))", "Expected `attn_mask` shape to be (5, 2, 2)"),
    "weights of bags of another dtype": ("F.embedding_bag(lib.zeros(1, 2).long(), x, mode='sum', per_sample_weights=lib.ones(1, 2).double())", "'weight' to have the same type as tensor for argument #1 'per_sample_weights'"),
    "bags of integers": ("F.embedding_bag(lib.zeros(1, 2).long(), x.long())", "Half, BFloat16, Float, Double; but got torch.LongTensor"),
    "bags that begin at floats": ("F.embedding_bag(lib.zeros(2).long(), x, lib.zeros(1))", "'indices' to have one of the following scalar types"),
    "lanczos at corners": ("F.interpolate(lib.ones(1, 1, 2, 2), 3, mode='lanczos', align_corners=True)", "Lanczos mode does not support align_corners=True"),
    "lanczos with aliases": ("F.interpolate(lib.ones(1, 1, 2, 2), 3, mode='lanczos')", "Lanczos mode requires antialias=True"),
    "lanczos along a line": ("F.interpolate(lib.ones(1, 1, 2), 3, mode='lanczos')", "(got 3D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos"),
    "lanczos of ints": ("F.interpolate(lib.ones(1, 1, 2, 2).int(), 3, mode='lanczos', antialias=True)", "not implemented for 'Int'"),
    "bicubic along a line": ("F.interpolate(lib.ones(1, 1, 2), 3, mode='bicubic')", "Input Error: Only 3D, 4D and 5D input Tensors"),
    "linear of an image": ("F.interpolate(lib.ones(1, 1, 2, 2), 3, mode='linear')", "Got 4D input, but linear mode needs 3D input"),
    "a float size": ("F.interpolate(lib.ones(1, 1, 2), (2.0,))", "expected size to be one of int or"),
    "a float tensor as size": ("F.interpolate(lib.ones(1, 1, 2), (lib.tensor(2.0),))", "expected size to be one of int or"),
    "ratios of three dims": ("F.fractional_max_pool2d(lib.ones(1, 4, 4), 2, output_ratio=(0.5, 0.5, 0.5))", "single Int or tuple of Ints"),
    "scaled maxima of bags": ("F.embedding_bag(lib.zeros(1, 2).long(), x, mode='max', scale_grad_by_freq=True)", "max mode does not support"),
    "a padding_idx that is no row": ("F.embedding_bag(lib.zeros(1, 2).long(), x, padding_idx=7)", "padding_idx must be within"),
    "how large a lazy parameter is": ("nn.LazyLinear(2).weight.numel()", "Attempted to use an uninitialized parameter"),
    "how many dims a lazy parameter has": ("nn.LazyLinear(2).weight.dim()", "Attempted to use an uninitialized parameter"),
}  # fmt: skip


def evaluated(lib, text):
    lib.manual_seed(0)
    x = lib.randn(2, 5)
    names = {"lib": lib, "nn": lib.nn, "F": lib.nn.functional, "x": x, "r": x.clone().requires_grad_()}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = eval(text, names)  # noqa: S307  (texts of ours)
    return found, sorted(w.category.__name__ for w in seen)


@needs_torch
@pytest.mark.parametrize("name", VALUES)
def test_what_few_programs_pass(name):
    both(lambda lib: evaluated(lib, VALUES[name]), ulps=8, scale=0.1)


@needs_torch
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    text, phrase = REFUSED[name]
    both(lambda lib: evaluated(lib, text), raises=phrase)


def test_circular_padding_by_more_than_is_left_is_refused():
    """torch pads with what it finds in memory."""
    with pytest.raises(RuntimeError, match="wrapping around more than once"):
        gradcore.nn.functional.pad(gradcore.ones(2, 5), (3, -3), mode="circular")


@needs_torch
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 4), (2, 3, 4, 2), (2, 3, 2, 2, 2)])
def test_channels_that_dropout3d_drops(shape):
    """Of fewer than five dims the first is that of the channels."""

    def program(lib):
        lib.manual_seed(3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return lib.nn.functional.dropout3d(lib.ones(shape), 0.4)

    both(program)


HALVES = {
    "prelu": "F.prelu(h, lib.ones(1))", "prelu of floats": "F.prelu(x, lib.ones(1))", "bilinear": "F.bilinear(x, x, lib.ones(3, 5, 5))",
    "bilinear of halves": "F.bilinear(h, h, lib.ones(3, 5, 5).bfloat16())", "reflect": "F.pad(h, (1, 1), mode='reflect')",
    "reflect in volumes": "F.pad(h.view(1, 1, 1, 2, 5), (1, 1, 1, 1, 0, 0), mode='reflect')", "replicate": "F.pad(h, (1, 1), mode='replicate')",
    "circular": "F.pad(h, (1, 1), mode='circular')", "fractional pool": "F.fractional_max_pool2d(h.view(1, 2, 5), (1, 2), (1, 2))",
    "local_response_norm": "F.local_response_norm(h.view(1, 2, 5), 2)", "local_response_norm of pictures": "F.local_response_norm(h.view(1, 2, 5, 1), 2)",
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", HALVES)
def test_dtypes_under_autocast(name):
    def program(lib):
        lib.manual_seed(0)
        x = lib.randn(2, 5)
        names = {"lib": lib, "F": lib.nn.functional, "x": x, "h": x.bfloat16()}
        with lib.autocast("cpu"):
            return dtype_name(eval(HALVES[name], names).dtype)  # noqa: S307  (texts of ours)

    both(program)


MASKS = {
    "nothing may be seen": "dict(attn_mask=lib.ones(3, 3, dtype=lib.bool))",
    "a causal mask that is said to be one": "dict(attn_mask=later, is_causal=True, need_weights=False)",
    "another mask that is said to be causal": "dict(attn_mask=lib.zeros(3, 3), is_causal=True, need_weights=False)",
    "another mask that is said to be causal, with weights": "dict(attn_mask=lib.zeros(3, 3), is_causal=True)",
    "another mask that is said to be causal, with padding": "dict(attn_mask=lib.zeros(3, 3), is_causal=True, need_weights=False, "
    "key_padding_mask=lib.tensor([[False, True, False]]))",
    "a bool beside floats": "dict(attn_mask=later, key_padding_mask=lib.tensor([[False, True, False]]))",
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("added", [False, True], ids=["", "add_bias_kv"])
@pytest.mark.parametrize("name", MASKS)
def test_masks_of_attention(name, added):
    def program(lib):
        lib.manual_seed(0)
        x = lib.randn(3, 1, 4)
        m = lib.nn.MultiheadAttention(4, 2, add_bias_kv=added)
        later = lib.nn.Transformer.generate_square_subsequent_mask(3)
        options = eval(MASKS[name], {"lib": lib, "later": later})  # noqa: S307  (texts of ours)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            output, weights = m(x, x, x, **options)
        return [t.detach() for t in (output, weights) if is_tensor(t)], [str(w.message) for w in seen]

    both(program, ulps=100, scale=0.1, strides=None)


@needs_torch
@pytest.mark.parametrize("weights", [False, True])
def test_a_mask_of_another_dtype_is_refused(weights):
    def program(lib):
        x = lib.ones(3, 1, 4)
        return lib.nn.MultiheadAttention(4, 2)(x, x, x, need_weights=weights, attn_mask=lib.zeros(3, 3).double())

    both(program, raises="dtypes must be the same" if weights else "attn_mask dtype")


@needs_torch
@pytest.mark.parametrize("whole", [False, True], ids=["layer", "encoder"])
def test_encoders_name_the_masks_that_they_warn_of(whole):
    def program(lib):
        lib.manual_seed(0)
        net = lib.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)
        net = lib.nn.TransformerEncoder(net, 2, enable_nested_tensor=False) if whole else net
        x, mask = lib.randn(3, 1, 4), lib.zeros(3, 3)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            net(x, mask, src_key_padding_mask=lib.tensor([[False, False, True]]))
        return [str(w.message) for w in seen]

    both(program)


@needs_torch
@pytest.mark.parametrize("stack", ["Encoder", "Decoder"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_causal_masks_of_another_size_are_refused(stack, batch_first):
    """They are masks like others, which nobody may take for a hint."""

    def program(lib):
        layer = getattr(lib.nn, f"Transformer{stack}Layer")(4, 2, 8, dropout=0.0, batch_first=batch_first)
        net = getattr(lib.nn, f"Transformer{stack}")(layer, 1)
        mask = lib.nn.Transformer.generate_square_subsequent_mask(3)
        x = lib.ones(2, 4)
        for steps in (x, lib.ones(3, 2, 4), lib.ones(2, 3, 4)):
            memory = () if stack == "Encoder" else (steps,)
            with contextlib.suppress(RuntimeError):
                net(steps, *memory, mask)
                yield tuple(steps.shape)

    assert list(program(gradcore)) == [(2, 3, 4) if batch_first else (3, 2, 4)]
    both(lambda lib: list(program(lib)))


@needs_torch
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"mask": True}])
def test_attention_keeps_the_order_of_its_queries(swapped, options):
    """A program that makes a view of the result counts on it."""

    def program(lib):
        lib.manual_seed(0)
        q, k, v = (lib.randn(2, 5, 3, 4).transpose(1, 2) if swapped else lib.randn(2, 3, 5, 4) for _ in range(3))
        q.requires_grad_()
        given = {"attn_mask": lib.ones(5, 5).tril() > 0} if "mask" in options else options
        out = lib.nn.functional.scaled_dot_product_attention(q, k, v, **given)
        (gradient,) = lib.autograd.grad(out.square().sum(), q)
        view = out.transpose(1, 2).view(10, 12) if swapped else out.view(6, 20)
        return out.stride(), view, gradient

    both(program, ulps=64, scale=1.0, strides="any")


ENCODERS = {
    "as it is": ({}, {}),
    "before the norm": ({"norm_first": True}, {}),
    "time first": ({"batch_first": False}, {}),
    "an odd number of heads": ({"nhead": 1}, {}),
    "without bias": ({"bias": False}, {}),
    "another activation": ({"activation": abs}, {}),
    "switched off": ({}, {"enable_nested_tensor": False}),
    "with a norm behind": ({}, {"norm": 4}),
}


@needs_torch
@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("training", [False, True])
def test_padding_that_an_encoder_leaves_out(name, training):
    """Its output is 0 where torch does not compute it, and what the layers say elsewhere."""
    options, further = ENCODERS[name]

    def program(lib):
        lib.manual_seed(0)
        nn = lib.nn
        layer = nn.TransformerEncoderLayer(
            **{"d_model": 4, "nhead": 2, "dim_feedforward": 8, "dropout": 0.0, "batch_first": True, **options}
        )
        stack = {**further, "norm": nn.LayerNorm(4)} if "norm" in further else further
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net = nn.TransformerEncoder(layer, 2, **stack).train(training)
        said = [str(w.message) for w in caught if "enable_nested_tensor is True" in str(w.message)]
        x = lib.randn(3, 4, 4)
        size = 4 if options.get("batch_first", True) else 3
        x = x if size == 4 else x.transpose(0, 1).contiguous()
        ends = lib.tensor([[False, False, True, True], [False] * 4, [False, False, False, True]])
        middle = lib.tensor([[False, True, False, True], [False] * 4, [False] * 4])
        later = nn.Transformer.generate_square_subsequent_mask(4)
        with lib.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [
                net(x, src_key_padding_mask=m) for m in (ends, middle, lib.zeros(3, 4).masked_fill(ends, -float("inf")))
            ]
            found.append(net(x, later, lib.zeros(3, 4).masked_fill(ends, -float("inf"))))
            lib.backends.mha.set_fastpath_enabled(False)
            try:
                found.append(net(x, src_key_padding_mask=ends))
            finally:
                lib.backends.mha.set_fastpath_enabled(True)
        return said, found, net(x, src_key_padding_mask=ends).detach()

    both(program, ulps=64, scale=1.0)


@needs_torch
def test_the_old_place_of_functional_call_warns():
    def program(lib):
        net, x = lib.nn.Linear(1, 1), lib.ones(1, 1)
        with pytest.warns(FutureWarning, match="torch.func.functional_call") as seen:
            lib.nn.utils.stateless.functional_call(net, dict(net.named_parameters()), x)
        return len(seen)

    both(program)


@needs_torch
@pytest.mark.parametrize("device", ["cuda", "xpu", "mtia", "ipu"])
def test_modules_and_tensors_refuse_a_device_alike(device):
    """A module without tensors has nothing to move."""

    def program(lib):
        net = lib.nn.ReLU()
        assert getattr(net, device)() is net
        kinds = []
        for moved in (lib.ones(1), lib.nn.Linear(1, 1)):
            with pytest.raises((AssertionError, RuntimeError)) as caught:
                getattr(moved, device)()
            kinds.append(caught.type.__name__)
        return kinds

    both(program)


@needs_torch
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("record", [False, True])
def test_gradients_where_every_class_is_ignored(record, reduction):
    """The mean is NaN, and its gradient 0, also where the backward is recorded."""

    def program(lib):
        functional, found = lib.nn.functional, []
        for loss, shape, options in (
            (functional.nll_loss, (4, 5), {}),
            (functional.nll_loss, (2, 5, 3, 2), {"weight": lib.ones(5)}),
            (functional.cross_entropy, (4, 5), {}),
            (functional.cross_entropy, (2, 5, 3), {"weight": lib.ones(5), "label_smoothing": 0.1}),
        ):
            x = lib.ones(shape, requires_grad=True)
            target = lib.full((shape[0], *shape[2:]), -100)
            y = loss(x, target, reduction=reduction, **options).sum()
            found += [y.detach(), lib.autograd.grad(y, x, create_graph=record)[0].detach().abs()]
        return found

    both(program, strides="ignored")


@needs_torch
@pytest.mark.parametrize("norm_type", [1.0, 2.0])
@pytest.mark.parametrize("name", ["embedding", "embedding_bag"])
def test_rows_that_are_made_shorter_keep_their_tangents(name, norm_type):
    """A renormalisation has no history, and so no derivative. Of bags torch has no forward mode: one row is its mean."""

    def program(lib):
        x = lib.arange(6.0).view(3, 2) + 1
        bags = lib is gradcore and name == "embedding_bag"
        rows, look_up = lib.tensor([0, 2]), getattr(lib.nn.functional, name if bags else "embedding")
        where = rows.view(2, 1) if bags else rows
        with warnings.catch_warnings(action="ignore"):
            return lib.func.jvp(lambda w: look_up(where, w.clone(), max_norm=2.0, norm_type=norm_type), (x,), (x * 3,))

    both(program, ulps=4)
