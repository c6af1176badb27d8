"""Methods and names of older programs."""

import pytest

from support import both, gradcore


def test_storage_is_that_of_floats():
    assert gradcore.Storage is gradcore.FloatStorage
    assert gradcore.GradScaler is gradcore.amp.GradScaler


def test_map2_():
    both(lambda lib: lib.arange(3.0).map2_(lib.ones(3), lib.full((1,), 2.0), lambda x, y, z: x + y * z))

    def recorded(lib):
        return lib.ones(2, requires_grad=True).map2_(lib.ones(2), lib.ones(2), max)

    both(recorded, raises="Can't call map2_() on Variable that requires grad. Use var.detach().map2_() instead.")


def test_activations_as_methods():
    both(lambda lib: lib.tensor([-1.0, 0.25, 2.0]).hardshrink(0.5))
    both(lambda lib: lib.tensor([-1.0, 0.25, 2.0]).prelu(lib.tensor(0.5)))


@pytest.mark.parametrize(
    "shape, dims",
    [((2, 3, 4), (0, 1, 2)), ((2, 3, 4), (2, 0, 1)), ((2, 3, 4, 5), (0, 3, 1, 2)), ((1, 3, 1), (0, 1, 2)), ((), ())],
)
def test_dim_order(shape, dims):
    both(lambda lib: lib.empty(shape).permute(dims).dim_order())
    both(lambda lib: lib.empty(shape).permute(dims).dim_order(ambiguity_check=[lib.contiguous_format]))


def test_dim_order_that_is_not_the_only_one():
    both(lambda lib: lib.empty(3).expand(2, 3).dim_order())
    both(lambda lib: lib.empty(1, 3, 1).dim_order(ambiguity_check=[lib.contiguous_format]))
    both(lambda lib: lib.empty(2, 3).dim_order(ambiguity_check=True))
    both(lambda lib: lib.empty(1, 3).dim_order(ambiguity_check=True), raises="does not have unique dim order")
    both(
        lambda lib: lib.empty(1, 3).dim_order(ambiguity_check="no"),
        raises="must be a bool or a list of memory formats.",
    )
