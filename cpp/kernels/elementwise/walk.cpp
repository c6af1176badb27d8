// Rows and blocks of elementwise loops: see walk.h.
#include "kernels/elementwise/walk.h"

#include "kernels/convert.h"
#include "kernels/square.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kBlock = 256;  // elements at a time when an operand is not dense or not of the computed type

// n times the same element: whole vectors, of which the last may overlap the one before.
template <class W> GC_INLINE void fill(W* to, W v, int64_t n) {
  constexpr int64_t kStep = kLanes<W>;
  if (n < kStep) {
    for (int64_t i = 0; i < n; ++i) to[i] = v;
    return;
  }
  const Vec<W> all = Vec<W>{} + v;
  for (int64_t i = 0; i + kStep <= n; i += kStep) __builtin_memcpy(to + i, &all, sizeof all);
  __builtin_memcpy(to + n - kStep, &all, sizeof all);
}

// n elements that lie backwards in memory, from p on. What whole vectors leave goes by those of 16 bytes: rows are
// often short.
template <class W, class V, int... I>
GC_INLINE int64_t reverse_vectors(W* to, const W* from, int64_t i, int64_t n, std::integer_sequence<int, I...>) {
  constexpr int kCount = static_cast<int>(sizeof...(I));
  for (; i + kCount <= n; i += kCount) {
    V v;
    __builtin_memcpy(&v, from - i - (kCount - 1), sizeof v);
    v = __builtin_shufflevector(v, v, (kCount - 1 - I)...);
    __builtin_memcpy(to + i, &v, sizeof v);
  }
  return i;
}
template <class W> GC_INLINE void reverse(W* to, const char* p, int64_t n) {
  const W* const from = reinterpret_cast<const W*>(p);
  int64_t i = reverse_vectors<W, Vec<W>>(to, from, 0, n, std::make_integer_sequence<int, kLanes<W>>());
  i = reverse_vectors<W, typename Square<W>::V>(to, from, i, n, std::make_integer_sequence<int, Square<W>::kSide>());
  for (; i < n; ++i) to[i] = from[-i];
}

// One operand's next n elements as dense memory.
template <class W> GC_OUTLINE void gather_words(W* to, const char* p, int64_t stride, int64_t n) {
  if (stride == 0) return fill(to, *reinterpret_cast<const W*>(p), n);
  if (stride == 2 * static_cast<int64_t>(sizeof(W))) {  // vectors read it faster than loads one by one
    for (int64_t i = 0; i < n; ++i) to[i] = reinterpret_cast<const W*>(p)[2 * i];
    return;
  }
  if (stride == -static_cast<int64_t>(sizeof(W))) return reverse(to, p, n);
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

// ---- several rows at a time
//
// Note [Rows that are no good]
// A row of three elements costs a call for three. And an operand whose memory runs across the rows (a transposed matrix
// beside a plain one) costs a cache line for each element, which is gone when the next row wants its neighbour. Both
// are gathered from several rows at once: short rows into one long one, of rows that run across tiles of kTileRows by
// kTileColumns.

constexpr int64_t kShortRow = 32;
constexpr int64_t kOwnRow = 64;       // elements from which a row beside one element goes by itself
constexpr int64_t kLongBlock = 1024;  // elements of joined rows, where little has to be gathered
constexpr int64_t kTileRows = 16;
constexpr int64_t kTileColumns = 64;

// Rows of kCount elements: dense ones, or one element each, repeated.
template <class W, int kCount>
GC_OUTLINE void gather_few(W* to, const char* p, bool dense, int64_t outer, int64_t rows) {
  const auto copy = [&](int64_t r, int count) { __builtin_memcpy(to + r * kCount, p + r * outer, count * sizeof(W)); };
  constexpr int64_t kBytes = kCount * sizeof(W);
  if (dense && kCount == 3 && (outer == kBytes || outer == -kBytes)) {
    // Four elements are copied as fast as two: the fourth is a neighbour's, and the next row takes its place.
    copy(0, kCount);
    for (int64_t r = 1; r + 1 < rows; ++r) copy(r, kCount + 1);
    if (rows > 1) copy(rows - 1, kCount);
  } else if (dense) {
    for (int64_t r = 0; r < rows; ++r) copy(r, kCount);
  } else {
    for (int64_t r = 0; r < rows; ++r)
      for (int i = 0; i < kCount; ++i) to[r * kCount + i] = *reinterpret_cast<const W*>(p + r * outer);
  }
}

// Rows of n elements that run across memory, written `pitch` elements apart: squares, of which the last may overlap the
// one before.
template <class W>
GC_OUTLINE void gather_across(W* to, int64_t pitch, const char* p, int64_t inner, int64_t outer, int64_t n,
                              int64_t rows) {
  constexpr int64_t kSide = Square<W>::kSide, kItem = sizeof(W);
  if (outer != kItem || n < kSide || rows < kSide) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t r = 0; r < rows; ++r) to[r * pitch + i] = *reinterpret_cast<const W*>(p + i * inner + r * outer);
    return;
  }
  for (int64_t r = 0; r < rows; r += kSide) {
    const int64_t row = smaller(r, rows - kSide);
    for (int64_t j = 0; j < n; j += kSide) {
      const int64_t i = smaller(j, n - kSide);
      Square<W>::read(p + i * inner + row * kItem, inner).transposed().write(to + row * pitch + i, pitch * kItem);
    }
  }
}

// `rows` rows of n elements, one behind the other.
template <class W>
GC_OUTLINE void gather_rows(W* to, const char* p, int64_t inner, int64_t outer, int64_t n, int64_t rows) {
  if (const bool dense = inner == sizeof(W); dense || inner == 0) {
    if (n == 2) return gather_few<W, 2>(to, p, dense, outer, rows);
    if (n == 3) return gather_few<W, 3>(to, p, dense, outer, rows);
    if (n == 4) return gather_few<W, 4>(to, p, dense, outer, rows);
  }
  if (outer > 0 && outer < inner) return gather_across(to, n, p, inner, outer, n, rows);
  if (inner == sizeof(W)) {
    for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(to + r * n, p + r * outer, n * sizeof(W));
    return;
  }
  if (inner == 0) {
    for (int64_t r = 0; r < rows; ++r) fill(to + r * n, *reinterpret_cast<const W*>(p + r * outer), n);
    return;
  }
  if (inner == -static_cast<int64_t>(sizeof(W))) {
    for (int64_t r = 0; r < rows; ++r) reverse(to + r * n, p + r * outer, n);
    return;
  }
  const int64_t unlike = outer == 0 ? 1 : rows;
  for (int64_t r = 0; r < unlike; ++r)
    for (int64_t i = 0; i < n; ++i) to[r * n + i] = *reinterpret_cast<const W*>(p + r * outer + i * inner);
  for (int64_t r = unlike; r < rows; ++r) __builtin_memcpy(to + r * n, to, n * sizeof(W));
}
template <class W>
GC_OUTLINE void scatter_rows(char* p, int64_t inner, int64_t outer, const W* from, int64_t n, int64_t rows) {
  if (inner == sizeof(W)) {
    for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(p + r * outer, from + r * n, n * sizeof(W));
    return;
  }
  for (int64_t r = 0; r < rows; ++r, p += outer)
    for (int64_t i = 0; i < n; ++i, ++from) *reinterpret_cast<W*>(p + i * inner) = *from;
}

bool in_a_line(const LoopSpec& spec, const LoopArgs& a, int k) {
  return a.inner[k] == spec.item[k] && a.outer[k] == a.n * spec.item[k];
}

// A matrix beside a column or a row, all of it in one piece: many rows are one long one.
bool is_in_one_piece(const LoopSpec& spec, const LoopArgs& a) {
  if (a.n > kLongBlock / 2 || !in_a_line(spec, a, 0)) return false;
  for (int k = 1; k <= spec.inputs; ++k) {
    const bool repeats = a.inner[k] == 0 || (a.inner[k] == spec.item[k] && a.outer[k] == 0);
    if (!repeats && !in_a_line(spec, a, k)) return false;
  }
  return true;
}

template <int64_t kElements> GC_OUTLINE void run_joined_rows(const LoopSpec& spec, const LoopArgs& a) {
  alignas(64) char buffer[kMaxOperands][kElements * 8];
  const int64_t per_block = kElements / a.n;
  const void* in[kMaxOperands];
  const bool dense_out = in_a_line(spec, a, 0);
  for (int64_t j = 0; j < a.m; j += per_block) {
    const int64_t rows = smaller(per_block, a.m - j);
    for (int k = 1; k <= spec.inputs; ++k) {
      const char* const p = a.ptr[k] + j * a.outer[k];
      in[k - 1] = in_a_line(spec, a, k) ? p : buffer[k];
      if (in[k - 1] == p || (j && a.outer[k] == 0)) continue;  // the same rows again: they stand there
      with_word(spec.item[k], [&]<class W>(W) {
        gather_rows(reinterpret_cast<W*>(buffer[k]), p, a.inner[k], a.outer[k], a.n, rows);
      });
    }
    char* const out = a.ptr[0] + j * a.outer[0];
    spec.dense(dense_out ? out : buffer[0], in, rows * a.n, a.params);
    if (!dense_out)
      with_word(spec.item[0], [&]<class W>(W) {
        scatter_rows(out, a.inner[0], a.outer[0], reinterpret_cast<const W*>(buffer[0]), a.n, rows);
      });
  }
}

// Rows of which every input repeats one element: the results of many rows at once, then each is spread.
bool repeats(const LoopSpec& spec, const LoopArgs& a) {
  for (int k = 1; k <= spec.inputs; ++k)
    if (a.inner[k] != 0) return false;
  return a.inner[0] == spec.item[0];
}
template <class W> GC_OUTLINE void spread_rows(char* p, int64_t outer, const W* from, int64_t n, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r) fill(reinterpret_cast<W*>(p + r * outer), from[r], n);
}
void run_repeating_rows(const LoopSpec& spec, const LoopArgs& a) {
  alignas(64) char buffer[kMaxOperands][kBlock * 8];
  const void* in[kMaxOperands];
  for (int64_t j = 0; j < a.m; j += kBlock) {
    const int64_t rows = smaller(kBlock, a.m - j);
    for (int k = 1; k <= spec.inputs; ++k)
      in[k - 1] = gather(buffer[k], a.ptr[k] + j * a.outer[k], a.outer[k], rows, spec.item[k]);
    spec.dense(buffer[0], in, rows, a.params);
    with_word(spec.item[0], [&]<class W>(W) {
      spread_rows(a.ptr[0] + j * a.outer[0], a.outer[0], reinterpret_cast<const W*>(buffer[0]), a.n, rows);
    });
  }
}

// Whether an input's memory runs across the rows of a dense output.
bool runs_across(const LoopSpec& spec, const LoopArgs& a) {
  if (a.inner[0] != spec.item[0] || a.m < kTileRows / 2) return false;
  for (int k = 1; k <= spec.inputs; ++k)
    if (a.inner[k] >= 4 * spec.item[k] && a.outer[k] > 0 && a.outer[k] < a.inner[k]) return true;
  return false;
}

void run_tile(const LoopSpec& spec, const LoopArgs& a, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  alignas(64) char buffer[kMaxOperands][kTileRows * kTileColumns * 8];
  for (int k = 1; k <= spec.inputs; ++k) {
    const char* const p = a.ptr[k] + row * a.outer[k] + column * a.inner[k];
    if (a.inner[k] == spec.item[k]) continue;
    with_word(spec.item[k], [&]<class W>(W) {
      gather_rows(reinterpret_cast<W*>(buffer[k]), p, a.inner[k], a.outer[k], columns, rows);
    });
  }
  for (int64_t r = 0; r < rows; ++r) {
    const void* in[kMaxOperands];
    for (int k = 1; k <= spec.inputs; ++k)
      in[k - 1] = a.inner[k] == spec.item[k] ? a.ptr[k] + (row + r) * a.outer[k] + column * a.inner[k]
                                             : buffer[k] + r * columns * spec.item[k];
    spec.dense(a.ptr[0] + (row + r) * a.outer[0] + column * a.inner[0], in, columns, a.params);
  }
}
void run_tiles(const LoopSpec& spec, const LoopArgs& a) {
  for (int64_t row = 0; row < a.m; row += kTileRows)
    for (int64_t column = 0; column < a.n; column += kTileColumns)
      run_tile(spec, a, row, smaller(kTileRows, a.m - row), column, smaller(kTileColumns, a.n - column));
}

}  // namespace

void run_loop(const LoopSpec& spec, const LoopArgs& a) {
  if (a.m > 1 && a.n < kShortRow) return run_joined_rows<kBlock>(spec, a);
  if (a.m > 1 && repeats(spec, a)) return run_repeating_rows(spec, a);
  if (a.m > 1 && is_in_one_piece(spec, a)) return run_joined_rows<kLongBlock>(spec, a);
  if (a.m > 1 && runs_across(spec, a)) return run_tiles(spec, a);
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

bool repeats_input(const LoopSpec& spec, const LoopArgs& a, int k) {
  if (a.m > 1 && a.n < kOwnRow) return false;
  for (int i = 0; i <= spec.inputs; ++i)
    if (a.inner[i] != (i == k + 1 ? 0 : spec.item[i])) return false;
  return true;
}

void run_rows(decltype(LoopSpec::dense) row, const LoopArgs& a) {
  for (int64_t j = 0; j < a.m; ++j) {
    const void* const in[] = {a.ptr[1] + j * a.outer[1], a.ptr[2] + j * a.outer[2]};
    row(a.ptr[0] + j * a.outer[0], in, a.n, a.params);
  }
}

template <class W> static void copy_across(const LoopArgs& a) {
  for (int64_t row = 0; row < a.m; row += kTileRows)
    for (int64_t column = 0; column < a.n; column += kTileColumns) {
      W* const to = reinterpret_cast<W*>(a.ptr[0] + row * a.outer[0]) + column;
      const char* const from = a.ptr[1] + row * a.outer[1] + column * a.inner[1];
      gather_across(to, a.outer[0] / static_cast<int64_t>(sizeof(W)), from, a.inner[1], a.outer[1],
                    smaller(kTileColumns, a.n - column), smaller(kTileRows, a.m - row));
    }
}

bool copy_rows(const LoopSpec& spec, const LoopArgs& a) {
  if (a.m > 1 && runs_across(spec, a)) {
    with_word(spec.item[0], [&]<class W>(W) { copy_across<W>(a); });
    return true;
  }
  if (a.m > 1 && a.n < kShortRow) {
    if (!in_a_line(spec, a, 0)) return false;
    const int64_t per_block = kBlock / a.n;
    with_word(spec.item[0], [&]<class W>(W) {
      for (int64_t j = 0; j < a.m; j += per_block)
        gather_rows(reinterpret_cast<W*>(a.ptr[0] + j * a.outer[0]), a.ptr[1] + j * a.outer[1], a.inner[1], a.outer[1],
                    a.n, smaller(per_block, a.m - j));
    });
    return true;
  }
  if (a.inner[0] != spec.item[0] || a.inner[1] == spec.item[1]) return false;
  with_word(spec.item[0], [&]<class W>(W) {
    for (int64_t j = 0; j < a.m; ++j)
      gather_words(reinterpret_cast<W*>(a.ptr[0] + j * a.outer[0]), a.ptr[1] + j * a.outer[1], a.inner[1], a.n);
  });
  return true;
}

// ---- narrow types, through the loops of int32 and float ----

namespace {

// How elements of one narrow type become wide and narrow again.
struct NarrowType {
  int item = 0;
  bool is_float = false;
  void (*widen)(void* to, const void* from, int64_t n) = nullptr;
  void (*narrow)(void* to, const void* from, int64_t n) = nullptr;
};
template <class T> void widen(void* to, const void* from, int64_t n) {
  const StoredOf<T>* const p = static_cast<const StoredOf<T>*>(from);
  for (int64_t i = 0; i < n; ++i) static_cast<int32_t*>(to)[i] = static_cast<int32_t>(load_lane<T>(p + i).v);
}
template <class T> void narrow(void* to, const void* from, int64_t n) {
  StoredOf<T>* const p = static_cast<StoredOf<T>*>(to);
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(static_cast<const int32_t*>(from)[i]);
}
template <class T> void widen_half(void* to, const void* from, int64_t n) {
  to_floats(static_cast<float*>(to), static_cast<const T*>(from), n);
}
template <class T> void narrow_half(void* to, const void* from, int64_t n) {
  from_floats(static_cast<T*>(to), static_cast<const float*>(from), n);
}
constexpr auto kNarrowTypes = by_dtype<NarrowType>([]<class T>(TypeTag<T>) -> NarrowType {
  if constexpr (is_half_type<T>)
    return {sizeof(T), true, widen_half<T>, narrow_half<T>};
  else if constexpr (sizeof(T) < sizeof(int32_t))
    return {sizeof(T), false, widen<T>, narrow<T>};
  else
    return {};
});

// What the dense loop of narrow elements needs: it stands where a formula's loop finds its parameters.
struct Widened {
  const LoopSpec* spec;
  const NarrowType* in;   // of the inputs that `wide` names; null: as they are
  const NarrowType* out;  // null: as it is
  unsigned wide;
  const void* params;
};

void run_widened(void* out, const void* const* in, int64_t n, const void* context) {
  constexpr int64_t kLineBytes = 64;  // rows that start on different lines
  const Widened& w = *static_cast<const Widened*>(context);
  const LoopSpec& spec = *w.spec;
  alignas(64) char buffer[kMaxOperands][kBlock * 4 + kLineBytes];
  const void* x[kMaxOperands];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t m = smaller(kBlock, n - i);
    for (int k = 1; k <= spec.inputs; ++k) {
      const char* const p = static_cast<const char*>(in[k - 1]);
      if (!(w.wide >> k & 1)) {
        x[k - 1] = p + i * spec.item[k];
        continue;
      }
      w.in->widen(buffer[k], p + i * w.in->item, m);
      x[k - 1] = buffer[k];
    }
    char* const to = static_cast<char*>(out);
    if (!w.out) {
      spec.dense(to + i * spec.item[0], x, m, w.params);
      continue;
    }
    spec.dense(buffer[0], x, m, w.params);
    w.out->narrow(to + i * w.out->item, buffer[0], m);
  }
}

void run_widened_loop(const Widened& w, const LoopArgs& a) {
  LoopSpec narrow = *w.spec;
  narrow.dense = run_widened;
  if (w.out) narrow.item[0] = static_cast<uint8_t>(w.out->item);
  for (int k = 1; k <= narrow.inputs; ++k)
    if (w.wide >> k & 1) narrow.item[k] = static_cast<uint8_t>(w.in->item);
  LoopArgs b = a;
  b.params = &w;
  run_loop(narrow, b);
}
}  // namespace

void run_narrow(const LoopSpec& spec, DType dtype, int params, const LoopArgs& a) {
  const NarrowType& type = kNarrowTypes[dtype];
  int32_t numbers[kMaxParams] = {};
  const void* wide_params = a.params;
  if (params && !type.is_float) {
    type.widen(numbers, a.params, params);
    wide_params = numbers;
  }
  Widened w{&spec, &type, spec.item[0] == sizeof(int32_t) ? &type : nullptr, 0, wide_params};
  for (int k = 1; k <= spec.inputs; ++k) {
    const bool is_float_number = type.is_float && (a.numbers >> k & 1);
    if (spec.item[k] == sizeof(int32_t) && !is_float_number) w.wide |= 1u << k;  // else a mask
  }
  run_widened_loop(w, a);
}

void run_converted(const LoopSpec& spec, DType to, DType from, const LoopArgs& a) {
  const NarrowType &in = kNarrowTypes[from], &out = kNarrowTypes[to];
  // Floats and halves, with nothing between them.
  constexpr int64_t kFloat = sizeof(float);
  const bool narrows = from == DType::Float32 && out.is_float, widens = to == DType::Float32 && in.is_float;
  if (narrows && a.m == 1 && a.inner[0] == out.item && a.inner[1] == kFloat) return out.narrow(a.ptr[0], a.ptr[1], a.n);
  if (widens && a.m == 1 && a.inner[0] == kFloat && a.inner[1] == in.item) return in.widen(a.ptr[0], a.ptr[1], a.n);
  const Widened w{&spec, &in, out.is_float ? &out : nullptr, in.is_float ? 2u : 0, a.params};
  run_widened_loop(w, a);
}

void run_in_double(decltype(LoopSpec::dense) dense, int inputs, float* out, const void* const* in, int64_t n,
                   const void* p) {
  constexpr int64_t kBlock = 256;
  alignas(64) double wide[kMaxOperands][kBlock];
  const void* operands[kMaxOperands];
  for (int k = 0; k < inputs; ++k) operands[k] = wide[k + 1];
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t m = n - begin < kBlock ? n - begin : kBlock;
    for (int k = 0; k < inputs; ++k) {
      const float* from = static_cast<const float*>(in[k]) + begin;
      for (int64_t i = 0; i < m; ++i) wide[k + 1][i] = from[i];
    }
    dense(wide[0], operands, m, p);
    for (int64_t i = 0; i < m; ++i) out[begin + i] = static_cast<float>(wide[0][i]);
  }
}
}  // namespace gradcore::GC_ISA
