"""What the tests of optimizers share: every optimizer with every combination of its options, and a program to run them on.

Start at CASES and train.
"""

import itertools

import numpy as np


def options(**choices):
    """Every combination of choices, one value of each."""
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


NO_YES = (False, True)
DECAY = (0.0, 0.1)

# Decays are long enough that a trajectory does not amplify rounding: beyond that two runs of one library differ, too.
CASES = [
    *(("SGD", o) for o in options(lr=[0.01], momentum=(0.0, 0.9), dampening=(0.0, 0.2), weight_decay=DECAY, nesterov=NO_YES,
                                  maximize=NO_YES) if not o["nesterov"] or (o["momentum"] and not o["dampening"])),
    *(("Adam", o) for o in options(lr=[0.02], amsgrad=NO_YES, weight_decay=DECAY, maximize=NO_YES,
                                   decoupled_weight_decay=NO_YES)),
    *(("AdamW", o) for o in options(lr=[0.02], amsgrad=NO_YES, maximize=NO_YES, betas=[(0.9, 0.999), (0.4, 0.95)])),
    *(("ASGD", o) for o in options(lr=[0.01], lambd=(1e-4, 0.1), t0=(1e6, 20), weight_decay=DECAY, maximize=NO_YES)),
    *(("Adadelta", o) for o in options(lr=(1.0, 0.5), rho=(0.9, 0.97), weight_decay=DECAY, maximize=NO_YES)),
    *(("Adagrad", o) for o in options(lr=[0.05], lr_decay=(0.0, 0.1), initial_accumulator_value=(0.0, 0.5), weight_decay=DECAY,
                                      maximize=NO_YES)),
    *(("Adamax", o) for o in options(lr=[0.02], betas=[(0.9, 0.999), (0.7, 0.99)], weight_decay=DECAY, maximize=NO_YES)),
    *(("NAdam", o) for o in options(lr=[0.02], momentum_decay=(4e-3, 0.1), decoupled_weight_decay=NO_YES, weight_decay=DECAY,
                                    maximize=NO_YES)),
    *(("RAdam", o) for o in options(lr=[0.02], betas=[(0.9, 0.999), (0.9, 0.97)], decoupled_weight_decay=NO_YES,
                                    weight_decay=DECAY, maximize=NO_YES)),
    *(("RMSprop", o) for o in options(lr=[0.001], alpha=(0.99, 0.97), momentum=(0.0, 0.5), centered=NO_YES, weight_decay=DECAY,
                                      maximize=NO_YES)),
    *(("Rprop", o) for o in options(lr=[0.01], etas=[(0.5, 1.2), (0.3, 1.1)], step_sizes=[(1e-6, 50), (1e-3, 0.05)],
                                    maximize=NO_YES)),
    *(("Adafactor", o) for o in options(lr=[0.01], beta2_decay=(-0.8, -1.0), eps=[(None, 1e-3), (1e-3, 0.1)], d=(1.0, 2.0),
                                        weight_decay=DECAY, maximize=NO_YES)),
]


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
        starts = [np.linspace(-1, 1, 6).reshape(2, 3), [-0.5, 0.7, 0.2], random.uniform(-1, 1, (3, 4)),
                  random.uniform(-1, 1, 4), random.uniform(-1, 1, (4, 2))]
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

    def values(self):
        return [p.detach().numpy().copy() for p in self.params]


def train(lib, case, dtype, steps=100):
    """The program after some steps, and its optimizer."""
    name, chosen = case
    program = Program(lib, dtype)
    optimizer = make(lib, name, program.params, chosen)
    advance(program, optimizer, chosen, steps)
    return program, optimizer


def make(lib, name, params, chosen):
    if name == "Muon":  # which takes matrices alone
        params = [p for p in params if p.dim() == 2]
    return getattr(lib.optim, name)(params, **chosen)


def advance(program, optimizer, chosen, steps):
    closure = program.closure(optimizer, -1 if chosen.get("maximize") else 1)
    for _ in range(steps):
        optimizer.step(closure)
