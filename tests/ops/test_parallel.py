"""The team of threads: right results whoever runs the blocks, from several callers, after a fork, with too many threads."""

import os
import subprocess
import sys
import threading

import pytest

import gradcore
from support import both

N = 1 << 20  # elements: enough for many blocks


def run_python(code, **environment):
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def restored_threads():
    before = gradcore.get_num_threads()
    yield
    gradcore.set_num_threads(before)


def values():
    """One number of each kind of parallel loop: elementwise, reduction, product, softmax."""
    a = gradcore.arange(N, dtype=gradcore.float32).reshape(1024, 1024).remainder(31)
    return [(a + a).sum().item(), a.sum(0)[7].item(), (a @ a)[3, 5].item(), a.softmax(1)[1, 1].item()]


@pytest.mark.parametrize("threads", [2, 3, 7, 64])
def test_any_number_of_threads_gives_the_same_bits(threads, restored_threads):
    gradcore.set_num_threads(1)
    alone = values()
    gradcore.set_num_threads(threads)
    assert values() == alone


def test_several_callers_at_once(restored_threads):
    gradcore.set_num_threads(2)
    expected = values()
    results = []

    def work():
        for _ in range(10):
            results.append(values())

    callers = [threading.Thread(target=work) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert results == [expected] * 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_a_team_of_its_own():
    code = """
import os, gradcore
gradcore.set_num_threads(2)
a = gradcore.ones(1 << 20)
assert (a + a).sum().item() == 2 << 20
child = os.fork()
if child == 0:
    right = (a + a).sum().item() == 2 << 20 and len(os.listdir('/proc/self/task')) == gradcore.get_num_threads()
    os._exit(0 if right else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (a + a).sum().item() == 2 << 20)
"""
    assert run_python(code) == ["0", "True"]


def test_omp_num_threads_is_respected():
    code = "import gradcore; print(gradcore.get_num_threads())"
    assert run_python(code, OMP_NUM_THREADS="3") == ["3"]
    assert run_python(code, OMP_NUM_THREADS="1,2") == ["1"]
    mine = run_python(code)
    for nonsense in ("0", "-3", "many", "1000000000000"):
        assert run_python(code, OMP_NUM_THREADS=nonsense) == mine


@pytest.mark.parametrize(
    "number, message",
    [
        (0, "expects a positive integer"),
        (-1, "expects a positive integer"),
        (2**31, "Overflow when unpacking long"),
        (2**70, "Overflow when unpacking long long"),
        (1.5, "expects an int, but got float"),
        ("2", "expects an int, but got str"),
        (None, "expects an int, but got NoneType"),
        (True, "expects an int, but got bool"),
    ],
)
def test_numbers_of_threads_that_are_none_are_refused(number, message, restored_threads):
    both(lambda lib: lib.set_num_threads(number), raises=message)


def test_more_threads_than_a_system_has(restored_threads):
    gradcore.set_num_threads(1)
    alone = values()
    gradcore.set_num_threads(2**31 - 1)
    assert gradcore.get_num_threads() == 2**31 - 1 and values() == alone


def in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("create_graph", [False, True])
def test_backwards_of_several_threads_lose_no_gradient(create_graph):
    x = gradcore.ones(3000, requires_grad=True)
    middle = x * 1.0
    middle.retain_grad()

    def work():
        for _ in range(50):
            (middle * 1.0).sum().backward(retain_graph=True, create_graph=create_graph)

    in_threads(4, work)
    assert x.grad.tolist() == middle.grad.tolist() == [200.0] * 3000


def test_hooks_come_and_go_while_backward_runs():
    x = gradcore.ones(300, 300, requires_grad=True)
    y = x * 2
    loss = (y * y).sum()
    done = threading.Event()

    def come_and_go():
        while not done.is_set():
            handles = [
                y.register_hook(lambda grad: grad),
                x.register_hook(lambda grad: None),
                y.grad_fn.register_hook(lambda *grads: None),
                x.register_post_accumulate_grad_hook(lambda leaf: None),
            ]
            assert x.grad is None or x.grad.shape == (300, 300)
            for handle in handles:
                handle.remove()

    other = threading.Thread(target=come_and_go)
    other.start()
    for _ in range(50):
        loss.backward(retain_graph=True)
    done.set()
    other.join()
    assert x.grad[0, 0].item() == 50 * 8.0


def test_a_child_forked_while_others_allocate():
    """No lock of the parent's other threads stays taken in the child."""
    run_python("""
import os, signal, threading
import gradcore
x = gradcore.ones(1200, 1200)
done = threading.Event()

def work():
    while not done.is_set():
        x * x

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(30):
    child = os.fork()
    if not child:
        signal.alarm(20)
        leaf = gradcore.ones(800, 800, requires_grad=True)
        (leaf * leaf).sum().backward()
        gradcore.memory_stats()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
done.set()
for thread in threads:
    thread.join()
""")


def test_memory_that_is_replaced_while_others_read_it():
    """A reader of memory that was given back is rarely unlucky enough to show it: sanitizers see it every time."""
    x = gradcore.ones(N)
    done = threading.Event()

    def replace():
        while not done.is_set():
            for value in (3.0, 1.0):
                x.data = gradcore.ones(3)
                x.data = gradcore.full((N,), value)  # often in the memory that was given back just now

    other = threading.Thread(target=replace)
    other.start()
    seen = [(x + x).sum().item() for _ in range(100)]
    done.set()
    other.join()
    assert {*seen} <= {6.0, 2.0 * N, 6.0 * N}


def test_hooks_that_replace_memory_wait_for_no_one_who_waits():
    """A thread in a hook is not away from the GIL: two may replace memory at once, each in its own backward."""
    run_python("""
import os
import threading
import gradcore

x = gradcore.ones(600, 600)

def work():
    for _ in range(20):
        a = gradcore.ones(600, 600, requires_grad=True)
        y = a * 2

        def hook(grad):
            x.data = gradcore.ones(600, 600)
            x.t_()
            (grad + grad).sum()

        y.register_hook(hook)
        (y @ y).sum().backward()

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        x.data = gradcore.ones(2)  # waits for none of the parent's threads
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
for thread in threads:
    thread.join()
""")


def test_memory_of_others_is_given_back_from_backward():
    """What then runs in Python may compute and replace memory too: the thread is not away meanwhile."""
    run_python("""
import threading
import gradcore
import numpy as np

x = gradcore.ones(600, 600)

class Owner(np.ndarray):
    def __del__(self):
        x.data = gradcore.ones(600, 600)
        (x + x).sum()

def work():
    for _ in range(5):
        a = gradcore.ones(600, 600, requires_grad=True)
        loss = (a * gradcore.from_numpy(np.ones((600, 600), np.float32).view(Owner))).sum()
        loss.backward()

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
""")
