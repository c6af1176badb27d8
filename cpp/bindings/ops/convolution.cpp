// Convolutions.
#include "ops/convolution.h"

#include "bindings/ops/register.h"

namespace gradcore {

namespace {

template <int dims>
constexpr auto kConv = [](const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                          const Dims& padding, const Dims& dilation, int64_t groups) {
  return conv(dims, input, weight, bias, stride, padding, dilation, groups);
};
template <int dims>
constexpr auto kConvNamed = [](const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                               std::string_view padding, const Dims& dilation, int64_t groups) {
  return conv(dims, input, weight, bias, stride, padding, dilation, groups);
};
template <int dims>
constexpr auto kConvTranspose = [](const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                                   const Dims& padding, const Dims& output_padding, int64_t groups,
                                   const Dims& dilation) {
  return conv_transpose(dims, input, weight, bias, stride, padding, output_padding, groups, dilation);
};

constexpr Forms kLowered{.kind = kFunction, .autocast = Autocast::Lower};

constexpr OpRow kRows[] = {
    op("conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] dilation=1, "
       "int groups=1) -> Tensor",
       kConv<1>, kLowered),
    op("conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, str padding='valid', int[1] "
       "dilation=1, int groups=1) -> Tensor",
       kConvNamed<1>, kLowered),
    op("conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] dilation=1, "
       "int groups=1) -> Tensor",
       kConv<2>, kLowered),
    op("conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, str padding='valid', int[2] "
       "dilation=1, int groups=1) -> Tensor",
       kConvNamed<2>, kLowered),
    op("conv3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, int[3] dilation=1, "
       "int groups=1) -> Tensor",
       kConv<3>, kLowered),
    op("conv3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, str padding='valid', int[3] "
       "dilation=1, int groups=1) -> Tensor",
       kConvNamed<3>, kLowered),
    op("conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] "
       "output_padding=0, int groups=1, int[1] dilation=1) -> Tensor",
       kConvTranspose<1>, kLowered),
    op("conv_transpose2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] "
       "output_padding=0, int groups=1, int[2] dilation=1) -> Tensor",
       kConvTranspose<2>, kLowered),
    op("conv_transpose3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, int[3] "
       "output_padding=0, int groups=1, int[3] dilation=1) -> Tensor",
       kConvTranspose<3>, kLowered),
    op("convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool "
       "transposed, int[] output_padding, int groups) -> Tensor",
       fn<convolution>, {.kind = kFunction}),
};

}  // namespace

void register_convolution() { register_rows(kRows); }

}  // namespace gradcore
