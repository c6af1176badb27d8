# pip: rsl-rl-lib tensordict orjson cloudpickle pyvers importlib-metadata
"""An actor's network for robots, on observations in a dictionary of tensors."""

import torch
from rsl_rl.models import MLPModel
from rsl_rl.modules import EmpiricalNormalization
from tensordict import TensorDict

torch.manual_seed(0)
seen = TensorDict({"policy": torch.randn(5, 4)}, batch_size=[5])
law = {"class_name": "GaussianDistribution", "init_std": 1.0}
actor = MLPModel(seen, {"actor": ["policy"]}, "actor", 2, hidden_dims=[8], distribution_cfg=law)
print(actor(seen, stochastic_output=True).tolist(), actor.output_entropy.tolist())
scale = EmpiricalNormalization(4).train()
scale.update(torch.randn(20, 4))
print(scale(torch.ones(2, 4)).tolist())
