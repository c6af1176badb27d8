"""What the tests of optimizers share: every optimizer with its options, and a program to run them on.

Start at OPTIONS and train. Of the combinations of an optimizer's options the tests run as many as it takes to meet every pair
of values; GRADCORE_ALL_OPTIONS=1 in the environment makes that all combinations.
"""

import itertools
import os

import numpy as np


class TensorOf(float):
    """An option that is a tensor of one element, of either library; of the parameters' dtype, unless make() is told another one."""

    def __repr__(self):
        return f"tensor({float(self)})"


NO_YES = (False, True)
DECAY = (0.0, 0.1)
VARIANT = {"foreach": (None, False, True), "maximize": NO_YES}  # which all but LBFGS, Muon and SparseAdam have
ADAM = {
    "lr": (0.02, TensorOf(0.02)),
    "betas": ((0.9, 0.999), (0.5, 0.99), (TensorOf(0.9), TensorOf(0.99))),
    "eps": (1e-8, 1e-3),
    "weight_decay": DECAY,
    "amsgrad": NO_YES,
    "fused": (None, True),
    **VARIANT,
}

# Decays are long enough that a trajectory does not amplify rounding: beyond that two runs of one library differ, too.
OPTIONS = {
    "SGD": {
        "lr": (0.01, TensorOf(0.01)),
        "momentum": (0.0, 0.9),
        "dampening": (0.0, 0.2),
        "weight_decay": DECAY,
        "nesterov": NO_YES,
        "fused": (None, True),
        **VARIANT,
    },
    "Adam": {**ADAM, "decoupled_weight_decay": NO_YES},
    "AdamW": ADAM,
    "ASGD": {
        "lr": (0.01, TensorOf(0.01)),
        "lambd": (1e-4, 0.1),
        "alpha": (0.75, 0.5),
        "t0": (1e6, 20),
        "weight_decay": DECAY,
        **VARIANT,
    },
    "Adadelta": {"lr": (1.0, TensorOf(0.5)), "rho": (0.9, 0.97), "eps": (1e-6, 1e-5), "weight_decay": DECAY, **VARIANT},
    "Adagrad": {
        "lr": (0.05, TensorOf(0.05)),
        "lr_decay": (0.0, 0.1),
        "initial_accumulator_value": (0.0, 0.5),
        "eps": (1e-10, 1e-3),
        "weight_decay": DECAY,
        "fused": (None, True),
        **VARIANT,
    },
    "Adamax": {
        "lr": (0.02, TensorOf(0.02)),
        "betas": ((0.9, 0.999), (0.7, 0.99)),
        "eps": (1e-8, 1e-3),
        "weight_decay": DECAY,
        **VARIANT,
    },
    "NAdam": {
        "lr": (0.02, TensorOf(0.02)),
        "betas": ((0.9, 0.999), (0.7, 0.99)),
        "eps": (1e-8, 1e-3),
        "weight_decay": DECAY,
        "momentum_decay": (4e-3, 0.1),
        "decoupled_weight_decay": NO_YES,
        **VARIANT,
    },
    "RAdam": {
        "lr": (0.02, TensorOf(0.02)),
        "betas": ((0.9, 0.999), (0.9, 0.97)),
        "eps": (1e-8, 1e-3),
        "weight_decay": DECAY,
        "decoupled_weight_decay": NO_YES,
        **VARIANT,
    },
    "RMSprop": {
        "lr": (0.001, TensorOf(0.001)),
        "alpha": (0.99, 0.97),
        "eps": (1e-8, 1e-3),
        "momentum": (0.0, 0.5),
        "centered": NO_YES,
        "weight_decay": DECAY,
        **VARIANT,
    },
    "Rprop": {
        "lr": (0.01, TensorOf(0.01)),
        "etas": ((0.5, 1.2), (0.3, 1.1)),
        "step_sizes": ((1e-6, 50), (1e-3, 0.05)),
        **VARIANT,
    },
    "Adafactor": {
        "lr": (0.01, TensorOf(0.01)),
        "beta2_decay": (-0.8, -1.0),
        "eps": ((None, 1e-3), (1e-3, 0.1)),
        "d": (1.0, 2.0),
        "weight_decay": DECAY,
        **VARIANT,
    },
    "LBFGS": {
        "lr": (1, 0.3, TensorOf(0.3)),
        "max_iter": (3, 5),
        "max_eval": (None, 4),
        "history_size": (100, 2),
        "tolerance_grad": (1e-7, 0.05),
        "tolerance_change": (1e-9, 1e-3),
        "line_search_fn": (None, "strong_wolfe"),
    },
    "Muon": {
        "lr": (0.01, TensorOf(0.01)),
        "weight_decay": DECAY,
        "momentum": (0.95, 0.5),
        "nesterov": NO_YES,
        "ns_steps": (5, 2),
        "ns_coefficients": ((3.4445, -4.775, 2.0315), (3.0, -4.0, 2.0)),
        "eps": (1e-7, 1e-3),
        "adjust_lr_fn": (None, "original", "match_rms_adamw"),
    },
}


def allowed(name, chosen):
    """Whether torch takes these options together, and to float64's precision."""
    if name == "ASGD" and chosen["foreach"] and chosen["alpha"] == 0.5:
        return False  # the rate is a root in float32, which torch does not always round to the nearest number
    if name == "SGD" and chosen["nesterov"] and (chosen["dampening"] or not chosen["momentum"]):
        return False
    if name in ("Adam", "AdamW") and chosen["foreach"] and isinstance(chosen["lr"], TensorOf):
        return False
    if name in ("Adam", "AdamW") and chosen["foreach"] and isinstance(chosen["betas"][0], TensorOf):
        return False
    return not (chosen.get("fused") and chosen.get("foreach"))


def combinations(name):
    """All combinations of an optimizer's options that torch allows, or enough of them to meet every pair of values."""
    choices = OPTIONS[name]
    every = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    every = [chosen for chosen in every if allowed(name, chosen)]
    if os.environ.get("GRADCORE_ALL_OPTIONS"):
        return every
    pairs = [set(itertools.combinations(((k, repr(v)) for k, v in chosen.items()), 2)) for chosen in every]
    missing, found = set().union(*pairs), []
    while missing:
        best = max(range(len(every)), key=lambda i: len(pairs[i] & missing))
        missing -= pairs[best]
        found.append(every[best])
    return found


def cases(*names):
    return [(name, chosen) for name in names for chosen in combinations(name)]


def cases_with_tensors(*names):
    """With a rate that is a tensor, wherever torch computes with it in another way."""
    found = []
    for name in names:
        choices = OPTIONS[name]
        rate = next(value for value in choices["lr"] if isinstance(value, TensorOf))
        more = [
            {key: choices[key][-1]} for key in ("weight_decay", "decoupled_weight_decay", "lr_decay") if key in choices
        ]
        decays = {key: choices[key][-1] for key in ("weight_decay", "decoupled_weight_decay") if key in choices}
        variants = [{}, *({key: True} for key in ("foreach", "fused") if key in choices)]
        for chosen in [{}, *more, decays]:
            for variant in variants:
                if not (name in ("Adam", "AdamW") and variant.get("foreach")):
                    found.append((name, {"lr": rate, **chosen, **variant}))
    return found


def label(case):
    name, chosen = case
    return name + "".join(f",{key}={value}" for key, value in chosen.items())


def quadratic(x, scale):
    return (scale * (x - 0.3) ** 2).sum()


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


class Program:
    """A quadratic, Rosenbrock's function and a small network, each with parameters of its own, under one optimizer.

    The optimizers but LBFGS treat parameters one by one, so these are three programs in the time of one.
    """

    def __init__(self, lib, dtype):
        def make(array):
            return lib.tensor(np.asarray(array).tolist(), dtype=getattr(lib, dtype))

        random = np.random.default_rng(0)
        self.lib = lib
        self.scale = make(np.linspace(0.5, 3, 6).reshape(2, 3))
        self.inputs, self.targets = make(random.uniform(-1, 1, (8, 3))), make(random.uniform(-1, 1, (8, 2)))
        starts = [
            np.linspace(-1, 1, 6).reshape(2, 3),
            [-0.5, 0.7, 0.2],
            random.uniform(-1, 1, (3, 4)),
            random.uniform(-1, 1, 4),
            random.uniform(-1, 1, (4, 2)),
        ]
        self.params = [make(start).requires_grad_() for start in starts]

    def loss(self):
        x, y, w1, b1, w2 = self.params
        hidden = self.lib.tanh(self.inputs @ w1 + b1)
        network = ((hidden @ w2 - self.targets) ** 2).mean()
        return quadratic(x, self.scale) + 0.01 * rosenbrock(y) + network

    def closure(self, optimizer, sign=1):
        def evaluate():
            optimizer.zero_grad()
            loss = sign * self.loss()
            loss.backward()
            return loss

        return evaluate

    def set(self, arrays):
        for p, array in zip(self.params, arrays, strict=True):
            p.data.copy_(self.lib.from_numpy(array))

    def values(self):
        return [p.detach().numpy().copy() for p in self.params]


def train(lib, case, dtype, steps=100, options=None):
    """The program after some steps, and its optimizer. `options`: the dtype of those that are tensors."""
    name, chosen = case
    program = Program(lib, dtype)
    optimizer = make(lib, name, program.params, chosen, options)
    advance(program, optimizer, chosen, steps)
    return program, optimizer


def make(lib, name, params, chosen, options=None):
    if name == "Muon":  # which takes matrices alone
        params = [p for p in params if p.dim() == 2]
    dtype = getattr(lib, options) if options else params[0].dtype

    def option(value):
        if isinstance(value, tuple):
            return tuple(map(option, value))
        return lib.tensor(value, dtype=dtype) if isinstance(value, TensorOf) else value

    return getattr(lib.optim, name)(params, **{key: option(value) for key, value in chosen.items()})


def advance(program, optimizer, chosen, steps):
    closure = program.closure(optimizer, -1 if chosen.get("maximize") else 1)
    for _ in range(steps):
        optimizer.step(closure)
