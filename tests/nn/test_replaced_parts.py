"""Programs that replace a part of a module, by a subclass, on one instance or on the package, and are heard."""

import importlib
import subprocess
import sys

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


KINDS = ["RNN", "GRU", "LSTM"]


def states(lib, kind, layers, batch, size):
    h = lib.arange(float(layers * batch * size)).view(layers, batch, size) / 10
    return (h, h + 1) if kind == "LSTM" else h


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers_say_what_they_expect(kind):
    def program(lib):
        found = []
        for batch_first in (False, True):
            layer = getattr(lib.nn, kind)(3, 4, 2, batch_first=batch_first, bidirectional=True)
            x, packed = lib.ones(5, 2, 3), lib.ones(7, 3)
            sizes = lib.tensor([3, 2, 2])
            found += [layer.get_expected_hidden_size(x, None), layer.get_expected_hidden_size(packed, sizes)]
            if kind == "LSTM":
                found.append(layer.get_expected_cell_size(x, None))
            state = states(lib, kind, 4, 3, 4)
            found += [layer.permute_hidden(state, None), layer.permute_hidden(state, lib.tensor([2, 0, 1]))]
            layer.check_forward_args(packed, state, sizes)
            layer.check_input(x, None)
        return found

    both(program)


CHECKS = [
    ("check_input(lib.ones(2, 1, 4), None)", "input.size(-1) must be equal to input_size. Expected 3, got 4"),
    ("check_input(lib.ones(2, 3), None)", "input must have 3 dimensions, got 2"),
    ("check_input(lib.ones(2, 1, 3), lib.tensor([2]))", "input must have 2 dimensions, got 3"),
    ("check_input(lib.ones(2, 1, 3).double(), None)", "RNN input dtype (torch.float64) does not match weight dtype"),
    ("check_hidden_size(lib.ones(2), (1, 2, 3))", "Expected hidden size (1, 2, 3), got [2]"),
    ("check_hidden_size(lib.ones(2), (3,), '{1} is not {0}')", "[2] is not (3,)"),
    ("check_forward_args(lib.ones(2, 1, 3), (lib.ones(1, 1, 4), lib.ones(1, 2, 4)), None)", "hidden[1] size (1, 1, 4)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "phrase"), CHECKS)
def test_recurrent_layers_refuse(call, phrase):
    def program(lib):
        eval(f"layer.{call}", {"layer": lib.nn.LSTM(3, 4), "lib": lib})

    both(program, raises=phrase)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_replaced_checks_of_recurrent_layers(kind, packed, given):
    def program(lib):
        calls = []

        class Own(getattr(lib.nn, kind)):
            def check_forward_args(self, input, hidden, batch_sizes):
                calls.append((tuple(input.shape), tuple(hidden.shape)))
                super().check_forward_args(input, hidden, batch_sizes)

            def permute_hidden(self, hx, permutation):
                calls.append(permutation)
                return super().permute_hidden(hx, permutation)

        x = lib.ones(4, 2, 3)
        if packed:
            x = lib.nn.utils.rnn.pack_padded_sequence(x, [2, 4], enforce_sorted=False)
        Own(3, 4)(x, states(lib, kind, 1, 2, 4) if given else None)
        return calls

    both(program)


def test_weights_that_a_program_lists_itself():
    def program(lib):
        layer, x = filled(lib.nn.GRU(2, 3)), lib.ones(4, 1, 2)
        found = [layer(x)]
        layer._flat_weights = [weight * 0.5 for weight in layer._flat_weights]
        found.append(layer(x))
        layer._flat_weights[2] = lib.zeros(9)
        found.append(layer(x))
        layer.weight_hh_l0 = lib.nn.Parameter(lib.zeros(9, 3))
        found += [layer(x), layer._flat_weights]
        layer._flat_weights = [weight * 2 for weight in layer._flat_weights]
        layer.double()
        found += [layer(x.double()), layer._flat_weights]
        layer._flat_weights = []
        layer._init_flat_weights()
        return *found, layer._flat_weights, all(a is b for a, b in zip(layer.parameters(), layer._flat_weights))

    both(program, ulps=16, scale=1.0)


def test_weights_that_are_no_parameters():
    def program(lib):
        layer, x = filled(lib.nn.LSTM(2, 3)), lib.ones(4, 1, 2)
        raw = layer.weight_hh_l0
        del layer.weight_hh_l0
        found = []
        for factor in (0.5, 2):
            layer.weight_hh_l0 = raw * factor
            found.append(layer(x))
        found[-1][0].sum().backward()
        return found, raw.grad

    both(program, ulps=16, scale=1.0)


def test_the_old_name_of_a_permutation_warns():
    def program(lib):
        rnn = lib.nn.modules.rnn
        with pytest.warns(FutureWarning, match="`apply_permutation` is deprecated"):
            return rnn.apply_permutation(lib.ones(1, 2), lib.tensor([1, 0])), rnn._apply_permutation(
                lib.ones(2), lib.tensor([1]), 0
            )

    both(program)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers_take_what_autocast_made(kind):
    def program(lib):
        layer = filled(getattr(lib.nn, kind)(2, 3, num_layers=2))
        with lib.autocast("cpu", dtype=lib.bfloat16):
            output, state = layer(lib.ones(4, 1, 2).bfloat16())
        output.sum().backward()
        return output, state, [p.grad.dtype for p in layer.parameters()]

    both(program, ulps=100_000, scale=1.0)  # of float32: some of bfloat16


def test_replaced_functions_are_heard(monkeypatch):
    """Those that modules and other functions call; what was there before comes back."""

    def program(lib):
        functional, calls = lib.nn.functional, []
        names = ["linear", "scaled_dot_product_attention", "relu", "conv1d", "layer_norm", "log_softmax"]
        x = lib.arange(16.0).view(2, 2, 4) / 8

        def noted(name, before):
            def call(*args, **kwargs):
                calls.append(name)
                return before(*args, **kwargs)

            return call

        def everything():
            found = [filled(lib.nn.Linear(4, 3))(x), filled(lib.nn.Conv1d(2, 1, 2))(x), lib.nn.LayerNorm(4)(x)]
            found += [lib.nn.ReLU()(x - 1), lib.nn.LogSoftmax(1)(x)]
            found.append(filled(lib.nn.MultiheadAttention(4, 2))(x, x, x, need_weights=False)[0])
            return found

        with monkeypatch.context() as patched:
            for name in names:
                patched.setattr(functional, name, noted(name, getattr(functional, name)))
            first = everything()
        seen = sorted({*calls})
        calls.clear()
        return first, seen, everything(), calls

    both(program, ulps=16, scale=1.0)


def test_a_function_is_replaced_before_it_was_asked_for():
    done = subprocess.run([sys.executable, "-c", """if True:
        import gradcore
        from gradcore.nn import functional
        functional.bilinear = lambda *args: "replaced"
        functional.linear
        print(functional.bilinear(), gradcore.nn.Bilinear(1, 1, 1)(1, 2))
    """], capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "replaced replaced\n"


def test_the_padding_of_a_transposed_convolution():
    def program(lib):
        layer = lib.nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=1)
        x, options = lib.ones(1, 1, 4, 5), ((2, 3), (1, 0), (3, 2), 2)
        found = [list(layer._output_padding(x, None, *options))]
        for size, more in (([7, 15], ()), ([1, 1, 8, 16], ((1, 2),)), ([7, 15], (None,))):
            found.append(layer._output_padding(x, size, *options, *more))
        return found, layer._output_padding(x[0], [1, 8, 14], *options)

    both(program)


def test_a_replaced_padding_of_a_transposed_convolution():
    def program(lib):
        class Own(lib.nn.ConvTranspose1d):
            def _output_padding(self, *args):
                return super()._output_padding(*args[:1], [8], *args[2:])

        return filled(Own(1, 1, 2, stride=2))(lib.ones(1, 1, 4)), filled(Own(1, 1, 3, stride=2, padding=1))(
            lib.ones(1, 1, 4)
        )

    both(program)


@pytest.mark.parametrize("kind", ["Embedding", "EmbeddingBag"])
def test_what_fills_the_padding_of_an_embedding(kind):
    def program(lib):
        class Own(getattr(lib.nn, kind)):
            def _fill_padding_idx_with_zero(self):
                super()._fill_padding_idx_with_zero()
                self.weight.data[0] = 5

        lib.manual_seed(0)
        layer = Own(3, 2, padding_idx=1)
        layer.weight.data.fill_(1)
        before = layer.weight.detach().clone()
        layer._fill_padding_idx_with_zero()
        return before, layer.weight

    both(program)


def test_replaced_parts_of_instance_norm():
    def program(lib):
        class Own(lib.nn.InstanceNorm1d):
            def _apply_instance_norm(self, input):
                return super()._apply_instance_norm(input) + input.dim()

        class Alone(Own):
            def _handle_no_batch_input(self, input):
                return input * 2

        x = lib.arange(6.0).view(2, 3)
        return Own(2)(x), Own(2)(x[None]), Alone(2)(x), Alone(2)(x[None])

    both(program, ulps=16, scale=1.0)


@pytest.mark.parametrize("path", ["functional", "modules.conv", "modules.pooling"])
def test_tuples_by_other_paths(path):
    def program(lib):
        home = importlib.import_module(f"{lib.__name__}.nn.{path}")
        return home._single(1), home._pair(2), home._triple((1, 2, 3))

    both(program)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("width", [4, 3])
def test_a_replaced_attention_is_told_what_torch_tells_it(batch_first, width, monkeypatch):
    def program(lib):
        told = []
        original = lib.nn.functional.multi_head_attention_forward

        def attention(query, key, value, *args, **kwargs):
            told.append((query is key, key is value, len(args), sorted(kwargs), kwargs.get("use_separate_proj_weight")))
            return original(query, key, value, *args, **kwargs)

        monkeypatch.setattr(lib.nn.functional, "multi_head_attention_forward", attention)
        layer = lib.nn.MultiheadAttention(4, 2, kdim=width, vdim=width, batch_first=batch_first)
        x, memory = lib.ones(2, 3, 4), lib.ones(2, 3, width)
        layer(x, memory, memory), layer(x, memory, lib.ones(2, 3, width))
        if width == 4:
            layer(x, x, x)
        return told

    both(program)


def test_a_replaced_number_of_spatial_dims():
    def program(lib):
        kinds = [lib.nn.LazyConv1d(1, 1), lib.nn.LazyConv2d(1, 1), lib.nn.LazyConvTranspose3d(1, 1)]

        class Never(lib.nn.LazyConv2d):
            def _get_num_spatial_dims(self):
                raise ValueError("asked")

        with pytest.raises(ValueError, match="asked"):
            Never(1, 1)(lib.ones(1, 2, 3, 3))
        return [kind._get_num_spatial_dims() for kind in kinds]

    both(program)


def test_a_replaced_distribution_over_all_classes():
    def program(lib):
        class Flat(lib.nn.AdaptiveLogSoftmaxWithLoss):
            def _get_full_log_prob(self, input, head_output):
                return lib.zeros(len(input), self.n_classes) + head_output.shape[1]

        flat = Flat(4, 6, [2, 4])
        return flat.log_prob(lib.ones(2, 4)), flat.head_size

    both(program)
