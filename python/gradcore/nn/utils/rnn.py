"""Sequences of several lengths as one tensor: padded, or packed time step by time step. Start at pack_padded_sequence."""

from __future__ import annotations

from collections import namedtuple

from ... import _C
from ..._C import Tensor

TYPE_CHECKING = False  # typing itself would cost more than the rest of our import
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
else:
    from ..._lazy import Any, Iterable

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])):
    """Sequences by time step: data holds the elements of step 0 of all sequences, then those of step 1 ...

    batch_sizes: how many sequences reach each step; sorted_indices: the sequences from the longest to the shortest;
    unsorted_indices: the way back. Made by pack_padded_sequence() and pack_sequence().
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html

    >>> import gradcore
    >>> packed = gradcore.nn.utils.rnn.pack_sequence([gradcore.tensor([1, 2]), gradcore.tensor([3])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 3, 2]), tensor([2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if batch_sizes is None:  # one pair, as old pickles have it
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with_data(self, data: Tensor) -> PackedSequence:
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with data.to(*args, **kwargs)."""
        return self._with_data(self.data.to(*args, **kwargs))

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same: everything is on the CPU. Further arguments are those of to()."""
        return self.to(*args, device="cpu", **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Refused as torch's CPU build does."""
        return self._with_data(self.data.cuda(*args, **kwargs))

    def pin_memory(self) -> PackedSequence:
        """The same: no device would read the memory."""
        return self

    def is_pinned(self) -> bool:
        """False: see pin_memory()."""
        return False

    def half(self) -> PackedSequence:
        """The same in float16."""
        return self.to(dtype=_C.float16)

    def short(self) -> PackedSequence:
        """The same in int16."""
        return self.to(dtype=_C.int16)

    def char(self) -> PackedSequence:
        """The same in int8."""
        return self.to(dtype=_C.int8)

    def byte(self) -> PackedSequence:
        """The same in uint8."""
        return self.to(dtype=_C.uint8)

    def double(self) -> PackedSequence:
        """The same in float64."""
        return self.to(dtype=_C.float64)

    def float(self) -> PackedSequence:
        """The same in float32."""
        return self.to(dtype=_C.float32)

    def long(self) -> PackedSequence:
        """The same in int64."""
        return self.to(dtype=_C.int64)

    def int(self) -> PackedSequence:
        """The same in int32."""
        return self.to(dtype=_C.int32)

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one.

    >>> import gradcore
    >>> gradcore.nn.utils.rnn.invert_permutation(gradcore.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    result = _C.empty_like(permutation)
    result[permutation] = _C.arange(permutation.numel())
    return result


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs sequences that were padded to one length.

    input: (T, B, ...), or (B, T, ...) with batch_first; lengths: B ints; enforce_sorted: they must not increase, else the
    sequences are sorted. Raises RuntimeError for lengths that do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html

    >>> import gradcore
    >>> gradcore.nn.utils.rnn.pack_padded_sequence(gradcore.tensor([[1, 4], [2, 5], [3, 0]]), [3, 2]).data
    tensor([1, 4, 2, 5, 3])
    """
    given = _C.as_tensor(lengths, dtype=_C.int64)
    if given.dim() != 1:
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {given.dim()}D")
    sizes = given.tolist()
    order = None
    if not enforce_sorted:
        places = sorted(range(len(sizes)), key=lambda i: -sizes[i])
        order = _C.tensor(places, dtype=_C.int64)
        sizes = [sizes[i] for i in places]
        input = input.index_select(0 if batch_first else 1, order)
    steps = input.transpose(0, 1) if batch_first else input
    if steps.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(sizes) != steps.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={steps.shape[1]})"
        )
    if min(sizes) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if any(a < b for a, b in zip(sizes, sizes[1:])):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
            "need ONNX exportability."
        )
    if sizes[0] > steps.shape[0]:
        raise RuntimeError(
            f"Expected lengths of at most {steps.shape[0]}, the number of time steps, but got {sizes[0]}"
        )
    counts = [sum(1 for n in sizes if n > t) for t in range(sizes[0])]
    data = _C.cat([steps[t, :count] for t, count in enumerate(counts)])
    return PackedSequence(data, _C.tensor(counts, dtype=_C.int64), order, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded tensor, and the lengths, of what pack_padded_sequence() packed.

    The result is (T, B, ...), or (B, T, ...) with batch_first; total_length: T where it is to be more than the longest.
    Raises ValueError where it is less.

    >>> import gradcore
    >>> packed = gradcore.nn.utils.rnn.pack_sequence([gradcore.tensor([1, 2]), gradcore.tensor([3])])
    >>> gradcore.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    counts = sequence.batch_sizes.tolist()
    longest = len(counts)
    steps = longest
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        steps = total_length
    rows = []
    begin = 0
    shape = sequence.data.shape[1:]
    for count in counts:
        row = sequence.data[begin : begin + count]
        begin += count
        rest = counts[0] - count
        if rest:
            row = _C.cat([row, _C.full((rest, *shape), padding_value, dtype=row.dtype)])
        rows.append(row)
    if steps > longest:
        empty = _C.full((counts[0], *shape), padding_value, dtype=sequence.data.dtype)
        rows += [empty] * (steps - longest)
    padded = _C.stack(rows)
    if batch_first:
        padded = padded.transpose(0, 1)
    lengths = _C.tensor([sum(1 for count in counts if count > i) for i in range(counts[0])], dtype=_C.int64)
    back = sequence.unsorted_indices
    if back is not None:
        return padded.index_select(0 if batch_first else 1, back), lengths[back]
    return padded, lengths


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L, ...) of several lengths as one tensor (T, B, ...), or (B, T, ...) with batch_first.

    Raises RuntimeError for no sequences, and for another side than 'right' and 'left'.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html

    >>> import gradcore
    >>> gradcore.nn.utils.rnn.pad_sequence([gradcore.tensor([1, 2]), gradcore.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not hasattr(type(sequences), "__iter__"):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    listed = list(sequences)
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(s.shape[0] for s in listed)
    padded = []
    for s in listed:
        missing = longest - s.shape[0]
        if missing:
            filler = _C.full((missing, *s.shape[1:]), padding_value, dtype=s.dtype)
            s = _C.cat([filler, s] if padding_side == "left" else [s, filler])
        padded.append(s)
    return _C.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Copies of the sequences that pad_sequence() padded. Raises ValueError for another number of lengths.

    >>> import gradcore
    >>> gradcore.nn.utils.rnn.unpad_sequence(gradcore.tensor([[1, 3], [2, 0]]), gradcore.tensor([2, 1]))
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    steps = _C.arange(rows.shape[1])
    return [row[steps < n] for row, n in zip(rows.unbind(0), lengths.tolist(), strict=True)]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs a list of sequences (L, ...); see pack_padded_sequence().

    >>> import gradcore
    >>> gradcore.nn.utils.rnn.pack_sequence([gradcore.tensor([1, 2]), gradcore.tensor([3])]).data
    tensor([1, 3, 2])
    """
    listed = list(sequences)
    return pack_padded_sequence(pad_sequence(listed), [s.shape[0] for s in listed], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The list of sequences that pack_sequence() packed.

    >>> import gradcore
    >>> packed = gradcore.nn.utils.rnn.pack_sequence([gradcore.tensor([1, 2]), gradcore.tensor([3])])
    >>> gradcore.nn.utils.rnn.unpack_sequence(packed)
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
