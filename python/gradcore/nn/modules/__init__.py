"""gradcore.nn.modules: the classes of gradcore.nn, one file for each family."""

from ... import _lazy

__getattr__, __dir__ = _lazy.attach(__name__, whole_dict=True)  # programs walk through its __dict__
