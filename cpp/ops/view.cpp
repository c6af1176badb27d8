// View ops: other windows on the same memory, and their transposes for backward. Start at windowed() for the
// ops that cut a piece out (select, slice, diagonal), at view_with() for those that rearrange, and at Note
// [Through a storage] for as_strided. Offsets and strides are computed with times() and at(): a window
// without elements may have any strides.
#include <algorithm>
#include <bitset>

#include "autograd/accumulate.h"
#include "autograd/transforms.h"

#include "ops/batching.h"
#include "ops/record.h"

namespace gradcore {

namespace {

// A product that does not fit belongs to a dim that never steps (one element, or none): any stride will do
// there.
int64_t times(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? a : product;
}

// The address `elements` past the first one. It may lie outside the memory when nothing is read there.
void* at(const Tensor& t, int64_t elements) {
  const uint64_t bytes = static_cast<uint64_t>(elements) * static_cast<uint64_t>(item_size(t.dtype()));
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(t->data) + bytes);
}

struct Piece {
  Dims shape, strides;
  int64_t offset = 0;  // from the tensor's first element
};

Tensor window_on(const Tensor& t, const Piece& w) { return make_window(t, w.shape, w.strides, at(t, w.offset)); }

template <class Vjp> Tensor view_with(const Tensor& t, const Dims& shape, const Dims& strides, Vjp vjp) {
  Tensor v = make_view(t, shape, strides, t->data);
  if (should_record(t)) record(v, {&t}, std::move(vjp));
  return v;
}

// ---- Pieces: select, slice, diagonal. A Spec says which piece of a tensor it is; windowed() takes it out,
// and embed(), the transpose, puts it into zeros. Each is the other's vjp.

struct SelectSpec {
  static constexpr const char* kName = "SelectBackward0";
  static constexpr const char* kEmbedName = "SelectBackwardBackward0";
  int dim;
  int64_t index;
  SavedFields fields() const { return {{"dim", dim}, {"index", index}}; }
  Piece of(const Tensor& t) const {
    Piece w{t.shape(), t.strides(), times(index, t.stride(dim))};
    w.shape.erase(dim);
    w.strides.erase(dim);
    return w;
  }
};

struct SliceSpec {
  static constexpr const char* kName = "SliceBackward0";
  static constexpr const char* kEmbedName = "SliceBackwardBackward0";
  int dim;
  int64_t start, length, step;
  SavedFields fields() const { return {{"dim", dim}, {"start", start}, {"step", step}}; }
  Piece of(const Tensor& t) const {
    Piece w{t.shape(), t.strides(), times(start, t.stride(dim))};
    w.shape[dim] = length;
    w.strides[dim] = times(t.stride(dim), step);
    return w;
  }
};

struct DiagonalSpec {
  static constexpr const char* kName = "DiagonalBackward0";
  static constexpr const char* kEmbedName = "DiagonalBackwardBackward0";
  int64_t offset;
  int dim1, dim2;
  SavedFields fields() const { return {{"offset", offset}, {"dim1", dim1}, {"dim2", dim2}}; }
  Piece of(const Tensor& t) const {
    const int64_t rows = t.size(dim1), columns = t.size(dim2);
    int64_t length = 0, start = 0;
    if (offset >= 0 && offset < columns) {
      length = std::min(rows, columns - offset);
      start = times(offset, t.stride(dim2));
    } else if (offset < 0 && offset > -rows) {
      length = std::min(rows + offset, columns);
      start = times(-offset, t.stride(dim1));
    }
    if (length == 0) start = 0;
    int64_t step;
    if (__builtin_add_overflow(t.stride(dim1), t.stride(dim2), &step)) step = 1;
    Piece w{t.shape(), t.strides(), start};
    for (Dims* d : {&w.shape, &w.strides}) {
      d->erase(std::max(dim1, dim2));
      d->erase(std::min(dim1, dim2));
    }
    w.shape.push_back(length);
    w.strides.push_back(step);
    return w;
  }
};

template <class Spec> Tensor windowed(const Tensor& t, const Spec& spec);
template <class Spec> Tensor embed(const Tensor& piece, const Spec& spec, const Dims& shape);

template <class Spec> struct WindowVjp {
  static constexpr const char* kName = Spec::kName;
  Spec spec;
  Dims shape;
  SavedFields fields() {
    SavedFields f = spec.fields();
    f.push_back({"self_sym_sizes", shape});
    return f;
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = embed(g[0], spec, shape); }
};

template <class Spec> struct EmbedVjp {
  static constexpr const char* kName = Spec::kEmbedName;
  Spec spec;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = windowed(g[0], spec); }
};

template <class Spec> Tensor windowed(const Tensor& t, const Spec& spec) {
  const Piece w = spec.of(t);
  Tensor v = make_view(t, w.shape, w.strides, at(t, w.offset));
  if (should_record(t)) record(v, {&t}, WindowVjp<Spec>{spec, t.shape()});
  return v;
}

template <class Spec> Tensor embed(const Tensor& piece, const Spec& spec, const Dims& shape) {
  Tensor out = full_batched(levels_of({&piece}), shape, 0, piece.dtype());
  copy_raw(window_on(out, spec.of(out)), piece);
  if (should_record(piece)) record(out, {&piece}, EmbedVjp<Spec>{spec});
  return out;
}

}  // namespace

Tensor select(const Tensor& t, int64_t dim, int64_t index) {
  check(t.dim() > 0, ErrorKind::Index, "select() cannot be applied to a 0-dim tensor.");
  const int d = wrap_dim(dim, t.dim());
  const int64_t size = t.size(d);
  if (index < -size || index >= size)
    fail(ErrorKind::Index, "select(): index ", index, " out of range for tensor of size ", t.shape(), " at dimension ",
         d);
  return windowed(t, SelectSpec{d, index < 0 ? index + size : index});
}

Tensor slice(const Tensor& t, int64_t dim, int64_t start, int64_t end, int64_t step) {
  check(t.dim() > 0, ErrorKind::Index, "slice() cannot be applied to a 0-dim tensor.");
  check(step > 0, "slice step must be positive");
  const int d = wrap_dim(dim, t.dim());
  const int64_t size = t.size(d);
  start = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
  end = std::clamp<int64_t>(end < 0 ? end + size : end, start, size);
  const int64_t length = end == start ? 0 : 1 + (end - start - 1) / step;
  return windowed(t, SliceSpec{d, start, length, step});
}

Tensor narrow(const Tensor& t, int64_t dim, int64_t start, int64_t length) {
  check(t.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  check(length >= 0, "narrow(): length must be non-negative.");
  const int d = wrap_dim(dim, t.dim());
  const int64_t size = t.size(d);
  if (start < -size || start > size)
    fail(ErrorKind::Index, "start out of range (expected to be in range of [", -size, ", ", size, "], but got ", start,
         ")");
  if (start < 0) start += size;
  if (length > size - start) fail("start (", start, ") + length (", length, ") exceeds dimension size (", size, ").");
  return windowed(t, SliceSpec{d, start, length, 1});
}

Tensor diagonal(const Tensor& t, int64_t offset, int64_t dim1, int64_t dim2) {
  const int a = wrap_dim(dim1, t.dim()), b = wrap_dim(dim2, t.dim());
  check(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  return windowed(t, DiagonalSpec{offset, a, b});
}

// ---- Several pieces at once: unbind and split are one node with an output for each piece.

namespace {

// Undefined gradients become zeros of the shape that `shape_of(i)` gives.
template <class ShapeOf> std::vector<Tensor> with_zeros(std::span<const Tensor> g, DType dtype, ShapeOf shape_of) {
  std::vector<Tensor> all(g.begin(), g.end());
  for (size_t i = 0; i < g.size(); ++i)
    if (!g[i]) all[i] = zeros(shape_of(i), dtype);
  return all;
}

bool any_of_batched(std::span<const Tensor> g) {
  return std::ranges::any_of(g, [](const Tensor& t) { return any_batched(t); });
}

DType dtype_of_defined(std::span<const Tensor> g) {
  for (const Tensor& t : g)
    if (t) return t.dtype();
  return default_dtype();
}

void put(const Tensor& whole, const Piece& w, const Tensor& piece) {
  const Tensor to = window_on(whole, w);
  if (piece)
    copy_raw(to, piece);
  else
    fill_raw(to, 0);
}

struct UnbindVjp {
  static constexpr const char* kName = "UnbindBackward0";
  Dims shape;
  int dim;
  SavedFields fields() { return {{"dim", dim}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const DType dtype = dtype_of_defined(g);
    if (modes.tracking() || any_of_batched(g)) {
      Dims piece = shape;
      piece.erase(dim);
      const auto all = with_zeros(g, dtype, [&](size_t) { return piece; });
      out[0] = stack(std::span<const Tensor>(all), dim);
      return;
    }
    out[0] = empty(shape, dtype);
    if (shape.size() == 1) return put_elements(out[0], g);
    const int64_t n = static_cast<int64_t>(g.size());
    for (int64_t i = 0; i < n; ++i) put(out[0], SelectSpec{dim, i}.of(out[0]), g[i]);
  }
  // `w, b = params`: the pieces are single elements.
  static void put_elements(const Tensor& to, std::span<Tensor> g) {
    const int64_t item = item_size(to.dtype());
    char* p = to.data<char>();
    for (const Tensor& e : g) {
      if (e)
        std::memcpy(p, e->data, item);
      else
        std::memset(p, 0, item);
      p += item;
    }
  }
};

// Equal pieces of `each` (the last may be shorter), or pieces of the given sizes.
struct SplitVjp {
  Dims shape;
  Dims sizes;
  int64_t each;
  int dim;
  bool equal;
  const char* name() const { return equal ? "SplitBackward0" : "SplitWithSizesBackward0"; }
  int64_t length(size_t i) const {
    return equal ? std::min(each, shape[dim] - each * static_cast<int64_t>(i)) : sizes[static_cast<int>(i)];
  }
  SavedFields fields() {
    SavedFields f{{"dim", dim}, {"self_sym_sizes", shape}};
    if (equal)
      f.push_back({"split_size", each});
    else
      f.push_back({"split_sizes", sizes});
    return f;
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const DType dtype = dtype_of_defined(g);
    if (modes.tracking() || any_of_batched(g)) {
      const auto all = with_zeros(g, dtype, [&](size_t i) {
        Dims piece = shape;
        piece[dim] = length(i);
        return piece;
      });
      out[0] = cat(all, dim);
      return;
    }
    out[0] = empty(shape, dtype);
    int64_t start = 0;
    for (size_t i = 0; i < g.size(); ++i) {
      put(out[0], SliceSpec{dim, start, length(i), 1}.of(out[0]), g[i]);
      start += length(i);
    }
  }
};

template <class Vjp> void record_all(const std::vector<Tensor>& pieces, const Tensor& t, Vjp vjp) {
  const auto count = static_cast<uint32_t>(pieces.size());
  if (count == 0 || !should_record(t)) return;
  const Ref<Node> node = make_node({&t}, std::move(vjp), count);
  record_outputs(pieces, node);
}

std::vector<Tensor> split_by(const Tensor& t, size_t count, const SplitVjp& by) {
  std::vector<Tensor> pieces;
  pieces.reserve(count);
  int64_t start = 0;
  for (size_t i = 0; i < count; ++i) {
    const Piece w = SliceSpec{by.dim, start, by.length(i), 1}.of(t);
    pieces.push_back(make_view(t, w.shape, w.strides, at(t, w.offset), ViewKind::MultiOutput));
    start += by.length(i);
  }
  record_all(pieces, t, by);
  return pieces;
}

}  // namespace

std::vector<Tensor> unbind(const Tensor& t, int64_t dim) {
  const int d = wrap_dim(dim, t.dim());
  check(t.dim() > 0, ErrorKind::Index, "Dimension specified as 0 but tensor has no dimensions");
  const int64_t count = t.size(d);
  const Piece first = SelectSpec{d, 0}.of(t);
  std::vector<Tensor> pieces;
  pieces.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    pieces.push_back(make_view(t, first.shape, first.strides, at(t, times(i, t.stride(d))), ViewKind::MultiOutput));
  record_all(pieces, t, UnbindVjp{t.shape(), d});
  return pieces;
}

std::vector<Tensor> split(const Tensor& t, int64_t size, int64_t dim) {
  check(t.dim() > 0, "split expects at least a 1-dimensional tensor");
  check(size >= 0, "split expects split_size be non-negative, but got split_size=", size);
  const int d = wrap_dim(dim, t.dim());
  const int64_t whole = t.size(d);
  check(size > 0 || whole == 0, "split_size can only be 0 if dimension size is 0, but got dimension size of ", whole);
  const int64_t count = whole == 0 ? 1 : 1 + (whole - 1) / size;
  return split_by(t, static_cast<size_t>(count), SplitVjp{t.shape(), {}, size, d, true});
}

std::vector<Tensor> split(const Tensor& t, const Dims& sizes, int64_t dim) {
  check(t.dim() > 0, "split expects at least a 1-dimensional tensor");
  const int d = wrap_dim(dim, t.dim());
  int64_t sum = 0;
  bool fits = true;
  for (int64_t s : sizes) {
    check(s >= 0, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=", sizes);
    fits &= !__builtin_add_overflow(sum, s, &sum);
  }
  if (!fits || sum != t.size(d))
    fail("split_with_sizes expects split_sizes to sum exactly to ", t.size(d), " (input tensor's size at dimension ",
         dim, "), but got split_sizes=", sizes);
  return split_by(t, static_cast<size_t>(sizes.size()), SplitVjp{t.shape(), sizes, 0, d, false});
}

std::vector<Tensor> chunk(const Tensor& t, int64_t chunks, int64_t dim) {
  check(t.dim() > 0, "chunk expects at least a 1-dimensional tensor");
  check(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
  const int d = wrap_dim(dim, t.dim());
  const int64_t size = t.size(d);
  if (size > 0) return split(t, 1 + (size - 1) / chunks, d);
  // Nothing to divide: that many empty pieces all the same.
  check(chunks <= INT32_MAX, "chunk: ", chunks, " pieces are too many");
  return split(t, Dims(static_cast<int>(chunks), 0), d);
}

// ---- Shapes: view, reshape and what is written with them.

namespace {

// `shape` with its -1 replaced by what is left of `numel`.
Dims infer_shape(const Dims& shape, int64_t numel) {
  int unknown = -1;
  int64_t known = 1;
  bool overflow = false;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      check(unknown < 0, "only one dimension can be inferred");
      unknown = i;
    } else {
      if (shape[i] < 0) fail("invalid shape dimension ", shape[i], " at index ", i, " of shape ", shape);
      overflow |= __builtin_mul_overflow(known, shape[i], &known);
    }
  }
  const bool fits = !overflow && (known == numel || (unknown >= 0 && known > 0 && numel % known == 0));
  if (!fits) fail("shape '", shape, "' is invalid for input of size ", numel);
  if (unknown < 0) return shape;
  check(known != 0, "cannot reshape tensor of 0 elements into shape ", shape,
        " because the unspecified dimension size -1 can be any value and is ambiguous");
  Dims full = shape;
  full[unknown] = numel / known;
  return full;
}

// The strides with which `t` can be seen as `shape` without a copy; false when there are none. The dims of
// `t` fall into runs that step evenly (each stride is the next one's times its size); a new dim must lie
// within one run.
bool strides_for(const Tensor& t, const Dims& shape, Dims& strides) {
  if (t.numel() == 0) {
    checked_numel(shape);
    strides = t.shape() == shape ? t.strides() : contiguous_strides(shape);
    return true;
  }
  strides = Dims(shape.size(), 1);
  int to = shape.size() - 1;
  for (int from = t.dim() - 1; from >= 0;) {
    const int64_t step = t.stride(from);
    int64_t run = t.size(from--);
    while (from >= 0 && (t.size(from) == 1 || t.stride(from) == times(run, step))) run *= t.size(from--);
    int64_t filled = 1;
    for (; to >= 0 && (filled < run || shape[to] == 1); --to) {
      strides[to] = times(filled, step);
      filled *= shape[to];
    }
    if (filled != run) return false;
  }
  return true;  // the sizes agree, so nothing is left of `shape`; for a 0-d tensor it was all ones
}

struct ReshapeVjp {
  const char* node;
  Dims shape;
  const char* name() const { return node; }
  SavedFields fields() { return {{"self_sym_sizes", shape}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = reshape(g[0], shape); }
};

// A dense tensor that nobody else has, under another shape: not a view of anything.
Tensor unsafe_view(const Tensor& t, const Dims& shape) {
  Tensor out = make_window(t, shape, contiguous_strides(shape), t->data);
  out->created_in = t->created_in;
  if (should_record(t)) record(out, {&t}, ReshapeVjp{"UnsafeViewBackward0", t.shape()});
  return out;
}

}  // namespace

Tensor view(const Tensor& t, const Dims& shape) {
  const Dims full = infer_shape(shape, t.numel());
  Dims strides;
  check(strides_for(t, full, strides),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.");
  return view_with(t, full, strides, ReshapeVjp{"ViewBackward0", t.shape()});
}

Tensor reshape(const Tensor& t, const Dims& shape) {
  const Dims full = infer_shape(shape, t.numel());
  Dims strides;
  if (!strides_for(t, full, strides)) return unsafe_view(clone(t, true), full);
  const char* node = t.is_contiguous() ? "ViewBackward0" : "ReshapeAliasBackward0";
  return view_with(t, full, strides, ReshapeVjp{node, t.shape()});
}

Tensor flatten(const Tensor& t, int64_t start, int64_t end) {
  const int a = wrap_dim(start, t.dim()), b = wrap_dim(end, t.dim());
  check(a <= b, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (t.dim() == 0) return reshape(t, Dims{1});
  if (a == b) return t;
  Dims shape = t.shape();
  for (int i = b; i > a; --i) {
    shape[i - 1] *= shape[i];
    shape.erase(i);
  }
  return reshape(t, shape);
}

Tensor unflatten(const Tensor& t, int64_t dim, const Dims& sizes) {
  const int d = wrap_dim(dim, t.dim());
  check(!sizes.empty(), "unflatten: sizes must be non-empty");
  check(t.dim() > 0, "unflatten() cannot be applied to a 0-dim tensor.");
  Dims inner;
  try {
    inner = infer_shape(sizes, t.size(d));
  } catch (const Error&) {
    fail("unflatten: Provided sizes ", sizes, " don't multiply up to the size of dim ", d, " (", t.size(d),
         ") in the input tensor");
  }
  Dims shape;
  for (int i = 0; i < d; ++i) shape.push_back(t.size(i));
  for (int64_t s : inner) shape.push_back(s);
  for (int i = d + 1; i < t.dim(); ++i) shape.push_back(t.size(i));
  return view(t, shape);
}

Tensor view_dtype(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return t;
  const int64_t from = item_size(t.dtype()), to = item_size(dtype);
  const std::string as =
      str_cat(" to view ", scalar_type_name(t.dtype()), " as ", scalar_type_name(dtype), " (different element sizes)");
  Dims shape = t.shape(), strides = t.strides();
  const int last = t.dim() - 1;
  if (from != to) {
    const int64_t ratio = from > to ? from / to : to / from;
    check(last >= 0, "self.dim() cannot be 0", as);
    if (from < to) {
      check(shape[last] % ratio == 0, "self.size(-1) must be divisible by ", ratio, as, ", but got ", shape[last]);
      check(t.offset() % ratio == 0, "self.storage_offset() must be divisible by ", ratio, as, ", but got ",
            t.offset());
    }
    check(strides[last] == 1, "self.stride(-1) must be 1", as, ", but got ", strides[last]);
    for (int i = 0; i < last; ++i) {
      if (from < to)
        check(strides[i] % ratio == 0, "self.stride(", i, ") must be divisible by ", ratio, as, ", but got ",
              strides[i]);
      strides[i] = from < to ? strides[i] / ratio : times(strides[i], ratio);
    }
    if (from < to)
      shape[last] /= ratio;
    else
      check(!__builtin_mul_overflow(shape[last], ratio, &shape[last]), "numel: integer multiplication overflow");
    checked_numel(shape);
  }
  // Bits have no derivative: the result is a window without history.
  Tensor out = alias_of(t);
  out->dtype = dtype;
  out = make_window(out, shape, strides, t->data);
  out->created_in = t->created_in;
  return out;
}

// ---- Orders of dims.

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

Piece with_dims_swapped(const Tensor& t, int a, int b) {
  Piece w{t.shape(), t.strides(), 0};
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
  check(ndim <= kMaxDims, "a tensor of ", ndim, " dimensions is more than the ", kMaxDims, " that ops support");
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
  const Piece w = with_dims_swapped(t, i, j);
  return view_with(t, w.shape, w.strides, TransposeVjp{i, j});
}

Tensor t(const Tensor& t) {
  check(t.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", t.dim(), "D");
  if (t.dim() < 2) return view_with(t, t.shape(), t.strides(), TVjp{});
  const Piece w = with_dims_swapped(t, 0, 1);
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

// ---- Dims of size one.

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

// ---- as_strided.
//
// Note [Through a storage]
// as_strided() looks at its input's memory through another geometry: in -> memory -> out. Two windows that
// overlap themselves make that more than a selection. Backward adds the gradient through `out` into a stretch
// of zeros that stands for the memory and reads it through `in`:
//     grad_in = read_in(add_out(grad) / n_in)
// where n_in counts how many elements of the input share a place: the input's elements there are one number,
// so each gets an equal part. The transpose of this is the same walk with `in` and `out` exchanged, divided
// by the same n_in; so one function serves both, and each is the other's vjp to any order.

namespace {

struct Geometry {
  Dims shape, strides;
  int64_t offset;
  int64_t numel() const {
    int64_t n = 1;
    for (int64_t d : shape) n *= d;
    return n;
  }
  int64_t end() const {  // for a geometry that has elements
    int64_t last = offset;
    for (int i = 0; i < shape.size(); ++i) last += (shape[i] - 1) * strides[i];
    return last + 1;
  }
};

// Whether two indices may share a place. It may err on the side of yes.
bool may_overlap(const Geometry& g) {
  check(g.shape.size() <= kMaxDims, "as_strided: ", g.shape.size(), " dimensions are more than ", kMaxDims);
  int order[kMaxDims], n = 0;
  for (int i = 0; i < g.shape.size(); ++i)
    if (g.shape[i] > 1) order[n++] = i;
  std::sort(order, order + n, [&](int a, int b) { return g.strides[a] < g.strides[b]; });
  int64_t reach = 0;
  for (int i = 0; i < n; ++i) {
    if (g.strides[order[i]] <= reach) return true;
    reach += (g.shape[order[i]] - 1) * g.strides[order[i]];
  }
  return false;
}

Tensor walk(const Tensor& g, const Geometry& in, const Geometry& out, bool backward);

struct AsStridedVjp {
  Geometry in, result;
  bool in_place = false;
  const char* name() const { return in_place ? "AsStridedBackward1" : "AsStridedBackward0"; }
  SavedFields fields() { return {{"size", result.shape}, {"stride", result.strides}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = walk(g[0], in, result, true); }
};

struct WalkVjp {
  static constexpr const char* kName = "AsStridedBackwardBackward0";
  Geometry in, result;
  bool backward;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = walk(g[0], in, result, !backward); }
};

Tensor walk_raw(const Tensor& g, const Geometry& in, const Geometry& from, const Geometry& to) {
  const Levels levels = levels_of({&g});
  if (from.numel() == 0 || to.numel() == 0) return full_batched(levels, to.shape, 0, g.dtype());
  const NoRecordGuard off;
  const int64_t low = std::min(from.offset, to.offset);
  const Dims length{std::max(from.end(), to.end()) - low};
  Tensor memory = full_batched(levels, length, 0, g.dtype());
  const auto through = [&](const Tensor& m, const Geometry& w) {
    return make_window(m, w.shape, w.strides, at(m, w.offset - low));
  };
  if (may_overlap(from))
    add_raw_overlapping(through(memory, from), g);
  else
    copy_raw(through(memory, from), g);
  if (may_overlap(in)) {
    const Tensor count = zeros(length, g.dtype());
    add_raw_overlapping(through(count, in), ones(Dims{}, g.dtype()));
    div_(memory, maximum(count, Scalar(1.0)));
  }
  const Tensor result = through(memory, to);
  return may_overlap(to) ? clone(result, true) : result;
}

Tensor walk(const Tensor& g, const Geometry& in, const Geometry& out, bool backward) {
  Tensor result = backward ? walk_raw(g, in, out, in) : walk_raw(g, in, in, out);
  if (should_record(g)) record(result, {&g}, WalkVjp{in, out, backward});
  return result;
}

}  // namespace

Tensor as_strided(const Tensor& t, const Dims& shape, const Dims& strides, std::optional<int64_t> offset) {
  const int64_t start = offset.value_or(t.offset());
  const Tensor window = checked_window(t, shape, strides, start);
  Tensor v = make_view(t, shape, strides, window->data);
  if (should_record(t)) record(v, {&t}, AsStridedVjp{{t.shape(), t.strides(), t.offset()}, {shape, strides, start}});
  return v;
}

Tensor as_strided_backward(const Tensor& grad, const Dims& in_shape, const Dims& in_strides, int64_t in_offset,
                           const Dims& out_shape, const Dims& out_strides, int64_t out_offset) {
  return walk(grad, {in_shape, in_strides, in_offset}, {out_shape, out_strides, out_offset}, true);
}

// ---- Dims into batch levels and back.

namespace {

struct HideVjp {
  static constexpr const char* kName = "HideDimBackward";
  int dim;
  int64_t level, size;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = remove_batch_dim(g[0], level, dim, size); }
};
struct ShowVjp {
  static constexpr const char* kName = "ShowLevelBackward";
  int dim;
  int64_t level;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = add_batch_dim(g[0], dim, level); }
};

}  // namespace

Tensor add_batch_dim(const Tensor& t, int dim, int64_t level) {
  const Tensor out = with_dim_hidden(t, dim, level);
  if (should_record(t)) record(out, {&t}, HideVjp{dim, level, t.size(dim)});
  return out;
}

Tensor remove_batch_dim(const Tensor& t, int64_t level, int dim, int64_t size) {
  const Tensor out = with_level_shown(t, level, dim, size);
  if (should_record(t)) record(out, {&t}, ShowVjp{dim, level});
  return out;
}

struct IdentityVjp {
  const char* node;
  const char* name() const { return node; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = g[0]; }
};
Tensor alias_without_base(const Tensor& t, const char* node) {
  const Tensor out = alias_of(t);
  if (should_record(t)) record(out, {&t}, IdentityVjp{node});
  return out;
}

Tensor view_without_tangents(const Tensor& t, const char* node) {
  const Tensor out = make_view(t, t.shape(), t.strides(), t->data);
  make_meta(out).owns_tangents = true;
  if (should_record(t)) record(out, {&t}, IdentityVjp{node});
  return out;
}

// As become_view(), with the tangent of `t` at the level: it becomes that of `v`.
static void follow_tangent(const Tensor& t, const Tensor& v, int depth) {
  const Tensor after = tangent_of(v, depth);  // first: it may give the tangent another memory
  const Tensor before = tangent_of(t, depth);
  if (!before || !after) return;
  const ForwardGuard below(depth);
  const LeaveTransforms captured_too;
  become_view(before, after);
}

void set_(const Tensor& t, const Tensor& source) {
  check(t.dtype() == source.dtype(), "Could not set tensor of type ", dtype_name(source.dtype()),
        " to a tensor of type ", dtype_name(t.dtype()));
  check_inplace(t, needs_history(t, source));
  check(!should_record(t, source), ErrorKind::NotImplemented,
        "derivative for set_ is not implemented: use x.data = y, or no_grad()");
  set_window(t, source);
  t.bump_version();
}

// The tensor keeps its identity and its memory; only the window and the history change.
void become_view(const Tensor& t, const Tensor& v) {
  check_inplace(t, needs_history(t));
  const Ref<Node> history = grad_fn_of(v);
  if (history) history->mark_in_place();
  const Tensor before = alias_of(t);
  const bool leaf = is_leaf(t);
  if (owns_tangents(t))
    for (int depth = 0; depth < modes.forward; ++depth) follow_tangent(t, v, depth);
  await_readers();
  t->storage = v->storage;  // another thread may have given `t` another one meanwhile, as what follows
  t->dtype = v.dtype();
  t->batch = v->batch;
  t->shape = v.shape();
  t->strides = v.strides();
  t->data = v->data;
  t->numel = v.numel();
  t->contiguous = v.is_contiguous();
  t.bump_version();
  if (history)
    set_history(t, history, meta_of(v)->output_nr);
  else if (!leaf && !(t->base && t->view_kind != ViewKind::Normal))  // whose history cannot be asked for any more
    replay_window(t, before);  // under no_grad: gradients still have to find the way back
}

}  // namespace gradcore
