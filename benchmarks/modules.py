"""Modules of nn and whole small networks. Start at modules()."""

from .case import Case

FROZEN = "m = {module}.requires_grad_(False); x = torch.rand({shape})"
MLP = "nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))"
TRAIN = """
nn = torch.nn
m = {module}
opt = torch.optim.Adam(m.parameters(), lr=1e-3)
x, y = torch.rand({shape}), torch.rand({batch}, 2)
def step():
    opt.zero_grad()
    nn.functional.mse_loss(m(x), y).backward()
    opt.step()
"""


def frozen(name: str, module: str, shape: str, goal: float = 0.0) -> Case:
    """A module's call where nothing is recorded."""
    return Case(f"{name}, no grad", "m(x)", "nn = torch.nn; " + FROZEN.format(module=module, shape=shape), goal)


def trained(name: str, module: str, shape: str, goal: float = 0.0) -> Case:
    """A module's call and its backward pass."""
    setup = f"nn = torch.nn; m = {module}; x = torch.rand({shape}).requires_grad_(); g = torch.rand({shape})"
    return Case(f"{name}, forward and backward", "m(x).backward(g)", setup, goal)


def both_ways(name: str, call: str, setup: str, goal: float = 1.2) -> list[Case]:
    """A function of `x` where nothing is recorded, and with its backward pass."""
    setup = f"F = torch.nn.functional; {setup}"
    return [
        Case(f"{name}, no grad", call, setup, goal),
        Case(
            f"{name}, forward and backward",
            f"{call}.backward(g)",
            f"{setup}; g = torch.ones_like({call}); x.requires_grad_()",
            goal,
        ),
    ]


IMAGES = "x = torch.rand({})"
SCORES = "x = torch.randn({n}, {c}); t = torch.randint(0, {c}, ({n},))"
TABLE = "x = torch.randn(50000, 64); t = torch.randint(0, 50000, (64, 128))"


def functions() -> list[Case]:
    """Pools, normalisations, losses with classes, embedding and interpolation."""
    small, large = IMAGES.format("1, 1, 8, 8"), IMAGES.format("32, 64, 56, 56")
    moments = "; w, b, m, v = (torch.rand(64) + 1 for _ in range(4))"
    return [
        case
        for cases in (
            both_ways("max_pool2d 2 of 1 x 1 x 8 x 8", "F.max_pool2d(x, 2)", small, 3),
            both_ways("max_pool2d 2 of 32 x 64 x 56 x 56", "F.max_pool2d(x, 2)", large),
            both_ways("max_pool2d 3, 2, 1 of 32 x 64 x 56 x 56", "F.max_pool2d(x, 3, 2, 1)", large),
            both_ways("max_pool1d 2 of 32 x 64 x 1000", "F.max_pool1d(x, 2)", IMAGES.format("32, 64, 1000")),
            both_ways("avg_pool2d 2 of 1 x 1 x 8 x 8", "F.avg_pool2d(x, 2)", small, 3),
            both_ways("avg_pool2d 2 of 32 x 64 x 56 x 56", "F.avg_pool2d(x, 2)", large),
            both_ways("avg_pool2d 3, 2, 1 of 32 x 64 x 56 x 56", "F.avg_pool2d(x, 3, 2, 1)", large),
            both_ways("adaptive_avg_pool2d 7 of 32 x 64 x 56 x 56", "F.adaptive_avg_pool2d(x, 7)", large),
            both_ways("batch_norm of 1 x 1 x 8 x 8", "F.batch_norm(x, None, None, training=True)", small, 3),
            both_ways("batch_norm of 32 x 64 x 56 x 56", "F.batch_norm(x, m, v, w, b, True)", large + moments),
            both_ways("batch_norm, eval, of 32 x 64 x 56 x 56", "F.batch_norm(x, m, v, w, b)", large + moments),
            both_ways(
                "batch_norm of 128 x 64", "F.batch_norm(x, m, v, w, b, True)", IMAGES.format("128, 64") + moments
            ),
            both_ways("group_norm 8 of 32 x 64 x 56 x 56", "F.group_norm(x, 8, w, b)", large + moments),
            both_ways("instance_norm of 32 x 64 x 56 x 56", "F.instance_norm(x, None, None, w, b)", large + moments),
            both_ways("cross_entropy of 32 x 10", "F.cross_entropy(x, t)", SCORES.format(n=32, c=10)),
            both_ways("cross_entropy of 1024 x 10", "F.cross_entropy(x, t)", SCORES.format(n=1024, c=10)),
            both_ways("cross_entropy of 256 x 10000", "F.cross_entropy(x, t)", SCORES.format(n=256, c=10000)),
            both_ways("embedding of 64 x 128 in 50000 x 64", "F.embedding(t, x)", TABLE),
            both_ways(
                "interpolate, nearest, 16 x 32 x 32 x 32",
                "F.interpolate(x, scale_factor=2)",
                IMAGES.format("16, 32, 32, 32"),
            ),
            both_ways(
                "interpolate, bilinear, 16 x 32 x 32 x 32",
                "F.interpolate(x, scale_factor=2, mode='bilinear')",
                IMAGES.format("16, 32, 32, 32"),
            ),
            both_ways(
                "interpolate, bicubic, 4 x 16 x 32 x 32",
                "F.interpolate(x, scale_factor=2, mode='bicubic')",
                IMAGES.format("4, 16, 32, 32"),
            ),
        )
        for case in cases
    ]


def modules() -> list[Case]:
    return [
        Case("nn.Identity()(x)", "m(x)", "m = torch.nn.Identity(); x = torch.ones(1)"),
        Case("linear.weight", "m.weight", "m = torch.nn.Linear(4, 4)"),
        Case("module.attribute = 3", "m.attribute = 3", "m = torch.nn.Linear(4, 4)"),
        frozen("nn.Linear 4-4", "nn.Linear(4, 4)", "1, 4", 10),
        frozen("nn.ReLU, 4 elements", "nn.ReLU()", "1, 4"),
        frozen("LayerNorm of 8 x 64", "nn.LayerNorm(64)", "8, 64", 1.2),
        frozen("LayerNorm of 8 x 128 x 1024", "nn.LayerNorm(1024)", "8, 128, 1024", 1.2),
        trained("LayerNorm of 8 x 64", "nn.LayerNorm(64)", "8, 64", 1.2),
        trained("LayerNorm of 8 x 128 x 1024", "nn.LayerNorm(1024)", "8, 128, 1024", 1.2),
        frozen("MLP 4-64-64-2", MLP, "1, 4", 8),
        Case("MLP 4-64-64-2, batch 32, Adam step", "step()", TRAIN.format(module=MLP, shape="32, 4", batch=32), 5),
        *functions(),
    ]
