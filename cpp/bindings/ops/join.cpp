// Joining, repeating and turning round.
#include "bindings/ops/register.h"
#include "ops/derived.h"
#include "ops/pad.h"
#include "ops/rearrange.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("cat(Tensor[] tensors, int dim=0, *, Tensor? out=None) -> Tensor", fn<cat>,
       {.kind = kFunction, .also = "concat concatenate", .out = Out::Joins, .autocast = Autocast::Widest}),
    op("stack(Tensor[] tensors, int dim=0, *, Tensor? out=None) -> Tensor", fn<stack>,
       {.kind = kFunction, .out = Out::Joins, .autocast = Autocast::Widest}),
    op("hstack(Tensor[] tensors, *, Tensor? out=None) -> Tensor", fn<hstack>, {.kind = kFunction, .out = Out::Joins}),
    op("vstack(Tensor[] tensors, *, Tensor? out=None) -> Tensor", fn<vstack>,
       {.kind = kFunction, .also = "row_stack", .out = Out::Joins}),
    op("dstack(Tensor[] tensors, *, Tensor? out=None) -> Tensor", fn<dstack>, {.kind = kFunction, .out = Out::Joins}),
    op("column_stack(Tensor[] tensors, *, Tensor? out=None) -> Tensor", fn<column_stack>,
       {.kind = kFunction, .out = Out::Joins}),
    op("constant_pad_nd(Tensor input, int[] pad, Number value=0) -> Tensor", fn<constant_pad_nd>, {.kind = kFunction}),
    op("flip(Tensor input, int[] dims) -> Tensor", fn<flip>),
    op("roll(Tensor input, int[1] shifts, int[1]? dims=None) -> Tensor",
       [](const Tensor& t, const Dims& shifts, const MaybeDims& dims) {
         return roll(t, shifts, dims.value_or(Dims()));
       }),
    op("repeat(Tensor input, int[] repeats) -> Tensor", fn<repeat>, {.kind = kMethod}),
    op("tile(Tensor input, int[] dims) -> Tensor", fn<tile>),
};

}  // namespace

void register_join() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
