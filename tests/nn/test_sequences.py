"""Recurrent layers and attention beyond the rows of their tables: packed sequences, sizes of several blocks, masks,
heads that are views, derivatives of derivatives, threads."""

import numpy as np
import pytest

from support import both, gradcore

KINDS = ("LSTM", "GRU", "RNN")


def numbers(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def gradients(lib, results, leaves):
    weights = [lib.linspace(0.5, 1.5, r.numel(), dtype=r.dtype).view(r.shape) for r in results]
    sum((r * w).sum() for r, w in zip(results, weights)).backward()
    return [leaf.grad for leaf in leaves]


def filled(lib, module):
    """Parameters that both libraries have the same."""
    for k, p in enumerate(module.parameters()):
        p.data.copy_(lib.from_numpy(numbers(*p.shape, seed=k) * 0.3))
    return module


def flat(results):
    output, state = results
    return [output, *(state if isinstance(state, tuple) else (state,))]


# ---- recurrent layers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("width", [5, 40])
def test_packed_sequences(kind, bidirectional, width):
    lengths = [3, 9, 1, 9, 4]

    def program(lib):
        pack, pad = lib.nn.utils.rnn.pack_padded_sequence, lib.nn.utils.rnn.pad_packed_sequence
        module = filled(lib, getattr(lib.nn, kind)(3, width, 2, bidirectional=bidirectional).double())
        x = lib.from_numpy(numbers(9, 5, 3, seed=50)).requires_grad_()
        output, state = module(pack(x, lengths, enforce_sorted=False))
        results = flat((pad(output)[0], state))
        return results, gradients(lib, results, [x, *module.parameters()])

    both(program, ulps=1024, scale=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_many_steps_and_rows(kind):
    """Float32, of sizes that no vector divides, from a state that requires grad; the input is a transposed view."""

    def program(lib):
        module = filled(lib, getattr(lib.nn, kind)(7, 37, batch_first=True).double()).float()
        x = lib.from_numpy(numbers(25, 19, 7, seed=50, dtype="float32")).transpose(0, 1).requires_grad_()
        state = [lib.from_numpy(numbers(1, 19, 37, seed=51 + k, dtype="float32")).requires_grad_() for k in range(2)]
        hx = tuple(state) if kind == "LSTM" else state[0]
        results = flat(module(x, hx))
        leaves = [x, *state[: 2 if kind == "LSTM" else 1], *module.parameters()]
        return results, gradients(lib, results, leaves)

    both(program, ulps=256, scale=16.0)


def test_only_the_last_state_is_used():
    def program(lib):
        module = filled(lib, lib.nn.LSTM(3, 4).double())
        _, (h, c) = module(lib.from_numpy(numbers(6, 2, 3, seed=50)))
        return h, c, gradients(lib, [h], list(module.parameters()))

    both(program, ulps=64, scale=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_of_a_sequence(kind):
    module = filled(gradcore, getattr(gradcore.nn, kind)(2, 3, bidirectional=True).double())
    leaves = [gradcore.from_numpy(numbers(4, 2, 2, seed=50)).requires_grad_(), *module.parameters()]

    def of_first(x):
        return (gradcore.autograd.grad(module(x)[0].sin().sum(), x, create_graph=True)[0] ** 2).sum()

    assert gradcore.autograd.gradcheck(lambda x: module(x)[0], leaves[0])
    assert gradcore.autograd.gradcheck(of_first, leaves[0])
    mixed = gradcore.autograd.grad(of_first(leaves[0]), leaves, allow_unused=True)
    assert all(g is not None and bool(g.isfinite().all()) for g in mixed[:3])


def test_the_output_may_be_written_to():
    """Backward reads what the layer kept for itself."""

    def program(lib):
        module = filled(lib, lib.nn.GRU(3, 4).double())
        x = lib.from_numpy(numbers(5, 2, 3, seed=50)).requires_grad_()
        output, _ = module(x)
        output.mul_(2)
        return output, gradients(lib, [output], [x])

    both(program, ulps=64, scale=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_change_a_bit(kind):
    module = getattr(gradcore.nn, kind)(60, 70)
    x = gradcore.from_numpy(numbers(30, 33, 60, dtype="float32"))
    before, seen = gradcore.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            gradcore.set_num_threads(threads)
            module.zero_grad()
            results = flat(module(x))
            results[0].sum().backward()
            seen.append([t.detach().numpy().tobytes() for t in (*results, *(p.grad for p in module.parameters()))])
    finally:
        gradcore.set_num_threads(before)
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(
    ("sizes", "phrase"),
    [
        ([1, 2], "not rise"),
        ([2, 0], "positive"),
        ([2, 2], "more than the rows"),
        ([2], "the input has 3"),
        ([9223372036854775807, 9223372036854775807], "more than the rows"),
    ],
)
def test_batch_sizes_that_do_not_fit(sizes, phrase):
    x, h, w = (
        gradcore.ones(3, 2),
        gradcore.ones(1, sizes[0] if sizes[0] < 9 else 2, 1),
        [gradcore.ones(3, 2), gradcore.ones(3, 1)],
    )
    with pytest.raises(RuntimeError, match=phrase):
        gradcore.gru(x, gradcore.tensor(sizes), h, w, False, 1, 0.0, False, False)


@pytest.mark.parametrize(
    ("changed", "phrase"),
    [
        ({"h": (1, 3, 4)}, "hidden size"),
        ({"w_ih": (12, 2)}, "weight_ih"),
        ({"w_hh": (12, 3)}, "weight_hh"),
        ({"b_ih": (11,)}, "bias_ih"),
    ],
)
def test_weights_that_do_not_fit(changed, phrase):
    shapes = {"h": (1, 2, 4), "w_ih": (12, 3), "w_hh": (12, 4), "b_ih": (12,), "b_hh": (12,)} | changed
    h, *params = (gradcore.ones(*shape) for shape in shapes.values())
    with pytest.raises(RuntimeError, match=phrase):
        gradcore.gru(gradcore.ones(5, 2, 3), h, params, True, 1, 0.0, False, False, False)


# ---- attention


def attend(lib, shapes, mask=None, heads_last=False, **options):
    """Output and gradients; with heads_last queries, keys and values are views of (batch, tokens, heads, features)."""
    leaves = []
    for k, shape in enumerate(shapes):
        data = numbers(*shape, seed=k) * 2
        if heads_last:
            data = np.ascontiguousarray(data.swapaxes(1, 2))
        leaves.append(lib.from_numpy(data).requires_grad_())
    q, k, v = (t.transpose(1, 2) if heads_last else t for t in leaves)
    if mask is not None:
        options["attn_mask"] = lib.from_numpy(mask)
    out = lib.nn.functional.scaled_dot_product_attention(q, k, v, **options)
    return out, gradients(lib, [out], leaves)


def some_mask(*shape):
    """Bools; some rows allow nothing."""
    mask = np.random.default_rng(7).random(shape) < 0.6
    mask[..., 3, :] = False
    return mask


ATTENTIONS = {
    "several blocks": ([(2, 3, 150, 20), (2, 3, 300, 20), (2, 3, 300, 33)], {}),
    "causal": ([(2, 3, 300, 16)] * 3, {"is_causal": True}),
    "causal, more keys": ([(1, 2, 70, 9), (1, 2, 200, 9), (1, 2, 200, 9)], {"is_causal": True}),
    "causal, fewer keys": ([(1, 2, 200, 9), (1, 2, 70, 9), (1, 2, 70, 9)], {"is_causal": True}),
    "views of heads": ([(2, 3, 150, 20)] * 3, {"heads_last": True, "is_causal": True}),
    "shared heads": ([(2, 6, 150, 8), (2, 2, 140, 8), (2, 2, 140, 8)], {"enable_gqa": True}),
    "bools": ([(2, 3, 150, 8)] * 3, {"mask": some_mask(150, 150)}),
    "bools for a sample": (
        [(2, 3, 20, 8), (2, 3, 150, 8), (2, 3, 150, 8)],
        {"mask": np.arange(150)[None, None, None] < [[[[90]]], [[[150]]]]},
    ),
    "numbers": ([(2, 3, 20, 8), (2, 3, 150, 8), (2, 3, 150, 8)], {"mask": numbers(2, 3, 20, 150), "scale": 0.7}),
    "one number a row": ([(2, 3, 20, 8)] * 3, {"mask": numbers(20, 1)}),
    "large scores": ([(1, 1, 40, 8), (1, 1, 300, 8), (1, 1, 300, 8)], {"scale": 400.0}),
    "bools and causal": ([(2, 3, 150, 8)] * 3, {"mask": some_mask(150, 150), "is_causal": True}),
    "numbers and causal": ([(2, 3, 20, 8), (2, 3, 50, 8), (2, 3, 50, 8)], {"mask": numbers(20, 50), "is_causal": True}),
    "two dims": ([(130, 8), (140, 8), (140, 3)], {}),
    "five dims": ([(2, 1, 2, 9, 8)] * 3, {"is_causal": True}),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(name):
    shapes, options = ATTENTIONS[name]
    both(lambda lib: attend(lib, shapes, **options), ulps=4096, scale=4.0, strides="any")


def test_a_query_that_sees_nothing_is_zero():
    def program(lib):
        out, grads = attend(lib, [(2, 9, 4)] * 3, some_mask(9, 9))
        return out[:, 3], grads[0][:, 3]

    both(program)


def test_nan_comes_through():
    def program(lib):
        q, k, v = (lib.from_numpy(numbers(1, 1, 40, 4, seed=s)) for s in range(3))
        q[0, 0, 5, 1] = float("nan")
        return lib.nn.functional.scaled_dot_product_attention(q, k, v).isnan()

    both(program, strides="any")


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"attn_mask": some_mask(5, 5)}])
def test_second_derivatives_of_attention(options):
    if "attn_mask" in options:
        options = {"attn_mask": gradcore.from_numpy(options["attn_mask"])}
    leaves = [gradcore.from_numpy(numbers(2, 5, 3, seed=k)).requires_grad_() for k in range(3)]

    def call(*qkv):
        return gradcore.nn.functional.scaled_dot_product_attention(*qkv, **options)

    assert gradcore.autograd.gradcheck(call, leaves)
    assert gradcore.autograd.gradgradcheck(call, leaves)


def test_a_mask_may_require_grad():
    def program(lib):
        mask = lib.from_numpy(numbers(4, 6, seed=9)).requires_grad_()
        q, k, v = (lib.from_numpy(numbers(2, n, 3, seed=n)).requires_grad_() for n in (4, 6, 6))
        out = lib.nn.functional.scaled_dot_product_attention(q, k, v, mask)
        return out, gradients(lib, [out], [q, k, v, mask])

    both(program, ulps=256, scale=1.0)


@pytest.mark.parametrize("how", ["dropout", "a mask that requires grad"])
def test_a_mask_and_causal_are_refused_where_torch_composes(how):
    def program(lib):
        x, mask = lib.ones(1, 2, 3, 4), lib.zeros(3, 3, requires_grad=how != "dropout")
        dropout = 0.5 if how == "dropout" else 0.0
        return lib.nn.functional.scaled_dot_product_attention(x, x, x, mask, dropout, is_causal=True)

    both(program, raises="Explicit attn_mask should not be set when is_causal=True")


REFUSED_BESIDE_CAUSAL = {
    "three dims": [(3, 4, 5), (3, 6, 5), (3, 6, 5), (4, 6)],
    "a mask of three dims": [(2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 5), (3, 4, 6)],
    "values of another width": [(2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7), (4, 6)],
    "one batch of keys": [(2, 3, 4, 5), (1, 3, 6, 5), (1, 3, 6, 5), (4, 6)],
    "one head of keys": [(2, 3, 4, 5), (2, 1, 6, 5), (2, 1, 6, 5), (4, 6)],
    "a mask that does not fit": [(2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 5), (5, 6)],
}


@pytest.mark.parametrize("shapes", REFUSED_BESIDE_CAUSAL.values(), ids=REFUSED_BESIDE_CAUSAL)
def test_a_mask_and_causal_are_refused_by_shape(shapes):
    def program(lib):
        return lib.nn.functional.scaled_dot_product_attention(*(lib.ones(s) for s in shapes), is_causal=True)

    both(program, raises="Explicit attn_mask should not be set when is_causal=True")


def test_a_mask_and_causal_are_taken_without_queries():
    def program(lib):
        q, k = lib.ones(2, 3, 0, 5), lib.ones(2, 3, 6, 5)
        return lib.nn.functional.scaled_dot_product_attention(q, k, k, lib.ones(0, 6), is_causal=True)

    both(program)


def test_threads_do_not_change_attention():
    q, k, v = (gradcore.from_numpy(numbers(1, 3, 300, 24, seed=s, dtype="float32")).requires_grad_() for s in range(3))
    before, seen = gradcore.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            gradcore.set_num_threads(threads)
            out = gradcore.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            found = gradcore.autograd.grad(out.sum(), (q, k, v))
            seen.append([t.detach().numpy().tobytes() for t in (out, *found)])
    finally:
        gradcore.set_num_threads(before)
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(
    ("shapes", "options", "phrase"),
    [
        ([(4,), (3, 4), (3, 4)], {}, "at least 2 dimensional"),
        ([(2, 4), (3, 5), (3, 4)], {}, "cannot be multiplied"),
        ([(1, 3, 2, 4), (1, 2, 3, 4), (1, 2, 3, 4)], {"enable_gqa": True}, "must divide"),
    ],
)
def test_attention_of_shapes_that_do_not_fit(shapes, options, phrase):
    def program(lib):
        q, k, v = (lib.from_numpy(numbers(*shape)) for shape in shapes)
        return lib.nn.functional.scaled_dot_product_attention(q, k, v, **options)

    both(program, raises=phrase)


@pytest.mark.parametrize("total", [None, 6])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", [[5, 3, 2], [2, 5, 3]])
def test_memory_of_padded_and_unpadded_sequences(lengths, batch_first, total):
    """Unpadded ones are copies; padded ones are steps first in memory, where no order is restored."""

    def program(lib):
        rnn = lib.nn.utils.rnn
        sequences = [lib.arange(2.0 * n).view(n, 2) for n in lengths]
        packed = rnn.pack_sequence(sequences, enforce_sorted=lengths == sorted(lengths, reverse=True))
        padded, sizes = rnn.pad_packed_sequence(packed, batch_first, -1.0, total)
        apart = rnn.unpad_sequence(padded.clone(), sizes, batch_first)
        before = padded.clone()
        apart[0].fill_(9)
        assert lib.equal(padded, before)
        return padded, sizes, apart, rnn.unpack_sequence(packed)

    both(program)


@pytest.mark.parametrize("lengths", [[[3, 2]], 3], ids=str)
def test_lengths_of_a_padded_batch_have_one_dim(lengths):
    with pytest.raises(RuntimeError, match="should be a 1D CPU int64 tensor"):
        gradcore.nn.utils.rnn.pack_padded_sequence(gradcore.ones(3, 2), gradcore.tensor(lengths))
