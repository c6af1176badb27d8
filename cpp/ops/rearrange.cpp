// One tensor rearranged into new memory: flip, roll, repeat, and the triangles tril and triu.
#include <algorithm>

#include "kernels/portable/join.h"
#include "ops/batching.h"
#include "ops/rearrange.h"
#include "ops/record.h"
#include "tensor/door.h"
#include "tensor/plan.h"

namespace gradcore {

namespace {

// Records an op of one tensor that was computed by batched_in_front().
template <class F, class Vjp> Tensor recorded_in_front(const Tensor& t, F&& compute, Vjp vjp) {
  Tensor out = batched_in_front(compute, t);
  if (should_record(t)) record(out, {&t}, std::move(vjp));
  return out;
}

// ---- flip

struct FlipVjp {
  static constexpr const char* kName = "FlipBackward0";
  Dims dims;
  SavedFields fields() { return {{"dims", dims}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = flip(g[0], dims); }
};

// `flips[d]`: whether dim d is. Reading starts at the far end of each flipped dim and goes backwards.
Tensor flipped(const Tensor& t, const Dims& flips) {
  const Tensor out = empty_like(t, t.dtype());
  if (t.numel() == 0) return out;
  Dims strides = t.strides();
  int64_t start = 0;
  for (int d = 0; d < t.dim(); ++d) {
    if (!flips[d]) continue;
    start += (t.size(d) - 1) * t.stride(d);
    strides[d] = -strides[d];
  }
  launch_host("flip", {reads(t), writes(out)}, [&](Opener open) {
    const int64_t item = item_size(t.dtype());
    const PlanOperand operands[] = {{open(out), &out.shape(), &out.strides(), item},
                                    {open(t) + start * item, &t.shape(), &strides, item}};
    Plan plan;
    make_plan(plan, t.shape(), operands, 2);
    run_plan(plan, kernels().copy.to[index_of(t.dtype())][t.dtype()], nullptr, 0, 0.5);
  });
  return out;
}

// ---- roll

struct RollVjp {
  static constexpr const char* kName = "RollBackward0";
  Dims shifts, dims;
  SavedFields fields() { return {{"shifts", shifts}, {"dims", dims}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    Dims back(shifts.size(), 0);
    for (int i = 0; i < back.size(); ++i) {
      const int64_t size = dims.empty() ? g[0].numel() : g[0].size(wrap_dim(dims[i], g[0].dim(), false));
      if (size > 0) back[i] = -(shifts[i] % size);  // within the size: the least number has no negative
    }
    out[0] = roll(g[0], back, dims);
  }
};

// `shift` in [0, size).
int64_t wrap_shift(int64_t shift, int64_t size) {
  const int64_t rest = shift % size;
  return rest < 0 ? rest + size : rest;
}

// Copies `from` to `to`, moved by shift[d] along each dim and around its end: 2^k boxes for k dims that move.
void copy_rolled(const Tensor& to, const Tensor& from, const Dims& shift) {
  Dims moving;
  for (int d = 0; d < shift.size(); ++d)
    if (shift[d] > 0) moving.push_back(d);
  const uint64_t boxes = uint64_t{1} << moving.size();  // at most numel: every moving dim has two places or more
  for (uint64_t box = 0; box < boxes; ++box) {
    Dims shape = from.shape();
    int64_t source = 0, target = 0;
    for (int k = 0; k < moving.size(); ++k) {
      const int d = static_cast<int>(moving[k]);
      const int64_t stays = from.size(d) - shift[d];
      const bool wraps = box >> k & 1;
      shape[d] = wraps ? shift[d] : stays;
      source += wraps ? stays * from.stride(d) : 0;
      target += wraps ? 0 : shift[d] * to.stride(d);
    }
    copy_raw(make_window(to, shape, to.strides(), target), make_window(from, shape, from.strides(), source));
  }
}

// Moved by shift[d] in [0, size) along each dim.
Tensor rolled(const Tensor& t, const Dims& shift) {
  const Tensor out = empty(t.shape(), t.dtype());
  if (t.numel() > 0) copy_rolled(out, t, shift);
  return out;
}

// The samples of a batch, or the whole tensor, as lines that are moved by `shift`.
Tensor rolled_flat(const Tensor& t, int batch, int64_t shift) {
  Dims line(t.shape().span().first(static_cast<size_t>(batch)));
  line.push_back(numel_of(t.shape().span().subspan(static_cast<size_t>(batch))));
  Dims shifts(batch, 0);
  shifts.push_back(shift);
  const Tensor from = contiguous(t), out = empty(t.shape(), t.dtype());
  const Dims strides = contiguous_strides(line);
  if (t.numel() > 0) copy_rolled(make_window(out, line, strides), make_window(from, line, strides), shifts);
  return out;
}

// ---- repeat

struct RepeatVjp {
  static constexpr const char* kName = "RepeatBackward0";
  Dims shape, repeats;
  SavedFields fields() { return {{"self_sym_sizes", shape}, {"repeats", repeats}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const int extra = repeats.size() - shape.size();
    Dims apart, summed;  // every repeated dim as (repeat, size)
    for (int i = 0; i < repeats.size(); ++i) {
      if (repeats[i] != 1) {
        summed.push_back(apart.size());
        apart.push_back(repeats[i]);
      }
      if (i >= extra) apart.push_back(shape[i - extra]);
    }
    Tensor r = reshape(g[0], apart);
    if (!summed.empty()) r = sum(r, summed);
    out[0] = std::move(r);
  }
};

// `sizes` and `strides` are those of `t` with dims of one element in front, as many as `repeats`.
Tensor repeated(const Tensor& t, const Dims& sizes, const Dims& strides, const Dims& repeats) {
  Dims shape = sizes;
  for (int i = 0; i < shape.size(); ++i) shape[i] *= repeats[i];
  const Tensor out = empty(shape, t.dtype());
  if (out.numel() == 0) return out;
  // Both as (repeat, size, repeat, size, ...), where the source does not step along a repeat.
  Dims apart, to, from;
  for (int i = 0; i < shape.size(); ++i) {
    if (repeats[i] > 1) {
      apart.push_back(repeats[i]);
      to.push_back(sizes[i] * out.stride(i));
      from.push_back(0);
    }
    if (sizes[i] > 1) {
      apart.push_back(sizes[i]);
      to.push_back(out.stride(i));
      from.push_back(strides[i]);
    }
  }
  copy_raw(make_window(out, apart, to), make_window(t, apart, from));
  return out;
}

// ---- triangles

struct TriangleVjp {
  int64_t diagonal;
  bool upper;
  const char* name() const { return upper ? "TriuBackward0" : "TrilBackward0"; }
  SavedFields fields() { return {{"diagonal", diagonal}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = upper ? triu(g[0], diagonal) : tril(g[0], diagonal);
  }
};

Tensor triangle_of(const Tensor& t, int64_t diagonal, bool upper) {
  const Tensor out = empty(t.shape(), t.dtype());
  if (out.numel() == 0) return out;
  const Tensor in = contiguous(t);
  using Args = portable::TriangleArgs;
  Kernel<Args> k("triangle", portable::triangle);
  k.args.rows = t.size(t.dim() - 2);
  k.args.columns = t.size(t.dim() - 1);
  k.args.lines = out.numel() / k.args.columns;
  k.args.shift = std::clamp<int64_t>(diagonal, -k.args.rows, k.args.columns) + (upper ? 0 : 1);
  k.args.item = item_size(t.dtype());
  k.args.upper = upper;
  launch(k.reads(&Args::in, in.window()).writes(&Args::out, out.window()));
  return out;
}

Tensor triangle(const Tensor& t, int64_t diagonal, bool upper) {
  check(t.dim() >= 2, upper ? "triu" : "tril", ": input tensor must have at least 2 dimensions");
  return recorded_in_front(
      t, [&](int, const Tensor& p) { return triangle_of(p, diagonal, upper); }, TriangleVjp{diagonal, upper});
}

Dims with_batch_in_front(int batch, int64_t value, const Dims& dims) {
  if (batch == 0) return dims;
  Dims all(batch, value);
  for (int64_t d : dims) all.push_back(d);
  return all;
}

}  // namespace

Tensor flip(const Tensor& t, const Dims& dims) {
  Dims flips(std::max(t.dim(), 1), 0);
  for (int64_t dim : dims) {
    const int d = wrap_dim(dim, t.dim());
    check(!flips[d], "dim ", d, " appears multiple times in the list of dims");
    flips[d] = 1;
  }
  return recorded_in_front(
      t, [&](int batch, const Tensor& p) { return flipped(p, with_batch_in_front(batch, 0, flips)); }, FlipVjp{dims});
}

Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims) {
  check(!shifts.empty(), "`shifts` required");
  const bool flat = dims.empty() && shifts.size() == 1;
  if (!flat && shifts.size() != dims.size())
    fail("shifts and dimensions must align. shifts: ", shifts.size(), ", dims:", dims.size());
  Dims total(flat ? 1 : t.dim(), 0);
  for (int i = 0; i < shifts.size(); ++i) {
    const int d = flat ? 0 : wrap_dim(dims[i], t.dim(), false);
    const int64_t size = flat ? t.numel() : t.size(d);
    if (size == 0) continue;
    total[d] = wrap_shift(total[d] + wrap_shift(shifts[i], size), size);
  }
  const auto compute = [&](int batch, const Tensor& p) {
    return flat ? rolled_flat(p, batch, total[0]) : rolled(p, with_batch_in_front(batch, 0, total));
  };
  return recorded_in_front(t, compute, RollVjp{shifts, dims});
}

Tensor repeat(const Tensor& t, const Dims& repeats) {
  const int n = repeats.size(), extra = n - t.dim();
  check(extra >= 0, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  for (int i = 0; i < n; ++i) {
    const int64_t own = i < extra ? 1 : t.size(i - extra);
    int64_t size;
    if (__builtin_mul_overflow(own, repeats[i], &size))
      fail("repeat: ", repeats[i], " times size ", own, " at dimension ", i, " overflows");
  }
  const auto compute = [&](int batch, const Tensor& p) {
    Dims sizes = p.shape(), strides = p.strides();
    for (int i = 0; i < extra; ++i) {
      sizes.insert(batch, 1);
      strides.insert(batch, 0);
    }
    return repeated(p, sizes, strides, with_batch_in_front(batch, 1, repeats));
  };
  return recorded_in_front(t, compute, RepeatVjp{t.shape(), repeats});
}

Tensor tril(const Tensor& t, int64_t diagonal) { return triangle(t, diagonal, false); }
Tensor triu(const Tensor& t, int64_t diagonal) { return triangle(t, diagonal, true); }

}  // namespace gradcore
