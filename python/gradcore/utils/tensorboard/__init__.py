"""SummaryWriter: through the package tensorboardX where it is installed, else through the package tensorboard."""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import Any

__all__ = ["SummaryWriter"]


def _plain(value: Any) -> Any:
    """Tensors as NumPy arrays, in lists and dicts too."""
    from ..._C import Tensor

    if isinstance(value, Tensor):
        return value.detach().numpy()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value


class SummaryWriter:
    """Writes what TensorBoard shows: add_scalar(tag, value, step) and the other methods of tensorboardX.

    Tensors are handed over as NumPy arrays. With the package tensorboard alone there are add_scalar(), add_scalars(),
    add_text(), add_histogram(), add_image(), add_images(), add_figure() and add_hparams(); other methods raise
    NotImplementedError.

    Raises ImportError when neither package is installed.
    """

    def __init__(self, log_dir: str | None = None, comment: str = "", *args: Any, **kwargs: Any) -> None:
        self.log_dir = log_dir or f"runs/{datetime.now():%b%d_%H-%M-%S}{comment}"
        self._writer = self._make(*args, **kwargs)

    def _make(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return importlib.import_module("tensorboardX").SummaryWriter(self.log_dir, "", *args, **kwargs)
        except ImportError:
            pass
        try:
            from .events import EventWriter

            return EventWriter(self.log_dir, *args, **kwargs)
        except ImportError:
            raise ImportError("utils.tensorboard.SummaryWriter needs the package tensorboardX or tensorboard") from None

    def get_logdir(self) -> str:
        """The folder of the events."""
        return self.log_dir

    def _get_file_writer(self) -> Any:
        """What takes whole summaries: Lightning hands hyperparameters to its add_summary()."""
        return self._writer if hasattr(self._writer, "add_summary") else self._writer._get_file_writer()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._writer.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._writer, name, None)
        if method is None:
            raise NotImplementedError(f"SummaryWriter.{name} needs the package tensorboardX")
        return lambda *args, **kwargs: method(*_plain(args), **_plain(kwargs))
