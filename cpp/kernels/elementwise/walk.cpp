// Rows and blocks of elementwise loops: see walk.h.
#include "kernels/elementwise/walk.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kBlock = 256;  // elements at a time when an operand is not dense or not of the computed type

// One operand's next n elements as dense memory.
template <class W> GC_OUTLINE void gather_words(W* to, const char* p, int64_t stride, int64_t n) {
  if (stride == 0) {
    const W v = *reinterpret_cast<const W*>(p);
    for (int64_t i = 0; i < n; ++i) to[i] = v;
    return;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = *reinterpret_cast<const W*>(p + i * stride);
}
GC_INLINE const void* gather(void* buffer, const char* p, int64_t stride, int64_t n, int item) {
  if (stride == item) return p;
  with_word(item, [&]<class W>(W) { gather_words(static_cast<W*>(buffer), p, stride, n); });
  return buffer;
}
template <class W> GC_OUTLINE void scatter_words(char* p, int64_t stride, const W* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) *reinterpret_cast<W*>(p + i * stride) = from[i];
}
GC_INLINE void scatter(char* p, int64_t stride, const void* from, int64_t n, int item) {
  with_word(item, [&]<class W>(W) { scatter_words(p, stride, static_cast<const W*>(from), n); });
}

// A row in which some operand is not dense: through buffers, a block at a time.
void run_row_in_blocks(const LoopSpec& spec, char* const* ptr, const LoopArgs& a) {
  alignas(64) char buffer[kMaxOperands][kBlock * 8];
  const bool dense_out = a.inner[0] == spec.item[0];
  const void* in[kMaxOperands];
  for (int64_t i = 0; i < a.n; i += kBlock) {
    const int64_t n = a.n - i < kBlock ? a.n - i : kBlock;
    for (int k = 1; k <= spec.inputs; ++k) {
      if (i && a.inner[k] == 0) continue;  // a repeated element is spread once, in the first block
      in[k - 1] = gather(buffer[k], ptr[k] + i * a.inner[k], a.inner[k], n, spec.item[k]);
    }
    char* out = ptr[0] + i * a.inner[0];
    spec.dense(dense_out ? out : buffer[0], in, n, a.params);
    if (!dense_out) scatter(out, a.inner[0], buffer[0], n, spec.item[0]);
  }
}

}  // namespace

void run_loop(const LoopSpec& spec, const LoopArgs& a) {
  bool all_dense = true;
  for (int k = 0; k <= spec.inputs; ++k) all_dense &= a.inner[k] == spec.item[k];
  char* ptr[kMaxOperands];
  for (int64_t j = 0; j < a.m; ++j) {
    for (int k = 0; k <= spec.inputs; ++k) ptr[k] = a.ptr[k] + j * a.outer[k];
    if (all_dense)
      spec.dense(ptr[0], reinterpret_cast<const void* const*>(ptr + 1), a.n, a.params);
    else
      run_row_in_blocks(spec, ptr, a);
  }
}

// ---- narrow integers, through the loop of int32 ----

namespace {

// How elements of one narrow type become int32 and back.
struct NarrowType {
  int item;
  void (*widen)(int32_t* to, const char* p, int64_t stride, int64_t n);
  void (*narrow)(char* p, int64_t stride, const int32_t* from, int64_t n);
};
template <class T> void widen(int32_t* to, const char* p, int64_t stride, int64_t n) {
  const auto value = [](const char* at) {
    return static_cast<int32_t>(load_lane<T>(reinterpret_cast<const StoredOf<T>*>(at)).v);
  };
  if (stride == sizeof(T))
    for (int64_t i = 0; i < n; ++i) to[i] = value(p + i * static_cast<int64_t>(sizeof(T)));
  else
    for (int64_t i = 0; i < n; ++i) to[i] = value(p + i * stride);
}
template <class T> void narrow(char* p, int64_t stride, const int32_t* from, int64_t n) {
  if (stride == sizeof(T))
    for (int64_t i = 0; i < n; ++i) reinterpret_cast<StoredOf<T>*>(p)[i] = static_cast<T>(from[i]);
  else
    for (int64_t i = 0; i < n; ++i) *reinterpret_cast<StoredOf<T>*>(p + i * stride) = static_cast<T>(from[i]);
}
constexpr auto kNarrowTypes = by_dtype<NarrowType>([]<class T>(TypeTag<T>) {
  if constexpr (sizeof(T) < sizeof(int32_t))
    return NarrowType{sizeof(T), widen<T>, narrow<T>};
  else
    return NarrowType{};
});

void run_narrow_row(const LoopSpec& spec, const NarrowType& type, char* const* ptr, const LoopArgs& a,
                    const void* params) {
  alignas(64) int32_t buffer[kMaxOperands][kBlock];
  const void* in[kMaxOperands];
  const bool wide_out = spec.item[0] == sizeof(int32_t);
  const bool in_place = !wide_out && a.inner[0] == spec.item[0];
  for (int64_t i = 0; i < a.n; i += kBlock) {
    const int64_t n = smaller(kBlock, a.n - i);
    for (int k = 1; k <= spec.inputs; ++k) {
      if (i && a.inner[k] == 0) continue;  // a repeated element is spread once, in the first block
      const char* p = ptr[k] + i * a.inner[k];
      in[k - 1] = buffer[k];
      if (spec.item[k] == sizeof(int32_t))
        type.widen(buffer[k], p, a.inner[k], n);
      else
        in[k - 1] = gather(buffer[k], p, a.inner[k], n, spec.item[k]);  // a mask
    }
    char* out = ptr[0] + i * a.inner[0];
    spec.dense(in_place ? out : reinterpret_cast<char*>(buffer[0]), in, n, params);
    if (wide_out)
      type.narrow(out, a.inner[0], buffer[0], n);
    else if (!in_place)
      scatter(out, a.inner[0], buffer[0], n, spec.item[0]);
  }
}
}  // namespace

void run_narrow(const LoopSpec& spec, DType dtype, int params, const LoopArgs& a) {
  const NarrowType& type = kNarrowTypes[dtype];
  int32_t numbers[kMaxParams] = {};
  if (params) type.widen(numbers, static_cast<const char*>(a.params), type.item, params);
  char* ptr[kMaxOperands];
  for (int64_t j = 0; j < a.m; ++j) {
    for (int k = 0; k <= spec.inputs; ++k) ptr[k] = a.ptr[k] + j * a.outer[k];
    run_narrow_row(spec, type, ptr, a, numbers);
  }
}

}  // namespace gradcore::GC_ISA
