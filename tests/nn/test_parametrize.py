"""nn.utils.parametrize and parametrizations, weight_norm and spectral_norm of old, beside torch's."""

import copy
import pickle
import warnings

import numpy as np
import pytest

from support import both, gradcore, needs_torch


def layer(lib, *args, **kwargs):
    """A layer with the same float64 weights in both libraries."""
    lib.manual_seed(0)
    made = lib.nn.Linear(*args, **kwargs) if args else lib.nn.Linear(3, 4)
    return made.double()


def inputs(lib, *shape):
    return lib.tensor(np.random.default_rng(5).normal(size=shape))


def state(module):
    return [(key, value.clone()) for key, value in module.state_dict().items()]


def gradients(module):
    return [(name, p.grad) for name, p in module.named_parameters()]


def trained(lib, module, x):
    """What a training step sees: the output, the gradients, and the state after it."""
    y = module(x)
    (y * inputs(lib, *y.shape)).sum().backward()
    return y, gradients(module), state(module)


def symmetric(lib):
    class Symmetric(lib.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

        def right_inverse(self, value):
            return value.triu()

    return Symmetric()


def scaled(lib, factor=2.0, invertible=True):
    class Scaled(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = lib.nn.Parameter(lib.tensor(factor, dtype=lib.float64))

        def forward(self, x):
            return x * self.factor

    if invertible:
        Scaled.right_inverse = lambda self, value: value / self.factor
    return Scaled()


def rank_one(lib):
    class RankOne(lib.nn.Module):
        def forward(self, x, y):
            return x.unsqueeze(-1) @ y.unsqueeze(-2)

        def right_inverse(self, value):
            return value[:, 0].clone(), value[0].clone()

    return RankOne()


def parametrize(lib):
    return lib.nn.utils.parametrize


# ------------------------------------------------------------------------------------------------------------
# register_parametrization


def test_one_and_two_parametrizations():
    def program(lib):
        P = parametrize(lib)
        net = layer(lib, 3, 3)
        weight = net.weight
        found = [P.is_parametrized(net), P.register_parametrization(net, "weight", symmetric(lib)) is net]
        found += [P.is_parametrized(net), P.is_parametrized(net, "weight"), P.is_parametrized(net, "bias")]
        found.append(net.parametrizations.weight.original is weight)
        P.register_parametrization(net, "weight", scaled(lib))
        P.register_parametrization(net, "bias", scaled(lib, 3.0))
        found += [repr(net), len(net.parametrizations.weight), type(net).__name__, isinstance(net, lib.nn.Linear)]
        return [*found, *trained(lib, net, inputs(lib, 2, 3))]

    both(program, ulps=8)


def test_assignment_sets_the_originals():
    def program(lib):
        P = parametrize(lib)
        net = P.register_parametrization(layer(lib, 3, 3), "weight", scaled(lib))
        with lib.no_grad():
            net.weight = inputs(lib, 3, 3)
        return net.weight, net.parametrizations.weight.original, net.parametrizations.weight.original.is_leaf

    both(program)


def test_several_originals():
    def program(lib):
        P = parametrize(lib)
        net = P.register_parametrization(layer(lib, 3, 4), "weight", rank_one(lib))
        found = [repr(net), state(net), net.weight]
        with lib.no_grad():
            net.weight = inputs(lib, 4, 3)
        found += [state(net), *trained(lib, net, inputs(lib, 2, 3))]
        P.remove_parametrizations(net, "weight")
        return [*found, state(net), type(net.weight).__name__, net.weight.is_leaf]

    both(program, ulps=8)


@pytest.mark.parametrize("leave", [True, False])
def test_removal(leave):
    def program(lib):
        P = parametrize(lib)
        net = layer(lib, 3, 3)
        weight, cls = net.weight, type(net)
        P.register_parametrization(net, "weight", scaled(lib))
        P.register_parametrization(net, "bias", scaled(lib))
        P.remove_parametrizations(net, "weight", leave_parametrized=leave)
        found = [net.weight is weight, net.weight, P.is_parametrized(net), type(net) is cls]
        P.remove_parametrizations(net, "bias", leave_parametrized=leave)
        return [
            *found,
            type(net) is cls,
            hasattr(net, "parametrizations"),
            state(net),
            [n for n, _ in net.named_parameters()],
        ]

    both(program)


def test_a_buffer_can_be_parametrized():
    def program(lib):
        P = parametrize(lib)
        net = lib.nn.Module()
        net.register_buffer("mean", lib.ones(2, dtype=lib.float64))
        P.register_parametrization(net, "mean", scaled(lib))
        found = [net.mean, sorted(net.parametrizations.mean._buffers), list(net.state_dict())]
        P.remove_parametrizations(net, "mean")
        return [*found, net.mean, list(net._buffers)]

    both(program)


def test_cached():
    def program(lib):
        P = parametrize(lib)
        net = P.register_parametrization(layer(lib, 3, 3), "weight", scaled(lib))
        with P.cached():
            first = net.weight
            with P.cached():
                found = [net.weight is first]
            found.append(net.weight is first)
        return [*found, net.weight is first]

    both(program)


def test_copies_and_classes():
    def program(lib):
        P = parametrize(lib)
        net = P.register_parametrization(layer(lib, 3, 3), "weight", scaled(lib))
        other = copy.deepcopy(net)
        with lib.no_grad():
            other.parametrizations.weight[0].factor.fill_(5.0)
        found = [net.weight, other.weight, P.type_before_parametrizations(net).__name__]
        target = P.transfer_parametrizations_and_params(net, lib.nn.Linear(3, 3).double())
        found += [target.weight, P.is_parametrized(target), P.type_before_parametrizations(target).__name__]
        try:
            pickle.dumps(net)
        except Exception as error:  # noqa: BLE001
            found.append((type(error).__name__, str(error)[:60]))
        return found

    both(program)


def test_functional_call_with_originals():
    def program(lib):
        P = parametrize(lib)
        net = P.register_parametrization(layer(lib, 3, 3), "weight", scaled(lib))
        replaced = {"parametrizations.weight.original": inputs(lib, 3, 3)}
        return lib.func.functional_call(net, replaced, (inputs(lib, 2, 3),))

    both(program, ulps=4)


def giving(lib, forward, **methods):
    return type("Giving", (lib.nn.Module,), {"forward": forward, **methods})()


REFUSED = {
    "no such tensor": lambda lib: parametrize(lib).register_parametrization(layer(lib), "nothing", symmetric(lib)),
    "no tensor": lambda lib: parametrize(lib).register_parametrization(
        layer(lib), "weight", giving(lib, lambda s, x: 3)
    ),
    "another shape": lambda lib: parametrize(lib).register_parametrization(
        layer(lib), "weight", giving(lib, lambda s, x: x[0])
    ),
    "another dtype": lambda lib: parametrize(lib).register_parametrization(
        layer(lib), "weight", giving(lib, lambda s, x: x.float())
    ),
    "an inverse of no tensor": lambda lib: parametrize(lib).register_parametrization(
        layer(lib), "weight", giving(lib, lambda s, x: x, right_inverse=lambda s, x: 3)
    ),
    "an inverse of another dtype": lambda lib: parametrize(lib).register_parametrization(
        layer(lib), "weight", giving(lib, lambda s, x: x, right_inverse=lambda s, x: x.float())
    ),
    "no inverse": lambda lib: setattr(
        parametrize(lib).register_parametrization(layer(lib), "weight", scaled(lib, invertible=False)),
        "weight",
        lib.ones(4, 3, dtype=lib.float64),
    ),
    "nothing to remove": lambda lib: parametrize(lib).remove_parametrizations(layer(lib), "weight"),
    "several originals left": lambda lib: parametrize(lib).remove_parametrizations(
        parametrize(lib).register_parametrization(layer(lib, 3, 4), "weight", rank_one(lib)),
        "weight",
        leave_parametrized=False,
    ),
    "spectral norm of nothing": lambda lib: lib.nn.utils.parametrizations.spectral_norm(layer(lib), "nothing"),
    "no iterations": lambda lib: lib.nn.utils.parametrizations.spectral_norm(layer(lib), n_power_iterations=0),
    "no such dim": lambda lib: lib.nn.utils.parametrizations.spectral_norm(layer(lib), dim=2),
    "no weight_norm": lambda lib: lib.nn.utils.remove_weight_norm(layer(lib)),
    "no spectral_norm": lambda lib: lib.nn.utils.remove_spectral_norm(layer(lib)),
    "weight_norm twice": lambda lib: lib.nn.utils.weight_norm(lib.nn.utils.weight_norm(layer(lib))),
    "weight_norm along a dim that is not there": lambda lib: lib.nn.utils.weight_norm(layer(lib), dim=5),
    "weight_norm of now along a dim that is not there": lambda lib: lib.nn.utils.parametrizations.weight_norm(
        layer(lib), dim=-3
    ),
    "weight_norm of what has no values": lambda lib: lib.nn.utils.weight_norm(lib.nn.LazyLinear(3)),
    "spectral_norm of what has no values": lambda lib: lib.nn.utils.spectral_norm(lib.nn.LazyLinear(3)),
    "spectral_norm twice": lambda lib: lib.nn.utils.spectral_norm(lib.nn.utils.spectral_norm(layer(lib))),
}


@needs_torch
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_refused(name):
    def program(lib):
        try:
            REFUSED[name](lib)
        except Exception as error:  # noqa: BLE001  whatever it is, it is compared
            return type(error).__name__, str(error).split("\n")[0]
        return "nothing"

    both(program)


# ------------------------------------------------------------------------------------------------------------
# Weight and spectral normalisation


CASES = {
    "linear": (lambda lib: layer(lib, 3, 4), (2, 3)),
    "conv": (lambda lib: lib.nn.Conv1d(2, 3, 2).double(), (2, 2, 5)),
    "transposed": (lambda lib: lib.nn.ConvTranspose1d(2, 3, 2).double(), (2, 2, 5)),
}


@pytest.mark.parametrize("dim", [0, 1, -1, None])
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weight_norm(old, dim):
    def program(lib):
        utils = lib.nn.utils if old else lib.nn.utils.parametrizations
        net = utils.weight_norm(layer(lib, 3, 4), dim=dim)
        found = [repr(net), *trained(lib, net, inputs(lib, 2, 3)), *trained(lib, net, inputs(lib, 2, 3))]
        if old:
            lib.nn.utils.remove_weight_norm(net)
        else:
            parametrize(lib).remove_parametrizations(net, "weight")
        return [*found, state(net), net.weight.requires_grad]

    both(program, ulps=64, scale=10.0)


def test_weight_norm_loads_what_the_old_one_saved():
    def program(lib):
        with warnings.catch_warnings(action="ignore"):
            old = lib.nn.utils.weight_norm(layer(lib, 3, 4))
        new = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(3, 4).double())
        return new.load_state_dict(old.state_dict()), new(inputs(lib, 2, 3))

    both(program, ulps=64)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("old", [False, True])
def test_spectral_norm(old, name):
    make, shape = CASES[name]

    def program(lib):
        lib.manual_seed(3)
        utils = lib.nn.utils if old else lib.nn.utils.parametrizations
        net = utils.spectral_norm(make(lib), n_power_iterations=2)
        found = [trained(lib, net, inputs(lib, *shape)) for _ in range(2)]
        net.eval()
        found += [net(inputs(lib, *shape)), state(net)]
        found.append(net.state_dict()._metadata[""])
        if old:
            lib.nn.utils.remove_spectral_norm(net)
            found += [state(net), net._forward_pre_hooks, net._state_dict_hooks]
        return found

    both(program, ulps=1 << 12, scale=10.0)


def test_spectral_norm_of_a_vector():
    def program(lib):
        return lib.nn.utils.parametrizations.spectral_norm(layer(lib, 3, 4), "bias").bias

    both(program, ulps=8)


def test_the_largest_singular_value_becomes_one():
    net = gradcore.nn.utils.parametrizations.spectral_norm(gradcore.nn.Linear(5, 6).double(), n_power_iterations=50)
    assert abs(np.linalg.norm(net.weight.detach().numpy(), 2) - 1) < 1e-6


def test_a_weight_norm_that_fails_leaves_the_module_as_it_was():
    net = layer(gradcore)
    before = list(net.state_dict())
    for utils in (gradcore.nn.utils, gradcore.nn.utils.parametrizations):
        with warnings.catch_warnings(action="ignore"), pytest.raises(IndexError):
            utils.weight_norm(net, dim=5)
        assert list(net.state_dict()) == before
        assert not net._forward_pre_hooks
