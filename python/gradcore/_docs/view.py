"""Views: other shapes and parts of a tensor, on the same memory."""

import gradcore  # noqa: F401  (the examples use it)

TEXTS = {
    "view": """
    The same memory with another shape, or read as another dtype.

    The sizes multiply to the number of elements; one of them may be -1, and is computed. The strides must allow the new
    shape without a copy, else RuntimeError: `reshape` copies then. With a dtype the bytes are read anew, and the last
    dim shrinks or grows with the size of an element.

    >>> x = gradcore.arange(6)
    >>> x.view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> gradcore.tensor([1.0]).view(gradcore.int32)
    tensor([1065353216], dtype=torch.int32)
    """,
    "view_as": """
    `view` with the shape of `other`.

    >>> gradcore.arange(4).view_as(gradcore.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """,
    "reshape": """
    The elements in row-major order in another shape: a view where the strides allow one, else a copy.

    The sizes multiply to the number of elements; one of them may be -1, and is computed. Raises RuntimeError where that
    fails.

    >>> gradcore.reshape(gradcore.tensor([[1, 2], [3, 4]]).t(), (4,))
    tensor([1, 3, 2, 4])
    """,
    "reshape_as": """
    `reshape` with the shape of `other`.

    >>> gradcore.arange(4).reshape_as(gradcore.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """,
    "flatten": """
    The dims from start_dim to end_dim joined to one: a view where the strides allow one, else a copy.

    Without arguments the result has one dim; a 0-d tensor gets one, too.

    >>> gradcore.flatten(gradcore.zeros(2, 3, 4), start_dim=1).shape
    torch.Size([2, 12])
    """,
    "ravel": """
    All elements in row-major order in one dim: a view where the tensor is contiguous, else a copy.

    >>> gradcore.ravel(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """,
    "unflatten": """
    One dim parted into several, whose sizes multiply to its own; one of them may be -1. The result is a view.

    Raises RuntimeError where the sizes do not fit.

    >>> gradcore.unflatten(gradcore.zeros(2, 6), 1, (3, -1)).shape
    torch.Size([2, 3, 2])
    """,
    "transpose": """
    A view with two dims exchanged. Raises IndexError for a dim that the tensor does not have.

    >>> gradcore.transpose(gradcore.tensor([[1, 2, 3], [4, 5, 6]]), 0, 1)
    tensor([[1, 4],
            [2, 5],
            [3, 6]])
    """,
    "swapaxes": """
    A view with two dims exchanged: `transpose`, with NumPy's names for the arguments.

    >>> gradcore.swapaxes(gradcore.zeros(2, 3, 4), 0, 2).shape
    torch.Size([4, 3, 2])
    """,
    "t": """
    A matrix with rows and columns exchanged, as a view; a tensor of fewer dims as it is.

    Raises RuntimeError for more than two dims: `transpose` and `mT` take them.

    >>> gradcore.t(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """,
    "permute": """
    A view with the dims in another order: dim k of the result is dim dims[k] of the tensor.

    Raises RuntimeError where `dims` does not name each dim once.

    >>> gradcore.permute(gradcore.zeros(2, 3, 4), (2, 0, 1)).shape
    torch.Size([4, 2, 3])
    """,
    "movedim": """
    A view with the dims `source` at the places `destination`; the others keep their order.

    >>> gradcore.movedim(gradcore.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """,
    "squeeze": """
    A view without the dims of size 1: all of them, or those of the dims that are named. A named dim of another size
    stays.

    >>> x = gradcore.zeros(1, 3, 1)
    >>> gradcore.squeeze(x).shape, gradcore.squeeze(x, 0).shape, gradcore.squeeze(x, 1).shape
    (torch.Size([3]), torch.Size([3, 1]), torch.Size([1, 3, 1]))
    """,
    "unsqueeze": """
    A view with one more dim, of size 1, at place `dim` of the result. Raises IndexError outside of [-n - 1, n].

    >>> gradcore.unsqueeze(gradcore.tensor([1, 2]), 1)
    tensor([[1],
            [2]])
    """,
    "expand": """
    A view in which dims of size 1 repeat their element, and new dims stand in front; -1 keeps a size. No memory is
    taken: a repeated dim has stride 0. Writing into elements that share memory is refused.

    Raises RuntimeError where a size other than 1 would change.

    >>> gradcore.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """,
    "expand_as": """
    `expand` to the shape of `other`.

    >>> gradcore.tensor([1, 2]).expand_as(gradcore.zeros(3, 2)).shape
    torch.Size([3, 2])
    """,
    "broadcast_to": """
    A view with the shape `size`, to which the tensor broadcasts: `expand` as a function.

    >>> gradcore.broadcast_to(gradcore.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """,
    "select": """
    A view of the elements at one index of a dim, without that dim: x[index] for dim 0. A negative index counts from the
    end.

    Raises IndexError for an index that the dim does not have.

    >>> gradcore.select(gradcore.tensor([[1, 2], [3, 4]]), 1, -1)
    tensor([2, 4])
    """,
    "narrow": """
    A view of `length` indices of a dim, from `start` on: x[start : start + length] for dim 0.

    Raises RuntimeError where that goes beyond the dim, IndexError where `start` does.

    >>> gradcore.narrow(gradcore.arange(6), 0, 2, 3)
    tensor([2, 3, 4])
    """,
    "diagonal": """
    A view of the diagonal of two dims, as the last dim; `offset` > 0 stands above the main one, < 0 below it.

    >>> gradcore.diagonal(gradcore.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    >>> gradcore.diagonal(gradcore.zeros(5, 2, 3), dim1=1, dim2=2).shape
    torch.Size([5, 2])
    """,
    "as_strided": """
    A view with any sizes and strides, in elements, on the memory of the tensor.

    Element (i, j, ...) stands at storage_offset + i * stride[0] + j * stride[1] + ...; elements may overlap. Raises
    RuntimeError where that leaves the memory.

    >>> gradcore.as_strided(gradcore.arange(5), (3, 3), (1, 1))
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """,
    "unbind": """
    The views x[0], x[1], ... along a dim, as a tuple; the dim goes.

    >>> gradcore.unbind(gradcore.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """,
    "split": """
    Consecutive parts of a dim, as a tuple of views: of one size, the last being the rest, or of the sizes in a list.

    Raises RuntimeError where listed sizes do not add up to the dim.

    >>> gradcore.split(gradcore.arange(5), 2), gradcore.split(gradcore.arange(5), [1, 4])
    ((tensor([0, 1]), tensor([2, 3]), tensor([4])), (tensor([0]), tensor([1, 2, 3, 4])))
    """,
    "split_with_sizes": """
    Consecutive parts of a dim with these sizes, as a tuple of views. Raises RuntimeError where they do not add up to
    it.

    >>> gradcore.split_with_sizes(gradcore.arange(5), [2, 3])
    (tensor([0, 1]), tensor([2, 3, 4]))
    """,
    "chunk": """
    At most `chunks` consecutive parts of a dim, as a tuple of views: each of ceil(size / chunks) indices, the last of
    the rest.

    There may be fewer parts than asked for; `tensor_split` always gives as many.

    >>> [part.tolist() for part in gradcore.chunk(gradcore.arange(7), 3)]
    [[0, 1, 2], [3, 4, 5], [6]]
    """,
    "detach": """
    The tensor on the same memory, without its history: it requires no grad. Writes to either are seen by both, and
    backward through the other one notices them.

    >>> x = gradcore.ones(2, requires_grad=True)
    >>> (x * 2).detach().requires_grad
    False
    """,
    "set_": """
    Puts the tensor on other memory: that of `source`, a tensor or a storage, or none. Sizes, strides (in elements) and an
    offset from the source's first element may be given.

    An untyped storage is read as numbers of the tensor's dtype. Where the window ends behind the memory, a storage that was
    made by itself grows; of memory below a tensor this one gets a larger copy, and the other tensor keeps its own. Raises
    RuntimeError for another dtype or device, NotImplementedError for a tensor that is part of a graph.

    >>> x = gradcore.zeros(2)
    >>> x.set_(gradcore.arange(4.0), 1, (2,))
    tensor([1., 2.])
    """,
    "unfold": """
    All windows of `size` elements along `dimension`, each `step` behind the one before: a view in which the windows take the
    place of the dim, and their elements are the last dim.

    Raises RuntimeError for a size that is larger than the dim, or for a step below 1.

    >>> gradcore.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """,
    "tensor_split": """
    Views of parts along `dim`: a number of sections, of which the first ones are longer by one where they cannot be equal, or
    the parts between indices.

    Sections and indices may be a tensor of int64. Raises RuntimeError for less than one section, and without dims.

    >>> gradcore.tensor_split(gradcore.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> gradcore.tensor_split(gradcore.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """,
    "hsplit": """
    `tensor_split` along columns: the second dim, of a vector the first. Sections must be equal, else RuntimeError.

    >>> gradcore.hsplit(gradcore.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """,
    "vsplit": """
    `tensor_split` along rows: the first dim of two or more. Sections must be equal, else RuntimeError.

    >>> gradcore.vsplit(gradcore.tensor([[1], [2]]), 2)
    (tensor([[1]]), tensor([[2]]))
    """,
    "dsplit": """
    `tensor_split` along depth: the third dim of three or more. Sections must be equal, else RuntimeError.

    >>> [part.shape for part in gradcore.dsplit(gradcore.zeros(1, 2, 4), 2)]
    [torch.Size([1, 2, 2]), torch.Size([1, 2, 2])]
    """,
    "unsafe_split": """
    `split` whose parts autograd does not take for views: a write to one in place must not be followed by uses of another.

    >>> gradcore.unsafe_split(gradcore.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """,
    "unsafe_split_with_sizes": """
    `split_with_sizes` whose parts autograd does not take for views: a write to one in place must not be followed by uses of
    another.

    >>> gradcore.unsafe_split_with_sizes(gradcore.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """,
    "unsafe_chunk": """
    `chunk` whose parts autograd does not take for views: a write to one in place must not be followed by uses of another.

    >>> gradcore.unsafe_chunk(gradcore.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """,
    "resize_": """
    Gives the tensor another shape in row-major order. What lies in its memory stays; where that does not suffice the tensor gets
    a larger one with the same content, and new elements are not initialised.

    Raises RuntimeError for a tensor that requires grad.

    >>> gradcore.tensor([1, 2, 3, 4]).resize_(2, 2)
    tensor([[1, 2],
            [3, 4]])
    """,
    "resize_as_": """
    `resize_` to the shape of another tensor.

    >>> gradcore.tensor([1, 2, 3]).resize_as_(gradcore.zeros(2))
    tensor([1, 2])
    """,
    "alias_copy": """
    A copy in row-major order. Of the tensor itself: `clone()` in row-major order.

    >>> gradcore.alias_copy(gradcore.ones(2))
    tensor([1., 1.])
    """,
    "detach_copy": """
    A copy in row-major order. Of the tensor without its history.

    >>> gradcore.detach_copy(gradcore.ones(1, requires_grad=True)).requires_grad
    False
    """,
    "as_strided_copy": """
    A copy in row-major order. Of a window on its memory. Raises RuntimeError where that leads out of it.

    >>> gradcore.as_strided_copy(gradcore.arange(4), (2, 2), (1, 1))
    tensor([[0, 1],
            [1, 2]])
    """,
    "diagonal_copy": """
    A copy in row-major order. Of its diagonals, as `diagonal()` has them.

    >>> gradcore.diagonal_copy(gradcore.eye(2))
    tensor([1., 1.])
    """,
    "expand_copy": """
    A copy in row-major order. Of what `Tensor.expand()` shows: dims of one element repeated. `implicit` changes nothing.

    >>> gradcore.expand_copy(gradcore.tensor([[1], [2]]), (2, 2))
    tensor([[1, 1],
            [2, 2]])
    """,
    "narrow_copy": """
    A copy in row-major order. Of `length` indices of a dim, as `narrow()` has them; `start` may count from the end.

    >>> gradcore.narrow_copy(gradcore.arange(5), 0, -2, 2)
    tensor([3, 4])
    """,
    "permute_copy": """
    A copy in row-major order. Of the tensor with its dims in another order.

    >>> gradcore.permute_copy(gradcore.tensor([[1, 2]]), (1, 0))
    tensor([[1],
            [2]])
    """,
    "select_copy": """
    A copy in row-major order. Of one index of a dim, which goes.

    >>> gradcore.select_copy(gradcore.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([3, 4])
    """,
    "slice_copy": """
    A copy in row-major order. Of the indices start, start + step ... below `end` of a dim, as a slice of Python takes them. Raises RuntimeError for
    a step that is not positive.

    >>> gradcore.slice_copy(gradcore.arange(6), 0, 1, None, 2)
    tensor([1, 3, 5])
    """,
    "split_copy": """
    A copy in row-major order. Of the parts of `split()`.

    >>> gradcore.split_copy(gradcore.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """,
    "split_with_sizes_copy": """
    A copy in row-major order. Of the parts of `split_with_sizes()`.

    >>> gradcore.split_with_sizes_copy(gradcore.arange(3), (1, 2))
    (tensor([0]), tensor([1, 2]))
    """,
    "squeeze_copy": """
    A copy in row-major order. Of the tensor without its dims of one element: all of them, or those given.

    >>> gradcore.squeeze_copy(gradcore.ones(1, 2)).shape
    torch.Size([2])
    """,
    "t_copy": """
    A copy in row-major order. Of the transpose of a matrix; of a vector or number as it is. Raises RuntimeError for more dims.

    >>> gradcore.t_copy(gradcore.tensor([[1, 2]]))
    tensor([[1],
            [2]])
    """,
    "transpose_copy": """
    A copy in row-major order. Of the tensor with two dims exchanged.

    >>> gradcore.transpose_copy(gradcore.tensor([[1, 2]]), 0, 1)
    tensor([[1],
            [2]])
    """,
    "unbind_copy": """
    A copy in row-major order. Of each index of a dim, which goes.

    >>> gradcore.unbind_copy(gradcore.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """,
    "unfold_copy": """
    A copy in row-major order. Of the pieces of a dim that `Tensor.unfold()` shows.

    >>> gradcore.unfold_copy(gradcore.arange(4), 0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """,
    "unsqueeze_copy": """
    A copy in row-major order. Of the tensor with one more dim, of one element.

    >>> gradcore.unsqueeze_copy(gradcore.ones(2), 0)
    tensor([[1., 1.]])
    """,
    "view_copy": """
    A copy in row-major order. Of the elements under another shape, or of the bytes as another dtype.

    >>> gradcore.view_copy(gradcore.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """,
}

__test__ = TEXTS
