// Ops that lay tensors beside each other or rearrange one into new memory: cat, stack, flip, roll, repeat.
// Start at cat(). Contiguous pieces of one dtype take the way of copy_joined(); everything else is copied
// window by window.
#include <algorithm>

#include "core/parallel.h"
#include "ops/batching.h"
#include "ops/indexing.h"
#include "ops/record.h"
#include "tensor/plan.h"

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

int64_t product(const Dims& shape, int begin, int end) {
  int64_t n = 1;
  for (int i = begin; i < end; ++i) n *= shape[i];
  return n;
}

// The output is rows of pieces: each row holds `bytes` of every piece in turn.
struct Piece {
  const char* data;
  int64_t bytes;
};

// Writes bytes [begin, end) of the output.
void copy_range(char* out, std::span<const Piece> pieces, int64_t row_bytes, int64_t begin, int64_t end) {
  int64_t row = begin / row_bytes, skip = begin % row_bytes;
  size_t i = 0;
  while (skip >= pieces[i].bytes) skip -= pieces[i++].bytes;
  for (int64_t at = begin; at < end;) {
    const Piece& p = pieces[i];
    const int64_t n = std::min(p.bytes - skip, end - at);
    if (n) std::memcpy(out + at, p.data + row * p.bytes + skip, static_cast<size_t>(n));
    at += n;
    skip = 0;
    if (++i == pieces.size()) {
      i = 0;
      ++row;
    }
  }
}

// Rows [begin, end) where every piece is one element of a row.
template <class T> void copy_elements(char* out, std::span<const Piece> pieces, int64_t begin, int64_t end) {
  T* to = reinterpret_cast<T*>(out) + begin * static_cast<int64_t>(pieces.size());
  for (int64_t row = begin; row < end; ++row)
    for (const Piece& p : pieces) *to++ = reinterpret_cast<const T*>(p.data)[row];
}

void copy_joined(const Tensor& out, std::span<const Piece> pieces, int64_t row_bytes) {
  constexpr int64_t kSpan = 256 << 10;  // bytes of a block; one thread copies that in about 20 us
  const int64_t item = item_size(out.dtype()), bytes = out.numel() * item;
  char* data = out.data<char>();
  if (bytes == 0) return;
  const bool single = std::all_of(pieces.begin(), pieces.end(), [&](const Piece& p) { return p.bytes == item; });
  if (single && bytes > row_bytes) {
    const int64_t rows = bytes / row_bytes, blocks = std::clamp<int64_t>(bytes / kSpan, 1, rows);
    visit_item_size(item, [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_blocks(blocks,
                      [&](int64_t b) { copy_elements<T>(data, pieces, rows * b / blocks, rows * (b + 1) / blocks); });
    });
    return;
  }
  if (bytes < 2 * kSpan) return copy_range(data, pieces, row_bytes, 0, bytes);
  parallel_blocks((bytes + kSpan - 1) / kSpan,
                  [&](int64_t b) { copy_range(data, pieces, row_bytes, b * kSpan, std::min(bytes, (b + 1) * kSpan)); });
}

bool joins_as_bytes(std::span<const Tensor> tensors, DType type) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](const Tensor& t) { return t.dtype() == type && t.is_contiguous(); });
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
  const Tensor out = empty_batched(levels, shape, promoted(tensors));
  const int64_t inner = product(shape, d + 1, shape.size()), item = item_size(out.dtype());
  const auto length = [&](const Tensor& t) { return is_skipped(t) ? 0 : t.size(d); };
  if (levels.none() && joins_as_bytes(tensors, out.dtype())) {
    std::vector<Piece> pieces;
    pieces.reserve(tensors.size());
    for (const Tensor& t : tensors) pieces.push_back({t.data<char>(), length(t) * inner * item});
    copy_joined(out, pieces, shape[d] * inner * item);
  } else {
    char* to = static_cast<char*>(out->data);
    for (const Tensor& t : tensors) {
      if (t.numel() == 0) continue;
      copy_raw(make_window(out, t.shape(), out.strides(), to), t);
      to += length(t) * out.stride(d) * item;
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
  const int64_t inner = product(shape, d + 1, shape.size()), item = item_size(out.dtype());
  if (levels.none() && joins_as_bytes(tensors, out.dtype())) {
    std::vector<Piece> pieces;
    pieces.reserve(tensors.size());
    for (const Tensor& t : tensors) pieces.push_back({t.data<char>(), inner * item});
    copy_joined(out, pieces, count * inner * item);
  } else {
    Dims strides = out.strides();
    strides.erase(d);
    char* to = static_cast<char*>(out->data);
    for (const Tensor& t : tensors) {
      copy_raw(make_window(out, t.shape(), strides, to), t);
      to += inner * item;
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

// ---- flip and roll

namespace {

struct FlipVjp {
  static constexpr const char* kName = "FlipBackward0";
  Dims dims;
  SavedFields fields() { return {{"dims", dims}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = flip(g[0], dims); }
};

struct RollVjp {
  static constexpr const char* kName = "RollBackward0";
  Dims shifts, dims;
  SavedFields fields() { return {{"shifts", shifts}, {"dims", dims}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    Dims back(shifts.size(), 0);
    for (int i = 0; i < back.size(); ++i) {
      const int64_t size = dims.empty() ? g[0].numel() : g[0].size(wrap_dim(dims[i], g[0].dim(), false));
      if (size > 0) back[i] = -(shifts[i] % size);  // within the size: the least number has no negative
    }
    out[0] = roll(g[0], back, dims);
  }
};

// `shift` in [0, size).
int64_t wrap_shift(int64_t shift, int64_t size) {
  const int64_t rest = shift % size;
  return rest < 0 ? rest + size : rest;
}

// Copies `from` to `to`, moved by shift[d] along each dim and around its end: 2^k boxes for k dims that move.
void copy_rolled(const Tensor& to, const Tensor& from, const Dims& shift) {
  Dims moving;
  for (int d = 0; d < shift.size(); ++d)
    if (shift[d] > 0) moving.push_back(d);
  const int64_t item = item_size(from.dtype());
  const uint64_t boxes = uint64_t{1} << moving.size();  // at most numel: every moving dim has two places or more
  for (uint64_t box = 0; box < boxes; ++box) {
    Dims shape = from.shape();
    int64_t source = 0, target = 0;
    for (int k = 0; k < moving.size(); ++k) {
      const int d = static_cast<int>(moving[k]);
      const int64_t stays = from.size(d) - shift[d];
      const bool wraps = box >> k & 1;
      shape[d] = wraps ? shift[d] : stays;
      source += wraps ? stays * from.stride(d) : 0;
      target += wraps ? 0 : shift[d] * to.stride(d);
    }
    copy_raw(make_window(to, shape, to.strides(), to.data<char>() + target * item),
             make_window(from, shape, from.strides(), from.data<char>() + source * item));
  }
}

// The loop of a flip whose innermost dim runs backwards.
template <class T> void copy_backwards(const LoopArgs& a) {
  for (int64_t j = 0; j < a.m; ++j) {
    char* to = a.ptr[0] + j * a.outer[0];
    const char* from = a.ptr[1] + j * a.outer[1];
    if (a.inner[0] == sizeof(T) && a.inner[1] == -static_cast<int64_t>(sizeof(T)))
      for (int64_t i = 0; i < a.n; ++i) reinterpret_cast<T*>(to)[i] = reinterpret_cast<const T*>(from)[-i];
    else
      for (int64_t i = 0; i < a.n; ++i)
        *reinterpret_cast<T*>(to + i * a.inner[0]) = *reinterpret_cast<const T*>(from + i * a.inner[1]);
  }
}

}  // namespace

Tensor flip(const Tensor& t, const Dims& dims) {
  const int n = t.dim();
  Dims flips(std::max(n, 1), 0);
  for (int64_t dim : dims) {
    const int d = wrap_dim(dim, n);
    check(!flips[d], "dim ", d, " appears multiple times in the list of dims");
    flips[d] = 1;
  }
  if (any_batched(t))
    return record_with_batch_in_front(
        t, [&](const Tensor& p, int n_batch) { return flip(p, shifted(dims, n, n_batch)); }, FlipVjp{dims});
  const Tensor out = empty_like(t, t.dtype());
  if (t.numel() > 0) {
    // Reading starts at the far end of each flipped dim and goes backwards.
    const int64_t item = item_size(t.dtype());
    Dims strides = t.strides();
    char* from = t.data<char>();
    for (int d = 0; d < n; ++d) {
      if (!flips[d]) continue;
      from += (t.size(d) - 1) * t.stride(d) * item;
      strides[d] = -strides[d];
    }
    const PlanOperand operands[] = {{out.data<char>(), &out.shape(), &out.strides(), item},
                                    {from, &t.shape(), &strides, item}};
    Plan plan;
    make_plan(plan, t.shape(), operands, 2);
    LoopFn loop = kernels().copy.to[index_of(t.dtype())][t.dtype()];
    if (plan.stride[0][1] < 0)
      loop = visit_item_size(item, [](auto tag) -> LoopFn { return copy_backwards<typename decltype(tag)::type>; });
    run_plan(plan, loop, nullptr, 0.5);
  }
  if (should_record(t)) record(out, {&t}, FlipVjp{dims});
  return out;
}

Tensor roll(const Tensor& t, const Dims& shifts, const Dims& dims) {
  check(!shifts.empty(), "`shifts` required");
  const bool flat = dims.empty() && shifts.size() == 1;
  if (!flat && shifts.size() != dims.size())
    fail("shifts and dimensions must align. shifts: ", shifts.size(), ", dims:", dims.size());
  // Shifts as distances in [0, size).
  Dims total(flat ? 1 : t.dim(), 0);
  for (int i = 0; i < shifts.size(); ++i) {
    const int d = flat ? 0 : wrap_dim(dims[i], t.dim(), false);
    const int64_t size = flat ? t.numel() : t.size(d);
    if (size == 0) continue;
    total[d] = wrap_shift(total[d] + wrap_shift(shifts[i], size), size);
  }
  if (any_batched(t)) {
    const auto below = [&](const Tensor& p, int n) {
      if (!flat) return roll(p, shifts, shifted(dims, t.dim(), n));
      Dims line(p.shape().span().first(static_cast<size_t>(n)));
      line.push_back(t.numel());
      return view(roll(reshape(p, line), shifts, Dims{n}), p.shape());
    };
    return record_with_batch_in_front(t, below, RollVjp{shifts, dims});
  }
  const Tensor out = empty(t.shape(), t.dtype());
  if (t.numel() > 0) {
    const NoRecordGuard off;
    if (flat) {
      const Tensor from = contiguous(t);
      const Dims line{t.numel()}, step{1};
      copy_rolled(make_window(out, line, step, out->data), make_window(from, line, step, from->data), total);
    } else {
      copy_rolled(out, t, total);
    }
  }
  if (should_record(t)) record(out, {&t}, RollVjp{shifts, dims});
  return out;
}

// ---- repeat

namespace {

struct RepeatVjp {
  static constexpr const char* kName = "RepeatBackward0";
  Dims shape, repeats;
  SavedFields fields() { return {{"self_sym_sizes", shape}, {"repeats", repeats}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    const int extra = repeats.size() - shape.size();
    Dims apart, summed;  // every repeated dim as (repeat, size)
    for (int i = 0; i < repeats.size(); ++i) {
      if (repeats[i] != 1) {
        summed.push_back(apart.size());
        apart.push_back(repeats[i]);
      }
      if (i >= extra) apart.push_back(shape[i - extra]);
    }
    Tensor r = reshape(g[0], apart);
    if (!summed.empty()) r = sum(r, summed);
    out[0] = std::move(r);
  }
};

}  // namespace

Tensor repeat(const Tensor& t, const Dims& repeats) {
  const int n = repeats.size(), extra = n - t.dim();
  check(extra >= 0, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  Dims shape(n);
  for (int i = 0; i < n; ++i) {
    const int64_t own = i >= extra ? t.size(i - extra) : 1;
    if (__builtin_mul_overflow(own, repeats[i], &shape[i]))
      fail("repeat: ", repeats[i], " times size ", own, " at dimension ", i, " overflows");
  }
  if (any_batched(t)) {
    const auto below = [&](const Tensor&, int n_batch) {
      Dims all(n_batch, 1);
      for (int64_t r : repeats) all.push_back(r);
      return repeat(physical(t, levels_of({&t}), n), all);
    };
    return record_with_batch_in_front(t, below, RepeatVjp{t.shape(), repeats});
  }
  const Tensor out = empty(shape, t.dtype());
  if (out.numel() > 0) {
    // Both as (repeat, size, repeat, size, ...), where the source does not step along a repeat.
    Dims apart, to, from;
    for (int i = 0; i < n; ++i) {
      const int64_t own = i >= extra ? t.size(i - extra) : 1;
      if (repeats[i] > 1) {
        apart.push_back(repeats[i]);
        to.push_back(own * out.stride(i));
        from.push_back(0);
      }
      if (own > 1) {
        apart.push_back(own);
        to.push_back(out.stride(i));
        from.push_back(t.stride(i - extra));
      }
    }
    copy_raw(make_window(out, apart, to, out->data), make_window(t, apart, from, t->data));
  }
  if (should_record(t)) record(out, {&t}, RepeatVjp{t.shape(), repeats});
  return out;
}

}  // namespace gradcore
