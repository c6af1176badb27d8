"""optim.swa_utils beside torch: SWALR for 200 steps, averages, averaged models."""

import copy
import importlib

import numpy as np
import pytest

from support import both, gradcore, needs_torch, torch

STEPS = 200


def swa_of(lib):
    return importlib.import_module(f"{lib.__name__}.optim.swa_utils")


def make_sgd(lib, lrs=(0.5, 0.02)):
    return lib.optim.SGD([{"params": [lib.ones(1, requires_grad=True)], "lr": lr} for lr in lrs], lr=0.1)


SCHEDULES = [
    {"swa_lr": 0.05},
    {"swa_lr": [0.05, 0.3], "anneal_epochs": 37},
    {"swa_lr": 0.05, "anneal_strategy": "linear"},
    {"swa_lr": (0.9, 0.001), "anneal_epochs": 150, "anneal_strategy": "linear"},
    {"swa_lr": 0.2, "anneal_epochs": 1},
    {"swa_lr": 0.2, "anneal_epochs": 0},
    {"swa_lr": 0.2, "anneal_epochs": 0, "anneal_strategy": "linear"},
]


def run(scheduler, steps):
    """The learning rates before and after each step."""
    found = [scheduler.get_last_lr()]
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        found.append(scheduler.get_last_lr())
    return [float(lr) for lrs in found for lr in lrs]


@needs_torch
@pytest.mark.parametrize("options", SCHEDULES)
def test_swalr_is_that_of_torch(options):
    ours, theirs = (run(swa_of(lib).SWALR(make_sgd(lib), **options), STEPS) for lib in (gradcore, torch))
    assert ours == pytest.approx(theirs, rel=1e-12)


@needs_torch
def test_swalr_has_torchs_state():
    ours, theirs = (swa_of(lib).SWALR(make_sgd(lib), 0.05).state_dict() for lib in (gradcore, torch))
    assert list(ours) == list(theirs)


@needs_torch
def test_swalr_after_another_schedule():
    """A learning rate that something else sets meanwhile counts as the one to go on from."""

    def program(lib):
        optimizer = make_sgd(lib)
        decay = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
        swa = swa_of(lib).SWALR(optimizer, 0.05, anneal_epochs=40)
        found = []
        for epoch in range(STEPS):
            optimizer.step()
            (swa if epoch > 60 or epoch % 7 == 3 else decay).step()
            found += [group["lr"] for group in optimizer.param_groups]
        return found

    assert program(gradcore) == pytest.approx(program(torch), rel=1e-12)


@pytest.mark.parametrize("options", SCHEDULES)
def test_a_state_dict_continues_swalr(options):
    straight = run(swa_of(gradcore).SWALR(make_sgd(gradcore), **options), 60)
    begun = swa_of(gradcore).SWALR(make_sgd(gradcore), **options)
    run(begun, 8)
    rest = run(resumed(gradcore, begun), 52)
    assert rest == pytest.approx(straight[16:], rel=1e-12)


def resumed(lib, begun):
    """A new scheduler, by this or the other library, in the state of one that has begun."""
    optimizer = make_sgd(lib)
    scheduler = swa_of(lib).SWALR(optimizer, 1.0)  # what the states say is what counts
    optimizer.load_state_dict(begun.optimizer.state_dict())
    scheduler.load_state_dict(copy.deepcopy(begun.state_dict()))
    return scheduler


@needs_torch
@pytest.mark.parametrize("options", SCHEDULES)
@pytest.mark.parametrize(("first", "second"), [(gradcore, torch), (torch, gradcore)])
def test_state_dicts_of_swalr_are_exchanged_with_torch(options, first, second):
    straight = run(swa_of(torch).SWALR(make_sgd(torch), **options), STEPS)
    begun = swa_of(first).SWALR(make_sgd(first), **options)
    run(begun, 8)
    assert run(resumed(second, begun), STEPS - 8) == pytest.approx(straight[16:], rel=1e-12)


def test_swalr_with_tensor_learning_rates():
    def program(lib):
        lr = lib.tensor(0.5, dtype=lib.float64)
        optimizer = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=lr)
        scheduler = swa_of(lib).SWALR(optimizer, lib.tensor(0.1, dtype=lib.float64), anneal_epochs=5)
        for _ in range(8):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] is lr
        return lr, optimizer.param_groups[0]["swa_lr"]

    both(program, ulps=64)


REFUSED = {
    "strategy": lambda s, lib: s.SWALR(make_sgd(lib), 0.1, anneal_strategy="square"),
    "epochs": lambda s, lib: s.SWALR(make_sgd(lib), 0.1, anneal_epochs=-1),
    "fraction": lambda s, lib: s.SWALR(make_sgd(lib), 0.1, anneal_epochs=1.5),
    "length": lambda s, lib: s.SWALR(make_sgd(lib), [0.1]),
    "optimizer": lambda s, lib: s.SWALR(3, 0.1),
    "resumed": lambda s, lib: s.SWALR(make_sgd(lib), 0.1, last_epoch=3),
    "decay below": lambda s, lib: s.get_ema_avg_fn(-0.1),
    "decay above": lambda s, lib: s.get_ema_multi_avg_fn(1.1),
    "empty ema": lambda s, lib: s.get_ema_multi_avg_fn()([], [], 1),
    "empty swa": lambda s, lib: s.get_swa_multi_avg_fn()([], [], 1),
    "integers, whole count": lambda s, lib: s.get_swa_multi_avg_fn()([lib.arange(3)], [lib.arange(3)], 1),
    "integers, tensor count": lambda s, lib: s.get_swa_multi_avg_fn()([lib.arange(3)], [lib.arange(3)], lib.tensor(1)),
    "lengths": lambda s, lib: s.get_ema_multi_avg_fn()([lib.ones(2)], [lib.ones(2)] * 2, 1),
    "integer lengths": lambda s, lib: s.get_ema_multi_avg_fn()([lib.arange(2)], [lib.arange(2)] * 2, 1),
    "both": lambda s, lib: s.AveragedModel(make_model(lib), avg_fn=max, multi_avg_fn=max),
    "buffers": lambda s, lib: s.AveragedModel(make_model(lib)).update_parameters(make_model(lib, buffers=3)),
}


@needs_torch
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    def program(lib):
        try:
            REFUSED[case](swa_of(lib), lib)
        except Exception as error:  # noqa: BLE001  the kinds are compared
            return type(error).__name__
        raise AssertionError("nothing was raised")

    both(program)


def test_a_refused_schedule_leaves_the_groups_as_they_were():
    optimizer = make_sgd(gradcore)
    before = copy.deepcopy(optimizer.state_dict())
    for options in ({"anneal_strategy": "square"}, {"anneal_epochs": -1}):
        with pytest.raises(ValueError):
            gradcore.optim.swa_utils.SWALR(optimizer, 0.1, **options)
    assert optimizer.state_dict() == before


@pytest.mark.parametrize("pairs", [False, True])
def test_update_bn(pairs):
    random = np.random.default_rng(0)
    batches = [random.uniform(-2, 2, (n, 3)) for n in (4, 6, 2)]

    def program(lib):
        swa_utils = lib.optim.swa_utils if lib is gradcore else __import__("torch.optim.swa_utils").optim.swa_utils
        net = lib.nn.Sequential(lib.nn.BatchNorm1d(3, momentum=0.3), lib.nn.Dropout(0.0)).double().eval()
        loader = [lib.from_numpy(batch) for batch in batches]
        swa_utils.update_bn([(x, None) for x in loader] if pairs else loader, net)
        return dict(net.named_buffers()), net.training, net[0].momentum

    both(program, ulps=8, scale=1.0)


# ------------------------------------------------------------------------------------------------------------
# Averages


def values(step, dtype="float64"):
    random = np.random.default_rng(step)
    return [random.uniform(-1, 1, shape).astype(dtype) for shape in [(), (3, 2), (0, 4), (5,)]]


FUNCTIONS = {
    "swa": lambda s: s.get_swa_avg_fn(),
    "ema": lambda s: s.get_ema_avg_fn(),
    "ema 0.9": lambda s: s.get_ema_avg_fn(0.9),
    "ema 0": lambda s: s.get_ema_avg_fn(0),
    "ema 1": lambda s: s.get_ema_avg_fn(1.0),
    "multi swa": lambda s: s.get_swa_multi_avg_fn(),
    "multi ema": lambda s: s.get_ema_multi_avg_fn(),
    "multi ema 0.9": lambda s: s.get_ema_multi_avg_fn(0.9),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", ["number", "tensor"])
def test_averages(name, dtype, count):
    def program(lib):
        average = FUNCTIONS[name](swa_of(lib))
        averages = [lib.from_numpy(a).requires_grad_() for a in values(0, dtype)]
        for n in range(1, 20):
            new = [lib.from_numpy(a) for a in values(n, dtype)]
            counted = lib.tensor(n) if count == "tensor" else n
            if name.startswith("multi"):
                assert average(averages, new, counted) is None
            else:
                averages = [average(old, value, counted) for old, value in zip(averages, new, strict=True)]
        return averages

    both(program, ulps=16, scale=1)


def test_averages_of_integers():
    def program(lib):
        averages = [lib.arange(4) * 10, lib.tensor(7)]
        new = [lib.full((4,), 3), lib.tensor(1)]
        swa_of(lib).get_ema_multi_avg_fn(0.5)(averages, new, 1)
        return averages, swa_of(lib).get_swa_avg_fn()(averages[0], new[0], 2)

    both(program, ulps=1)


def make_model(lib, buffers=2):
    """A model with parameters of two dtypes and buffers."""
    held = [lib.zeros(2, 3, requires_grad=True), lib.zeros((), dtype=lib.float64, requires_grad=True)]
    return make_module(lib, held, [lib.zeros(2, dtype=d) for d in (lib.float32, lib.int64, lib.float64)[:buffers]])


def make_module(lib, held, counts):
    class Module(lib.nn.Module):
        def __init__(self):
            super().__init__()
            for i, p in enumerate(held):
                self.register_parameter(f"p{i}", lib.nn.Parameter(p))
            for i, b in enumerate(counts):
                self.register_buffer(f"b{i}", b)

        held = property(lambda self: list(self.parameters()))
        counts = property(lambda self: list(self.buffers()))

        def forward(self, x):
            return self.p0.sum() * x + self.p1

    return Module()


def set_model(lib, model, step):
    random = np.random.default_rng(step)
    with lib.no_grad():
        for tensor in [*model.held, *model.counts]:
            tensor.copy_(lib.from_numpy(np.asarray(random.uniform(-9, 9, tuple(tensor.shape)))))


MODELS = {
    "equal": lambda s: {},
    "buffers": lambda s: {"use_buffers": True},
    "ema": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.9)},
    "ema, buffers": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.9), "use_buffers": True},
    "one by one": lambda s: {"avg_fn": s.get_ema_avg_fn(0.8)},
    "one by one, buffers": lambda s: {"avg_fn": s.get_swa_avg_fn(), "use_buffers": True},
    "own": lambda s: {"avg_fn": lambda old, new, n: old + new * n},
}


@pytest.mark.parametrize("case", MODELS)
def test_averaged_models(case):
    def program(lib):
        model = make_model(lib)
        set_model(lib, model, 0)
        averaged = swa_of(lib).AveragedModel(model, **MODELS[case](swa_of(lib)))
        for step in range(1, 12):
            set_model(lib, model, step)
            averaged.update_parameters(model)
        kept = averaged.module
        return kept.held, kept.counts, averaged.n_averaged, averaged(2.0).float(), [p.is_leaf for p in kept.held]

    both(program, ulps=32, scale=1)


def test_the_average_of_a_run_is_the_mean():
    """Without torch."""
    model = make_model(gradcore)
    averaged = gradcore.optim.swa_utils.AveragedModel(model)
    seen = []
    for step in range(10):
        set_model(gradcore, model, step)
        seen.append(model.held[1].item())
        averaged.update_parameters(model)
    assert averaged.module.held[1].item() == pytest.approx(np.mean(seen), rel=1e-12)
    assert averaged.n_averaged.item() == 10


def test_the_state_of_an_averaged_model():
    def program(lib):
        model = make_model(lib)
        averaged = swa_of(lib).AveragedModel(model)
        for step in range(3):
            set_model(lib, model, step)
            averaged.update_parameters(model)
        state = averaged.state_dict()
        other = swa_of(lib).AveragedModel(make_model(lib))
        found = [
            list(state),
            other.load_state_dict(copy.deepcopy(state)),
            repr(other),
            isinstance(other, lib.nn.Module),
        ]
        found += [
            [t.detach().clone() for t in (*other.parameters(), *other.buffers())],
            copy.deepcopy(averaged).n_averaged,
        ]
        try:
            other.load_state_dict({"module.p0": lib.ones(2, 3)})
        except RuntimeError as error:
            found.append(str(error))
        return found

    both(program, ulps=32, scale=1)


def test_the_average_does_not_follow_the_model():
    model = make_model(gradcore)
    averaged = gradcore.optim.swa_utils.AveragedModel(model)
    set_model(gradcore, model, 1)
    assert averaged(1.0).item() == 0
