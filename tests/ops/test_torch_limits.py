"""What torch takes and what it refuses, where one may expect otherwise: results that are given a place of another dtype,
numbers alone, tensors without elements, bools."""

import pytest

from support import both, needs_torch

D = "lib.ones(3, dtype=lib.float64)"
F = "lib.empty(3)"
OUTS = [
    f"lib.cross({D}, {D}, 0, out={F})", f"lib.linalg.cross({D}, {D}, out={F})", f"lib.frac({D}, out={F})",
    f"lib.nan_to_num({D}, out={F})", f"lib.lerp({D}, {D}, {D}, out={F})", f"lib.slice_scatter({D}, {D}, out={F})",
    f"lib.norm({D}, 2, 0, out=lib.empty(()))", f"lib.norm({D}, out=lib.empty(()))", f"lib.norm({D}, 1, 0, out=lib.empty(()))",
    f"lib.norm(lib.ones(3, 3), 'fro', 0, out={D})", f"lib.renorm(lib.ones(3, 3), 2, 0, 1.0, out={D}.expand(3, 3).clone())",
    f"lib.inner({D}, {D}, out=lib.empty(()))", f"lib.inner(lib.ones(3, 3), lib.ones(3), out={D})",
]  # fmt: skip
REFUSED = [
    *(f"lib.{name}(2, 3)" for name in (
        "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "xlogy",
        "special.xlogy", "special.xlog1py", "special.zeta", "special.chebyshev_polynomial_t")),
    "lib.gradient(lib.ones(3, dtype=lib.uint8))",
    *(f"lib.nn.functional.pad(lib.ones({shape}).bool(), {pad}, '{mode}')"
      for shape, pad in (("1, 3", (1, 1)), ("1, 3, 3", (1, 1, 1, 1)), ("1, 3, 3, 3", (1,) * 6))
      for mode in ("reflect", "replicate")),
    "lib.nn.functional.adaptive_avg_pool2d(lib.ones(2, 2), 2)", "lib.nn.functional.adaptive_avg_pool2d(lib.ones(2), 1)",
    "lib.empty(2, dtype=lib.int64).normal_()", "lib.bernoulli(lib.ones(2, dtype=lib.int64))",
    "lib.empty(0, dtype=lib.int64).uniform_()", "lib.ops.aten._safe_softmax(lib.ones(2, dtype=lib.int64), 0)",
]  # fmt: skip
TAKEN = [
    f"lib.lerp({D}, {D}, 0.5, out={F})", f"lib.lerp({D}, {D}, {D}[0], out={F})", f"lib.inner({D}[0], {D}, out={F})", "lib.bitwise_and(lib.tensor([6]), 3)", "lib.bitwise_and(6, lib.tensor([3]))",
    "lib.bitwise_left_shift(1, lib.tensor([3]))", "lib.xlogy(2, lib.tensor([3.0]))", "lib.xlogy(lib.tensor([3.0]), 2)",
    "lib.special.zeta(2, lib.tensor([3.0]))", "lib.special.hermite_polynomial_h(2.0, lib.tensor([3]))",
    "lib.xlogy(2, lib.tensor([3.0]), out=lib.empty(1))", "lib.gradient(lib.ones(3, dtype=lib.int8))[0] + 0",
    "lib.nn.functional.pad(lib.ones(1, 3).bool(), (1, 1), 'circular')",
    "lib.nn.functional.adaptive_avg_pool2d(lib.arange(4.0).view(2, 2), 1)",
    "lib.nn.functional.adaptive_avg_pool3d(lib.arange(8.0).view(2, 2, 2), 1)",
    "lib.randn_like(lib.empty(0, dtype=lib.int64))", "lib.randn(0, dtype=lib.int64)",
    "lib.bernoulli(lib.empty(0, dtype=lib.int64))", "lib.bernoulli(lib.empty(0, dtype=lib.bool))",
    "lib.empty(0, dtype=lib.int64).normal_()", "lib.empty(0, dtype=lib.int64).exponential_()",
    "lib.empty(0, dtype=lib.int64).log_normal_()", "lib.empty(0, dtype=lib.bool).geometric_(0.5)",
    "lib.normal(lib.empty(0, dtype=lib.int64), 1.0)",
    "lib.as_strided_scatter(lib.zeros(3, 3), lib.arange(4).reshape(2, 2) + 1, (2, 2), (1, 2))",
    "lib.ops.aten._safe_softmax(lib.tensor([[1.0, 2.0], [-float('inf')] * 2]), 1)",
    "lib.ops.aten._safe_softmax.default(lib.tensor([[1.0], [-float('inf')]]), 0, dtype=lib.float64)",
]  # fmt: skip


@pytest.mark.parametrize("program", OUTS)
def test_an_out_of_another_dtype(program):
    both(lambda lib: eval(program, {"lib": lib}), raises="dtype")


@pytest.mark.parametrize("program", REFUSED)
def test_refusals(program):
    both(lambda lib: eval(program, {"lib": lib}), raises="")


@pytest.mark.parametrize("program", TAKEN)
def test_taken(program):
    both(lambda lib: eval(program, {"lib": lib}), ulps=4)


def test_a_softmax_that_is_safe_has_a_gradient():
    def program(lib):
        x = lib.tensor([[1.0, 2.0], [-float("inf")] * 2], requires_grad=True)
        lib.ops.aten._safe_softmax(x, 1)[:, 0].sum().backward()
        return x.grad

    both(program, ulps=4)


WRITTEN = [
    "lib.max(x, 1, out=(lib.empty(0), n))", "lib.sort(x, out=(lib.empty(0), n))", "lib.topk(x, 1, out=(lib.empty(0), n))",
    "lib.linalg.eigh(lib.eye(2), out=(lib.empty(0), lib.empty(0)))", "lib.linalg.slogdet(x, out=(lib.empty(0), lib.empty(0)))",
    "lib.aminmax(x, dim=0, out=(lib.empty(0), lib.empty(0)))",
]  # fmt: skip


@pytest.mark.parametrize("program", WRITTEN)
def test_results_that_were_written_have_a_type_of_their_own(program):
    def found(lib):
        x, n = lib.tensor([[1.0, 2.0], [3.0, 5.0]]), lib.empty(0, dtype=lib.int64)
        out = eval(program, {"lib": lib, "x": x, "n": n})
        return type(out).__name__, repr(out).splitlines()[0], type(out) is getattr(lib.return_types, type(out).__name__)

    both(found)


# Where {one} stands torch takes a tensor for a number if it has no dims and does not require grad.
FOR_NUMBERS = [
    "x.cumsum({one})", "x.cumsum_({one})", "x.cumprod_({one})", "x.polygamma_({one})", "x.add_(3).mvlgamma_({one})",
    "x.swapdims_(0, {one})", "x.transpose(0, {one})", "x.softmax({one})", "x.unsqueeze({one})", "x.matrix_power({one})",
    "x.chunk({one})", "x.diagonal({one})", "x.round(decimals={one})", "lib.linspace(0, 1, {one})",
]  # fmt: skip
FOR_FLOATS = [
    "x.logit({one})", "x.logit_({one})", "x.nan_to_num({one})", "x.nan_to_num_(posinf={one})", "lib.cdist(x, x, {one})",
    "x.renorm(1, 0, {one})", "x.norm({one})", "lib.nn.functional.softplus(x, {one})", "x.uniform_(0, {one}).shape",
]  # fmt: skip


def with_one(program, one):
    def run(lib):
        return eval(program.format(one=one), {"lib": lib, "x": lib.tensor([[0.25, 0.5], [0.75, 0.125]])})

    return run


@pytest.mark.parametrize("program", FOR_NUMBERS + FOR_FLOATS)
def test_tensors_for_numbers(program):
    both(with_one(program, "lib.tensor(1)"), ulps=64, strides="any")
    for one in ("lib.tensor([1])", "lib.tensor([[1]])", "lib.tensor([1.0])", "lib.tensor(1.0, requires_grad=True)"):
        both(with_one(program, one), raises="")


# Sizes and indices have torch's other rule.
SIZES = [
    "x.topk({one})", "x.select(0, {one})", "x.split({one})", "x.kthvalue({one})", "x.tril({one})", "lib.eye({one})",
    "x.reshape(4, {one})", "x.sum({one})", "lib.randperm({one}).shape",
]  # fmt: skip


@pytest.mark.parametrize("program", SIZES)
def test_tensors_of_one_element_for_sizes(program):
    for one in ("lib.tensor(1)", "lib.tensor([1])"):
        both(with_one(program, one), ulps=4, strides="any")


def test_conj_physical_in_place_of_shared_elements():
    """It writes nothing, and so they may share memory."""
    both(lambda lib: lib.tensor([[1.0, 2.0]]).expand(2, 2).conj_physical_())


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
def test_the_largest_factors_of_a_difference(dtype):
    """What has to fit is the negative factor, of which there is one more."""

    def program(lib):
        bits = lib.iinfo(getattr(lib, dtype)).bits
        x, y = lib.tensor([5, 3], dtype=getattr(lib, dtype)), lib.tensor([3, 2], dtype=getattr(lib, dtype))
        most = 2 ** (bits - 1)
        factors = [most - 1, 1 - most, most, -most] if bits < 64 else [most - 1, 1 - most]
        calls = (
            lambda alpha: lib.sub(x, y, alpha=alpha),
            lambda alpha: lib.sub(x, 3, alpha=alpha),
            lambda alpha: lib.rsub(x, y, alpha=alpha),
            lambda alpha: x.clone().sub_(y, alpha=alpha),
        )
        return [outcome_of(call, alpha) for call in calls for alpha in factors]

    def outcome_of(call, alpha):
        try:
            return call(alpha)
        except RuntimeError as error:
            return str(error)

    both(program)


@needs_torch
@pytest.mark.parametrize("beta", [True, False])
def test_a_bool_as_factor_of_a_sum(beta):
    def program(lib):
        x = lib.arange(4.0).view(2, 2)
        return [
            lib.addmm(x, x, x, beta=beta, alpha=True),
            lib.addmv(x[0], x, x[1], beta=beta),
            lib.baddbmm(x[None], x[None], x[None], beta=beta),
            lib.addbmm(x, x[None], x[None], beta=beta),
            lib.addmm(x.long(), x.long(), x.long(), beta=beta),
        ]

    both(program)
