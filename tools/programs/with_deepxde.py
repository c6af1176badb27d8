# pip: deepxde scikit-optimize pyaml
"""A physics-informed network for Poisson's equation."""

import os

os.environ["DDE_BACKEND"] = "pytorch"
import deepxde
import numpy as np
import torch

deepxde.config.set_random_seed(0)
geometry = deepxde.geometry.Interval(-1, 1)
boundary = deepxde.icbc.DirichletBC(geometry, lambda x: 0, lambda _, on_boundary: on_boundary)
data = deepxde.data.PDE(
    geometry, lambda x, y: -deepxde.grad.hessian(y, x) - np.pi**2 * torch.sin(np.pi * x), boundary, 16, 2, num_test=8
)
net = deepxde.nn.FNN([1, 8, 8, 1], "tanh", "Glorot uniform")
model = deepxde.Model(data, net)
model.compile("adam", lr=0.001, verbose=0)
history, _ = model.train(iterations=20, display_every=10, verbose=0)
print(np.array(history.loss_train).sum(axis=1).tolist())
