"""Random programs of views, in-place writes, hooks, Functions, checkpoints, grad and threads, run in torch and gradcore.

After every line both sides must agree on values, shapes, strides, versions, requires_grad, grad_fn, on what hooks saw and on
the type of an exception; at the end on every gradient. test_random_programs.py runs a few in every test run, and shrinks
those that fail; the long run is `python tests/random_programs 20000`, which prints each program with a difference.
Without torch the programs run in gradcore alone, and the long run says what their lines raised: that is for sanitizers.
Start at `run_program`; a new kind of statement is a method of Author and its name in KINDS.
"""

import contextlib
import random
import re
import time
from collections import Counter

from program_parts import parts

from support import Facts, Raised, difference, error_difference, gradcore, outcome, torch

TOLERANCE = {"ulps": 1e6, "scale": 1.0}  # float64; the two round differently, a wrong gradient is far away
SHAPES = [(3,), (2, 3), (3, 2), (2, 2), (2, 3, 2), (), (1, 3), (4,)]


# Lines that are not written because the two differ there today, and in what. Take out what is mended.
AVOIDED = {
    r"no_grad\(\): v\d+\.(t|squeeze|unsqueeze)_\(": "torch's backward then refuses a gradient of the other shape",
    r"no_grad\(\): .*(grad|jacrev)\(lambda t: \(?t \+ v": "a no_grad view of what was written since is asked for its history here",
    r"(v\d+)\[None\] = \1$": "torch refuses to copy a tensor to itself where the strides of dims of one element differ",
}
# Nodes whose names differ today though they do the same: in number, or as a fill is told from a copy.
RENAMED = {r"^(T|Squeeze|Unsqueeze)Backward\d$": r"\1Backward", r"^FillBackward\d$|.*CopyBackwards$": "Write"}


# ------------------------------------------------------------------------------------------------------------
# Running two libraries side by side


class Unfit(Exception):
    """A program that torch itself cannot do: there is nothing to compare."""


class Side:
    """One library's run: its variables, what the last line did, and what its hooks saw."""

    def __init__(self, lib):
        self.seen = []
        self.names = {"torch": lib, **parts(lib, self.seen)}
        self.raised = []
        self.unpacked = set()  # names of tangents that unpack_dual() gave
        self.made_at = {}  # the version that a variable had at first: not every op makes its result at 0

    def run(self, line):
        found = outcome(lambda: exec(line, self.names))  # noqa: S102
        if "= unpack_dual" in line:
            self.unpacked.add(re.findall(r"v\d+", line.partition(" = ")[0])[-1])
        if isinstance(found, Raised):
            self.raised.append(type(found.error).__name__)  # not the error: it keeps what it met alive
        for name, value in self.variables().items():
            if value is not None:
                self.made_at.setdefault(name, value._version)
        return found

    def writes(self, name):
        return self.names[name]._version - self.made_at[name]

    def variables(self):
        return {name: value for name, value in self.names.items() if re.fullmatch(r"v\d+", name)}

    def tangents(self):
        """Of the variables, while a level of forward mode is open."""
        if not self.names["levels"]:
            return {}
        return {
            name: outcome(lambda t=value: self.names["unpack_dual"](t).tangent)
            for name, value in self.variables().items()
            if value is not None
        }


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
    limits = (
        "returned an invalid gradient|INTERNAL ASSERT|_will_engine_execute_node|Expected tensor for argument #1 'grad'"
    )
    return isinstance(found, Raised) and re.search(limits, str(found.error))


def grows(side):
    """Whether rounding may decide what comes next: the sine of a large number is arbitrary."""
    return any(
        value is not None and value.numel() and not value.detach().abs().max() < 1e5
        for value in side.variables().values()
    )


def compare_outcomes(ours, theirs, in_order=True):
    if is_limit_of_torch(theirs):
        raise Unfit
    if (
        isinstance(ours, Raised)
        and isinstance(theirs, Raised)
        and (not in_order or found_in_recomputing(theirs) or of_two_faults(ours, theirs))
    ):
        return None
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        return error_difference(ours, theirs)
    return None


def stop_at_one_place(ours, theirs, in_order):
    """Whether both, where they fail, had done the same before. Not where something saved was written to: torch's derivatives save
    more (abs() its operand twice), and stop earlier. Nor where a leaf has got a history: torch calls the hooks of its new place
    at the old one before it refuses."""
    if not isinstance(theirs, Raised):
        return True
    if not in_order or (isinstance(ours, Raised) and of_two_faults(ours, theirs)):
        return False
    return not re.search("has been modified by an inplace operation|moved into the graph interior", str(theirs.error))


def found_in_recomputing(theirs):
    """Torch saves operands before it computes, so that a checkpoint finds other shapes there before the op refuses them."""
    return "have different metadata than during the forward pass" in str(theirs.error)


def of_two_faults(ours, theirs):
    """Whether a line uses a view that is not to be used any more, or runs the Function whose backward fails, and has another
    fault, and each library tells of one."""
    phrases = ("has been modified inplace", "this backward always fails")
    return any(len({phrase in str(raised.error) for raised in (ours, theirs)}) == 2 for phrase in phrases)


def compare_variables(ours, theirs, peek):
    for name, value in theirs.variables().items():
        left, right = state(ours.names[name], peek), state(value, peek)
        if (left is None) or (right is None):
            if left is not right:
                return f"{name} is {left!r}, not {right!r}"
            continue
        if peek and name in ours.unpacked:
            left[1] = right[1]  # which nodes a derivative is made of: torch adds zeros for tangents that are not there
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


def compare_tangents(ours, theirs):
    mine, other = ours.tangents(), theirs.tangents()
    for name in other:
        if isinstance(mine[name], Raised) or isinstance(other[name], Raised):
            found = error_difference(mine[name], other[name])
        else:
            if other[name] is not None and mine[name] is not None:
                mine[name].requires_grad |= other[name].requires_grad  # torch's may do so without need: see README
            found = difference(mine[name], other[name], **TOLERANCE, strides="ignored")
        if found:
            return f"the tangent of {name}: {found}"
    return None


def compare_seen(ours, theirs, in_order):
    """What hooks were given. None stands for a gradient that never came."""
    mine, other = ours.seen[:], theirs.seen[:]
    if not in_order:
        mine.sort(key=by_label)
        other.sort(key=by_label)
    ours.seen.clear()
    theirs.seen.clear()
    if [label for label, _ in mine] != [label for label, _ in other]:
        return f"hooks were called {[label for label, _ in mine]}, not {[label for label, _ in other]}"
    for (label, left), (_, right) in zip(mine, other, strict=True):
        if right is None:
            continue  # torch's nodes leave out gradients that nobody asked for
        found = difference(left, right, **TOLERANCE, strides="ignored") if in_order else None
        if found:
            return f"hook {label}: {found}"
    return None


def by_label(seen):
    return seen[0]


def forget_gradients(*sides):
    for side in sides:
        for value in side.variables().values():
            if value is not None:
                with contextlib.suppress(RuntimeError):  # a view whose history is refused
                    value.grad = None


def gradients(side):
    return {
        name: value.grad
        for name, value in side.variables().items()
        if value is not None and (value.is_leaf or value.retains_grad)
    }


def compare_gradients(ours, theirs):
    mine, other = outcome(gradients, ours), outcome(gradients, theirs)
    if isinstance(mine, Raised) or isinstance(other, Raised):
        return error_difference(mine, other)
    return difference(mine, other, **TOLERANCE)


# ------------------------------------------------------------------------------------------------------------
# Writing programs


class Author:
    """Writes one line at a time, looking at torch's variables so that most lines make sense."""

    def __init__(self, choose, variables, levels, alone=False):
        self.choose = choose  # choose(n) is one of 0 .. n-1; 0 is the simplest
        self.alone = alone  # nothing is compared with torch
        self.variables = variables
        self.levels = levels  # of forward mode, those that are open
        self.count = self.count_labels = 0
        # Torch's multi-grad hooks of mode "all" forget how many gradients they wait for when a backward runs inside a
        # backward: a program has the one or the other.
        self.waits = self.nests = False
        self.removes_itself = False  # some hook: of two threads at once each may still call it, or one
        self.on_cpu = set()  # names of what save_on_cpu() may have kept: torch keeps the tensor itself
        self.mapped_over = (
            set()
        )  # names of func's arguments: torch refuses what was detach_()ed since, which here is a window
        self.hooked = {}  # by identity, for two names may be one tensor: its version when it got its first hook

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
        usable = {
            name: value for name, value in self.tensors().items() if beside is None or not lie_across(value, beside)
        }
        fitting = [name for name, value in usable.items() if fits(value.shape, shape)]
        return self.one_of([*fitting, "0.5", *usable])

    def literal(self):
        shape = self.one_of(SHAPES)
        grad = self.one_of([".requires_grad_()", ""])
        size = 1
        for extent in shape:
            size *= extent
        values = f"torch.arange(1.0, {size + 1}, dtype=torch.float64).reshape({shape})"
        return (
            f"{self.new()} = ({values}.square() * 0.05){grad}"  # at unequal distances: else rounding decides ties later
        )

    def index(self, shape):
        """A subscript for a tensor of that shape."""
        if not shape:
            return self.one_of(["...", "None", "()"])
        n = shape[0]
        basic = ["0", "-1", "0:1", "1:", "::2", "...", "None", ":0", "..., 0", "..., 1:", ":, None"]
        advanced = [f"torch.tensor([0, {n - 1}])", "[0, 0]", f"torch.tensor([True] + [False] * {max(n - 1, 0)})"]
        return self.one_of(basic + advanced)

    def view(self):
        a = self.any_name()
        shape = tuple(self.tensors()[a].shape)
        dim = self.choose(max(len(shape), 1)) - (1 if self.choose(4) == 3 else 0)
        calls = [
            f"[{self.index(shape)}]",
            ".t()" if len(shape) <= 2 else ".transpose(0, 1)",
            f".unsqueeze({dim})",
            ".squeeze()",
            ".view(-1)",
            ".reshape(-1)",
            f".transpose(0, {dim})",
            f".select({dim}, 0)",
            f".narrow({dim}, 0, 1)",
            ".diagonal()",
            ".flatten()",
            f".view_as({a})",
            f".expand(2, *{a}.shape)",
            f".unbind({dim})[0]",
            f".split(1, {dim})[-1]",
            f".chunk(2, {dim})[0]",
            f".permute({tuple(range(len(shape)))[::-1]})",
            ".detach()",
            ".data",
            f".as_strided((2,), ({self.choose(3)},))",
            ".contiguous()",
            ".movedim(0, -1)",
        ]
        return f"{self.new()} = {a}{self.one_of(calls)}"

    def compute(self):
        a = self.any_name()
        shape = tuple(self.tensors()[a].shape)
        b = self.operand(shape)
        forms = [
            f"{a} * {b}",
            f"{a} + {b}",
            f"{a}.sin()",
            f"{a} - {b}",
            f"{a}.tanh()",
            f"{a}.exp().clamp(max=3)",
            f"{a}.sum()",
            f"{a}.sum(0)",
            f"{a}.clone()",
            f"{a} ** 2",
            f"{a} / 2",
            f"torch.cat([{a}, {a}])",
            f"torch.stack([{a}, {a}])",
            f"torch.where({a} > 0.5, {a}, {b})",
            f"{a}.detach().clone().requires_grad_()",
            f"{a}.sigmoid()",
            f"{a}.mean(-1)",
            f"{a}.amax()",
            f"{a}.t() @ {a}" if len(shape) == 2 else f"{a}.abs()",
            f"{a}.cumsum(0)",
            f"{a}.softmax(-1)",
        ]
        return f"{self.new()} = {self.one_of(forms)}"

    def write(self):
        a = self.any_name(is_writable)
        target = self.tensors()[a]
        shape = tuple(target.shape)
        b = self.operand(shape, beside=target)
        if (
            self.levels and b in self.tensors() and memory_of(self.tensors()[b]) == memory_of(target)
        ):  # as addcmul_ below
            b = "0.5"
        if has_stride_0(target):
            return f"{a}.{self.one_of(['mul_', 'add_', 'sub_'])}({b if b[0] == 'v' else a})"  # refused
        forms = [
            f"{a}.mul_({b})",
            f"{a}.add_({b})",
            f"{a}[{self.index(shape)}] = {b}",
            f"{a}.copy_({b} * v0)",
            f"{a}.zero_()",
            f"{a}.sin_()",
            f"{a}.fill_(0.25)",
            f"{a}.sub_({b}, alpha=2)",
            f"{a} += {b}",
            f"{a}[{self.index(shape)}] *= 2",
            f"{a}.masked_fill_({a} > 0.9, 0.1)",
            f"{a}.clamp_(max=0.8)",
            # Torch multiplies a dual's tangent by what it has just written.
            f"{a}.add_({a})" if self.levels else f"{a}.addcmul_({a}, {a}, value=0.5)",
            f"{a}.tanh_()",
            f"{a}.fill_({self.any_name()}.sum())",
            f"{a}.neg_()",
        ]
        # Torch leaves retain_grad at the old shape, and what save_on_cpu() kept takes the new one.
        if not target.retains_grad and not self.is_among(target, self.on_cpu):
            forms += [f"{a}.t_()", f"{a}.unsqueeze_(0)", f"{a}.squeeze_()"]
        return self.one_of(forms)

    def tape(self):
        a, b = self.any_name(requires_grad), self.any_name(requires_grad)
        retain = self.one_of(["", "retain_graph=True"])
        # Looking at grad_fn first keeps torch from crashing on a hook for a view whose base was written to.
        forms = [
            f"{a}.sum().backward({retain})",
            f"{a}.detach_()",
            f"{a}.requires_grad_()",
            f"{a}.retain_grad()",
            f"{a}.grad_fn; {a}.register_hook(lambda g: g * 2)",
            f"{a}.grad = None",
            f"{self.new()} = torch.autograd.grad({a}.sin().sum(), {b}, create_graph=True)[0] * 1",
            f"({a} * {a}).sum().backward(inputs=[{b}])",
            f"{a}.requires_grad_(False)",
        ]
        line = self.one_of(forms)
        if line == f"{a}.detach_()" and self.is_among(self.tensors()[a], self.mapped_over):
            return self.function()
        return line if "register_hook" not in line or self.may_hook(a) else self.function()

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
        line = getattr(self, self.one_of(KINDS))()
        if self.choose(6) < 5:
            return line
        return f"with torch.no_grad(), {line[5:]}" if line.startswith("with ") else f"with torch.no_grad(): {line}"

    # -- what came with hooks, Functions and the rest; the names used in the lines stand in program_parts.py

    def is_among(self, tensor, names):
        """Whether it is one of the variables of these names; several may be one tensor."""
        return any(self.tensors().get(name) is tensor for name in names)

    def leaves_alone_in_memory(self):
        """Leaves that share no memory: where a tensor is given other data, torch alone counts what is written to it from then on
        for what has its old memory as well: views, and a result that its node saved."""
        return [
            name
            for name, value in self.tensors().items()
            if not value._is_view()
            and value.is_leaf
            and not any(
                other is not value and memory_of(other) == memory_of(value) for other in self.tensors().values()
            )
        ]

    def may_hook(self, name):
        """Torch's second hook on a tensor may stay where its first one is although the tensor was written to in between."""
        tensor = self.tensors()[name]
        return self.hooked.setdefault(id(tensor), tensor._version) == tensor._version

    def label(self):
        self.count_labels += 1
        return f"'h{self.count_labels}'"

    def hook(self):
        a, b = self.any_name(requires_grad), self.any_name(requires_grad)
        if not (self.may_hook(a) and self.may_hook(b)):
            return self.function()
        peeked = f"{a}.grad_fn; "  # as in tape()
        label = self.label()
        mode = "any" if self.nests else self.one_of(["all", "any"])
        self.waits |= mode == "all"
        forms = [
            f"{peeked}kept({a}.register_hook(note({label})))",
            f"{peeked}kept({a}.register_hook(note({label}, 2)))",
            f"{peeked}kept({a}.register_hook(once({label})))",
            f"kept({a}.grad_fn.register_hook(note_node({label})))",
            f"kept({a}.grad_fn.register_hook(note_node({label}, 3)))",
            f"kept({a}.grad_fn.register_prehook(note_node({label})))",
            f"kept({a}.grad_fn.register_prehook(note_node({label}, 2)))",
            f"kept({a}.register_post_accumulate_grad_hook(note_leaf({label})))",
            f"{peeked}{b}.grad_fn; multi_grad([{a}, {b}], {label}, '{mode}')",
            "remove_last_hook()",
        ]
        line = self.one_of(forms)
        self.removes_itself |= "once" in line
        return line

    def function(self):
        a, b = self.any_name(requires_grad), self.any_name(requires_grad)
        forms = [
            f"{self.new()} = Cube.apply({a})",
            f"{self.new()} = Scale.apply({a}, 3.0)",
            f"{self.new()} = ExpOut.apply({a})",
            f"{self.new()}, {self.new()} = WithSign.apply({a})",
            f"{self.new()} = Product.apply({a}, {b})",
            f"{self.new()} = Once.apply({a})",
            f"{self.new()}, {self.new()} = Sparse.apply({a}, {b})",
            f"{self.new()} = Inner.apply({a})",
            f"{self.new()} = SetUp.apply({a}, 2)",
            f"{self.new()} = Same.apply({a})",
            f"{self.new()} = Flat.apply({a})",
            f"{self.new()} = Failing.apply({a})",
        ]
        if is_writable(self.tensors()[a]) and not has_stride_0(self.tensors()[a]):
            forms += [f"{self.new()} = Doubled.apply({a})", f"Doubled.apply({a})", f"Doubled.apply({a})"]
        return self.one_of(forms)

    def gradient(self):
        a, b, c = (self.any_name(requires_grad) for _ in range(3))
        graph = self.one_of(["create_graph=True", "retain_graph=True", "create_graph=True, retain_graph=False", ""])
        forms = [
            f"{self.new()}, = fresh(torch.autograd.grad({a}.sum(), [{b}], allow_unused=True, {graph}))",
            # With one root torch calls that root's hooks even where nothing below it is asked for: here it has none.
            f"{self.new()}, = fresh(torch.autograd.grad({a} * 1, [{b}], torch.ones_like({a}) * 0.5, {graph}))",
            f"{self.new()}, {self.new()} = fresh(torch.autograd.grad([{a}.sum(), ({b} * 2).sum()], [{c}, {b}], allow_unused=True, {graph}))",
            f"{self.new()}, {self.new()} = fresh(torch.autograd.grad({a}.sin().sum(), [{b}, {c}], materialize_grads=True, {graph}))",
            f"({a} * {a}).sum().backward({graph})",
            f"torch.autograd.backward([{a}.sum(), ({b} * 3).sum()], {graph})",
            # Nor do those hooks know that they were reached where the tensor itself is the only root.
            f"({a}{' * 1' if self.waits else ''}).backward(torch.ones_like({a}), {graph})",
        ]
        return self.one_of(forms)

    def recomputed(self):
        a, b = self.any_name(requires_grad), self.any_name(requires_grad)
        # b is a copy: a tensor that is written to later may come to depend on the checkpoint that would recompute with it.
        reentrant = "False" if self.waits else self.one_of(["False", "True"])
        if (
            self.levels and reentrant == "False"
        ):  # torch counts what tangents save, which a recomputation after the level lacks
            return self.compute()
        self.nests |= reentrant == "True"
        body = self.one_of(["t.sin() * t", "t.exp() * b", "t.sum() * t", "Cube.apply(t)", "(t * 2).mul_(b.sum())"])
        two = f"{self.new()} = checkpoint(lambda s, t: s * t.sin(), {a}, {b}, use_reentrant={reentrant})"
        return self.one_of(
            [f"{self.new()} = checkpoint(lambda t, b={b} * 1: {body}, {a}, use_reentrant={reentrant})", two]
        )

    def packed(self):
        hooks = ["cloning()", "halving()", "save_on_cpu()", *(f"moving({a})" for a in self.leaves_alone_in_memory())]
        if self.alone:  # what must not crash alone: torch computes with what it finds then, or crashes
            a, b = self.any_name(), self.any_name()
            hooks += [f"moving({a}, {b})", f"giving({a}, {b})", f"giving({a}, v0, v1)", f"unpacking({a})"]
        line = f"with {self.one_of(hooks)}: {self.one_of([self.compute, self.function, *[self.write] * self.alone])()}"
        if "save_on_cpu" in line:
            self.on_cpu |= set(re.findall(r"v\d+", line))
        return line

    def threaded(self):
        if self.levels:  # they belong to the thread here
            return self.compute()
        a, b = self.any_name(requires_grad), self.any_name(requires_grad)
        forms = [
            f"{self.new()} = in_thread(lambda: {a} * 2)",
            f"in_thread(lambda: ({a} * {a}).sum().backward())",
            f"{self.new()}, {self.new()} = in_threads(lambda: torch.autograd.grad(({a} ** 2).sum(), {a})[0], "
            f"lambda: torch.autograd.grad({b}.sin().sum(), {b})[0])",
            f"in_threads(lambda: leaf_of({a}).mul(2).sum().backward(), lambda: leaf_of({a}).exp().sum().backward())",
        ]
        return self.one_of(forms[:2] if self.removes_itself else forms)

    def dual(self):
        """A line of forward mode, whose level spans the lines until it is left."""
        a = self.any_name()
        same = [name for name, value in self.tensors().items() if value.shape == self.tensors()[a].shape]
        tangent = self.one_of([f"torch.ones_like({a}) * 0.5", *same])
        # A copy: torch refuses to write to a leaf's memory after it has written to the dual's.
        forms = [
            f"{self.new()} = make_dual({a}, {tangent} * 1)",
            f"{self.new()} = make_dual({a} * 1, {tangent} * 1)",
            "enter_level()",
            f"{self.new()}, {self.new()} = unpack_dual({a})",
            "exit_level()",
            f"{self.new()} = Dual.apply({a}, {tangent})",
            f"{self.new()}, {self.new()} = forward_mode(lambda t: (t * {a}).tanh().sum(0), {a}, {tangent})",
        ]
        return self.one_of(forms)

    def mapped(self):
        """A transformation of func, or a batch of gradients. In what order vmap leaves memory is not compared."""
        # Torch refuses some batches of nothing, as its rules happen to be made.
        a, b = self.one_of([name for name, value in self.tensors().items() if value.numel()]), self.any_name()
        shape = tuple(self.tensors()[a].shape)
        dim = self.choose(max(len(shape), 1)) - (1 if self.choose(4) == 3 else 0)
        body = self.one_of(
            [
                "t * t.sin()",
                "t.sum() * t",
                "(t * 2).mul_(t)",
                f"t + {b}",
                "t.view(-1)",
                "t.clone().t_()",
                "torch.stack([t, t])",
                "t.amax()",
                "t[0]",
                "t.cumsum(-1)",
                "t.unsqueeze(0).expand(2, *t.shape)",
                "torch.where(t > 0.5, t, 1.0)",
            ]
        )
        refused = self.one_of(
            [
                f"{b}.add_(1.0) * t",
                f"{b}.detach().mul_(0.5) * t",
                "torch.autograd.backward(t.sum())",
                "t.requires_grad_()",
            ]
        )
        forms = [
            f"{self.new()} = vmap(lambda t: {body}, in_dims={dim})({a}).contiguous() * 1",
            f"{self.new()} = vmap(lambda t: {body}, in_dims={dim}, out_dims=-1)({a}).contiguous() * 1",
            f"{self.new()} = vmap(lambda t, s: t * s, in_dims=({dim}, None))({a}, {b}).contiguous() * 1",
            f"{self.new()} = vmap(vmap(lambda t: {body}))({a}).contiguous() * 1",
            f"{self.new()} = grad(lambda t: ({body}).sum())({a}) * 1",
            f"{self.new()} = vmap(grad(lambda t: ({body}).sum()))({a}).contiguous() * 1",
            f"{self.new()} = jacrev(lambda t: {body})({a}).contiguous() * 1",
            f"{self.new()} = grad(lambda t: ({refused}).sum())({a}) * 1",
            f"{self.new()} = vmap(grad(lambda t: ({refused}).sum()))({a}).contiguous() * 1",
            f"{self.new()}, = fresh(torch.autograd.grad(({a} * 1).sin(), [{a}], torch.stack([torch.ones_like({a})] * 2), "
            "is_grads_batched=True))",
        ]
        if self.tensors()[a].retains_grad:  # it would retain a batch
            forms.pop()
        if "mul_" not in body:  # torch's forward mode saves more than it needs, which a later write then spoils
            forms += [
                f"{self.new()}, {self.new()} = fresh(jvp(lambda t: {body}, ({a},), ({a} * 0.5,)))",
                f"{self.new()} = jacfwd(lambda t: {body})({a}).contiguous() * 1",
            ]
        line = self.one_of(forms)
        self.mapped_over |= {a} if "is_grads_batched" not in line else set()
        return line


# What a line may be, as often as it stands here.
# fmt: off
KINDS = [
    "view", "write", "compute", "view", "write", "tape", "literal", "hook", "function", "gradient", "recomputed",
    "packed", "threaded", "dual", "dual", "mapped",
]
# fmt: on


def requires_grad(tensor):
    return tensor.requires_grad


def is_writable(tensor):
    """Neither a leaf that requires grad nor a window on one."""
    owner = tensor._base if tensor._is_view() else tensor
    return not (owner.is_leaf and owner.requires_grad)


def has_stride_0(tensor):
    return any(stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True))


def memory_of(tensor):
    return tensor.data_ptr() - tensor.storage_offset() * tensor.element_size()


def lie_across(a, b):
    """Whether the two share memory and are not the same elements: an op then reads arbitrary values."""
    if memory_of(a) != memory_of(b):
        return False
    return (a.data_ptr(), a.shape, a.stride()) != (b.data_ptr(), b.shape, b.stride())


def fits(small, large):
    """Whether a tensor of shape `small` broadcasts to `large`."""
    small, large = tuple(small), tuple(large)
    if len(small) > len(large):
        return False
    return all(a in (1, b) for a, b in zip(small[::-1], large[::-1], strict=False))


FINAL = "sum(t.sum() * i for i, t in enumerate([{names}], 1) if t is not None and t.requires_grad).backward()"


def run_program(choose, remember, oracle=torch):
    """Writes and runs a program; remember(line) is called before each line runs. The types of what gradcore raised."""
    ours = Side(gradcore)
    theirs = ours if oracle is None else Side(oracle)
    try:
        run_on_both(ours, theirs, choose, remember)
    finally:
        for side in (ours, theirs):
            while side.names.get("levels"):
                side.names["exit_level"]()
            side.names.clear()  # a graph with a checkpoint's lambda in it refers to them, in a cycle that nobody sees
    return ours.raised


def run_line(line, ours, theirs):
    """What came of it on each side; without torch they are one, which runs it once and agrees with itself."""
    found = ours.run(line)
    if theirs is ours:
        return found, found
    other = theirs.run(line)
    if takes_for_leaf(other, line, theirs):
        raise Unfit
    return found, other


def takes_for_leaf(found, line, theirs):
    """Whether torch refused to write to a view as a leaf only because nobody had asked for its grad_fn since its base came
    to require grad: it is none when asked."""
    if not isinstance(found, Raised) or not str(found.error).startswith(
        "a leaf Variable that requires grad is being used"
    ):
        return False
    written = next(theirs.names[name] for name in re.findall(r"v\d+", line) if theirs.names.get(name) is not None)
    return written._is_view() and not written.is_leaf


def run_on_both(ours, theirs, choose, remember):
    author = Author(choose, theirs.variables, theirs.names["levels"], alone=ours is theirs)
    peek = choose(2) == 0
    in_order = True
    for _ in range(3 + choose(12)):
        line = author.line()
        remember(line)
        # Torch numbers the nodes of each thread by themselves: in what order a backward visits those of several is its own
        # affair, and so are its hooks' order and values in between, and what was done when it fails.
        in_order &= "in_thread" not in line
        mine, other = run_line(line, ours, theirs)
        found = (
            compare_outcomes(mine, other, in_order)
            or compare_variables(ours, theirs, peek)
            or compare_tangents(ours, theirs)
        )
        alike = stop_at_one_place(mine, other, in_order)
        if alike:
            found = found or compare_seen(ours, theirs, in_order)
        assert not found, found
        if grows(theirs):
            raise Unfit
        if not alike:
            forget_gradients(ours, theirs)
            ours.seen.clear()
            theirs.seen.clear()
    line = FINAL.format(names=", ".join(theirs.variables()))
    remember(line)
    mine, other = run_line(line, ours, theirs)
    found = compare_outcomes(mine, other, in_order)
    if stop_at_one_place(mine, other, in_order):
        found = found or compare_gradients(ours, theirs) or compare_seen(ours, theirs, in_order)
    found = found or compare_variables(ours, theirs, peek=True)
    assert not found, found


# ------------------------------------------------------------------------------------------------------------
# The long run


def long_run(programs, seed, oracle=torch):
    """Runs so many programs and prints each that differs; how many did."""
    different, unfit, raised = 0, 0, Counter()
    started = time.monotonic()
    for i in range(seed, seed + programs):
        draw, lines = random.Random(i).randrange, []
        try:
            raised.update(run_program(draw, lines.append, oracle))
        except Unfit:
            unfit += 1
        except AssertionError as error:
            different += 1
            print(f"--- program {i}: {error}", *lines, sep="\n", flush=True)
    seconds = time.monotonic() - started
    print(
        f"{programs} programs, {different} with a difference, {unfit} cut short at what torch cannot do, {seconds:.0f} s"
    )
    if oracle is None:
        print(
            "nothing was compared; lines raised", ", ".join(f"{count} {name}" for name, count in raised.most_common())
        )
    return different
