# pip: laplace-torch torchmetrics lightning-utilities curvlinops-for-pytorch asdfghjkl einconv opt-einsum tqdm
"""A Laplace approximation of the last layer."""

import torch
from laplace import Laplace

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
x = torch.randn(32, 2)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)
model = Laplace(net, "regression", subset_of_weights="last_layer", hessian_structure="full")
model.fit(data)
mean, variance = model(x[:2])
print(mean.tolist(), variance.tolist())
