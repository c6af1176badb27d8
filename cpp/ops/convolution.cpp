// Convolutions and transposed ones. Start at convolution().
//
// Note [Convolutions are trilinear]
// The sum of Note [One sum, three kernels] in kernels/conv/conv.h is linear in each of x, w and y. A convolution makes
// y from x and w, a transposed one makes x from y and w: convolved() is both, and the gradient of one with respect to
// its input is the other. What makes w from x and y has those two for gradients. So every derivative of any order is
// one of the three kernels.
#include "ops/convolution.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "kernels/conv/conv.h"
#include "kernels/table.h"
#include "ops/batching.h"
#include "ops/memory_format.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

static std::atomic<bool> winograd{true};
bool winograd_enabled() { return winograd.load(std::memory_order_relaxed); }
void enable_winograd(bool on) { winograd.store(on, std::memory_order_relaxed); }

namespace {

// What a convolution does besides its tensors, for each dim of places.
struct Geometry {
  Dims stride, padding, dilation, output_padding;
  bool transposed;
  int64_t groups;
  int64_t no_bias =
      -1;  // elements that viewers of graphs see where there is none: 0 of conv1d and its like, as in torch

  int dims() const { return stride.size(); }
  Geometry reversed() const {
    Geometry g = *this;
    g.transposed = !transposed;
    g.output_padding = Dims(dims());
    g.no_bias = -1;
    return g;
  }
  Geometry with_groups(int64_t more) const {
    Geometry g = *this;
    g.groups *= more;
    return g;
  }
};

Dims places_of(const Tensor& t) { return Dims(t.shape().span().subspan(2)); }

Tensor empty_in_format(const Dims& shape, DType dtype, bool channels_last) {
  const MemoryFormat last = shape.size() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d;
  return empty_in({}, shape, dtype, channels_last ? last : MemoryFormat::Contiguous);
}

// ---- the kernels

constexpr int64_t kMostSize = int64_t{1} << 32, kMostNumber = int64_t{1} << 30;  // so that no sum of products overflows
constexpr int64_t kMostElements = int64_t{1} << 48;

// What the kernels rely on. A tensor that was saved may come back as another.
void check_agreement(const Tensor& x, const Tensor& w, const Tensor& y, const Geometry& g) {
  const int dim = g.dims() + 2;
  bool agree = x.dim() == dim && w.dim() == dim && y.dim() == dim && x.dtype() == w.dtype() && y.dtype() == w.dtype();
  agree = agree && x.size(0) == y.size(0) && w.size(0) % g.groups == 0 && x.size(1) == w.size(1) * g.groups &&
          y.size(1) == w.size(0);
  check(agree, "convolution: tensors of sizes ", x.shape(), ", ", w.shape(), " and ", y.shape(),
        " do not fit together");
  // The copies that kernels make, of x with its padding and of the weights, can be counted.
  Dims all{512, w.size(0) + x.size(1)};
  for (int i = 0; i < g.dims(); ++i) {
    for (const Tensor* t : {&x, &w, &y})
      check(t->size(i + 2) < kMostSize, ErrorKind::NotImplemented,
            "convolution of tensors with sizes of 2**32 and more is not there");
    all.push_back(x.size(i + 2) + 2 * g.padding[i] + g.dilation[i] * w.size(i + 2));
  }
  checked_numel(all);
  for (const Tensor* t : {&x, &w, &y})
    check(t->numel() < kMostElements, ErrorKind::NotImplemented,
          "convolution of tensors with 2**48 elements and more is not there");
}

// Arguments of tensors that are all there, but that the one to be written may be x, w or y.
ConvArgs arguments(const Tensor& x, const Tensor& w, const Tensor& y, const Geometry& geometry) {
  check_agreement(x, w, y, geometry);
  ConvArgs a{};
  a.exact = !winograd_enabled();
  a.n = x.size(0), a.groups = geometry.groups;
  a.c = w.size(1), a.o = w.size(0) / geometry.groups;
  a.x_n = x.stride(0), a.x_c = x.stride(1), a.y_n = y.stride(0), a.y_c = y.stride(1);
  a.w_o = w.stride(0), a.w_c = w.stride(1);
  const int missing = 3 - geometry.dims();
  for (int i = 0; i < 3; ++i) {
    const int at = i - missing, dim = at + 2;
    if (at < 0)
      a.axis[i] = {1, 1, 1, 1, 0, 1, 0, 0, 0};
    else
      a.axis[i] = {x.size(dim),           y.size(dim),   w.size(dim),   geometry.stride[at], geometry.padding[at],
                   geometry.dilation[at], x.stride(dim), y.stride(dim), w.stride(dim)};
  }
  return a;
}

// One of the three, which nothing is known of yet: the kernel writes it.
Tensor filled(const char* name, ConvFn kernel, const Tensor& x, const Tensor& w, const Tensor& y, const Tensor& out,
              const Tensor& bias, const Geometry& geometry) {
  Kernel<ConvArgs> k(name, kernel, arguments(x, w, y, geometry));
  const auto point = [&](void* ConvArgs::* argument, const Tensor& t) {
    if (t.is_same(out))
      k.writes(argument, t.window());
    else
      k.reads(argument, t.window());
  };
  point(&ConvArgs::x, x);
  point(&ConvArgs::w, w);
  point(&ConvArgs::y, y);
  if (bias) k.reads(&ConvArgs::bias, bias.window());
  launch(k.may_raise());
  return out;
}

// For tensors without batch dims. `sizes`: of the places of the result.
Tensor convolved_raw(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& geometry,
                     const Dims& sizes) {
  Dims shape{input.size(0), geometry.transposed ? weight.size(1) * geometry.groups : weight.size(0)};
  for (const int64_t size : sizes) shape.push_back(size);
  const DType dtype = input.dtype();
  const Tensor out = empty_in_format(shape, dtype, has_channels_last_order(input) || has_channels_last_order(weight));
  const Tensor b = bias ? contiguous(bias) : bias;
  const ConvKernels& table = kernels().conv;
  if (geometry.transposed) return filled("conv_transpose", table.data[dtype], out, weight, input, out, b, geometry);
  return filled("conv", table.forward[dtype], input, weight, out, out, b, geometry);
}

// `kernel`: sizes of the places of the weights.
Tensor weight_gradient_raw(const Tensor& x, const Tensor& y, const Geometry& geometry, const Dims& kernel,
                           bool channels_last) {
  Dims shape{y.size(1), x.size(1) / geometry.groups};
  for (const int64_t size : kernel) shape.push_back(size);
  const Tensor out = empty_in_format(shape, x.dtype(), channels_last);
  return filled("conv_weight_gradient", kernels().conv.weight[x.dtype()], x, out, y, out, Tensor(), geometry);
}

// ---- batch dims

int64_t product(std::span<const int64_t> sizes) { return numel_of(sizes); }

// (*batch, N, C, ...) -> (batch * N, C, ...)
Tensor joined_to_samples(const Tensor& t, int batch) {
  Dims shape{product(t.shape().span().first(static_cast<size_t>(batch) + 1))};
  for (int i = batch + 1; i < t.dim(); ++i) shape.push_back(t.size(i));
  return reshape(t, shape);
}
// (*batch, N, C, ...) -> (N, batch * C, ...); without N where `dim` is 0: (*batch, C, ...) -> (batch * C, ...)
Tensor joined_to_channels(const Tensor& t, int batch, int dim) {
  Dims order, shape;
  if (dim) order.push_back(batch);
  for (int i = 0; i < batch; ++i) order.push_back(i);
  for (int i = batch + dim; i < t.dim(); ++i) order.push_back(i);
  if (dim) shape.push_back(t.size(batch));
  shape.push_back(product(t.shape().span().first(static_cast<size_t>(batch))) * t.size(batch + dim));
  for (int i = batch + dim + 1; i < t.dim(); ++i) shape.push_back(t.size(i));
  return reshape(permute(t, order), shape);
}
// The reverse of both: dim `at` becomes the sizes of `levels` and what is left, and those dims go to the front.
Tensor split_to_front(const Tensor& t, const Levels& levels, int at) {
  Dims shape, order;
  for (int i = 0; i < at; ++i) shape.push_back(t.size(i));
  for (const int64_t size : levels.sizes) shape.push_back(size);
  shape.push_back(t.size(at) / product(levels.sizes));
  for (int i = at + 1; i < t.dim(); ++i) shape.push_back(t.size(i));
  for (int i = 0; i < levels.count(); ++i) order.push_back(at + i);
  for (int i = 0; i < shape.size(); ++i)
    if (i < at || i >= at + levels.count()) order.push_back(i);
  return permute(reshape(t, shape), order);
}

// Samples of a batch are samples where they share the weights, else groups of channels.
Tensor convolved_batched(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& geometry,
                         const Dims& sizes) {
  const Levels levels = levels_of({&input, &weight, &bias});
  const int64_t many = product(levels.sizes);
  if (many == 0) {
    Dims shape{input.size(0), geometry.transposed ? weight.size(1) * geometry.groups : weight.size(0)};
    for (const int64_t size : sizes) shape.push_back(size);
    return empty_batched(levels, shape, input.dtype());
  }
  const Tensor x = physical(input, levels);
  if (!any_batched(weight, bias)) {
    const Tensor out = convolved_raw(joined_to_samples(x, levels.count()), weight, bias, geometry, sizes);
    return hide(split_to_front(out, levels, 0), levels);
  }
  const Tensor w = joined_to_channels(physical(weight, levels), levels.count(), 0);
  const Tensor b = bias ? joined_to_channels(physical(bias, levels), levels.count(), 0) : Tensor();
  const Tensor out = convolved_raw(joined_to_channels(x, levels.count(), 1), w, b, geometry.with_groups(many), sizes);
  return hide(split_to_front(out, levels, 1), levels);
}

Tensor weight_gradient_batched(const Tensor& x, const Tensor& y, const Geometry& geometry, const Dims& kernel) {
  const Levels levels = levels_of({&x, &y});
  const int64_t many = product(levels.sizes);
  if (many == 0) {
    Dims shape{y.size(1), x.size(1) / geometry.groups};
    for (const int64_t size : kernel) shape.push_back(size);
    return empty_batched(levels, shape, x.dtype());
  }
  const int n = levels.count();
  const Tensor out =
      weight_gradient_raw(joined_to_channels(physical(x, levels), n, 1), joined_to_channels(physical(y, levels), n, 1),
                          geometry.with_groups(many), kernel, false);
  return hide(split_to_front(out, levels, 0), levels);
}

// ---- what records: see Note [Convolutions are trilinear]

Tensor convolved(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& geometry,
                 const Dims& sizes);

// What the gradients of a convolution are made of. Input and weight are there where the other's gradient is wanted;
// `places` and `kernel` are their sizes.
struct Operands {
  Tensor input, weight;
  Dims places, kernel;
  bool channels_last;
};
// Which of the gradients of input, weight and bias are wanted.
using Wanted = std::array<bool, 3>;

std::array<Tensor, 3> gradients(const Tensor& g, const Operands& of, const Geometry& geometry, Wanted wanted);

struct ConvolutionVjp {
  static constexpr const char* kName = "ConvolutionBackward0";
  Saved input, weight;
  Geometry geometry;
  Dims places, kernel;
  int64_t bias;  // elements, -1 for none
  bool channels_last;
  SavedFields fields() {
    SavedField of_bias{"bias_sym_sizes_opt", std::monostate()};
    if (bias >= 0) of_bias.value = Dims{bias};
    return {of_bias,
            {"dilation", geometry.dilation},
            {"groups", Scalar(geometry.groups)},
            {"input", &input},
            {"output_padding", geometry.output_padding},
            {"padding", geometry.padding},
            {"stride", geometry.stride},
            {"transposed", Scalar(geometry.transposed)},
            {"weight", &weight}};
  }
  auto saves() { return std::tie(input, weight); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Wanted wanted{self.needs(0), self.needs(1), self.needs(2)};
    const Operands of{input.unpack(&self), weight.unpack(&self), places, kernel, channels_last};
    std::ranges::move(gradients(g[0], of, geometry, wanted), out.begin());
  }
};

// The gradients as one op, whose outputs are those that are wanted.
struct ConvolutionBackwardVjp {
  static constexpr const char* kName = "ConvolutionBackwardBackward0";
  Saved g, input, weight;
  Geometry geometry;
  Dims places, kernel, g_places;
  Wanted made;
  int64_t samples;
  SavedFields fields() {
    return {{"dilation", geometry.dilation},
            {"grad_output", &g},
            {"groups", Scalar(geometry.groups)},
            {"input", &input},
            {"output_padding", geometry.output_padding},
            {"padding", geometry.padding},
            {"stride", geometry.stride},
            {"transposed", Scalar(geometry.transposed)},
            {"weight", &weight}};
  }
  auto saves() { return std::tie(g, input, weight); }

  void vjp(Node& self, std::span<Tensor> outer, std::span<Tensor> out) {
    const auto unpacked = [&](const Saved& s) { return s.defined() ? s.unpack(&self) : Tensor(); };
    const Tensor dy = unpacked(g), x = unpacked(input), w = unpacked(weight);
    size_t at = 0;
    const auto next = [&](int i) { return made[static_cast<size_t>(i)] ? outer[at++] : Tensor(); };
    const Tensor of_x = next(0), of_w = next(1), of_b = next(2);
    if (self.needs(0)) out[0] = of_output(of_x, of_w, of_b, x, w);
    if (self.needs(1) && of_w) out[1] = convolved(dy, of_w, Tensor(), geometry.reversed(), places);
    if (self.needs(2) && of_x)
      out[2] = gradients(dy, {of_x, Tensor(), places, kernel, false}, geometry, {false, true, false})[1];
  }
  Tensor of_output(const Tensor& of_x, const Tensor& of_w, const Tensor& of_b, const Tensor& x, const Tensor& w) const {
    Tensor sum;
    const auto more = [&](const Tensor& t) { sum = sum ? add(sum, t) : t; };
    if (of_x) more(convolved(of_x, w, Tensor(), geometry, g_places));
    if (of_w) more(convolved(x, of_w, Tensor(), geometry, g_places));
    if (!of_b) return sum;
    Dims shape{1, of_b.size(0)};
    for (int i = 0; i < geometry.dims(); ++i) shape.push_back(1);
    const Tensor row = reshape(of_b, shape);
    if (sum) return add(sum, row);
    for (int i = 0; i < geometry.dims(); ++i) shape[i + 2] = g_places[i];
    shape[0] = samples;
    return expand(row, shape);
  }
};

Tensor convolved_unrecorded(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& geometry,
                            const Dims& sizes) {
  const NoRecordGuard off;
  return any_batched(input, weight, bias) ? convolved_batched(input, weight, bias, geometry, sizes)
                                          : convolved_raw(input, weight, bias, geometry, sizes);
}

Tensor weight_gradient(const Tensor& g, const Operands& of, const Geometry& geometry) {
  const Tensor &x = geometry.transposed ? g : of.input, &y = geometry.transposed ? of.input : g;
  return any_batched(x, y) ? weight_gradient_batched(x, y, geometry, of.kernel)
                           : weight_gradient_raw(x, y, geometry, of.kernel, of.channels_last);
}

Tensor sum_over_places(const Tensor& g) {
  Dims dims{0};
  for (int i = 2; i < g.dim(); ++i) dims.push_back(i);
  return sum(g, dims);
}

Tensor convolved(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& geometry,
                 const Dims& sizes) {
  const Tensor out = convolved_unrecorded(input, weight, bias, geometry, sizes);
  if (!should_record(input, weight, bias)) return out;
  ConvolutionVjp vjp{{},   {}, geometry, places_of(input), places_of(weight), bias ? bias.numel() : geometry.no_bias,
                     false};
  vjp.channels_last =
      !any_batched(input, weight) && (has_channels_last_order(input) || has_channels_last_order(weight));
  vjp.input = Saved(input), vjp.weight = Saved(weight);  // last: it may run Python code
  record(out, {&input, &weight, &bias}, std::move(vjp));
  return out;
}

std::array<Tensor, 3> gradients(const Tensor& g, const Operands& of, const Geometry& geometry, Wanted wanted) {
  std::array<Tensor, 3> out;
  {
    const NoRecordGuard off;
    if (wanted[0]) out[0] = convolved_unrecorded(g, of.weight, Tensor(), geometry.reversed(), of.places);
    if (wanted[1]) out[1] = weight_gradient(g, of, geometry);
    if (wanted[2]) out[2] = sum_over_places(g);
  }
  if (!should_record(g, of.input, of.weight)) return out;
  std::vector<Tensor> made;
  for (const Tensor& t : out)
    if (t) made.push_back(t);
  ConvolutionBackwardVjp vjp{{}, {}, {}, geometry, of.places, of.kernel, places_of(g), wanted, g.size(0)};
  vjp.g = Saved(g);
  if (of.input) vjp.input = Saved(of.input);
  if (of.weight) vjp.weight = Saved(of.weight);
  record_outputs(made, make_node({&g, &of.input, &of.weight}, std::move(vjp), static_cast<uint32_t>(made.size())));
  return out;
}

// ---- arguments

Dims for_each_dim(const char* name, const Dims& given, int dims) {
  if (given.size() == dims) return given;
  if (given.size() == 1) return Dims(dims, given[0]);
  fail("expected ", name, " to be a single integer value or a list of ", dims,
       " values to match the convolution dimensions, but got ", name, "=", given);
}

void check_numbers(const char* complaint, const Dims& numbers, int64_t least) {
  for (const int64_t n : numbers) {
    check(n >= least, complaint, " is not supported");
    check(n < kMostNumber, ErrorKind::NotImplemented,
          "strides, paddings and dilations of 2**30 and more are not supported");
  }
}

std::string places_text(const Dims& places) {
  std::string text;
  for (const int64_t n : places) text += str_cat(text.empty() ? "" : " x ", n);
  return text;
}

void check_geometry(const Geometry& g) {
  check(g.groups > 0, "non-positive groups is not supported");
  check_numbers("negative padding", g.padding, 0);
  check_numbers("negative output_padding", g.output_padding, 0);
  check_numbers("non-positive stride", g.stride, 1);
  check_numbers("non-positive dilation", g.dilation, 1);
}

void check_weight(const Tensor& weight, const Geometry& g) {
  check(weight.size(0) >= g.groups, "Given groups=", g.groups, ", expected weight to be at least ", g.groups,
        " at dimension 0, but got weight of size ", weight.shape(), " instead");
  // Two pairs of brackets, as in torch.
  check(weight.size(0) % g.groups == 0, "Given groups=", g.groups, ", expected weight to be divisible by ", g.groups,
        " at dimension 0, but got weight of size [", weight.shape(), "] instead");
  for (const int64_t size : places_of(weight))
    check(size > 0, "kernel size should be greater than zero, but got ", weight.shape());
}

void check_channels(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& g) {
  const std::string given = g.transposed ? "transposed=1" : str_cat("groups=", g.groups);
  const int64_t expected = g.transposed ? weight.size(0) : weight.size(1) * g.groups;
  check(input.size(1) == expected, "Given ", given, ", weight of size ", weight.shape(), ", expected input",
        input.shape(), " to have ", expected, " channels, but got ", input.size(1), " channels instead");
  const int64_t made = g.transposed ? weight.size(1) * g.groups : weight.size(0);
  check(!bias || (bias.dim() == 1 && bias.size(0) == made), "Given ", g.transposed ? "transposed=1, " : "",
        "weight of size ", weight.shape(), ", expected bias to be 1-dimensional with ", made,
        " elements, but got bias of size ", bias ? bias.shape() : Dims(), " instead");
}

// The dtype by its name in C++, as torch has it here.
std::string c_name(DType t) {
  std::string name = scalar_type_name(t);
  name[0] = static_cast<char>(name[0] | 0x20);
  return name;
}

void check_dtypes(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  check(input.dtype() == weight.dtype(), "Input type (torch.", scalar_type_name(input.dtype()),
        "Tensor) and weight type (torch.", scalar_type_name(weight.dtype()), "Tensor) should be the same");
  check(!bias || bias.dtype() == input.dtype(), "Input type (", c_name(input.dtype()), ") and bias type (",
        bias ? c_name(bias.dtype()) : "", ") should be the same");
  check(is_floating(input.dtype()), ErrorKind::NotImplemented, "convolution of ", scalar_type_name(input.dtype()),
        " tensors is not there: floating dtypes only");
}

// The places of y for those of x.
Dims places_forward(const Tensor& input, const Tensor& weight, const Geometry& g) {
  Dims padded = places_of(input), reach = places_of(weight), out(g.dims());
  bool fits = true;
  for (int i = 0; i < g.dims(); ++i) {
    padded[i] += 2 * g.padding[i];
    reach[i] = g.dilation[i] * (reach[i] - 1) + 1;
    fits &= padded[i] >= reach[i];
    out[i] = (padded[i] - reach[i]) / g.stride[i] + 1;
  }
  if (!fits)
    fail("Calculated padded input size per channel: (", places_text(padded), "). Kernel size: (", places_text(reach),
         "). Kernel size can't be greater than actual input size");
  return out;
}

Dims places_backward(const Tensor& input, const Tensor& weight, const Geometry& g) {
  const Dims places = places_of(input), kernel = places_of(weight);
  Dims out(g.dims());
  bool fits = true;
  for (int i = 0; i < g.dims(); ++i) {
    check(g.output_padding[i] < std::max(g.stride[i], g.dilation[i]),
          "output padding must be smaller than either stride or dilation, but got output_padding: ", g.output_padding,
          " stride: ", g.stride, " dilation: ", g.dilation);
    out[i] =
        (places[i] - 1) * g.stride[i] - 2 * g.padding[i] + g.dilation[i] * (kernel[i] - 1) + g.output_padding[i] + 1;
    fits &= out[i] > 0;
  }
  if (!fits)
    fail("Given input size per channel: (", places_text(places), "). Calculated output size per channel: (",
         places_text(out), "). Output size is too small");
  return out;
}

void check_all(const Tensor& input, const Tensor& weight, const Tensor& bias, const Geometry& g) {
  check_geometry(g);
  for (const Tensor* t : {&input, &weight})
    for (const int64_t size : t->shape())
      check(size < kMostSize, ErrorKind::NotImplemented,
            "convolution of tensors with sizes of 2**32 and more is not there");
  check(input.dim() == weight.dim(), "Expected ", weight.dim(), "-dimensional input for ", weight.dim(),
        "-dimensional weight ", weight.shape(), ", but got ", input.dim(), "-dimensional input of size ", input.shape(),
        " instead");
  check_weight(weight, g);
  check_channels(input, weight, bias, g);
  check_dtypes(input, weight, bias);
}

void check_places(const Tensor& input) {
  for (const int64_t size : places_of(input))
    check(size > 0, "Only zero batch or zero channel inputs are supported, but got input shape: ", input.shape());
}

const char* function_name(int dims, bool transposed) {
  constexpr const char* kNames[2][3] = {{"conv1d", "conv2d", "conv3d"},
                                        {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}};
  return kNames[transposed][dims - 1];
}

// Runs compute(batch), with one sample as a batch of one.
template <class F>
Tensor with_samples(int dims, const Tensor& input, const Tensor& weight, bool transposed, F&& compute) {
  if (input.dim() == dims + 2) return compute(input);
  check(weight.dim() == dims + 2, "Expected ", weight.dim(), "-dimensional input for ", weight.dim(),
        "-dimensional weight ", weight.shape(), ", but got ", input.dim(), "-dimensional input of size ", input.shape(),
        " instead");
  check(input.dim() == dims + 1, "Expected ", dims + 1, "D (unbatched) or ", dims + 2, "D (batched) input to ",
        function_name(dims, transposed), ", but got input of size: ", input.shape());
  return squeeze(compute(unsqueeze(input, 0)), Dims{0});
}

}  // namespace

static Tensor convolution_of(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                             const Dims& padding, const Dims& dilation, bool transposed, const Dims& output_padding,
                             int64_t groups, int64_t no_bias) {
  const int dims = weight.dim() - 2;
  check(dims > 0, "weight should have at least three dimensions");
  check(dims <= 3, ErrorKind::NotImplemented, "convolution in ", dims, " dims is not there: 1 to 3");
  const Geometry g{for_each_dim("stride", stride, dims),
                   for_each_dim("padding", padding, dims),
                   for_each_dim("dilation", dilation, dims),
                   for_each_dim("output_padding", output_padding, dims),
                   transposed,
                   groups,
                   no_bias};
  check_all(input, weight, bias, g);
  const Dims sizes = transposed ? places_backward(input, weight, g) : places_forward(input, weight, g);
  check_places(input);
  return convolved(input, weight, bias, g, sizes);
}

Tensor convolution(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                   const Dims& padding, const Dims& dilation, bool transposed, const Dims& output_padding,
                   int64_t groups) {
  return convolution_of(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, -1);
}

Tensor conv(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
            const Dims& padding, const Dims& dilation, int64_t groups) {
  return with_samples(dims, input, weight, false, [&](const Tensor& samples) {
    return convolution_of(samples, weight, bias, stride, padding, dilation, false, Dims(dims), groups, 0);
  });
}

Tensor conv(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
            std::string_view padding, const Dims& dilation, int64_t groups) {
  if (padding == "valid") return conv(dims, input, weight, bias, stride, Dims(dims), dilation, groups);
  check(padding == "same", "Invalid padding string: '", padding, "'");
  return with_samples(dims, input, weight, false, [&](const Tensor& samples) {
    check(weight.dim() == samples.dim(), "Expected ", weight.dim(), "-dimensional input for ", weight.dim(),
          "-dimensional weight ", weight.shape(), ", but got ", samples.dim(), "-dimensional input of size ",
          samples.shape(), " instead");
    Geometry g{for_each_dim("stride", stride, dims),
               Dims(dims),
               for_each_dim("dilation", dilation, dims),
               Dims(dims),
               false,
               groups,
               0};
    for (const int64_t s : g.stride) check(s == 1, "padding='same' is not supported for strided convolutions");
    check_all(samples, weight, bias, g);
    check_places(samples);
    // Of an odd sum the larger half comes behind, where whatever is read is 0 anyway.
    for (int i = 0; i < dims; ++i) g.padding[i] = g.dilation[i] * (weight.size(i + 2) - 1) / 2;
    return convolved(samples, weight, bias, g, places_of(samples));
  });
}

Tensor conv_transpose(int dims, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
                      const Dims& padding, const Dims& output_padding, int64_t groups, const Dims& dilation) {
  return with_samples(dims, input, weight, true, [&](const Tensor& samples) {
    return convolution_of(samples, weight, bias, stride, padding, dilation, true, output_padding, groups, 0);
  });
}

}  // namespace gradcore
