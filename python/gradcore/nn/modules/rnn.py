"""Recurrent layers and their cells: Python says what torch says, the core has one op a layer and direction."""

from __future__ import annotations

import math
import warnings

from ... import _C
from ..._C import Tensor
from ..init import uniform_
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from typing import Any

else:
    from ..._lazy import Any

State = tuple[Tensor, ...]  # (h) or (h, c)

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_OPS: dict[str, Any] = {"LSTM": _C.lstm, "GRU": _C.gru, "RNN_TANH": _C.rnn_tanh, "RNN_RELU": _C.rnn_relu}


# ------------------------------------------------------------------------------------------------------------
# Layers


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common. mode: 'LSTM', 'GRU', 'RNN_TANH' or 'RNN_RELU'.

    Parameters of layer k are named weight_ih_l[k], weight_hh_l[k], bias_ih_l[k], bias_hh_l[k] (and weight_hr_l[k]), those of
    the other direction with _reverse behind; all are drawn uniformly from +-1 / sqrt(hidden_size).

    >>> import gradcore
    >>> output, state = gradcore.nn.RNNBase("GRU", 3, 4)(gradcore.ones(5, 2, 3))
    >>> output.shape, state.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    __constants__ = [
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout) if isinstance(dropout, (int, float)) else dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_arguments(dropout)
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for direction in range(2 if bidirectional else 1):
                self._add_layer(layer, direction, device, dtype)
        self.reset_parameters()

    def _check_arguments(self, dropout: Any) -> None:
        if not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
                f"greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    def _add_layer(self, layer: int, direction: int, device: Any, dtype: Any) -> None:
        directions = 2 if self.bidirectional else 1
        rows = _GATES[self.mode] * self.hidden_size
        state = self.proj_size or self.hidden_size
        columns = self.input_size if layer == 0 else state * directions
        shapes = {"weight_ih": (rows, columns), "weight_hh": (rows, state)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}  # type: ignore[dict-item]
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        names = []
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(_C.empty(shape, device=device, dtype=dtype)))
            names.append(name + suffix)
        self._flat_weights_names += names
        self._all_weights.append(names)

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_flat_weights": self._flat_weights}  # torch's modules keep the list

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: value for name, value in state.items() if name != "_flat_weights"})

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Does nothing: it is for GPUs."""

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        for name, usual in (
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            if value != usual:
                text += f", {name}={value}"
        return text

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched = input.dim() == 3
        hx = self._with_batch_dim(hx, batched)
        steps = input if batched else input.unsqueeze(0 if self.batch_first else 1)
        if self.batch_first:
            steps = steps.transpose(0, 1)
        length, batch = steps.shape[:2]
        self._check_input(steps)
        state = self._checked_state(hx, batch, steps)
        if length == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        output, *last = self._run((steps,), state)
        if self.batch_first:
            output = output.transpose(0, 1)
        if not batched:
            output = output.squeeze(0 if self.batch_first else 1)
            last = [s.squeeze(1) for s in last]
        return output, tuple(last) if self.mode == "LSTM" else last[0]

    def _forward_packed(self, input: PackedSequence, hx: Any) -> Any:
        self._check_input(input.data)
        states = None if hx is None else hx if self.mode == "LSTM" else (hx,)
        if states is not None and input.sorted_indices is not None:
            states = tuple(s.index_select(1, input.sorted_indices) for s in states)
        state = self._checked_state(states, int(input.batch_sizes[0]), input.data)
        data, *last = self._run((input.data, input.batch_sizes), state)
        if input.unsorted_indices is not None:
            last = [s.index_select(1, input.unsorted_indices) for s in last]
        packed = PackedSequence(data, input.batch_sizes, input.sorted_indices, input.unsorted_indices)
        return packed, tuple(last) if self.mode == "LSTM" else last[0]

    def _with_batch_dim(self, hx: Any, batched: bool) -> Any:
        """The given state as a tuple of tensors with a dim of samples."""
        if hx is None:
            return None
        states = tuple(hx) if self.mode == "LSTM" else (hx,)
        wanted = 3 if batched else 2
        if any(s.dim() != wanted for s in states):
            kind = "batched 3-D" if batched else "unbatched 2-D"
            if self.mode == "LSTM":
                found = ", ".join(f"{s.dim()}-D" for s in states)
                raise RuntimeError(f"For {kind} input, hx and cx should also be {wanted}-D but got ({found}) tensors")
            raise RuntimeError(f"For {kind} input, hx should also be {wanted}-D but got {states[0].dim()}-D tensor")
        return states if batched else tuple(s.unsqueeze(1) for s in states)

    def _check_input(self, input: Tensor) -> None:
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )

    def _checked_state(self, states: Any, batch: int, like: Tensor) -> State:
        count = self.num_layers * (2 if self.bidirectional else 1)
        shapes = [(count, batch, self.proj_size or self.hidden_size)]
        if self.mode == "LSTM":
            shapes.append((count, batch, self.hidden_size))
        if states is None:
            return tuple(_C.zeros(shape, dtype=like.dtype) for shape in shapes)
        for i, (state, shape) in enumerate(zip(states, shapes)):
            if tuple(state.shape) != shape:
                name = f"hidden[{i}]" if self.mode == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {name} size {shape}, got {list(state.shape)}")
        return tuple(states)

    def _run(self, data: tuple[Tensor, ...], state: State) -> Any:
        """The op on steps (T, N, features), or on the data and batch sizes of a packed sequence."""
        hx: Any = list(state) if self.mode == "LSTM" else state[0]
        form = (False,) if len(data) == 1 else ()  # batch_first, which packed data have not
        options = (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, *form)
        return _OPS[self.mode](*data, hx, self._flat_weights, *options)


class RNN(RNNBase):
    """h' = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh) over the steps of a sequence; nonlinearity: 'tanh'
    or 'relu'.

    Input: (T, N, input_size), (N, T, input_size) with batch_first, (T, input_size), or a PackedSequence; state: (layers *
    directions, N, hidden_size), by default 0. Returns the last layer's outputs and the last states. dropout acts between
    layers in training. Raises ValueError and RuntimeError for what does not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html

    >>> import gradcore
    >>> output, h = gradcore.nn.RNN(10, 20, 2)(gradcore.ones(5, 3, 10), gradcore.zeros(2, 3, 20))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:  # nonlinearity is the fourth
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_TANH" if nonlinearity == "tanh" else "RNN_RELU", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory over the steps of a sequence: gates i, f, g, o; c' = f * c + i * g; h' = o * tanh(c').

    proj_size: h' is multiplied with weight_hr (proj_size, hidden_size). The state is (h, c); all else as in RNN.
    Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory", 1997.

    >>> import gradcore
    >>> output, (h, c) = gradcore.nn.LSTM(10, 20, batch_first=True, bidirectional=True)(gradcore.ones(3, 5, 10))
    >>> output.shape, h.shape
    (torch.Size([3, 5, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units over the steps of a sequence: gates r, z; n = tanh(x part + r * h part); h' = (1 - z) * n + z * h.

    All else as in RNN. Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> import gradcore
    >>> output, h = gradcore.nn.GRU(10, 20)(gradcore.ones(5, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([1, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


# ------------------------------------------------------------------------------------------------------------
# Cells


class RNNCellBase(Module):
    """What the cells have in common: weight_ih, weight_hh, bias_ih, bias_hh, drawn uniformly from +-1 / sqrt(hidden_size).

    >>> import gradcore
    >>> gradcore.nn.RNNCellBase(3, 4, bias=True, num_chunks=1)
    RNNCellBase(3, 4)
    """

    __constants__ = ["input_size", "hidden_size", "bias"]
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        like: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(_C.empty((rows, input_size), **like))
        self.weight_hh = Parameter(_C.empty((rows, hidden_size), **like))
        self.register_parameter("bias_ih", Parameter(_C.empty(rows, **like)) if bias else None)
        self.register_parameter("bias_hh", Parameter(_C.empty(rows, **like)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = self.__dict__.get("nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _prepared(self, input: Tensor, states: Any, count: int) -> tuple[Tensor, State]:
        """The input and the state, both with a dim of samples."""
        if input.dim() not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        rows = input if input.dim() == 2 else input.unsqueeze(0)
        if states is None:
            zeros = _C.zeros((rows.shape[0], self.hidden_size), dtype=rows.dtype)
            return rows, (zeros,) * count
        for given in states:
            if given.dim() not in (1, 2):
                raise ValueError(f"{self._get_name()}: Expected hidden to be 1D or 2D, got {given.dim()}D instead")
        return rows, tuple(s if input.dim() == 2 else s.unsqueeze(0) for s in states)

    @property
    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh


class RNNCell(RNNCellBase):
    """One step of an RNN: h' = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh), or relu.

    Input: (N, input_size) or (input_size); state: (N, hidden_size) or (hidden_size), by default 0.

    >>> import gradcore
    >>> gradcore.nn.RNNCell(10, 20)(gradcore.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        rows, (state,) = self._prepared(input, None if hx is None else (hx,), 1)
        h = (_C.rnn_tanh_cell if self.nonlinearity == "tanh" else _C.rnn_relu_cell)(rows, state, *self._weights)
        return h if input.dim() == 2 else h.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of an LSTM, from (input, (h, c)) to (h', c'). Shapes as in RNNCell.

    >>> import gradcore
    >>> h, c = gradcore.nn.LSTMCell(10, 20)(gradcore.ones(3, 10))
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if isinstance(hx, Tensor):
            raise TypeError("lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor")
        rows, state = self._prepared(input, hx, 2)
        h, c = _C.lstm_cell(rows, list(state), *self._weights)
        return (h, c) if input.dim() == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a GRU. Shapes as in RNNCell.

    >>> import gradcore
    >>> gradcore.nn.GRUCell(10, 20)(gradcore.ones(3, 10), gradcore.zeros(3, 20)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        rows, (state,) = self._prepared(input, None if hx is None else (hx,), 1)
        h = _C.gru_cell(rows, state, *self._weights)
        return h if input.dim() == 2 else h.squeeze(0)
