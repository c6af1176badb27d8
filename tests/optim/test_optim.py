"""The base class of optimizers beside torch's: groups, hooks, state dicts, copies, optimizers written in Python.
What optimizers refuse is in test_optim_errors.py, how they move parameters in test_optim_trajectories.py.
"""

import contextlib
import copy
import gc
import importlib
import pickle

import numpy as np
import pytest

from support import both, gradcore, libraries, needs_torch, torch


def leaf(lib, *values):
    return lib.tensor(values or (1.0, 2.0), dtype=lib.float64, requires_grad=True)


def base(lib):
    """The module of the base class, which torch.optim does not have as an attribute."""
    return importlib.import_module(lib.__name__ + ".optim.optimizer")


def with_gradients(*params):
    """Gives each parameter a gradient, and returns the list."""
    for p in params:
        p.grad = p.detach() * 0.5 + 1
    return list(params)


def adam(lib, **options):
    """An Adam after one step."""
    optimizer = lib.optim.Adam(with_gradients(leaf(lib), leaf(lib, 3.0)), lr=0.1, **options)
    optimizer.step()
    return optimizer


def described(optimizer):
    """Groups and state, without the parameters themselves."""
    found = optimizer.state_dict()
    return [found["param_groups"], found["state"], repr(optimizer)]


# ---- programs, each run with both libraries ----


def first_steps(lib):
    w = leaf(lib)
    w.grad = lib.tensor([0.5, -1.0], dtype=lib.float64)
    optimizer = lib.optim.SGD([w], lr=0.1, momentum=0.5)
    optimizer.step()
    optimizer.step()
    return w.detach()


def groups_with_options(lib):
    a, b, c = leaf(lib), leaf(lib, 5.0), leaf(lib, 7.0)
    optimizer = lib.optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5, "mine": "kept"}], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": (p for p in [c]), "weight_decay": 0.3})
    with_gradients(a, b, c)
    optimizer.step()
    return [*described(optimizer), a.detach(), b.detach(), c.detach()]


def groups_with_names(lib):
    a, b, c = leaf(lib), leaf(lib, 5.0), leaf(lib, 7.0)
    optimizer = lib.optim.Adam([("first", a), ("second", b)])
    optimizer.add_param_group({"params": [("third", c)], "lr": 0.5})
    return described(optimizer)


def names_are_kept_when_a_state_without_them_is_loaded(lib):
    named, plain = lib.optim.SGD([("w", leaf(lib))], lr=0.5), lib.optim.SGD([leaf(lib)], lr=0.25)
    named.load_state_dict(plain.state_dict())
    plain.load_state_dict(named.state_dict())
    return [described(named), described(plain)]


def a_generator_of_parameters(lib):
    return described(lib.optim.Adagrad(leaf(lib, float(i)) for i in range(3)))


def a_parameter_twice_in_a_group(lib):
    p = leaf(lib)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = lib.optim.SGD(with_gradients(p, p), lr=0.1)
    optimizer.step()
    return [p.detach(), *described(optimizer)]


def a_parameter_in_two_groups(lib):
    """Programs come to it by writing to param_groups; the state dict numbers it as in its first group."""
    optimizer = lib.optim.SGD(with_gradients(*[leaf(lib, float(i)) for i in range(2)]), lr=0.1)
    optimizer.param_groups.extend(optimizer.param_groups)
    return [group["params"] for group in optimizer.state_dict()["param_groups"]]


def options_changed_between_steps(lib):
    p = leaf(lib)
    optimizer = lib.optim.Adam(with_gradients(p), lr=0.1)
    for lr in (0.1, 0.2, lib.tensor(0.05, dtype=lib.float64)):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    optimizer.param_groups[0].update(betas=(0.5, 0.5), weight_decay=0.1, maximize=True)
    optimizer.step()
    return p.detach()


def a_tensor_of_one_element_as_rate(lib):
    """It is the same tensor that a program may change in place."""
    p, lr = leaf(lib), lib.tensor([0.5], dtype=lib.float64)
    optimizer = lib.optim.SGD(with_gradients(p), lr=lr)
    optimizer.step()
    lr.fill_(0.125)
    optimizer.step()
    return [p.detach(), optimizer.param_groups[0]["lr"] is lr]


def state_is_the_optimizers_own(lib):
    optimizer = adam(lib)
    found = optimizer.state_dict()
    p = optimizer.param_groups[0]["params"][0]
    return [
        found["state"][0]["exp_avg"] is optimizer.state[p]["exp_avg"],
        type(optimizer.state).__name__,
        found["param_groups"][0] is optimizer.param_groups[0],
    ]


def loading_casts_to_the_parameters_dtype(lib):
    p = lib.ones(2, requires_grad=True)
    optimizer = lib.optim.Adam([p, lib.ones(1, requires_grad=True)])
    optimizer.load_state_dict(adam(lib).state_dict())
    return described(optimizer)


def loading_state_of_no_parameter(lib):
    optimizer = adam(lib)
    state = optimizer.state_dict()
    state["state"]["mine"] = {"count": 3}
    optimizer.load_state_dict(state)
    return [optimizer.state["mine"], optimizer.state_dict()["state"]["mine"]]


def an_old_state_with_numbers_for_steps(lib):
    """As torch wrote them before 1.12, and without the options that came later."""
    optimizer = adam(lib)
    old = copy.deepcopy(optimizer.state_dict())
    for state in old["state"].values():
        state["step"] = 7
    for group in old["param_groups"]:
        for name in (
            "maximize",
            "foreach",
            "capturable",
            "differentiable",
            "fused",
            "decoupled_weight_decay",
            "amsgrad",
        ):
            del group[name]
    optimizer.load_state_dict(old)
    optimizer.step()
    return described(optimizer)


def loading_groups_in_a_tuple(lib):
    optimizer = adam(lib)
    state = optimizer.state_dict()
    optimizer.load_state_dict({**state, "param_groups": tuple(state["param_groups"])})
    return [type(optimizer.param_groups).__name__, *described(optimizer)]


def steps_of_fused_kernels_are_single(lib):
    lib.set_default_dtype(lib.float64)
    try:
        found = []
        for name in ("Adam", "AdamW", "Adagrad"):
            for fused in (False, True):
                optimizer = getattr(lib.optim, name)(with_gradients(leaf(lib)), fused=fused)
                optimizer.step()
                found += described(optimizer)
        return found
    finally:
        lib.set_default_dtype(lib.float32)


def zero_grad(lib):
    a, b, c = leaf(lib), leaf(lib), leaf(lib)
    optimizer = lib.optim.SGD([a, b, c])
    with_gradients(a, b)
    kept = a.grad
    optimizer.zero_grad(set_to_none=False)
    zeros = [a.grad.tolist(), a.grad is kept, b.grad.tolist(), c.grad is None]
    optimizer.zero_grad()
    return [*zeros, a.grad is None]


def zero_grad_of_a_gradient_with_a_history(lib):
    p = leaf(lib)
    (p**3).sum().backward(create_graph=True)
    kept = p.grad
    lib.optim.SGD([p]).zero_grad(set_to_none=False)
    return [p.grad is kept, p.grad.requires_grad, p.grad.grad_fn is None, p.grad.tolist()]


def closures(lib):
    """They run with gradients, wherever step() is called; what they return is what step() returns."""
    p = leaf(lib)
    found = []
    for optimizer in (lib.optim.SGD([p], lr=0.1), lib.optim.Adam([p]), lib.optim.Adafactor([p]), lib.optim.LBFGS([p])):

        def closure(optimizer=optimizer):
            optimizer.zero_grad()
            found.append(lib.is_grad_enabled())
            loss = (p * p).sum()
            loss.backward()
            return loss

        with lib.no_grad():
            found.append(optimizer.step(closure).detach())
    return [*found, p.detach()]


def gradient_mode_is_left_as_it_was(lib):
    optimizer = adam(lib)
    found = []
    for mode in (True, False):
        with lib.set_grad_enabled(mode):
            optimizer.step()
            found.append(lib.is_grad_enabled())
    return found


def step_hooks(lib):
    optimizer = adam(lib)
    seen = []

    def note(text):
        def hook(of, args, kwargs):
            seen.append([text, of is optimizer, len(args), sorted(kwargs)])

        return hook

    handles = [
        optimizer.register_step_pre_hook(note("before")),
        optimizer.register_step_post_hook(note("after")),
        base(lib).register_optimizer_step_pre_hook(note("before any")),
        base(lib).register_optimizer_step_post_hook(note("after any")),
    ]
    optimizer.step()
    optimizer.step(closure=lambda: seen.append("closure"))
    for handle in handles:
        handle.remove()
    optimizer.step()
    return seen


def a_hook_that_gives_other_arguments(lib):
    optimizer = adam(lib)
    optimizer.register_step_pre_hook(lambda of, args, kwargs: ((of, lambda: "another loss"), {}))
    return optimizer.step(lambda: "a loss")


def state_dict_hooks(lib):
    optimizer = adam(lib)
    seen = []
    optimizer.register_state_dict_pre_hook(lambda of: seen.append("second"))
    optimizer.register_state_dict_pre_hook(lambda of: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda of, state: {**state, "more": 1})
    optimizer.register_state_dict_post_hook(lambda of, state: state.update(seen=len(state)))
    optimizer.register_load_state_dict_pre_hook(lambda of, state: seen.append(sorted(state)))
    optimizer.register_load_state_dict_pre_hook(
        lambda of, state: {key: state[key] for key in ("state", "param_groups")}, prepend=True
    )
    optimizer.register_load_state_dict_post_hook(lambda of: seen.append("loaded"))
    found = optimizer.state_dict()
    optimizer.load_state_dict(found)
    return [seen, found["more"], found["seen"], sorted(found)]


def names_for_the_profiler(lib):
    optimizer = adam(lib)
    return [
        optimizer._zero_grad_profile_name,
        type(optimizer).step.hooked,
        type(optimizer).step.__name__,
        callable(lib.optim.Optimizer.profile_hook_step),
    ]


def required_options(lib):
    class Mine(lib.optim.Optimizer):
        def step(self, closure=None):
            pass

    required = base(lib).required
    optimizer = Mine([{"params": [leaf(lib)], "size": 2}], {"size": required})
    return [repr(required), optimizer.param_groups[0]["size"]]


def other_parameters_for_a_while(lib):
    optimizer = adam(lib)
    group = optimizer.param_groups[0]
    params = group["params"]
    others = {"a": leaf(lib, 8.0, 9.0), "b": leaf(lib, 7.0)}
    with_gradients(*others.values())
    other_state = copy.deepcopy(optimizer.state_dict())
    other_state["param_groups"][0]["lr"] = 0.5
    with lib.optim.swap_in_optimizer_params_and_state(optimizer, others, other_state):
        optimizer.step()
        inside = [group["lr"], group["params"] == list(others.values())]
    return [
        inside,
        group["params"] is params,
        other_state,
        *described(optimizer),
        [p.detach() for p in others.values()],
    ]


PROGRAMS = [
    first_steps,
    groups_with_options,
    groups_with_names,
    names_are_kept_when_a_state_without_them_is_loaded,
    a_generator_of_parameters,
    a_parameter_twice_in_a_group,
    a_parameter_in_two_groups,
    options_changed_between_steps,
    a_tensor_of_one_element_as_rate,
    state_is_the_optimizers_own,
    loading_casts_to_the_parameters_dtype,
    loading_state_of_no_parameter,
    loading_groups_in_a_tuple,
    an_old_state_with_numbers_for_steps,
    zero_grad,
    steps_of_fused_kernels_are_single,
    zero_grad_of_a_gradient_with_a_history,
    closures,
    gradient_mode_is_left_as_it_was,
    step_hooks,
    other_parameters_for_a_while,
    a_hook_that_gives_other_arguments,
    state_dict_hooks,
    names_for_the_profiler,
    required_options,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program):
    both(program, ulps=64)


@needs_torch
def test_every_name_of_torchs_module():
    missing = {name for name in torch.optim.__all__ if name not in dir(gradcore.optim)}
    assert missing <= {"swa_utils"}


# ---- copies ----


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("name", ["SGD", "Adam", "Adafactor", "Rprop"])
def test_copies(name, copied):
    """A copy has parameters of its own and goes on as the original does; hooks stay behind."""
    original = getattr(gradcore.optim, name)(with_gradients(leaf(gradcore), leaf(gradcore, 3.0)), lr=0.1)
    original.step()
    original.register_step_pre_hook(lambda *_: pytest.fail("a copy has no hooks"))
    other = copied(original)
    params = other.param_groups[0]["params"]
    for p, q in zip(original.param_groups[0]["params"], params, strict=True):
        assert p is not q
        q.grad = p.grad.clone()
    other.step()
    original._optimizer_step_pre_hooks.clear()
    original.step()
    assert [p.tolist() for p in params] == [p.tolist() for p in original.param_groups[0]["params"]]
    assert repr(other) == repr(original)


# ---- optimizers written in Python, for torch ----


def lion(lib):
    """Signs of a momentum, through p.data and p.grad.data, as older programs have it."""

    class Lion(lib.optim.Optimizer):
        def __init__(self, params, lr=1e-2, betas=(0.9, 0.99), weight_decay=0.0):
            super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

        def step(self, closure=None):
            loss = None
            if closure is not None:
                with lib.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                beta1, beta2 = group["betas"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if len(state) == 0:
                        state["exp_avg"] = lib.zeros_like(p.data)
                    grad, exp_avg = p.grad.data, state["exp_avg"]
                    p.data.mul_(1 - group["lr"] * group["weight_decay"])
                    update = exp_avg.mul(beta1).add_(grad, alpha=1 - beta1)
                    p.data.add_(lib.sign(update), alpha=-group["lr"])
                    exp_avg.mul_(beta2).add_(grad, alpha=1 - beta2)
            return loss

    return Lion


def adam_by_hand(lib):
    """lerp_, addcmul_ and addcdiv_ on the parameter itself, under a decorator."""

    class Adam(lib.optim.Optimizer):
        def __init__(self, params, lr=1e-2):
            super().__init__(params, {"lr": lr})

        @lib.no_grad()
        def step(self, closure=None):
            with lib.enable_grad():
                loss = closure()
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    if not state:
                        state.update(
                            step=0, m=lib.zeros_like(p, memory_format=lib.preserve_format), v=lib.zeros_like(p)
                        )
                    state["step"] += 1
                    state["m"].lerp_(p.grad, 0.1)
                    state["v"].mul_(0.99).addcmul_(p.grad, p.grad.conj(), value=0.01)
                    size = (state["v"].sqrt() / (1 - 0.99 ** state["step"]) ** 0.5).add_(1e-8)
                    p.addcdiv_(state["m"], size, value=-group["lr"] / (1 - 0.9 ** state["step"]))
            return loss

    return Adam


def of_lists(lib):
    """The functions over lists of tensors that torch's own optimizers use."""

    class OfLists(lib.optim.Optimizer):
        def __init__(self, params, lr=1e-2):
            super().__init__(params, {"lr": lr, "differentiable": False})

        @base(lib)._use_grad_for_differentiable
        def step(self, closure=None):
            with lib.enable_grad():
                loss = closure()
            for group in self.param_groups:
                params = [p for p in group["params"] if p.grad is not None]
                states = [self.state[p] for p in params]
                for p, state in zip(params, states, strict=True):
                    if not state:
                        state.update(
                            step=lib.tensor(0.0), m=lib.zeros_like(p), v=lib.zeros_like(p), top=lib.zeros_like(p)
                        )
                m, v, top = ([state[key] for state in states] for key in ("m", "v", "top"))
                grads = lib._foreach_neg([p.grad for p in params])
                lib._foreach_neg_(grads)
                lib._foreach_add_([state["step"] for state in states], lib.tensor(1.0), alpha=1.0)
                lib._foreach_add_(grads, params, alpha=0.01)
                lib._foreach_lerp_(m, grads, 0.1)
                lib._foreach_mul_(v, 0.99)
                lib._foreach_addcmul_(v, grads, grads, 0.01)
                lib._foreach_maximum_(top, v)
                sizes = lib._foreach_sqrt(top)
                lib._foreach_div_(sizes, [(1 - 0.99 ** state["step"].item()) ** 0.5 for state in states])
                lib._foreach_add_(sizes, 1e-8)
                lib._foreach_addcdiv_(params, m, sizes, value=-group["lr"])
                drift = lib._foreach_sub(params, m)
                lib._foreach_abs_(drift)
                lib._foreach_clamp_min_(drift, 1e-3)
                lib._foreach_rsqrt_(drift)
                lib._foreach_reciprocal_(drift)
                lib._foreach_pow_(drift, 2)
                lib._foreach_sign_(drift)
                lib._foreach_mul_(drift, [1e-3] * len(params))
                lib._foreach_sub_(params, drift)
                lib._foreach_copy_(top, lib._foreach_mul(v, 1.0))
                lib._foreach_zero_(drift)
            return loss

    return OfLists


def wrapper(lib):
    """An optimizer that owns another and shares its groups, as averaging ones do."""

    class Slow(lib.optim.Optimizer):
        def __init__(self, params):
            self.inner = lib.optim.SGD(params, lr=0.02, momentum=0.5)
            super().__init__(self.inner.param_groups, {"pull": 0.5})
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["slow"] = p.detach().clone()

        def step(self, closure=None):
            loss = self.inner.step(closure)
            with lib.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        slow = self.state[p]["slow"]
                        slow.add_(p - slow, alpha=group["pull"])
                        p.copy_(slow)
            return loss

    return Slow


def extended(lib):
    """A class that adds to the step of a built-in one."""

    class Clipped(lib.optim.AdamW):
        def step(self, closure=None):
            loss = super().step(closure)
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.clamp_(-1.25, 1.25)
            return loss

    return Clipped


@pytest.mark.parametrize("make", [lion, adam_by_hand, of_lists, wrapper, extended], ids=lambda make: make.__name__)
def test_optimizer_in_python(make):
    def trained(lib):
        params = [
            lib.tensor(values, dtype=lib.float64, requires_grad=True) for values in ([1.0, -2.0], [[0.5], [3.0]], 0.25)
        ]
        optimizer = make(lib)(params)

        def closure():
            optimizer.zero_grad()
            loss = sum(((p - 0.3) ** 2).sum() + (p**4).mean() for p in params)
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(20)]
        state = {
            key: [v for v in kept.values() if isinstance(v, lib.Tensor)]
            for key, kept in optimizer.state_dict()["state"].items()
        }
        return [losses, [p.detach() for p in params], state, repr(optimizer)]

    both(trained, ulps=4096)


def test_libraries_hooks_count_once():
    """The class that a step() is inherited from does not run the hooks a second time."""

    class Mine(gradcore.optim.SGD):
        pass

    seen = []
    for cls in (gradcore.optim.SGD, Mine):
        optimizer = cls(with_gradients(leaf(gradcore)))
        optimizer.register_step_pre_hook(lambda *_: seen.append(1))
        optimizer.step()
    assert seen == [1, 1]


@pytest.mark.parametrize("lib", libraries(), ids=lambda lib: lib.__name__)
def test_step_on_parameters_of_another_thread(lib):
    """A step holds no lock over Python: threads step their own optimizers side by side."""
    import threading

    def work(place):
        p = leaf(lib, *np.linspace(-1, 1, 1000).tolist())
        optimizer = lib.optim.Adam([p], lr=0.1)
        for _ in range(20):
            with_gradients(p)
            optimizer.step()
        results[place] = p.tolist()

    results = [None] * 3
    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] is not None
    assert results[1:] == results[:1] * 2


class ChangingNumber:
    """A learning rate that changes the optimizer when it is read."""

    def __init__(self, do):
        self.do = do

    def __float__(self):
        self.do()
        return 0.1


CHANGES = {
    "params": lambda o: o.param_groups[0]["params"].clear(),
    "groups": lambda o: o.param_groups.clear(),
    "state": lambda o: o.state.clear(),
    "options": lambda o: o.param_groups[1].clear(),
    "gradients": lambda o: o.zero_grad(),
    "memory": lambda o: [setattr(p, "data", gradcore.zeros(0)) for p in o.kept],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("step", ["SGD", "Adam"])
def test_options_that_change_the_optimizer_while_it_steps(step, change):
    """Whatever they take away, the step ends, with an exception or without."""
    params = [gradcore.ones(3, requires_grad=True) for _ in range(3)]
    optimizer = getattr(gradcore.optim, step)([{"params": params[:1]}, {"params": params[1:]}])
    optimizer.kept = params[:]
    for p in params:
        p.grad = gradcore.ones(3)
    del p
    params.clear()
    optimizer.param_groups[1]["lr"] = ChangingNumber(lambda: (CHANGES[change](optimizer), gc.collect()))
    groups, state = optimizer.param_groups, optimizer.state
    with contextlib.suppress(Exception):
        getattr(gradcore._C, f"_step_{step}")(groups, state, False)
    assert all(p.numel() in (0, 3) for p in optimizer.kept)


# ---- groups


@needs_torch
@pytest.mark.parametrize("name", [name for name in torch.optim.__all__ if name[0].isupper()] if torch else [])
def test_options_stand_in_torchs_order(name):
    """State dicts and the groups of programs show them so."""

    def program(lib):
        optimizer = getattr(lib.optim, name)([lib.ones(2, 2, requires_grad=True)], lr=0.1)
        return (
            list(optimizer.param_groups[0]),
            list(optimizer.state_dict()["param_groups"][0]),
            list(optimizer.defaults),
        )

    if name == "Optimizer":
        pytest.skip("the base class has no options")
    assert program(gradcore) == program(torch)
