"""gradcore.nn.utils: clipping of gradients, parameters as one vector, packed sequences, parametrizations, pruning, fusion."""

from ... import _lazy

__getattr__, __dir__ = _lazy.attach(__name__, star_submodules=("parametrizations", "parametrize", "rnn", "stateless"))
