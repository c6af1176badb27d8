"""optim.lr_scheduler: every schedule for 200 steps beside torch's, states, warnings and errors."""

import copy
import importlib
import pickle
import types
import warnings
import weakref

import pytest

from support import both, gradcore, needs_torch, torch

STEPS = 200


def schedulers_of(lib):
    return importlib.import_module(f"{lib.__name__}.optim.lr_scheduler")


def make(lib, optimizer="SGD", lrs=(0.5, 0.02)):
    groups = [{"params": [lib.ones(1, requires_grad=True)], "lr": lr} for lr in lrs]
    options = {"momentum": 0.9} if optimizer == "SGD" else {}
    return getattr(lib.optim, optimizer)(groups, lr=0.1, **options)


def rate(epoch):
    return 1 / (1 + 0.1 * epoch)


class Rate:
    def __init__(self, slope):
        self.slope = slope

    def __call__(self, epoch):
        return 1 / (1 + self.slope * epoch)


# Name of the scheduler and its arguments; a function stands for arguments that need the module.
SCHEDULES = [
    ("LambdaLR", {"lr_lambda": rate}),
    ("LambdaLR", {"lr_lambda": [rate, Rate(0.3)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.98}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 30, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 20, 20, 90], "gamma": 0.3}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 40}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 60}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 150, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 30}),
    ("CosineAnnealingLR", {"T_max": 77, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 9, "T_mult": 2, "eta_min": 0.001}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.5], "step_size_up": 5, "step_size_down": 12,
                  "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "mode": "exp_range", "gamma": 0.99}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "scale_fn": lambda x: 0.9**x,
                  "scale_mode": "iterations", "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 201}),
    ("OneCycleLR", {"max_lr": [0.1, 0.3], "epochs": 21, "steps_per_epoch": 10, "anneal_strategy": "linear",
                    "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 250, "three_phase": True, "div_factor": 10.0, "cycle_momentum": False}),
]  # fmt: skip
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(SCHEDULES)]


def settings(optimizer):
    return [
        [float(g["lr"]), float(g.get("momentum", 0)), *map(float, g.get("betas", ()))] for g in optimizer.param_groups
    ]


def run(lib, name, options, optimizer="SGD", steps=STEPS, scheduler=None):
    if scheduler is None:
        optimizer = make(lib, optimizer)
        scheduler = getattr(schedulers_of(lib), name)(optimizer, **options)
    optimizer = scheduler.optimizer
    found = [settings(optimizer)]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        found.append(settings(optimizer) + [[float(lr) for lr in scheduler.get_last_lr()]])
    return scheduler, found


def assert_close(ours, theirs):
    flat = lambda rows: [v for row in rows for values in row for v in values]  # noqa: E731
    assert flat(ours) == pytest.approx(flat(theirs), rel=1e-12, abs=1e-15)


@needs_torch
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=IDS)
def test_schedules_are_those_of_torch(name, options, optimizer):
    _, ours = run(gradcore, name, options, optimizer)
    _, theirs = run(torch, name, options, optimizer)
    assert_close(ours, theirs)


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=IDS)
def test_a_state_dict_continues_the_schedule(name, options):
    _, straight = run(gradcore, name, options, steps=60)
    begun, _ = run(gradcore, name, options, steps=30)
    optimizer = make(gradcore)
    scheduler = getattr(schedulers_of(gradcore), name)(optimizer, **options)
    optimizer.load_state_dict(begun.optimizer.state_dict())
    scheduler.load_state_dict(copy.deepcopy(begun.state_dict()))
    _, rest = run(gradcore, name, options, steps=30, scheduler=scheduler)
    assert_close(rest, [straight[30][:2]] + straight[31:])


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=IDS)
def test_a_state_dict_is_printed_as_in_torch(name, options):
    both(lambda lib: list(getattr(schedulers_of(lib), name)(make(lib), **options).state_dict()))


def groups(optimizer):
    """All options, numbers as floats."""

    def plain(value):
        return tuple(map(plain, value)) if isinstance(value, tuple) else value if value is None else float(value)

    return [{key: plain(value) for key, value in g.items() if key != "params"} for g in optimizer.param_groups]


def resumed(lib, scheduler, again, step):
    """A second scheduler takes the optimizer over where the first one is."""
    for _ in range(23):
        step(scheduler)
    other = again(last_epoch=scheduler.last_epoch)
    for _ in range(30):
        step(other)


def at_epochs(lib, scheduler, again, step):
    for epoch in (0, 3, 30, 7, None, None, 0, None, 150):
        step(scheduler, *(() if epoch is None else (epoch,)))


def asked(lib, scheduler, again, step):
    step(scheduler)
    scheduler.get_lr()


def in_the_wrong_order(lib, scheduler, again, step):
    scheduler.step()
    scheduler.step()


def overridden(lib, scheduler, again, step):
    scheduler.optimizer.step = lambda: None
    scheduler.step()


def wrapped(lib, scheduler, again, step):
    """The program wraps the step after a scheduler was made, and counts."""
    optimizer, before = scheduler.optimizer, scheduler.optimizer.step
    optimizer.calls = 0

    def counting(self):
        self.calls += 1
        return before()

    optimizer.step = types.MethodType(counting, optimizer)
    for _ in range(3):
        step(scheduler)
    assert optimizer.calls == 3


def with_another_group(lib, scheduler, again, step):
    scheduler.optimizer.add_param_group({"params": [lib.ones(2, requires_grad=True)], "lr": 0.3})
    step(scheduler)


@pytest.mark.parametrize(
    "how", [resumed, at_epochs, asked, in_the_wrong_order, overridden, wrapped, with_another_group]
)
@pytest.mark.parametrize("rate_of", ["numbers", "tensors"])
@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=IDS)
def test_uses_of_a_schedule(name, options, rate_of, how):
    """What groups and state dict hold afterwards, what is warned of, and which error is raised."""

    def program(lib):
        lrs = (0.5, 0.02) if rate_of == "numbers" else [lib.tensor(lr, dtype=lib.float64) for lr in (0.5, 0.02)]
        optimizer = make(lib, lrs=lrs)

        def again(**chosen):
            return getattr(schedulers_of(lib), name)(optimizer, **options, **chosen)

        def step(scheduler, *epoch):
            optimizer.step()
            scheduler.step(*epoch)

        scheduler, error = again(), None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                how(lib, scheduler, again, step)
            except (ValueError, KeyError) as e:
                error = type(e).__name__
        state = sorted(item for item in scheduler.state_dict().items() if item[0] not in ("base_lrs", "_last_lr"))
        return groups(optimizer), repr(state), [str(w.message)[:64] for w in caught], error

    both(program)


@needs_torch
@pytest.mark.parametrize("order", [(gradcore, torch), (torch, gradcore)], ids=["to torch", "from torch"])
@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=IDS)
def test_a_state_dict_moves_between_libraries(name, options, order):
    begun, other = (getattr(schedulers_of(lib), name)(make(lib), **options) for lib in order)
    run(None, None, None, steps=30, scheduler=begun)
    other.optimizer.load_state_dict(copy.deepcopy(begun.optimizer.state_dict()))
    other.load_state_dict(copy.deepcopy(begun.state_dict()))
    assert_close(*(run(None, None, None, steps=60, scheduler=scheduler)[1] for scheduler in (other, begun)))


def test_a_scheduler_written_for_torch():
    def program(lib):
        class Mine(schedulers_of(lib)._LRScheduler):
            def get_lr(self):
                assert self._get_lr_called_within_step
                return [base * 0.9**self.last_epoch for base in self.base_lrs]

            def _get_closed_form_lr(self):
                return [base * 0.5 for base in self.base_lrs]

        scheduler = Mine(make(lib))
        scheduler.optimizer.step()
        scheduler.step()
        found = settings(scheduler.optimizer)
        with pytest.warns(UserWarning, match="epoch parameter"):
            scheduler.step(4)
        return found, settings(scheduler.optimizer), scheduler.state_dict()

    both(program)


def test_a_step_that_is_kept_elsewhere():
    def program(lib):
        optimizer = make(lib)
        scheduler, step = schedulers_of(lib).StepLR(optimizer, 1), optimizer.step
        for _ in range(3):
            step()
            scheduler.step()
        return settings(optimizer)

    both(program)


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "CosineAnnealingLR", "PolynomialLR", "LinearLR"])
def test_schedules_have_their_closed_forms(name):
    """Without torch: what the recursion gives is what the formula of the whole says."""
    options = next(o for n, o in reversed(SCHEDULES) if n == name)
    scheduler, _ = run(gradcore, name, options, steps=25)
    assert [float(lr) for lr in scheduler.get_last_lr()] == pytest.approx(scheduler._get_closed_form_lr(), rel=1e-12)


@pytest.mark.parametrize("options", [
    {}, {"mode": "max"}, {"patience": 2, "cooldown": 3}, {"threshold_mode": "abs", "threshold": 0.05, "patience": 1},
    {"min_lr": [0.01, 0.001], "factor": 0.3, "patience": 0}, {"mode": "max", "threshold_mode": "abs", "patience": 3},
])  # fmt: skip
def test_plateaus(options):
    def program(lib):
        scheduler = schedulers_of(lib).ReduceLROnPlateau(make(lib), **options)
        found = []
        for i in range(STEPS):
            scheduler.optimizer.step()
            scheduler.step(lib.tensor(1.0 / (1 + i // 25) + 0.1 * (i % 7 == 0)))
            found.append((settings(scheduler.optimizer), scheduler.num_bad_epochs, scheduler.in_cooldown))
        return found

    both(program)


def sequential(lib, optimizer):
    s = schedulers_of(lib)
    parts = [s.ConstantLR(optimizer, factor=0.1, total_iters=20), s.ExponentialLR(optimizer, gamma=0.95),
             s.StepLR(optimizer, step_size=10)]  # fmt: skip
    return s.SequentialLR(optimizer, schedulers=parts, milestones=[20, 70])


def chained(lib, optimizer):
    s = schedulers_of(lib)
    return s.ChainedScheduler(
        [s.ConstantLR(optimizer, factor=0.1, total_iters=20), s.ExponentialLR(optimizer, gamma=0.95)]
    )


PARTS = {
    "a function": lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.MultiplicativeLR(o, rate)], [5]),
    "a chain": lambda s, o: s.SequentialLR(o, [s.ChainedScheduler([s.LinearLR(o), s.ExponentialLR(o, 0.9)]),
                                               s.CosineAnnealingWarmRestarts(o, 4)], [9]),
    "the second at once": lambda s, o: s.SequentialLR(o, [s.ExponentialLR(o, 0.9), s.LinearLR(o)], [0]),
    "one cycle": lambda s, o: s.SequentialLR(o, [s.LambdaLR(o, rate), s.OneCycleLR(o, 0.3, total_steps=300)], [4]),
    "cycles": lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.CyclicLR(o, 0.01, 0.1, 5)], [4]),
    "last_epoch": lambda s, o: s.SequentialLR(o, [s.PolynomialLR(o, 10, 2.0), s.StepLR(o, 9)], [11], last_epoch=3),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("compose", [sequential, chained, *PARTS])
def test_composed_schedules_are_those_of_torch(compose):
    make_parts = PARTS.get(compose, lambda s, o: compose(importlib.import_module(s.__name__.split(".")[0]), o))
    found = []
    for lib in (gradcore, torch):
        scheduler = make_parts(schedulers_of(lib), make(lib))
        found.append((sorted(scheduler.state_dict()), run(lib, None, None, scheduler=scheduler)[1]))
    (our_state, ours), (their_state, theirs) = found
    assert our_state == their_state
    assert_close(ours, theirs)


def rates_of(make_scheduler, steps=40):
    optimizer = make(gradcore)
    scheduler = make_scheduler(schedulers_of(gradcore), optimizer)
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return found


# What a composed schedule says by its parts: (the nested one, the same without nesting). torch loses a step of the inner.
NESTED = {
    "alone": (lambda s, o: s.SequentialLR(o, [s.SequentialLR(o, [s.StepLR(o, 2, 0.5), s.ExponentialLR(o, 0.9)], [3])], []),
              lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2, 0.5), s.ExponentialLR(o, 0.9)], [3])),
    "first": (lambda s, o: s.SequentialLR(
                  o, [s.SequentialLR(o, [s.ConstantLR(o), s.CosineAnnealingLR(o, 10)], [7]), s.LinearLR(o)], [30]),
              lambda s, o: s.SequentialLR(o, [s.ConstantLR(o), s.CosineAnnealingLR(o, 10), s.LinearLR(o)], [7, 30])),
    "second": (lambda s, o: s.SequentialLR(
                   o, [s.LinearLR(o), s.SequentialLR(o, [s.ConstantLR(o, 0.5, 4), s.ExponentialLR(o, 0.9)], [6])], [5]),
               lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.ConstantLR(o, 0.5, 4), s.ExponentialLR(o, 0.9)], [5, 11])),
    "twice": (lambda s, o: s.SequentialLR(o, [s.SequentialLR(o, [s.SequentialLR(o, [s.StepLR(o, 3)], [])], [])], []),
              lambda s, o: s.StepLR(o, 3)),
    "a chain": (lambda s, o: s.SequentialLR(o, [s.ChainedScheduler([s.StepLR(o, 3, 0.5)])], []),
                lambda s, o: s.StepLR(o, 3, 0.5)),
    "a chain second": (lambda s, o: s.SequentialLR(o, [s.StepLR(o, 9), s.ChainedScheduler([s.ConstantLR(o, 0.5, 4)])], [5]),
                       lambda s, o: s.SequentialLR(o, [s.StepLR(o, 9), s.ConstantLR(o, 0.5, 4)], [5])),
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.filterwarnings("ignore")
def test_a_nested_sequence_keeps_the_schedule_of_its_parts(name):
    nested, flat = NESTED[name]
    for a, b in zip(rates_of(nested), rates_of(flat)):
        assert a == pytest.approx(b, rel=1e-12)


def test_a_cycle_begins_at_its_own_base_after_another_schedule():
    """pytorch/pytorch: the first rate is base_lr, not the one that an earlier scheduler began with."""
    s, optimizer = schedulers_of(gradcore), make(gradcore)
    s.ExponentialLR(optimizer, 0.9)
    cycle = s.CyclicLR(optimizer, base_lr=0.01, max_lr=0.1, step_size_up=3)
    assert cycle.get_last_lr() == pytest.approx([0.01] * len(optimizer.param_groups))
    assert [group["lr"] for group in optimizer.param_groups] == cycle.get_last_lr()


@pytest.mark.parametrize("compose", [sequential, chained])
def test_the_state_of_a_composed_schedule(compose):
    _, straight = run(gradcore, None, None, steps=60, scheduler=compose(gradcore, make(gradcore)))
    begun, _ = run(gradcore, None, None, steps=30, scheduler=compose(gradcore, make(gradcore)))
    optimizer = make(gradcore)
    scheduler = compose(gradcore, optimizer)
    optimizer.load_state_dict(begun.optimizer.state_dict())
    scheduler.load_state_dict(copy.deepcopy(begun.state_dict()))
    _, rest = run(gradcore, None, None, steps=30, scheduler=scheduler)
    assert_close(rest[1:], straight[31:])


def test_fractions_of_an_epoch():
    def program(lib):
        scheduler = schedulers_of(lib).CosineAnnealingWarmRestarts(make(lib), T_0=3, T_mult=2)
        found = []
        for i in range(40):
            scheduler.step(i / 4)
            found.append(settings(scheduler.optimizer))
        return found

    both(program)


def test_the_wrong_order_is_warned_of_once():
    def program(lib):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer = make(lib)
            scheduler = schedulers_of(lib).StepLR(optimizer, 3)
            scheduler.step()
            optimizer.step()
            scheduler.step()
        return [str(w.message)[:64] for w in caught]

    both(program)


def test_the_right_order_is_not_and_step_is_the_optimizers_own_again():
    optimizer = make(gradcore)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler = gradcore.optim.lr_scheduler.StepLR(optimizer, 3)
        optimizer.step()
        scheduler.step()
    assert "step" not in optimizer.__dict__


def test_a_tensor_learning_rate_keeps_its_identity():
    def program(lib):
        lr = lib.tensor(0.5)
        optimizer = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=lr)
        scheduler = schedulers_of(lib).ExponentialLR(optimizer, 0.5)
        for _ in range(3):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] is lr
        return lr

    both(program)


def test_plain_schedulers_can_be_pickled():
    scheduler, _ = run(gradcore, "StepLR", {"step_size": 2}, steps=5)
    again = pickle.loads(pickle.dumps(scheduler))
    assert again.get_last_lr() == scheduler.get_last_lr() and again.last_epoch == 5


def composed_of(s, lib, other):
    optimizer = make(lib)
    return s.SequentialLR(optimizer, [s.LinearLR(optimizer), other(optimizer)], [4])


REFUSED = [
    ("StepLR", lambda s, lib: s.StepLR(3, 1), TypeError),
    ("resumed", lambda s, lib: s.StepLR(make(lib), 1, last_epoch=3), KeyError),
    ("lambdas", lambda s, lib: s.LambdaLR(make(lib), [rate]), ValueError),
    ("constant", lambda s, lib: s.ConstantLR(make(lib), factor=2.0), ValueError),
    ("linear", lambda s, lib: s.LinearLR(make(lib), start_factor=0.0), ValueError),
    ("linear end", lambda s, lib: s.LinearLR(make(lib), end_factor=2.0), ValueError),
    ("restarts", lambda s, lib: s.CosineAnnealingWarmRestarts(make(lib), 0), ValueError),
    ("restarts mult", lambda s, lib: s.CosineAnnealingWarmRestarts(make(lib), 3, 0), ValueError),
    ("negative epoch", lambda s, lib: s.CosineAnnealingWarmRestarts(make(lib), 3).step(-1), ValueError),
    ("cyclic mode", lambda s, lib: s.CyclicLR(make(lib), 0.1, 0.2, mode="square"), ValueError),
    ("cyclic length", lambda s, lib: s.CyclicLR(make(lib), [0.1], 0.2), ValueError),
    ("one cycle", lambda s, lib: s.OneCycleLR(make(lib), 0.1), ValueError),
    ("one cycle pct", lambda s, lib: s.OneCycleLR(make(lib), 0.1, total_steps=5, pct_start=2), ValueError),
    ("one cycle strategy", lambda s, lib: s.OneCycleLR(make(lib), 0.1, total_steps=5, anneal_strategy="x"), ValueError),
    ("plateau factor", lambda s, lib: s.ReduceLROnPlateau(make(lib), factor=1.0), ValueError),
    ("plateau mode", lambda s, lib: s.ReduceLROnPlateau(make(lib), mode="x"), ValueError),
    ("plateau optimizer", lambda s, lib: s.ReduceLROnPlateau(3), TypeError),
    ("sequence", lambda s, lib: s.SequentialLR(make(lib), [], []), ValueError),
    ("sequence optimizers", lambda s, lib: s.SequentialLR(make(lib), [s.StepLR(make(lib), 1)], []), ValueError),
    ("chain", lambda s, lib: s.ChainedScheduler([]), ValueError),
    ("sequence with a metric", lambda s, lib: composed_of(s, lib, s.ReduceLROnPlateau), ValueError),
    ("sequence of anything", lambda s, lib: composed_of(s, lib, lambda optimizer: 3), TypeError),
    ("sequence with an epoch", lambda s, lib: sequential(lib, make(lib)).step(3), TypeError),
    ("chain of anything", lambda s, lib: s.ChainedScheduler([s.LinearLR(make(lib)), 3]), TypeError),
    ("chain with an epoch", lambda s, lib: chained(lib, make(lib)).step(3), TypeError),
    ("multiplicative", lambda s, lib: s.MultiplicativeLR(make(lib), 3), TypeError),
    ("lambda without an optimizer", lambda s, lib: s.LambdaLR(3, rate), AttributeError),
    ("plateau with another group", lambda s, lib: with_another_group(
        lib, s.ReduceLROnPlateau(make(lib), patience=-1, min_lr=[0.1, 0.1]), None, lambda p: p.step(1.0) or p.step(1.0)), RuntimeError),
    ("plateau state", lambda s, lib: s.ReduceLROnPlateau(make(lib)).load_state_dict({"mode": "x"}), ValueError),
    ("one cycle lrs", lambda s, lib: s.OneCycleLR(make(lib), [0.1], total_steps=5, last_epoch=3), ValueError),
    ("too few rates", lambda s, lib: type("Mine", (s.LRScheduler,), {"get_lr": lambda self: [0.1]})(make(lib)), ValueError),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0])
def test_refused(case):
    _, call, kind = case
    for lib in (gradcore, torch):
        if lib is None:
            continue
        with pytest.raises(kind):
            call(schedulers_of(lib), lib)


def test_stepping_beyond_one_cycle():
    def program(lib):
        scheduler = schedulers_of(lib).OneCycleLR(make(lib), 0.1, total_steps=4)
        for _ in range(6):
            scheduler.optimizer.step()
            scheduler.step()

    both(program, raises="The specified number of total steps is 4")


def test_a_step_that_was_wrapped_before_the_scheduler_stays():
    def program(lib):
        optimizer = make(lib)
        before, calls = optimizer.step, []
        optimizer.step = types.MethodType(lambda self: calls.append(1) or before(), optimizer)
        scheduler = schedulers_of(lib).StepLR(optimizer, 1)
        for _ in range(3):
            optimizer.step()
            scheduler.step()
        return len(calls)

    both(program)


def test_a_scheduler_does_not_keep_the_optimizer_alive():
    def program(lib):
        optimizer = make(lib)
        scheduler = schedulers_of(lib).LambdaLR(optimizer, rate)
        gone = weakref.ref(optimizer)
        del scheduler, optimizer
        return gone() is None

    assert program(gradcore)
    both(program)
