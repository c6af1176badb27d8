"""torch.hub, as far as it runs nobody's code: files are fetched and read as load() reads them, a model that stands in a
local folder is made by its hubconf.py, and code from the network is refused.

Source: https://docs.pytorch.org/docs/stable/hub.html
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import zipfile
from types import ModuleType
from typing import Any
from urllib.parse import urlparse as urlparse
from urllib.request import Request, urlopen


class _NoBar:
    """What shows no progress, where tqdm is not installed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *error: object) -> None: ...

    def update(self, n: int) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


tqdm: Any = _NoBar
with contextlib.suppress(ImportError):
    from tqdm import tqdm  # type: ignore[no-redef,import-untyped,unused-ignore]

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # of a hash in a file's name
_CHUNK = 128 * 1024  # bytes read at a time
_dir: str | None = None


def _get_torch_home() -> str:
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def get_dir() -> str:
    """Where files are kept that were fetched: what set_dir() said, else TORCH_HOME or ~/.cache/torch, and there `hub`."""
    return _dir if _dir is not None else os.path.join(_get_torch_home(), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Sets what get_dir() returns."""
    global _dir
    _dir = os.path.expanduser(d)


# ---- models of a local folder


def _refuse_code(source: str) -> None:
    if source == "local":
        return
    if source != "github":
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    raise NotImplementedError(
        "torch.hub: gradcore runs no code from the network. Fetch the repository by other means and give its folder "
        "with source='local'."
    )


def _hubconf(folder: str | os.PathLike[str]) -> ModuleType:
    """The module hubconf.py of a folder, whose other modules it may import."""
    path = os.path.join(folder, "hubconf.py")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    missing = [name for name in getattr(module, "dependencies", ()) if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _entry(folder: str | os.PathLike[str], model: str) -> Any:
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    function = getattr(_hubconf(folder), model, None)
    if not callable(function):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return function


def load(repo_or_dir: str | os.PathLike[str], model: str, *args: Any, source: str = "github", **kwargs: Any) -> Any:
    """What the function `model` of hubconf.py in a folder returns, with source="local".

    Raises NotImplementedError for source="github": it would run code from the network. RuntimeError names a function
    or a dependency that is missing.
    """
    _refuse_code(source)
    for name in ("trust_repo", "force_reload", "verbose", "skip_validation"):
        kwargs.pop(name, None)
    return _entry(repo_or_dir, model)(*args, **kwargs)


def list(github: str | os.PathLike[str], *args: Any, source: str = "github", **kwargs: Any) -> builtins.list[str]:
    """The names of the functions of hubconf.py in a folder, with source="local" (torch has no such argument)."""
    _refuse_code(source)
    module = _hubconf(github)
    return [name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")]


def help(github: str | os.PathLike[str], model: str, *args: Any, source: str = "github", **kwargs: Any) -> str | None:
    """The docstring of a function of hubconf.py in a folder, with source="local" (torch has no such argument)."""
    _refuse_code(source)
    doc: str | None = _entry(github, model).__doc__
    return doc


# ---- files


def download_url_to_file(
    url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetches a URL into the file `dst`, which is replaced when all of it has come; its folder exists.

    `hash_prefix` is how the SHA256 of the file begins; RuntimeError("invalid hash value ...") tells of another one.
    `progress` shows a bar by tqdm where that is installed.
    """
    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    descriptor, partial = tempfile.mkstemp(suffix=".partial", dir=os.path.dirname(dst) or ".")
    try:
        with os.fdopen(descriptor, "wb") as file, urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as answer:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            with tqdm(total=total, disable=not progress, unit="B", unit_scale=True, unit_divisor=1024) as bar:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    bar.update(len(chunk))
        found = digest.hexdigest()
        if hash_prefix is not None and not found.startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}")')
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(partial, 0o666 & ~mask)  # as open() would have made it
        os.replace(partial, dst)
    except BaseException:
        os.unlink(partial)
        raise


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Loads a file of `model_dir` (get_dir() and there `checkpoints`), fetched from a URL unless it is there already.

    The file's name is `file_name`, or the URL's last part; with `check_hash`, that tells how the file's SHA256 begins
    (name-0123abcd.pth). Read as load() reads, or from a zip of one such file, as torchvision's oldest models are.
    """
    from . import load

    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = os.path.basename(urlparse(url).path) if file_name is None else file_name
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        sys.stdout.write(f'Downloading: "{url}" to {path}\n')
        match = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, match[1] if match else None, progress)
    return load(_unpacked(path, folder), map_location=map_location, weights_only=weights_only)


def _unpacked(path: str, folder: str) -> str:
    """The file to load: the one file that a plain zip holds, put beside it, else `path` itself."""
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(m.filename.endswith(("data.pkl", "/version")) for m in members):
            return path  # torch's own format
        if len(members) != 1:
            raise RuntimeError("Only one file(not dir) is allowed in the zipfile")
        return archive.extract(members[0], folder)
