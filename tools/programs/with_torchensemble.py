# pip: torchensemble scikit-learn
"""A voting ensemble of small networks."""

import logging

import torch
from torchensemble import VotingRegressor

logging.disable(logging.CRITICAL)
torch.manual_seed(0)
x = torch.randn(64, 4)
data = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True
)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))

    def forward(self, x):
        return self.net(x)


model = VotingRegressor(estimator=Net, n_estimators=3, cuda=False, n_jobs=1)
model.set_optimizer("Adam", lr=1e-2)
model.fit(data, epochs=5, save_model=False)
print(model.evaluate(data))
