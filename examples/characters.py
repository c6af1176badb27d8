"""Learn to write like Python's own documentation, character by character, with a transformer.

The text is what `help()` says on topics, which every Python has as pydoc_data.topics. A decoder of four layers reads
64 characters and predicts each next one; a tenth of the topics is held out. It begins at log(100) = 4.6 nats a character,
what guessing among about a hundred characters costs, comes below 2.6 (what the frequencies of pairs give) within two
hundred steps, and ends at 1.55. At the end it writes 300 characters of its own and saves the loss curves as a picture.

Run: pip install '.[examples]' && python examples/characters.py [--steps 1500] [PICTURE, default characters_loss.png]
"""

import argparse
from pydoc_data.topics import topics

from matplotlib.figure import Figure
from tqdm import tqdm

import gradcore as torch
from gradcore import nn, optim

WIDTH, HEADS, LAYERS = 96, 4, 4
CONTEXT, BATCH = 64, 16
EVERY = 50  # steps from one look at held-out text to the next


class Block(nn.Module):
    """Causal attention and a small network, each beside a residual connection."""

    def __init__(self):
        super().__init__()
        self.before_attention, self.before_mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def attend(self, x):
        batch, length, _ = x.shape
        heads = (t.view(batch, length, HEADS, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        y = nn.functional.scaled_dot_product_attention(*heads, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, WIDTH))

    def forward(self, x):
        x = x + self.attend(self.before_attention(x))
        return x + self.mlp(self.before_mlp(x))


class Writer(nn.Module):
    """Scores of the next character, after each of those in (batch, length)."""

    def __init__(self, characters):
        super().__init__()
        self.character, self.position = nn.Embedding(characters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters))

    def forward(self, text):
        x = self.character(text) + self.position(torch.arange(text.shape[1]))
        return self.head(self.blocks(x))


def load():
    """Training and held-out text as numbers, and the characters that they stand for."""
    texts = [topics[name] for name in sorted(topics)]
    characters = sorted(set("".join(texts)))
    number = {c: i for i, c in enumerate(characters)}
    held_out, train = "".join(texts[::10]), "".join(t for i, t in enumerate(texts) if i % 10)
    return *(torch.tensor([number[c] for c in text]) for text in (train, held_out)), characters


def sample(text, count):
    """Random pieces, (count, CONTEXT), and the same moved on by one character."""
    begin = torch.randint(len(text) - CONTEXT, (count, 1))
    pieces = text[begin + torch.arange(CONTEXT + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def loss_of(model, pieces, following):
    return nn.functional.cross_entropy(model(pieces).flatten(0, 1), following.flatten())


def evaluate(model, text):
    """The loss on eight batches, the same ones each time."""
    begin = torch.arange(8 * BATCH) * ((len(text) - CONTEXT - 1) // (8 * BATCH))
    pieces = text[begin.unsqueeze(1) + torch.arange(CONTEXT + 1)]
    with torch.no_grad():
        return loss_of(model, pieces[:, :-1], pieces[:, 1:]).item()


def write(model, characters, length):
    """Text of the model's own, each character drawn by its probability."""
    text = torch.tensor([[characters.index("\n")]])
    with torch.no_grad():
        for _ in range(length):
            scores = model(text[:, -CONTEXT:])[0, -1]
            following = torch.multinomial((scores / 0.8).softmax(0), 1)
            text = torch.cat([text, following.view(1, 1)], dim=1)
    return "".join(characters[i] for i in text[0].tolist())


def save_curves(path, training, held_out):
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(training) + 1), training, label="training", linewidth=0.5)
    axes.plot(*zip(*held_out), label="held out")
    axes.set(xlabel="step", ylabel="nats a character", title="A transformer reads Python's help")
    axes.legend()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", default="characters_loss.png", help="where the loss curves go")
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()

    torch.manual_seed(0)
    train, held_out_text, characters = load()
    model = Writer(len(characters))
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=options.steps, pct_start=0.1)

    training, held_out = [], []
    bar = tqdm(range(1, options.steps + 1), unit="step")
    for step in bar:
        loss = loss_of(model, *sample(train, BATCH))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        training.append(loss.item())
        if step % EVERY == 0 or step == options.steps:
            held_out.append((step, evaluate(model, held_out_text)))
            bar.set_postfix(training=f"{training[-1]:.2f}", held_out=f"{held_out[-1][1]:.2f}")

    save_curves(options.picture, training, held_out)
    print(write(model, characters, 300))
    print(f"held-out loss: {held_out[-1][1]:.2f} nats a character")
    print(f"loss curves: {options.picture}")


if __name__ == "__main__":
    main()
