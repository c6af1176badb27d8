// Dims: a short vector of int64 for shapes, strides and dim lists; and the arithmetic of shapes.
#pragma once
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>

#include "core/allocator.h"
#include "core/error.h"

namespace gradcore {

// A tensor has no more dims. Whatever makes one asks check_ndim(), so that all others may count on it.
constexpr int kMaxDims = 64;
[[noreturn]] void fail_ndim(size_t ndim);
inline void check_ndim(size_t ndim) {
  if (ndim > kMaxDims) [[unlikely]]
    fail_ndim(ndim);
}

// Five dims live inside; longer ones go to the pool.
class Dims {
 public:
  Dims() = default;
  explicit Dims(int n, int64_t value = 0) {
    resize(n);
    for (int i = 0; i < n; ++i) data()[i] = value;
  }
  Dims(std::initializer_list<int64_t> v) : Dims(std::span<const int64_t>(v.begin(), v.size())) {}
  explicit Dims(std::span<const int64_t> v) {
    resize(static_cast<int>(v.size()));
    if (!v.empty()) std::memcpy(data(), v.data(), v.size() * sizeof(int64_t));
  }
  Dims(const Dims& o) { assign(o); }
  Dims(Dims&& o) noexcept { take(o); }
  Dims& operator=(const Dims& o) {
    if (this != &o) assign(o);
    return *this;
  }
  Dims& operator=(Dims&& o) noexcept {
    if (this != &o) {
      drop();
      take(o);
    }
    return *this;
  }
  ~Dims() { drop(); }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t* data() { return capacity_ > kInline ? heap_ : inline_; }
  const int64_t* data() const { return capacity_ > kInline ? heap_ : inline_; }
  int64_t& operator[](int i) {
    expect_inside(i);
    return data()[i];
  }
  int64_t operator[](int i) const {
    expect_inside(i);
    return data()[i];
  }
  // Of a tensor that an op was given. It may have other dims by now: Note [Python in the middle] in autograd/node.h.
  int64_t at(int i) const {
    if (static_cast<unsigned>(i) >= static_cast<unsigned>(size_)) [[unlikely]]
      fail_outside(i);
    return data()[i];
  }
  int64_t back() const { return (*this)[size_ - 1]; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  std::span<const int64_t> span() const { return {data(), static_cast<size_t>(size_)}; }
  operator std::span<const int64_t>() const { return span(); }

  // Keeps what is there; new entries are not initialised.
  void resize(int n) {
    if (n > capacity_) grow(n);
    size_ = n;
  }
  void push_back(int64_t v) {
    resize(size_ + 1);
    data()[size_ - 1] = v;
  }
  void insert(int at, int64_t v) {
    resize(size_ + 1);
    int64_t* d = data();
    std::memmove(d + at + 1, d + at, sizeof(int64_t) * (size_ - 1 - at));
    d[at] = v;
  }
  void erase(int at) {
    int64_t* d = data();
    std::memmove(d + at, d + at + 1, sizeof(int64_t) * (size_ - 1 - at));
    --size_;
  }
  [[gnu::always_inline]] friend bool operator==(const Dims& a, const Dims& b) {
    if (a.size_ != b.size_) return false;
    const int64_t *x = a.data(), *y = b.data();
    for (int i = 0; i < a.size_; ++i)
      if (x[i] != y[i]) return false;
    return true;
  }
  // As torch writes a shape: [2, 3].
  std::string str() const;

 private:
  static constexpr int kInline = 5;
  // Looked at in developer builds alone. What may have changed under an op asks at().
  void expect_inside([[maybe_unused]] int i) const {
#ifdef GRADCORE_DEVELOPER
    if (i < 0 || i >= size_) [[unlikely]]
      fail_outside(i);
#endif
  }
  [[noreturn, gnu::cold]] void fail_outside(int i) const;
  void grow(int n);
  void assign(const Dims& o) {
    if (capacity_ == kInline && o.capacity_ == kInline) [[likely]] {  // a copy of fixed size is a few vector moves
      std::memcpy(static_cast<void*>(this), static_cast<const void*>(&o), sizeof(Dims));
      return;
    }
    resize(o.size_);
    if (o.size_) std::memcpy(data(), o.data(), sizeof(int64_t) * o.size_);
  }
  void drop() {
    if (capacity_ > kInline) deallocate(heap_, sizeof(int64_t) * capacity_);
  }
  void take(Dims& o) noexcept {
    std::memcpy(static_cast<void*>(this), static_cast<const void*>(&o), sizeof(Dims));
    o.size_ = 0;
    o.capacity_ = kInline;
  }

  int32_t size_ = 0;
  int32_t capacity_ = kInline;
  union {
    int64_t inline_[kInline];
    int64_t* heap_;
  };
};

std::string shape_str(std::span<const int64_t> dims);

bool expandable_to(std::span<const int64_t> shape, std::span<const int64_t> target);
// Number of elements of a shape that a tensor has, or of some of its dims.
inline int64_t numel_of(std::span<const int64_t> shape) {
  int64_t n = 1;
  for (int64_t size : shape) n *= size;
  return n;
}
// Number of elements of a tensor to be; refuses negative sizes, products that overflow and too many dims.
int64_t checked_numel(std::span<const int64_t> shape);
Dims contiguous_strides(std::span<const int64_t> shape);
bool is_contiguous(std::span<const int64_t> shape, std::span<const int64_t> strides);

// A dim in [-ndim, ndim) as one in [0, ndim); IndexError otherwise. A 0-d tensor counts as one dim where `zero_dim_ok`.
int wrap_dim(int64_t dim, int ndim, bool zero_dim_ok = true);
// The shape that both broadcast to; RuntimeError otherwise.
Dims broadcast_shapes(std::span<const int64_t> a, std::span<const int64_t> b);
bool broadcastable_to(std::span<const int64_t> from, std::span<const int64_t> to);

}  // namespace gradcore
