"""Files of events that TensorBoard shows, by the package tensorboard: what training programs write mostly.

Names, tags and messages are those of torch.utils.tensorboard, so that the same dashboards show them.
Source: https://docs.pytorch.org/docs/stable/tensorboard.html and the messages' definitions in tensorboard.compat.proto.
"""

from __future__ import annotations

import importlib
import io
import os
import time
from typing import Any

import numpy as np

from .summary import hparams

PROTO = "tensorboard.compat.proto"


def _edges() -> Any:
    """TensorBoard's own bounds of buckets: powers of 1.1 of either sign."""
    positive = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate([-positive[::-1], [0.0], positive])


class EventWriter:
    """Writes one file of events into a folder, and those of add_scalars() and add_hparams() into folders below it."""

    def __init__(self, logdir: str, max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = "") -> None:
        files: Any = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        self._events = importlib.import_module(f"{PROTO}.event_pb2")
        self._summaries = importlib.import_module(f"{PROTO}.summary_pb2")
        self._logdir = logdir
        self._open: Any = lambda: files.EventFileWriter(logdir, max_queue, flush_secs, filename_suffix)
        self._writer: Any = self._open()
        self._below: dict[str, EventWriter] = {}

    def _add(self, tag: str, step: Any, walltime: float | None, **value: Any) -> None:
        self.add_summary(
            self._summaries.Summary(value=[self._summaries.Summary.Value(tag=tag, **value)]), step, walltime
        )

    def add_summary(self, summary: Any, global_step: int | None = None, walltime: float | None = None) -> None:
        """A message that somebody else made."""
        event = self._events.Event(wall_time=time.time() if walltime is None else walltime, summary=summary)
        if global_step is not None:
            event.step = int(global_step)
        if self._writer is None:  # as torch, which opens another file for what comes after close()
            self._writer = self._open()
        self._writer.add_event(event)

    def _folder(self, name: str) -> EventWriter:
        if name not in self._below:
            self._below[name] = EventWriter(os.path.join(self._logdir, name))
        return self._below[name]

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """One number."""
        self._add(tag, global_step, walltime, simple_value=float(scalar_value))

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: dict[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Numbers in one chart: each by a writer of its own, in the folder <main_tag>_<tag>."""
        for tag, value in tag_scalar_dict.items():
            folder = self._folder(f"{main_tag.replace('/', '_')}_{tag}")
            folder.add_scalar(main_tag, value, global_step, walltime)

    def add_text(
        self, tag: str, text_string: str, global_step: int | None = None, walltime: float | None = None
    ) -> None:
        """A text in Markdown."""
        tensors = importlib.import_module(f"{PROTO}.tensor_pb2")
        shapes = importlib.import_module(f"{PROTO}.tensor_shape_pb2")
        plugin = importlib.import_module("tensorboard.plugins.text.plugin_data_pb2")
        shape = shapes.TensorShapeProto(dim=[shapes.TensorShapeProto.Dim(size=1)])
        text = tensors.TensorProto(dtype="DT_STRING", string_val=[text_string.encode()], tensor_shape=shape)
        content = plugin.TextPluginData(version=0).SerializeToString()
        data = self._summaries.SummaryMetadata.PluginData(plugin_name="text", content=content)
        metadata = self._summaries.SummaryMetadata(plugin_data=data)
        self._add(f"{tag}/text_summary", global_step, walltime, metadata=metadata, tensor=text)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How often values occur. `bins` is "tensorflow" or what numpy.histogram takes. ValueError for no values."""
        values = np.asarray(values, np.float64).reshape(-1)
        if values.size == 0:
            raise ValueError("The input has no element.")
        counts, limits = np.histogram(values, bins=_edges() if bins == "tensorflow" else bins)
        if max_bins is not None and len(counts) > max_bins:
            together = len(counts) // max_bins
            counts = np.add.reduceat(counts, np.arange(0, len(counts), together))
            limits = np.append(limits[:-1:together], limits[-1])
        (there,) = np.nonzero(counts)
        if there.size == 0:
            raise ValueError("The histogram is empty, please file a bug report.")
        first, last = there[0], there[-1] + 1
        histogram = self._summaries.HistogramProto(
            min=values.min(),
            max=values.max(),
            num=len(values),
            sum=values.sum(),
            sum_squares=values.dot(values),
            bucket_limit=limits[first : last + 1].tolist(),  # the first bucket is empty: it ends where the values begin
            bucket=[0, *counts[first:last].tolist()],
        )
        self._add(tag, global_step, walltime, histo=histogram)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """A picture of 1, 3 or 4 channels, of bytes or of numbers from 0 to 1; `dataformats` names its dims ("HW", "HWC")."""
        self.add_images(tag, np.asarray(img_tensor)[None], global_step, walltime, "N" + dataformats)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Pictures of the same size, side by side. Needs the package Pillow."""
        images = np.asarray(img_tensor)
        dims = dataformats.upper()
        if len(dims) != images.ndim or set(dims) | {"C"} != set("NCHW"):
            raise AssertionError(
                f"size of input tensor and input format are different. tensor shape: {images.shape}, "
                f"input_format: {dataformats}"
            )
        if "C" not in dims:
            images, dims = images[..., None], dims + "C"
        images = np.transpose(images, [dims.index(d) for d in "NHWC"])
        if images.dtype != np.uint8:
            images = (images * 255).astype(np.float32).clip(0, 255).astype(np.uint8)
        self._add(tag, global_step, walltime, image=self._picture(_side_by_side(images)))

    def _picture(self, pixels: Any) -> Any:
        image = importlib.import_module("PIL.Image")
        file = io.BytesIO()
        image.fromarray(pixels).save(file, format="PNG")
        height, width, channels = pixels.shape
        return self._summaries.Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue()
        )

    def add_figure(
        self, tag: str, figure: Any, global_step: int | None = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """A figure of matplotlib, or several, which are closed unless told otherwise."""
        canvases = importlib.import_module("matplotlib.backends.backend_agg")
        figures = figure if isinstance(figure, list) else [figure]
        pictures = []
        for one in figures:
            canvas = canvases.FigureCanvasAgg(one)
            canvas.draw()
            pictures.append(np.asarray(canvas.buffer_rgba()))
            if close:
                importlib.import_module("matplotlib.pyplot").close(one)
        self.add_images(tag, np.stack(pictures), global_step, walltime, "NHWC")

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """Hyperparameters and what a run reached with them, in a folder `run_name` of their own (the time's by default)."""
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        folder = self._folder(str(time.time()) if run_name is None else run_name)
        given = {name: v.item() if isinstance(v, np.ndarray) else v for name, v in hparam_dict.items()}
        for summary in hparams(given, metric_dict, hparam_domain_discrete):
            folder.add_summary(summary)
        for name, value in metric_dict.items():
            folder.add_scalar(name, value, global_step)

    def flush(self) -> None:
        """Writes what waits."""
        for writer in (self, *self._below.values()):
            if writer._writer is not None:
                writer._writer.flush()

    def close(self) -> None:
        """Writes what waits and closes the files."""
        for writer in (self, *self._below.values()):
            if writer._writer is not None:
                writer._writer.close()
            writer._writer = None


def _side_by_side(images: Any) -> Any:
    """One picture (height, width, channels) of several, 8 in a row, black where there is none."""
    count, height, width, channels = images.shape
    if channels == 1:
        images = images.repeat(3, -1)
    across = min(count, 8)
    down = -(-count // across)
    canvas = np.zeros((down * height, across * width, images.shape[-1]), images.dtype)
    for i, image in enumerate(images):
        top, left = i // across * height, i % across * width
        canvas[top : top + height, left : left + width] = image
    return canvas
