"""nn.utils.prune, fusion and skip_init beside torch's."""

import importlib
import itertools

import numpy as np
import pytest

from support import both, gradcore, needs_torch


def net_of(lib):
    lib.manual_seed(1)
    return lib.nn.Sequential(lib.nn.Linear(4, 3), lib.nn.ReLU(), lib.nn.Linear(3, 2)).double()


def conv_of(lib):
    lib.manual_seed(2)
    return lib.nn.Conv2d(3, 4, 2).double()


def prune(lib):
    return importlib.import_module(f"{lib.__name__}.nn.utils.prune")


def seen(module, x):
    """What pruning shows: state, hooks, output and gradients."""
    y = module(x)
    y.square().sum().backward()
    hooks = [type(hook).__name__ for hook in module._forward_pre_hooks.values()]
    return y, list(module.state_dict().items()), hooks, [(n, p.grad) for n, p in module.named_parameters()]


SCORES = np.random.default_rng(4).normal(size=(3, 4))

METHODS = {
    "identity": lambda P, m, lib: P.identity(m, "weight"),
    "random, a share": lambda P, m, lib: P.random_unstructured(m, "weight", 0.4),
    "random, a number": lambda P, m, lib: P.random_unstructured(m, "weight", 5),
    "l1, a share": lambda P, m, lib: P.l1_unstructured(m, "weight", 0.3),
    "l1, nothing": lambda P, m, lib: P.l1_unstructured(m, "weight", 0),
    "l1, all": lambda P, m, lib: P.l1_unstructured(m, "weight", 1.0),
    "l1 of scores": lambda P, m, lib: P.l1_unstructured(m, "weight", 3, importance_scores=lib.tensor(SCORES)),
    "random slices": lambda P, m, lib: P.random_structured(m, "weight", 1, dim=0),
    "slices by norm": lambda P, m, lib: P.ln_structured(m, "weight", 2, n=2, dim=1),
    "slices by the largest": lambda P, m, lib: P.ln_structured(m, "weight", 0.34, n=float("inf"), dim=-2),
    "a mask": lambda P, m, lib: P.custom_from_mask(m, "weight", lib.tensor(SCORES > 0)),
}


@pytest.mark.parametrize("name", METHODS)
def test_one_method(name):
    def program(lib):
        module = net_of(lib)[0]
        P = prune(lib)
        lib.manual_seed(7)
        found = [METHODS[name](P, module, lib) is module, P.is_pruned(module)]
        found += seen(module, lib.tensor(SCORES))
        P.remove(module, "weight")
        return [
            *found,
            P.is_pruned(module),
            list(module.state_dict().items()),
            [n for n, _ in module.named_parameters()],
        ]

    both(program, ulps=8, scale=4.0)


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.permutations(["l1, a share", "slices by norm", "a mask"], 2))
)
def test_methods_on_top_of_each_other(first, second):
    def program(lib):
        module = net_of(lib)[0]
        P = prune(lib)
        METHODS[first](P, module, lib)
        METHODS[second](P, module, lib)
        METHODS["l1, a share"](P, module, lib)
        hook = next(iter(module._forward_pre_hooks.values()))
        found = [len(hook), [type(part).__name__ for part in hook], type(hook[-1]).__name__]
        found += seen(module, lib.tensor(SCORES))
        P.remove(module, "weight")
        return [*found, list(module.state_dict().items())]

    both(program, ulps=8, scale=4.0)


def test_a_convolution():
    def program(lib):
        module = conv_of(lib)
        P = prune(lib)
        P.ln_structured(module, "weight", 1, n=1, dim=0)
        P.l1_unstructured(module, "bias", 1)
        return seen(module, lib.tensor(np.random.default_rng(8).normal(size=(2, 3, 4, 4))))

    both(program, ulps=64, scale=20.0)


@pytest.mark.parametrize("scored", [False, True])
def test_over_several_parameters(scored):
    def program(lib):
        net = net_of(lib)
        P = prune(lib)
        pairs = [(net[0], "weight"), (net[2], "weight"), (net[2], "bias")]
        scores = {(net[0], "weight"): lib.tensor(SCORES)} if scored else None
        P.global_unstructured(pairs, P.L1Unstructured, importance_scores=scores, amount=0.5)
        P.global_unstructured(tuple(pairs), P.L1Unstructured, amount=3)
        return list(net.state_dict().items()), P.is_pruned(net)

    both(program)


def test_a_method_of_ones_own():
    def program(lib):
        P = prune(lib)

        class EverySecond(P.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask

        module = net_of(lib)[0]
        EverySecond.apply(module, "bias")
        found = [module.bias, EverySecond().prune(lib.ones(4)), P.L1Unstructured(1).prune(lib.tensor([1.0, -3.0, 2.0]))]
        return [*found, module.bias_mask]

    both(program)


REFUSED = {
    "negative": lambda lib: prune(lib).l1_unstructured(net_of(lib)[0], "weight", -1),
    "a share above 1": lambda lib: prune(lib).l1_unstructured(net_of(lib)[0], "weight", 1.5),
    "too many": lambda lib: prune(lib).l1_unstructured(net_of(lib)[0], "weight", 100),
    "no number": lambda lib: prune(lib).l1_unstructured(net_of(lib)[0], "weight", "half"),
    "slices of a vector": lambda lib: prune(lib).ln_structured(net_of(lib)[0], "bias", 1, n=2, dim=0),
    "no such dim": lambda lib: prune(lib).ln_structured(net_of(lib)[0], "weight", 1, n=2, dim=5),
    "not pruned": lambda lib: prune(lib).remove(lib.nn.ReLU(), "weight"),
    "a mask of another shape": lambda lib: prune(lib).custom_from_mask(net_of(lib)[0], "weight", lib.ones(2)),
    "slices of many": lambda lib: prune(lib).global_unstructured(
        [(net_of(lib)[0], "weight")], prune(lib).LnStructured, amount=1, n=2
    ),
    "no pairs": lambda lib: prune(lib).global_unstructured(3, prune(lib).L1Unstructured, amount=1),
    "scores of no dict": lambda lib: prune(lib).global_unstructured(
        [(net_of(lib)[0], "weight")], prune(lib).L1Unstructured, importance_scores=3, amount=1
    ),
    "no method": lambda lib: prune(lib).PruningContainer().add_pruning_method(3),
    "fusion in training": lambda lib: lib.nn.utils.fuse_conv_bn_eval(conv_of(lib), lib.nn.BatchNorm2d(4)),
    "fusion of other sizes": lambda lib: lib.nn.utils.fuse_linear_bn_eval(
        net_of(lib)[0].eval(), lib.nn.BatchNorm1d(7).eval()
    ),
    "skip_init of a function": lambda lib: lib.nn.utils.skip_init(int),
    "skip_init without a device": lambda lib: lib.nn.utils.skip_init(lib.nn.ReLU),
}


@needs_torch
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    def program(lib):
        try:
            REFUSED[name](lib)
        except Exception as error:  # noqa: BLE001  whatever it is, it is compared
            return type(error).__name__, str(error).replace("gradcore", "torch")
        return "nothing"

    both(program)


def test_what_is_refused_changes_nothing():
    module = net_of(gradcore)[0]
    with pytest.raises(ValueError, match="smaller than the number"):
        gradcore.nn.utils.prune.l1_unstructured(module, "weight", 100)
    assert [name for name, _ in module.named_parameters()] == ["bias", "weight"] or list(module.state_dict())
    assert sorted(module._parameters) == ["bias", "weight"] and not module._buffers and not module._forward_pre_hooks


# ------------------------------------------------------------------------------------------------------------
# Fusion


def statistics(lib, bn):
    """A batch norm in evaluation with numbers of its own."""
    random = np.random.default_rng(11)
    for name, tensor in bn.state_dict().items():
        if tensor.dim():
            tensor.copy_(lib.tensor(random.uniform(0.5, 2, tensor.shape)))
    return bn.eval()


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("affine", [False, True])
def test_fusion_with_convolutions(transpose, bias, affine):
    def program(lib):
        lib.manual_seed(0)
        cls = lib.nn.ConvTranspose2d if transpose else lib.nn.Conv2d
        conv = cls(2, 3, 2, bias=bias).double().eval()
        bn = statistics(lib, lib.nn.BatchNorm2d(3, affine=affine).double())
        fused = lib.nn.utils.fuse_conv_bn_eval(conv, bn, transpose)
        x = lib.tensor(np.random.default_rng(3).normal(size=(2, 2, 4, 4)))
        assert lib.allclose(fused(x), bn(conv(x)))
        return fused.weight, fused.bias, type(fused).__name__, fused.bias.requires_grad

    both(program, ulps=64)


@pytest.mark.parametrize("bias", [False, True])
def test_fusion_with_linear_layers(bias):
    def program(lib):
        lib.manual_seed(0)
        linear = lib.nn.Linear(4, 3, bias=bias).double().eval()
        bn = statistics(lib, lib.nn.BatchNorm1d(3).double())
        fused = lib.nn.utils.fuse_linear_bn_eval(linear, bn)
        x = lib.tensor(SCORES)
        assert lib.allclose(fused(x), bn(linear(x)))
        return fused.weight, fused.bias

    both(program, ulps=64)


def test_skip_init_leaves_the_generator():
    def program(lib):
        lib.manual_seed(3)
        made = lib.nn.utils.skip_init(lib.nn.Linear, 4, 3, dtype=lib.float64)
        return lib.rand(3), made.weight.shape, made.weight.dtype, made.weight.requires_grad, type(made.weight).__name__

    both(program)


def test_a_method_that_asks_for_private_helpers():
    def program(lib):
        prune = lib.nn.utils.prune

        class Least(prune.BasePruningMethod):
            PRUNING_TYPE = "structured"

            def __init__(self, amount):
                prune._validate_pruning_amount_init(amount)
                self.amount = amount

            def compute_mask(self, t, default_mask):
                prune._validate_structured_pruning(t)
                prune._validate_pruning_dim(t, 0)
                prune._validate_pruning_amount(self.amount, t.shape[0])
                count = prune._compute_nparams_toprune(self.amount, t.shape[0])
                mask = default_mask.clone()
                mask[prune._compute_norm(t, 1, 0).argsort()[:count]] = 0
                return mask

        conv = conv_of(lib)
        Least.apply(conv, "weight", 0.6)
        counts = [prune._compute_nparams_toprune(amount, 5) for amount in (0.5, 3, 0.3)]
        return conv.weight_mask, conv.weight, counts

    both(program)


# ------------------------------------------------------------------------------------------------------------
# State dicts


def test_consume_prefix():
    def program(lib):
        consume = importlib.import_module(f"{lib.__name__}.nn.modules.utils").consume_prefix_in_state_dict_if_present
        wrapped = lib.nn.Module()
        wrapped.module = net_of(lib)
        state = wrapped.state_dict()
        consume(state, "module.")
        return list(state), list(state._metadata), net_of(lib).load_state_dict(state)

    both(program)


@pytest.mark.parametrize("amount", [50, 2.0, -1])
def test_what_fails_leaves_the_order_of_parameters(amount):
    """An optimizer's state counts them."""
    linear = gradcore.nn.Linear(2, 2)
    with pytest.raises(ValueError):  # noqa: PT011  the text depends on the amount
        gradcore.nn.utils.prune.l1_unstructured(linear, "weight", amount)
    assert [name for name, _ in linear.named_parameters()] == ["weight", "bias"]
