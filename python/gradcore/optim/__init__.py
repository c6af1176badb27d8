"""gradcore.optim: SGD, Adam, AdamW and the base class to derive others from."""

from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
