"""The two threading layers: chosen by name, same bits, OpenMP's settings honoured, children that fork."""

import os
import subprocess
import sys

import pytest

import gradcore

LAYERS = ("team",) if gradcore._C._build_info()["openmp_missing"] else ("openmp", "team")
needs_openmp = pytest.mark.skipif("openmp" not in LAYERS, reason="this build has no OpenMP")

# Each kind of parallel loop and each optimizer's step; one line that does not depend on threads.
DIGEST = """
import hashlib
import gradcore as torch

def digest():
    torch.manual_seed(3)
    h = hashlib.sha256()
    a = torch.randn(700, 1100)
    p = [torch.randn(300, 1000, requires_grad=True), torch.randn(70, requires_grad=True)]
    m = torch.randn(300, 40, 40) + 9 * torch.eye(40)
    w = torch.ones(1100, requires_grad=True)
    results = [a + a, a.exp(), a.sum(), a.sum(0), a.sum(1), a.amax(1), a.argmin(0), a @ a.t(), a.softmax(1), a.logsumexp(0),
               a.cumsum(0), a.cumsum(1), a[torch.arange(699, -1, -1)], a[a > 0], a.masked_fill(a > 1, 2), a.take_along_dim(
               a.argsort(1), 1), torch.cat([a, a]), a.t().contiguous(), torch.rand(1 << 20), torch.randperm(1 << 17),
               a.scatter_add(0, (a > 0).long(), a), a.sort(0).values, a.topk(9, 1).values, a.median(1).values, a.norm(dim=0),
               torch.bincount((a > 0).long().view(-1)), torch.searchsorted(a.sort(1).values, a), torch.cdist(a, a),
               torch.linalg.inv(m), torch.bmm(m, m), torch.nn.functional.layer_norm(a, (1100,)),
               *torch.autograd.grad((torch.nn.functional.layer_norm(a, (1100,), w) * a).sum(), w)]
    o = torch.optim
    for make in (o.SGD, o.Adam, o.AdamW, o.RMSprop, o.Adagrad, o.Adadelta, o.Adamax, o.ASGD, o.NAdam, o.RAdam, o.Rprop,
                 o.Adafactor, o.Muon, o.LBFGS):
        optimizer = make(p[:1] if make is o.Muon else p, lr=0.01)
        def closure():
            optimizer.zero_grad()
            loss = sum((q * q).sum() for q in p)
            loss.backward()
            return loss
        for _ in range(2):
            optimizer.step(closure)
        results += [q.detach().clone() for q in p]
    for t in results:
        h.update(memoryview(t.contiguous().reshape(-1)))
    return h.hexdigest()
"""


def run_python(code, timeout=120, **environment):
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_both_layers_give_the_same_bits_for_any_number_of_threads():
    code = (
        DIGEST
        + "\nfor n in (1, 2, 3, 8):\n    torch.set_num_threads(n)\n    print(digest())\nprint(torch._C._build_info()['threading_layer'])"
    )
    seen = set()
    for layer in LAYERS:
        *digests, used = run_python(code, GRADCORE_THREADING_LAYER=layer)
        assert used == layer
        seen.update(digests)
    assert len(seen) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("layer", LAYERS)
def test_a_forked_child_computes_on_threads_of_its_own(layer):
    code = (
        DIGEST
        + """
import os
torch.set_num_threads(2)
before = digest()
child = os.fork()
if child == 0:
    right = digest() == before and torch._C._build_info()["threading_layer"] == "team"
    os._exit(0 if right and len(os.listdir("/proc/self/task")) == 2 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), digest() == before)
"""
    )
    assert run_python(code, GRADCORE_THREADING_LAYER=layer) == ["0", "True"]


@pytest.mark.parametrize("layer", LAYERS)
def test_two_callers_at_once_and_more_threads_than_processors(layer):
    code = (
        DIGEST
        + """
import threading
torch.set_num_threads(8)
a = torch.randn(1000, 1000)
expected = [(a + a).sum().item(), (a @ a).sum().item()]
results = []
def work():
    for _ in range(20):
        results.append([(a + a).sum().item(), (a @ a).sum().item()])
callers = [threading.Thread(target=work) for _ in range(3)]
for caller in callers: caller.start()
for caller in callers: caller.join()
print(results == [expected] * 60)
"""
    )
    assert run_python(code, GRADCORE_THREADING_LAYER=layer) == ["True"]


@pytest.mark.parametrize("layer", LAYERS)
def test_teams_grow_and_shrink_between_jobs(layer):
    code = (
        DIGEST
        + """
seen = set()
for n in (2, 5, 1, 3, 8, 2, 9):
    torch.set_num_threads(n)
    seen.add(digest())
print(len(seen), torch.get_num_threads())
"""
    )
    assert run_python(code, GRADCORE_THREADING_LAYER=layer) == ["1", "9"]


@needs_openmp
def test_import_does_not_load_openmp():
    maps = "open('/proc/self/maps').read()"
    code = f"import gradcore as t; print('gomp' in {maps}); a = t.ones(1 << 20); a + a; print('gomp' in {maps})"
    assert run_python(code, GRADCORE_THREADING_LAYER="") == ["False", "True"]  # as unset; who names it has it at once
    assert run_python(code, GRADCORE_THREADING_LAYER="team") == ["False", "False"]


@needs_openmp
def test_the_last_of_openmp_and_gradcore_says_how_many_threads():
    code = """
import ctypes
import gradcore as t
(t.ones(1 << 20) + 1)
gomp = ctypes.CDLL("libgomp.so.1")
print(t.get_num_threads())
gomp.omp_set_num_threads(3); print(t.get_num_threads())
t.set_num_threads(5); print(t.get_num_threads())
gomp.omp_set_num_threads(2); print(t.get_num_threads())
"""
    assert run_python(code, OMP_NUM_THREADS="4", GRADCORE_THREADING_LAYER="openmp") == ["4", "3", "5", "2"]


@needs_openmp
@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two processors"
)
def test_places_bind_the_workers():
    code = """
import os, time
import gradcore as t
a = t.ones(1 << 20)
for _ in range(50): a + a
own = {os.getpid()}
allowed = [os.sched_getaffinity(int(task)) for task in os.listdir("/proc/self/task")]
print(sorted(len(cpus) for cpus in allowed)[0])
"""
    assert run_python(
        code, OMP_NUM_THREADS="2", OMP_PROC_BIND="true", OMP_PLACES="threads", GRADCORE_THREADING_LAYER="openmp"
    ) == ["1"]


@needs_openmp
def test_other_users_of_openmp_in_the_same_process():
    pytest.importorskip("sklearn")
    code = (
        DIGEST
        + """
import numpy as np
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
before = digest()
x = np.random.default_rng(0).normal(size=(2000, 8))
KMeans(3, n_init=1, random_state=0).fit(x)
HistGradientBoostingClassifier(max_iter=5).fit(x, x[:, 0] > 0)
print(digest() == before)
"""
    )
    assert run_python(code, GRADCORE_THREADING_LAYER="openmp") == ["True"]


@needs_openmp
def test_torch_in_the_same_process():
    pytest.importorskip("torch")
    code = (
        DIGEST.replace("import gradcore as torch", "import gradcore as torch\nimport torch as other")
        + """
before = digest()
b = other.ones(1 << 20)
for _ in range(20):
    assert (b + b).sum().item() == 2 << 20
    assert digest() == before
print("same")
"""
    )
    assert run_python(code, GRADCORE_THREADING_LAYER="openmp") == ["same"]


def test_unknown_layers_and_late_choices_are_refused():
    done = subprocess.run(
        [sys.executable, "-c", "import gradcore"],
        capture_output=True,
        text=True,
        env={"GRADCORE_THREADING_LAYER": "tbb", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode and "ImportError: unknown threading layer 'tbb'" in done.stderr
    with pytest.raises(ValueError, match="unknown threading layer 'tbb'"):
        gradcore.set_threading_layer("tbb")
    if len(LAYERS) == 2:
        code = """
import gradcore as t
t.set_threading_layer("team")
t.set_num_threads(2)
t.ones(1 << 20) + 1
t.set_threading_layer("team")
try:
    t.set_threading_layer("openmp")
except RuntimeError as e:
    print(e)
"""
        assert " ".join(run_python(code)).startswith("the threading layer is 'team' since the first parallel operation")


@pytest.mark.parametrize("layer", LAYERS)
def test_the_configuration_names_the_layer(layer):
    assert run_python(
        "import gradcore; print('threading layer: ' + gradcore._C._build_info()['threading_layer'] in gradcore.show_config())",
        GRADCORE_THREADING_LAYER=layer,
    ) == ["True"]
