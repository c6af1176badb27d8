"""What programs ask of torch's private module _subclasses: whether a tensor is one without memory. None is."""

from . import fake_tensor as fake_tensor
