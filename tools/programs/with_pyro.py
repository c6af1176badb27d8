# pip: pyro-ppl pyro-api opt-einsum tqdm
"""Variational inference and Hamiltonian Monte Carlo for the mean and scale of a normal."""

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import MCMC, NUTS, SVI, Trace_ELBO
from pyro.infer.autoguide import AutoDiagonalNormal

pyro.set_rng_seed(0)
data = torch.randn(50) * 0.5 + 2.0


def model(data):
    mean = pyro.sample("mean", dist.Normal(0.0, 10.0))
    scale = pyro.sample("scale", dist.HalfNormal(1.0))
    with pyro.plate("data", len(data)):
        pyro.sample("observed", dist.Normal(mean, scale), obs=data)


guide = AutoDiagonalNormal(model)
svi = SVI(model, guide, pyro.optim.Adam({"lr": 0.05}), Trace_ELBO())
losses = [svi.step(data) for _ in range(300)]
print(abs(guide.median()["mean"].item() - 2.0) < 0.3, sum(losses[-50:]) / 50 < 60)
mcmc = MCMC(NUTS(model), num_samples=50, warmup_steps=50, disable_progbar=True)
mcmc.run(data)
print(abs(mcmc.get_samples()["mean"].mean().item() - 2.0) < 0.3)
