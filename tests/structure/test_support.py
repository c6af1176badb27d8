"""The comparison that the other tests rest on."""

from support import (
    Facts,
    difference,
    gradcore,
)


def test_difference_sees_differences():
    """The comparison itself: a suite that cannot fail shows nothing."""
    one = Facts(gradcore.tensor([1.0, 2.0]))
    for other in (
        gradcore.tensor([1.0, 2.5]),
        gradcore.tensor([[1.0, 2.0]]),
        gradcore.tensor([1, 2]),
        gradcore.tensor([1.0, float("nan")]),
        gradcore.tensor([1.0, 2.0], requires_grad=True),
        gradcore.tensor([[1.0, 0.0], [2.0, 0.0]])[:, 0],
    ):
        assert difference(one, Facts(other))
    assert difference([one, 1], [one, 2])
    assert difference(Facts(gradcore.tensor([0.0])), Facts(gradcore.tensor([-0.0])))
    assert not difference(one, Facts(gradcore.tensor([1.0, 2.0])))
