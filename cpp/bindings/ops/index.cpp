// Reading and writing at places that tensors give.
#include "bindings/ops/register.h"
#include "ops/derived.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("index_select(Tensor input, int dim, Tensor index, *, Tensor? out=None) -> Tensor", fn<index_select>,
       {.out = Out::Exact}),
    op("gather(Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None) -> Tensor",
       [](const Tensor& t, int64_t dim, const Tensor& index, bool) { return gather(t, dim, index); },
       {.out = Out::Exact}),
    op("scatter(Tensor input, int dim, Tensor index, Operand src, *, Tensor? out=None) -> Tensor", fn<scatter>,
       {.out = Out::Exact}),
    op("scatter(Tensor input, int dim, Tensor index, Number value, *, Tensor? out=None) -> Tensor", fn<scatter>,
       {.out = Out::Exact}),
    op("scatter_(Tensor input, int dim, Tensor index, Operand src) -> Tensor", fn<scatter_>, {.kind = kMethod}),
    op("scatter_(Tensor input, int dim, Tensor index, Number value) -> Tensor", fn<scatter_>, {.kind = kMethod}),
    op("scatter_add(Tensor input, int dim, Tensor index, Tensor src, *, Tensor? out=None) -> Tensor", fn<scatter_add>,
       {.out = Out::Exact}),
    op("scatter_add_(Tensor input, int dim, Tensor index, Tensor src) -> Tensor", fn<scatter_add_>, {.kind = kMethod}),
    op("index_add(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1, Tensor? out=None) -> Tensor",
       fn<index_add>, {.out = Out::Exact}),
    op("index_add_(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1) -> Tensor", fn<index_add_>,
       {.kind = kMethod}),
    op("index_copy(Tensor input, int dim, Tensor index, Tensor source, *, Tensor? out=None) -> Tensor", fn<index_copy>,
       {.out = Out::Exact}),
    op("index_copy_(Tensor input, int dim, Tensor index, Tensor source) -> Tensor", fn<index_copy_>, {.kind = kMethod}),
    op("index_fill(Tensor input, int dim, Tensor index, Operand value) -> Tensor", fn<index_fill>),
    op("index_fill_(Tensor input, int dim, Tensor index, Operand value) -> Tensor", fn<index_fill_>, {.kind = kMethod}),
    op("index_put(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor", fn<index_put>),
    op("index_put_(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor", fn<index_put_>),
    op("masked_select(Tensor input, Tensor mask, *, Tensor? out=None) -> Tensor", fn<masked_select>,
       {.out = Out::Exact}),
    op("nonzero(Tensor input, *, bool as_tuple=False, Tensor? out=None) -> Tensor | Tensor[]",
       [](const Tensor& t, bool as_tuple) { return nonzero(t, as_tuple); }, {.out = Out::Exact}),
};

}  // namespace

void register_index() { register_rows(kRows); }

}  // namespace gradcore
