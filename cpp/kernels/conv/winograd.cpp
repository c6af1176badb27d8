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
  const V w0 = w[0], w1 = w[step], w2 = w[2 * step];
  V even_a = of_a * w0 + (of_a * kAA) * w2, odd_a = (of_a * kA) * w1;
  V even_b = of_b * w0 + (of_b * kBB) * w2, odd_b = (of_b * kB) * w1;
  if constexpr (kTaps == 5) {
    const V w3 = w[3 * step], w4 = w[4 * step];
    even_a += (of_a * kAA * kAA) * w4, odd_a += (of_a * kA * kAA) * w3;
    even_b += (of_b * kBB * kBB) * w4, odd_b += (of_b * kB * kBB) * w3;
  }
  out[0] = of_0 * w0;
  out[out_step] = even_a + odd_a;
  out[2 * out_step] = even_a - odd_a;
  out[3 * out_step] = even_b + odd_b;
  out[4 * out_step] = even_b - odd_b;
  out[5 * out_step] = w[(kTaps - 1) * step];
}
template <int kOuts> GC_INLINE void interpolate(const V* m, V* out) {
  const V even_a = m[1] + m[2], odd_a = m[1] - m[2];
  const V even_b = m[3] + m[4], odd_b = m[3] - m[4];
  out[0] = m[0] + even_a + even_b;
  if constexpr (kOuts == 2) {
    out[1] = kA * odd_a + (kB * odd_b + m[5]);
  } else {
    out[1] = kA * odd_a + kB * odd_b;
    out[2] = kAA * even_a + kBB * even_b;
    out[3] = (kA * kAA) * odd_a + ((kB * kBB) * odd_b + m[5]);
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
Plan plan_winograd(const Windows<float>& p) {
  Plan plan{};
  plan.taps = p.axis[1].taps, plan.step = outs_of(plan.taps);
  plan.down = ceil_div(p.axis[1].out, plan.step), plan.across = ceil_div(p.axis[2].out, plan.step);
  plan.channels = round_up(p.c, kL), plan.outs = round_up(p.o, kL);
  const int64_t each = kPoints * (plan.channels + plan.outs) * static_cast<int64_t>(sizeof(float));
  const int64_t most = larger(2 * kTileRows, kBlockBytes / each / kTileRows * kTileRows);
  plan.rows = even_part(plan.down, larger(1, most / plan.across));
  plan.blocks_down = ceil_div(plan.down, plan.rows);
  plan.images = plan.blocks_down > 1 ? 1 : smaller(p.n, larger(1, most / (plan.rows * plan.across)));
  // Enough blocks for all threads.
  const int64_t threads = num_threads();
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

void read_block(const Windows<float>& p, const Plan& plan, const Block& b, const Buffers& buffers) {
  const Axis &d = p.axis[0], &h = p.axis[1], &w = p.axis[2];
  const int64_t C = plan.channels, depth = d.first + b.d * d.step;
  for (int64_t k = 0; k < b.images; ++k) {
    const float* const from = p.source(b.image + k, b.group) + depth * d.from_step;
    channel_blocks<float>(p.c, p.from_c, [&](int64_t c, int64_t cs) {
      for (int64_t r = 0; r < plan.step * b.rows + plan.taps - 1; ++r) {
        const int64_t y = h.first + plan.step * b.row + r;
        const bool inside = y >= 0 && y < h.in && depth >= 0 && depth < d.in;
        pack_row_last(inside ? from + y * h.from_step + c * p.from_c : nullptr, w.from_step, p.from_c, cs, w.first,
                      plan.width, w.in, buffers.strip.data() + r * plan.width * C + c, C);
      }
    });
    transform_tiles(plan, buffers.strip.data(), b.rows, buffers.source.data() + k * b.rows * plan.across * C,
                    plan.source_step());
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
  const Plan plan = plan_winograd(p);
  const int64_t group = kPoints * p.c * plan.outs, slices = p.axis[0].out;
  const Scratch<float> weights(p.groups * group);
  (plan.taps == 3 ? transform_all_weights<3> : transform_all_weights<5>)(p, plan, weights.data());
  const int64_t image_blocks = ceil_div(p.n, plan.images);
  parallel_blocks(p.groups * slices * image_blocks * plan.blocks_down, [&](int64_t at) {
    Block b{};
    b.row = at % plan.blocks_down * plan.rows;
    b.rows = smaller(plan.rows, plan.down - b.row);
    at /= plan.blocks_down;
    b.image = at % image_blocks * plan.images;
    b.images = smaller(plan.images, p.n - b.image);
    b.d = at / image_blocks % slices;
    b.group = at / image_blocks / slices;
    const Buffers buffers(plan);
    read_block(p, plan, b, buffers);
    multiply_points(p, plan, buffers.source.data(), weights.data() + b.group * group, b.images * b.rows * plan.across,
                    buffers.products.data());
    write_block(p, plan, b, buffers);
  });
}

}  // namespace gradcore::GC_ISA
