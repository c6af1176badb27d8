#include "ops/tap_sum.h"

#include <algorithm>

#include "kernels/portable/pad.h"
#include "ops/ops.h"
#include "ops/reach.h"
#include "tensor/door.h"

namespace gradcore {

using portable::TapDim, portable::TapKind;

namespace {

Dims sizes_of(const TapDims& d, bool outs) {
  Dims sizes;
  for (int i = 0; i < d.dims; ++i) sizes.push_back(outs ? d[i].out : d[i].size);
  return sizes;
}

template <class Fn>
Tensor launched(const char* name, Fn fn, const Tensor& t, const TapDims& d, int64_t divisor, bool back) {
  const Planes planes(t, d.dims);
  const Tensor out = planes.with_sizes(sizes_of(d, !back), t.dtype());
  Kernel<TapSumArgs> k(name, fn);
  k.args.geometry = joined(planes.geometry(d));
  k.args.divisor = divisor;
  launch(k.reads(&TapSumArgs::x, planes.dense.window()).writes(&TapSumArgs::out, out.window()));
  return out;
}

bool only_pads(const TapDims& d) {
  for (const TapDim& along : d.dim)
    if (!along.is_trivial() && !along.is_padded()) return false;
  return true;
}
// Each output is a copy of one input.
Tensor padded(const Tensor& t, const TapDims& d) {
  const Planes planes(t, d.dims);
  const Tensor out = planes.with_sizes(sizes_of(d, true), t.dtype());
  const PoolGeometry g = planes.geometry(d);
  using Args = portable::PadArgs;
  Kernel<Args> k("pad", portable::pad);
  std::copy_n(d.dim, 3, k.args.dim);
  k.args.planes = g.planes, k.args.channels = g.channels, k.args.item = item_size(t.dtype());
  launch(k.reads(&Args::x, planes.dense.window()).writes(&Args::out, out.window()));
  return out;
}

struct TapSumVjp {
  TapNodes nodes;
  TapDims d;
  int64_t divisor;
  Saved x;
  const char* name() const { return nodes.forward; }
  SavedFields fields() { return nodes.keeps_input ? SavedFields{{"self", &x}} : SavedFields{}; }
  auto saves() { return std::tie(x); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor input = nodes.keeps_input ? x.unpack(&self) : Tensor();
    out[0] = tap_sum_backward(g[0], d, divisor, nodes);
    if (input) out[0] = with_graph_of(input, out[0]);
  }
};
struct TapSpreadVjp {
  TapNodes nodes;
  TapDims d;
  int64_t divisor;
  const char* name() const { return nodes.backward; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = tap_sum(g[0], d, divisor, nodes); }
};

}  // namespace

PoolGeometry joined(PoolGeometry g) {
  constexpr int64_t kOuts = 512;  // of a row that is long enough
  TapDim& w = g.dim[2];
  const auto is_one = [](const TapDim& d) { return d.size == 1 && d.is_trivial(); };
  if (g.channels != 1 || !is_one(g.dim[0]) || !is_one(g.dim[1]) || w.kind != TapKind::Window || w.padding) return g;
  const bool alone = w.out > 0 && w.size == w.out * w.stride && w.kernel * w.dilation <= w.stride + w.dilation - 1;
  int64_t n = alone ? std::min(g.planes, kOuts / w.out) : 0;
  if (n < 2) return g;
  while (g.planes % n) --n;
  g.planes /= n, w.size *= n, w.out *= n, g.joined = n;
  return g;
}

bool is_channels_last(const Tensor& t, int dims) {
  if (dims < 2 || t.is_contiguous() || t.dim() != dims + 2 || t->batch) return false;
  int64_t expected = 1;
  for (int i = 0; i < t.dim(); ++i) {
    const int d = i == 0             ? 1
                  : i == t.dim() - 1 ? 0
                                     : t.dim() - i;  // channels, then the last dim, and samples at the end
    if (t.size(d) != 1 && t.stride(d) != expected) return false;
    expected *= t.size(d);
  }
  return true;
}

Tensor in_channels_last(const Tensor& t) {
  if (is_channels_last(t, t.dim() - 2)) return t;
  const NoRecordGuard off;
  return movedim(contiguous(movedim(t, {1}, {-1})), {-1}, {1});
}

Planes::Planes(const Tensor& t, int dims, bool may_be_last) : channels_last(may_be_last && is_channels_last(t, dims)) {
  const NoRecordGuard off;
  dense = channels_last ? t : contiguous(t);
}

PoolGeometry Planes::geometry(const TapDims& d) const {
  PoolGeometry g{};
  for (int i = 0; i < 3; ++i) g.dim[i] = d.dim[i];
  g.channels = channels_last ? dense.size(1) : 1;
  g.planes = 1;
  for (int i = 0; i < dense.dim() - d.dims; ++i) g.planes *= dense.size(i);
  g.planes /= g.channels;
  return g;
}

Tensor Planes::with_sizes(std::span<const int64_t> sizes, DType dtype) const {
  Dims shape = dense.shape();
  for (size_t i = 0; i < sizes.size(); ++i) shape[shape.size() - static_cast<int>(sizes.size() - i)] = sizes[i];
  checked_numel(shape);
  if (!channels_last) return empty(shape, dtype);
  Dims strides(shape.size());
  int64_t step = 1;
  for (int i = 0; i < shape.size(); ++i) {
    const int d = i == 0 ? 1 : i == shape.size() - 1 ? 0 : shape.size() - i;
    strides[d] = step;
    step *= shape[d];
  }
  return empty_strided(shape, strides, dtype);
}

Tensor tap_sum(const Tensor& x, const TapDims& d, int64_t divisor, TapNodes nodes) {
  const auto compute = [&](int, const Tensor& t) {
    if (only_pads(d)) return padded(t, d);
    return launched("tap_sum", kernels().pool.sum[t.dtype()], t, d, divisor, false);
  };
  const Tensor out = batched_in_front(compute, x);
  if (is_floating(x.dtype()) && should_record(x))
    record(out, {&x}, TapSumVjp{nodes, d, divisor, nodes.keeps_input ? Saved(x) : Saved()});
  return out;
}

Tensor tap_sum_backward(const Tensor& g, const TapDims& d, int64_t divisor, TapNodes nodes) {
  const auto compute = [&](int, const Tensor& t) {
    return launched("tap_sum_backward", kernels().pool.sum_backward[t.dtype()], t, d, divisor, true);
  };
  const Tensor out = batched_in_front(compute, g);
  if (should_record(g)) record(out, {&g}, TapSpreadVjp{nodes, d, divisor});
  return out;
}

}  // namespace gradcore
