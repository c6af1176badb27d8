"""The examples in docstrings run and print what they say. A new module's are found without being named here."""

import doctest
import importlib
import inspect
import pathlib
import re

import pytest

import gradcore

PACKAGE = pathlib.Path(gradcore.__file__).parent

# Modules that have examples which are not run, each with the reason.
NOT_RUN: dict[str, str] = {}


def modules_with_examples():
    for path in sorted(PACKAGE.rglob("*.py")):
        if ">>> " in path.read_text():
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = list(modules_with_examples())


class Finder(doctest.DocTestFinder):
    """Finds the classes of a module as well that show the name of another one, which torch's have."""

    def _from_module(self, module, object):
        if inspect.isclass(object) and getattr(module, object.__name__, None) is object:
            return re.search(rf"^class {object.__name__}\b", inspect.getsource(module), re.MULTILINE) is not None
        return super()._from_module(module, object)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in NOT_RUN])
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner()
    for test in Finder().find(module, name):
        runner.run(test)
    assert runner.tries, "its examples belong to no function or class of its own"
    assert not runner.failures


def test_modules_that_are_not_run_exist():
    assert set(NOT_RUN) <= set(MODULES)
