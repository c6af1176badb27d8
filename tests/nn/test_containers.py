"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict beside torch's, one expression at a time."""

from collections import OrderedDict

import pytest
from test_module import raised

from support import both, is_tensor, needs_torch

SEQUENTIAL = """
    s[0] | s[-1] | s[5] | s[0:1] | s["a"] | s + nn.Sequential(nn.ELU()) | s + [1] | s * 2 | 2 * s | s * 0 | s * "a" | len(s)
    s.pop(0) | s | s.append(nn.ReLU()) | s.insert(0, nn.GELU()) | s.insert(9, nn.GELU()) | s.insert(0, 3) | s.extend([nn.ReLU()])
    s.extend(3) | s.append(3) | s.__setitem__(0, nn.ELU()) | s | s.__delitem__(0) | s | s.__delitem__(slice(0, 2)) | s
    s.__iadd__(nn.Sequential(nn.Tanh())) | s.__imul__(2) | list(s) | nn.Sequential(3) | nn.Sequential([nn.ReLU()])
    nn.Sequential()(3) | nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))[0:1] | list(s.state_dict()) | s(lib.ones(2))
    [name for name in dir(s) if name.isdigit()] | s.a | s.__iadd__([1])
"""
MODULE_LIST = """
    l[5] | l[-1] | l[0:1] | l["a"] | l + [nn.ELU()] | l.insert(1, nn.GELU()) | l | l.append(3) | l.extend(3) | l.extend([3])
    l.pop(0) | l.pop(slice(0, 1)) | l | l(3) | nn.ModuleList(3) | nn.ModuleList(nn.ReLU() for _ in range(2)) | list(reversed(l))
    nn.ReLU() in l | l.__setitem__(5, nn.GELU()) | l.__setitem__(0, 3) | l.__iadd__([nn.Tanh()]) | l.__delitem__(0) | l | len(l)
    nn.ModuleList() | nn.ModuleList([nn.Linear(2, 2) for _ in range(3)] + [nn.ReLU(), nn.ReLU(), nn.Tanh()])
    nn.ModuleList([nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU())]) | nn.ModuleList(l) | l.append(nn.ReLU()) | l * 2
"""
MODULE_DICT = """
    d["b"] | list(d.keys()) | list(d.items()) | list(d.values()) | d.update([("c", nn.Tanh())]) | d.update(3) | d.update([3])
    d.update([(1, 2, 3)]) | d.update({"x": 3}) | d.update({3: nn.ReLU()}) | d.pop("a") | d | len(d) | "a" in d | d(3) | list(d)
    nn.ModuleDict([["a", nn.ReLU()]]) | nn.ModuleDict([["keys", nn.ReLU()]]) | d.get("a") | d.__delitem__("c") | d
    nn.ModuleDict(nn.ModuleDict({"z": nn.ReLU()})) | d.clear() | d | d.pop("q")
"""
PARAMETER_LIST = """
    p | p[0] | p[-1] | p[5] | p[0:1][0] | p.append(3) | p | p.extend([lib.ones(1)]) | p.extend(3) | p(3) | len(p) | p.pop()
    list(p.state_dict()) | nn.ParameterList(nn.Parameter(lib.ones(1))) | nn.ParameterList(3) | nn.ParameterList([lib.ones(2, 3), "a", 3])
    p.__setitem__(0, lib.ones(7)) | p | p.__setitem__(9, lib.ones(7)) | list(p)[0] | p.__iadd__([lib.ones(4)]) | p["a"]
    [name for name in dir(p) if name.isdigit()] | [tuple(q.shape) for q in p.parameters()]
"""
PARAMETER_DICT = """
    q | q["a"] | q["z"] | list(q) | list(q.keys()) | [n for n, _ in q.items()] | q.pop("a") | q.update({"c": lib.ones(1)})
    q.setdefault("e", lib.ones(1)) | q.setdefault("r") | q.get("zz") | q.get("zz", 3) | q.fromkeys(["a", "b"], lib.ones(1))
    q.__or__({"zz": lib.ones(1)}) | q.__or__(nn.ParameterDict({"m": lib.ones(1)})) | {"zz": lib.ones(1)}.__class__ | q.copy() | q.popitem() | q(3) | list(reversed(q)) | "a" in q
    q.update(3) | q.update([3]) | q.update([(1, 2, 3)]) | list(q.state_dict()) | nn.ParameterDict([("a", 1), ("b", "x")])
    q.__ior__({"w": lib.ones(2)}) | len(q) | q.__delitem__("w") | q.clear() | q | list(q.values()) | nn.ParameterDict(nn.ParameterDict({"k": lib.ones(1)}))
    list(nn.ParameterDict({"b": lib.ones(1), "a": lib.ones(1)})) | list(nn.ParameterDict([("b", lib.ones(1)), ("a", lib.ones(1))]))
    list(nn.ParameterDict(nn.ParameterDict([("b", lib.ones(1)), ("a", lib.ones(1))]))) | q.update({"y": 1, "x": 2}) | list(q)
    nn.ParameterDict({1: lib.ones(1)}) | q.__setitem__(3.5, 1)
"""


def made(lib):
    nn = lib.nn
    return {
        "s": nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU()),
        "l": nn.ModuleList([nn.ReLU(), nn.Tanh()]),
        "d": nn.ModuleDict({"a": nn.ReLU()}),
        "p": nn.ParameterList([nn.Parameter(lib.ones(1)), lib.ones(2)]),
        "q": nn.ParameterDict({"a": nn.Parameter(lib.ones(1)), "b": lib.ones(2, 2)}),
        "nn": nn,
        "lib": lib,
        "OrderedDict": OrderedDict,
    }


def expressions(text):
    return [part.strip() for line in text.strip().splitlines() for part in line.split(" | ")]


@needs_torch
@pytest.mark.parametrize("text", [SEQUENTIAL, MODULE_LIST, MODULE_DICT, PARAMETER_LIST, PARAMETER_DICT],
                         ids=["Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"])  # fmt: skip
def test_expressions(text):
    """Each on what those before it left."""

    def program(lib):
        names = made(lib)
        lib.manual_seed(0)
        return [(e, raised(lambda e=e: plain(eval(e, names)))) for e in expressions(text)]  # noqa: S307  (texts of ours)

    def plain(value):
        return value.tolist() if is_tensor(value) else value

    both(program)


@needs_torch
def test_a_container():
    both(lambda lib: repr(lib.nn.Container(a=lib.nn.ReLU())))
