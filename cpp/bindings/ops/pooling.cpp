// Pools and other resolutions: of nn.functional, and those that stand under torch itself.
#include "ops/pooling.h"

#include "bindings/ops/register.h"
#include "ops/columns.h"
#include "ops/grid_sample.h"
#include "ops/pad.h"
#include "ops/shuffle.h"
#include "ops/upsample.h"

namespace gradcore {

namespace {

using MaybeDims = std::optional<Dims>;

PoolWindows windows(const Dims& kernel, const MaybeDims& stride, const Dims& padding, const Dims& dilation,
                    bool ceil_mode) {
  return {kernel, stride.value_or(Dims()), padding, dilation, ceil_mode};
}

template <int n>
Tensor max_values(const Tensor& x, const Dims& kernel, const MaybeDims& stride, const Dims& padding,
                  const Dims& dilation, bool ceil_mode) {
  return max_pool(n, x, windows(kernel, stride, padding, dilation, ceil_mode));
}
template <int n>
std::pair<Tensor, Tensor> max_and_indices(const Tensor& x, const Dims& kernel, const MaybeDims& stride,
                                          const Dims& padding, const Dims& dilation, bool ceil_mode) {
  return max_pool_with_indices(n, x, windows(kernel, stride, padding, dilation, ceil_mode));
}
TensorOrTensors either(std::pair<Tensor, Tensor> r, bool indices) {
  if (!indices) return std::move(r.first);
  return std::vector<Tensor>{std::move(r.first), std::move(r.second)};
}
// Whether it shall return the indices may be said to it, too.
template <int n>
std::pair<Tensor, Tensor> max_both(const Tensor& x, const Dims& kernel, const MaybeDims& stride, const Dims& padding,
                                   const Dims& dilation, bool ceil_mode, bool) {
  return max_and_indices<n>(x, kernel, stride, padding, dilation, ceil_mode);
}
template <int n>
TensorOrTensors max_either(const Tensor& x, const Dims& kernel, const MaybeDims& stride, const Dims& padding,
                           const Dims& dilation, bool ceil_mode, bool indices) {
  if (!indices) return max_values<n>(x, kernel, stride, padding, dilation, ceil_mode);
  return either(max_and_indices<n>(x, kernel, stride, padding, dilation, ceil_mode), true);
}

Tensor avg_values1(const Tensor& x, const Dims& kernel, const MaybeDims& stride, const Dims& padding, bool ceil_mode,
                   bool counts_padding) {
  return avg_pool(1, x, windows(kernel, stride, padding, {1}, ceil_mode), counts_padding, {});
}
template <int n>
Tensor avg_values(const Tensor& x, const Dims& kernel, const MaybeDims& stride, const Dims& padding, bool ceil_mode,
                  bool counts_padding, std::optional<int64_t> divisor) {
  return avg_pool(n, x, windows(kernel, stride, padding, {1}, ceil_mode), counts_padding, divisor);
}

template <int n> Tensor adaptive_avg(const Tensor& x, const Dims& out) { return adaptive_avg_pool(n, x, out); }
template <int n> TensorOrTensors adaptive_max(const Tensor& x, const Dims& out, bool indices) {
  return either(adaptive_max_pool(n, x, out), indices);
}
template <int n> Tensor unpool(const Tensor& x, const Tensor& index, const Dims& out) {
  return max_unpool(n, x, index, out);
}

template <int n> Tensor sampler(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool corners) {
  return grid_sampler_over(n, x, grid, mode, padding, corners);
}
#define GC_SAMPLER "(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor"

// torch computes pools over three dims in float32.
constexpr Autocast autocast_of(int dims) { return dims == 3 ? Autocast::Float32 : Autocast::None; }

// The rows of the pools over n dims. `ints` is the type of an argument with a size for each of them.
#define GC_POOLS(n, ints)                                                                                         \
  op("_nn_max_pool" #n "d(Tensor input, " ints " kernel_size, " ints "? stride=None, " ints " padding=0, " ints   \
     " dilation=1, bool ceil_mode=False, bool return_indices=False) -> Tensor | Tensor[]",                        \
     fn<max_either<n>>, {.kind = kFunction, .autocast = autocast_of(n)}),                                         \
      op("max_pool" #n "d(Tensor input, " ints " kernel_size, " ints "? stride=None, " ints " padding=0, " ints   \
         " dilation=1, bool ceil_mode=False) -> Tensor",                                                          \
         fn<max_values<n>>, {.kind = kFunction, .autocast = autocast_of(n)}),                                     \
      op("_nn_max_pool" #n "d_with_indices(Tensor input, " ints " kernel_size, " ints "? stride=None, " ints      \
         " padding=0, " ints " dilation=1, bool ceil_mode=False, bool return_indices=False) -> (Tensor, Tensor)", \
         fn<max_both<n>>, {.kind = kFunction}),                                                                   \
      op("_nn_adaptive_avg_pool" #n "d(Tensor input, " ints " output_size) -> Tensor", fn<adaptive_avg<n>>,       \
         {.kind = kFunction, .autocast = autocast_of(n)}),                                                        \
      op("_nn_adaptive_max_pool" #n "d(Tensor input, " ints                                                       \
         " output_size, bool return_indices=False) -> Tensor | Tensor[]",                                         \
         fn<adaptive_max<n>>, {.kind = kFunction, .autocast = autocast_of(n)}),                                   \
      op("_nn_max_unpool" #n "d(Tensor input, Tensor indices, " ints " output_size) -> Tensor", fn<unpool<n>>,    \
         {.kind = kFunction, .autocast = Autocast::Float32})
#define GC_AVG_POOL(n, ints)                                                                                  \
  op("_nn_avg_pool" #n "d(Tensor input, " ints " kernel_size, " ints "? stride=None, " ints                   \
     " padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None, *, Tensor? " \
     "out=None) -> Tensor",                                                                                   \
     fn<avg_values<n>>,                                                                                       \
     {.kind = kFunction,                                                                                      \
      .out = Out::Exact,                                                                                      \
      .autocast = autocast_of(n),                                                                             \
      .refuses_halves = n == 3 ? "avg_pool3d_out_frame" : nullptr})

constexpr OpRow kRows[] = {
    GC_POOLS(1, "int[1]"),
    GC_POOLS(2, "int[2]"),
    GC_POOLS(3, "int[3]"),
    op("avg_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool "
       "count_include_pad=True) -> Tensor",
       fn<avg_values1>, {.kind = kFunction, .also = "_nn_avg_pool1d"}),
    GC_AVG_POOL(2, "int[2]"),
    GC_AVG_POOL(3, "int[3]"),
    op("max_pool1d_with_indices(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[1] "
       "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
       fn<max_and_indices<1>>, {.kind = kFunction}),
    op("_nn_fractional_max_pool(Tensor input, Tensor samples, int[] kernel_size, int[] output_size) -> (Tensor, "
       "Tensor)",
       fn<fractional_max_pool>, {.kind = kFunction}),
    op("adaptive_avg_pool1d(Tensor input, int[1] output_size) -> Tensor", fn<adaptive_avg<1>>, {.kind = kFunction}),
    op("adaptive_max_pool1d(Tensor input, int[1] output_size) -> (Tensor, Tensor)",
       [](const Tensor& x, const Dims& out) { return adaptive_max_pool(1, x, out); }, {.kind = kFunction}),
    op("_nn_upsample(Tensor input, int[] output_size, str mode, Number[] scale_factors, bool align_corners=False, bool "
       "antialias=False) -> Tensor",
       [](const Tensor& x, const Dims& out, std::string_view mode, const std::vector<Scalar>& factors, bool corners,
          bool smooth) { return upsample(x, out, factors, {mode, corners, smooth}); },
       {.kind = kFunction}),
    op("_nn_pad(Tensor input, int[] pad, str mode='constant', Number? value=None) -> Tensor", fn<pad>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("_nn_unfold(Tensor input, int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] stride=1) -> Tensor",
       fn<unfold_windows>, {.kind = kFunction, .halves = Halves::Native}),
    op("_nn_fold(Tensor input, int[2] output_size, int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] "
       "stride=1) -> Tensor",
       fn<fold_windows>, {.kind = kFunction, .halves = Halves::Native}),
    op("pixel_shuffle(Tensor input, int upscale_factor) -> Tensor", fn<pixel_shuffle>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("pixel_unshuffle(Tensor input, int downscale_factor) -> Tensor", fn<pixel_unshuffle>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("channel_shuffle(Tensor input, int groups) -> Tensor", fn<channel_shuffle>,
       {.kind = kFunction, .also = "native_channel_shuffle", .halves = Halves::Native}),
    op("_nn_one_hot(Tensor input, int num_classes=-1) -> Tensor", fn<one_hot>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("grid_sampler" GC_SAMPLER, fn<grid_sampler>, {.kind = kFunction, .autocast = Autocast::Float32}),
    op("grid_sampler_2d" GC_SAMPLER, fn<sampler<2>>, {.kind = kFunction, .autocast = Autocast::Float32}),
    op("grid_sampler_3d" GC_SAMPLER, fn<sampler<3>>, {.kind = kFunction, .autocast = Autocast::Float32}),
};
#undef GC_SAMPLER
#undef GC_POOLS
#undef GC_AVG_POOL

}  // namespace

void register_pooling() { register_rows(kRows); }

}  // namespace gradcore
