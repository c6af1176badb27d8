"""Recurrent layers and cells as functions. nn.LSTM, nn.GRU and nn.RNN say what they compute."""

import gradcore  # noqa: F401  (the examples use it)

_LAYER = """
    input: (T, N, features), or (N, T, features) with batch_first; in the other form data (rows, features) and batch_sizes
    of a packed sequence. {state} params: weight_ih, weight_hh and, with has_biases, bias_ih and bias_hh, for each
    layer and direction{more}. dropout acts between layers where train says so. Returns the outputs and the last state.
    Raises RuntimeError for shapes or dtypes that do not fit, NotImplementedError for other than float dtypes.
"""
_HX = "hx: (layers * directions, N, hidden)."
_CELL = """
    input: (N, features); hx: {state}; w_ih: ({gates}hidden, features); w_hh: ({gates}hidden, hidden); b_ih and b_hh:
    ({gates}hidden) or None. Raises RuntimeError for shapes or dtypes that do not fit, NotImplementedError for other than
    float dtypes.
"""


def _layer(title: str, example: str, state: str = _HX, more: str = "") -> str:
    return f"\n    {title}\n{_LAYER.format(state=state, more=more)}\n{example}"


def _cell(title: str, gates: str, example: str, state: str = "(N, hidden)") -> str:
    return f"\n    {title}\n{_CELL.format(state=state, gates=gates)}\n{example}"


TEXTS = {
    "lstm": _layer(
        "Layers of long short-term memory over the steps of a sequence.",
        """
    >>> x, h, w = gradcore.ones(5, 1, 2), gradcore.zeros(1, 1, 3), [gradcore.ones(12, 2), gradcore.ones(12, 3)]
    >>> output, h, c = gradcore.lstm(x, [h, h], w, False, 1, 0.0, False, False, False)
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 1, 3]), torch.Size([1, 1, 3]), torch.Size([1, 1, 3]))
    """,
        "hx: h and c, each (layers * directions, N, hidden).",
        ", and weight_hr where h is projected",
    ),
    "gru": _layer(
        "Layers of gated recurrent units over the steps of a sequence.",
        """
    >>> x, h, w = gradcore.ones(5, 1, 2), gradcore.zeros(1, 1, 3), [gradcore.ones(9, 2), gradcore.ones(9, 3)]
    >>> output, h = gradcore.gru(x, h, w, False, 1, 0.0, False, False, False)
    >>> output.shape, h.shape
    (torch.Size([5, 1, 3]), torch.Size([1, 1, 3]))
    """,
    ),
    "rnn_tanh": _layer(
        "Layers of h' = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh) over the steps of a sequence.",
        """
    >>> x, h, w = gradcore.ones(2, 1, 1), gradcore.zeros(1, 1, 1), [gradcore.ones(1, 1), gradcore.zeros(1, 1)]
    >>> gradcore.rnn_tanh(x, h, w, False, 1, 0.0, False, False, False)[1]
    tensor([[[0.7616]]])
    """,
    ),
    "rnn_relu": _layer(
        "Layers of h' = relu(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh) over the steps of a sequence.",
        """
    >>> x, h, w = gradcore.ones(2, 1, 1), gradcore.zeros(1, 1, 1), [gradcore.ones(1, 1), gradcore.ones(1, 1)]
    >>> gradcore.rnn_relu(x, h, w, False, 1, 0.0, False, False, False)[1]
    tensor([[[2.]]])
    """,
    ),
    "lstm_cell": _cell(
        "One step of long short-term memory: the next h and c.",
        "4 * ",
        """
    >>> x, h, w = gradcore.ones(1, 2), gradcore.zeros(1, 3), (gradcore.zeros(12, 2), gradcore.zeros(12, 3))
    >>> gradcore.lstm_cell(x, [h, h + 1], *w)
    (tensor([[0.2311, 0.2311, 0.2311]]), tensor([[0.5000, 0.5000, 0.5000]]))
    """,
        "h and c, each (N, hidden)",
    ),
    "gru_cell": _cell(
        "One step of gated recurrent units: the next h.",
        "3 * ",
        """
    >>> x, h, w = gradcore.ones(1, 2), gradcore.ones(1, 3), (gradcore.zeros(9, 2), gradcore.zeros(9, 3))
    >>> gradcore.gru_cell(x, h, *w)
    tensor([[0.5000, 0.5000, 0.5000]])
    """,
    ),
    "rnn_tanh_cell": _cell(
        "tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)",
        "",
        """
    >>> gradcore.rnn_tanh_cell(gradcore.ones(1, 1), gradcore.zeros(1, 1), gradcore.ones(1, 1), gradcore.ones(1, 1))
    tensor([[0.7616]])
    """,
    ),
    "rnn_relu_cell": _cell(
        "relu(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)",
        "",
        """
    >>> gradcore.rnn_relu_cell(gradcore.ones(1, 1), gradcore.ones(1, 1), gradcore.ones(1, 1), gradcore.ones(1, 1))
    tensor([[2.]])
    """,
    ),
}

__test__ = TEXTS
