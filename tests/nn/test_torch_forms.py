"""Functions that torch has under its own name beside nn.functional's: their arguments, and what they give."""

import pytest

from support import both, gradcore

REDUCTIONS = [0, 1, 2, 3]


def numbers(lib, *shape, seed=0, low=-2.0):
    step = 0.37 + 0.11 * seed
    flat = [low + (i * step) % 4 for i in range(lib.Size(shape).numel())]
    return lib.tensor(flat, dtype=lib.float64).view(shape)


def with_gradients(function, *leaves):
    leaves = [leaf.requires_grad_() for leaf in leaves]
    result = function(*leaves)
    result.sum().backward()
    return result.detach(), [leaf.grad for leaf in leaves]


def probabilities(lib, *shape):
    return numbers(lib, *shape, seed=1).softmax(-1)


LOSSES = {
    "kl_div": lambda lib, r: with_gradients(
        lambda x: lib.kl_div(x, probabilities(lib, 3, 4), r), numbers(lib, 3, 4).log_softmax(-1).detach()
    ),
    "kl_div of logarithms": lambda lib, r: with_gradients(
        lambda x: lib.kl_div(x, probabilities(lib, 3, 4).log(), reduction=r, log_target=True), numbers(lib, 3, 4)
    ),
    "ctc_loss": lambda lib, r: with_gradients(
        lambda x: lib.ctc_loss(
            x.log_softmax(2), lib.tensor([[1, 2], [2, 2]]), lib.tensor([5, 4]), lib.tensor([2, 1]), 0, r
        ),
        numbers(lib, 5, 2, 4),
    ),
    "binary_cross_entropy_with_logits": lambda lib, r: with_gradients(
        lambda x: lib.binary_cross_entropy_with_logits(
            x, probabilities(lib, 3, 4), numbers(lib, 3, 4, low=0.5), numbers(lib, 4, low=0.5), r
        ),
        numbers(lib, 3, 4),
    ),
    "poisson_nll_loss": lambda lib, r: with_gradients(
        lambda x: lib.poisson_nll_loss(x, numbers(lib, 3, 4, low=0.5), False, True, 1e-8, r),
        numbers(lib, 3, 4, low=0.5),
    ),
    "hinge_embedding_loss": lambda lib, r: with_gradients(
        lambda x: lib.hinge_embedding_loss(x, lib.tensor([1.0, -1.0, 1.0]), 0.7, r), numbers(lib, 2, 3)
    ),
    "margin_ranking_loss": lambda lib, r: with_gradients(
        lambda x, y: lib.margin_ranking_loss(x, y, lib.tensor([1.0, -1.0, 1.0]), 0.3, r),
        numbers(lib, 2, 3),
        numbers(lib, 3, seed=2),
    ),
    "cosine_embedding_loss": lambda lib, r: with_gradients(
        lambda x, y: lib.cosine_embedding_loss(x, y, lib.tensor([1, -1]), 0.2, r),
        numbers(lib, 2, 3),
        numbers(lib, 2, 3, seed=2),
    ),
    "triplet_margin_loss": lambda lib, r: with_gradients(
        lambda a, p, n: lib.triplet_margin_loss(a, p, n, 1.5, 3.0, 1e-6, True, r),
        numbers(lib, 2, 3),
        numbers(lib, 2, 3, seed=2),
        numbers(lib, 2, 3, seed=3),
    ),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_take_reductions_as_numbers(name, reduction):
    both(lambda lib: LOSSES[name](lib, reduction), ulps=64, scale=30)


@pytest.mark.parametrize("name", LOSSES)
def test_names_of_reductions_are_refused(name):
    with pytest.raises(TypeError, match="must be int, not str"):
        LOSSES[name](gradcore, "mean")


DROPOUTS = ["dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"]


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_that_decides_nothing(name):
    def program(lib):
        x = numbers(lib, 2, 3)
        plain, in_place = getattr(lib, name), getattr(lib, name + "_")
        kept = [plain(x, p, train) is x for p, train in ((0.5, False), (0.0, True))]
        written = x.clone()
        return kept, plain(x, 1.0, True), in_place(written, 1.0, True) is written, written

    both(program)


@pytest.mark.parametrize("name", DROPOUTS)
@pytest.mark.parametrize("p", [-0.5, 1.5])
def test_dropout_refuses_what_is_no_probability(name, p):
    both(lambda lib: getattr(lib, name)(lib.ones(2, 2), p, False), raises="has to be between 0 and 1, but got")


@pytest.mark.parametrize("name", DROPOUTS[1::2])
def test_channels_need_two_dims(name):
    both(lambda lib: getattr(lib, name)(lib.ones(2), 0.5, True), raises="requires at least 2 dimensions in the input")


def values_of(tensor):
    return sorted(set(tensor.reshape(-1).tolist()))


def test_dropout_drops_its_share():
    gradcore.manual_seed(0)
    x = gradcore.ones(100, 100, dtype=gradcore.float64)
    for name in ("dropout", "dropout_"):
        found = getattr(gradcore, name)(x.clone(), 0.25, True)
        assert values_of(found) == [0.0, 1 / 0.75]
        assert abs(float((found == 0).double().mean()) - 0.25) < 0.03
    whole = gradcore.feature_dropout(gradcore.ones(50, 40, 3), 0.5, True)
    assert ((whole == 0).all(2) | (whole == 2).all(2)).all() and values_of(whole) == [0.0, 2.0]
    alpha = gradcore.alpha_dropout(gradcore.randn(100, 100, dtype=gradcore.float64), 0.3, True)
    assert abs(float(alpha.mean())) < 0.05 and abs(float(alpha.var()) - 1) < 0.1


def test_rrelu():
    both(lambda lib: lib.rrelu(numbers(lib, 2, 3), 0.1, 0.3))
    both(lambda lib: lib.rrelu_(numbers(lib, 2, 3), 0.25, 0.25))
    both(lambda lib: lib.rrelu(numbers(lib, 2, 3), 0.5, 0.25), raises="Lower bound should be less than or equal to")


@pytest.mark.parametrize("name", ["rrelu", "rrelu_"])
def test_rrelu_draws_from_a_generator(name):
    def program(lib):
        generator = lib.Generator().manual_seed(3)
        return getattr(lib, name)(numbers(lib, 4, 5), 0.1, 0.9, True, generator)

    both(program, ulps=4)


CUTS = [(-1, 2), (2, -1), (-1, -1), (-3, 3), (3, -3), (-2, 4), (-3, -3), (-2, -4), (-4, -3), (7, -1), (0, -6), (-9, 9), (-7, 1), (1, -2)]  # fmt: skip


REASONS = ["is too small. Calculated output", "wrapping around more than once", "resulting in an empty dimension", "should be less than"]  # fmt: skip


def padded(lib, *arguments):
    """The padded tensor, or why there is none."""
    try:
        return lib.nn.functional.pad(*arguments)
    except RuntimeError as error:
        return [reason for reason in REASONS if reason in str(error)]


@pytest.mark.parametrize("mode", ["circular", "reflect", "replicate"])
@pytest.mark.parametrize("cut", CUTS)
def test_padding_by_negative_numbers(mode, cut):
    """Cuts, and wraps what is left."""
    both(lambda lib: padded(lib, lib.arange(12.0).reshape(2, 6), cut, mode), strides="none")
    if max(cut) < 4 and sum(cut) > -6:
        both(lambda lib: padded(lib, lib.arange(48.0).reshape(2, 4, 6), (*cut, 1, -1), mode), strides="none")


def test_circular_padding_wraps_once():
    """Where torch shows what lay in its memory."""
    for cut in [(-4, 3), (3, -4), (-6, 2), (1, -6)]:
        with pytest.raises(RuntimeError, match="wrapping around more than once"):
            gradcore.nn.functional.pad(gradcore.arange(6.0)[None], cut, mode="circular")
