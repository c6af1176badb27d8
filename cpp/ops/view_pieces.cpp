// Views that cut pieces out: select, slice, narrow, diagonal, unbind, split, chunk; and diag_embed. A Spec says which
// piece of a tensor it is; windowed() takes it out, and embed(), the transpose, puts it into zeros. Each is the other's
// vjp.
#include <algorithm>
#include <cstring>

#include "ops/viewing.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct SelectSpec {
  static constexpr const char* kName = "SelectBackward0";
  static constexpr const char* kEmbedName = "SelectBackwardBackward0";
  int dim;
  int64_t index;
  SavedFields fields() const { return {{"dim", dim}, {"index", index}}; }
  Geometry of(const Tensor& t) const {
    Geometry w{t.shape(), t.strides(), times(index, t.stride(dim))};
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
  Geometry of(const Tensor& t) const {
    Geometry w{t.shape(), t.strides(), times(start, t.stride(dim))};
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
  Geometry of(const Tensor& t) const {
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
    Geometry w{t.shape(), t.strides(), start};
    for (Dims* d : {&w.shape, &w.strides}) {
      d->erase(std::max(dim1, dim2));
      d->erase(std::min(dim1, dim2));
    }
    w.shape.push_back(length);
    w.strides.push_back(step);
    return w;
  }
};

Tensor window_on(const Tensor& t, const Geometry& w) { return make_window(t, w.shape, w.strides, w.offset); }

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
  const Geometry w = spec.of(t);
  Tensor v = make_view(t, w.shape, w.strides, w.offset);
  if (should_record(t)) record(v, {&t}, WindowVjp<Spec>{spec, t.shape()});
  return v;
}

template <class Spec> Tensor embed_raw(const Tensor& piece, const Spec& spec, const Dims& shape) {
  const Tensor out = full_batched(levels_of({&piece}), shape, 0, piece.dtype());
  copy_raw(window_on(out, spec.of(out)), piece);
  return out;
}
template <class Spec> Tensor embed(const Tensor& piece, const Spec& spec, const Dims& shape) {
  const Tensor out = embed_raw(piece, spec, shape);
  if (should_record(piece)) record(out, {&piece}, EmbedVjp<Spec>{spec});
  return out;
}

// The transpose of diagonal(), as an op of its own.
struct DiagEmbedVjp {
  static constexpr const char* kName = "DiagEmbedBackward0";
  DiagonalSpec spec;
  SavedFields fields() { return spec.fields(); }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = windowed(g[0], spec); }
};

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

Tensor diag_embed(const Tensor& t, int64_t offset, int64_t dim1, int64_t dim2) {
  const int n = t.dim() + 1, a = wrap_dim(dim1, n), b = wrap_dim(dim2, n);
  check(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  const int last = t.dim() - 1;
  int64_t size;
  if (offset == INT64_MIN || __builtin_add_overflow(t.size(last), std::abs(offset), &size))
    fail("diag_embed: offset ", offset, " is too large");
  Dims shape = t.shape();
  shape.erase(last);
  shape.insert(std::min(a, b), size);
  shape.insert(std::max(a, b), size);
  checked_numel(shape);
  const DiagonalSpec spec{offset, a, b};
  const Tensor out = embed_raw(t, spec, shape);
  if (should_record(t)) record(out, {&t}, DiagEmbedVjp{spec});
  return out;
}

// ---- several pieces at once: unbind and split are one node with an output for each piece

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

void put(const Tensor& whole, const Geometry& w, const Tensor& piece) {
  const Tensor to = window_on(whole, w);
  if (piece)
    copy_raw(to, piece);
  else
    fill_raw(to, 0);
}

// Single elements side by side, zeros where one is undefined: `w, b = params`.
class JoinElements final : public Instruction {
 public:
  static constexpr bool kOwnsAll = false;
  JoinElements(const Tensor& to, std::span<const Tensor> elements) : to_(to), elements_(elements) {}
  const char* name() const { return "join_elements"; }
  bool fails() const { return false; }
  void run() const {
    const size_t item = static_cast<size_t>(item_size(to_.dtype()));
    char* p = open(to_.window());
    for (const Tensor& e : elements_) {
      if (e)
        std::memcpy(p, open(e.window()), item);
      else
        std::memset(p, 0, item);
      p += item;
    }
  }
  template <class F> void touches(F&& f) const {
    for (const Tensor& e : elements_)
      if (e) f(touch_of(e.window(), false));
    f(touch_of(to_.window(), true));
  }

 private:
  const Tensor& to_;
  std::span<const Tensor> elements_;
};

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
    if (shape.size() == 1) return launch(JoinElements(out[0], g));
    const int64_t n = static_cast<int64_t>(g.size());
    for (int64_t i = 0; i < n; ++i) put(out[0], SelectSpec{dim, i}.of(out[0]), g[i]);
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
    const Geometry w = SliceSpec{by.dim, start, by.length(i), 1}.of(t);
    pieces.push_back(make_view(t, w.shape, w.strides, w.offset, ViewKind::MultiOutput));
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
  const Geometry first = SelectSpec{d, 0}.of(t);
  std::vector<Tensor> pieces;
  pieces.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    pieces.push_back(make_view(t, first.shape, first.strides, times(i, t.stride(d)), ViewKind::MultiOutput));
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

}  // namespace gradcore
