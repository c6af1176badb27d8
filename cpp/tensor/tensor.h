// Tensor: a counted handle on a strided window into a storage. Start at TensorImpl.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/allocator.h"
#include "core/dtype.h"
#include "core/origin.h"
#include "core/ref.h"
#include "core/scalar.h"
#include "core/shape.h"

namespace gradcore {

// Things whose destruction can reach arbitrarily long chains of their own kind (nodes, autograd metadata).
// dispose() deletes them one after the other, never one inside the other: see Note [Flat destruction] in tensor.cpp.
struct Disposable {
  virtual ~Disposable() = default;
  Disposable* next_in_trash = nullptr;
};
void dispose(Disposable* d) noexcept;

// Counts the writes to a family of tensors; a saved tensor compares it when it is used.
struct VersionCounter final : RefCounted, Pooled {
  explicit VersionCounter(uint32_t v) : value(v) {}
  static void destroy(VersionCounter* p) { delete p; }
  std::atomic<uint32_t> value;
};

struct Storage final : RefCounted {
  using Release = void (*)(void* owner);

  int64_t bytes = 0;
  std::atomic<uint32_t> version{0};
  std::atomic<Origin> written{0};  // of the last counted write
  uint32_t mark = 0;               // scratch of optim/step.cpp: the last step that met it
  bool writable = true;            // false for read-only foreign memory (reads are fine, writes are refused)
  Release release = nullptr;       // for foreign memory: called with owner when the storage goes
  void* owner = nullptr;
  size_t block = 0;  // size of the pool block this header stands in

  static Ref<Storage> make(int64_t bytes);
  static Ref<Storage> foreign(void* data, int64_t bytes, void* owner, Release release);
  static void destroy(Storage* s) noexcept;
  // Where it lies, for comparing alone.
  uintptr_t address() const { return reinterpret_cast<uintptr_t>(data_); }

 private:
  friend struct Memory;
  void* data_ = nullptr;
};

// How a view was made decides what an in-place op on it may do.
enum class ViewKind : uint8_t { None, Normal, MultiOutput, NoGrad, Inference, Function };

struct TensorImpl;

// Dims in front of the shape that only vmap knows of: Note [Batch dims] in batch.h. Never changed once made.
struct Batch final : RefCounted, Pooled {
  Dims levels, sizes, strides;
  Batch() = default;
  Batch(const Batch& o) : levels(o.levels), sizes(o.sizes), strides(o.strides) {}
  Batch& operator=(const Batch& o) {
    levels = o.levels, sizes = o.sizes, strides = o.strides;
    return *this;
  }
  int find(int64_t level) const;  // -1 where it is not there
  static void destroy(Batch* p) { delete p; }
};

// What surrounds the making of a tensor: whether the thread is in inference_mode (what it makes then never takes part
// in autograd), and which transform of func differentiates there, 0 for none (Note [Captured tensors] in transforms.h).
// Windows on a tensor have its creation_context. One word, so that a tensor knows them for a load and a store.
class CreationContext {
 public:
  bool inference() const { return bits_ & 1; }
  uint32_t transform() const { return bits_ >> 1; }
  void set_inference(bool on) { bits_ = (bits_ & ~1u) | on; }
  void set_transform(uint32_t number) { bits_ = number << 1 | (bits_ & 1); }
  bool operator==(const CreationContext&) const = default;

 private:
  uint32_t bits_ = 0;
};
inline thread_local constinit CreationContext creation_context;
inline bool inference_mode() { return creation_context.inference(); }

// The autograd layer derives its per-tensor data from this.
struct AutogradMetaBase : Disposable {
  bool requires_grad = false;  // a leaf that asked for it, or a tensor with a history
};

struct TensorImpl final : RefCounted, Pooled {
  DType dtype = DType::Float32;
  ViewKind view_kind = ViewKind::None;
  bool contiguous = true;
  int64_t numel = 1;

 private:  // Note [The door] in door.h
  friend class Instruction;
  friend class Tensor;
  friend struct Memory;
  void* data_ = nullptr;  // the first element

 public:
  Ref<Storage> storage;
  AutogradMetaBase* meta = nullptr;  // owned
  void* pyobject = nullptr;          // the Python wrapper, not owned: it owns us and clears this when it goes
  Ref<TensorImpl> base;              // for a view: the tensor that is no view; else null
  uint32_t view_version = 0;         // the version at which a view's grad_fn was right
  CreationContext created_in = creation_context;
  Ref<Batch> batch;                 // null but inside vmap; a batched tensor is never `contiguous`
  Ref<VersionCounter> own_version;  // null: the storage's counter (`.data` gives a tensor its own)
  Dims shape, strides;

  ~TensorImpl() {
    if (meta) dispose(meta);
  }
  static void destroy(TensorImpl* p) noexcept { delete p; }

  std::atomic<uint32_t>& version() const { return own_version ? own_version->value : storage->version; }
  // Where the first element lies, for comparing alone.
  uintptr_t address() const { return reinterpret_cast<uintptr_t>(data_); }
  int64_t offset() const { return static_cast<int64_t>(address() - storage->address()) / item_size(dtype); }
};

// What an instruction reads or writes: the geometry of a tensor, and an address that only instructions open. It borrows
// the tensor. See Note [The door] in door.h.
class Window {
 public:
  Window() = default;
  explicit Window(const TensorImpl* t) : t_(t) {}
  explicit operator bool() const { return t_; }
  const Dims& shape() const { return t_->shape; }
  const Dims& strides() const { return t_->strides; }
  DType dtype() const { return t_->dtype; }
  int64_t numel() const { return t_->numel; }
  bool is_contiguous() const { return t_->contiguous; }
  const Storage* storage() const { return t_->storage.get(); }

 private:
  friend class Instruction;
  const TensorImpl* t_ = nullptr;
};

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return static_cast<bool>(impl_); }
  explicit operator bool() const { return defined(); }
  TensorImpl* impl() const { return impl_.get(); }
  TensorImpl* operator->() const { return impl_.get(); }
  const Ref<TensorImpl>& ref() const { return impl_; }
  Ref<TensorImpl> take() { return std::move(impl_); }
  void reset() { impl_.reset(); }
  bool is_same(const Tensor& o) const { return impl_ == o.impl_; }

  DType dtype() const { return impl_->dtype; }
  const Dims& shape() const { return impl_->shape; }
  const Dims& strides() const { return impl_->strides; }
  int64_t size(int i) const { return impl_->shape.at(i); }
  int64_t stride(int i) const { return impl_->strides.at(i); }
  int dim() const { return impl_->shape.size(); }
  int64_t numel() const { return impl_->numel; }
  int64_t offset() const { return impl_->offset(); }
  bool is_contiguous() const { return impl_->contiguous; }
  // The way to memory for instructions: see door.h.
  Window window() const { return Window(impl_.get()); }
  // The way to memory for C++ that decides by values or hands them on. A tenant of the door is told that somebody
  // looks.
  template <class T = void> T* host() const;
  // Where the first element lies, for comparing alone.
  uintptr_t address() const { return impl_->address(); }

  uint32_t version() const { return impl_->version().load(std::memory_order_relaxed); }
  void bump_version() const {
    auto& v = impl_->version();
    v.store(v.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    impl_->storage->written.store(current_origin(), std::memory_order_relaxed);
  }
  // A result that was written in several passes: nobody has seen it before.
  const Tensor& as_new() const {
    impl_->version().store(0, std::memory_order_relaxed);
    return *this;
  }
  // True when nobody else can see this tensor or its memory: then it may be overwritten or handed on.
  bool unique() const { return impl_->use_count() == 1 && impl_->storage->use_count() == 1 && !impl_->pyobject; }

 private:
  [[noreturn]] static void fail_batched();
  Ref<TensorImpl> impl_;
};

// Who stands in the door: null nearly always. See Tenant in door.h.
class Tenant;
inline constinit std::atomic<Tenant*> the_tenant{nullptr};
void tell_of_look(const Tensor& t);

template <class T> T* Tensor::host() const {
  if (impl_->batch) [[unlikely]]
    fail_batched();
  if (the_tenant.load(std::memory_order_relaxed)) [[unlikely]]
    tell_of_look(*this);
  return static_cast<T*>(impl_->data_);
}

// New memory, not initialised.
Tensor empty(const Dims& shape, DType dtype);
// Of the shape and order of a contiguous tensor, without working them out again.
Tensor empty_as(const Tensor& contiguous, DType dtype);
Tensor empty_strided(const Dims& shape, const Dims& strides, DType dtype);
// A tensor on memory that was there before, `offset` bytes from its start.
Tensor tensor_on(Ref<Storage> storage, const Dims& shape, const Dims& strides, DType dtype, int64_t offset = 0);
// Another window on the same memory, sharing the version counter; knows nothing of autograd.
// `shift` elements further on.
Tensor make_window(const Tensor& t, const Dims& shape, const Dims& strides, int64_t shift = 0);
// The same with other batch dims.
Tensor make_window(const Tensor& t, const Dims& shape, const Dims& strides, Ref<Batch> batch);
// The same window again (what detach() and saved outputs start from).
Tensor alias_of(const Tensor& t);
// Gives a new tensor a version counter of its own: writes to it are not seen in others on its memory.
void count_versions_apart(const Tensor& t);
// A window given by an offset in elements from the storage's start, checked against the storage's bounds.
Tensor checked_window(const Tensor& t, const Dims& shape, const Dims& strides, int64_t offset);
// Where such a window ends, in elements from the storage's start; 0 where it has none, or where checked_window()
// refuses its numbers whatever the storage is.
int64_t window_end(const Dims& shape, const Dims& strides, int64_t offset);
// Called before a tensor becomes another window: waits for threads that may be reading the old one without the GIL. The
// bindings, who know of the GIL, fill it in.
inline void (*await_readers)() = [] {};
// Makes `t` the window that `from` is, memory included, keeping its identity and its version counter.
void set_window(const Tensor& t, const Tensor& from);
// The same for a window on the same memory, whose counter they share.
void move_window(const Tensor& t, const Tensor& to);

bool same_shape(const Tensor& a, const Tensor& b);
// No two indices share an element and there are no holes.
bool is_dense(const Tensor& t);
// Whether two indices of one tensor may be the same element (an expanded tensor): writing to it is refused.
bool overlaps_itself(const Tensor& t);
enum class Overlap : uint8_t { None, Same, Partial };
Overlap overlap_of(const Tensor& a, const Tensor& b);

DType default_dtype();
void set_default_dtype(DType t);

}  // namespace gradcore
