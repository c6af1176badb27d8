"""Classify handwritten digits with two layers of raw tensors and optim.Adam.

scikit-learn's bundled 8x8 digits, 1797 of them, are split into training and held-out ones. The network is
two matrix products and a ReLU; the loss is the cross entropy, read out of log_softmax with gather. At the
end it prints the accuracy on the held-out digits and saves the loss curves as a picture.

Run: pip install '.[examples]' && python examples/digits.py [--epochs 30] [PICTURE, default digits_loss.png]
"""

import argparse

from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from tqdm import tqdm

import gradcore as torch
from gradcore import optim

HIDDEN = 128
BATCH = 64
HELD_OUT = 360


def load():
    """Training images and labels, then held-out images and labels."""
    digits = load_digits()
    images = torch.from_numpy(digits.data).float() / 16
    labels = torch.from_numpy(digits.target)
    shuffled = torch.randperm(len(labels))
    train, held_out = shuffled[HELD_OUT:], shuffled[:HELD_OUT]
    return images[train], labels[train], images[held_out], labels[held_out]


def make_params():
    # He's initialisation: a ReLU halves the variance, the factor 2 gives it back.
    w1 = torch.randn(64, HIDDEN) * (2 / 64) ** 0.5
    w2 = torch.randn(HIDDEN, 10) * (2 / HIDDEN) ** 0.5
    return [p.requires_grad_() for p in (w1, torch.zeros(HIDDEN), w2, torch.zeros(10))]


def model(images, w1, b1, w2, b2):
    return (images @ w1 + b1).relu() @ w2 + b2


def cross_entropy(logits, labels):
    log_p = logits.log_softmax(dim=1)
    return -log_p.gather(1, labels.unsqueeze(1)).mean()


def train_epoch(optimizer, params, images, labels):
    """One pass in random minibatches; the mean of their losses."""
    losses = []
    for batch in torch.randperm(len(labels)).split(BATCH):
        loss = cross_entropy(model(images[batch], *params), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def evaluate(params, images, labels):
    """Loss and the fraction of images recognised."""
    with torch.no_grad():
        logits = model(images, *params)
        right = logits.argmax(dim=1) == labels
        return cross_entropy(logits, labels).item(), right.float().mean().item()


def save_curves(path, training, held_out):
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(training) + 1)
    axes.plot(epochs, training, label="training")
    axes.plot(epochs, held_out, label="held out")
    axes.set(xlabel="epoch", ylabel="cross entropy", yscale="log", title="Handwritten digits, 64-128-10")
    axes.legend()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", default="digits_loss.png", help="where the loss curves go")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()

    torch.manual_seed(0)
    images, labels, held_out_images, held_out_labels = load()
    params = make_params()
    optimizer = optim.Adam(params, lr=2e-3)

    training, held_out = [], []
    bar = tqdm(range(options.epochs), unit="epoch")
    for _ in bar:
        training.append(train_epoch(optimizer, params, images, labels))
        loss, accuracy = evaluate(params, held_out_images, held_out_labels)
        held_out.append(loss)
        bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}")

    save_curves(options.picture, training, held_out)
    print(f"accuracy on {len(held_out_labels)} held-out digits: {accuracy:.1%}")
    print(f"loss curves: {options.picture}")


if __name__ == "__main__":
    main()
