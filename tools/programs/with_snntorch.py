# pip: snntorch
"""A spiking network with learnt decay, trained through surrogate gradients."""

import snntorch
import torch
from snntorch import functional, spikegen, surrogate

torch.manual_seed(0)
first, second = torch.nn.Linear(8, 16), torch.nn.Linear(16, 3)
leaky = snntorch.Leaky(beta=0.9, spike_grad=surrogate.fast_sigmoid(), learn_beta=True)
synaptic = snntorch.Synaptic(alpha=0.8, beta=0.9, spike_grad=surrogate.atan())
optimizer = torch.optim.Adam([*first.parameters(), *second.parameters(), *leaky.parameters()], lr=1e-2)
spikes, target = spikegen.rate(torch.rand(6, 8), num_steps=10), torch.tensor([0, 1, 2, 0, 1, 2])
for _ in range(5):
    voltage, (current, potential), out = leaky.init_leaky(), synaptic.init_synaptic(), []
    for step in spikes:
        fired, voltage = leaky(first(step), voltage)
        fired, current, potential = synaptic(second(fired), current, potential)
        out.append(fired)
    optimizer.zero_grad()
    loss = functional.mse_count_loss(0.8, 0.2)(torch.stack(out), target)
    loss.backward()
    optimizer.step()
    print(loss.item(), sum(p.abs().sum().item() for p in first.parameters()))
