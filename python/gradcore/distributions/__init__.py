"""Probability distributions, their transforms and constraints, and Kullback-Leibler divergences.

Samples are torch's for the same seed where they are drawn the same way: Dirichlet and what is built on it within rounding.
"""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__, whole_dict=True)  # programs walk through its __dict__
