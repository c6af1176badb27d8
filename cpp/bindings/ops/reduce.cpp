// Reductions.
#include "ops/reduce.h"
#include "bindings/ops/register.h"
#include "ops/derived.h"

namespace gradcore {

namespace {

// torch's two ways to say by how much less than n a variance divides.
double correction_of(const std::optional<Scalar>& correction) { return correction ? correction->to_double() : 1; }
double correction_of(bool unbiased) { return unbiased ? 1 : 0; }

template <auto f>
constexpr auto unbiased_of_all =
    [](const Tensor& t, bool unbiased) { return f(t, {}, correction_of(unbiased), false); };
template <auto f>
constexpr auto corrected = [](const Tensor& t, const MaybeDims& dim, const std::optional<Scalar>& correction,
                              bool keepdim) { return f(t, dim, correction_of(correction), keepdim); };
template <auto f>
constexpr auto unbiased = [](const Tensor& t, const MaybeDims& dim, bool unbiased_, bool keepdim) {
  return f(t, dim, correction_of(unbiased_), keepdim);
};

constexpr OpRow kRows[] = {
    op("sum(Tensor input, *, dtype? dtype=None) -> Tensor",
       [](const Tensor& t, MaybeDType dtype) { return sum(t, {}, false, dtype); }, {.out = Out::Accumulates}),
    op("sum(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None) -> Tensor", fn<sum>,
       {.out = Out::Accumulates}),
    op("nansum(Tensor input, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None) -> Tensor",
       fn<nansum>, {.out = Out::Accumulates}),
    op("nanmean(Tensor input, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None) -> Tensor",
       fn<nanmean>),
    op("mean(Tensor input, *, dtype? dtype=None, Tensor? out=None) -> Tensor",
       [](const Tensor& t, MaybeDType dtype) { return mean(t, {}, false, dtype); }),
    op("mean(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None) -> Tensor",
       fn<mean>),
    op("prod(Tensor input, *, dtype? dtype=None) -> Tensor",
       [](const Tensor& t, MaybeDType dtype) { return prod(t, {}, false, dtype); },
       {.out = Out::Accumulates, .autocast = Autocast::Float32}),
    op("prod(Tensor input, int dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None) -> Tensor",
       [](const Tensor& t, int64_t dim, bool keepdim, MaybeDType dtype) { return prod(t, dim, keepdim, dtype); },
       {.out = Out::Accumulates, .autocast = Autocast::Float32}),
    op("var(Tensor input, bool unbiased) -> Tensor", unbiased_of_all<var>),
    op("var(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False, Tensor? out=None) -> "
       "Tensor",
       corrected<var>),
    op("var(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor? out=None) -> Tensor",
       unbiased<var>),
    op("std(Tensor input, bool unbiased) -> Tensor", unbiased_of_all<std>),
    op("std(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False, Tensor? out=None) -> "
       "Tensor",
       corrected<std>),
    op("std(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor? out=None) -> Tensor",
       unbiased<std>),
    op("var_mean(Tensor input, bool unbiased) -> (Tensor, Tensor)", unbiased_of_all<var_mean>, {.kind = kFunction}),
    op("var_mean(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False) -> (Tensor, Tensor)",
       corrected<var_mean>, {.kind = kFunction}),
    op("var_mean(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
       unbiased<var_mean>, {.kind = kFunction}),
    op("std_mean(Tensor input, bool unbiased) -> (Tensor, Tensor)", unbiased_of_all<std_mean>, {.kind = kFunction}),
    op("std_mean(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False) -> (Tensor, Tensor)",
       corrected<std_mean>, {.kind = kFunction}),
    op("std_mean(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
       unbiased<std_mean>, {.kind = kFunction}),
    op("max(Tensor input, *, Tensor? out=None) -> Tensor", [](const Tensor& t) { return max(t); }),
    op("max(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None) -> (Tensor values, Tensor indices)",
       [](const Tensor& t, int64_t dim, bool keepdim) { return max(t, dim, keepdim); }),
    op("min(Tensor input, *, Tensor? out=None) -> Tensor", [](const Tensor& t) { return min(t); }),
    op("min(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None) -> (Tensor values, Tensor indices)",
       [](const Tensor& t, int64_t dim, bool keepdim) { return min(t, dim, keepdim); }),
    op("amax(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<amax>,
       {.out = Out::Exact}),
    op("amin(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<amin>,
       {.out = Out::Exact}),
    op("argmax(Tensor input, int? dim=None, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<argmax>,
       {.out = Out::Exact}),
    op("argmin(Tensor input, int? dim=None, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<argmin>,
       {.out = Out::Exact}),
    op("any(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<any>,
       {.out = Out::Truth}),
    op("all(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<all>,
       {.out = Out::Truth}),
    op("norm(Tensor input, float p, int[1]? dim=None, bool keepdim=False, dtype? dtype=None, Tensor? out=None) -> "
       "Tensor",
       [](const Tensor& t, double p, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
         return norm(t, p, dim, keepdim, dtype);
       },
       {.out = Out::Exact}),
    op("norm(Tensor input, str? p='fro', int[1]? dim=None, bool keepdim=False, dtype? dtype=None, Tensor? out=None) -> "
       "Tensor",
       [](const Tensor& t, std::optional<std::string_view> p, const MaybeDims& dim, bool keepdim, MaybeDType dtype) {
         return norm(t, p.value_or("fro"), dim, keepdim, dtype);
       },
       {.out = Out::Exact}),
    op("frobenius_norm(Tensor input, int[1] dim, bool keepdim=False, *, Tensor? out=None) -> Tensor",
       [](const Tensor& t, const Dims& dim, bool keepdim) { return norm(t, 2.0, dim, keepdim, {}); },
       {.kind = kFunction}),
    op("nuclear_norm(Tensor input, bool keepdim=False, *, Tensor? out=None) -> Tensor",
       [](const Tensor& t, bool keepdim) { return norm(t, "nuc", Dims{-2, -1}, keepdim, {}); }, {.kind = kFunction}),
    op("nuclear_norm(Tensor input, int[2] dim, bool keepdim=False, *, Tensor? out=None) -> Tensor",
       [](const Tensor& t, const Dims& dim, bool keepdim) { return norm(t, "nuc", dim, keepdim, {}); },
       {.kind = kFunction}),
    op("norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor", fn<norm_except_dim>, {.kind = kFunction}),
    op("hash_tensor(Tensor input, int[1]? dim=None, *, bool keepdim=False, int mode=0, Tensor? out=None) -> Tensor",
       fn<hash_tensor>, {.out = Out::Exact}),
    op("logsumexp(Tensor input, int[1] dim, bool keepdim=False, *, Tensor? out=None) -> Tensor", fn<logsumexp>),
    op("count_nonzero(Tensor input, int[1]? dim=None) -> Tensor", fn<count_nonzero>),
};

}  // namespace

void register_reduce() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
