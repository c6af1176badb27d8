// Connectionist temporal classification. Start at ctc_loss(). Where nothing is tracked both ways are kernels; what has
// to be derivable itself (double backward, forward mode), and batches, take the same sums as ops.
#include "ops/ctc_loss.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/loss/cross_entropy.h"
#include "ops/batching.h"
#include "ops/composed_vjp.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ---- arguments, in torch's words

#define GC_WHILE " (while checking arguments for ctc_loss_allocate_outputs)"

struct Lengths {
  std::vector<int64_t> times, sizes;  // of each sample: steps and labels
  int64_t longest() const { return sizes.empty() ? 0 : *std::max_element(sizes.begin(), sizes.end()); }
};

std::vector<int64_t> read_lengths(const Tensor& given, const char* name) {
  check(is_integral(given.dtype()), name, " must be integral");
  const NoRecordGuard off;
  const Tensor t = contiguous(cast(given, DType::Int64));
  const int64_t* const first = t.host<int64_t>();
  return {first, first + t.numel()};
}

void check_log_probs(const Tensor& x, int64_t blank) {
  check(x.dim() == 3, "Expected 3-dimensional tensor, but got ", x.dim(),
        "-dimensional tensor for argument #1 'log_probs'" GC_WHILE);
  check(x.dtype() == DType::Float32 || x.dtype() == DType::Float64, ErrorKind::NotImplemented,
        "\"ctc_loss_cpu\" not implemented for '", scalar_type_name(x.dtype()), "'");
  check(x.numel() > 0, "log_probs tensor must not be empty");
  check(blank >= 0 && blank < x.size(2), "blank must be in label range");
}

void check_lengths(const Lengths& lengths, int64_t steps, int64_t samples) {
  check(std::ssize(lengths.times) == samples, "input_lengths must be of size batch_size");
  check(std::ssize(lengths.sizes) == samples, "target_lengths must be of size batch_size");
  for (const int64_t n : lengths.sizes)
    check(n >= 0, "Expected target_lengths to have value at least 0, but got value ", n, GC_WHILE);
  for (const int64_t n : lengths.times) {
    check(n >= 0, "Expected input_lengths to have value at least 0, but got value ", n, GC_WHILE);
    check(n <= steps, "Expected input_lengths to have value at most ", steps, ", but got value ", n, GC_WHILE);
  }
}

void check_targets(const Tensor& targets, const Lengths& lengths, int64_t samples) {
  check(targets.dim() == 1 || targets.dim() == 2, "Expected 1 to 2 dimensions, but got ", targets.dim(),
        "-dimensional tensor for argument #2 'targets'" GC_WHILE);
  const auto must_have = [&](bool has, const char* how, int64_t size, int dim) {
    check(has, "Expected tensor to have size ", how, size, " at dimension ", dim, ", but got size ", targets.size(dim),
          " for argument #2 'targets'" GC_WHILE);
  };
  if (targets.dim() == 1) {
    int64_t total = 0;
    for (const int64_t n : lengths.sizes) total += std::min(n, INT64_MAX - total);
    must_have(targets.size(0) == total, "", total, 0);
    return;
  }
  must_have(targets.size(0) == samples, "", samples, 0);
  must_have(targets.size(1) >= lengths.longest(), "at least ", lengths.longest(), 1);
}

// What CtcSizes calls paths. Refuses a target that is no class.
Tensor paths_of(const Tensor& targets, const Lengths& lengths, int64_t blank, int64_t classes) {
  const NoRecordGuard off;
  const Tensor t = contiguous(cast(targets, DType::Int64));
  const int64_t* const all = t.host<int64_t>();
  const int64_t samples = std::ssize(lengths.sizes), width = 2 * lengths.longest() + 3;
  std::vector<int64_t> rows(static_cast<size_t>(samples * width), blank);
  int64_t begin = 0;
  for (int64_t n = 0; n < samples; ++n) {
    const auto i = static_cast<size_t>(n);
    const int64_t size = lengths.sizes[i], *const own = all + (t.dim() == 2 ? n * t.size(1) : begin);
    int64_t* const row = rows.data() + n * width;
    row[0] = lengths.times[i], row[1] = size;
    for (int64_t k = 0; k < size; ++k) {
      const int64_t label = own[k];
      check(label >= 0 && label < classes, ErrorKind::Index, "ctc_loss: a target is not a class: there are ", classes);
      row[3 + 2 * k] = label;
    }
    begin += size;
  }
  const Tensor out = empty({samples, width}, DType::Int64);
  launch_host("ctc_paths", {writes(out)},
              [&](Opener open) { std::copy(rows.begin(), rows.end(), open.operator()<int64_t>(out)); });
  return out;
}

// ---- the kernels

CtcSizes sizes_of(const Tensor& x, const Tensor& paths) { return {x.size(0), x.size(1), x.size(2), paths.size(1) - 2}; }
Tensor losses(const Tensor& x, const Tensor& paths) {
  const NoRecordGuard off;
  const Tensor dense = contiguous(x), out = empty({x.size(1)}, x.dtype());
  Kernel<CtcArgs> k("ctc_loss", kernels().loss.ctc.loss[x.dtype()]);
  k.args.sizes = sizes_of(x, paths);
  k.reads(&CtcArgs::x, dense.window()).reads(&CtcArgs::paths, paths.window());
  launch(k.writes(&CtcArgs::out, out.window()));
  return out;
}
Tensor gradient(const Tensor& g, const Tensor& x, const Tensor& paths) {
  const Tensor dense = contiguous(x), grad = contiguous(g), out = empty(x.shape(), x.dtype());
  Kernel<CtcBackwardArgs> k("ctc_loss_backward", kernels().loss.ctc.backward[x.dtype()]);
  k.args.sizes = sizes_of(x, paths);
  k.reads(&CtcBackwardArgs::g, grad.window()).reads(&CtcBackwardArgs::x, dense.window());
  launch(k.reads(&CtcBackwardArgs::paths, paths.window()).writes(&CtcBackwardArgs::dx, out.window()));
  return out;
}

// ---- the same sums as ops

// -inf would give NaN in the derivative of logsumexp; exp() of this is 0 in both float dtypes all the same.
const Scalar nothing(-1e30), nearly_nothing(-5e29);

Tensor count_to(int64_t n) { return arange(Scalar(int64_t{0}), Scalar(n), Scalar(int64_t{1}), DType::Int64); }

// Where a path may come from two places before.
Tensor skips(const Tensor& labels) {
  const int64_t places = labels.size(1);
  const Tensor blank = narrow(labels, 1, 0, 1);
  const Tensor padded[] = {blank, blank, labels};
  const Tensor differs = ne(labels, narrow(cat(padded, 1), 1, 0, places));
  return logical_and(logical_and(ne(labels, blank), differs), ge(count_to(places), Scalar(int64_t{2})));
}

// Row t of alpha holds log probabilities of all paths that end at each place at time t. The last row, where a sample
// stays at its last step.
Tensor last_alpha(const Tensor& x, const Tensor& labels, const Tensor& times) {
  const int64_t steps = x.size(0), samples = x.size(1), places = labels.size(1);
  const Tensor emitted = gather(x, 2, expand(unsqueeze(labels, 0), {steps, samples, places}));
  const Tensor can_skip = skips(labels), none = full({samples, 2}, nothing, x.dtype());
  Tensor alpha = full({samples, places}, nothing, x.dtype());
  for (int64_t t = 0; t < steps; ++t) {
    Tensor now = select(emitted, 0, t);
    if (t == 0) {
      now = where(lt(count_to(places), Scalar(int64_t{2})), now, nothing);
    } else {
      const Tensor both[] = {none, alpha};
      const Tensor padded = cat(both, 1), skipped = where(can_skip, narrow(padded, 1, 0, places), nothing);
      const Tensor ways[] = {alpha, narrow(padded, 1, 1, places), skipped};
      now = add(logsumexp(stack(ways, 0), {0}, false), now);
      now = where(le(detach(now), nearly_nothing), nothing, now);
    }
    alpha = where(unsqueeze(gt(times, Scalar(t)), 1), now, alpha);
  }
  return alpha;
}

Tensor composed(const Tensor& x, const Tensor& paths) {
  const Tensor labels = narrow(paths, 1, 2, paths.size(1) - 2);
  const Tensor times = select(paths, 1, 0), sizes = select(paths, 1, 1), last = unsqueeze(mul(sizes, Scalar(2)), 1);
  const Tensor alpha = last_alpha(x, labels, times);
  const Tensor before = gather(alpha, 1, clamp_min(sub(last, Scalar(1)), Scalar(0)));
  const Tensor ends[] = {gather(alpha, 1, last), where(gt(last, Scalar(0)), before, nothing)};
  const Tensor without_steps = cast(where(eq(sizes, Scalar(0)), Scalar(0.0), nothing), x.dtype());
  const Tensor total = where(eq(times, Scalar(0)), without_steps, logsumexp(cat(ends, 1), {1}, false));
  const Tensor infinite = le(detach(total), nearly_nothing);
  // What torch adds to the derivative; its value is 0.
  const Tensor counts = unsqueeze(lt(unsqueeze(count_to(x.size(0)), 1), times), 2);
  const Tensor whole = sum(exp(where(counts, x, Scalar(-kInfinity))), Dims{0, 2});
  const Tensor loss = where(infinite, Scalar(kInfinity), neg(total));
  return add(loss, masked_fill(sub(whole, detach(whole)), infinite, Scalar(0.0)));
}

// ---- the node

struct CtcLossVjp {
  static constexpr const char* kName = "CtcLossBackward0";
  Saved x;
  Tensor paths;  // not among what hooks may replace: the kernel relies on its numbers
  SavedFields fields() { return {{"log_probs", &x}}; }
  auto saves() { return std::tie(x); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self);
    if (modes.tracking() || any_batched(g[0], input))
      return vjp_of_composed(self, std::span(&input, 1), g, out,
                             [&](std::span<const Tensor> p) { return std::vector<Tensor>{composed(p[0], paths)}; });
    out[0] = gradient(g[0], input, paths);
  }
};

}  // namespace

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank, Reduction reduction, bool zero_infinity) {
  if (log_probs.dim() == 2) {
    const Tensor labels = targets.dim() == 1 ? unsqueeze(targets, 0) : targets;
    const Tensor loss =
        ctc_loss(unsqueeze(log_probs, 1), labels, input_lengths, target_lengths, blank, reduction, zero_infinity);
    return reduction == Reduction::None ? squeeze(loss, {0}) : loss;
  }
  check_log_probs(log_probs, blank);
  const Lengths lengths{read_lengths(input_lengths, "input_lengths"), read_lengths(target_lengths, "target_lengths")};
  const int64_t samples = log_probs.size(1);
  check_lengths(lengths, log_probs.size(0), samples);
  check_targets(targets, lengths, samples);
  const Tensor paths = paths_of(targets, lengths, blank, log_probs.size(2));
  Tensor loss;
  if (any_batched(log_probs)) {
    loss = composed(log_probs, paths);
  } else {
    loss = losses(log_probs, paths);
    if (should_record(log_probs)) record(loss, {&log_probs}, CtcLossVjp{Saved(log_probs), paths});
  }
  if (zero_infinity) loss = masked_fill(loss, eq(detach(loss), Scalar(kInfinity)), Scalar(0.0));
  if (reduction == Reduction::None) return loss;
  if (reduction == Reduction::Sum) return sum(loss);
  return mean(div(loss, clamp_min(cast(select(paths, 1, 1), loss.dtype()), Scalar(1.0))));
}

}  // namespace gradcore
