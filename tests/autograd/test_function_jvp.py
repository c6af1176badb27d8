"""The jvp of custom Functions."""

import pytest
from custom_functions import custom, hand_on

from support import both, gradcore, leaf


@pytest.mark.parametrize("integer", [True, False])
def test_jvp_must_give_none_for_what_has_no_tangent(integer):
    def program(lib):
        def forward(ctx, x):
            y = x.long() if integer else x.clone()
            if not integer:
                ctx.mark_non_differentiable(y)
            return x * 2, y

        function = custom(lib, forward, hand_on, jvp=lambda ctx, t: (t * 2, t.clone()))
        with lib.autograd.forward_ad.dual_level():
            function.apply(lib.autograd.forward_ad.make_dual(lib.ones(2), lib.ones(2)))

    both(program, raises="the corresponding forward output is not a differentiable Tensor")


def test_jvp_sees_what_was_saved_for_it_alone():
    def program(lib):
        seen = []

        def forward(ctx, x, y):
            ctx.save_for_backward(x)
            if y is not None:
                ctx.save_for_forward(y)
            return x * 2

        def jvp(ctx, tx, ty):
            seen.append(len(ctx.saved_tensors))
            return tx * 2

        fw = lib.autograd.forward_ad
        function = custom(lib, forward, lambda ctx, g: (g, None), jvp=jvp)
        with fw.dual_level():
            for y in (None, lib.ones(1)):
                out = function.apply(fw.make_dual(leaf(lib, 1.0, 2.0), lib.ones(2)), y)
                seen.append(len(out.grad_fn.saved_tensors))
        return seen

    both(program)


JVPS_OF_A_VIEW = {
    "the same view": lambda t: t.narrow(0, 0, 2),
    "no view": lambda t: t.narrow(0, 0, 2).clone(),
    "a view of something else": lambda t: t.narrow(0, 0, 2).clone().view(2),
}


@pytest.mark.parametrize("of_a_view", [False, True])
@pytest.mark.parametrize("kind", JVPS_OF_A_VIEW)
def test_jvp_of_a_view_is_a_view(kind, of_a_view):
    def program(lib):
        fw = lib.autograd.forward_ad
        function = custom(lib, lambda ctx, x: x.narrow(0, 0, 2), hand_on, jvp=lambda ctx, t: JVPS_OF_A_VIEW[kind](t))
        with fw.dual_level():
            x = fw.make_dual(lib.arange(3.0), lib.arange(3.0) + 1)
            return fw.unpack_dual(function.apply(x.view(3) if of_a_view else x)).tangent.clone()

    of = "the same base as the given grad input" if of_a_view else "the given grad input"
    errors = {
        "no view": "but the jvp is not returning a view",
        "a view of something else": f"not returning a view of {of}",
    }
    both(program, raises=errors.get(kind))


def test_jvp_of_an_input_that_is_handed_back():
    def program(lib):
        fw = lib.autograd.forward_ad
        function = custom(lib, lambda ctx, x, y: (x + y, x), hand_on, jvp=lambda ctx, tx, ty: (tx + ty, tx.view_as(tx)))
        tangent = lib.ones(2) * 3
        with fw.dual_level():
            _, out = function.apply(fw.make_dual(lib.ones(2), tangent), lib.ones(2))
            found = fw.unpack_dual(out).tangent
            return found._base is tangent, found.clone()

    both(program)


@pytest.mark.parametrize("writes", [True, False])
def test_jvp_of_a_write_writes(writes):
    def program(lib):
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        fw = lib.autograd.forward_ad
        function = custom(lib, forward, hand_on, jvp=lambda ctx, t: t.mul_(2) if writes else t)
        with fw.dual_level():
            return fw.unpack_dual(function.apply(fw.make_dual(lib.ones(2), lib.ones(2)))).tangent.clone()

    both(program, raises=None if writes else "the jvp function must modify the corresponding gradient inplace")


def test_errors_of_jvp_name_its_line():
    class Wrong(gradcore.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def jvp(ctx, tangent):
            return tangent, tangent

    line = Wrong.jvp.__code__.co_firstlineno
    with gradcore.autograd.forward_ad.dual_level():
        x = gradcore.autograd.forward_ad.make_dual(gradcore.ones(1), gradcore.ones(1))
        with pytest.raises(RuntimeError, match=rf"invalid number of forward gradients .*test_function_jvp.py:{line}\)"):
            Wrong.apply(x)
