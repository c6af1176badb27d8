"""`python -m benchmarks.calls`: everyday calls on small operands, the time of torch divided by ours.

What is small costs what surrounds the kernels: reading arguments, making tensors, Python. Each line is timed as the body of a
function. Both libraries take turns in one process, on one thread; a line's figure is the median of the ratios of neighbouring
turns of CPU time. Start at sweep().
"""

import argparse
import importlib
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

SETUP = """
x, y, v, s = torch.rand(4, 4), torch.rand(4, 4), torch.rand(4), torch.rand(())
i, b, array, rows = torch.arange(4), x > 0.5, numpy.ones((4, 4), numpy.float32), [[1.0, 2.0], [3.0, 4.0]]
labels, image, sequence = i % 3, torch.rand(1, 3, 8, 8), torch.rand(5, 2, 8)
spd, vr, xr = x @ x.t() + torch.eye(4), torch.rand(4, requires_grad=True), torch.rand(4, 4, requires_grad=True)
linear, conv, norm, lstm = nn.Linear(4, 4), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(3), nn.LSTM(8, 8)
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
target = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
adam, parameters = optim.Adam(net.parameters(), lr=1e-5), list(net.parameters())
normal, categorical = distributions.Normal(v, v), distributions.Categorical(logits=v)
def step():
    adam.zero_grad()
    loss = F.mse_loss(net(x), y[:, :2])
    loss.backward()
    adam.step()
    return loss.item()
def act():
    with torch.no_grad():
        return distributions.Categorical(logits=net(torch.as_tensor(array[0]))).sample().item()
def average():
    with torch.no_grad():
        for p, q in zip(net.parameters(), target.parameters()):
            q.mul_(0.99).add_(p, alpha=0.01)
def silent():
    with torch.no_grad():
        pass
"""

CALLS = {
    "making": "torch.zeros(3); torch.tensor([1.0, 2.0]); torch.tensor(rows); torch.arange(10); torch.rand(3); torch.eye(3); "
    "torch.as_tensor(array); torch.tensor(array); torch.zeros_like(x); x.new_zeros(3); torch.device('cpu')",
    "asking": "x.shape[0]; x.size(0); x.dtype; x.dim(); s.item(); float(s); x.tolist(); x.numpy(); bool(s > 0); repr(s); "
    "torch.finfo(torch.float32).eps; x.is_contiguous(); x.requires_grad; len(x)",
    "computing": "x + y; x * 2.0; 1 - x; x**2; x > 0.5; x.exp(); x.clamp(0, 1); torch.where(b, x, y); x.sum(); x.mean(0); "
    "x.std(); x.max(1); x.argmax(); x.norm(); x.cumsum(0); x.softmax(-1); x.sort(); v.topk(2); x.any(); b & b",
    "viewing": "x.view(-1); x.t(); x.unsqueeze(0); x[0]; x[:, 1]; x[1:3]; x[None]; x.expand(2, 4, 4); x.detach(); x.clone(); "
    "x.to(torch.float64); x.to('cpu'); torch.cat([x, y]); torch.stack([x, y]); x.split(2); x.repeat(2, 1)",
    "indexing": "x[i]; x[b]; x[i, i]; x[:, i]; x.gather(1, labels[:, None]); x.index_select(0, i); x.masked_fill(b, 0.0); "
    "x.__setitem__((0, 1), 1.0); x.__setitem__((i, i), 0.5); x.__setitem__(b, 0.5)",
    "products": "x @ y; x @ v; torch.einsum('ij,jk->ik', x, y); torch.outer(v, v); torch.linalg.inv(spd); "
    "torch.linalg.solve(spd, v); torch.linalg.cholesky(spd); torch.linalg.eigh(spd); torch.linalg.svd(x)",
    "gradients": "(vr * vr).sum().backward(); torch.autograd.grad((vr * vr).sum(), vr); silent(); "
    "func.grad(lambda z: (z * z).sum())(v); func.vmap(lambda z: z * 2)(x); func.jacrev(lambda z: z * z)(v)",
    "networks": "linear(x); net(x); conv(image); norm(image); lstm(sequence); F.relu(x); F.gelu(x); F.softmax(x, dim=-1); "
    "F.cross_entropy(x, labels); F.mse_loss(x, y); F.pad(x, (1, 1)); F.max_pool2d(image, 2); F.unfold(image, 3); "
    "F.grid_sample(image, torch.zeros(1, 2, 2, 2), align_corners=False); F.one_hot(labels, 4); F.dropout(x, 0.5); "
    "list(net.parameters()); net.state_dict(); nn.Linear(4, 4); nn.utils.clip_grad_norm_(parameters, 1.0)",
    "laws": "distributions.Normal(v, v); normal.sample(); normal.log_prob(v); categorical.sample(); categorical.entropy(); "
    "distributions.Gamma(v, v).sample(); distributions.Dirichlet(v).sample()",
    "loops": "step(); act(); average()",
}


def names_of(library: str) -> dict[str, Any]:
    modules = ("nn", "optim", "distributions", "func")
    names = {name: importlib.import_module(f"{library}.{name}") for name in modules}
    names |= {"torch": importlib.import_module(library), "numpy": importlib.import_module("numpy")}
    names["F"] = importlib.import_module(f"{library}.nn.functional")
    exec(SETUP, names)
    return names


def function_of(line: str, names: dict[str, Any]) -> Callable[[], Any]:
    """Its operands are local, as in a program's own function."""
    held = ", ".join(f"{name}={name}" for name in names if name.isidentifier() and not name.startswith("__"))
    found: dict[str, Any] = {}
    exec(f"def call({held}):\n    {line}", names, found)
    call: Callable[[], Any] = found["call"]
    return call


def seconds(call: Callable[[], Any], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


def ratio(calls: list[Callable[[], Any]], turns: int, budget: float) -> float:
    """Of the first one's time to the second's."""
    counts = []
    for call in calls:
        seconds(call, 10)
        counts.append(max(1, int(budget / max(seconds(call, 10), 1e-7))))
    found = []
    for _ in range(turns):
        theirs, ours = (seconds(call, count) for call, count in zip(calls, counts, strict=True))
        found.append(theirs / ours)
    return statistics.median(found)


def sweep(turns: int, budget: float, only: str) -> Iterator[tuple[str, str, float]]:
    """Group, line and ratio of each."""
    libraries = [names_of("torch"), names_of("gradcore")]
    for names in libraries:
        names["torch"].set_num_threads(1)
    for group, lines in CALLS.items():
        for line in map(str.strip, lines.split(";")):
            if only in f"{group}: {line}":
                yield group, line, ratio([function_of(line, names) for names in libraries], turns, budget)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7, help="alternations of the two libraries for each line")
    parser.add_argument("--budget", type=float, default=0.005, help="seconds of a turn")
    parser.add_argument("--only", default="", help="a part of 'group: line'")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = []
    for group, line, found in sweep(options.turns, options.budget, options.only):
        lines.append((found, line))
        print(f"{found:7.2f}  {group:10} {line}", flush=True)
    slowest = ", ".join(f"{line} {found:.2f}" for found, line in sorted(lines)[:5])
    mean = statistics.geometric_mean([found for found, _ in lines])
    print(f"{len(lines)} calls, geometric mean {mean:.2f}; the slowest beside torch: {slowest}")


if __name__ == "__main__":
    main()
