"""Single programs in which Python code runs in the middle of C++ and takes away what that works on."""

import gc
import traceback

import numpy as np
import pytest

from support import gradcore, libraries

hooks = gradcore.autograd.graph.saved_tensors_hooks


def leaf(*shape):
    return gradcore.linspace(1.0, 2.0, int(np.prod(shape))).reshape(shape).requires_grad_()


def test_an_unpack_hook_that_frees_what_it_unpacks():
    x, done = leaf(4), []

    def unpack(tensor):
        if not done:
            done.append(1)
            z.sum().backward()
        return tensor

    with hooks(lambda tensor: tensor.clone(), unpack):
        z = x.exp() * x
    assert z.grad_fn._saved_self.tolist() == x.exp().tolist()
    assert x.grad is not None


def test_a_backward_inside_of_a_backward_that_frees_the_rest():
    x, done = leaf(4), []

    def unpack(tensor):
        if not done:
            done.append(1)
            with gradcore.enable_grad():
                z.sum().backward()
        return tensor

    with hooks(lambda tensor: tensor.clone(), unpack):
        z = x.exp() * x
    with pytest.raises(RuntimeError, match="a second time"):
        z.sum().backward()


def test_a_pack_hook_that_frees_what_it_packs():
    x = leaf(4)
    y = x * x * x
    raw = y.grad_fn._raw_saved_self

    def pack(tensor):
        with gradcore.enable_grad():
            y.sum().backward()
        return tensor

    raw.register_hooks(pack, lambda tensor: tensor)
    assert x.grad.tolist() == pytest.approx((3 * x.detach() ** 2).tolist())
    with pytest.raises(RuntimeError, match="been freed"):
        repr(y.grad_fn._saved_self)


def test_hooks_that_set_hooks_on_the_same_tensor():
    y = leaf(4) ** 3
    raw = y.grad_fn._raw_saved_self

    def outer(tensor):
        raw.register_hooks(lambda t: t.clone(), lambda t: t)
        return tensor

    raw.register_hooks(outer, lambda tensor: tensor * 0)
    assert y.grad_fn._saved_self.tolist() == leaf(4).tolist()


def test_a_tensor_that_a_pack_hook_gives_other_data_is_unpacked_as_it_was():
    x, given = leaf(4).clone(), []

    def pack(tensor):
        given.append(tensor.detach())
        x.data = gradcore.zeros(1)
        return given[-1]

    with hooks(pack, lambda tensor: tensor):
        y = x.exp()
    assert y.grad_fn._saved_result.tolist() == leaf(4).exp().tolist()
    (g,) = gradcore.autograd.grad(y.sum(), x)  # of what x was
    assert g.tolist() == leaf(4).exp().tolist()


@pytest.mark.parametrize(
    "call",
    [
        lambda x, y: gradcore.cdist(x, y),
        lambda x, y: gradcore.cdist(x, y, p=1.0),
        lambda x, y: x * y,
    ],
)
def test_a_pack_hook_that_replaces_what_is_saved_after_it(call):
    """Both are saved with the shapes that the op saw, or not at all."""
    x, y = leaf(4, 3), leaf(4, 3).clone()

    def pack(tensor):
        y.data = gradcore.zeros(40, 300)
        return tensor

    with hooks(pack, lambda tensor: tensor), pytest.raises(RuntimeError, match="has been given other data meanwhile"):
        call(x, y)


def test_an_unpack_hook_that_replaces_what_is_unpacked_before_it():
    """All hooks of a node run before its backward looks at any tensor."""
    x, y = leaf(4, 3).clone(), leaf(4, 3)
    distances = gradcore.cdist(x, y)

    def unpack(tensor):
        x.data = gradcore.zeros(40, 300)
        return tensor

    distances.grad_fn._raw_saved_x2.register_hooks(lambda tensor: tensor, unpack)
    with pytest.raises(RuntimeError, match="has been given other data meanwhile"):
        distances.sum().backward()


@pytest.mark.parametrize("name", ["logcumsumexp", "cumprod", "logsumexp", "softmax", "prod", "std", "cdist"])
def test_a_hook_that_replaces_what_a_recorded_backward_reads(name):
    """A vjp of several ops reads the data that it began with, at whatever op of it the tensor is given other data."""

    def call(x):
        if name == "cdist":
            return gradcore.cdist(x, x + 1)
        return getattr(gradcore, name)(x, 0)

    def gradient(moment=None):
        """With the number of moments. It is None where what was replaced is refused."""
        x, seen = leaf(5, 7), 0
        y = call(x).sum()

        def pack(tensor):
            nonlocal seen
            if seen == moment:
                x.data = gradcore.ones(300)
            seen += 1
            return tensor

        with hooks(pack, lambda tensor: tensor):
            try:
                return gradcore.autograd.grad(y, x, create_graph=True)[0].tolist(), seen
            except RuntimeError as error:
                assert "other data" in str(error)
                return None, seen

    expected, moments = gradient()
    found = [gradient(moment)[0] for moment in range(moments)]
    assert all(one in (None, expected) for one in found) and expected in found


def test_an_unpack_hook_that_goes_backward_through_its_own_node():
    x, y, calls = leaf(4, 3), leaf(4, 3) * 2, []

    def unpack(tensor):
        calls.append(1)
        if len(calls) == 1:
            with gradcore.enable_grad():
                distances.sum().backward(retain_graph=True)
        return tensor

    with hooks(lambda tensor: tensor, unpack):
        distances = gradcore.cdist(x, y.detach())
    distances.sum().backward()
    expected = leaf(4, 3)
    gradcore.cdist(expected, y.detach()).sum().backward()
    assert x.grad.tolist() == (2 * expected.grad).tolist()


def test_an_input_that_is_replaced_while_its_views_are_recorded(monkeypatch):
    x, target = leaf(4, 3, 5), gradcore.zeros(4, 5, dtype=gradcore.int64)

    def format_stack():
        target.data = gradcore.zeros(1, dtype=gradcore.int64)
        return []

    monkeypatch.setattr(traceback, "format_stack", format_stack)
    with gradcore.autograd.set_detect_anomaly(True), pytest.raises(ValueError, match="batch_size"):
        gradcore.nn.functional.cross_entropy(x, target)


@pytest.mark.parametrize(
    "write", ["index_put_", "scatter_", "scatter_add_", "index_add_", "index_copy_", "setitem", "mul_"]
)
def test_a_pack_hook_that_shrinks_what_is_written_to(write):
    start = leaf(40)
    c, at, values = start.clone(), gradcore.tensor([1, 39, 30]), leaf(3)

    def pack(tensor):
        c.data = gradcore.zeros(1)
        gradcore.release_unused_memory()
        return tensor

    def program():
        match write:
            case "index_put_":
                c.index_put_((at,), values)
            case "setitem":
                c[at] = values
            case "mul_":
                c.mul_(leaf(40))
            case _:
                getattr(c, write)(0, at, values)

    with hooks(pack, lambda tensor: tensor), pytest.raises((IndexError, RuntimeError)):
        program()
    assert c.tolist() == [0.0]


def test_an_index_that_a_pack_hook_overwrites_is_checked_again():
    c, at = leaf(40).clone(), gradcore.tensor([1, 39, 30])

    def pack(tensor):
        at.data.fill_(2**40)
        return tensor

    with hooks(pack, lambda tensor: tensor), pytest.raises((IndexError, RuntimeError)):
        c.index_put_((at,), leaf(3))
    assert c.tolist() == leaf(40).tolist()


OTHERS = {
    "embedding": lambda f, w: f.embedding(gradcore.tensor([[0, 2], [2, 2]]), w),
    "addmm": lambda f, w: gradcore.addmm(w, leaf(3, 2), leaf(2, 4).detach()),
    "linalg.cross": lambda f, w: gradcore.linalg.cross(w[:, :3], leaf(3, 3).detach()),
    "addbmm": lambda f, w: gradcore.addbmm(
        gradcore.zeros(5, 4), leaf(2, 5, 3).detach(), gradcore.stack([w, w]).view(2, 3, 4)
    ),
    "mm": lambda f, w: leaf(2, 3).detach().mm(w),
}


@pytest.mark.parametrize("shape", [(), (2, 300), (1,)])
@pytest.mark.parametrize("name", OTHERS)
def test_a_pack_hook_that_gives_another_operand_other_data(name, shape):
    """What a node needs to know of an operand that it does not keep, it was told before."""

    def gradient(swaps):
        start = leaf(3, 4)
        w = start.clone()

        def pack(tensor):
            if swaps and tensor is not w:
                w.data = gradcore.zeros(shape)
            return tensor

        with hooks(pack, lambda tensor: tensor):
            y = OTHERS[name](gradcore.nn.functional, w)
        return gradcore.autograd.grad(y.sum(), start)[0].tolist()

    assert gradient(True) == gradient(False)


def test_an_index_that_looks_for_the_size_it_is_for():
    """The collector's lists show no Size that has holes."""
    seen = []

    class Looks:
        def __index__(self):
            seen.extend(repr(t) for t in gc.get_objects() if type(t) is gradcore.Size and len(t) == 5)
            return 7

    assert gradcore.Size([1, 2, Looks(), 3, 4]) == (1, 2, 7, 3, 4)
    assert not any("NULL" in text for text in seen)


def collector_program(t, data, read):
    """read(t) while every run of the collector gives t other data."""
    callback = lambda phase, info: setattr(t, "data", data)  # noqa: E731
    before = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(50, 1, 1)
    try:
        return read(t)
    except (TypeError, RuntimeError) as error:  # repr() looks twice
        return error
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(callback)


@pytest.mark.parametrize("read", [gradcore.Tensor.tolist, repr, list, lambda t: [t.shape for _ in range(400)]])
@pytest.mark.parametrize("shape", [(20000, 3), (1,), (2,) * 12])
def test_the_collector_swaps_what_is_read(read, shape):
    assert collector_program(gradcore.zeros(300, 3), gradcore.zeros(shape), read) is not None


def test_tolist_reads_what_was_there():
    assert collector_program(gradcore.ones(300, 3), gradcore.zeros(1), gradcore.Tensor.tolist) == [[1.0] * 3] * 300


def test_foreign_memory_that_goes_while_the_tensor_is_moved():
    """The end of an array's owner runs Python code, which finds the tensor whole."""
    seen = []

    class Owner(np.ndarray):
        def __del__(self):
            if hasattr(t, "tolist"):
                seen.append(t.tolist())

    t = gradcore.from_numpy(np.arange(6.0).view(Owner))
    t.data = gradcore.ones(2, 2)
    gc.collect()
    assert all(value == [[1.0, 1.0], [1.0, 1.0]] for value in seen)


def test_a_history_that_goes_while_another_is_set():
    """A hook's closure dies in the middle of an in-place op and reads the tensor."""
    seen = []

    class Reads:
        def __init__(self, t):
            self.t = t

        def __call__(self, grad):
            return None

        def __del__(self):
            seen.append((type(self.t.grad_fn).__name__, self.t.output_nr))

    x = leaf(3)
    y = (x * 2).unbind()[0].clone()
    y.register_hook(Reads(y))
    y.detach_()
    gc.collect()
    assert all(nr == 0 for _, nr in seen)


@pytest.mark.parametrize("lib", libraries())
def test_a_list_that_holds_itself(lib):
    if lib is not gradcore:
        pytest.skip("torch overflows its stack too")
    endless = [np.ones(2)]
    endless.append(endless)
    for program in (lib.tensor, lib.as_tensor, lib.Tensor, lambda value: lib.zeros(3)[value]):
        with pytest.raises((ValueError, TypeError, IndexError)):
            program(endless)


def test_a_long_chain_of_lists_beside_arrays():
    chain = [np.ones(1)]
    for _ in range(100000):
        chain = [np.ones(1), chain]
    with pytest.raises((ValueError, TypeError)):
        gradcore.tensor(chain)
    while chain:  # it would end the interpreter's own destructor otherwise
        chain = chain[1] if len(chain) > 1 else None
