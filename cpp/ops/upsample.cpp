#include "ops/upsample.h"

#include "ops/ops.h"
#include "ops/tap_sum.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

using portable::TapDim;
using portable::TapKind;

struct Mode {
  std::string_view name;
  int dims;  // 0: any
  bool smooth;
  TapKind kind;
  TapNodes nodes[3];  // of one, two and three dims
};
#define GC_NODES(name) {"Upsample" name "Backward0", "Upsample" name "BackwardBackward0"}
constexpr Mode kModes[] = {
    {"nearest", 0, false, TapKind::Nearest, {GC_NODES("Nearest1D"), GC_NODES("Nearest2D"), GC_NODES("Nearest3D")}},
    {"nearest-exact",
     0,
     false,
     TapKind::NearestExact,
     {GC_NODES("NearestExact1D"), GC_NODES("NearestExact2D"), GC_NODES("NearestExact3D")}},
    {"linear", 1, false, TapKind::Linear, {GC_NODES("Linear1D"), {}, {}}},
    {"bilinear", 2, false, TapKind::Linear, {{}, GC_NODES("Bilinear2D"), {}}},
    {"trilinear", 3, false, TapKind::Linear, {{}, {}, GC_NODES("Trilinear3D")}},
    {"bicubic", 2, false, TapKind::Cubic, {{}, GC_NODES("Bicubic2D"), {}}},
    {"bilinear", 2, true, TapKind::SmoothLinear, {{}, GC_NODES("Bilinear2DAa"), {}}},
    {"bicubic", 2, true, TapKind::SmoothCubic, {{}, GC_NODES("Bicubic2DAa"), {}}},
};
#undef GC_NODES

const Mode& mode_of(const UpsampleOptions& o, int dims) {
  for (const Mode& m : kModes)
    if (m.name == o.mode && m.smooth == o.smooth && (m.dims == 0 || m.dims == dims)) return m;
  fail(ErrorKind::NotImplemented, "upsample: no mode '", o.mode, o.smooth ? "' with antialias" : "'", " of ", dims,
       " dims");
}

bool is_nearest(TapKind k) { return k == TapKind::Nearest || k == TapKind::NearestExact; }

// How far apart the outputs lie, in pixels of the input.
double step_of(int64_t size, int64_t out, double factor, bool corners) {
  if (corners) return out > 1 ? static_cast<double>(size - 1) / static_cast<double>(out - 1) : 0;
  return factor > 0 ? 1 / factor : static_cast<double>(size) / static_cast<double>(out);
}

// Bytes: along the last dim first, rounded to bytes after each.
Tensor upsample_bytes(const Tensor& x, const TapDims& d) {
  return batched_in_front(
      [&](int, const Tensor& t) {
        const Planes planes(t, d.dims);
        const Tensor out = planes.with_sizes(Dims{d[0].out, d[1].out}, DType::UInt8);
        Kernel<TapSumArgs> k("resize_bytes", kernels().pool.resize_bytes);
        k.args.geometry = planes.geometry(d);
        launch(k.reads(&TapSumArgs::x, planes.dense.window()).writes(&TapSumArgs::out, out.window()));
        return out;
      },
      x);
}

}  // namespace

Tensor upsample(const Tensor& x, const Dims& out, const std::vector<Scalar>& factors, const UpsampleOptions& o) {
  const int dims = out.size();
  check(dims >= 1 && dims <= 3 && x.dim() == dims + 2, "upsample: an input of ", x.dim(), " dims has no ", dims,
        " sizes");
  check(factors.empty() || static_cast<int>(factors.size()) == dims, "upsample: ", factors.size(), " factors for ",
        dims, " dims");
  const bool bytes = x.dtype() == DType::UInt8 && dims == 2;
  check(is_floating(x.dtype()) || bytes, ErrorKind::NotImplemented, "\"upsample\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
  const Mode& mode = mode_of(o, dims);
  TapDims d{dims, {}};
  for (int i = 0; i < dims; ++i) {
    const int64_t size = x.size(2 + i);
    check(size > 0 && out[i] > 0 && size <= INT32_MAX && out[i] <= INT32_MAX,
          "Input and output sizes should be greater than 0, but got input ", size, " output ", out[i]);
    d[i].size = size;
    d[i].out = out[i];
    d[i].step = step_of(size, out[i], factors.empty() ? 0 : factors[static_cast<size_t>(i)].to_double(), o.corners);
    // torch copies a dim that keeps its size, whatever the factor is.
    const bool copies = size == out[i] && (is_nearest(mode.kind) || mode.kind == TapKind::Linear);
    if (copies) continue;
    d[i].kind = mode.kind;
    d[i].corners = o.corners;
  }
  if (bytes) return upsample_bytes(x, d);
  return tap_sum(x, d, 1, mode.nodes[dims - 1]);
}

}  // namespace gradcore
