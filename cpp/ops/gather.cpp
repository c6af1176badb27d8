// Ops with one index for each element, along one dim: gather, scatter, scatter_add; and add_raw_overlapping(), which
// walks the same way. The loops and how they are cut: kernels/portable/gather.h.
#include "kernels/portable/gather.h"

#include <algorithm>
#include <string_view>

#include "ops/index.h"
#include "ops/indexing.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

using portable::IndexWalk;

// ---- arguments: torch's checks, then the launches; dims are wrapped, indices int64

void check_index_dtype(const Tensor& index, const char* op) {
  // An index without elements may have any type: a program's empty list is a float tensor.
  check(is_index_dtype(index) || index.numel() == 0, op, "(): Expected dtype int32/int64 for index");
}

int same_rank(const Tensor& index, const Tensor& t, const char* what) {
  // torch looks at the dims of a source one by one, and finds the one that is not there.
  const bool missing = std::string_view(what) == "src" && t.dim() != 0 && t.dim() < index.dim();
  check(!missing, ErrorKind::Index, "Dimension out of range (expected to be in range of [", -std::max(t.dim(), 1), ", ",
        std::max(t.dim(), 1) - 1, "], but got ", std::max(t.dim(), 1), "): src has fewer dimensions than index");
  check(std::max(index.dim(), 1) == std::max(t.dim(), 1), "Index tensor must have the same number of dimensions as ",
        what, " tensor");
  return std::max(t.dim(), 1);
}

void check_gather(const Tensor& t, int d, const Tensor& index) {
  check_index_dtype(index, "gather");
  if (index.numel() == 0) return;
  const int n = same_rank(index, t, "input");
  for (int i = 0; i < n; ++i)
    if (i != d && size_along(index, i) > size_along(t, i))
      fail("Size does not match at dimension ", i, " expected index ", index.shape(), " to be no larger than self ",
           t.shape(), " apart from dimension ", d);
}

// `src` is undefined for a number.
void check_scatter(const Tensor& t, int d, const Tensor& index, const Tensor& src) {
  check_index_dtype(index, "scatter");
  if (src) check(src.dtype() == t.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index.numel() == 0) return;
  const int n = same_rank(index, t, "self");
  if (src) same_rank(index, src, "src");
  bool fits = true, fits_src = true;
  for (int i = 0; i < n; ++i) {
    fits &= i == d || size_along(index, i) <= size_along(t, i);
    fits_src &= !src || size_along(index, i) <= size_along(src, i);
  }
  if (!fits || !fits_src)
    fail("Expected index ", index.shape(), " to be no larger than self ", t.shape(), " apart from dimension ", d,
         src ? str_cat(" and to be no larger size than src ", src.shape()) : std::string());
}

// Indices as int64, whatever their strides.
Tensor wide_index(const Tensor& index) {
  if (index.dtype() != DType::Int32) return index;
  const Tensor wide = empty(index.shape(), DType::Int64);
  copy_raw(wide, index);
  return wide;
}

// The same, each of them in [0, size).
Tensor checked_index(const Tensor& index, int64_t size, int dim) {
  const Tensor wide = wide_index(index);
  using Args = portable::CheckIndexArgs;
  Kernel<Args> k("check_index", portable::check_index);
  k.args.size = size;
  k.args.dim = dim;
  for (int d = 0; d < wide.dim(); ++d) k.args.walk.add({wide.size(d), wide.stride(d), 0, 0}, true);
  launch(k.reads(&Args::index, wide.window()).may_raise());
  return wide;
}

// The loop of `dim` steps through the indexed tensor by index times `step`, the others by strides.
using Gather = Kernel<portable::GatherArgs>;
void set_walk(Gather& k, const Tensor& index, const Tensor& indexed, const Tensor& list, int dim) {
  k.args.dtype = indexed.dtype();
  k.args.dim = dim;
  k.args.size = size_along(indexed, dim);
  k.args.step = stride_along(indexed, dim);
  IndexWalk& w = k.args.walk;
  w.total = index.numel() > 0;  // an empty index may have any rank
  for (int d = 0; w.total && d < std::max(index.dim(), 1); ++d) {
    const int64_t stride = d == dim ? 0 : stride_along(indexed, d);
    w.add({size_along(index, d), stride_along(index, d), stride, stride_along(list, d)}, d != dim);
  }
  k.reads(&portable::GatherArgs::index, index.window());
}

// ---- vjps

}  // namespace

// A source may be larger than the index; the part that was not read has no gradient.
Tensor padded_source(const Tensor& gradient, const Tensor& index, const Dims& shape) {
  if (index.numel() == 0) return zeros(shape, gradient.dtype());
  Tensor r = gradient;
  if (r.dim() == 0 && shape.size() == 1) r = reshape(r, Dims{1});
  for (int d = 0; d < shape.size() && r.dim() == shape.size(); ++d) {
    if (r.size(d) == shape[d]) continue;
    Dims rest = r.shape();
    rest[d] = shape[d] - r.size(d);
    const Tensor parts[] = {r, zeros(rest, r.dtype())};
    r = cat(parts, d);
  }
  return reshape(r, shape);
}

namespace {

Tensor gradient_of_source(const Tensor& g, int dim, const Tensor& index, const Dims& shape) {
  return padded_source(index.numel() == 0 ? g : gather(g, dim, index), index, shape);
}

struct GatherVjp {
  static constexpr const char* kName = "GatherBackward0";
  Dims shape;
  int dim;
  Saved index;
  SavedFields fields() { return {{"index", &index}, {"dim", dim}, {"sparse_grad", false}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    out[0] = full_batched(levels_of({&g[0], &at}), shape, 0, g[0].dtype());
    scatter_add_(out[0], dim, at, g[0]);
  }
  auto saves() { return std::tie(index); }
};

struct ScatterVjp {
  Dims source_shape;
  int dim;
  bool of_tensor;
  Saved index;
  const char* name() const { return of_tensor ? "ScatterBackward0" : "ScatterBackward1"; }
  SavedFields fields() { return {{"index", &index}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    if (self.needs(0)) out[0] = scatter(g[0], dim, at, Scalar(0));
    if (of_tensor && self.needs(1)) out[1] = gradient_of_source(g[0], dim, at, source_shape);
  }
  // Not the transpose, as for index_put_.
  Tensor jvp(Node& self, std::span<const Tensor> tangents, const Tensor& out) {
    const Tensor at = index.unpack(&self), into = tangents[0] ? tangents[0] : zeros_like(out);
    return of_tensor && tangents[1] ? scatter(into, dim, at, tangents[1]) : scatter(into, dim, at, Scalar(0));
  }
  auto saves() { return std::tie(index); }
};

struct ScatterAddVjp {
  static constexpr const char* kName = "ScatterAddBackward0";
  Dims source_shape;
  int dim;
  Saved index;  // for the source's gradient alone
  ScatterAddVjp(const Tensor& source, int d, const Tensor& at) : source_shape(source.shape()), dim(d) {
    if (should_record(source)) index = Saved(at);
  }
  SavedFields fields() { return {{"index", &index}, {"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = g[0];
    if (self.needs(1)) out[1] = gradient_of_source(g[0], dim, index.unpack(&self), source_shape);
  }
  auto saves() { return std::tie(index); }
};

// ---- writing

// A number as an element of `t`, seen as a source of the index's shape.
Tensor repeated(const Scalar& value, const Tensor& t, const Tensor& index) {
  check_fits(value, t.dtype());
  return make_window(scalar_tensor(value, t.dtype()), index.shape(), Dims(index.dim(), 0));
}

}  // namespace

void scatter_to(const Tensor& t, Target target, int dim, const Tensor& index, const Tensor& src, const Scalar& number,
                Scatter how) {
  using Fn = void (*)(const portable::GatherArgs&);
  static constexpr Fn kKernels[] = {portable::scatter, portable::scatter_add, portable::scatter_multiply,
                                    portable::scatter_max, portable::scatter_min};
  const Fn kernel = kKernels[static_cast<int>(how)];
  const auto write = [&](int batch, const Tensor& to, const Tensor& at, const Tensor& from) {
    const int d = dim + batch;
    check_scatter(to, d, at, from);
    const bool first = target == Target::Old;  // else indices are checked on the way
    const Tensor places = apart_from(first ? checked_index(at, size_along(to, d), d) : wide_index(at), to);
    const Tensor source = from ? apart_from(from, to) : repeated(number, to, places);
    Gather k("scatter", kernel);
    k.args.checked = first;
    if (!first) k.may_raise();
    set_walk(k, places, to, source, d);
    k.reads(&portable::GatherArgs::list, source.window()).writes(&portable::GatherArgs::indexed, to.window());
    launch(k);
  };
  write_batched_along(write, t, index, src);
}

namespace {

Ref<Node> scatter_node(const Tensor& t, int d, const Tensor& index, const Tensor& src) {
  if (!is_floating(t.dtype())) return {};
  if (!(src ? should_record(t, src) : should_record(t))) return {};
  if (!src) return make_node({&t}, ScatterVjp{{}, d, false, Saved(index)});
  return make_node({&t, &src}, ScatterVjp{src.shape(), d, true, Saved(index)});
}

Ref<Node> scatter_add_node(const Tensor& t, int d, const Tensor& index, const Tensor& src) {
  if (!is_floating(t.dtype()) || !should_record(t, src)) return {};
  return make_node({&t, &src}, ScatterAddVjp(src, d, index));
}

Tensor tensor_of(const Operand& src) { return src.is_tensor() ? *src.tensor : Tensor(); }

}  // namespace

Tensor gather(const Tensor& t, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, t.dim());
  const auto read = [d](int batch, const Tensor& from, const Tensor& at) {
    check_gather(from, d + batch, at);
    const Tensor wide = wide_index(at), out = empty(at.shape(), from.dtype());
    Gather k("gather", portable::gather);
    set_walk(k, wide, from, out, d + batch);
    k.reads(&portable::GatherArgs::indexed, from.window()).writes(&portable::GatherArgs::list, out.window());
    launch(k.may_raise());  // the result is new: indices are checked on the way
    return out;
  };
  Tensor out = batched_along(read, t, index);
  if (should_record(t)) record(out, {&t}, GatherVjp{t.shape(), d, Saved(index)});
  return out;
}

void scatter_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src) {
  const Tensor tensor = tensor_of(src);
  int d = 0;
  const auto check = [&] {
    check_inplace(t, tensor ? needs_history(t, tensor) : needs_history(t));
    d = wrap_dim(dim, t.dim());
  };
  write_in_place(
      t, check, [&] { return scatter_node(t, d, index, tensor); },
      [&](const Tensor& to) { scatter_to(to, Target::Old, d, index, tensor, src.scalar, Scatter::Assign); });
}
Tensor scatter(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src) {
  const Tensor tensor = tensor_of(src);
  const int d = wrap_dim(dim, t.dim());
  return write_to_copy(
      t, levels_of({&t, &index, &tensor}), true, [&] { return scatter_node(t, d, index, tensor); },
      [&](const Tensor& to) { scatter_to(to, Target::New, d, index, tensor, src.scalar, Scatter::Assign); });
}

void scatter_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  int d = 0;
  const auto check = [&] {
    check_inplace(t, needs_history(t, src));
    d = wrap_dim(dim, t.dim());
  };
  write_in_place(
      t, check, [&] { return scatter_add_node(t, d, index, src); },
      [&](const Tensor& to) { scatter_to(to, Target::Old, d, index, src, {}, Scatter::Add); });
}
Tensor scatter_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  const int d = wrap_dim(dim, t.dim());
  return write_to_copy(
      t, levels_of({&t, &index, &src}), true, [&] { return scatter_add_node(t, d, index, src); },
      [&](const Tensor& to) { scatter_to(to, Target::New, d, index, src, {}, Scatter::Add); });
}

void add_raw_overlapping(const Tensor& out, const Tensor& t) {
  check(t.dtype() == out.dtype() && broadcastable_to(t.shape(), out.shape()), "add_raw_overlapping: cannot add ",
        t.shape(), " to ", out.shape());
  if (any_batched(out, t)) {
    const Levels levels = levels_of({&out, &t});
    return add_raw_overlapping(physical(out, levels), physical(t, levels, out.dim()));
  }
  using Args = portable::AddInOrderArgs;
  Kernel<Args> k("add_in_order", portable::add_in_order);
  k.args.dtype = out.dtype();
  const int extra = out.dim() - t.dim();
  for (int d = 0; d < out.dim(); ++d) {
    const bool moves = d >= extra && t.size(d - extra) != 1;
    k.args.walk.add({out.size(d), 0, out.stride(d), moves ? t.stride(d - extra) : 0}, false);
  }
  launch(k.reads(&Args::list, t.window()).writes(&Args::indexed, out.window()));
}

}  // namespace gradcore
