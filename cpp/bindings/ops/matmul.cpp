// Products of matrices and vectors.
#include "bindings/ops/register.h"
#include "ops/matmul_add.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("matmul(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<matmul>, {.out = Out::Exact}),
    op("mm(Tensor input, Tensor mat2, *, Tensor? out=None) -> Tensor", fn<mm>, {.out = Out::Exact}),
    op("bmm(Tensor input, Tensor mat2, *, Tensor? out=None) -> Tensor", fn<bmm>, {.out = Out::Exact}),
    op("mv(Tensor input, Tensor vec, *, Tensor? out=None) -> Tensor", fn<mv>, {.out = Out::Exact}),
    op("dot(Tensor input, Tensor tensor, *, Tensor? out=None) -> Tensor", fn<dot>, {.out = Out::Exact}),
    op("outer(Tensor input, Tensor vec2, *, Tensor? out=None) -> Tensor", fn<outer>, {.also = "ger"}),
    op("addmm(Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1, Tensor? out=None) -> Tensor",
       fn<addmm>, {.out = Out::Exact}),
    // Its kin stand in products.cpp.
    op("addmm_(Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1) -> Tensor", fn<addmm_>,
       {.kind = kMethod}),
};

}  // namespace

void register_matmul() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
