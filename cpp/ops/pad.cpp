#include "ops/pad.h"

#include <algorithm>

#include "ops/memory_format.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

namespace {

struct ConstantPadNdVjp {
  static constexpr const char* kName = "ConstantPadNdBackward0";
  Dims pad;
  SavedFields fields() { return {{"pad", pad}}; }
  // What was cut gets zeros, what was added is cut.
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) {
    Dims back = pad;
    for (int i = 0; i < back.size(); ++i) back[i] = -back[i];
    out[0] = constant_pad_nd(g[0], back, Scalar(int64_t{0}));
  }
};

// The sizes of the result. Raises where one would be negative.
Dims padded_shape(const Tensor& t, const Dims& pad) {
  check(pad.size() % 2 == 0, "Length of pad must be even but instead it equals ", pad.size());
  check(pad.size() <= 2 * t.dim(),
        "Length of pad should be no more than twice the number of dimensions of the input. Pad length is ", pad.size(),
        " while the input has ", t.dim(), " dimensions.");
  Dims shape = t.shape();
  for (int i = 0; i < pad.size() / 2; ++i) {
    const int d = t.dim() - 1 - i;
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    int64_t with_before = 0;
    if (__builtin_add_overflow(shape[d], before, &with_before) || __builtin_add_overflow(with_before, after, &shape[d]))
      fail("pad: the size of dimension ", d, " overflows");
    check(shape[d] >= 0 && -before <= t.size(d) && -after <= t.size(d), "The input size ", t.size(d),
          ", plus negative padding ", before, " and ", after,
          " resulted in a negative output size, which is invalid. Check dimension ", d, " of your input.");
  }
  return shape;
}

// The elements of `t` that both tensors have: `before` and `after` as the one that `t` is cut by them.
Tensor common_part(Tensor t, const Dims& pad, int sign) {
  for (int i = 0; i < pad.size() / 2; ++i) {
    const int64_t first = std::max<int64_t>(0, sign * pad[2 * i]), last = std::max<int64_t>(0, sign * pad[2 * i + 1]);
    const int d = t.dim() - 1 - i;
    if (first || last) t = narrow(t, d, first, std::max<int64_t>(0, t.size(d) - first - last));
  }
  return t;
}

}  // namespace

Tensor constant_pad_nd(const Tensor& t, const Dims& pad, const Scalar& value) {
  const Dims shape = padded_shape(t, pad);
  Tensor out;
  {
    const NoRecordGuard off;
    out = empty_in(levels_of({&t}), shape, t.dtype(), suggested_format(t));
    fill_(out, value);
    copy_(common_part(out, pad, 1), common_part(t, pad, -1));
    out = out.as_new();
  }
  if (should_record(t)) record(out, {&t}, ConstantPadNdVjp{pad});
  return out;
}

}  // namespace gradcore
