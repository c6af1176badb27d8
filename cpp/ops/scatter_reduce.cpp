#include "ops/scatter_reduce.h"
#include "ops/derived_core.h"

#include <algorithm>
#include <limits>

#include "ops/indexing.h"

namespace gradcore {

namespace {

// ---- reduce=: how two numbers become one

enum class Join : uint8_t { Sum, Prod, Mean, Max, Min };

struct NamedJoin {
  std::string_view name;
  Join join;
  Scatter how;
};
constexpr NamedJoin kJoins[] = {{"sum", Join::Sum, Scatter::Add},
                                {"prod", Join::Prod, Scatter::Multiply},
                                {"mean", Join::Mean, Scatter::Add},
                                {"amax", Join::Max, Scatter::Max},
                                {"amin", Join::Min, Scatter::Min}};

const NamedJoin& join_named(std::string_view name) {
  for (const NamedJoin& join : kJoins)
    if (join.name == name) return join;
  fail("reduce argument must be either sum, prod, mean, amax or amin, got ", name);
}
const NamedJoin& join_named_for_index(std::string_view name) {
  for (const NamedJoin& join : kJoins)
    if (join.name == name && join.join != Join::Sum) return join;
  fail("index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ", name, ".");
}

// What a place starts with where its own number takes no part.
Scalar neutral(Join join, DType dtype) {
  if (join == Join::Prod) return Scalar(1);
  if (join != Join::Max && join != Join::Min) return Scalar(0);
  const bool largest = join == Join::Min;
  return visit_dtype(dtype, [&](auto tag) -> Scalar {
    using Limits = std::numeric_limits<typename decltype(tag)::type>;
    if constexpr (Limits::is_iec559)
      return largest ? Limits::infinity() : -Limits::infinity();
    else
      return static_cast<int64_t>(largest ? Limits::max() : Limits::min());
  });
}

// ---- computing

// How many numbers meet in each place.
Tensor counts(const Tensor& t, int dim, const Tensor& index, bool include_self) {
  const Tensor start = full_like(t, include_self ? 1 : 0, t.dtype());
  return scatter_add(start, dim, index, ones(index.shape(), t.dtype()));
}

// Writes to `t`, which is new; without history.
void reduce_into(const Tensor& t, int dim, const Tensor& index, const Tensor& src, const NamedJoin& by,
                 bool include_self) {
  const NoRecordGuard off;
  if (by.join == Join::Mean && t.dtype() == DType::Bool)
    fail(ErrorKind::NotImplemented, "\"scatter_gather_tensor_cpu_reduce_mean\" not implemented for 'Bool'");
  // Into places that nothing is scattered to the neutral number would be written as well: only the indexed ones.
  if (!include_self) scatter_to(t, Target::New, dim, index, {}, neutral(by.join, t.dtype()), Scatter::Assign);
  scatter_to(t, Target::New, dim, index, src, {}, by.how);
  if (by.join != Join::Mean) return;
  const Tensor n = clamp_min(counts(t, dim, index, include_self), Scalar(1));
  copy_raw(t, is_floating(t.dtype()) ? div(t, n) : div_floor(t, n));
}

// ---- the node

// The source as far as it is indexed: it may be larger than the index.
Tensor part_for(const Tensor& src, const Tensor& index) {
  Tensor part = src;
  for (int d = 0; d < std::min(src.dim(), index.dim()); ++d)
    if (index.size(d) < part.size(d)) part = narrow(part, d, 0, index.size(d));
  return part;
}

struct ScatterReduceVjp {
  const char* node;
  Join join;
  std::string_view reduce;
  int dim;
  bool include_self;
  Dims source_shape;
  Saved t, index, src, result;
  const char* name() const { return node; }
  SavedFields fields() { return {{"dim", dim}, {"index", &index}, {"self", &t}, {"src", &src}, {"result", &result}}; }
  auto saves() { return std::tie(t, index, src, result); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor at = index.unpack(&self);
    const Gradients r = gradients(self, g[0], at);
    if (self.needs(0)) out[0] = include_self ? r.of_self : scatter(r.of_self, dim, at, Operand(Scalar(0)));
    if (self.needs(1)) out[1] = padded_source(r.of_source, at, source_shape);
  }

 private:
  struct Gradients {
    Tensor of_self, of_source;  // as if `t` took part
  };
  Gradients gradients(Node& self, const Tensor& g, const Tensor& at) {
    if (join == Join::Sum) return {g, gather(g, dim, at)};
    if (join == Join::Mean) {
      const Tensor shared = div(g, clamp_min(counts(zeros_like(g), dim, at, include_self), Scalar(1)));
      return {shared, gather(shared, dim, at)};
    }
    const Tensor x = t.unpack(&self), s = part_for(src.unpack(&self), at), y = result.unpack(&self);
    return join == Join::Prod ? of_product(g, x, at, s) : of_extreme(g, x, at, s, y);
  }
  // The gradient goes to all numbers that are the extreme one, in equal parts.
  Gradients of_extreme(const Tensor& g, const Tensor& x, const Tensor& at, const Tensor& s, const Tensor& y) const {
    const Tensor self_is = include_self ? cast(eq(x, y), g.dtype()) : zeros_like(g);
    const Tensor source_is = cast(eq(s, gather(y, dim, at)), g.dtype());
    const Tensor part = div(g, clamp_min(scatter_add(self_is, dim, at, source_is), Scalar(1)));
    return {include_self ? mul(self_is, part) : g, mul(source_is, gather(part, dim, at))};
  }
  // The product of the others: the whole product over the number itself, or anew without it where it is 0.
  Gradients of_product(const Tensor& g, const Tensor& x, const Tensor& at, const Tensor& s) const {
    const Tensor self_zero = eq(x, Scalar(0)), source_zero = eq(s, Scalar(0));
    const auto product = [&](const Tensor& own, const Tensor& others) {
      return scatter_reduce(own, dim, at, others, "prod", include_self);
    };
    const Tensor own = masked_fill(x, self_zero, Scalar(1));
    const Tensor of_self = div(mul(g, product(own, s)), own);
    // A lone 0 among the sources gets the product of the rest. Of two and more each gets nothing.
    const Tensor zeros_there = gather(scatter_add(zeros_like(g), dim, at, cast(source_zero, g.dtype())), dim, at);
    const Tensor lone = logical_and(source_zero, eq(zeros_there, Scalar(1)));
    const Tensor rest = gather(mul(g, product(x, masked_fill(s, lone, Scalar(1)))), dim, at);
    const Tensor plain = div(gather(mul(g, product(x, s)), dim, at), masked_fill(s, source_zero, Scalar(1)));
    return {of_self, where(lone, rest, plain)};
  }
};

Tensor reduced(const Tensor& t, int d, const Tensor& index, const Tensor& src, const NamedJoin& by, bool include_self,
               const char* node) {
  Tensor out;
  {
    const NoRecordGuard off;
    const Levels levels = levels_of({&t, &index, &src});
    out = levels.none() ? clone(t, true) : widened_copy(t, levels);
    reduce_into(out, d, index, src, by, include_self);
    out.as_new();
  }
  if (is_floating(t.dtype()) && should_record(t, src))
    record(out, {&t, &src},
           ScatterReduceVjp{node, by.join, by.name, d, include_self, src.shape(), Saved(t), Saved(index), Saved(src),
                            Saved::output(out)});
  return out;
}

const char* name_of_scatter(std::string_view reduce) {
  if (reduce == "add") return "sum";
  check(reduce == "multiply", "reduce argument must be either add or multiply.");
  return "prod";
}

void check_index_reduce(const Tensor& t, int d, const Tensor& index, const Tensor& source) {
  check(index.dim() <= 1, ErrorKind::Index,
        "index_reduce_(): Index is supposed to be a vector, but got dim: ", index.dim());
  check(is_index_dtype(index),
        "index_reduce_(): Expected dtype int32/int64 for index but got: ", scalar_type_name(index.dtype()));
  check(source.dtype() == t.dtype(), "index_reduce_(): self (", scalar_type_name(t.dtype()), ") and source (",
        scalar_type_name(source.dtype()), ") must have the same scalar type");
  check(source.dim() == t.dim(), "index_reduce_(): Source/destination tensor must have same slice shapes");
  check(index.numel() == size_along(source, d), "index_reduce_(): Number of indices (", index.numel(),
        ") should be equal to source.size(dim): (", size_along(source, d), "), for dim: ", d);
  for (int i = 0; i < t.dim(); ++i)
    check(i == d || source.size(i) == t.size(i),
          "index_reduce_(): Source/destination tensor must have same slice "
          "shapes. Destination slice shape: ",
          t.shape(), " at dimension ", d, " and source slice shape: ", source.shape(), " at dimension 0.");
  if (any_batched(index) || index.numel() == 0) return;
  const NoRecordGuard off;
  const Tensor ends[] = {amin(index, {}, false), amax(index, {}, false)};
  check(item(ends[0]).to_int() >= 0 && item(ends[1]).to_int() < size_along(t, d), ErrorKind::Index,
        "index out of range in self");
}

}  // namespace

Tensor scatter(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src, std::string_view reduce) {
  const char* name = name_of_scatter(reduce);
  if (src.is_tensor()) return scatter_reduce(t, dim, index, *src.tensor, name, true);
  check_fits(src.scalar, t.dtype());
  return scatter_reduce(t, dim, index, full(index.shape(), src.scalar, t.dtype()), name, true);
}
void scatter_(const Tensor& t, int64_t dim, const Tensor& index, const Operand& src, std::string_view reduce) {
  copy_(t, scatter(clone(t), dim, index, src, reduce));
}

Tensor scatter_reduce(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                      bool include_self) {
  return reduced(t, wrap_dim(dim, t.dim()), index, src, join_named(reduce), include_self, "ScatterReduceBackward0");
}
void scatter_reduce_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                     bool include_self) {
  copy_(t, scatter_reduce(clone(t), dim, index, src, reduce, include_self));
}

Tensor index_reduce(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                    bool include_self) {
  const NamedJoin& by = join_named_for_index(reduce);
  const int d = wrap_dim(dim, t.dim());
  check_index_reduce(t, d, index, source);
  Dims along(std::max(t.dim(), 1), 1);
  along[d] = index.numel();
  if (t.dim() == 0) along = Dims();
  return reduced(t, d, expand(view(contiguous(index), along), source.shape()), source, by, include_self,
                 "IndexReduceBackward0");
}
void index_reduce_(const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                   bool include_self) {
  copy_(t, index_reduce(clone(t), dim, index, source, reduce, include_self));
}

}  // namespace gradcore
