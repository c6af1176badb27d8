#include "ops/search.h"

#include "core/warning.h"
#include "kernels/portable/search.h"
#include "ops/batching.h"
#include "ops/derived_core.h"
#include "ops/order.h"
#include "ops/underivable.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

constexpr const char* kSearch = "torch.searchsorted(): ";

// ---- searchsorted

bool side_of(const SearchOptions& o) {
  if (!o.side) return o.right;
  check(*o.side == "left" || *o.side == "right", kSearch, "side can only be 'left' or 'right' but got ", *o.side);
  check(*o.side == "right" || !o.right, kSearch,
        "side and right can't be set to opposites, got side of left while right was True");
  return *o.side == "right";
}

void check_search(const Tensor& sorted, const Tensor& values, bool number) {
  check(sorted.dim() > 0, kSearch, "boundaries tensor should have positive dimension, but got 0 dimension");
  if (values.dim() == 0)
    check(sorted.dim() == 1, kSearch,
          "input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(",
          sorted.dim(), ") and input value's dim(", number ? 0 : values.dim(), ") numel(", values.numel(), ")");
  bool fits = sorted.dim() == 1 || sorted.dim() == values.dim();
  for (int i = 0; fits && sorted.dim() > 1 && i + 1 < sorted.dim(); ++i) fits = sorted.size(i) == values.size(i);
  check(
      fits, kSearch,
      "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor "
      "must match, but we got boundaries tensor ",
      sorted.shape(), " and input value tensor ", values.shape());
}

void check_sorter(const Tensor& sorter, const Tensor& sorted) {
  check(same_shape(sorter, sorted), kSearch, "boundary and sorter must have the same size, but got boundary tensor ",
        sorted.shape(), "and got sorter tensor ", sorter.shape());
  check(sorter.dtype() == DType::Int64, kSearch, "sorter must be a tensor of long dtype but got dtype ",
        scalar_type_name(sorter.dtype()));
  if (sorter.numel() == 0 || any_batched(sorter)) return;
  const NoRecordGuard off;
  const int64_t size = sorted.size(sorted.dim() - 1);
  check(*min(sorter).host<int64_t>() >= 0 && *max(sorter).host<int64_t>() < size, kSearch, "sorter index out of range");
}

// Rows of `sorted` and of `values`, dense and of one dtype.
Tensor search_rows(const Tensor& sorted, const Tensor& values, int64_t rows, bool right, bool narrow) {
  const Tensor out = empty(values.shape(), narrow ? DType::Int32 : DType::Int64);
  if (out.numel() == 0) return out;
  if (sorted.numel() == 0) {
    fill_raw(out, Scalar(0));
    return out;
  }
  using Args = portable::SearchArgs;
  Kernel<Args> k("searchsorted", portable::search);
  k.args.rows = rows;
  k.args.n = sorted.numel() / rows;
  k.args.m = values.numel() / rows;
  k.args.dtype = sorted.dtype();
  k.args.right = right;
  k.args.narrow = narrow;
  k.reads(&Args::sorted, sorted.window()).reads(&Args::values, values.window()).writes(&Args::places, out.window());
  launch(k);
  return out;
}

Tensor search(const Tensor& sorted, const Tensor& values, bool right, bool narrow) {
  const DType type = promote_types(sorted.dtype(), values.dtype());
  if (type == DType::Bool && values.numel())
    fail(ErrorKind::NotImplemented, "\"searchsorted_out_cpu\" not implemented for 'Bool'");
  const auto compute = [&](int batch, const Tensor& in, const Tensor& wanted) {
    int64_t rows = 1;
    for (int i = 0; i + 1 < in.dim() && (batch || i + 1 < sorted.dim()); ++i) rows *= in.size(i);
    return search_rows(contiguous(cast(in, type)), contiguous(cast(wanted, type)), rows, right, narrow);
  };
  return batched_in_front(compute, sorted, values);
}

// A number is a tensor without dims, of its own dtype.
Tensor as_tensor(const Operand& v) {
  return v.is_tensor() ? *v.tensor : scalar_tensor(v.scalar, v.scalar.dtype(default_dtype()));
}

// ---- unique

// Whether each slice of `x` along its first dim differs from the one before; the first one does.
Tensor starts_of_runs(const Tensor& x) {
  const int64_t n = x.size(0);
  const Tensor first = full(Dims{n ? 1 : 0}, Scalar(true), DType::Bool);
  if (n < 2) return first;
  Tensor differs = ne(narrow(x, 0, 1, n - 1), narrow(x, 0, 0, n - 1));
  if (x.dim() > 1) differs = any(reshape(differs, Dims{n - 1, -1}), Dims{1}, false);
  const Tensor parts[] = {first, differs};
  return cat(parts, 0);
}

// The runs of equal slices of `x`, which stand in `order` of the original, or in their own where that is undefined:
// one slice of each, and by request the run of each original slice and the lengths.
std::vector<Tensor> runs_of(const Tensor& x, const Tensor& order, const UniqueOptions& options, const Dims& shape) {
  const bool flat = x.dim() == 1;
  const Tensor starts = starts_of_runs(x);
  const Tensor at = flat && !options.counts ? Tensor() : reshape(std::get<Tensor>(nonzero(starts, false)), Dims{-1});
  std::vector<Tensor> out{flat ? masked_select(x, starts) : index_select(x, 0, at)};
  if (options.inverse) {
    const Tensor run = sub(cumsum(starts, 0, {}), Scalar(1));
    out.push_back(reshape(order ? scatter(empty(run.shape(), DType::Int64), 0, order, run) : run, shape));
  }
  if (options.counts) {
    const Tensor ends[] = {at, full(Dims{at.numel() ? 1 : 0}, Scalar(x.size(0)), DType::Int64)};
    const Tensor all = cat(ends, 0);
    out.push_back(at.numel() ? sub(narrow(all, 0, 1, at.numel()), at) : at);
  }
  for (const Tensor& t : out) t.as_new();
  return out;
}

// Of truth values, which are two at most: they are counted, not sorted.
std::vector<Tensor> unique_bools(const Tensor& t, const UniqueOptions& options) {
  const Tensor yes = reshape(sum(t), Dims{1});
  const Tensor both[] = {sub(Scalar(t.numel()), yes), yes};
  const Tensor counts = cat(both, 0), present = ne(counts, Scalar(0));
  std::vector<Tensor> out{cast(reshape(std::get<Tensor>(nonzero(present, false)), Dims{-1}), DType::Bool)};
  const bool alike = out[0].numel() < 2;
  if (options.inverse) out.push_back(alike ? zeros(t.shape(), DType::Int64) : contiguous(cast(t, DType::Int64)));
  if (options.counts) out.push_back(masked_select(counts, present));
  for (const Tensor& r : out) r.as_new();
  return out;
}

void check_not_batched(const Tensor& t, const char* op) {
  check(!any_batched(t),
        "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::", op,
        ".");
}

// Slices along a dim as rows of a dense matrix, and the way back.
Tensor slices(const Tensor& t, int d) { return contiguous(movedim(t, Dims{d}, Dims{0})); }
Tensor moved_back(const Tensor& t, int d) {
  const Tensor view = movedim(t, Dims{0}, Dims{d});
  return make_window(view, view.shape(), view.strides());
}

int checked_dim(const Tensor& t, int64_t dim) {
  check(t.dim() > 0, ErrorKind::Index, "Dimension specified as ", dim, " but tensor has no dimensions");
  const int d = wrap_dim(dim, t.dim());
  int zeros = 0;
  for (int i = 0; i < t.dim(); ++i) zeros += t.size(i) == 0;
  check(zeros <= 1, "Number of zero sized dimensions is more than one, so unique cannot be applied ");
  check(zeros == 0 || t.size(d) == 0,
        "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  return d;
}

void warn_of_copies(const Tensor& sorted, const Tensor& wanted, const Tensor& sorter) {
  static std::atomic<bool> warned[3];
  const Tensor* const tensors[] = {&wanted, &sorted, &sorter};
  constexpr const char* kNames[] = {"input value", "boundary", "sorter"};
  for (int i = 0; i < 3; ++i) {
    if (!*tensors[i] || (*tensors[i])->batch || tensors[i]->is_contiguous() || !warning_is_due(warned[i])) continue;
    warn(kSearch, kNames[i],
         " tensor is non-contiguous, this will lower the performance due to extra data copy when "
         "converting non-contiguous tensor to contiguous, please use contiguous ",
         kNames[i], " tensor if possible. This message will only appear once per program.");
  }
}

Tensor order_of_slices(const Tensor& x) {
  const Tensor order = empty(Dims{x.size(0)}, DType::Int64);
  if (x.numel() == 0) return order;
  using Args = portable::RowSortArgs;
  Kernel<Args> k("sort_rows", portable::sort_rows);
  k.args.rows = x.size(0);
  k.args.n = x.numel() / x.size(0);
  k.args.dtype = x.dtype();
  launch(k.reads(&Args::in, x.window()).writes(&Args::order, order.window()));
  return order;
}

std::vector<Tensor> recorded(std::vector<Tensor> out, const Tensor& t, const char* node, const char* op) {
  record_underivable(out[0], t, {op, node});
  return out;
}

}  // namespace

Tensor searchsorted(const Tensor& sorted, const Operand& values, const SearchOptions& options) {
  const bool right = side_of(options);
  const Tensor wanted = as_tensor(values);
  check_search(sorted, wanted, !values.is_tensor());
  warn_of_copies(sorted, wanted, options.sorter);
  if (!options.sorter) return search(sorted, wanted, right, options.out_int32);
  check_sorter(options.sorter, sorted);
  const NoRecordGuard off;
  return search(gather(sorted, -1, options.sorter), wanted, right, options.out_int32);
}

Tensor bucketize(const Operand& values, const Tensor& boundaries, bool out_int32, bool right) {
  check(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(", boundaries.dim(), ")");
  return searchsorted(boundaries, values, {.out_int32 = out_int32, .right = right});
}

Tensor isin(const Operand& elements, const Operand& test_elements, bool invert) {
  const Tensor wanted = as_tensor(elements), among = as_tensor(test_elements);
  for (const Tensor* t : {&wanted, &among})
    check(t->dtype() != DType::Bool, "Unsupported input type encountered for isin(): Bool");
  const NoRecordGuard off;
  if (among.numel() == 0) return full_batched(levels_of({&wanted}), wanted.shape(), Scalar(invert), DType::Bool);
  const DType type = promote_types(wanted.dtype(), among.dtype());
  const Tensor x = contiguous(cast(wanted, type));
  const Tensor sorted = sort(reshape(cast(among, type), Dims{-1}), 0, false).values;
  const Tensor place = clamp_max(search(sorted, x, false, false), Scalar(among.numel() - 1));
  const Tensor found = reshape(gather(sorted, 0, reshape(place, Dims{-1})), x.shape());
  return invert ? ne(x, found) : eq(x, found);
}

std::vector<Tensor> unique(const Tensor& t, const UniqueOptions& options) {
  check_not_batched(t, "_unique2");
  std::vector<Tensor> out;
  {
    const NoRecordGuard off;
    if (t.dtype() == DType::Bool) return unique_bools(t, options);
    const ValuesIndices r = sort(reshape(t, Dims{-1}), 0, false);
    out = runs_of(r.values, r.indices, options, t.shape());
  }
  return recorded(std::move(out), t, "Unique2Backward0", "_unique2");
}

std::vector<Tensor> unique(const Tensor& t, int64_t dim, const UniqueOptions& options) {
  check_not_batched(t, "unique_dim");
  const int d = checked_dim(t, dim);
  std::vector<Tensor> out;
  {
    const NoRecordGuard off;
    const Tensor x = slices(t, d), order = order_of_slices(in_signed_order(x));
    out = runs_of(index_select(x, 0, order), order, options, Dims{t.size(d)});
    out[0] = moved_back(out[0], d);
  }
  return recorded(std::move(out), t, "UniqueDimBackward0", "unique_dim");
}

std::vector<Tensor> unique_consecutive(const Tensor& t, std::optional<int64_t> dim, const UniqueOptions& options) {
  check_not_batched(t, "unique_consecutive");
  const int d = dim ? checked_dim(t, *dim) : 0;
  std::vector<Tensor> out;
  {
    const NoRecordGuard off;
    if (!dim) {
      out = runs_of(reshape(t, Dims{-1}), {}, options, t.shape());
    } else {
      out = runs_of(slices(t, d), {}, options, Dims{t.size(d)});
      out[0] = moved_back(out[0], d);
    }
  }
  return recorded(std::move(out), t, "UniqueConsecutiveBackward0", "unique_consecutive");
}

}  // namespace gradcore
