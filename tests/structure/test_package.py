"""The Python package: its stubs name what is there, names come from one place, modules do not import in circles."""

import ast
import graphlib
import importlib
import inspect
import pathlib
import pkgutil
import subprocess
import sys
import typing

import pytest

import gradcore
from gradcore import _docs

PACKAGE = pathlib.Path(gradcore.__file__).parent
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("stub", STUBS, ids=module_name)
def test_every_name_of_a_stub_is_there(stub):
    package = importlib.import_module(module_name(stub))
    for statement in ast.parse(stub.read_text()).body:
        for alias in getattr(statement, "names", []):
            if not alias.asname:
                continue
            assert statement.lineno == statement.end_lineno and len(statement.names) == 1, "_lazy.py reads single lines"
            assert getattr(package, alias.asname) is not None
            assert alias.asname in dir(package)
            a_submodule = statement.module is None
            assert alias.asname.startswith("_") or a_submodule or alias.asname in package.__all__


def is_an_error(value):
    return isinstance(value, type) and issubclass(value, Exception)


def has_example(value):
    """Or is an op without a text, of which test_docs.py keeps the list, or refuses to be used."""
    text = value.__doc__ or ""
    return ">>> " in text or _docs.NO_TEXT in text or hasattr(value, "_refuses")


@pytest.mark.parametrize("stub", STUBS, ids=module_name)
def test_public_functions_and_classes_have_docstrings_with_examples(stub):
    package = importlib.import_module(module_name(stub))
    public = [getattr(package, name) for name in package.__all__]
    documented = [value for value in public if callable(value) and not is_an_error(value)]
    bare = [value for value in documented if not has_example(value)]
    assert not bare, "write an example into each docstring"


@pytest.mark.parametrize("stub", STUBS, ids=module_name)
def test_other_names_are_refused(stub):
    name = module_name(stub)
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nonsense'"):
        importlib.import_module(name).nonsense  # noqa: B018


@pytest.mark.parametrize(
    "first", ["autograd.gradcheck", "autograd.variable", "optim.sgd", "nn.utils.weight_norm", "nn.utils.spectral_norm"]
)
def test_a_submodule_that_was_imported_first_hides_no_function(first):
    code = f"""
import gradcore.{first}
from gradcore import autograd, optim
assert autograd.gradcheck(lambda x: x * x, gradcore.ones(1, dtype=gradcore.double, requires_grad=True))
assert autograd.Variable is autograd.variable.Variable and optim.SGD.__name__ == "SGD"
from gradcore.nn import utils
assert "weight_u" in utils.spectral_norm(gradcore.nn.Linear(2, 2)).state_dict()
assert "weight_g" in utils.weight_norm(gradcore.nn.Linear(2, 2)).state_dict()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_star_import_takes_names_and_no_submodules():
    names = {}
    exec("from gradcore import *", names)  # noqa: S102
    assert {"ones", "Tensor", "no_grad", "float32", "pi", "save"} <= set(names)
    assert not {"optim", "nn", "cuda", "_C"} & set(names)


def test_import_loads_nothing_else():
    """Neither NumPy nor typing, re and functools, each of which would take as long as the package itself."""
    code = "import sys; before = set(sys.modules); import gradcore; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.partition(".")[0] != "gradcore"] in ([], ["__future__"])


def imports(path):
    """The modules of the package that importing this one imports, wherever in it the import stands."""
    here = module_name(path).split(".")
    package = here if path.name == "__init__.py" else here[:-1]
    tree = ast.parse(path.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level or node in for_types:
            continue
        base = ".".join([*package[: len(package) + 1 - node.level], *filter(None, [node.module])])
        for alias in node.names:
            yield base if base != "gradcore" else f"gradcore.{alias.name}", f"{base}.{alias.name}"


def test_modules_do_not_import_in_circles():
    files = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    graph = {name: set() for name in files if name != "gradcore"}
    for name in graph:
        for base, member in imports(files[name]):
            graph[name] |= {found for found in (base, member) if found in files and found not in (name, "gradcore")}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_only_two_modules_give_methods_to_classes_of_the_core():
    """`Tensor.f = ...` and setattr(Tensor, ...) stand in _tensor.py and _generator.py, which say so."""
    core = {name for name in dir(gradcore._C) if isinstance(getattr(gradcore._C, name), type)}
    for path in PACKAGE.rglob("*.py"):
        if path.name in ("_tensor.py", "_generator.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                assert not (
                    isinstance(target, ast.Attribute) and ast.unparse(target.value).rpartition(".")[2] in core
                ), f"{path.name}:{node.lineno}"


# Hints that name what would be costly, or circular, to import.
HINTS_TO_OTHERS = {
    "gradcore.Tensor.numpy": "numpy",
    "gradcore.autograd.graph.RemovableHandle.__init__": "collections",
    "gradcore.func.replace_all_batch_norm_modules_": "nn",
    "gradcore.nn.modules.module.call_with_hooks": "a class of the module that imports it",
}


def public_functions():
    """The functions of public modules, and the methods of their classes, each once with its name."""
    seen = set()
    for module in public_modules():
        for name in dir(module):
            found = None if name.startswith("_") else getattr(module, name, None)
            if not getattr(found, "__module__", None) or not found.__module__.startswith(("gradcore", "torch")):
                continue
            members = vars(found).items() if inspect.isclass(found) else ()
            parts = [(member, part) for member, part in members if member == "__init__" or member[0] != "_"]
            for path, part in [(name, found), *((f"{name}.{member}", part) for member, part in parts)]:
                part = part.fget if isinstance(part, property) else getattr(part, "__func__", part)
                if inspect.isfunction(part) and id(part) not in seen:
                    seen.add(id(part))
                    yield f"{module.__name__}.{path}", part


def public_modules():
    yield gradcore
    for found in pkgutil.walk_packages(gradcore.__path__, "gradcore."):
        is_library = found.name == "gradcore.gradcore_openmp"  # threads, and no module
        if not is_library and not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def test_hints_of_public_functions_are_understood():
    """Programs that make command lines, or check values, from annotations ask for them."""
    failed = {}
    for name, function in public_functions():
        try:
            typing.get_type_hints(function)
        except NameError as error:
            failed[name] = str(error)
    assert set(failed) <= set(HINTS_TO_OTHERS), failed


def test_hints_are_understood_where_typing_came_later():
    code = (
        "import gradcore, typing; print(typing.get_type_hints(gradcore.Tensor.cuda)['device'] in (object, typing.Any))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"
