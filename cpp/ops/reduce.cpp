// Reductions. Start at run(): any choice of dims becomes [outer, reduce, inner] for the kernel, by merging neighbours,
// or by a copy in the right order where that fails.
#include <bitset>
#include <cmath>

#include "core/parallel.h"
#include "core/warning.h"
#include "ops/picked.h"
#include "ops/rearrange.h"
#include "ops/reduce.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

using DimMask = std::bitset<kMaxDims>;

// The dims to reduce. None (or an empty list) means all of them.
DimMask mask_of(const Tensor& t, const MaybeDims& dims) {
  DimMask mask;
  if (!dims || dims->empty()) {
    for (int i = 0; i < t.dim(); ++i) mask.set(i);
    return mask;
  }
  for (int64_t d : *dims) {
    const int i = wrap_dim(d, t.dim());
    if (mask[i]) fail("dim ", i, " appears multiple times in the list of dims");
    mask.set(i);
  }
  return mask;
}

// The same dims of the physical tensor. (The one dim of a tensor without any is none.)
DimMask below(const DimMask& mask, const Tensor& t, int batch_dims) {
  return t.dim() ? mask << static_cast<size_t>(batch_dims) : DimMask();
}

Dims reduced_shape(const Tensor& t, const DimMask& mask, bool keepdim) {
  Dims out;
  for (int i = 0; i < t.dim(); ++i) {
    if (!mask[i])
      out.push_back(t.size(i));
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

int64_t reduced_count(const Tensor& t, const DimMask& mask) {
  int64_t n = 1;
  for (int i = 0; i < t.dim(); ++i)
    if (mask[i]) n *= t.size(i);
  return n;
}

// The dims longer than one, neighbours of a kind merged where their memory continues.
struct Run {
  bool reduced;
  int64_t size, stride;
};

bool as_three(const Tensor& t, const DimMask& mask, ReduceArgs& a) {
  Run runs[kMaxDims];
  int n = 0;
  for (int i = 0; i < t.dim(); ++i) {
    if (t.size(i) == 1) continue;
    const Run next{mask[i], t.size(i), t.stride(i)};
    if (n && runs[n - 1].reduced == next.reduced && runs[n - 1].stride == next.stride * next.size) {
      runs[n - 1].size *= next.size;
      runs[n - 1].stride = next.stride;
    } else {
      runs[n++] = next;
    }
  }
  a.outer = a.reduce = a.inner = 1;
  a.s_outer = a.s_reduce = a.s_inner = 1;
  int k = 0;
  if (k < n && !runs[k].reduced) {
    a.outer = runs[k].size;
    a.s_outer = runs[k++].stride;
  }
  if (k < n && runs[k].reduced) {
    a.reduce = runs[k].size;
    a.s_reduce = runs[k++].stride;
  }
  if (k < n && !runs[k].reduced) {
    a.inner = runs[k].size;
    a.s_inner = runs[k++].stride;
  }
  return k == n;
}

// Any order of the dims in memory: those that reach furthest come first, whether they are reduced or kept, and
// neighbours of a kind are merged. `order` receives the kept dims in this order. False where too many dims are left.
bool in_memory_order(const Tensor& t, const DimMask& mask, ReduceArgs& a, Dims& order) {
  Dims dims;
  for (int i = 0; i < t.dim(); ++i)
    if (t.size(i) != 1) dims.push_back(i);
  const auto reach = [&](int64_t d) { return t.stride(static_cast<int>(d)); };
  const auto outside = [&](int64_t x, int64_t y) { return reach(x) != 0 && (reach(y) == 0 || reach(y) > reach(x)); };
  for (int i = 1; i < dims.size(); ++i)
    for (int j = i; j > 0 && outside(dims[j - 1], dims[j]); --j) std::swap(dims[j], dims[j - 1]);
  Run runs[kMaxDims];
  int n = 0;
  for (int64_t d : dims) {
    const int i = static_cast<int>(d);
    if (!mask[i]) order.push_back(d);
    const Run next{mask[i], t.size(i), t.stride(i)};
    if (n && runs[n - 1].reduced == next.reduced && runs[n - 1].stride == next.stride * next.size)
      runs[n - 1] = {next.reduced, runs[n - 1].size * next.size, next.stride};
    else
      runs[n++] = next;
  }
  int64_t* const kept[][2] = {{&a.inner, &a.s_inner}, {&a.outer, &a.s_outer}, {&a.groups, &a.s_group}};
  int64_t* const reduced[][2] = {{&a.reduce, &a.s_reduce}, {&a.slabs, &a.s_slab}};
  a.outer = a.reduce = a.inner = a.groups = a.slabs = 1;
  a.s_outer = a.s_reduce = a.s_inner = 1;
  int kept_count = 0, reduced_count = 0;
  for (int k = n - 1; k >= 0; --k) {
    const Run& r = runs[k];
    int& count = r.reduced ? reduced_count : kept_count;
    if (count == (r.reduced ? 2 : 3)) return false;
    int64_t* const* const to = (r.reduced ? reduced : kept)[count++];
    *to[0] = r.size;
    *to[1] = r.stride;
  }
  return true;
}

// A dense copy with the kept dims before the reduced ones.
Tensor kept_first(const Tensor& t, const DimMask& mask, ReduceArgs& a) {
  Dims order;
  for (int i = 0; i < t.dim(); ++i)
    if (!mask[i]) order.push_back(i);
  for (int i = 0; i < t.dim(); ++i)
    if (mask[i]) order.push_back(i);
  Dims shape, strides;
  for (int64_t d : order) {
    shape.push_back(t.size(static_cast<int>(d)));
    strides.push_back(t.stride(static_cast<int>(d)));
  }
  const Tensor copy = empty(shape, t.dtype());
  copy_raw(copy, make_window(t, shape, strides));
  a.reduce = reduced_count(t, mask);
  a.outer = a.reduce ? copy.numel() / a.reduce : 0;
  a.inner = a.groups = a.slabs = 1;
  a.s_outer = a.reduce;
  a.s_reduce = a.s_inner = 1;
  return copy;
}

// Where kept dims lie in another order in memory than in the result: the strides of a result that follows them. Empty
// where the order is the same.
Dims strides_in_order(const Tensor& t, const DimMask& mask, bool keepdim, const Dims& order) {
  bool rising = true;
  for (int i = 1; i < order.size(); ++i) rising &= order[i - 1] < order[i];
  if (rising) return {};
  int64_t of_dim[kMaxDims] = {};
  int64_t step = 1;
  for (int i = order.size() - 1; i >= 0; --i) {
    of_dim[order[i]] = step;
    step *= t.size(static_cast<int>(order[i]));
  }
  Dims strides;
  for (int i = 0; i < t.dim(); ++i)
    if (!mask[i] || keepdim) strides.push_back(of_dim[i]);
  return strides;
}

struct Outputs {
  const Tensor& out;
  const Tensor* index = nullptr;  // MaxIndex, MinIndex
  double param = 0;
};

bool has_places(ReduceOp op) {
  using enum ReduceOp;
  return op == ArgMax || op == ArgMin || op == MaxIndex || op == MinIndex;
}

[[gnu::always_inline]] inline void launch_reduction(Kernel<ReduceArgs>& k, const Tensor& t, const Outputs& o) {
  k.args.param = o.param;
  k.writes(&ReduceArgs::out, o.out.window());
  if (o.index) k.writes(&ReduceArgs::index, o.index->window());
  k.reads(&ReduceArgs::in, t.window());
  launch(k);
}

// Any view.
[[gnu::noinline]] void run_in_any_order(ReduceOp op, Kernel<ReduceArgs>& k, const Tensor& t, const DimMask& mask,
                                        bool keepdim, const Outputs& o) {
  Dims order;
  // Places count in logical order: several dims stay as they are.
  const bool may_reorder = !has_places(op) || mask.count() == 1;
  if (!(may_reorder ? in_memory_order(t, mask, k.args, order) : as_three(t, mask, k.args)))
    return launch_reduction(k, kept_first(t, mask, k.args), o);
  const Dims strides = strides_in_order(t, mask, keepdim, order);
  if (strides.empty()) return launch_reduction(k, t, o);
  const Tensor out = empty_strided(o.out.shape(), strides, o.out.dtype());
  const Tensor index = o.index ? empty_strided(o.out.shape(), strides, DType::Int64) : Tensor();
  launch_reduction(k, t, {.out = out, .index = o.index ? &index : nullptr, .param = o.param});
  copy_raw(o.out, out);
  if (o.index) copy_raw(*o.index, index);
}

void run(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, const Outputs& o);

// An expanded tensor whose reduced dims repeat each element `times` times: once is enough for most operations. False
// for the others.
bool run_repeated(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, const Outputs& o) {
  using enum ReduceOp;
  const bool total = op == Sum && !is_half(t.dtype());
  const bool divides = op == Mean || op == Var || op == Std;
  if (!total && !divides && op != Max && op != Min && op != MaxAbs && op != MinAbs && op != Any && op != All)
    return false;
  Dims shape = t.shape();
  int64_t times = 1;
  for (int i = 0; i < t.dim(); ++i) {
    if (!mask[i] || t.stride(i) != 0) continue;
    times *= t.size(i);
    shape[i] = 1;
  }
  if (times == 1) return false;
  const double param = divides ? o.param / static_cast<double>(times) : o.param;
  run(op, make_window(t, shape, t.strides()), mask, keepdim, {.out = o.out, .param = param});
  if (!total) return true;
  const NoRecordGuard off;
  copy_raw(o.out, mul(o.out, Scalar(times)));
  return true;
}

void run(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, const Outputs& o) {
  const ReduceFn kernel = kernels().reduce[op][t.dtype()];
  if (!kernel)
    fail(ErrorKind::NotImplemented, "this reduction is not implemented for '", scalar_type_name(t.dtype()), "'");
  Kernel<ReduceArgs> k("reduce", kernel);
  ReduceArgs& a = k.args;
  if (t.is_contiguous() && mask.count() == static_cast<size_t>(t.dim())) {
    a.outer = a.inner = a.s_outer = a.s_reduce = a.s_inner = 1;
    a.reduce = t.numel();
  } else if (t.numel() == 0) {  // no memory to walk, only sizes
    int64_t kept = 1;
    for (int i = 0; i < t.dim(); ++i)
      if (!mask[i]) kept *= t.size(i);
    a.outer = kept;
    a.inner = a.s_outer = a.s_reduce = a.s_inner = 1;
    a.reduce = reduced_count(t, mask);
  } else if (!t.is_contiguous() || !as_three(t, mask, a)) {
    if (run_repeated(op, t, mask, keepdim, o)) return;
    return run_in_any_order(op, k, t, mask, keepdim, o);
  }
  launch_reduction(k, t, o);
}

Tensor reduce(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, DType dtype, double param = 0) {
  if (any_batched(t))
    return batch_to_front({&t},
                          [&](auto p, int n) { return reduce(op, p[0], below(mask, t, n), keepdim, dtype, param); });
  const Tensor out = empty(reduced_shape(t, mask, keepdim), dtype);
  run(op, t, mask, keepdim, {.out = out, .param = param});
  return out;
}

// ---- gradients

// Puts the reduced dims back with size one; what has no dims broadcasts without them.
Tensor restore_dims(const Tensor& g, const Dims& shape, const DimMask& mask, bool keepdim) {
  if (keepdim || mask.none() || g.dim() == 0) return g;
  Dims with_ones = shape;
  for (int i = 0; i < shape.size(); ++i)
    if (mask[i]) with_ones[i] = 1;
  return g.dim() == shape.size() ? g : view(g.is_contiguous() ? g : contiguous(g), with_ones);
}

// What a reduction over dims remembers.
struct Over {
  Dims shape;
  DimMask mask;
  bool keepdim;
  bool named;  // the dims were, not just all of them meant
  Over(const Tensor& t, const DimMask& m, bool k, const MaybeDims& dim = {})
      : shape(t.shape()), mask(m), keepdim(k), named(dim && !dim->empty()) {}
  Tensor spread(const Tensor& g) const { return restore_dims(g, shape, mask, keepdim); }
  Tensor expanded(const Tensor& g) const { return expand(spread(g), shape); }
  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < shape.size(); ++i)
      if (mask[i]) n *= shape[i];
    return n;
  }
  Dims dims() const {  // none: all
    Dims d;
    for (int i = 0; i < shape.size(); ++i)
      if (mask[i]) d.push_back(i);
    return d;
  }
  // As a program named them, but from the front and rising; a tensor without dims has the one.
  Dims named_dims() const { return !named ? Dims() : shape.empty() ? Dims{0} : dims(); }
  // Adds the dims to what viewers see.
  SavedFields with_dims(SavedFields fields) const {
    fields.push_back({"keepdim", keepdim});
    fields.push_back({"dim", named_dims()});
    return fields;
  }
  // The same for ops that torch tells "no dim" from "no dims", which is nothing that can be shown.
  SavedFields with_named_dims(SavedFields fields) const {
    fields.push_back({"keepdim", keepdim});
    if (named) fields.push_back({"dim", named_dims()});
    return fields;
  }
};

struct SumVjp {
  Over over;
  DType dtype;
  bool all;
  const char* name() const { return all ? "SumBackward0" : "SumBackward1"; }
  SavedFields fields() {
    SavedFields sizes{{"self_sym_sizes", over.shape}};
    return all ? sizes : over.with_dims(std::move(sizes));
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor r = over.expanded(g[0]);
    out[0] = r.dtype() == dtype ? r : cast(r, dtype);
  }
};
struct NansumVjp {
  static constexpr const char* kName = "NansumBackward0";
  Over over;
  Saved self;
  void vjp(Node& node, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor t = self.unpack(&node);
    const Tensor r = mul(over.expanded(g[0]), logical_not(isnan(t)));
    out[0] = r.dtype() == t.dtype() ? r : cast(r, t.dtype());
  }
  auto saves() { return std::tie(self); }
  SavedFields fields() { return over.with_named_dims({{"self", &self}}); }
};
struct MeanVjp {
  Over over;
  DType dtype;
  bool all;
  const char* name() const { return all ? "MeanBackward0" : "MeanBackward1"; }
  SavedFields fields() {
    SavedFields sizes{{"self_sym_sizes", over.shape}, {"self_sym_numel", checked_numel(over.shape)}};
    return all ? sizes : over.with_dims(std::move(sizes));
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor r = div(over.expanded(g[0]), Scalar(static_cast<double>(over.count())));
    out[0] = r.dtype() == dtype ? r : cast(r, dtype);
  }
  // The transpose would give the mean of nothing a tangent of zero.
  Tensor jvp(Node&, std::span<const Tensor> tangents, const Tensor& y) {
    return mean(tangents[0], over.dims(), over.keepdim, y.dtype());
  }
};

// The product of all the others: cumulative products from both sides, so that zeros are no exception.
Tensor product_of_others(const Tensor& x, int dim) {
  const int64_t n = x.size(dim);
  Dims one = x.shape();
  one[dim] = 1;
  const Tensor first = ones(one, x.dtype());
  const auto exclusive = [&](const Tensor& v) {
    const Tensor parts[] = {first, narrow(v, dim, 0, n - 1)};
    return cumprod(cat(parts, dim), dim, {});
  };
  return mul(exclusive(x), flip(exclusive(flip(x, Dims{dim})), Dims{dim}));
}
struct ProdVjp {
  Over over;
  Saved x;
  std::optional<int64_t> dim;
  const char* name() const { return dim ? "ProdBackward1" : "ProdBackward0"; }
  SavedFields fields() {
    if (!dim) return {{"self", &x}};
    return {{"self", &x}, {"dim", *dim}, {"keepdim", over.keepdim}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self);
    if (v.numel() == 0) {
      out[0] = zeros_like(v);
      return;
    }
    const Tensor grad = cast(g[0], v.dtype());
    if (dim && v.dim()) {
      out[0] = mul(over.spread(grad), product_of_others(v, static_cast<int>(*dim)));
      return;
    }
    const Tensor flat = reshape(v, Dims{v.numel()});
    out[0] = reshape(mul(grad, product_of_others(flat, 0)), v.shape());
  }
  auto saves() { return std::tie(x); }
};

Tensor centered(const Tensor& x, const Over& over) {
  Dims dims;
  for (int i = 0; i < x.dim(); ++i)
    if (over.mask[i]) dims.push_back(i);
  return sub(x, mean(x, dims, true));
}
// Note [Divisors of zero]
// At a corner (the norm of zeros, the deviation of equal values) the gradient is 0, as in torch. A quotient 0/0 that is
// masked afterwards would be right, but not its derivatives, and so neither forward mode: the divisor is infinity
// there.
Tensor without_zeros(const Tensor& divisor) { return masked_fill(divisor, eq(divisor, Scalar(0.0)), Scalar(HUGE_VAL)); }

struct VarVjp {
  static constexpr const char* kName = "VarBackward0";
  Over over;
  Saved x;
  double correction;
  SavedFields fields() { return over.with_named_dims({{"self", &x}}); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self);
    const double dof = static_cast<double>(over.count()) - correction;
    out[0] = mul(mul(over.spread(g[0]), Scalar(2.0 / dof)), centered(v, over));
  }
  auto saves() { return std::tie(x); }
};
struct StdVjp {
  static constexpr const char* kName = "StdBackward0";
  Over over;
  Saved x, y;
  double correction;
  SavedFields fields() { return over.with_named_dims({{"self", &x}, {"result", &y}}); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), s = y.unpack(&self);
    const double dof = static_cast<double>(over.count()) - correction;
    // Each deviation by the deviation of all is a number near 1, however small or large they are.
    out[0] = mul(over.spread(div(g[0], Scalar(dof))), div(centered(v, over), over.spread(without_zeros(s))));
  }
  auto saves() { return std::tie(x, y); }
};

// The gradient is shared by all elements that equal the extreme.
struct ExtremeVjp {
  Over over;
  Saved x, y;
  bool all;  // max() and min(), which take no dims
  const char* node;
  const char* name() const { return node; }
  SavedFields fields() {
    SavedFields f{{"self", &x}, {"result", &y}};
    return all ? f : over.with_dims(std::move(f));
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), top = over.spread(y.unpack(&self));
    Tensor hit = eq(v, top);
    hit = logical_or(hit, logical_and(isnan(v), isnan(top)));
    Dims dims;
    for (int i = 0; i < v.dim(); ++i)
      if (over.mask[i]) dims.push_back(i);
    const Tensor share = cast(hit, v.dtype());
    out[0] = mul(over.spread(g[0]), div(share, v.dim() ? sum(share, dims, true) : share));
  }
  auto saves() { return std::tie(x, y); }
};

struct NormVjp {
  static constexpr const char* kName = "LinalgVectorNormBackward0";
  Over over;
  Saved x, y;
  double p;
  SavedFields fields() { return over.with_named_dims({{"self", &x}, {"result", &y}, {"ord", p}}); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (p == 0) return;  // a count has no slope: no gradient, as in torch
    const Tensor v = x.unpack(&self), n = over.spread(y.unpack(&self)), grad = over.spread(g[0]);
    if (p == 1)
      out[0] = mul(sign(v), grad);
    else if (p == 2)
      out[0] = mul(div(v, without_zeros(n)), grad);
    else if (std::isinf(p))
      out[0] = shared_by_extremes(v, n, grad);
    else
      out[0] = mul(slope(v, n), grad);
  }
  Tensor shared_by_extremes(const Tensor& v, const Tensor& n, const Tensor& grad) const {
    const Tensor hit = cast(logical_or(eq(abs(v), n), logical_and(isnan(v), isnan(n))), v.dtype());
    return mul(mul(sign(v), hit), div(grad, v.dim() ? sum(hit, over.dims(), true) : hit));
  }
  // sign(v) (|v| / n)^(p - 1). Where that is 0 it is a power of 1/1, which has finite derivatives.
  Tensor slope(const Tensor& v, const Tensor& n) const {
    Tensor none = logical_or(eq(v, Scalar(0.0)), eq(n, Scalar(0.0)));
    if (p < 0) none = logical_or(none, isinf(v));
    const Tensor ratio = div(masked_fill(abs(v), none, Scalar(1.0)), masked_fill(n, none, Scalar(1.0)));
    return mul(masked_fill(sign(v), none, Scalar(0.0)), pow(ratio, Scalar(p - 1)));
  }
  auto saves() { return std::tie(x, y); }
};

// Note [The square of a norm]
// norm(x)^2 is smooth at 0, where norm(x) has a corner: its second derivative is 2, but the chain over the corner,
// whose gradient is 0, says 0. So the square's node has a second edge, to x itself, which no viewer sees. On it goes
// what the chain lacks: the gradient 2 g x where the norm is 0. Its value there is 0 too; it is there to be
// differentiated.
struct SquaredNormVjp {
  static constexpr const char* kName = "PowBackward0";
  static constexpr unsigned kHiddenEdges = 1u << 1;
  Over over;
  Saved n, x;
  SavedFields fields() { return {{"self", &n}, {"exponent", Scalar(int64_t{2})}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor norm = n.unpack(&self), twice = mul(g[0], Scalar(2));
    out[0] = mul(twice, norm);
    if (!modes.tracking() || !self.needs(1)) return;
    const Tensor at_corner = masked_fill(x.unpack(&self), ne(over.spread(norm), Scalar(0.0)), Scalar(0.0));
    out[1] = mul(over.spread(twice), at_corner);
  }
  auto saves() { return std::tie(n, x); }
};

struct LogsumexpVjp {
  static constexpr const char* kName = "LogsumexpBackward0";
  Over over;
  Saved x, y;
  SavedFields fields() { return over.with_dims({{"self", &x}, {"result", &y}}); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), top = over.spread(y.unpack(&self));
    // Around -inf, where all elements are, nothing is subtracted; beside inf the finite ones vanish.
    const Tensor e = exp(sub(v, masked_fill(top, eq(top, Scalar(-HUGE_VAL)), Scalar(0.0))));
    // What rounding of a large `top` left out (of two equal values their log(2)) the sum of the shares puts right.
    const Tensor total = v.dim() ? sum(e, over.dims(), true) : e;
    const Tensor unit = masked_fill(total, logical_or(eq(total, Scalar(0.0)), isnan(total)), Scalar(1.0));
    out[0] = mul(over.spread(g[0]), div(e, unit));
  }
  auto saves() { return std::tie(x, y); }
};

DType sum_type(DType t, const MaybeDType& asked) {
  if (asked) return *asked;
  return is_floating(t) ? t : DType::Int64;
}

// Sum or product in the type asked for.
Tensor accumulate(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, DType type) {
  if (is_wide_unsigned(t.dtype())) return accumulate(op, cast(t, DType::Int64), mask, keepdim, type);
  const bool kernel_converts = !is_floating(t.dtype()) && type == DType::Int64;
  if (t.dtype() == type || kernel_converts) {
    if (is_integral(type) && type != DType::Int64) {  // the kernel adds integers in int64
      const Tensor wide = reduce(op, t, mask, keepdim, DType::Int64);
      return cast(wide, type);
    }
    if (type == DType::Bool) return cast(reduce(op, t, mask, keepdim, DType::Int64), type);
    return reduce(op, t, mask, keepdim, type);
  }
  return accumulate(op, cast(t, type), mask, keepdim, type);
}

void refuse_empty(const char* name, const Tensor& t, const DimMask& mask, bool all) {
  if (all && t.numel() == 0)
    fail(name,
         "(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
         "argument.");
  for (int i = 0; i < t.dim(); ++i)
    check(!mask[i] || t.size(i) != 0, ErrorKind::Index, name, "(): Expected reduction dim ", i,
          " to have non-zero size.");
}

}  // namespace

Tensor sum(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  const DimMask mask = mask_of(t, dim);
  Tensor out;
  {
    const NoRecordGuard off;
    out = accumulate(ReduceOp::Sum, t, mask, keepdim, sum_type(t.dtype(), dtype));
  }
  if (is_floating(out.dtype()) && should_record(t)) record(out, {&t}, SumVjp{{t, mask, keepdim, dim}, t.dtype(), !dim});
  return out;
}

// The sum with zeros in place of NaN.
Tensor nansum(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  const DimMask mask = mask_of(t, dim);
  const DType type = sum_type(t.dtype(), dtype);
  Tensor out;
  {
    const NoRecordGuard off;
    if (is_floating(t.dtype()) && !is_floating(type))  // integers know no NaN
      return accumulate(ReduceOp::Sum, nan_to_num(t, 0.0, HUGE_VAL, -HUGE_VAL), mask, keepdim, type);
    const ReduceOp op = is_floating(t.dtype()) ? ReduceOp::NanSum : ReduceOp::Sum;
    out = accumulate(op, t, mask, keepdim, type);
  }
  if (is_floating(out.dtype()) && should_record(t)) record(out, {&t}, NansumVjp{{t, mask, keepdim, dim}, Saved(t)});
  return out;
}

Tensor mean(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  const DType type = dtype.value_or(t.dtype());
  if (!is_floating(type))
    fail("mean(): could not infer output dtype. ", dtype ? "Optional dtype" : "Input dtype",
         " must be either a floating point or complex dtype. Got: ", scalar_type_name(type));
  const DimMask mask = mask_of(t, dim);
  Tensor out;
  {
    const NoRecordGuard off;
    const double count = static_cast<double>(reduced_count(t, mask));
    out = reduce(ReduceOp::Mean, t.dtype() == type ? t : cast(t, type), mask, keepdim, type, count);
  }
  if (should_record(t)) record(out, {&t}, MeanVjp{{t, mask, keepdim, dim}, t.dtype(), !dim});
  return out;
}

Tensor prod(const Tensor& t, std::optional<int64_t> dim, bool keepdim, MaybeDType dtype) {
  const DimMask mask = mask_of(t, dim ? MaybeDims(Dims{*dim}) : MaybeDims());
  const DType type = sum_type(t.dtype(), dtype);
  if (type != t.dtype() && is_floating(type)) return prod(cast(t, type), dim, keepdim, {});
  Tensor out;
  {
    const NoRecordGuard off;
    out = accumulate(ReduceOp::Prod, t, mask, keepdim, type);
  }
  if (is_floating(out.dtype()) && should_record(t)) {
    std::optional<int64_t> at;
    if (dim) at = wrap_dim(*dim, t.dim());
    record(out, {&t}, ProdVjp{{t, mask, keepdim}, Saved(t), at});
  }
  return out;
}

// The first thing that var() and std() do: the warning may run Python code, which may give `t` another shape.
static void warn_without_freedom(const char* op, const Tensor& t, const MaybeDims& dim, double correction) {
  const DimMask mask = mask_of(t, dim);
  const int64_t outputs = checked_numel(reduced_shape(t, mask, false));
  const int64_t count = outputs ? reduced_count(t, mask) : 0;
  if (static_cast<double>(count) > correction) return;
  warn(op,
       "(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel "
       "divided by output numel).");
}

static Tensor variance(ReduceOp op, const Tensor& t, const DimMask& mask, double correction, bool keepdim) {
  if (!is_floating(t.dtype()))
    fail(op == ReduceOp::Var ? "var(" : "std(", "): std and var only support floating point and complex dtypes");
  const NoRecordGuard off;
  const double dof = static_cast<double>(reduced_count(t, mask)) - correction;
  return reduce(op, t, mask, keepdim, t.dtype(), dof > 0 ? dof : 0.0);
}
Tensor var_within(const char* op, const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  warn_without_freedom(op, t, dim, correction);
  const DimMask mask = mask_of(t, dim);
  const Tensor out = variance(ReduceOp::Var, t, mask, correction, keepdim);
  if (should_record(t)) record(out, {&t}, VarVjp{{t, mask, keepdim, dim}, Saved(t), correction});
  return out;
}
Tensor std_within(const char* op, const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  warn_without_freedom(op, t, dim, correction);
  const DimMask mask = mask_of(t, dim);
  const Tensor out = variance(ReduceOp::Std, t, mask, correction, keepdim);
  if (should_record(t)) record(out, {&t}, StdVjp{{t, mask, keepdim, dim}, Saved(t), Saved::output(out), correction});
  return out;
}

Tensor var(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  return var_within("var", t, dim, correction, keepdim);
}
Tensor std(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  return std_within("std", t, dim, correction, keepdim);
}

namespace {

Tensor extreme(ReduceOp op, const Tensor& t, const MaybeDims& dim, bool keepdim, const char* name, const char* node) {
  const DimMask mask = mask_of(t, dim);
  refuse_empty(name, t, mask, !dim || dim->empty());
  const Tensor out = reduce(op, t, mask, keepdim, t.dtype());
  if (is_floating(t.dtype()) && should_record(t))
    record(out, {&t}, ExtremeVjp{{t, mask, keepdim, dim}, Saved(t), Saved::output(out), !dim, node});
  return out;
}

ValuesIndices indexed_raw(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim) {
  if (any_batched(t)) {
    const Levels levels = levels_of({&t});
    const ValuesIndices r = indexed_raw(op, physical(t, levels), below(mask, t, levels.count()), keepdim);
    return {hide(r.values, levels), hide(r.indices, levels)};
  }
  const Dims shape = reduced_shape(t, mask, keepdim);
  ValuesIndices r{empty(shape, t.dtype()), empty(shape, DType::Int64)};
  run(op, t, mask, keepdim, {.out = r.values, .index = &r.indices});
  return r;
}

ValuesIndices indexed(ReduceOp op, const Tensor& t, int64_t dim, bool keepdim, const char* name, const char* node) {
  const int d = wrap_dim(dim, t.dim());
  DimMask mask;
  if (t.dim()) mask.set(d);
  refuse_empty(name, t, mask, false);
  const ValuesIndices r = indexed_raw(op, t, mask, keepdim);
  if (is_floating(t.dtype()) && should_record(t))
    record(r.values, {&t}, PickedVjp{t.shape(), Saved(r.indices), d, keepdim, node});
  return r;
}

Tensor arg_extreme(ReduceOp op, const Tensor& t, std::optional<int64_t> dim, bool keepdim, const char* name) {
  if (t.dtype() == DType::Bool) fail(name, "(): does not support bool input");
  const DimMask mask = mask_of(t, dim ? MaybeDims(Dims{*dim}) : MaybeDims());
  check(dim || t.numel(), ErrorKind::Index, name, "(): Expected reduction dim to be specified for input.numel() == 0.");
  refuse_empty(name, t, mask, false);
  // The position counts in logical order, so a tensor in another memory order is read out first.
  const Tensor source = dim || t.is_contiguous() ? t : clone(detach(t), true);
  return reduce(op, source, mask, keepdim, DType::Int64);
}

}  // namespace

Tensor max(const Tensor& t) { return extreme(ReduceOp::Max, t, {}, false, "max", "MaxBackward1"); }
Tensor min(const Tensor& t) { return extreme(ReduceOp::Min, t, {}, false, "min", "MinBackward1"); }
ValuesIndices max(const Tensor& t, int64_t dim, bool keepdim) {
  return indexed(ReduceOp::MaxIndex, t, dim, keepdim, "max", "MaxBackward0");
}
ValuesIndices min(const Tensor& t, int64_t dim, bool keepdim) {
  return indexed(ReduceOp::MinIndex, t, dim, keepdim, "min", "MinBackward0");
}
Tensor amax(const Tensor& t, const MaybeDims& dim, bool keepdim) {
  return extreme(ReduceOp::Max, t, dim.value_or(Dims()), keepdim, "amax", "AmaxBackward0");
}
Tensor amin(const Tensor& t, const MaybeDims& dim, bool keepdim) {
  return extreme(ReduceOp::Min, t, dim.value_or(Dims()), keepdim, "amin", "AminBackward0");
}
Tensor argmax(const Tensor& t, std::optional<int64_t> dim, bool keepdim) {
  return arg_extreme(ReduceOp::ArgMax, t, dim, keepdim, "argmax");
}
Tensor argmin(const Tensor& t, std::optional<int64_t> dim, bool keepdim) {
  return arg_extreme(ReduceOp::ArgMin, t, dim, keepdim, "argmin");
}

// torch answers uint8 with uint8.
static DType truth_type(const Tensor& t) { return t.dtype() == DType::UInt8 ? DType::UInt8 : DType::Bool; }
// No dims at all: torch's other reductions take that for all of them, these two for none.
static Tensor truth(ReduceOp op, const Tensor& t, const MaybeDims& dim, bool keepdim) {
  if (is_wide_unsigned(t.dtype())) return truth(op, ne(t, Scalar(0)), dim, keepdim);
  if (dim && dim->empty()) return contiguous(cast(ne(t, Scalar(0)), truth_type(t)));
  return reduce(op, t, mask_of(t, dim), keepdim, truth_type(t));
}
Tensor any(const Tensor& t, const MaybeDims& dim, bool keepdim) { return truth(ReduceOp::Any, t, dim, keepdim); }
Tensor all(const Tensor& t, const MaybeDims& dim, bool keepdim) { return truth(ReduceOp::All, t, dim, keepdim); }
Tensor count_nonzero(const Tensor& t, const MaybeDims& dim) {
  if (is_wide_unsigned(t.dtype())) return count_nonzero(ne(t, Scalar(0)), dim);
  return reduce(ReduceOp::CountNonzero, t, mask_of(t, dim), false, DType::Int64);
}

static void check_norm(const Tensor& t, double p, const MaybeDims& dim, MaybeDType dtype) {
  if (!is_floating(t.dtype()))
    fail("linalg.vector_norm: Expected a floating point or complex tensor as input. Got ", scalar_type_name(t.dtype()));
  if (dtype && !is_floating(*dtype))
    fail("linalg.vector_norm: dtype should be floating point or complex, but got ", scalar_type_name(*dtype));
  if (dtype && promote_types(*dtype, t.dtype()) != *dtype)
    fail("linalg.vector_norm: the dtype of the input (", scalar_type_name(t.dtype()),
         ") should be convertible without narrowing to the specified dtype (", scalar_type_name(*dtype), ")");
  if (t.numel() != 0 || (p >= 0 && !std::isinf(p))) return;
  if (!dim || dim->empty())
    fail("linalg.vector_norm cannot compute the ", p,
         " norm on an empty tensor because the operation does not have an identity");
  for (const int64_t d : *dim)
    if (t.size(wrap_dim(d, t.dim())) == 0)
      fail("linalg.vector_norm cannot compute the ", p, " norm on the dimension ", d,
           "because this dimension is empty and the operation does not have an identity");
}

static ReduceOp norm_op(double p) {
  if (p == 2) return ReduceOp::Norm2;
  if (p == 1) return ReduceOp::SumAbs;
  if (p == 0) return ReduceOp::CountNonzero;
  if (std::isinf(p)) return p > 0 ? ReduceOp::MaxAbs : ReduceOp::MinAbs;
  return ReduceOp::NormP;
}

Tensor norm(const Tensor& input, double p, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  check_norm(input, p, dim, dtype);
  const Tensor t = cast(input, dtype.value_or(input.dtype()));
  const DimMask mask = mask_of(t, dim);
  Tensor out;
  {
    const NoRecordGuard off;
    out = reduce(norm_op(p), t, mask, keepdim, p == 0 ? DType::Int64 : t.dtype(), p);
    if (p == 0) out = cast(out, t.dtype());
  }
  if (should_record(t)) record(out, {&t}, NormVjp{{t, mask, keepdim, dim}, Saved(t), Saved::output(out), p});
  return out;
}

Tensor square_of_norm(const Tensor& n) {
  if (!modes.tracking() || !n->meta) return {};
  Node* const made_by = meta_of(n)->grad_fn.get();
  if (!made_by || made_by->name() != NormVjp::kName) return {};
  NormVjp& vjp = static_cast<OpNode<NormVjp>*>(made_by)->state();
  if (vjp.p != 2 || !should_record(n)) return {};
  const Tensor x = vjp.x.unpack(made_by);
  if (!x) return {};  // released by a backward
  Tensor out;
  {
    const NoRecordGuard off;
    out = mul(n, n);
  }
  record(out, {&n, &x}, SquaredNormVjp{vjp.over, Saved(n), Saved(x)});
  return out;
}

// The usual norms of plain tensors, in parallel: each has its own result, whoever computes it.
static std::vector<Tensor> plain_norms(std::span<const Tensor> tensors, double p) {
  std::vector<Tensor> out;
  out.reserve(tensors.size());
  int64_t total = 0;
  for (const Tensor& t : tensors) {
    out.push_back(empty({}, t.dtype()));
    total += t.numel();
  }
  std::vector<Access> windows;
  for (size_t i = 0; i < tensors.size(); ++i) {
    windows.push_back(reads(tensors[i]));
    windows.push_back(writes(out[i]));
  }
  launch_host("norms", windows, [&](Opener open) {
    auto compute = [&](int64_t i) {
      const Tensor &t = tensors[static_cast<size_t>(i)], &to = out[static_cast<size_t>(i)];
      ReduceArgs a{};
      a.in = open(t), a.out = open(to), a.reduce = t.numel();
      a.outer = a.inner = a.s_outer = a.s_reduce = a.s_inner = 1;
      kernels().reduce[norm_op(p)][t.dtype()](a);
    };
    constexpr int64_t kParallel = 256 << 10;  // elements that pay for a second thread
    const auto n = static_cast<int64_t>(tensors.size());
    if (total >= kParallel) return parallel_blocks(n, compute);
    for (int64_t i = 0; i < n; ++i) compute(i);
  });
  return out;
}

std::vector<Tensor> norms(std::span<const Tensor> tensors, double p, MaybeDType dtype) {
  bool plain = p == 1 || p == 2 || std::isinf(p);
  for (const Tensor& t : tensors) {
    check_norm(t, p, {}, dtype);
    plain = plain && t.is_contiguous() && dtype.value_or(t.dtype()) == t.dtype() && !should_record(t);
  }
  if (plain) return plain_norms(tensors, p);
  std::vector<Tensor> out;
  out.reserve(tensors.size());
  for (const Tensor& t : tensors) out.push_back(norm(t, p, {}, false, dtype));
  return out;
}

Tensor logsumexp(const Tensor& input, const Dims& dim, bool keepdim) {
  const Tensor t = is_floating(input.dtype()) ? input : cast(input, default_dtype());
  const DimMask mask = mask_of(t, dim);
  const Tensor out = reduce(ReduceOp::LogSumExp, t, mask, keepdim, t.dtype());
  if (should_record(t)) record(out, {&t}, LogsumexpVjp{{t, mask, keepdim, dim}, Saved(t), Saved::output(out)});
  return out;
}

Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  check(a.dtype() == b.dtype(), scalar_type_name(a.dtype()), " did not match ", scalar_type_name(b.dtype()));
  check(rtol >= 0, "rtol must be greater than or equal to zero, but got ", rtol);
  check(atol >= 0, "atol must be greater than or equal to zero, but got ", atol);
  const NoRecordGuard off;
  Tensor close = eq(a, b);
  if (equal_nan && is_floating(a.dtype())) close = logical_or(close, logical_and(isnan(a), isnan(b)));
  if (rtol == 0 && atol == 0) return close;
  const Tensor x = is_floating(a.dtype()) ? a : cast(a, default_dtype()),
               y = is_floating(b.dtype()) ? b : cast(b, default_dtype());
  const Tensor allowed = add(abs(mul(y, Scalar(rtol))), Scalar(atol)), actual = abs(sub(x, y));
  return logical_or(close, logical_and(isfinite(actual), le(actual, allowed)));
}

}  // namespace gradcore
