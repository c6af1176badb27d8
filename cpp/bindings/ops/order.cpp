// Sorting, and elements chosen by their rank.
#include "ops/order.h"
#include "bindings/ops/register.h"

namespace gradcore {

namespace {

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
};

}  // namespace

void register_order() { register_rows(kRows); }

}  // namespace gradcore
