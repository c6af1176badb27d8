"""Rows of the tests: a distribution, its arguments, and what differs from the rest of them.

Arguments are NumPy arrays or numbers; both libraries build their own from them.
"""

import numpy as np

POS = np.array([0.3, 1.0, 2.5])
POS2 = np.array([[0.7, 1.5, 4.0], [2.0, 0.4, 30.0]])
LOC = np.array([-1.0, 0.5, 3.0])
PROBS = np.array([0.1, 0.5, 0.85])
SIMPLEX = np.array([[0.2, 0.3, 0.5], [0.7, 0.1, 0.2]])
LOGITS = np.array([[0.3, -1.0, 2.0], [0.0, 0.5, -0.5]])
LOWER = np.array([[1.0, 0.0, 0.0], [0.4, 0.8, 0.0], [-0.3, 0.2, 1.5]])
COVARIANCE = LOWER @ LOWER.T
FACTOR = np.array([[1.0, 0.2], [0.3, -0.5], [0.0, 0.7]])

# name, class, arguments
CASES = [
    ("normal", "Normal", (LOC, POS2)), ("normal of numbers", "Normal", (0.5, 2.0)), ("uniform", "Uniform", (LOC, LOC + POS2)),
    ("bernoulli", "Bernoulli", (PROBS,)), ("bernoulli logits", "Bernoulli", (None, LOGITS)), ("geometric", "Geometric", (PROBS,)),
    ("geometric logits", "Geometric", (None, LOGITS)), ("categorical", "Categorical", (SIMPLEX,)), ("categorical logits", "Categorical", (None, LOGITS)),
    ("one hot", "OneHotCategorical", (SIMPLEX,)), ("straight through", "OneHotCategoricalStraightThrough", (SIMPLEX,)),
    ("exponential", "Exponential", (POS2,)), ("laplace", "Laplace", (LOC, POS2)), ("cauchy", "Cauchy", (LOC, POS2)),
    ("gamma", "Gamma", (POS2, POS)), ("chi2", "Chi2", (POS2 + 1,)), ("dirichlet", "Dirichlet", (POS2,)), ("beta", "Beta", (POS2, POS)),
    ("poisson", "Poisson", (POS2,)), ("studentT", "StudentT", (POS2 + 1, LOC, POS)), ("fisher", "FisherSnedecor", (POS2 + 4, POS + 5)),
    ("binomial", "Binomial", (12, PROBS)), ("binomial many", "Binomial", (np.array([4.0, 90.0, 200.0]), PROBS)), ("binomial logits", "Binomial", (5, None, LOGITS)),
    ("negative binomial", "NegativeBinomial", (POS2 + 0.1, PROBS)), ("multinomial", "Multinomial", (7, SIMPLEX)), ("log normal", "LogNormal", (LOC, POS)),
    ("half normal", "HalfNormal", (POS2,)), ("half cauchy", "HalfCauchy", (POS2,)), ("gumbel", "Gumbel", (LOC, POS2)), ("weibull", "Weibull", (POS, POS2)),
    ("pareto", "Pareto", (POS, POS2)), ("kumaraswamy", "Kumaraswamy", (POS2, POS)), ("inverse gamma", "InverseGamma", (POS2, POS)),
    ("logistic normal", "LogisticNormal", (LOC, POS2)), ("relaxed bernoulli", "RelaxedBernoulli", (np.array(0.7), PROBS)),
    ("relaxed one hot", "RelaxedOneHotCategorical", (np.array(0.7), SIMPLEX)), ("continuous bernoulli", "ContinuousBernoulli", (PROBS,)),
    ("generalized pareto", "GeneralizedPareto", (LOC, POS, np.array([0.2, -0.3, 0.0]))),
    ("von mises", "VonMises", (LOC, POS2)), ("multivariate", "MultivariateNormal", (LOC, COVARIANCE)),
    ("multivariate precision", "MultivariateNormal", (LOC, None, COVARIANCE)), ("multivariate scale", "MultivariateNormal", (np.stack([LOC, LOC]), None, None, LOWER)),
    ("low rank", "LowRankMultivariateNormal", (LOC, FACTOR, POS)), ("lkj", "LKJCholesky", (3, POS)), ("wishart", "Wishart", (np.array([4.0, 5.5]), COVARIANCE)),
]  # fmt: skip

# Units in the last place that values may differ by, where that is more than for the rest: torch's Bessel functions are
# polynomials of eight digits; stick breaking subtracts from 1 what is nearly 1.
LOOSE = {"von mises": 1 << 35, "logistic normal": 1 << 40}
# torch's cdf compares float64 with float32 and fails.
SINGLE = {"generalized pareto"}
# torch's backward of samples fails: a tensor that it saved was written to.
NO_GRADIENTS = {"wishart"}
# cdf() is the incomplete gamma function, which has no derivative by the concentration; the rest of them has no icdf().
UNDERIVABLE_CDF = {"gamma", "chi2", "inverse gamma"}
# torch's own derivatives of gamma numbers have three to four digits, those of Dirichlet numbers two where it is worst.
ROUGH_GRADIENTS = dict.fromkeys(["gamma", "chi2", "studentT", "fisher", "inverse gamma"], 1 << 43) | {
    "dirichlet": 1 << 48,
    "beta": 1 << 48,
}
