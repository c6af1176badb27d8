# pip: blitz-bayesian-pytorch
"""Bayesian layers with a sampled loss."""

import torch
from blitz.modules import BayesianLinear
from blitz.utils import variational_estimator


@variational_estimator
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = BayesianLinear(4, 1)

    def forward(self, x):
        return self.layer(x)


torch.manual_seed(0)
net, x = Net(), torch.randn(16, 4)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for _ in range(5):
    optimizer.zero_grad()
    loss = net.sample_elbo(inputs=x, labels=x.sum(1, keepdim=True), criterion=torch.nn.MSELoss(), sample_nbr=2)
    loss.backward()
    optimizer.step()
print(loss.item())
