"""Derivatives where a formula meets 0/0 or infinity: reverse mode, forward mode, second derivatives and vmap agree.

A gradient may be NaN at none of these points: a program that masks them away would get NaN for the rest.
"""

import itertools
import math

import pytest

from support import gradcore, needs_torch, torch

F = gradcore.nn.functional
F64 = gradcore.float64


def point(*values):
    return gradcore.tensor(values, dtype=F64)


NORMS = {f"norm {p}": (lambda v, p=p: v.norm(p)) for p in (0.5, 1, 1.5, 2, 2.5, 3, math.inf)}
# name -> (function, point, gradient)
POINTS = {
    **{f"{name} at 0": (f, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)) for name, f in NORMS.items()},
    "norm over a dim": (lambda v: v.reshape(2, 2).norm(dim=1).sum(), (0.0, 0.0, 3.0, 4.0), (0.0, 0.0, 0.6, 0.8)),
    "norm 1.5 beside a zero": (lambda v: v.norm(1.5), (0.0, 1.0), (0.0, 1.0)),
    "norm -1 with a zero": (lambda v: v.norm(-1), (0.0, 1.0), (0.0, 0.0)),
    "std of equal values": (lambda v: v.std(), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)),
    "std over a dim": (lambda v: v.reshape(2, 2).std(1).sum(), (1.0, 1.0, 0.0, 2.0), (0.0, 0.0, -(0.5**0.5), 0.5**0.5)),
    "hypot": (lambda v: gradcore.hypot(v[0], v[1]), (0.0, 0.0), (0.0, 0.0)),
    "atan2": (lambda v: gradcore.atan2(v[0], v[1]), (0.0, 0.0), (0.0, 0.0)),
    "atan2 of small": (lambda v: gradcore.atan2(v[0], v[1]), (1e-200, 1e-200), (5e199, -5e199)),
    "atan2 of large": (lambda v: gradcore.atan2(v[0], v[1]), (3e200, 4e200), (1.6e-201, -1.2e-201)),
    "logsumexp with -inf": (lambda v: v.logsumexp(0), (-math.inf, 1.0, 1.0), (0.0, 0.5, 0.5)),
    "logsumexp of -inf": (lambda v: v.logsumexp(0), (-math.inf, -math.inf), (0.0, 0.0)),
    "logsumexp of large": (lambda v: v.logsumexp(0), (1e300, 1e300), (0.5, 0.5)),
    "softmax of large": (lambda v: v.softmax(0)[0], (1e300, 1e300), (0.25, -0.25)),
    "0 to the power of": (lambda v: v[0] ** v[1], (0.0, 2.0), (0.0, 0.0)),
    "clamp at equal bounds": (lambda v: v.clamp(1, 1).sum(), (0.0, 1.0, 2.0), (0.0, 0.0, 0.0)),
    "clamp at a bound": (lambda v: v.clamp(0, 2).sum(), (0.0, 1.0, 3.0), (1.0, 1.0, 0.0)),
    "prod with a zero": (lambda v: v.prod(), (0.0, 2.0, 3.0), (6.0, 0.0, 0.0)),
    "logcumsumexp of large": (lambda v: v.logcumsumexp(0).sum(), (1e300, 1e300, 1e300), (11 / 6, 5 / 6, 1 / 3)),
    "logcumsumexp from -inf": (lambda v: v.logcumsumexp(0).sum(), (-math.inf, 1.0, 1.0), (0.0, 1.5, 0.5)),
    "logaddexp of far numbers": (lambda v: gradcore.logaddexp(v[0], v[1]), (1e300, -1e300), (1.0, 0.0)),
    "logaddexp2 of far numbers": (lambda v: gradcore.logaddexp2(v[0], v[1]), (-1e300, 1e300), (0.0, 1.0)),
    "copysign of 0": (lambda v: gradcore.copysign(v, -1.0).sum(), (0.0, 2.0), (0.0, -1.0)),
    "power of tensors at 0": (lambda v: (v ** point(0.0, 1.0, 2.0)).sum(), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "sinc": (lambda v: v.sinc().sum(), (0.0, 1e-9, 1.0), (0.0, -(math.pi**2) * 1e-9 / 3, -1.0)),
    "i1": (lambda v: gradcore.special.i1(v).sum(), (0.0,), (0.5,)),
    "i1e": (lambda v: gradcore.special.i1e(v).sum(), (0.0,), (0.5,)),
    "log_ndtr": (lambda v: gradcore.special.log_ndtr(v).sum(), (1e30, 0.0), (0.0, (2 / math.pi) ** 0.5)),
    "lp_pool of zeros": (lambda v: F.lp_pool1d(v[None], 2, 2).sum(), (0.0, 0.0, 3.0, 4.0), (0.0, 0.0, 0.6, 0.8)),
    "hardswish": (lambda v: F.hardswish(v).sum(), (-math.inf, 0.0, math.inf), (0.0, 0.5, 1.0)),
    "prod with two": (lambda v: v.prod(), (0.0, 0.0, 3.0), (0.0, 0.0, 0.0)),
}


def equal(found, expected):
    return found.tolist() == pytest.approx(list(expected), rel=1e-12, abs=0)


@pytest.mark.parametrize("name", POINTS)
def test_modes_agree(name):
    f, at, gradient = POINTS[name]
    x = point(*at)
    assert equal(gradcore.func.grad(f)(x), gradient)
    assert equal(gradcore.func.jacfwd(f)(x), gradient)
    assert equal(gradcore.func.jacrev(f)(x), gradient)
    assert equal(gradcore.func.vmap(gradcore.func.grad(f))(gradcore.stack([x, x]))[1], gradient)
    leaf = x.clone().requires_grad_()
    (recorded,) = gradcore.autograd.grad(f(leaf), leaf, create_graph=True)
    assert equal(recorded.detach(), gradient)


@pytest.mark.parametrize("name", sorted(set(POINTS) - {"atan2 of small", "logsumexp of -inf", "norm 0.5 at 0"}))
def test_second_derivatives_are_finite(name):
    f, at, _ = POINTS[name]
    x = point(*(a if math.isfinite(a) else -1e3 for a in at))
    forward = gradcore.func.jacfwd(gradcore.func.grad(f))(x)
    assert gradcore.isfinite(forward).all()
    assert gradcore.allclose(forward, gradcore.func.jacrev(gradcore.func.grad(f))(x))


def test_second_derivatives_at_special_points():
    """By limits: sinc'' is -pi^2 / 3 at 0, log_ndtr'' is -2 / pi at 0, logaddexp'' is 1/4 where both are equal."""
    for f, at, expected in (
        (gradcore.sinc, 0.0, -(math.pi**2) / 3),
        (gradcore.special.log_ndtr, 0.0, -2 / math.pi),
        (lambda x: gradcore.logaddexp(x, gradcore.zeros_like(x)), 0.0, 0.25),
        (gradcore.special.i1, 0.0, 0.0),
    ):
        for inner, outer in itertools.product((gradcore.func.jacfwd, gradcore.func.jacrev), repeat=2):
            assert outer(inner(f))(gradcore.tensor(at, dtype=F64)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0), (0.3, -2.0, 1.5), (500.0, 500.0, -1.0)])
def test_hessians_of_logcumsumexp_agree(values):
    """Reverse mode over forward mode differentiates the shares too, which rest on the result."""
    weights = point(1.0, 2.0, 3.0)

    def f(v):
        return (v.logcumsumexp(0) * weights).sum()

    shares = [gradcore.tensor([*values[: k + 1]], dtype=F64).softmax(0) for k in range(3)]
    expected = gradcore.zeros(3, 3, dtype=F64)
    for k, share in enumerate(shares):
        expected[: k + 1, : k + 1] += weights[k] * (share.diag() - share.outer(share))
    for inner, outer in itertools.product((gradcore.func.jacfwd, gradcore.func.jacrev), repeat=2):
        assert gradcore.allclose(outer(inner(f))(point(*values)), expected)


@pytest.mark.parametrize("name", ["elu", "celu", "selu", "softshrink", "hardswish", "relu6", "hardshrink"])
@needs_torch
def test_activations_hand_the_gradient_of_nan_and_infinities_on_as_torch_does(name):
    found = []
    for lib in (gradcore, torch):
        x = lib.tensor([math.nan, math.inf, -math.inf, 0.1, -0.1], requires_grad=True)
        getattr(lib.nn.functional, name)(x).sum().backward()
        found.append(x.grad.tolist())
    assert found[0] == pytest.approx(found[1], nan_ok=True)


def test_sinc_near_zero():
    """-pi^2 x / 3, where cosine and sine cancel: in float32 torch's quotient has no right digit at 1e-4."""
    x = gradcore.tensor([1e-4, -1e-3, 1e-6], requires_grad=True)
    x.sinc().sum().backward()
    assert x.grad.tolist() == pytest.approx([-(math.pi**2) / 3 * v for v in x.tolist()], rel=1e-5)


def test_the_square_of_a_norm_is_smooth():
    """Its Hessian is 2 I, at 0 too; torch's is 0 there."""

    def kernel(a, b):
        return gradcore.exp(-((a - b).norm() ** 2))

    at = point(0.3, 0.4, 0.5)
    for of in (gradcore.func.jacfwd, gradcore.func.jacrev):
        hessian = of(gradcore.func.grad(kernel, argnums=0), argnums=1)(at, at)
        assert gradcore.allclose(hessian, 2 * gradcore.eye(3, dtype=F64))
    for x in (point(0.0, 0.0), point(3.0, 4.0)):
        square = gradcore.func.hessian(lambda v: v.norm().square())(x)
        assert gradcore.allclose(square, 2 * gradcore.eye(2, dtype=F64))
    rows = gradcore.func.hessian(lambda v: (v.reshape(2, 2).norm(dim=1) ** 2).sum())(point(0.0, 0.0, 1.0, 2.0))
    assert gradcore.allclose(rows, 2 * gradcore.eye(4, dtype=F64))


def test_the_square_of_a_norm_in_the_graph():
    """Nothing of the second edge is seen: gradients of the norm itself and the graph are as ever."""
    x = gradcore.tensor([3.0, 4.0], requires_grad=True)
    norm = x.norm()
    norm.retain_grad()
    square = norm**2
    assert [type(node).__name__ for node, _ in square.grad_fn.next_functions] == ["LinalgVectorNormBackward0"]
    square.backward()
    assert norm.grad.item() == 10 and x.grad.tolist() == [6, 8]


def test_clamp_between_equal_bounds_follows_the_bound():
    x = gradcore.tensor([1.0, 2.0, 3.0])
    for bound in (gradcore.tensor(2.0), gradcore.full((3,), 2.0)):
        _, tangent = gradcore.func.jvp(lambda b: x.clamp(b, b), (bound,), (gradcore.ones_like(bound),))
        assert tangent.tolist() == [1, 1, 1]
        leaf = bound.clone().requires_grad_()
        x.clamp(leaf, leaf).sum().backward()
        assert leaf.grad.sum().item() == 3


@pytest.mark.parametrize("gap", [0.5, 5.0, 38.0, 40.0, 100.0, 700.0])
@pytest.mark.parametrize("shape", [(2,), (5, 2), (2, 5), (40, 2, 7)])
def test_log_softmax_keeps_small_components(gap, shape):
    """The gradient of the heavy class is minus the others'; 1 - p alone would round it to 0."""
    dim = shape.index(2)
    z = gradcore.zeros(shape, dtype=F64)
    z.select(dim, 0).fill_(gap)
    z.requires_grad_()
    small = math.exp(-gap) / (1 + math.exp(-gap))
    for create_graph in (False, True):
        chosen = gradcore.log_softmax(z, dim).select(dim, 0).sum()
        (g,) = gradcore.autograd.grad(chosen, z, create_graph=create_graph)
        for part, sign in ((0, 1), (1, -1)):
            assert g.select(dim, part).flatten().tolist() == pytest.approx([sign * small] * (z.numel() // 2), rel=1e-12)


def test_log_softmax_of_long_rows():
    x = gradcore.zeros(3, 40000, dtype=F64)
    x[:, 31234] = 50.0
    x.requires_grad_()
    (g,) = gradcore.autograd.grad(gradcore.log_softmax(x, 1)[:, 31234].sum(), x)
    share = math.exp(-50)
    assert g[:, 31234].tolist() == pytest.approx([39999 * share] * 3, rel=1e-9)
    assert g[0, 0].item() == pytest.approx(-share, rel=1e-9)
    (row,) = gradcore.autograd.grad(gradcore.log_softmax(x[0], 0)[31234], x)
    assert row[0].equal(g[0])


@needs_torch
def test_log_softmax_gradients_are_those_of_torch():
    for shape, dim in (((7, 33), 1), ((33, 7), 0), ((3, 20, 5), 1), ((2, 9000), 1), ((300, 40), 0)):
        found = []
        for lib in (gradcore, torch):
            lib.manual_seed(1)
            x, g = (8 * lib.randn(shape)).requires_grad_(), lib.randn(shape)
            found.append(lib.autograd.grad(lib.log_softmax(x, dim), x, g)[0].tolist())
        assert gradcore.allclose(*(gradcore.tensor(v) for v in found), rtol=1e-4, atol=1e-5)


def test_logsumexp_beside_an_infinity():
    """pytorch/pytorch#49724: the finite elements have no share, whatever the infinite one's is."""
    x = point(math.inf, 1.0, 2.0).requires_grad_()
    x.logsumexp(0).backward()
    assert x.grad[1:].tolist() == [0, 0]
    tangent = gradcore.func.jvp(lambda v: v.logsumexp(0), (x.detach(),), (point(0.0, 1.0, 1.0),))[1]
    assert not tangent.item() > 0


def test_masked_gradients_stay_finite():
    x = gradcore.tensor([0.0, 3.0], requires_grad=True)
    y = gradcore.tensor([0.0, 4.0], requires_grad=True)
    for f in (gradcore.atan2, gradcore.hypot):
        gx, gy = gradcore.autograd.grad(gradcore.where(x.detach() > 0, f(y, x), gradcore.zeros(2)).sum(), (x, y))
        assert gradcore.isfinite(gx).all() and gradcore.isfinite(gy).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_ldexp_beyond_the_range_of_its_power(dtype):
    """2**130 is infinite in float32, but 0 times it is 0; a result below the least normal number is rounded once."""
    kind = getattr(gradcore, dtype)
    numbers = [0.0, math.inf, -math.inf, 1.0, 3.0, 1e-30, 1.0, -1.0, 1.5, 1e300, 5e-324, 1.0]
    powers = [2000, -2000, 5000, -140, -149, 130, 127, -126, -148, -1100, 2000, -1074]
    x = gradcore.tensor(numbers, dtype=kind, requires_grad=True)
    y = gradcore.ldexp(x, gradcore.tensor(powers))
    expected = gradcore.tensor([ldexp(a, n) for a, n in zip(x.tolist(), powers, strict=True)], dtype=kind)
    assert y.tolist() == expected.tolist()
    y.sum().backward()
    slopes = gradcore.tensor([ldexp(1.0, n) for n in powers], dtype=kind)
    assert x.grad.tolist() == slopes.tolist()


def ldexp(a, n):
    try:
        return math.ldexp(a, n)
    except OverflowError:
        return math.copysign(math.inf, a)


def test_ldexp_of_fractions_and_infinite_powers():
    two = gradcore.tensor([2.0, 0.0, 1.0, 1.0, math.nan, 1.0])
    powers = gradcore.tensor([0.5, math.inf, math.inf, -math.inf, 1.0, math.nan])
    found = gradcore.ldexp(two, powers).tolist()
    assert found[0] == pytest.approx(2 * 2**0.5, rel=1e-6)
    assert found[2:4] == [math.inf, 0.0]
    assert all(math.isnan(found[i]) for i in (1, 4, 5))


@pytest.mark.parametrize("p", [1.0, math.inf])
def test_gradients_of_distances_keep_nan(p):
    a = gradcore.tensor([[math.nan, 1.0], [math.inf, 1.0]], dtype=F64, requires_grad=True)
    b = gradcore.zeros(1, 2, dtype=F64)
    for recorded in (False, True):
        (g,) = gradcore.autograd.grad(gradcore.cdist(a, b, p=p).sum(), a, create_graph=recorded)
        assert math.isnan(g[0, 0].item())
        assert g[0, 1].item() == (1.0 if p == 1.0 else 0.0)
        assert g[1].tolist() == [1.0, 1.0 if p == 1.0 else 0.0]


def test_hardsigmoid_has_no_gradient_at_nan():
    x = gradcore.tensor([math.nan, 0.0, 4.0], requires_grad=True)
    F.hardsigmoid(x).sum().backward()
    assert x.grad.tolist() == pytest.approx([0.0, 1 / 6, 0.0])


def test_power_of_zero():
    x = gradcore.tensor([0.0, 2.0, math.nan, math.inf], requires_grad=True)
    y = x**0
    y.sum().backward()
    assert y.tolist() == [1.0] * 4
    assert x.grad.tolist() == [0.0] * 4
    assert (gradcore.tensor([0, 3]) ** 0).tolist() == [1, 1]


@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, -0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("base", [0.0, lambda lib: lib.tensor(0.0, dtype=lib.float64)])
def test_second_derivatives_of_a_power_of_zero_in_its_exponent(base, exponent):
    """0**b is 0, and flat, for b > 0, and infinite, with slopes that are, for b < 0."""
    zero = base(gradcore) if callable(base) else base
    at = gradcore.tensor(exponent, dtype=gradcore.float64)
    slope = gradcore.func.grad(lambda b: zero**b)
    expected = (-math.inf, math.inf) if exponent < 0 else (0.0, 0.0)
    (bend,) = gradcore.func.jvp(slope, (at,), (gradcore.ones_like(at),))[1:]
    assert (slope(at).item(), gradcore.func.grad(slope)(at).item()) == expected
    assert bend.item() == expected[1]


@needs_torch
def test_a_power_of_minus_zero_in_its_exponent():
    def slopes(lib):
        b = lib.tensor([-1.0, -2.0, 1.0], dtype=lib.float64, requires_grad=True)
        (slope,) = lib.autograd.grad((lib.full((3,), -0.0, dtype=lib.float64) ** b).sum(), b)
        return slope.tolist()

    assert slopes(gradcore) == slopes(torch) == [math.inf, -math.inf, 0.0]


@pytest.mark.parametrize("exponent", [1.5, 2.5])
@needs_torch
def test_powers_at_infinities_have_one_gradient(exponent):
    """x ** 0.5 is a square root and so NaN at -inf, also where it is the slope of another power."""
    at = [-math.inf, -2.0, 0.0, 4.0, math.inf, math.nan]
    expected = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad((expected**exponent).sum(), expected, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), expected)
    x = point(*at).requires_grad_()
    (plain,) = gradcore.autograd.grad((x**exponent).sum(), x)
    (recorded,) = gradcore.autograd.grad((x**exponent).sum(), x, create_graph=True)
    (second,) = gradcore.autograd.grad(recorded.sum(), x)
    assert plain.tolist() == pytest.approx(slope.tolist(), nan_ok=True)
    assert recorded.tolist() == pytest.approx(slope.tolist(), nan_ok=True)
    assert second.tolist() == pytest.approx(bend.tolist(), nan_ok=True)


@pytest.mark.parametrize("p", [-1, -2, -0.5])
def test_norms_of_negative_order_beside_an_infinity(p):
    """What is infinite adds nothing to them: the other element is the norm, and its slope is constant."""
    x = point(1.0, math.inf).requires_grad_()
    (slope,) = gradcore.autograd.grad(x.norm(p), x, create_graph=True)
    (bend,) = gradcore.autograd.grad(slope.sum(), x)
    assert slope.tolist() == [1.0, 0.0]
    assert bend.tolist() == [0.0, 0.0]


SECOND_AT_KINKS = {
    "elu": lambda lib, x: lib.nn.functional.elu(x, 2.0),
    "celu": lambda lib, x: lib.nn.functional.celu(x, 2.0),
    "selu": lambda lib, x: lib.nn.functional.selu(x),
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu(x),
    "prelu": lambda lib, x: lib.nn.functional.prelu(x, lib.tensor([0.25], dtype=lib.float64)),
    "smooth_l1_loss": lambda lib, x: lib.nn.functional.smooth_l1_loss(x, x.detach() * 0, reduction="none"),
    "huber_loss": lambda lib, x: lib.nn.functional.huber_loss(x, x.detach() * 0, reduction="none"),
}


@pytest.mark.parametrize("name", SECOND_AT_KINKS)
@needs_torch
def test_second_derivatives_at_kinks(name):
    """They are torch's, and forward mode over reverse mode has the same."""
    found = []
    for lib in (gradcore, torch):
        x = lib.tensor([-2.0, -1.0, -0.0, 0.0, 1e-3, 1.0, 2.0], dtype=lib.float64, requires_grad=True)
        (slope,) = lib.autograd.grad(SECOND_AT_KINKS[name](lib, x).sum(), x, create_graph=True)
        (bend,) = lib.autograd.grad(slope.sum(), x)
        found.append((slope.tolist(), bend.tolist()))
    assert found[0][0] == pytest.approx(found[1][0])
    assert found[0][1] == pytest.approx(found[1][1])

    def slopes(x):
        return gradcore.func.grad(lambda v: SECOND_AT_KINKS[name](gradcore, v).sum())(x)

    x = gradcore.tensor([-2.0, -1.0, -0.0, 0.0, 1e-3, 1.0, 2.0], dtype=F64)
    assert gradcore.func.jvp(slopes, (x,), (gradcore.ones_like(x),))[1].tolist() == pytest.approx(found[1][1])


def test_elu_keeps_the_sign_of_zero():
    for f in (F.elu, F.celu, F.selu):
        assert math.copysign(1.0, f(point(-0.0)).item()) == -1.0


def test_derivatives_of_prelu_at_zero():
    """At 0 the gradients are g w and 0; their derivatives are those, where torch's take the slope 1 of the other side."""
    x, w = point(-2.0, 0.0, 3.0).requires_grad_(), point(0.25).requires_grad_()
    gx, gw = gradcore.autograd.grad(F.prelu(x, w).sum(), (x, w), create_graph=True)
    assert gx.tolist() == [0.25, 0.25, 1.0]
    assert gw.item() == -2.0
    assert [g.tolist() for g in gradcore.autograd.grad(gx.sum(), (x, w), retain_graph=True)] == [[0.0] * 3, [2.0]]
    assert [g.tolist() for g in gradcore.autograd.grad(gw, (x, w))] == [[1.0, 1.0, 0.0], [0.0]]
    bend = gradcore.func.jacfwd(gradcore.func.grad(lambda v: (F.prelu(v, w.detach()) ** 2).sum()))(x.detach())
    assert bend.diagonal().tolist() == [0.125, 0.125, 2.0]


@pytest.mark.parametrize("p", [1, 2, 3.0, math.inf])
def test_renorm_leaves_a_row_with_nan_alone(p):
    """Its norm is no larger than the limit, so that it is not scaled: the gradient is 1 for each element."""
    for recorded in (False, True):
        x = point(math.nan, 1.0, 3.0, 4.0).reshape(2, 2).requires_grad_()
        (slope,) = gradcore.autograd.grad(gradcore.renorm(x, p, 0, 1.0).sum(), x, create_graph=recorded)
        assert slope[0].tolist() == [1.0, 1.0]
        assert slope[1].isfinite().all()
    (bend,) = gradcore.autograd.grad(slope.sum(), x)
    assert bend[1].isfinite().all()


def normalisations(x, eps):
    """Of rows of a matrix, by each op that has them."""
    return {
        "layer_norm": F.layer_norm(x, x.shape[1:], eps=eps),
        "rms_norm": F.rms_norm(x, x.shape[1:], eps=eps),
        "instance_norm": F.instance_norm(x[None], eps=eps)[0],
        "group_norm": F.group_norm(x[:, :, None], 2, eps=eps)[:, :, 0],
        "batch_norm": F.batch_norm(x[None], None, None, training=True, eps=eps)[0],
        "batch_norm of rows": F.batch_norm(x.T, None, None, training=True, eps=eps).T,
    }


@pytest.mark.parametrize("columns", [4, 40, 3000])
@pytest.mark.parametrize("size", [1e20, 1e30])
def test_normalisations_of_numbers_whose_squares_overflow(size, columns):
    """Those of float32, and their gradients, are those of the same numbers in float64; torch's are 0."""
    generator = gradcore.Generator().manual_seed(4)
    exact = gradcore.randn(2, columns, generator=generator, dtype=F64)
    slopes = gradcore.randn(2, columns, generator=generator, dtype=F64)
    x, same = (exact * size).float().requires_grad_(), exact.float().double().requires_grad_()
    for name, expected in normalisations(same, 1e-300).items():
        found = normalisations(x, 1e-5)[name]
        assert gradcore.allclose(found.double(), expected, rtol=1e-5, atol=1e-5), name
        if size > 1e25 and "layer" not in name and "rms" not in name:
            continue  # the cube of the scale is no number of float32
        (g,) = gradcore.autograd.grad((found * slopes.float()).sum(), x)
        (g_expected,) = gradcore.autograd.grad((expected * slopes).sum(), same)
        if "group" not in name or columns > 4:
            assert gradcore.allclose(g.double() * size, g_expected, rtol=1e-3, atol=1e-3), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norm", [F.layer_norm, F.rms_norm])
def test_row_norms_of_the_largest_numbers(norm, dtype):
    most = gradcore.finfo(getattr(gradcore, dtype)).max
    x = gradcore.tensor([[most, -most], [1.0, math.nan]], dtype=getattr(gradcore, dtype))
    found = norm(x, (2,))
    assert found[0].tolist() == [1.0, -1.0]
    assert found[1, 1].isnan()
    wide = point(3.0, 4.0, -5.0) * 1e200
    usual = norm(point(3.0, 4.0, -5.0), (3,), eps=1e-300)
    assert gradcore.allclose(norm(wide, (3,)), usual)
