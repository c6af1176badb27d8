"""Products of batches, distances, indexed sums and dense linear algebra. Start at algebra()."""

from .case import Case

ATTENTION = (
    "q, k = (torch.randn(8, 8, 128, 64, requires_grad={grad}) for _ in range(2)); p = torch.randn(8, 8, 128, 128)"
)
DISTANCES = "a, b = (torch.randn({rows}, 16, requires_grad={grad}) for _ in range(2)); g = torch.randn({rows}, {rows})"
INDEXED = """
x = torch.randn(1 << 20)
i, zeros = torch.randint(0, {places}, (1 << 20,)), torch.zeros({places})
"""
MATRICES = """
n = {n}
a = torch.randn({batch}n, n)
a = a @ a.mT + n * torch.eye(n)
b = torch.randn({batch}n, 1)
"""
SOLVERS = {
    "solve": "torch.linalg.solve(a, b)",
    "cholesky": "torch.linalg.cholesky(a)",
    "inv": "torch.linalg.inv(a)",
    "det": "torch.linalg.det(a)",
    "qr": "torch.linalg.qr(a)",
    "eigh": "torch.linalg.eigh(a)",
}


def products() -> list[Case]:
    plain, recorded = ATTENTION.format(grad=False), ATTENTION.format(grad=True)
    scores, mixed = "torch.einsum('bhqd,bhkd->bhqk', q, k)", "torch.einsum('bhqk,bhkd->bhqd', p, k)"
    return [
        Case("einsum bhqd,bhkd->bhqk", scores, plain, 1),
        Case("einsum bhqk,bhkd->bhqd", mixed, plain, 1),
        Case("einsum bhqd,bhkd->bhqk, with backward", scores + ".backward(p)", recorded, 1),
        Case("bmm of 256 of 16 x 16", "a @ a", "a = torch.randn(256, 16, 16)", 1),
    ]


def distances() -> list[Case]:
    return [
        Case("cdist 1,000 x 1,000", "torch.cdist(a, b)", DISTANCES.format(rows=1000, grad=False), 1),
        Case(
            "cdist 1,000 x 1,000, with backward",
            "torch.cdist(a, b).backward(g)",
            DISTANCES.format(rows=1000, grad=True),
            1,
        ),
        Case(
            "cdist 300 x 300, p=1, with backward",
            "torch.cdist(a, b, p=1.0).backward(g)",
            DISTANCES.format(rows=300, grad=True),
            1,
        ),
    ]


def indexed() -> list[Case]:
    statements = {
        "scatter_add": "zeros.scatter_add(0, i, x)",
        "scatter_reduce amax": "zeros.scatter_reduce(0, i, x, 'amax')",
        "index_add": "zeros.index_add(0, i, x)",
        "bincount": "torch.bincount(i)",
    }
    return [
        Case(f"{name} of 1M to {places:,}", statement, INDEXED.format(places=places), 1)
        for name, statement in statements.items()
        for places in (1000, 1 << 20)
    ]


def solvers() -> list[Case]:
    """A goal for a single matrix, one for a batch, and one for those that go by products."""
    small = [
        Case(f"{name}, {batch} of {n} x {n}", statement, MATRICES.format(n=n, batch=f"{batch}, "), goal)
        for batch, goal in ((1, 5), (1000, 3))
        for name, statement in SOLVERS.items()
        for n in (3, 8, 16, 32)
    ]
    large = [
        Case(f"{name}, {n} x {n}", SOLVERS[name], MATRICES.format(n=n, batch=""), 1, large=n > 256)
        for name in ("solve", "inv", "det", "cholesky")
        for n in (64, 256, 1024)
    ]
    return small + large


def algebra() -> list[Case]:
    return [*products(), *distances(), *indexed(), *solvers()]
