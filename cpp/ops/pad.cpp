#include "ops/pad.h"

#include <algorithm>

#include "ops/memory_format.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/tap_sum.h"

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

int64_t padded_size(const Tensor& t, int d, int64_t before, int64_t after) {
  int64_t size;
  if (__builtin_add_overflow(t.size(d), before, &size) || __builtin_add_overflow(size, after, &size))
    fail("pad: the size of dimension ", d, " overflows");
  return size;
}

// The sizes of the result with constants. Raises where one would be negative.
Dims padded_shape(const Tensor& t, const Dims& pad) {
  check(pad.size() % 2 == 0, "Length of pad must be even but instead it equals ", pad.size());
  check(pad.size() <= 2 * t.dim(),
        "Length of pad should be no more than twice the number of dimensions of the input. Pad length is ", pad.size(),
        " while the input has ", t.dim(), " dimensions.");
  Dims shape = t.shape();
  for (int i = 0; i < pad.size() / 2; ++i) {
    const int d = t.dim() - 1 - i;
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    shape[d] = padded_size(t, d, before, after);
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

// ---- padding with what the tensor has

using portable::TapKind;

struct Mode {
  std::string_view name;
  TapKind kind;
  TapNodes nodes[3];  // of one, two and three dims
};
#define GC_NODES(name, dims) {name #dims "DBackward0", name #dims "DBackwardBackward0", true}
#define GC_ALL_NODES(name) {GC_NODES(name, 1), GC_NODES(name, 2), GC_NODES(name, 3)}
constexpr Mode kModes[] = {{"reflect", TapKind::Reflect, GC_ALL_NODES("ReflectionPad")},
                           {"replicate", TapKind::Replicate, GC_ALL_NODES("ReplicationPad")},
                           {"circular", TapKind::Circular, GC_ALL_NODES("CircularPad")}};
#undef GC_ALL_NODES
#undef GC_NODES

const Mode& mode_of(std::string_view name) {
  for (const Mode& m : kModes)
    if (m.name == name) return m;
  fail(ErrorKind::NotImplemented, "Unrecognised padding mode ", name);
}

void check_dim(const Tensor& t, TapKind kind, int d, int64_t before, int64_t after) {
  constexpr int64_t kFar = INT64_MAX / 4;  // farther places would overflow on the way
  check(std::min(before, after) > -kFar && std::max(before, after) < kFar, "pad: the size of dimension ", d,
        " overflows");
  const int64_t size = t.size(d), most = std::max(before, after), total = padded_size(t, d, before, after);
  if (kind == TapKind::Circular) {  // negative numbers cut first; what is left goes round, once
    check(total >= 0 || most > size, "Negative padding value is resulting in an empty dimension");
    const int64_t left = size + std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
    check(most <= size && (total == 0 || most <= left), "Padding value causes wrapping around more than once.");
    return;
  }
  if (kind == TapKind::Reflect)
    check(most < size,
          "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (", before,
          ", ", after, ") at dimension ", d, " of input ", t.shape());
  if (kind == TapKind::Replicate) check(size > 0, "Expected non-empty input for padding, but got: ", t.shape());
  const char name = "WHD"[t.dim() - 1 - d];
  check(total > 0, "input (", name, ": ", size, ") is too small. Calculated output ", name, ": ", total);
}

// Integers, and what the kernel has no numbers for, dim by dim.
Tensor padded_by_index(Tensor t, const Dims& pad, TapKind kind) {
  if (std::ranges::all_of(pad, [](int64_t n) { return n == 0; })) return clone(t);
  for (int i = 0; i < pad.size() / 2; ++i) {
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    if (before == 0 && after == 0) continue;
    const int d = t.dim() - 1 - i;
    const Scalar last(t.size(d) - 1);
    Tensor at = arange(Scalar(-before), Scalar(t.size(d) + after), Scalar(int64_t{1}), DType::Int64);
    if (kind == TapKind::Reflect) at = sub(last, abs(sub(last, abs(at))));
    if (kind == TapKind::Replicate) at = clamp(at, Operand(Scalar(int64_t{0})), Operand(last));
    if (kind == TapKind::Circular) at = remainder(at, Scalar(std::max<int64_t>(t.size(d), 1)));
    t = index_select(t, d, at);
  }
  return t;
}

Tensor padded_by_taps(const Tensor& t, const Dims& pad, const Mode& mode) {
  const int dims = pad.size() / 2;
  TapDims d{dims, {}};
  for (int i = 0; i < dims; ++i) {
    portable::TapDim& along = d[dims - 1 - i];
    along.size = t.size(t.dim() - 1 - i);
    along.out = along.size + pad[2 * i] + pad[2 * i + 1];
    if (pad[2 * i] == 0 && pad[2 * i + 1] == 0) continue;
    along.kind = mode.kind;
    along.padding = pad[2 * i];
  }
  return tap_sum(t, d, 1, mode.nodes[dims - 1]);
}

Tensor padded(const Tensor& t, const Dims& pad, const Mode& mode);

// What negative numbers leave is counted round.
Tensor padded_after_cuts(Tensor t, Dims pad, const Mode& mode) {
  for (int i = 0; i < pad.size() / 2; ++i) {
    const int d = t.dim() - 1 - i;
    int64_t &before = pad[2 * i], &after = pad[2 * i + 1];
    const int64_t size = t.size(d);
    if (padded_size(t, d, before, after) == 0) before = 0, after = -size;
    const int64_t first = std::max<int64_t>(-before, 0), last = std::max<int64_t>(-after, 0);
    if (first || last) t = narrow(t, d, first, size - first - last);
    before = std::max<int64_t>(before, 0), after = std::max<int64_t>(after, 0);
  }
  return padded(t, pad, mode);
}

Tensor padded(const Tensor& t, const Dims& pad, const Mode& mode) {
  const int dims = pad.size() / 2;
  check(dims >= 1 && dims <= 3 && (t.dim() == dims + 1 || t.dim() == dims + 2), ErrorKind::NotImplemented,
        "Padding size ", pad.size(), " is not supported for ", t.dim(),
        "D input tensor: non-constant padding is of the last one, two or three dims of an input with one or two more");
  bool taps = t.dtype() == DType::Float32 || t.dtype() == DType::Float64;
  for (int i = 0; i < dims; ++i) {
    const int d = t.dim() - 1 - i;
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    if (before != 0 || after != 0) check_dim(t, mode.kind, d, before, after);
    const int64_t size = padded_size(t, d, before, after);
    taps &= t.size(d) <= INT32_MAX && size > 0 && size <= INT32_MAX;
  }
  if (t.dtype() == DType::Bool && mode.kind != TapKind::Circular)
    fail(ErrorKind::NotImplemented, "\"", mode.kind == TapKind::Reflect ? "reflection" : "replication", "_pad", dims,
         "d\" not implemented for 'Bool'");
  if (mode.kind == TapKind::Circular && *std::ranges::min_element(pad) < 0) return padded_after_cuts(t, pad, mode);
  taps &= t.numel() > 0;
  const bool plain = mode.kind == TapKind::Circular;  // torch's result is contiguous whatever the order was
  return taps ? padded_by_taps(plain ? contiguous(t) : t, pad, mode) : padded_by_index(t, pad, mode.kind);
}

}  // namespace

Tensor pad(const Tensor& t, const Dims& pad, std::string_view mode, const std::optional<Scalar>& value) {
  check(pad.size() % 2 == 0, "Padding length must be divisible by 2");
  check(pad.size() <= 2 * t.dim(),
        "Padding length should be less than or equal to two times the input dimension but got padding length ",
        pad.size(), " and input of dimension ", t.dim());
  if (mode == "constant") return constant_pad_nd(t, pad, value.value_or(Scalar(int64_t{0})));
  check(!value || value->is_zero(), "Padding mode \"", mode, "\" doesn't take in value argument");
  const Mode& m = mode_of(mode);
  // As torch's list of ops has it, which has no circles and no reflection in three dims.
  const bool listed = m.kind == TapKind::Replicate || (m.kind == TapKind::Reflect && pad.size() < 6);
  const bool widens = modes.autocast && listed && is_floating(t.dtype()) && item_size(t.dtype()) < 4;
  return padded(widens ? cast(t, DType::Float32) : t, pad, m);
}

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
