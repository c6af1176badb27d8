// The same elements with dims in another order, without dims of size one or with more: transpose, permute, squeeze,
// expand.
#include <bitset>

#include "ops/view.h"
#include "ops/viewing.h"

namespace gradcore {

namespace {

struct TransposeVjp {
  int a, b;
  bool in_place = false;
  const char* name() const { return in_place ? "TransposeBackward1" : "TransposeBackward0"; }
  SavedFields fields() { return {{"dim0", a}, {"dim1", b}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = transpose(g[0], a, b); }
};

struct TVjp {
  bool in_place = false;
  const char* name() const { return in_place ? "TBackward1" : "TBackward0"; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = t(g[0]); }
};

struct PermuteVjp {
  static constexpr const char* kName = "PermuteBackward0";
  Dims inverse;
  SavedFields fields() {
    Dims dims(inverse.size());
    for (int i = 0; i < dims.size(); ++i) dims[static_cast<int>(inverse[i])] = i;
    return {{"dims", dims}};
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = permute(g[0], inverse); }
};

struct AliasVjp {
  static constexpr const char* kName = "AliasBackward0";
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = std::move(g[0]); }
};

Geometry with_dims_swapped(const Tensor& t, int a, int b) {
  Geometry w{t.shape(), t.strides(), 0};
  w.shape[a] = t.size(b);
  w.shape[b] = t.size(a);
  w.strides[a] = t.stride(b);
  w.strides[b] = t.stride(a);
  return w;
}

// Dims as indices, each of which may appear once.
Dims wrap_distinct(const Dims& dims, int ndim) {
  Dims out(dims.size());
  bool seen[kMaxDims] = {};
  for (int i = 0; i < dims.size(); ++i) {
    const int d = wrap_dim(dims[i], ndim);
    check(!seen[d], "dim ", d, " appears multiple times in the list of dims");
    seen[d] = true;
    out[i] = d;
  }
  return out;
}

}  // namespace

Tensor transpose(const Tensor& t, int64_t a, int64_t b) {
  const int i = wrap_dim(a, t.dim()), j = wrap_dim(b, t.dim());
  if (i == j) return view_with(t, t.shape(), t.strides(), TransposeVjp{i, j});
  const Geometry w = with_dims_swapped(t, i, j);
  return view_with(t, w.shape, w.strides, TransposeVjp{i, j});
}

Tensor t(const Tensor& t) {
  check(t.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", t.dim(), "D");
  if (t.dim() < 2) return view_with(t, t.shape(), t.strides(), TVjp{});
  const Geometry w = with_dims_swapped(t, 0, 1);
  return view_with(t, w.shape, w.strides, TVjp{});
}

Tensor numpy_T(const Tensor& t) {
  Dims dims(t.dim());
  for (int i = 0; i < t.dim(); ++i) dims[i] = t.dim() - 1 - i;
  return permute(t, dims);
}

Tensor permute(const Tensor& t, const Dims& dims) {
  const int n = t.dim();
  if (dims.size() != n)
    fail(
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
        "ordering of dimensions i.e. input.dim() = ",
        n, " is not equal to len(dims) = ", dims.size());
  Dims shape(n), strides(n), inverse(n, -1);
  for (int i = 0; i < n; ++i) {
    const int d = wrap_dim(dims[i], n);
    check(inverse[d] < 0, "permute(): duplicate dims are not allowed.");
    inverse[d] = i;
    shape[i] = t.size(d);
    strides[i] = t.stride(d);
  }
  return view_with(t, shape, strides, PermuteVjp{std::move(inverse)});
}

Tensor movedim(const Tensor& t, const Dims& from, const Dims& to) {
  if (from.size() != to.size())
    fail("movedim: Invalid source or destination dims: source (", from,
         " dims) should contain the same number of dims as "
         "destination (",
         to, " dims)");
  const int n = t.dim();
  Dims order(n, -1), source(n, 0);  // order[i]: the dim that goes to place i; source[d]: whether d has been placed
  for (int i = 0; i < from.size(); ++i) {
    const int f = wrap_dim(from[i], n), d = wrap_dim(to[i], n);
    if (n == 0) continue;
    check(!source[f], "movedim: repeated dim in `source` (", from, ")");
    check(order[d] < 0, "movedim: repeated dim in `destination` (", to, ")");
    source[f] = 1;
    order[d] = f;
  }
  if (n == 0) return alias(t);
  for (int place = 0, d = 0; place < n; ++place) {
    if (order[place] >= 0) continue;
    while (source[d]) ++d;
    order[place] = d++;
  }
  return permute(t, order);
}

Tensor alias(const Tensor& t) { return view_with(t, t.shape(), t.strides(), AliasVjp{}); }

// ---- dims of size one

namespace {

enum SqueezeKind { kSqueezeAll, kSqueezeOne, kSqueezeSome };

struct SqueezeVjp {
  SqueezeKind kind;
  Dims shape;
  int dim = 0;                   // of kSqueezeOne
  std::bitset<kMaxDims> dims{};  // of kSqueezeSome
  bool in_place = false;
  bool removes(int d) const {
    if (shape[d] != 1) return false;
    return kind == kSqueezeAll || (kind == kSqueezeOne ? d == dim : dims[static_cast<size_t>(d)]);
  }
  const char* name() const {
    static constexpr const char* kNames[] = {"SqueezeBackward0", "SqueezeBackward1", "SqueezeBackward2",
                                             "SqueezeBackward3", "SqueezeBackward4", "SqueezeBackward5"};
    return kNames[kind + (in_place ? 3 : 0)];
  }
  SavedFields fields() {
    SavedFields f{{"self_sym_sizes", shape}};
    if (kind == kSqueezeOne) f.push_back({"dim", dim});
    if (kind == kSqueezeSome) f.push_back({"dim", chosen()});
    return f;
  }
  Dims chosen() const {
    Dims list;
    for (int d = 0; d < kMaxDims; ++d)
      if (dims[static_cast<size_t>(d)]) list.push_back(d);
    return list;
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = std::move(g[0]);
    for (int d = 0; d < shape.size(); ++d)
      if (removes(d)) out[0] = unsqueeze(out[0], d);
  }
};

struct UnsqueezeVjp {
  int64_t dim;
  bool in_place = false;
  const char* name() const { return in_place ? "UnsqueezeBackward1" : "UnsqueezeBackward0"; }
  SavedFields fields() { return {{"dim", dim}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = squeeze(g[0], Dims{dim}); }
};

Tensor squeeze_by(const Tensor& t, SqueezeVjp by) {
  Dims shape, strides;
  for (int d = 0; d < t.dim(); ++d) {
    if (by.removes(d)) continue;
    shape.push_back(t.size(d));
    strides.push_back(t.stride(d));
  }
  return view_with(t, shape, strides, std::move(by));
}

struct ExpandVjp {
  static constexpr const char* kName = "ExpandBackward0";
  Dims shape;
  SavedFields fields() { return {{"self_sym_sizes", shape}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = sum_to(g[0], shape); }
};

}  // namespace

Tensor squeeze(const Tensor& t) { return squeeze_by(t, {kSqueezeAll, t.shape()}); }

Tensor squeeze(const Tensor& t, const Dims& dims) {
  if (dims.size() == 1) return squeeze_by(t, {kSqueezeOne, t.shape(), wrap_dim(dims[0], t.dim())});
  SqueezeVjp some{kSqueezeSome, t.shape()};
  for (int64_t d : wrap_distinct(dims, t.dim())) some.dims.set(static_cast<size_t>(d));
  return squeeze_by(t, std::move(some));
}

Tensor unsqueeze(const Tensor& t, int64_t dim) {
  const int d = wrap_dim(dim, t.dim() + 1);
  Dims shape = t.shape(), strides = t.strides();
  strides.insert(d, d < t.dim() ? times(t.size(d), t.stride(d)) : 1);
  shape.insert(d, 1);
  return view_with(t, shape, strides, UnsqueezeVjp{d});
}

Tensor expand(const Tensor& t, const Dims& shape) {
  const int n = shape.size(), extra = n - t.dim();
  if (extra < 0)
    fail("expand(torch.", scalar_type_name(t.dtype()), "Tensor{", t.shape(), "}, size=", shape,
         "): the number of sizes provided (", n,
         ") must be greater or equal to the number of dimensions in the tensor (", t.dim(), ")");
  Dims full(n), strides(n);
  for (int i = n - 1; i >= 0; --i) {
    const int64_t own = i >= extra ? t.size(i - extra) : 1;
    // As torch: a new dim of size one walks over those to its right; without any dim of its own a tensor walks nowhere.
    strides[i] = i >= extra ? t.stride(i - extra) : extra == n ? 0 : times(full[i + 1], strides[i + 1]);
    full[i] = own;
    if (shape[i] == -1) {
      check(i >= extra, "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ", i);
    } else if (shape[i] != own) {
      if (own != 1)
        fail("The expanded size of the tensor (", shape[i], ") must match the existing size (", own,
             ") at non-singleton dimension ", i, ".  Target sizes: ", shape, ".  Tensor sizes: ", t.shape());
      full[i] = shape[i];
      strides[i] = 0;
    }
  }
  checked_numel(full);
  return view_with(t, full, strides, ExpandVjp{t.shape()});
}

}  // namespace gradcore
