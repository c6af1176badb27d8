"""Counts the machine instructions that one call of common operations takes, by valgrind's callgrind.

    python tools/count_instructions.py [--json FILE] [case ...]

Each case runs twice in a process of its own, with two numbers of repetitions; the difference belongs to the case alone.
Counts do not depend on what else the machine does. They are for comparing two builds on one machine.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

# name: (setup, what is repeated)
CASES = {
    "a + b": ("a, b = torch.ones(1), torch.ones(1)", "a + b"),
    "a * b, recorded": ("a, b = torch.ones(1, requires_grad=True), torch.ones(1)", "a * b"),
    "x.sum(dim=1)": ("x = torch.ones(4, 4)", "x.sum(dim=1)"),
    "torch.matmul(a, b), 4 x 4": ("a, b = torch.ones(4, 4), torch.ones(4, 4); matmul = torch.matmul", "matmul(a, b)"),
    "x[1:3]": ("x = torch.ones(4, 4)", "x[1:3]"),
    "x.mean()": ("x = torch.ones(4, 4)", "x.mean()"),
    "x.exp()": ("x = torch.ones(4, 4)", "x.exp()"),
    "torch.zeros(3)": ("zeros = torch.zeros", "zeros(3)"),
    "nn.Identity()(x)": ("m, x = torch.nn.Identity(), torch.ones(1)", "m(x)"),
    "linear.weight": ("m = torch.nn.Linear(4, 4)", "m.weight"),
    "nn.Linear(4, 4)(x), no grad": ("m, x = torch.nn.Linear(4, 4).requires_grad_(False), torch.ones(1, 4)", "m(x)"),
    "Adam step, two scalars": (
        "p = [torch.ones(1, requires_grad=True) for _ in range(2)]\n"
        "for q in p: q.grad = torch.ones(1)\n"
        "optimizer = torch.optim.Adam(p, lr=1e-3)",
        "optimizer.step()",
    ),
    "thermometer epoch": (
        "t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])\n"
        "t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4]) * 0.1\n"
        "params = torch.tensor([1.0, 0.0], requires_grad=True)\n"
        "def epoch():\n"
        "    if params.grad is not None: params.grad.zero_()\n"
        "    w, b = params\n"
        "    ((w * t_u + b - t_c) ** 2).mean().backward()\n"
        "    with torch.no_grad(): params.sub_(1e-4 * params.grad)",
        "epoch()",
    ),
}


def run(setup: str, body: str, repetitions: int) -> int:
    """Instructions of a process that runs ``setup`` and then ``body`` so many times."""
    program = f"import gradcore as torch\n{setup}\nfor _ in range(200): {body}\nfor _ in range({repetitions}): {body}\n"
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def count(setup: str, body: str) -> float:
    """Instructions of one ``body``."""
    few, many = 1000, 3000
    return (run(setup, body, many) - run(setup, body, few)) / (many - few)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="names of cases; all without")
    parser.add_argument("--json", help="write the counts to this file too")
    arguments = parser.parse_args()
    counts = {}
    for name, (setup, body) in CASES.items():
        if arguments.cases and name not in arguments.cases:
            continue
        counts[name] = count(setup, body)
        print(f"{name:28} {counts[name]:10.1f}", flush=True)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(counts, file, indent=1)


if __name__ == "__main__":
    main()
