"""`python -m gradcore`: trains the thermometer of "Deep Learning with PyTorch", chapter 5, and reports.

`python -m gradcore run script.py args...` runs a program whose torch is gradcore, `python -m gradcore check path...` lists
what a program uses that is missing. The thermometer's program, between the imports and main, is the tutorial's, unchanged
but for the import.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

import sys
import time

import gradcore as torch

t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])
t_un = t_u * 0.1


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
        params = (params - learning_rate * params.grad).detach().requires_grad_()
    return params


def main():
    epochs = 5000
    start_params = torch.tensor([1.0, 0.0], requires_grad=True)
    print(f"gradcore {torch.__version__} fits a thermometer: {len(t_u)} readings, in degrees Celsius (t_c)")
    print("and in the thermometer's own unknown unit (t_u). The model is t_c = w * (0.1 * t_u) + b.")

    start = time.perf_counter()
    params = training_loop(epochs, 1e-2, start_params, t_un, t_c)
    seconds = time.perf_counter() - start

    with torch.no_grad():
        before, after = (loss_fn(model(t_un, *p), t_c).item() for p in (start_params, params))
        w, b = params.tolist()
    print(f"{epochs} epochs in {seconds:.3f} s: {seconds / epochs * 1e6:.1f} us per epoch")
    print(f"mean squared error: {before:.1f} at first, {after:.3f} now")
    print(f"params = {params}")
    print(f"So t_c = {w / 10:.3f} * t_u {'-' if b < 0 else '+'} {abs(b):.1f};")
    print("it was a Fahrenheit thermometer, whose scale is t_c = 0.556 * t_u - 17.8.")


def command(arguments):
    if not arguments:
        return main()
    if arguments[0] == "run":
        from gradcore._compat import run

        return run.main(arguments[1:])
    if arguments[0] == "check":
        from gradcore._compat import check

        return check.main(arguments[1:])
    print("usage: python -m gradcore [run script.py args... | run -m module args... | check path...]")
    return 2


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
