// Ops with one index for each element, along one dim: gather, scatter, scatter_add; and
// add_raw_overlapping(), which walks the same way. Start at Walk.
//
// Every element of the index tensor pairs a place of the "table" (the tensor that is indexed) with an element
// of the "list" (gather's result, scatter's source). Two pairs meet in one place of the table only if they
// differ in nothing but their position along the indexed dim. So the work is cut along the other dims, and
// the order of writes to any place is that of the positions, for any number of threads.
#include <algorithm>

#include "core/parallel.h"
#include "ops/batching.h"
#include "ops/indexing.h"
#include "ops/record.h"

namespace gradcore {

namespace {

struct Step {
  int64_t size;
  int64_t index, table, list;  // strides in elements
};

// Nested loops, the outermost first.
struct Walk {
  int ndim = 0;
  int cut = -1;    // the longest loop that may be cut into blocks
  int along = -1;  // the loop along the indexed dim
  int64_t total = 1;
  Step step[kMaxDims];

  void add(const Step& s, bool may_cut) {
    total *= s.size;
    if (s.size == 1) return;
    check(ndim < kMaxDims, "a tensor of more than ", kMaxDims, " dimensions is more than ops support");
    if (!may_cut)
      along = ndim;
    else if (cut < 0 || s.size > step[cut].size)
      cut = ndim;
    step[ndim++] = s;
  }
};

struct Offsets {
  int64_t index = 0, table = 0, list = 0;
  void advance(const Step& s, int64_t n) {
    index += n * s.index;
    table += n * s.table;
    list += n * s.list;
  }
};

// Calls row(start, innermost step) for every run of the innermost loop, in order.
template <class Row> void walk_rows(const Walk& w, Offsets at, Row&& row) {
  if (w.total == 0) return;
  if (w.ndim == 0) return row(at, Step{1, 0, 0, 0});
  const int inner = w.ndim - 1;
  int64_t count[kMaxDims] = {};
  for (;;) {
    row(at, w.step[inner]);
    int d = inner - 1;
    for (; d >= 0; --d) {
      at.advance(w.step[d], 1);
      if (++count[d] < w.step[d].size) break;
      at.advance(w.step[d], -count[d]);
      count[d] = 0;
    }
    if (d < 0) return;
  }
}

// The same in parallel blocks. Where the indexed dim lies outside the innermost loop, that loop is cut into
// strips: what one strip touches of the table is then still in the cache for the next step along the dim.
template <class Row> void walk_in_blocks(const Walk& w, Row&& row) {
  constexpr int64_t kBlock = 8192;  // elements; about 10 us of random access
  constexpr int64_t kStrip = 64;
  const bool strips = w.along >= 0 && w.along < w.ndim - 1 && w.step[w.along].size >= kStrip;
  const int cut = strips ? w.ndim - 1 : w.cut;
  if (cut < 0 || w.total < 2 * kBlock) return walk_rows(w, {}, row);
  const int64_t size = w.step[cut].size, grain = strips ? kStrip : 1, pieces = (size + grain - 1) / grain;
  const int64_t blocks = std::min(pieces, w.total / kBlock);
  parallel_blocks(blocks, [&](int64_t b) {
    const int64_t end = std::min(size, pieces * (b + 1) / blocks * grain);
    Walk part = w;
    for (int64_t begin = pieces * b / blocks * grain; begin < end; begin += part.step[cut].size) {
      part.step[cut].size = strips ? std::min(kStrip, end - begin) : end - begin;
      Offsets at;
      at.advance(w.step[cut], begin);
      walk_rows(part, at, row);
    }
  });
}

int64_t size_of(const Tensor& t, int d) { return t.dim() == 0 ? 1 : t.size(d); }
int64_t stride_of(const Tensor& t, int d) { return t.dim() == 0 ? 0 : t.stride(d); }

Walk walk_over(const Tensor& index, const Tensor& table, const Tensor& list, int dim) {
  Walk w;
  w.total = index.numel() > 0;  // an empty index may have any rank
  for (int d = 0; w.total && d < std::max(index.dim(), 1); ++d) {
    const int64_t table_stride = d == dim ? 0 : stride_of(table, d);
    w.add({size_of(index, d), stride_of(index, d), table_stride, stride_of(list, d)}, d != dim);
  }
  return w;
}

void check_index_dtype(const Tensor& index, const char* op) {
  check(index.dtype() == DType::Int64 || index.dtype() == DType::Int32, op, "(): Expected dtype int32/int64 for index");
}

// Indices as int64, whatever their strides, each of them in [0, size).
Tensor checked_index(const Tensor& index, int64_t size, int dim) {
  Tensor wide = index;
  if (index.dtype() == DType::Int32) {
    wide = empty(index.shape(), DType::Int64);
    copy_raw(wide, index);
  }
  Walk w;
  for (int d = 0; d < wide.dim(); ++d) w.add({wide.size(d), wide.stride(d), 0, 0}, true);
  const int64_t* data = wide.data<int64_t>();
  walk_in_blocks(w, [&](const Offsets& at, const Step& s) {
    const int64_t* row = data + at.index;
    uint64_t outside = 0;
    for (int64_t i = 0; i < s.size; ++i)
      outside |= static_cast<uint64_t>(row[i * s.index]) >= static_cast<uint64_t>(size);
    for (int64_t i = 0; outside && i < s.size; ++i) {
      const int64_t v = row[i * s.index];
      if (v < 0 || v >= size) fail_out_of_bounds(ErrorKind::Runtime, v, dim, size);
    }
  });
  return wide;
}

int same_rank(const Tensor& index, const Tensor& t, const char* what) {
  // torch looks at the dims of a source one by one, and finds the one that is not there.
  const bool missing = std::string_view(what) == "src" && t.dim() < index.dim();
  check(!missing, ErrorKind::Index, "Dimension out of range (expected to be in range of [", -std::max(t.dim(), 1), ", ",
        std::max(t.dim(), 1) - 1, "], but got ", std::max(t.dim(), 1), "): src has fewer dimensions than index");
  check(std::max(index.dim(), 1) == std::max(t.dim(), 1), "Index tensor must have the same number of dimensions as ",
        what, " tensor");
  return std::max(t.dim(), 1);
}

struct Arguments {
  int dim;
  Tensor index;  // checked, int64
};

Arguments check_gather(const Tensor& t, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, t.dim());
  check_index_dtype(index, "gather");
  if (index.numel() > 0) {
    const int n = same_rank(index, t, "input");
    for (int i = 0; i < n; ++i)
      if (i != d && size_of(index, i) > size_of(t, i))
        fail("Size does not match at dimension ", i, " expected index ", index.shape(), " to be no larger than self ",
             t.shape(), " apart from dimension ", d);
  }
  return {d, checked_index(index, size_of(t, d), d)};
}

// `src` is null for a number.
Arguments check_scatter(const Tensor& t, int64_t dim, const Tensor& index, const Tensor* src) {
  const int d = wrap_dim(dim, t.dim());
  check_index_dtype(index, "scatter");
  if (src) check(src->dtype() == t.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index.numel() > 0) {
    const int n = same_rank(index, t, "self");
    if (src) same_rank(index, *src, "src");
    bool fits = true, fits_src = true;
    for (int i = 0; i < n; ++i) {
      fits &= i == d || size_of(index, i) <= size_of(t, i);
      fits_src &= !src || size_of(index, i) <= size_of(*src, i);
    }
    if (!fits || !fits_src)
      fail("Expected index ", index.shape(), " to be no larger than self ", t.shape(), " apart from dimension ", d,
           src ? str_cat(" and to be no larger size than src ", src->shape()) : std::string());
  }
  return {d, checked_index(index, size_of(t, d), d)};
}

void gather_raw(const Tensor& out, const Tensor& t, const Arguments& a) {
  const Walk w = walk_over(a.index, t, out, a.dim);
  const int64_t step = stride_of(t, a.dim);
  visit_item_size(item_size(t.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int64_t* index = a.index.data<int64_t>();
    const T* table = t.data<T>();
    T* list = out.data<T>();
    walk_in_blocks(w, [=](const Offsets& at, const Step& s) {
      for (int64_t i = 0; i < s.size; ++i)
        list[at.list + i * s.list] = table[at.table + i * s.table + index[at.index + i * s.index] * step];
    });
  });
}

void scatter_raw(const Tensor& t, const Tensor& src, const Arguments& a) {
  const Walk w = walk_over(a.index, t, src, a.dim);
  const int64_t step = stride_of(t, a.dim);
  visit_item_size(item_size(t.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int64_t* index = a.index.data<int64_t>();
    T* table = t.data<T>();
    const T* list = src.data<T>();
    walk_in_blocks(w, [=](const Offsets& at, const Step& s) {
      for (int64_t i = 0; i < s.size; ++i)
        table[at.table + i * s.table + index[at.index + i * s.index] * step] = list[at.list + i * s.list];
    });
  });
}

void scatter_add_raw(const Tensor& t, const Tensor& src, const Arguments& a) {
  const Walk w = walk_over(a.index, t, src, a.dim);
  const int64_t step = stride_of(t, a.dim);
  visit_stored(t.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int64_t* index = a.index.data<int64_t>();
    T* table = t.data<T>();
    const T* list = src.data<T>();
    walk_in_blocks(w, [=](const Offsets& at, const Step& s) {
      for (int64_t i = 0; i < s.size; ++i) {
        T& place = table[at.table + i * s.table + index[at.index + i * s.index] * step];
        place = plus(place, list[at.list + i * s.list]);
      }
    });
  });
}

// A source may be larger than the index; the part that was not read has no gradient.
Tensor gradient_of_source(const Tensor& g, int dim, const Tensor& index, const Dims& shape) {
  if (index.numel() == 0) return zeros(shape, g.dtype());
  Tensor r = gather(g, dim, index);
  if (r.dim() == 0 && shape.size() == 1) r = reshape(r, Dims{1});
  for (int d = 0; d < shape.size() && r.dim() == shape.size(); ++d) {
    if (r.size(d) == shape[d]) continue;
    Dims rest = r.shape();
    rest[d] = shape[d] - r.size(d);
    const Tensor parts[] = {r, zeros(rest, g.dtype())};
    r = cat(parts, d);
  }
  return reshape(r, shape);
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
  void release() { index.reset(); }
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
  void release() { index.reset(); }
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
  void release() { index.reset(); }
};

// What writing to a batched `t` makes of it: write(copy of the physical t, batch dims, physical index and source).
template <class Write> Tensor written_beneath(const Tensor& t, const Tensor& index, const Tensor* src, Write&& write) {
  const Levels levels = levels_of({&t, &index, src ? src : &t});
  check_levels(t, levels);
  return batch_to_front_along({&t, &index, src ? src : &t}, [&](auto p, int n) {
    const Tensor to = clone(p[0], true);
    write(to, n, p[1], p[2]);
    return to;
  });
}

// A number as an element of `t`, seen as a source of the index's shape.
Tensor repeated(const Scalar& value, const Tensor& t, const Tensor& index) {
  const NoRecordGuard off;
  const Tensor one = empty(Dims{}, t.dtype());
  fill_(one, value);
  return make_window(one, index.shape(), Dims(index.dim(), 0), one->data);
}

}  // namespace

Tensor gather(const Tensor& t, int64_t dim, const Tensor& index) {
  if (any_batched(t, index)) {
    const int d = wrap_dim(dim, t.dim());
    const Tensor out = batch_to_front_along({&t, &index}, [&](auto p, int n) { return gather(p[0], d + n, p[1]); });
    if (should_record(t)) record(out, {&t}, GatherVjp{t.shape(), d, Saved(index)});
    return out;
  }
  const Arguments a = check_gather(t, dim, index);
  const Tensor out = empty(index.shape(), t.dtype());
  gather_raw(out, t, a);
  if (should_record(t)) record(out, {&t}, GatherVjp{t.shape(), a.dim, Saved(index)});
  return out;
}

void scatter_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src) {
  const Tensor* tensor = src.tensor;
  const bool recorded = is_floating(t.dtype()) && (tensor ? should_record(t, *tensor) : should_record(t));
  check_inplace(t, tensor ? needs_history(t, *tensor) : needs_history(t));
  if (any_batched(t, index) || (tensor && any_batched(*tensor))) {
    const Tensor below =
        written_beneath(t, index, tensor, [&](const Tensor& to, int n, const Tensor& at, const Tensor& from) {
          scatter_(to, wrap_dim(dim, t.dim()) + n, at, tensor ? Operand(from) : src);
        });
    Ref<Node> fn;
    const int d = wrap_dim(dim, t.dim());
    if (recorded && tensor) fn = make_node({&t, tensor}, ScatterVjp{tensor->shape(), d, true, Saved(index)});
    if (recorded && !tensor) fn = make_node({&t}, ScatterVjp{{}, d, false, Saved(index)});
    copy_raw(t, below);
    return finish_inplace(t, std::move(fn));
  }
  const Arguments a = check_scatter(t, dim, index, tensor);
  const Tensor source = tensor ? apart_from(*tensor, t) : repeated(src.scalar, t, index);
  const Arguments separate{a.dim, apart_from(a.index, t)};
  Ref<Node> node;
  if (recorded && tensor)
    node = make_node({&t, tensor}, ScatterVjp{tensor->shape(), a.dim, true, Saved(index)});
  else if (recorded)
    node = make_node({&t}, ScatterVjp{{}, a.dim, false, Saved(index)});
  scatter_raw(t, source, separate);
  finish_inplace(t, std::move(node));
}

void scatter_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  const bool recorded = is_floating(t.dtype()) && should_record(t, src);
  check_inplace(t, needs_history(t, src));
  if (any_batched(t, index, src)) {
    const int d = wrap_dim(dim, t.dim());
    const Tensor below = written_beneath(
        t, index, &src,
        [&](const Tensor& to, int n, const Tensor& at, const Tensor& from) { scatter_add_(to, d + n, at, from); });
    Ref<Node> fn;
    if (recorded) fn = make_node({&t, &src}, ScatterAddVjp(src, d, index));
    copy_raw(t, below);
    return finish_inplace(t, std::move(fn));
  }
  const Arguments a = check_scatter(t, dim, index, &src);
  const Tensor source = apart_from(src, t);
  const Arguments separate{a.dim, apart_from(a.index, t)};
  Ref<Node> node;
  if (recorded) node = make_node({&t, &src}, ScatterAddVjp(src, a.dim, index));
  scatter_add_raw(t, source, separate);
  finish_inplace(t, std::move(node));
}

namespace {

Tensor fresh_copy(const Tensor& t) {
  const NoRecordGuard off;
  return clone(t, true);
}

}  // namespace

Tensor scatter(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src) {
  const Tensor* tensor = src.tensor;
  if (any_batched(t, index) || (tensor && any_batched(*tensor))) {
    const Tensor out = widened_copy(t, levels_of({&t, &index, tensor ? tensor : &t}));
    scatter_(out, dim, index, src);
    return out;
  }
  const Arguments a = check_scatter(t, dim, index, tensor);
  const Tensor source = tensor ? *tensor : repeated(src.scalar, t, index);
  const Tensor out = fresh_copy(t);
  scatter_raw(out, source, a);
  if (!is_floating(t.dtype())) return out;
  if (tensor && should_record(t, *tensor))
    record(out, {&t, tensor}, ScatterVjp{tensor->shape(), a.dim, true, Saved(index)});
  else if (should_record(t))
    record(out, {&t}, ScatterVjp{{}, a.dim, false, Saved(index)});
  return out;
}

Tensor scatter_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  if (any_batched(t, index, src)) {
    const Tensor out = widened_copy(t, levels_of({&t, &index, &src}));
    scatter_add_(out, dim, index, src);
    return out;
  }
  const Arguments a = check_scatter(t, dim, index, &src);
  const Tensor out = fresh_copy(t);
  scatter_add_raw(out, src, a);
  if (is_floating(t.dtype()) && should_record(t, src)) record(out, {&t, &src}, ScatterAddVjp(src, a.dim, index));
  return out;
}

void add_raw_overlapping(const Tensor& out, const Tensor& t) {
  check(t.dtype() == out.dtype() && broadcastable_to(t.shape(), out.shape()), "add_raw_overlapping: cannot add ",
        t.shape(), " to ", out.shape());
  if (any_batched(out, t)) {
    const Levels levels = levels_of({&out, &t});
    return add_raw_overlapping(physical(out, levels), physical(t, levels, out.dim()));
  }
  const int extra = out.dim() - t.dim();
  Walk w;
  for (int d = 0; d < out.dim(); ++d) {
    const bool moves = d >= extra && t.size(d - extra) != 1;
    w.add({out.size(d), 0, out.stride(d), moves ? t.stride(d - extra) : 0}, false);
  }
  visit_stored(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = out.data<T>();
    const T* from = t.data<T>();
    walk_rows(w, {}, [=](const Offsets& at, const Step& s) {
      for (int64_t i = 0; i < s.size; ++i) {
        T& place = to[at.table + i * s.table];
        place = plus(place, from[at.list + i * s.list]);
      }
    });
  });
}

}  // namespace gradcore
