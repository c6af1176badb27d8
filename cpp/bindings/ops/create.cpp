// Factories.
#include "bindings/ops/register.h"
#include "core/warning.h"
#include "ops/factories.h"

namespace gradcore {

namespace {

using Options = TensorOptions;

Tensor range_that_warns(const Scalar& start, const Scalar& end, const Scalar& step, const Options& options) {
  warn(
      "torch.range is deprecated, because it has its end, as no range of Python has. Use torch.arange, whose values "
      "are in [start, end).");
  return factories::range(start, end, step, options);
}

constexpr OpRow kRows[] = {
    op("zeros(int[] size, *, Tensor? out=None, TensorOptions options) -> Tensor", fn<factories::zeros>,
       {.kind = kFunction, .out = Out::Fills}),
    op("ones(int[] size, *, Tensor? out=None, TensorOptions options) -> Tensor", fn<factories::ones>,
       {.kind = kFunction, .out = Out::Fills}),
    op("empty(int[] size, *, Tensor? out=None, MemoryFormat? memory_format=None, TensorOptions options) -> Tensor",
       [](const Dims& size, std::optional<MemoryFormat> format, const Options& o) {
         return factories::empty_in(size, format.value_or(MemoryFormat::Contiguous), o);
       },
       {.kind = kFunction, .out = Out::Fills}),
    op("empty_permuted(int[] size, int[] physical_layout, *, TensorOptions options) -> Tensor",
       fn<factories::empty_permuted>, {.kind = kFunction}),
    op("empty_strided(int[] size, int[] stride, *, TensorOptions options) -> Tensor", fn<factories::empty_strided>,
       {.kind = kFunction}),
    op("full(int[] size, Number fill_value, *, Tensor? out=None, TensorOptions options) -> Tensor", fn<factories::full>,
       {.kind = kFunction, .out = Out::Fills}),
    op("scalar_tensor(Number s, *, TensorOptions options) -> Tensor", fn<factories::scalar_tensor>,
       {.kind = kFunction}),
    op("arange(Number end, *, Tensor? out=None, TensorOptions options) -> Tensor",
       [](const Scalar& end, const Options& o) { return factories::arange(0, end, 1, o); },
       {.kind = kFunction, .out = Out::KeepsShape}),
    op("arange(Number start, Number end, Number step=1, *, Tensor? out=None, TensorOptions options) -> Tensor",
       fn<factories::arange>, {.kind = kFunction, .out = Out::KeepsShape}),
    op("range(Number start, Number end, Number step=1, *, Tensor? out=None, TensorOptions options) -> Tensor",
       fn<range_that_warns>, {.kind = kFunction, .out = Out::KeepsShape}),
    op("linspace(Operand start, Operand end, int steps, *, Tensor? out=None, TensorOptions options) -> Tensor",
       fn<factories::linspace>, {.kind = kFunction, .out = Out::KeepsShape}),
    op("logspace(Operand start, Operand end, int steps, float base=10.0, *, Tensor? out=None, TensorOptions options) "
       "-> Tensor",
       fn<factories::logspace>, {.kind = kFunction, .out = Out::KeepsShape}),
    op("eye(int n, int? m=None, *, Tensor? out=None, TensorOptions options) -> Tensor", fn<factories::eye>,
       {.kind = kFunction, .out = Out::Fills}),
    op("tril_indices(int row, int col, int offset=0, *, TensorOptions options) -> Tensor", fn<factories::tril_indices>,
       {.kind = kFunction}),
    op("triu_indices(int row, int col, int offset=0, *, TensorOptions options) -> Tensor", fn<factories::triu_indices>,
       {.kind = kFunction}),

    op("zeros_like(Tensor input, *, TensorOptions options, MemoryFormat? memory_format=None) -> Tensor",
       fn<factories::zeros_like>, {.kind = kFunction}),
    op("ones_like(Tensor input, *, TensorOptions options, MemoryFormat? memory_format=None) -> Tensor",
       fn<factories::ones_like>, {.kind = kFunction}),
    op("empty_like(Tensor input, *, TensorOptions options, MemoryFormat? memory_format=None) -> Tensor",
       fn<factories::empty_like>, {.kind = kFunction}),
    op("full_like(Tensor input, Number fill_value, *, TensorOptions options, MemoryFormat? memory_format=None) -> "
       "Tensor",
       fn<factories::full_like>, {.kind = kFunction}),

    op("new_tensor(Tensor input, object data, *, dtype? dtype=None, device? device=None, bool requires_grad=False) -> "
       "Tensor",
       [](const Tensor& t, PyObject* data, MaybeDType dtype, bool requires_grad) {
         if (is_tensor(data)) warn_of_copy("tensor.new_tensor(sourceTensor)");
         const Tensor made = tensor_from_object(data, dtype.value_or(t.dtype()));
         check(!requires_grad || is_floating(made.dtype()),
               "Only Tensors of floating point and complex dtype can require gradients");
         if (requires_grad) set_requires_grad(made, true);
         return made;
       },
       {.kind = kMethod}),
    op("new_zeros(Tensor input, int[] size, *, TensorOptions options) -> Tensor", fn<factories::new_zeros>,
       {.kind = kMethod}),
    op("new_ones(Tensor input, int[] size, *, TensorOptions options) -> Tensor", fn<factories::new_ones>,
       {.kind = kMethod}),
    op("new_empty(Tensor input, int[] size, *, TensorOptions options) -> Tensor", fn<factories::new_empty>,
       {.kind = kMethod}),
    op("new_empty_strided(Tensor input, int[] size, int[] stride, *, TensorOptions options) -> Tensor",
       fn<factories::new_empty_strided>, {.kind = kMethod}),
    op("new_full(Tensor input, int[] size, Number fill_value, *, TensorOptions options) -> Tensor",
       fn<factories::new_full>, {.kind = kMethod}),
};

}  // namespace

void register_create() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
