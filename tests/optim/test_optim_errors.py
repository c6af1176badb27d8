"""What optimizers refuse, beside torch: the same type and key phrase, and nothing has changed. Start at the tables."""

import copy
import math

import numpy as np
import pytest

from support import both, gradcore, libraries

# fmt: off
NAMES = (
    "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam",
    "RMSprop", "Rprop", "SGD", "SparseAdam",
)
# fmt: on


def leaf(lib):
    return lib.ones(2, 2, requires_grad=True)


def tensor(value):
    """An option that is a tensor, of either library."""
    return lambda lib: lib.tensor(value)


def option(lib, value):
    if isinstance(value, tuple):
        return tuple(option(lib, item) for item in value)
    return value(lib) if callable(value) else value


# ---- options ----

RATE = [
    (-1.0, "Invalid learning rate: -1.0"),
    (math.nan, "Invalid learning rate: nan"),
    ("a", "not supported between"),
    (None, "not supported between"),
    (tensor([0.1, 0.1]), "Tensor lr must be 1-element"),
    (tensor(-0.5), "Invalid learning rate: -0.5"),
]
EPS = [(-1.0, "Invalid epsilon value: -1.0"), (math.nan, "Invalid epsilon value: nan")]
DECAY = [(-1.0, "Invalid weight_decay value: -1.0"), (math.nan, "Invalid weight_decay value: nan")]
BETAS = [
    ((-0.1, 0.9), "Invalid beta parameter at index 0: -0.1"),
    ((0.9, 1.0), "Invalid beta parameter at index 1: 1.0"),
    ((math.nan, 0.9), "Invalid beta parameter at index 0: nan"),
    ((0.9,), "tuple index out of range"),
    (0.9, "not subscriptable"),
    (("a", "b"), "not supported between"),
]
TENSOR_BETAS = [
    ((tensor(0.9), 0.9), "betas must be either both floats or both Tensors"),
    ((tensor([0.9, 0.8]), tensor(0.9)), "ambiguous"),
]
COMMON = {"lr": RATE, "eps": EPS, "weight_decay": DECAY}

# Of each optimizer: an option, a value that it refuses, the phrase.
OPTIONS = {
    "ASGD": {"lr": RATE, "weight_decay": DECAY},
    "Adadelta": {**COMMON, "rho": [(-0.1, "Invalid rho value: -0.1"), (1.5, "Invalid rho value: 1.5")]},
    "Adafactor": {
        "lr": [
            (-1.0, "Learning rate should be >= 0 but is: -1.0"),
            (tensor([0.1, 0.1]), "Tensor lr must be 1-element"),
        ],
        "beta2_decay": [(0.5, "beta2_decay should be <= 0 but is: 0.5")],
        "eps": [
            ((-1.0, 1e-3), "epsilon1 should be >= 0 but is: -1.0"),
            ((None, -1.0), "epsilon2 should be >= 0 but is: -1.0"),
        ],
        "d": [(0.5, "Clipping threshold d should be >= 1 but is: 0.5")],
        "weight_decay": [(-1.0, "weight_decay should be >= 0 but is: -1.0")],
    },
    "Adagrad": {
        **COMMON,
        "lr_decay": [(-1.0, "Invalid lr_decay value: -1.0")],
        "initial_accumulator_value": [(-1.0, "Invalid initial_accumulator_value value: -1.0")],
    },
    "Adam": {**COMMON, "betas": BETAS + TENSOR_BETAS},
    "AdamW": {**COMMON, "betas": BETAS + TENSOR_BETAS},
    "Adamax": {**COMMON, "betas": BETAS},
    "LBFGS": {"lr": RATE},
    "Muon": {
        "lr": [(-1.0, "Learning rate should be >= 0 but is: -1.0")],
        "momentum": [(-1.0, "momentum should be >= 0 but is")],
        "weight_decay": [(-1.0, "weight decay should be >= 0 but is: -1.0")],
        "adjust_lr_fn": [("a", "Adjust learning rate function a is not supported")],
    },
    "NAdam": {**COMMON, "betas": BETAS, "momentum_decay": [(-1.0, "Invalid momentum_decay value: -1.0")]},
    "RAdam": {**COMMON, "betas": BETAS},
    "RMSprop": {
        **COMMON,
        "momentum": [(-1.0, "Invalid momentum value: -1.0")],
        "alpha": [(-1.0, "Invalid alpha value: -1.0")],
    },
    "Rprop": {
        "lr": RATE,
        "etas": [((1.5, 1.2), "Invalid eta values: 1.5, 1.2"), ((0.5, 0.9), "Invalid eta values: 0.5, 0.9")],
    },
    "SGD": {
        "lr": [case for case in RATE if case[0] is not math.nan],
        "momentum": [(-1.0, "Invalid momentum value: -1.0")],
        "weight_decay": DECAY[:1],
        "nesterov": [(True, "Nesterov momentum requires a momentum and zero dampening")],
    },
    "SparseAdam": {
        "lr": [*RATE, (0.0, "Invalid learning rate: 0.0")],
        "eps": [(0.0, "Invalid epsilon value: 0.0")],
        "betas": BETAS,
    },
}
TOGETHER = [  # options that exclude each other
    *(
        (name, {"fused": True, "foreach": True}, "`fused` and `foreach` cannot be `True` together.")
        for name in ("SGD", "Adam", "AdamW", "Adagrad")
    ),
    *(
        (name, {"fused": True, "differentiable": True}, "`fused` does not support `differentiable`")
        for name in ("SGD", "Adam", "AdamW", "Adagrad")
    ),
    *(
        (
            name,
            {"foreach": True, "lr": tensor(0.1)},
            "lr as a Tensor is not supported for capturable=False and foreach=True",
        )
        for name in ("Adam", "AdamW")
    ),
    *(
        (name, {"foreach": True, "betas": (tensor(0.5), tensor(0.5))}, "betas[0] as a Tensor is not supported")
        for name in ("Adam", "AdamW")
    ),
    *((name, {"bogus": 1}, "unexpected keyword argument 'bogus'") for name in NAMES),
]
CHOSEN = [
    (name, {key: value}, phrase) for name, of in OPTIONS.items() for key, cases in of.items() for value, phrase in cases
]


@pytest.mark.parametrize(
    ("name", "chosen", "phrase"),
    CHOSEN + TOGETHER,
    ids=[f"{name}-{'-'.join(chosen)}-{i}" for i, (name, chosen, _) in enumerate(CHOSEN + TOGETHER)],
)
def test_options(name, chosen, phrase):
    both(
        lambda lib: getattr(lib.optim, name)([leaf(lib)], **{key: option(lib, v) for key, v in chosen.items()}),
        raises=phrase,
    )


def test_every_optimizer_has_its_row():
    assert set(OPTIONS) == set(NAMES)


# ---- parameters ----

PARAMS = {
    "a tensor": (leaf, "should be an iterable of Tensors or dicts, but got"),
    "nothing": (lambda lib: [], "optimizer got an empty parameter list"),
    "None": (lambda lib: None, "'NoneType' object is not iterable"),
    "a number": (lambda lib: 3, "'int' object is not iterable"),
    "numbers": (lambda lib: [leaf(lib), 3], "optimizer can only optimize Tensors, but one of the params is int"),
    "text": (lambda lib: ["w"], "optimizer can only optimize Tensors, but one of the params is str"),
    "an array": (lambda lib: [np.ones(2)], "but one of the params is numpy.ndarray"),
    "lists": (lambda lib: [[leaf(lib)]], "but one of the params is list"),
    "a tensor with a history": (lambda lib: [leaf(lib) * 2], "can't optimize a non-leaf Tensor"),
    "a set in a group": (lambda lib: [{"params": {leaf(lib)}}], "organized in ordered collections"),
    "a group without parameters": (lambda lib: [{"lr": 0.1}], "params"),
    "a group of None": (lambda lib: [{"params": None}], "'NoneType' object is not iterable"),
    "a group, then a tensor": (lambda lib: [{"params": [leaf(lib)]}, leaf(lib)], "param_group must be a dict, but got"),
    "a tensor, then a group": (lambda lib: [leaf(lib), {"params": [leaf(lib)]}], "but one of the params is dict"),
    "some names": (lambda lib: [("w", leaf(lib)), leaf(lib)], "Some param names are missing"),
    "one group with names": (
        lambda lib: [{"params": [("w", leaf(lib))]}, {"params": [leaf(lib)]}],
        "cannot add param group without names",
    ),
    "one in two groups": (
        lambda lib: [{"params": [p]} for p in [leaf(lib)] * 2],
        "appear in more than one parameter group",
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", PARAMS)
def test_parameters(name, what):
    make, phrase = PARAMS[what]
    both(lambda lib: getattr(lib.optim, name)(make(lib)), raises=phrase)


def test_what_some_refuse():
    both(lambda lib: lib.optim.Muon([lib.ones(3, requires_grad=True)]), raises="Muon only supports 2D parameters")
    both(
        lambda lib: lib.optim.LBFGS([{"params": [leaf(lib)]}, {"params": [leaf(lib)]}]), raises="per-parameter options"
    )


def test_integers_as_parameters():
    """They can have no gradient, so they are never moved."""

    def unmoved(lib):
        counts = lib.ones(2, dtype=lib.int64)
        optimizer = lib.optim.SGD([counts])
        optimizer.step()
        return counts

    both(unmoved)
    both(lambda lib: setattr(lib.ones(2, dtype=lib.int64), "grad", lib.ones(2)), raises="dtype")


def test_a_required_option():
    def program(lib):
        class Mine(lib.optim.Optimizer):
            def step(self, closure=None):
                pass

        import importlib

        required = importlib.import_module(lib.__name__ + ".optim.optimizer").required
        Mine([leaf(lib)], {"size": required})

    both(program, raises="parameter group didn't specify a value of required optimization parameter size")


def test_a_step_that_nobody_wrote():
    for lib in libraries():
        with pytest.raises(NotImplementedError):
            lib.optim.Optimizer([leaf(lib)], {}).step()


# ---- of an optimizer that has made a step: what is done to it, and the phrase ----


def stepped(lib, name, **chosen):
    if name == "SGD":
        chosen.setdefault("momentum", 0.9)
    params = [leaf(lib), leaf(lib)]
    optimizer = getattr(lib.optim, name)(params, **chosen)
    for p in params:
        p.grad = lib.ones(2, 2)
    optimizer.step(lambda: lib.tensor(1.0))
    return optimizer


def raising():
    raise KeyError("from a closure")


def change_state(change):
    """A program that changes a state dict, then loads it."""

    def program(lib, optimizer):
        state = copy.deepcopy(optimizer.state_dict())
        change(state)
        optimizer.load_state_dict(state)

    return program


def first_group(**changes):
    """A program that changes the group, then makes a step."""

    def program(lib, optimizer):
        optimizer.param_groups[0].update({key: option(lib, value) for key, value in changes.items()})
        optimizer.step()

    return program


def without(key):
    def program(lib, optimizer):
        del optimizer.param_groups[0][key]
        optimizer.step()

    return program


def last_state(change):
    """A program that spoils the state of the last parameter, then makes a step."""

    def program(lib, optimizer):
        state = optimizer.state[optimizer.param_groups[0]["params"][-1]]
        change(state, lib)
        optimizer.step()

    return program


def add_group(make):
    return lambda lib, optimizer: optimizer.add_param_group(make(lib, optimizer))


def hooked(hook):
    def program(lib, optimizer):
        optimizer.register_step_pre_hook(hook)
        optimizer.step(lambda: 1.0)

    return program


STEPPING = tuple(name for name in NAMES if name not in ("LBFGS", "SparseAdam"))  # that step without a closure, and can
WITH_RULES = tuple(name for name in STEPPING if name not in ("Adafactor", "Muon"))
WITH_BETAS = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
ALL = (*STEPPING, "LBFGS")
MISUSES = {
    "closure: a number": (ALL, lambda lib, optimizer: optimizer.step(3), "'int' object is not callable"),
    "closure: it raises": (ALL, lambda lib, optimizer: optimizer.step(raising), "from a closure"),
    "closure: two": (ALL, lambda lib, optimizer: optimizer.step(None, None), "positional argument"),
    "closure: none": (
        ("LBFGS",),
        lambda lib, optimizer: optimizer.step(),
        "missing 1 required positional argument: 'closure'",
    ),
    "step: an unknown argument": (
        ALL,
        lambda lib, optimizer: optimizer.step(bogus=1),
        "unexpected keyword argument 'bogus'",
    ),
    "hook: returns a number": (
        ALL,
        hooked(lambda *_: 3),
        "must return None or a tuple of (new_args, new_kwargs), but got 3",
    ),
    "hook: a number": (ALL, hooked(3), "'int' object is not callable"),
    "zero_grad: an unknown argument": (ALL, lambda lib, optimizer: optimizer.zero_grad(bogus=1), "unexpected keyword"),
    "load: None": (
        ALL,
        lambda lib, optimizer: optimizer.load_state_dict(None),
        "'NoneType' object has no attribute 'copy'",
    ),
    "load: nothing": (ALL, lambda lib, optimizer: optimizer.load_state_dict({}), "param_groups"),
    "load: no state": (ALL, change_state(lambda s: s.pop("state")), "state"),
    "load: no groups": (ALL, change_state(lambda s: s.pop("param_groups")), "param_groups"),
    "load: groups of None": (ALL, change_state(lambda s: s.update(param_groups=None)), "has no len()"),
    "load: more groups": (
        ALL,
        change_state(lambda s: s.update(param_groups=s["param_groups"] * 2)),
        "loaded state dict has a different number of parameter groups",
    ),
    "load: a group of a number": (ALL, change_state(lambda s: s.update(param_groups=[3])), "not subscriptable"),
    "load: a group without parameters": (ALL, change_state(lambda s: s["param_groups"][0].pop("params")), "params"),
    "load: fewer parameters": (
        ALL,
        change_state(lambda s: s["param_groups"][0].update(params=[0])),
        "contains a parameter group that doesn't match the size of optimizer's group",
    ),
    "load: state of a number": (
        ALL,
        change_state(lambda s: s.update(state=3)),
        "'int' object has no attribute 'items'",
    ),
    "load: a parameter's state of a number": (
        ("Adam", "Adadelta", "Adafactor"),
        change_state(lambda s: s.update(state={0: 3})),
        "'int'",
    ),
    "group: no rate": ([name for name in STEPPING if name != "Rprop"], without("lr"), "lr"),
    "group: no parameters": (STEPPING, without("params"), "params"),
    "group: rate of two elements": (
        ("SGD", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "NAdam", "RMSprop"),
        first_group(lr=tensor([0.1, 0.1])),
        "must be Number, not Tensor",
    ),
    "group: rate of text": (("Adam", "SGD"), first_group(lr="a"), ""),
    "group: one beta for both": (WITH_BETAS, first_group(betas=0.5), "cannot unpack non-iterable"),
    "group: three betas": (WITH_BETAS, first_group(betas=(0.1, 0.2, 0.3)), "too many values to unpack (expected 2)"),
    "group: one beta": (WITH_BETAS, first_group(betas=(0.1,)), "not enough values to unpack (expected 2, got 1)"),
    "group: differentiable, with foreach": (
        [name for name in WITH_RULES if name != "SGD"],
        first_group(differentiable=True, foreach=True),
        "_foreach ops don't support autograd",
    ),
    "group: capturable": (
        [name for name in WITH_RULES if name not in ("SGD", "Adagrad")],
        first_group(capturable=True),
        "supported devices",
    ),
    "group: another one": (
        ("LBFGS",),
        lambda lib, optimizer: (optimizer.add_param_group({"params": [leaf(lib)]}), optimizer.step(lambda: 1.0)),
        "Expected exactly one param_group",
    ),
    "state: an entry is missing": (
        [name for name in STEPPING if name not in ("SGD", "Muon")],
        last_state(lambda state, lib: state.pop(list(state)[-1])),
        "",
    ),
    "state: of another shape": (
        [name for name in STEPPING if name != "Muon"],
        last_state(lambda state, lib: state.update({list(state)[-1]: lib.ones(5)})),
        "",
    ),
    "add: None": (
        ALL,
        add_group(lambda lib, optimizer: None),
        "param_group must be a dict, but got <class 'NoneType'>",
    ),
    "add: a list": (
        ALL,
        add_group(lambda lib, optimizer: [leaf(lib)]),
        "param_group must be a dict, but got <class 'list'>",
    ),
    "add: no parameters": (ALL, add_group(lambda lib, optimizer: {"lr": 1}), "params"),
    "add: a set": (ALL, add_group(lambda lib, optimizer: {"params": {leaf(lib)}}), "organized in ordered collections"),
    "add: a number": (ALL, add_group(lambda lib, optimizer: {"params": [3]}), "can only optimize Tensors"),
    "add: a history": (
        ALL,
        add_group(lambda lib, optimizer: {"params": [leaf(lib) * 2]}),
        "can't optimize a non-leaf Tensor",
    ),
    "add: names": (
        ALL,
        add_group(lambda lib, optimizer: {"params": [("w", leaf(lib))]}),
        "cannot add param group with names",
    ),
    "add: its own": (
        ALL,
        add_group(lambda lib, optimizer: {"params": optimizer.param_groups[0]["params"]}),
        "some parameters appear in more than one parameter group",
    ),
}
MISUSED = [(name, what) for what, (names, _, _) in MISUSES.items() for name in names]


def snapshot(value):
    """Everything an optimizer holds, as numbers."""
    if isinstance(value, gradcore.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {id(key) if isinstance(key, gradcore.Tensor) else key: snapshot(item) for key, item in value.items()}
    return [snapshot(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize(("name", "what"), MISUSED, ids=[f"{name}-{what}" for name, what in MISUSED])
def test_misuse(name, what):
    _, program, phrase = MISUSES[what]

    def misuse(lib):
        optimizer = stepped(lib, name)
        params = [p for group in optimizer.param_groups for p in group["params"]]
        group = optimizer.param_groups[0].copy()
        before = snapshot(params), snapshot(optimizer.state)
        try:
            program(lib, optimizer)
        finally:
            spoilt = what.startswith("state")
            assert lib is not gradcore or before == (
                snapshot(params),
                before[1] if spoilt else snapshot(optimizer.state),
            )
            if what.startswith(("load", "add")):
                assert optimizer.param_groups == [group]

    both(misuse, raises=phrase)


def test_sparse_adam_refuses_dense_gradients():
    def program(lib):
        p = leaf(lib)
        p.grad = lib.ones(2, 2)
        lib.optim.SparseAdam([p]).step()

    both(program, raises="SparseAdam does not support dense gradients, please consider Adam instead")


def test_a_gradient_that_does_not_fit():
    p = leaf(gradcore)
    q = leaf(gradcore)
    optimizer = gradcore.optim.SGD([q, p], lr=1.0)
    p.grad = q.grad = gradcore.ones(2, 2)
    p.data = gradcore.ones(3)
    with pytest.raises(RuntimeError, match="gradient of shape"):
        optimizer.step()
    assert q.tolist() == [[1, 1], [1, 1]]
    assert p.tolist() == [1, 1, 1]


SWAPS = {
    "no state": (lambda lib, o, s: (o.state.clear(), s)[1], "requires initialized optimizer state"),
    "a list": (lambda lib, o, s: [s], "state_dict"),
    "state of a list": (lambda lib, o, s: {**s, "state": []}, "to be a dict mapping packed parameter ids"),
    "state of tensors": (lambda lib, o, s: {**s, "state": {lib.ones(1): {}}}, "keyed by packed parameter ids"),
    "a parameter's state of a number": (lambda lib, o, s: {**s, "state": {0: 3}}, "state entries to be dictionaries"),
    "state of more parameters": (lambda lib, o, s: {**s, "state": {**s["state"], 9: {}}}, "got extra keys [9]"),
    "no groups": (lambda lib, o, s: {"state": s["state"]}, "list of param-group dicts, got NoneType"),
    "more groups": (
        lambda lib, o, s: {**s, "param_groups": s["param_groups"] * 2},
        "different number of parameter groups",
    ),
    "a group of a number": (lambda lib, o, s: {**s, "param_groups": [3]}, "param group to be a dictionary"),
    "a group of tensors": (
        lambda lib, o, s: {**s, "param_groups": o.param_groups},
        "entries keyed by packed parameter ids",
    ),
    "fewer parameters": (
        lambda lib, o, s: (s["param_groups"][0].update(params=[0]), s)[1],
        "different number of params",
    ),
    "another option": (lambda lib, o, s: (s["param_groups"][0].update(mine=1), s)[1], "Keys only in swap-in: ['mine']"),
}


@pytest.mark.parametrize("what", SWAPS)
def test_what_does_not_fit_in(what):
    change, phrase = SWAPS[what]

    def program(lib):
        optimizer = stepped(lib, "Adam")
        state = change(lib, optimizer, copy.deepcopy(optimizer.state_dict()))
        with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"a": leaf(lib), "b": leaf(lib)}, state):
            pytest.fail("should have been refused")

    both(program, raises=phrase)


def test_too_few_parameters_to_swap_in():
    def program(lib):
        optimizer = stepped(lib, "Adam")
        with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"a": leaf(lib)}, optimizer.state_dict()):
            pytest.fail("should have been refused")

    both(program, raises="to match optimizer.param_groups ordering")
