"""The functional forms of optimizers, their lists, and the methods of LBFGS that derived classes call, beside torch's."""

import importlib
import inspect

import pytest

from support import both, gradcore, needs_torch, torch

# Optimizer: its module, how many lists it has, and the keywords of its functional form for each group.
FORMS = {
    "Adadelta": ("adadelta", 3, "rho eps weight_decay maximize"),
    "Adagrad": ("adagrad", 2, "weight_decay lr_decay eps maximize"),
    "Adam": ("adam", 4, "amsgrad weight_decay eps maximize beta1 beta2"),
    "AdamW": ("adamw", 4, "amsgrad weight_decay eps maximize beta1 beta2"),
    "Adamax": ("adamax", 3, "eps weight_decay maximize beta1 beta2"),
    "ASGD": ("asgd", 4, "lambd t0 alpha weight_decay maximize"),
    "NAdam": ("nadam", 4, "weight_decay momentum_decay eps maximize decoupled_weight_decay beta1 beta2"),
    "RAdam": ("radam", 3, "weight_decay eps maximize decoupled_weight_decay beta1 beta2"),
    "RMSprop": ("rmsprop", 4, "alpha eps weight_decay momentum centered maximize"),
    "Rprop": ("rprop", 3, "step_size_min step_size_max etaminus etaplus maximize"),
    "SGD": ("sgd", 1, "weight_decay momentum dampening nesterov maximize"),
    "Adafactor": ("_adafactor", 4, "d beta2_decay weight_decay eps1 eps2 maximize"),
    "Muon": (
        "_muon",
        1,
        "weight_decay momentum nesterov ns_coefficients ns_steps eps adjust_lr_fn has_complex",
    ),
}
OPTIONS = [
    ("Adadelta", {}), ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}), ("Adam", {}), ("ASGD", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True}), ("AdamW", {"amsgrad": True}), ("Adamax", {}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("RAdam", {}), ("RMSprop", {}), ("Rprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}), ("SGD", {}), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}), ("Adafactor", {}), ("Muon", {}),
]  # fmt: skip
PAIRS = {"betas": ("beta1", "beta2"), "etas": ("etaminus", "etaplus"), "step_sizes": ("step_size_min", "step_size_max")}


def module_of(lib, name):
    return importlib.import_module(f"{lib.__name__}.optim.{FORMS[name][0]}")


def keywords(name, group):
    known = {**group, "has_complex": False}
    for key, names in PAIRS.items():
        known.update(zip(names, group.get(key, ())))
    if name == "Adafactor":
        known["eps1"], known["eps2"] = group["eps"]
    chosen = FORMS[name][2].split() + ["lr"] * (name != "Rprop")
    return {key: known[key] for key in chosen}


def form(name, library):
    return getattr(module_of(library, name), FORMS[name][0].strip("_"))


@pytest.mark.parametrize("name, options", OPTIONS, ids=str)
def test_steps_over_lists(name, options):
    """What _init_group() collects goes through the functional form; twice, so that the state of the first step counts."""

    def program(lib):
        shapes = [(3, 2), (2, 2)] if name == "Muon" else [(3,), (2, 2)]
        params = [lib.linspace(-1, 2, 6)[: lib.Size(shape).numel()].reshape(shape).requires_grad_() for shape in shapes]
        idle = lib.ones(2, 2, requires_grad=True)
        optimizer = getattr(lib.optim, name)([*params, idle], **options)
        found = []
        for _ in range(3):
            for i, p in enumerate(params):
                p.grad = (p.detach() - 0.3 * (i + 1)) * 2
            group = optimizer.param_groups[0]
            collected, grads, lists = [], [], [[] for _ in range(FORMS[name][1])]
            answer = optimizer._init_group(group, collected, grads, *lists)
            order = list(inspect.signature(optimizer._init_group).parameters)[3:]
            named = dict(zip(order, lists, strict=True))
            places = [p for p in inspect.signature(form(name, lib)).parameters if p in named]
            with lib.no_grad():
                form(name, lib)(collected, grads, *(named[p] for p in places), **keywords(name, group))
            found += [answer, [p.detach().clone() for p in params], [p is q for p, q in zip(collected, params)]]
            found += [[None if t is None else t.clone() for t in values] for values in lists]
            found += [dict(optimizer.state[p]) for p in params if p in optimizer.state]
            found += [p.grad.clone() for p in params]
        return found

    both(program, ulps=40)


@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop"])
def test_recorded_steps_over_lists(name):
    def program(lib):
        lr = 0.1
        w = lib.tensor([1.0, 2.0], requires_grad=True)
        p, grad = w.clone(), (w * 3).sin()
        zeros = [lib.zeros(2) for _ in range(3)]
        step = lib.tensor(0.0)
        adam = dict(amsgrad=False, beta1=0.9, beta2=0.99, lr=lr, weight_decay=0.1, eps=0.1, maximize=False)
        if name == "Adam":
            form("Adam", lib)([p], [grad], [zeros[0]], [zeros[1]], [], [step], differentiable=True, **adam)
        elif name == "SGD":
            rest = dict(weight_decay=0.0, momentum=0.0, lr=lr, dampening=0.0, nesterov=False, maximize=False)
            form("SGD", lib)([p], [grad.detach()], [None], **rest)
        else:
            rest = dict(lr=lr, alpha=0.9, eps=0.1, weight_decay=0.0, momentum=0.0, centered=False)
            form("RMSprop", lib)([p], [grad], [zeros[0]], [], [], [step], differentiable=True, **rest)
        return p.detach(), *lib.autograd.grad(p.sum(), w), step, p.grad_fn is not None

    both(program, ulps=40, scale=1.0)


def test_scaled_gradients():
    def program(lib, fused, inf):
        p, m, v, step = lib.ones(2), lib.zeros(2), lib.zeros(2), lib.tensor(0.0)
        grads = [lib.tensor([2.0, 4.0])]
        adam = dict(amsgrad=False, beta1=0.9, beta2=0.99, lr=0.1, weight_decay=0.1, eps=0.1, maximize=False)
        scales = dict(grad_scale=lib.tensor(4.0), found_inf=lib.tensor(inf))
        lib.optim._functional.adam([p], grads, [m], [v], [], [step], fused=fused, **scales, **adam)
        return p, m, v, step, grads

    for lib in (gradcore, torch) if torch else (gradcore,):
        importlib.import_module(f"{lib.__name__}.optim._functional")
    both(lambda lib: program(lib, True, 0.0), ulps=4)
    both(lambda lib: program(lib, True, 1.0), ulps=4)
    both(lambda lib: program(lib, False, 0.0), raises="Expected grad_scale and found_inf to be None")


def test_steps_must_be_tensors():
    def program(lib):
        p, rest = lib.ones(2), dict(lr=0.1, alpha=0.9, eps=0.1, weight_decay=0.0, momentum=0.0, centered=False)
        form("RMSprop", lib)([p], [p], [p], [], [], [1], **rest)

    both(program, raises="`state_steps` argument must contain a list of singleton tensors")


@needs_torch
@pytest.mark.parametrize("name", FORMS)
def test_signatures_are_torchs(name):
    ours, theirs = (inspect.signature(form(name, lib)).parameters for lib in (gradcore, torch))
    assert list(ours) == list(theirs)
    assert [(p.kind, p.default) for p in ours.values()] == [(p.kind, p.default) for p in theirs.values()]


def test_the_module_of_all_forms():
    for lib in (gradcore, torch) if torch else (gradcore,):
        forms = importlib.import_module(f"{lib.__name__}.optim._functional")
        assert all(getattr(forms, FORMS[n][0]) is form(n, lib) for n in ("Adam", "SGD", "Rprop"))


# ---- what LBFGS is made of


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("lr", ["1", "0.5", "lib.tensor([0.25])"])
def test_the_length_of_a_step_is_the_rate_itself(lr, search):
    def program(lib):
        w = lib.tensor([1.0, 2.0, -3.0], requires_grad=True)
        optimizer = lib.optim.LBFGS([w], lr=eval(lr), line_search_fn=search, max_iter=8)

        def closure():
            optimizer.zero_grad()
            loss = ((w - 3) ** 2).sum() / 10
            loss.backward()
            return loss

        optimizer.step(closure)
        optimizer.step(closure)
        return optimizer.state[w]["t"], type(optimizer.state[w]["t"]).__name__

    both(program)


def test_methods_of_lbfgs_that_derived_classes_call():
    def program(lib):
        a, b = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), lib.ones(3, requires_grad=True)
        optimizer = lib.optim.LBFGS([a, b])
        (a * a).sum().backward()
        found = [optimizer._numel(), optimizer._gather_flat_grad(), [p.clone() for p in optimizer._clone_param()]]
        direction = lib.arange(7.0)

        def closure():
            optimizer.zero_grad()
            loss = (a * a).sum() + b.sum()
            loss.backward()
            return loss

        start = [p.detach().clone() for p in optimizer._params]
        optimizer._add_grad = lib.no_grad()(optimizer._add_grad)
        optimizer._set_param = lib.no_grad()(optimizer._set_param)
        found += [*optimizer._directional_evaluate(closure, start, 0.5, direction), a.detach().clone()]
        optimizer._add_grad(0.1, direction)
        found += [a.detach().clone(), b.detach().clone()]
        optimizer._set_param(start)
        return [*found, a.detach(), b.detach()]

    both(program)
