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
    ]
