"""Attention with functions of scores and masks by blocks."""

import importlib

import pytest

import gradcore
from support import both

torch = pytest.importorskip("torch")


def module(lib):
    return importlib.import_module(f"{lib.__name__}.nn.attention.flex_attention")


def inputs(lib, dtype="float32", heads=4):
    lib.manual_seed(0)
    shapes = [(2, heads, 10, 8), (2, 2, 12, 8), (2, 2, 12, 6)]
    return [lib.randn(shape, dtype=getattr(lib, dtype)) for shape in shapes]


def mask(b, h, i, j):
    return (i >= j) | (j == 11)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_values(dtype, scored, masked):
    def program(lib):
        flex = module(lib)
        q, k, v = inputs(lib, dtype)
        bias = lib.arange(4.0)
        score = (lambda s, b, h, i, j: s + bias[h] * (i - j)) if scored else None
        blocks = flex.create_block_mask(mask, None, None, 10, 12, device="cpu", BLOCK_SIZE=4) if masked else None
        return flex.flex_attention(q, k, v, score, blocks, scale=0.3, enable_gqa=True, return_lse=True)

    both(program, ulps=64, scale=1.0)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_a_row_without_scores_gives_zeros():
    def program(lib):
        flex = module(lib)
        blocks = flex.create_block_mask(lambda b, h, i, j: (i > 3) & (j < 2), 2, None, 10, 12, device="cpu")
        return flex.flex_attention(*inputs(lib, heads=2), block_mask=blocks, return_lse=True)

    both(program, ulps=16, scale=1.0)


def test_gradients_are_those_of_attention():
    """torch has none on a CPU."""
    q, k, v = (t.requires_grad_() for t in inputs(gradcore, "float64", heads=2))
    flex = module(gradcore)
    blocks = flex.create_block_mask(mask, None, None, 10, 12)
    left = flex.create_mask(mask, None, None, 10, 12)
    ours = flex.flex_attention(q, k, v, block_mask=blocks)
    plain = gradcore.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=left)
    for a, b in zip(
        gradcore.autograd.grad(ours.square().sum(), (q, k, v)), gradcore.autograd.grad(plain.square().sum(), (q, k, v))
    ):
        assert float((a - b).abs().max()) < 1e-12


def test_masks():
    def program(lib):
        flex = module(lib)
        both_masks = flex.and_masks(flex.noop_mask, lambda b, h, i, j: i > j)
        either = flex.or_masks(lambda b, h, i, j: i == j, lambda b, h, i, j: i > j + h)
        score = lambda s, b, h, i, j: lib.where(i > j, s, -float("inf"))  # noqa: E731
        return [flex.create_mask(f, None, 2, 3, 4, device="cpu") for f in (both_masks, either, score)]

    both(program)


@pytest.mark.parametrize("separate", [True, False])
def test_blocks(separate):
    def program(lib):
        flex = module(lib)
        blocks = flex.create_block_mask(
            mask, 2, None, 16, 12, device="cpu", BLOCK_SIZE=4, separate_full_blocks=separate
        )
        found = [
            blocks.kv_num_blocks,
            blocks.kv_indices,
            blocks.q_num_blocks,
            blocks.q_indices,
            blocks.to_dense(),
        ]
        full = [blocks.full_kv_num_blocks, blocks.full_kv_indices, blocks.full_q_num_blocks, blocks.full_q_indices]
        return found, full, blocks.shape, blocks.numel(), round(blocks.sparsity(), 6), blocks.BLOCK_SIZE

    both(program)


def test_blocks_from_lists():
    def program(lib):
        flex = module(lib)
        made = flex.create_block_mask(mask, None, None, 16, 12, device="cpu", BLOCK_SIZE=4)
        again = flex.BlockMask.from_kv_blocks(
            made.kv_num_blocks, made.kv_indices, made.full_kv_num_blocks, made.full_kv_indices, 4
        )
        return again.to_dense(), again.shape, again.q_num_blocks, again.q_indices

    both(program)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
@pytest.mark.parametrize(
    "change, phrase",
    [
        (lambda q, k, v: (q, k, v), "same number of heads but got Hq=4 and Hkv=2"),
        (lambda q, k, v: (q[0], k, v), "query, key, and value must be 4D tensors"),
    ],
)
def test_inputs_that_do_not_fit(change, phrase):
    both(lambda lib: module(lib).flex_attention(*change(*inputs(lib))), raises=phrase)
