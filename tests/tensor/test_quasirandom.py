"""SobolEngine gives torch's points."""

import copy
import pickle

import pytest

from support import both, gradcore

pytest.importorskip("scipy")


@pytest.mark.parametrize("dimension", [1, 2, 7, 1111])
@pytest.mark.parametrize("scramble", [False, True])
def test_points(dimension, scramble):
    def program(lib):
        engine = lib.quasirandom.SobolEngine(dimension, scramble=scramble, seed=5 if scramble else None)
        found = [engine.draw(1), engine.draw(6), engine.fast_forward(20).draw(3, dtype=lib.float64)]
        return [*found, engine.num_generated, engine.quasi, engine.sobolstate, engine.shift, repr(engine)]

    both(program)


def test_a_scramble_without_a_seed_takes_the_default_generator():
    def program(lib):
        lib.manual_seed(9)
        return lib.quasirandom.SobolEngine(3, scramble=True).draw(5)

    both(program)


def test_resets_copies_and_targets():
    def program(lib):
        engine = lib.quasirandom.SobolEngine(3)
        engine.draw_base2(2)
        others = [copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))]
        found = [e.draw(2) for e in (engine, *others)]
        out = lib.empty(0, dtype=lib.float64)
        same = engine.draw(2, out=out) is out
        return found, same, out.shape, engine.reset() is engine, engine.draw(2)

    both(program)


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda lib: lib.quasirandom.SobolEngine(0), "Supported range of dimensionality for SobolEngine is [1, 21201]"),
        (
            lambda lib: lib.quasirandom.SobolEngine(21202),
            "Supported range of dimensionality for SobolEngine is [1, 21201]",
        ),
        (
            lambda lib: lib.quasirandom.SobolEngine(2).draw(-1),
            "Trying to create tensor with negative dimension -2: [-2, 2]",
        ),
        (
            lambda lib: lib.quasirandom.SobolEngine(2).fast_forward(3).draw_base2(2),
            "3 points have been previously generated",
        ),
    ],
)
def test_refusals(program, phrase):
    both(program, raises=phrase)


def test_the_sequence_ends():
    engine = gradcore.quasirandom.SobolEngine(1).fast_forward(2**30 - 1)
    assert engine.draw(1).shape == (1, 1)
    with pytest.raises(RuntimeError, match="has 2\\*\\*30 points"):
        engine.draw(1)


def test_without_scipy_there_is_an_import_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.stats.qmc", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        gradcore.quasirandom.SobolEngine(1)
