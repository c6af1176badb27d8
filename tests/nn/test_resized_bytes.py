"""Images of bytes at another resolution, beside torch's: the same bytes."""

import pytest

import gradcore
from gradcore.nn import functional as F

torch = pytest.importorskip("torch")


MODES = [("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True), ("lanczos", True)]


@pytest.mark.parametrize(("mode", "antialias"), MODES)
@pytest.mark.parametrize("size", [(17, 33), (80, 70), (40, 33), (3, 2), (40, 50)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_the_same_bytes_as_torch(mode, antialias, size, channels_last):
    torch.manual_seed(0)
    x = torch.randint(0, 256, (2, 3, 40, 50), dtype=torch.uint8)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    ours = gradcore.from_numpy(x.numpy())
    for corners in (False, True)[: 1 if mode == "lanczos" else 2]:
        expected = torch.nn.functional.interpolate(x, size, mode=mode, antialias=antialias, align_corners=corners)
        got = F.interpolate(ours, size, mode=mode, antialias=antialias, align_corners=corners)
        assert got.dtype is gradcore.uint8 and got.tolist() == expected.tolist()


def test_factors_and_many_taps():
    x = torch.randint(0, 256, (1, 1, 300, 500), dtype=torch.uint8)
    for kwargs in ({"scale_factor": (0.013, 0.37)}, {"scale_factor": 2.3}, {"size": (1, 1)}):
        for mode in ("bicubic", "lanczos"):
            expected = torch.nn.functional.interpolate(x, mode=mode, antialias=True, **kwargs)
            got = F.interpolate(gradcore.from_numpy(x.numpy()), mode=mode, antialias=True, **kwargs)
            assert got.tolist() == expected.tolist()


@pytest.mark.parametrize("channels", [1, 4, 5, 40])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (200, 7), (19, 130)])
def test_any_number_of_channels(channels, size):
    torch.manual_seed(0)
    for shape in ((1, 1), (7, 9), (70, 130)):
        x = torch.randint(0, 2, (2, channels, *shape), dtype=torch.uint8) * 255
        for layout in ("contiguous_format", "channels_last"):
            theirs = x.contiguous(memory_format=getattr(torch, layout))
            ours = gradcore.from_numpy(x.numpy()).contiguous(memory_format=getattr(gradcore, layout))
            for mode, antialias in (("bilinear", False), ("bicubic", False), ("bicubic", True), ("nearest", False)):
                expected = torch.nn.functional.interpolate(theirs, size, mode=mode, antialias=antialias)
                got = F.interpolate(ours, size, mode=mode, antialias=antialias)
                assert got.tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", ["int8", "int64"])
def test_other_integers_are_refused(dtype):
    with pytest.raises(NotImplementedError, match="not implemented for"):
        F.interpolate(gradcore.ones(1, 1, 2, 2, dtype=getattr(gradcore, dtype)), 4, mode="bilinear")
