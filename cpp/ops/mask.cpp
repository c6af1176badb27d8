// Ops on the true elements of a mask: masked_select, nonzero, and what advanced indexing does with masks.
#include "kernels/portable/mask.h"

#include "ops/indexing.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// One byte for each element in logical order, zero for false.
Tensor as_mask(const Tensor& t) {
  if (is_mask(t) && t.is_contiguous()) return t;
  const Tensor mask = empty(t.shape(), DType::Bool);
  copy_raw(mask, t);
  return mask;
}

}  // namespace

TrueElements true_elements(const Tensor& mask) {
  TrueElements e{as_mask(mask), {}, 0};
  const int64_t n = mask.numel(), blocks = portable::mask_blocks(n);
  e.starts = empty(Dims{blocks + 1}, DType::Int64);
  using Args = portable::CountTrueArgs;
  Kernel<Args> k("count_true", portable::count_true, {nullptr, n, nullptr});
  launch(k.reads(&Args::mask, e.mask.window()).writes(&Args::starts, e.starts.window()));
  e.count = e.starts.host<int64_t>()[blocks];
  return e;
}

Tensor offsets_where(const TrueElements& e, const Offsets& offsets) {
  const Tensor out = empty(Dims{e.count}, DType::Int64);
  using Args = portable::TrueOffsetsArgs;
  Kernel<Args> k("true_offsets", portable::true_offsets);
  k.args.n = e.mask.numel();
  k.args.step = offsets.step;
  k.reads(&Args::mask, e.mask.window()).reads(&Args::starts, e.starts.window());
  if (offsets.table) k.reads(&Args::offsets, offsets.table.window());
  launch(k.writes(&Args::out, out.window()));
  return out;
}

Tensor compress(const Tensor& t, const TrueElements& e, const Offsets& offsets) {
  const Tensor out = empty(Dims{e.count}, t.dtype());
  using Args = portable::CompressArgs;
  Kernel<Args> k("compress", portable::compress);
  k.args.n = e.mask.numel();
  k.args.step = offsets.step;
  k.args.dtype = t.dtype();
  k.reads(&Args::mask, e.mask.window()).reads(&Args::starts, e.starts.window()).reads(&Args::from, t.window());
  if (offsets.table) k.reads(&Args::offsets, offsets.table.window());
  launch(k.writes(&Args::out, out.window()));
  return out;
}

void fill_where(const Tensor& t, const Tensor& mask, const Tensor& value) {
  if (t.numel() == 0) return;
  const Tensor bytes = as_mask(apart_from(mask, t, true));
  using Args = portable::FillWhereArgs;
  Kernel<Args> k("fill_where", portable::fill_where);
  k.args.n = bytes.numel();
  k.args.each = t.numel() / bytes.numel();
  k.args.dtype = t.dtype();
  k.reads(&Args::mask, bytes.window()).reads(&Args::value, value.window());
  launch(k.writes(&Args::data, t.window()));
}

// ---- masked_select and nonzero

namespace {

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
  auto saves() { return std::tie(mask); }
};

}  // namespace

Tensor masked_select(const Tensor& t, const Tensor& mask) {
  check(
      !any_batched(mask),
      "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this because for each "
      "batch this would return a differently shaped Tensor. Please use torch.where() instead.");
  check(mask.dtype() == DType::Bool, "masked_select: expected a bool tensor (BoolTensor) for mask");
  const Dims shape = broadcast_shapes(mask.shape(), t.shape());
  if (any_batched(t)) {  // from each sample the same number
    const Tensor places = nonzero(reshape(expand(mask, shape), Dims{-1}));
    return index_select(reshape(expand(t, shape), Dims{-1}), 0, reshape(places, Dims{-1}));
  }
  Tensor out;
  {
    const NoRecordGuard off;
    const Tensor wide = t.shape() == shape ? t : expand(t, shape);
    const Tensor where = mask.shape() == shape ? mask : expand(mask, shape);
    out = compress(t, true_elements(where), offsets_of(wide, 0, wide.dim()));
  }
  if (should_record(t)) record(out, {&t}, MaskedSelectVjp{t.shape(), Saved(mask)});
  return out;
}

Tensor nonzero(const Tensor& t) {
  check(!any_batched(t),
        "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over "
        "aten::nonzero. Please use torch.where() instead.");
  const int ndim = t.dim();
  const TrueElements e = true_elements(t);
  // A column for each dim, as torch lays it out.
  const Tensor columns = empty(Dims{ndim, e.count}, DType::Int64);
  using Args = portable::NonzeroArgs;
  Kernel<Args> k("nonzero", portable::nonzero);
  k.args.n = e.mask.numel();
  k.args.count = e.count;
  k.args.ndim = ndim;
  for (int d = 0; d < ndim; ++d) k.args.shape[d] = t.size(d);
  k.reads(&Args::mask, e.mask.window()).reads(&Args::starts, e.starts.window());
  launch(k.writes(&Args::out, columns.window()));
  return make_window(columns, Dims{e.count, ndim}, Dims{1, e.count});
}

}  // namespace gradcore
