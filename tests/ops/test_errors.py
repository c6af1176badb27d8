"""Bad input: torch's exception type, a message that says what came, nothing half-written, and never a crash.

GROUPS lists calls as source with the exception's type and fragments that its message must hold: the numbers
that came and the phrases that programs match on. Where torch is installed the tables are held to it too.
"""

import decimal
import hashlib
import subprocess
import sys

import numpy as np
import pytest

from support import Raised, both, collected, gradcore, libraries, needs_torch, outcome, torch

BINARY = [
    ("x + lib.zeros(4)", RuntimeError, ("3", "4", "must match", "non-singleton dimension")),
    ("x * lib.zeros(3, 3)", RuntimeError, ("2", "3", "must match")),
    ("x.add_(lib.zeros(5, 2, 3))", RuntimeError, ("shape",)),
    ("x + 'a'", TypeError, ()),
    ("'a' + x", TypeError, ()),
    ("x + None", TypeError, ()),
    ("x + [1, 2, 3]", TypeError, ()),
    ("x + object()", TypeError, ()),
    ("x @ 2", TypeError, ()),
    ("lib.tensordot(x.sum(), x, dims=([0], [0]))", IndexError, ("no dimensions",)),
    ("lib.tensordot(x, x.sum(), dims=([0], [0]))", IndexError, ("no dimensions",)),
    ("lib.add(x)", TypeError, ("other",)),
    ("lib.add(x, x, x)", TypeError, ()),
    ("lib.add(x, x, wrong=1)", TypeError, ()),
    ("x.add(x, x, x)", TypeError, ()),
    ("lib.exp()", TypeError, ()),
    ("lib.exp(1.0)", TypeError, ()),
    ("lib.exp(x, 2)", TypeError, ()),
    ("lib.exp([1.0])", TypeError, ()),
    ("ints.div_(2)", RuntimeError, ("can't be cast",)),
    ("ints.add_(1.5)", RuntimeError, ("can't be cast",)),
    ("ints.exp_()", RuntimeError, ("can't be cast",)),
    ("bools.add_(1)", RuntimeError, ("can't be cast",)),
    ("ints.add_(x[0, 0:1].expand(4))", RuntimeError, ("can't be cast",)),
    ("bools - bools", RuntimeError, ("bool",)),
    ("1 - bools", RuntimeError, ("bool",)),
    ("-bools", RuntimeError, ("bool",)),
    ("x & x", RuntimeError, ()),
    ("x | 1", RuntimeError, ()),
    ("~x", (RuntimeError, TypeError), ()),
    ("x << 1.5", Exception, ()),
    ("ints // 0", RuntimeError, ("ZeroDivisionError",)),
    ("ints % 0", RuntimeError, ("ZeroDivisionError",)),
    ("ints.fmod(0)", RuntimeError, ("ZeroDivisionError",)),
    ("ints ** -1", RuntimeError, ("negative",)),
    ("lib.add(ints, ints, alpha=0.5)", RuntimeError, ("alpha",)),
    ("lib.where(x, x, x)", RuntimeError, ("bool",)),
    ("x.masked_fill(ints, 0)", RuntimeError, ()),
    ("x.masked_fill(x > 0, x)", RuntimeError, ("0-dimension",)),
    ("x.clamp()", RuntimeError, ("min", "max")),
    ("x.lerp(x.double(), 0.5)", RuntimeError, ("dtype",)),
    ("x.div(x, rounding_mode='up')", RuntimeError, ("rounding_mode", "up")),
    ("x.add_(wrong)", NameError, ()),
    ("lib.atan2(x, 2)", TypeError, ("other",)),
    ("x.logical_and_(1)", TypeError, ()),
    ("abs(bools)", NotImplementedError, ("Bool",)),
    ("ints.byte().clamp(-1, 300)", RuntimeError, ("without overflow",)),
    *(
        (f"x.to(lib.{dtype}).{call}", RuntimeError, ("without overflow",))
        for dtype in ("float16", "bfloat16", "float32")
        for call in ("clamp(1e39)", "clamp(-1e39)", "clamp(max=1e39)", "clamp(0.0, 1e39)", "clamp_(1e39)", "clip(1e39)")
    ),
    ("x.clamp(other=1.0)", TypeError, ()),
    ("ints.byte() ** 300", RuntimeError, ("without overflow",)),
    ("lib.where(ints > 0, 2**40, ints.int())", RuntimeError, ("without overflow",)),
    ("ints.round(decimals=1)", NotImplementedError, ("Long",)),
    ("x + 2**70", OverflowError, ()),
    ("2**70 - x", OverflowError, ()),
    ("x == -2**70", OverflowError, ()),
    ("x.mul_(2**70)", OverflowError, ()),
    ("x.clamp(2**70)", OverflowError, ()),
    ("ints.fill_(2**64)", OverflowError, ()),
    ("lib.add(x, x, alpha=2**70)", OverflowError, ()),
    ("x.masked_fill(x > 0, 1e40)", RuntimeError, ("without overflow",)),
    ("x.fill_(1e40)", RuntimeError, ("without overflow",)),
    ("x[:1].expand(2, 3).fill_(x[0, 0])", RuntimeError, ("single memory location",)),
    ("x.clone(memory_format='a')", TypeError, ("memory_format",)),
    ("x.addcdiv(ints[:3], ints[:3])", RuntimeError, ("nteger division",)),
    ("x.pow('2')", TypeError, ()),
    ("x.addcdiv(ints, ints)", Exception, ()),
    ("ints.addcdiv(ints, ints)", RuntimeError, ()),
]

REDUCTIONS = [
    ("x.sum(2)", IndexError, ("Dimension out of range", "2")),
    ("x.sum(-3)", IndexError, ("Dimension out of range", "-3")),
    ("x.sum((0, 0))", RuntimeError, ("dim 0 appears multiple times",)),
    ("x.sum(0.5)", TypeError, ()),
    ("x.sum('0')", (TypeError, RuntimeError), ()),
    ("x.max(2)", IndexError, ("Dimension out of range",)),
    ("x.argmax(5)", IndexError, ("Dimension out of range",)),
    ("x.max(0, x)", TypeError, ()),
    ("ints.mean()", RuntimeError, ("dtype",)),
    ("ints.var()", RuntimeError, ("floating",)),
    ("lib.zeros(0).max()", RuntimeError, ()),
    ("lib.zeros(0, 3).max(0)", IndexError, ()),
    ("lib.zeros(0).argmax()", IndexError, ()),
    ("lib.zeros(0, 3).amax(0)", IndexError, ()),
    ("lib.zeros(0).amin()", RuntimeError, ()),
    ("x.cumsum(4)", IndexError, ("Dimension out of range",)),
    ("x.cumsum()", TypeError, ()),
    ("x.cumsum(0, dtype=lib.bool)", NotImplementedError, ("\"cumsum_out_cpu\" not implemented for 'Bool'",)),
    ("x.cumprod(0, dtype=lib.uint16)", NotImplementedError, ("\"cumprod_out_cpu\" not implemented for 'UInt16'",)),
    ("(x > 0).cumsum_(0)", NotImplementedError, ("\"cumsum_out_cpu\" not implemented for 'Bool'",)),
    ("lib.zeros((2, 1.5))", TypeError, ("failed to unpack the object at pos 2", "tuple of ints,but got float")),
    ("lib.zeros(2, None)", TypeError, ("failed to unpack the object at pos 2", "tuple of ints,but got NoneType")),
    ("lib.zeros(('a', 2))", TypeError, ("must be tuple of ints, but found element of type str at pos 0",)),
    ("lib.zeros((True, 2))", TypeError, ("but found element of type bool at pos 0",)),
    ("x.permute((1, 'a'))", TypeError, ("permute(): argument 'dims' failed to unpack the object at pos 2",)),
    ("x.softmax(3)", IndexError, ("Dimension out of range",)),
    ("ints.softmax(0)", RuntimeError, ()),
    ("x.logsumexp(7)", IndexError, ("Dimension out of range",)),
    ("x.norm('nuc', 0)", RuntimeError, ("2-tuple",)),
    ("x.any(4)", IndexError, ("Dimension out of range",)),
    ("x.prod((0, 1))", TypeError, ()),
    ("x.sum(dim=0, axis=1)", TypeError, ()),
    ("x.sum(dtype='float32')", TypeError, ()),
    ("x.var(0, correction='a')", TypeError, ()),
    ("x.sum(2**70)", ValueError, ("verflow",)),
    ("x.sum((0, 2**70))", TypeError, ("verflow",)),
    ("x.argmax(2**70)", ValueError, ("verflow",)),
]

MATRICES = [
    ("x @ x", RuntimeError, ("2x3", "cannot be multiplied")),
    ("x.mm(x)", RuntimeError, ("2x3", "cannot be multiplied")),
    ("x.mm(lib.zeros(3))", RuntimeError, ()),
    ("x @ lib.zeros(2)", RuntimeError, ("2",)),
    ("lib.zeros(3).dot(lib.zeros(4))", RuntimeError, ("3", "4")),
    ("x.dot(x)", RuntimeError, ("1D",)),
    ("lib.zeros(2) @ lib.zeros(3)", RuntimeError, ()),
    ("lib.tensor(1.0) @ x", RuntimeError, ()),
    ("lib.zeros(2, 3, 4).bmm(lib.zeros(3, 4, 5))", RuntimeError, ()),
    ("lib.zeros(2, 3, 4).bmm(lib.zeros(4, 5))", RuntimeError, ()),
    ("lib.zeros(2, 3, 4) @ lib.zeros(3, 4, 5)", RuntimeError, ()),
    ("x.mm(x.double().t())", RuntimeError, ("dtype",)),
    ("x @ ints.reshape(2, 2)", RuntimeError, ()),
    ("lib.outer(x, x)", RuntimeError, ("1",)),
    ("x.mv(x)", RuntimeError, ()),
    ("lib.addmm(lib.zeros(5), x, x.t())", RuntimeError, ("5",)),
    ("lib.addmm(x, x, x)", RuntimeError, ()),
    ("lib.matmul(x)", TypeError, ()),
]

VIEWS = [
    ("x.view(4)", RuntimeError, ("'[4]' is invalid for input of size 6",)),
    ("x.view(-1, -1)", RuntimeError, ("only one dimension can be inferred",)),
    ("x.view(-2, 3)", RuntimeError, ("invalid shape dimension",)),
    ("x.view(-1, 4)", RuntimeError, ("invalid for input of size 6",)),
    ("x.t().view(6)", RuntimeError, ("view size is not compatible",)),
    ("lib.zeros(0).view(-1, 0)", RuntimeError, ("-1",)),
    ("x.view()", TypeError, ()),
    ("x.view('a')", TypeError, ()),
    ("x.view(2.0, 3)", TypeError, ()),
    ("x.view(2**70)", TypeError, ("verflow",)),
    ("lib.reshape(x, 6)", TypeError, ("shape",)),
    ("lib.flip(x, 0)", TypeError, ("dims",)),
    ("x.unflatten(1, 3)", TypeError, ("sizes",)),
    ("x.as_strided(2, 1)", TypeError, ()),
    ("x.select(0, 2**70)", ValueError, ("verflow",)),
    ("x.reshape(5)", RuntimeError, ("invalid for input of size 6",)),
    ("x.transpose(0, 2)", IndexError, ("Dimension out of range", "2")),
    ("x.transpose(0)", TypeError, ()),
    ("lib.zeros(2, 2, 2).t()", RuntimeError, ("3D",)),
    ("x.permute(0)", RuntimeError, ()),
    ("x.permute(0, 0)", RuntimeError, ()),
    ("x.permute(0, 2)", IndexError, ("Dimension out of range",)),
    ("x.squeeze(5)", IndexError, ("Dimension out of range",)),
    ("x.unsqueeze(4)", IndexError, ("Dimension out of range",)),
    ("x.expand(2, 4)", RuntimeError, ("4", "3")),
    ("x.expand(3)", RuntimeError, ()),
    ("x.expand(-1, 2, 3)", RuntimeError, ("-1",)),
    ("x.expand(2, -2)", RuntimeError, ()),
    ("x.narrow(0, 0, 3)", RuntimeError, ()),
    ("x.narrow(0, 3, 1)", (IndexError, RuntimeError), ()),
    ("x.narrow(0, 0, -1)", RuntimeError, ("non-negative",)),
    ("x.select(0, 2)", IndexError, ("2",)),
    ("x.select(3, 0)", IndexError, ("Dimension out of range",)),
    ("x.split(-1)", RuntimeError, ("-1",)),
    ("x.split([1, 2])", RuntimeError, ("sum",)),
    ("x.split(0)", RuntimeError, ()),
    ("x.chunk(0)", RuntimeError, ()),
    ("x.unbind(4)", IndexError, ("Dimension out of range",)),
    ("lib.tensor(1.0).unbind()", (IndexError, RuntimeError), ()),
    ("x.diagonal(0, 0, 0)", RuntimeError, ()),
    ("x.flatten(1, 0)", RuntimeError, ("start_dim",)),
    ("x.unflatten(1, (2, 2))", RuntimeError, ()),
    ("x.as_strided((9,), (1,))", RuntimeError, ("out of bounds",)),
    ("x.as_strided((2,), (-1,))", RuntimeError, ("egative strides", "-1")),
    ("x.as_strided((2,), (1, 1))", RuntimeError, ()),
    ("x.as_strided((2,), (2**62,))", RuntimeError, ()),
    ("x.as_strided((1,), (1,), -1)", RuntimeError, ()),
    ("x.movedim(0, 5)", IndexError, ("Dimension out of range",)),
    ("x.flip(3)", IndexError, ("Dimension out of range",)),
    ("x.flip(0, 0)", RuntimeError, ()),
    ("x.roll((1, 2), 0)", RuntimeError, ()),
    ("x.repeat(2)", RuntimeError, ()),
    ("x.repeat(-1, 2)", RuntimeError, ()),
    ("lib.zeros(3).tril()", RuntimeError, ()),
    ("lib.cat([])", (RuntimeError, ValueError), ("non-empty",)),
    ("lib.cat([x, lib.zeros(2, 2)])", RuntimeError, ("3", "2")),
    ("lib.cat([x, lib.zeros(2)])", RuntimeError, ("dimensions",)),
    ("lib.cat([x, 1])", TypeError, ()),
    ("lib.cat(x)", TypeError, ()),
    ("lib.cat([lib.tensor(1.0), lib.tensor(2.0)])", RuntimeError, ("zero-dimensional",)),
    ("lib.cat([x, x], 2)", IndexError, ("Dimension out of range",)),
    ("lib.stack([])", RuntimeError, ("non-empty",)),
    ("lib.stack([x, x.t()])", RuntimeError, ("equal size",)),
    ("lib.stack([x, x], 4)", IndexError, ("Dimension out of range",)),
]

INDEXED = [
    ("x.index_copy(0, lib.tensor([-1]), x[:1])", IndexError, ("-1",)),
    ("x.index_copy(0, lib.tensor([0, 1]), x[:1])", IndexError, ()),
    ("x.index_copy(0, lib.tensor([0, 1]), x[0])", IndexError, ()),
    ("x.index_copy(1, lib.tensor([0]), lib.ones(0))", IndexError, ()),
    ("x.index_copy(0, lib.tensor([0]), x[:1, :1])", RuntimeError, ()),
    ("x.index_copy(0, lib.tensor([0]), x[:1].double())", RuntimeError, ("dtype",)),
    ("x.index_copy(0, lib.tensor([0], dtype=lib.int32), x[:1])", RuntimeError, ("Int",)),
    ("x.index_fill(0, lib.tensor([2]), 1)", IndexError, ("2",)),
    ("x.index_fill(0, lib.tensor([[0]]), 1)", RuntimeError, ()),
    ("x.index_fill(0, lib.tensor([0]), lib.ones(2))", RuntimeError, ("0-dimension",)),
    ("x.index_fill(0, lib.tensor([0.0]), 1)", IndexError, ()),
    ("x.index_fill(5, lib.tensor([0]), 1)", IndexError, ("5",)),
    ("x[b'a']", TypeError, ("bytes",)),
    ("x.index_select(0, lib.tensor([2]))", (IndexError, RuntimeError), ("out of range",)),
    ("x.index_select(0, lib.tensor([-1]))", (IndexError, RuntimeError), ("out of range",)),
    ("x.index_select(0, lib.tensor([0.5]))", (IndexError, RuntimeError), ()),
    ("x.index_select(0, lib.tensor([[0]]))", IndexError, ()),
    ("x.index_select(2, lib.tensor([0]))", IndexError, ("Dimension out of range",)),
    ("x.gather(0, lib.tensor([[2, 0, 0]]))", RuntimeError, ("out of bounds",)),
    ("x.gather(0, lib.tensor([[-1, 0, 0]]))", RuntimeError, ("out of bounds",)),
    ("x.gather(0, lib.tensor([0]))", RuntimeError, ("same number of dimensions",)),
    ("x.gather(0, lib.zeros(1, 3))", RuntimeError, ("int64",)),
    ("x.gather(1, lib.zeros(3, 3, dtype=lib.int64))", RuntimeError, ()),
    ("x.scatter_(0, lib.tensor([[9]]), 1.0)", RuntimeError, ("out of bounds",)),
    ("x.scatter_(0, lib.tensor([[0]]), lib.zeros(1))", (RuntimeError, IndexError), ()),
    ("x.scatter_(0, lib.tensor([[0, 0, 0, 0]]), x)", RuntimeError, ()),
    ("x.scatter_(0, lib.tensor([[0]]), x.double())", RuntimeError, ("dtype",)),
    ("x.scatter_add_(0, lib.tensor([[5]]), x * 1)", RuntimeError, ("out of bounds",)),
    ("x.scatter_add(0, lib.tensor([[5]]), x * 1)", RuntimeError, ("out of bounds",)),
    ("x.scatter_reduce(0, lib.tensor([[5]]), x * 1, 'amax')", RuntimeError, ("out of bounds",)),
    ("x[:0].gather(0, lib.tensor([[0, 0]]))", RuntimeError, ("out of bounds",)),
    ("x[:0].scatter(0, lib.tensor([[0]]), 1.0)", RuntimeError, ("out of bounds",)),
    ("x[:0].scatter_add(0, lib.tensor([[0]]), x * 1)", RuntimeError, ("out of bounds",)),
    ("x[:0].scatter_reduce(0, lib.tensor([[0]]), x * 1, 'amin')", RuntimeError, ("out of bounds",)),
    ("x.index_add_(0, lib.tensor([7]), x[:1])", (IndexError, RuntimeError), ()),
    ("x.index_add_(0, lib.tensor([0]), x)", (IndexError, RuntimeError), ()),
    ("x.masked_select(ints)", RuntimeError, ("Bool",)),
    ("x.masked_select(lib.ones(4, dtype=lib.bool))", RuntimeError, ()),
    ("x[lib.ones(4, dtype=lib.bool)]", IndexError, ("4", "2")),
    ("x[5]", IndexError, ("5", "out of bounds", "2")),
    ("x[0, 7]", IndexError, ("index 7 is out of bounds for dimension 1",)),
    ("x[0, 0, 0]", IndexError, ("too many indices",)),
    ("x[lib.tensor([0, 5])]", IndexError, ("5", "out of bounds")),
    ("x['a']", TypeError, ("str",)),
    ("x[1.0]", IndexError, ()),
    ("x[::-1]", ValueError, ("step",)),
    ("x.__setitem__(0, lib.zeros(4))", RuntimeError, ("The expanded size of the tensor (3) must match", "(4)")),
    ("x.scatter(0, lib.zeros(2, 3).long(), lib.tensor(1.0))", RuntimeError, ("same number of dimensions as src",)),
    ("x.index_reduce(0, lib.tensor([5]), x[:1], 'amax')", IndexError, ("index out of range in self",)),
    ("x.index_copy(0, lib.tensor([0]), x[:1, :2])", RuntimeError, ("must have same slice shapes",)),
    ("x.__setitem__(0, 'a')", TypeError, ()),
    ("x.__delitem__(0)", Exception, ()),
    ("x[2**70]", ValueError, ("verflow",)),
    ("x[['a']]", TypeError, ("str",)),
    ("x[[[0], [1, 2], [0]]]", IndexError, ("too many indices",)),
    ("x[[[True, False, True], [True, False, True]]]", IndexError, ("3", "2")),
    ("x.__setitem__(0, 1e40)", RuntimeError, ("without overflow",)),
    ("x.__setitem__(0, 2**70)", ValueError, ("verflow",)),
    ("ints.to(lib.uint8).__setitem__(0, 300)", RuntimeError, ("without overflow",)),
    ("x[:1].expand(2, 3).__setitem__(slice(None), 1.0)", RuntimeError, ("single memory location",)),
]

CREATION = [
    ("lib.tensor([[1, 2], [3]])", ValueError, ("expected sequence of length 2", "got 1")),
    ("lib.tensor([1, [2]])", TypeError, ()),
    ("lib.tensor([[1], 2])", TypeError, ()),
    ("lib.tensor('a')", TypeError, ("str",)),
    ("lib.tensor(['a'])", (TypeError, ValueError), ("str",)),
    ("lib.tensor(object())", RuntimeError, ()),
    ("lib.tensor(None)", RuntimeError, ()),
    ("lib.tensor([None])", (RuntimeError, TypeError), ()),
    ("lib.tensor(2**70)", ValueError, ("verflow",)),
    ("lib.tensor([2**63])", (RuntimeError, OverflowError, ValueError), ("verflow",)),
    ("lib.tensor(300, dtype=lib.uint8)", (RuntimeError, OverflowError), ()),
    ("lib.tensor([1, 2], dtype='int')", TypeError, ()),
    ("lib.tensor([1], wrong=1)", TypeError, ("wrong",)),
    ("lib.tensor()", TypeError, ()),
    ("lib.tensor(1, device='moon')", RuntimeError, ("moon",)),
    ("lib.tensor({1: 2})", (RuntimeError, TypeError), ()),
    ("lib.tensor(b'ab')", TypeError, ("bytes",)),
    ("lib.tensor([10**400, 1.0])", OverflowError, ()),
    ("lib.tensor([float('nan')], dtype=lib.int64)", RuntimeError, ("without overflow",)),
    ("lib.tensor([float('inf')], dtype=lib.int32)", RuntimeError, ("without overflow",)),
    ("lib.tensor([decimal.Decimal(1)])", RuntimeError, ("Decimal",)),
    ("lib.tensor([np.array([1, 2]), np.array([3])])", ValueError, ()),
    ("lib.tensor(np.zeros(2, 'datetime64[s]'))", TypeError, ()),
    ("lib.as_tensor([1], lib.float64)", TypeError, ()),
    ("lib.tensor(None, dtype=lib.float32)", TypeError, ("NoneType",)),
    ("lib.tensor([object()], dtype=lib.int64)", TypeError, ("object",)),
    ("lib.tensor([1, 'a'], dtype=lib.int64)", TypeError, ("str",)),
    ("lib.tensor([np.float32(1.5)], dtype=lib.int64)", TypeError, ("float32",)),
    ("lib.tensor([lib.tensor(1.5)], dtype=lib.int64)", TypeError, ("integer",)),
    ("lib.tensor([1.0], requires_grad=1)", TypeError, ()),
    ("lib.Tensor(1.5)", TypeError, ("float",)),
    ("lib.scalar_tensor(300, dtype=lib.uint8)", RuntimeError, ("without overflow",)),
    ("lib.rand(2, dtype=lib.float64, out=lib.empty(0))", RuntimeError, ("out",)),
    ("lib.asarray([1], copy=False)", ValueError, ("alias",)),
    ("lib.tril_indices(-1, 3)", RuntimeError, ()),
    ("lib.tril_indices(3, 3, dtype=lib.float32)", NotImplementedError, ("Float",)),
    ("lib.logspace(0, 1, -1)", RuntimeError, ("non-negative",)),
    ("lib.zeros(-1)", RuntimeError, ()),
    ("lib.zeros(size=2)", TypeError, ("size",)),
    ("lib.full(2, 1.0)", TypeError, ("size",)),
    ("lib.full((2,), 1e40)", RuntimeError, ("without overflow",)),
    ("lib.full((2,), 300, dtype=lib.uint8)", RuntimeError, ("without overflow",)),
    ("lib.full((2,), 2**70)", OverflowError, ()),
    ("lib.arange(2**70)", OverflowError, ()),
    ("lib.arange(0, 3, 0.5, dtype=lib.int64)", ValueError, ("step",)),
    ("lib.rand(2, generator=1)", TypeError, ()),
    ("lib.Generator(device='moon')", RuntimeError, ("moon",)),
    ("lib.set_num_threads('a')", RuntimeError, ("str",)),
    ("lib.set_num_threads(2**40)", ValueError, ("verflow",)),
    ("lib.promote_types(1, lib.int8)", TypeError, ("int",)),
    ("lib.set_default_dtype(float)", TypeError, ()),
    ("lib.from_numpy(np.float32(1))", TypeError, ("numpy.float32",)),
    ("lib.device('cpu:01')", RuntimeError, ("cpu:01",)),
    ("lib.device('cpu', -1)", RuntimeError, ("negative",)),
    ("lib.device('cpu', 'a')", TypeError, ("str",)),
    ("lib.device('cpu:0', 1)", RuntimeError, ("index",)),
    ("lib.device()", TypeError, ()),
    ("lib.zeros(2, -3)", RuntimeError, ()),
    ("lib.zeros(1.5)", TypeError, ()),
    ("lib.zeros('a')", TypeError, ()),
    ("lib.zeros(2**70)", (OverflowError, RuntimeError, TypeError), ()),
    ("lib.zeros(2**62, 2**62)", RuntimeError, ()),
    ("lib.zeros(2**45)", RuntimeError, ()),
    ("lib.empty(2**62)", RuntimeError, ()),
    ("lib.zeros(2, dtype=float, device='cuda:9x')", RuntimeError, ()),
    ("lib.full((2,))", TypeError, ()),
    ("lib.full((2,), 'a')", TypeError, ()),
    ("lib.arange(0, 5, 0)", RuntimeError, ("step",)),
    ("lib.arange(0, 5, -1)", RuntimeError, ("step",)),
    ("lib.arange(float('inf'))", RuntimeError, ()),
    ("lib.arange(float('nan'))", RuntimeError, ()),
    ("lib.arange()", TypeError, ()),
    ("lib.linspace(0, 1, -1)", RuntimeError, ("non-negative",)),
    ("lib.linspace(0, lib.ones(1), 3)", RuntimeError, ("0-dimensional start and end tensors, but got end with 1",)),
    (
        "lib.logspace(lib.ones(2, 1), 0, 3)",
        RuntimeError,
        ("0-dimensional start and end tensors, but got start with 2",),
    ),
    ("lib.zeros(2).apply_(lambda _: '1')", TypeError, ()),
    ("lib.zeros(2).map_(lib.ones(2), lambda *_: '1')", TypeError, ("must be real number, not str",)),
    (
        "lib.use_deterministic_algorithms(False, warn_only=1)",
        TypeError,
        ("argument 'warn_only' must be bool, not int",),
    ),
    ("lib.linspace(0, 300, 3, dtype=lib.uint8)", RuntimeError, ("without overflow",)),
    ("lib.linspace(0, 3e9, 3, dtype=lib.int32)", RuntimeError, ("type int without overflow",)),
    ("lib.tensor(300, dtype=lib.int8)", RuntimeError, ("type int8 without overflow",)),
    ("lib.tensor(float('nan'), dtype=lib.uint8)", RuntimeError, ("type uint8 without overflow",)),
    ("lib.zeros(2, dtype=lib.int32, requires_grad=True)", RuntimeError, ("Only Tensors of floating point",)),
    ("lib.nn.Parameter(lib.ones(2, dtype=lib.int64))", RuntimeError, ("Only Tensors of floating point",)),
    ("lib.ones(2, dtype=lib.int64).requires_grad_()", RuntimeError, ("only Tensors of floating point",)),
    ("lib.broadcast_shapes((2,), (-1,))", RuntimeError, ("dimension of length -1",)),
    ("lib.cat([lib.ones(1), None])", TypeError, ("expected Tensor as element 1 in argument 0, but got NoneType",)),
    ("lib.tril_indices(-1, 2)", RuntimeError, ("row must be non-negative",)),
    ("setattr(lib.ones(1, requires_grad=True) * 2, 'requires_grad', True)", RuntimeError, ("of leaf variables.",)),
    ("lib.ones(1).no_such_name", AttributeError, ("'Tensor' object has no attribute",)),
    ("lib.ones(1) @ 2", TypeError, ("'Tensor' and 'int'",)),
    *(
        (f"{call}(eight, eight, {value}=300)", RuntimeError, ("without overflow",))
        for call, value in (("lib.add", "alpha"), ("lib.sub", "alpha"))
    ),
    ("lib.addmm(eight, eight, eight, alpha=300)", RuntimeError, ("without overflow",)),
    ("lib.addcmul(eight, eight, eight, value=300)", RuntimeError, ("without overflow",)),
    ("lib.index_add(eight, 0, lib.tensor([0, 1]), eight, alpha=300)", RuntimeError, ("without overflow",)),
    ("lib.add(eight, eight, alpha=True)", RuntimeError, ("Boolean alpha",)),
    ("lib.sub(eight, eight, alpha=-128)", RuntimeError, ("without overflow",)),
    ("lib.sub(ints.int(), 1, alpha=-(2**31))", RuntimeError, ("without overflow",)),
    (
        "lib.nn.functional.linear(x, x.double(), x[:, 0].double())",
        RuntimeError,
        ("mat1 and mat2 must have the same dtype",),
    ),
    ("lib.addmm(x[:, :2], x, x.t().double())", RuntimeError, ("self and mat2 must have the same dtype",)),
    ("lib.addmm(lib.ones(5), x, x.t())", RuntimeError, ("The expanded size of the tensor (2)", "existing size (5)")),
    ("lib.nn.LazyLinear(2).weight + 1", ValueError, ("uninitialized parameter",)),
    ("lib.eye(-1)", RuntimeError, ("-1",)),
    ("lib.rand(-2)", RuntimeError, ()),
    ("lib.randint(5, 5, (2,))", RuntimeError, ("5",)),
    ("lib.randint(0, 1)", TypeError, ()),
    ("lib.randperm(-1)", RuntimeError, ()),
    ("lib.randperm(2**20, dtype=lib.uint8)", RuntimeError, ()),
    ("x.uniform_(2, 1)", RuntimeError, ()),
    ("x.normal_(0, -1)", RuntimeError, ("-1",)),
    ("ints.uniform_()", RuntimeError, ()),
    ("ints.exponential_()", RuntimeError, ("Long",)),
    ("x.exponential_(0)", RuntimeError, ("lambda=0",)),
    ("x.bernoulli_(1.5)", RuntimeError, ("1.5",)),
    ("lib.bernoulli(x + 5)", RuntimeError, ("p_in",)),
    ("lib.multinomial(x, 0)", RuntimeError, ("n_sample <= 0",)),
    ("lib.multinomial(x * 0, 1)", RuntimeError, ("sum of probabilities",)),
    ("lib.multinomial(lib.tensor([1.0, -1.0]), 2, True)", RuntimeError, ("entry < 0",)),
    ("lib.multinomial(lib.tensor([1.0, 2.0]), 3)", RuntimeError, ("without replacement",)),
    ("lib.multinomial(lib.tensor([1, 2]), 1)", RuntimeError, ("Long",)),
    ("lib.rand(2, dtype=lib.int64)", RuntimeError, ()),
    ("lib.from_numpy([1, 2])", TypeError, ()),
    ("lib.from_numpy(np.array(['a']))", TypeError, ()),
    ("lib.from_numpy(np.array([object()]))", TypeError, ()),
    ("lib.from_numpy(np.arange(4)[::-1])", ValueError, ("negative",)),
    ("lib.from_numpy(np.zeros(2, '>f4'))", ValueError, ("byte order",)),
    ("lib.manual_seed('a')", (TypeError, ValueError, RuntimeError), ()),
    ("lib.set_default_dtype(lib.int64)", TypeError, ("floating",)),
    ("lib.set_default_dtype('float32')", TypeError, ()),
    ("lib.finfo(lib.int64)", TypeError, ()),
    ("lib.iinfo(lib.float32)", TypeError, ()),
    ("lib.device('moon')", RuntimeError, ("moon",)),
    ("lib.device('cpu', -1)", RuntimeError, ("negative",)),
    ("lib.device('cpu:1', 2)", RuntimeError, ("cpu:1",)),
    ("lib.tensor([1, 'a'])", TypeError, ("str",)),
    ("lib.tensor([b'a'])", TypeError, ("bytes",)),
]

CONVERSIONS = [
    ("x.item()", RuntimeError, ("6 elements",)),
    ("float(x)", (RuntimeError, ValueError, TypeError), ()),
    ("int(lib.zeros(0))", (RuntimeError, ValueError, TypeError), ()),
    ("bool(x)", RuntimeError, ("oolean value of Tensor with more than one value is ambiguous",)),
    ("bool(lib.zeros(0))", RuntimeError, ("oolean",)),
    ("if_(x > 0)", RuntimeError, ("ambiguous",)),
    ("range(lib.tensor(1.5))", TypeError, ()),
    ("[1, 2][lib.tensor([1, 1])]", TypeError, ()),
    ("int(lib.tensor(float('nan')))", ValueError, ()),
    ("int(lib.tensor(float('inf')))", OverflowError, ()),
    ("len(lib.tensor(1))", TypeError, ("0-d",)),
    ("iter(lib.tensor(1))", TypeError, ("0-d",)),
    ("x.to('moon')", RuntimeError, ("moon",)),
    ("x.to(lib.float32, wrong=1)", TypeError, ()),
    ("x.type('wrong')", ValueError, ("wrong",)),
    ("x.size(5)", IndexError, ("Dimension out of range",)),
    ("x.stride(-9)", IndexError, ("Dimension out of range",)),
    ("x.wrong", AttributeError, ("wrong",)),
    ("x.wrong()", AttributeError, ("wrong",)),
    ("lib.wrong", AttributeError, ("wrong",)),
    ("setattr(x, 'shape', (3, 2))", AttributeError, ()),
    ("setattr(x, 'dtype', lib.float64)", AttributeError, ()),
    ("setattr(x, 'data', [1.0])", TypeError, ()),
    ("x.copy_(lib.zeros(4))", RuntimeError, ("4", "3")),
    ("x.copy_('a')", TypeError, ()),
    ("x.fill_(lib.zeros(2))", RuntimeError, ("0-dimension",)),
    ("x.fill_('a')", TypeError, ()),
    ("hash(lib.tensor([1])) and {}[lib.tensor([1])]", KeyError, ()),
    ("lib.Size([1.5])", TypeError, ()),
    ("lib.Size([lib.tensor(2.5)])", TypeError, ("Tensor",)),
    ("lib.ones(1).expand(3).fill_(lib.tensor(4))", RuntimeError, ("single memory location",)),
    ("x[0, :1].expand(3).__setitem__(slice(None), 5.0)", RuntimeError, ("single memory location",)),
    ("lib.max(x, 1, out=(lib.empty(0),))", TypeError, ("expected tuple of 2 elements but got 1",)),
    ("lib.max(x, 1, out=(lib.empty(0), lib.empty(0)))", RuntimeError, ("dtype",)),
    ("lib.argmax(x, out=lib.empty(0))", RuntimeError, ("dtype",)),
    ("lib.nonzero(x, out=lib.empty(0))", RuntimeError, ("Long",)),
    ("x.var(0, 1)", TypeError, ()),
    ("lib.squeeze(x, 0, 1)", TypeError, ()),
    ("lib.amax(x, 1, out=lib.empty(0, dtype=lib.float64))", RuntimeError, ("dtype",)),
    ("lib.cat([x, x], out=lib.empty(0, dtype=lib.int64))", TypeError, ("can't be cast",)),
    ("lib.cumsum(x, 0, dtype=lib.float64, out=lib.zeros(2, 3))", RuntimeError, ("Expected out tensor to have dtype",)),
    ("lib.set_grad_enabled('a')", TypeError, ()),
    ("lib.set_grad_enabled(1)", TypeError, ("int",)),
    ("delattr(x, 'data')", RuntimeError, ()),
    ("lib.autograd.grad(x.sum(), [])", RuntimeError, ("empty",)),
]

GROUPS = {
    "binary": BINARY,
    "reductions": REDUCTIONS,
    "matrices": MATRICES,
    "views": VIEWS,
    "indexed": INDEXED,
    "creation": CREATION,
    "conversions": CONVERSIONS,
}


def run(lib, source):
    def if_(condition):
        return 1 if condition else 0

    x = lib.arange(6.0).reshape(2, 3)
    names = {
        "lib": lib,
        "np": np,
        "decimal": decimal,
        "if_": if_,
        "x": x,
        "ints": lib.arange(4),
        "eight": lib.ones(2, 2, dtype=lib.int8),
        "bools": lib.tensor([True, False]),
    }
    return eval(source, names)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("lib", libraries(), ids=lambda lib: lib.__name__)
def test_refused(lib, group):
    with collected() as failures:
        for source, expected, fragments in GROUPS[group]:
            try:
                result = run(lib, source)
            except expected as error:
                missing = [text for text in fragments if text not in str(error)]
                failures.add(source, f"{missing} not in {error!s:.300}" if missing else None)
            except Exception as error:  # noqa: BLE001  the wrong type is the finding
                failures.add(source, f"raised {type(error).__name__}: {error!s:.200}")
            else:
                failures.add(source, f"gave {result!r}")


@needs_torch
@pytest.mark.parametrize("group", GROUPS)
def test_exact_types_are_those_of_torch(group):
    """Where the table leaves several types open. A subclass of torch's type serves the same `except`."""
    with collected() as failures:
        for source, _, _ in GROUPS[group]:
            ours, theirs = (outcome(run, lib, source) for lib in (gradcore, torch))
            if not isinstance(theirs, Raised):
                failures.add(source, "torch takes it")
                continue
            kind = type(theirs.error)
            exact = RuntimeError if kind is NotImplementedError else kind
            if not isinstance(getattr(ours, "error", None), exact):
                failures.add(source, f"gave {ours!r}, not {theirs!r}")


@pytest.mark.parametrize(
    "source",
    [
        "x.add_(lib.zeros(4))",
        "x.copy_(lib.zeros(4))",
        "x.__setitem__(lib.tensor([0, 9]), 1.0)",
        "x.index_add_(0, lib.tensor([0, 9]), x)",
        "x.index_copy_(0, lib.tensor([0, 9]), x)",
        "x.index_fill_(0, lib.tensor([0, 9]), 1)",
        "x.scatter_(1, lib.tensor([[0, 9]]), 5.0)",
        "x.masked_fill_(x > 0, lib.ones(2))",
        "x.clamp_()",
        "x.uniform_(2, 1)",
        "x.fill_(lib.ones(2))",
        "x.t_(1)",
        "x.addcmul_(lib.ones(9), x)",
        "x.div_(x, rounding_mode='wrong')",
    ],
)
def test_nothing_is_half_written(source):
    """After an error the tensor and its version are what they were."""
    x = gradcore.arange(6.0).reshape(2, 3)
    version = x._version
    with pytest.raises((RuntimeError, TypeError, IndexError)):
        eval(source, {"lib": gradcore, "x": x})
    assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert (x._version, tuple(x.shape)) == (version, (2, 3))


@pytest.mark.parametrize(
    "source", ["x + lib.zeros(2, 7)", "x.sum(9)", "x @ lib.zeros(7, 2)", "x.view(-1, 5)", "lib.add(x, other='a')"]
)
def test_messages_name_the_numbers(source):
    """An error says what came: its message holds a number or name from the call."""
    with pytest.raises(Exception) as caught:
        eval(source, {"lib": gradcore, "x": gradcore.arange(6.0).reshape(2, 3)})
    assert any(text in str(caught.value) for text in ("7", "9", "5", "other")), caught.value


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_integer_extremes_do_not_trap(dtype):
    """The smallest integer has no opposite: dividing it by -1 is a trap of the processor."""
    info = gradcore.iinfo(getattr(gradcore, dtype))
    lowest = gradcore.full((40,), info.min, dtype=getattr(gradcore, dtype))
    minus_one = gradcore.full((40,), -1, dtype=getattr(gradcore, dtype))
    assert (lowest // minus_one).tolist() == [info.min] * 40
    assert (lowest % minus_one).tolist() == [0] * 40
    assert lowest.fmod(minus_one).tolist() == [0] * 40
    assert lowest.div(minus_one, rounding_mode="trunc").tolist() == [info.min] * 40
    assert (-lowest).tolist() == lowest.abs().tolist() == [info.min] * 40
    assert (lowest - 1).tolist() == [info.max] * 40


@pytest.mark.parametrize("amount", [-1, 8, 31, 32, 63, 64, 1000])
def test_shifts_by_any_amount(amount):
    def program(lib):
        return [
            (
                lib.tensor([1, -5, 100], dtype=getattr(lib, dtype)) << amount,
                lib.tensor([1, -5, 100], dtype=getattr(lib, dtype)) >> amount,
            )
            for dtype in ("int32", "int64")
        ]

    both(program)


def test_floats_beyond_the_integers():
    """Converting NaN, infinity and what does not fit gives some integer, not a crash."""
    x = gradcore.tensor([float("nan"), float("inf"), -float("inf"), 1e30, -1e30, 300.0, -1.0])
    for name in ("int64", "int32", "int16", "int8", "uint8", "bool"):
        assert x.to(getattr(gradcore, name)).shape == x.shape


def test_out_of_memory_is_an_exception():
    with pytest.raises((RuntimeError, MemoryError)):
        gradcore.zeros(2**44)
    small = gradcore.zeros(2)
    with pytest.raises((RuntimeError, MemoryError)):
        small.expand(2**43, 2).contiguous()
    assert (small + 1).tolist() == [1.0, 1.0]


def test_interrupt_stops_a_loop():
    """Ctrl-C ends a loop of small ops with KeyboardInterrupt."""
    code = """if True:
        import gradcore, os, signal, threading
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        x = gradcore.ones(3, requires_grad=True)
        try:
            while True: (x * 2).sum().backward()
        except KeyboardInterrupt:
            print("stopped")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "stopped\n", done.stderr


def test_interrupt_comes_after_a_long_op():
    """Ctrl-C during one op raises KeyboardInterrupt when the op is done, and nothing is lost."""
    code = """if True:
        import gradcore, os, signal, threading
        x = gradcore.ones(1 << 20)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            x.expand(1 << 10, 1 << 20).sum()
            while True: pass
        except KeyboardInterrupt:
            print((x + 1).sum().item() == 2 << 20)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "True\n", done.stderr


class Refusing:
    """A number whose conversion fails."""

    def __float__(self):
        raise ValueError("no number")


@pytest.mark.parametrize("operand", [2**70, Refusing()], ids=["too large", "refusing"])
@pytest.mark.parametrize(
    "source",
    [
        "x + y",
        "y - x",
        "x * y",
        "y / x",
        "x // y",
        "x % y",
        "x ** y",
        "x == y",
        "x < y",
        "y in x",
        "x.__iadd__(y)",
        "x.__imul__(y)",
    ],
)
def test_a_refused_operand_takes_nothing_along(source, operand):
    """The tensor beside it lives on: freed too early its memory would go to the next result."""
    x = gradcore.ones(3)
    for _ in range(3):
        with pytest.raises((OverflowError, ValueError)):
            eval(source, {"x": x, "y": operand})
    later = [gradcore.zeros(3) for _ in range(8)]
    assert x.tolist() == [1.0] * 3
    assert len({id(t) for t in later} | {id(x)}) == 9


class Emptying:
    """An int whose conversion empties the list that it stands in."""

    def __init__(self, items):
        self.items = items

    def __index__(self):
        self.items.clear()
        return 1


def test_a_list_that_changes_while_it_is_read():
    sizes = [2, 3]
    sizes.insert(0, Emptying(sizes))
    assert gradcore.zeros(sizes).shape == (1,)
    x = gradcore.ones(2)
    parts = [x, x]
    found = outcome(lambda: gradcore.cat(parts, dim=Emptying(parts)))
    assert isinstance(found, Raised)
    values = [1.0, 2.0]
    values.insert(0, Emptying(values))
    assert isinstance(outcome(lambda: gradcore.tensor(values, dtype=gradcore.float64)), Raised)


def test_a_buffer_outlives_the_tensors_memory():
    """An array on a tensor's memory keeps that memory, whatever the tensor becomes."""
    x = gradcore.arange(1000.0)
    array = x.numpy()
    x.data = gradcore.zeros(5)
    others = [gradcore.full((1000,), 7.0) for _ in range(4)]
    assert array.tolist() == list(range(1000))
    assert others[0].sum().item() == 7000


def test_a_buffer_without_strides_needs_contiguous_memory():
    """A reader of plain bytes reads them in a row, which for an expanded tensor would lie beyond its memory."""
    x = gradcore.ones(1)
    with pytest.raises(BufferError):
        hashlib.sha1(x.expand(1 << 20))
    assert hashlib.sha1(x).hexdigest() == hashlib.sha1(np.ones(1, np.float32)).hexdigest()
    assert memoryview(x.expand(3)).tolist() == [1.0, 1.0, 1.0]


def test_objects_that_misbehave():
    """Arguments whose own methods raise or lie: their exception comes through, and nothing breaks."""

    class Bad:
        def __len__(self):
            return 3

        def __getitem__(self, i):
            raise ValueError("no items")

    class Shrinking(list):
        def __len__(self):
            return 5

    for value in (Bad(), [Bad()]):
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            gradcore.tensor(value)
    found = outcome(gradcore.tensor, Shrinking([1, 2]))
    assert isinstance(found, Raised) or found.array.tolist() == [1, 2]


def test_file_names_that_are_not_text():
    """Errors name the lines of the program, even of a file whose name is no UTF-8."""
    names = {"lib": gradcore}
    exec(compile("def squared(x):\n    return x.exp()\n", "odd\udc80.py", "exec"), names)
    y = names["squared"](gradcore.ones(2, requires_grad=True))
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"odd\\udc80\.py:2, in squared"):
        y.sum().backward()


def test_recursive_lists():
    loop = []
    loop.append(loop)
    with pytest.raises((RuntimeError, ValueError, RecursionError, TypeError)):
        gradcore.tensor(loop)


class Doing:
    """A number that does something when it is asked for its value."""

    def __init__(self, do, value=1):
        self.do = do
        self.value = value

    def __index__(self):
        self.do()
        return self.value

    def __float__(self):
        self.do()
        return float(self.value)


@pytest.mark.parametrize("key", [lambda n: slice(n, 2), lambda n: (slice(n, 2), ..., 0, 0)])
def test_a_tensor_that_shrinks_while_its_index_is_read(key):
    x = gradcore.zeros(3, 4, 5)
    number = Doing(lambda: setattr(x, "data", gradcore.tensor(1.0)))
    with pytest.raises(IndexError, match="too many indices"):
        x[key(number)]


def test_an_item_method_that_returns_anything():
    class Odd(gradcore.Tensor):
        def item(self):
            return self

    odd = Odd([2.0])
    assert gradcore.zeros(2).fill_(odd[0]).tolist() == [2.0, 2.0]
    assert gradcore.tensor([odd, odd]).tolist() == [2.0, 2.0]


@needs_torch
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_softmax_of_no_floats(op, dtype):
    both(
        lambda lib: getattr(lib, op)(lib.tensor([1, 0]), 0, dtype=getattr(lib, dtype)),
        raises='softmax_lastdim_kernel_impl" not implemented for',
    )


def test_buffers_that_hold_no_numbers():
    for array in (np.zeros(2, "M8[s]"), np.array([None, "a"])):
        for make in (gradcore.tensor, gradcore.from_numpy, lambda a: gradcore.tensor([[a], [a]])):
            with pytest.raises((TypeError, RuntimeError)):
                make(array)
    with pytest.raises(TypeError, match="Python objects"):
        gradcore.frombuffer(np.array([None, "a"]), dtype=gradcore.int64)


@pytest.mark.parametrize("of", [gradcore.dtype, gradcore.Generator, gradcore._C._HookHandle])
def test_new_alone_makes_nothing(of):
    """An instance without its value would be read as one."""
    with pytest.raises(TypeError):
        of.__new__(of)


def test_only_a_tensor_class_makes_a_subclass():
    with pytest.raises(TypeError, match="int"):
        gradcore._C._make_subclass(int, gradcore.zeros(1), False)
