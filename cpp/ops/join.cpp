// Tensors beside each other: cat and stack. Contiguous pieces of one dtype are joined as bytes; everything else is
// copied window by window.
#include <algorithm>
#include <vector>

#include "kernels/portable/join.h"
#include "ops/memory_format.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

bool any_recorded(std::span<const Tensor> tensors) {
  if (!modes.tracking()) return false;
  return std::any_of(tensors.begin(), tensors.end(), [](const Tensor& t) { return should_record(t); });
}

template <class Vjp> void record_joined(const Tensor& out, std::span<const Tensor> tensors, Vjp vjp) {
  std::vector<const Tensor*> inputs;
  inputs.reserve(tensors.size());
  for (const Tensor& t : tensors) inputs.push_back(&t);
  record_output(out, make_node(std::span<const Tensor* const>(inputs), std::move(vjp)));
}

DType promoted(std::span<const Tensor> tensors) {
  DType type = tensors[0].dtype();
  for (const Tensor& t : tensors) type = promote_types(type, t.dtype());
  return type;
}

bool joins_as_bytes(std::span<const Tensor> tensors, DType type, MemoryFormat format) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](const Tensor& t) { return t.dtype() == type && is_stored_in(t, format); });
}

// The memory order of what cat() makes of them: theirs, where all have one.
MemoryFormat common_format(std::span<const Tensor> tensors) {
  const MemoryFormat format = suggested_format(tensors[0]);
  if (format == MemoryFormat::Contiguous) return format;
  const bool all =
      std::all_of(tensors.begin(), tensors.end(), [&](const Tensor& t) { return suggested_format(t) == format; });
  return all ? format : MemoryFormat::Contiguous;
}

// Dense tensors of one dtype and memory order into another one: rows that hold `bytes_of(t)` bytes of each.
class Join final : public Instruction {
 public:
  static constexpr bool kOwnsAll = false;
  Join(const Join&) = delete;
  template <class BytesOf> Join(const Tensor& out, std::span<const Tensor> tensors, BytesOf bytes_of) : out_(out) {
    portable::Piece* pieces = few_;
    if (tensors.size() > kFew) {
      many_.resize(tensors.size());
      pieces = many_.data();
    }
    inputs_ = tensors;
    args_.row_bytes = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      pieces[i] = {open(tensors[i].window()), bytes_of(tensors[i])};
      args_.row_bytes += pieces[i].bytes;
    }
    args_.out = open(out.window());
    args_.pieces = pieces;
    args_.count = static_cast<int64_t>(tensors.size());
    args_.bytes = out.numel() * item_size(out.dtype());
  }
  const char* name() const { return "join"; }
  bool fails() const { return false; }
  void run() const {
    if (args_.bytes) portable::join(args_);
  }
  template <class F> void touches(F&& f) const {
    for (const Tensor& t : inputs_) f(touch_of(t.window(), false));
    f(touch_of(out_.window(), true));
  }

 private:
  static constexpr size_t kFew = 8;
  portable::JoinArgs args_;
  portable::Piece few_[kFew];  // args_ points into these, or into `many_`
  std::vector<portable::Piece> many_;
  std::span<const Tensor> inputs_;
  const Tensor& out_;
};

// Rows [begin, begin + n) of a tensor that has some.
Tensor rows_of(const Tensor& t, int64_t begin, int64_t n) {
  if (t.numel() == 0) return t;
  Dims shape = t.shape();
  shape[0] = n;
  return make_window(t, shape, t.strides(), begin * t.stride(0));
}
// Rows that hold so few elements of a tensor are joined from dense copies of the tensors, some rows at a time: copies
// into windows of short rows take longer than both.
constexpr int64_t kFewElements = 8;
template <class BytesOf>
void join_short(const Tensor& out, std::span<const Tensor> tensors, int dim, const BytesOf& bytes_of) {
  constexpr int64_t kChunk = 1 << 15;  // elements
  if (out.numel() == 0) return;
  const int64_t height = out.size(0), rows = std::max<int64_t>(1, kChunk * height / out.numel());
  const int64_t step = dim ? rows : height;
  const NoRecordGuard off;
  std::vector<Tensor> copies(tensors.size());
  for (int64_t begin = 0; begin < height; begin += step) {
    const int64_t n = std::min(step, height - begin);
    for (size_t i = 0; i < copies.size(); ++i)
      copies[i] = contiguous(cast(dim ? rows_of(tensors[i], begin, n) : tensors[i], out.dtype()));
    launch(Join(rows_of(out, begin, n), copies, bytes_of));
  }
}

// A tensor of shape [0] joins anything: an old habit of torch's that programs build lists on.
bool is_skipped(const Tensor& t) { return t.dim() == 1 && t.size(0) == 0; }

struct CatVjp {
  static constexpr const char* kName = "CatBackward0";
  struct Part {
    int64_t length;
    DType dtype;
    bool skipped;
  };
  std::vector<Part> parts;
  int64_t dim;
  SavedFields fields() { return {{"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    int64_t start = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Part& p = parts[i];
      if (self.needs(static_cast<int>(i)))
        out[i] = p.skipped ? zeros(Dims{0}, p.dtype) : cast(narrow(g[0], dim, start, p.length), p.dtype);
      start += p.length;
    }
  }
};

struct StackVjp {
  static constexpr const char* kName = "StackBackward0";
  std::vector<DType> dtypes;
  int64_t dim;
  SavedFields fields() { return {{"dim", dim}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const std::vector<Tensor> pieces = unbind(g[0], dim);
    for (size_t i = 0; i < pieces.size(); ++i)
      if (self.needs(static_cast<int>(i))) out[i] = cast(pieces[i], dtypes[i]);
  }
};

// The shape of the result, with `dim` wrapped.
Dims joined_shape(std::span<const Tensor> tensors, int64_t& dim) {
  const Tensor* first = nullptr;
  Dims shape{0};
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].dim() == 0) fail("zero-dimensional tensor (at position ", i, ") cannot be concatenated");
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (is_skipped(t)) continue;
    if (!first) {
      first = &t;
      shape = t.shape();
      dim = wrap_dim(dim, t.dim());
      continue;
    }
    if (t.dim() != first->dim())
      fail("Tensors must have same number of dimensions: got ", first->dim(), " and ", t.dim());
    for (int d = 0; d < t.dim(); ++d)
      if (d != dim && t.size(d) != shape[d])
        fail("Sizes of tensors must match except in dimension ", dim, ". Expected size ", shape[d], " but got size ",
             t.size(d), " for tensor number ", i, " in the list.");
    if (__builtin_add_overflow(shape[static_cast<int>(dim)], t.size(static_cast<int>(dim)),
                               &shape[static_cast<int>(dim)]))
      fail("cat: the sizes along dimension ", dim, " overflow");
  }
  if (!first) dim = 0;
  return shape;
}

}  // namespace

Tensor cat(std::span<const Tensor> tensors, int64_t dim) {
  check(!tensors.empty(), ErrorKind::Value, "torch.cat(): expected a non-empty list of Tensors");
  const Dims shape = joined_shape(tensors, dim);
  const int d = static_cast<int>(dim);
  const Levels levels = levels_of(tensors);
  const MemoryFormat format = levels.none() ? common_format(tensors) : MemoryFormat::Contiguous;
  const Tensor out = empty_in(levels, shape, promoted(tensors), format);
  const auto length = [&](const Tensor& t) { return is_skipped(t) ? 0 : t.size(d); };
  const int64_t step = out.numel() ? out.stride(d) : 0, item = item_size(out.dtype());
  const auto bytes = [&](const Tensor& t) { return length(t) * step * item; };
  const auto is_short = [&](const Tensor& t) { return length(t) * step <= kFewElements; };
  if (levels.none() && joins_as_bytes(tensors, out.dtype(), format)) {
    launch(Join(out, tensors, bytes));
  } else if (levels.none() && format == MemoryFormat::Contiguous && std::ranges::all_of(tensors, is_short)) {
    join_short(out, tensors, d, bytes);
  } else {
    int64_t start = 0;
    for (const Tensor& t : tensors) {
      if (t.numel() == 0) continue;
      copy_raw(make_window(out, t.shape(), out.strides(), start), t);
      start += length(t) * out.stride(d);
    }
  }
  if (any_recorded(tensors)) {
    CatVjp vjp{{}, dim};
    vjp.parts.reserve(tensors.size());
    for (const Tensor& t : tensors) vjp.parts.push_back({length(t), t.dtype(), is_skipped(t)});
    record_joined(out, tensors, std::move(vjp));
  }
  return out;
}

Tensor stack(std::span<const Tensor> tensors, int64_t dim) {
  check(!tensors.empty(), "stack expects a non-empty TensorList");
  const Tensor& first = tensors[0];
  const int d = wrap_dim(dim, first.dim() + 1);
  for (size_t i = 1; i < tensors.size(); ++i)
    if (!same_shape(first, tensors[i]))
      fail("stack expects each tensor to be equal size, but got ", first.shape(), " at entry 0 and ",
           tensors[i].shape(), " at entry ", i);
  const int64_t count = static_cast<int64_t>(tensors.size());
  Dims shape = first.shape();
  shape.insert(d, count);
  const Levels levels = levels_of(tensors);
  const Tensor out = empty_batched(levels, shape, promoted(tensors));
  const int64_t inner = numel_of(shape.span().subspan(static_cast<size_t>(d) + 1)), item = item_size(out.dtype());
  if (levels.none() && joins_as_bytes(tensors, out.dtype(), MemoryFormat::Contiguous)) {
    launch(Join(out, tensors, [&](const Tensor&) { return inner * item; }));
  } else if (levels.none() && inner <= kFewElements) {
    join_short(out, tensors, d, [&](const Tensor&) { return inner * item; });
  } else {
    Dims strides = out.strides();
    strides.erase(d);
    int64_t start = 0;
    for (const Tensor& t : tensors) {
      copy_raw(make_window(out, t.shape(), strides, start), t);
      start += inner;
    }
  }
  if (any_recorded(tensors)) {
    StackVjp vjp{{}, d};
    vjp.dtypes.reserve(tensors.size());
    for (const Tensor& t : tensors) vjp.dtypes.push_back(t.dtype());
    record_joined(out, tensors, std::move(vjp));
  }
  return out;
}

}  // namespace gradcore
