// Sorting, searching and counting.
#include "ops/order.h"
#include "bindings/ops/register.h"
#include "ops/derived.h"
#include "ops/search.h"
#include "ops/statistics.h"

namespace gradcore {

namespace {

using Str = std::string_view;
using TensorOrTensors = std::variant<Tensor, std::vector<Tensor>>;

template <bool kSkipNans>
constexpr auto quantile_of = [](const Tensor& t, const Operand& q, std::optional<int64_t> dim, bool keepdim, Str how) {
  return quantile(t, q, {dim, keepdim, how, kSkipNans});
};
constexpr auto searched = [](const Tensor& sorted, const Operand& values, bool out_int32, bool right,
                             std::optional<Str> side, const Tensor& sorter) {
  return searchsorted(sorted, values, {out_int32, right, side, sorter});
};
constexpr auto bucketized = [](const Operand& values, const Tensor& boundaries, bool out_int32, bool right) {
  return bucketize(values, boundaries, out_int32, right);
};
// Whether the test elements differ changes nothing here.
constexpr auto is_in = [](const Operand& elements, const Operand& test_elements, bool, bool invert) {
  return isin(elements, test_elements, invert);
};

TensorOrTensors one_or_all(std::vector<Tensor> results) {
  if (results.size() == 1) return std::move(results[0]);
  return results;
}

constexpr OpRow kRows[] = {
    op("sort(Tensor input, *, bool? stable, int dim=-1, bool descending=False, Tensor[]? out=None) -> "
       "(Tensor values, Tensor indices)",
       [](const Tensor& t, std::optional<bool>, int64_t dim, bool descending) {
         return sort(t, dim, descending, true);
       }),
    op("sort(Tensor input, int dim=-1, bool descending=False, *, Tensor[]? out=None) -> "
       "(Tensor values, Tensor indices)",
       [](const Tensor& t, int64_t dim, bool descending) { return sort(t, dim, descending); }),
    op("msort(Tensor input, *, Tensor? out=None) -> Tensor", [](const Tensor& t) { return sort(t, 0, false).values; },
       {.out = Out::Exact}),
    op("argsort(Tensor input, *, bool stable, int dim=-1, bool descending=False, Tensor? out=None) -> Tensor",
       [](const Tensor& t, bool, int64_t dim, bool descending) { return argsort(t, dim, descending); },
       {.out = Out::Exact}),
    op("argsort(Tensor input, int dim=-1, bool descending=False) -> Tensor", fn<argsort>),
    op("topk(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True, *, Tensor[]? out=None) -> "
       "(Tensor values, Tensor indices)",
       [](const Tensor& t, int64_t k, int64_t dim, bool largest, bool) { return topk(t, k, dim, largest); }),
    op("kthvalue(Tensor input, int k, int dim=-1, bool keepdim=False, *, Tensor[]? out=None) -> "
       "(Tensor values, Tensor indices)",
       fn<kthvalue>),
    op("median(Tensor input) -> Tensor", [](const Tensor& t) { return median(t); }),
    op("median(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None) -> (Tensor values, Tensor indices)",
       [](const Tensor& t, int64_t dim, bool keepdim) { return median(t, dim, keepdim); }),
    op("nanmedian(Tensor input) -> Tensor", [](const Tensor& t) { return nanmedian(t); }),
    op("nanmedian(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None) -> "
       "(Tensor values, Tensor indices)",
       [](const Tensor& t, int64_t dim, bool keepdim) { return nanmedian(t, dim, keepdim); }),
    op("mode(Tensor input, int dim=-1, bool keepdim=False, *, Tensor[]? out=None) -> (Tensor values, Tensor indices)",
       fn<mode>),
    op("quantile(Tensor input, Operand q, int? dim=None, bool keepdim=False, *, str interpolation='linear', Tensor? "
       "out=None) -> Tensor",
       quantile_of<false>, {.out = Out::Exact, .halves = Halves::Native, .autocast = Autocast::Float32}),
    op("nanquantile(Tensor input, Operand q, int? dim=None, bool keepdim=False, *, str interpolation='linear', Tensor? "
       "out=None) -> Tensor",
       quantile_of<true>, {.out = Out::Exact, .halves = Halves::Native, .autocast = Autocast::Float32}),
    op("unique(Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False, int? dim=None) -> "
       "Tensor | Tensor[]",
       [](const Tensor& t, bool, bool inverse, bool counts, std::optional<int64_t> dim) {
         return one_or_all(dim ? unique(t, *dim, {inverse, counts}) : unique(t, {inverse, counts}));
       }),
    op("unique_consecutive(Tensor input, bool return_inverse=False, bool return_counts=False, int? dim=None) -> "
       "Tensor | Tensor[]",
       [](const Tensor& t, bool inverse, bool counts, std::optional<int64_t> dim) {
         return one_or_all(unique_consecutive(t, dim, {inverse, counts}));
       }),
    op("searchsorted(Tensor sorted_sequence, Operand input, *, bool out_int32=False, bool right=False, str? side=None, "
       "Tensor? sorter=None, Tensor? out=None) -> Tensor",
       searched, {.kind = kFunction, .out = Out::Exact}),
    op("bucketize(Operand input, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor? out=None) -> "
       "Tensor",
       bucketized, {.kind = kFunction, .out = Out::Exact}),
    op("isin(Tensor elements, Operand test_elements, *, bool assume_unique=False, bool invert=False, Tensor? out=None) "
       "-> Tensor",
       is_in, {.kind = kFunction, .out = Out::Exact}),
    op("isin(Number element, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor? out=None) "
       "-> "
       "Tensor",
       is_in, {.kind = kFunction, .out = Out::Exact}),
    op("bincount(Tensor input, Tensor? weights=None, int minlength=0) -> Tensor", fn<bincount>,
       {.halves = Halves::Native}),
    op("histc(Tensor input, int bins=100, Number min=0, Number max=0, *, Tensor? out=None) -> Tensor", fn<histc>,
       {.out = Out::Exact}),
    op("histogram(Tensor input, Tensor bins, *, Tensor? weight=None, bool density=False, Tensor[]? out=None) -> "
       "(Tensor hist, Tensor bin_edges)",
       [](const Tensor& t, const Tensor& bins, const Tensor& weight, bool density) {
         return histogram(t, bins, {.weight = weight, .density = density});
       }),
    op("histogram(Tensor input, int bins=100, *, Number[] range, Tensor? weight=None, bool density=False, Tensor[]? "
       "out=None) -> (Tensor hist, Tensor bin_edges)",
       [](const Tensor& t, int64_t bins, const std::vector<Scalar>& range, const Tensor& weight, bool density) {
         return histogram(t, bins, {range, weight, density});
       }),
    op("histogram(Tensor input, int bins=100, *, None range=None, Tensor? weight=None, bool density=False, Tensor[]? "
       "out=None) -> (Tensor hist, Tensor bin_edges)",
       [](const Tensor& t, int64_t bins, NoneArg, const Tensor& weight, bool density) {
         return histogram(t, bins, {{}, weight, density});
       },
       {.refuses_halves = "histogramdd"}),
    op("aminmax(Tensor input, *, int? dim=None, bool keepdim=False, Tensor[]? out=None) -> (Tensor min, Tensor max)",
       fn<aminmax>),
    op("argwhere(Tensor input) -> Tensor", fn<argwhere>),
};

}  // namespace

void register_order() { register_rows(kRows); }

}  // namespace gradcore
