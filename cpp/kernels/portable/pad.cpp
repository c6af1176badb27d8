#include "kernels/portable/pad.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/portable/elements.h"
#include "kernels/scratch.h"

namespace gradcore::portable {

namespace {

constexpr int64_t kGrain = 1 << 16;  // bytes of a parallel block
constexpr int64_t kShort = 16;       // bytes of a run that is gathered like its ends

// Where each output of a dim comes from. In the middle, from `begin` up to `end`, they follow each other.
struct Sources {
  explicit Sources(const TapDim& d) : at(d.out), count(d.out) {
    fill_taps(d, TapTable<float>{at.data(), count.data(), nullptr, nullptr});
    const int64_t before = d.is_padded() ? d.padding : 0;
    begin = std::clamp<int64_t>(before, 0, d.out);
    end = std::clamp<int64_t>(before + d.size, begin, d.out);
  }
  int64_t operator[](int64_t o) const { return at[o]; }

  Scratch<int32_t> at, count;
  int64_t begin, end;
};

template <class T> void copy_line(T* to, const T* from, const Sources& s, int64_t outs) {
  const int64_t bytes = (s.end - s.begin) * static_cast<int64_t>(sizeof(T));
  if (bytes < kShort) {
    for (int64_t o = 0; o < outs; ++o) to[o] = from[s[o]];
    return;
  }
  for (int64_t o = 0; o < s.begin; ++o) to[o] = from[s[o]];
  copy_run(reinterpret_cast<char*>(to + s.begin), reinterpret_cast<const char*>(from + s[s.begin]), bytes);
  for (int64_t o = s.end; o < outs; ++o) to[o] = from[s[o]];
}

// Places of several channels.
void copy_places(char* to, const char* from, const Sources& s, int64_t outs, int64_t bytes) {
  for (int64_t o = 0; o < outs; ++o) copy_run(to + o * bytes, from + s[o] * bytes, bytes);
}

}  // namespace

void pad(const PadArgs& a) {
  const Sources depth(a.dim[0]), height(a.dim[1]), width(a.dim[2]);
  const int64_t outs = a.dim[2].out, per_plane = a.dim[0].out * a.dim[1].out, lines = a.planes * per_plane;
  const int64_t bytes = a.channels * a.item;
  const int64_t blocks = std::clamp<int64_t>(lines * outs * bytes / kGrain, 1, std::max<int64_t>(1, lines));
  const auto each_line = [&](auto&& copy) {
    parallel_blocks(blocks, [&](int64_t block) {
      const int64_t end = lines * (block + 1) / blocks;
      int64_t line = lines * block / blocks;
      int64_t h = line % a.dim[1].out, d = line / a.dim[1].out % a.dim[0].out, plane = line / per_plane;
      for (; line < end; ++line) {
        const int64_t from = ((plane * a.dim[0].size + depth[d]) * a.dim[1].size + height[h]) * a.dim[2].size;
        copy(line * outs, from);
        if (++h < a.dim[1].out) continue;
        h = 0;
        if (++d < a.dim[0].out) continue;
        d = 0, ++plane;
      }
    });
  };
  if (a.channels > 1)
    return each_line(
        [&](int64_t to, int64_t from) { copy_places(a.out + to * bytes, a.x + from * bytes, width, outs, bytes); });
  visit_item_size(a.item, [&](auto tag) {
    using T = typename decltype(tag)::type;
    each_line([&](int64_t to, int64_t from) {
      copy_line(reinterpret_cast<T*>(a.out) + to, reinterpret_cast<const T*>(a.x) + from, width, outs);
    });
  });
}

}  // namespace gradcore::portable
