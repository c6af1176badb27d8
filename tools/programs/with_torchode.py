# pip: torchode torchtyping typeguard
"""A batch of Van der Pol oscillators, each with steps of its own, and gradients through the solver."""

import torch
import torchode

mu = torch.tensor(1.5, requires_grad=True)


def oscillator(t, y):
    return torch.stack((y[:, 1], mu * (1 - y[:, 0] ** 2) * y[:, 1] - y[:, 0]), dim=1)


y0 = torch.tensor([[0.5, 0.0], [1.0, 0.1], [2.0, -0.5]])
t_eval = torch.linspace(0.0, 3.0, 7).expand(3, 7)
term = torchode.ODETerm(oscillator)
solver = torchode.AutoDiffAdjoint(
    torchode.Dopri5(term=term), torchode.IntegralController(atol=1e-6, rtol=1e-4, term=term)
)
solution = solver.solve(torchode.InitialValueProblem(y0=y0, t_eval=t_eval))
solution.ys.square().sum().backward()
print(solution.ys[:, -1].tolist(), solution.stats["n_accepted"].tolist(), mu.grad.item())
