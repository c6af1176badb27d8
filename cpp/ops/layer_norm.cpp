// Layer and root mean square normalisation. Start at layer_norm() and rms_norm().
#include <limits>

#include "ops/batching.h"
#include "ops/derived_core.h"
#include "ops/norm.h"
#include "ops/normalised.h"
#include "ops/ops.h"
#include "ops/reach.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

Dims last_dims(const Dims& shape) {
  Dims dims;
  for (int i = 0; i < shape.size(); ++i) dims.push_back(i - shape.size());
  return dims;
}

// The whole op as a composition: for batches, and where there is nothing to compute.
Tensor composed(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps,
                bool centred) {
  Tensor out = Normalised(x, last_dims(shape), eps, centred).value;
  if (weight) out = mul(out, weight);
  return bias ? add(out, bias) : out;
}

void set_sizes(auto& args, const Tensor& x, const Dims& shape, double eps, bool centred) {
  args.n = 1;
  for (const int64_t size : shape) args.n *= size;
  args.rows = x.numel() / args.n;
  args.eps = eps;
  args.centred = centred;
}

struct NativeLayerNormVjp {
  Saved x, weight;
  Dims shape;
  double eps;
  bool centred;
  const char* name() const { return centred ? "NativeLayerNormBackward0" : "FusedRmsNormBackward0"; }
  SavedFields fields() { return {{"input", &x}, {"weight", &weight}, {"normalized_shape", shape}}; }
  auto saves() { return std::tie(x, weight); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), w = weight.defined() ? weight.unpack(&self) : Tensor();
    check_saved_weight(w, shape);
    if (modes.tracking() || any_batched(g[0], input, w))
      by_ops(self, g[0], input, w, out);
    else
      by_kernel(self, contiguous(g[0]), contiguous(input), w, out);
  }
  void by_ops(Node& self, const Tensor& g, const Tensor& input, const Tensor& w, std::span<Tensor> out) const {
    const Dims dims = last_dims(shape);
    const Normalised h(input, dims, eps, centred);
    const Tensor p = w ? mul(g, w) : g;
    const auto mean_of = [&](const Tensor& t) { return mean(t, dims, true); };
    const Tensor about = centred ? sub(p, mean_of(p)) : p;
    if (self.needs(0)) out[0] = mul(sub(about, mul(h.value, mean_of(mul(p, h.value)))), h.scale);
    if (self.needs(1)) out[1] = sum_to(mul(g, h.value), shape);
    if (self.needs(2)) out[2] = sum_to(with_graph_of(h.value, g), shape);
  }
  void by_kernel(Node& self, const Tensor& g, const Tensor& input, const Tensor& w, std::span<Tensor> out) const {
    Kernel<LayerNormBackwardArgs> k("layer_norm_backward", kernels().layer_norm.backward[input.dtype()]);
    set_sizes(k.args, input, shape, eps, centred);
    out[0] = empty(input.shape(), input.dtype());
    k.reads(&LayerNormBackwardArgs::g, g.window()).reads(&LayerNormBackwardArgs::x, input.window());
    k.writes(&LayerNormBackwardArgs::dx, out[0].window());
    const Tensor dense = w ? contiguous(w) : Tensor();
    if (dense) k.reads(&LayerNormBackwardArgs::weight, dense.window());
    if (self.needs(1)) {
      out[1] = empty(shape, input.dtype());
      k.writes(&LayerNormBackwardArgs::dweight, out[1].window());
    }
    if (self.needs(2)) {
      out[2] = empty(shape, input.dtype());
      k.writes(&LayerNormBackwardArgs::dbias, out[2].window());
    }
    launch(k);
    if (!self.needs(0)) out[0] = Tensor();
  }
};

std::string shape_of_input(const Dims& shape) {
  std::string text = "[*";
  for (const int64_t size : shape) text += str_cat(", ", size);
  return text + "]";
}

void check_shapes(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias) {
  check(shape.size() > 0,
        "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
        "normalized_shape = []");
  const auto same = [&](const char* name, const Tensor& t) {
    if (t && !(t.shape() == shape))
      fail("Expected ", name, " to be of same shape as normalized_shape, but got ", name, " of shape ", t.shape(),
           " and normalized_shape = ", shape);
  };
  same("weight", weight);
  same("bias", bias);
  const int first = x.dim() - shape.size();
  bool fits = first >= 0;
  for (int i = 0; fits && i < shape.size(); ++i) fits = x.size(first + i) == shape[i];
  if (!fits)
    fail("Given normalized_shape=", shape, ", expected input with shape ", shape_of_input(shape),
         ", but got input of size", x.shape());
}

void check_arguments(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias) {
  check_shapes(x, shape, weight, bias);
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"LayerNormKernelImpl\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
  check(!weight || weight.dtype() == x.dtype(), "mixed dtype (CPU): expect parameter to have scalar type of Float");
  check(!bias || bias.dtype() == x.dtype(), "expected scalar type ", scalar_type_name(x.dtype()), " but found ",
        bias ? scalar_type_name(bias.dtype()) : "");
}

Tensor computed(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps,
                bool centred) {
  const NoRecordGuard off;
  const Tensor dense = contiguous(x), w = weight ? contiguous(weight) : Tensor(),
               b = bias ? contiguous(bias) : Tensor();
  const Tensor out = empty(x.shape(), x.dtype());
  Kernel<LayerNormArgs> k("layer_norm", kernels().layer_norm.forward[x.dtype()]);
  set_sizes(k.args, x, shape, eps, centred);
  k.reads(&LayerNormArgs::x, dense.window()).writes(&LayerNormArgs::out, out.window());
  if (w) k.reads(&LayerNormArgs::weight, w.window());
  if (b) k.reads(&LayerNormArgs::bias, b.window());
  launch(k);
  return out;
}

}  // namespace

namespace {

Tensor row_norm(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps,
                bool centred) {
  if (any_batched(x, weight, bias) || x.numel() == 0) return composed(x, shape, weight, bias, eps, centred);
  const Tensor out = computed(x, shape, weight, bias, eps, centred);
  if (should_record(x, weight, bias))
    record(out, {&x, &weight, &bias},
           NativeLayerNormVjp{Saved(x), weight ? Saved(weight) : Saved(), shape, eps, centred});
  return out;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps) {
  if (is_half_beside_float(x, {&weight, &bias}) && weight)
    return cast(layer_norm(cast(x, DType::Float32), shape, weight, bias, eps), x.dtype());
  check_arguments(x, shape, weight, bias);
  return row_norm(x, shape, weight, bias, eps, true);
}

std::array<Tensor, 3> native_layer_norm(const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias,
                                        double eps) {
  const Tensor out = layer_norm(x, shape, weight, bias, eps);
  const NoRecordGuard off;  // as torch's
  const auto [var, mean] = var_mean(x, last_dims(shape), 0, true);
  return {out, mean, rsqrt(add(var, Scalar(eps)))};
}

Tensor rms_norm(const Tensor& x, const Dims& shape, const Tensor& weight, std::optional<double> eps) {
  check_shapes(x, shape, weight, {});
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"rms_norm\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
  const double e = eps.value_or(x.dtype() == DType::Float32 ? std::numeric_limits<float>::epsilon()
                                                            : std::numeric_limits<double>::epsilon());
  if (weight && weight.dtype() != x.dtype()) return cast(composed(x, shape, weight, {}, e, false), x.dtype());
  return row_norm(x, shape, weight, {}, e, false);
}

}  // namespace gradcore
