"""utils.tensorboard.SummaryWriter by the package tensorboard, whose own reader says what came."""

import io

import numpy as np
import pytest

import gradcore
from gradcore.utils.tensorboard import SummaryWriter

loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")


@pytest.fixture
def writer(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)  # which would be taken before
    with SummaryWriter(str(tmp_path)) as made:
        yield made


def values(folder):
    """(step, value) of each tag in the files of a folder."""
    found = {}
    for file in sorted(folder.glob("*tfevents*")):
        for event in loader.LegacyEventFileLoader(str(file)).Load():
            found.update({value.tag: (event.step, value) for value in event.summary.value})
    return found


def test_numbers_and_texts(writer, tmp_path):
    writer.add_scalar("loss", gradcore.tensor(2.5, requires_grad=True), 3, walltime=1.0)
    writer.add_scalars("a/b", {"x": 1.0, "y": 2}, 4)
    writer.add_text("settings", "|a|b|")
    writer.close()
    step, value = values(tmp_path)["loss"]
    assert (step, value.simple_value) == (3, 2.5)
    for name, expected in (("x", 1.0), ("y", 2.0)):
        step, value = values(tmp_path / f"a_b_{name}")["a/b"]
        assert (step, value.simple_value) == (4, expected)
    _, value = values(tmp_path)["settings/text_summary"]
    assert list(value.tensor.string_val) == [b"|a|b|"] and value.metadata.plugin_data.plugin_name == "text"


@pytest.mark.parametrize("options", [{}, {"bins": "auto"}, {"max_bins": 10}, {"bins": [-9.0, 0.0, 9.0]}])
def test_histograms_hold_every_value(writer, tmp_path, options):
    gradcore.manual_seed(0)
    x = gradcore.randn(1000)
    writer.add_histogram("h", x, 2, **options)
    writer.close()
    histogram = values(tmp_path)["h"][1].histo
    assert sum(histogram.bucket) == histogram.num == 1000
    assert histogram.min == x.min().item() and histogram.max == x.max().item()
    assert histogram.sum_squares == pytest.approx(x.double().square().sum().item())
    below = 0
    for limit, count in zip(histogram.bucket_limit, histogram.bucket):
        below += count
        assert below == (x.double() < limit).sum().item() or limit == histogram.bucket_limit[-1]


def test_pictures(writer, tmp_path):
    images = pytest.importorskip("PIL.Image")
    pixels = gradcore.linspace(0, 1, 60).view(3, 4, 5)
    writer.add_image("chw", pixels, 1)
    writer.add_image("hw", pixels[0], dataformats="HW")
    writer.add_images("ten", pixels[:1].expand(10, 1, 4, 5))
    writer.close()

    def picture(tag):
        image = values(tmp_path)[tag][1].image
        read = np.asarray(images.open(io.BytesIO(image.encoded_image_string)))
        assert (image.height, image.width) == read.shape[:2]
        return read

    expected = (pixels * 255).to(gradcore.uint8).numpy()
    np.testing.assert_array_equal(picture("chw"), expected.transpose(1, 2, 0))
    np.testing.assert_array_equal(picture("hw")[..., 1], expected[0])
    grid = picture("ten")
    assert grid.shape == (8, 40, 3) and not grid[4:, 10:].any()
    np.testing.assert_array_equal(grid[4:, 5:10, 0], expected[0])
    with pytest.raises(AssertionError, match="input format are different"):
        writer.add_image("wrong", pixels, dataformats="HW")


def test_figures_are_closed(writer, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = pyplot.figure(figsize=(1, 2), dpi=50)
    writer.add_figure("f", figure)
    writer.close()
    image = values(tmp_path)["f"][1].image
    assert (image.width, image.height, image.colorspace) == (50, 100, 4)
    assert not pyplot.fignum_exists(figure.number)


def test_hyperparameters(writer, tmp_path):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    given = {"lr": 0.1, "n": 3, "fast": True, "kind": "x", "none": None, "t": gradcore.tensor(2.0)}
    writer.add_hparams(given, {"accuracy": 0.5}, {"kind": ["x", "y"]}, run_name="run")
    writer.close()
    found = values(tmp_path / "run")
    assert found["accuracy"][1].simple_value == 0.5

    def data(tag):
        return HParamsPluginData.FromString(found[f"_hparams_/{tag}"][1].metadata.plugin_data.content)

    start = data("session_start_info").session_start_info.hparams
    assert {name: start[name].number_value for name in ("lr", "n", "fast", "t")} == {
        "lr": 0.1,
        "n": 3,
        "fast": 1,
        "t": 2,
    }
    assert start["kind"].string_value == "x" and "none" not in start
    infos = {info.name: info for info in data("experiment").experiment.hparam_infos}
    assert [choice.string_value for choice in infos["kind"].domain_discrete.values] == ["x", "y"]
    with pytest.raises(ValueError, match="int, float, str, bool"):
        writer.add_hparams({"l": [1]}, {})
    with pytest.raises(TypeError, match="should be dictionary"):
        writer.add_hparams([], {})


def test_what_it_cannot_write_is_refused(writer):
    with pytest.raises(NotImplementedError, match="add_embedding needs the package tensorboardX"):
        writer.add_embedding(gradcore.ones(2, 2))
    with pytest.raises(ValueError, match="no element"):
        writer.add_histogram("h", gradcore.empty(0))
