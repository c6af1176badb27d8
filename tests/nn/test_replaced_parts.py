"""Programs that replace a part of a module, by a subclass, on one instance or on the package, and are heard."""

import pytest

from support import both


def filled(module):
    """The module with parameters that are the same in both libraries."""
    for i, parameter in enumerate(module.parameters()):
        parameter.data.fill_(0.1 * (i + 1))
    return module


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_blocks_of_transformer_layers(kind, norm_first):
    def program(lib):
        calls = []

        def noted(name):
            base = getattr(lib.nn, f"Transformer{kind}Layer")

            def block(self, *args, **kwargs):
                calls.append((name, len(args), sorted(kwargs)))
                return getattr(base, name)(self, *args, **kwargs) * 2

            return block

        names = ["_sa_block", "_ff_block"] + ["_mha_block"] * (kind == "Decoder")
        members = {name: noted(name) for name in names}
        layer = type("Noted", (getattr(lib.nn, f"Transformer{kind}Layer"),), members)(
            4, 2, 8, 0.0, norm_first=norm_first
        )
        x = lib.arange(24.0).view(3, 2, 4).double()
        return filled(layer).double()(*[x] * len(names[1:])), calls

    both(program, ulps=64, scale=1.0)


def test_a_block_of_one_layer_records_weights():
    def program(lib):
        layer = filled(lib.nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True)).double()
        shown = []

        def block(x, attn_mask, key_padding_mask, is_causal=False):
            found, weights = layer.self_attn(x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask)
            shown.append(weights)
            return layer.dropout1(found)

        layer._sa_block = block
        return layer(lib.arange(24.0).view(2, 3, 4).double()), shown

    both(program, ulps=64, scale=1.0)


@pytest.mark.parametrize("attn", [None, (3, 3), (4, 3, 3)])
@pytest.mark.parametrize("padded", [False, True])
def test_merged_masks(attn, padded):
    def program(lib):
        attention = lib.nn.MultiheadAttention(4, 2)
        mask = None if attn is None else lib.ones(attn).triu(1)
        padding = lib.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]) if padded else None
        return attention.merge_masks(mask, padding, lib.ones(2, 3, 4))

    both(program)


MODULES = ["Linear(2, 3)", "Conv2d(1, 2, 3)", "Embedding(3, 2)", "LSTM(2, 3)", "MultiheadAttention(4, 2)", "PReLU()",
           "Bilinear(1, 2, 3)", "GRUCell(2, 3)", "LayerNorm(2)", "BatchNorm1d(2)", "EmbeddingBag(3, 2)"]  # fmt: skip
CALLS = ["uniform_(x)", "normal_(x, std=2.0)", "constant_(x, 3)", "kaiming_uniform_(x, 1)", "xavier_uniform_(x)", "zeros_(x)",
         "ones_(x)", "kaiming_normal_(x)", "xavier_normal_(x)"]  # fmt: skip


def leaves_out(lib, seen):
    class Empty(lib.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            module = getattr(func, "__module__", None)
            if module in ("torch.nn.init", "gradcore.nn.init"):
                seen.append((func.__name__, args, list(kwargs)))
                return kwargs["tensor"]
            return func(*args, **(kwargs or {}))

    return Empty()


@pytest.mark.parametrize("module", MODULES)
def test_modes_see_initial_values_of_modules(module):
    def program(lib):
        seen = []
        with leaves_out(lib, seen):
            eval(f"nn.{module}", {"nn": lib.nn})
        return seen

    both(program)


@pytest.mark.parametrize("call", CALLS)
def test_modes_see_initial_values(call):
    def program(lib):
        seen = []
        x = lib.full((2, 2), 7.0)
        with leaves_out(lib, seen):
            found = eval(call, vars(lib.nn.init), {"x": x})
        return seen, found is x, x if seen else None

    both(program)


def test_classes_take_over_initial_values():
    def program(lib):
        class Named(lib.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return func.__name__, list(kwargs)

        return lib.nn.init.normal_(lib.ones(2).as_subclass(Named))

    both(program)


def test_replaced_functions_of_init(monkeypatch):
    def program(lib):
        for name in ("kaiming_uniform_", "uniform_", "normal_"):
            monkeypatch.setattr(lib.nn.init, name, lambda tensor, *args, **kwargs: tensor.data.fill_(0.5))
        modules = lib.nn.Linear(2, 3), lib.nn.Conv1d(1, 2, 3), lib.nn.Embedding(3, 2), lib.nn.GRU(2, 3)
        return [list(module.parameters()) for module in modules]

    both(program)
