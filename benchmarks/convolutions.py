"""Convolutions, beside torch's in both memory orders: the better one is what counts. Start at convolutions()."""

from .case import Case

SETUP = """
F = torch.nn.functional
x = torch.rand({n}, {c}, {places}){last}.requires_grad_()
w = (torch.rand({o}, {c} // {groups}, {kernel}) - 0.5){last}.requires_grad_()
b = torch.rand({o}).requires_grad_()
def forward():
    return F.conv{dims}d(x, w, b, {stride}, {padding}, 1, {groups})
y = forward()
g = torch.rand(y.shape){last}
def forward_only():
    with torch.no_grad():
        return forward()
def backward():
    return torch.autograd.grad(y, (x, w, b), g, retain_graph=True)
"""
LAST = ".permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).detach()"
LENET = """
nn = torch.nn
m = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
opt = torch.optim.SGD(m.parameters(), lr=0.01)
x, y = torch.rand(64, 1, 28, 28), torch.arange(64) % 10
def step():
    opt.zero_grad()
    nn.functional.cross_entropy(m(x), y).backward()
    opt.step()
"""


def pair(
    name: str,
    n: int,
    c: int,
    o: int,
    size: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    dims: int = 2,
    goals: tuple[float, float] = (1.5, 1.5),
) -> list[Case]:
    """The call and its backward pass, in NCHW and in two dims with channels last."""
    cases = []
    for last in ("", LAST)[: 2 if dims == 2 else 1]:
        setup = SETUP.format(
            n=n,
            c=c,
            o=o,
            places=", ".join([str(size)] * dims),
            kernel=", ".join([str(kernel)] * dims),
            stride=stride,
            padding=padding,
            groups=groups,
            dims=dims,
            last=last,
        )
        label = f"conv {name}, {n} x {c} x {size}, to {o}" + (", channels last" if last else "")
        cases.append(Case(f"{label}: forward", "forward_only()", setup, goals[0], large=n * c * size > 64))
        cases.append(Case(f"{label}: backward", "backward()", setup, goals[1], large=n * c * size > 64))
    return cases


def convolutions() -> list[Case]:
    return [
        *pair("3x3", 1, 1, 4, 8, 3, goals=(3, 2)),
        *pair("3x3", 4, 64, 64, 56, 3, padding=1, goals=(2, 1.5)),
        *pair("3x3", 32, 64, 64, 32, 3, padding=1, goals=(2, 1.5)),
        *pair("3x3", 32, 128, 128, 16, 3, padding=1, goals=(2, 1.5)),
        *pair("3x3, stride 2", 32, 64, 128, 32, 3, padding=1, stride=2),
        *pair("3x3", 64, 1, 32, 28, 3, padding=1),
        *pair("3x3", 32, 3, 64, 32, 3, padding=1),
        *pair("7x7, stride 2", 4, 3, 64, 224, 7, padding=3, stride=2),
        *pair("1x1", 4, 256, 64, 56, 1),
        *pair("1x1, stride 2", 32, 64, 128, 32, 1, stride=2),
        *pair("3x3 of each channel", 4, 64, 64, 56, 3, padding=1, groups=64),
        *pair("3x3 of each channel, stride 2", 4, 64, 64, 56, 3, padding=1, stride=2, groups=64),
        *pair("5x5", 16, 32, 32, 28, 5, padding=2),
        *pair("3", 16, 64, 64, 256, 3, padding=1, dims=1),
        *pair("3x3x3", 2, 16, 16, 16, 3, padding=1, dims=3),
        Case("LeNet-5, batch 64, SGD step", "step()", LENET, 2),
    ]
