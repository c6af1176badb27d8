// Other shapes of the same elements: view, reshape, flatten, unflatten, and view as another dtype.
#include "ops/view.h"
#include "ops/viewing.h"

namespace gradcore {

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

}  // namespace

Tensor unsafe_view(const Tensor& t, const Dims& shape) {
  Tensor out = make_window(t, shape, contiguous_strides(shape));
  out->created_in = t->created_in;
  if (should_record(t)) record(out, {&t}, ReshapeVjp{"UnsafeViewBackward0", t.shape()});
  return out;
}

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
  out = make_window(out, shape, strides);
  out->created_in = t->created_in;
  return out;
}

}  // namespace gradcore
