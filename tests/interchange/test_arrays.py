"""NumPy's protocols on tensors, and tensors of what other packages hold: pandas' columns, PIL's images, lists of these."""

import warnings

import numpy as np
import pytest

import gradcore
from support import both, needs_torch

CONVERSIONS = [
    "np.asarray(x)",
    "np.asarray(x, dtype='float64')",
    "np.array(x, copy=True)",
    "np.array(x, dtype=np.int32)",
    "x.__array__(dtype=np.float64)",
    "x.__array__()",
    "np.asarray([x, x])",
    "[type(np.exp(x)).__name__, np.exp(x)]",
    "[type(np.add(x, 1)).__name__, np.add(x, 1)]",
    "[type(x + np.ones(3, 'float32')).__name__, x + np.ones(3, 'float32')]",
    "np.float32(2) * x",
    "np.greater(x, 1)",
    "np.stack([x.numpy(), x.numpy()])",
    "x.__array_priority__",
    "len(np.asarray(x[None]))",
    "np.concatenate([x, x])",
]


def plain(value):
    """Arrays as their dtype and numbers."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return [value.dtype.name, value.tolist()] if isinstance(value, (np.ndarray, np.generic)) else value


@needs_torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", CONVERSIONS)
def test_numpy_takes_tensors(program):
    def run(lib):
        return plain(eval(program, {"x": lib.tensor([0.5, 1.0, 2.0]), "np": np, "lib": lib}))

    both(run)


@needs_torch
@pytest.mark.parametrize("program", ["np.ones(3, 'float32') + x", "np.sum(x)"])
def test_numpy_and_torch_refuse(program):
    both(lambda lib: eval(program, {"x": lib.tensor([0.5, 1.0, 2.0]), "np": np}), raises="")


def test_copies_that_are_forbidden_or_asked_for():
    x = gradcore.arange(3.0)
    assert np.asarray(x, copy=False).ctypes.data == x.data_ptr() == np.asarray(x).ctypes.data
    assert np.array(x, copy=True).ctypes.data != x.data_ptr()
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype="float64", copy=False)
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(gradcore.ones(1, requires_grad=True))


@pytest.mark.filterwarnings("ignore:.*unspecified requires_grad")
@pytest.mark.parametrize("requires_grad", [None, False, True])
@pytest.mark.parametrize("data", ["x", "x * 2", "x.detach()", "x.double()", "[1.0, 2.0]", "np.ones(2)"])
@pytest.mark.parametrize("options", [{}, {"copy": True}, {"dtype": "float64"}])
def test_asarray_may_leave_the_history_behind(requires_grad, data, options):
    def run(lib):
        x = lib.ones(2, requires_grad=True)
        named = {key: getattr(lib, value) if key == "dtype" else value for key, value in options.items()}
        if requires_grad is not None:
            named["requires_grad"] = requires_grad
        result = lib.asarray(eval(data, {"x": x, "np": np}), **named)
        return result, result.is_leaf, result.data_ptr() == x.data_ptr()

    both(run)


def test_asarray_warns_where_it_takes_the_gradients_along():
    x = gradcore.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="torch.asarray: unspecified requires_grad"):
        gradcore.asarray(x * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradcore.asarray(x, requires_grad=False)
        gradcore.asarray(x.detach())
        gradcore.array_api.asarray(x)


def test_lists_of_arrays():
    rows = [np.arange(3), np.arange(3, 6)]
    assert gradcore.tensor(rows).tolist() == [[0, 1, 2], [3, 4, 5]] and gradcore.tensor(rows).dtype == gradcore.int64
    assert gradcore.tensor([[row, row] for row in rows]).shape == (2, 2, 3)
    assert gradcore.tensor(rows, dtype=gradcore.float32).dtype == gradcore.float32
    assert gradcore.tensor([np.float32(1), np.float64(2)]).dtype == gradcore.float64


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", ">f4", ">i8", "uint8", "bool"])
def test_lists_of_arrays_that_no_tensor_shares(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    both(lambda lib: [lib.tensor([array[::-1], array]), lib.tensor((array, array[:, ::-1]), dtype=lib.float64)])


class Numbers:
    """A sequence whose [] gives NumPy's numbers, and whose iterator Python's, as a column of pandas."""

    def __init__(self, *numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        return np.float64(self.numbers[index])

    def __iter__(self):
        return iter(self.numbers)


class Labelled(Numbers):
    """One whose [] wants labels."""

    def __getitem__(self, index):
        raise KeyError(index)


def test_the_dtype_is_that_of_what_a_sequence_gives_by_index():
    both(lambda lib: [lib.tensor(Numbers(1.0, 2.0)), lib.tensor([Numbers(1.0, 2.0)]), lib.tensor(Numbers())])
    assert gradcore.tensor(Labelled(1.0, 2.0)).dtype == gradcore.float32  # torch raises


@needs_torch
def test_what_gives_no_buffer_or_has_no_values():
    both(lambda lib: lib.frombuffer(3, dtype=lib.uint8), raises="buffer protocol")
    both(lambda lib: lib.empty(2, device="meta").numpy(), raises="convert meta device type tensor to numpy")
    both(lambda lib: np.asarray(lib.empty(2, device="meta")), raises="convert meta device type tensor to numpy")


def test_columns_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6]})
    assert gradcore.tensor(frame["b"]).tolist() == [4, 5, 6]
    for column in ("a", "b"):  # whose [] gives NumPy's numbers, and whose iterator Python's
        both(lambda lib, of=frame[column]: [lib.tensor(of), lib.as_tensor(of), lib.tensor(of, dtype=lib.float32)])
    assert gradcore.tensor(frame["a"].to_numpy()).dtype == gradcore.float64
    assert gradcore.tensor([frame["a"], frame["b"]]).tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert gradcore.tensor(frame.to_numpy()).shape == (3, 2) and gradcore.tensor(frame["b"].tolist()).sum().item() == 15


def test_images_of_pil():
    image = pytest.importorskip("PIL.Image").fromarray(np.arange(24, dtype=np.uint8).reshape(2, 4, 3))
    shown = gradcore.tensor(np.asarray(image))
    assert shown.shape == (2, 4, 3) and shown.dtype == gradcore.uint8 and shown[1, 3, 2].item() == 23
    assert gradcore.as_tensor(np.asarray(image)).shape == (2, 4, 3)  # whose memory is read-only
    assert gradcore.tensor([np.asarray(image)] * 2).shape == (2, 2, 4, 3)
