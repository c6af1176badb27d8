"""The table of ops: a row for each, from which tests are generated. An op without a row fails tests/ops/test_ops.py.

One file holds one family, as in cpp/ops. A row's samples are calls: positional and keyword arguments made of NumPy
arrays (tensors in the test), Python numbers and D("float64") for a library's constants. `d` makes the arrays: d(3, 4)
has the dtype under test and values in the row's domain. To add an op, add a row to its family's file; a new file of
this folder is found without being named. calls.py has what the tests do with a row.
"""

import importlib
import operator
import pkgutil

import gradcore

from .rows import ROWS, OpRow, Sample, describe

for found in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{found.name}")

__all__ = ["ROWS", "TESTED_ELSEWHERE", "OpRow", "Sample", "apply_operator", "describe", "named"]

# Names in _op_names() or dir(gradcore) that have no row, by the tests that they have.
TESTED_ELSEWHERE = {
    "test_origins": {"set_origin_tracking"},
    "test_tensor_basics": set(
        """
        tensor as_tensor from_numpy asarray item tolist numpy size stride storage_offset data_ptr dim ndimension
        nelement element_size is_contiguous is_tensor set_default_dtype get_default_dtype set_printoptions
        promote_types result_type can_cast is_complex is_signed get_device manual_seed seed initial_seed
        get_rng_state set_rng_state default_generator available_isas empty_strided frombuffer split_with_sizes tile
        half bfloat16 chalf cfloat cdouble complex polar view_as_complex view_as_complex_copy stft istft
        _linalg_eig _linalg_eigvals
        set_num_threads get_num_threads show_config memory_stats release_unused_memory
        """.split()
    ),
    "autograd": set(
        """
        backward requires_grad_ retain_grad register_hook is_grad_enabled is_inference_mode_enabled
        is_anomaly_enabled is_anomaly_check_nan_enabled set_anomaly_enabled is_inference set_grad_enabled detach_
        set_
        """.split()
    ),
    "test_ops": {"_einsum", "_tensordot"},  # through einsum and tensordot
    "test_shapes": {"resize_", "resize_as_"},
    "nn/test_ctc": {"_nn_ctc_loss"},  # lengths and targets belong together
    "nn/test_fractional_pool": {"_nn_fractional_max_pool"},  # by nn.functional's functions, which draw the samples
    "test_threading_layers": {"set_threading_layer"},
    "linalg/test_decompositions": {"_linalg_eigh", "_linalg_svd", "svd"},  # vectors are compared up to their signs
    "test_register": {"_echo", "_echo_many"},  # ops that show how arguments are bound
    "test_foreach": {
        name for name in gradcore._C._op_names() if name.startswith("_foreach_")
    },  # that file has its own table
}


def named(name):
    """The rows of one op, its variants included."""
    return [r for r in ROWS if name in (r.attribute, *r.aliases)]


def apply_operator(name, *operands):
    return getattr(operator, name)(*operands)
