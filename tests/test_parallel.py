"""The team of threads: right results whoever runs the blocks, from several callers, after a fork, with too many threads."""

import os
import subprocess
import sys
import threading

import pytest

import gradcore

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
