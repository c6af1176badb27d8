"""What torch.version tells programs: the version, and that there is no CUDA, HIP or XPU."""

from __future__ import annotations

from ._C import __version__ as __version__

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]

debug = False
cuda: str | None = None
git_version: str | None = None
hip: str | None = None
rocm: str | None = None
xpu: str | None = None
