"""torchvision's own operators and torch.hub, beside plain loops over the formulas that they stand for."""

import hashlib
import math

import numpy as np
import pytest

import gradcore
from gradcore.nn import functional as F

WIDTH, HEIGHT = 9, 7


@pytest.fixture(scope="module")
def ops():
    gradcore.ops.load_library("/somewhere/torchvision/_C.so")
    gradcore.ops.load_library("/somewhere/torchvision/image.so")
    return gradcore.ops.torchvision


@pytest.fixture
def image():
    gradcore.manual_seed(0)
    return gradcore.randn(2, 12, HEIGHT, WIDTH, dtype=gradcore.float64, requires_grad=True)


ROIS = [[0, 0.6, 1.2, 5.3, 6.1], [1, -3.0, -2.0, 4.0, 3.0], [0, 2.0, 2.0, 2.2, 2.1], [1, 6.0, 4.0, 14.0, 12.0]]


def rois():
    return gradcore.tensor(ROIS, dtype=gradcore.float64)


def bilinear(plane, y, x):
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = max(y, 0.0), max(x, 0.0)
    top, left = min(int(y), height - 1), min(int(x), width - 1)
    y, x = min(y, height - 1), min(x, width - 1)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = plane[top, left] * (1 - across) + plane[top, right] * across
    lower = plane[bottom, left] * (1 - across) + plane[bottom, right] * across
    return upper * (1 - down) + lower * down


def mean_of_points(plane, y1, x1, tall, wide, ratio):
    down = ratio if ratio > 0 else math.ceil(tall)
    across = ratio if ratio > 0 else math.ceil(wide)
    total = 0.0
    for i in range(down):
        for j in range(across):
            total += bilinear(plane, y1 + (i + 0.5) * tall / down, x1 + (j + 0.5) * wide / across)
    return total / max(down * across, 1)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 2])
def test_roi_align_is_a_mean_of_points_between_pixels(ops, image, aligned, ratio):
    got = ops.roi_align(image, rois(), 0.8, 3, 2, ratio, aligned)
    pixels = image.detach().numpy()
    expected = np.zeros((len(ROIS), 12, 3, 2))
    for k, (b, *corners) in enumerate(ROIS):
        x1, y1, x2, y2 = (c * 0.8 - (0.5 if aligned else 0) for c in corners)
        tall, wide = (y2 - y1, x2 - x1) if aligned else (max(y2 - y1, 1), max(x2 - x1, 1))
        for c in range(12):
            for i in range(3):
                for j in range(2):
                    at = y1 + i * tall / 3, x1 + j * wide / 2
                    expected[k, c, i, j] = mean_of_points(pixels[b, c], *at, tall / 3, wide / 2, ratio)
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-12, atol=1e-12)


def bins_of(start, size, count, last):
    for i in range(count):
        low, high = start + math.floor(i * size / count), start + math.ceil((i + 1) * size / count)
        yield min(max(low, 0), last), min(max(high, 0), last)


def test_roi_pool_takes_maxima_and_says_where(ops, image):
    got, places = ops.roi_pool(image, rois(), 0.8, 3, 2)
    assert places.dtype is gradcore.int32
    pixels = image.detach().numpy()
    for k, (b, *corners) in enumerate(ROIS):
        x1, y1, x2, y2 = (math.floor(c * 0.8 + 0.5) if c >= 0 else -math.floor(-c * 0.8 + 0.5) for c in corners)
        for i, (top, bottom) in enumerate(bins_of(y1, max(y2 - y1 + 1, 1), 3, HEIGHT)):
            for j, (left, right) in enumerate(bins_of(x1, max(x2 - x1 + 1, 1), 2, WIDTH)):
                for c in range(12):
                    window = pixels[b, c, top:bottom, left:right]
                    assert got[k, c, i, j].item() == (window.max() if window.size else 0)
                    at = places[k, c, i, j].item()
                    assert at == -1 if not window.size else pixels[b, c].flat[at] == window.max()


def test_position_sensitive_pools_read_a_channel_for_each_bin(ops, image):
    whole = ops.roi_align(image, rois(), 0.8, 3, 2, 2, True)
    got, mapping = ops.ps_roi_align(image, rois(), 0.8, 3, 2, 2)
    assert got.shape == (4, 2, 3, 2) and mapping.dtype is gradcore.int32
    for c in range(2):
        for i in range(3):
            for j in range(2):
                channel = (c * 3 + i) * 2 + j
                assert (mapping[:, c, i, j] == channel).all()
                gradcore.testing.assert_close(got[:, c, i, j], whole[:, channel, i, j])
    pooled, _ = ops.ps_roi_pool(image, rois(), 1.0, 3, 2)
    pixels = image.detach()
    expected = pixels[
        0, 0, 1:3, 1:3
    ].mean()  # the first bin of the first box: rows 1 to 6 in three, columns 1 to 5 in two
    gradcore.testing.assert_close(pooled[0, 0, 0, 0], expected)


@pytest.mark.parametrize("op", ["roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool"])
def test_gradients_of_pools(ops, image, op):
    extra = {"roi_align": (2, True), "ps_roi_align": (2,)}.get(op, ())

    def values(x):
        out = getattr(ops, op)(x, rois(), 0.8, 3, 2, *extra)
        return out[0] if isinstance(out, tuple) else out

    assert gradcore.autograd.gradcheck(values, (image,))


def test_no_boxes(ops, image):
    none = gradcore.empty(0, 5, dtype=gradcore.float64)
    assert ops.roi_align(image, none, 1.0, 3, 2, 2, True).shape == (0, 12, 3, 2)
    assert ops.roi_pool(image, none, 1.0, 3, 2)[0].shape == (0, 12, 3, 2)
    assert ops.nms(gradcore.empty(0, 4), gradcore.empty(0), 0.5).tolist() == []


def test_nms_keeps_the_better_of_two_that_overlap(ops):
    boxes = gradcore.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 10, 9], [20, 20, 30, 29.9]])
    scores = gradcore.tensor([0.5, 0.9, 0.1, 0.7, 0.1])
    assert ops.nms(boxes, scores, 0.5).tolist() == [1, 2]
    assert ops.nms(boxes, scores, 0.7).tolist() == [1, 3, 2]
    assert ops.nms(boxes, scores, 1.0).tolist() == [1, 3, 0, 2, 4]


def test_a_deformable_convolution_that_moves_nothing_is_a_convolution(ops):
    gradcore.manual_seed(0)
    x, weight, bias = gradcore.randn(2, 4, 6, 7), gradcore.randn(6, 2, 3, 3), gradcore.randn(6)
    still = gradcore.zeros(2, 2 * 2 * 9, 3, 7)
    mask = gradcore.ones(2, 2 * 9, 3, 7)
    settings = (2, 1, 1, 2, 1, 2, 2, 2, True)
    expected = F.conv2d(x, weight, bias, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)
    gradcore.testing.assert_close(ops.deform_conv2d(x, weight, still, mask, bias, *settings), expected)
    moved = still.clone()
    moved[:, 1::2] = 1.0  # every tap one pixel to the right
    shifted = F.conv2d(F.pad(x, (1, 3, 1, 1)), weight, bias, stride=(2, 1), dilation=(1, 2), groups=2)
    gradcore.testing.assert_close(
        ops.deform_conv2d(x, weight, moved, mask / 2, bias, *settings),
        (shifted - bias.view(-1, 1, 1)) / 2 + bias.view(-1, 1, 1),
    )
    with pytest.raises(RuntimeError, match="offset output dims"):
        ops.deform_conv2d(x, weight, still[:, :, :2], mask, bias, *settings)


def test_memory_may_lie_in_any_order(ops, image):
    last = gradcore.channels_last
    settings = (1, 1, 0, 0, 1, 1, 1, 1, True)
    gradcore.manual_seed(2)
    inputs = [gradcore.rand(*s) for s in ((2, 3, 6, 7), (4, 3, 2, 2), (2, 8, 5, 6), (2, 4, 5, 6))]
    expected = ops.deform_conv2d(*inputs, gradcore.zeros(4), *settings)
    other = [t.contiguous(memory_format=last) for t in inputs]
    gradcore.testing.assert_close(ops.deform_conv2d(*other, gradcore.zeros(4), *settings), expected)
    pool = (rois(), 0.8, 3, 2)
    for got, whole in zip(ops.ps_roi_pool(image.contiguous(memory_format=last), *pool), ops.ps_roi_pool(image, *pool)):
        gradcore.testing.assert_close(got, whole)


def test_gradients_of_a_deformable_convolution(ops):
    gradcore.manual_seed(1)
    sizes = ((1, 2, 4, 5), (2, 1, 2, 2), (1, 8, 3, 4), (1, 4, 3, 4), (2,))
    inputs = [gradcore.rand(*s, dtype=gradcore.float64, requires_grad=True) for s in sizes]
    settings = (1, 1, 0, 0, 1, 1, 2, 1, True)
    assert gradcore.autograd.gradcheck(lambda *a: ops.deform_conv2d(*a, *settings), tuple(inputs))


def test_other_extensions_are_refused(tmp_path):
    file = tmp_path / "other.so"
    file.write_bytes(b"")
    with pytest.raises(OSError, match="Could not load this library: .*torch's own tensors"):
        gradcore.ops.load_library(str(file))
    with pytest.raises(OSError, match="Could not load this library"):
        gradcore.ops.load_library("/somewhere/torchvision/other.so")


# ---- hub


def test_a_file_is_fetched_once_and_checked(tmp_path):
    state = {"w": gradcore.arange(3.0)}
    gradcore.save(state, tmp_path / "source")
    data = (tmp_path / "source").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    named = tmp_path / f"net-{digest[:8]}.pth"
    named.write_bytes(data)
    folder = tmp_path / "kept"
    load = gradcore.hub.load_state_dict_from_url
    assert load(named.as_uri(), str(folder), progress=False, check_hash=True)["w"].tolist() == [0, 1, 2]
    named.unlink()
    assert load(named.as_uri(), str(folder), weights_only=True)["w"].tolist() == [0, 1, 2]
    wrong = tmp_path / "net-00000000.pth"
    wrong.write_bytes(data)
    with pytest.raises(RuntimeError, match='invalid hash value \\(expected "00000000"'):
        load(wrong.as_uri(), str(folder), progress=False, check_hash=True)
    assert [p.name for p in folder.iterdir()] == [named.name]


def test_a_model_of_a_local_folder(tmp_path):
    (tmp_path / "hubconf.py").write_text(
        "import helper_of_hub_test\ndef two(n):\n    'Twice n.'\n    return helper_of_hub_test.TWO * n\n"
    )
    (tmp_path / "helper_of_hub_test.py").write_text("TWO = 2\n")
    assert gradcore.hub.load(tmp_path, "two", 4, source="local", trust_repo=True) == 8
    assert gradcore.hub.list(tmp_path, source="local") == ["two"]
    assert gradcore.hub.help(tmp_path, "two", source="local") == "Twice n."
    with pytest.raises(RuntimeError, match="Cannot find callable three in hubconf"):
        gradcore.hub.load(tmp_path, "three", source="local")
    with pytest.raises(ValueError, match="Unknown source"):
        gradcore.hub.load(tmp_path, "two", source="elsewhere")


# ---- images


def test_images_are_read_and_written_by_pillow(ops, tmp_path):
    pytest.importorskip("PIL")
    gradcore.manual_seed(0)
    pixels = (gradcore.rand(3, 5, 4) * 255).to(gradcore.uint8)
    image = gradcore.ops.image
    image.write_file(str(tmp_path / "a.png"), image.encode_png(pixels, 6))
    data = image.read_file(str(tmp_path / "a.png"))
    assert gradcore.equal(image.decode_image(data, 0), pixels)
    assert image.decode_png(data, 4).shape == (4, 5, 4)
    gray = image.decode_image(data, 1)
    exact = (pixels * gradcore.tensor([0.2989, 0.587, 0.1141]).view(3, 1, 1)).sum(0, keepdim=True)
    assert (gray - exact).abs().max() < 1
    assert image.decode_jpeg(image.encode_jpeg(pixels, 95), 0).shape == (3, 5, 4)
    with pytest.raises(RuntimeError, match="cannot be decoded"):
        image.decode_image(data[10:].clone(), 0)
