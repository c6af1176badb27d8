// 3 x 3 windows by Winograd's algorithm F(4 x 4, 3 x 3): 36 products instead of 144 for each 4 x 4 outputs of a channel
// pair; and 5 x 5 windows by F(2 x 2, 5 x 5), 36 products instead of 100. Start at sum_by_winograd(). After A. Lavin,
// S. Gray, "Fast algorithms for convolutional neural networks", 2016.
//
// Note [Winograd]
// A tile of 6 x 6 places of the source and the weights are each taken for polynomials, in both directions, and
// evaluated at the points 0, a, -a, b, -b and infinity; there the product of the polynomials is the product of values,
// and the sum over channels is 36 matrix products, one for each pair of points. Interpolation leads back to the
// outputs. The points decide the rounding errors: with 1 and 2, as they are often taken, these are 7 times those of the
// plain sum, with 0.625 and 1.5 twice (tests/nn/test_convolution.py).
//
// Everything has channels side by side: a vector holds one element of the tiles of as many channels.
#include "core/parallel.h"
#include "kernels/conv/last.h"
#include "kernels/conv/ways.h"

namespace gradcore::GC_ISA {
namespace {

constexpr float kA = 0.625f, kB = 1.5f;
constexpr float kAA = kA * kA, kBB = kB * kB;
constexpr int kTile = 6, kPoints = kTile * kTile;
constexpr int64_t kL = kLanes<float>;
constexpr int64_t kMostWeights = 4 << 20;  // pairs of channels: transformed they take 600 MB
constexpr int64_t kBlockBytes = 1 << 20;   // of transformed source and outputs: about the second cache
using V = Vec<float>;
constexpr int64_t outs_of(int64_t taps) { return kTile + 1 - taps; }

// The values of a polynomial of degree 5, given by the coefficients that make interpolation simple.
GC_INLINE void transform_source(const V* d, int64_t step, V* out, int64_t out_step) {
  const V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  const V even_a = d4 - kBB * d2, odd_a = kA * (d3 - kBB * d1);
  const V even_b = d4 - kAA * d2, odd_b = kB * (d3 - kAA * d1);
  out[0] = kAA * kBB * d0 + (d4 - (kAA + kBB) * d2);
  out[out_step] = even_a + odd_a;
  out[2 * out_step] = even_a - odd_a;
  out[3 * out_step] = even_b + odd_b;
  out[4 * out_step] = even_b - odd_b;
  out[5 * out_step] = kAA * kBB * d1 + (d5 - (kAA + kBB) * d3);
}
template <int kTaps> GC_INLINE void transform_weights(const V* w, int64_t step, V* out, int64_t out_step) {
  constexpr float of_0 = 1 / (kAA * kBB), of_a = 1 / (2 * kAA * (kAA - kBB)), of_b = 1 / (2 * kBB * (kBB - kAA));
  V even_a = of_a * w[0], odd_a = (of_a * kA) * w[step];
  V even_b = of_b * w[0], odd_b = (of_b * kB) * w[step];
  if constexpr (kTaps > 2) even_a += (of_a * kAA) * w[2 * step], even_b += (of_b * kBB) * w[2 * step];
  if constexpr (kTaps > 3) odd_a += (of_a * kA * kAA) * w[3 * step], odd_b += (of_b * kB * kBB) * w[3 * step];
  if constexpr (kTaps > 4) even_a += (of_a * kAA * kAA) * w[4 * step], even_b += (of_b * kBB * kBB) * w[4 * step];
  out[0] = of_0 * w[0];
  out[out_step] = even_a + odd_a;
  out[2 * out_step] = even_a - odd_a;
  out[3 * out_step] = even_b + odd_b;
  out[4 * out_step] = even_b - odd_b;
  out[5 * out_step] = w[(kTaps - 1) * step];
}
template <int kOuts> GC_INLINE void interpolate(const V* m, V* out) {
  const V of_a[2] = {m[1] + m[2], m[1] - m[2]}, of_b[2] = {m[3] + m[4], m[3] - m[4]};
  out[0] = m[0] + of_a[0] + of_b[0];
  float a = 1, b = 1;  // powers of the points
#pragma GCC unroll 5
  for (int j = 1; j < kOuts; ++j) {
    a *= kA, b *= kB;
    const V rest = b * of_b[j % 2];
    out[j] = a * of_a[j % 2] + (j == kOuts - 1 ? rest + m[5] : rest);
  }
}

// How the work is cut: blocks of rows of tiles, or of whole images.
struct Plan {
  int64_t taps, step;      // of windows, and from one tile to the next: the outputs of a tile in each direction
  int64_t down, across;    // tiles of an image
  int64_t rows, images;    // rows of tiles of an image, and images, of a block
  int64_t blocks_down;     // blocks of an image
  int64_t channels, outs;  // filled up to whole vectors
  int64_t width, height;   // of the strip of one image
  int64_t tiles() const { return images * rows * across; }
  // From one point to the next, with a line between: steps of 4096 bytes would all fall into one set of the cache.
  int64_t source_step() const { return tiles() * channels + kL; }
  int64_t product_step() const { return tiles() * outs + kL; }
};
Plan plan_winograd(const Windows<float>& p, int64_t block_bytes, int64_t threads) {
  Plan plan{};
  plan.taps = p.axis[1].taps, plan.step = outs_of(plan.taps);
  plan.down = ceil_div(p.axis[1].out, plan.step), plan.across = ceil_div(p.axis[2].out, plan.step);
  plan.channels = round_up(p.c, kL), plan.outs = round_up(p.o, kL);
  const int64_t each = kPoints * (plan.channels + plan.outs) * static_cast<int64_t>(sizeof(float));
  const int64_t most = larger(2 * kTileRows, block_bytes / each / kTileRows * kTileRows);
  plan.rows = even_part(plan.down, larger(1, most / plan.across));
  plan.blocks_down = ceil_div(plan.down, plan.rows);
  plan.images = plan.blocks_down > 1 ? 1 : smaller(p.n, larger(1, most / (plan.rows * plan.across)));
  // Enough blocks for all threads.
  while (threads > 1 && plan.images > 1 && ceil_div(p.n, plan.images) * p.groups < 2 * threads)
    plan.images = ceil_div(plan.images, 2);
  while (threads > 1 && plan.rows > 1 && p.n * p.groups * plan.blocks_down < threads && plan.images == 1) {
    plan.rows = ceil_div(plan.rows, 2);
    plan.blocks_down = ceil_div(plan.down, plan.rows);
  }
  plan.width = plan.step * plan.across + plan.taps - 1, plan.height = plan.step * plan.rows + plan.taps - 1;
  return plan;
}

// The weights of one input channel and a vector of output channels, as vectors in the order of taps.
template <int kTaps> GC_INLINE void load_weights(const Windows<float>& p, const float* w, int64_t outs, V* taps) {
  const Axis &h = p.axis[1], &x = p.axis[2];
  if (h.w_step == kTaps && x.w_step == 1) {
    constexpr int64_t kAll = kTaps * kTaps;
    alignas(64) float rows[(kAll + kL) * kL];
    for (int64_t j = 0; j < kAll; j += kL) transpose(w + j, p.w_o, outs, smaller(kL, kAll - j), rows + j * kL, kL);
    for (int64_t i = 0; i < kTaps; ++i)
      for (int64_t j = 0; j < kTaps; ++j)
        taps[kTaps * i + j] = load(rows + ((h.tap + i * h.tap_step) * kTaps + x.tap + j * x.tap_step) * kL);
    return;
  }
  for (int64_t i = 0; i < kTaps; ++i)
    for (int64_t j = 0; j < kTaps; ++j) {
      const float* const at = w + (h.tap + i * h.tap_step) * h.w_step + (x.tap + j * x.tap_step) * x.w_step;
      V v{};
      for (int64_t o = 0; o < outs; ++o) v[o] = at[o * p.w_o];
      taps[kTaps * i + j] = v;
    }
}

// [groups][points][panels of outputs][channels][kTileCols], the last panel of as many columns as there are.
template <int kTaps> void transform_all_weights(const Windows<float>& p, const Plan& plan, float* to) {
  constexpr int64_t kPanel = kTileCols<float>;
  const int64_t blocks = plan.outs / kL, point = p.c * plan.outs;
  parallel_blocks(p.groups * blocks, [&](int64_t at) {
    const int64_t group = at / blocks, o = at % blocks * kL, panel = o / kPanel * kPanel;
    const int64_t wide = smaller(kPanel, plan.outs - panel);
    const float* const w = p.w + group * p.w_g + o * p.w_o;
    float* const out = to + group * kPoints * point + panel * p.c + (o - panel);
    for (int64_t c = 0; c < p.c; ++c) {
      V taps[kTaps * kTaps], half[kTaps * kTile], full[kPoints];
      load_weights<kTaps>(p, w + c * p.w_c, smaller(kL, p.o - o), taps);
      for (int j = 0; j < kTaps; ++j) transform_weights<kTaps>(taps + j, kTaps, half + j, kTaps);
      for (int i = 0; i < kTile; ++i) transform_weights<kTaps>(half + kTaps * i, 1, full + kTile * i, 1);
      for (int i = 0; i < kPoints; ++i) store(out + i * point + c * wide, full[i]);
    }
  });
}

// Tiles of a strip to [points][tiles][channels].
void transform_tiles(const Plan& plan, const float* strip, int64_t rows, float* to, int64_t apart) {
  const int64_t C = plan.channels, line = plan.width * C;
  for (int64_t ty = 0; ty < rows; ++ty)
    for (int64_t tx = 0; tx < plan.across; ++tx, to += C) {
      const float* const from = strip + plan.step * (ty * line + tx * C);
      for (int64_t c = 0; c < C; c += kL) {
        V half[kPoints], full[kTile];
#pragma GCC unroll 6
        for (int j = 0; j < kTile; ++j) {
          V d[kTile];
#pragma GCC unroll 6
          for (int i = 0; i < kTile; ++i) d[i] = load(from + i * line + j * C + c);
          transform_source(d, 1, half + j, kTile);
        }
        for (int i = 0; i < kTile; ++i) {
          transform_source(half + kTile * i, 1, full, 1);
#pragma GCC unroll 6
          for (int j = 0; j < kTile; ++j) store(to + (kTile * i + j) * apart + c, full[j]);
        }
      }
    }
}

// 36 products: [tiles][channels] times [channels][outputs].
void multiply_points(const Windows<float>& p, const Plan& plan, const float* source, const float* weights,
                     int64_t tiles, float* to) {
  constexpr int64_t kPanel = kTileCols<float>;
  const int64_t rows = even_part(tiles, kTileRows);
  for (int64_t point = 0; point < kPoints; ++point)
    for (int64_t o = 0; o < plan.outs; o += kPanel) {
      const int64_t wide = smaller(kPanel, plan.outs - o);
      const float* const b = weights + (point * plan.outs + o) * p.c;
      for (int64_t t = 0; t < tiles; t += rows) {
        Tile<float> tile{p.c,  source + point * plan.source_step() + t * plan.channels, plan.channels, 1, b,
                         wide, to + point * plan.product_step() + t * plan.outs + o,    plan.outs,     0, false};
        tile_fns(tile, wide)[smaller(rows, tiles - t) - 1](tile);
      }
    }
}

// A row of tiles to rows of outputs, [kOuts][kOuts * across][outs].
template <int kOuts>
void interpolate_row(const Plan& plan, const float* products, const float* bias, int64_t o, float* to) {
  const int64_t O = plan.outs, apart = plan.product_step(), line = kOuts * plan.across * O;
  for (int64_t tx = 0; tx < plan.across; ++tx, products += O, to += kOuts * O)
    for (int64_t c = 0; c < O; c += kL) {
      const V b = bias ? load_part(bias + c, smaller(kL, o - c)) : V{};
      V half[kOuts * kTile];
#pragma GCC unroll 6
      for (int j = 0; j < kTile; ++j) {
        V m[kTile], out[kOuts];
#pragma GCC unroll 6
        for (int i = 0; i < kTile; ++i) m[i] = load(products + (kTile * i + j) * apart + c);
        interpolate<kOuts>(m, out);
#pragma GCC unroll 4
        for (int i = 0; i < kOuts; ++i) half[kTile * i + j] = out[i];
      }
      for (int i = 0; i < kOuts; ++i) {
        V out[kOuts];
        interpolate<kOuts>(half + kTile * i, out);
#pragma GCC unroll 4
        for (int j = 0; j < kOuts; ++j) store(to + i * line + j * O + c, out[j] + b);
      }
    }
}

struct Buffers {
  Scratch<float> strip, source, products, rows;
  explicit Buffers(const Plan& plan)
      : strip(plan.height * plan.width * plan.channels),
        source(kPoints * plan.source_step()),
        products(kPoints * plan.product_step()),
        rows(plan.step * plan.step * plan.across * plan.outs) {}
};

// What a block covers: images from `image` on, in the slice at `d` of group `group`, rows of tiles from `row` on.
struct Block {
  int64_t group, d, image, images, row, rows;
};

// Blocks of a group, and which one is which.
int64_t block_count(const Windows<float>& p, const Plan& plan) {
  return ceil_div(p.n, plan.images) * p.axis[0].out * plan.blocks_down;
}
Block block_at(const Windows<float>& p, const Plan& plan, int64_t at) {
  const int64_t image_blocks = ceil_div(p.n, plan.images), above = at / plan.blocks_down;
  Block b{};
  b.row = at % plan.blocks_down * plan.rows;
  b.rows = smaller(plan.rows, plan.down - b.row);
  b.image = above % image_blocks * plan.images;
  b.images = smaller(plan.images, p.n - b.image);
  b.d = above / image_blocks % p.axis[0].out;
  b.group = above / image_blocks / p.axis[0].out;
  return b;
}

// Rows y .. y + rows of a plane, null for one of zeros, and `width` places of each, with zeros for what lies outside:
// [rows][width][pitch].
GC_OUTLINE void pack_plane(const float* plane, int64_t h_in, int64_t w_in, int64_t h_step, int64_t w_step, int64_t y,
                           int64_t rows, int64_t first, int64_t width, int64_t channels, int64_t channel, float* strip,
                           int64_t pitch) {
  channel_blocks<float>(channels, channel, [&](int64_t c, int64_t cs) {
    for (int64_t r = 0; r < rows; ++r) {
      const bool inside = plane && y + r >= 0 && y + r < h_in;
      pack_row_last(inside ? plane + (y + r) * h_step + c * channel : nullptr, w_step, channel, cs, first, width, w_in,
                    strip + r * width * pitch + c, pitch);
    }
  });
}

// The first image of a block, to [points][tiles][channels].
void read_tiles(const Windows<float>& p, const Plan& plan, const Block& b, float* strip, float* to) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t depth = d.first + b.d * d.step;
  const bool inside = depth >= 0 && depth < d.in;
  pack_plane(inside ? p.source(b.image, b.group) + depth * d.from_step : nullptr, h.in, w.in, h.from_step, w.from_step,
             h.first + plan.step * b.row, plan.step * b.rows + plan.taps - 1, w.first, plan.width, p.c, p.from_c, strip,
             plan.channels);
  transform_tiles(plan, strip, b.rows, to, plan.source_step());
}

void read_block(const Windows<float>& p, const Plan& plan, const Block& b, const Buffers& buffers) {
  for (int64_t k = 0; k < b.images; ++k) {
    Block one = b;
    one.image += k;
    read_tiles(p, plan, one, buffers.strip.data(), buffers.source.data() + k * b.rows * plan.across * plan.channels);
  }
}

void write_block(const Windows<float>& p, const Plan& plan, const Block& b, const Buffers& buffers) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t O = plan.outs, step = w.dst_step * w.to_step;
  const float* const bias = p.bias ? p.bias + b.group * p.o : nullptr;
  for (int64_t k = 0; k < b.images; ++k)
    for (int64_t ty = 0; ty < b.rows; ++ty) {
      (plan.taps == 3 ? interpolate_row<outs_of(3)>
                      : interpolate_row<outs_of(5)>)(plan,
                                                     buffers.products.data() + (k * b.rows + ty) * plan.across * O,
                                                     bias, p.o, buffers.rows.data());
      float* const to = p.target(b.image + k, b.group) + b.d * d.dst_step * d.to_step;
      const int64_t y0 = plan.step * (b.row + ty);
      // Whole rows without gaps are one.
      const bool one = w.out == plan.step * plan.across && h.dst_step * h.to_step == w.out * step;
      const int64_t rows = smaller(plan.step, h.out - y0), runs = one ? 1 : rows;
      channel_blocks<float>(p.o, p.to_c, [&](int64_t c, int64_t cs) {
        for (int64_t y = 0; y < runs; ++y)
          scatter_last(buffers.rows.data() + y * plan.step * plan.across * O + c, O,
                       Run2<float>{to + (y0 + y) * h.dst_step * h.to_step + c * p.to_c, step, p.to_c,
                                   one ? rows * w.out : w.out, cs});
      });
    }
}

// ---- the gradient of the weights

// The weights of the sum over the places of a tile, whose outputs are the gradient, are the gradients of its outputs:
// F(3 x 3, 4 x 4) and F(5 x 5, 2 x 2), in the same points. The tiles of a block are added
// up before they are interpolated; what blocks say is added afterwards, where rounding errors are not multiplied.
constexpr int64_t kGradientBytes = 4 << 20;  // of a block: the sums, which are many, are interpolated for each
constexpr int64_t kChain = 32;  // tiles that are added to each other before they are to the rest: smaller errors
constexpr int64_t kMostGradients = 256 << 10;  // pairs of channels: their sums take 38 MB

// Tiles of an image's outputs to [points][tiles][outs].
template <int kOuts>
void transform_outputs(const Windows<float>& p, const Plan& plan, const Block& b, int64_t image, float* strip,
                       float* to) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t O = plan.outs, apart = plan.product_step(), width = kOuts * plan.across, line = width * O;
  pack_plane(p.target(image, b.group) + b.d * d.to_step, h.out, w.out, h.to_step, w.to_step, kOuts * b.row,
             kOuts * b.rows, 0, width, p.o, p.to_c, strip, O);
  for (int64_t ty = 0; ty < b.rows; ++ty)
    for (int64_t tx = 0; tx < plan.across; ++tx, to += O) {
      const float* const at = strip + kOuts * (ty * line + tx * O);
      for (int64_t o = 0; o < O; o += kL) {
        V y[kOuts * kOuts], half[kOuts * kTile], full[kTile];
        for (int i = 0; i < kOuts; ++i)
          for (int j = 0; j < kOuts; ++j) y[kOuts * i + j] = load(at + i * line + j * O + o);
        for (int j = 0; j < kOuts; ++j) transform_weights<kOuts>(y + j, kOuts, half + j, kOuts);
        for (int i = 0; i < kTile; ++i) {
          transform_weights<kOuts>(half + kOuts * i, 1, full, 1);
          for (int j = 0; j < kTile; ++j) store(to + (kTile * i + j) * apart + o, full[j]);
        }
      }
    }
}

// [channels][tiles] times [tiles][outs]: the sums of a block at a point.
void add_point(const Windows<float>& p, const Plan& plan, const float* source, const float* outputs, int64_t tiles,
               float* to) {
  const int64_t rows = even_part(p.c, kTileRows);
  for (int64_t o = 0; o < plan.outs; o += kTileCols<float>)
    for (int64_t c = 0; c < p.c; c += rows)
      for (int64_t t = 0; t < tiles; t += kChain) {
        const int64_t wide = smaller(kTileCols<float>, plan.outs - o);
        Tile<float> tile{smaller(kChain, tiles - t),
                         source + t * plan.channels + c,
                         1,
                         plan.channels,
                         outputs + t * plan.outs + o,
                         plan.outs,
                         to + c * plan.outs + o,
                         plan.outs,
                         0,
                         t > 0};
        tile_fns(tile, wide)[smaller(rows, p.c - c) - 1](tile);
      }
}

template <int kTaps>
void interpolate_weights(const Windows<float>& p, const Plan& plan, const float* sums, bool first, float* w) {
  const int64_t point = p.c * plan.outs;
  for (int64_t c = 0; c < p.c; ++c)
    for (int64_t o = 0; o < p.o; o += kL) {
      V half[kTaps * kTile];
      for (int j = 0; j < kTile; ++j) {
        V m[kTile], out[kTaps];
        for (int i = 0; i < kTile; ++i) m[i] = load(sums + (kTile * i + j) * point + c * plan.outs + o);
        interpolate<kTaps>(m, out);
        for (int i = 0; i < kTaps; ++i) half[kTile * i + j] = out[i];
      }
      for (int i = 0; i < kTaps; ++i) {
        V out[kTaps];
        interpolate<kTaps>(half + kTile * i, out);
        for (int j = 0; j < kTaps; ++j)
          for (int64_t l = 0; l < smaller(kL, p.o - o); ++l) {
            float& at = w[(o + l) * p.w_o + c * p.w_c + i * p.axis[1].w_step + j * p.axis[2].w_step];
            at = first ? out[j][l] : at + out[j][l];
          }
      }
    }
}

}  // namespace

bool fits_winograd(const Windows<float>& p) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const auto plain = [](const Axis& a) { return (a.taps == 3 || a.taps == 5) && a.step == 1 && a.apart == 1; };
  if (h.taps != w.taps || d.taps != 1 || d.tap != 0 || !plain(h) || !plain(w) || p.c < 16 || p.o < 16) return false;
  if (p.groups * p.c * p.o > kMostWeights) return false;
  const int64_t outs = outs_of(h.taps), down = ceil_div(h.out, outs), across = ceil_div(w.out, outs);
  // The weights' transform must pay, and the tiles be full for the most part.
  return p.n * d.out * down * across >= 16 && 2 * h.out * w.out >= outs * outs * down * across;
}

void sum_by_winograd(const Windows<float>& p) {
  const Plan plan = plan_winograd(p, kBlockBytes, num_threads());
  const int64_t group = kPoints * p.c * plan.outs;
  const Scratch<float> weights(p.groups * group);
  (plan.taps == 3 ? transform_all_weights<3> : transform_all_weights<5>)(p, plan, weights.data());
  parallel_blocks(p.groups * block_count(p, plan), [&](int64_t at) {
    const Block b = block_at(p, plan, at);
    const Buffers buffers(plan);
    read_block(p, plan, b, buffers);
    multiply_points(p, plan, buffers.source.data(), weights.data() + b.group * group, b.images * b.rows * plan.across,
                    buffers.products.data());
    write_block(p, plan, b, buffers);
  });
}

bool differentiate_by_winograd(const Windows<float>& p, float* w) {
  if (!fits_winograd(p) || p.c * p.o > kMostGradients) return false;
  // Cut by the shape alone: it decides the order of the sums.
  const Plan plan = plan_winograd(p, kGradientBytes, 1);
  const int64_t point = p.c * plan.outs, blocks = block_count(p, plan);
  const Scratch<float> sums(kPoints * point), source(kPoints * plan.source_step()), outs(kPoints * plan.product_step());
  for (int64_t at = 0; at < p.groups * blocks; ++at) {
    const Block all = block_at(p, plan, at);
    const int64_t each = all.rows * plan.across;
    parallel_blocks(all.images, [&](int64_t k) {
      Block b = all;
      b.image += k, b.images = 1;
      const Scratch<float> strip(
          larger(plan.height * plan.width * plan.channels, plan.step * plan.step * all.rows * plan.across * plan.outs));
      read_tiles(p, plan, b, strip.data(), source.data() + k * each * plan.channels);
      (plan.taps == 3
           ? transform_outputs<outs_of(3)>
           : transform_outputs<outs_of(5)>)(p, plan, b, b.image, strip.data(), outs.data() + k * each * plan.outs);
    });
    parallel_blocks(kPoints, [&](int64_t i) {
      add_point(p, plan, source.data() + i * plan.source_step(), outs.data() + i * plan.product_step(),
                all.images * each, sums.data() + i * point);
    });
    (plan.taps == 3 ? interpolate_weights<3> : interpolate_weights<5>)(p, plan, sums.data(), at % blocks == 0,
                                                                       w + all.group * p.w_g);
  }
  return true;
}

}  // namespace gradcore::GC_ISA
