"""Fit the thermometer with optim.SGD, keeping two of the readings back for validation.

The same data and model as thermometer.py. The optimizer does the update in place, so params stays one
tensor; the validation loss is computed under no_grad, so it builds no graph.

Run: python examples/thermometer_sgd.py
"""

import gradcore as torch
from gradcore import optim

t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])
t_un = t_u * 0.1


def model(t_u, w, b):
    return w * t_u + b


def loss_fn(t_p, t_c):
    return ((t_p - t_c) ** 2).mean()


def training_loop(n_epochs, optimizer, params, train, val):
    for epoch in range(1, n_epochs + 1):
        loss = loss_fn(model(t_un[train], *params), t_c[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % 500 == 0:
            with torch.no_grad():
                val_loss = loss_fn(model(t_un[val], *params), t_c[val])
            print(f"epoch {epoch:4d}  training loss {loss.item():.4f}  validation loss {val_loss.item():.4f}")
    return params


def main():
    torch.manual_seed(4)
    shuffled = torch.randperm(t_u.shape[0])
    train, val = shuffled[:-2], shuffled[-2:]

    params = torch.tensor([1.0, 0.0], requires_grad=True)
    print(training_loop(5000, optim.SGD([params], lr=1e-2), params, train, val))


if __name__ == "__main__":
    main()
