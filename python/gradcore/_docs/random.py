"""Random numbers, from the default stream or a Generator's: torch's own for the same seed."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "rand": """
    Numbers of the uniform distribution on [0, 1), in a tensor of this size. The dtype is the default float if none is
    given.

    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.rand(2)
    tensor([0.4963, 0.7682])
    """,
    "randn": """
    Numbers of the standard normal distribution (mean 0, variance 1), in a tensor of this size. The dtype is the default
    float if none is given.

    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.randn(2)
    tensor([ 1.5410, -0.2934])
    """,
    "rand_like": """
    Numbers of the uniform distribution on [0, 1), in the shape and the dtype of `input`.

    >>> gradcore.rand_like(gradcore.zeros(2, 3)).shape
    torch.Size([2, 3])
    """,
    "randn_like": """
    Numbers of the standard normal distribution, in the shape and the dtype of `input`.

    >>> gradcore.randn_like(gradcore.zeros(2, 3)).shape
    torch.Size([2, 3])
    """,
    "randint": """
    Integers from `low`, which is 0 if not given, to `high` - 1, all equally likely, in a tensor of this size; int64 if
    no dtype is given.

    Raises RuntimeError where there is no integer between both.

    >>> _ = gradcore.manual_seed(0)
    >>> gradcore.randint(1, 7, (5,))
    tensor([3, 4, 6, 1, 2])
    """,
    "randint_like": """
    Integers from `low`, which is 0 if not given, to `high` - 1, all equally likely, in the shape and the dtype of
    `input`.

    >>> gradcore.randint_like(gradcore.zeros(2), 10).dtype
    torch.float32
    """,
    "randperm": """
    The integers 0 to n - 1 in random order, each order equally likely; int64 if no dtype is given.

    >>> gradcore.randperm(5).sum()
    tensor(10)
    """,
    "uniform_": """
    Fills the tensor with numbers of the uniform distribution on [from, to).

    Floats only. Raises RuntimeError where from > to.

    >>> x = gradcore.empty(1000).uniform_(2, 3)
    >>> bool((x >= 2).all()), bool((x < 3).all())
    (True, True)
    """,
    "normal_": """
    Fills the tensor with numbers of the normal distribution with this mean and standard deviation.

    Floats only. Raises RuntimeError for a negative std.

    >>> x = gradcore.empty(10000).normal_(5, 2)
    >>> round(x.mean().item()), round(x.std().item())
    (5, 2)
    """,
    "random_": """
    Fills the tensor with integers from `from` to `to` - 1, all equally likely; without limits, with all that its dtype
    has from 0 on (a float: up to 2^mantissa).

    Raises RuntimeError where there is no integer between both, or where the dtype has not all of them.

    >>> int(gradcore.zeros(100).random_(3).max()) <= 2
    True
    """,
    "exponential_": """
    Fills the tensor with numbers of the exponential distribution, of density lambd * exp(-lambd * x) and mean 1 /
    lambd.

    Floats only. Raises RuntimeError for a lambd that is not positive.

    >>> bool((gradcore.empty(100).exponential_() >= 0).all())
    True
    """,
    "bernoulli": """
    1 with probability `input`, else 0, for each element, in its shape and dtype; with `p`, 1 with probability p
    everywhere.

    Raises RuntimeError for a probability outside of [0, 1]. The gradient is 0.

    >>> gradcore.bernoulli(gradcore.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """,
    "bernoulli_": """
    Fills the tensor with 1 with probability `p`, a number or a tensor that broadcasts, and with 0 else.

    Raises RuntimeError for a probability outside of [0, 1].

    >>> gradcore.empty(2).bernoulli_(gradcore.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """,
    "multinomial": """
    Draws `num_samples` indices, each with a probability in proportion to the weights in `input`, as int64.

    A vector (n) of weights gives (num_samples), a matrix (m, n) gives (m, num_samples), each row drawn from its own
    weights. Without replacement no index comes twice. Raises RuntimeError for weights that are negative, infinite, NaN
    or all zero, and without replacement where more are drawn than there are weights.

    >>> gradcore.multinomial(gradcore.tensor([0.0, 1.0, 0.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """,
    "cauchy_": """
    Fills the tensor with numbers of Cauchy's distribution around `median`, of half width `sigma`.

    The numbers are torch's for the same seed. Raises RuntimeError for a dtype that is no float, and for sigma <= 0.

    >>> gradcore.empty(3).cauchy_().shape
    torch.Size([3])
    """,
    "log_normal_": """
    Fills the tensor with numbers whose logarithms have the normal distribution of this mean and standard deviation.

    The numbers are torch's for the same seed. Raises NotImplementedError for a dtype that is no float, RuntimeError for
    std <= 0.

    >>> bool((gradcore.empty(3).log_normal_() > 0).all())
    True
    """,
    "geometric_": """
    Fills the tensor with numbers of trials until the first success, each trial having the probability p.

    The numbers are torch's for the same seed. Raises RuntimeError for p outside of (0, 1).

    >>> bool((gradcore.empty(3).geometric_(0.5) >= 1).all())
    True
    """,
    "poisson": """
    For each element a number of Poisson's distribution with this rate.

    The numbers are torch's for the same seed. Raises RuntimeError for rates that are negative or infinite,
    NotImplementedError for a dtype that is no float.

    >>> gradcore.poisson(gradcore.zeros(3))
    tensor([0., 0., 0.])
    """,
    "normal": """
    Numbers of normal distributions: one for each element of what `mean` and `std` broadcast to, or as many as `size` says.

    The result has the dtype of `mean` where that is a tensor, else of `std`. The numbers are torch's for the same seed.
    Raises RuntimeError for a negative std.

    >>> gradcore.normal(gradcore.tensor([1.0, 2.0]), gradcore.zeros(2))
    tensor([1., 2.])
    >>> gradcore.normal(0.0, 1.0, (2, 3)).shape
    torch.Size([2, 3])
    """,
    "_standard_gamma": """
    For each element a number of the gamma distribution with this concentration and rate 1.

    It has a gradient: how the quantile that was drawn moves with the concentration. The numbers are torch's for the same
    seed, the gradients exact to seven digits where torch has three to four. Raises NotImplementedError for a dtype other than
    float32 and float64.

    >>> gradcore._standard_gamma(gradcore.ones(3)).shape
    torch.Size([3])
    """,
    "_standard_gamma_grad": """
    How a quantile of the gamma distribution of rate 1 moves with the concentration: minus dF/da over dF/dx at `output`.

    F is the distribution function. The tensors broadcast and have one dtype, float32 or float64.

    >>> gradcore._standard_gamma_grad(gradcore.tensor(2.0), gradcore.tensor(2.0))
    tensor(1.0862)
    """,
    "_sample_dirichlet": """
    Numbers of Dirichlet distributions with these concentrations along the last dim: they add up to 1.

    The numbers are torch's for the same seed. It has no gradient; distributions.Dirichlet makes one of
    `_dirichlet_grad`. Raises NotImplementedError for a dtype other than float32 and float64.

    >>> gradcore._sample_dirichlet(gradcore.tensor([[1.0, 2.0], [3.0, 4.0]])).sum(-1)
    tensor([1., 1.])
    """,
    "_dirichlet_grad": """
    How a quantile of the beta distribution of concentrations `alpha` and total - alpha moves with `alpha`, over 1 - x.

    `x` is the quantile. The tensors broadcast and have one dtype, float32 or float64.

    >>> gradcore._dirichlet_grad(gradcore.tensor(0.5), gradcore.tensor(1.0), gradcore.tensor(2.0))
    tensor(0.6931)
    """,
    "binomial": """
    Numbers of successes among `count` trials of probability `prob`; the tensors broadcast and have one floating dtype.

    The numbers are torch's for the same seed. Raises ValueError for integers, RuntimeError for dtypes that differ. No gradient.

    >>> gradcore.binomial(gradcore.tensor([3.0, 0.0]), gradcore.tensor([1.0, 0.5]))
    tensor([3., 0.])
    """,
}

__test__ = TEXTS
