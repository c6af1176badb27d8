// Attention.
#include "ops/attention.h"

#include "bindings/ops/register.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("_nn_scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
       "dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
       fn<attention>, {.kind = kFunction, .autocast = Autocast::Lower}),
};

}  // namespace

void register_attention() { register_rows(kRows); }

}  // namespace gradcore
