#include "core/shape.h"

#include <algorithm>
#include <cmath>

namespace gradcore {

void Dims::grow(int n) {
  const int capacity = n > 2 * kInline ? 2 * n : 2 * kInline;
  auto* heap = static_cast<int64_t*>(allocate(sizeof(int64_t) * capacity));
  if (size_) std::memcpy(heap, data(), sizeof(int64_t) * size_);
  drop();
  heap_ = heap;
  capacity_ = capacity;
}

std::string shape_str(std::span<const int64_t> dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i) out += ", ";
    out += std::to_string(dims[i]);
  }
  return out + "]";
}

std::string Dims::str() const { return shape_str(span()); }

bool expandable_to(std::span<const int64_t> shape, std::span<const int64_t> target) {
  if (shape.size() > target.size()) return false;
  const auto tail = target.last(shape.size());
  return std::ranges::equal(shape, tail, [](int64_t n, int64_t m) { return n == 1 || n == m; });
}

void Dims::fail_outside(int i) const { fail("dim ", i, " of a tensor of ", size_, " dims was asked for"); }

// torch makes larger tensors; its reductions refuse them in these words.
void fail_ndim(size_t ndim) { fail("only tensors with up to ", kMaxDims, " dims are supported, not one of ", ndim); }

int64_t checked_numel(std::span<const int64_t> shape) {
  check_ndim(shape.size());
  int64_t n = 1;
  bool zero = false, overflow = false;
  for (int64_t d : shape) {
    if (d < 0) fail("Trying to create tensor with negative dimension ", d, ": ", shape_str(shape));
    zero |= d == 0;
    overflow |= __builtin_mul_overflow(n, d ? d : 1, &n);
  }
  if (overflow || n > INT64_MAX / 16) fail("Storage size calculation overflowed with sizes=", shape_str(shape));
  return zero ? 0 : n;
}

Dims contiguous_strides(std::span<const int64_t> shape) {
  Dims strides(static_cast<int>(shape.size()));
  uint64_t step = 1;  // of a shape that is too large it wraps around: whoever asks for memory refuses it
  for (int i = strides.size() - 1; i >= 0; --i) {
    strides[i] = static_cast<int64_t>(step);
    step *= static_cast<uint64_t>(shape[i] > 1 ? shape[i] : 1);
  }
  return strides;
}

bool is_contiguous(std::span<const int64_t> shape, std::span<const int64_t> strides) {
  int64_t step = 1;
  bool dense = true;
  for (int i = static_cast<int>(shape.size()) - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] == 1) continue;
    dense &= strides[i] == step;
    step *= shape[i];
  }
  return dense;
}

int wrap_dim(int64_t dim, int ndim, bool zero_dim_ok) {
  if (ndim == 0) {
    check(zero_dim_ok, ErrorKind::Index, "Dimension specified as ", dim, " but tensor has no dimensions");
    ndim = 1;
  }
  if (dim < -ndim || dim >= ndim)
    fail(ErrorKind::Index, "Dimension out of range (expected to be in range of [", -ndim, ", ", ndim - 1, "], but got ",
         dim, ")");
  return static_cast<int>(dim < 0 ? dim + ndim : dim);
}

Dims broadcast_shapes(std::span<const int64_t> a, std::span<const int64_t> b) {
  const int na = static_cast<int>(a.size()), nb = static_cast<int>(b.size());
  Dims out(na > nb ? na : nb);
  for (int i = out.size() - 1, ia = na - 1, ib = nb - 1; i >= 0; --i, --ia, --ib) {
    const int64_t da = ia >= 0 ? a[ia] : 1, db = ib >= 0 ? b[ib] : 1;
    if (da != db && da != 1 && db != 1)
      fail("The size of tensor a (", da, ") must match the size of tensor b (", db, ") at non-singleton dimension ", i);
    out[i] = da == 1 ? db : da;
  }
  return out;
}

bool broadcastable_to(std::span<const int64_t> from, std::span<const int64_t> to) {
  if (from.size() > to.size()) return false;
  const size_t shift = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1 && from[i] != to[i + shift]) return false;
  return true;
}

}  // namespace gradcore
