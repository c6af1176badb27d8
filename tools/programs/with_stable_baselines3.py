# pip: stable-baselines3 gymnasium cloudpickle farama-notifications pandas matplotlib
"""Reinforcement learning: A2C, PPO and DQN on a walk along a line."""

import gymnasium
import numpy as np
import torch
from stable_baselines3 import A2C, DQN, PPO


class Line(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-5, 5, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = 0.0, 0
        return np.array([self.x], np.float32), {}

    def step(self, action):
        self.x, self.t = self.x + (1 if action else -1), self.t + 1
        return np.array([self.x], np.float32), self.x, abs(self.x) >= 5, self.t >= 20, {}


torch.set_num_threads(1)
for method, options in (
    (A2C, {}),
    (PPO, {"n_steps": 64, "batch_size": 32}),
    (DQN, {"learning_starts": 32, "buffer_size": 1000}),
):
    model = method("MlpPolicy", Line(), seed=0, **options).learn(256)
    action, _ = model.predict(np.array([1.0], np.float32), deterministic=True)
    print(method.__name__, int(action), sum(p.abs().sum().item() for p in model.policy.parameters()))
