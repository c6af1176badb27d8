# pip: accelerate safetensors huggingface-hub psutil pyyaml
"""A training loop by Hugging Face's Accelerate."""

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

set_seed(0)
accelerator = Accelerator(cpu=True)
net = torch.nn.Linear(4, 1)
x = torch.randn(64, 4)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
net, optimizer, data = accelerator.prepare(net, optimizer, data)
for _ in range(2):
    for inputs, target in data:
        with accelerator.accumulate(net):
            loss = (net(inputs) - target).square().mean()
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
    print(loss.item(), accelerator.num_processes, accelerator.gather(loss).shape)
