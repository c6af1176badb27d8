"""Helpers of torch's own layers and optimizers, which programs with copies of these call by torch's private names."""

import importlib
import warnings

import pytest

import gradcore
from support import both, libraries

torch = pytest.importorskip("torch")


def part(lib, name):
    return importlib.import_module(f"{lib.__name__}.{name}")


def functional(lib):
    return lib.nn.functional


@pytest.mark.parametrize("shapes", [((2, 3, 4), (2, 3, 4)), ((3, 4), (3, 4))], ids=["batch", "alone"])
def test_shapes_of_an_attention(shapes):
    q, k = shapes

    def check(q=q, k=k, padding=None, mask=None):
        def program(lib):
            tensors = [lib.ones(shape) if shape else None for shape in (q, k, k, padding, mask)]
            return functional(lib)._mha_shape_check(*tensors, 2)

        return program

    both(check())
    both(check(mask=(3, 3)))
    both(check(k=(2,)), raises="expected `key` and `value` to be")
    both(check(padding=(1, 1, 1)), raises="expected `key_padding_mask` to be `None` or")
    both(check(mask=(3,)), raises="expected `attn_mask` to be `None`, 2-D or 3-D but found 1-D")
    both(check(q=(1, 2, 3, 4)), raises="should be unbatched 2D or batched 3D tensor but received 4-D")
    if len(q) == 2:
        both(check(mask=(2, 3, 4)), raises="Expected `attn_mask` shape to be (2, 3, 3) but got torch.Size([2, 3, 4])")


def test_masks():
    def mask(values, other, **options):
        return lambda lib: functional(lib)._canonical_mask(
            None if values is None else lib.tensor(values),
            "a",
            getattr(lib, other) if other else None,
            "b",
            lib.float64,
            **options,
        )

    both(mask([True, False], None))
    both(mask([True, False], "bool"))
    both(mask([1.0, 0.0], "float32"))
    both(mask([1.0, 0.0], "bool", check_other=False))
    both(mask(None, "bool"))
    both(mask([1, 0], None), raises="only bool and floating types of a are supported")
    for lib in libraries():
        with pytest.warns(UserWarning, match="Support for mismatched a and b is deprecated"):
            mask([1.0, 0.0], "bool")(lib)


def test_projections():
    def packed(lib):
        w, b = lib.arange(48.0).reshape(12, 4), lib.arange(12.0)
        x, y = lib.ones(3, 2, 4), lib.arange(24.0).reshape(3, 2, 4)
        project = functional(lib)._in_projection_packed
        return [list(project(*args)) for args in ((x, x, x, w, b), (x, y, y, w), (x, y, x, w, b))]

    def apart(key, bias):
        def program(lib):
            w, b = lib.arange(16.0).reshape(4, 4), lib.ones(bias)
            q, k = lib.ones(3, 4), lib.ones(3, key)
            return functional(lib)._in_projection(q, k, q, w, lib.ones(4, 5), w, b, None, b)

        return program

    both(packed)
    both(apart(5, 4))
    both(apart(6, 4), raises="expecting key weights shape of (4, 6), but got torch.Size([4, 5])")
    both(apart(5, 3), raises="expecting query bias shape of (4,), but got torch.Size([3])")


def test_small_checks():
    both(lambda lib: [functional(lib)._none_or_dtype(x) is y for x, y in ((None, None), (lib.ones(1), lib.float32))])
    both(lambda lib: functional(lib)._none_or_dtype(3), raises="input to _none_or_dtype() must be None or torch.Tensor")
    both(
        lambda lib: functional(lib)._verify_batch_size([1, 2, 1]), raises="more than 1 value per channel when training"
    )
    both(lambda lib: functional(lib)._verify_batch_size([2, 2, 1]))
    both(
        lambda lib: functional(lib)._verify_spatial_size([2, 2, 1]), raises="more than 1 spatial element when training"
    )
    both(lambda lib: functional(lib)._verify_spatial_size([2, 2, 3]))
    both(lambda lib: [functional(lib)._list_or_empty(x) for x in (None, [3])])
    both(
        lambda lib: [
            functional(lib)._is_integer(x)
            for x in (
                3,
                True,
                3.0,
                "a",
                lib.tensor(3),
                lib.tensor(3.0),
                lib.tensor(True),
                lib.tensor(3, dtype=lib.uint16),
            )
        ]
    )
    both(lambda lib: functional(lib)._Reduction.get_enum("mean"))
    both(lambda lib: functional(lib).has_torch_function((lib.ones(1),)))

    def dims(lib):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            found = [functional(lib)._get_softmax_dim("softmax", ndim, 2) for ndim in range(6)]
        return found, [str(w.message) for w in seen]

    assert dims(gradcore) == dims(torch)


@pytest.mark.parametrize(
    "size, defaults", [([None, 3], [5, 6, 7]), (3, [5]), ((2, 3), [4, 5, 6]), ([None, None], [1, 2, 3])]
)
def test_sizes_with_defaults(size, defaults):
    both(lambda lib: part(lib, "nn.modules.utils")._list_with_default(size, defaults))
    both(
        lambda lib: part(lib, "nn.modules.utils")._list_with_default([None, 3], [5, 6]),
        raises="Input dimension should be at least 3",
    )


def test_parts_of_transformers():
    def program(lib):
        t = part(lib, "nn.modules.transformer")
        layer = lib.nn.Linear(2, 2)
        clones = t._get_clones(layer, 3)
        causal = t._generate_square_subsequent_mask(3)
        return (
            [t._get_activation_fn(name) is getattr(functional(lib), name) for name in ("relu", "gelu")],
            [type(clones).__name__, len(clones), clones[0].weight is layer.weight, clones[1].weight == layer.weight],
            [t._get_seq_len(lib.ones(2, 3, 4), first) for first in (True, False)],
            t._get_seq_len(lib.ones(3, 4), True),
            t._generate_square_subsequent_mask(2, dtype=lib.float64),
            [t._detect_is_causal_mask(mask, size=3) for mask in (None, causal, lib.zeros(3, 3))],
            t._detect_is_causal_mask(causal),
            t._detect_is_causal_mask(lib.zeros(3, 3), True, 3),
        )

    both(program)
    both(
        lambda lib: part(lib, "nn.modules.transformer")._get_activation_fn("tanh"),
        raises="activation should be relu/gelu, not tanh",
    )


def test_questions_of_attention_layers():
    def program(lib):
        a = part(lib, "nn.modules.activation")
        tensors = None, lib.ones(1), lib.ones(1, requires_grad=True), lib.ones(1, device="meta")
        return [
            (a._arg_requires_grad(t), t is not None and t.is_meta or a._check_arg_device(t)) for t in tensors
        ], a._is_make_fx_tracing()

    both(program)


def test_parts_of_optimizers():
    def program(lib):
        o = part(lib, "optim.optimizer")
        x = lib.ones(2)
        return (
            [o._default_to_fused_or_foreach([x], *flags) for flags in ((False,), (False, True), (True, True))],
            o._default_to_fused_or_foreach([lib.ones(2, dtype=lib.int64)], False, True),
            o._get_value(lib.tensor(3.0)),
            o._get_value(2),
            o._stack_if_compiling(x) is x,
            [str(o._get_scalar_dtype(*given)) for given in ((), (True,))],
            [o._get_capturable_supported_devices(flag) for flag in (True, False)],
            o._disable_dynamo_if_unsupported(single_tensor_fn=part)(part)(lib, "nn") is lib.nn,
            o._view_as_real([x], [x]),
            repr(o.required),
            len(o._global_optimizer_pre_hooks),
        )

    found = program(gradcore)
    expected = program(torch)
    assert found[:2] + found[4:] == expected[:2] + expected[4:]
    assert [str(x) for x in found[2:4]] == [str(x) for x in expected[2:4]]
    for name in ("params", "foreach", "fused", "capturable", "maximize", "differentiable"):
        text = getattr(part(gradcore, "optim.optimizer"), f"_{name}_doc")
        assert text.startswith(f"{name} (")


def test_a_schedulers_own_calls_do_not_warn():
    def program(lib):
        schedulers = lib.optim.lr_scheduler

        class Halving(schedulers.LRScheduler):
            def get_lr(self):
                schedulers._warn_get_lr_called_within_step(self)
                return [group["lr"] / 2 for group in self.optimizer.param_groups]

        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            scheduler = Halving(lib.optim.SGD([lib.ones(1)], 1.0))
            with schedulers._enable_get_lr_call(scheduler):
                inside = scheduler.get_lr()
            quiet = len(seen)
            outside = scheduler.get_lr()
        return inside, quiet, outside, [str(w.message) for w in seen], scheduler.get_last_lr()

    assert program(gradcore) == program(torch)


def test_hooks_of_all_modules():
    def program(lib):
        m = part(lib, "nn.modules.module")
        lists = [name for name in dir(m) if name.startswith("_global_") and name != "_global_is_full_backward_hook"]
        before = bool(m._has_any_global_hook())
        seen = []
        register = lib.nn.modules.module
        handles = [
            register.register_module_forward_pre_hook(lambda *_: seen.append("pre")),
            register.register_module_forward_hook(lambda *_: None, with_kwargs=False, always_call=True),
            register.register_module_full_backward_hook(lambda *_: None),
            register.register_module_full_backward_pre_hook(lambda *_: None),
            register.register_module_buffer_registration_hook(lambda *_: None),
        ]
        during = [len(getattr(m, name)) for name in lists], bool(m._has_any_global_hook())
        for handle in handles:
            handle.remove()
        m._global_forward_hooks[-1] = lambda *_: seen.append("by hand")
        lib.nn.ReLU()(lib.ones(1))
        del m._global_forward_hooks[-1]
        lib.nn.ReLU()(lib.ones(1))
        return lists, before, during, seen, [len(getattr(m, name)) for name in lists]

    assert program(gradcore) == program(torch)


def test_tensors_made_of_storages():
    def program(lib):
        utils = part(lib, "_utils")
        storage = lib.FloatStorage([1.0, 2.0, 3.0, 4.0])
        x = utils._rebuild_tensor(storage, 1, (2,), (2,))
        y = utils._rebuild_tensor_v2(storage, 0, (2, 2), (1, 2), True, {0: lambda grad: 5 * grad})
        (2 * y).sum().backward()
        parameter = utils._rebuild_parameter(x, True, None)
        x[0] = 9.0
        return x, y, y.grad, parameter, type(parameter) is lib.nn.Parameter, y._backward_hooks is None

    both(program)
    both(lambda lib: [part(lib, "_utils")._element_size(of) for of in (lib.float64, lib.bool, lib.bfloat16)])
    both(lambda lib: part(lib, "_utils")._element_size(3), raises="expected torch.dtype, but got <class 'int'>")
    both(lambda lib: part(lib, "_utils")._get_available_device_type())


def test_parts_of_distributions():
    def program(lib):
        distributions = "distributions"
        many = part(lib, f"{distributions}.multivariate_normal")
        low = part(lib, f"{distributions}.lowrank_multivariate_normal")
        kl = part(lib, f"{distributions}.kl")
        x, lower = lib.tensor([1.0, 2.0]), lib.tensor([[2.0, 0.0], [1.0, 3.0]])
        w, d = lib.tensor([[1.0], [2.0]]), lib.tensor([2.0, 4.0])
        tril = low._batch_capacitance_tril(w, d)
        normal, wide = (lib.distributions.Normal(0.0, scale) for scale in (1.0, 2.0))
        bessel = part(lib, f"{distributions}.von_mises")._log_modified_bessel_fn
        return [
            many._batch_mv(lower, x), many._batch_mahalanobis(lower, x), tril, low._batch_lowrank_logdet(w, d, tril),
            low._batch_lowrank_mahalanobis(w, d, x, tril), kl._kl_normal_normal(normal, wide), kl._batch_trace_XXT(lower),
            kl._dispatch_kl(type(normal), type(wide))(normal, wide), bessel(x), bessel(x * 4, order=1),
        ]  # fmt: skip

    both(program, ulps=64, scale=1.0)


def test_samples_that_packages_draw_themselves():
    def program(lib):
        lib.manual_seed(0)
        a = lib.ones(100, 3, requires_grad=True)
        gamma = part(lib, "distributions.gamma")._standard_gamma(a)
        shares = part(lib, "distributions.dirichlet")._Dirichlet.apply(a)
        return gamma.requires_grad, shares.requires_grad, shares.sum(-1).mean().round()

    both(program)


def test_sizes_of_pools():
    def sizes(*given):
        return lambda lib: functional(lib)._unpool_output_size(lib.ones(1, 2, 4, 5), [2, 3], [2, 1], [0, 1], *given)

    both(sizes(None))
    both(sizes([7, 5]))
    both(sizes([1, 2, 9, 5]))
    both(sizes([6, 5]), raises='invalid output_size "[6, 5]" (dim 0 must be between 6 and 10)')
    both(sizes([1, 2, 3]), raises="should be a sequence containing 2 or 4 elements, but it has a length of '3'")
    both(lambda lib: [functional(lib)._list_with_default(s, [1, 2, 3]) for s in (4, [None, 5], [None, None])])
    both(lambda lib: functional(lib)._list_with_default([1, 2], [3, 4]), raises="Input dimension should be at least 3")


def test_ops_by_their_oldest_place():
    def program(lib):
        weights = [lib.ones(3, 2), lib.ones(3, 3), lib.ones(3), lib.ones(3)]
        return functional(lib)._VF.rnn_relu_cell(lib.ones(1, 2), lib.ones(1, 3), *weights)

    both(program)


def test_private_names_of_modules():
    def program(lib):
        nn = lib.nn
        layers = nn.Linear(1, 1), nn.ReLU()
        many, row = nn.ModuleList(layers), nn.Sequential(*layers)
        clip = part(lib, "nn.utils.clip_grad")
        layers[0].weight.grad = lib.tensor([[3.0]])
        total = clip._get_total_norm([layers[0].weight.grad])
        clip._clip_grads_with_norm_(layers[0].weight, 1.0, total)
        names = many._get_abs_string_index(-1), nn.ParameterList([lib.ones(1)])._get_abs_string_index(0)
        found = row._get_item_by_idx(row._modules.keys(), -2), repr(nn.Module.T_destination)
        with pytest.raises(IndexError, match="index 2 is out of range"):
            many._get_abs_string_index(2)
        return names, found, total, layers[0].weight.grad, part(lib, "nn.utils.parametrize")._inject_property.__name__

    both(program, ulps=4)


def test_broadcast_parameters_of_distributions():
    for shapes in (((3,), (2,)), ((2, 3), (2, 2))):

        def program(lib, shapes=shapes):
            return lib.distributions.Normal(*map(lib.ones, shapes))

        both(program, raises="The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension")


@pytest.mark.parametrize("full", [False, True])
def test_an_infinite_variance(full):
    def program(lib):
        x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
        var = lib.tensor([float("inf"), 0.0, 2.0], requires_grad=True)
        loss = functional(lib).gaussian_nll_loss(x, lib.zeros(3), var, full=full, reduction="none")
        return loss, lib.autograd.grad(loss.sum(), [x, var])

    both(program, ulps=16, scale=1.0)
