// Hinge losses of classes. Both are one loss of rows with labels, of which multi_margin_loss() has one a row. Where
// nothing is tracked both ways are kernels; double backward, batches and forward mode take the same sums as ops.
#include "ops/margin_loss.h"

#include <algorithm>

#include "kernels/loss/cross_entropy.h"
#include "ops/batching.h"
#include "ops/composed_vjp.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct Options {
  bool several;  // labels in a row
  bool squared = false;
  double margin = 1;
};

// ---- arguments, in torch's words

int64_t classes_of(const Tensor& x) { return x.dim() ? x.size(x.dim() - 1) : 1; }
int64_t rows_of(const Tensor& x) { return x.dim() == 2 ? x.size(0) : 1; }

void check_input(const Tensor& x) {
  check(x.dim() <= 2 && classes_of(x) > 0,
        "Expected non-empty vector or matrix with optional 0-dim batch size, but got: ", x.shape());
}
void check_dtypes(const Tensor& x, const Tensor& target, const char* kernel) {
  check(x.dtype() == DType::Float32 || x.dtype() == DType::Float64, ErrorKind::NotImplemented, "\"", kernel,
        "\" not implemented for '", scalar_type_name(x.dtype()), "'");
  check(target.dtype() == DType::Int64, "expected scalar type Long but found ", scalar_type_name(target.dtype()));
}
void check_weight(const Tensor& x, const Tensor& weight) {
  if (!weight) return;
  check(weight.dim() <= 1 && weight.numel() == classes_of(x), "inconsistent weight size, expected ", classes_of(x),
        " but got ", weight.shape());
  check(weight.dtype() == x.dtype(), "expected scalar type ", scalar_type_name(x.dtype()), " but found ",
        scalar_type_name(weight.dtype()));
  check(!modes.grad || !requires_grad(weight),
        "The function 'multi_margin_loss' is not differentiable with respect to argument 'weight'. This input cannot "
        "have requires_grad True.");
}
void check_labels(const Tensor& target, int64_t lowest, int64_t classes, const char* message) {
  const NoRecordGuard off;
  const Tensor all = contiguous(any_batched(target) ? physical(target, levels_of({&target})) : target);
  const int64_t* const first = all.host<int64_t>();
  check(std::all_of(first, first + all.numel(), [&](int64_t t) { return t >= lowest && t < classes; }), message);
}

// ---- the kernels

using Kernels = FloatRow<void (*)(const MarginLossArgs&)>;

Kernel<MarginLossArgs> kernel(const char* name, const Kernels& of, const Tensor& x, const Tensor& target,
                              const Tensor& weight, const Options& o) {
  Kernel<MarginLossArgs> k(name, of[x.dtype()]);
  k.args.rows = rows_of(x), k.args.classes = classes_of(x), k.args.width = o.several ? classes_of(x) : 1;
  k.args.margin = o.margin, k.args.squared = o.squared;
  k.reads(&MarginLossArgs::x, x.window()).reads(&MarginLossArgs::labels, target.window());
  if (weight) k.reads(&MarginLossArgs::weight, weight.window());
  return k;
}
Tensor dense(const Tensor& t) { return t ? contiguous(t) : t; }

Tensor losses(const Tensor& x, const Tensor& target, const Tensor& weight, const Dims& shape, const Options& o) {
  const NoRecordGuard off;
  const Tensor in = dense(x), labels = dense(target), w = dense(weight), out = empty(shape, x.dtype());
  auto k = kernel("margin_loss", kernels().loss.margin.loss, in, labels, w, o);
  launch(k.writes(&MarginLossArgs::out, out.window()));
  return out;
}
Tensor gradient(const Tensor& g, const Tensor& x, const Tensor& target, const Tensor& weight, const Options& o) {
  const Tensor in = dense(x), labels = dense(target), w = dense(weight), u = dense(g),
               out = empty(x.shape(), x.dtype());
  auto k = kernel("margin_loss_backward", kernels().loss.margin.backward, in, labels, w, o);
  launch(k.reads(&MarginLossArgs::g, u.window()).writes(&MarginLossArgs::out, out.window()));
  return out;
}

// ---- the same sums as ops: they take memory for each label and class of a row

Tensor composed(const Tensor& input, const Tensor& target, const Tensor& weight, const Dims& shape, const Options& o) {
  const int64_t rows = rows_of(input), classes = classes_of(input);
  const Tensor x = reshape(input, {rows, classes}), labels = reshape(target, {rows, o.several ? classes : 1});
  Tensor index, named, own, factors;  // constants
  {
    const NoRecordGuard off;
    named = eq(cumsum(cast(lt(labels, Scalar(0)), DType::Int64), 1, {}), Scalar(0));
    index = where(named, labels, Scalar(int64_t{0}));
    if (weight) factors = reshape(index_select(detach(weight), 0, reshape(index, {-1})), {rows, index.size(1), 1});
    own = gt(scatter_add(zeros({rows, classes}, DType::Int64), 1, index, cast(named, DType::Int64)), Scalar(0));
  }
  const Tensor z = add(sub(unsqueeze(x, 1), unsqueeze(gather(x, 1, index), 2)), Scalar(o.margin));
  const Tensor counts = logical_and(logical_and(unsqueeze(named, 2), logical_not(unsqueeze(own, 1))), gt(z, Scalar(0)));
  Tensor above = where(counts, z, Scalar(0.0));
  if (o.squared) above = mul(above, above);
  if (weight) above = mul(above, factors);
  return reshape(div(sum(above, Dims{1, 2}), Scalar(static_cast<double>(classes))), shape);
}

// ---- the node

struct MarginLossVjp {
  Options o;
  Saved x, target, weight;
  const char* name() const { return o.several ? "MultilabelMarginLossBackward0" : "MultiMarginLossBackward0"; }
  SavedFields fields() {
    if (o.several) return {{"self", &x}, {"target", &target}};
    return {{"margin", Scalar(o.margin)},
            {"p", Scalar(o.squared ? 2 : 1)},
            {"self", &x},
            {"target", &target},
            {"weight", &weight}};
  }
  auto saves() { return std::tie(x, target, weight); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), t = target.unpack(&self),
                 w = weight.defined() ? weight.unpack(&self) : Tensor();
    if (modes.tracking() || any_batched(g[0], input, t, w))
      return vjp_of_composed(self, std::span(&input, 1), g, out, [&](std::span<const Tensor> p) {
        return std::vector<Tensor>{composed(p[0], t, w, g[0].shape(), o)};
      });
    out[0] = gradient(g[0], input, t, w, o);
  }
};

Tensor margin_loss(const Tensor& x, const Tensor& target, const Tensor& weight, const Dims& shape, const Options& o) {
  if (any_batched(x, target, weight)) return composed(x, target, weight, shape, o);
  const Tensor out = losses(x, target, weight, shape, o);
  if (should_record(x)) record(out, {&x}, MarginLossVjp{o, Saved(x), Saved(target), weight ? Saved(weight) : Saved()});
  return out;
}

}  // namespace

Tensor multi_margin_loss(const Tensor& x, const Tensor& target, bool squared, double margin, const Tensor& weight) {
  check_input(x);
  check(target.dim() <= 1 && target.numel() == rows_of(x),
        "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
        "Expected target size [",
        rows_of(x), "], but got ", target.shape(), ". Input has shape ", x.shape(), ".");
  check_weight(x, weight);
  check_dtypes(x, target, "multi_margin_loss_cpu_kernel");
  check_labels(target, 0, classes_of(x), "target out of range");
  return margin_loss(x, target, weight, target.shape(), {.several = false, .squared = squared, .margin = margin});
}

Tensor multilabel_margin_loss(const Tensor& x, const Tensor& target) {
  check_input(x);
  const bool fits = x.dim() == 2 ? target.shape() == x.shape() : target.dim() <= 1 && target.numel() == x.numel();
  check(fits, "inconsistent target size: ", target.shape(), " for input of size: ", x.shape());
  check_dtypes(x, target, "multilabel_margin_loss_forward_out_frame");
  check_labels(target, -1, classes_of(x), "argument #2 'target' is out of range");
  return margin_loss(x, target, {}, x.dim() == 2 ? Dims{x.size(0)} : Dims(), {.several = true});
}

}  // namespace gradcore
