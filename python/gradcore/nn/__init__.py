"""gradcore.nn: modules, their parameters and initial values, and what they compute as functions."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
