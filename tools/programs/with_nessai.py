# pip: nessai glasflow h5py corner
"""The flow of a nested sampler, trained on samples."""

import numpy as np
import torch
from nessai.flows.utils import configure_model

torch.manual_seed(0)
flow = configure_model({"n_inputs": 2, "n_neurons": 8, "n_blocks": 2, "n_layers": 1, "ftype": "realnvp"})
flow = flow[0] if isinstance(flow, tuple) else flow
x = torch.from_numpy(np.random.default_rng(0).normal(size=(32, 2)).astype(np.float32))
loss = -flow.log_prob(x).mean()
loss.backward()
print(loss.item(), sum(p.grad.abs().sum().item() for p in flow.parameters() if p.grad is not None))
