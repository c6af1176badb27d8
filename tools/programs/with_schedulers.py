# pip: pytorch-warmup torch-lr-finder packaging
"""Learning rates: warmup beside a schedule, and a search for the best one."""

import pytorch_warmup as warmup
import torch
from torch_lr_finder import LRFinder

torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
for kind in (warmup.UntunedLinearWarmup(optimizer), warmup.LinearWarmup(optimizer, warmup_period=5)):
    for _ in range(6):
        loss = net(torch.ones(2, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with kind.dampening():
            schedule.step()
        print(optimizer.param_groups[0]["lr"], loss.item())
x = torch.randn(64, 4)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
finder = LRFinder(net, torch.optim.SGD(net.parameters(), lr=1e-4), torch.nn.MSELoss(), device="cpu")
finder.range_test(loader, end_lr=1, num_iter=10)
print(finder.history["lr"][-1], finder.best_loss)
