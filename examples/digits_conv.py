"""Classify handwritten digits with a small convolutional network, trained on shifted copies.

scikit-learn's bundled 8x8 digits, 1797 of them, are split into training and held-out ones. Two convolutions with batch
norm, a pooling, a third convolution and one linear layer; each training image is moved by up to a pixel anew in every
epoch, and the learning rate goes down along a cosine. At the end it prints the accuracy on the held-out digits, about
99 %, and saves a picture of those that were not recognised.

Run: pip install '.[examples]' && python examples/digits_conv.py [--epochs 30] [PICTURE, default digits_conv.png]
"""

import argparse

from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from tqdm import tqdm

import gradcore as torch
from gradcore import nn, optim

CHANNELS = 32
BATCH = 64
HELD_OUT = 360


def load():
    """Training images (N, 1, 8, 8) and labels, then held-out images and labels."""
    digits = load_digits()
    images = torch.from_numpy(digits.images).float().unsqueeze(1) / 16
    labels = torch.from_numpy(digits.target)
    shuffled = torch.randperm(len(labels))
    train, held_out = shuffled[HELD_OUT:], shuffled[:HELD_OUT]
    return images[train], labels[train], images[held_out], labels[held_out]


def convolution(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def make_model():
    return nn.Sequential(
        convolution(1, CHANNELS),
        convolution(CHANNELS, CHANNELS),
        nn.MaxPool2d(2),
        convolution(CHANNELS, 2 * CHANNELS),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(2 * CHANNELS * 16, 10),
    )


def shifted(images):
    """Each image moved by -1, 0 or 1 pixels in each direction."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    rows = torch.randint(3, (len(images), 1, 1)) + torch.arange(8).view(1, 8, 1)
    columns = torch.randint(3, (len(images), 1, 1)) + torch.arange(8).view(1, 1, 8)
    return padded[torch.arange(len(images)).view(-1, 1, 1), 0, rows, columns].unsqueeze(1)


def train_epoch(model, optimizer, schedule, images, labels):
    """One pass in random minibatches; the mean of their losses."""
    model.train()
    losses = []
    for batch in torch.randperm(len(labels)).split(BATCH):
        loss = nn.functional.cross_entropy(model(shifted(images[batch])), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(model, images):
    model.eval()
    with torch.no_grad():
        return model(images).argmax(dim=1)


def save_mistakes(path, images, labels, predicted):
    wrong = (predicted != labels).nonzero().flatten().tolist()
    figure = Figure(figsize=(1.5 * max(len(wrong), 4), 2), layout="constrained")
    figure.suptitle(f"{len(wrong)} of {len(labels)} held-out digits not recognised")
    for axes in figure.subplots(1, max(len(wrong), 4)):
        axes.axis("off")
    for axes, i in zip(figure.axes, wrong):
        axes.imshow(images[i, 0].numpy(), cmap="gray_r")
        axes.set_title(f"{labels[i].item()} seen as {predicted[i].item()}", fontsize="small")
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", default="digits_conv.png", help="where the mistakes go")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()

    torch.manual_seed(0)
    images, labels, held_out_images, held_out_labels = load()
    model = make_model()
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = options.epochs * -(-len(labels) // BATCH)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    bar = tqdm(range(options.epochs), unit="epoch")
    for _ in bar:
        loss = train_epoch(model, optimizer, schedule, images, labels)
        predicted = predict(model, held_out_images)
        accuracy = (predicted == held_out_labels).float().mean().item()
        bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}")

    save_mistakes(options.picture, held_out_images, held_out_labels, predicted)
    print(f"accuracy on {len(held_out_labels)} held-out digits: {accuracy:.1%}")
    print(f"mistakes: {options.picture}")


if __name__ == "__main__":
    main()
