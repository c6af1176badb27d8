# pip: FrEIA
"""An invertible network from FrEIA: it learns a Gaussian, and its inverse gives back what went in."""

import FrEIA.framework as Ff
import FrEIA.modules as Fm
import numpy as np
import torch


def subnet(inputs, outputs):
    return torch.nn.Sequential(torch.nn.Linear(inputs, 16), torch.nn.ReLU(), torch.nn.Linear(16, outputs))


torch.manual_seed(0)
np.random.seed(0)
inn = Ff.SequenceINN(4)
for _ in range(3):
    inn.append(Fm.AllInOneBlock, subnet_constructor=subnet, permute_soft=False)
optimizer = torch.optim.Adam(inn.parameters(), lr=0.01)
x = torch.randn(32, 4) * 2 + 1
for _ in range(5):
    z, log_jacobian = inn(x)
    loss = (0.5 * z.square().sum(1) - log_jacobian).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
back, _ = inn(inn(x)[0], rev=True)
print(round((back - x).abs().max().item(), 3))
