"""gradcore.nn: modules, their parameters and initial values, and what they compute as functions."""

from .. import _lazy

__getattr__, __dir__ = _lazy.attach(
    __name__,
    star_submodules=(
        "attention",
        "common_types",
        "functional",
        "grad",
        "init",
        "modules",
        "parallel",
        "parameter",
        "quantized",
        "utils",
    ),
    whole_dict=True,  # programs walk through its __dict__
)
