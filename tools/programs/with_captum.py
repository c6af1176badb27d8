# pip: captum matplotlib tqdm packaging
"""Attributions of a prediction to its inputs."""

import torch
from captum.attr import DeepLift, IntegratedGradients, Saliency

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
x = torch.randn(2, 4)
for method in (IntegratedGradients(net), Saliency(net), DeepLift(net)):
    print(method.attribute(x.clone().requires_grad_(), target=1).tolist())
