"""Learn what handwritten digits look like with a variational autoencoder.

scikit-learn's bundled 8x8 digits go through an encoder to eight numbers, of which it says a mean and a spread, and back
through a decoder. The loss is what the image costs given those numbers plus what the numbers cost given a normal
distribution (D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", 2014). A held-out digit costs 24.5 nats at the
end; the mean of all images in its place would cost 27.1, and greys cost 13.7 even where they are known. The picture
shows held-out digits above what is left of them, and new digits drawn from the normal distribution.

Run: pip install '.[examples]' && python examples/autoencoder.py [--epochs 60] [PICTURE, default autoencoder.png]
"""

import argparse

from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from tqdm import tqdm

import gradcore as torch
from gradcore import nn, optim

HIDDEN, CODE = 256, 8
BATCH = 64
HELD_OUT = 360


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 2 * CODE))
        self.decoder = nn.Sequential(nn.Linear(CODE, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 64))

    def forward(self, images):
        """Logits of the pixels, and mean and logarithm of the variance of the codes."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        code = mean + torch.randn(mean.shape) * (log_variance / 2).exp()
        return self.decoder(code), mean, log_variance


def load():
    """Training and held-out images, (N, 64)."""
    images = torch.from_numpy(load_digits().data).float() / 16
    shuffled = torch.randperm(len(images))
    return images[shuffled[HELD_OUT:]], images[shuffled[:HELD_OUT]]


def loss_of(model, images):
    """Nats an image: the negative of the evidence lower bound."""
    logits, mean, log_variance = model(images)
    pixels = nn.functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    return (pixels + divergence) / len(images)


def train_epoch(model, optimizer, images):
    """One pass in random minibatches; the mean of their losses."""
    losses = []
    for batch in torch.randperm(len(images)).split(BATCH):
        loss = loss_of(model, images[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def save_picture(path, model, images):
    """Ten digits, the same after coding and decoding, and ten new ones."""
    with torch.no_grad():
        again = model(images)[0].sigmoid()
        drawn = model.decoder(torch.randn(len(images), CODE)).sigmoid()
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    grid = figure.subplots(3, len(images))
    for name, row, shown in zip(("held out", "decoded", "drawn"), grid, (images, again, drawn)):
        row[0].set_ylabel(name)
        for axes, image in zip(row, shown):
            axes.imshow(image.view(8, 8).numpy(), cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", default="autoencoder.png", help="where the digits go")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args()

    torch.manual_seed(0)
    train, held_out = load()
    model = Autoencoder()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)

    bar = tqdm(range(options.epochs), unit="epoch")
    for _ in bar:
        training = train_epoch(model, optimizer, train)
        with torch.no_grad():
            loss = loss_of(model, held_out).item()
        bar.set_postfix(training=f"{training:.2f}", held_out=f"{loss:.2f}")

    save_picture(options.picture, model, held_out[:10])
    print(f"a held-out digit costs {loss:.2f} nats")
    print(f"digits: {options.picture}")


if __name__ == "__main__":
    main()
