# pip: torchdiffeq scipy
"""A neural ODE fitted to a spiral, by the solver's own gradients and by the adjoint method."""

import torch
from torchdiffeq import odeint, odeint_adjoint

torch.manual_seed(0)
matrix = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
times = torch.linspace(0.0, 2.0, 20)
start = torch.tensor([[2.0, 0.0]])
with torch.no_grad():
    truth = odeint(lambda t, y: y @ matrix, start, times, method="dopri5")


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(2, 20), torch.nn.Tanh(), torch.nn.Linear(20, 2))

    def forward(self, t, y):
        return self.net(y)


for solve in (odeint, odeint_adjoint):
    torch.manual_seed(1)
    field = Field()
    optimizer = torch.optim.RMSprop(field.parameters(), lr=1e-2)
    for _ in range(10):
        optimizer.zero_grad()
        loss = (solve(field, start, times, method="rk4") - truth).abs().mean()
        loss.backward()
        optimizer.step()
    print(loss.item())
