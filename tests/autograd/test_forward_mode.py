"""Forward mode beside torch: the tangents of every op, second derivatives through them, and the rules of levels."""

import importlib
import subprocess
import sys

import pytest

import support
from opdb import ROWS, calls
from support import both, build, collected, gradcore, needs_torch


def forward_ad(lib):
    __import__(f"{lib.__name__}.autograd.forward_ad")
    return lib.autograd.forward_ad


def duals_of(lib, leaves, seed):
    """Random tangents for leaves; where they are None there is none to give."""
    tangents = build(lib, calls.cotangents_for(leaves, seed))
    return [forward_ad(lib).make_dual(leaf, tangent) for leaf, tangent in zip(leaves, tangents)]


def with_duals(lib, sample, chosen, use, *, requires_grad=False):
    """use(args, kwargs, leaves) inside a level, the chosen arrays being duals; its tangents come out as they are."""
    with forward_ad(lib).dual_level():
        args, kwargs, leaves = calls.as_leaves(lib, sample, chosen)
        for leaf in leaves:
            leaf.requires_grad_(requires_grad)
        duals = dict(zip(map(id, leaves), duals_of(lib, leaves, 5)))

        def exchange(value):
            if isinstance(value, (list, tuple)):
                return type(value)(exchange(item) for item in value)
            return duals.get(id(value), value)

        return use(exchange(args), {name: exchange(value) for name, value in kwargs.items()}, leaves)


def tangents(lib, outputs):
    """With None for a tangent that is zero everywhere: the libraries differ in which of them they make."""
    found = []
    for output in support.flat_tensors(outputs):
        primal, tangent = forward_ad(lib).unpack_dual(output)
        zero = tangent is None or not bool((tangent != 0).any())
        found.append((primal, None if zero else tangent.detach()))
    return found


def defined(gradient):
    """A derivative of second order that is NaN somewhere may be told as a zero by the other library."""
    return None if gradient is None or gradient.isnan().any() else calls.none_for_zeros(gradient)


DIFFERENTIABLE = [row for row in ROWS if row.grad and row.kind not in ("creation", "writer")]


def samples_of(row):
    return [sample for sample in row.calls("float64") if all(array.size for array in calls.arrays_of(sample))]


def rows_of(*aspects, condition=lambda row: True):
    """Those whose op is differentiable and whose row skips none of the aspects."""
    chosen = [row for row in DIFFERENTIABLE if condition(row) and not row.skips.keys() & {*aspects}]
    return pytest.mark.parametrize("row", chosen, ids=[row.name for row in chosen])


@needs_torch
@rows_of("tangents")
def test_tangents(row):
    def program(lib, sample, chosen):
        return with_duals(lib, sample, chosen, lambda args, kwargs, _: tangents(lib, row.form(lib)(*args, **kwargs)))

    with collected() as failures:
        for sample in samples_of(row):
            for chosen in calls.choices(sample):
                calls.compare(
                    failures,
                    f"{sample} duals {chosen}",
                    row,
                    lambda lib, s=sample, c=chosen: program(lib, s, c),
                    **calls.gradient_tolerances(row),
                )


@needs_torch
@rows_of("tangents", "forward over reverse", condition=lambda row: row.gradgrad)
def test_forward_over_reverse(row):
    """The tangents of gradients, and the gradients of tangents."""

    def program(lib, sample, chosen):
        def use(args, kwargs, leaves):
            outputs = calls.recorded(row.form(lib)(*args, **kwargs))
            if not outputs or not all(output.numel() for output in outputs):
                return []
            seeds = build(lib, calls.cotangents_for(outputs, 7))
            carried = [t for t in (forward_ad(lib).unpack_dual(o).tangent for o in outputs) if t is not None]
            of_tangents = [None] * len(leaves)
            if carried and all(t.requires_grad for t in carried):
                of_tangents = lib.autograd.grad(
                    carried, leaves, [lib.ones_like(t) for t in carried], retain_graph=True, allow_unused=True
                )
            gradients = lib.autograd.grad(outputs, leaves, seeds, allow_unused=True)
            of_gradients = [None if g is None else forward_ad(lib).unpack_dual(g).tangent for g in gradients]
            return [*map(defined, of_gradients)], [*map(defined, of_tangents)]

        return with_duals(lib, sample, chosen, use, requires_grad=True)

    with collected() as failures:
        for sample in samples_of(row):
            for chosen in calls.choices(sample)[:1]:
                if isinstance(support.outcome(program, support.torch, sample, chosen), support.Raised):
                    continue  # torch's own formulas write over what they saved, in norm and logsumexp
                calls.compare(
                    failures,
                    f"{sample} duals {chosen}",
                    row,
                    lambda lib, s=sample, c=chosen: program(lib, s, c),
                    **calls.gradient_tolerances(row),
                )


@needs_torch
@rows_of("tangents", condition=lambda row: row.inplace_grad and row.inplace and row.kind != "view")
def test_tangents_in_place(row):
    """On a copy of a dual, and on a window of one whose base sees it."""
    name = row.attribute + "_"

    def program(lib, sample, chosen, window):
        def use(args, kwargs, _):
            target = lib.stack([args[0], args[0] * 2]) if window else args[0].clone()
            view = target[1]
            getattr(view if window else target, name)(*args[1:], **kwargs)
            return tangents(lib, [target, view])

        return with_duals(lib, sample, chosen, use)

    with collected() as failures:
        for sample in filter(calls.takes_tensor_first, samples_of(row)):
            if not sample.args[0].ndim:
                continue
            for chosen in calls.choices(sample):
                for window in (False, True):
                    calls.compare(
                        failures,
                        f"{sample} duals {chosen} window {window}",
                        row,
                        lambda lib, s=sample, c=chosen, w=window: program(lib, s, c, w),
                        **calls.gradient_tolerances(row),
                    )


WRITES_OF_DUALS = {
    "a number": lambda lib, d: d.mul_(2),
    "a number added": lambda lib, d: d.add_(1),
    "its own result is kept": lambda lib, d: d.exp_(),
    "a plain tensor": lambda lib, d: d.copy_(lib.zeros(2, 2)),
    "a subscript": lambda lib, d: d.__setitem__(0, 5.0),
    "a view": lambda lib, d: d[0].mul_(3),
    "a shape": lambda lib, d: d.unsqueeze_(0),
    "a transposition": lambda lib, d: d.t_(),
}


@pytest.mark.parametrize("name", WRITES_OF_DUALS)
@pytest.mark.parametrize("grad", [True, False])
def test_a_write_goes_to_the_memory_of_the_tangent(name, grad):
    def program(lib):
        fwd = forward_ad(lib)
        x = lib.ones(2, 2, requires_grad=True) * 0.5
        tangent = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
        with fwd.dual_level(), lib.set_grad_enabled(grad):
            dual = fwd.make_dual(x, tangent)
            WRITES_OF_DUALS[name](lib, dual)
            seen = fwd.unpack_dual(dual).tangent
            return seen.detach(), tangent.detach(), tangent._version, seen.data_ptr() == tangent.data_ptr()

    both(program, ulps=2)


def test_a_dual_times_itself_in_place():
    """Torch multiplies by what it has just written: its tangent is 0.75."""
    fwd = forward_ad(gradcore)
    with fwd.dual_level():
        dual = fwd.make_dual(gradcore.tensor(0.5), gradcore.tensor(1.0))
        assert fwd.unpack_dual(dual.mul_(dual)).tangent == 1.0


def test_duals_are_views_of_what_they_were_made_of():
    def program(lib):
        fwd = forward_ad(lib)
        leaf = lib.ones(3, requires_grad=True)
        x = leaf * 2
        with fwd.dual_level():
            dual = fwd.make_dual(x, lib.ones(3))
            primal, _ = fwd.unpack_dual(dual)
            plain = fwd.unpack_dual(x).primal
            part = dual[1:]
            part.mul_(3)
            names = [t.grad_fn.name() for t in (x, plain, primal)]
            tangents = [fwd.unpack_dual(t).tangent for t in (x, dual, part, primal, primal[1:])]
            tangents = [t if t is None else t.detach() for t in tangents]
        x.sum().backward()
        return names, tangents, x, dual._is_view(), primal._is_view(), leaf.grad

    both(program)


def test_a_copy_has_a_tangent_of_its_own():
    def program(lib):
        fwd = forward_ad(lib)
        with fwd.dual_level():
            dual = fwd.make_dual(lib.ones(3), lib.ones(3))
            copies = [dual.clone(), dual + 1, dual.contiguous().clone()]
            for copy in copies:
                copy.mul_(2)
            return [fwd.unpack_dual(t).tangent for t in (dual, *copies)]

    both(program)


def test_gradients_add_up_within_a_level():
    def program(lib):
        fwd = forward_ad(lib)
        x = lib.ones(3, requires_grad=True)
        with fwd.dual_level():
            (x * x).sum().backward(create_graph=True)
            before = x.grad
            (x * 3).sum().backward()
            return x.grad, x.grad is before

    both(program)


def test_a_tangent_added_to_a_recorded_gradient_leaves_its_history():
    def program(lib):
        fwd = forward_ad(lib)
        x = lib.ones(3, requires_grad=True)
        with fwd.dual_level():
            (x * x * x).sum().backward(create_graph=True)
            dual = fwd.make_dual(x.detach().requires_grad_(), lib.ones(3))
            dual.grad = x.grad
            (dual * dual).sum().backward()
            return dual.grad, fwd.unpack_dual(dual.grad).tangent, lib.autograd.grad(dual.grad.sum(), x)

    both(program)


def test_levels_of_func_and_of_forward_ad_do_not_mix():
    def inside(lib):
        fwd, func = forward_ad(lib), importlib.import_module(f"{lib.__name__}.func")
        with fwd.dual_level():
            func.jvp(lambda x: x * x, (lib.ones(2),), (lib.ones(2),))

    def around(lib):
        fwd, func = forward_ad(lib), importlib.import_module(f"{lib.__name__}.func")

        def function(x):
            with fwd.dual_level():
                return x * x

        func.jvp(function, (lib.ones(2),), (lib.ones(2),))

    both(inside, raises="Nested forward mode AD is not supported")
    both(around, raises="Nested forward mode AD is not supported")


def test_level_left_open_when_the_process_ends():
    """What the level noted is not freed then: there is no interpreter any more for the hooks in it."""
    code = """
import gradcore
from gradcore.autograd import forward_ad

forward_ad.enter_dual_level()
x = forward_ad.make_dual(gradcore.ones(3, requires_grad=True), gradcore.ones(3))
for _ in range(9):
    y = x.exp()
    forward_ad.unpack_dual(y).tangent.register_hook(lambda g, held=object(): None)
    gradcore.autograd.grad(y.sum(), x)
del y
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_process_may_end_after_a_pack_hook_refused_an_operand():
    """What was packed for the other operand waits for a node that never comes, and outlives the interpreter."""
    code = """
import gradcore
from gradcore.autograd import forward_ad, graph

seen = []
def pack(t):
    seen.append(t)
    if len(seen) == 2:
        raise ValueError("one is enough")
    return t.clone()

forward_ad.enter_dual_level()
x = forward_ad.make_dual(gradcore.ones(3, requires_grad=True) * 1, gradcore.ones(3))
try:
    with graph.saved_tensors_hooks(pack, lambda t: t):
        x * (x * 1)
except ValueError as error:
    assert "enough" in str(error)
else:
    raise AssertionError("the hook was not asked")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_no_level_is_closed_that_is_not_open():
    with pytest.raises(RuntimeError, match="no forward AD level is open"):
        gradcore._C._exit_dual_level()


REFUSED = {
    "outside of a level": (lambda lib, fwd, x: fwd.make_dual(x, x, level=-1), "no level exists"),
    "another shape": (lambda lib, fwd, x: fwd.make_dual(x, lib.ones(2)), "different size"),
    "an integer tangent": (lambda lib, fwd, x: fwd.make_dual(x, lib.ones(3, dtype=lib.int64)), "floating point"),
    "an integer primal": (lambda lib, fwd, x: fwd.make_dual(lib.ones(3, dtype=lib.int64), x), "floating point"),
    "a bool primal": (lambda lib, fwd, x: fwd.make_dual(x > 0, x), "floating point"),
    "a dual": (lambda lib, fwd, x: fwd.make_dual(fwd.make_dual(x, x), x), "already has a forward gradient"),
    "a dual as tangent": (lambda lib, fwd, x: fwd.make_dual(x, fwd.make_dual(x, x)), "itself has a forward gradient"),
    "no tensor": (lambda lib, fwd, x: fwd.unpack_dual(1.0), "_unpack_dual"),
    "a level that is not there": (lambda lib, fwd, x: fwd.make_dual(x, x, level=5), "level"),
    "leaving a level that is not there": (lambda lib, fwd, x: fwd.exit_dual_level(level=5), "not the last one"),
    "a nested level": (lambda lib, fwd, x: fwd.enter_dual_level(), "Nested forward mode AD"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    run, phrase = REFUSED[name]

    def program(lib):
        with forward_ad(lib).dual_level():
            return run(lib, forward_ad(lib), lib.ones(3))

    both(program, raises=phrase)
    assert gradcore._C._dual_levels() == 0


def test_outside_of_levels_nothing_has_a_tangent():
    def program(lib):
        fwd = forward_ad(lib)
        x = lib.ones(3)
        with fwd.dual_level():
            dual = fwd.make_dual(x, x)
        between = fwd.unpack_dual(dual)
        with fwd.dual_level():
            later = fwd.unpack_dual(dual * 2)
        return [(found.primal, found.tangent) for found in (between, later)]

    both(program)
    both(lambda lib: forward_ad(lib).make_dual(lib.ones(2), lib.ones(2)), raises="no level exists")
    both(lambda lib: forward_ad(lib).exit_dual_level(), raises="Dual level must be a positive number")


def test_a_tangent_of_another_layout_is_copied():
    def program(lib):
        fwd = forward_ad(lib)
        x = lib.ones(2, 3, requires_grad=True)
        tangent = lib.ones(3, 2)
        with fwd.dual_level():
            y = (fwd.make_dual(x.t(), tangent) ** 2).sum()
            tangent.mul_(5)
            found = fwd.unpack_dual(y).tangent
            found.backward()
            return found.detach(), x.grad

    both(program)


@pytest.mark.parametrize("name", ["tanh", "exp", "sigmoid"])
def test_a_tangent_s_derivative_by_a_constant_is_one(name):
    """A result that the op saved has a history for its tangent's sake only: nothing of it is recorded further."""

    def program(lib):
        fwd = forward_ad(lib)
        x = lib.ones(2, requires_grad=True)
        with fwd.dual_level():
            tangent = fwd.unpack_dual(getattr(fwd.make_dual(lib.zeros(2), x * 2), name)()).tangent
        return lib.autograd.grad(tangent.sum(), x, create_graph=True)

    both(program, ulps=4)


def test_detaching_in_place_drops_the_tangent():
    def program(lib):
        fwd = forward_ad(lib)
        with fwd.dual_level():
            y = fwd.make_dual(lib.ones(2), lib.ones(2)) * 2
            y.detach_()
            return fwd.unpack_dual(y).tangent, fwd.unpack_dual(y * 3).tangent

    both(program)


MEMORY = {
    "whole": lambda lib: lib.arange(3.0),
    "its beginning": lambda lib: lib.arange(6.0)[:3],
    "its end": lambda lib: lib.arange(6.0)[3:],
    "every second": lambda lib: lib.arange(6.0)[::2],
}


@pytest.mark.parametrize("primal", MEMORY)
def test_a_tangent_is_kept_where_it_lies_in_its_memory_as_the_primal_does(primal):
    def program(lib):
        fwd, found = forward_ad(lib), []
        with fwd.dual_level():
            for make in MEMORY.values():
                tangent = make(lib)
                dual = fwd.make_dual(MEMORY[primal](lib), tangent)
                tangent.mul_(10)
                found.append(fwd.unpack_dual(dual).tangent)
        return found

    both(program)


def test_a_view_made_under_no_grad_is_recorded_inside_a_level_too():
    def program(lib):
        fwd = forward_ad(lib)
        whole = lib.ones(3, requires_grad=True) * 2
        with lib.no_grad():
            view = whole[:2]
        with fwd.dual_level():
            with lib.no_grad():
                dual = fwd.make_dual(view, lib.ones(2))
            return [
                (t.requires_grad, t.grad_fn is None) for t in (view * 2, dual * 2, view * 2 + dual, dual.detach() * 2)
            ]

    both(program)


WRITES = {
    "index_put_": lambda x, i, s: x.index_put_((i,), s),
    "index_put": lambda x, i, s: x.index_put((i,), s),
    "accumulate": lambda x, i, s: x.index_put_((i,), s, accumulate=True),
    "set": lambda x, i, s: x.__setitem__(i, s),
    "scatter": lambda x, i, s: x.scatter(0, i.unsqueeze(1).expand(2, 2), s),
    "scatter_": lambda x, i, s: x.scatter_(0, i.unsqueeze(1).expand(2, 2), s),
    "scatter of a number": lambda x, i, s: x.scatter(0, i.unsqueeze(1).expand(2, 2), 2.0),
    "scatter_add": lambda x, i, s: x.scatter_add(0, i.unsqueeze(1).expand(2, 2), s),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("dual", ["both", "target", "source"])
def test_of_values_for_one_place_the_last_counts(write, dual):
    """The tangent follows the value that stays; backward pays each value, in torch as here."""

    def program(lib):
        ad = importlib.import_module(f"{lib.__name__}.autograd.forward_ad")
        with ad.dual_level():
            target, source = lib.ones(3, 2) * 1, lib.arange(4.0).reshape(2, 2)
            if dual != "source":
                target = ad.make_dual(target, lib.full((3, 2), 10.0))
            if dual != "target":
                source = ad.make_dual(source, lib.tensor([[1.0, 2.0], [3.0, 4.0]]))
            result = WRITES[write](target, lib.tensor([0, 0]), source)
            return tuple(ad.unpack_dual(target if result is None else result))

    both(program)


def test_the_mean_of_nothing_has_a_tangent_of_nan():
    def program(lib):
        results = []
        with lib.autograd.forward_ad.dual_level():
            x = lib.autograd.forward_ad.make_dual(lib.zeros(0, 2), lib.ones(0, 2))
            for y in (x.mean(), x.mean(0), x.mean(1), x.sum(0)):
                results.append(lib.autograd.forward_ad.unpack_dual(y).tangent)
        return results

    both(program)


@pytest.mark.parametrize("mapped", [
    "vmap(lambda t: t.clone())(x)", "vmap(lambda t: t * 2)(x)", "vmap(lambda t: t.sum() * t)(x)", "vmap(lambda t: t.unsqueeze(0))(x)",
    "vmap(vmap(lambda t: t.view(-1)))(x)", "vmap(lambda t, s: t @ s, in_dims=(0, None))(x, x)", "vmap(lambda t: t.cumsum(0), in_dims=1)(x)",
])  # fmt: skip
def test_gradients_through_a_vmap_that_is_over_carry_each_sample_s_tangent(mapped):
    def program(lib):
        x = lib.arange(1.0, 5.0, dtype=lib.float64).reshape(2, 2) / 5
        with lib.autograd.forward_ad.dual_level():
            dual = lib.autograd.forward_ad.make_dual(x.clone().requires_grad_(), x * x)
            y = eval(mapped, {"vmap": lib.func.vmap, "x": dual})  # noqa: S307
            (gradient,) = lib.autograd.grad(y.sin().sum(), [dual])
            return [*lib.autograd.forward_ad.unpack_dual(gradient)]

    both(program, ulps=64, scale=1, strides=None)


# ---- The switch ------------------------------------------------------------------------------------------------------


def switched_off(lib):
    return forward_ad(lib)._set_fwd_grad_enabled(False)


def unary(act):
    """What is left of a dual's tangent after act(lib, dual)."""

    def program(lib):
        ad = forward_ad(lib)
        with ad.dual_level():
            dual = ad.make_dual(lib.tensor([1.0, 2.0]), lib.tensor([1.0, 10.0]))
            return act(lib, ad, dual)

    return program


def tangent_made_while_off(lib, ad, dual):
    with switched_off(lib):
        y, unpacked = dual * 2, ad.unpack_dual(dual)
    return y.clone(), ad.unpack_dual(y).tangent, unpacked.tangent, ad.unpack_dual(dual * 3).tangent


def write_while_off(lib, ad, dual):
    plain = lib.ones(2)
    with switched_off(lib):
        dual.mul_(2)
        plain.mul_(dual)
    return tuple(ad.unpack_dual(dual)), tuple(ad.unpack_dual(plain))


def dual_made_while_off(lib, ad, dual):
    with switched_off(lib):
        other = ad.make_dual(lib.ones(2), lib.ones(2))
    return tuple(ad.unpack_dual(other * 2))


def on_within_off(lib, ad, dual):
    with switched_off(lib):
        with ad._set_fwd_grad_enabled(True):
            seen = dual * 2
        unseen = dual * 2
    return ad.unpack_dual(seen).tangent, ad.unpack_dual(unseen).tangent


SWITCHED = [tangent_made_while_off, write_while_off, dual_made_while_off, on_within_off]


@pytest.mark.parametrize("act", SWITCHED)
def test_while_the_switch_is_off_ops_do_not_see_tangents(act):
    both(unary(act))


def test_how_the_switch_stands():
    def program(lib):
        ad = forward_ad(lib)
        seen = [ad._is_fwd_grad_enabled()]
        switch = switched_off(lib)
        seen.append(ad._is_fwd_grad_enabled())  # it acts at once
        with switch:
            seen.append(ad._is_fwd_grad_enabled())
            with ad.dual_level():
                seen.append(ad._is_fwd_grad_enabled())
        seen.append(ad._is_fwd_grad_enabled())
        with lib.no_grad():
            seen.append(ad._is_fwd_grad_enabled())
        with lib.inference_mode():
            seen.append(ad._is_fwd_grad_enabled())
        lib._C._set_fwd_grad_enabled(False)
        seen.append(lib._C._is_fwd_grad_enabled())
        lib._C._set_fwd_grad_enabled(True)
        return seen

    both(program)
    both(lambda lib: forward_ad(lib)._set_fwd_grad_enabled(1), raises="enabled must be a bool (got int)")


def test_jvp_switches_forward_mode_on():
    def program(lib):
        ad, x = forward_ad(lib), lib.tensor([0.5, 2.0])
        seen = []

        def f(x):
            seen.append(ad._is_fwd_grad_enabled())
            with switched_off(lib):
                constant = x**2
            return x**2 - constant

        with switched_off(lib):
            found = lib.func.jvp(f, (x,), (x,))
            seen.append(ad._is_fwd_grad_enabled())
        nested = lib.func.jvp(lambda x: lib.func.jvp(f, (x,), (lib.ones(2),))[1], (x,), (lib.ones(2),))
        return found, nested, seen, ad._is_fwd_grad_enabled()

    both(program, ulps=2)


def test_in_a_custom_function_the_switch_is_off():
    def program(lib):
        seen = []

        class Double(lib.autograd.Function):
            @staticmethod
            def forward(x):
                seen.append(forward_ad(lib)._is_fwd_grad_enabled())
                return x * 2

            @staticmethod
            def setup_context(ctx, inputs, output):
                seen.append(forward_ad(lib)._is_fwd_grad_enabled())

            @staticmethod
            def backward(ctx, g):
                seen.append(forward_ad(lib)._is_fwd_grad_enabled())
                return g * 2

        Double.apply(lib.ones(2, requires_grad=True)).sum().backward()
        return seen, forward_ad(lib)._is_fwd_grad_enabled()

    both(program)


def test_the_number_of_the_level_as_programs_read_it():
    def program(lib):
        ad, x = forward_ad(lib), lib.ones(2)
        seen = [ad._current_level]

        def look(x):
            seen.append(ad._current_level)
            return x

        with ad.dual_level():
            look(x)
        lib.func.jvp(look, (x,), (x,))
        lib.func.jvp(lambda x: lib.func.jvp(look, (x,), (x,))[0], (x,), (x,))
        lib.func.grad(lambda x: look(x).sum())(x)
        return [*seen, ad._current_level]

    both(program)
