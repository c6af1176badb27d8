"""Balance a pole on a cart by actor-critic.

Gymnasium's CartPole-v1 gives a reward of 1 for each step until the pole falls, at most 500. One network with two heads
says how likely each push is and what the state is worth; after each episode the pushes that brought more than expected
become likelier (R. S. Sutton, A. G. Barto, "Reinforcement learning", chapter 13). It stops when the mean of the last
hundred episodes is above 475, which the environment calls solved: after 400 to 900 episodes. The picture shows the
reward of each episode.

Run: pip install '.[examples,gym]' && python examples/cartpole.py [--episodes 2000] [PICTURE, default cartpole.png]
"""

import argparse

import gymnasium
from matplotlib.figure import Figure
from tqdm import tqdm

import gradcore as torch
from gradcore import nn, optim
from gradcore.distributions import Categorical

HIDDEN = 128
DISCOUNT = 0.99
SOLVED = 475.0


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, HIDDEN), nn.ReLU())
        self.actor, self.critic = nn.Linear(HIDDEN, 2), nn.Linear(HIDDEN, 1)

    def forward(self, state):
        """The distribution of pushes, and the worth of the state."""
        x = self.body(state)
        return Categorical(logits=self.actor(x)), self.critic(x).squeeze(-1)


def play(environment, model, seed):
    """One episode: states, pushes and rewards."""
    state, _ = environment.reset(seed=seed)
    states, pushes, rewards, done = [], [], [], False
    while not done:
        states.append(torch.from_numpy(state))
        with torch.no_grad():
            pushes.append(model(states[-1])[0].sample())
        state, reward, ended, cut_off, _ = environment.step(pushes[-1].item())
        rewards.append(reward)
        done = ended or cut_off
    return torch.stack(states), torch.stack(pushes), rewards


def returns_of(rewards):
    """What came after each step, discounted, of mean 0 and deviation 1."""
    total, returns = 0.0, []
    for reward in reversed(rewards):
        total = reward + DISCOUNT * total
        returns.append(total)
    returns = torch.tensor(returns[::-1])
    return (returns - returns.mean()) / (returns.std(correction=0) + 1e-6)


def loss_of(model, states, pushes, returns):
    policy, worth = model(states)
    advantage = returns - worth.detach()
    return -(policy.log_prob(pushes) * advantage).sum() + nn.functional.smooth_l1_loss(worth, returns, reduction="sum")


def save_rewards(path, rewards):
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(rewards, linewidth=0.5)
    means = [sum(rewards[max(0, i - 99) : i + 1]) / min(i + 1, 100) for i in range(len(rewards))]
    axes.plot(means, label="mean of a hundred")
    axes.set(xlabel="episode", ylabel="reward", title="CartPole-v1, actor-critic")
    axes.legend()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", default="cartpole.png", help="where the rewards go")
    parser.add_argument("--episodes", type=int, default=2000)
    options = parser.parse_args()

    torch.manual_seed(0)
    environment = gymnasium.make("CartPole-v1")
    model = ActorCritic()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)

    rewards, mean = [], 0.0
    bar = tqdm(range(options.episodes), unit="episode")
    for episode in bar:
        states, pushes, gained = play(environment, model, seed=episode)
        loss = loss_of(model, states, pushes, returns_of(gained))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rewards.append(sum(gained))
        mean = sum(rewards[-100:]) / len(rewards[-100:])
        bar.set_postfix(mean=f"{mean:.0f}")
        if len(rewards) >= 100 and mean > SOLVED:
            break

    save_rewards(options.picture, rewards)
    print(f"mean reward of the last {len(rewards[-100:])} of {len(rewards)} episodes: {mean:.1f}")
    print(f"rewards: {options.picture}")


if __name__ == "__main__":
    main()
