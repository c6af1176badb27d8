// Bags of rows of a table. Start at embedding_bag(). The way back is made of ops.
#include "kernels/pool/pool.h"
#include "kernels/portable/bags.h"
#include "kernels/table.h"
#include "ops/batching.h"
#include "ops/derived_core.h"
#include "ops/embedding.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/shapes.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

constexpr const char* kWhile = " (while checking arguments for embedding_bag)";

// torch brings indices and offsets to one dtype first, and names the former.
void check_ints(const Tensor& t) {
  if (t.dtype() != DType::Int64 && t.dtype() != DType::Int32)
    fail(
        "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
        "torch.",
        scalar_type_name(t.dtype()), "Tensor instead", kWhile);
}

BagMode mode_of(std::string_view name) {
  if (name == "sum") return BagMode::Sum;
  if (name == "mean") return BagMode::Mean;
  check(name == "max", ErrorKind::Value, "mode has to be one of sum, mean or max");
  return BagMode::Max;
}

// Bag b has the indices from bounds[b] up to bounds[b + 1]. All are dense.
struct Bags {
  Tensor index, bounds;
  int64_t count() const { return bounds.size(0) - 1; }
  Tensor sizes() const { return sub(narrow(bounds, 0, 1, count()), narrow(bounds, 0, 0, count())); }
  // The bag of each index.
  Tensor of_index() const { return repeat_interleave(sizes(), std::nullopt); }
};

struct Found {
  Tensor out, largest;  // of maxima, which row each comes from
};

Found by_kernel(const Tensor& table, const Bags& bags, BagMode mode, const Tensor& weight) {
  const Tensor dense = contiguous(table), factors = weight ? contiguous(weight) : Tensor();
  const Dims shape{bags.count(), table.size(1)};
  Found r{empty(shape, table.dtype()), mode == BagMode::Max ? empty(shape, DType::Int64) : Tensor()};
  const auto kernel_of = [&](const char* name, void (*fn)(const BagsArgs&)) {
    Kernel<BagsArgs> k(name, fn);
    k.args.count = bags.index.numel(), k.args.bags = shape[0];
    k.args.rows = table.size(0), k.args.width = shape[1];
    k.args.mode = mode;
    return k.reads(&BagsArgs::index, bags.index.window()).reads(&BagsArgs::bounds, bags.bounds.window());
  };
  launch(kernel_of("check_bags", portable::check_bags).may_raise());
  auto k = kernel_of("embedding_bag", kernels().pool.bags[table.dtype()]);
  if (factors) k.reads(&BagsArgs::weight, factors.window());
  if (r.largest) k.writes(&BagsArgs::largest, r.largest.window());
  launch(k.reads(&BagsArgs::table, dense.window()).writes(&BagsArgs::out, r.out.window()));
  return r;
}

// The same as ops, for batches.
Tensor composed(const Tensor& table, const Bags& bags, BagMode mode, const Tensor& weight) {
  Tensor rows = index_select(table, 0, bags.index);
  if (mode == BagMode::Max) {
    std::vector<Tensor> found;
    for (int64_t b = 0; b < bags.count(); ++b) {
      const int64_t begin = item(select(bags.bounds, 0, b)).to_int();
      const int64_t end = item(select(bags.bounds, 0, b + 1)).to_int();
      found.push_back(begin == end ? zeros(Dims{table.size(1)}, table.dtype())
                                   : max(narrow(rows, 0, begin, end - begin), 0, false).values);
    }
    return stack(found, 0);
  }
  if (weight) rows = mul(rows, unsqueeze(weight, 1));
  const Tensor at = bags.of_index(), used = narrow(rows, 0, 0, at.size(0));
  const Tensor sums = index_add(zeros({bags.count(), table.size(1)}, table.dtype()), 0, at, used, Scalar(int64_t{1}));
  if (mode == BagMode::Sum) return sums;
  return div(sums, unsqueeze(cast(clamp_min(bags.sizes(), Scalar(int64_t{1})), table.dtype()), 1));
}

struct EmbeddingBagVjp {
  static constexpr const char* kName = "EmbeddingBagBackward0";
  BagMode mode;
  Dims shape;  // of the table
  Saved index, bounds, table, weight, largest;
  SavedFields fields() {
    return {{"indices", &index}, {"mode", Scalar(static_cast<int64_t>(mode))}, {"weight", &table}};
  }
  auto saves() { return std::tie(index, bounds, table, weight, largest); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (mode == BagMode::Max) {
      const Tensor none = zeros(shape, g[0].dtype());
      const Tensor rows = largest.unpack(&self), is_empty = lt(rows, Scalar(int64_t{0}));
      out[0] = scatter_add(none, 0, clamp_min(rows, Scalar(int64_t{0})), masked_fill(g[0], is_empty, Scalar(0.0)));
      return;
    }
    const Bags bags{index.unpack(&self), bounds.unpack(&self)};
    const Tensor rows_of = self.needs(1) ? table.unpack(&self) : Tensor();
    const Tensor factors = self.needs(0) && weight.defined() ? weight.unpack(&self) : Tensor();
    const Tensor at = bags.of_index(), used = narrow(bags.index, 0, 0, at.size(0));
    Tensor of_bags = g[0];
    if (mode == BagMode::Mean)
      of_bags = div(of_bags, unsqueeze(cast(clamp_min(bags.sizes(), Scalar(int64_t{1})), g[0].dtype()), 1));
    Tensor rows = index_select(of_bags, 0, at);
    if (self.needs(1)) {
      const Tensor by = sum(mul(index_select(rows_of, 0, used), rows), Dims{1});
      const Tensor behind = zeros({bags.index.size(0) - at.size(0)}, by.dtype());
      const Tensor parts[] = {by, behind};
      out[1] = cat(parts, 0);
    }
    if (!self.needs(0)) return;
    if (factors) rows = mul(rows, unsqueeze(narrow(factors, 0, 0, at.size(0)), 1));
    out[0] = modes.tracking() || any_batched(rows, used)
                 ? index_add(zeros(shape, rows.dtype()), 0, used, rows, Scalar(int64_t{1}))
                 : add_rows(rows, used, shape, -1, false);
  }
};

Tensor bounds_of_rows(const Tensor& index) {
  const int64_t bags = index.size(0), n = index.size(1);
  if (n == 0) return zeros({bags + 1}, DType::Int64);
  return arange(Scalar(int64_t{0}), Scalar(bags * n + 1), Scalar(n), DType::Int64);
}
Tensor bounds_of(const Tensor& index, const Tensor& offsets, bool ends) {
  check(offsets.defined() && offsets.dim() == 1, ErrorKind::Value, "offsets has to be a 1D Tensor");
  const Tensor starts = cast(offsets, DType::Int64);
  check(!ends || starts.size(0) > 0, "include_last_offset: number of offset should be at least 1");
  if (ends) return contiguous(starts);
  const Tensor parts[] = {starts, full({1}, Scalar(index.size(0)), DType::Int64)};
  return starts.size(0) ? cat(parts, 0) : zeros({1}, DType::Int64);
}

}  // namespace

Tensor embedding_bag(const Tensor& table, const Tensor& index, const Tensor& offsets, std::string_view name,
                     const Tensor& weight, bool ends) {
  const BagMode mode = mode_of(name);
  // First: it may run Python code, which gives any of them other data.
  const Tensor factors = weight && weight.dim() == 2 ? reshape(weight, {-1}) : weight;
  check(table.dim() == 2, "'weight' must be 2-D");
  check_ints(index);
  if (offsets) check_ints(offsets);
  check(is_floating(table.dtype()),
        "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, "
        "Double; but got torch.",
        scalar_type_name(table.dtype()), "Tensor instead", kWhile);
  check(index.dim() == 1 || index.dim() == 2, ErrorKind::Value,
        "input has to be 1D or 2D Tensor, but got Tensor of dimension ", index.dim());
  const bool weight_fits = !weight || (weight.shape() == index.shape() && factors.numel() == index.numel());
  check(!weight || (mode == BagMode::Sum && weight_fits), ErrorKind::Value,
        "embedding_bag: per_sample_weights must have the shape of the input, and mode must be sum");
  if (factors && factors.dtype() != table.dtype())
    fail(
        "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
        "'per_sample_weights'; but type torch.",
        scalar_type_name(table.dtype()), "Tensor does not equal torch.", scalar_type_name(factors.dtype()), "Tensor",
        kWhile);
  Bags bags;
  {
    const NoRecordGuard off;
    bags.bounds = index.dim() == 2 ? bounds_of_rows(index) : bounds_of(index, offsets, ends);
    bags.index = contiguous(cast(index.dim() == 2 ? reshape(index, {-1}) : index, DType::Int64));
  }
  if (any_batched(table, bags.index, bags.bounds, factors)) return composed(table, bags, mode, factors);
  Found r;
  {
    const NoRecordGuard off;
    r = by_kernel(table, bags, mode, factors);
  }
  if (factors ? should_record(table, factors) : should_record(table)) {
    EmbeddingBagVjp vjp{mode, table.shape(), Saved(bags.index), Saved(bags.bounds), {}, {}, {}};
    if (factors) vjp.weight = Saved(factors);
    if (factors && should_record(factors)) vjp.table = Saved(table);
    if (r.largest) vjp.largest = Saved(r.largest);
    if (factors)
      record(r.out, {&table, &factors}, std::move(vjp));
    else
      record(r.out, {&table}, std::move(vjp));
  }
  return r.out;
}

}  // namespace gradcore
