#include "ops/shuffle.h"

#include "ops/derived_core.h"
#include "ops/memory_format.h"
#include "ops/ops.h"
#include "tensor/batch.h"
#include "tensor/meta.h"

namespace gradcore {

namespace {

// The dims in front of the last three.
Dims batch_of(const Tensor& x) { return Dims(x.shape().span().first(static_cast<size_t>(x.dim() - 3))); }

Dims followed_by(Dims dims, std::initializer_list<int64_t> more) {
  for (const int64_t n : more) dims.push_back(n);
  return dims;
}
// The first n dims as they are, and behind them n + each of `order`.
Tensor reordered(const Tensor& x, int n, std::initializer_list<int64_t> order) {
  Dims dims;
  for (int i = 0; i < n; ++i) dims.push_back(i);
  for (const int64_t d : order) dims.push_back(n + d);
  return permute(x, dims);
}

// In the memory order of `like`, which is channels last or plain.
Tensor in_order_of(const Tensor& like, const Tensor& found) {
  const MemoryFormat order = suggested_format(like);
  return order == MemoryFormat::Contiguous ? found : contiguous_in(found, order);
}

void check_shuffle(const Tensor& x, int64_t r, const char* function, const char* factor) {
  check(x.dim() >= 3, function, " expects input to have at least 3 dimensions, but got input with ", x.dim(),
        " dimension(s)");
  check(r > 0, function, " expects a positive ", factor, ", but got ", r);
}

}  // namespace

Tensor pixel_shuffle(const Tensor& x, int64_t r) {
  check_shuffle(x, r, "pixel_shuffle", "upscale_factor");
  const int n = x.dim() - 3;
  const int64_t channels = x.size(n), height = x.size(n + 1), width = x.size(n + 2);
  const bool fits = r <= INT32_MAX && channels % (r * r) == 0;
  check(fits,
        "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
        "input.size(-3)=",
        channels, " is not divisible by ", r, " * ", r);
  const Dims batch = batch_of(x);
  const int64_t left = channels / (r * r);
  const Tensor parts = reshape(x, followed_by(batch, {left, r, r, height, width}));
  const Dims shape = followed_by(batch, {left, height * r, width * r});
  return in_order_of(x, reshape(reordered(parts, n, {0, 3, 1, 4, 2}), shape));
}

Tensor pixel_unshuffle(const Tensor& x, int64_t r) {
  check_shuffle(x, r, "pixel_unshuffle", "downscale_factor");
  const int n = x.dim() - 3;
  const int64_t channels = x.size(n), height = x.size(n + 1), width = x.size(n + 2);
  check(height % r == 0,
        "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=", height,
        " is not divisible by ", r);
  check(width % r == 0, "pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=", width,
        " is not divisible by ", r);
  const Dims batch = batch_of(x);
  const Tensor parts = reshape(x, followed_by(batch, {channels, height / r, r, width / r, r}));
  const int64_t grown = checked_numel(Dims{channels, r, r});
  const Dims shape = followed_by(batch, {grown, height / r, width / r});
  return in_order_of(x, reshape(reordered(parts, n, {0, 2, 4, 1, 3}), shape));
}

Tensor channel_shuffle(const Tensor& x, int64_t groups) {
  check(x.dim() >= 3, "channel_shuffle expects input with > 2 dims, but got input with sizes ", x.shape());
  check(groups > 0, "Number of groups to divide channels in must be positive. Value of groups:", groups);
  check(x.size(1) % groups == 0, "Number of channels must be divisible by groups. Got ", x.size(1), " channels and ",
        groups, " groups.");
  const Tensor found = flatten(transpose(unflatten(x, 1, Dims{groups, x.size(1) / groups}), 1, 2), 1, 2);
  return x.dim() == 4 ? in_order_of(x, found) : found;  // as torch: volumes become contiguous
}

Tensor one_hot(const Tensor& classes, int64_t count) {
  check(classes.dtype() == DType::Int64, "one_hot is only applicable to index tensor of type LongTensor.");
  Dims shape = classes.shape();
  shape.push_back(count);
  if (classes.numel() == 0) {
    check(count > 0, "Can not infer total number of classes from empty tensor.");
    return zeros(shape, DType::Int64);
  }
  if (is_meta(classes) && count != -1) return empty(shape, DType::Int64);
  {
    // What is refused is refused under vmap too.
    const NoRecordGuard off;
    const Tensor all = classes->batch ? physical(classes) : classes;
    check(item(min(all)).to_int() >= 0, "Class values must be non-negative.");
    const int64_t most = item(max(all)).to_int();
    if (count == -1)
      shape[classes.dim()] = count = (classes->batch ? item(max(classes)).to_int() : most) + 1;
    else
      check(count >= 1, "num_classes should be positive");
    check(most < count, "Class values must be smaller than num_classes.");
  }
  if (classes->batch)
    return cast(eq(unsqueeze(classes, -1), arange(Scalar(int64_t{0}), Scalar(count), Scalar(int64_t{1}), DType::Int64)),
                DType::Int64);
  const Tensor out = zeros(shape, DType::Int64);
  scatter_(out, -1, unsqueeze(classes, -1), Scalar(int64_t{1}));
  return out.as_new();
}

}  // namespace gradcore
