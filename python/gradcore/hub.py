"""torch.hub downloads and runs other people's code: gradcore downloads nothing, and every use is refused."""

from __future__ import annotations

import os
import re
from typing import NoReturn

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # of a hash in a file's name
_dir: str | None = None


def get_dir() -> str:
    """Where torch would keep what it downloads: TORCH_HOME or ~/.cache/torch, and there `hub`."""
    if _dir is not None:
        return _dir
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Sets what get_dir() returns."""
    global _dir
    _dir = os.path.expanduser(d)


def _refuse(*args: object, **kwargs: object) -> NoReturn:
    """Raises NotImplementedError: gradcore downloads nothing."""
    raise NotImplementedError(
        "torch.hub: gradcore downloads nothing. Fetch the file by other means and read it with gradcore.load()."
    )


load = list = help = download_url_to_file = load_state_dict_from_url = _refuse
