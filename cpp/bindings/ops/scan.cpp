// Ops that go along a dim and keep the shape: softmax, cumulative sums, products and extremes.
#include "ops/scan.h"
#include "bindings/ops/register.h"
#include "ops/derived.h"
#include "ops/recurrence.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("softmax(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None) -> Tensor", fn<softmax>,
       {.out = Out::Exact}),
    op("log_softmax(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None) -> Tensor", fn<log_softmax>,
       {.out = Out::Exact}),
    op("cumsum(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None) -> Tensor", fn<cumsum>,
       {.out = Out::Accumulates}),
    op("cumsum_(Tensor input, int dim, *, dtype? dtype=None) -> Tensor", fn<cumsum_>, {.kind = kMethod}),
    op("cumprod(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None) -> Tensor", fn<cumprod>,
       {.out = Out::Accumulates}),
    op("cumprod_(Tensor input, int dim, *, dtype? dtype=None) -> Tensor", fn<cumprod_>, {.kind = kMethod}),
    op("logcumsumexp(Tensor input, int dim, *, Tensor? out=None) -> Tensor", fn<logcumsumexp>,
       {.out = Out::Exact, .halves = Halves::AsFloats}),
    op("cummax(Tensor input, int dim, *, Tensor[]? out=None) -> (Tensor values, Tensor indices)", fn<cummax>),
    op("cummin(Tensor input, int dim, *, Tensor[]? out=None) -> (Tensor values, Tensor indices)", fn<cummin>),
};

}  // namespace

void register_scan() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
