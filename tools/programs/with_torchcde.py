# pip: torchcde torchdiffeq torchsde trampoline boltons
"""A neural controlled differential equation on a spline, trained for a few steps."""

import torch
import torchcde


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4 * 3)

    def forward(self, t, z):
        return self.linear(z).tanh().view(*z.shape[:-1], 4, 3)


torch.manual_seed(0)
x = torch.randn(2, 8, 3)
path = torchcde.CubicSpline(torchcde.hermite_cubic_coefficients_with_backward_differences(x))
field, readout = Field(), torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam([*field.parameters(), *readout.parameters()], lr=0.01)
for _ in range(3):
    z0 = torch.zeros(2, 4)
    z = torchcde.cdeint(
        X=path, z0=z0, func=field, t=path.interval, adjoint=False, method="rk4", options={"step_size": 0.5}
    )
    loss = (readout(z[:, -1]) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
print(torchcde.natural_cubic_coeffs(x).shape, torchcde.linear_interpolation_coeffs(x).sum().item())
