# pip: neurodiffeq ordered-set seaborn pandas dill requests urllib3 charset-normalizer idna certifi
"""A network that solves an ordinary differential equation."""

import torch
from neurodiffeq import diff
from neurodiffeq.conditions import IVP
from neurodiffeq.networks import FCNN
from neurodiffeq.solvers import Solver1D

torch.manual_seed(0)
net = FCNN(n_input_units=1, n_output_units=1, hidden_units=(8,))
solver = Solver1D(
    ode_system=lambda u, t: [diff(u, t) + u], conditions=[IVP(t_0=0.0, u_0=1.0)], t_min=0.0, t_max=2.0, nets=[net]
)
solver.fit(max_epochs=5)
print(solver.metrics_history["train_loss"])
