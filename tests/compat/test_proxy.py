"""as_torch, `python -m gradcore run` and `check`: each in a process of its own, where the real torch is not loaded."""

import subprocess
import sys
import textwrap

import pytest

import gradcore


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options)


def output(source, *arguments):
    done = python("-c", textwrap.dedent(source), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_block():
    assert output("""
        import sys, gradcore
        with gradcore.as_torch():
            import torch, torch.nn.utils as u
            import torch.utils.data
            from torch.optim import SGD
            from torch import optim
            print(torch.__version__, torch.version.__version__, torch.__name__, type(torch.ones(1)).__module__)
            print(torch.Tensor is gradcore.Tensor, SGD is gradcore.optim.SGD, u is gradcore.nn.utils, torch.utils.data.Dataset.__name__)
            print(torch.__version__ > (2, 2), torch.__version__ >= "1.8", torch.__version__ < "2.2", torch.__version__.split("+")[0])
            import importlib.metadata, importlib.util
            print(importlib.metadata.version("torch"), importlib.util.find_spec("torch") is not None, "torch.optim" in sys.modules)
            try: torch.sotfmax
            except AttributeError as error: print(error)
            try: import torch.no_such_module
            except ModuleNotFoundError as error: print(error)
        print(type(gradcore.ones(1)).__module__, "torch" in sys.modules, gradcore.__version__ != torch.__version__)
    """) == [
        "2.13.0+gradcore 2.13.0+gradcore torch torch", "True True True Dataset", "True True False 2.13.0", "2.13.0+gradcore True True",
        "module 'torch' (gradcore) has no attribute 'sotfmax'. The nearest name that it has is 'softmax'",
        "No module named 'torch.no_such_module'", "gradcore False True",
    ]  # fmt: skip


def test_nodes_of_functions_are_torchs():
    assert output("""
        import gradcore
        with gradcore.as_torch():
            import torch
            class Double(torch.autograd.Function):
                forward = staticmethod(lambda ctx, x: x * 2)
                backward = staticmethod(lambda ctx, g: g * 2)
            x = torch.ones(1, requires_grad=True)
            print(repr(Double.apply(x).grad_fn).partition(" at ")[0], repr((x * 2).grad_fn).partition(" at ")[0])
    """) == ["<torch.autograd.function.DoubleBackward object <MulBackward0 object"]


def test_functorch_comes_with_torch():
    assert output("""
        import gradcore
        with gradcore.as_torch():
            import functorch
            from functorch import make_functional
            import functorch as again
            print(again is functorch, make_functional is functorch.make_functional, functorch.__version__)
    """) == ["True True 2.13.0+gradcore"]


def test_classes_of_nn_are_torchs_in_the_whole_process():
    """Of layers that were imported before, and of those that come later; pickle and inspect find them there."""
    assert output("""
        import copy, inspect, pickle, sys
        import gradcore
        from gradcore.nn import Linear
        with gradcore.as_torch(packages=["other"]):
            print(Linear.__module__)
        with gradcore.as_torch():
            import torch
            from torch import nn
            class Own(nn.Sequential): pass
            for cls in (Linear, nn.GRU, nn.Module, nn.Parameter, Own, nn.init.uniform_): print(cls.__module__)
            layer = pickle.loads(pickle.dumps(nn.GRU(2, 2)))
            print(b"gradcore.nn" in pickle.dumps(layer), type(layer) is nn.GRU, "class GRU" in inspect.getsource(nn.GRU))
        print(Linear.__module__, nn.GRU.__module__, any(name.startswith("torch") for name in sys.modules))
    """) == [
        "gradcore.nn.modules.linear", "torch.nn.modules.linear", "torch.nn.modules.rnn", "torch.nn.modules.module",
        "torch.nn.parameter", "__main__", "torch.nn.init", "False True True", "gradcore.nn.modules.linear gradcore.nn.modules.rnn False",
    ]  # fmt: skip


def test_small_classes_show_the_names_that_torch_has():
    """Notebooks print `type(x.shape)`, and the handle that a cell's last line returned."""
    lines = output("""
        import pickle
        from collections import OrderedDict
        import gradcore
        def show(lib):
            x = lib.ones(1, requires_grad=True)
            handles = [
                x.register_hook(print), lib.nn.Linear(1, 1).register_forward_hook(print),
                lib.optim.SGD([x], lr=1).register_step_post_hook(print), lib.utils.hooks.RemovableHandle(OrderedDict()),
            ]
            names = [repr(handle).partition(" at 0x")[0] for handle in handles]
            for cls in (
                lib.Size, lib.device, lib.layout, lib.memory_format, lib.finfo, lib.iinfo, lib.no_grad, lib.enable_grad,
                lib.inference_mode, lib.set_grad_enabled, lib.utils.hooks.RemovableHandle, lib.optim.Adafactor, lib.optim.Muon,
            ):
                assert pickle.loads(pickle.dumps(cls)) is cls
                names.append(f"{cls.__module__}.{cls.__qualname__}")
            print(*names, sep="; ")
        show(gradcore)
        with gradcore.as_torch():
            import torch
            show(torch)
            print(torch.__name__, torch is not gradcore, pickle.loads(pickle.dumps(torch.Size([2]))))
        show(gradcore)
    """)
    handle = "<torch.utils.hooks.RemovableHandle object"
    names = [
        "torch.Size", "torch.device", "torch.layout", "torch.memory_format", "torch.finfo", "torch.iinfo",
        *(f"torch.autograd.grad_mode.{name}" for name in ("no_grad", "enable_grad", "inference_mode", "set_grad_enabled")),
        "torch.utils.hooks.RemovableHandle", "torch.optim.Adafactor", "torch.optim.Muon",
    ]  # fmt: skip
    with_torch = "; ".join([handle] * 4 + names)
    with_gradcore = with_torch.replace("torch.", "gradcore.")
    assert lines == [with_gradcore, with_torch, "torch True torch.Size([2])", with_gradcore]


def test_it_is_never_on_by_itself():
    lines = output("""
        import sys, gradcore, gradcore.optim, gradcore.utils.data
        print("torch" in sys.modules, any("radcore" in type(f).__module__ for f in sys.meta_path))
    """)
    assert lines == ["False False"]


def test_for_the_whole_process():
    assert output("""
        import gradcore
        scope = gradcore.as_torch()
        import torch
        print(torch.ones(2).sum().item())
        scope.remove(); scope.remove()
        import sys
        print("torch" in sys.modules)
    """) == ["2.0", "False"]


def test_named_packages_alone(tmp_path):
    """The package `asks` is meant; `probes` is not, and `torch` is a fake that stands for the real one."""
    (tmp_path / "torch.py").write_text("__version__ = 'other'\n")
    body = "import torch\nfrom torch import __version__ as found\n"
    deep = "import torch.utils.data as d\nfrom torch.utils import data\nfrom torch.autograd import grad\nimport torch.nn.utils\nassert d is data\n"
    (tmp_path / "asks").mkdir()
    (tmp_path / "asks" / "__init__.py").write_text(body + deep + "x = torch.nn.utils\n")
    (tmp_path / "probes.py").write_text(body)
    source = "import gradcore\nwith gradcore.as_torch(packages=['asks']):\n import asks, probes\nprint(asks.found, probes.found)\n"
    source += "import builtins; print('as_torch' in str(builtins.__import__))"
    done = python("-c", source, cwd=tmp_path)
    assert done.stdout.split("\n")[:2] == ["2.13.0+gradcore other", "False"], done.stderr


def test_refused_when_the_real_one_is_loaded(tmp_path):
    (tmp_path / "torch.py").write_text("")
    done = python("-c", "import torch, gradcore; gradcore.as_torch()", cwd=tmp_path)
    assert done.returncode and "the real torch is loaded already" in done.stderr


SCRIPT = """
import sys, torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
if __name__ == "__main__":
    w = torch.zeros(1, requires_grad=True)
    step = optim.SGD([w], lr=0.1)
    for x, y in DataLoader(TensorDataset(torch.ones(4), torch.ones(4)), batch_size=2):
        step.zero_grad(); ((w * x - y) ** 2).mean().backward(); step.step()
    print(sys.argv[1:], round(w.item(), 4), torch.__version__)
"""


def test_run(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    for program in (["script.py"], ["-m", "script"]):
        done = python("-m", "gradcore", "run", *program, "--lr", "3", cwd=tmp_path)
        assert done.stdout == "['--lr', '3'] 0.36 2.13.0+gradcore\n", done.stderr
    assert python("-m", "gradcore", "run").returncode == 2
    missing = python("-m", "gradcore", "run", "nowhere.py", cwd=tmp_path)
    assert missing.returncode == 2 and "can't open file" in missing.stderr and "Traceback" not in missing.stderr
    assert python("-m", "gradcore", "walk").returncode == 2


def test_check(tmp_path):
    from gradcore._compat import check

    source = textwrap.dedent("""
        import torch
        import torch.nn.utils as u, numpy as np
        from torch.optim import SGD, NoSuchOptimizer
        from torch import fx
        x = torch.ones(2).no_such_method()
        def f():
            return torch.no_such_op(np.ones(2)), later.missing, u.clip_grad_norm_, torch.no_such.thing.below
        from torch import autograd as later
        torch.attribute_of_mine = 3
        fx.symbolic_trace(f)
    """)
    (tmp_path / "script.py").write_text(source)
    (tmp_path / "broken.py").write_text("def")
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "import torch\n", "torch.another_missing_one"]}
    (tmp_path / "book.ipynb").write_text(__import__("json").dumps({"cells": [cell, {"cell_type": "markdown"}]}))
    findings, unread = check.check([str(tmp_path)])
    assert [(f.place[-9:], f.line, f.name) for f in findings] == [
        ("ook.ipynb", 3, "torch.another_missing_one"), ("script.py", 4, "torch.optim.NoSuchOptimizer"),
        ("script.py", 8, "torch.autograd.missing"), ("script.py", 8, "torch.no_such"), ("script.py", 8, "torch.no_such_op"),
        ("script.py", 11, "torch.fx.symbolic_trace"),
    ]  # fmt: skip
    assert "does not trace" in findings[-1].why and len(unread) == 1
    done = python("-m", "gradcore", "check", str(tmp_path))
    assert done.returncode == 1 and "6 uses of 6 names" in done.stdout
    (tmp_path / "good.py").write_text("import torch\ntorch.ones(1)\n")
    assert python("-m", "gradcore", "check", str(tmp_path / "good.py")).returncode == 0


def test_check_goes_on_behind_what_is_no_text(tmp_path):
    from gradcore._compat import check

    (tmp_path / "bytes.py").write_bytes(b"x = '\xa4'")
    (tmp_path / "declared.py").write_bytes(b"# coding: latin-1\nimport torch\ntorch.no_such_op('\xa4')")
    (tmp_path / "null.py").write_bytes(b"import torch\0")
    (tmp_path / "book.ipynb").write_text("no json")
    findings, unread = check.check([str(tmp_path)])
    assert [found.name for found in findings] == ["torch.no_such_op"]
    assert [text[len(str(tmp_path)) + 1 :].split(":")[0] for text in unread] == ["book.ipynb", "bytes.py", "null.py"]


@pytest.mark.parametrize(
    "other, less", [("2.13.1", True), ("2.13", False), ((3,), True), ("10", True), ("2.9.1", False)]
)
def test_versions_compare_by_number(other, less):
    from gradcore._compat.proxy import TorchVersion

    ours = TorchVersion("2.13.0+gradcore")
    assert (ours < other) is less and (ours >= other) is not less and gradcore.__version__ != ours


SPAWNS = """
import multiprocessing, pickle, sys
import torch

def version(queue):
    queue.put(torch.__version__)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    process = context.Process(target=version, args=(queue,))
    process.start()
    process.join(60)
    print(queue.get() if process.exitcode == 0 else process.exitcode, {type(p) for p in pickle.loads(pickle.dumps(sys.path))})
"""


@pytest.mark.parametrize("form", [["spawns.py"], ["-m", "spawns"]], ids=["script", "module"])
def test_processes_that_a_program_spawns_begin_with_the_proxy(tmp_path, form):
    (tmp_path / "spawns.py").write_text(SPAWNS)
    run = python("-m", "gradcore", "run", *form, cwd=tmp_path)
    assert run.stdout == "2.13.0+gradcore {<class 'str'>}\n", run.stderr


def test_modules_below_the_core():
    assert output("""
        import gradcore
        with gradcore.as_torch():
            from torch._C._functorch import is_batchedtensor
            import torch._C._nn
            import torch
            print(torch._C._nn.gelu is torch.nn.functional.gelu, is_batchedtensor(torch.ones(1)))
            try: import torch._C._nothing
            except ModuleNotFoundError as error: print(error)
    """) == ["True False", "No module named 'torch._C._nothing'; 'torch._C' is not a package"]
