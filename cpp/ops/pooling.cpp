// Pools. Start at max_pool_with_indices() and avg_pool(). Means of windows are tap_sum(); maxima keep their places, by
// which the gradient finds its way back.
#include "ops/pooling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/portable/fractional.h"
#include "kernels/portable/places.h"
#include "ops/ops.h"
#include "ops/reach.h"
#include "ops/tap_sum.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

using portable::TapDim;
using portable::TapKind;

constexpr int64_t kMost = INT32_MAX;  // of a size, a stride ...: places are told in 32 bits

constexpr const char* kMaxNodes[] = {"MaxPool2DWithIndicesBackward0", "MaxPool2DWithIndicesBackward0",
                                     "MaxPool3DWithIndicesBackward0"};
constexpr const char* kAdaptiveMaxNodes[] = {"AdaptiveMaxPool2DBackward0", "AdaptiveMaxPool2DBackward0",
                                             "AdaptiveMaxPool3DBackward0"};
constexpr const char* kUnpoolNodes[] = {"MaxUnpool2DBackward0", "MaxUnpool2DBackward0", "MaxUnpool3DBackward0"};
constexpr TapNodes kAvgNodes[] = {{"AvgPool2DBackward0", "AvgPool2DBackwardBackward0", true},
                                  {"AvgPool2DBackward0", "AvgPool2DBackwardBackward0", true},
                                  {"AvgPool3DBackward0", "AvgPool3DBackwardBackward0", true}};
constexpr TapNodes kAdaptiveAvgNodes[] = {{"AdaptiveAvgPool2DBackward0", "AdaptiveAvgPool2DBackwardBackward0", true},
                                          {"AdaptiveAvgPool2DBackward0", "AdaptiveAvgPool2DBackwardBackward0", true},
                                          {"AdaptiveAvgPool3DBackward0", "AdaptiveAvgPool3DBackwardBackward0", true}};
constexpr const char* kCounts[] = {"one int", "two ints", "three ints"};

// ---- places of maxima: elements put there, and taken from there

struct PickVjp {
  const char* node;
  int dims;
  Dims sizes;
  Saved index;
  const char* name() const { return node; }
  auto saves() { return std::tie(index); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out);
};
struct PutVjp {
  const char* node;
  int dims;
  Dims sizes;
  Saved index;
  const char* shown;
  const char* name() const { return node; }
  SavedFields fields() { return {{shown, &index}}; }
  auto saves() { return std::tie(index); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out);
};

using PlacesFn = void (*)(const portable::PlacesArgs&);

// `t` and the index in one order, and a new tensor of `sizes` in it.
Tensor launch_places(const char* name, PlacesFn fn, const Tensor& t, const Tensor& at, int dims, const Dims& sizes,
                     bool picks) {
  const bool last = is_channels_last(at, dims) && t.dim() == at.dim();
  const Planes whole(last ? in_channels_last(t) : t, dims, last), index(at, dims, last);
  const Tensor out = whole.with_sizes(sizes, t.dtype());
  Kernel<portable::PlacesArgs> k(name, fn);
  k.args.channels = last ? at.size(1) : 1;
  k.args.dtype = t.dtype();
  k.args.places = k.args.count = 1;
  const Tensor &big = picks ? t : out, &small = picks ? out : t;
  for (int i = 1; i <= dims; ++i) {
    k.args.places *= big.size(big.dim() - i);
    k.args.count *= small.size(small.dim() - i);
  }
  k.args.planes = 1;
  for (int i = 0; i < t.dim() - dims; ++i) k.args.planes *= t.size(i);
  k.args.planes /= k.args.channels;
  k.reads(&portable::PlacesArgs::index, index.dense.window());
  if (picks)
    k.reads(&portable::PlacesArgs::whole, whole.dense.window()).writes(&portable::PlacesArgs::picked, out.window());
  else
    k.reads(&portable::PlacesArgs::picked, whole.dense.window()).writes(&portable::PlacesArgs::whole, out.window());
  launch(k);
  return out;
}

Dims last_sizes(const Tensor& t, int dims) {
  Dims sizes;
  for (int i = t.dim() - dims; i < t.dim(); ++i) sizes.push_back(t.size(i));
  return sizes;
}

Tensor pick_places(const Tensor& whole, const Tensor& index, int dims, const char* node) {
  const Tensor out = batched_in_front(
      [&](int, const Tensor& t, const Tensor& at) {
        return launch_places("pick_places", portable::pick, t, at, dims, last_sizes(at, dims), true);
      },
      whole, index);
  if (should_record(whole)) record(out, {&whole}, PickVjp{node, dims, last_sizes(whole, dims), Saved(index)});
  return out;
}

Tensor add_places(const Tensor& picked, const Tensor& index, int dims, const Dims& sizes, const char* node) {
  const Tensor out = batched_in_front(
      [&](int, const Tensor& t, const Tensor& at) {
        return launch_places("add_places", portable::add, t, at, dims, sizes, false);
      },
      picked, index);
  if (should_record(picked)) record(out, {&picked}, PutVjp{node, dims, sizes, Saved(index), "indices"});
  return out;
}

void PickVjp::vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
  out[0] = add_places(g[0], index.unpack(&self), dims, sizes, node);
}
void PutVjp::vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
  out[0] = pick_places(g[0], index.unpack(&self), dims, node);
}

struct MaxPoolVjp {
  const char* node;
  int dims;
  Saved x, index;
  const char* name() const { return node; }
  SavedFields fields() { return {{"self", &x}, {"result1", &index}}; }
  auto saves() { return std::tie(x, index); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = x.unpack(&self), at = index.unpack(&self);
    const char* twice = dims == 3 ? "MaxPool3DWithIndicesBackwardBackward0" : "MaxPool2DWithIndicesBackwardBackward0";
    out[0] = with_graph_of(input, add_places(g[0], at, dims, last_sizes(input, dims), twice));
  }
};

// ---- arguments, in torch's order and words

class PoolArguments {
 public:
  PoolArguments(int dims, bool is_max, const PoolWindows& w) : dims_(dims), is_max_(is_max) {
    kernel = sized(w.kernel, "kernel_size");
    stride = w.stride.empty() ? kernel : sized(w.stride, "stride");
    padding = w.padding.empty() ? Dims(dims, 0) : sized(w.padding, "padding");
    dilation = w.dilation.empty() ? Dims(dims, 1) : sized(w.dilation, "dilation");
  }

  TapDims over(const Tensor& x, bool ceil_mode) const {
    check_input(x);
    TapDims d{dims_, {}};
    const bool one = dims_ == 1 && is_max_;
    if (one) check_max_pool1d();
    for (const Dims* all : {&kernel, &stride, &padding, &dilation})
      for (const int64_t n : *all)
        if (n > kMost) fail(name(), ": ", n, " is too large");
    for (int i = 0; i < dims_; ++i) d[i] = along(x.size(x.dim() - dims_ + i), i, ceil_mode);
    check_sizes(x, d);
    return d;
  }

  Dims kernel, stride, padding, dilation;

 private:
  std::string name() const { return str_cat(is_max_ ? "max_pool" : "avg_pool", dims_, "d"); }

  Dims sized(const Dims& given, std::string_view what) const {
    if (given.size() == dims_) return given;
    if (given.size() == 1) return Dims(dims_, given[0]);
    if (dims_ == 1 && !is_max_)
      fail(name(), "() argument '", what, "' should contain one int (got ", given.size(), ")");
    if (dims_ == 1)
      fail(name(), "() ", what, " must be ", what == "stride" ? "None, " : "",
           what == "kernel_size" || what == "dilation" ? "an int, list of ints or tuple of ints"
                                                       : "an int, list of ints, or tuple of ints",
           " of size 1 but got size ", given.size());
    const bool either = is_max_ || dims_ < 3;
    fail(
        name(), ": ", what, " must ",
        what == "dilation" ? "be either " : str_cat(either ? "either be " : "be ", what == "stride" ? "omitted, " : ""),
        "a single int, or a tuple of ", kCounts[dims_ - 1]);
  }

  // "kH: 2 kW: 2"
  std::string by_dim(const Dims& n, std::string_view letter) const {
    constexpr std::string_view kAxes = "THW";
    std::string text;
    const int shown = std::max(dims_, 2);  // torch's one dim is the second one of two
    for (int i = 3 - shown; i < 3; ++i)
      text += str_cat(text.empty() ? "" : " ", letter, kAxes.substr(static_cast<size_t>(i), 1), ": ",
                      i < 3 - dims_ ? 1 : n[i - (3 - dims_)]);
    return text;
  }

  void check_input(const Tensor& x) const {
    const bool fits = x.dim() == dims_ + 1 || x.dim() == dims_ + 2;
    bool empty = false;  // in a dim that is not the samples'
    for (int i = x.dim() == dims_ + 2 ? 1 : 0; i < x.dim(); ++i) empty |= x.size(i) == 0;
    if (fits && !empty) return;
    const std::string ranks = str_cat(dims_ + 1, "D or ", dims_ + 2, "D");
    if (dims_ == 1 && !is_max_ && !fits)
      fail("Expected 2 to 3 dimensions, but got ", x.dim(),
           "-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)");
    if (!fits && (is_max_ || dims_ == 3) && dims_ > 1)
      fail("non-empty ", ranks, " (batch mode) tensor expected for input");
    if (!fits && !is_max_ && x.dim() < dims_ + 1)
      fail(ErrorKind::Index, x.dim() ? str_cat("Dimension out of range (expected to be in range of [", -x.dim(), ", ",
                                               x.dim() - 1, "], but got ", -dims_ - 1, ")")
                                     : str_cat("Dimension specified as ", -dims_ - 1, " but tensor has no dimensions"));
    if (dims_ == 3)
      fail(is_max_ ? "max_pool3d_with_indices_out_cpu_template" : "avg_pool3d",
           "(): Expected input's non-batch dimensions to have positive length, but input has a shape of ", x.shape());
    fail(dims_ == 1 && is_max_ ? "max_pool1d: " : "", "Expected ", ranks,
         " (batch mode) tensor with optional 0 dim batch size for input, but got:", x.shape());
  }

  void check_max_pool1d() const {
    const auto over_zero = [](const char* what, int64_t n) {
      check(n > 0, "max_pool1d() ", what, " must be greater than zero, but got ", n);
    };
    over_zero("kernel_size", kernel[0]);
    over_zero("stride", stride[0]);
    check(padding[0] >= 0, "max_pool1d() padding must be non-negative, but got ", padding[0]);
    check(padding[0] <= kernel[0] / 2,
          "max_pool1d() padding should be at most half of kernel size, but got padding=", padding[0],
          " and kernel_size=", kernel[0]);
    over_zero("dilation", dilation[0]);
  }

  void over_zero(const Dims& all, const char* what, std::string_view letter) const {
    if (*std::ranges::min_element(all) < 1) fail(what, " should be greater than zero, but got ", by_dim(all, letter));
  }

  // How many windows there are; with ceil_mode one more that sticks out, if it begins inside.
  TapDim along(int64_t size, int i, bool ceil_mode) const {
    TapDim d;
    // What is negative is refused below: how far it is from zero does not matter, but its products would overflow.
    const auto near_zero = [](int64_t n) { return std::max<int64_t>(n, -1); };
    d.kernel = near_zero(kernel[i]), d.stride = near_zero(stride[i]);
    d.padding = padding[i], d.dilation = near_zero(dilation[i]);
    if (size > kMost) fail(name(), ": a dim of ", size, " elements is too large");
    check(d.stride != 0, "stride should not be zero");
    check(d.padding >= 0, "pad must be non-negative, but got pad: ", d.padding);
    const int64_t reach = d.dilation * (d.kernel - 1) + 1;
    if (std::min({d.kernel, d.stride, d.dilation}) > 0)
      check(d.padding <= reach / 2, "pad should be at most half of effective kernel size, but got pad=", d.padding,
            ", kernel_size=", d.kernel, " and dilation=", d.dilation);
    over_zero(kernel, "kernel size", "k");
    over_zero(stride, "stride", "d");
    over_zero(dilation, "dilation", "dilation");
    const int64_t span = size + 2 * d.padding - reach + (ceil_mode ? d.stride - 1 : 0);
    d.size = size;
    d.out = span < 0 ? 0 : span / d.stride + 1;
    if (ceil_mode && (d.out - 1) * d.stride >= size + d.padding) --d.out;
    return d;
  }

  void check_sizes(const Tensor& x, const TapDims& d) const {
    // torch's means of volumes do not count the padding.
    const bool unpadded = dims_ == 3 && !is_max_;
    bool too_small = false;
    std::string before, after;
    for (int i = 0; i < dims_; ++i) too_small |= d[i].out < 1 || (unpadded && d[i].size < d[i].kernel);
    if (!too_small) return;
    if (dims_ == 1 && is_max_) fail("max_pool1d() Invalid computed output size: ", d[0].out);
    for (int i = 0; i < dims_; ++i) {
      const char* one = dims_ == 1 ? "1x" : "";  // torch's other dim
      before += str_cat("x", one, d[i].size);
      after += str_cat("x", one, d[i].out);
    }
    if (unpadded)
      fail("input image (T: ", d[0].size, " H: ", d[1].size, " W: ", d[2].size, ") smaller than kernel size (",
           by_dim(kernel, "k"), ")");
    const int64_t channels = x.size(x.dim() - dims_ - 1);
    fail("Given input size: (", channels, before, "). Calculated output size: (", channels, after,
         "). Output size is too small");
  }

  int dims_;
  bool is_max_;
};

// ---- maxima

using TwoTensors = std::pair<Tensor, Tensor>;

TwoTensors launch_max(const Tensor& x, const TapDims& d, bool indices) {
  if (!is_floating(x.dtype()) && x.dtype() != DType::Int64) {
    const auto [values, at] = launch_max(cast(x, DType::Int64), d, indices);
    return {cast(values, x.dtype()), at};
  }
  const Planes planes(x, d.dims);
  Dims outs;
  for (int i = 0; i < d.dims; ++i) outs.push_back(d[i].out);
  TwoTensors r{planes.with_sizes(outs, x.dtype()), indices ? planes.with_sizes(outs, DType::Int64) : Tensor()};
  Kernel<MaxPoolArgs> k("max_pool", kernels().pool.max[x.dtype()]);
  k.args.geometry = joined(planes.geometry(d));
  check(k.args.geometry.places() <= kMost, ErrorKind::NotImplemented, "max_pool: planes of more than ", kMost,
        " elements");
  k.reads(&MaxPoolArgs::x, planes.dense.window()).writes(&MaxPoolArgs::out, r.first.window());
  if (indices) k.writes(&MaxPoolArgs::index, r.second.window());
  launch(k);
  return r;
}

TwoTensors compute_max(const Tensor& x, const TapDims& d, bool indices) {
  const NoRecordGuard off;
  if (!any_batched(x)) return launch_max(x, d, indices);
  const Levels levels = levels_of({&x});
  const auto [values, at] = launch_max(physical(x, levels), d, indices);
  return {hide(values, levels), indices ? hide(at, levels) : Tensor()};
}

// The places are found where they are asked for, or the gradient will want them.
TwoTensors max_of_taps(const Tensor& x, const TapDims& d, bool indices, const char* node) {
  const bool records = is_floating(x.dtype()) && should_record(x);
  TwoTensors r = compute_max(x, d, indices || records);
  if (records) record(r.first, {&x}, MaxPoolVjp{node, d.dims, Saved(x), Saved(r.second)});
  return r;
}

TwoTensors max_windows(int dims, const Tensor& x, const PoolWindows& w, bool indices) {
  const TapDims d = PoolArguments(dims, true, w).over(x, w.ceil_mode);
  // torch finds the maxima of lines alone by another kernel, which takes no ints.
  const bool of_lines = dims == 1 && !indices;
  const bool refused = of_lines ? !is_floating(x.dtype()) : x.dtype() == DType::Bool;
  check(!refused, ErrorKind::NotImplemented, "\"",
        of_lines    ? "max_pool1d_impl"
        : dims == 3 ? "max_pool3d"
                    : "max_pool2d",
        "\" not implemented for '", scalar_type_name(x.dtype()), "'");
  return max_of_taps(x, d, indices, kMaxNodes[dims - 1]);
}

// ---- fractional pools: windows of one size, whose places are drawn

constexpr const char* kFractionalMaxNodes[] = {"", "FractionalMaxPool2DBackward0", "FractionalMaxPool3DBackward0"};

struct FractionalWindows {
  int dims;
  Dims sizes, kernel, out;
};

// Where the windows along one dim begin, from a number in [0, 1): in the dtype of the input, as torch rounds.
template <class T> void add_starts(T sample, int64_t size, int64_t kernel, int64_t out, std::vector<int64_t>& to) {
  check(std::abs(sample) <= T(1 << 20), "fractional_max_pool: a random sample is no number from 0 to 1");
  const T alpha = out > 1 ? static_cast<T>(size - kernel) / static_cast<T>(out - 1) : T(0);
  const auto first = static_cast<int64_t>(sample * alpha);
  for (int64_t i = 0; i < out - 1; ++i) {
    const int64_t start = static_cast<int64_t>((static_cast<T>(i) + sample) * alpha) - first;
    check(start >= 0 && start <= size - kernel, ErrorKind::Index, "fractional_max_pool: a window begins at ", start,
          " of ", size);
    to.push_back(start);
  }
  if (out > 0) to.push_back(size - kernel);
}

// A row for each plane, as FractionalMaxArgs has it.
template <class T> Tensor starts_of(const Tensor& samples, const FractionalWindows& w) {
  const Tensor dense = contiguous(cast(samples, dtype_of<T>));
  const T* u = dense.host<T>();
  std::vector<int64_t> starts;
  for (int64_t rest = dense.numel(); rest > 0; rest -= w.dims, u += w.dims) {
    if (w.dims == 2) starts.push_back(0);  // of the trivial dim in front
    for (int i = 0; i < w.dims; ++i)       // in two dims torch takes the sample of the last dim first
      add_starts(u[w.dims == 2 ? 1 - i : i], w.sizes[i], w.kernel[i], w.out[i], starts);
  }
  const Tensor out = empty({static_cast<int64_t>(starts.size())}, DType::Int64);
  launch_host("fractional_starts", {writes(out)},
              [&](Opener open) { std::copy(starts.begin(), starts.end(), open.operator()<int64_t>(out)); });
  return out;
}

TwoTensors launch_fractional(const Tensor& x, const Tensor& starts, int64_t tables, const FractionalWindows& w) {
  const Tensor dense = contiguous(x);
  Dims shape = x.shape();
  for (int i = 0; i < w.dims; ++i) shape[x.dim() - w.dims + i] = w.out[i];
  TwoTensors r{empty(shape, x.dtype()), empty(shape, DType::Int64)};
  using Args = portable::FractionalMaxArgs;
  Kernel<Args> k("fractional_max_pool", portable::fractional_max);
  k.args = {nullptr, nullptr, nullptr, nullptr, 1, tables, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, x.dtype()};
  for (int i = 0; i < x.dim() - w.dims; ++i) k.args.planes *= x.size(i);
  for (int i = 0; i < w.dims; ++i) {
    const int at = 3 - w.dims + i;
    k.args.sizes[at] = w.sizes[i], k.args.outs[at] = w.out[i], k.args.kernel[at] = w.kernel[i];
  }
  k.reads(&Args::x, dense.window()).reads(&Args::starts, starts.window());
  launch(k.writes(&Args::out, r.first.window()).writes(&Args::index, r.second.window()));
  return r;
}

// ---- adaptive pools

bool is_whole(const TapDims& d) {
  return std::all_of(d.dim, d.dim + 3, [](const TapDim& t) { return t.out == 1; });
}

class AdaptiveArguments {
 public:
  AdaptiveArguments(int dims, const Tensor& x, const Dims& out, bool is_max)
      : dims_(dims), x_(x), out_(out), is_max_(is_max) {
    check_numbers();
    // torch's pools of means in one and two dims take no channels at all.
    const int first = !is_max && dims < 3 ? x.dim() - dims : 1;
    for (int i = first; i < x.dim(); ++i)
      if (x.size(i) == 0)
        fail(name(), "(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ",
             x.shape(), " with dimension ", i, " being empty");
    for (const int64_t n : out)
      if (n < 0) fail_negative(n);
  }

  TapDims taps() const {
    TapDims d{dims_, {}};
    for (int i = 0; i < dims_; ++i) {
      d[i].size = x_.size(x_.dim() - dims_ + i);
      d[i].out = out_[i];
      if (d[i].size > kMost || d[i].out > kMost) fail(name(), ": a dim is too large");
      if (d[i].out == 0) continue;
      if (d[i].size % d[i].out != 0)
        d[i].kind = TapKind::Adaptive;
      else
        d[i].kernel = d[i].stride = d[i].size / d[i].out;  // all windows are of one size
    }
    return d;
  }

 private:
  std::string name() const { return str_cat("adaptive_", is_max_ ? "max" : "avg", "_pool", dims_, "d"); }
  void check_numbers() const {
    const int rank = x_.dim();
    if (out_.size() != dims_) {
      if (dims_ == 1) fail(name(), "() argument 'output_size' should contain one int (got ", out_.size(), ")");
      if (is_max_) fail(name(), "(): internal error: output_size.size() must be ", dims_);
      fail(name(), ": output_size must be ", dims_);
    }
    if (rank == dims_ + 1 || rank == dims_ + 2) return;
    if (dims_ == 1)
      fail("Expected 2 to 3 dimensions, but got ", rank,
           "-dimensional tensor for argument #1 'self' (while checking arguments for ", name(), ")");
    fail(name(), "(): Expected ", dims_ + 1, "D or ", dims_ + 2, "D tensor, but got", is_max_ ? ": " : " ", x_.shape());
  }
  [[noreturn]] void fail_negative(int64_t n) const {
    if (is_max_) fail("Trying to create tensor with negative dimension ", n, ": ", out_);
    fail(name(), ": elements of output_size must be greater than or equal to 0 but received ", out_);
  }

  int dims_;
  const Tensor& x_;
  const Dims& out_;
  bool is_max_;
};

void check_adaptive_dtype(int dims, const Tensor& x, const char* kind) {
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"adaptive_", kind, dims == 3 ? "_pool3d_cpu" : "_pool2d",
        "\" not implemented for '", scalar_type_name(x.dtype()), "'");
}

void check_places(const Tensor& index, const Dims& out) {
  const NoRecordGuard off;
  const Tensor at = contiguous(any_batched(index) ? physical(index, levels_of({&index})) : index);
  Kernel<portable::CheckPlacesArgs> k("check_places", portable::check_places);
  k.args.count = at.numel();
  k.args.dims = out.size();
  for (int i = 0; i < out.size(); ++i) k.args.sizes[i] = out[i];
  launch(k.reads(&portable::CheckPlacesArgs::index, at.window()).may_raise());
}

}  // namespace

Tensor max_pool(int dims, const Tensor& x, const PoolWindows& w) { return max_windows(dims, x, w, false).first; }
TwoTensors max_pool_with_indices(int dims, const Tensor& x, const PoolWindows& w) {
  return max_windows(dims, x, w, true);
}

Tensor avg_pool(int dims, const Tensor& x, const PoolWindows& w, bool counts_padding, std::optional<int64_t> divisor) {
  check(!divisor || *divisor != 0, "divisor must be not zero");
  TapDims d = PoolArguments(dims, false, w).over(x, w.ceil_mode);
  check(is_floating(x.dtype()) || x.dtype() == DType::Int64, ErrorKind::NotImplemented,
        dims == 3 ? "\"avg_pool3d_out_frame\"" : "\"avg_pool2d\"", " not implemented for '",
        scalar_type_name(x.dtype()), "'");
  for (int i = 0; i < dims; ++i) d[i].counts_padding = counts_padding;
  return tap_sum(x, d, divisor.value_or(0), kAvgNodes[dims - 1]);
}

Tensor adaptive_avg_pool(int dims, const Tensor& x, const Dims& out) {
  const MaybeDims last = dims == 2 ? Dims{-2, -1} : Dims{-3, -2, -1};
  const auto is_one = [](int64_t n) { return n == 1; };
  if (dims > 1 && out.size() == dims && x.dim() < dims + 1 && std::ranges::all_of(out, is_one)) {
    check_adaptive_dtype(dims, x, "avg");
    return mean(x, last, true);  // torch takes the mean too, and asks for no planes
  }
  const TapDims d = AdaptiveArguments(dims, x, out, false).taps();
  check_adaptive_dtype(dims, x, "avg");
  if (dims > 1 && is_whole(d)) return mean(x, last, true);
  return tap_sum(x, d, 0, kAdaptiveAvgNodes[dims - 1]);
}

TwoTensors adaptive_max_pool(int dims, const Tensor& x, const Dims& out) {
  const TapDims d = AdaptiveArguments(dims, x, out, true).taps();
  check_adaptive_dtype(dims, x, "max");
  return max_of_taps(x, d, true, kAdaptiveMaxNodes[dims - 1]);
}

// One for each plane and dim; those of further samples of a batch are not used.
static void check_samples(const Tensor& x, const Tensor& samples, int dims) {
  check(samples.dtype() == x.dtype(), "Expect _random_samples to have the same dtype as input");
  check(samples.dim() == 3, "Expect _random_samples to have 3 dimensions, got ", samples.dim());
  check(samples.size(0) >= x.size(0), "Expect _random_samples.size(0) no less then input batch size.");
  check(samples.size(1) == x.size(1), "Expect _random_samples.size(1) equals to input channel size.");
  check(samples.size(2) == dims, "Expect _random_samples.size(2) equals to ", dims, "; got ", samples.size(2), ".");
}

TwoTensors fractional_max_pool(const Tensor& x, const Tensor& samples, const Dims& kernel, const Dims& out) {
  const int dims = kernel.size();
  check((dims == 2 || dims == 3) && out.size() == dims && x.dim() == dims + 2,
        "fractional_max_pool: expected an input of ", dims + 2, " dims, but got one of ", x.dim());
  check(is_floating(x.dtype()) && is_floating(samples.dtype()), ErrorKind::NotImplemented, "\"fractional_max_pool",
        dims, "d\" not implemented for '", scalar_type_name(x.dtype()), "'");
  for (int i = 1; i < x.dim(); ++i)
    check(x.size(i) != 0, "fractional_max_pool", dims, dims == 2 ? "d()" : "d_out()",
          ": Expected input to have non-zero size for non-batch dimensions, but got", x.shape(), " with dimension ", i,
          " being empty.");
  const FractionalWindows w{dims, last_sizes(x, dims), kernel, out};
  for (int i = 0; i < dims; ++i) {
    check(kernel[i] > 0 && out[i] >= 0, "fractional_max_pool", dims,
          "d(): sizes must be positive, but kernel_size has ", kernel[i], " and output_size ", out[i]);
    check(kernel[i] <= w.sizes[i] && out[i] <= w.sizes[i] - kernel[i] + 1, "fractional_max_pool", dims,
          "d(): pool size (", kernel[i], ") too large relative to input size ", w.sizes[i]);
  }
  check_samples(x, samples, dims);
  const int64_t tables = x.size(0) * x.size(1);
  TwoTensors r;
  {
    const NoRecordGuard off;
    const Tensor starts = x.dtype() == DType::Float32 ? starts_of<float>(samples, w) : starts_of<double>(samples, w);
    if (any_batched(x)) {  // planes of all samples: those of one after those of another
      const Levels levels = levels_of({&x});
      const auto [values, at] = launch_fractional(physical(x, levels), starts, tables, w);
      r = {hide(values, levels), hide(at, levels)};
    } else {
      r = launch_fractional(x, starts, tables, w);
    }
  }
  if (should_record(x))
    record(r.first, {&x}, MaxPoolVjp{kFractionalMaxNodes[dims - 1], dims, Saved(x), Saved(r.second)});
  return r;
}

Tensor max_unpool(int dims, const Tensor& x, const Tensor& index, const Dims& out) {
  const int rank = std::max(dims, 2);
  check(index.dtype() == DType::Int64,
        "elements in indices should be type int64 but got: ", scalar_type_name(index.dtype()));
  if (x.dim() != dims + 1 && x.dim() != dims + 2)
    fail("Input to max_unpooling", rank, "d should be a ", rank + 1, "d or ", rank + 2,
         "d Tensor, but got a tensor with ", x.dim() + (dims == 1), " dimensions.");
  check(x.shape() == index.shape(), "Expected shape of indices to be same as that of the input tensor (", x.shape(),
        ") but got indices tensor with shape: ", index.shape());
  for (int i = 1; i < x.dim(); ++i)
    check(x.size(i) != 0, "max_unpooling", rank,
          "d_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but got ", x.shape(),
          " with dimension ", i, " being empty.");
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"max_unpool", rank, "d\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
  checked_numel(out);
  check_places(index, out);
  const Tensor unpooled = batched_in_front(
      [&](int, const Tensor& t, const Tensor& i) {
        return launch_places("max_unpool", portable::put, t, i, dims, out, false);
      },
      x, index);
  if (should_record(x)) record(unpooled, {&x}, PutVjp{kUnpoolNodes[dims - 1], dims, out, Saved(index), "indices"});
  return unpooled;
}

}  // namespace gradcore
