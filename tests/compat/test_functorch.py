"""functorch, which came before torch.func: its transforms and modules as functions of their state, beside torch's own."""

import importlib
import warnings

import pytest

import gradcore
from support import both


def functorch(lib):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("functorch" if lib.__name__ == "torch" else "gradcore._compat.functorch")


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "We've integrated functorch", FutureWarning)
        yield


def filled(lib, module):
    with lib.no_grad():
        for i, tensor in enumerate((*module.parameters(), *module.buffers())):
            tensor.copy_(lib.arange(1, tensor.numel() + 1).reshape(tensor.shape) / 2**i)
    return module


def test_a_call_warns_that_it_is_deprecated():
    def program(lib):
        names = "vmap grad grad_and_value jacrev hessian functionalize"
        texts = []
        for name in names.split():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                getattr(functorch(lib), name)(lambda x: x.sum())(lib.ones(2))
            told = [w for w in caught if w.category is FutureWarning]
            texts += [(w.filename == __file__, str(w.message).split("`")[1:4:2]) for w in told]
        return texts

    both(program)


def test_derivatives_by_the_parameters():
    def program(lib):
        model = filled(lib, lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.ReLU(), lib.nn.Linear(3, 1)))
        function, params = functorch(lib).make_functional(model)
        x = lib.tensor([[0.5, 1.0], [2.0, 0.25]])
        per_sample = functorch(lib).vmap(functorch(lib).grad(lambda p, row: function(p, row).sum()), (None, 0))(
            params, x
        )
        function(params, x).sum().backward()
        taken = [p.grad for p in params]
        own = [p.grad for p in model.parameters()]
        return type(function).__name__, function.param_names, per_sample, taken, own, function(params, x) - model(x)

    both(program)


def test_the_copy_follows_the_mode_of_autograd_that_was_asked_for():
    def program(lib):
        model = lib.nn.Linear(2, 3)
        tracked, plain = (functorch(lib).make_functional(model, off)[1] for off in (False, True))
        return [[p.requires_grad for p in ps] for ps in (tracked, plain, model.parameters())]

    both(program)


def test_tied_parameters_are_one():
    def program(lib):
        class Tied(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.second = lib.nn.Linear(2, 2), lib.nn.Linear(2, 2)
                self.second.weight = self.first.weight

            def forward(self, x):
                return self.second(self.first(x))

        function, params = functorch(lib).make_functional(filled(lib, Tied()))
        x = lib.tensor([1.0, 2.0])
        return function.param_names, function([p * 2 for p in params], x), function(params, x)

    both(program)


def test_buffers():
    def program(lib):
        model = filled(lib, lib.nn.BatchNorm1d(2)).eval()
        function, params, buffers = functorch(lib).make_functional_with_buffers(model)
        x = lib.tensor([[1.0, 2.0], [3.0, 5.0]])
        return function.buffer_names, function(params, buffers, x), function(params, [b * 2 for b in buffers], x)

    both(program, ulps=2)
    both(lambda lib: functorch(lib).make_functional(lib.nn.BatchNorm1d(2)), raises="`model` has buffers")


def test_an_ensemble():
    def program(lib):
        models = [filled(lib, lib.nn.Linear(2, 3)) for _ in range(2)]
        with lib.no_grad():
            models[1].weight.mul_(-2)
        function, params, buffers = functorch(lib).combine_state_for_ensemble(models)
        x = lib.tensor([[1.0, 2.0]])
        return [p.requires_grad for p in params], buffers, lib.vmap(function, (0, 0, None))(params, buffers, x)

    both(program)
    for message, models in {
        "at least one model": lambda lib: [],
        "same training/eval mode": lambda lib: [lib.nn.Linear(1, 1), lib.nn.Linear(1, 1).eval()],
        "of the same class": lambda lib: [lib.nn.Linear(1, 1), lib.nn.Bilinear(1, 1, 1)],
    }.items():
        both(lambda lib, m=models: functorch(lib).combine_state_for_ensemble(m(lib)), raises=message)


def core(lib):
    return importlib.import_module("torch._C._functorch") if lib.__name__ == "torch" else gradcore._C._functorch


def test_what_the_core_says_of_mapped_tensors():
    def program(lib):
        c, seen = core(lib), []

        def look(x):
            seen.append((c.is_batchedtensor(x), c.is_functorch_wrapped_tensor(x), tuple(c.get_unwrapped(x).shape)))
            return x.sum()

        lib.vmap(look, in_dims=1)(lib.ones(2, 3))
        lib.vmap(lib.vmap(look))(lib.ones(2, 3, 4))
        return seen, c.is_batchedtensor(lib.ones(1))

    both(program)
    both(lambda lib: core(lib).get_unwrapped(lib.ones(1)), raises="No wrappers present!")


def test_vmap_in_steps():
    def program(lib):
        steps = importlib.import_module(f"{lib.__name__}._functorch.vmap")
        x = lib.arange(6.0).reshape(2, 3)
        level = steps._vmap_increment_nesting(3, "error")
        try:
            sample = steps._add_batch_dim(x, 1, level)
            shape, squares = tuple(sample.shape), (sample * sample).sum()
            kept = steps._maybe_remove_batch_dim("f", lib.ones(2), level, 3, None)
            errors = []
            for given, dim in ((sample, None), (3, 0)):
                try:
                    steps._maybe_remove_batch_dim("f", given, level, 3, dim)
                except ValueError as error:
                    errors.append(str(error))
            out = steps._maybe_remove_batch_dim("f", squares, level, 3, 0)
        finally:
            steps._vmap_decrement_nesting()
        return shape, kept, errors, out, steps._get_name(lib.sin), lib.vmap(lib.sin)(x)

    both(program, ulps=1)
