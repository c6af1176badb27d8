// Reductions. Start at run(): any choice of dims becomes [outer, reduce, inner] for the kernel, by merging neighbours,
// or by a copy in the right order where that fails.
#include <bitset>
#include <cmath>

#include "core/parallel.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/record.h"
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
  a.inner = 1;
  a.s_outer = a.reduce;
  a.s_reduce = a.s_inner = 1;
  return copy;
}

struct Outputs {
  Window out;
  Window index = {};  // MaxIndex, MinIndex
  Window mean = {};   // SumSquaredDev
  double param = 0;
};

void run(ReduceOp op, const Tensor& t, const DimMask& mask, const Outputs& o) {
  const ReduceFn kernel = kernels().reduce[op][t.dtype()];
  if (!kernel)
    fail(ErrorKind::NotImplemented, "this reduction is not implemented for '", scalar_type_name(t.dtype()), "'");
  Kernel<ReduceArgs> k("reduce", kernel);
  ReduceArgs& a = k.args;
  k.writes(&ReduceArgs::out, o.out);
  if (o.index) k.writes(&ReduceArgs::index, o.index);
  if (o.mean) k.writes(&ReduceArgs::mean, o.mean);
  a.param = o.param;
  Tensor copy;
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
  } else if (!as_three(t, mask, a)) {
    copy = kept_first(t, mask, a);
  }
  k.reads(&ReduceArgs::in, (copy ? copy : t).window());
  launch(k);
}

Tensor reduce(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, DType dtype, double param = 0) {
  if (any_batched(t))
    return batch_to_front({&t},
                          [&](auto p, int n) { return reduce(op, p[0], below(mask, t, n), keepdim, dtype, param); });
  const Tensor out = empty(reduced_shape(t, mask, keepdim), dtype);
  run(op, t, mask, {.out = out.window(), .param = param});
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
    const Tensor scaled = masked_fill(div(g[0], mul(s, Scalar(dof))), eq(s, Scalar(0.0)), Scalar(0.0));
    out[0] = mul(over.spread(scaled), centered(v, over));
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

// max(dim): all of the gradient goes to the index that was returned.
struct IndexedVjp {
  Dims shape;
  Saved index;
  int dim;
  bool keepdim;
  const char* node;
  const char* name() const { return node; }
  SavedFields fields() { return {{"self_sym_sizes", shape}, {"indices", &index}, {"dim", dim}, {"keepdim", keepdim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    if (shape.empty()) {
      out[0] = g[0];
      return;
    }
    const bool missing = !keepdim;
    out[0] = scatter_add(zeros(shape, g[0].dtype()), dim, missing ? unsqueeze(at, dim) : at,
                         missing ? unsqueeze(g[0], dim) : g[0]);
  }
  auto saves() { return std::tie(index); }
};

struct NormVjp {
  static constexpr const char* kName = "LinalgVectorNormBackward0";
  Over over;
  Saved x, y;
  double p;
  SavedFields fields() { return over.with_named_dims({{"self", &x}, {"result", &y}, {"ord", p}}); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), n = over.spread(y.unpack(&self)), grad = over.spread(g[0]);
    const Tensor none = eq(n, Scalar(0.0));
    if (p == 0) return;  // a count has no slope: no gradient, as in torch
    if (p == 1) {
      out[0] = mul(sign(v), grad);
    } else if (p == 2) {
      out[0] = masked_fill(mul(v, div(grad, n)), none, Scalar(0.0));
    } else if (std::isinf(p)) {
      const Tensor hit = cast(logical_or(eq(abs(v), n), logical_and(isnan(v), isnan(n))), v.dtype());
      Dims dims;
      for (int i = 0; i < v.dim(); ++i)
        if (over.mask[i]) dims.push_back(i);
      out[0] = mul(mul(sign(v), hit), div(grad, v.dim() ? sum(hit, dims, true) : hit));
    } else if (p < 1) {
      const Tensor scaled = masked_fill(mul(sign(v), pow(abs(v), Scalar(p - 1))), eq(v, Scalar(0.0)), Scalar(0.0));
      out[0] = mul(scaled, mul(grad, pow(n, Scalar(1 - p))));
    } else if (p < 2) {
      const Tensor scale = masked_fill(div(grad, pow(n, Scalar(p - 1))), none, Scalar(0.0));
      out[0] = mul(mul(sign(v), pow(abs(v), Scalar(p - 1))), scale);
    } else {
      const Tensor scale = masked_fill(div(grad, pow(n, Scalar(p - 1))), none, Scalar(0.0));
      out[0] = mul(mul(v, pow(abs(v), Scalar(p - 2))), scale);
    }
  }
  auto saves() { return std::tie(x, y); }
};

struct LogsumexpVjp {
  static constexpr const char* kName = "LogsumexpBackward0";
  Over over;
  Saved x, y;
  SavedFields fields() { return over.with_dims({{"self", &x}, {"result", &y}}); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor v = x.unpack(&self), top = over.spread(y.unpack(&self));
    out[0] = mul(over.spread(g[0]), exp(sub(v, masked_fill(top, eq(abs(top), Scalar(HUGE_VAL)), Scalar(0.0)))));
  }
  auto saves() { return std::tie(x, y); }
};

DType sum_type(DType t, const MaybeDType& asked) {
  if (asked) return *asked;
  return is_floating(t) ? t : DType::Int64;
}

// Sum or product in the type asked for.
Tensor accumulate(ReduceOp op, const Tensor& t, const DimMask& mask, bool keepdim, DType type) {
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

Tensor mean(const Tensor& t, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  const DType type = dtype.value_or(t.dtype());
  if (!is_floating(type))
    fail("mean(): could not infer output dtype. ", dtype ? "Optional dtype" : "Input dtype",
         " must be either a floating point or complex dtype. Got: ", scalar_type_name(type));
  const DimMask mask = mask_of(t, dim);
  Tensor out;
  {
    const NoRecordGuard off;
    out = accumulate(ReduceOp::Sum, t, mask, keepdim, type);
    div_(out, Scalar(static_cast<double>(reduced_count(t, mask))));
    out.as_new();
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

static Tensor variance(const Tensor& t, const DimMask& mask, double correction, bool keepdim, const char* name) {
  if (!is_floating(t.dtype())) fail(name, " only support floating point and complex dtypes");
  if (any_batched(t))
    return batch_to_front({&t},
                          [&](auto p, int n) { return variance(p[0], below(mask, t, n), correction, keepdim, name); });
  const NoRecordGuard off;
  const Tensor out = empty(reduced_shape(t, mask, keepdim), t.dtype());
  const Tensor means = empty(out.shape(), t.dtype());
  run(ReduceOp::SumSquaredDev, t, mask, {.out = out.window(), .mean = means.window()});
  const double dof = static_cast<double>(reduced_count(t, mask)) - correction;
  div_(out, Scalar(dof > 0 ? dof : 0.0));  // 0/0 is NaN, as in torch
  return out.as_new();
}
Tensor var(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  const DimMask mask = mask_of(t, dim);
  const Tensor out = variance(t, mask, correction, keepdim, "var(): std and var");
  if (should_record(t)) record(out, {&t}, VarVjp{{t, mask, keepdim, dim}, Saved(t), correction});
  return out;
}
Tensor std(const Tensor& t, const MaybeDims& dim, double correction, bool keepdim) {
  const DimMask mask = mask_of(t, dim);
  const Tensor out = variance(t, mask, correction, keepdim, "std(): std and var");
  {
    const NoRecordGuard off;
    sqrt_(out);
    out.as_new();
  }
  if (should_record(t)) record(out, {&t}, StdVjp{{t, mask, keepdim, dim}, Saved(t), Saved::output(out), correction});
  return out;
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
  run(op, t, mask, {.out = r.values.window(), .index = r.indices.window()});
  return r;
}

ValuesIndices indexed(ReduceOp op, const Tensor& t, int64_t dim, bool keepdim, const char* name, const char* node) {
  const int d = wrap_dim(dim, t.dim());
  DimMask mask;
  if (t.dim()) mask.set(d);
  refuse_empty(name, t, mask, false);
  const ValuesIndices r = indexed_raw(op, t, mask, keepdim);
  if (is_floating(t.dtype()) && should_record(t))
    record(r.values, {&t}, IndexedVjp{t.shape(), Saved(r.indices), d, keepdim, node});
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
  if (dim && dim->empty()) return contiguous(cast(ne(t, Scalar(0)), truth_type(t)));
  return reduce(op, t, mask_of(t, dim), keepdim, truth_type(t));
}
Tensor any(const Tensor& t, const MaybeDims& dim, bool keepdim) { return truth(ReduceOp::Any, t, dim, keepdim); }
Tensor all(const Tensor& t, const MaybeDims& dim, bool keepdim) { return truth(ReduceOp::All, t, dim, keepdim); }
Tensor count_nonzero(const Tensor& t, const MaybeDims& dim) {
  return reduce(ReduceOp::CountNonzero, t, mask_of(t, dim), false, DType::Int64);
}

static void check_norm(const Tensor& t, double p, MaybeDType dtype) {
  if (!is_floating(t.dtype()))
    fail("linalg.vector_norm: Expected a floating point or complex tensor as input. Got ", scalar_type_name(t.dtype()));
  if (dtype && !is_floating(*dtype))
    fail("linalg.vector_norm: dtype should be floating point or complex, but got ", scalar_type_name(*dtype));
  if (dtype && *dtype < t.dtype())
    fail("linalg.vector_norm: the dtype of the input (", scalar_type_name(t.dtype()),
         ") should be convertible without narrowing to the specified dtype (", scalar_type_name(*dtype), ")");
  if (t.numel() == 0 && (p < 0 || std::isinf(p)))
    fail("linalg.vector_norm cannot compute the ", p,
         " norm on an empty tensor because the operation does not have an identity");
}

// What a norm sums up before its root is taken.
static ReduceOp norm_op(double p) {
  if (p == 2) return ReduceOp::SumSquares;
  if (p == 1) return ReduceOp::SumAbs;
  if (p == 0) return ReduceOp::CountNonzero;
  if (std::isinf(p)) return p > 0 ? ReduceOp::MaxAbs : ReduceOp::MinAbs;
  return ReduceOp::SumPow;
}

Tensor norm(const Tensor& input, double p, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
  check_norm(input, p, dtype);
  const Tensor t = cast(input, dtype.value_or(input.dtype()));
  const DimMask mask = mask_of(t, dim);
  Tensor out;
  {
    const NoRecordGuard off;
    const ReduceOp op = norm_op(p);
    out = reduce(op, t, mask, keepdim, p == 0 ? DType::Int64 : t.dtype(), p);
    if (p == 0) out = cast(out, t.dtype());
    if (p == 2) sqrt_(out);
    if (op == ReduceOp::SumPow) pow_(out, Scalar(1 / p));
    out.as_new();
  }
  if (should_record(t)) record(out, {&t}, NormVjp{{t, mask, keepdim, dim}, Saved(t), Saved::output(out), p});
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
      if (p != 2) return;
      if (t.dtype() == DType::Float32)
        *static_cast<float*>(a.out) = std::sqrt(*static_cast<float*>(a.out));
      else
        *static_cast<double*>(a.out) = std::sqrt(*static_cast<double*>(a.out));
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
    check_norm(t, p, dtype);
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
