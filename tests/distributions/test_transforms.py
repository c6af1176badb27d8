"""Transforms, constraints and their registry beside torch's."""

import numpy as np
import pytest

import gradcore
import support
from support import both

X = np.array([[-1.3, 0.2, 0.9], [0.4, -0.5, 2.0]])
MATRIX = np.array([[0.3, 9.0], [-0.7, 0.5]])
TRANSFORMS = [
    ("D.ExpTransform()", X), ("D.AffineTransform(1.0, -2.0)", X), ("D.AffineTransform(lib.ones(3, dtype=lib.float64), 3.0, event_dim=1)", X),
    ("D.SigmoidTransform()", X), ("D.TanhTransform()", X), ("D.SoftplusTransform()", X), ("D.PowerTransform(2.5)", abs(X)), ("D.AbsTransform()", X),
    ("D.SoftmaxTransform()", X), ("D.StickBreakingTransform()", X), ("D.CorrCholeskyTransform()", X), ("D.LowerCholeskyTransform()", MATRIX),
    ("D.PositiveDefiniteTransform()", MATRIX), ("D.ReshapeTransform((3,), (1, 3))", X), ("D.IndependentTransform(D.ExpTransform(), 1)", X),
    ("D.ComposeTransform([D.ExpTransform(), D.AffineTransform(0.5, 2.0), D.PowerTransform(0.5)])", X), ("D.ExpTransform().inv", abs(X)),
    ("D.ComposeTransform([D.AffineTransform(0.5, 2.0), D.StickBreakingTransform()])", X), ("D.CatTransform([D.ExpTransform(), D.TanhTransform()], dim=1, lengths=[1, 2])", X),
    ("D.StackTransform([D.ExpTransform(), D.TanhTransform()], dim=0)", X), ("D.CumulativeDistributionTransform(D.Normal(lib.tensor(0.3, dtype=lib.float64), 1.2))", X),
    ("D.identity_transform", X), ("D.ExpTransform(cache_size=1)", X),
]  # fmt: skip


def attempt(function):
    try:
        return function()
    except NotImplementedError:
        return "NotImplementedError"


@pytest.mark.parametrize("program, x", TRANSFORMS, ids=[program for program, _ in TRANSFORMS])
def test_transform(program, x):
    def facts(lib):
        t = eval(program, {"D": lib.distributions, "lib": lib})
        given = lib.from_numpy(x.copy())
        y = t(given)
        volume = attempt(lambda: t.log_abs_det_jacobian(given, y))
        about = [
            t.bijective,
            attempt(lambda: t.sign),
            t.domain.event_dim,
            t.codomain.event_dim,
            list(t.forward_shape(given.shape)),
        ]
        about += [
            list(t.inverse_shape(y.shape)),
            t == eval(program, {"D": lib.distributions, "lib": lib}),
            t.inv.inv is t,
        ]
        return [
            y,
            t.inv(y),
            volume,
            attempt(lambda: t.inv.log_abs_det_jacobian(y, given)),
            about,
            t.codomain.check(y),
            t.domain.check(given),
        ]

    both(facts, ulps=1 << 12, scale=1.0, strides="none")


def test_all_of_torchs_names():
    if support.torch is None:
        pytest.skip(support.NO_TORCH)
    for module in ("transforms", "constraints"):
        theirs = getattr(support.torch.distributions, module).__all__
        assert sorted(theirs) == sorted(getattr(gradcore.distributions, module).__all__)


CONSTRAINTS = [
    ("C.boolean", [0.0, 1.0, 0.5]), ("C.unit_interval", [0.0, 1.0, 1.5, -0.1]), ("C.positive", [0.0, 1.0]), ("C.nonnegative", [0.0, -1.0]),
    ("C.real", [0.0, np.nan, np.inf]), ("C.real_vector", [[0.0, np.nan], [1.0, 2.0]]), ("C.simplex", [[0.5, 0.5], [0.5, 0.6]]), ("C.one_hot", [[0.0, 1.0], [1.0, 1.0]]),
    ("C.greater_than(1)", [1.0, 2.0]), ("C.greater_than_eq(1)", [1.0, 0.0]), ("C.less_than(1)", [1.0, 0.0]), ("C.interval(-1, 1)", [1.0, 2.0]),
    ("C.half_open_interval(-1, 1)", [1.0, -1.0]), ("C.integer_interval(0, 3)", [0.0, 1.5, 4.0]), ("C.nonnegative_integer", [0.0, -1.0, 0.5]), ("C.positive_integer", [0.0, 1.0]),
    ("C.multinomial(3)", [[1.0, 2.0], [2.0, 2.0]]), ("C.lower_triangular", [[1.0, 0.0], [2.0, 3.0]]), ("C.lower_cholesky", [[1.0, 0.0], [2.0, -3.0]]),
    ("C.corr_cholesky", [[1.0, 0.0], [0.6, 0.8]]), ("C.positive_definite", [[2.0, 1.0], [1.0, 2.0]]), ("C.positive_definite", [[1.0, 2.0], [2.0, 1.0]]),
    ("C.positive_definite", [[1.0, 2.0], [1.0, 1.0]]), ("C.positive_semidefinite", [[1.0, 1.0], [1.0, 1.0]]), ("C.positive_semidefinite", [[1.0, 2.0], [2.0, 1.0]]),
    ("C.square", [[1.0, 2.0], [2.0, 1.0]]), ("C.symmetric", [[1.0, 2.0], [2.0, 1.0]]), ("C.independent(C.positive, 1)", [[1.0, -2.0], [2.0, 1.0]]),
    ("C.cat([C.positive, C.real], 0, [1, 2])", [-1.0, -1.0, 2.0]), ("C.stack([C.positive, C.real], 0)", [[-1.0, 1.0], [-1.0, 2.0]]),
]  # fmt: skip


@pytest.mark.parametrize("program, value", CONSTRAINTS)
def test_constraint(program, value):
    def facts(lib):
        constraint = eval(program, {"C": lib.distributions.constraints})
        return [
            constraint.check(lib.tensor(value)),
            repr(constraint) if "[" not in program else "",
            constraint.event_dim,
            constraint.is_discrete,
        ]

    both(facts)


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("program", ["C.real", "C.positive", "C.nonnegative", "C.greater_than(2.0)", "C.less_than(2.0)", "C.interval(0, 1)", "C.interval(-1.0, 3.0)",
                                     "C.unit_interval", "C.simplex", "C.lower_cholesky", "C.positive_definite", "C.corr_cholesky", "C.independent(C.positive, 1)",
                                     "C.stack([C.positive, C.real], 0)", "C.cat([C.positive, C.real], 0, [1, 1])"])  # fmt: skip
def test_registry(registry, program):
    def transformed(lib):
        t = attempt(lambda: getattr(lib.distributions, registry)(eval(program, {"C": lib.distributions.constraints})))
        return (
            t
            if isinstance(t, str)
            else t(
                lib.from_numpy(MATRIX if "2" not in program else MATRIX.copy())
                if "corr" not in program
                else lib.from_numpy(X.copy())
            )
        )

    both(transformed, ulps=64, scale=1.0, strides="none")


def test_the_cache_gives_back_the_same_tensor():
    t = gradcore.distributions.TanhTransform(cache_size=1)
    x = gradcore.tensor([30.0])
    assert t.inv(t(x)) is x and t.with_cache(0) is not t


PARTS = "[D.ExpTransform(), D.AffineTransform(0.0, 1.0)]"
WRONG = [
    (f"D.CatTransform({PARTS}, -1, [1, 1])(lib.tensor(0.4))", "dim -1 out of range for tensor with 0 dimensions"),
    (f"D.CatTransform({PARTS}, -1, [1, 1])(lib.zeros(3))", "= 3 must equal length 2"), (f"D.StackTransform({PARTS}, -1)(lib.zeros(3))", "must equal len(transforms) 2"),
    ("C.stack([C.positive, C.real], 0).check(lib.tensor(1.0))", "dim 0 out of range for value with 0 dimensions"), ("C.positive_semidefinite.check(lib.ones(2))", ""),
    ("D.AffineTransform(lib.ones(2), 1.0).forward_shape((3, 3))", "should be broadcastable to [3, 3]"), ("D.PowerTransform(lib.ones(2)).inverse_shape((3,))", "should be broadcastable"),
]  # fmt: skip


@pytest.mark.parametrize("program, phrase", WRONG)
def test_what_does_not_fit(program, phrase):
    both(
        lambda lib: eval(program, {"D": lib.distributions, "C": lib.distributions.constraints, "lib": lib}),
        raises=phrase,
    )


@pytest.mark.parametrize("program", ["D.StickBreakingTransform()", "D.SoftmaxTransform()"])
def test_integers_are_moved(program):
    def moved(lib):
        t, x = eval(program, {"D": lib.distributions}), lib.tensor([1, 2])
        return [t(x), t.inv(t(x)), t.log_abs_det_jacobian(x, t(x)) if t.bijective else None]

    both(moved, ulps=1 << 7, scale=1.0, strides="none")


def test_event_dims_of_stacks():
    both(
        lambda lib: [
            lib.distributions.StackTransform(eval(PARTS, {"D": lib.distributions}), dim).event_dim for dim in (0, -1)
        ]
    )
