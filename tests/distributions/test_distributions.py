"""Every distribution beside torch's: parameters, samples, densities, moments, entropy, gradients, messages."""

import warnings

import numpy as np
import pytest

import gradcore
import support
from distributions.cases import (
    CASES,
    COVARIANCE,
    LOOSE,
    NO_GRADIENTS,
    ROUGH_GRADIENTS,
    SINGLE,
    UNDERIVABLE_CDF,
)
from support import both, build

BY_NAME = {name: (kind, arguments) for name, kind, arguments in CASES}
names = pytest.mark.parametrize("name", BY_NAME)
DTYPES = ("float64", "float32")


def cast(argument, dtype):
    return argument.astype(dtype) if isinstance(argument, np.ndarray) else argument


def make(lib, name, dtype="float64", grad=False, **options):
    kind, arguments = BY_NAME[name]
    built = [build(lib, cast(argument, dtype)) for argument in arguments]
    if grad:
        built = [x.requires_grad_() if isinstance(x, lib.Tensor) else x for x in built]
    return getattr(lib.distributions, kind)(*built, **options), [x for x in built if isinstance(x, lib.Tensor)]


def attempt(function):
    """The result, or the class of the exception where there is none."""
    try:
        return function()
    except NotImplementedError as error:
        return type(error).__name__


def test_every_distribution_has_a_row():
    kinds = {kind for kind, _ in BY_NAME.values()}
    base = {"Distribution", "ExponentialFamily", "Independent", "MixtureSameFamily", "TransformedDistribution"}
    ours = {name for name in dir(gradcore.distributions) if isinstance(getattr(gradcore.distributions, name), type)}
    ours = {
        name for name in ours if issubclass(getattr(gradcore.distributions, name), gradcore.distributions.Distribution)
    }
    assert ours - base == kinds
    if support.torch is not None:
        assert set(support.torch.distributions.__all__) <= set(dir(gradcore.distributions))


@names
def test_what_it_says_of_itself(name):
    def facts(lib):
        d, _ = make(lib, name)
        wide = d.expand((2, *d.batch_shape)) if len(d.batch_shape) < 2 else d.expand((3, *d.batch_shape))
        moments = [
            attempt(lambda x=x, m=m: getattr(x, m))
            for x in (d, wide)
            for m in ("mean", "variance", "stddev", "mode")[: 3 if name == "kumaraswamy" else 4]
        ]
        shapes = [tuple(x.batch_shape) + tuple(x.event_shape) for x in (d, wide)]
        flags = [
            d.has_rsample,
            d.has_enumerate_support,
            sorted(d.arg_constraints),
            repr(d),
            d.support.event_dim,
            d.support.is_discrete,
        ]
        return [*moments, attempt(d.entropy), None if name == "multinomial" else attempt(wide.entropy), shapes, flags]

    both(facts, ulps=LOOSE.get(name, 1 << 14), scale=1.0, strides="none")


@names
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (7,), (2, 3)])
def test_samples_are_torchs(name, dtype, shape):
    def drawn(lib):
        lib.manual_seed(5)
        d, _ = make(lib, name, dtype)
        return [d.sample(shape), lib.rand(1)]

    both(drawn, ulps=1 << 10, scale=1.0, strides="none")


def test_wishart_draws_singular_matrices_again():
    """Rounding makes some where there are few degrees of freedom; usual ones give no warning."""
    gradcore.manual_seed(0)
    covariance = gradcore.eye(3, dtype=gradcore.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d = gradcore.distributions.Wishart(gradcore.tensor([4.0, 6.0]), covariance)
        drawn = d.sample((4000,))
    error = 6 * (d.variance / 4000).sqrt()
    assert bool(((drawn.mean(0) - d.mean).abs() < error).all())
    assert np.allclose((drawn.var(0) / d.variance).numpy(), 1.0, atol=0.25)
    with pytest.warns(UserWarning, match="Low df"):
        low = gradcore.distributions.Wishart(gradcore.tensor([2.02, 3.0]), covariance)
    with pytest.warns(UserWarning, match="Singular sample detected"):
        drawn = low.sample((1000,))
    assert bool(low.log_prob(drawn).isfinite().all())
    assert low.sample().shape == (2, 3, 3)


@names
def test_values(name):
    """log_prob, cdf and icdf, at samples that torch would draw too, and their gradients by the parameters."""

    def values(lib):
        lib.manual_seed(3)
        d, parameters = make(lib, name, "float32" if name in SINGLE else "float64", grad=True)
        x = d.sample((4,)).detach()
        results = [d.log_prob(x), attempt(lambda: d.cdf(x))]
        if name in UNDERIVABLE_CDF:
            results[1] = results[1].detach()
        else:
            u = lib.linspace(0.05, 0.95, 4, dtype=x.dtype if x.dtype.is_floating_point else lib.float64).reshape(
                (4,) + (1,) * len(d.batch_shape)
            )
            results.append(attempt(lambda: d.icdf(u.expand((4, *d.batch_shape)))))
        total = sum(r.sum() for r in results if isinstance(r, lib.Tensor) and r.requires_grad)
        gradients = lib.autograd.grad(total, parameters, allow_unused=True) if parameters else ()
        return [[r.detach() if isinstance(r, lib.Tensor) else r for r in results], list(gradients)]

    both(values, ulps=LOOSE.get(name, 1 << 20), scale=1.0, strides="none")


@names
def test_gradients_of_samples(name):
    def gradients(lib):
        lib.manual_seed(9)
        d, parameters = make(lib, name, grad=True)
        if not d.has_rsample or not parameters or name in NO_GRADIENTS:
            return None
        x = d.rsample((5,))
        return list(lib.autograd.grad((x * x.detach().cos()).sum(), parameters, allow_unused=True))

    both(gradients, ulps=ROUGH_GRADIENTS.get(name, 1 << 16), scale=1.0, strides="none")


GAMMA_QUANTILES = [
    (a, p)
    for a in (0.001, 0.05, 0.3, 1.0, 2.0, 10.0, 21.0, 50.0, 299.0, 400.0, 1e4, 1e6)
    for p in (1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999)
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_derivative_of_gamma_quantiles(dtype):
    """By differences: the quantile moves so that the distribution function stays."""
    scipy = pytest.importorskip("scipy.special")
    a, p = np.array([(a, p) for a, p in GAMMA_QUANTILES if scipy.gammaincinv(a, p) > 1e-30]).T
    x, h = scipy.gammaincinv(a, p).astype(dtype).astype("float64"), 1e-5 * a
    p = scipy.gammainc(a, x)
    numeric = (scipy.gammaincinv(a + h, p) - scipy.gammaincinv(a - h, p)) / (2 * h)
    ours = gradcore._standard_gamma_grad(*(gradcore.from_numpy(v.astype(dtype)) for v in (a, x))).numpy()
    assert np.allclose(ours, numeric, rtol=2e-6)


BETA_QUANTILES = [
    (a, b, p)
    for a, b in [
        (0.05, 0.05),
        (0.3, 5),
        (5, 0.3),
        (1, 1),
        (2, 100),
        (100, 2),
        (20, 20),
        (1, 1e5),
        (300, 200),
        (120, 9000),
        (9000, 120),
        (2e4, 3e4),
    ]
    for p in (0.01, 0.3, 0.5, 0.9, 0.999)
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_derivative_of_beta_quantiles(dtype):
    scipy = pytest.importorskip("scipy.special")
    a, b, p = np.array(BETA_QUANTILES).T
    x = scipy.betaincinv(a, b, p).astype(dtype).astype("float64")
    a, b, x = (v[(x > 1e-6) & (x < 1 - 1e-5)] for v in (a, b, x))
    p, h = scipy.betainc(a, b, x), 1e-5 * a
    numeric = (scipy.betaincinv(a + h, b, p) - scipy.betaincinv(a - h, b, p)) / (2 * h) / (1 - x)
    ours = gradcore._dirichlet_grad(*(gradcore.from_numpy(v.astype(dtype)) for v in (x, a, a + b))).numpy()
    assert np.allclose(ours, numeric, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_derivatives_of_quantiles_far_out(dtype):
    """Where one in a million samples falls, and one in a billion."""
    scipy = pytest.importorskip("scipy.special")
    if not hasattr(scipy, "betainccinv"):
        pytest.skip("this SciPy has no upper tail of the beta distribution")
    a, b, q = np.array([(a, b, q) for a in (0.5, 3, 30, 300) for b in (2, 20, 200, 2000) for q in (1e-9, 1e-6)]).T
    x = scipy.betainccinv(a, b, q).astype(dtype).astype("float64")
    a, b, x = (v[x < 1 - 1e-4] for v in (a, b, x))
    q, h = scipy.betaincc(a, b, x), 1e-5 * a
    numeric = (scipy.betainccinv(a + h, b, q) - scipy.betainccinv(a - h, b, q)) / (2 * h) / (1 - x)
    ours = gradcore._dirichlet_grad(*(gradcore.from_numpy(v.astype(dtype)) for v in (x, a, a + b))).numpy()
    assert np.allclose(ours, numeric, rtol=1e-4)
    x = scipy.gammainccinv(a, 1e-9).astype(dtype).astype("float64")
    q = scipy.gammaincc(a, x)
    numeric = (scipy.gammainccinv(a + h, q) - scipy.gammainccinv(a - h, q)) / (2 * h)
    ours = gradcore._standard_gamma_grad(*(gradcore.from_numpy(v.astype(dtype)) for v in (a, x))).numpy()
    assert np.allclose(ours, numeric, rtol=1e-5)


def test_derivatives_of_quantiles_at_the_ends():
    """0 where the quantile stays, NaN where there is none, and an end to every sum."""
    nan, inf = float("nan"), float("inf")
    ends = gradcore._standard_gamma_grad(gradcore.tensor([1.0, 2.0, 1e-3]), gradcore.zeros(3))
    assert ends.tolist() == [0.0, 0.0, 0.0]
    bad = gradcore.tensor([[nan, 1.0], [1.0, nan], [-1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [inf, 1.0], [1.0, inf]])
    assert bool(gradcore._standard_gamma_grad(bad[:, 0], bad[:, 1]).isnan().all())
    huge = gradcore._standard_gamma_grad(
        gradcore.tensor([1e-30, 1.0, 1e30, 1e30]), gradcore.tensor([1e30, 1e30, 1.0, 1e30])
    )
    assert bool((huge >= 0).all())
    x, a, total = gradcore.tensor(
        [[0.0, 1.0, 2.0], [0.5, 2.0, 2.0], [nan, 1.0, 2.0], [0.5, -1.0, 2.0], [1.5, 1.0, 2.0]]
    ).T
    ends = gradcore._dirichlet_grad(x, a, total).tolist()
    assert ends[:2] == [0.0, 0.0] and all(v != v for v in ends[2:])
    for a, b in [
        (1e-30, 1e30),
        (1e30, 1e-30),
        (1e30, 1e30),
        (1e-30, 1e-30),
        (1.0, 1e12),
        (1e12, 1.0),
        (20, 20.5),
        (1, 40),
    ]:
        for x in (1e-30, 1e-6, 0.5, 1 - 1e-6, 1 - 1e-15):
            x, a, total = gradcore.tensor([x, a, a + b], dtype=gradcore.float64)
            gradcore._dirichlet_grad(x, a, total)


@pytest.mark.parametrize("threads", [1, 2])
def test_derivatives_of_quantiles_do_not_depend_on_threads(threads):
    gradcore.manual_seed(0)
    a = gradcore.rand(20001) * 30
    x = gradcore._standard_gamma(a)
    whole = gradcore._standard_gamma_grad(a, x)
    before = gradcore.get_num_threads()
    gradcore.set_num_threads(threads)
    try:
        assert gradcore.equal(gradcore._standard_gamma_grad(a, x), whole)
        assert gradcore.equal(gradcore._standard_gamma_grad(a[7:], x[7:]), whole[7:])
    finally:
        gradcore.set_num_threads(before)


REFUSED = [
    ("D.Chi2(lib.tensor([-1.0]))", "Expected parameter df"), ("D.HalfNormal(0.0)", "Expected parameter scale"), ("D.HalfCauchy(-1.0)", "Expected parameter scale"),
    ("D.StudentT(lib.tensor([-1.0]), validate_args=False)", "Expected parameter df"), ("D.HalfCauchy(1.0).log_prob(2)", "must be a Tensor"),
    ("D.Gamma(2.0, 3.0).cdf(lib.tensor(-1.0))", "to be within the support"), ("D.Gamma(2.0, 3.0).cdf(1.0)", "must be a Tensor"),
    ("D.Poisson(-1.0, validate_args=False).sample()", "non-negative"),
    ("D.Normal(0.0, -1.0)", "Expected parameter scale"), ("D.Normal(lib.zeros(2), 1.0).log_prob(lib.zeros(3))", "not broadcastable"),
    ("D.Bernoulli()", "Either `probs` or `logits`"), ("D.Bernoulli(0.5, 0.1)", "Either `probs` or `logits`"), ("D.Bernoulli(1.5)", "Expected parameter probs"),
    ("D.Bernoulli(0.5).log_prob(lib.tensor(0.3))", "to be within the support"), ("D.Uniform(1.0, 0.0)", "Expected parameter low"),
    ("D.Uniform(0.0, 1.0).log_prob(lib.tensor(2.0))", "to be within the support"), ("D.Categorical(lib.tensor(1.0))", "at least one-dimensional"),
    ("D.Categorical(lib.tensor([-1.0, 2.0]))", "Expected parameter probs"), ("D.Categorical(lib.ones(3)).log_prob(lib.tensor(3))", "to be within the support"),
    ("D.Normal(0.0, 1.0).log_prob(1.0)", "must be a Tensor"), ("D.Normal('a', 1.0)", "must all be instances"),
    ("D.MultivariateNormal(lib.zeros(2))", "Exactly one of"), ("D.MultivariateNormal(lib.tensor(1.0), lib.eye(2))", "at least one-dimensional"),
    ("D.MultivariateNormal(lib.zeros(2), -lib.eye(2))", "Expected parameter covariance_matrix"),
    ("D.MultivariateNormal(lib.zeros(2), lib.eye(2)).log_prob(lib.zeros(3))", "right-most size of value must match"),
    ("D.MultivariateNormal(lib.zeros(2), lib.tensor([[1.0, 2.0], [2.0, 1.0]]), validate_args=False)", "positive-definite"),
    ("D.Dirichlet(lib.tensor(1.0))", "at least one-dimensional"), ("D.Gamma(1.0, 1.0).log_prob(lib.tensor(-1.0))", "to be within the support"),
    ("D.Independent(D.Normal(0.0, 1.0), 1)", "Expected reinterpreted_batch_ndims"), ("D.TransformedDistribution(D.Normal(0.0, 1.0), [3])", "must be a Transform"),
    ("D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(0.0, 1.0))", "Mixture distribution needs"), ("D.LKJCholesky(1)", "greater than or equal to 2"),
    ("D.kl_divergence(D.Uniform(0.0, 1.0), D.Bernoulli(0.5))", "No KL(p || q) is implemented"), ("D.Geometric(0.0)", "to be positive"),
    ("D.Multinomial(2.5, lib.ones(2))", "inhomogeneous total_count"), ("D.Distribution.set_default_validate_args(3)", ""),
    ("D.StickBreakingTransform(cache_size=2)", "cache_size must be 0 or 1"), ("D.transform_to(D.constraints.boolean)", "Cannot transform"),
]  # fmt: skip


@pytest.mark.parametrize("program, phrase", REFUSED)
def test_refused(program, phrase):
    both(lambda lib: eval(program, {"D": lib.distributions, "lib": lib}), raises=phrase)


def test_the_messages_of_checks():
    both(
        lambda lib: str(
            pytest.raises(ValueError, lib.distributions.Normal, lib.zeros(2), lib.tensor([1.0, -2.0])).value
        )
    )
    both(
        lambda lib: str(
            pytest.raises(ValueError, lib.distributions.Bernoulli(0.5).log_prob, lib.tensor([0.0, 0.3])).value
        )
    )


PROGRAMS = [
    "D.Gamma(1.0, 2.0).log_prob(2)", "D.Gamma(lib.tensor([1.0, 2.0]), 2.0).log_prob(lib.tensor(0.5, dtype=lib.float64))", "D.Gamma(lib.tensor([1.0, 2.0]), 1.0).log_prob(lib.tensor(float('inf')))",
    "D.Gamma(2.0, lib.tensor([0.5, 3.0])).cdf(lib.tensor([1.0, 0.0]))", "D.Chi2(3.0).cdf(lib.tensor([0.5, 40.0]))", "D.InverseGamma(2.0, 3.0).cdf(lib.tensor([0.5, 4.0]))",
    "D.HalfCauchy(1.0, validate_args=False).log_prob(2)", "D.HalfCauchy(1.0).log_prob(lib.tensor([True, False]))",
    "repr(D.Beta(lib.tensor([-1.0]), 2.0, validate_args=False))", "D.Dirichlet(lib.tensor([1.0, 2.0]), validate_args=False).log_prob(lib.tensor(float('inf')))",
    "D.OneHotCategorical(lib.ones(2), validate_args=False).log_prob(lib.tensor([True, False]))", "(lambda x: D.Normal(x, lib.ones(2)).loc is x)(lib.zeros(2))",
    "D.Normal(lib.zeros(2), lib.ones(2, dtype=lib.float64)).sample().dtype", "D.Normal(lib.zeros(2), lib.ones(2, dtype=lib.float64)).rsample().dtype",
    "D.FisherSnedecor(lib.tensor([5, 6]), lib.tensor([7, 3])).sample()", "D.StudentT(lib.tensor([3, 5])).entropy()",
    "D.Independent(D.Normal(lib.zeros(2, 3), 1.0), 1).log_prob(lib.ones(2, 3))", "D.Independent(D.Normal(lib.zeros(2, 3), 1.0), 2).entropy()",
    "repr(D.Independent(D.Normal(lib.zeros(2, 3), 1.0), 1))", "D.Independent(D.Normal(lib.zeros(2, 3), 1.0), 1).expand((4, 2)).sample().shape",
    "D.TransformedDistribution(D.Normal(0.0, 1.0), [D.ExpTransform(), D.AffineTransform(1.0, -2.0)]).log_prob(lib.tensor([0.5, -3.0]))",
    "D.TransformedDistribution(D.Normal(0.0, 1.0), [D.ExpTransform(), D.AffineTransform(1.0, -2.0)]).cdf(lib.tensor([0.5, -3.0]))",
    "D.TransformedDistribution(D.Normal(0.0, 1.0), [D.TanhTransform()]).icdf(lib.tensor([0.5, 0.1]))",
    "D.TransformedDistribution(D.Normal(lib.zeros(3), 1.0), D.StickBreakingTransform()).sample((2,))",
    "M.log_prob(lib.tensor([0.0, 1.0]))", "M.mean", "M.variance", "M.sample((5,))", "M.cdf(lib.tensor(0.3))", "repr(M)", "M.expand((2,)).sample()",
    "N.log_prob(lib.ones(4, 2))", "N.mean", "N.variance", "N.sample((3,))",
    "D.Categorical(lib.ones(3)).enumerate_support()", "D.Bernoulli(lib.tensor([0.1, 0.2])).enumerate_support()", "D.Binomial(3, lib.tensor([0.1])).enumerate_support(False)",
    "D.OneHotCategorical(lib.ones(2, 3)).enumerate_support()", "D.Categorical(lib.ones(2, 3)).sample((4, 5)).shape", "D.Normal(0.0, 1.0).sample_n(2)",
    "D.Normal(0.0, 1.0).perplexity()", "D.Normal(lib.zeros(2), 1.0, validate_args=False).log_prob(lib.zeros(2))",
    "D.MultivariateNormal(lib.zeros(2), lib.eye(2) * 2).precision_matrix", "D.MultivariateNormal(lib.zeros(2), precision_matrix=lib.eye(2) * 2).covariance_matrix",
    "D.LowRankMultivariateNormal(lib.zeros(2), lib.ones(2, 1), lib.ones(2)).precision_matrix", "D.LowRankMultivariateNormal(lib.zeros(2), lib.ones(2, 1), lib.ones(2)).scale_tril",
    "D.Categorical(logits=lib.tensor([0.0, -lib.inf])).entropy()", "D.Bernoulli(lib.tensor([0.0, 1.0])).entropy()", "D.Multinomial(3, lib.tensor([1.0, 0.0])).log_prob(lib.tensor([3.0, 0.0]))",
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_compositions(program):
    def run(lib):
        D = lib.distributions
        mixture = D.Categorical(lib.tensor([0.3, 0.7]))
        M = D.MixtureSameFamily(mixture, D.Normal(lib.tensor([-1.0, 2.0]), lib.tensor([0.5, 1.5])))
        N = D.MixtureSameFamily(mixture, D.Independent(D.Normal(lib.tensor([[-1.0, 2.0], [0.0, 1.0]]), 1.0), 1))
        lib.manual_seed(1)
        return eval(program, {"D": D, "lib": lib, "M": M, "N": N})

    both(run, ulps=64, scale=1.0, strides="none")


def test_pickling_and_lazy_attributes():
    import pickle

    d = gradcore.distributions.Bernoulli(gradcore.tensor([0.25]))
    assert "logits" not in vars(d) and abs(d.logits.item() + np.log(3)) < 1e-6 and "logits" in vars(d)
    assert pickle.loads(pickle.dumps(d)).probs.tolist() == [0.25]


@pytest.mark.parametrize("name", ["gamma", "dirichlet", "beta", "studentT"])
def test_samples_in_transforms(name):
    """A batch by vmap, each with its own numbers and gradient, is what the whole gives."""
    kind, arguments = BY_NAME[name]
    values = [gradcore.from_numpy(np.broadcast_to(np.float64(a) + 0.5, (2, 3)).copy()) for a in arguments]

    def drawn(*parameters):
        return getattr(gradcore.distributions, kind)(*parameters, validate_args=False).rsample()

    gradcore.manual_seed(1)
    whole = drawn(*(value.requires_grad_() for value in values))
    wanted = gradcore.autograd.grad(whole.sum(-1).sum() if name != "dirichlet" else whole[:, 0].sum(), values[0])[0]
    values = [value.detach() for value in values]
    gradcore.manual_seed(1)
    assert gradcore.equal(gradcore.func.vmap(drawn, randomness="different")(*values), whole.detach())
    gradcore.manual_seed(1)
    summed = gradcore.func.grad(lambda *p: drawn(*p).sum() if name != "dirichlet" else drawn(*p)[0])
    found = gradcore.func.vmap(summed, randomness="different")(*values)
    assert gradcore.allclose(found, wanted)


def test_forward_mode_of_gamma_numbers():
    def drawn(a):
        gradcore.manual_seed(2)
        return gradcore._standard_gamma(a)

    a = gradcore.tensor([0.3, 2.0, 40.0], dtype=gradcore.float64)
    value, tangent = gradcore.func.jvp(drawn, (a,), (gradcore.ones_like(a),))
    assert gradcore.equal(tangent, gradcore._standard_gamma_grad(a, value))


def test_wishart_with_a_batch_of_degrees():
    """The entropy by its log normalizer, whose parameters have other dims; slopes by all of a matrix; what is refused."""
    precision = np.array([[2.0, 0.1, 0.0], [0.1, 0.25, 0.0], [0.0, 0.0, 0.3]])

    def values(lib):
        d = lib.distributions.Wishart(df=build(lib, np.array([5.0, 4.0])), precision_matrix=build(lib, precision))
        x = build(lib, COVARIANCE)
        two = lib.distributions.Wishart(df=build(lib, np.array(4.0)), covariance_matrix=x)
        sample = (2 * x).detach().requires_grad_()
        (slope,) = lib.autograd.grad(two.log_prob(sample), sample)
        return d.entropy(), lib.distributions.ExponentialFamily.entropy(d), slope

    both(values, ulps=1 << 20, scale=1.0, strides="none")
    indefinite = np.array([[1.0, 1.0], [1.0, -2.0]])
    refused = "to satisfy the constraint PositiveDefinite"
    both(lambda lib: lib.distributions.Wishart(build(lib, np.array([3.0])), build(lib, indefinite)), raises=refused)
