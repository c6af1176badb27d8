"""backward in several threads at once."""

import threading

from support import (
    both,
)


def test_threads_run_backward_at_the_same_time():
    def program(lib):
        results = {}

        def work(seed):
            w = lib.full((50,), float(seed), requires_grad=True)
            for _ in range(50):
                ((w * 0.01).sin() * w).sum().backward()
            results[seed] = w.grad

        threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[seed] for seed in (1, 2, 3)]

    both(program, ulps=64, scale=1)


def test_threads_share_a_leaf():
    """Two backwards accumulate into one leaf: no update may be lost."""

    def program(lib):
        w = lib.ones(1000, requires_grad=True)

        def work():
            for _ in range(100):
                (w * 2).sum().backward()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return w.grad

    both(program)


def test_threads_unpack_what_one_graph_saved():
    """Each thread's backward reads what its own hooks gave, though the node that saved it is one."""

    def program(lib):
        x = lib.linspace(0, 1, 40).view(10, 4).requires_grad_()
        y = lib.linspace(1, 3, 48).view(12, 4).requires_grad_()
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t.clone()):
            distance = lib.cdist(x, y).sum()
        failures = []

        def work():
            try:
                for _ in range(100):
                    distance.backward(retain_graph=True)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        return x.grad, y.grad

    both(program, ulps=300)  # 300 sums, whose order is the threads'
