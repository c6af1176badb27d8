"""The loss of connectionist temporal classification: beside torch, and the kernels beside the ops that they stand for."""

import math

import pytest

import gradcore
from support import both, with_threads

F = gradcore.nn.functional
TARGETS = [[1, 2, 2], [3, 3, 1]]


def scores(lib, *shape, dtype="float64"):
    count = math.prod(shape)
    flat = [math.sin(1.7 * i) * 2.5 for i in range(count)]
    return lib.tensor(flat, dtype=getattr(lib, dtype)).view(shape)


def loss_and_gradient(lib, x, targets, times, sizes, **options):
    x.requires_grad_()
    loss = lib.nn.functional.ctc_loss(x.log_softmax(-1), targets, times, sizes, **options)
    (loss * lib.arange(1, loss.numel() + 1).view(loss.shape)).sum().backward()
    return loss.detach(), x.grad


CASES = {
    "padded": (TARGETS, [9, 7], [3, 2], {}),
    "one after another": ([1, 2, 2, 3, 3], [9, 7], [3, 2], {}),
    "another blank": ([[0, 1, 1], [3, 0, 1]], [9, 7], [3, 2], {"blank": 2}),
    "the blank among the labels": (TARGETS, [9, 7], [3, 2], {"blank": 1}),
    "no labels": (TARGETS, [9, 7], [0, 2], {}),
    "none at all": ([], [9, 7], [0, 0], {}),
    "no steps": (TARGETS, [0, 7], [0, 2], {}),
    "one step": (TARGETS, [1, 2], [1, 1], {}),
    "no path": (TARGETS, [3, 9], [3, 3], {"zero_infinity": True}),
    "no steps for a label": (TARGETS, [0, 9], [1, 3], {"zero_infinity": True}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradient(name, reduction, dtype):
    targets, times, sizes, options = CASES[name]

    def program(lib):
        labels = lib.tensor(targets, dtype=lib.int64)
        return loss_and_gradient(
            lib, scores(lib, 9, 2, 4, dtype=dtype), labels, times, sizes, reduction=reduction, **options
        )

    both(program, ulps=64, scale=1)


@pytest.mark.parametrize("dtype", ["int32", "int16", "uint8", "float32"])
def test_targets_of_any_type(dtype):
    both(
        lambda lib: loss_and_gradient(
            lib,
            scores(lib, 9, 2, 4),
            lib.tensor(TARGETS, dtype=getattr(lib, dtype)),
            lib.tensor([9, 7], dtype=lib.int32),
            lib.tensor([3, 2], dtype=lib.int32),
        ),
        ulps=64,
        scale=1,
    )


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("lengths", ["tuple", "tensor", "number"])
def test_one_sample_without_a_batch(lengths, reduction):
    make = {
        "tuple": lambda lib, n: (n,),
        "tensor": lambda lib, n: lib.tensor([n]),
        "number": lambda lib, n: lib.tensor(n),
    }

    def program(lib):
        times, sizes = make[lengths](lib, 9), make[lengths](lib, 3)
        return loss_and_gradient(lib, scores(lib, 9, 4), lib.tensor(TARGETS[0]), times, sizes, reduction=reduction)

    both(program, ulps=64, scale=1)


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0)])
def test_log_probs_in_any_memory_order(order):
    def program(lib):
        x = scores(lib, 9, 2, 4)
        x = x.permute(order).contiguous().permute([order.index(i) for i in range(3)])
        return loss_and_gradient(lib, x, lib.tensor(TARGETS), (9, 7), (3, 2))

    both(program, ulps=64, scale=1, strides="any")


def test_long_samples_and_large_scores():
    def program(lib):
        x = (scores(lib, 200, 3, 7) * 20).detach()
        labels = lib.tensor([[1 + (3 * i + n) % 6 for i in range(40)] for n in range(3)])
        return loss_and_gradient(lib, x, labels, (200, 150, 90), (40, 25, 40), reduction="none")

    both(program, ulps=1 << 16, scale=1)


def test_what_no_path_spells_has_no_gradient():
    x = scores(gradcore, 9, 2, 4)
    loss, gradient = loss_and_gradient(gradcore, x, gradcore.tensor(TARGETS), (3, 9), (3, 3), reduction="none")
    assert loss.isinf().tolist() == [True, False]
    assert gradient[:, 0].abs().max().item() == 0
    assert gradient[:, 1].abs().min().item() > 0


def test_classes_that_cannot_be_have_no_gradient():
    x = scores(gradcore, 9, 2, 4).log_softmax(2)
    x[2, :, 1] = -math.inf
    x.requires_grad_()
    F.ctc_loss(x, gradcore.tensor(TARGETS), (9, 9), (3, 3)).backward()
    assert x.grad.isfinite().all()
    assert x.grad[2, :, 1].tolist() == [0, 0]


def test_nan_stays():
    both(
        lambda lib: lib.nn.functional.ctc_loss(
            scores(lib, 9, 2, 4) * math.nan, lib.tensor(TARGETS), (9, 7), (3, 2), reduction="none"
        )
    )


# ---- what is derivable itself


def of_scores(x, times=(6, 5), sizes=(3, 2), **options):
    return F.ctc_loss(x.log_softmax(2), gradcore.tensor(TARGETS), times, sizes, **options)


@pytest.mark.parametrize("options", [{}, {"reduction": "none"}, {"blank": 2, "times": (4, 0), "sizes": (2, 0)}])
def test_second_derivatives_and_forward_mode(options):
    x = scores(gradcore, 6, 2, 4).requires_grad_()
    assert gradcore.autograd.gradcheck(
        lambda x: of_scores(x, **options), x, check_forward_ad=True, check_batched_grad=True
    )
    assert gradcore.autograd.gradgradcheck(lambda x: of_scores(x, **options), x)


@pytest.mark.parametrize("options", [{}, {"sizes": (3, 0)}, {"times": (3, 6), "zero_infinity": True}])
def test_ops_and_kernels_agree(options):
    x = scores(gradcore, 6, 2, 4).requires_grad_()
    loss = of_scores(x, reduction="none", **options)
    (by_kernel,) = gradcore.autograd.grad(loss.sum(), x, retain_graph=True)
    (by_ops,) = gradcore.autograd.grad(loss.sum(), x, create_graph=True)
    assert (by_kernel - by_ops).abs().max().item() < 1e-14


def test_vmap_over_log_probs():
    x = gradcore.stack([scores(gradcore, 6, 2, 4), scores(gradcore, 6, 2, 4).flip(0)])
    mapped = gradcore.func.vmap(gradcore.func.grad(of_scores))(x)
    single = gradcore.stack([gradcore.func.grad(of_scores)(part) for part in x])
    assert (mapped - single).abs().max().item() < 1e-14
    with pytest.raises(RuntimeError, match="vmap"):
        gradcore.func.vmap(lambda n: of_scores(x[0], n))(gradcore.tensor([[6, 5], [6, 6]]))


def test_a_hook_that_changes_what_is_saved_changes_no_path():
    def spoil(t):
        return gradcore.full_like(t, 1 << 40)

    x = scores(gradcore, 6, 2, 4).log_softmax(2).requires_grad_()
    with gradcore.autograd.graph.saved_tensors_hooks(lambda t: t, spoil):
        loss = F.ctc_loss(x, gradcore.tensor(TARGETS), (6, 5), (3, 2))
    loss.backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_bits(threads):
    def values():
        x = scores(gradcore, 60, 24, 5, dtype="float32")
        labels = gradcore.arange(24 * 8).view(24, 8) % 4 + 1
        return [t.tolist() for t in loss_and_gradient(gradcore, x, labels, [60] * 24, [8] * 24, reduction="none")]

    assert with_threads(threads, values) == with_threads(1, values)


# ---- what is refused

REFUSED = {
    "blank": ("blank must be in label range", lambda lib, f, x, t: f(x, t, (6, 5), (3, 2), blank=4)),
    "negative blank": ("blank must be in label range", lambda lib, f, x, t: f(x, t, (6, 5), (3, 2), blank=-1)),
    "empty": ("log_probs tensor must not be empty", lambda lib, f, x, t: f(x[:0], t, (0, 0), (3, 2))),
    "no samples": ("log_probs tensor must not be empty", lambda lib, f, x, t: f(x[:, :0], t[:0], (), ())),
    "one dim": ("Expected 3-dimensional tensor, but got ", lambda lib, f, x, t: f(x[0, 0], t, (6, 5), (3, 2))),
    "integers": ("\"ctc_loss_cpu\" not implemented for 'Long'", lambda lib, f, x, t: f(x.long(), t, (6, 5), (3, 2))),
    "halves": ("\"ctc_loss_cpu\" not implemented for 'Half'", lambda lib, f, x, t: f(x.half(), t, (6, 5), (3, 2))),
    "three dims of targets": (
        "Expected 1 to 2 dimensions, but got 3-dimensional tensor for argument #2 'targets'",
        lambda lib, f, x, t: f(x, t[None], (6, 5), (3, 2)),
    ),
    "no dims of targets": (
        "Expected 1 to 2 dimensions, but got 0-dimensional tensor",
        lambda lib, f, x, t: f(x, t[0, 0], (6, 5), (3, 2)),
    ),
    "few targets": (
        "Expected tensor to have size 2 at dimension 0, but got size 1 for argument #2 'targets'",
        lambda lib, f, x, t: f(x, t[:1], (6, 5), (3, 2)),
    ),
    "many targets": (
        "Expected tensor to have size 2 at dimension 0, but got size 4",
        lambda lib, f, x, t: f(x, lib.cat([t, t]), (6, 5), (3, 2)),
    ),
    "short targets": (
        "Expected tensor to have size at least 4 at dimension 1, but got size 3",
        lambda lib, f, x, t: f(x, t, (6, 5), (4, 2)),
    ),
    "short vector": (
        "Expected tensor to have size 7 at dimension 0, but got size 6",
        lambda lib, f, x, t: f(x, t.view(-1), (6, 5), (4, 3)),
    ),
    "long vector": (
        "Expected tensor to have size 5 at dimension 0, but got size 6",
        lambda lib, f, x, t: f(x, t.view(-1), (6, 5), (3, 2)),
    ),
    "few lengths": ("input_lengths must be of size batch_size", lambda lib, f, x, t: f(x, t, (6,), (3, 2))),
    "few target lengths": ("target_lengths must be of size batch_size", lambda lib, f, x, t: f(x, t, (6, 5), (3,))),
    "negative length": (
        "Expected input_lengths to have value at least 0, but got value -5",
        lambda lib, f, x, t: f(x, t, (6, -5), (3, 2)),
    ),
    "negative target length": (
        "Expected target_lengths to have value at least 0, but got value -2",
        lambda lib, f, x, t: f(x, t, (6, 5), (3, -2)),
    ),
    "long length": (
        "Expected input_lengths to have value at most 6, but got value 7",
        lambda lib, f, x, t: f(x, t, (6, 7), (3, 2)),
    ),
    "float lengths": (
        "input_lengths must be integral",
        lambda lib, f, x, t: f(x, t, lib.tensor([6.0, 5.0]), lib.tensor([3, 2])),
    ),
    "floats as lengths": ("float", lambda lib, f, x, t: f(x, t, (6.0, 5), (3, 2))),
    "reduction": (
        "all is not a valid value for reduction",
        lambda lib, f, x, t: f(x, t, (6, 5), (3, 2), reduction="all"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    phrase, call = REFUSED[name]
    both(
        lambda lib: call(lib, lib.nn.functional.ctc_loss, scores(lib, 6, 2, 4), lib.tensor(TARGETS)),
        raises=phrase,
    )


@pytest.mark.parametrize("label", [-1, 4, 1 << 62])
def test_a_target_must_be_a_class(label):
    with pytest.raises(IndexError, match="not a class"):
        F.ctc_loss(scores(gradcore, 6, 2, 4), gradcore.tensor([[1, label], [1, 2]]), (6, 5), (2, 2))


def test_lengths_beyond_all_numbers():
    with pytest.raises(RuntimeError, match="to have size"):
        F.ctc_loss(scores(gradcore, 6, 2, 4), gradcore.tensor([1, 2]), (6, 5), ((1 << 63) - 1, (1 << 63) - 1))
