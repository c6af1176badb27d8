"""Fit an unlabelled thermometer with a gradient descent written by hand.

Eleven readings t_u in unknown units stand beside the same temperatures t_c in degrees Celsius, as in the
tutorial "Deep Learning with PyTorch", chapter 5. The model is t_c = w * t_u + b; autograd gives the
gradient of the mean squared error, and the update is one line of tensor arithmetic.

Run: python examples/thermometer.py
"""

import gradcore as torch

t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])
t_un = t_u * 0.1  # a smaller input makes the gradients of w and b alike in size


def model(t_u, w, b):
    return w * t_u + b


def loss_fn(t_p, t_c):
    return ((t_p - t_c) ** 2).mean()


def training_loop(n_epochs, learning_rate, params, t_u, t_c):
    for epoch in range(1, n_epochs + 1):
        if params.grad is not None:
            params.grad.zero_()
        loss = loss_fn(model(t_u, *params), t_c)
        loss.backward()
        # The new parameters start a graph of their own: detach() leaves the old one behind.
        params = (params - learning_rate * params.grad).detach().requires_grad_()
        if epoch % 500 == 0:
            print(f"epoch {epoch:4d}  loss {loss.item():.6f}")
    return params


def main():
    params = torch.tensor([1.0, 0.0], requires_grad=True)
    print(training_loop(5000, 1e-2, params, t_un, t_c))


if __name__ == "__main__":
    main()
