"""Recurrent layers and their cells: Python says what torch says, the core has one op a layer and direction."""

from __future__ import annotations

import math
import operator
import warnings

from ... import _C
from ..._C import Tensor
from .. import init
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


def _apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    return tensor.index_select(dim, permutation)


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """The old name for tensor.index_select(dim, permutation); warns.

    >>> import gradcore
    >>> gradcore.nn.modules.rnn.apply_permutation(gradcore.tensor([[1, 2]]), gradcore.tensor([1, 0]))
    tensor([[2, 1]])
    """
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead",
        FutureWarning,
        stacklevel=2,
    )
    return _apply_permutation(tensor, permutation, dim)


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
    _given_weights: tuple[list[Tensor], list[Tensor]] | None = None

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
        try:
            named = list(map(self._parameters.__getitem__, self._flat_weights_names))
        except KeyError:  # some are computed, or gone
            named = [getattr(self, name, None) for name in self._flat_weights_names]
        if self._given_weights is None:
            return named
        weights, before = self._given_weights
        if all(map(operator.is_, named, before)):
            return weights
        self._init_flat_weights()
        return named

    # Programs set the list itself; it counts until one of the parameters is replaced.
    @_flat_weights.setter
    def _flat_weights(self, weights: list[Any]) -> None:
        self._init_flat_weights()
        self._given_weights = weights, self._flat_weights

    def _init_flat_weights(self) -> None:
        self.__dict__.pop("_given_weights", None)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        found = super()._apply(fn, recurse)
        self._init_flat_weights()
        return found

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__() | {"_flat_weights": self._flat_weights}  # torch's modules keep the list
        state.pop("_given_weights", None)
        return state

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
            init.uniform_(weight, -bound, bound)

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
        steps = input if batched else input.unsqueeze(0 if self.batch_first else 1)
        if hx is None:
            state = self._zero_state(steps, None)
        else:
            state = self.permute_hidden(self._with_batch_dim(hx, batched), None)
        self.check_forward_args(steps, state, None)
        if self.batch_first:
            steps = steps.transpose(0, 1)
        if steps.shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        output, *last = self._run((steps,), state)
        if self.batch_first:
            output = output.transpose(0, 1)
        if not batched:
            output = output.squeeze(0 if self.batch_first else 1)
            last = [s.squeeze(1) for s in last]
        return output, self.permute_hidden(tuple(last) if self.mode == "LSTM" else last[0], None)

    def _forward_packed(self, input: PackedSequence, hx: Any) -> Any:
        data, sizes, order, back = input
        state = self._zero_state(data, sizes) if hx is None else self.permute_hidden(hx, order)
        self.check_forward_args(data, state, sizes)
        output, *last = self._run((data, sizes), state)
        states = self.permute_hidden(tuple(last) if self.mode == "LSTM" else last[0], back)
        return PackedSequence(output, sizes, order, back), states

    def _with_batch_dim(self, hx: Any, batched: bool) -> Any:
        """The given state with a dim of samples."""
        states = hx if self.mode == "LSTM" else (hx,)
        wanted = 3 if batched else 2
        if any(s.dim() != wanted for s in states):
            kind = "batched 3-D" if batched else "unbatched 2-D"
            if self.mode == "LSTM":
                found = ", ".join(f"{s.dim()}-D" for s in states)
                raise RuntimeError(f"For {kind} input, hx and cx should also be {wanted}-D but got ({found}) tensors")
            raise RuntimeError(f"For {kind} input, hx should also be {wanted}-D but got {hx.dim()}-D tensor")
        if batched:
            return hx
        return tuple(s.unsqueeze(1) for s in states) if self.mode == "LSTM" else hx.unsqueeze(1)

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        layers, batch, size = self.get_expected_cell_size(input, batch_sizes)
        dtype = input.dtype
        h = _C.zeros((layers, batch, self.proj_size or size), dtype=dtype)
        return (h, _C.zeros((layers, batch, size), dtype=dtype)) if self.mode == "LSTM" else h

    # The following have torch's names and arguments: programs call and replace them.

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises ValueError for another dtype than the weights', RuntimeError for a shape that does not fit.

        batch_sizes: those of a packed sequence, whose data the input then is.
        """
        weight = self.weight_ih_l0 if self._given_weights is None else self._flat_weights[0]
        dtype = weight.dtype
        if input.dtype != dtype and not _C._autocast_enabled():
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the hidden state for this input, which has a dim of samples.

        >>> import gradcore
        >>> gradcore.nn.GRU(3, 4, num_layers=2).get_expected_hidden_size(gradcore.ones(5, 1, 3), None)
        (2, 1, 4)
        """
        batch = input.shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, self.proj_size or self.hidden_size

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of an LSTM's cell state; see get_expected_hidden_size()."""
        batch = input.shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raises RuntimeError with `msg` where the state has another shape."""
        if hx.shape != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Checks input and state: a tensor, or a pair of them for an LSTM."""
        self.check_input(input, batch_sizes)
        size = self.get_expected_hidden_size(input, batch_sizes)
        if self.mode != "LSTM":
            self.check_hidden_size(hidden, size)
            return
        self.check_hidden_size(hidden[0], size, "Expected hidden[0] size {}, got {}")
        cell = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(hidden[1], cell, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its samples in the order that `permutation` says, as it is for None."""
        if permutation is None:
            return hx
        if self.mode == "LSTM":
            return _apply_permutation(hx[0], permutation), _apply_permutation(hx[1], permutation)
        return _apply_permutation(hx, permutation)

    def _run(self, data: tuple[Tensor, ...], state: Any) -> Any:
        """The op on steps (T, N, features), or on the data and batch sizes of a packed sequence."""
        hx: Any = list(state) if self.mode == "LSTM" else state
        form = (False,) if len(data) == 1 else ()  # batch_first, which packed data have not
        weights = self._flat_weights
        if _C._autocast_enabled():  # then check_input() lets an input of another dtype through
            weights = [weight.to(data[0].dtype) for weight in weights]
        options = (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, *form)
        return _OPS[self.mode](*data, hx, weights, *options)


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
            init.uniform_(weight, -bound, bound)

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
