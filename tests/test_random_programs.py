"""Random programs of views, in-place writes, detach, no_grad, hooks and backward, run in torch and gradcore.

After every line both sides must agree on values, shapes, strides, versions, requires_grad, grad_fn and on the
type of an exception; at the end on every gradient. A failure prints the program, shrunk to what matters.
GRADCORE_TEST_PROGRAMS=5000 runs that many programs, new ones each time; the usual run is the same every time.
"""

import os
import re

import pytest

from support import Facts, Raised, difference, error_difference, gradcore, needs_torch, outcome, torch

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, note, reject, settings
from hypothesis import strategies as st

PROGRAMS = int(os.environ.get("GRADCORE_TEST_PROGRAMS", "0"))
TOLERANCE = {"ulps": 1e6, "scale": 1.0}  # float64; the two round differently, a wrong gradient is far away
SHAPES = [(3,), (2, 3), (3, 2), (2, 2), (2, 3, 2), (), (1, 3), (4,)]


# Lines that are not written because the two differ there today, and in what. Take out what is mended.
AVOIDED = {
    r"no_grad\(\): v\d+,? = v\d+[.\[]": "a view made under no_grad of a recorded tensor gets a .grad here",
    r"no_grad\(\): v\d+\.(t|squeeze|unsqueeze)_\(": "a shape changed after recording fails backward here",
    r"(v\d+)\.copy_\(\1\)": "copying a tensor to itself is not checked or counted here",
    r"(v\d+)\[.*\] = \1$": "the same through a subscript",
    r"\.as_strided\(": "writing to memory that overlaps itself is refused more often here, fill_ included",
    r"inputs=": "an input that is no leaf: its node is not used up here, and retains grad after a refusal",
    r"(^|: )v\d+\.(requires_grad_|detach_)\(": "a leaf that stops requiring grad still accumulates here, and"
                                                " so do earlier views of a tensor that starts to",
}
# Nodes whose names differ today though they do the same: in number, or as a fill is told from a copy.
RENAMED = {r"^(T|Squeeze|Unsqueeze)Backward\d$": r"\1Backward", r"^FillBackward\d$|.*CopyBackwards$": "Write"}


# ------------------------------------------------------------------------------------------------------------
# Running two libraries side by side


class Side:
    """One library's run: its variables, and what the last line did."""

    def __init__(self, lib):
        self.names = {"torch": lib}
        self.made_at = {}  # the version that a variable had at first: not every op makes its result at 0

    def run(self, line):
        found = outcome(lambda: exec(line, self.names))  # noqa: S102
        for name, value in self.variables().items():
            if value is not None:
                self.made_at.setdefault(name, value._version)
        return found

    def writes(self, name):
        return self.names[name]._version - self.made_at[name]

    def variables(self):
        return {name: value for name, value in self.names.items() if name.startswith("v")}


def grad_fn_name(tensor):
    if tensor.grad_fn is None:
        return None
    name = tensor.grad_fn.name()
    for pattern, replacement in RENAMED.items():
        name = re.sub(pattern, replacement, name)
    return name


def state(tensor, peek):
    """What must agree about a variable. Asking for grad_fn brings a view's history up to date, so that
    not asking is a different program: `peek` says which one this is."""
    if tensor is None:
        return None
    found = [Facts(tensor)]
    if peek:
        found += [outcome(grad_fn_name, tensor), outcome(lambda: tensor.is_leaf)]
    return found


def is_limit_of_torch(found):
    """What torch cannot do itself (a shape changed in place after it was recorded, say): no need to agree."""
    return isinstance(found, Raised) and re.search("returned an invalid gradient|INTERNAL ASSERT",
                                                   str(found.error))


def compare_outcomes(ours, theirs):
    if is_limit_of_torch(theirs):
        reject()
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        return error_difference(ours, theirs)
    return None


def compare_variables(ours, theirs, peek):
    for name, value in theirs.variables().items():
        left, right = state(ours.names[name], peek), state(value, peek)
        if (left is None) or (right is None):
            if left is not right:
                return f"{name} is {left!r}, not {right!r}"
            continue
        if ours.writes(name) != theirs.writes(name):
            return f"{name} was written to {ours.writes(name)} times, not {theirs.writes(name)}"
        for mine, other in zip(left, right, strict=True):
            if isinstance(mine, Raised) or isinstance(other, Raised):
                found = error_difference(mine, other)
            else:
                found = difference(mine, other, **TOLERANCE)
            if found:
                return f"{name}: {found}"
    return None


def gradients(side):
    return {name: value.grad for name, value in side.variables().items() if value is not None
            and (value.is_leaf or value.retains_grad)}


def compare_gradients(ours, theirs):
    mine, other = outcome(gradients, ours), outcome(gradients, theirs)
    if isinstance(mine, Raised) or isinstance(other, Raised):
        return error_difference(mine, other)
    return difference(mine, other, **TOLERANCE)


# ------------------------------------------------------------------------------------------------------------
# Writing programs


class Author:
    """Writes one line at a time, looking at torch's variables so that most lines make sense."""

    def __init__(self, choose, variables):
        self.choose = choose  # choose(n) is one of 0 .. n-1; 0 is the simplest
        self.variables = variables
        self.count = 0

    def one_of(self, options):
        return options[self.choose(len(options))]

    def new(self):
        self.count += 1
        return f"v{self.count - 1}"

    def tensors(self):
        return {name: value for name, value in self.variables().items() if value is not None}

    def any_name(self, wanted=lambda tensor: True):
        """A variable, of the wanted kind where there is one (but now and then any)."""
        names = [name for name, value in self.tensors().items() if wanted(value)]
        if not names or self.choose(12) == 11:
            names = list(self.tensors())
        return self.one_of(names)

    def operand(self, shape, beside=None):
        """A variable that broadcasts to `shape` (now and then any) and not lying across `beside`; or 0.5."""
        usable = {name: value for name, value in self.tensors().items() if beside is None
                  or not lie_across(value, beside)}
        fitting = [name for name, value in usable.items() if fits(value.shape, shape)]
        return self.one_of([*fitting, "0.5", *usable])

    def literal(self):
        shape = self.one_of(SHAPES)
        grad = self.one_of([".requires_grad_()", ""])
        size = 1
        for extent in shape:
            size *= extent
        values = f"torch.arange(1.0, {size + 1}, dtype=torch.float64).reshape({shape})"
        return f"{self.new()} = ({values} * 0.3){grad}"

    def index(self, shape):
        """A subscript for a tensor of that shape."""
        if not shape:
            return self.one_of(["...", "None", "()"])
        n = shape[0]
        basic = ["0", "-1", "0:1", "1:", "::2", "...", "None", ":0", "..., 0", "..., 1:", ":, None"]
        advanced = [f"torch.tensor([0, {n - 1}])", "[0, 0]",
                    f"torch.tensor([True] + [False] * {max(n - 1, 0)})"]
        return self.one_of(basic + advanced)

    def view(self):
        a = self.any_name()
        shape = tuple(self.tensors()[a].shape)
        dim = self.choose(max(len(shape), 1)) - (1 if self.choose(4) == 3 else 0)
        calls = [f"[{self.index(shape)}]", ".t()" if len(shape) <= 2 else ".transpose(0, 1)",
                 f".unsqueeze({dim})", ".squeeze()",
                 ".view(-1)", ".reshape(-1)", f".transpose(0, {dim})", f".select({dim}, 0)",
                 f".narrow({dim}, 0, 1)",
                 ".diagonal()", ".flatten()", f".view_as({a})", f".expand(2, *{a}.shape)",
                 f".unbind({dim})[0]",
                 f".split(1, {dim})[-1]", f".chunk(2, {dim})[0]",
                 f".permute({tuple(range(len(shape)))[::-1]})", ".detach()", ".data",
                 f".as_strided((2,), ({self.choose(3)},))", ".contiguous()", ".movedim(0, -1)"]
        return f"{self.new()} = {a}{self.one_of(calls)}"

    def compute(self):
        a = self.any_name()
        shape = tuple(self.tensors()[a].shape)
        b = self.operand(shape)
        forms = [f"{a} * {b}", f"{a} + {b}", f"{a}.sin()", f"{a} - {b}", f"{a}.tanh()",
                 f"{a}.exp().clamp(max=3)", f"{a}.sum()",
                 f"{a}.sum(0)", f"{a}.clone()", f"{a} ** 2", f"{a} / 2", f"torch.cat([{a}, {a}])",
                 f"torch.stack([{a}, {a}])",
                 f"torch.where({a} > 0.5, {a}, {b})", f"{a}.detach().clone().requires_grad_()",
                 f"{a}.sigmoid()", f"{a}.mean(-1)",
                 f"{a}.amax()", f"{a}.t() @ {a}" if len(shape) == 2 else f"{a}.abs()", f"{a}.cumsum(0)",
                 f"{a}.softmax(-1)"]
        return f"{self.new()} = {self.one_of(forms)}"

    def write(self):
        a = self.any_name(is_writable)
        target = self.tensors()[a]
        shape = tuple(target.shape)
        b = self.operand(shape, beside=target)
        if has_stride_0(target):
            return f"{a}.{self.one_of(['mul_', 'add_', 'sub_'])}({b if b[0] == 'v' else a})"  # refused
        forms = [f"{a}.mul_({b})", f"{a}.add_({b})", f"{a}[{self.index(shape)}] = {b}",
                 f"{a}.copy_({b} * v0)", f"{a}.zero_()",
                 f"{a}.sin_()", f"{a}.fill_(0.25)", f"{a}.sub_({b}, alpha=2)", f"{a} += {b}",
                 f"{a}[{self.index(shape)}] *= 2",
                 f"{a}.masked_fill_({a} > 0.9, 0.1)", f"{a}.clamp_(max=0.8)",
                 f"{a}.addcmul_({a}, {a}, value=0.5)", f"{a}.tanh_()",
                 f"{a}.fill_({self.any_name()}.sum())", f"{a}.neg_()"]
        if not target.retains_grad:  # torch leaves retain_grad at the old shape
            forms += [f"{a}.t_()", f"{a}.unsqueeze_(0)", f"{a}.squeeze_()"]
        return self.one_of(forms)

    def tape(self):
        a, b = self.any_name(requires_grad), self.any_name(requires_grad)
        retain = self.one_of(["", "retain_graph=True"])
        # Looking at grad_fn first keeps torch from crashing on a hook for a view whose base was written to.
        forms = [f"{a}.sum().backward({retain})", f"{a}.detach_()", f"{a}.requires_grad_()",
                 f"{a}.retain_grad()",
                 f"{a}.grad_fn; {a}.register_hook(lambda g: g * 2)", f"{a}.grad = None",
                 f"{self.new()} = torch.autograd.grad({a}.sin().sum(), {b}, create_graph=True)[0] * 1",
                 f"({a} * {a}).sum().backward(inputs=[{b}])", f"{a}.requires_grad_(False)"]
        return self.one_of(forms)

    def line(self):
        if self.count == 0:
            return self.literal()
        if self.count == 1:
            return f"{self.new()} = v0 * 1"  # what may be written to
        line = self.statement()
        while any(re.search(pattern, line) for pattern in AVOIDED):
            line = self.statement()
        return line

    def statement(self):
        kinds = [self.view, self.write, self.compute, self.view, self.write, self.tape, self.literal]
        line = self.one_of(kinds)()
        return f"with torch.no_grad(): {line}" if self.choose(6) == 5 else line


def requires_grad(tensor):
    return tensor.requires_grad


def is_writable(tensor):
    """Neither a leaf that requires grad nor a window on one."""
    owner = tensor._base if tensor._is_view() else tensor
    return not (owner.is_leaf and owner.requires_grad)


def has_stride_0(tensor):
    return any(stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True))


def lie_across(a, b):
    """Whether the two share memory and are not the same elements: what an op then reads is anyone's guess."""
    if a.untyped_storage().data_ptr() != b.untyped_storage().data_ptr():
        return False
    return (a.data_ptr(), a.shape, a.stride()) != (b.data_ptr(), b.shape, b.stride())


def fits(small, large):
    """Whether a tensor of shape `small` broadcasts to `large`."""
    small, large = tuple(small), tuple(large)
    if len(small) > len(large):
        return False
    return all(a in (1, b) for a, b in zip(small[::-1], large[::-1], strict=False))


FINAL = "sum(t.sum() * i for i, t in enumerate([{names}], 1) if t is not None and t.requires_grad).backward()"


def run_program(choose, remember):
    """Writes and runs a program; remember(line) is called before each line runs."""
    ours, theirs = Side(gradcore), Side(torch)
    author = Author(choose, theirs.variables)
    peek = choose(2) == 0
    for _ in range(3 + choose(12)):
        line = author.line()
        remember(line)
        found = compare_outcomes(ours.run(line), theirs.run(line)) or compare_variables(ours, theirs, peek)
        assert not found, found
    line = FINAL.format(names=", ".join(theirs.variables()))
    remember(line)
    found = compare_outcomes(ours.run(line), theirs.run(line)) or compare_gradients(ours, theirs)
    found = found or compare_variables(ours, theirs, peek=True)
    assert not found, found


@needs_torch
@settings(max_examples=PROGRAMS or 300, deadline=None, derandomize=not PROGRAMS, database=None,
          suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_programs(data):
    run_program(lambda n: data.draw(st.integers(0, n - 1)), note)
