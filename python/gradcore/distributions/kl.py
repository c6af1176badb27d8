"""Kullback-Leibler divergences, by the classes of the two distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gradcore

from .. import _C
from .._C import Tensor
from . import linalg
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .laplace import Laplace
from .lowrank_multivariate_normal import LowRankMultivariateNormal, low_rank_log_det, low_rank_mahalanobis
from .multivariate_normal import MultivariateNormal
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .special import digamma, lgamma
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import euler_constant as EULER
from .utils import softplus, sum_rightmost

__all__ = ["kl_divergence", "register_kl"]

Formula = Callable[[Any, Any], Any]
_KL_REGISTRY: dict[tuple[type, type], Formula] = {}
_KL_MEMOIZE: dict[tuple[type, type], Formula] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """Decorates the function that gives the divergence for these two classes. Raises TypeError for other classes.

    >>> import gradcore
    >>> D = gradcore.distributions
    >>> class Wide(D.Cauchy):
    ...     pass
    >>> @D.register_kl(Wide, D.Normal)
    ... def divergence(p, q):
    ...     return gradcore.tensor(float("inf"))
    >>> D.kl_divergence(Wide(0.0, 1.0), D.Normal(0.0, 1.0))
    tensor(inf)
    """
    for kind in (type_p, type_q):
        if not isinstance(kind, type):  # any class will do, as in torch: packages have distributions of other bases
            raise TypeError(f"Expected type_p to be a Distribution subclass but got {kind}")

    def register(formula: Formula) -> Formula:
        _KL_REGISTRY[type_p, type_q] = formula
        _KL_MEMOIZE.clear()
        return formula

    return register


def _formula_for(p: type, q: type) -> Formula | None:
    """The formula of the classes nearest to these: by the distance in the first class's bases, then the second's."""
    found = [
        (p.__mro__.index(first), q.__mro__.index(second), formula)
        for (first, second), formula in _KL_REGISTRY.items()
        if issubclass(p, first) and issubclass(q, second)
    ]
    return min(found, key=lambda each: each[:2])[2] if found else None


def _dispatch_kl(type_p: type, type_q: type) -> Any:
    """The formula for two classes, NotImplemented where there is none; packages ask for it."""
    return _formula_for(type_p, type_q) or NotImplemented


def _batch_trace_XXT(bmat: Tensor) -> Tensor:
    """The traces of X @ X.mT, which packages import."""
    return bmat.square().sum((-2, -1))


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q): the mean under p of log p - log q, for each distribution of the batch.

    >>> import gradcore
    >>> from gradcore.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)

    Raises NotImplementedError where no formula is known for the two classes.
    """
    key = type(p), type(q)
    if key not in _KL_MEMOIZE:
        formula = _formula_for(*key)
        if formula is None:
            raise NotImplementedError(
                f"No KL(p || q) is implemented for p type {key[0].__name__} and q type {key[1].__name__}"
            )
        _KL_MEMOIZE[key] = formula
    return _KL_MEMOIZE[key](p, q)


def _infinite_like(tensor: Tensor) -> Tensor:
    return _C.full_like(tensor, math.inf)


def _x_log_x(x: Tensor) -> Tensor:
    return _C.xlogy(x, x)


# ---- one family ----


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    t1 = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    t1 = _C.where(q.probs == 0, math.inf, t1)
    t1 = _C.where(p.probs == 0, 0.0, t1)
    t2 = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    t2 = _C.where(q.probs == 1, math.inf, t2)
    t2 = _C.where(p.probs == 1, 0.0, t2)
    return t1 + t2


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    total_p, total_q = p.concentration1 + p.concentration0, q.concentration1 + q.concentration0
    t1 = lgamma(q.concentration1) + lgamma(q.concentration0) + lgamma(total_p)
    t2 = lgamma(p.concentration1) + lgamma(p.concentration0) + lgamma(total_q)
    t3 = (p.concentration1 - q.concentration1) * digamma(p.concentration1)
    t4 = (p.concentration0 - q.concentration0) * digamma(p.concentration0)
    return t1 - t2 + t3 + t4 + (total_q - total_p) * digamma(total_p)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return _C.where(p.total_count > q.total_count, math.inf, kl)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    t = p.probs * (p.logits - q.logits)
    t = _C.where((q.probs == 0).expand(t.shape), math.inf, t)
    t = _C.where((p.probs == 0).expand(t.shape), 0.0, t)
    return t.sum(-1)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    t1 = p.mean * (p.logits - q.logits)
    return t1 + p._log_normalizing() + (-p.probs).log1p() - q._log_normalizing() - (-q.probs).log1p()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    total_p, total_q = p.concentration.sum(-1), q.concentration.sum(-1)
    t1 = lgamma(total_p) - lgamma(total_q)
    t2 = (lgamma(p.concentration) - lgamma(q.concentration)).sum(-1)
    spread = digamma(p.concentration) - digamma(total_p).unsqueeze(-1)
    return t1 - t2 + ((p.concentration - q.concentration) * spread).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Any:
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman divergences"
        )
    params = [n.detach().requires_grad_() for n in p._natural_params]
    log_normalizer = p._log_normalizer(*params)
    gradients = gradcore.autograd.grad(log_normalizer.sum(), params, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - log_normalizer
    for ours, theirs, gradient in zip(params, q._natural_params, gradients):
        result = result - sum_rightmost((theirs - ours) * gradient, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    t1 = q.concentration * (p.rate / q.rate).log()
    t2 = lgamma(q.concentration) - lgamma(p.concentration)
    t3 = (p.concentration - q.concentration) * digamma(p.concentration)
    return t1 + t2 + t3 + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    moved, ours = q.loc / q.scale, p.loc / q.scale
    t1 = -ratio.log() - moved + ours
    return t1 + ratio * EULER + (moved + lgamma(1 + ratio) - ours).exp() - (1 + EULER)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Any:
    return _kl_normal_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _kl_normal_normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    scales, alphas = p.scale / q.scale, q.alpha / p.alpha
    result = q.alpha * scales.log() - alphas.log() + alphas - 1
    return _C.where(p.support.lower_bound < q.support.lower_bound, math.inf, result)


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return _C.where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    t1 = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return t1 - (4 * p.scale * q.scale).log()


# ---- normal vectors ----


def _check_sizes(p: Any, q: Any, kinds: str) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(f"KL-divergence between two {kinds} with different event shapes cannot be computed")


def _squares(x: Tensor) -> Tensor:
    """The sum of squares over the last two dims."""
    return x.pow(2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: Any, q: Any) -> Any:
    _check_sizes(p, q, "Multivariate Normals")
    lower = q._unbroadcasted_scale_tril
    half_log_det = linalg.log_diagonal(lower) - linalg.log_diagonal(p._unbroadcasted_scale_tril)
    trace = _squares(linalg.solve_lower(lower, p._unbroadcasted_scale_tril))
    return half_log_det + 0.5 * (trace + linalg.mahalanobis(lower, q.loc - p.loc) - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: Any, q: Any) -> Any:
    _check_sizes(p, q, "Low Rank Multivariate Normals")
    q_factor, q_diag = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    p_factor, p_diag = p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag
    log_det = low_rank_log_det(q_factor, q_diag, q._capacitance_tril)
    log_det = log_det - low_rank_log_det(p_factor, p_diag, p._capacitance_tril)
    distance = low_rank_mahalanobis(q_factor, q_diag, q.loc - p.loc, q._capacitance_tril)
    scaled = q_factor.mT / q_diag.unsqueeze(-2)
    inner = linalg.solve_lower(q._capacitance_tril, scaled)
    trace = (
        (p_diag / q_diag).sum(-1)
        + _squares(p_factor * q_diag.rsqrt().unsqueeze(-1))
        - _squares(inner * p_diag.sqrt().unsqueeze(-2))
        - _squares(inner @ p_factor)
    )
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _full_to_low_rank(p: Any, q: Any) -> Any:
    _check_sizes(p, q, "(Low Rank) Multivariate Normals")
    factor, diag = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    log_det = low_rank_log_det(factor, diag, q._capacitance_tril)
    log_det = log_det - 2 * linalg.log_diagonal(p._unbroadcasted_scale_tril)
    distance = low_rank_mahalanobis(factor, diag, q.loc - p.loc, q._capacitance_tril)
    inner = linalg.solve_lower(q._capacitance_tril, factor.mT / diag.unsqueeze(-2))
    lower = p._unbroadcasted_scale_tril
    trace = _squares(lower * diag.rsqrt().unsqueeze(-1)) - _squares(inner @ lower)
    return 0.5 * (log_det + trace + distance - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_to_full(p: Any, q: Any) -> Any:
    _check_sizes(p, q, "(Low Rank) Multivariate Normals")
    lower = q._unbroadcasted_scale_tril
    factor, diag = p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag
    log_det = 2 * linalg.log_diagonal(lower) - low_rank_log_det(factor, diag, p._capacitance_tril)
    solved_diag = linalg.solve_lower(lower, linalg.diag_embed(diag.sqrt()))
    trace = _squares(linalg.solve_lower(lower, factor)) + _squares(solved_diag)
    return 0.5 * (log_det + trace + linalg.mahalanobis(lower, q.loc - p.loc) - p.event_shape[0])


# ---- where p reaches beyond q ----


def _infinite(attribute: str, *pairs: tuple[type, type]) -> None:
    for p, q in pairs:
        register_kl(p, q)(lambda p, q: _infinite_like(getattr(p, attribute)))


_infinite("concentration1", (Beta, Pareto))
_infinite("probs", (ContinuousBernoulli, Pareto))
_infinite("rate", *((Exponential, q) for q in (Beta, ContinuousBernoulli, Pareto, Uniform)))
_infinite("concentration", *((Gamma, q) for q in (Beta, ContinuousBernoulli, Pareto, Uniform)))
_infinite("loc", *((Gumbel, q) for q in (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)))
_infinite("loc", *((Laplace, q) for q in (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)))
_infinite("loc", *((Normal, q) for q in (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)))
_infinite("scale", *((Pareto, q) for q in (Beta, ContinuousBernoulli, Uniform)))
_infinite("rate", (Poisson, Bernoulli), (Poisson, Binomial))


# ---- two families ----


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Any, q: Any) -> Any:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_normalizing()


@register_kl(Beta, Exponential)
def _beta_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Any:
    t1 = -p.entropy() + lgamma(q.concentration) - q.concentration * q.rate.log()
    spread = digamma(p.concentration1) - digamma(p.concentration1 + p.concentration0)
    return t1 - (q.concentration - 1) * spread + q.rate * p.mean


def _normal_cross(p: Any, q: Any) -> Any:
    """The mean under p of -log of a normal density q, from p's mean and variance."""
    spread = p.variance + (p.mean - q.loc).pow(2)
    return 0.5 * (2 * math.pi * q.scale.pow(2)).log() + 0.5 * spread / q.scale.pow(2)


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
def _to_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _normal_cross(p, q)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Any:
    return _C.where(p.alpha <= 2, math.inf, _to_normal(p, q))


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Any:
    result = -p.entropy() + (q.high - q.low).log()
    return _C.where((q.low > 0) | (q.high < 1), math.inf, result)


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: Any, q: Any) -> Any:
    result = -p.entropy() + (q.high - q.low).log()
    return _C.where((q.low >= 0) | (q.high <= 1), math.inf, result)  # torch's bounds: infinite for [0, 1] itself


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_bernoulli_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -q.concentration * ratio.log() + ratio + lgamma(q.concentration) + q.concentration * EULER - (1 + EULER)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Any:
    product, moved = p.rate * q.scale, q.loc / q.scale
    return product.log() - 1 + moved.exp() * product / (product + 1) - moved + product.reciprocal()


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Any:
    product, moved = p.rate * q.scale, q.loc / q.scale
    t1 = (p.concentration - 1) * digamma(p.concentration) - lgamma(p.concentration) - p.concentration
    t2 = product.log() + p.concentration / product
    return t1 + t2 + moved.exp() * (1 + product.reciprocal()).pow(-p.concentration) - moved


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    ratio, squared = (p.loc - q.loc) / q.scale, (p.scale / q.scale).pow(2)
    t2 = (-ratio + 0.5 * squared).exp()
    return -p.entropy() + ratio + t2 + q.scale.log()


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    distance = p.loc - q.loc
    z = distance / p.scale
    t1 = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp()
    t2 = distance * (math.sqrt(0.5) * z).erf()
    return -p.entropy() + (t1 + t2) / q.scale + (2 * q.scale).log()


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Any:
    product = p.scale * q.rate
    result = (p.alpha / product).log() + p.alpha * product / (p.alpha - 1) - p.alpha.reciprocal() - 1
    return _C.where(p.alpha <= 1, math.inf, result)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Any:
    mean_log = p.scale.log() + p.alpha.reciprocal()
    t1 = p.alpha.log() - mean_log - 1
    t2 = lgamma(q.concentration) - q.concentration * q.rate.log()
    result = t1 + t2 + (1 - q.concentration) * mean_log + q.rate * p.alpha * p.scale / (p.alpha - 1)
    return _C.where(p.alpha <= 1, math.inf, result)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    length = p.high - p.low
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - length) / length
    mean_log1m = (_x_log_x(1 - p.low) - _x_log_x(1 - p.high) - length) / length
    normalizer = lgamma(q.concentration1) + lgamma(q.concentration0) - lgamma(q.concentration1 + q.concentration0)
    result = -length.log() + normalizer - (q.concentration1 - 1) * mean_log - (q.concentration0 - 1) * mean_log1m
    return _C.where((p.low < 0) | (p.high > 1), math.inf, result)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    result = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_normalizing()
    low, high = q.support.lower_bound, q.support.upper_bound
    return _C.where((p.high >= high) | (p.low <= low), math.inf, result)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return _C.where(p.low < 0, math.inf, result)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    length = p.high - p.low
    t1 = -length.log() - q.concentration * q.rate.log() + lgamma(q.concentration)
    t2 = (1 - q.concentration) * (_x_log_x(p.high) - _x_log_x(p.low) - length) / length
    return _C.where(p.low < 0, math.inf, t1 + t2 + q.rate * (p.high + p.low) / 2)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Any:
    inverse = q.scale / (p.high - p.low)
    low, high = (p.low - q.loc) / q.scale, (p.high - q.loc) / q.scale
    t1 = inverse.log() + 0.5 * (low + high)
    return t1 + inverse * ((-low).exp() - (-high).exp())


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    length = p.high - p.low
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - length) / length
    result = (q.alpha + 1) * mean_log - (q.alpha * q.scale.pow(q.alpha) * length).log()
    return _C.where(p.low < q.support.lower_bound, math.inf, result)
