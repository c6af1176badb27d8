"""functional_call, stack_module_state and transforms over real modules, beside torch's."""

import numpy as np
import pytest

from support import both, gradcore, needs_torch

NETS = {
    "mlp": (lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), (5, 3)),
    "conv": (lambda nn: nn.Sequential(nn.Conv2d(1, 2, 2, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)), (5, 1, 3, 3)),
    "norm": (lambda nn: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 2)), (5, 3)),
}  # fmt: skip


def made(lib, name):
    lib.manual_seed(0)
    build, shape = NETS[name]
    x = np.random.default_rng(0).uniform(-2, 2, shape)
    return build(lib.nn).double(), lib.from_numpy(x)


@needs_torch
@pytest.mark.parametrize("name", NETS)
def test_functional_call_and_per_sample_gradients(name):
    def program(lib):
        net, x = made(lib, name)
        weights = {k: v.detach() for k, v in net.named_parameters()}

        def loss(weights, sample):
            return (lib.func.functional_call(net, weights, (sample.unsqueeze(0),)) ** 2).sum()

        each = lib.func.vmap(lib.func.grad(loss), in_dims=(None, 0))(weights, x)
        tangents = {k: lib.ones_like(v) for k, v in weights.items()}
        value, slope = lib.func.jvp(lambda w: lib.func.functional_call(net, w, (x,)), (weights,), (tangents,))
        return each, value, slope

    both(program, ulps=2000, scale=1.0, strides=None)


@needs_torch
def test_an_ensemble():
    def program(lib):
        nets = [made(lib, "mlp")[0] for _ in range(3)]
        for i, net in enumerate(nets):
            net[0].bias.data.fill_(i)
        parameters, buffers = lib.func.stack_module_state(nets)
        x = made(lib, "mlp")[1]
        run = lambda p, b, x: lib.func.functional_call(nets[0], (p, b), (x,))  # noqa: E731
        return lib.func.vmap(run, in_dims=(0, 0, None))(parameters, buffers, x), parameters

    both(program, ulps=200, scale=1.0, strides=None)


def test_the_old_place_of_functional_call_and_data_parallel():
    net, x = made(gradcore, "mlp")
    weights = {k: v * 2 for k, v in net.named_parameters()}
    ours = gradcore.nn.utils.stateless.functional_call(net, weights, x)
    assert gradcore.equal(ours, gradcore.func.functional_call(net, weights, x))
    assert gradcore.equal(gradcore.nn.DataParallel(net)(x), net(x))


def test_a_parameter_with_arguments_of_its_own():
    class Placed(gradcore.nn.Parameter):
        def __new__(cls, data=None, place=None, requires_grad=True):
            made = super().__new__(cls, data, requires_grad)
            made.place = place
            return made

    made = Placed(gradcore.ones(2), place="here")
    assert made.place == "here" and isinstance(made, gradcore.nn.Parameter) and made.requires_grad
