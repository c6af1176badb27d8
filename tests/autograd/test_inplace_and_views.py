"""In-place writes to tensors and views: their gradients, the history of views, and which writes are refused."""

import pytest

from support import (
    Raised,
    both,
    gradcore,
    leaf,
    needs_torch,
    node_name,
    outcome,
    torch,
)


@pytest.mark.parametrize(
    "ask",
    [lambda view: view.requires_grad_(), lambda view: view.requires_grad_(False), lambda view: view.retain_grad()],
)
def test_a_view_is_not_asked_for_a_history_that_it_never_had(ask):
    """The write to its base forbids it one, which is said when the view is used."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0) * 1
        with lib.no_grad():
            view = x.view(2)
        x.mul_(2)
        ask(view)
        before = view.requires_grad, view.retains_grad
        with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
            view.grad_fn  # noqa: B018
        return before

    both(program)


def test_a_view_made_under_no_grad_may_be_written_where_only_a_tangent_comes_along():
    def program(lib):
        forward_ad = lib.autograd.forward_ad
        x = lib.tensor([1.0, 2.0])
        with forward_ad.dual_level():
            with lib.no_grad():
                dual = forward_ad.make_dual(x * 1, lib.ones(2))
            dual.mul_(3)
            dual.unsqueeze_(0)
            return [*forward_ad.unpack_dual(dual)]

    both(program)


def test_zero_():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a * 2
        b.zero_()
        b.sum().backward()
        return a.grad, node_name(b.grad_fn)

    both(program)


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (lambda lib, a: a.add_(1), "a leaf Variable that requires grad is being used in an in-place operation"),
        (lambda lib, a: a.__setitem__(0, 1.0), "leaf Variable that requires grad"),
        (
            lambda lib, a: a[0].mul_(2),
            "view of a leaf Variable that requires grad is being used in an in-place operation",
        ),
        (lambda lib, a: a.t().zero_(), "view of a leaf Variable"),
        (lambda lib, a: (a * 1).unbind()[0].add_(1), "view"),
        (lambda lib, a: (a * 1).split(1)[0].add_(1), "view"),
        (lambda lib, a: (a * 1).chunk(2)[0].add_(1), "view"),
        (lambda lib, a: next(iter(a * 1)).add_(1), "view"),
        (lambda lib, a: no_grad_view(lib, a * 1).add_(a[0]), "no_grad"),
        (lambda lib, a: (a * 1).expand(2, 2, 2).add_(1), "single memory location"),
    ],
)
def test_inplace_refusals(action, phrase):
    both(lambda lib: action(lib, lib.ones(2, 2, requires_grad=True)), raises=phrase)


def no_grad_view(lib, tensor):
    with lib.no_grad():
        return tensor[0]


def test_leaf_may_change_under_no_grad():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        with lib.no_grad():
            a -= 0.5
            a[0] = 7
            a.t().mul_(2)
        return a, a.is_leaf, a._version

    both(program)


VIEW_WRITES = {
    "slice": lambda lib, b, x: b[0].mul_(x),
    "slice of slice": lambda lib, b, x: b[1:][0].mul_(x),
    "column": lambda lib, b, x: b[:, 1:].mul_(2),
    "transpose": lambda lib, b, x: b.t()[1].mul_(3),
    "diagonal": lambda lib, b, x: b.diagonal().exp_(),
    "reshape": lambda lib, b, x: b.view(-1)[2:5].mul_(x),
    "expand of a row": lambda lib, b, x: b[0].add_(x.sum()),
    "unsqueeze": lambda lib, b, x: b.unsqueeze(0).transpose(0, 2)[0].mul_(2),
    "two windows": lambda lib, b, x: (b[0].mul_(x), b[1].add_(b[0])),
    "overlapping windows": lambda lib, b, x: (b[0:2].mul_(2), b[1:3].mul_(3), b[:, 0].exp_()),
    "copy_": lambda lib, b, x: b[1].copy_(x),
    "copy_ from another dtype": lambda lib, b, x: b[1].copy_(x.double()),
    "zero_": lambda lib, b, x: b[1].zero_(),
    "fill_": lambda lib, b, x: b[1].fill_(x[0]),
    "setitem": lambda lib, b, x: b.__setitem__((slice(None), 0), x),
    "setitem broadcast": lambda lib, b, x: b.__setitem__(slice(1, None), x),
    "setitem advanced": lambda lib, b, x: b.__setitem__(([0, 2], [1, 1]), x[:2]),
    "setitem mask": lambda lib, b, x: b.__setitem__(b.detach() > 4, 0.0),
    "setitem chain": lambda lib, b, x: b[1].__setitem__(0, x[2]),
    "masked_fill_": lambda lib, b, x: b[0].masked_fill_(x > 1, 5),
    "clamp_": lambda lib, b, x: b[0].clamp_(0, 2),
    "write base, read view": lambda lib, b, x: (b[0], b.mul_(2))[0].mul_(x),
    "as_strided": lambda lib, b, x: b.as_strided((2,), (4,), 0).mul_(2),
    "narrow select": lambda lib, b, x: b.narrow(1, 1, 2).select(0, 2).mul_(4),
    "augmented": lambda lib, b, x: b[0].__iadd__(x),
    "addcmul_": lambda lib, b, x: b[2].addcmul_(x, x, value=2),
    "no effect": lambda lib, b, x: b[0:0].mul_(2),
    "scatter_": lambda lib, b, x: b[0].scatter_(0, lib.tensor([2, 0]), x[:2]),
    "scatter_add_": lambda lib, b, x: b[:, 0].scatter_add_(0, lib.tensor([2, 2, 0]), x),
    "index_put_ accumulate": lambda lib, b, x: b.index_put_((lib.tensor([0, 0, 2]),), x, accumulate=True),
}


@pytest.mark.parametrize("name", VIEW_WRITES)
def test_inplace_on_views(name):
    """Gradients of the base and of what was written, and what earlier and later views see."""

    def program(lib):
        a = lib.arange(1.0, 10.0).reshape(3, 3).requires_grad_()
        x = leaf(lib, 0.5, 1.5, 2.5)
        base = a * 1
        earlier = base[0:2]
        VIEW_WRITES[name](lib, base, x)
        later = base[1:]
        loss = (base * lib.arange(9.0).reshape(3, 3)).sum() + earlier.sin().sum() + (later**2).sum()
        loss.backward()
        return (
            a.grad,
            x.grad,
            base,
            earlier,
            later,
            base._version,
            [node_name(t.grad_fn) for t in (base, earlier, later)],
        )

    both(program, ulps=8, scale=1000)


def test_view_of_a_plain_base_starts_to_require_grad():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = lib.zeros(2, 2)
        view, other = base[0], base.t()
        view.add_(x)
        assert base.requires_grad and view.requires_grad and other.requires_grad
        (base * 3 + other).sum().backward()
        return x.grad, [node_name(t.grad_fn) for t in (base, view, other)]

    both(program)


def test_detached_alias_is_not_recorded():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 2
        base.detach().zero_()
        base.sum().backward()
        return x.grad, base

    both(program)


def test_loop_that_fills_rows():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        rows = lib.zeros(5, 2)
        for i in range(5):
            rows[i] = x * i if i == 0 else rows[i - 1] * 1.0 + x
        rows.sum().backward()
        return x.grad, rows

    both(program)


def test_a_dim_inserted_under_no_grad_is_found_on_the_way_back():
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 2
        with lib.no_grad():
            y.unsqueeze_(0)
        (y * lib.tensor([[1.0, 2.0, 3.0]])).sum().backward()
        assert x.grad.tolist() == [2.0, 4.0, 6.0]

    both(program)


def test_a_recorded_backward_through_a_write_outlives_the_write():
    """The op that wrote through a view saved its result, and the gradient's graph leads through that op itself."""

    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 0.3
        part = y.view(-1)
        part.tanh_()
        (g,) = lib.autograd.grad(y.sin().sum(), x, create_graph=True)
        (y.sum() + (g * 2).sum()).backward()
        return g.detach(), x.grad

    both(program, ulps=8)


@pytest.mark.parametrize("window", [slice(None), slice(0, 2)])
def test_a_leaf_that_was_detached_and_written_takes_no_gradient(window):
    """Its accumulator belongs to a graph in which it was a leaf; now it has a history of its own."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        y = x * 3
        x.detach_()
        x[window].mul_(leaf(lib, 2.0, 2.0))
        y.sum().backward()

    both(program, raises="leaf variable has been moved into the graph interior")


def test_views_of_what_was_detached_and_written():
    """A view whose base has another content and no history any more passes no gradient on."""

    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 1
        view, other = base.view(-1), base[:1]
        base.detach_()
        before = other.grad_fn.name()
        base.neg_()
        view.sum().backward()
        return before, view.requires_grad, view.grad_fn.name(), view.grad_fn.next_functions[0][0], x.grad

    both(program)


def test_a_view_with_another_window_follows_a_base_that_asks_for_gradients_later():
    def program(lib):
        base = lib.tensor([1.0, 2.0])
        view = base[:]
        view.unsqueeze_(0)
        base.requires_grad_()
        (view * 3).sum().backward()
        return view.requires_grad, view.grad_fn.name(), base.grad

    both(program)


def test_a_written_view_keeps_its_history_when_its_base_is_detached():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        base = x * 1
        view = base.view(-1)
        view.mul_(3)
        base.detach_()
        view.sum().backward()
        return view.grad_fn.name(), x.grad

    both(program)


@needs_torch
@pytest.mark.parametrize("op", ["eq_", "ne_", "lt_", "le_", "gt_", "ge_", "floor_divide_", "logical_and_"])
@pytest.mark.parametrize("number", [True, False])
def test_what_has_no_derivative_written_in_place(op, number):
    """A comparison has a gradient of zero, floor_divide none; leaves are refused by both, but not by logical ops."""

    def program(lib):
        w, v = (lib.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
        other = 2.0 if number and op != "logical_and_" else v * 1
        x = w * 2
        getattr(x, op)(other)
        refused = [outcome(lambda t=t: getattr(t, op)(other)) for t in (w, w[:2])]
        gradients = outcome(lambda: lib.autograd.grad((x * x).sum(), [w, v], allow_unused=True))
        return (
            x,
            x.grad_fn.name(),
            [isinstance(r, Raised) for r in refused],
            str(gradients.error) if isinstance(gradients, Raised) else gradients,
        )

    both(program)


VIEWS = {
    "unbind": lambda lib, base: base.unbind()[0],
    "view": lambda lib, base: base.view_as(base),
    "select of unbind": lambda lib, base: base.unbind()[0][0],
}
WRITES = {
    "the view": lambda lib, base, view: view.mul_(2),
    "the base": lambda lib, base, view: (base.mul_(2), view.grad_fn),
    "with a gradient": lambda lib, base, view: view.mul_(lib.ones((), requires_grad=True)),
    "its window": lambda lib, base, view: (view.unsqueeze_(0), view.mul_(2)),
    "its window, unrecorded": lambda lib, base, view: (in_no_grad(lib, lambda: view.unsqueeze_(0)), view.mul_(2)),
}


def in_no_grad(lib, action):
    with lib.no_grad():
        return action()


@needs_torch
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("made_in", ["grad", "no_grad", "inference_mode", "no_grad, then viewed"])
@pytest.mark.parametrize("require", [True, False])
def test_messages_about_views_begin_as_torchs(view, write, made_in, require):
    def program(lib):
        base = lib.ones(2, 2).requires_grad_(require).clone()
        mode = {"grad": lib.enable_grad, "inference_mode": lib.inference_mode}.get(made_in, lib.no_grad)
        with mode():
            made = VIEWS[view](lib, base)
        if made_in == "no_grad, then viewed":
            made = made.view_as(made)
        try:
            WRITES[write](lib, base, made)
        except RuntimeError as error:
            return str(error)[:100]
        return "allowed"

    assert program(gradcore) == program(torch)
