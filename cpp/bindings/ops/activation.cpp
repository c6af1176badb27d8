// Activations and losses that are formulas with parameters: nn.functional checks what torch checks before.
#include "bindings/ops/register.h"
#include "formulas/all.h"
#include "ops/derived_core.h"
#include "ops/formula_functions.h"
#include "ops/reduced_loss.h"
#include "tensor/batch.h"

namespace gradcore {

namespace {

using namespace formulas;

// torch's kernel, which its words about dtypes name.
template <class Op> constexpr const char* kKernel = nullptr;
template <> constexpr const char* kKernel<Gelu> = "GeluKernelImpl";
template <> constexpr const char* kKernel<LeakyRelu> = "leaky_relu_cpu";
template <> constexpr const char* kKernel<Prelu> = "prelu_cpu";
template <> constexpr const char* kKernel<Threshold> = "threshold_cpu";
template <> constexpr const char* kKernel<Hardtanh> = "hardtanh_cpu";
template <> constexpr const char* kKernel<Hardsigmoid> = "hardsigmoid_cpu";
template <> constexpr const char* kKernel<Hardswish> = "hardswish_cpu";
template <> constexpr const char* kKernel<Hardshrink> = "hardshrink_cpu";
template <> constexpr const char* kKernel<Softshrink> = "softshrink_check";
template <> constexpr const char* kKernel<Elu> = "elu_cpu";
template <> constexpr const char* kKernel<Silu> = "silu_cpu";
template <> constexpr const char* kKernel<Mish> = "mish_cpu";
template <> constexpr const char* kKernel<Softplus> = "softplus_cpu";
template <> constexpr const char* kKernel<LogSigmoid> = "log_sigmoid_cpu";
template <> constexpr const char* kKernel<Glu> = "glu_cpu";

template <class Op> void check_dtype(const Tensor& t) {
  const bool fits = is_floating(t.dtype()) || (Op::info.types == kNumbers && t.dtype() != DType::Bool);
  check(fits, ErrorKind::NotImplemented, "\"", kKernel<Op>, "\" not implemented for '", scalar_type_name(t.dtype()),
        "'");
}
template <class Op, class... P> Tensor activation(const Tensor& t, const P&... params) {
  check_dtype<Op>(t);
  if constexpr (sizeof...(P) == 0)
    return unary<Op>(t);
  else
    return with_params<Op>(t, params...);
}
template <class Op, class... P> void activation_(const Tensor& t, const P&... params) {
  check_dtype<Op>(t);
  if constexpr (sizeof...(P) == 0)
    unary_<Op>(t);
  else
    with_params_<Op>(t, params...);
}

Tensor softshrink(const Tensor& t, double most) {
  check_dtype<Softshrink>(t);
  check(most >= 0, "lambda must be greater or equal to 0, but found to be ", most, ".");
  return with_params<Softshrink>(t, most);
}

Tensor gelu(const Tensor& t, std::string_view approximate) {
  check_dtype<Gelu>(t);
  check(approximate == "none" || approximate == "tanh", "approximate argument must be either none or tanh.");
  return approximate == "none" ? unary<Gelu>(t) : unary<GeluTanh>(t);
}

// A slope for all, or one for each element of dim 1.
Tensor prelu(const Tensor& t, const Tensor& weight) {
  check(t.dtype() == weight.dtype(), "prelu: Type promoting not supported. Got ", scalar_type_name(t.dtype()), " and ",
        scalar_type_name(weight.dtype()));
  check(weight.dim() <= 1, "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = ", weight.dim());
  check_dtype<Prelu>(t);
  if (weight.numel() == 1) return binary<Prelu>(t, weight.dim() > t.dim() ? reshape(weight, {}) : weight);
  check(t.dim() > 0, "Not allow zero-dim input tensor.");
  const int64_t channels = t.dim() > 1 ? t.size(1) : 1;
  check(channels == weight.numel(),
        "Mismatch of parameter numbers and input channel size. Found parameter numbers = ", weight.numel(),
        " and channel size = ", channels, ".");
  Dims shape(std::max(t.dim() - 1, 1), 1);
  shape[0] = -1;
  return binary<Prelu>(t, t.dim() > 2 ? reshape(weight, shape) : weight);
}

// The halves of a tensor along dim, the second through a gate.
Tensor glu(const Tensor& t, int64_t dim) {
  check(t.dim() > 0, "glu does not support scalars because halving size must be even");
  const int d = wrap_dim(dim, t.dim());
  const int64_t size = t.size(d);
  check(size % 2 == 0, "Halving dimension must be even, but dimension ", d, " is size ", size);
  check_dtype<Glu>(t);
  return binary<Glu>(narrow(t, d, 0, size / 2), narrow(t, d, size / 2, size / 2));
}

// What is refused is refused under vmap too.
void check_probabilities(const Tensor& t, const char* name) {
  const GradModeGuard off(false);
  const Tensor fits = all(unary<IsProbability>(t->batch ? physical(t) : t), std::nullopt, false);
  check(item(fits).to_int() != 0, "all elements of ", name, " should be between 0 and 1");
}
Tensor bce(const Tensor& x, const Tensor& target) {
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"binary_cross_entropy\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
  check_probabilities(x, "input");
  check_probabilities(target, "target");
  return binary<BinaryCrossEntropy>(x, target);
}

#define GC_WITH_IN_PLACE(name, parameters, Op, ...)                                                             \
  op("_nn_" name "(Tensor input" parameters ") -> Tensor", fn<activation<Op __VA_OPT__(, ) __VA_ARGS__>>,       \
     {.kind = kFunction}),                                                                                      \
      op("_nn_" name "_(Tensor input" parameters ") -> Tensor", fn<activation_<Op __VA_OPT__(, ) __VA_ARGS__>>, \
         {.kind = kFunction})

constexpr OpRow kRows[] = {
    GC_WITH_IN_PLACE("leaky_relu", ", float negative_slope=0.01", LeakyRelu, double),
    GC_WITH_IN_PLACE("threshold", ", Number threshold, Number value", Threshold, Scalar, Scalar),
    GC_WITH_IN_PLACE("hardtanh", ", float min_val=-1, float max_val=1", Hardtanh, double, double),
    GC_WITH_IN_PLACE("elu", ", float alpha=1, float scale=1, float input_scale=1", Elu, double, double, double),
    GC_WITH_IN_PLACE("silu", "", Silu),
    GC_WITH_IN_PLACE("mish", "", Mish),
    GC_WITH_IN_PLACE("hardsigmoid", "", Hardsigmoid),
    GC_WITH_IN_PLACE("hardswish", "", Hardswish),
    op("_nn_gelu(Tensor input, *, str approximate='none', Tensor? out=None) -> Tensor", fn<gelu>,
       {.kind = kFunction, .out = Out::Exact}),
    op("_nn_prelu(Tensor input, Tensor weight) -> Tensor", fn<prelu>, {.kind = kFunction, .autocast = Autocast::Lower}),
    op("_nn_hardshrink(Tensor input, float lambd=0.5, *, Tensor? out=None) -> Tensor",
       fn<activation<Hardshrink, double>>, {.kind = kFunction, .out = Out::Exact}),
    op("_nn_softshrink(Tensor input, float lambd=0.5, *, Tensor? out=None) -> Tensor", fn<softshrink>,
       {.kind = kFunction, .out = Out::Exact}),
    op("_nn_softplus(Tensor input, float beta=1.0, float threshold=20.0, *, Tensor? out=None) -> Tensor",
       fn<activation<Softplus, double, double>>, {.kind = kFunction, .out = Out::Exact}),
    op("_nn_logsigmoid(Tensor input, *, Tensor? out=None) -> Tensor", fn<activation<LogSigmoid>>,
       {.kind = kFunction, .out = Out::Exact}),
    op("_nn_glu(Tensor input, int dim=-1) -> Tensor", fn<glu>, {.kind = kFunction}),
    op("_nn_mse(Tensor input, Tensor target) -> Tensor",
       [](const Tensor& x, const Tensor& target) { return binary<MseLoss>(x, target); }, {.kind = kFunction}),
    op("_nn_smooth_l1(Tensor input, Tensor target, float beta=1.0) -> Tensor",
       [](const Tensor& x, const Tensor& target, double beta) { return binary_with<SmoothL1>(x, target, beta); },
       {.kind = kFunction}),
    op("_nn_huber(Tensor input, Tensor target, float delta=1.0) -> Tensor",
       [](const Tensor& x, const Tensor& target, double delta) { return binary_with<Huber>(x, target, delta); },
       {.kind = kFunction}),
    op("_nn_bce(Tensor input, Tensor target) -> Tensor", fn<bce>, {.kind = kFunction}),
    op("_nn_bce_with_logits(Tensor input, Tensor target) -> Tensor",
       [](const Tensor& x, const Tensor& target) { return binary<BinaryCrossEntropyWithLogits>(x, target); },
       {.kind = kFunction}),
    op("_nn_reduced(Tensor loss, bool mean) -> Tensor", fn<reduced_loss>, {.kind = kFunction}),
};
#undef GC_WITH_IN_PLACE

}  // namespace

void register_activation() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
