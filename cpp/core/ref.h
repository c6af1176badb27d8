// Intrusive reference counts. Start at Ref<T>.
//
// Note [Counts without locks]
// A locked increment costs about 5 ns and an op does a dozen of them, so counts are plain integers until two threads
// can really meet: every tensor is touched under the GIL, and the only door out of it (bindings' GilRelease) calls
// enter_concurrent_mode() before it lets go, and does not let go at all while the interpreter has a single thread.
// The switch is one-way. Workers of parallel loops never touch a count.
#pragma once
#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gradcore {

inline constinit std::atomic<bool> g_concurrent{false};
inline bool concurrent_mode() { return g_concurrent.load(std::memory_order_relaxed); }
inline void enter_concurrent_mode() { g_concurrent.store(true, std::memory_order_seq_cst); }

class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept {
    if (concurrent_mode()) {
      count_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // True when the last reference went.
  bool drop() const noexcept {
    if (concurrent_mode()) return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    const uint32_t left = count_.load(std::memory_order_relaxed) - 1;
    count_.store(left, std::memory_order_relaxed);
    return left == 0;
  }
  // Takes a reference unless the object is already dying: for weak pointers that the dying object clears.
  bool retain_if_alive() const noexcept {
    uint32_t n = count_.load(std::memory_order_relaxed);
    if (!concurrent_mode()) {
      count_.store(n + (n != 0), std::memory_order_relaxed);
      return n != 0;
    }
    while (n != 0)
      if (count_.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel)) return true;
    return false;
  }
  uint32_t use_count() const noexcept { return count_.load(std::memory_order_acquire); }

 private:
  mutable std::atomic<uint32_t> count_{1};
};

// Owning pointer. T provides `static void destroy(T*)`, called when the count reaches zero.
template <class T> class Ref {
 public:
  constexpr Ref() noexcept = default;
  constexpr Ref(std::nullptr_t) noexcept {}
  Ref(const Ref& o) noexcept : p_(o.p_) {
    if (p_) p_->retain();
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U>&& o) noexcept : p_(o.leak()) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(const Ref<U>& o) noexcept : p_(o.get()) {
    if (p_) p_->retain();
  }
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  // Inlined, so that a pointer which was moved from costs nothing; what is there goes by a call.
  [[gnu::always_inline]] ~Ref() {
    if (p_) release(p_);
  }

  // Takes over the reference that `p` already counts.
  static Ref adopt(T* p) noexcept {
    Ref r;
    r.p_ = p;
    return r;
  }
  static Ref share(T* p) noexcept {
    if (p) p->retain();
    return adopt(p);
  }
  T* leak() noexcept { return std::exchange(p_, nullptr); }
  void reset() noexcept { Ref().swap(*this); }
  void swap(Ref& o) noexcept { std::swap(p_, o.p_); }

  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.p_ == b.p_; }

 private:
  [[gnu::noinline]] static void release(T* p) noexcept {
    if (p->drop()) T::destroy(p);
  }
  T* p_ = nullptr;
};

}  // namespace gradcore
