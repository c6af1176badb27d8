"""autocast("cpu"): which ops cast to what, nesting, the cache of casts, custom Functions."""

import pytest

import opdb
import support
from opdb.calls import rows
from support import Raised, both, build, collected, gradcore, needs_torch, outcome, torch


def result_dtypes(row, lib, sample, dtype, half_inputs):
    def layout(of, array):
        built = support.contiguous(of, array)
        return built.to(getattr(of, dtype)) if half_inputs and array.dtype.kind == "f" else built

    with lib.autocast("cpu", dtype=getattr(lib, dtype)):
        result = row.form(lib)(*build(lib, sample.args, layout), **build(lib, sample.kwargs, layout))
    return [str(tensor.dtype) for tensor in support.flat_tensors(result)]


@needs_torch
@pytest.mark.parametrize("half_inputs", [False, True], ids=["float32", "halves"])
@rows("autocast", lambda row: "float32" in row.dtypes and row.kind not in ("creation", "query"))
def test_dtypes_of_results(row, half_inputs):
    """Of every op, as torch's."""
    with collected() as failures:
        for sample in row.calls("float32"):
            for dtype in ("bfloat16", "float16"):
                ours, theirs = (
                    outcome(result_dtypes, row, lib, sample, dtype, half_inputs) for lib in (gradcore, torch)
                )
                if isinstance(ours, Raised) or isinstance(theirs, Raised):
                    same = isinstance(ours, Raised) and isinstance(theirs, Raised)
                    raised = theirs if isinstance(theirs, Raised) else ours
                    refused = any(
                        words in str(raised.error) for words in ("not implemented for", "primitive descriptor")
                    )
                    failures.add(f"{dtype} {sample}", None if same or refused else f"{ours!r}, not {theirs!r}")
                else:
                    failures.add(f"{dtype} {sample}", None if ours == theirs else f"{ours}, not {theirs}")


@needs_torch
def test_switches():
    def program(lib):
        found = [lib.is_autocast_enabled("cpu"), lib.amp.is_autocast_available("cpu"), lib.get_autocast_dtype("cpu")]
        w = lib.ones(2, 2)
        with lib.autocast("cpu"):
            found += [lib.is_autocast_enabled("cpu"), (w @ w).dtype, (w + w).dtype, lib.is_autocast_cache_enabled()]
            with lib.autocast("cpu", enabled=False):
                found += [lib.is_autocast_enabled("cpu"), (w @ w).dtype]
                with lib.autocast("cpu", dtype=lib.float16, cache_enabled=False):
                    found += [lib.mm(w, w).dtype, lib.get_autocast_dtype("cpu"), lib.is_autocast_cache_enabled()]
            found += [(w @ w).dtype, lib.get_autocast_dtype("cpu")]
            try:
                with lib.autocast("cpu", dtype=lib.float16):
                    raise ValueError
            except ValueError:
                pass
            found += [lib.get_autocast_dtype("cpu"), lib.is_autocast_cpu_enabled()]

        @lib.autocast("cpu")
        def decorated(x):
            return (x @ x).dtype, lib.is_autocast_enabled("cpu")

        return [*found, decorated(w), lib.is_autocast_enabled("cpu"), decorated.__name__]

    both(program)


@needs_torch
def test_other_dtypes_disable_it():
    def program(lib):
        with pytest.warns(UserWarning) as warned, lib.autocast("cpu", dtype=lib.float32):
            enabled, dtype = lib.is_autocast_enabled("cpu"), (lib.ones(2, 2) @ lib.ones(2, 2)).dtype
        return enabled, dtype, [str(w.message) for w in warned]

    both(program)


@needs_torch
def test_training():
    """A step of training under autocast: products in bfloat16, parameters and gradients in float32."""

    def program(lib):
        lib.manual_seed(0)
        net = lib.nn.Sequential(lib.nn.Linear(4, 8), lib.nn.ReLU(), lib.nn.Linear(8, 1))
        x = lib.linspace(-1, 1, 12).reshape(3, 4)
        with lib.autocast("cpu"):
            out = net(x)
            loss = lib.nn.functional.mse_loss(out, lib.zeros(3, 1))
        loss.backward()
        return out.dtype, loss.dtype, [p.grad.dtype for p in net.parameters()], loss.detach()

    both(program, ulps=1 << 16)


@needs_torch
def test_casts_of_parameters_are_kept():
    """One cast for all uses inside of one context, so that its gradient is the sum of them, made in bfloat16."""

    def program(lib):
        w = lib.full((2, 2), 1.0, requires_grad=True)
        x = lib.ones(2, 2)
        with lib.autocast("cpu"):
            y, z = x @ w, x @ w
        nodes = [y.grad_fn.next_functions[1][0], z.grad_fn.next_functions[1][0]]
        with lib.autocast("cpu", cache_enabled=False):
            y2, z2 = x @ w, x @ w
        nodes2 = [y2.grad_fn.next_functions[1][0], z2.grad_fn.next_functions[1][0]]
        (y.sum() + z.sum()).backward()
        return nodes[0] is nodes[1], nodes2[0] is nodes2[1], nodes[0].name(), w.grad

    both(program)


@needs_torch
def test_custom_functions():
    def program(lib):
        seen = []

        class Product(lib.autograd.Function):
            @staticmethod
            @lib.amp.custom_fwd(device_type="cpu")
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                return a @ b

            @staticmethod
            @lib.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g):
                a, b = ctx.saved_tensors
                seen.append(lib.is_autocast_enabled("cpu"))
                return g @ b.t(), a.t() @ g

        class Precise(lib.autograd.Function):
            @staticmethod
            @lib.amp.custom_fwd(device_type="cpu", cast_inputs=lib.float32)
            def forward(ctx, a):
                seen.append((a.dtype, lib.is_autocast_enabled("cpu")))
                return a * 2

            @staticmethod
            @lib.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g):
                seen.append(lib.is_autocast_enabled("cpu"))
                return g * 2

        a = lib.ones(2, 2, requires_grad=True)
        with lib.autocast("cpu"):
            y = Product.apply(a, a)
            z = Precise.apply(a @ a)
        y.sum().backward()
        z.sum().backward()
        return y.dtype, z.dtype, seen

    both(program)


def test_threads_have_their_own():
    import threading

    found = []
    with gradcore.autocast("cpu"):
        thread = threading.Thread(target=lambda: found.append(gradcore.is_autocast_enabled("cpu")))
        thread.start()
        thread.join()
        assert gradcore.is_autocast_enabled("cpu")
    assert found == [False]


def test_rows_know_every_op_of_torchs_lists():
    """The ops of torch's lists that are there are rows of the table, so that the test above has met them."""
    lower = "mm bmm addmm baddbmm addbmm matmul"
    precise = "prod quantile nanquantile cdist trace cholesky inverse pinverse geqrf qr svd"
    widest = "cat stack index_copy"
    known = {row.name for row in opdb.ROWS} | {alias for row in opdb.ROWS for alias in row.aliases}
    known |= set().union(*opdb.TESTED_ELSEWHERE.values())
    assert set(f"{lower} {precise} {widest}".split()) <= known
