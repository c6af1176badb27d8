// Docstrings of what the core defines and no row of an op does; those of ops stand in python/gradcore/_docs. The
// interpreter wants these as C strings. Their examples run in tests/structure/test_docs.py.
#pragma once

namespace gradcore::docs {

// ---- attributes of Tensor

inline constexpr char shape[] = R"(The sizes, as a Size: a tuple of ints.

>>> gradcore.zeros(2, 3).shape
torch.Size([2, 3])
)";

inline constexpr char dtype[] = R"(The dtype of the elements.

>>> gradcore.tensor([1, 2]).dtype
torch.int64
)";

inline constexpr char device[] = R"(Where the tensor lives: always device('cpu').

>>> gradcore.ones(1).device
device(type='cpu')
)";

inline constexpr char layout[] = R"(How the elements are laid out: always strided.

>>> gradcore.ones(1).layout
torch.strided
)";

inline constexpr char ndim[] = R"(The number of dims.

>>> gradcore.zeros(2, 3).ndim
2
)";

inline constexpr char requires_grad[] =
    R"(Whether backward computes a gradient for this tensor, or one that it depends on. May be set on a leaf of floats;
RuntimeError elsewhere.

>>> x = gradcore.ones(1)
>>> x.requires_grad = True
>>> (x * 2).requires_grad
True
)";

inline constexpr char grad[] =
    R"(The gradient that backward has accumulated for this leaf; None until there is one. May be set to None, or to a tensor
of the same shape and dtype.

>>> x = gradcore.ones(2, requires_grad=True)
>>> (3 * x).sum().backward()
>>> x.grad
tensor([3., 3.])
)";

inline constexpr char grad_fn[] = R"(The node of the op that made the tensor; None for a leaf.

>>> (gradcore.ones(1, requires_grad=True) * 2).grad_fn.name()
'MulBackward0'
)";

inline constexpr char is_leaf[] =
    R"(Whether the tensor has no history: it was made by the program, or needs no gradient.

>>> x = gradcore.ones(1, requires_grad=True)
>>> x.is_leaf, (x * 2).is_leaf
(True, False)
)";

inline constexpr char output_nr[] = R"(Which output of its grad_fn the tensor is.

>>> a, b = gradcore.ones(2, requires_grad=True).unbind()
>>> b.output_nr
1
)";

inline constexpr char retains_grad[] = R"(Whether retain_grad() was called on this tensor, which is no leaf.

>>> y = gradcore.ones(1, requires_grad=True) * 2
>>> y.retain_grad()
>>> y.retains_grad
True
)";

inline constexpr char version[] = R"(How often the memory of the tensor was written to in place.

>>> x = gradcore.ones(1)
>>> x.add_(1)._version
1
)";

inline constexpr char base[] = R"(For a view: the tensor it is a view of; else None.

>>> x = gradcore.ones(2)
>>> x[0]._base is x
True
)";

inline constexpr char data[] =
    R"(A tensor on the same memory that autograd does not see: writes to it go unnoticed. When set, this tensor moves to the
memory of another one.

>>> x = gradcore.ones(2, requires_grad=True)
>>> x.data.mul_(3)
tensor([3., 3.])
>>> x
tensor([3., 3.], requires_grad=True)
)";

inline constexpr char T[] = R"(A view with the dims in reverse order.

>>> gradcore.tensor([[1, 2], [3, 4]]).T
tensor([[1, 3],
        [2, 4]])
)";

inline constexpr char mT[] =
    R"(A view with the last two dims exchanged: each matrix of a batch transposed. RuntimeError for fewer than two dims.

>>> gradcore.zeros(5, 2, 3).mT.shape
torch.Size([5, 3, 2])
)";

inline constexpr char H[] = R"(A view of a matrix with its dims swapped: real numbers are their own conjugates.

RuntimeError unless the tensor has two dims, or none.

>>> gradcore.tensor([[1, 2], [3, 4]]).H
tensor([[1, 3],
        [2, 4]])
)";

inline constexpr char mH[] = R"(A view with the last two dims swapped: real numbers are their own conjugates.

RuntimeError for one dim.

>>> gradcore.zeros(4, 2, 3).mH.shape
torch.Size([4, 3, 2])
)";

inline constexpr char real[] = R"(The tensor itself: all dtypes are real.

>>> gradcore.tensor([1.0]).real
tensor([1.])
)";

inline constexpr char imag[] = R"(RuntimeError: a real tensor has no imaginary part.

>>> gradcore.ones(1).imag
Traceback (most recent call last):
RuntimeError: imag is not implemented for tensors with non-complex dtypes.
)";

inline constexpr char itemsize[] = R"(The bytes of an element.

>>> gradcore.ones(3, dtype=gradcore.float64).itemsize
8
)";

inline constexpr char nbytes[] = R"(The bytes of all elements.

>>> gradcore.ones(3, dtype=gradcore.float64).nbytes
24
)";

inline constexpr char is_cpu[] = R"(Always True.

>>> gradcore.ones(1).is_cpu
True
)";

inline constexpr char names[] = R"(None for each dim in torch; here None: dims have no names.

>>> gradcore.ones(1).names
)";

inline constexpr char is_cuda[] = R"(Always False.

>>> gradcore.ones(1).is_cuda
False
)";

inline constexpr char is_sparse[] = R"(Always False.

>>> gradcore.ones(1).is_sparse
False
)";

inline constexpr char is_quantized[] = R"(Always False.

>>> gradcore.ones(1).is_quantized
False
)";

inline constexpr char is_meta[] = R"(Always False.

>>> gradcore.ones(1).is_meta
False
)";

inline constexpr char is_mps[] = R"(Always False.

>>> gradcore.ones(1).is_mps
False
)";

// ---- methods of Tensor

inline constexpr char as_subclass[] = R"(as_subclass(cls)

A view of all of the tensor that is an instance of `cls`, a subclass of Tensor. TypeError for another class.

>>> class Marked(gradcore.Tensor):
...     pass
>>> gradcore.ones(2).as_subclass(Marked)
Marked([1., 1.])
)";

inline constexpr char tolist[] = R"(tolist()

The elements as nested Python lists; a number for a 0-d tensor.

>>> gradcore.tensor([[1, 2], [3, 4]]).tolist()
[[1, 2], [3, 4]]
)";

inline constexpr char item[] = R"(item()

The only element as a Python number. RuntimeError for more elements, or none.

>>> gradcore.tensor([2.5]).item()
2.5
)";

inline constexpr char dim[] = R"(dim()

The number of dims.

>>> gradcore.zeros(2, 3).dim()
2
)";

inline constexpr char ndimension[] = R"(ndimension()

The number of dims.

>>> gradcore.zeros(2, 3).ndimension()
2
)";

inline constexpr char numel[] = R"(numel()

The number of elements.

>>> gradcore.zeros(2, 3).numel()
6
)";

inline constexpr char nelement[] = R"(nelement()

The number of elements.

>>> gradcore.zeros(2, 3).nelement()
6
)";

inline constexpr char element_size[] = R"(element_size()

The bytes of an element.

>>> gradcore.zeros(2).element_size()
4
)";

inline constexpr char storage_offset[] = R"(storage_offset()

How many elements of the memory stand before the first one of the tensor.

>>> gradcore.zeros(5)[2:].storage_offset()
2
)";

inline constexpr char data_ptr[] = R"(data_ptr()

The address of the first element, as an int.

>>> x = gradcore.zeros(5)
>>> x[2:].data_ptr() - x.data_ptr()
8
)";

inline constexpr char is_contiguous[] = R"(is_contiguous()

Whether the elements stand densely in row-major order.

>>> x = gradcore.zeros(2, 3)
>>> x.is_contiguous(), x.t().is_contiguous()
(True, False)
)";

inline constexpr char is_floating_point[] = R"(is_floating_point()

Whether the dtype is one of floats.

>>> gradcore.ones(1).is_floating_point()
True
)";

inline constexpr char is_complex[] = R"(is_complex()

Always False: there are no complex tensors.

>>> gradcore.ones(1).is_complex()
False
)";

inline constexpr char is_inference[] = R"(is_inference()

Whether the tensor was made in inference mode.

>>> gradcore.ones(1).is_inference()
False
)";

inline constexpr char get_device[] = R"(get_device()

-1: the CPU has no index.

>>> gradcore.ones(1).get_device()
-1
)";

inline constexpr char retain_grad[] = R"(retain_grad()

Lets backward keep the gradient of this tensor, which is no leaf, in `.grad`. RuntimeError for one that requires no grad.

>>> y = gradcore.ones(1, requires_grad=True) * 2
>>> y.retain_grad()
>>> (y * 3).sum().backward()
>>> y.grad
tensor([3.])
)";

// ---- functions, and classes with their methods

inline constexpr char tensor[] =
    R"(A new tensor with a copy of `data`: a number, nested sequences of numbers, an array or a tensor.

Without a dtype the elements decide: bools, int64 for ints, the default dtype for floats, an array's own. ValueError
where nested sequences differ in length, TypeError for what holds no numbers.

>>> gradcore.tensor([[1, 2], [3, 4.5]])
tensor([[1.0000, 2.0000],
        [3.0000, 4.5000]])
)";

inline constexpr char as_tensor[] =
    R"(`data` as a tensor: itself where it is one of the right dtype, on its memory where it is such an array, else a copy.

>>> gradcore.as_tensor([1, 2])
tensor([1, 2])
)";

inline constexpr char is_tensor[] = R"(Whether `obj` is a tensor.

>>> gradcore.is_tensor(gradcore.ones(1)), gradcore.is_tensor([1.0])
(True, False)
)";

inline constexpr char from_numpy[] =
    R"(A tensor on the memory of a NumPy array: what is written to one is seen in the other.

TypeError for what is no array, or an array of a dtype that tensors do not have.

>>> import numpy
>>> a = numpy.zeros(2)
>>> gradcore.from_numpy(a)[0] = 1
>>> a
array([1., 0.])
)";

inline constexpr char frombuffer[] =
    R"(A vector on the memory of an object with the buffer protocol: `count` elements of `dtype`, from byte `offset` on.

ValueError where the buffer has not as many, or ends within an element.

>>> gradcore.frombuffer(bytearray(b"\1\2\3"), dtype=gradcore.uint8)
tensor([1, 2, 3], dtype=torch.uint8)
)";

inline constexpr char is_grad_enabled[] = R"(Whether ops are being recorded in this thread.

>>> with gradcore.no_grad():
...     gradcore.is_grad_enabled()
False
)";

inline constexpr char is_inference_mode_enabled[] = R"(Whether this thread is in inference mode.

>>> gradcore.is_inference_mode_enabled()
False
)";

inline constexpr char get_num_threads[] = R"(How many threads large ops use.

>>> gradcore.get_num_threads() >= 1
True
)";

inline constexpr char set_num_threads[] =
    R"(Sets how many threads large ops use. Results are the same bits for any number. RuntimeError for fewer than one.

>>> gradcore.set_num_threads(gradcore.get_num_threads())
)";

inline constexpr char release_unused_memory[] = R"(Gives memory that is kept for reuse back to the system.

>>> gradcore.release_unused_memory()
)";

inline constexpr char Generator[] =
    R"(A stream of random numbers, torch's own (MT19937). Ops that draw take one as `generator`.

>>> g = gradcore.Generator().manual_seed(0)
>>> gradcore.rand(2, generator=g)
tensor([0.4963, 0.7682])
)";

inline constexpr char initial_seed[] = R"(The seed that the stream began with.

>>> gradcore.Generator().manual_seed(5).initial_seed()
5
)";

inline constexpr char seed[] = R"(Starts the stream anew from the system's entropy, and returns the seed.

>>> g = gradcore.Generator()
>>> g.seed() == g.initial_seed()
True
)";

inline constexpr char get_state[] = R"(The state of the stream: a uint8 tensor of 5056 bytes, as torch writes it.

>>> gradcore.Generator().get_state().shape
torch.Size([5056])
)";

inline constexpr char set_state[] =
    R"(Puts the stream into a state that get_state() gave, torch's too. TypeError for another dtype, RuntimeError for other
bytes.

>>> g = gradcore.Generator()
>>> state = g.get_state()
>>> x = gradcore.rand(2, generator=g)
>>> g.set_state(state)
>>> bool((gradcore.rand(2, generator=g) == x).all())
True
)";

inline constexpr char tensor_class[] =
    R"(A strided, typed array that records what is done to it. Made by gradcore.tensor() and its relatives.

>>> x = gradcore.Tensor([1, 2])  # the legacy constructor: always of the default dtype
>>> x * 2
tensor([2., 4.])
)";

inline constexpr char node_class[] = R"(An op on the tape: what a tensor's `grad_fn` is. Calling it runs its backward.

>>> y = gradcore.ones(2, requires_grad=True).exp()
>>> isinstance(y.grad_fn, gradcore.Node), y.grad_fn.name()
(True, 'ExpBackward0')
)";

inline constexpr char dtype_class[] = R"(The element type of a tensor: gradcore.float32 and so on.

>>> gradcore.float32.is_floating_point, gradcore.float32.itemsize
(True, 4)
)";

inline constexpr char get_default_dtype[] = R"(The dtype of floats that come without one.

>>> gradcore.get_default_dtype()
torch.float32
)";

inline constexpr char set_default_dtype[] =
    R"(Sets the dtype of floats that come without one. TypeError for one that is not of floats.

>>> gradcore.set_default_dtype(gradcore.float64)
>>> gradcore.tensor(0.5).dtype
torch.float64
>>> gradcore.set_default_dtype(gradcore.float32)
)";

inline constexpr char promote_types[] = R"(The dtype that two tensors of these dtypes have together.

>>> gradcore.promote_types(gradcore.int64, gradcore.float32)
torch.float32
)";

inline constexpr char can_cast[] =
    R"(Whether an out= of dtype `to` may take results of the other: not where a float would become an integer, or an integer a
bool.

>>> gradcore.can_cast(gradcore.float64, gradcore.float32), gradcore.can_cast(gradcore.float32, gradcore.int64)
(True, False)
)";

inline constexpr char result_type[] =
    R"(The dtype in which an op computes with two operands, each a tensor or a number. A number, or a 0-d tensor beside one with
dims, decides only about its kind.

>>> gradcore.result_type(gradcore.tensor([1], dtype=gradcore.int8), 2), gradcore.result_type(gradcore.tensor([1]), 2.5)
(torch.int8, torch.float32)
)";

inline constexpr char set_anomaly_enabled[] =
    R"(Switches anomaly mode, which autograd.detect_anomaly explains, for the whole process.

>>> gradcore.set_anomaly_enabled(True, check_nan=False)
>>> gradcore.is_anomaly_enabled(), gradcore.is_anomaly_check_nan_enabled()
(True, False)
>>> gradcore.set_anomaly_enabled(False)
)";

inline constexpr char is_anomaly_enabled[] = R"(Whether backward watches for anomalies: see autograd.detect_anomaly.

>>> gradcore.is_anomaly_enabled()
False
)";

inline constexpr char is_anomaly_check_nan_enabled[] = R"(Whether anomaly mode looks for NaNs in gradients.

>>> gradcore.is_anomaly_check_nan_enabled()
True
)";

inline constexpr char set_origin_tracking[] =
    R"(Whether nodes and writes remember the line of the program that made them, for error messages (on by default).

>>> gradcore.set_origin_tracking(True)
)";

inline constexpr char available_isas[] =
    R"(The instruction sets that this build has code for and this processor can run.

>>> set(gradcore.available_isas()) <= {'v2', 'v3', 'v4'}
True
)";

inline constexpr char memory_stats[] =
    R"(Bytes in use, at the highest, and kept for reuse; and the number of blocks handed out so far. The highest is looked at
when a block of more than 64 KiB is handed out and when this is asked: what many small blocks held between is not seen.

>>> sorted(gradcore.memory_stats())
['allocations', 'cached', 'in_use', 'peak']
)";

inline constexpr char set_threading_layer[] =
    R"(Chooses where the threads of large operations come from: 'openmp' (OpenMP's own, which OMP_PLACES, OMP_PROC_BIND
and omp_set_num_threads govern) or 'team' (gradcore's own). To be called before the first operation that is large
enough for threads; the environment variable GRADCORE_THREADING_LAYER says the same at the start. Results are the
same bits in both. Raises ValueError for another name, RuntimeError where the layer is not available or too late.

>>> gradcore.set_threading_layer(gradcore._C._build_info()["threading_layer"])
)";

inline constexpr char DisableTorchFunctionSubclass[] =
    R"(A context in which no __torch_function__ is asked: subclasses of Tensor are treated as plain tensors.

>>> class Marked(gradcore.Tensor):
...     pass
>>> with gradcore._C.DisableTorchFunctionSubclass():
...     type(Marked([1.0]) + 1)
<class 'gradcore.Tensor'>
)";

}  // namespace gradcore::docs
