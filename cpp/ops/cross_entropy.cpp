// The cross entropy of rows of scores with one class each. Start at cross_entropy().
#include "ops/batching.h"
#include "ops/loss.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

Tensor counted(const Tensor& target, int64_t ignored) { return ne(target, Scalar(ignored)); }

// The whole op as a composition, for batches.
Tensor composed(const Tensor& x, const Tensor& target, int64_t ignored, std::string_view reduction) {
  const Tensor counts = counted(target, ignored);
  const Tensor place = where(counts, target, Scalar(0));
  const Tensor picked = squeeze(gather(log_softmax(x, 1, {}), 1, unsqueeze(place, 1)), Dims{1});
  const Tensor losses = where(counts, neg(picked), Scalar(0.0));
  if (reduction == "none") return losses;
  const Tensor total = sum(losses);
  return reduction == "sum" ? total : div(total, cast(sum(counts), x.dtype()));
}

struct NllLossVjp {
  static constexpr const char* kName = "NllLossBackward0";
  Saved x, target, stats;
  int64_t ignored;
  bool by_row;  // whether there is a loss for each row
  double scale;
  auto saves() { return std::tie(x, target, stats); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), classes = target.unpack(&self), known = stats.unpack(&self);
    out[0] = modes.tracking() || any_batched(g[0], input, classes) ? by_ops(g[0], input, classes)
                                                                   : by_kernel(contiguous(g[0]), input, classes, known);
  }
  Tensor by_ops(const Tensor& g, const Tensor& input, const Tensor& classes) const {
    const DType type = input.dtype();
    const Tensor hit = eq(unsqueeze(classes, 1), range(input.size(1)));
    const Tensor factor = mul(mul(cast(counted(classes, ignored), type), g), Scalar(scale));
    return mul(sub(softmax(input, 1, {}), cast(hit, type)), unsqueeze(factor, 1));
  }
  Tensor by_kernel(const Tensor& g, const Tensor& input, const Tensor& classes, const Tensor& known) const {
    const Tensor dense = contiguous(input), index = contiguous(classes), out = empty(input.shape(), input.dtype());
    if (input.numel() == 0) return out;
    Kernel<CrossEntropyBackwardArgs> k("cross_entropy_backward", kernels().cross_entropy.backward[input.dtype()]);
    using Args = CrossEntropyBackwardArgs;
    k.reads(&Args::x, dense.window()).reads(&Args::target, index.window()).reads(&Args::stats, known.window());
    k.reads(&Args::g, g.window()).writes(&Args::dx, out.window());
    k.args.rows = input.size(0);
    k.args.classes = input.size(1);
    k.args.ignored = ignored;
    k.args.g_step = by_row ? 1 : 0;
    k.args.scale = scale;
    launch(k);
    return out;
  }
  static Tensor range(int64_t n) { return arange(Scalar(int64_t{0}), Scalar(n), Scalar(int64_t{1}), DType::Int64); }
};

// How many targets are not ignored. Raises for one that is no class.
int64_t count_targets(const Tensor& target, int64_t classes, int64_t ignored) {
  const int64_t* values = target.host<int64_t>();
  int64_t count = 0;
  for (int64_t i = 0; i < target.numel(); ++i) {
    if (values[i] == ignored) continue;
    if (values[i] < 0 || values[i] >= classes) fail(ErrorKind::Index, "Target ", values[i], " is out of bounds.");
    ++count;
  }
  return count;
}

}  // namespace

Tensor cross_entropy(const Tensor& x, const Tensor& target, int64_t ignored, std::string_view reduction) {
  check(x.dim() == 2 && target.dim() == 1 && x.size(0) == target.size(0), "Expected input batch_size (",
        x.dim() ? x.size(0) : 0, ") to match target batch_size (", target.dim() ? target.size(0) : 0, ").");
  check(is_floating(x.dtype()) && target.dtype() == DType::Int64, "expected scalar type Long but found ",
        scalar_type_name(target.dtype()));
  if (any_batched(x, target)) return composed(x, target, ignored, reduction);
  Tensor out, stats;
  double scale = 1;
  const bool by_row = reduction == "none";
  {
    const NoRecordGuard off;
    const Tensor dense = contiguous(x), index = contiguous(target);
    const int64_t count = count_targets(index, x.size(1), ignored);
    stats = empty(Dims{x.size(0), 2}, x.dtype());
    out = empty(Dims{x.size(0)}, x.dtype());
    if (x.numel()) {
      Kernel<CrossEntropyArgs> k("cross_entropy", kernels().cross_entropy.forward[x.dtype()]);
      k.reads(&CrossEntropyArgs::x, dense.window()).reads(&CrossEntropyArgs::target, index.window());
      k.writes(&CrossEntropyArgs::loss, out.window()).writes(&CrossEntropyArgs::stats, stats.window());
      k.args.rows = x.size(0);
      k.args.classes = x.size(1);
      k.args.ignored = ignored;
      launch(k);
    }
    if (!by_row) out = sum(out);
    if (reduction == "mean") {
      scale = 1 / static_cast<double>(count);
      out = div(out, Scalar(static_cast<double>(count)));
    }
  }
  if (should_record(x)) record(out, {&x}, NllLossVjp{Saved(x), Saved(target), Saved(stats), ignored, by_row, scale});
  return out;
}

}  // namespace gradcore
