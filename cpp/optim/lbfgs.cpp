#include "optim/lbfgs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "autograd/accumulate.h"
#include "autograd/views.h"
#include "core/multi_tensor.h"
#include "kernels/table.h"
#include "ops/copy.h"
#include "ops/view_core.h"
#include "optim/line_search.h"
#include "optim/step.h"

namespace gradcore {

namespace {

constexpr double kCurvature = 1e-10;  // a step along which the gradient grows by less teaches nothing
constexpr int64_t kSlice = 16 << 10;  // elements of a partial sum

// ---- flat vectors ----

bool is_double(const Tensor& t) { return t.dtype() == DType::Float64; }
Tensor vector_like(const Tensor& t) { return empty_as(t, t.dtype()); }

// Elements of a vector from `i` on; null where there is none.
class Elements {
 public:
  explicit Elements(Opener open) : open_(open) {}
  void* operator()(const Tensor& t, int64_t i) const { return t ? open_(t) + i * item_size(t.dtype()) : nullptr; }

 private:
  Opener open_;
};

// What the search decides by is read from memory: its passes over vectors are instructions that give numbers back.
// f(elements); undefined tensors touch nothing.
template <class F> void launch_pass(const char* name, std::initializer_list<Access> windows, F&& f) {
  std::vector<Access> defined;
  for (const Access& a : windows)
    if (a.window) defined.push_back(a);
  launch_host(name, defined, [&](Opener open) { f(Elements(open)); });
}

// Runs sums(begin, n, to) on slices and adds up what they put into `to`, in their order.
template <int kSums, class F> std::array<double, kSums> summed(int64_t n, F&& sums) {
  std::array<double, kSums> total{};
  const int64_t slices = (n + kSlice - 1) / kSlice;
  if (slices <= 1) {
    sums(0, n, total.data());
    return total;
  }
  std::vector<std::array<double, kSums>> parts(slices);
  parallel_blocks(slices, [&](int64_t i) { sums(i * kSlice, std::min(kSlice, n - i * kSlice), parts[i].data()); });
  for (const auto& part : parts)
    for (int i = 0; i < kSums; ++i) total[i] += part[i];
  return total;
}

// to = a x + b y; the dot product of the new `to` with w. There may be no y and no w.
double combine(double a, const Tensor& x, double b, const Tensor& y, const Tensor& to, const Tensor& w) {
  const auto kernel = kernels().lbfgs.combine[x.dtype()];
  double product = 0;
  launch_pass("lbfgs_combine", {reads(x), reads(y), reads(w), writes(to)}, [&](Elements at) {
    product = summed<1>(x.numel(), [&](int64_t i, int64_t n, double* sum) {
      *sum = kernel(n, a, at(x, i), b, at(y, i), at(to, i), at(w, i));
    })[0];
  });
  return product;
}

double reduced(ReduceOp op, const Tensor& x) {
  double as_double = 0;
  float as_float = 0;
  launch_pass("lbfgs_reduce", {reads(x)}, [&](Elements at) {
    ReduceArgs a{};
    a.in = at(x, 0), a.reduce = x.numel();
    a.out = is_double(x) ? static_cast<void*>(&as_double) : &as_float;
    a.outer = a.inner = a.s_outer = a.s_reduce = a.s_inner = 1;
    kernels().reduce[op][x.dtype()](a);
  });
  return is_double(x) ? as_double : as_float;
}
double largest(const Tensor& x) { return x.numel() ? reduced(ReduceOp::MaxAbs, x) : 0; }

// ---- the parameters as one vector ----

struct Segment {
  Tensor param, grad;
  int64_t n, offset;
  DType dtype;
  std::span<const Tensor> arrays() const { return {&param, 1}; }
};

class FlatParams {
 public:
  explicit FlatParams(std::span<const Tensor> params) : dtype_(flat_dtype(params)) {
    segments_.reserve(params.size());
    for (const Tensor& p : params) {
      segments_.push_back({p, {}, p.numel(), size_, p.dtype()});
      size_ += p.numel();
    }
  }

  // The gradients, 0 where there is none.
  Tensor gradient() {
    for (Segment& s : segments_) {
      check_unchanged(s);
      s.grad = grad_of(s.param.impl());
      if (s.grad) check_gradient_fits(s.param, s.grad);
    }
    return flattened(&Segment::grad);
  }
  Tensor values() { return flattened(&Segment::param); }

  // Goes the way t * d.
  void move(double t, const Tensor& d) {
    const auto kernel = kernels().lbfgs.combine[d.dtype()];
    write(d, [&](const Segment&, void* p, const void* from, int64_t n) { kernel(n, t, from, 1, p, p, nullptr); });
  }
  void set(const Tensor& values) {
    write(values, [&](const Segment&, void* p, const void* from, int64_t n) {
      std::memcpy(p, from, static_cast<size_t>(n * item_size(dtype_)));
    });
  }

  // After an error. What a closure replaced by something else stays as the closure left it.
  void go_back(const Tensor& values) {
    std::erase_if(segments_, [&](const Segment& s) { return !is_unchanged(s) || !s.param->storage->writable; });
    set(values);
  }

 private:
  // A closure may do anything.
  static bool is_unchanged(const Segment& s) {
    return s.param.numel() == s.n && s.param.dtype() == s.dtype && !s.param->batch;
  }
  static void check_unchanged(const Segment& s) {
    check(is_unchanged(s), "a parameter's data was replaced while the step ran");
  }
  bool plain(const Tensor& t) const { return t.is_contiguous() && t.dtype() == dtype_; }

  Tensor flattened(Tensor Segment::* which) {
    const Tensor out = empty({size_}, dtype_);
    std::vector<Access> windows{writes(out)};
    for (const Segment& s : segments_)
      if (s.*which) windows.push_back(reads(s.*which));
    launch_host("lbfgs_flatten", windows, [&](Opener open) {
      const Elements at(open);
      for_each_slice(std::span<const Segment>(segments_), [&](const Segment& s, int64_t begin, int64_t end) {
        const Tensor& t = s.*which;
        const auto bytes = static_cast<size_t>((end - begin) * item_size(dtype_));
        if (!t)
          std::memset(at(out, s.offset + begin), 0, bytes);
        else if (plain(t))
          std::memcpy(at(out, s.offset + begin), at(t, begin), bytes);
      });
    });
    for (const Segment& s : segments_)
      if (const Tensor& t = s.*which; t && !plain(t)) copy_raw(view(narrow(out, 0, s.offset, s.n), t.shape()), t);
    return out;
  }

  // Lets change(segment, memory, elements of `by` that belong to it, n) write to each parameter: all at once, or one
  // after the other where they overlap, or through a copy where one is not like the vector.
  template <class F> void write(const Tensor& by, F&& change) {
    for (const Segment& s : segments_) {
      check_unchanged(s);
      check_writable(s.param, false);
    }
    Extents extents;  // not overlap(), whose marks belong to the thread that has the GIL
    for (const Segment& s : segments_) extents.add(s.arrays());
    const bool apart = !extents.overlap();
    if (apart) {
      std::vector<Access> windows{reads(by)};
      for (const Segment& s : segments_) windows.push_back(writes(s.param));
      launch_host("lbfgs_move", windows, [&](Opener open) {
        const Elements at(open);
        for_each_slice(std::span<const Segment>(segments_), [&](const Segment& s, int64_t begin, int64_t end) {
          if (plain(s.param)) change(s, at(s.param, begin), at(by, s.offset + begin), end - begin);
        });
      });
    }
    const auto change_all = [&](const Segment& s, const Tensor& to) {
      launch_host("lbfgs_move", {reads(by), writes(to)}, [&](Opener open) {
        const Elements at(open);
        change(s, at(to, 0), at(by, s.offset), s.n);
      });
    };
    for (const Segment& s : segments_) {
      if (!plain(s.param)) {
        const Tensor own = empty(s.param.shape(), dtype_);
        copy_raw(own, s.param);
        change_all(s, own);
        copy_raw(s.param, own);
      } else if (!apart) {
        change_all(s, s.param);
      }
      s.param.bump_version();
    }
  }

  std::vector<Segment> segments_;
  int64_t size_ = 0;
  DType dtype_;
};

// ---- the step ----

// Remembers how the last step changed the gradient.
void learn(LbfgsState& state, const Tensor& grad, double history_size) {
  const Tensor y = vector_like(grad), s = vector_like(grad);
  const auto kernel = kernels().lbfgs.learn[grad.dtype()];
  std::array<double, 2> sums{};
  launch_pass("lbfgs_learn", {reads(grad), reads(state.prev_flat_grad), reads(state.d), writes(y), writes(s)},
              [&](Elements at) {
                sums = summed<2>(grad.numel(), [&](int64_t i, int64_t n, double* to) {
                  kernel(n, at(grad, i), at(state.prev_flat_grad, i), state.t, at(state.d, i), at(y, i), at(s, i), to);
                });
              });
  const auto [ys, yy] = sums;
  if (!(ys > kCurvature)) return;
  if (static_cast<double>(state.ro.size()) == history_size) {
    check(!state.ro.empty(), ErrorKind::Index, "pop from empty list: LBFGS needs a history_size of at least 1");
    state.old_dirs.erase(state.old_dirs.begin());
    state.old_stps.erase(state.old_stps.begin());
    state.ro.erase(state.ro.begin());
  }
  state.old_dirs.push_back(y);
  state.old_stps.push_back(s);
  state.ro.push_back(1 / ys);
  state.h_diag = ys / yy;
}

// Minus the inverse Hessian, as far as it is known, times the gradient: the two loops of Nocedal and Wright's algorithm
// 7.4. Each pass over q takes the next dot product along. Returns the slope along the direction.
double find_direction(LbfgsState& state, const Tensor& grad) {
  const std::vector<Tensor>&y = state.old_dirs, &s = state.old_stps;
  const int64_t pairs = static_cast<int64_t>(state.ro.size());
  const Tensor q = vector_like(grad);
  if (pairs == 0) return combine(-state.h_diag, grad, 0, {}, state.d = q, grad);
  auto& weights = state.al;
  weights.resize(std::max(weights.size(), state.ro.size()));
  double product = combine(-1, grad, 0, {}, q, s[pairs - 1]);
  for (int64_t i = pairs - 1; i >= 0; --i) {
    weights[i] = product * state.ro[i];
    product = combine(-*weights[i], y[i], 1, q, q, i > 0 ? s[i - 1] : Tensor());
  }
  product = combine(state.h_diag, q, 0, {}, q, y[0]);
  for (int64_t i = 0; i < pairs; ++i)
    product = combine(*weights[i] - product * state.ro[i], s[i], 1, q, q, i + 1 < pairs ? y[i + 1] : grad);
  state.d = q;
  return product;
}

void iterate(FlatParams& params, const LbfgsOptions& o, LbfgsState& state, const std::function<double()>& closure,
             Tensor& start) {
  double loss = closure();
  Tensor grad = params.gradient();
  double evaluations = 1;
  ++state.func_evals;
  if (largest(grad) <= o.tolerance_grad) return;

  for (double iteration = 1; iteration <= o.max_iter; ++iteration) {
    const bool first = ++state.n_iter == 1, last = iteration == o.max_iter;
    if (first) {
      state.old_dirs.clear(), state.old_stps.clear(), state.ro.clear();
      state.h_diag = 1;
    } else {
      learn(state, grad, o.history_size);
      if (state.al.empty()) state.al.resize(static_cast<size_t>(std::max(o.history_size, 0.0)));
    }
    const double slope = find_direction(state, grad);
    state.t = first ? std::min(1.0, 1.0 / reduced(ReduceOp::SumAbs, grad)) * o.lr : o.lr;
    state.prev_flat_grad = grad;
    state.prev_loss = loss;
    if (slope > -o.tolerance_change) return;

    const double longest = largest(state.d);
    if (!start) start = params.values();
    int64_t count = 0;
    if (!o.line_search_fn.empty()) {
      const Tensor here = iteration == 1 ? start : params.values();
      const auto look = [&](double t) {
        params.move(t, state.d);
        const double there = closure();
        const Tensor g = params.gradient();
        params.set(here);
        return LinePoint{t, there, g, combine(1, g, 0, {}, g, state.d)};
      };
      const WolfeOptions within{.trials = o.max_eval - evaluations};
      const LinePoint point = strong_wolfe(look, {0, loss, grad, slope}, state.t, longest, within, count);
      loss = point.loss;
      grad = point.grad;
      state.t = point.t;
      params.move(state.t, state.d);
    } else {
      params.move(state.t, state.d);
      if (!last) {  // nobody would use the evaluation after the last step
        loss = closure();
        grad = params.gradient();
        count = 1;
      }
    }
    evaluations += static_cast<double>(count);
    state.func_evals += count;
    if (last || evaluations >= o.max_eval || largest(grad) <= o.tolerance_grad) return;
    if (longest * std::abs(state.t) <= o.tolerance_change) return;
    if (std::abs(loss - state.prev_loss) < o.tolerance_change) return;
  }
}

}  // namespace

DType flat_dtype(std::span<const Tensor> params) {
  DType found = DType::Float32;
  for (const Tensor& p : params) {
    check(is_floating(p.dtype()), "optimizers need floating point parameters, got ", dtype_name(p.dtype()));
    found = promote_types(found, p.dtype());
  }
  return found;
}

void lbfgs_step(std::span<const Tensor> params, const LbfgsOptions& options, LbfgsState& state,
                const std::function<double()>& closure) {
  check(options.line_search_fn.empty() || options.line_search_fn == "strong_wolfe", "only 'strong_wolfe' is supported");
  FlatParams flat(params);
  Tensor start;
  try {
    iterate(flat, options, state, closure, start);
  } catch (...) {
    if (start) flat.go_back(start);
    throw;
  }
}

}  // namespace gradcore
