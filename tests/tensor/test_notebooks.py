"""What notebooks show of tensors, modules and optimizers."""

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import gradcore


class Balanced(HTMLParser):
    """Fails where tags are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def text_of(shown):
    parser = Balanced()
    parser.feed(shown._repr_html_())
    assert not parser.open
    return " ".join(parser.text)


def pixels_of(t):
    image = pytest.importorskip("PIL.Image")
    (data,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", t._repr_html_())
    return np.asarray(image.open(io.BytesIO(base64.b64decode(data))))


@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (2, 3, 4), (1, 1, 2, 2), (3, 2, 2, 2), (500, 300)]
)
@pytest.mark.parametrize("dtype", [gradcore.float32, gradcore.int64, gradcore.bool])
def test_tensors(shape, dtype):
    t = gradcore.ones(shape).to(dtype)
    text = text_of(t)
    assert f"tensor {shape}" in text and repr(t) in text
    assert ("img" in t._repr_html_()) == (t.numel() > 1)


def test_the_picture_shows_the_values():
    pixels = pixels_of(gradcore.tensor([[2.0, 0.0, -2.0], [1.0, float("nan"), float("-inf")]]))
    assert pixels.tolist() == [
        [[255, 0, 0], [255, 255, 255], [0, 0, 255]],
        [[255, 128, 128], [160, 160, 160], [0, 0, 255]],
    ]
    assert pixels_of(gradcore.rand(1000, 50)).shape == (63, 50, 3)
    assert pixels_of(gradcore.zeros(5, 4, 3)).shape == (20, 3, 3)


def test_the_state_of_gradients():
    x = gradcore.ones(2, requires_grad=True)
    assert "requires grad" in text_of(x) and "has a gradient" not in text_of(x)
    (x * 2).sum().backward()
    assert "has a gradient" in text_of(x) and "grad_fn=MulBackward0" in text_of(x * 2)
    assert "Parameter (2,)" in text_of(gradcore.nn.Parameter(gradcore.ones(2)))
    seen = []
    gradcore.func.vmap(lambda t: (seen.append(text_of(t)), t)[1])(gradcore.ones(2, 3))
    assert "BatchedTensor" in seen[0]


def test_modules():
    net = gradcore.nn.Sequential(gradcore.nn.Linear(2, 3), gradcore.nn.Sequential(gradcore.nn.ReLU()))
    text = text_of(net)
    assert "Linear" in text and "in_features=2, out_features=3, bias=True" in text and "9 parameters" in text
    assert "(1): " in text and "details" in net._repr_html_()

    class Odd(gradcore.nn.Module):
        def extra_repr(self):
            return "<b>&\nmore"

    assert "<b>&, more" in text_of(Odd())


def test_optimizers():
    net = gradcore.nn.Linear(2, 3)
    optimizer = gradcore.optim.Adam([{"params": [net.weight]}, {"params": [net.bias], "lr": 0.5}], lr=0.25)
    text = text_of(optimizer)
    assert "Adam" in text and "group 1" in text and "0.25" in text and "0.5" in text and "1 tensors, 6 numbers" in text


def test_it_costs_nothing_before_it_is_asked_for():
    program = "import sys, gradcore; repr(gradcore.ones(2)); assert 'gradcore._html' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
