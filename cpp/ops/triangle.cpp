// tril and triu: the part of each matrix on one side of a diagonal, zeros on the other. Start at triangle().
#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

namespace {

struct TriangleVjp {
  int64_t diagonal;
  bool upper;
  const char* name() const { return upper ? "TriuBackward0" : "TrilBackward0"; }
  SavedFields fields() { return {{"diagonal", diagonal}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = upper ? triu(g[0], diagonal) : tril(g[0], diagonal);
  }
};

// One row: the lower part is its first `cut` elements, the upper part the rest.
void copy_row(char* to, const char* from, int64_t cut, int64_t columns, int64_t item, bool upper) {
  const size_t low = static_cast<size_t>(cut * item), high = static_cast<size_t>((columns - cut) * item);
  if (upper) {
    std::memset(to, 0, low);
    std::memcpy(to + low, from + low, high);
  } else {
    std::memcpy(to, from, low);
    std::memset(to + low, 0, high);
  }
}

Tensor triangle(const Tensor& t, int64_t diagonal, bool upper) {
  check(t.dim() >= 2, upper ? "triu" : "tril", ": input tensor must have at least 2 dimensions");
  constexpr int64_t kSpan = 128 << 10;  // about the bytes of a block
  if (any_batched(t))
    return record_with_batch_in_front(
        t, [&](const Tensor& p, int) { return triangle(p, diagonal, upper); }, TriangleVjp{diagonal, upper});
  const Tensor out = empty(t.shape(), t.dtype());
  if (out.numel() > 0) {
    const NoRecordGuard off;
    const Tensor in = contiguous(t);
    const int64_t rows = t.size(t.dim() - 2), columns = t.size(t.dim() - 1), item = item_size(t.dtype());
    // Row i is cut before column i + shift.
    const int64_t shift = std::clamp<int64_t>(diagonal, -rows, columns) + (upper ? 0 : 1);
    const int64_t lines = out.numel() / columns, pitch = columns * item;
    const int64_t blocks = std::clamp<int64_t>(lines * pitch / kSpan, 1, lines);
    parallel_blocks(blocks, [&](int64_t b) {
      for (int64_t line = lines * b / blocks; line < lines * (b + 1) / blocks; ++line) {
        const int64_t cut = std::clamp<int64_t>(line % rows + shift, 0, columns);
        copy_row(out.data<char>() + line * pitch, in.data<char>() + line * pitch, cut, columns, item, upper);
      }
    });
  }
  if (should_record(t)) record(out, {&t}, TriangleVjp{diagonal, upper});
  return out;
}

}  // namespace

Tensor tril(const Tensor& t, int64_t diagonal) { return triangle(t, diagonal, false); }
Tensor triu(const Tensor& t, int64_t diagonal) { return triangle(t, diagonal, true); }

}  // namespace gradcore
