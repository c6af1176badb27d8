// Advanced indexing: index, index_put, index_put_. index_resolve.cpp says where indices point to, take.cpp reads and
// writes there.
#include <algorithm>
#include <vector>

#include "core/warning.h"
#include "ops/index.h"
#include "ops/indexing.h"

namespace gradcore {

namespace {

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
  auto saves() { return std::tie(saved); }
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
  auto saves() { return indices.saves(); }
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
  auto saves() { return indices.saves(); }
};

// Note [Indexing in a batch]
// The batch dims are indexed along: by an arange for each level, which broadcasts in front of the indices. All indexed
// dims then come first in the result, and the dims left of the block go back to their place.
class BatchedIndex {
 public:
  BatchedIndex(const Tensor& t, std::span<const Tensor> indices, const Levels& levels) : levels_(levels) {
    const std::vector<Tensor> plain = without_masks(indices);
    Dims block;
    for (const Tensor& index : plain)
      if (index) block = broadcast_shapes(block, index.shape());
    block_ = block.size();
    for (int i = 0; i < levels_.count(); ++i) {
      Dims shape(levels_.count() + block_, 1);
      shape[i] = levels_.sizes[i];
      indices_.push_back(view(arange(0, levels_.sizes[i], 1, DType::Int64), shape));
    }
    bool gap = false, any = false, neighbours = true;
    for (const Tensor& index : plain) {
      if (index) neighbours &= !gap;
      left_ += !index && !any;
      gap |= !index && any;
      any |= index.defined();
      indices_.push_back(index ? physical(index, levels_, block_) : Tensor());
    }
    if (!neighbours) left_ = 0;
    t_ = physical(t, levels_);
  }

  Tensor read() const { return hide(to_place(index(t_, indices_)), levels_); }
  void write(const Tensor& values, Put how) const {
    const Tensor there = to_place(index(t_, indices_));  // for its shape
    const Tensor source = expand(physical(values, levels_, there.dim() - levels_.count()), there.shape());
    put(t_, indices_, from_place(clone(source)), how);
  }

 private:
  static std::vector<Tensor> without_masks(std::span<const Tensor> indices) {
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
    return plain;
  }
  // From the order of the physical result (levels, block, left, right) to (levels, left, block, right), and back.
  Tensor to_place(const Tensor& t) const { return movedim(t, left_dims(block_), left_dims(0)); }
  Tensor from_place(const Tensor& t) const { return movedim(t, left_dims(0), left_dims(block_)); }
  Dims left_dims(int start) const {
    Dims dims;
    for (int i = 0; i < left_; ++i) dims.push_back(levels_.count() + start + i);
    return dims;
  }

  Levels levels_;
  Tensor t_;
  std::vector<Tensor> indices_;
  int block_ = 0, left_ = 0;  // how many dims
};

Levels levels_of_all(const Tensor& t, std::span<const Tensor> indices, const Tensor& values = {}) {
  Levels levels = levels_of(indices);
  levels.add(t);
  levels.add(values);
  return levels;
}

bool is_lone_mask(std::span<const Tensor> indices) {
  return indices[0] && is_mask(indices[0]) && indices[0].dim() > 0 &&
         std::none_of(indices.begin() + 1, indices.end(), [](const Tensor& i) { return i.defined(); });
}

Tensor read(const Tensor& t, std::span<const Tensor> indices) {
  const NoRecordGuard off;
  if (const Levels levels = levels_of_all(t, indices); !levels.none()) return BatchedIndex(t, indices, levels).read();
  if (is_lone_mask(indices) && indices.size() == 1 && indices[0].dim() == t.dim())
    return compress(t, true_elements(indices[0]), offsets_of(t, 0, t.dim()));
  const Resolved r = resolve(t, indices);
  const Tensor out = empty(r.shape, t.dtype());
  take(out, t, r.plan);
  if (r.strides == out.strides()) return out;
  const Tensor laid_out = empty_strided(r.shape, r.strides, t.dtype());
  copy_raw(laid_out, out);
  return laid_out;
}

}  // namespace

void put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, Put how) {
  const NoRecordGuard off;
  if (const Levels levels = levels_of_all(t, indices, values); !levels.none()) {
    check_indices(t, indices);
    check_levels(t, levels);
    return BatchedIndex(t, indices, levels).write(values, how);
  }
  // One value under a mask: torch reads it first, then fills.
  const bool fills = is_lone_mask(indices) && how == Put::Assign && values.numel() == 1;
  const Tensor source = apart_from(values, t, fills);
  if (fills && source.dim() <= 1 && t.is_contiguous()) return fill_where(t, indices[0], source);
  const Resolved r = resolve(t, indices, &source);
  Tensor from = source;
  const bool one_value = source.numel() == 1;
  if (!one_value && (source.shape() != r.shape || !source.is_contiguous())) {
    from = empty(r.shape, t.dtype());
    copy_raw(from, source);
  }
  put(t, r.plan, from, one_value, how);
}

namespace {

void check_put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values) {
  check(std::ranges::any_of(indices, &Tensor::defined), "at least one index must be provided");
  check_indices(t, indices);
  if (values.dtype() == t.dtype()) return;
  // First what the shapes are wrong with, as torch does.
  if (const NoRecordGuard off; levels_of_all(t, indices, values).none()) resolve(t, indices, &values);
  fail("Index put requires the source and destination dtypes match, got ", scalar_type_name(t.dtype()),
       " for the destination and ", scalar_type_name(values.dtype()), " for the source.");
}

Ref<Node> put_node(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  if (!is_floating(t.dtype()) || !should_record(t, values)) return {};
  return make_node({&t, &values}, IndexPutVjp{values.shape(), accumulate, SavedIndices(indices)});
}

}  // namespace

void warn_of_filling_expanded(const char* op) {
  warn("Use of ", op,
       " on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This also "
       "applies to advanced indexing e.g. tensor[mask] = scalar");
}

Tensor index(const Tensor& t, std::span<const Tensor> indices) {
  check_indices(t, indices);
  Tensor out = read(t, indices);
  if (should_record(t)) record(out, {&t}, IndexVjp{t.shape(), SavedIndices(indices)});
  return out;
}

static void put_recorded(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  const auto check = [&] {
    check_inplace(t, needs_history(t, values), true);
    check_put(t, indices, values);
  };
  write_in_place(
      t, check, [&] { return put_node(t, indices, values, accumulate); },
      [&](const Tensor& to) { put(to, indices, values, accumulate ? Put::Add : Put::Assign); });
}

void masked_put_expanded(const Tensor& t, const Tensor& mask, const Tensor& number) {
  warn_of_filling_expanded("masked_fill_");
  const Tensor masks[] = {mask};
  put_recorded(t, masks, number, false);
}

void index_put_(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  if (overlaps_itself(t)) [[unlikely]]
    warn(
        "Use of index_put_ on expanded tensors is deprecated. Please clone() the tensor before performing this "
        "operation. This also applies to advanced indexing e.g. tensor[indices] = tensor");
  put_recorded(t, indices, values, accumulate);
}

Tensor index_put(const Tensor& t, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  check_put(t, indices, values);
  return write_to_copy(
      t, levels_of_all(t, indices, values), false, [&] { return put_node(t, indices, values, accumulate); },
      [&](const Tensor& to) { put(to, indices, values, accumulate ? Put::Add : Put::Assign); });
}

}  // namespace gradcore
