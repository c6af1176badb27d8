# pip: torchbnn
"""A Bayesian network with a Kullback-Leibler loss."""

import torch
import torchbnn as bnn

torch.manual_seed(0)
net = torch.nn.Sequential(bnn.BayesLinear(prior_mu=0, prior_sigma=0.1, in_features=4, out_features=3))
kl = bnn.BKLLoss(reduction="mean", last_layer_only=False)
x, y = torch.randn(16, 4), torch.randint(3, (16,))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for _ in range(10):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y) + 0.01 * kl(net)
    loss.backward()
    optimizer.step()
print(loss.item())
