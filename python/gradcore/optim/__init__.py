"""gradcore.optim: torch's optimizers, each with one C++ kernel over all parameters, the base class of others,
lr_scheduler and swa_utils.
"""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(
    __name__,
    star_submodules=("lr_scheduler", "swa_utils"),
    whole_dict=True,  # programs walk through its __dict__
)
