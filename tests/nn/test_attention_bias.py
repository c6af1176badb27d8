"""nn.attention.bias: causal masks by their shape, beside torch's."""

import importlib

import numpy as np
import pytest

from support import both

RANDOM = np.random.default_rng(0)


def bias(lib):
    return importlib.import_module(f"{lib.__name__}.nn.attention.bias")


CASES = [
    (name, lengths) for name in ("causal_upper_left", "causal_lower_right") for lengths in ((3, 3), (2, 5), (5, 2))
]


@pytest.mark.filterwarnings("ignore:Lower right causal bias:UserWarning")
@pytest.mark.parametrize("name, lengths", CASES)
def test_attention_with_a_causal_bias(name, lengths):
    """torch hands some to kernels for other devices: compared with the mask that it says it stands for."""
    queries, keys = lengths
    q, k, v = (RANDOM.standard_normal((2, 3, n, 4)) for n in (queries, keys, keys))

    def program(lib):
        tensors = [lib.from_numpy(array.copy()).requires_grad_() for array in (q, k, v)]
        mask = getattr(bias(lib), name)(queries, keys)
        if lib.__name__ == "torch":
            mask = mask._materialize()
        out = lib.nn.functional.scaled_dot_product_attention(*tensors, mask, scale=0.3)
        out.nan_to_num().sum().backward()
        return out, *(t.grad for t in tensors)

    both(program, ulps=16, scale=1.0)


@pytest.mark.filterwarnings("ignore:Lower right causal bias:UserWarning")
@pytest.mark.parametrize("name, lengths", CASES)
def test_what_a_bias_says_of_itself(name, lengths):
    def program(lib):
        mask = getattr(bias(lib), name)(*lengths)
        return repr(mask), mask.variant.name, int(mask.variant), mask.seq_len_q, mask.seq_len_kv, mask.shape, mask.dtype

    both(program)


def test_a_bias_that_is_refused():
    def attend(lib, **options):
        x = lib.ones(1, 1, 2, 4)
        return lib.nn.functional.scaled_dot_product_attention(
            x, x, x, attn_mask=bias(lib).causal_upper_left(2, 2), **options
        )

    both(lambda lib: attend(lib, is_causal=True), raises="CausalBias should not be used with causal=True")
    both(lambda lib: bias(lib).causal_lower_right(2), raises="causal_lower_right only supports 2D tensors")
    both(lambda lib: bias(lib).CausalBias(1, 2, 3), raises="variant must be a CausalVariant")
    with pytest.warns(UserWarning, match="produce NaNs"):
        bias(importlib.import_module("gradcore")).causal_lower_right(3, 2)
