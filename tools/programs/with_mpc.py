# pip: mpc
"""A linear-quadratic controller with bounds, and gradients through its plan."""

import torch
from mpc import mpc

torch.manual_seed(0)
batch, states, controls, steps = 2, 3, 2, 5
root = torch.randn(steps, batch, states + controls, states + controls)
cost = mpc.QuadCost(root @ root.mT, torch.randn(steps, batch, states + controls))
transition = (torch.eye(states) + 0.2 * torch.randn(states, states)).requires_grad_()
dynamics = mpc.LinDx(torch.cat((transition, torch.randn(states, controls)), 1).repeat(steps, batch, 1, 1))
start, bound = torch.randn(batch, states), torch.ones(steps, batch, controls)
for low, high in ((None, None), (-bound, bound)):
    planner = mpc.MPC(
        states, controls, steps, u_lower=low, u_upper=high, lqr_iter=20, verbose=-1, exit_unconverged=False
    )
    _, plan, costs = planner(start, cost, dynamics)
    (gradient,) = torch.autograd.grad(plan.sum(), transition, retain_graph=True)
    print(plan.sum().item(), costs.tolist(), gradient.tolist())
