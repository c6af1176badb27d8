// Ops that read and write whole slabs through index tensors: advanced indexing (index, index_put_),
// index_select, index_add, masked_select, nonzero. Start at Note [Slabs]. One index for each element is
// gather.cpp's.
//
// Note [Slabs]
// Every one of these ops is a product of three lists of offsets into the indexed tensor:
//
//     place(b, k, a) = before[b] + picked[k] + after[a]
//
// `picked` comes from the index tensors (all of them broadcast and added up, each times its dim's stride),
// `before` and `after` from the dims that no index stands for: those left of the indexed ones and those right
// of them (all of them on the right when the indexed dims are not neighbours). The other operand is
// contiguous in the order (b, k, a). Writes to one place happen in the order of k, and work is cut along b or
// a only: the same bits for any number of threads.
#include <algorithm>

#include "core/parallel.h"
#include "ops/batching.h"
#include "ops/indexing.h"
#include "ops/record.h"
#include "tensor/plan.h"

namespace gradcore {

namespace {

int64_t product(const Dims& shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

// The contiguous window on the same elements, or a copy. Never recorded.
Tensor dense(const Tensor& t) {
  if (t.is_contiguous()) return t;
  const NoRecordGuard off;
  return clone(t, true);
}

// ---- positions of true elements

constexpr int64_t kMaskBlock = 64 << 10;  // elements

// One byte for each element in logical order, zero for false.
Tensor as_mask(const Tensor& t) {
  if ((t.dtype() == DType::Bool || t.dtype() == DType::UInt8) && t.is_contiguous()) return t;
  const Tensor mask = empty(t.shape(), DType::Bool);
  copy_raw(mask, t);
  return mask;
}

int64_t count_true(const uint8_t* mask, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += mask[i] != 0;
  return count;
}

// Where each block of a mask starts among the true elements; the last entry is their number.
std::vector<int64_t> block_starts(const Tensor& mask) {
  const int64_t n = mask.numel(), blocks = (n + kMaskBlock - 1) / kMaskBlock;
  std::vector<int64_t> starts(static_cast<size_t>(blocks) + 1, 0);
  parallel_blocks(blocks, [&](int64_t b) {
    starts[b + 1] = count_true(mask.data<uint8_t>() + b * kMaskBlock, std::min(kMaskBlock, n - b * kMaskBlock));
  });
  for (int64_t b = 0; b < blocks; ++b) starts[b + 1] += starts[b];
  return starts;
}

// Calls f(place among the true elements, position in the mask) for each true element, in parallel blocks.
template <class F> void for_each_true(const Tensor& mask, const std::vector<int64_t>& starts, F f) {
  constexpr int64_t kChunk = 256;
  const int64_t n = mask.numel(), blocks = static_cast<int64_t>(starts.size()) - 1;
  const uint8_t* bytes = mask.data<uint8_t>();
  parallel_blocks(blocks, [&](int64_t b) {
    int64_t found[kChunk];  // collected without a branch: a mask's bytes are hard to predict
    int64_t k = starts[b];
    const int64_t end = std::min(n, (b + 1) * kMaskBlock);
    for (int64_t i = b * kMaskBlock; i < end; i += kChunk) {
      int64_t count = 0;
      for (int64_t j = i; j < std::min(end, i + kChunk); ++j) {
        found[count] = j;
        count += bytes[j] != 0;
      }
      for (int64_t j = 0; j < count; ++j) f(k++, found[j]);
    }
  });
}

// ---- which places are meant

// A list of offsets in elements: evenly spaced, or a table.
struct Offsets {
  int64_t count = 1;
  int64_t step = 0;
  Tensor table;
  const int64_t* data() const { return table ? table.data<int64_t>() : nullptr; }
};

// Reads an Offsets inside a loop.
struct OffsetReader {
  const int64_t* table;
  int64_t step;
  explicit OffsetReader(const Offsets& o) : table(o.data()), step(o.step) {}
  int64_t operator[](int64_t i) const { return table ? table[i] : i * step; }
};

// The offsets of all elements of a window, in logical order.
Offsets offsets_of(const Dims& shape, const Dims& strides) {
  Offsets o;
  o.count = product(shape);
  if (o.count == 0) return o;
  // Dims that step evenly into each other are one.
  Dims size, step;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (!size.empty() && step.back() == strides[d] * shape[d]) {
      size[size.size() - 1] *= shape[d];
      step[step.size() - 1] = strides[d];
    } else {
      size.push_back(shape[d]);
      step.push_back(strides[d]);
    }
  }
  if (size.size() <= 1) {
    o.step = size.empty() ? 0 : step[0];
    return o;
  }
  o.table = empty(Dims{o.count}, DType::Int64);
  int64_t* out = o.table.data<int64_t>();
  out[0] = 0;
  int64_t done = 1;  // from the innermost dim outwards, each dim repeats what is there with its stride added
  for (int d = size.size() - 1; d >= 0; --d) {
    for (int64_t i = 1; i < size[d]; ++i)
      for (int64_t j = 0; j < done; ++j) out[i * done + j] = out[j] + i * step[d];
    done *= size[d];
  }
  return o;
}

Dims part(const Dims& dims, int begin, int end) {
  return Dims(dims.span().subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}
Offsets offsets_of(const Tensor& t, int begin, int end) {
  return offsets_of(part(t.shape(), begin, end), part(t.strides(), begin, end));
}

// Index values as offsets along a dim of `size`: contiguous. `from_end`: negative ones count from the end.
// refuse(value) throws for one that is out of range.
template <class Refuse>
Tensor offsets_from(const Tensor& index, int64_t size, int64_t stride, bool from_end, Refuse refuse) {
  constexpr int64_t kBlock = 32 << 10;
  const Tensor out = empty(index.shape(), DType::Int64);
  copy_raw(out, index);
  const int64_t n = out.numel(), lowest = from_end ? -size : 0;
  int64_t* data = out.data<int64_t>();
  parallel_blocks((n + kBlock - 1) / kBlock, [&](int64_t b) {
    for (int64_t i = b * kBlock; i < std::min(n, (b + 1) * kBlock); ++i) {
      const int64_t v = data[i];
      if (v < lowest || v >= size) [[unlikely]]
        refuse(v);
      data[i] = (v < 0 ? v + size : v) * stride;
    }
  });
  return out;
}

struct Slabs {
  Offsets before, picked, after;
  int64_t numel() const { return before.count * picked.count * after.count; }
};

// ---- reading and writing slabs

constexpr double kSlabCost = 3;     // nanoseconds for finding a slab,
constexpr double kByteCost = 0.15;  // and for each of its bytes
constexpr int64_t kBlockCost = 8000;

// How many blocks some work is worth: one when threads do not pay.
int64_t block_count(const Slabs& s, int64_t item, int64_t most) {
  const double slabs = static_cast<double>(s.before.count * s.picked.count);
  const double cost = slabs * (kSlabCost + kByteCost * static_cast<double>(s.after.count * item));
  if (cost < 2 * kBlockCost) return 1;
  return std::clamp<int64_t>(static_cast<int64_t>(cost / kBlockCost), 1, most);
}

template <class T> void read_slab(T* to, const T* from, const OffsetReader& after, int64_t n) {
  if (!after.table && after.step == 1)
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  else
    for (int64_t a = 0; a < n; ++a) to[a] = from[after[a]];
}

// out, contiguous, = the slabs of `t`.
void read_slabs(const Tensor& out, const Tensor& t, const Slabs& s) {
  if (out.numel() == 0) return;
  visit_item_size(item_size(t.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = t.data<T>();
    T* const result = out.data<T>();
    const OffsetReader before(s.before), picked(s.picked), after(s.after);
    const int64_t k_count = s.picked.count, n = s.after.count, rows = s.before.count * k_count;
    const int64_t blocks = block_count(s, sizeof(T), rows);
    parallel_blocks(blocks, [&](int64_t block) {
      const int64_t end = rows * (block + 1) / blocks;
      for (int64_t row = rows * block / blocks; row < end;) {
        const int64_t b = row / k_count, k = row % k_count, stop = std::min(end - row, k_count - k);
        const T* from = data + before[b];
        T* to = result + row * n;
        if (n == 1)
          for (int64_t i = 0; i < stop; ++i) to[i] = from[picked[k + i]];
        else
          for (int64_t i = 0; i < stop; ++i) read_slab(to + i * n, from + picked[k + i], after, n);
        row += stop;
      }
    });
  });
}

// What is written: contiguous in the order of the slabs, or one element for all (step 0).
struct Values {
  Tensor tensor;
  int64_t step = 1;
};

template <class T> void assign(T& to, T v) { to = v; }
template <class T> void accumulate(T& to, T v) { to = plus(to, v); }

template <class T, void (*Op)(T&, T)> void write_slabs(const Tensor& t, const Slabs& s, const Values& values) {
  const OffsetReader before(s.before), picked(s.picked), after(s.after);
  const int64_t k_count = s.picked.count, n = s.after.count;
  const T* const source = values.tensor.data<T>();
  const bool even = !after.table && after.step == 1;
  const auto write = [&](int64_t b, int64_t k, int64_t begin, int64_t end) {
    T* to = t.data<T>() + before[b] + picked[k];
    const T* from = source + (b * k_count + k) * n * values.step;
    if (values.step == 0) {
      for (int64_t a = begin; a < end; ++a) Op(to[after[a]], *from);
    } else if (!even) {
      for (int64_t a = begin; a < end; ++a) Op(to[after[a]], from[a]);
    } else {
#pragma omp simd
      for (int64_t a = begin; a < end; ++a) Op(to[a], from[a]);
    }
  };
  // Slabs that may meet in one place stay in one block, in order; how the places are cut changes no result.
  const bool by_before = s.before.count > 1;
  const int64_t places = by_before ? s.before.count : n;
  const int64_t most = by_before ? places : std::min<int64_t>(num_threads(), std::max<int64_t>(1, places / 64));
  const int64_t blocks = block_count(s, sizeof(T), most);
  parallel_blocks(blocks, [&](int64_t block) {
    const int64_t begin = places * block / blocks, end = places * (block + 1) / blocks;
    for (int64_t b = by_before ? begin : 0; b < (by_before ? end : 1); ++b) {
      if (n == 1) {
        T* to = t.data<T>() + before[b];
        const T* from = source + b * k_count * values.step;
        for (int64_t k = 0; k < k_count; ++k) Op(to[picked[k]], from[k * values.step]);
        continue;
      }
      for (int64_t k = 0; k < k_count; ++k) write(b, k, by_before ? 0 : begin, by_before ? n : end);
    }
  });
}

void put_slabs(const Tensor& t, const Slabs& s, const Values& values, bool add) {
  if (s.numel() == 0) return;
  if (add)
    visit_stored(t.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      write_slabs<T, accumulate<T>>(t, s, values);
    });
  else
    visit_item_size(item_size(t.dtype()), [&](auto tag) {
      using T = typename decltype(tag)::type;
      write_slabs<T, assign<T>>(t, s, values);
    });
}

// ---- advanced indices

bool is_mask(const Tensor& index) { return index.dtype() == DType::Bool || index.dtype() == DType::UInt8; }
// How many dims of the tensor an index stands for.
int dims_of(const Tensor& index) { return index && is_mask(index) ? index.dim() : 1; }

void check_indices(const Tensor& t, std::span<const Tensor> indices) {
  int dim = 0;
  bool any = false;
  for (const Tensor& index : indices) {
    if (index && !is_mask(index) && index.dtype() != DType::Int64 && index.dtype() != DType::Int32)
      fail(ErrorKind::Index, "tensors used as indices must be long, int, byte or bool tensors");
    any |= index.defined();
    dim += dims_of(index);
  }
  check(any, ErrorKind::Index, "at least one index must be provided");
  if (dim > t.dim()) fail(ErrorKind::Index, "too many indices for tensor of dimension ", t.dim(), " (got ", dim, ")");
  dim = 0;
  for (const Tensor& index : indices) {
    for (int i = 0; index && is_mask(index) && i < index.dim(); ++i)
      if (index.size(i) != t.size(dim + i))
        fail(ErrorKind::Index, "The shape of the mask ", index.shape(), " at index ", i,
             " does not match the shape of the indexed tensor ", t.shape(), " at index ", dim + i);
    dim += dims_of(index);
  }
}

// One index tensor, resolved.
struct Pick {
  int dim;         // the first that it stands for
  int dims;        // how many
  Dims shape;      // of the index, which broadcasts with the others'
  Dims strides;    // of the index: the layout of the result follows it
  Tensor index;    // integers; or
  Tensor offsets;  // a mask's, right away
};

Pick pick_by_mask(const Tensor& t, const Tensor& index, int dim) {
  const Tensor mask = as_mask(index);
  const std::vector<int64_t> starts = block_starts(mask);
  const Offsets places = t.numel() > 0 ? offsets_of(t, dim, dim + index.dim()) : Offsets{};
  const OffsetReader place(places);
  const Tensor offsets = empty(Dims{starts.back()}, DType::Int64);
  int64_t* out = offsets.data<int64_t>();
  for_each_true(mask, starts, [&](int64_t k, int64_t i) { out[k] = place[i]; });
  return {dim, index.dim(), offsets.shape(), Dims{1}, {}, offsets};
}

struct Resolved {
  Slabs slabs;
  Dims shape, strides;  // of the result
};

// The strides of the result: torch lets it follow the memory order of the tensor and of the indices.
Dims result_layout(const Tensor& t, std::span<const Pick> picks, const Dims& shape, const Dims& t_strides, int lead,
                   int block_dims) {
  bool contiguous = t.is_contiguous();
  for (const Pick& p : picks) contiguous &= is_contiguous(p.shape, p.strides);
  if (contiguous) return contiguous_strides(shape);
  std::vector<Tensor> windows{make_window(t, shape, t_strides, t->data)};
  for (const Pick& p : picks) {
    Dims strides(shape.size(), 0);
    const int first = lead + block_dims - p.shape.size();
    for (int d = 0; d < p.shape.size(); ++d)
      if (p.shape[d] != 1 || shape[first + d] == 1) strides[first + d] = p.strides[d];
    windows.push_back(make_window(t, shape, strides, t->data));
  }
  std::vector<const Tensor*> operands;
  for (const Tensor& w : windows) operands.push_back(&w);
  return result_strides(shape, operands.data(), static_cast<int>(operands.size()));
}

Dims broadcast_picks(std::span<const Pick> picks) {
  Dims block;
  for (const Pick& p : picks) {
    try {
      block = broadcast_shapes(block, p.shape);
    } catch (const Error&) {
      std::string shapes;
      for (const Pick& q : picks) shapes += (shapes.empty() ? "" : ", ") + q.shape.str();
      fail(ErrorKind::Index, "shape mismatch: indexing tensors could not be broadcast together with shapes ", shapes);
    }
  }
  return block;
}

// `values`, if any, must broadcast to the result.
Resolved resolve(const Tensor& t, std::span<const Tensor> indices, const Tensor* values = nullptr) {
  std::vector<Pick> picks;
  int dim = 0;
  bool neighbours = true;
  size_t last = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    const Tensor& index = indices[i];
    if (index) {
      neighbours &= picks.empty() || last + 1 == i;
      last = i;
      if (is_mask(index))
        picks.push_back(pick_by_mask(t, index, dim));
      else
        picks.push_back({dim, 1, index.shape(), index.strides(), index, {}});
    }
    dim += dims_of(index);
  }
  const Dims block = broadcast_picks(picks);
  const int64_t picked = checked_numel(block);

  // The dims that no index stands for: left of the block in the result, and right of it.
  Dims left, left_strides, right, right_strides;
  for (int d = 0; d < t.dim(); ++d) {
    bool taken = false, passed = !neighbours;
    for (const Pick& p : picks) {
      taken |= d >= p.dim && d < p.dim + p.dims;
      passed |= d >= p.dim;
    }
    if (taken) continue;
    (passed ? right : left).push_back(t.size(d));
    (passed ? right_strides : left_strides).push_back(t.stride(d));
  }
  Resolved r;
  Dims t_strides = left_strides;
  r.shape = left;
  for (int64_t d : block) {
    r.shape.push_back(d);
    t_strides.push_back(0);
  }
  for (int d = 0; d < right.size(); ++d) {
    r.shape.push_back(right[d]);
    t_strides.push_back(right_strides[d]);
  }
  const int64_t numel = checked_numel(r.shape);
  if (values && !broadcastable_to(values->shape(), r.shape))
    fail("shape mismatch: value tensor of shape ", values->shape(), " cannot be broadcast to indexing result of shape ",
         r.shape);
  r.strides = result_layout(t, picks, r.shape, t_strides, left.size(), block.size());
  r.slabs.picked.count = picked;

  for (const Pick& p : picks)
    check(!p.index || picked == 0 || t.size(p.dim) > 0, ErrorKind::Index,
          "index is out of bounds for dimension with size 0");
  if (numel == 0) {
    r.slabs.before.count = 0;
    return r;
  }
  r.slabs.before = offsets_of(left, left_strides);
  r.slabs.after = offsets_of(right, right_strides);
  const NoRecordGuard off;
  Tensor sum;
  for (Pick& p : picks) {
    if (p.index) {
      const int64_t size = t.size(p.dim);
      p.offsets = offsets_from(p.index, size, t.stride(p.dim), true,
                               [&](int64_t v) { fail_out_of_bounds(ErrorKind::Index, v, p.dim, size); });
    }
    sum = sum ? add(sum, p.offsets) : p.offsets;
  }
  r.slabs.picked.table = dense(sum);
  return r;
}

bool covers_all(const Tensor& t, std::span<const Tensor> indices) {
  return indices.size() == 1 && is_mask(indices[0]) && indices[0].dim() == t.dim() && t.dim() > 0;
}

// The elements of `t`, seen as `shape`, where a mask of that shape is true.
Tensor compress(const Tensor& t, const Tensor& mask, const Offsets& places) {
  const std::vector<int64_t> starts = block_starts(mask);
  const Tensor out = empty(Dims{starts.back()}, t.dtype());
  const OffsetReader place(places);
  visit_item_size(item_size(t.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = t.data<T>();
    T* to = out.data<T>();
    for_each_true(mask, starts, [=](int64_t k, int64_t i) { to[k] = from[place[i]]; });
  });
  return out;
}

// t[mask] = one value, for contiguous ones: `mask` covers the leading dims.
void fill_where(const Tensor& t, const Tensor& mask, const Tensor& value) {
  constexpr int64_t kBlock = 64 << 10;  // elements
  if (t.numel() == 0) return;
  const int64_t n = mask.numel(), each = t.numel() / n;
  const int64_t span = std::max<int64_t>(1, kBlock / each);
  visit_item_size(item_size(t.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* data = t.data<T>();
    const T v = *value.data<T>();
    const uint8_t* bytes = mask.data<uint8_t>();
    parallel_blocks((n + span - 1) / span, [=](int64_t b) {
      const int64_t end = std::min(n, (b + 1) * span);
      for (int64_t i = b * span; i < end; ++i) {
        if (each == 1) {
          const T chosen = static_cast<T>(-static_cast<T>(bytes[i] != 0));  // all ones or all zeros: no branch
          data[i] = static_cast<T>((data[i] & ~chosen) | (v & chosen));
        } else if (bytes[i]) {
          std::fill_n(data + i * each, each, v);
        }
      }
    });
  });
}

// ---- backward

struct SavedIndices {
  std::vector<Saved> saved;
  explicit SavedIndices(std::span<const Tensor> indices) {
    saved.reserve(indices.size());
    for (const Tensor& index : indices) saved.push_back(index ? Saved(index) : Saved());
  }
  std::vector<Tensor> unpack(Node& node) const {
    std::vector<Tensor> indices;
    indices.reserve(saved.size());
    for (const Saved& s : saved) indices.push_back(s.unpack(&node));
    return indices;
  }
  void release() {
    for (Saved& s : saved) s.reset();
  }
};

struct IndexVjp {
  static constexpr const char* kName = "IndexBackward0";
  Dims shape;
  SavedIndices indices;
  SavedFields fields() { return {{"indices", &indices.saved}, {"self_sym_sizes", shape}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const std::vector<Tensor> at = indices.unpack(self);
    Levels levels = levels_of(at);
    levels.add(g[0]);
    out[0] = full_batched(levels, shape, 0, g[0].dtype());
    index_put_(out[0], at, g[0], true);
  }
  void release() { indices.release(); }
};

struct IndexPutVjp {
  static constexpr const char* kName = "IndexPutBackward0";
  Dims value_shape;
  bool accumulate;
  SavedIndices indices;
  SavedFields fields() { return {{"indices", &indices.saved}, {"accumulate", accumulate}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const std::vector<Tensor> at = indices.unpack(self);
    if (self.needs(1)) out[1] = sum_to(index(g[0], at), value_shape);
    if (!self.needs(0)) return;
    // What was overwritten has no gradient. The gradient's own memory serves when nobody else sees it.
    const bool reuse = !modes.tracking() && g[0].unique() && is_dense(g[0]);
    Levels levels = levels_of(at);
    levels.add(g[0]);
    out[0] = accumulate || (reuse && levels.none()) ? std::move(g[0]) : widened_copy(g[0], levels);
    if (!accumulate) index_put_(out[0], at, zeros(Dims{}, out[0].dtype()), false);
  }
  // Not the transpose: of several values for one place the last stays, but backward, as torch's, pays each.
  Tensor jvp(Node& self, std::span<const Tensor> tangents, const Tensor& out) {
    const std::vector<Tensor> at = indices.unpack(self);
    const Tensor values = tangents[1] ? tangents[1] : zeros(Dims{}, out.dtype());
    return index_put(tangents[0] ? tangents[0] : zeros_like(out), at, values, accumulate);
  }
  void release() { indices.release(); }
};

struct IndexSelectVjp {
  static constexpr const char* kName = "IndexSelectBackward0";
  Dims shape;
  int64_t dim;
  Saved index;
  SavedFields fields() { return {{"index", &index}, {"dim", dim}, {"self_sym_sizes", shape}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = full_batched(levels_of({&g[0]}), shape, 0, g[0].dtype());
    index_add_(out[0], dim, index.unpack(&self), g[0], 1);
  }
  void release() { index.reset(); }
};

struct IndexAddVjp {
  static constexpr const char* kName = "IndexAddBackward0";
  Dims source_shape;
  int64_t dim;
  Scalar alpha;
  Saved index;  // for the source's gradient alone
  IndexAddVjp(const Tensor& source, int64_t d, const Scalar& factor, const Tensor& at)
      : source_shape(source.shape()), dim(d), alpha(factor) {
    if (should_record(source)) index = Saved(at);
  }
  SavedFields fields() {
    return {{"index", &index}, {"dim", dim}, {"alpha", alpha}, {"source_dim", source_shape.size()}};
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = g[0];
    if (!self.needs(1)) return;
    Tensor r = index_select(g[0], dim, index.unpack(&self));
    if (r.shape() != source_shape) r = reshape(r, source_shape);
    out[1] = alpha.to_double() == 1 ? r : mul(r, alpha);
  }
  void release() { index.reset(); }
};

// index_copy and index_fill: what was overwritten has no gradient.
enum class IndexWrite : uint8_t { Copy, FillNumber, FillTensor };
struct IndexWriteVjp {
  IndexWrite kind;
  int64_t dim;
  Dims source_shape;
  Saved index;
  const char* name() const {
    static constexpr const char* kNames[] = {"IndexCopyBackward0", "IndexFillBackward0", "IndexFillBackward1"};
    return kNames[static_cast<int>(kind)];
  }
  SavedFields fields() {
    SavedFields f{{"index", &index}, {"dim", dim}};
    if (kind == IndexWrite::Copy) f.push_back({"source_dim", source_shape.size()});
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    if (self.needs(0)) out[0] = index_fill(g[0], dim, at, Scalar(0));
    if (kind == IndexWrite::FillNumber || !self.needs(1)) return;
    if (kind == IndexWrite::Copy) {
      out[1] = reshape(index_select(g[0], dim, at), source_shape);
      return;
    }
    // The places written to, each once however often it was.
    const Tensor kept = index_fill(full_like(g[0], 1, DType::Bool), dim, at, Scalar(0));
    out[1] = sum(masked_fill(g[0], kept, Scalar(0)));
  }
  void release() { index.reset(); }
};

struct MaskedSelectVjp {
  static constexpr const char* kName = "MaskedSelectBackward0";
  Dims shape;
  Saved mask;
  SavedFields fields() { return {{"mask", &mask}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor m = mask.unpack(&self);
    const Dims all = broadcast_shapes(shape, m.shape());
    const Tensor whole = full_batched(levels_of({&g[0]}), all, 0, g[0].dtype());
    const Tensor at[] = {expand(m, all)};
    index_put_(whole, at, g[0], false);
    out[0] = sum_to(whole, shape);
  }
  void release() { mask.reset(); }
};

}  // namespace

namespace {

// Note [Indexing beneath vmap]
// The batch dims are indexed along: by an arange for each level, which broadcasts in front of the indices. All indexed
// dims then come first in the result, and the dims left of the block go back to their place.
class IndexBeneath {
 public:
  IndexBeneath(const Tensor& t, std::span<const Tensor> indices, const Tensor* values) : levels_(levels_of(indices)) {
    levels_.add(t);
    if (values) levels_.add(*values);
    std::vector<Tensor> plain;
    for (const Tensor& index : indices) {
      if (!index || !is_mask(index)) {
        plain.push_back(index);
        continue;
      }
      if (any_batched(index))
        fail(
            "vmap: It looks like you're indexing with a mask that is being vmapped over: how many elements it picks "
            "would depend on the sample. Please use torch.where() instead.");
      for (const Tensor& column : unbind(nonzero(index), 1)) plain.push_back(column);
    }
    Dims block;
    for (const Tensor& index : plain)
      if (index) block = broadcast_shapes(block, index.shape());
    block_ = block.size();
    for (int i = 0; i < levels_.count(); ++i) {
      Dims shape(levels_.count() + block_, 1);
      shape[i] = levels_.sizes[i];
      indices_.push_back(view(arange(0, levels_.sizes[i], 1, DType::Int64), shape));
    }
    bool gap = false, any = false;
    for (const Tensor& index : plain) {
      if (!index) {
        left_ += !any;
        gap |= any;
        indices_.emplace_back();
        continue;
      }
      neighbours_ &= !gap;
      any = true;
      indices_.push_back(physical(index, levels_, block_));
    }
    if (!neighbours_) left_ = 0;
    t_ = physical(t, levels_);
  }
  const Levels& levels() const { return levels_; }
  const Tensor& table() const { return t_; }
  std::span<const Tensor> indices() const { return indices_; }

  // From the order of the physical result (levels, block, left, right) to (levels, left, block, right), and back.
  Tensor in_place(const Tensor& t) const { return movedim(t, from(block_), from(0)); }
  Tensor out_of_place(const Tensor& t) const { return movedim(t, from(0), from(block_)); }

 private:
  Dims from(int start) const {
    Dims places;
    for (int i = 0; i < left_; ++i) places.push_back(levels_.count() + start + i);
    return places;
  }
  Levels levels_;
  Tensor t_;
  std::vector<Tensor> indices_;
  int block_ = 0, left_ = 0;
  bool neighbours_ = true;
};

}  // namespace

Tensor index(const Tensor& t, std::span<const Tensor> indices) {
  check_indices(t, indices);
  Tensor out;
  if (any_batched(t) || !levels_of(indices).none()) {
    const NoRecordGuard off;
    const IndexBeneath b(t, indices, nullptr);
    out = hide(b.in_place(index(b.table(), b.indices())), b.levels());
  } else if (covers_all(t, indices)) {
    out = compress(t, as_mask(indices[0]), offsets_of(t, 0, t.dim()));
  } else {
    const Resolved r = resolve(t, indices);
    out = empty(r.shape, t.dtype());
    read_slabs(out, t, r.slabs);
    if (r.strides != out.strides()) {
      const Tensor laid_out = empty_strided(r.shape, r.strides, t.dtype());
      copy_raw(laid_out, out);
      out = laid_out;
    }
  }
  if (should_record(t)) record(out, {&t}, IndexVjp{t.shape(), SavedIndices(indices)});
  return out;
}

void index_put_(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  const bool recorded = is_floating(t.dtype()) && should_record(t, values);
  check_inplace(t, needs_history(t, values), true);
  check_indices(t, indices);
  if (values.dtype() != t.dtype())
    fail("Index put requires the source and destination dtypes match, got ", scalar_type_name(t.dtype()),
         " for the destination and ", scalar_type_name(values.dtype()), " for the source.");
  const auto node = [&]() -> Ref<Node> {
    if (!recorded) return {};
    return make_node({&t, &values}, IndexPutVjp{values.shape(), accumulate, SavedIndices(indices)});
  };
  if (any_batched(t, values) || !levels_of(indices).none()) {
    Ref<Node> fn = node();
    {
      const NoRecordGuard off;
      const IndexBeneath b(t, indices, &values);
      check_levels(t, b.levels());
      const Tensor picked = b.in_place(index(b.table(), b.indices()));  // for its shape
      const Tensor source = expand(physical(values, b.levels(), picked.dim() - b.levels().count()), picked.shape());
      index_put_(b.table(), b.indices(), b.out_of_place(clone(source)), accumulate);
    }
    return finish_inplace(t, std::move(fn));
  }
  const bool one_mask = indices[0] && is_mask(indices[0]) && indices[0].dim() > 0 &&
                        std::none_of(indices.begin() + 1, indices.end(), [](const Tensor& i) { return i.defined(); });
  // One value under a mask: torch reads it first, then fills.
  const bool fills = one_mask && !accumulate && values.numel() == 1;
  const Tensor source = apart_from(values, t, fills);
  if (fills && source.dim() <= 1 && t.is_contiguous()) {
    Tensor mask = as_mask(indices[0]);
    if (mask->storage.get() == t->storage.get()) {
      const NoRecordGuard off;
      mask = clone(mask);
    }
    Ref<Node> fn = node();
    fill_where(t, mask, source);
    return finish_inplace(t, std::move(fn));
  }

  const Resolved r = resolve(t, indices, &source);
  Values from{source};
  if (source.numel() == 1) {
    from.step = 0;
  } else if (source.shape() != r.shape || !source.is_contiguous()) {
    from.tensor = empty(r.shape, t.dtype());
    copy_raw(from.tensor, source);
  }
  Ref<Node> fn = node();
  put_slabs(t, r.slabs, from, accumulate);
  finish_inplace(t, std::move(fn));
}

Tensor index_put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  Levels levels = levels_of(indices);
  levels.add(t);
  levels.add(values);
  if (!levels.none()) {
    const Tensor out = widened_copy(t, levels);
    index_put_(out, indices, values, accumulate);
    return out.as_new();
  }
  Tensor out;
  {
    const NoRecordGuard off;
    out = clone(t);
    index_put_(out, indices, values, accumulate);
    out.as_new();
  }
  if (is_floating(t.dtype()) && should_record(t, values))
    record(out, {&t, &values}, IndexPutVjp{values.shape(), accumulate, SavedIndices(indices)});
  return out;
}

// ---- one dim

namespace {

// Dim `d` indexed by `offsets`, all others whole. A 0-d tensor counts as one dim of one element.
Slabs slabs_along(const Tensor& t, int d, const Tensor& offsets) {
  Slabs s;
  s.picked.count = offsets.numel();
  s.picked.table = offsets;
  if (t.numel() == 0) s.before.count = 0;
  if (t.dim() == 0 || t.numel() == 0) return s;
  s.before = offsets_of(t, 0, d);
  s.after = offsets_of(t, d + 1, t.dim());
  return s;
}

bool is_index_dtype(const Tensor& t) { return t.dtype() == DType::Int64 || t.dtype() == DType::Int32; }
int64_t size_along(const Tensor& t, int d) { return t.dim() == 0 ? 1 : t.size(d); }
int64_t stride_along(const Tensor& t, int d) { return t.dim() == 0 || t.numel() == 0 ? 0 : t.stride(d); }

Tensor scaled(const Tensor& t, const Scalar& alpha) {
  if (alpha.to_double() == 1) return t;
  const NoRecordGuard off;
  if (is_floating(t.dtype())) return mul(t, alpha);
  if (t.dtype() == DType::Bool) return alpha.is_zero() ? zeros(t.shape(), DType::Bool) : t;
  return mul(t, Scalar(alpha.to_int()));
}

struct IndexAddArguments {
  int dim;
  Tensor offsets;
};

IndexAddArguments check_index_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src,
                                  const Scalar& alpha) {
  const int d = wrap_dim(dim, t.dim());
  if (index.dim() > 1)
    fail(ErrorKind::Index, "index_add_(): Index is supposed to be a vector, but got dim: ", index.dim(),
         " with type: ", scalar_type_name(index.dtype()), " and size: ", index.shape());
  check(is_index_dtype(index),
        "index_add_(): Expected dtype int32/int64 for index but got: ", scalar_type_name(index.dtype()));
  if (src.dtype() != t.dtype())
    fail("index_add_(): self (", scalar_type_name(t.dtype()), ") and source (", scalar_type_name(src.dtype()),
         ") must have the same scalar type");
  if (src.dim() == t.dim() && index.numel() != size_along(src, d))
    fail("index_add_(): Number of indices (", index.numel(), ") should be equal to source.size(dim): (",
         size_along(src, d), "), for dim: ", d);
  bool alike = src.dim() == t.dim();
  for (int i = 0; alike && i < t.dim(); ++i) alike = i == d || src.size(i) == t.size(i);
  if (!alike)
    fail(
        "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape "
        "= ",
        t.shape(), " source.shape = ", src.shape());
  const int64_t size = size_along(t, d);
  // torch takes two ways here, with an error of its own on each.
  const bool plain = t.dim() > 1 && (d == 0 || d == t.dim() - 1) && alpha.to_double() == 1;
  return {d, offsets_from(index, size, stride_along(t, d), false, [&](int64_t v) {
            if (plain) fail_out_of_bounds(ErrorKind::Runtime, v, d, size);
            fail(ErrorKind::Index, "index out of range in self");
          })};
}

}  // namespace

namespace {

// A list of indices with just one, which stands for dim `d`.
std::vector<Tensor> at_dim(int d, const Tensor& index) {
  std::vector<Tensor> list(static_cast<size_t>(d) + 1);
  list.back() = index.dim() ? index : unsqueeze(index, 0);
  return list;
}

}  // namespace

Tensor index_select(const Tensor& t, int64_t dim, const Tensor& index) {
  const int d = wrap_dim(dim, t.dim());
  if (any_batched(t, index)) {
    check(index.dim() <= 1, ErrorKind::Index, "index_select(): Index is supposed to be a vector");
    return t.dim() ? gradcore::index(t, at_dim(d, index))
                   : squeeze(gradcore::index(unsqueeze(t, 0), at_dim(0, index)), Dims{0});
  }
  check(index.dim() <= 1, ErrorKind::Index, "index_select(): Index is supposed to be a vector");
  check(is_index_dtype(index), "index_select(): Expected dtype int32 or int64 for index");
  if (t.dim() == 0)
    check(index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ", index.numel(),
          " value(s)");
  const int64_t size = size_along(t, d);
  check(size > 0 || index.numel() == 0, "index_select(): self indexing axis dim should be positive");
  const Tensor offsets = offsets_from(index, size, stride_along(t, d), false,
                                      [](int64_t) { fail(ErrorKind::Index, "index out of range in self"); });
  Dims shape = t.shape();
  if (t.dim() > 0) shape[d] = index.numel();
  const Tensor out = empty(shape, t.dtype());
  read_slabs(out, t, slabs_along(t, d, offsets));
  if (should_record(t)) record(out, {&t}, IndexSelectVjp{t.shape(), d, Saved(index)});
  return out;
}

void index_add_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  const bool recorded = is_floating(t.dtype()) && should_record(t, src);
  check_inplace(t, needs_history(t, src));
  if (any_batched(t, index, src)) {
    const Tensor scaled_src = alpha.to_double() == 1 ? src : mul(src, alpha);
    const Tensor line = t.dim() ? t : unsqueeze(t, 0);
    return index_put_(line, at_dim(wrap_dim(dim, t.dim()), index),
                      scaled_src.dim() ? scaled_src : unsqueeze(scaled_src, 0), true);
  }
  const IndexAddArguments a = check_index_add(t, dim, index, src, alpha);
  const Tensor source = dense(scaled(apart_from(src, t), alpha));
  Ref<Node> node;
  if (recorded) node = make_node({&t, &src}, IndexAddVjp(src, a.dim, alpha, index));
  put_slabs(t, slabs_along(t, a.dim, a.offsets), {source}, true);
  finish_inplace(t, std::move(node));
}

Tensor index_add(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  if (any_batched(t, index, src)) {
    const Tensor out = widened_copy(t, levels_of({&t, &index, &src}));
    index_add_(out, dim, index, src, alpha);
    return out;
  }
  Tensor out;
  {
    const NoRecordGuard off;
    out = clone(t, true);
  }
  const IndexAddArguments a = check_index_add(out, dim, index, src, alpha);
  put_slabs(out, slabs_along(out, a.dim, a.offsets), {dense(scaled(src, alpha))}, true);
  if (is_floating(t.dtype()) && should_record(t, src)) record(out, {&t, &src}, IndexAddVjp(src, a.dim, alpha, index));
  return out;
}

namespace {

// index_copy_ and index_fill_: the places to write to. Only the latter counts from the end as well.
Tensor check_index_write(const Tensor& t, int d, const Tensor& index, const Tensor& src, IndexWrite kind_of_write) {
  const bool fill = kind_of_write != IndexWrite::Copy;
  const char* op = fill ? "index_fill_" : "index_copy_";
  const ErrorKind kind = fill ? ErrorKind::Runtime : ErrorKind::Index;
  check(index.dim() <= 1, kind, op, "(): Index should have dimension 1 or 0 (got ", index.dim(), ")");
  check(index.dtype() == DType::Int64, fill ? ErrorKind::Index : ErrorKind::Runtime, op,
        "(): Expected a long tensor for index, but got ", scalar_type_name(index.dtype()));
  if (!fill) {
    check(src.dtype() == t.dtype(), op, "(): self and source expected to have the same dtype, but got (self) ",
          scalar_type_name(t.dtype()), " and (source) ", scalar_type_name(src.dtype()));
    const bool alike = src.dim() == t.dim() || src.dim() == 0 || t.dim() == 0;
    check(alike && index.numel() == size_along(src, src.dim() ? d : 0), kind, op, "(): Number of indices (",
          index.numel(), ") and source of shape ", src.shape(), " do not fit a tensor of shape ", t.shape());
    for (int i = 0; i < t.dim(); ++i)
      check(i == d || (src.dim() ? src.size(i) : 1) == t.size(i), op,
            "(): Source/destination tensor must have same slice shapes, got ", src.shape(), " for a tensor of shape ",
            t.shape(), " at dimension ", d);
  }
  if (any_batched(t, index, src)) return {};
  const int64_t size = size_along(t, d);
  return offsets_from(index, size, stride_along(t, d), fill,
                      [&](int64_t v) { fail_out_of_bounds(ErrorKind::Index, v, d, size); });
}

void write_indexed(const Tensor& t, int d, const Tensor& offsets, const Tensor& src) {
  put_slabs(t, slabs_along(t, d, offsets), {dense(apart_from(src, t)), src.numel() == 1 ? 0 : 1}, false);
}

Ref<Node> index_write_node(const Tensor& t, int d, const Tensor& index, const Tensor& src, IndexWrite kind) {
  IndexWriteVjp vjp{kind, d, src.shape(), Saved(index)};
  return kind == IndexWrite::FillNumber ? make_node({&t}, std::move(vjp)) : make_node({&t, &src}, std::move(vjp));
}

void index_write_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, IndexWrite kind) {
  const int d = wrap_dim(dim, t.dim());
  const bool recorded = is_floating(t.dtype()) && should_record(t, src);
  check_inplace(t, needs_history(t, src));
  const Tensor offsets = check_index_write(t, d, index, src, kind);
  Ref<Node> node;
  if (recorded) node = index_write_node(t, d, index, src, kind);
  if (offsets) {
    write_indexed(t, d, offsets, src);
  } else {
    const NoRecordGuard off;
    index_put_(t.dim() ? t : unsqueeze(t, 0), at_dim(d, index), src, false);
  }
  finish_inplace(t, std::move(node));
}

Tensor index_write(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, IndexWrite kind) {
  if (any_batched(t, index, src)) {
    const Tensor out = widened_copy(t, levels_of({&t, &index, &src}));
    index_write_(out, dim, index, src, kind);
    return out.as_new();
  }
  Tensor out;
  {
    const NoRecordGuard off;
    out = clone(t, kind == IndexWrite::Copy);
  }
  const int d = wrap_dim(dim, t.dim());
  write_indexed(out, d, check_index_write(out, d, index, src, kind), src);
  if (is_floating(t.dtype()) && should_record(t, src)) record_output(out, index_write_node(t, d, index, src, kind));
  return out;
}

IndexWrite fill_by(const Operand& value) { return value.is_tensor() ? IndexWrite::FillTensor : IndexWrite::FillNumber; }
Tensor fill_value(const Tensor& t, const Operand& value) {
  if (!value.is_tensor()) {
    check_fits(value.scalar, t.dtype());
    return scalar_tensor(value.scalar, t.dtype());
  }
  check(value.tensor->dim() == 0, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
        value.tensor->dim(), " dimension(s).");
  return cast(*value.tensor, t.dtype());
}

}  // namespace

void index_copy_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  index_write_(t, dim, index, src, IndexWrite::Copy);
}
Tensor index_copy(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src) {
  return index_write(t, dim, index, src, IndexWrite::Copy);
}
void index_fill_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value) {
  index_write_(t, dim, index, fill_value(t, value), fill_by(value));
}
Tensor index_fill(const Tensor& t, int64_t dim, const Tensor& index, const Operand& value) {
  return index_write(t, dim, index, fill_value(t, value), fill_by(value));
}

// ---- by truth

static void refuse_dynamic_shape(const char* op, bool batched) {
  if (batched)
    fail("vmap: We do not support batching operators that can output dynamic shape. It looks like you're calling ", op,
         "() on a Tensor that is being vmapped over. Please use torch.where() instead.");
}

Tensor masked_select(const Tensor& t, const Tensor& mask) {
  refuse_dynamic_shape("masked_select", any_batched(t, mask));
  check(mask.dtype() == DType::Bool, "masked_select: expected a bool tensor (BoolTensor) for mask");
  const Dims shape = broadcast_shapes(mask.shape(), t.shape());
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor wide = t.shape() == shape ? t : expand(t, shape);
    const Tensor where = mask.shape() == shape ? mask : expand(mask, shape);
    out = compress(t, as_mask(where), offsets_of(wide, 0, wide.dim()));
  }
  if (should_record(t)) record(out, {&t}, MaskedSelectVjp{t.shape(), Saved(mask)});
  return out;
}

Tensor nonzero(const Tensor& t) {
  refuse_dynamic_shape("nonzero", any_batched(t));
  const Tensor mask = as_mask(t);
  const std::vector<int64_t> starts = block_starts(mask);
  const int64_t n = starts.back();
  const int ndim = t.dim();
  // A column for each dim, as torch lays it out.
  const Tensor columns = empty(Dims{ndim, n}, DType::Int64);
  int64_t* out = columns.data<int64_t>();
  const Dims& shape = t.shape();
  for_each_true(mask, starts, [&](int64_t k, int64_t i) {
    for (int d = ndim - 1; d > 0; --d) {
      out[d * n + k] = i % shape[d];
      i /= shape[d];
    }
    if (ndim > 0) out[k] = i;
  });
  return make_window(columns, Dims{n, ndim}, Dims{1, n}, out);
}

}  // namespace gradcore
