"""What nn.Module does in C, beside torch: attributes, calls, and what subclasses override. Each program returns its
findings; what it raises is compared too, with the message."""

import collections
import copy
import gc
import pickle
import sys
import threading
import typing
import weakref

import pytest

from support import both, needs_torch

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


def tried(action):
    """What an action gives, or the type and message of what it raises."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001  whatever it is, it is compared
        return type(error).__name__, str(error).replace("gradcore", "torch")


def unready(lib):
    class Unready(lib.nn.Module):
        def __init__(self):
            pass

        def forward(self, x):
            return x

    return Unready()


# ------------------------------------------------------------------------------------------------------------
# Reading


@program
def without_super_init(lib):
    module = unready(lib)
    module.plain = 3
    module.tensor = lib.ones(1)
    return [
        tried(lambda: module(1)),
        tried(lambda: module.weight),
        tried(lambda: setattr(module, "w", lib.nn.Parameter(lib.ones(1)))),
        tried(lambda: setattr(module, "w", lib.nn.ReLU())),
        tried(lambda: setattr(module, "w", lib.nn.Buffer(lib.ones(1)))),
        tried(lambda: delattr(module, "w")),
        tried(lambda: dir(module)),
        module.plain,
        module.tensor,
    ]


@program
def classes_and_instances_win_over_members(lib):
    class Net(lib.nn.Module):
        known = 7
        place = None

        def __init__(self):
            super().__init__()
            self.inner = lib.nn.Linear(2, 3)

        @property
        def whole(self):
            return 5

        @property
        def broken(self):
            return self.nothing

    net = Net()
    found = [net.known, net.whole, tried(lambda: net.broken)]
    net._parameters["whole"] = 1
    net._parameters["known"] = 1
    net.place = lib.nn.ReLU()
    found += [net.whole, net.known, net.place is None, "place" in net._modules]
    net.__dict__["inner"] = "of the dict"
    found.append(net.inner)
    return [*found, tried(lambda: setattr(net, "known", lib.nn.Parameter(lib.ones(1))))]


@program
def object_setattr_is_plain(lib):
    net = lib.nn.Sequential(lib.nn.ReLU())
    object.__setattr__(net, "hidden", lib.nn.Linear(2, 2))
    object.__setattr__(net, "0", "over it")
    return (
        isinstance(net.hidden, lib.nn.Linear),
        list(net._modules),
        getattr(net, "0"),
        object.__getattribute__(net, "0"),
    )


@program
def members_are_ordinary_dicts(lib):
    class Shouting(dict):
        def __getitem__(self, name):
            return name + "!"

    net = lib.nn.Linear(2, 3)
    net._parameters["extra"] = None
    found = [net.extra, "extra" in dir(net)]
    del net._parameters["extra"]
    found.append(tried(lambda: net.extra))
    net._parameters = collections.OrderedDict(net._parameters)
    found.append(net.weight.shape)
    net._buffers = Shouting(mean=0)
    found += [net.mean, tried(lambda: net.other)]
    net._parameters = None
    return [*found, tried(lambda: net.other)]


@program
def another_dict(lib):
    net = lib.nn.Identity()
    net.__dict__ = {"training": 3}
    return net.training, tried(lambda: net(1)), tried(lambda: net.weight)


@program
def attributes_before_init(lib):
    class Late(lib.nn.Module):
        def __init__(self):
            self.first = 1
            super().__init__()
            self.layer = lib.nn.Linear(2, 2)

        def forward(self, x):
            return self.first, self.layer.weight.shape, x

    return Late()(3)


@program
def odd_names(lib):
    net = lib.nn.ReLU()
    return [
        tried(lambda: net.__getattr__(3)),
        tried(lambda: net.__setattr__(3, 4)),
        hasattr(net, ""),
        getattr(net, "\u00e9", None),
        lib.nn.Module.__getattr__(lib.nn.Linear(2, 3), "weight").shape,
    ]


@program
def a_name_that_is_equal_only_when_asked(lib):
    class Name(str):
        def __eq__(self, other):
            return str(self) == other

        __hash__ = str.__hash__

    net = lib.nn.Linear(2, 3)
    return getattr(net, Name("weight")).shape, getattr(net, Name("in_features")), hasattr(net, Name("no"))


@program
def a_key_that_takes_the_dict_away(lib):
    class Key(str):
        def __eq__(self, other):
            net.__dict__.pop("_parameters", None)
            net.__dict__.pop("_buffers", None)
            return False

        __hash__ = str.__hash__

    net = lib.nn.Linear(2, 3)
    net._parameters = {Key("missing"): 1}
    return tried(lambda: net.missing), sorted(net.__dict__)[:1]


# ------------------------------------------------------------------------------------------------------------
# Overriding


@program
def getattr_of_a_subclass(lib):
    asked = []

    class Outer(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = lib.nn.Linear(2, 3)

        def __getattr__(self, name):
            asked.append(name)
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.inner, name)

    class Below(Outer):
        pass

    found = [
        (m.inner.in_features, m.weight.shape, m.in_features, tried(lambda m=m: m.nothing)) for m in (Outer(), Below())
    ]
    return found, asked


@program
def getattribute_of_a_subclass(lib):
    class Net(lib.nn.Linear):
        def __getattribute__(self, name):
            return 1 if name == "magic" else super().__getattribute__(name)

    net = Net(2, 3)
    return net.magic, net.weight.shape, net.in_features, tried(lambda: net.nothing), net(lib.ones(1, 2)).shape


@program
def lookup_that_is_overridden_later(lib):
    class Net(lib.nn.Linear):
        pass

    class Below(Net):
        pass

    net, below = Net(2, 3), Below(2, 3)
    found = [net.weight.shape, below.weight.shape]
    Net.__getattr__ = lambda self, name: "late " + name
    found += [net.weight, below.weight, net.other]
    del Net.__getattr__
    found += [net.weight.shape, below.weight.shape, tried(lambda: net.other)]
    Net.__getattribute__ = lambda self, name: "all " + name
    found += [net.weight, below.training]
    del Net.__getattribute__
    return [*found, net.weight.shape, below.training]


@program
def module_itself_patched(lib):
    module = lib.nn.Module
    net = lib.nn.Linear(2, 3)
    old = module.__call__, module.__getattr__, module.__setattr__
    found = [net.weight.shape]
    try:
        module.__call__ = lambda self, *args: "called"
        module.__getattr__ = lambda self, name: "got " + name
        module.__setattr__ = lambda self, name, value: self.__dict__.update({name: "set"})
        net.new = 3
        found += [net(1), net.weight, net.new]
    finally:
        module.__call__, module.__getattr__, module.__setattr__ = old
    net.newer = 3
    return [*found, net(lib.ones(1, 2)).shape, net.weight.shape, net.newer]


@program
def setattr_of_a_subclass(lib):
    class Twice(lib.nn.Module):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            super().__setattr__(name + "2", value)

    net = Twice()
    net.a = 3
    net.b = lib.nn.ReLU()
    return net.a2, list(net._modules)


@program
def call_of_a_subclass(lib):
    class Net(lib.nn.Module):
        def __call__(self, *args, **kwargs):
            return "mine", super().__call__(*args, **kwargs)

        def forward(self, x, y=1):
            return x, y

    return Net()(1, y=2), lib.nn.Module.__call__(Net(), 3), Net()._call_impl(4), Net()._wrapped_call_impl(5, y=6)


@program
def kinds_of_forward(lib):
    module = lib.nn.Module

    class Static(module):
        @staticmethod
        def forward(x):
            return x * 2

    class OfClass(module):
        @classmethod
        def forward(cls, x):
            return cls.__name__, x

    class Callable(module):
        forward = lib.nn.Identity()

    class Own(module):
        def __init__(self):
            super().__init__()
            self.forward = lambda x: x + 1

    class Prop(module):
        @property
        def forward(self):
            return lambda x: x - 1

    class Builtin(module):
        forward = len

    class Many(module):
        def forward(self, *args, last=0):
            return sum(args), last

    own = lib.nn.Identity()
    own.__call__ = lambda x: "never"
    return [
        Static()(4), OfClass()(4), Callable()(4), Own()(4), Prop()(4), own(4), tried(lambda: Builtin()([1, 2])),
        Many()(*range(30), last=5), Many()(), tried(lambda: lib.nn.Identity()()), tried(lambda: lib.nn.Identity()(1, 2)),
        tried(lambda: lib.nn.Identity()(1, input=2)), lib.nn.Identity()(input=3), tried(lambda: module()(1)),
    ]  # fmt: skip


@program
def errors_of_forward_come_through(lib):
    class Net(lib.nn.Module):
        def forward(self, error):
            raise error

    return tried(lambda: Net()(AttributeError("inner"))), tried(lambda: Net()(KeyError(3)))


@program
def forward_that_replaces_itself(lib):
    class Net(lib.nn.Module):
        def forward(self, x):
            Net.forward = lambda self, x: "second"
            gc.collect()
            self.__dict__.clear()
            return x

    net = Net()
    return net(1), tried(lambda: net(1))


@program
def hooks_that_others_write(lib):
    net = lib.nn.Identity()
    found = [net(1)]
    net._forward_hooks[7] = lambda module, args, out: ("hooked", args, out)
    found.append(net(1))
    net._forward_hooks.clear()
    net._forward_pre_hooks = {8: lambda module, args: 5}
    found.append(net(1))
    net._forward_pre_hooks = {}
    net._backward_hooks = None
    found.append(net(1))
    del net._backward_hooks
    return [*found, tried(lambda: net(1))]


@program
def global_hooks(lib):
    net = lib.nn.Identity()
    handle = lib.nn.modules.module.register_module_forward_hook(lambda module, args, out: ("all", out))
    try:
        found = [net(1)]
    finally:
        handle.remove()
    return [*found, net(1)]


# ------------------------------------------------------------------------------------------------------------
# Registering


@program
def replacing_members(lib):
    net = lib.nn.Sequential(lib.nn.Linear(2, 2))
    net.register_buffer("mean", lib.ones(1))
    net.mean = lib.zeros(2)
    found = [net._buffers["mean"], "mean" in net.__dict__]
    net.mean = None
    found.append(net.mean)
    net.plain = lib.ones(1)
    net.plain = lib.nn.Parameter(lib.ones(1))
    found += ["plain" in net.__dict__, list(net._parameters)]
    net.plain = None
    found += [net.plain, list(net._parameters)]
    net.other = lib.nn.ReLU()
    net.other = None
    found += [net.other, list(net._modules)]
    return [
        *found,
        tried(lambda: setattr(net, "mean", 3)),
        tried(lambda: setattr(net, "plain", lib.ones(1))),
        tried(lambda: setattr(net, "0", "module")),
        tried(lambda: setattr(net[0], "weight", lib.ones(1))),
    ]


@program
def what_says_that_it_is_a_module(lib):
    class Proxy:
        def __init__(self, inner):
            self.inner = inner

        @property
        def __class__(self):
            return type(self.inner)

    net = lib.nn.Module()
    net.proxy = Proxy(lib.nn.ReLU())
    return list(net._modules), "proxy" in net.__dict__


@program
def tensors_that_say_what_they_are(lib):
    class Own(lib.Tensor):
        pass

    net = lib.nn.Module()
    net.own = Own([1.0, 2.0])
    marked = Own([1.0, 2.0])
    marked._is_param = True
    net.parameter = marked
    net.buffer = lib.nn.Buffer(lib.ones(1))
    return sorted(net._parameters), sorted(net._buffers), sorted(k for k in net.__dict__ if k[0] != "_")


# ------------------------------------------------------------------------------------------------------------
# As a class of Python


@program
def slots(lib):
    class Net(lib.nn.Module):
        __slots__ = ("a", "b")

    net = Net()
    net.a, net.q = 3, 4
    return net.a, net.q, tried(lambda: net.b), "a" in net.__dict__


@program
def bases(lib):
    class Mixin:
        def hello(self):
            return self.x

    class First(Mixin, lib.nn.Module):
        pass

    class Last(lib.nn.Module, Mixin):
        pass

    class Lists(lib.nn.Module, list):
        pass

    class Dicts(dict, lib.nn.Module):
        def __init__(self):
            lib.nn.Module.__init__(self)

    found = []
    for cls in (First, Last):
        net = cls()
        net.x = lib.nn.Parameter(lib.ones(1))
        found.append(net.hello())
    lists = Lists()
    lists.append(1)
    dicts = Dicts()
    dicts["a"] = 1
    dicts.layer = lib.nn.ReLU()
    item = typing.TypeVar("item")

    class Of(lib.nn.Module, typing.Generic[item]):
        pass

    return [*found, list(lists), lists.training, dict(dicts), list(dicts._modules), Of[int]().training]


@program
def another_class(lib):
    class Net(lib.nn.Linear):
        extra = 3

    net = lib.nn.Linear(2, 3)
    net.weight  # noqa: B018  the lookup is now that of Linear
    net.__class__ = Net
    return net.extra, net.weight.shape, net(lib.ones(1, 2)).shape


@program
def collected_and_referenced(lib):
    net = lib.nn.Linear(2, 2)
    net.itself = net
    net.__dict__["again"] = net
    there = weakref.ref(net)
    alive = there() is net
    del net
    gc.collect()
    return alive, there() is None


@program
def copies(lib):
    net = lib.nn.Linear(2, 3)
    net.tag = ["a"]
    found = []
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), copy.copy(net)):
        found += [other.tag, other.weight.shape, other(lib.ones(1, 2)).shape, other.tag is net.tag]
    return found


@program
def signatures(lib):
    import inspect

    class Net(lib.nn.Module):
        def __call__(self, x):
            return x

    return [str(inspect.signature(x)) for x in (lib.nn.ReLU(), Net())], list(inspect.signature(lib.nn.ReLU).parameters)


@needs_torch
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs(program):
    both(program)


def test_reference_counts_stay():
    import gradcore

    net, x = gradcore.nn.Linear(2, 3), object()
    net.forward = lambda *args: None
    identity = gradcore.nn.Identity()

    def everything():
        net(x), identity(x), identity(input=x), net.weight, net.in_features, hasattr(net, "no")
        net.plain = x
        del net.plain

    for _ in range(10):
        everything()
    counted = [x, net, net._parameters, net.weight, identity]
    before = [sys.getrefcount(o) for o in counted]
    for _ in range(100):
        everything()
    assert [sys.getrefcount(o) for o in counted] == before


def test_threads_share_a_new_class():
    import gradcore

    class Net(gradcore.nn.Linear):
        pass

    net, found = Net(2, 3), []

    def read():
        found.extend(net.weight.shape == (3, 2) for _ in range(1000))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found) and len(found) == 4000


def test_hooks_of_a_call():
    def program(lib):
        def first(*given):
            return None

        def second(*given):
            return None

        net, old = lib.nn.Linear(2, 2), lib.nn.ReLU()
        net.register_full_backward_hook(first)
        net.register_full_backward_pre_hook(second)
        old.register_backward_hook(second)
        handle = lib.nn.modules.module.register_module_full_backward_hook(second)
        found = [part._get_backward_hooks() for part in (net, old)] + [net._get_backward_pre_hooks()]
        handle.remove()
        return [
            [getattr(h, "__name__", [g.__name__ for g in h] if isinstance(h, list) else h) for h in f] for f in found
        ]

    both(program)


def test_a_replica_has_no_parameters():
    def program(lib):
        net = lib.nn.Sequential(lib.nn.BatchNorm1d(2), lib.nn.Linear(2, 1))
        net.note = ["kept"]
        replica = net._replicate_for_data_parallel()
        part = net[0]._replicate_for_data_parallel()
        part.weight = lib.full((2,), 3.0)  # a plain tensor now
        part.num_batches_tracked = lib.tensor(7)
        replica.add_module("0", part)
        facts = [replica.note is net.note, replica._is_replica, type(replica) is type(net), net[0] is part]
        facts += [list(part._parameters), list(net[0]._parameters), int(net[0].num_batches_tracked), part.training]
        return [*facts, part.weight, net[0].weight, replica[1] is net[1], net[1]._slow_forward(lib.zeros(1, 2)).shape]

    both(program)
