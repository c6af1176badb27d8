"""SummaryWriter: through the package tensorboardX where it is installed, else scalars through the package tensorboard."""

from __future__ import annotations

import importlib
import time
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


class _Scalars:
    """add_scalar() into a file of events, by the package tensorboard."""

    def __init__(self, logdir: str) -> None:
        files: Any = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        self._events = importlib.import_module("tensorboard.compat.proto.event_pb2")
        self._summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
        self._open: Any = lambda: files.EventFileWriter(logdir)
        self._writer: Any = self._open()

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: int | None = None, walltime: float | None = None
    ) -> None:
        value = self._summaries.Summary.Value(tag=tag, simple_value=float(scalar_value))
        self.add_summary(self._summaries.Summary(value=[value]), global_step, walltime)

    def add_summary(self, summary: Any, global_step: int | None = None, walltime: float | None = None) -> None:
        event = self._events.Event(wall_time=time.time() if walltime is None else walltime, summary=summary)
        if global_step is not None:
            event.step = int(global_step)
        if self._writer is None:  # as torch, which opens another file for what comes after close()
            self._writer = self._open()
        self._writer.add_event(event)

    def flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


class SummaryWriter:
    """Writes what TensorBoard shows: add_scalar(tag, value, step) and the other methods of tensorboardX.

    Tensors are handed over as NumPy arrays. With the package tensorboard alone there are add_scalar(), flush() and close(), and other methods
    raise NotImplementedError.

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
            return _Scalars(self.log_dir)
        except ImportError:
            raise ImportError("utils.tensorboard.SummaryWriter needs the package tensorboardX or tensorboard") from None

    def get_logdir(self) -> str:
        """The folder of the events."""
        return self.log_dir

    def _get_file_writer(self) -> Any:
        """What takes whole summaries: Lightning hands hyperparameters to its add_summary()."""
        return self._writer if isinstance(self._writer, _Scalars) else self._writer._get_file_writer()

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
