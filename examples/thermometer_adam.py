"""Fit the thermometer with optim.Adam, on the readings as they are.

The same data and model as thermometer.py. Adam scales the step of each parameter by itself, so the readings
need no normalising and 2000 epochs are enough; w and b are then in the thermometer's own units.

Run: python examples/thermometer_adam.py
"""

import gradcore as torch
from gradcore import optim

t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])


def model(t_u, w, b):
    return w * t_u + b


def loss_fn(t_p, t_c):
    return ((t_p - t_c) ** 2).mean()


def training_loop(n_epochs, optimizer, params, t_u, t_c):
    for epoch in range(1, n_epochs + 1):
        loss = loss_fn(model(t_u, *params), t_c)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % 500 == 0:
            print(f"epoch {epoch:4d}  loss {loss.item():.6f}")
    return params


def main():
    params = torch.tensor([1.0, 0.0], requires_grad=True)
    print(training_loop(2000, optim.Adam([params], lr=1e-1), params, t_u, t_c))


if __name__ == "__main__":
    main()
