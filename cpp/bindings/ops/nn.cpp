// Functions of nn.functional.
#include "bindings/ops/register.h"
#include "ops/norm.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("_nn_linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", fn<linear>,
       {.kind = kFunction, .halves = Halves::Native, .autocast = Autocast::Lower}),
    op("_nn_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) "
       "-> "
       "Tensor",
       fn<layer_norm>, {.kind = kFunction}),
};

}  // namespace

void register_nn() { register_rows(kRows); }

}  // namespace gradcore
