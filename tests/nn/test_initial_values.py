"""nn.init beside torch's: the same numbers for the same seed, also from a generator of the program's own."""

import warnings

import pytest

from support import both, needs_torch

CALLS = [
    "uniform_(t, -1.0, 3.0)", "normal_(t, 1.0, 2.0)", "constant_(t, 0.5)", "ones_(t)", "zeros_(t)", "eye_(t)", "dirac_(t.view(2, 3, 2))",
    "xavier_uniform_(t, gain=2.0)", "xavier_normal_(t)", "kaiming_uniform_(t, a=5**0.5)", "kaiming_normal_(t, mode='fan_out')",
    "kaiming_normal_(t, nonlinearity='selu')", "orthogonal_(t)", "orthogonal_(t.view(4, 3), gain=2.0)", "sparse_(t, 0.3)",
    "trunc_normal_(t)", "trunc_normal_(t, std=0.02)", "trunc_normal_(t, 0.5, 1.0, 0.0, 1.0)", "trunc_normal_(t, a=1.0, b=2.0)",
    "trunc_normal_(t, mean=5.0)", "trunc_normal_(t, a=-0.1, b=0.1)",
]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("call", CALLS)
def test_numbers_and_what_is_drawn_after_them(call, dtype):
    def program(lib):
        lib.manual_seed(0)
        t = lib.zeros(2, 6, dtype=getattr(lib, dtype))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            found = eval(f"init.{call}", {"init": lib.nn.init, "t": t})  # noqa: S307  (texts of ours)
        return found, t, lib.rand(2), [str(w.message)[:40] for w in seen]

    if dtype == "bfloat16" and call.startswith("orthogonal_"):
        pytest.skip("there is no QR of halves")
    both(program, ulps=16, scale=0.1)


@needs_torch
@pytest.mark.parametrize("call", [call for call in CALLS if "orm" in call or "uniform" in call or "sparse" in call])
def test_a_generator(call):
    def program(lib):
        lib.manual_seed(0)
        generator = lib.Generator().manual_seed(5)
        t = lib.zeros(2, 6)
        names = {"init": lib.nn.init, "t": t, "generator": generator}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            eval(f"init.{call[:-1]}, generator=generator)", names)  # noqa: S307  (texts of ours)
        return t, lib.rand(1), lib.rand(1, generator=generator)

    both(program, ulps=16, scale=0.1)
