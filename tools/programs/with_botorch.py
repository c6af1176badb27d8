# pip: botorch gpytorch linear-operator jaxtyping wadler-lindig pyro-ppl pyro-api multipledispatch threadpoolctl pyre-extensions typing-inspect mypy-extensions
"""Bayesian optimisation: a Gaussian process, its likelihood, and the best next point by expected improvement."""

import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.mlls import ExactMarginalLogLikelihood

torch.manual_seed(0)
x = torch.linspace(0, 1, 6, dtype=torch.float64)[:, None]
y = (6 * x).sin() * x
model = SingleTaskGP(x, y)
fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
posterior = model.posterior(torch.tensor([[0.3], [0.7]], dtype=torch.float64))
print([round(v, 2) for v in posterior.mean.flatten().tolist()])
acquisition = LogExpectedImprovement(model, best_f=y.max())
points = torch.tensor([[[0.1]], [[0.25]], [[0.9]]], dtype=torch.float64)
print([round(v, 1) for v in acquisition(points).tolist()])
