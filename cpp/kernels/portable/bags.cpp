#include "kernels/portable/bags.h"

#include "core/error.h"

namespace gradcore::portable {

void check_bags(const BagsArgs& a) {
  check(
      a.bounds[0] == 0,
      "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ",
      a.bounds[0]);
  for (int64_t b = 0; b < a.bags; ++b)
    check(a.bounds[b] <= a.bounds[b + 1], "embedding_bag: offsets must not decrease, but ", a.bounds[b],
          " stands before ", a.bounds[b + 1]);
  const int64_t end = a.bounds[a.bags];
  check(end <= a.count, "offsets[-1] can not be greater than input's length ", a.count, " but got offsets[-1] of ",
        end);
  uint64_t outside = 0;  // the signs of what is
  for (int64_t i = 0; i < end; ++i) {
    const auto v = static_cast<uint64_t>(a.index[i]);
    outside |= v | (static_cast<uint64_t>(a.rows - 1) - v);
  }
  if (outside >> 63 == 0) return;
  for (int64_t i = 0; i < end; ++i)
    check(a.index[i] >= 0 && a.index[i] < a.rows, "Index ", i, " of input takes value ", a.index[i],
          " which is not in the valid range [0, ", a.rows, ")");
}

}  // namespace gradcore::portable
