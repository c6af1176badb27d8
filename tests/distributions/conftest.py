"""torch's compiler, once imported, switches off the checks of torch's distributions for the whole process."""

import pytest

import support


@pytest.fixture(autouse=True)
def torch_checks_arguments():
    if support.torch is not None:
        support.torch.distributions.Distribution.set_default_validate_args(True)
