"""detach, data, set_ and numpy(): tensors that share memory and not the history."""

import pytest

from support import (
    both,
    gradcore,
    leaf,
)


def test_detach_shares_memory():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        b = a.detach()
        b.mul_(2)
        c = a * 3
        c.detach_()
        assert c.is_leaf and c.grad_fn is None and not c.requires_grad
        assert b.data_ptr() == a.data_ptr()
        return a, b, c, a._version, b._version

    both(program)


def test_detach_of_a_view_is_refused():
    both(lambda lib: (leaf(lib, 1.0, 2.0) * 1)[0:1].detach_(), raises="view")


def test_data():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        loss = (a * a).sum()
        a.data.sub_(1)
        a.data = a.data * 3
        versions = a._version, a.data._version
        a.data = lib.tensor([5.0])
        return a, versions, a.data.requires_grad, loss

    both(program)


def test_numpy_under_no_grad():
    def program(lib):
        x = leaf(lib, 1.0, 2.0)
        with pytest.raises(RuntimeError, match="Can't call numpy"):
            x.numpy()
        with lib.no_grad():
            return x.numpy().tolist()

    both(program)


SETS = {
    "another's memory": lambda lib, a, b: a.set_(b),
    "a window": lambda lib, a, b: a.set_(b, 1, (2, 2), (2, 1)),
    "a dense window": lambda lib, a, b: a.set_(b, 2, (2, 2)),
    "a window of a view": lambda lib, a, b: a.set_(b[1:], 1, (2,)),
    "a storage": lambda lib, a, b: a.set_(b.untyped_storage()),
    "a window of a storage": lambda lib, a, b: a.set_(b[3:].untyped_storage(), 1, (2, 2), (3, 1)),
    "a typed storage": lambda lib, a, b: a.set_(b._typed_storage(), 2, (3,)),
    "by keywords": lambda lib, a, b: a.set_(source=b.untyped_storage(), storage_offset=1, size=(2,), stride=(2,)),
    "a storage of its own": lambda lib, a, b: a.set_(lib.UntypedStorage([0, 0, 128, 63, 0, 0, 0, 64, 1])),
    "nothing": lambda lib, a, b: a.set_(),
    "itself": lambda lib, a, b: a.set_(a),
    "another dtype": lambda lib, a, b: a.set_(lib.ones(3, dtype=lib.float64)),
    "a storage of another dtype": lambda lib, a, b: a.set_(lib.ones(3, dtype=lib.float64)._typed_storage()),
    "before a storage": lambda lib, a, b: a.set_(b.untyped_storage(), -1, (2,)),
    "no storage": lambda lib, a, b: a.set_([1.0]),
    "a leaf": lambda lib, a, b: lib.ones(3, requires_grad=True).set_(b),
}
REFUSED_SETS = {
    "another dtype": "Could not set tensor of type",
    "a storage of another dtype": "Expected a Storage of type",
    "before a storage": "invalid storage offset -1",
    "no storage": "set_() received an invalid combination",
    "a leaf": "a leaf Variable that requires grad",
}


@pytest.mark.parametrize("how", SETS)
def test_set_gives_a_tensor_another_memory(how):
    def program(lib):
        a, b = lib.ones(3), lib.arange(6.0)
        view = a[:2]
        result = SETS[how](lib, a, b)
        b[1] = 9.0
        a.mul_(2)
        return result is a, a, a._version, b, view

    both(program, raises=REFUSED_SETS.get(how))


@pytest.mark.parametrize(
    "how",
    [
        lambda a, b: a.set_(b.untyped_storage(), 4, (4,)),
        lambda a, b: a.set_(b, 1, (3, 3), (1, 2)),
        lambda a, b: a.set_(b._typed_storage(), 0, (7,)),
        lambda a, b: a.set_(a, 0, (4,)),
    ],
    ids=["storage", "tensor", "typed", "itself"],
)
def test_set_beyond_the_end_makes_room(how):
    """What was held is there; what is behind it is anything."""

    def program(lib):
        a, b = lib.ones(3), lib.arange(6.0)
        how(a, b)
        held = a.untyped_storage().nbytes() // 4
        return a.shape, a.stride(), a.storage_offset(), held, a.as_strided((3,), (1,), 0)

    both(program)


def test_storages_that_set_makes_grow():
    def program(lib):
        own = lib.UntypedStorage([0, 0, 128, 63])
        a = lib.ones(1).set_(own, 0, (2, 2))
        b = lib.ones(1).set_(own, 0, (1,))
        b[0] = 5.0
        empty = lib.ones(1).set_(lib.UntypedStorage(), 0, (2,)).fill_(3.0)
        return len(own), a[0, 0], a.shape, empty

    both(program)
    a, b = gradcore.ones(3), gradcore.arange(6.0)
    a.set_(b.untyped_storage(), 0, (7,))  # of memory below a tensor a larger copy: the tensor keeps its own
    a[0] = 9.0
    assert b[0] == 0.0 and b.untyped_storage().nbytes() == 24


def test_set_keeps_the_device():
    def program(lib, first, second):
        a, b = lib.ones(3, device=first), lib.ones(2, device=second)
        a.set_(b)

    for first, second in (("cpu", "meta"), ("meta", "cpu")):
        message = (
            f'Attempted to set the storage of a tensor on device "{first}" to a storage on different device "{second}".  '
            "This is no longer allowed; the devices must match."
        )
        both(lambda lib, devices=(first, second): program(lib, *devices), raises=message)

    def data(lib):
        lib.ones(3).data = lib.ones(3, device="meta")

    both(
        data,
        raises="Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type",
    )


def test_meta_tensors_get_other_sizes():
    def program(lib):
        a = lib.empty(2, device="meta")
        grown = a.clone().resize_(5)
        return [
            (t.device.type, t.shape) for t in (grown, a.clone().set_(), a.set_(grown, 1, (2, 2)), a.set_(a, 0, (9,)))
        ]

    both(program)


def test_a_module_goes_to_meta_and_comes_back():
    def program(lib):
        net = lib.nn.BatchNorm1d(2)
        weight = net.weight
        net.weight.grad = lib.ones(2)
        net.to("meta")
        facts = [net.weight is weight, weight.device.type, net.weight.grad.device.type, net.running_mean.device.type]
        there = net.weight
        net.to_empty(device="cpu")
        same = isinstance(net.weight, lib.nn.Parameter), net.weight is there, net.weight.requires_grad
        return facts, same, net.weight.device.type, net.weight.grad.shape, net.double().weight.dtype == lib.float64

    both(program)


def test_set_is_a_write():
    def program(lib):
        a, w = lib.ones(3), leaf(lib, 1.0, 2.0, 3.0)
        y = a * w
        a.set_(lib.arange(3.0))
        y.sum().backward()

    both(program, raises="modified by an inplace operation")


def test_set_under_no_grad_keeps_the_leaf():
    def program(lib):
        a = leaf(lib, 1.0, 2.0)
        with lib.no_grad():
            a.set_(lib.arange(3.0))
        (a * a).sum().backward()
        return a, a.grad, a.is_leaf

    both(program)


def test_set_has_no_derivative():
    x = gradcore.ones(3, requires_grad=True)
    a = gradcore.ones(3)
    with pytest.raises(NotImplementedError, match="derivative for set_ is not implemented"):
        a.set_(x * 2)
    assert not a.requires_grad and a.tolist() == [1.0] * 3


def test_what_was_computed_before_set_leads_elsewhere():
    """A leaf that set_() gave other memory is another leaf; both fill its .grad, and its hooks are those that it had."""

    def program(lib):
        x, seen = leaf(lib, 1.0, 2.0), []
        x.register_hook(lambda g: seen.append("tensor"))
        x.register_post_accumulate_grad_hook(lambda t: seen.append("accumulated"))
        edge = lib.autograd.graph.get_gradient_edge(x)
        out = (x * 2).sum()
        with lib.no_grad():
            x.set_(lib.tensor([5.0, 6.0]))
        found = lib.autograd.grad(out, [x], retain_graph=True, allow_unused=True)
        by_edge = lib.autograd.grad(out, edge, retain_graph=True)
        out.backward()
        before = x.grad.clone()
        (x * 3).sum().backward()
        return found, by_edge, before, x.grad, seen

    both(program)


@pytest.mark.parametrize(("how", "arg"), [("split", 1), ("chunk", 2), ("split_with_sizes", [1, 1])])
@pytest.mark.parametrize("write", [lambda t: t.mul_(3), lambda t: t.copy_(t * 0 + 1), lambda t: t.relu_()])
def test_parts_that_are_no_views_are_written_to_apart(how, arg, write):
    def program(lib):
        x = lib.tensor([[1.0, 2.0], [-3.0, 4.0]], requires_grad=True)
        whole = x * 1
        first, second = getattr(lib, f"unsafe_{how}")(whole, arg)
        kept = second * second  # saved before the write to the other
        write(first)
        (first.sum() + kept.sum() * 2).backward()
        return x.grad, whole, [t._version for t in (whole, first, second)], first._is_view()

    both(program)


def test_a_write_that_backward_does_not_see():
    def program(lib):
        x, y = leaf(lib, 1.0, 2.0), lib.tensor([3.0, 4.0])
        out = x * y
        with lib.autograd._unsafe_preserve_version_counter(y):
            y.mul_(2)
        with lib.autograd._unsafe_preserve_version_counter((x, y)):
            y.add_(1)
        out.sum().backward()
        return x.grad, y._version

    both(program)
