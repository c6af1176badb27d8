// Normalisations: torch's own functions, and those of nn.functional, which take their arguments in another order.
#include "ops/norm.h"
#include "bindings/ops/register.h"

namespace gradcore {

namespace {

Tensor batch_norm_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& var,
                     bool training, double momentum, double eps, bool) {
  return batch_norm(x, {mean, var}, weight, bias, training, momentum, eps);
}
Tensor nn_batch_norm(const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& weight, const Tensor& bias,
                     bool training, double momentum, double eps) {
  check(!training || eps > 0, ErrorKind::Value, "batch_norm eps must be positive during training, but got ", eps);
  check(eps >= 0, ErrorKind::Value, "batch_norm eps must be non-negative, but got ", eps);
  return batch_norm(x, {mean, var}, weight, bias, training, momentum, eps);
}
std::vector<Tensor> as_list(std::array<Tensor, 3> three) {
  return {std::move(three[0]), std::move(three[1]), std::move(three[2])};
}
std::vector<Tensor> native(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                           const Tensor& var, bool training, double momentum, double eps) {
  return as_list(native_batch_norm(x, {mean, var}, weight, bias, training, momentum, eps));
}
Tensor instance_norm_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                        const Tensor& var, bool use_input, double momentum, double eps, bool) {
  return instance_norm(x, {mean, var}, weight, bias, use_input, momentum, eps);
}
Tensor nn_instance_norm(const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& weight,
                        const Tensor& bias, bool use_input, double momentum, double eps) {
  return instance_norm(x, {mean, var}, weight, bias, use_input, momentum, eps);
}
Tensor group_norm_of(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps, bool) {
  return group_norm(x, groups, weight, bias, eps);
}
Tensor nn_group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  if (groups > 0 && x.dim() >= 2 && x.size(1) && x.numel() / x.size(1) * (x.size(1) / groups) == 1)
    fail(ErrorKind::Value, "Expected more than 1 value per channel when training, got input size ", x.shape());
  return group_norm(x, groups, weight, bias, eps);
}

constexpr OpRow kRows[] = {
    op("native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> Tensor[]",
       [](const Tensor& x, const Dims& shape, const Tensor& weight, const Tensor& bias, double eps) {
         return as_list(native_layer_norm(x, shape, weight, bias, eps));
       },
       {.kind = kFunction}),
    op("native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps) -> "
       "Tensor[]",
       [](const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t n, int64_t c, int64_t places,
          int64_t groups,
          double eps) { return as_list(native_group_norm(x, {n, c, places}, groups, weight, bias, eps)); },
       {.kind = kFunction}),
    op("rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor", fn<rms_norm>,
       {.kind = kFunction, .also = "_nn_rms_norm"}),
    op("batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
       "training, "
       "float momentum, float eps, bool cudnn_enabled) -> Tensor",
       fn<batch_norm_of>, {.kind = kFunction}),
    op("native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
       "training, float momentum, float eps) -> Tensor[]",
       fn<native>, {.kind = kFunction}),
    op("_nn_batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? "
       "bias=None, "
       "bool training=False, float momentum=0.1, float eps=1e-05) -> Tensor",
       fn<nn_batch_norm>, {.kind = kFunction}),
    op("instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
       "use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
       fn<instance_norm_of>, {.kind = kFunction}),
    op("_nn_instance_norm(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? weight=None, "
       "Tensor? "
       "bias=None, bool use_input_stats=True, float momentum=0.1, float eps=1e-05) -> Tensor",
       fn<nn_instance_norm>, {.kind = kFunction}),
    op("group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool "
       "cudnn_enabled=True) -> Tensor",
       fn<group_norm_of>, {.kind = kFunction}),
    op("_nn_group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> "
       "Tensor",
       fn<nn_group_norm>, {.kind = kFunction}),
};

}  // namespace

void register_norm() { register_rows(kRows); }

}  // namespace gradcore
