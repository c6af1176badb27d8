// Losses with classes. Start at cross_entropy(): log_softmax and nll_loss in one op. Where nothing is tracked both ways
// are kernels; double backward, batches and forward mode take the same sums as ops.
#include "ops/class_loss.h"

#include "kernels/loss/cross_entropy.h"
#include "kernels/portable/nll.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/reach.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// ---- arguments, in torch's words

void check_shapes(const Tensor& x, const Tensor& target) {
  check(x.dim() > 0, ErrorKind::Value, "Expected 1 or more dimensions (got 0)");
  if (x.dim() == 1) {
    check(target.dim() != 1 || target.size(0) == 1, ErrorKind::Value,
          "For 1D input, 1D target must have size 1, but got target size: ", target.dim() ? target.size(0) : 0);
    check(target.dim() < 2, "0D or 1D target tensor expected, multi-target not supported");
    return;
  }
  check(target.dim() > 0 && x.size(0) == target.size(0), ErrorKind::Value, "Expected input batch_size (", x.size(0),
        ") to match target batch_size (", target.dim() ? target.size(0) : 0, ").");
  check(x.dim() != 2 || target.dim() == 1, "0D or 1D target tensor expected, multi-target not supported");
  Dims expected = x.shape();
  expected.erase(1);
  if (target.shape() == expected) return;
  if (x.dim() == 4 && target.dim() == 3) fail("size mismatch (got input: ", x.shape(), " , target: ", target.shape());
  if (x.dim() == 4)
    fail("only batches of spatial targets supported (3D tensors) but got targets of dimension: ", target.dim());
  fail("Expected target size ", expected, ", got ", target.shape());
}

void check_loss(const Tensor& x, const Tensor& target, const Tensor& weight, const char* kernel) {
  check_shapes(x, target);
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"", kernel, "\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
  check(target.dtype() == DType::Int64 || target.dtype() == DType::UInt8,
        "expected target dtype to be Long or Byte, but got ", scalar_type_name(target.dtype()));
  const int64_t classes = x.size(x.dim() == 1 ? 0 : 1);
  check(!weight || (weight.dim() == 1 && weight.numel() == classes), "weight tensor should be defined either for all ",
        classes, " classes or no classes but got weight tensor of shape: ", weight ? weight.shape() : Dims());
  check(!weight || weight.dtype() == x.dtype(), "expected scalar type ", scalar_type_name(x.dtype()), " but found ",
        weight ? scalar_type_name(weight.dtype()) : "");
  check(!weight || !modes.grad || !requires_grad(weight),
        "The function 'nll_loss_forward' is not differentiable with "
        "respect to argument 'weight'. This input cannot have requires_grad True.");
}

void check_classes(const Tensor& target, int64_t classes, int64_t ignored) {
  const NoRecordGuard off;
  const Tensor t = any_batched(target) ? contiguous(physical(target, levels_of({&target}))) : target;
  Kernel<portable::CheckClassesArgs> k("check_classes", portable::check_classes);
  k.args = {nullptr, t.numel(), classes, ignored};
  launch(k.reads(&portable::CheckClassesArgs::target, t.window()).may_raise());
}

// Dense classes as int64.
Tensor as_index(const Tensor& target) {
  const NoRecordGuard off;
  return contiguous(cast(target, DType::Int64));
}

struct LossOptions {
  int64_t ignored;
  Reduction reduction;
  double smoothing;
};

// ---- the loss of log probabilities

// The weight of each row's class, 0 for those that do not count; and the classes without those.
struct RowsByOps {
  Tensor index, counts, weight;
  RowsByOps(const Tensor& target, const Tensor& w, int64_t ignored, DType dtype) {
    const NoRecordGuard off;  // the weights are constants
    const Tensor skipped = eq(target, Scalar(ignored));
    index = masked_fill(target, skipped, Scalar(int64_t{0}));
    counts = logical_not(skipped);
    weight = cast(counts, dtype);
    if (w) weight = where(counts, reshape(index_select(w, 0, reshape(index, {-1})), index.shape()), Scalar(0.0));
  }
};

Tensor picked(const Tensor& x, const Tensor& index) { return squeeze(gather(x, 1, unsqueeze(index, 1)), Dims{1}); }
Tensor reduced(const Tensor& loss, const Tensor& weight, Reduction reduction) {
  if (reduction == Reduction::None) return loss;
  return reduction == Reduction::Sum ? sum(loss) : div(sum(loss), sum(weight));
}
// The gradient of each row's loss from that of the reduced ones.
Tensor of_rows(const Tensor& g, const Tensor& weight, Reduction reduction) {
  return reduction == Reduction::Mean ? div(g, sum(weight)) : g;
}
// Rows that do not count get 0, also where none does and the mean divides by 0.
Tensor of_counted(const Tensor& grad, const Tensor& counts, Reduction reduction) {
  return reduction == Reduction::Mean ? where(counts, grad, Scalar(0.0)) : grad;
}

Kernel<portable::NllArgs> nll_kernel(const char* name, void (*fn)(const portable::NllArgs&), const Dims& shape,
                                     const Tensor& target, const Tensor& weight, DType dtype, const LossOptions& o) {
  Kernel<portable::NllArgs> k(name, fn);
  k.args.samples = shape[0], k.args.classes = shape[1], k.args.places = 1;
  for (int i = 2; i < shape.size(); ++i) k.args.places *= shape[i];
  k.args.ignored = o.ignored;
  k.args.reduces = o.reduction != Reduction::None, k.args.averages = o.reduction == Reduction::Mean;
  k.args.dtype = dtype;
  k.reads(&portable::NllArgs::target, target.window());
  if (weight) k.reads(&portable::NllArgs::weight, weight.window());
  return k;
}

Tensor nll_by_ops(const Tensor& x, const Tensor& target, const Tensor& weight, const LossOptions& o) {
  const RowsByOps rows(target, weight, o.ignored, x.dtype());
  return reduced(neg(mul(where(rows.counts, picked(x, rows.index), Scalar(0.0)), rows.weight)), rows.weight,
                 o.reduction);
}

struct NllVjp {
  int dims;
  LossOptions o;
  Saved x, target, weight;
  const char* name() const { return dims == 4 ? "NllLoss2DBackward0" : "NllLossBackward0"; }
  SavedFields fields() { return {{"self", &x}, {"target", &target}, {"weight", &weight}}; }
  auto saves() { return std::tie(x, target, weight); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), t = contiguous(target.unpack(&self)),
                 w = weight.defined() ? weight.unpack(&self) : Tensor();
    const Dims& shape = input.shape();
    if (modes.tracking() || any_batched(g[0], t, w)) {
      const RowsByOps rows(t, w, o.ignored, g[0].dtype());
      const Tensor row = mul(of_rows(g[0], rows.weight, o.reduction), rows.weight);
      const Tensor d = neg(of_counted(row, rows.counts, o.reduction));
      out[0] = with_graph_of(input, scatter_add(zeros(shape, d.dtype()), 1, unsqueeze(rows.index, 1), unsqueeze(d, 1)));
      return;
    }
    const Tensor u = contiguous(g[0]), dense = w ? contiguous(w) : Tensor();
    out[0] = empty(shape, u.dtype());
    auto k = nll_kernel("nll_backward", portable::nll_backward, shape, t, dense, u.dtype(), o);
    launch(k.reads(&portable::NllArgs::x, u.window()).writes(&portable::NllArgs::out, out[0].window()));
  }
};

// ---- the loss of scores: rows of classes

void set(auto& args, const Tensor& x, const LossOptions& o) {
  args.sizes = {
      x.size(0), x.size(1), o.ignored, o.smoothing, o.reduction != Reduction::None, o.reduction == Reduction::Mean};
}

// The share of each class in the target of each row, times its weight: constants.
Tensor shares(const RowsByOps& rows, const Tensor& weight, int64_t classes, double smoothing) {
  const NoRecordGuard off;
  const Tensor hot =
      eq(unsqueeze(rows.index, -1), arange(Scalar(int64_t{0}), Scalar(classes), Scalar(int64_t{1}), DType::Int64));
  Tensor q = mul(cast(hot, rows.weight.dtype()), unsqueeze(mul(rows.weight, Scalar(1 - smoothing)), -1));
  if (smoothing == 0) return q;
  const Tensor uniform = weight
                             ? mul(weight, Scalar(smoothing / static_cast<double>(classes)))
                             : full({classes}, Scalar(smoothing / static_cast<double>(classes)), rows.weight.dtype());
  return add(q, where(unsqueeze(rows.counts, -1), uniform, Scalar(0.0)));
}

Tensor cross_entropy_by_ops(const Tensor& x, const Tensor& target, const Tensor& weight, const LossOptions& o) {
  const RowsByOps rows(target, weight, o.ignored, x.dtype());
  const Tensor p = log_softmax(x, 1, {});
  const Tensor hard = mul(where(rows.counts, picked(p, rows.index), Scalar(0.0)), rows.weight);
  Tensor loss = neg(mul(hard, Scalar(1 - o.smoothing)));
  if (o.smoothing != 0) {
    const Tensor all = sum(weight ? mul(p, alias_of(weight)) : p, Dims{1});
    loss = sub(loss, mul(where(rows.counts, all, Scalar(0.0)), Scalar(o.smoothing / static_cast<double>(x.size(1)))));
  }
  return reduced(loss, rows.weight, o.reduction);
}

struct CrossEntropyVjp {
  static constexpr const char* kName = "NllLossBackward0";
  Saved x, target, weight;
  LossOptions o;
  SavedFields fields() { return {{"target", &target}, {"weight", &weight}}; }
  auto saves() { return std::tie(x, target, weight); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), t = contiguous(target.unpack(&self)),
                 w = weight.defined() ? weight.unpack(&self) : Tensor();
    if (modes.tracking() || any_batched(g[0], input, t, w)) {
      out[0] = by_ops(g[0], input, t, w);
      return;
    }
    const Tensor u = contiguous(g[0]), dense = contiguous(input), d = w ? contiguous(w) : Tensor();
    out[0] = empty(dense.shape(), dense.dtype());
    Kernel<CrossEntropyBackwardArgs> k("cross_entropy_backward", kernels().loss.cross_entropy_backward[dense.dtype()]);
    set(k.args, dense, o);
    k.reads(&CrossEntropyBackwardArgs::g, u.window()).reads(&CrossEntropyBackwardArgs::x, dense.window());
    k.reads(&CrossEntropyBackwardArgs::target, t.window());
    if (d) k.reads(&CrossEntropyBackwardArgs::weight, d.window());
    launch(k.writes(&CrossEntropyBackwardArgs::dx, out[0].window()));
  }
  Tensor by_ops(const Tensor& g, const Tensor& input, const Tensor& t, const Tensor& w) const {
    const RowsByOps rows(t, w, o.ignored, input.dtype());
    const Tensor q = shares(rows, w, input.size(1), o.smoothing);
    const Tensor d = sub(mul(softmax(input, 1, {}), sum(q, Dims{1}, true)), q);
    const Tensor by = of_rows(g, rows.weight, o.reduction);
    const Tensor grad = mul(d, o.reduction == Reduction::None ? unsqueeze(by, 1) : by);
    return of_counted(grad, unsqueeze(rows.counts, 1), o.reduction);
  }
};

// Rows of classes, (N, C).
Tensor rows_loss(const Tensor& x, const Tensor& target, const Tensor& weight, const LossOptions& o) {
  if (nodes_run_python()) [[unlikely]]  // those of views of the input: Note [Python in the middle]
    check_loss(x, target, weight, "log_softmax_lastdim_kernel_impl");
  check_classes(target, x.size(1), o.ignored);
  if (any_batched(x, target, weight) || x.numel() == 0) return cross_entropy_by_ops(x, target, weight, o);
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor dense = contiguous(x), w = weight ? contiguous(weight) : Tensor();
    out = empty(o.reduction == Reduction::None ? Dims{x.size(0)} : Dims(), x.dtype());
    Kernel<CrossEntropyArgs> k("cross_entropy", kernels().loss.cross_entropy[x.dtype()]);
    set(k.args, dense, o);
    k.reads(&CrossEntropyArgs::x, dense.window()).reads(&CrossEntropyArgs::target, target.window());
    if (w) k.reads(&CrossEntropyArgs::weight, w.window());
    launch(k.writes(&CrossEntropyArgs::out, out.window()));
  }
  if (should_record(x))
    record(out, {&x}, CrossEntropyVjp{Saved(x), Saved(target), weight ? Saved(weight) : Saved(), o});
  return out;
}

}  // namespace

Tensor nll_loss(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t ignored, Reduction reduction) {
  check_loss(x, target, weight, "nll_loss_out_frame");
  if (x.dim() == 1) {
    const Tensor loss = nll_loss(unsqueeze(x, 0), reshape(target, {1}), weight, ignored, reduction);
    return reduction == Reduction::None ? reshape(loss, {}) : loss;
  }
  const LossOptions o{ignored, reduction, 0};
  const Tensor t = as_index(target);
  check_classes(t, x.size(1), ignored);
  if (any_batched(x, t, weight) || x.numel() == 0) return nll_by_ops(x, t, weight, o);
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor dense = contiguous(x), w = weight ? contiguous(weight) : Tensor();
    out = empty(reduction == Reduction::None ? t.shape() : Dims(), x.dtype());
    auto k = nll_kernel("nll", portable::nll, x.shape(), t, w, x.dtype(), o);
    launch(k.reads(&portable::NllArgs::x, dense.window()).writes(&portable::NllArgs::out, out.window()));
  }
  if (should_record(x)) record(out, {&x}, NllVjp{x.dim(), o, Saved(x), Saved(t), weight ? Saved(weight) : Saved()});
  return out;
}

Tensor cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t ignored, Reduction reduction,
                     double smoothing) {
  if (!(smoothing > 0)) smoothing = 0;  // as in torch, also what is below 0 or NaN
  check(smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: ", smoothing);
  check_loss(x, target, weight, "log_softmax_lastdim_kernel_impl");
  const LossOptions o{ignored, reduction, smoothing};
  const Tensor t = as_index(target);
  if (x.dim() == 2) return rows_loss(x, t, weight, o);
  if (x.dim() == 1) {
    const Tensor loss = rows_loss(unsqueeze(x, 0), reshape(t, {1}), weight, o);
    return reduction == Reduction::None ? reshape(loss, {}) : loss;
  }
  const int64_t classes = x.size(1);
  const Tensor rows = reshape(movedim(x, {1}, {-1}), {x.numel() ? -1 : t.numel(), classes});
  const Tensor loss = rows_loss(rows, reshape(t, {-1}), weight, o);
  return reduction == Reduction::None ? reshape(loss, t.shape()) : loss;
}

}  // namespace gradcore
