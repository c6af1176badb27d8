// Images sampled at a grid. Start at grid_sampler(). Where nothing is tracked both ways are kernels; what has to be
// derivable itself (double backward, forward mode), and batches of gradients, take the same sums as ops.
#include "ops/grid_sample.h"

#include "kernels/pool/pool.h"
#include "ops/batching.h"
#include "ops/composed_vjp.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct Sampling {
  GridMode mode;
  GridPadding padding;
  bool corners;
};

// ---- the kernels: (N, C, sizes) and (N, places, dims)

GridGeometry geometry_of(const Tensor& x, const Tensor& grid, const Sampling& s) {
  const int dims = x.dim() - 2;
  GridGeometry g{x.size(0), x.size(1), 1, dims, {1, 1, 1}, s.mode, s.padding, s.corners};
  for (int i = 0; i < dims; ++i) {
    g.size[3 - dims + i] = x.size(2 + i);
    g.points *= grid.size(1 + i);
  }
  check(g.places() <= INT32_MAX, ErrorKind::NotImplemented, "grid_sampler(): an image of ", g.places(),
        " pixels is too large");
  return g;
}

Tensor sampled(const Tensor& x, const Tensor& grid, const Sampling& s) {
  const Tensor image = contiguous(x), at = contiguous(grid);
  Dims shape{x.size(0), x.size(1)};
  for (int i = 1; i < grid.dim() - 1; ++i) shape.push_back(grid.size(i));
  const Tensor out = empty(shape, x.dtype());
  Kernel<GridSampleArgs> k("grid_sample", kernels().pool.grid.sample[x.dtype()]);
  k.args.geometry = geometry_of(image, at, s);
  k.reads(&GridSampleArgs::x, image.window()).reads(&GridSampleArgs::grid, at.window());
  launch(k.writes(&GridSampleArgs::out, out.window()));
  return out;
}

// Of those that are wanted.
void sampled_backward(const Tensor& g, const Tensor& x, const Tensor& grid, const Sampling& s, Tensor* to_x,
                      Tensor* to_grid) {
  using Args = GridSampleBackwardArgs;
  const Tensor grad = contiguous(g), image = contiguous(x), at = contiguous(grid);
  Kernel<Args> k("grid_sample_backward", kernels().pool.grid.backward[x.dtype()]);
  k.args.geometry = geometry_of(image, at, s);
  k.reads(&Args::grad, grad.window()).reads(&Args::x, image.window()).reads(&Args::grid, at.window());
  if (to_x) {
    *to_x = empty(x.shape(), x.dtype());
    k.writes(&Args::x_grad, to_x->window());
  }
  if (to_grid) {
    *to_grid = empty(grid.shape(), grid.dtype());
    k.writes(&Args::grid_grad, to_grid->window());
  }
  launch(k);
}

// Of physical tensors with `levels` batch dims more, which become samples.
Tensor sampled_beneath(int levels, const Tensor& x, const Tensor& grid, const Sampling& s) {
  if (levels == 0) return sampled(x, grid, s);
  const auto front = static_cast<size_t>(levels);
  const Dims batch = broadcast_shapes(x.shape().span().first(front), grid.shape().span().first(front));
  const auto as_samples = [&](const Tensor& t) {
    Dims whole = batch, flat{numel_of(batch) * t.size(levels)};
    for (int i = levels; i < t.dim(); ++i) whole.push_back(t.size(i));
    for (int i = levels + 1; i < t.dim(); ++i) flat.push_back(t.size(i));
    return reshape(t.shape() == whole ? t : expand(t, whole), flat);
  };
  const Tensor out = sampled(as_samples(x), as_samples(grid), s);
  Dims shape = batch;
  shape.push_back(x.size(levels));
  for (int i = 1; i < out.dim(); ++i) shape.push_back(out.size(i));
  return reshape(out, shape);
}

// ---- the same sums as ops

// Along one dim: which pixels, as floats, and with what weights.
struct Tap {
  Tensor at, weight;  // no weight is 1
};

Tensor clipped(const Tensor& x, int64_t size) {
  const Scalar last(static_cast<double>(size - 1));
  return where(le(x, Scalar(0)), Scalar(0.0), where(ge(x, last), last, x));
}
Tensor reflected(const Tensor& x, double low, double high) {
  const Scalar span(high - low);
  if (low == high) return mul(x, Scalar(0));
  const Tensor distance = abs(sub(x, Scalar(low)));
  const Tensor turns = floor(div(detach(distance), span)), rest = sub(distance, mul(turns, span));
  return where(eq(remainder(turns, Scalar(2)), Scalar(0)), add(rest, Scalar(low)), sub(Scalar(high), rest));
}
Tensor into_range(const Tensor& x, int64_t size, const Sampling& s) {
  if (s.padding == GridPadding::Zeros) return x;
  if (s.padding == GridPadding::Border) return clipped(x, size);
  const auto n = static_cast<double>(size);
  return clipped(s.corners ? reflected(x, 0, n - 1) : reflected(x, -0.5, n - 0.5), size);
}

// R. Keys's kernel of cubic convolution, by the distance.
Tensor cubic(const Tensor& x) {
  const double a = -0.75;
  const Tensor near = add(mul(mul(sub(mul(x, Scalar(a + 2)), Scalar(a + 3)), x), x), Scalar(1));
  const Tensor far = sub(mul(mul(add(mul(sub(x, Scalar(5)), x), Scalar(8)), x), Scalar(a)), Scalar(4 * a));
  return where(le(x, Scalar(1)), near, where(lt(x, Scalar(2)), far, Scalar(0.0)));
}

std::vector<Tap> taps_along(const Tensor& coordinate, int64_t size, const Sampling& s) {
  const auto n = static_cast<double>(size);
  const Tensor from_edge = add(coordinate, Scalar(1));
  Tensor x = s.corners ? mul(div(from_edge, Scalar(2)), Scalar(n - 1))
                       : div(sub(mul(from_edge, Scalar(n)), Scalar(1)), Scalar(2));
  if (s.mode != GridMode::Cubic) x = into_range(x, size, s);
  if (s.mode == GridMode::Nearest) return {{round(detach(x)), {}}};
  const Tensor low = floor(detach(x));
  if (s.mode == GridMode::Linear) {
    const Tensor share = sub(x, low);
    return {{low, sub(Scalar(1), share)}, {add(low, Scalar(1)), share}};
  }
  std::vector<Tap> taps;
  for (int k = -1; k < 3; ++k) {
    const Tensor at = add(low, Scalar(k));
    taps.push_back({round(into_range(at, size, s)), cubic(abs(sub(x, at)))});
  }
  return taps;
}

// All combinations of a tap along each dim: the place in a plane, the weight and whether it is inside.
struct Corner {
  Tensor place, weight, inside;
};
std::vector<Corner> corners_of(const Tensor& x, const Tensor& grid, const Sampling& s) {
  std::vector<Corner> corners(1);
  for (int i = 2; i < x.dim(); ++i) {
    const int64_t size = x.size(i);
    const Scalar last(static_cast<double>(size - 1));
    std::vector<Corner> grown;
    for (const Tap& tap : taps_along(select(grid, -1, x.dim() - 1 - i), size, s)) {
      const Tensor inside = logical_and(ge(tap.at, Scalar(0)), le(tap.at, last));
      const Tensor place = cast(where(inside, tap.at, Scalar(0.0)), DType::Int64);  // what is outside goes anywhere
      for (const Corner& c : corners)
        grown.push_back({c.place ? add(mul(c.place, Scalar(size)), place) : place,
                         c.weight ? mul(c.weight, tap.weight) : tap.weight,
                         c.inside ? logical_and(c.inside, inside) : inside});
    }
    corners = std::move(grown);
  }
  return corners;
}

Tensor composed(const Tensor& x, const Tensor& grid, const Sampling& s) {
  const Tensor flat = flatten(x, 2, -1);
  Tensor total;
  for (const Corner& c : corners_of(x, grid, s)) {
    const auto of_all_channels = [&](const Tensor& t) { return unsqueeze(flatten(t, 1, -1), 1); };
    const Tensor place = of_all_channels(c.place), inside = of_all_channels(c.inside);
    const Tensor places = expand(place, {x.size(0), x.size(1), place.size(2)});
    Tensor part = where(inside, gather(flat, 2, places), Scalar(0.0));
    if (c.weight) part = mul(part, where(inside, of_all_channels(c.weight), Scalar(0.0)));
    total = total ? add(total, part) : part;
  }
  Dims shape{x.size(0), x.size(1)};
  for (int i = 1; i < grid.dim() - 1; ++i) shape.push_back(grid.size(i));
  return reshape(total, shape);
}

// ---- the node

struct GridSamplerVjp {
  Sampling sampling;
  int dims;
  Saved x, grid;
  const char* name() const { return dims == 2 ? "GridSampler2DBackward0" : "GridSampler3DBackward0"; }
  SavedFields fields() {
    return {{"input", &x},
            {"grid", &grid},
            {"interpolation_mode", Scalar(static_cast<int64_t>(sampling.mode))},
            {"padding_mode", Scalar(static_cast<int64_t>(sampling.padding))},
            {"align_corners", Scalar(sampling.corners)}};
  }
  auto saves() { return std::tie(x, grid); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor inputs[] = {x.unpack(&self), grid.unpack(&self)};
    if (modes.tracking() || any_batched(g[0], inputs[0], inputs[1])) {
      vjp_of_composed(self, inputs, g, out,
                      [&](std::span<const Tensor> p) { return std::vector<Tensor>{composed(p[0], p[1], sampling)}; });
      if (self.needs(1) && !out[1]) out[1] = zeros_like(inputs[1]);  // of the nearest pixels
      return;
    }
    sampled_backward(g[0], inputs[0], inputs[1], sampling, self.needs(0) ? &out[0] : nullptr,
                     self.needs(1) ? &out[1] : nullptr);
  }
};

// ---- arguments, in torch's words

void check_arguments(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding) {
  check(mode >= 0 && mode <= 2 && padding >= 0 && padding <= 2,
        "grid_sampler(): modes are numbers from 0 to 2, but got ", mode, " and ", padding);
  const int dims = x.dim() - 2;
  check((dims == 2 || dims == 3) && grid.dim() == x.dim(),
        "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes ",
        x.shape(), " and grid with sizes ", grid.shape());
  check(x.size(0) == grid.size(0),
        "grid_sampler(): expected grid and input to have same batch size, but got input with sizes ", x.shape(),
        " and grid with sizes ", grid.shape());
  check(grid.size(grid.dim() - 1) == dims, "grid_sampler(): expected grid to have size ", dims,
        " in last dimension, but got grid with sizes ", grid.shape());
  check(x.dtype() == grid.dtype(), "grid_sampler(): expected input and grid to have the same dtype, but input has ",
        scalar_type_name(x.dtype()), " and grid has ", scalar_type_name(grid.dtype()));
  for (int i = 0; i < dims; ++i)
    check(x.size(2 + i) > 0,
          "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ", x.shape());
  check(mode != 2 || dims == 2, "grid_sampler(): bicubic interpolation only supports 4D input");
  check(is_floating(x.dtype()), ErrorKind::NotImplemented, "\"grid_sampler\" not implemented for '",
        scalar_type_name(x.dtype()), "'");
}

}  // namespace

Tensor grid_sampler(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool corners) {
  check_arguments(x, grid, mode, padding);
  const Sampling s{static_cast<GridMode>(mode), static_cast<GridPadding>(padding), corners};
  const auto compute = [&](int levels, const Tensor& a, const Tensor& b) { return sampled_beneath(levels, a, b, s); };
  const Tensor out = batched_in_front(compute, x, grid);
  if (should_record(x, grid)) record(out, {&x, &grid}, GridSamplerVjp{s, x.dim() - 2, Saved(x), Saved(grid)});
  return out;
}

Tensor grid_sampler_over(int dims, const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool corners) {
  check(x.dim() == dims + 2 && grid.dim() == x.dim(), "grid_sampler(): expected ", dims + 2,
        "D input and grid with same number of dimensions, but got input with sizes ", x.shape(),
        " and grid with sizes ", grid.shape());
  return grid_sampler(x, grid, mode, padding, corners);
}

}  // namespace gradcore
