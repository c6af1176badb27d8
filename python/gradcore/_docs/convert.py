"""Copies, fills and conversions; questions about a tensor's dtype and shape."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "contiguous": """
    The tensor itself where its elements stand densely in row-major order, else a copy in which they do.

    >>> gradcore.tensor([[1, 2], [3, 4]]).t().contiguous().stride()
    (2, 1)
    """,
    "clone": """
    A copy on memory of its own. Gradients pass through it.

    The order of the dims in memory stays as far as the elements are dense; memory_format=contiguous_format asks for
    row-major order.

    >>> x = gradcore.zeros(2)
    >>> y = gradcore.clone(x)
    >>> y[0] = 1
    >>> x, y
    (tensor([0., 0.]), tensor([1., 0.]))
    """,
    "copy_": """
    Writes the elements of `src`, a tensor that broadcasts or a number, into the tensor, converted to its dtype.

    Gradients pass to `src`. Raises RuntimeError where the shape of `src` does not broadcast to that of the tensor.

    >>> x = gradcore.zeros(2, 2)
    >>> x.copy_(gradcore.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """,
    "fill_": """
    Writes `value`, a number or a 0-d tensor, into all elements.

    >>> gradcore.zeros(3).fill_(7)
    tensor([7., 7., 7.])
    """,
    "zero_": """
    Writes 0 into all elements.

    >>> gradcore.ones(3).zero_()
    tensor([0., 0., 0.])
    """,
    "fill_diagonal_": """
    Writes a number into the main diagonal of a matrix, or of a tensor with more dims of equal size.

    With wrap=True the diagonal of a tall matrix begins anew below each square, after a row in between. Raises
    RuntimeError for fewer than two dims.

    >>> gradcore.zeros(3, 3).fill_diagonal_(5)
    tensor([[5., 0., 0.],
            [0., 5., 0.],
            [0., 0., 5.]])
    """,
    "tril": """
    A copy of a matrix, or of a batch of them, with zeros above a diagonal: `diagonal` > 0 moves it up, < 0 down.

    >>> gradcore.tril(gradcore.ones(3, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.],
            [1., 1., 1.]])
    """,
    "triu": """
    A copy of a matrix, or of a batch of them, with zeros below a diagonal: `diagonal` > 0 moves it up, < 0 down.

    >>> gradcore.triu(gradcore.ones(3, 3), diagonal=1)
    tensor([[0., 1., 1.],
            [0., 0., 1.],
            [0., 0., 0.]])
    """,
    "to": """
    The tensor in another dtype, given as such or as that of another tensor; the only device is "cpu".

    It is the tensor itself where nothing is to be done, unless copy=True. Gradients come back in the tensor's own
    dtype. Raises AssertionError for "cuda", as torch does where it is built for the CPU, RuntimeError for what is no
    device.

    >>> gradcore.tensor([1, 2]).to(gradcore.float64)
    tensor([1., 2.], dtype=torch.float64)
    """,
    "type_as": """
    The tensor in the dtype of `other`, itself where that is its own.

    >>> gradcore.tensor([1, 2]).type_as(gradcore.tensor(0.5))
    tensor([1., 2.])
    """,
    "cpu": """
    The tensor itself: it is there already.

    >>> gradcore.ones(2).cpu()
    tensor([1., 1.])
    """,
    "float": """
    The tensor in float32, itself where it is of that dtype.

    >>> gradcore.tensor([1, 2]).float()
    tensor([1., 2.])
    """,
    "double": """
    The tensor in float64, itself where it is of that dtype.

    >>> gradcore.tensor([1, 2]).double()
    tensor([1., 2.], dtype=torch.float64)
    """,
    "half": """
    The tensor in float16, itself where it is of that dtype; what lies beyond 65504 becomes infinite.

    >>> gradcore.tensor([0.1, 70000.0]).half()
    tensor([0.1000,    inf], dtype=torch.float16)
    """,
    "bfloat16": """
    The tensor in bfloat16, itself where it is of that dtype.

    >>> gradcore.tensor([1.001, 70000.0]).bfloat16()
    tensor([1.0000e+00, 7.0144e+04], dtype=torch.bfloat16)
    """,
    "long": """
    The tensor in int64, itself where it is of that dtype; fractions are cut off.

    >>> gradcore.tensor([1.7, -1.7]).long()
    tensor([ 1, -1])
    """,
    "int": """
    The tensor in int32, itself where it is of that dtype; fractions are cut off.

    >>> gradcore.tensor([1.7, -1.7]).int()
    tensor([ 1, -1], dtype=torch.int32)
    """,
    "short": """
    The tensor in int16, itself where it is of that dtype; fractions are cut off.

    >>> gradcore.tensor([1.7, -1.7]).short()
    tensor([ 1, -1], dtype=torch.int16)
    """,
    "char": """
    The tensor in int8, itself where it is of that dtype; fractions are cut off, and integers lose their upper bits.

    >>> gradcore.tensor([1, 257]).char()
    tensor([1, 1], dtype=torch.int8)
    """,
    "byte": """
    The tensor in uint8, itself where it is of that dtype; fractions are cut off, and integers lose their upper bits.

    >>> gradcore.tensor([1, 257]).byte()
    tensor([1, 1], dtype=torch.uint8)
    """,
    "bool": """
    The tensor in bool: whether each element is not zero. NaN is True.

    >>> gradcore.tensor([0.0, 0.5]).bool()
    tensor([False,  True])
    """,
    "size": """
    The sizes as a Size, or that of one dim as an int. Raises IndexError for a dim that the tensor does not have.

    >>> gradcore.zeros(2, 3).size(), gradcore.zeros(2, 3).size(-1)
    (torch.Size([2, 3]), 3)
    """,
    "stride": """
    How many elements of memory lie between neighbours along each dim, as a tuple, or along one dim as an int.

    >>> gradcore.zeros(2, 3).stride(), gradcore.zeros(2, 3).t().stride(0)
    ((3, 1), 1)
    """,
    "numel": """
    The number of elements, as an int.

    >>> gradcore.numel(gradcore.zeros(2, 3))
    6
    """,
    "is_floating_point": """
    Whether the dtype is one of floats.

    >>> gradcore.is_floating_point(gradcore.ones(1)), gradcore.is_floating_point(gradcore.tensor(1))
    (True, False)
    """,
    "is_inference": """
    Whether the tensor was made in inference mode: it then takes no part in autograd ever.

    >>> with gradcore.inference_mode():
    ...     x = gradcore.ones(1)
    >>> gradcore.is_inference(x)
    True
    """,
    "requires_grad_": """
    Sets whether backward computes a gradient for this tensor, and returns it.

    Raises RuntimeError for a dtype without gradients, and for False on a tensor with a history: `detach` gives one
    without.

    >>> gradcore.ones(2).requires_grad_()
    tensor([1., 1.], requires_grad=True)
    """,
    "backward": """
    Computes the gradients of this tensor by all leaves that it depends on, and adds them to their `.grad`.

    `gradient` is the cotangent, of the shape of the tensor; a single element needs none, and gets 1. The tape is freed
    unless retain_graph=True; create_graph=True records the backward itself, for second derivatives; `inputs` names the
    leaves to serve. Raises RuntimeError for a tensor without a history, for one with several elements and no
    `gradient`, and for a tape that was freed.

    >>> x = gradcore.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """,
    "is_neg": """
    False: no tensor is marked as negated.

    >>> gradcore.is_neg(gradcore.ones(1))
    False
    """,
    "resolve_neg": """
    The tensor itself: none is marked as negated.

    >>> gradcore.resolve_neg(gradcore.tensor([1.0]))
    tensor([1.])
    """,
    "fill": """
    A new tensor like `input`, all of whose elements are `value`, a number or a tensor without dims.

    >>> gradcore.fill(gradcore.zeros(2), 3)
    tensor([3., 3.])
    """,
    "get_device": """
    The number of the device where the tensor lives: -1, the CPU.

    >>> gradcore.get_device(gradcore.zeros(2))
    -1
    """,
    "is_same_size": """
    Whether both tensors have one shape.

    >>> gradcore.is_same_size(gradcore.zeros(2), gradcore.ones(2))
    True
    """,
    "is_set_to": """
    Whether both tensors are the same window on the same memory.

    >>> x = gradcore.zeros(2)
    >>> x.is_set_to(x.view(2)), x.is_set_to(x.clone())
    (True, False)
    """,
    "sum_to_size": """
    The sum over the dims along which a tensor of this size would be expanded to this one's: the reverse of broadcasting.

    Raises RuntimeError where it would not be.

    >>> gradcore.ones(2, 3).sum_to_size(2, 1)
    tensor([[3.],
            [3.]])
    """,
}

__test__ = TEXTS
