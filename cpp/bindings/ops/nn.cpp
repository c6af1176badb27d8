// Functions of nn.functional.
#include "bindings/ops/register.h"
#include "ops/class_loss.h"
#include "ops/ctc_loss.h"
#include "ops/embedding.h"
#include "ops/margin_loss.h"
#include "ops/norm.h"

namespace gradcore {

namespace {

constexpr OpRow kRows[] = {
    op("_nn_linear(Tensor input, Tensor weight, Tensor? bias=None, *, Tensor? out=None) -> Tensor", fn<linear>,
       {.kind = kFunction, .out = Out::Exact, .halves = Halves::Native}),
    op("_nn_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) "
       "-> "
       "Tensor",
       fn<layer_norm>, {.kind = kFunction}),
    op("_nn_nll_loss(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, Reduction "
       "reduction='mean') -> Tensor",
       fn<nll_loss>, {.kind = kFunction}),
    op("_nn_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, Reduction "
       "reduction='mean', float label_smoothing=0.0) -> Tensor",
       fn<cross_entropy>, {.kind = kFunction}),
    op("_nn_ctc_loss(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank, "
       "Reduction reduction, bool zero_infinity) -> Tensor",
       fn<ctc_loss>, {.kind = kFunction, .halves = Halves::Native}),
    op("_nn_multi_margin(Tensor input, Tensor target, bool squared=False, float margin=1.0, Tensor? weight=None) -> "
       "Tensor",
       fn<multi_margin_loss>, {.kind = kFunction, .halves = Halves::Native}),
    op("_nn_multilabel_margin(Tensor input, Tensor target) -> Tensor", fn<multilabel_margin_loss>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) "
       "-> "
       "Tensor",
       fn<embedding>, {.kind = kFunction}),
    op("_nn_embedding_bag(Tensor weight, Tensor input, Tensor? offsets=None, str mode='mean', Tensor? "
       "per_sample_weights=None, bool include_last_offset=False) -> Tensor",
       fn<embedding_bag>, {.kind = kFunction}),
};

}  // namespace

void register_nn() { register_rows(kRows); }

}  // namespace gradcore
