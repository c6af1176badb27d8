"""Where a program's time goes: by op, by line of the program, with the bytes that each op moves."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(__name__)
