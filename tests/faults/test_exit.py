"""Threads when the interpreter ends, other interpreters, and memory that another thread writes to."""

import subprocess
import sys
import textwrap

import pytest

START = "import threading, time, gradcore\n"


def ends_well(program, times=1):
    for _ in range(times):
        ran = subprocess.run(
            [sys.executable, "-c", START + textwrap.dedent(program)], capture_output=True, text=True, timeout=120
        )
        assert ran.returncode == 0, f"exit status {ran.returncode}: {ran.stderr[-2000:]}"
    return ran.stdout


DAEMONS = {
    "loops": "a = gradcore.ones(2_000_000)\ndef run():\n    while True: a + a",
    "small ops": "a = gradcore.ones(3)\ndef run():\n    while True: a + a",
    "backward": "def run():\n    while True: gradcore.ones(10, requires_grad=True).exp().sum().backward()",
    "hooks": """
def run():
    while True:
        x = gradcore.ones(10, requires_grad=True)
        x.register_hook(lambda g: sum(range(300)) and g)
        (x * 2).sum().backward()
""",
    "Functions": """
class F(gradcore.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * sum(range(300))
    @staticmethod
    def backward(ctx, g): return g * sum(range(300)) * ctx.saved_tensors[0]
def run():
    while True: F.apply(gradcore.ones(10, requires_grad=True)).sum().backward()
""",
    "saved tensors": """
def keep(t): return sum(range(300)) and t
def run():
    while True:
        with gradcore.autograd.graph.saved_tensors_hooks(keep, keep): gradcore.ones(10, requires_grad=True).exp().sum().backward()
""",
}


@pytest.mark.parametrize("kind", DAEMONS)
def test_daemon_threads_at_the_end(kind):
    ends_well(
        DAEMONS[kind] + "\nfor _ in range(2): threading.Thread(target=run, daemon=True).start()\ntime.sleep(0.2)", 3
    )


def test_another_interpreter_is_refused():
    """_xxsubinterpreters until 3.12, _interpreters after, where Python itself may refuse."""
    out = ends_well("""
        try: import _xxsubinterpreters as interpreters
        except ImportError: import _interpreters as interpreters
        first = interpreters.create()
        code = "try: import gradcore\\nexcept ImportError as error: print('refused:', error, flush=True)"
        interpreters.run_string(first, code)
        print((gradcore.ones(2) + 1).tolist())
    """)
    reasons = (
        "gradcore works in the main interpreter",
        "module gradcore._C does not support loading in subinterpreters",
    )
    assert out.startswith(tuple(f"refused: {reason}" for reason in reasons)) and out.endswith("[2.0, 2.0]\n")


WRITERS = {
    "gather": "x.gather(1, index).sum().backward()",
    "scatter_add": "gradcore.zeros(600, 600).scatter_add(1, index, values)",
    "scatter": "gradcore.zeros(600, 600).scatter(1, index, values)",
    "index": "values[index[0]]",
    "index_put": "gradcore.zeros(600).index_put((index[0],), values[0])",
    "masks": "values[mask], values.masked_select(mask), mask.nonzero(), gradcore.zeros(600, 600).masked_fill_(mask, 1.0)",
    "mask_put": "gradcore.zeros(600, 600).index_put((mask,), gradcore.ones(1))",
    "embedding_bag": "gradcore.nn.functional.embedding_bag(index, values[:, :4], mode='sum')",
    "largest of bags": "gradcore.nn.functional.embedding_bag(index, values[:, :4], mode='max')",
    "one_hot": "gradcore.nn.functional.one_hot(index[:100], 10)",
    "max_unpool": "gradcore.nn.functional.max_unpool1d(values[None], index[None], 2)",
    "classes": "gradcore.nn.functional.cross_entropy(values, index[0]), gradcore.nn.functional.nll_loss(values, index[0])",
    "margins": "gradcore.nn.functional.multi_margin_loss(values, index[0]), gradcore.nn.functional.multilabel_margin_loss(values[:, :60], index[:, :60])",
    "paths": "gradcore.nn.functional.ctc_loss(values[:, None], index[:1, :20], gradcore.tensor([600]), gradcore.tensor([20]))",
    "search": "gradcore.searchsorted(values, values, sorter=index)",
    "put": "gradcore.zeros(600).put_(index, values), values.take(index)",
}


@pytest.mark.parametrize("kind", WRITERS)
def test_indices_that_another_thread_writes_to(kind):
    ends_well(f"""
        index, mask = gradcore.zeros(600, 600, dtype=gradcore.int64), gradcore.zeros(600, 600, dtype=gradcore.bool)
        x, values = gradcore.ones(600, 600, requires_grad=True), gradcore.ones(600, 600)
        raw, raw_mask, stop = index.numpy(), mask.numpy(), []
        def write():
            while not stop:
                raw[...] = 2**50; raw_mask[...] = True
                raw[...] = 0; raw_mask[...] = False
        thread = threading.Thread(target=write); thread.start()
        for _ in range(150):
            try: {WRITERS[kind]}
            except (IndexError, RuntimeError): pass
        stop.append(1); thread.join()
    """)


SORTERS = {
    "kthvalue": "x.kthvalue(777)",
    "median": "x.median()",
    "mode": "x.mode()",
    "multinomial": "x.nan_to_num(1.0, 1.0), x.multinomial(50)",
    "nanmedian": "x.nanmedian()",
    "quantile": "x.quantile(0.3)",
    "sort": "x.sort()",
    "topk": "x.topk(50)",
    "topk of rows": "x.view(20, 1000).topk(5)",
    "topk of many": "x.topk(15000)",
    "unique": "x.unique()",
    "unique rows": "x.view(4000, 5).unique(dim=0)",
    "unique_consecutive": "x.unique_consecutive()",
}


@pytest.mark.parametrize("kind", SORTERS)
def test_elements_that_another_thread_writes_to(kind):
    """What looks at elements more than once finds other ones, without an order."""
    ends_well(f"""
        x = gradcore.rand(20000)
        raw, stop = x.numpy(), []
        several = [raw.copy(), raw * 1e38, raw * float("nan"), raw * -1e-30]
        def write():
            while not stop:
                for one in several: raw[...] = one
        thread = threading.Thread(target=write); thread.start()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            try: {SORTERS[kind]}
            except RuntimeError: pass
        stop.append(1); thread.join()
    """)
