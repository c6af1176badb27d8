// Normalisations by channel: over the batch, over groups of channels of each sample, over each channel of each sample.
// Start at batch_norm() and group_norm().
#include "kernels/norm/channel_norm.h"

#include <algorithm>
#include <limits>

#include "ops/derived_core.h"
#include "ops/norm.h"
#include "ops/normalised.h"
#include "ops/reach.h"
#include "ops/record.h"
#include "ops/tap_sum.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// ---- shapes

Dims all_but_channel(const Tensor& t) {
  Dims dims;
  for (int i = 0; i < t.dim(); ++i)
    if (i != 1) dims.push_back(i);
  return dims;
}
// Of a vector, one element for each channel of x.
Tensor by_channel(const Tensor& t, const Tensor& x) {
  Dims shape(x.dim() - 1, 1);
  shape[0] = -1;
  return reshape(t, shape);
}
Tensor in_groups(const Tensor& x, int64_t groups) { return reshape(x, Dims{x.size(0), groups, -1}); }

ChannelNormSizes sizes_of(const Tensor& x, int64_t groups, bool channels_last) {
  int64_t places = 1;
  for (int i = 2; i < x.dim(); ++i) places *= x.size(i);
  // A batch of vectors is rows of channels.
  return {x.size(0), x.size(1), places, groups, channels_last || (places == 1 && groups == 0)};
}

// x in an order that the kernels know.
Planes ordered(const Tensor& x, int64_t groups) { return Planes(x, x.dim() - 2, groups == 0); }
Tensor in_order_of(const Planes& x, const Tensor& t) { return x.channels_last ? in_channels_last(t) : contiguous(t); }

// ---- by kernel

struct Statistics {
  Tensor mean, scale, var;
};

Tensor launch_forward(const Planes& x, const Tensor& weight, const Tensor& bias, const Statistics& s, int64_t groups,
                      double eps, bool given) {
  const Tensor &dense = x.dense, out = x.with_sizes({}, dense.dtype());
  const Tensor w = weight ? contiguous(weight) : Tensor(), b = bias ? contiguous(bias) : Tensor();
  Access windows[7] = {reads(dense), writes(out), {s.mean.window(), !given}, {s.scale.window(), !given}};
  size_t count = 4;
  for (const Tensor* t : {&w, &b})
    if (*t) windows[count++] = reads(*t);
  if (s.var) windows[count++] = writes(s.var);
  launch_host("channel_norm", std::span<const Access>(windows, count), [&](const Opener& open) {
    ChannelNormArgs a{open(dense),
                      w ? open(w) : nullptr,
                      b ? open(b) : nullptr,
                      open(out),
                      open(s.mean),
                      open(s.scale),
                      s.var ? open(s.var) : nullptr,
                      sizes_of(dense, groups, x.channels_last),
                      eps,
                      given};
    kernels().channel_norm.forward[dense.dtype()](a);
  });
  return out;
}

struct ChannelNormVjp {
  const char* node;
  Saved x, weight, mean, scale;
  Dims of_bias;  // its shape
  int64_t groups;
  double eps;
  bool given;
  const char* name() const { return node; }
  SavedFields fields() {
    SavedFields f{{"input", &x}, {"weight", &weight}, {"eps", Scalar(eps)}};
    if (!given) f.insert(f.end(), {{"result1", &mean}, {"result2", &scale}});
    if (groups)
      f.push_back({"group", Scalar(groups)});
    else
      f.push_back({"training", Scalar(!given)});
    return f;
  }
  auto saves() { return std::tie(x, weight, mean, scale); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), w = weight.defined() ? weight.unpack(&self) : Tensor(),
                 m = mean.unpack(&self), s = scale.unpack(&self);
    check_saved_weight(w, Dims{input.size(1)});
    if (modes.tracking() || any_batched(g[0], input, w))
      by_ops(self, g[0], input, w, {m, s, {}}, out);
    else
      by_kernel(self, g[0], input, w, {m, s, {}}, out);
  }

  void by_ops(Node& self, const Tensor& g, const Tensor& input, const Tensor& w, const Statistics& s,
              std::span<Tensor> out) const {
    const Tensor p = w ? mul(g, by_channel(w, input)) : g;
    Tensor h, dx;
    if (given) {
      const Tensor by = by_channel(s.scale, input);
      h = mul(sub(input, by_channel(s.mean, input)), by);
      dx = mul(p, by);
    } else {
      const bool grouped = groups != 0;
      const Dims dims = grouped ? Dims{2} : all_but_channel(input);
      const Tensor q = grouped ? in_groups(p, groups) : p;
      const Normalised n(grouped ? in_groups(input, groups) : input, dims, eps);
      const auto mean_of = [&](const Tensor& t) { return gradcore::mean(t, dims, true); };
      h = reshape(n.value, input.shape());
      dx = reshape(mul(sub(sub(q, mean_of(q)), mul(n.value, mean_of(mul(q, n.value)))), n.scale), input.shape());
    }
    if (self.needs(0)) out[0] = dx;
    if (self.needs(1)) out[1] = reshape(sum(mul(g, h), all_but_channel(input)), w.shape());
    if (self.needs(2)) out[2] = reshape(sum(with_graph_of(h, g), all_but_channel(input)), of_bias);
  }
  void by_kernel(Node& self, const Tensor& g, const Tensor& input, const Tensor& w, const Statistics& s,
                 std::span<Tensor> out) const {
    const Planes x = ordered(input, groups);
    const Tensor u = in_order_of(x, g), dense = w ? contiguous(w) : Tensor(), mean = contiguous(s.mean),
                 scale = contiguous(s.scale);
    const auto made = [&](int i, const Dims& shape) { return self.needs(i) ? empty(shape, input.dtype()) : Tensor(); };
    const Tensor dx = self.needs(0) ? x.with_sizes({}, input.dtype()) : Tensor();
    const Tensor dw = made(1, w ? w.shape() : Dims()), db = made(2, of_bias);
    Access windows[8] = {reads(u), reads(x.dense), reads(mean), reads(scale)};
    size_t count = 4;
    if (dense) windows[count++] = reads(dense);
    for (const Tensor* t : {&dx, &dw, &db})
      if (*t) windows[count++] = writes(*t);
    launch_host("channel_norm_backward", std::span<const Access>(windows, count), [&](const Opener& open) {
      const auto maybe = [&](const Tensor& t) { return t ? open(t) : nullptr; };
      kernels().channel_norm.backward[input.dtype()](
          ChannelNormBackwardArgs{open(u), open(x.dense), maybe(dense), open(mean), open(scale), maybe(dx), maybe(dw),
                                  maybe(db), sizes_of(input, groups, x.channels_last), given});
    });
    out[0] = dx, out[1] = dw, out[2] = db;
  }
};

// ---- by ops: for batches, and where there is nothing to compute

// (x - mean) / sqrt(var + eps) * weight + bias, with all but x as they broadcast.
Tensor composed(const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& weight, const Tensor& bias,
                double eps) {
  Tensor out = mul(sub(x, mean), rsqrt(add(var, Scalar(eps))));
  if (weight) out = mul(out, by_channel(weight, x));
  return bias ? add(out, by_channel(bias, x)) : out;
}

void move_towards(const RunningStatistics& running, const Tensor& mean, const Tensor& var, double momentum) {
  if (!running.mean) return;
  for (int64_t level : levels_of({&mean, &var}).ids)
    check(levels_of({&running.mean}).find(level) >= 0 && levels_of({&running.var}).find(level) >= 0,
          "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in "
          "place, were not batched.\nIf you are using a module and do not need eval mode, please set "
          "`track_running_stats` to be False.");
  const NoRecordGuard off;
  lerp_(running.mean, reshape(mean, running.mean.shape()), Scalar(momentum));
  lerp_(running.var, reshape(var, running.var.shape()), Scalar(momentum));
}

std::array<Tensor, 3> composed_batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight,
                                          const Tensor& bias, bool training, double momentum, double eps) {
  if (!training) {
    const Tensor none = empty(Dims{0}, x.dtype());
    return {composed(x, by_channel(running.mean, x), by_channel(running.var, x), weight, bias, eps), none, none};
  }
  const auto [var, mean] = var_mean(x, all_but_channel(x), 0, true);
  const double n = static_cast<double>(x.numel() / x.size(1));
  move_towards(running, mean, mul(var, Scalar(n / (n - 1))), momentum);
  const Tensor out = composed(x, mean, var, weight, bias, eps);
  const NoRecordGuard off;
  return {out, clone(reshape(mean, {-1})), reshape(rsqrt(add(var, Scalar(eps))), {-1})};
}

// ---- arguments

void check_channels(const char* name, const Tensor& t, int64_t count) {
  check(!t || t.numel() == count, name, " should contain ", count, " elements not ", t ? t.numel() : 0);
}
void check_dtypes(const Tensor& x, std::initializer_list<const Tensor*> others) {
  for (const Tensor* t : others)
    check(!*t || t->dtype() == x.dtype(), x.dtype() == DType::Float64
                                              ? "mixed dtype (CPU): all inputs must share same datatype."
                                              : "mixed dtype (CPU): expect parameter to have scalar type of Float");
}
void check_float(const Tensor& x, const char* kernel) {
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"", kernel, "\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
}

void check_batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                      bool training) {
  check(x.dim() > 1, ErrorKind::Index, "Dimension out of range (expected to be in range of [", -std::max(x.dim(), 1),
        ", ", std::max(x.dim(), 1) - 1, "], but got 1)");
  const int64_t channels = x.size(1);
  if (training) {
    check(channels == 0 || x.numel() / channels != 1, ErrorKind::Value,
          "Expected more than 1 value per channel when training, got input size torch.Size(", x.shape(), ")");
    check(running.mean.defined() == running.var.defined(), ErrorKind::Value,
          "running_mean and running_var must either both be None or neither be None");
  } else {
    check(running.mean.defined(), "running_mean must be defined in evaluation mode");
    check(running.var.defined(), "running_var must be defined in evaluation mode");
  }
  check_channels("running_mean", running.mean, channels);
  check_channels("running_var", running.var, channels);
  check_channels("weight", weight, channels);
  check_channels("bias", bias, channels);
  check_float(x, "batch_norm");
  for (const auto& [name, t] : {std::pair("running_mean", &running.mean), {"running_var", &running.var}})
    check(!*t || !modes.grad || !requires_grad(*t),
          "The function 'native_batch_norm' is not differentiable with respect to "
          "argument '",
          name, "'. This input cannot have requires_grad True.");
  check(!modes.forward || !(may_have_tangent(running.mean) || may_have_tangent(running.var)),
        "batch_norm is not differentiable wrt running_mean and running_var, they cannot have forward grad defined");
  check_dtypes(x, {&weight, &bias, &running.mean, &running.var});
}

void check_group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias) {
  check(x.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", x.dim());
  const int64_t channels = x.size(1);
  check(groups > 0, "Expected num groups to be greater than 0, got ", groups);
  check(channels % groups == 0,
        "Expected number of channels in input to be divisible by num_groups, but got input of shape ", x.shape(),
        " and num_groups=", groups);
  for (const auto& [name, t] : {std::pair("weight", &weight), {"bias", &bias}})
    check(!*t || (t->dim() == 1 && t->numel() == channels), "Expected ", name,
          " to be a vector of size equal to the number of channels in input, but got ", name, " of shape ",
          *t ? t->shape() : Dims(), " and input of shape ", x.shape());
  check_float(x, "GroupNormKernelImpl");
  check_dtypes(x, {&weight, &bias});
}

struct Call {
  const char* node;
  int64_t groups;  // of channels of each sample; 0: the whole batch is one
  double momentum, eps;
  bool keeps_channels_last = true;
};
std::array<Tensor, 3> computed(const Tensor& x, const Tensor& weight, const Tensor& bias, const Statistics& given,
                               const RunningStatistics& running, const Call& call) {
  const auto& [node, groups, momentum, eps, keeps_channels_last] = call;
  Statistics s = given;
  Tensor out;
  {
    const NoRecordGuard off;
    const Planes planes = ordered(x, groups);
    if (!given.mean) {
      const Dims shape = groups ? Dims{x.size(0), groups} : Dims{x.size(1)};
      s = {empty(shape, x.dtype()), empty(shape, x.dtype()), running.mean ? empty(shape, x.dtype()) : Tensor()};
    }
    out = launch_forward(planes, weight, bias, s, groups, eps, given.mean.defined());
    if (groups && keeps_channels_last && is_channels_last(x, x.dim() - 2)) {
      const Tensor other = Planes(x, x.dim() - 2).with_sizes({}, x.dtype());
      copy_raw(other, out);
      out = other;
    }
  }
  if (s.var)
    move_towards(running, groups ? mean(s.mean, Dims{0}) : s.mean, groups ? mean(s.var, Dims{0}) : s.var, momentum);
  const Dims of_bias = bias ? bias.shape() : Dims();  // before hooks that pack may give it another
  if (should_record(x, weight, bias))
    record(out, {&x, &weight, &bias},
           ChannelNormVjp{node, Saved(x), weight ? Saved(weight) : Saved(), Saved(s.mean), Saved(s.scale), of_bias,
                          groups, eps, given.mean.defined()});
  return {out, s.mean, s.scale};
}

}  // namespace

std::array<Tensor, 3> native_batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight,
                                        const Tensor& bias, bool training, double momentum, double eps) {
  if (is_half_beside_float(x, {&weight, &bias, &running.mean, &running.var})) {
    auto r = native_batch_norm(cast(x, DType::Float32), running, weight, bias, training, momentum, eps);
    r[0] = cast(r[0], x.dtype());
    return r;
  }
  check_batch_norm(x, running, weight, bias, training);
  if (any_batched(x, weight, bias, running.mean, running.var) || x.numel() == 0) {
    if (x.numel() != 0) return composed_batch_norm(x, running, weight, bias, training, momentum, eps);
    const Tensor none = empty(Dims{0}, x.dtype()), zero = zeros(Dims{x.size(1)}, x.dtype());
    return {composed(x, by_channel(zero, x), by_channel(zero, x), weight, bias, 1), none, none};
  }
  Statistics given;
  if (!training) {
    const NoRecordGuard off;
    given = {contiguous(running.mean), rsqrt(add(contiguous(running.var), Scalar(eps))), {}};
  }
  auto r = computed(x, weight, bias, given, training ? running : RunningStatistics{},
                    {"NativeBatchNormBackward0", 0, momentum, eps});
  if (!training) r[1] = r[2] = empty(Dims{0}, x.dtype());
  return r;
}

Tensor batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                  bool training, double momentum, double eps) {
  return native_batch_norm(x, running, weight, bias, training, momentum, eps)[0];
}

namespace {

Tensor composed_group_norm(const Tensor& x, const RunningStatistics& running, int64_t groups, const Tensor& weight,
                           const Tensor& bias, double momentum, double eps) {
  const Tensor grouped = x.numel() ? in_groups(x, groups) : x;
  if (x.numel() == 0) {
    const Tensor zero = zeros(Dims{x.size(1)}, x.dtype());
    const Tensor none = full(zero.shape(), Scalar(std::numeric_limits<double>::quiet_NaN()), x.dtype());
    move_towards(running, none, none, momentum);  // the mean of no samples
    return composed(x, by_channel(zero, x), by_channel(zero, x), weight, bias, 1);
  }
  const Normalised n(grouped, {2}, eps);
  if (running.mean) {
    const double m = static_cast<double>(grouped.size(2));
    const auto [var, mean] = var_mean(grouped, Dims{2}, 0, false);
    move_towards(running, gradcore::mean(mean, Dims{0}), mul(gradcore::mean(var, Dims{0}), Scalar(m / (m - 1))),
                 momentum);
  }
  Tensor out = reshape(n.value, x.shape());
  if (weight) out = mul(out, by_channel(weight, x));
  return bias ? add(out, by_channel(bias, x)) : out;
}

}  // namespace

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  if (is_half_beside_float(x, {&weight, &bias}))
    return cast(group_norm(cast(x, DType::Float32), groups, weight, bias, eps), x.dtype());
  check_group_norm(x, groups, weight, bias);
  if (any_batched(x, weight, bias) || x.numel() == 0) return composed_group_norm(x, {}, groups, weight, bias, 0, eps);
  return computed(x, weight, bias, {}, {}, {"NativeGroupNormBackward0", groups, 0, eps})[0];
}

std::array<Tensor, 3> native_group_norm(const Tensor& x, const std::array<int64_t, 3>& sizes, int64_t groups,
                                        const Tensor& weight, const Tensor& bias, double eps) {
  const Dims shape{sizes[0], sizes[1], sizes[2]};
  for (const int64_t size : shape) check(size >= 0, "native_group_norm: sizes cannot be negative, got ", shape);
  check(checked_numel(shape) == x.numel(),
        "native_group_norm: N * C * HxW must be the number of elements, but N=", sizes[0], ", C=", sizes[1],
        ", HxW=", sizes[2], " and input has shape ", x.shape());
  const Tensor samples = reshape(x, shape);
  const Tensor out = reshape(group_norm(samples, groups, weight, bias, eps), x.shape());
  const Tensor grouped = reshape(samples, Dims{sizes[0], groups, sizes[1] / groups * sizes[2]});
  const auto [var, mean] = var_mean(grouped, Dims{2}, 0, false);
  return {out, mean, rsqrt(add(var, Scalar(eps)))};
}

Tensor instance_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                     bool use_input, double momentum, double eps) {
  if (use_input) {
    int64_t places = 1;
    for (int i = 2; i < x.dim(); ++i) places *= x.size(i);
    check(places != 1, ErrorKind::Value,
          "Expected more than 1 spatial element when training, got input size torch.Size(", x.shape(), ")");
  } else {
    check(running.mean && running.var,
          "Expected running_mean and running_var to be defined when use_input_stats is false");
  }
  const int64_t samples = x.size(0), channels = x.size(1);
  for (const auto& [name, t] :
       {std::pair("running_mean", &running.mean), {"running_var", &running.var}, {"weight", &weight}, {"bias", &bias}})
    check(!*t || t->numel() == channels, name, " should contain ", samples * channels, " elements not ",
          *t ? samples * t->numel() : 0);
  check_float(x, "batch_norm");
  if (is_half_beside_float(x, {&weight, &bias, &running.mean, &running.var}))
    return cast(instance_norm(cast(x, DType::Float32), running, weight, bias, use_input, momentum, eps), x.dtype());
  check_dtypes(x, {&weight, &bias, &running.mean, &running.var});
  if (!use_input) return batch_norm(x, running, weight, bias, false, momentum, eps);
  const RunningStatistics moved = running.mean && running.var ? running : RunningStatistics{};
  if (any_batched(x, weight, bias, running.mean, running.var) || x.numel() == 0)
    return composed_group_norm(x, moved, channels, weight, bias, momentum, eps);
  return computed(x, weight, bias, {}, moved, {"NativeBatchNormBackward0", channels, momentum, eps, false})[0];
}

}  // namespace gradcore
