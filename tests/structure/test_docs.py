"""Docstrings of ops, which gradcore._docs composes when somebody asks for one, and of what else the core defines.

Examples of ops run in test_doctests.py, as those of the Python package; the core's other ones here.
"""

import doctest
import inspect
import pathlib
import pydoc
import re
import subprocess
import sys
import types

import pytest

import gradcore
from gradcore import _docs

OPS = {
    attribute: getattr(gradcore._C if functions else gradcore.Tensor, attribute)
    for attribute, functions, _ in gradcore._C._op_table()
}


def test_help_shows_forms_text_and_example():
    text = inspect.getdoc(gradcore.cumsum)
    assert text == gradcore.cumsum.__doc__.strip()
    lines = text.splitlines()
    assert lines[0].startswith("cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None, out: ")
    assert lines[2].startswith("The running sum along `dim`")
    assert ">>> gradcore.cumsum(" in text
    assert lines[2] in pydoc.render_doc(gradcore.cumsum) and lines[2] in pydoc.render_doc("gradcore.cumsum")


def test_a_method_has_the_text_of_its_function():
    text = gradcore.Tensor.cumsum.__doc__
    assert text.startswith(
        "cumsum(self, dim: int, *, dtype: dtype | None = None) -> Tensor\n\ngradcore.cumsum() as a method"
    )
    assert "The running sum along `dim`" in text and "`out`" not in text
    assert gradcore.ones(2).cumsum.__doc__ == text
    assert "The running sum along `dim`" in pydoc.render_doc("gradcore.Tensor.cumsum")


def test_what_follows_from_the_signature_is_written_nowhere():
    assert "In-place version of `cumsum`: " in gradcore.Tensor.cumsum_.__doc__
    assert "The running sum along `dim`" in gradcore.Tensor.cumsum_.__doc__
    assert "Another name of `cat`." in gradcore.concat.__doc__
    assert "In-place version of `abs`: " in gradcore.Tensor.absolute_.__doc__
    assert "`add` of each tensor of a list" in gradcore._foreach_add.__doc__
    assert "`out` gets the result" in gradcore.cumsum.__doc__


def test_the_forms_of_every_op_are_shown():
    for name, op in OPS.items():
        assert re.match(r"[\w.]+\(.*\) -> ", op.__doc__), name


@pytest.mark.parametrize("name", _docs.texts())
def test_a_text_is_of_an_op_and_has_an_example(name):
    assert name in OPS or f"_{name}" in OPS, f"gradcore has no op {name}: take its text out of gradcore/_docs"
    prose, prompt, _ = _docs.texts()[name].partition(">>> ")
    assert prompt and prose.strip().endswith((".", ":")), (
        f"the text of {name} in gradcore/_docs wants sentences and an example"
    )


UNDOCUMENTED = pathlib.Path(__file__).parent / "undocumented.txt"


def test_every_op_has_a_text():
    """A text of its own, or of the op that it is another form of. undocumented.txt lists the names that have none yet."""
    listed = {line for line in UNDOCUMENTED.read_text().splitlines() if not line.startswith("#")}
    without = {name for name, op in OPS.items() if _docs.NO_TEXT in op.__doc__}
    new, done = sorted(without - listed), sorted(listed - without)
    assert not new, f"write texts of {new} into the files of their families in python/gradcore/_docs"
    assert not done, f"take {done} out of tests/structure/undocumented.txt: they have texts, or are gone"


def test_texts_are_loaded_when_they_are_asked_for():
    code = "import sys, gradcore; assert 'gradcore._docs' not in sys.modules; gradcore.sum.__doc__; gradcore._docs"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- what the core defines besides ops

OF_THE_CORE = (type, types.BuiltinFunctionType, types.GetSetDescriptorType, types.MethodDescriptorType)


def names_of_the_core():
    for owner in (gradcore._C, gradcore.Tensor, gradcore.Generator):
        for name in vars(owner):
            if not name.startswith("_") and isinstance(getattr(owner, name), OF_THE_CORE):
                yield owner, name


@pytest.mark.parametrize("owner, name", list(names_of_the_core()))
def test_examples_of_the_core(owner, name):
    text = getattr(owner, name).__doc__
    assert text and ">>> " in text, f"write a docstring with an example for {name} in cpp/bindings/docs.h"
    example = doctest.DocTestParser().get_doctest(text, {"gradcore": gradcore}, name, None, None)
    assert not doctest.DocTestRunner().run(example).failed
