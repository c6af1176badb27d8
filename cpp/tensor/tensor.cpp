#include "tensor/tensor.h"

#include "tensor/batch.h"
#include "tensor/meta.h"

#include <algorithm>
#include <new>

namespace gradcore {

// Note [Flat destruction]
// A graph is a chain of nodes and tensors that own each other; letting destructors nest would use stack in proportion
// to its length. Every such chain passes through a Disposable, so it is enough that deleting one never deletes another
// inside: what falls due meanwhile waits in this thread's list.
namespace {
thread_local Disposable* trash = nullptr;  // null unless something is being deleted, and kEnd where nothing waits
Disposable* const kEnd = reinterpret_cast<Disposable*>(alignof(Disposable));
}  // namespace

void dispose(Disposable* d) noexcept {
  if (trash) {
    d->next_in_trash = trash;
    trash = d;
    return;
  }
  trash = kEnd;
  delete d;
  while (trash != kEnd) {
    Disposable* const next = trash;
    trash = next->next_in_trash;
    delete next;
  }
  trash = nullptr;
}

namespace {
constexpr size_t kHeader = 128;         // keeps inline data on a cache line of its own
constexpr int64_t kInlineLimit = 4096;  // small data stands behind its header: one block less to fetch
static_assert(sizeof(Storage) <= kHeader);
}  // namespace

// Pointers as this file sets them; others see windows.
struct Memory {
  static void*& of(Storage* s) { return s->data_; }
  static void*& of(TensorImpl* t) { return t->data_; }
};

Ref<Storage> Storage::make(int64_t bytes) {
  const bool within = bytes <= kInlineLimit;
  const size_t block = kHeader + (within ? bytes : 0);
  auto* s = new (block <= detail::kFineLimit ? allocate_small(block) : allocate(block)) Storage;
  s->block = block;
  s->bytes = bytes;
  Ref<Storage> owned = Ref<Storage>::adopt(s);
  if (within)
    Memory::of(s) = reinterpret_cast<char*>(s) + kHeader;
  else
    Memory::of(s) = allocate(bytes);  // on failure it stays null and only the header goes back
  if (meta::used.load(std::memory_order_relaxed) && meta::is_making()) [[unlikely]]
    meta::add(s->address(), bytes);
  return owned;
}

Ref<Storage> Storage::foreign(void* data, int64_t bytes, void* owner, Release release) {
  auto* s = new (allocate(kHeader)) Storage;
  s->block = kHeader;
  Memory::of(s) = data;
  s->bytes = bytes;
  s->owner = owner;
  s->release = release;
  return Ref<Storage>::adopt(s);
}

void Storage::destroy(Storage* s) noexcept {
  if (meta::used.load(std::memory_order_relaxed)) [[unlikely]]
    meta::forget(s->address(), s->bytes);
  if (s->release)
    s->release(s->owner);
  else if (s->bytes > kInlineLimit)
    deallocate(Memory::of(s), s->bytes);
  const size_t block = s->block;
  s->~Storage();
  block <= detail::kFineLimit ? deallocate_small(s, block) : deallocate(s, block);
}

static void finish(TensorImpl* t, int64_t numel) {
  t->numel = numel;
  t->contiguous = !t->batch && is_contiguous(t->shape, t->strides);
}

void Tensor::fail_batched() {
  fail(
      "vmap: this operation reads the values of a Tensor that is being vmapped over, which is not supported: its "
      "result or its course would depend on the sample");
}

Tensor empty(const Dims& shape, DType dtype) {
  auto impl = Ref<TensorImpl>::adopt(new TensorImpl);
  impl->numel = checked_numel(shape);
  impl->dtype = dtype;
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->storage = Storage::make(impl->numel * item_size(dtype));
  Memory::of(impl.get()) = Memory::of(impl->storage.get());
  return Tensor(std::move(impl));
}

Tensor empty_as(const Tensor& t, DType dtype) {
  auto impl = Ref<TensorImpl>::adopt(new TensorImpl);
  impl->numel = t->numel;
  impl->dtype = dtype;
  impl->shape = t->shape;
  impl->strides = t->strides;
  impl->storage = Storage::make(impl->numel * item_size(dtype));
  Memory::of(impl.get()) = Memory::of(impl->storage.get());
  return Tensor(std::move(impl));
}

// How many elements a window reaches over: one past its last element's offset.
static int64_t extent(const Dims& shape, const Dims& strides) {
  int64_t last = 0;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    int64_t step;
    const bool bad =
        __builtin_mul_overflow(shape[i] - 1, strides[i], &step) || __builtin_add_overflow(last, step, &last);
    check(!bad && last < INT64_MAX / 16, "Storage size calculation overflowed with sizes=", shape,
          " and strides=", strides);
  }
  return last + 1;
}

Tensor empty_strided(const Dims& shape, const Dims& strides, DType dtype) {
  check(shape.size() == strides.size(), "dimensionality of sizes (", shape.size(),
        ") must match dimensionality of strides (", strides.size(), ")");
  const int64_t numel = checked_numel(shape);
  for (int64_t s : strides) check(s >= 0, "as_strided: Negative strides are not supported, got strides: ", strides);
  auto impl = Ref<TensorImpl>::adopt(new TensorImpl);
  impl->dtype = dtype;
  impl->shape = shape;
  impl->strides = strides;
  impl->storage = Storage::make(extent(shape, strides) * item_size(dtype));
  Memory::of(impl.get()) = Memory::of(impl->storage.get());
  finish(impl.get(), numel);
  return Tensor(std::move(impl));
}

static Tensor window_at(const Tensor& t, const Dims& shape, const Dims& strides, void* first, Ref<Batch> batch) {
  check_ndim(static_cast<size_t>(shape.size()));
  auto impl = Ref<TensorImpl>::adopt(new TensorImpl);
  impl->dtype = t.dtype();
  impl->shape = shape;
  impl->strides = strides;
  impl->storage = t->storage;
  impl->own_version = t->own_version;
  impl->created_in = t->created_in;
  impl->batch = std::move(batch);
  Memory::of(impl.get()) = first;
  finish(impl.get(), numel_of(shape));
  return Tensor(std::move(impl));
}

Tensor tensor_on(Ref<Storage> storage, const Dims& shape, const Dims& strides, DType dtype, int64_t offset) {
  auto impl = Ref<TensorImpl>::adopt(new TensorImpl);
  impl->dtype = dtype;
  impl->shape = shape;
  impl->strides = strides;
  Memory::of(impl.get()) = static_cast<char*>(Memory::of(storage.get())) + offset;
  impl->storage = std::move(storage);
  finish(impl.get(), checked_numel(shape));
  return Tensor(std::move(impl));
}

// It may lie outside of the memory when nothing is read there.
static void* shifted(const Tensor& t, int64_t elements) {
  const uint64_t bytes = static_cast<uint64_t>(elements) * static_cast<uint64_t>(item_size(t.dtype()));
  return reinterpret_cast<void*>(t.address() + bytes);
}
Tensor make_window(const Tensor& t, const Dims& shape, const Dims& strides, int64_t shift) {
  return window_at(t, shape, strides, shifted(t, shift), t->batch);
}
Tensor make_window(const Tensor& t, const Dims& shape, const Dims& strides, Ref<Batch> batch) {
  return window_at(t, shape, strides, Memory::of(t.impl()), std::move(batch));
}

void count_versions_apart(const Tensor& t) { t->own_version = Ref<VersionCounter>::adopt(new VersionCounter(0)); }

Tensor alias_of(const Tensor& t) { return make_window(t, t.shape(), t.strides()); }

Tensor checked_window(const Tensor& t, const Dims& shape, const Dims& strides, int64_t offset) {
  check(shape.size() == strides.size(), "mismatch in length of strides and shape");
  checked_numel(shape);
  for (int64_t s : strides) check(s >= 0, "as_strided: Negative strides are not supported, got strides: ", strides);
  check(offset >= 0, "Tensor: invalid storage offset ", offset);
  int64_t reach = extent(shape, strides);
  const int64_t item = item_size(t.dtype());
  if (t->batch && reach > 0) reach += std::max<int64_t>(0, extent(t->batch->sizes, t->batch->strides) - 1);
  const bool beyond = offset > INT64_MAX / 16 || reach > INT64_MAX / 16;
  if (reach > 0 && (beyond || (offset + reach) * item > t->storage->bytes))
    fail("setStorage: sizes ", shape, ", strides ", strides, ", storage offset ", offset, ", and itemsize ", item,
         " requiring a storage size of ",
         beyond ? std::string("more than a machine has") : str_cat((offset + reach) * item),
         " are out of bounds for storage of size ", t->storage->bytes);
  char* first = static_cast<char*>(Memory::of(t->storage.get())) + (reach > 0 ? offset * item : 0);
  return window_at(t, shape, strides, first, t->batch);
}

int64_t window_end(const Dims& shape, const Dims& strides, int64_t offset) {
  const auto negative = [](int64_t n) { return n < 0; };
  if (offset < 0 || offset > INT64_MAX / 16 || shape.size() != strides.size() ||
      std::any_of(shape.begin(), shape.end(), negative) || std::any_of(strides.begin(), strides.end(), negative))
    return 0;
  const int64_t reach = extent(shape, strides);
  return reach == 0 ? 0 : offset + reach;
}

void set_window(const Tensor& t, const Tensor& from) {
  await_readers();
  if (!t->own_version) t->own_version = Ref<VersionCounter>::adopt(new VersionCounter(t.version()));
  move_window(t, from);
}

void move_window(const Tensor& t, const Tensor& to) {
  await_readers();
  Dims shape = to.shape(), strides = to.strides();    // copies may fail: nothing is changed yet
  const Ref<Storage> before = std::move(t->storage);  // foreign memory that goes may run Python code, when all is done
  t->dtype = to.dtype();
  t->contiguous = to.is_contiguous();
  t->numel = to.numel();
  Memory::of(t.impl()) = Memory::of(to.impl());
  t->storage = to.is_same(t) ? before : to->storage;
  t->batch = to->batch;
  t->shape = std::move(shape);
  t->strides = std::move(strides);
}

bool same_shape(const Tensor& a, const Tensor& b) { return a.shape() == b.shape(); }

namespace {
// The dims longer than one, by rising stride.
struct Step {
  int64_t stride, size;
};
int sorted_steps(const Tensor& t, Step* out) {
  int n = 0;
  for (int i = 0; i < t.dim(); ++i)
    if (t.size(i) != 1) out[n++] = {t.stride(i), t.size(i)};
  std::sort(out, out + n, [](const Step& a, const Step& b) { return a.stride < b.stride; });
  return n;
}
}  // namespace

bool is_dense(const Tensor& t) {
  if (t.is_contiguous()) return true;
  if (t->batch) return is_dense(physical(t));
  Step steps[kMaxDims];
  const int n = sorted_steps(t, steps);
  int64_t expected = 1;
  for (int i = 0; i < n; ++i) {
    if (steps[i].stride != expected) return false;
    expected *= steps[i].size;
  }
  return true;
}

bool overlaps_itself(const Tensor& t) {
  if (t->batch) return overlaps_itself(physical(t));
  if (t.is_contiguous() || t.numel() <= 1) return false;
  for (int i = 0; i < t.dim(); ++i)
    if (t.size(i) > 1 && t.stride(i) == 0) return true;
  return false;  // like torch, only the cheap certain case is refused
}

Overlap overlap_of(const Tensor& a, const Tensor& b) {
  if (a->storage.get() != b->storage.get() || a.numel() == 0 || b.numel() == 0) return Overlap::None;
  if (a->batch || b->batch) return overlap_of(physical(a), physical(b));
  if (a.address() == b.address() && a.shape() == b.shape() && a.strides() == b.strides()) return Overlap::Same;
  if (!is_dense(a) || !is_dense(b)) {
    // Two windows that interleave cannot be told apart cheaply: torch lets them pass, and so do we.
    return Overlap::None;
  }
  const uintptr_t pa = a.address(), ea = pa + a.numel() * item_size(a.dtype());
  const uintptr_t pb = b.address(), eb = pb + b.numel() * item_size(b.dtype());
  // Equal strides, also of dims of size one: torch refuses x.add_(x[0]) of one element, which would do no harm.
  if (pa == pb && ea == eb) return a.strides() == b.strides() ? Overlap::Same : Overlap::Partial;
  return pa < eb && pb < ea ? Overlap::Partial : Overlap::None;
}

static std::atomic<DType> the_default_dtype{DType::Float32};
DType default_dtype() { return the_default_dtype.load(std::memory_order_relaxed); }
void set_default_dtype(DType t) { the_default_dtype.store(t); }

}  // namespace gradcore
