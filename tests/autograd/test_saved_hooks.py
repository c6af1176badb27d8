"""graph.saved_tensors_hooks and its relatives: who decides how tensors are kept for backward."""

import importlib
from contextlib import nullcontext

import pytest

from support import both, gradcore, leaf


def graph_of(lib):
    return importlib.import_module(f"{lib.__name__}.autograd.graph")


def test_what_was_packed_comes_back():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        packed, unpacked = [], []

        def pack(t):
            packed.append(t.tolist())
            return t.tolist()

        def unpack(kept):
            unpacked.append(kept)
            return lib.tensor(kept)

        with graph_of(lib).saved_tensors_hooks(pack, unpack):
            y = (x.exp() * x).sum()
        y.backward()
        assert sorted(packed) == sorted(unpacked)
        return x.grad, len(packed)

    both(program)


def test_backward_uses_what_unpack_returns():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).saved_tensors_hooks(lambda t: t, lambda t: t * 10):
            y = x * x
        y.sum().backward()
        return x.grad

    both(program)


def test_second_derivatives_go_through_packed_tensors():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
            y = (x.exp() * x * x).sum()
            (g,) = lib.autograd.grad(y, x, create_graph=True)
        g.sum().backward()
        return g, x.grad

    both(program)


def test_pairs_nest():
    def program(lib):
        x = leaf(lib, 1.0)
        hooks = graph_of(lib).saved_tensors_hooks
        with hooks(lambda t: t, lambda t: t * 2):
            a = x.square()
            with hooks(lambda t: t, lambda t: t * 5):
                b = x.square()
            c = x.square()
        d = x.square()
        return [lib.autograd.grad(t, x) for t in (a, b, c, d)]

    both(program)


def test_custom_functions_save_through_hooks():
    def program(lib):
        class Square(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g * ctx.saved_tensors[0]

        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).saved_tensors_hooks(lambda t: t * 3, lambda t: t):
            y = Square.apply(x)
        return lib.autograd.grad(y.sum(), x)

    both(program)


@pytest.mark.parametrize(("pack", "unpack", "phrase"), [
    (lambda t: t.detach().mul_(2), lambda t: t, "pack hook is modifying its input in place"),
    (lambda t: t, lambda t: 5, "unpack_hook expected to be a Tensor but got result of type"),
    (lambda t: 1 / 0, lambda t: t, "division by zero"),
    (lambda t: t, lambda t: 1 / 0, "division by zero"),
])  # fmt: skip
def test_wrong_hooks(pack, unpack, phrase):
    def program(lib):
        x = leaf(lib, 1.0, 2.0) * 1
        with graph_of(lib).saved_tensors_hooks(pack, unpack):
            y = x * x
        y.sum().backward()

    both(program, raises=phrase)


def test_an_exception_in_pack_leaves_the_hooks_as_they_were():
    x = leaf(gradcore, 1.0)
    with pytest.raises(ZeroDivisionError):
        with gradcore.autograd.graph.saved_tensors_hooks(lambda t: 1 / 0, lambda t: t):
            x * x
    (g,) = gradcore.autograd.grad(x * x, x)
    assert g.item() == 2


def test_hooks_can_be_forbidden():
    def program(lib):
        graph = graph_of(lib)
        with graph.disable_saved_tensors_hooks("none of that"):
            with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
                pass

    both(program, raises="none of that")


def test_saved_tensors_stay_on_the_cpu():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).save_on_cpu():
            y = x * 2
            z = (y * y).sum()
        y.unsqueeze_(0)
        z.backward()
        return x.grad

    both(program)


def test_saved_tensors_may_be_written_to():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).allow_mutation_on_saved_tensors():
            y = x * 1
            z = (y * y).exp()
            y.mul_(z)
            first = lib.autograd.grad(y.sum() + z.sum(), x, create_graph=True)
            y.zero_()
            second = lib.autograd.grad(first[0].sum(), x)
        return first, second

    both(program, ulps=4)


def counts(context):
    return len(context.cloned), len(context.original), len(context.tid_to_weakhandle), len(context.sid_to_tid)


WRITES = {
    "nothing": lambda lib, x, y, view: None,
    "the tensor": lambda lib, x, y, view: y.mul_(3),
    "a view": lambda lib, x, y, view: view.mul_(3),
    "a leaf": lambda lib, x, y, view: lib.no_grad()(x.mul_)(3),
    "twice": lambda lib, x, y, view: y.mul_(3).add_(1),
    "out": lambda lib, x, y, view: lib.no_grad()(lib.sin)(lib.ones(2), out=y),
    "several": lambda lib, x, y, view: lib._foreach_mul_([y, view], 2.0),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_is_kept_can_be_looked_at(write):
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).allow_mutation_on_saved_tensors() as context:
            y = x * 1
            view = y[:1]
            z, again, of_view = (y * y).sum(), y.square().sum(), (view**2).sum()
            seen = [counts(context)]
            WRITES[write](lib, x, y, view)
            seen.append(counts(context)[:3])
            gradients = lib.autograd.grad([z, again, of_view], x)
            seen.append(counts(context)[:3])
        return seen, gradients, counts(context)

    both(program)


def test_what_is_kept_goes_with_the_graph():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with graph_of(lib).allow_mutation_on_saved_tensors() as context:
            y = x * 1
            first = y**2
            y.sin_()
            second = y**2
            y.sin_()
            seen = [counts(context)[0]]
            del first
            seen.append(counts(context)[0])
            del second
            return seen, counts(context)[0]

    both(program)


def test_backward_stays_within_the_context_of_its_graph():
    def program(lib, inside):
        allow = graph_of(lib).allow_mutation_on_saved_tensors
        x = leaf(lib, 1.0)
        with allow():
            y = x * x
        with allow() if inside else lib.enable_grad():
            y.backward()

    phrase = "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
    both(lambda lib: program(lib, False), raises=phrase)
    both(lambda lib: program(lib, True), raises=phrase)


def test_the_context_does_not_nest():
    def program(lib):
        allow = graph_of(lib).allow_mutation_on_saved_tensors
        with allow():
            with allow():
                pass

    both(program, raises="allow_mutation_on_saved_tensors contexts cannot be nested")
    x = leaf(gradcore, 2.0)
    with gradcore.autograd.graph.allow_mutation_on_saved_tensors():
        y = x * x
        with pytest.raises(RuntimeError):
            program(gradcore)
        y.backward()  # torch has closed the outer one by now
    assert x.grad.item() == 4


def test_the_context_is_left_when_its_block_fails():
    def program(lib):
        allow = graph_of(lib).allow_mutation_on_saved_tensors
        with pytest.raises(KeyError):
            with allow():
                raise KeyError
        with allow() as context:
            return counts(context)

    both(program)


def test_the_context_decorates():
    def program(lib):
        @graph_of(lib).allow_mutation_on_saved_tensors()
        def gradient():
            y = x * 1
            z = y * y
            y.zero_()
            return lib.autograd.grad(z, x)

        x = leaf(lib, 3.0)
        return gradient(), gradient()

    both(program)


def test_writes_can_be_told():
    def program(lib):
        x = leaf(lib, 1.0)
        y = x * 1
        z = y.exp() * y
        graph_of(lib).increment_version([y, z])
        graph_of(lib).increment_version(z)
        assert (y._version, z._version) == (1, 2)
        z.backward()

    both(program, raises="is at version 1; expected version 0")


def test_a_block_left_by_what_it_calls():
    def pack(t):
        gradcore._C._pop_saved_hooks()
        return t

    x = gradcore.ones(2, requires_grad=True)
    gradcore._C._push_saved_hooks(pack, lambda t: t)
    y = x.exp()
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


# ------------------------------------------------------------------------------------------------------------
# What hooks give back, and leave open


@pytest.mark.parametrize(
    "change",
    [lambda t: t.double(), lambda t: t.t().contiguous().t(), lambda t: t[:1]],
    ids=["dtype", "strides", "shape"],
)
def test_what_unpack_returns_is_made_to_fit(change):
    def program(lib):
        x = lib.arange(6.0).view(2, 3).requires_grad_()
        with graph_of(lib).saved_tensors_hooks(lambda t: t, change):
            y = x.exp()
        y.sum().backward()
        return x.grad

    both(program, ulps=1)


def test_what_does_not_fit_is_refused():
    def program(lib):
        x = lib.ones(1000, requires_grad=True)
        with graph_of(lib).saved_tensors_hooks(lambda t: t, lambda kept: lib.ones(2)):
            y = x.exp()
        y.sum().backward()

    both(program, raises="The size of t")


def test_pack_hooks_are_not_recorded():
    def program(lib):
        seen = []
        x = leaf(lib, 1.0)
        with graph_of(lib).saved_tensors_hooks(
            lambda t: seen.append((lib.is_grad_enabled(), (t * 2).requires_grad)) or t, lambda t: t
        ):
            x.exp() * x
        return seen

    both(program)


def test_what_is_no_part_of_the_graph_comes_back_itself():
    def program(lib):
        x, other = leaf(lib, 1.0), lib.ones(1)

        class Keep(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                ctx.save_for_backward(y)
                return x * 2

            @staticmethod
            def backward(ctx, grad):
                seen.append(ctx.saved_tensors[0] is other)
                return grad, None

        seen = []
        with graph_of(lib).saved_tensors_hooks(lambda t: t, lambda t: t):
            y = Keep.apply(x, other)
        y.backward()
        return seen

    both(program)


def test_a_view_made_under_no_grad_comes_back_asking_for_gradients():
    def program(lib):
        base = leaf(lib, 1.0, 2.0)
        with lib.no_grad():
            view = base.view(2)
        x = leaf(lib, 3.0, 4.0)
        with graph_of(lib).saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x * view
        y.sum().backward(create_graph=True)
        return x.grad.requires_grad, x.grad

    both(program)


@pytest.mark.parametrize("how", ["enter", "exit"])
def test_what_backward_enters_or_leaves_is_put_right_at_its_end(how):
    def program(lib):
        hooks = graph_of(lib).saved_tensors_hooks
        other = hooks(lambda t: t * 10, lambda t: t)

        def unpack(kept):
            other.__enter__() if how == "enter" else block.__exit__(None, None, None)
            return kept

        block = hooks(lambda t: t, unpack)
        x = leaf(lib, 1.0)
        with block:
            x.exp().backward()
            y = x * x
        z = x * x
        z.backward()
        return x.grad, y._version

    both(program)


KEEPERS = {
    "a copy": (lambda lib, t: t.clone(), lambda lib, kept: kept),
    "NumPy's": (lambda lib, t: t.detach().numpy().copy(), lambda lib, kept: lib.from_numpy(kept)),
    "a list": (lambda lib, t: t.tolist(), lambda lib, kept: lib.tensor(kept)),
    "as a half": (lambda lib, t: t.to(lib.bfloat16), lambda lib, kept: kept.float()),
    "noise": (lambda lib, t: lib.rand_like(t), lambda lib, kept: kept),
    "one number": (lambda lib, t: t.flatten()[0].item(), lambda lib, kept: lib.tensor(kept)),
}


@pytest.mark.parametrize("keeper", KEEPERS)
@pytest.mark.parametrize("nested", (False, True))
def test_hooks_see_the_samples_of_a_vmap_together(keeper, nested):
    """What unpack returns knows nothing of the vmap, and yet is what each sample saved."""
    pack, unpack = KEEPERS[keeper]

    def program(lib):
        lib.manual_seed(0)
        x = lib.arange(12.0).reshape(2, 3, 2).div(10).requires_grad_()
        seen = []

        def packed(t):
            seen.append(tuple(t.shape))
            return pack(lib, t)

        f = lib.func.vmap(lambda row: (row.sin() * 2).exp().sum())
        with graph_of(lib).saved_tensors_hooks(packed, lambda kept: unpack(lib, kept)):
            out = (lib.func.vmap(f) if nested else f)(x)
        out.sum().backward()
        return sorted(seen), x.grad

    both(program, ulps=4)


def test_unpack_computes_again_what_a_sample_saved():
    """torch refuses what is still in a vmap that is over."""

    def gradient(lib, hooks):
        x = lib.arange(6.0).reshape(2, 3).requires_grad_()

        def f(row):
            y = row.sin()
            with graph_of(lib).saved_tensors_hooks(lambda t: None, lambda kept: y.detach()) if hooks else nullcontext():
                return (y * y).sum()

        lib.func.vmap(f)(x).sum().backward()
        return x.grad

    assert gradient(gradcore, True).equal(gradient(gradcore, False))
