"""Programs of the rows of opdb: a call of a sample, forward and backward, on tensors that tests change in the middle."""

import support
from opdb import Sample
from support import gradcore


class Turn:
    """Gives back what it is called with, but that the one at `at` is replaced; counts them."""

    def __init__(self, at=-1, replacement=None):
        self.at, self.replacement, self.count = at, replacement, 0

    def __call__(self, value):
        self.count += 1
        if self.count - 1 != self.at:
            return value
        with gradcore.no_grad():
            return self.replacement(value)


class Operands:
    """A sample's arguments. Its tensors are no leaves, so that the call may write to them; `leaves` are below those of floats."""

    def __init__(self, sample: Sample, replaced=lambda tensor: tensor):
        self.tensors, self.leaves, self.replaced = [], [], replaced
        self.args = support.build(gradcore, list(sample.args), self._tensor)
        self.kwargs = support.build(gradcore, sample.kwargs, self._tensor)

    def _tensor(self, lib, array):
        tensor = self.replaced(lib.from_numpy(array.copy()))
        if tensor.dtype.is_floating_point:
            self.leaves.append(tensor.requires_grad_())
            tensor = tensor.clone()
        self.tensors.append(tensor)
        return tensor

    def gradients(self, outputs, twice=True):
        """The leaves' gradients of those outputs that have a history, and those of the gradients too."""
        if not outputs or not self.leaves:
            return ()
        seeds = [gradcore.ones_like(t) for t in outputs]
        first = gradcore.autograd.grad(outputs, self.leaves, seeds, create_graph=twice, allow_unused=True)
        second = [g.sum() for g in first if g is not None and g.requires_grad]
        return (*first, *(gradcore.autograd.grad(second, self.leaves, allow_unused=True) if second else ()))


def recorded_outputs(result):
    return [t for t in support.flat_tensors(result) if t.requires_grad]


def converted(value, convert):
    """The value with convert() of it, or of what stands in it where it is a list or a tuple."""
    if type(value) in (list, tuple):
        return type(value)(converted(item, convert) for item in value)
    return convert(value)


def calls(row):
    """(callable, sample) of each form of the row, in place too."""
    names = [row.attribute] + ([row.attribute + "_"] if row.inplace else [])
    for sample in row.calls("float64"):
        for name in names:
            owner = row.home(gradcore) if row.function and not name.endswith("_") else gradcore.Tensor
            yield getattr(owner, name), sample
