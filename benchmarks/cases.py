"""What is timed: CASES, one list. Setup and statement are source text in which `torch` is the library being
timed.

A goal is how many times faster than torch gradcore means to be; 0 means that a row has none.
Start reading at CASES, at the end.
"""

from .algebra import algebra
from .case import Case
from .convolutions import convolutions
from .data import data
from .modules import modules
from .sequences import sequences


def calls() -> list[Case]:
    chain = "y = x\nfor _ in range({n}): y = y * c\n"
    scalars = "x = torch.tensor([1.0], requires_grad=True); c = torch.tensor([1.0])\n"
    step = scalars + "x.grad = torch.tensor([0.1]); opt = torch.optim.{name}([x], lr=1e-3)"
    return [
        Case("a + b, 1 element, no grad", "a + b", "a = torch.tensor([1.0]); b = torch.tensor([2.0])", 15),
        Case("a * b, 1 element, recorded", "x * c", scalars, 12),
        Case("10 multiplications, forward and backward", chain.format(n=10) + "y.backward()", scalars, 20),
        Case(
            "backward, each of 100 multiplications",
            "y.backward(retain_graph=True)",
            scalars + chain.format(n=100),
            repeats=100,
        ),
        Case("SGD step, 1 element", "opt.step()", step.format(name="SGD")),
        Case("Adam step, 1 element", "opt.step()", step.format(name="Adam")),
    ]


THERMOMETER = """
t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4]) * 0.1
def loss_of(w, b):
    return ((w * t_u + b - t_c) ** 2).mean()
def plain(n, params):
    for _ in range(n):
        if params.grad is not None:
            params.grad.zero_()
        loss_of(*params).backward()
        params = (params - 1e-2 * params.grad).detach().requires_grad_()
    return params
"""

# The same with an optimizer: start() makes parameters and optimizer, epochs() trains them.
WITH_OPTIMIZER = (
    THERMOMETER
    + """
def start():
    params = torch.tensor([1.0, 0.0], requires_grad=True)
    return params, torch.optim.{name}([params], {options})
def epochs(n, params, opt):
    for _ in range(n):
        loss = loss_of(*params)
        opt.zero_grad()
        loss.backward()
        opt.step()
"""
)
WITH_CLOSURE = (
    WITH_OPTIMIZER[: WITH_OPTIMIZER.index("def epochs")]
    + """
def epochs(n, params, opt):
    def closure():
        opt.zero_grad()
        loss = loss_of(*params)
        loss.backward()
        return loss
    for _ in range(n):
        opt.step(closure)
"""
)
WITH_MATRIX = WITH_OPTIMIZER.replace("[1.0, 0.0]", "[[1.0, 0.0]]").replace("*params", "*params[0]")

# Each optimizer's arguments for the thermometer; docs/optimizers.md is made of them.
THERMOMETER_OPTIONS = {
    "ASGD": "lr=1e-2",
    "Adadelta": "lr=1.0",
    "Adafactor": "lr=1e-1",
    "Adagrad": "lr=1.0",
    "Adam": "lr=1e-1",
    "AdamW": "lr=1e-1, weight_decay=0",
    "Adamax": "lr=1e-1",
    "LBFGS": "max_iter=4, line_search_fn='strong_wolfe'",
    "Muon": "lr=1e-1, weight_decay=0",
    "NAdam": "lr=1e-1",
    "RAdam": "lr=1e-1",
    "RMSprop": "lr=1e-2",
    "Rprop": "lr=1e-2",
    "SGD": "lr=1e-2",
}


def thermometer_setup(name: str) -> str:
    """Source of start() and epochs(). LBFGS wants a closure, Muon a matrix."""
    text = {"LBFGS": WITH_CLOSURE, "Muon": WITH_MATRIX}.get(name, WITH_OPTIMIZER)
    return text.format(name=name, options=THERMOMETER_OPTIONS[name])


def thermometer_epoch(name: str) -> Case:
    """Every run starts anew, because an optimizer that has arrived does less; LBFGS arrives within a few epochs."""
    n = 2 if name == "LBFGS" else 50
    return Case(f"thermometer epoch, {name}", f"epochs({n}, *start())", thermometer_setup(name), 20, repeats=n)


def thermometer() -> list[Case]:
    plain = Case(
        "thermometer epoch, plain loop",
        "params = plain(50, params)",
        THERMOMETER + "params = torch.tensor([1.0, 0.0], requires_grad=True)",
        15,
        repeats=50,
    )
    return [plain, *map(thermometer_epoch, THERMOMETER_OPTIONS)]


def elementwise() -> list[Case]:
    sizes = {
        "1K": 1 << 10,
        "16K": 1 << 14,
        "64K": 1 << 16,
        "256K": 1 << 18,
        "1M": 1 << 20,
        "4M": 1 << 22,
        "16M": 1 << 24,
    }
    adds = [
        Case(
            f"a + b, {label}",
            "a + b",
            f"a = torch.rand({n}); b = torch.rand({n})",
            3.0 if label == "16M" else 1.2,
            large=label == "16M",
        )
        for label, n in sizes.items()
    ]
    maths = [
        Case(f"{f}, {label}", f"torch.{f}(a)", f"a = torch.rand({n}) * 4 + 0.1", 1.5)
        for f in ("exp", "log", "tanh", "sin", "erf")
        for label, n in (("4K", 4096), ("1M", 1 << 20))
    ]
    return adds + maths


def halves() -> list[Case]:
    """Types that are computed in float32, converted on load and store."""
    million = "a = torch.rand(1 << 20).to(torch.{0}); b = torch.rand(1 << 20).to(torch.{0})"
    rows = "a = torch.randn(512, 2048).to(torch.{0})"
    square = "a = torch.rand({1}, {1}).to(torch.{0}); b = torch.rand({1}, {1}).to(torch.{0})"
    layer = "a = torch.rand(8, 784).to(torch.{0}); b = torch.rand(1024, 784).to(torch.{0}).t()"
    what = [
        ("a + b, 1M", "a + b", million),
        ("exp, 1M", "a.exp()", million),
        ("sum, 1M", "a.sum()", million),
        ("a.float(), 1M", "a.float()", million),
        ("softmax of 512 x 2048", "a.softmax(1)", rows),
        *((f"matmul {n}", "a @ b", square.replace("{1}", str(n))) for n in (64, 256, 1024)),
        ("matmul layer 784-1024, batch 8", "a @ b", layer),
    ]
    return [
        Case(f"{dtype} {name}", statement, setup.format(dtype), 1.0)
        for dtype in ("float16", "bfloat16")
        for name, statement, setup in what
    ]


def reductions() -> list[Case]:
    return [
        Case(f"{f} of 4096 x 1024, dim {dim}", f"torch.{f}(a, {dim})", "a = torch.randn(4096, 1024)", 1.0)
        for f in ("sum", "mean", "max", "softmax")
        for dim in (0, 1)
    ]


def matmul() -> list[Case]:
    """C (m x n) = A (m x k) @ B (k x n); the second letter T: B is a transposed view, the first: A is one."""

    def case(label: str, layout: str, m: int, n: int, k: int, threads: int) -> Case:
        a = f"a = torch.rand({k}, {m}).t()" if layout[0] == "T" else f"a = torch.rand({m}, {k})"
        b = f"b = torch.rand({n}, {k}).t()" if layout[1] == "T" else f"b = torch.rand({k}, {n})"
        name = f"matmul {label} {layout}, {threads} thread{'s' if threads > 1 else ''}"
        return Case(name, "a @ b", f"{a}; {b}", 1.0, threads=threads, large=m * n * k > 1 << 30)

    cases = []
    for threads in (1, 2):
        for size in (2**power for power in range(12)):
            cases += [case(f"{size}", layout, size, size, size, threads) for layout in ("NN", "NT", "TN")]
        for outputs, inputs in ((1024, 784), (10, 1024)):
            for batch in (1, 8, 32, 128, 512):  # y = x @ w.T; gradient of x = g @ w; gradient of w = g.T @ x
                label = f"layer {inputs}-{outputs}, batch {batch},"
                cases += [
                    case(label, "NT", batch, outputs, inputs, threads),
                    case(label, "NN", batch, inputs, outputs, threads),
                    case(label, "TN", outputs, inputs, batch, threads),
                ]
    return cases


# Each optimizer: options, the arrays that a step reads and those that it writes, the variants that torch has of it.
FOREACH, FUSED = ("default", "foreach"), ("default", "foreach", "fused")
OPTIMIZERS = {
    "SGD": ("lr=1e-6, momentum=0.9", 3, 2, FUSED),
    "Adam": ("lr=1e-6", 4, 3, FUSED),
    "AdamW": ("lr=1e-6", 4, 3, FUSED),
    "ASGD": ("lr=1e-6", 3, 2, FOREACH),
    "Adadelta": ("lr=1e-6", 4, 3, FOREACH),
    "Adafactor": ("lr=1e-6", 4, 2, FOREACH),  # of a vector; the parameter's size is read first
    "Adagrad": ("lr=1e-6", 3, 2, FUSED),
    "Adamax": ("lr=1e-6", 4, 3, FOREACH),
    "NAdam": ("lr=1e-6", 4, 3, FOREACH),
    "RAdam": ("lr=1e-6", 4, 3, FOREACH),
    "RMSprop": ("lr=1e-6", 3, 2, FOREACH),
    "Rprop": ("lr=1e-6", 4, 3, FOREACH),
}
PARAMETERS = (("8 x 1M", 8, 1 << 20, 1), ("200 x 1,000", 200, 1000, 10), ("2 x 1", 2, 1, 20))  # and the goal


def optimizers() -> list[Case]:
    setup = """
params = [torch.rand({n}).requires_grad_() for _ in range({count})]
for p in params: p.grad = torch.rand({n}) - 0.5
variant = dict({variant}=True) if torch.__name__ == "torch" and "{variant}" != "default" else {{}}
opt = torch.optim.{name}(params, {options}, **variant)
"""
    return [
        Case(
            f"{name}, {label} floats, torch: {variant}",
            "opt.step()",
            setup.format(n=n, count=count, variant=variant, name=name, options=options),
            goal,
            large=n * count > 1 << 20,
            traffic=4 * n * count * (read + written) if n > 1000 else 0,
        )
        for name, (options, read, written, variants) in OPTIMIZERS.items()
        for label, count, n, goal in PARAMETERS
        for variant in variants
    ]


def matrix_optimizers() -> list[Case]:
    """Muon takes matrices, L-BFGS a closure; this one finds the same slope everywhere."""
    setup = """
params = [torch.rand({n}, {m}).requires_grad_() for _ in range({count})]
for p in params: p.grad = torch.rand({n}, {m}) - 0.5
loss = torch.tensor(1.0)
opt = torch.optim.{name}(params, lr=1e-6)
"""
    return [
        Case(
            f"{name}, {count} x {n} x {m} floats",
            "opt.step(lambda: loss)",
            setup.format(n=n, m=m, count=count, name=name),
            goal,
            large=n * m * count > 1 << 20,
        )
        for name in ("LBFGS", "Muon")
        for count, n, m, goal in ((8, 256, 256, 1), (200, 25, 40, 10), (2, 1, 1, 20))
    ]


def triad() -> list[Case]:
    """The memory's own speed, to judge the others by."""
    n = 1 << 23
    setup = f"a, b, c = (torch.rand({n}) for _ in range(3))"
    return [
        Case(
            "triad a = b + 3 * c, 8M floats", "torch.add(b, c, alpha=3.0, out=a)", setup, 1, large=True, traffic=12 * n
        )
    ]


def foreach() -> list[Case]:
    lists = """
a, b, c = ([torch.rand({n}) + 0.5 for _ in range({count})] for _ in range(3))
"""
    statements = {
        "add_": "torch._foreach_add_(a, b, alpha=-1e-6)",
        "addcdiv_": "torch._foreach_addcdiv_(a, b, c, value=-1e-6)",
        "mul by a number": "torch._foreach_mul(a, 0.5)",
        "sqrt": "torch._foreach_sqrt(a)",
        "norm": "torch._foreach_norm(a)",
    }
    small = [
        Case(f"_foreach_{name}, 200 x 1,000 floats", statement, lists.format(n=1000, count=200), 2)
        for name, statement in statements.items()
    ]
    large = [
        Case(f"_foreach_{name}, 8 x 1M floats", statements[name], lists.format(n=1 << 20, count=8), 1)
        for name in ("add_", "addcdiv_", "norm")
    ]
    return small + large


ROSENBROCK = """
x = torch.linspace(-1.0, 1.0, 8)
def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()
"""

FUNCTION = """
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2
x = torch.tensor([1.0], requires_grad=True)
"""


NET = """
sizes = (6, 64, 64, 3)
layers = [(torch.randn(n, m) * 0.3, torch.randn(m)) for n, m in zip(sizes, sizes[1:])]
def net(x):
    for w, b in layers: x = torch.tanh(x @ w + b)
    return x
jacobian = torch.func.jacrev(net)
x = torch.randn(6)
"""


def autograd() -> list[Case]:
    mixed = """
def chain(x):
    for _ in range(10): x = ((x.sin() + 1.5).log() * 0.5 - x).tanh()
    return x
x = torch.tensor(0.3, requires_grad=True)
"""
    return [
        Case(
            "Hessian of Rosenbrock's function, 8 dims",
            "torch.autograd.functional.hessian(rosenbrock, x)",
            ROSENBROCK,
            10,
        ),
        Case("Jacobian of a 6-64-64-3 tanh network, jacrev", "jacobian(x)", NET, 6),
        Case("autograd.Function, forward and backward", "Double.apply(x).backward()", FUNCTION, 4),
        Case("60 scalar operations, forward and backward", "chain(x).backward()", mixed, 15),
    ]


DIGITS = """
inputs, labels = torch.rand(1437, 64), torch.randint(0, 10, (1437,))  # as many as the example trains on
params = [(torch.randn(*shape) * 0.1).requires_grad_() for shape in ((64, 128), (128,), (128, 10), (10,))]
opt = torch.optim.Adam(params, lr=1e-3)
def epoch():
    order = torch.randperm(1437)
    for start in range(0, 1437, 64):
        batch = order[start:start + 64]
        hidden = torch.relu(inputs[batch] @ params[0] + params[1])
        log_p = torch.log_softmax(hidden @ params[2] + params[3], dim=1)
        loss = -log_p.gather(1, labels[batch].unsqueeze(1)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
"""

CASES = [
    *calls(),
    *thermometer(),
    *elementwise(),
    *reductions(),
    *halves(),
    *triad(),
    *optimizers(),
    *matrix_optimizers(),
    *autograd(),
    *foreach(),
    *modules(),
    *sequences(),
    *data(),
    *algebra(),
    *convolutions(),
    Case("digits classifier, epoch of 23 minibatches", "epoch()", DIGITS),
    *matmul(),
]
