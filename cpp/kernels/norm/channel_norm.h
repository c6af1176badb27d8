// Normalisations by channel, over the batch or over groups of channels of each sample, as baseline code sees them.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace gradcore {

// x is dense: [samples, channels, places], or [samples * places, channels] where it is `channels_last`. Mean and scale
// (1 / sqrt(var + eps)) belong to a channel where `groups` is 0, else to a group of channels of a sample. weight and
// bias, of the channels, may be null.
struct ChannelNormSizes {
  int64_t samples, channels, places, groups;
  bool channels_last;  // only without groups

  int64_t runs() const { return samples * channels; }
  int64_t statistics() const { return groups ? samples * groups : channels; }
};
struct ChannelNormArgs {
  const void *x, *weight, *bias;
  void *out, *mean, *scale;
  void* var;  // gets the variance over one element less than there are; may be null
  ChannelNormSizes sizes;
  double eps;
  bool given;  // mean and scale are read, not computed
};
// dweight and dbias may be null, and dx too. Where mean and scale were given, no gradient goes through them.
struct ChannelNormBackwardArgs {
  const void *g, *x, *weight, *mean, *scale;
  void *dx, *dweight, *dbias;
  ChannelNormSizes sizes;
  bool given;
};

struct ChannelNormKernels {
  FloatRow<void (*)(const ChannelNormArgs&)> forward;
  FloatRow<void (*)(const ChannelNormBackwardArgs&)> backward;
};

#ifdef GC_ISA
namespace GC_ISA {
extern const ChannelNormKernels channel_norm_kernels;
}
#endif

}  // namespace gradcore
