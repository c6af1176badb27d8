# pip: tensordict orjson cloudpickle pyvers importlib-metadata
"""Dictionaries of tensors that are indexed, stacked and trained as one."""

import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule, TensorDictSequential

torch.manual_seed(0)
data = TensorDict({"x": torch.arange(6.0).reshape(3, 2), "nested": {"y": torch.ones(3)}}, batch_size=[3])
print(data[1]["x"].tolist(), torch.stack([data, data]).shape, data["nested", "y"].sum().item())
model = TensorDictSequential(
    TensorDictModule(torch.nn.Linear(2, 4), in_keys=["x"], out_keys=["hidden"]),
    TensorDictModule(torch.nn.Linear(4, 1), in_keys=["hidden"], out_keys=["out"]),
)
model(data)["out"].sum().backward()
print(sorted(data.keys()), [p.grad.sum().item() for p in model.parameters()])
print((data.apply(lambda t: t + 1))["x"].tolist(), data.reshape(-1).batch_size)
