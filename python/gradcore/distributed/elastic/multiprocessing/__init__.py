"""The part of torch.distributed.elastic that programs decorate their main function with."""

from . import errors as errors
