"""Kullback-Leibler divergences beside torch's, for every pair that torch knows."""

import pytest

import gradcore
import support
from support import both

PAIRS = [(p.__name__, q.__name__) for p, q in gradcore.distributions.kl._KL_REGISTRY]


def instance(lib, kind, second):
    """A distribution of this class; the second of a pair has other parameters."""
    D = lib.distributions
    t = lib.tensor
    made = {
        "Uniform": (D.Uniform, (t([0.2, 0.1]), t([0.8, 0.9]), t([0.1, 0.0]), t([0.95, 1.0]))), "Beta": (D.Beta, (t([0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))),
        "Bernoulli": (D.Bernoulli, (t([0.2, 0.9]), t([0.5, 0.3]))), "Binomial": (lambda p: D.Binomial(4, p), (t([0.2, 0.9]), t([0.5, 0.3]))),
        "Categorical": (D.Categorical, (t([[0.2, 0.8], [0.5, 0.5]]), t([[0.6, 0.4], [0.0, 1.0]]))), "OneHotCategorical": (D.OneHotCategorical, (t([[0.2, 0.8]]), t([[0.6, 0.4]]))),
        "ContinuousBernoulli": (D.ContinuousBernoulli, (t([0.2, 0.9]), t([0.5, 0.3]))), "Dirichlet": (D.Dirichlet, (t([[0.7, 3.0]]), t([[1.2, 0.5]]))),
        "Exponential": (D.Exponential, (t([0.7, 3.0]), t([1.2, 0.5]))), "Poisson": (D.Poisson, (t([0.7, 3.0]), t([1.2, 0.5]))), "Geometric": (D.Geometric, (t([0.2, 0.9]), t([0.5, 0.3]))),
        "HalfNormal": (D.HalfNormal, (t([0.7, 3.0]), t([1.2, 0.5]))), "Cauchy": (D.Cauchy, (t([0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))),
        "Gamma": (D.Gamma, (t([0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))), "Gumbel": (D.Gumbel, (t([-0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))),
        "Laplace": (D.Laplace, (t([-0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))), "Normal": (D.Normal, (t([-0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))),
        "Pareto": (D.Pareto, (t([0.7, 3.0]), t([2.5, 3.5]), t([0.5, 2.0]), t([0.8, 4.0]))),
        "MultivariateNormal": (D.MultivariateNormal, (t([0.1, 0.5]), t([[1.0, 0.3], [0.3, 2.0]]), t([[0.4, 0.5]]), t([[1.5, -0.3], [-0.3, 1.0]]))),
        "LowRankMultivariateNormal": (D.LowRankMultivariateNormal, (t([0.1, 0.5]), t([[1.0], [0.3]]), t([0.5, 0.7]), t([0.6, 0.2]), t([[0.4], [-0.9]]), t([1.5, 0.4]))),
        "Independent": (lambda loc, scale: D.Independent(D.Normal(loc, scale), 1), (t([0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))),
        "TransformedDistribution": (D.LogNormal, (t([0.7, 3.0]), t([2.0, 1.5]), t([1.2, 2.0]), t([0.8, 4.0]))),
        "ExponentialFamily": (D.Chi2, (t([0.7, 3.0]), t([1.2, 0.5]))),
    }  # fmt: skip
    make_it, arguments = made[kind]
    half = len(arguments) // 2
    return make_it(*arguments[half * second : half * (second + 1)])


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_pair(pair):
    def divergence(lib):
        p, q = instance(lib, pair[0], 0), instance(lib, pair[1], 1)
        return [
            lib.distributions.kl_divergence(p, q),
            lib.distributions.kl_divergence(instance(lib, pair[0], 1), instance(lib, pair[1], 0)),
        ]

    both(divergence, ulps=512, scale=1.0, strides="none")


def test_all_of_torchs_pairs_are_there():
    if support.torch is None:
        pytest.skip(support.NO_TORCH)
    theirs = {(p.__name__, q.__name__) for p, q in support.torch.distributions.kl._KL_REGISTRY}
    assert theirs == set(PAIRS)


def test_ones_own_pair():
    D = gradcore.distributions

    class Mine(D.Normal):
        pass

    @D.register_kl(Mine, D.Normal)
    def formula(p, q):
        return "mine"

    assert D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0)) == "mine"
    assert D.kl_divergence(D.Normal(0.0, 1.0), Mine(0.0, 1.0)).item() == 0.0
    with pytest.raises(TypeError):
        D.register_kl("Normal", D.Normal)
