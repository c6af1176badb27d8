# pip: normflows
"""A RealNVP flow trained on two moons."""

import normflows as nf
import torch

torch.manual_seed(0)
layers = []
for _ in range(4):
    layers += [
        nf.flows.AffineCouplingBlock(nf.nets.MLP([1, 16, 16, 2], init_zeros=True)),
        nf.flows.Permute(2, mode="swap"),
    ]
model = nf.NormalizingFlow(nf.distributions.base.DiagGaussian(2), layers)
x = torch.randn(128, 2) * torch.tensor([1.0, 0.3]) + torch.tensor([0.0, 1.0])
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for _ in range(20):
    optimizer.zero_grad()
    loss = model.forward_kld(x)
    loss.backward()
    optimizer.step()
print(loss.item(), model.log_prob(x).mean().item())
