# pip: pfrl gym gym-notices filelock
"""Reinforcement learning: a double DQN on a walk along a line."""

import numpy as np
import pfrl
import torch

torch.manual_seed(0)
np.random.seed(0)
net = torch.nn.Sequential(
    torch.nn.Linear(1, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2), pfrl.q_functions.DiscreteActionValueHead()
)
agent = pfrl.agents.DoubleDQN(
    net,
    torch.optim.Adam(net.parameters(), lr=0.01),
    pfrl.replay_buffers.ReplayBuffer(1000),
    0.9,
    pfrl.explorers.ConstantEpsilonGreedy(0.2, lambda: np.random.randint(2)),
    replay_start_size=16,
    minibatch_size=8,
    target_update_interval=20,
)
x = 0.0
for step in range(80):
    action = agent.act(np.array([x], np.float32))
    x += 1 if action else -1
    done = abs(x) >= 5
    agent.observe(np.array([x], np.float32), x, done, False)
    x = 0.0 if done else x
print([(name, float(value)) for name, value in agent.get_statistics()])
