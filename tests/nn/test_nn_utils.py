"""nn.utils beside torch: clipping by norm and by value, parameters as a vector; what is refused changes nothing."""

import importlib
import warnings

import numpy as np
import pytest

from support import both, contiguous, gradcore, needs_torch, strided, transposed

NORMS = (2.0, 1.0, 0.5, 3, 0, -1.0, float("inf"), float("-inf"), float("nan"), "inf")
LAYOUTS = (contiguous, transposed, strided)
MIXED_ULPS = 8 * 2**29  # a norm over float32 and float64 is one of numbers that were rounded to float32


def utils_of(lib):
    return importlib.import_module(f"{lib.__name__}.nn.utils")


def arrays(dtypes=("float32",)):
    random = np.random.default_rng(3)
    shapes = [(), (5,), (3, 4), (2, 1, 3)]
    return [random.uniform(-2, 2, shape).astype(dtype) for dtype in dtypes for shape in shapes]


def parameters(lib, grads, layout=contiguous):
    """One parameter for each gradient; None stands for no gradient."""
    found = []
    for array in grads:
        if array is None:
            found.append(lib.ones(2, requires_grad=True))
            continue
        p = layout(lib, np.ones_like(array))
        p.requires_grad_(array.dtype.kind == "f")
        p.grad = layout(lib, array)
        found.append(p)
    return found


def gradients(params):
    return [p.grad for p in params]


@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("foreach", [None, False, True])
def test_clip_grad_norm(norm_type, foreach):
    def program(lib):
        params = parameters(lib, [*arrays(), None])
        norm = utils_of(lib).clip_grad_norm_(params, 0.7, norm_type, foreach=foreach)
        return norm, [g for g in gradients(params) if g is not None]

    both(program, ulps=8)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtypes", [("float32",), ("float64",), ("float32", "float64")])
@pytest.mark.parametrize("max_norm", [0.3, 1e6, 0.0, -1.0, float("inf")])
def test_layouts_and_dtypes(layout, dtypes, max_norm):
    def program(lib):
        params = parameters(lib, arrays(dtypes), layout)
        norm = utils_of(lib).clip_grad_norm_(params, max_norm)
        by_norm = [g.clone() for g in gradients(params)]
        utils_of(lib).clip_grad_value_(params, 0.05)
        return norm, by_norm, gradients(params)

    both(program, ulps=8 if len(dtypes) == 1 else MIXED_ULPS)


@pytest.mark.parametrize("given", ["tensor", "generator", "tuple", "iterator"])
def test_what_parameters_may_be(given):
    def program(lib):
        params = parameters(lib, arrays())
        forms = {"tensor": lambda: params[2], "generator": lambda: (p for p in params), "tuple": lambda: tuple(params),
                 "iterator": lambda: iter(params)}  # fmt: skip
        utils = utils_of(lib)
        norm = utils.clip_grad_norm_(forms[given](), 1.5)
        utils.clip_grads_with_norm_(forms[given](), 1.0, norm)
        utils.clip_grad_value_(forms[given](), 0.1)
        return norm, gradients(params)

    both(program, ulps=8)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 0, float("inf"), -2.0, float("-inf")])
@pytest.mark.parametrize("case", ["empty list", "empty tensor", "zeros", "no gradients"])
def test_nothing_to_clip(norm_type, case):
    grads = {"empty list": [], "empty tensor": [np.zeros((0, 2), "float32"), np.ones(3, "float32")],
             "zeros": [np.zeros(3, "float32")], "no gradients": [None, None]}[case]  # fmt: skip
    refused = case == "empty tensor" and norm_type in (float("inf"), float("-inf"), -2.0)

    def program(lib):
        params = parameters(lib, grads)
        norm = utils_of(lib).clip_grad_norm_(params, 1.0, norm_type)
        return norm, [g for g in gradients(params) if g is not None]

    both(program, ulps=4, raises="norm on an empty tensor" if refused else None)


def test_clip_grad_value_without_gradients_does_nothing():
    """Where torch fails an internal check."""
    param = gradcore.ones(2, requires_grad=True)
    for params in ([], [param], param):
        gradcore.nn.utils.clip_grad_value_(params, 1.0)
    assert param.grad is None


@pytest.mark.parametrize("clip", [0.5, 0, 2, float("inf"), float("nan"), -1.0])
def test_clip_grad_value(clip):
    def program(lib):
        array = np.array([-3, -0.5, 0, 0.2, 4, np.inf, -np.inf, np.nan], "float32")
        params = parameters(lib, [array, None, np.array(2, "float32")])
        assert utils_of(lib).clip_grad_value_(params, clip) is None
        return [p.grad for p in params if p.grad is not None]

    both(program)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("norm_type", [2.0, float("inf")])
def test_norms_that_are_not_finite(bad, norm_type):
    grads = [np.array([1, bad, 2], "float32"), np.ones(2, "float32")]

    def refused(lib):
        utils_of(lib).clip_grad_norm_(parameters(lib, grads), 1.0, norm_type, error_if_nonfinite=True)

    def scaled(lib):
        params = parameters(lib, grads)
        return utils_of(lib).clip_grad_norm_(params, 1.0, norm_type), gradients(params)

    both(refused, raises=f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
                         "so it cannot be clipped")  # fmt: skip
    both(scaled)


@pytest.mark.parametrize("norm_type", NORMS)
def test_get_total_norm(norm_type):
    def program(lib):
        tensors = [contiguous(lib, a).requires_grad_() for a in arrays()]
        get = utils_of(lib).get_total_norm
        return [get(tensors, norm_type), get(tensors[2], norm_type), get((t for t in tensors[:3]), norm_type), get([])]

    both(program, ulps=8)


@pytest.mark.parametrize("norm_type", NORMS)
def test_get_total_norm_of_two_dtypes(norm_type):
    def program(lib):
        tensors = [contiguous(lib, a).requires_grad_() for a in arrays(("float32", "float64"))]
        return utils_of(lib).get_total_norm(tensors, norm_type)

    both(program, ulps=MIXED_ULPS)


def test_total_norm_is_the_norm_of_the_whole():
    """Without torch."""
    found = gradcore.nn.utils.get_total_norm([gradcore.from_numpy(a) for a in arrays(("float64",))])
    assert found.item() == pytest.approx(
        np.linalg.norm(np.concatenate([a.ravel() for a in arrays(("float64",))])), rel=1e-15
    )


REFUSED = {
    "integer gradients": lambda u, lib: u.clip_grad_norm_(parameters(lib, [np.ones(2, "float32"), np.arange(3)]), 0.1),
    "integers by value": lambda u, lib: u.clip_grad_value_(parameters(lib, [np.arange(3)]), 0.5),
    "integers with norm": lambda u, lib: u.clip_grads_with_norm_(parameters(lib, [np.arange(3)]), 0.5, lib.tensor(3.0)),
    "integer norm": lambda u, lib: u.get_total_norm([lib.arange(3)]),
    "not a tensor": lambda u, lib: u.clip_grad_norm_([3], 1.0),
    "not iterable": lambda u, lib: u.clip_grad_norm_(3, 1.0),
    "norm of numbers": lambda u, lib: u.get_total_norm([lib.ones(1), 3]),
    "max_norm": lambda u, lib: u.clip_grad_norm_(parameters(lib, arrays()), "big"),
    "max_norm None": lambda u, lib: u.clip_grad_norm_(parameters(lib, arrays()), None),
    "norm_type": lambda u, lib: u.clip_grad_norm_(parameters(lib, arrays()), 1.0, "x"),
    "norm_type None": lambda u, lib: u.get_total_norm([lib.ones(2)], None),
    "total_norm a number": lambda u, lib: u.clip_grads_with_norm_(parameters(lib, arrays()), 1.0, 3.0),
    "total_norm of two": lambda u, lib: u.clip_grads_with_norm_(parameters(lib, arrays()), 1.0, lib.ones(2)),
    "clip_value": lambda u, lib: u.clip_grad_value_(parameters(lib, arrays()), None),
    "vector of a number": lambda u, lib: u.parameters_to_vector([3]),
    "vector of nothing": lambda u, lib: u.parameters_to_vector([]),
    "vector of a transposed": lambda u, lib: u.parameters_to_vector([lib.ones(2, 3).t()]),
    "list for a vector": lambda u, lib: u.vector_to_parameters([1.0], [lib.ones(1)]),
    "short vector": lambda u, lib: u.vector_to_parameters(lib.ones(3), [lib.ones(2), lib.ones(2)]),
    "vector of two dims": lambda u, lib: u.vector_to_parameters(lib.ones(4, 2), [lib.ones(4)]),
}


@needs_torch
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    def program(lib):
        try:
            REFUSED[case](utils_of(lib), lib)
        except Exception as error:  # noqa: BLE001  the kinds are compared
            return type(error).__name__
        raise AssertionError("nothing was raised")

    both(program)


@pytest.mark.parametrize("call", [
    lambda u, params: u.clip_grad_norm_(params, 0.1),
    lambda u, params: u.clip_grads_with_norm_(params, 0.1, gradcore.tensor(9.0)),
    lambda u, params: u.clip_grad_value_(params, 0.1),
    lambda u, params: u.clip_grad_norm_(params[:1], None),
])  # fmt: skip
def test_errors_leave_gradients_as_they_were(call):
    params = parameters(gradcore, [np.full(3, 7, "float32"), np.arange(5)])
    with pytest.raises((RuntimeError, TypeError)):
        call(gradcore.nn.utils, params)
    assert [p.grad.tolist() for p in params] == [[7, 7, 7], [0, 1, 2, 3, 4]]


def test_a_short_vector_leaves_parameters_as_they_were():
    params = [gradcore.ones(2), gradcore.ones(2)]
    with pytest.raises(RuntimeError):
        gradcore.nn.utils.vector_to_parameters(gradcore.zeros(3), params)
    assert [p.tolist() for p in params] == [[1, 1], [1, 1]]


def test_an_empty_generator_is_warned_of_and_an_old_name_too():
    def program(lib):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            norm = utils_of(lib).clip_grad_norm_((p for p in ()), 1.0)
            utils_of(lib).clip_grad_norm_([], 1.0)
            utils_of(lib).clip_grad_norm(parameters(lib, arrays()), 1.0)
        names = [(w.category.__name__, w.filename == __file__, "deprecated" in str(w.message)) for w in caught]
        return norm, names, str(caught[0].message)

    both(program)


def test_clipping_is_not_recorded_and_gradients_keep_their_identity():
    param = gradcore.ones(3, requires_grad=True)
    (gradient,) = gradcore.autograd.grad((param**3).sum(), param, create_graph=True)
    param.grad = gradient
    norm = gradcore.nn.utils.clip_grad_norm_(param, 1.0)
    assert not norm.requires_grad
    assert param.grad is gradient
    assert param.grad.norm().item() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("dtypes", [("float32",), ("float32", "float64"), ("int64", "float32")])
def test_vectors(dtypes):
    def program(lib):
        params = [contiguous(lib, a) for a in [*arrays(dtypes), np.zeros((0, 2), dtypes[0])]]
        vector = utils_of(lib).parameters_to_vector(iter(params))
        utils_of(lib).vector_to_parameters(vector * 2, iter(params))
        return vector, params

    both(program, strides="exact")


def test_parameters_are_views_of_the_vector_and_stay_leaves():
    def program(lib):
        params = [lib.zeros(2, 2, requires_grad=True), lib.zeros((), requires_grad=True)]
        wide = lib.arange(14.0)[::2]
        utils_of(lib).vector_to_parameters(wide, params)  # longer than needed, and not dense
        wide.fill_(7.0)
        return params, [p.is_leaf for p in params]

    both(program)


def test_gradients_flow_through_the_vector():
    def program(lib):
        params = [lib.full((2, 2), 3.0, requires_grad=True), lib.tensor(2.0, requires_grad=True)]
        vector = utils_of(lib).parameters_to_vector(params)
        (vector**2).sum().backward()
        return vector, [p.grad for p in params]

    both(program)
