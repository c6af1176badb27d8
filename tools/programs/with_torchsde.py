# pip: torchsde trampoline boltons scipy
"""A stochastic differential equation: gradients of a final state through the solver."""

import torch
import torchsde


class SDE(torch.nn.Module):
    noise_type = "diagonal"
    sde_type = "ito"

    def __init__(self):
        super().__init__()
        self.drift, self.diffusion = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)

    def f(self, t, y):
        return self.drift(y)

    def g(self, t, y):
        return self.diffusion(y).sigmoid() * 0.1


torch.manual_seed(0)
sde = SDE()
noise = torchsde.BrownianInterval(t0=0.0, t1=1.0, size=(16, 3), entropy=7)
paths = torchsde.sdeint(sde, torch.ones(16, 3), torch.linspace(0, 1, 5), bm=noise, dt=0.05, method="euler")
paths[-1].square().mean().backward()
print(torch.isfinite(paths).all().item(), paths.shape, sde.drift.weight.grad.shape)
