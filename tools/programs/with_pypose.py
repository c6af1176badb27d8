# pip: pypose
"""Rigid motions as tensors: Lie groups, a pose found by Levenberg-Marquardt, and by gradients."""

import pypose
import torch


class Inverse(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.pose = pypose.Parameter(pypose.randn_se3(2, 2))

    def forward(self, motion):
        return (self.pose.Exp() @ motion).Log().tensor()


torch.manual_seed(0)
motion, net = pypose.randn_SE3(2, 2), Inverse()
print(motion.Inv().matrix().sum().item(), pypose.euler2SO3(torch.tensor([0.1, 0.2, 0.3])).tensor())
optimizer = pypose.optim.LM(net, strategy=pypose.optim.strategy.Adaptive(damping=1e-6))
print([round(optimizer.step(motion).item(), 4) for _ in range(3)])
net = Inverse()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    loss = net(motion).square().sum()
    loss.backward()
    optimizer.step()
    print(loss.item())
