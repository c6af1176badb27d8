"""Methods and names of older programs."""

import pytest

from support import both, gradcore


def test_storage_is_that_of_floats():
    assert gradcore.Storage is gradcore.FloatStorage
    assert gradcore.GradScaler is gradcore.amp.GradScaler


def test_map2_():
    both(lambda lib: lib.arange(3.0).map2_(lib.ones(3), lib.full((1,), 2.0), lambda x, y, z: x + y * z))

    def recorded(lib):
        return lib.ones(2, requires_grad=True).map2_(lib.ones(2), lib.ones(2), max)

    both(recorded, raises="Can't call map2_() on Variable that requires grad. Use var.detach().map2_() instead.")


def test_activations_as_methods():
    both(lambda lib: lib.tensor([-1.0, 0.25, 2.0]).hardshrink(0.5))
    both(lambda lib: lib.tensor([-1.0, 0.25, 2.0]).prelu(lib.tensor(0.5)))


@pytest.mark.parametrize(
    "shape, dims",
    [((2, 3, 4), (0, 1, 2)), ((2, 3, 4), (2, 0, 1)), ((2, 3, 4, 5), (0, 3, 1, 2)), ((1, 3, 1), (0, 1, 2)), ((), ())],
)
def test_dim_order(shape, dims):
    both(lambda lib: lib.empty(shape).permute(dims).dim_order())
    both(lambda lib: lib.empty(shape).permute(dims).dim_order(ambiguity_check=[lib.contiguous_format]))


def test_dim_order_that_is_not_the_only_one():
    both(lambda lib: lib.empty(3).expand(2, 3).dim_order())
    both(lambda lib: lib.empty(1, 3, 1).dim_order(ambiguity_check=[lib.contiguous_format]))
    both(lambda lib: lib.empty(2, 3).dim_order(ambiguity_check=True))
    both(lambda lib: lib.empty(1, 3).dim_order(ambiguity_check=True), raises="does not have unique dim order")
    both(
        lambda lib: lib.empty(1, 3).dim_order(ambiguity_check="no"),
        raises="must be a bool or a list of memory formats.",
    )


# ---- what torch has for other layouts, types and devices


@pytest.mark.parametrize(
    "name",
    "is_ipu is_maia is_mkldnn is_mtia is_vulkan is_xla is_xpu is_nested is_sparse_csr name grad_dtype".split(),
)
def test_properties_of_a_dense_tensor(name):
    both(lambda lib: getattr(lib.ones(2), name))


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.ones(2, 3).dense_dim(),
        lambda lib: lib.ones(2, 3).sparse_dim(),
        lambda lib: lib.ones(2).to_dense(),
        lambda lib: lib.ones(2).to_dense(lib.float64),
        lambda lib: lib.ones(2, dtype=lib.int32).dequantize(),
        lambda lib: lib.dequantize(lib.ones(2)),
        lambda lib: lib.ones(2).is_distributed(),
        lambda lib: lib.is_distributed(lib.ones(2)),
        lambda lib: lib.ones(2, dtype=lib.int64).storage_type().__name__,
        lambda lib: (lambda x: x.const_data_ptr() == x.data_ptr())(lib.ones(2)),
        lambda lib: lib.zeros(2).module_load(lib.ones(2)),
        lambda lib: lib.nn.Parameter(lib.zeros(2)).module_load(lib.ones(2), assign=True),
        lambda lib: lib.dsmm(lib.eye(2), lib.ones(2, 2)),
        lambda lib: lib.spmm(lib.eye(2), lib.ones(2, 2)),
        lambda lib: lib.native_channel_shuffle(lib.arange(8.0).view(1, 4, 2), 2),
        lambda lib: lib.affine_grid_generator(lib.arange(6.0).view(1, 2, 3), (1, 1, 2, 2), False),
        lambda lib: (lib.has_lapack, lib.has_cuda, lib.has_mps, lib.compiled_with_cxx11_abi()),
        lambda lib: (lib.is_vulkan_available(), lib.is_autocast_xla_enabled(), lib.init_num_threads()),
    ],
)
def test_functions_of_a_dense_tensor(program):
    both(program)


@pytest.mark.parametrize(
    "name", "ccol_indices coalesce col_indices crow_indices indices is_coalesced row_indices values".split()
)
def test_parts_of_a_sparse_tensor(name):
    both(lambda lib: getattr(lib.ones(2, 2), name)(), raises=f"{name} expected sparse")


def test_what_is_gone():
    for name in ("eig", "symeig", "matrix_rank"):
        both(lambda lib, name=name: getattr(lib, name)(lib.eye(2)), raises="and is now removed")
    for name in ("lstsq", "solve"):
        both(lambda lib, name=name: getattr(lib, name)(lib.eye(2), lib.eye(2)), raises="and is now removed")
    both(lambda lib: lib.ones(2).reinforce(1), raises="reinforce() was removed")
    both(lambda lib: lib.ones(2).ipu(), raises="ipu")


def test_grad_dtype_is_that_of_the_tensor():
    both(lambda lib: (lib.ones(2, requires_grad=True) * 2).grad_dtype, raises="on leaf tensors")
    x = gradcore.ones(2)
    x.grad_dtype = gradcore.float32
    with pytest.raises(NotImplementedError, match="the dtype of its tensor"):
        x.grad_dtype = gradcore.float64


@pytest.mark.parametrize(
    "program, phrase",
    [
        (lambda: gradcore.ones(2).to_sparse(), "dense and strided"),
        (lambda: gradcore.ones(2).q_scale(), "quantised"),
        (lambda: gradcore.sparse_coo_tensor([[0]], [1.0]), "dense and strided"),
        (lambda: gradcore.quantize_per_tensor(gradcore.ones(2), 0.1, 0, None), "quantised"),
        (lambda: gradcore.linalg.eig(gradcore.eye(2)), "linalg.eigh"),
        (lambda: gradcore.linalg.eigvals(gradcore.eye(2)), "linalg.eigvalsh"),
        (lambda: gradcore.ones(8).stft(4), "complex"),
        (lambda: gradcore.istft(gradcore.ones(3, 4), 4), "complex"),
    ],
)
def test_refusals_say_why(program, phrase):
    with pytest.raises(NotImplementedError, match=phrase):
        program()


# ---- tensors on files


@pytest.mark.parametrize("shared, size, dtype", [(False, 3, "float32"), (None, 16, "uint8"), (True, 6, "float32")])
def test_from_file(tmp_path, shared, size, dtype):
    path = tmp_path / "numbers"

    def program(lib):
        path.write_bytes(bytes(range(16)))
        return lib.from_file(str(path), shared, size, dtype=getattr(lib, dtype))

    both(program)


def test_a_shared_file_sees_writes_and_another_does_not(tmp_path):
    path = tmp_path / "numbers"
    for shared, expected in ((True, b"\x05\x05"), (False, b"\0\0")):
        path.write_bytes(b"\0\0")
        gradcore.from_file(path, shared, 2, dtype=gradcore.uint8).fill_(5)
        assert path.read_bytes() == expected


def test_from_file_refuses(tmp_path):
    path = tmp_path / "numbers"
    both(lambda lib: lib.from_file(str(path), size=1), raises="unable to open file")
    path.write_bytes(b"1234")
    both(lambda lib: lib.from_file(str(path), size=2), raises="is smaller than the required mapping size")
    with pytest.raises(ValueError, match="cannot be negative"):
        gradcore.from_file(path, size=-1)


# ---- arguments by the names and at the places that old programs give


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, a, v, b: lib.addmm(2, a, 3, a, a),
        lambda lib, a, v, b: lib.addmm(2, a, a, a),
        lambda lib, a, v, b: a.addmm(2, 3, a, a),
        lambda lib, a, v, b: a.clone().addmm_(2, a, a),
        lambda lib, a, v, b: a.clone().addmm_(2, 3, a, a),
        lambda lib, a, v, b: lib.addmv(2, v, 3, a, v),
        lambda lib, a, v, b: v.addmv(2, a, v),
        lambda lib, a, v, b: v.clone().addmv_(2, 3, a, v),
        lambda lib, a, v, b: lib.addr(2, a, v, v),
        lambda lib, a, v, b: a.addr(2, 3, v, v),
        lambda lib, a, v, b: lib.baddbmm(2, b, 3, b, b),
        lambda lib, a, v, b: b.clone().baddbmm_(2, b, b),
        lambda lib, a, v, b: lib.addbmm(2, a, 3, b, b),
        lambda lib, a, v, b: a.addbmm(2, b, b),
        lambda lib, a, v, b: lib.add(a, 2, 3),
        lambda lib, a, v, b: lib.sub(a, 2, 3),
        lambda lib, a, v, b: lib.subtract(a, 2, 3),
        lambda lib, a, v, b: lib.rsub(a, 2, 3),
        lambda lib, a, v, b: a.clone().subtract_(2, 3),
        lambda lib, a, v, b: a.clone().add_(2, 3),
        lambda lib, a, v, b: lib.linalg.eigvalsh(input=lib.diag(v)),
        lambda lib, a, v, b: lib.linalg.matrix_power(input=a, n=2),
        lambda lib, a, v, b: lib.cholesky_solve(a, input2=lib.eye(2)),
        lambda lib, a, v, b: lib.isin(a, test_element=1),
        lambda lib, a, v, b: a.clone().copy_(other=a + 1),
        lambda lib, a, v, b: a.clone().map_(other=a, callable=lambda x, y: x + y),
        lambda lib, a, v, b: lib.nn.functional.one_hot(input=lib.arange(2), num_classes=3),
        lambda lib, a, v, b: a.expand((3, 2, 2), implicit=True),
        lambda lib, a, v, b: lib.result_type(tensor=a, other=2),
        lambda lib, a, v, b: lib.slice_scatter(a, a, out=lib.empty(0)),
        lambda lib, a, v, b: lib.conj_physical(a, out=lib.empty(0)),
        lambda lib, a, v, b: lib.rand_like(a, generator=lib.Generator().manual_seed(1)),
        lambda lib, a, v, b: lib.randn_like(a, generator=lib.Generator().manual_seed(1)),
        lambda lib, a, v, b: lib.randint_like(a, 9, generator=lib.Generator().manual_seed(1)),
    ],
)
def test_arguments_as_old_programs_give_them(program):
    def run(lib):
        a = lib.tensor([[1.0, 2.0], [3.0, 5.0]])
        return program(lib, a, a[0], a.expand(2, 2, 2))

    both(run)
