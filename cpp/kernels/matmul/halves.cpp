// Products of matrices of halves: the operands are converted to floats, the floats' kernel multiplies, and each result
// is rounded once. A large operand beside a thin one is converted a panel at a time, which is still in cache when it is
// multiplied: memory is read once, as halves. A processor that multiplies bfloat16 does so: dots.cpp.
#include "core/parallel.h"
#include "kernels/convert.h"
#include "kernels/matmul/gemm.h"

namespace gradcore::GC_ISA {

namespace {

constexpr int64_t kThin = 16;        // rows or columns of an operand that is not worth packing
constexpr int64_t kPanel = 1 << 15;  // floats of a panel
constexpr int64_t kPart = 1 << 14;   // halves that one thread converts at a time

// A matrix of floats with one of its strides 1.
struct FloatMatrix {
  const float* p;
  int64_t row, col;
};

// Lines of `length` halves, which lie `inner` apart, one dense line after the other.
template <class T>
GC_OUTLINE void convert_lines(const T* from, int64_t outer, int64_t inner, int64_t lines, int64_t length, float* to) {
  if (inner == 1 && outer == length) return to_floats(to, from, lines * length);
  for (int64_t i = 0; i < lines; ++i, from += outer, to += length) {
    if (inner == 1)
      to_floats(to, from, length);
    else
      for (int64_t j = 0; j < length; ++j) to[j] = from[j * inner];
  }
}

// An operand of rows x columns, kept in the order that it has in memory.
template <class T> struct Operand {
  const T* p;
  int64_t rows, columns, row, col;

  bool by_columns() const { return row == 1 && col != 1; }
  int64_t lines() const { return by_columns() ? columns : rows; }
  int64_t length() const { return by_columns() ? rows : columns; }
  FloatMatrix converted(float* to) const {
    if (by_columns()) {
      convert_lines(p, col, row, columns, rows, to);
      return {to, 1, rows};
    }
    convert_lines(p, row, col, rows, columns, to);
    return {to, columns, 1};
  }
  // The same, in parallel.
  FloatMatrix converted_by_all(float* to) const {
    const int64_t step = larger(1, kPart / larger(1, length()));
    const int64_t outer = by_columns() ? col : row, inner = by_columns() ? row : col;
    parallel_blocks(ceil_div(lines(), step), [&](int64_t b) {
      const int64_t first = b * step;
      convert_lines(p + first * outer, outer, inner, smaller(step, lines() - first), length(), to + first * length());
    });
    return by_columns() ? FloatMatrix{to, 1, rows} : FloatMatrix{to, columns, 1};
  }
};

void multiply_floats(const FloatMatrix& a, const FloatMatrix& b, int64_t m, int64_t n, int64_t k, float* c) {
  matmul_kernels.f32({m, n, k, a.p, a.row, a.col, b.p, b.row, b.col, c, n, false});
}

template <class Out, class T>
void store_rows(const GemmArgs<T>& g, int64_t row, int64_t rows, int64_t column, int64_t columns, const float* c) {
  Out* const out = reinterpret_cast<Out*>(g.c);
  for (int64_t i = 0; i < rows; ++i) {
    Out* const to = out + (row + i) * g.ldc + column;
    const float* const from = c + i * columns;
    if (g.accumulate)
      for (int64_t j = 0; j < columns; ++j) to[j] = Out(from[j] + float(to[j]));
    else
      from_floats(to, from, columns);
  }
}

// Of many rows by a thin matrix.
template <class Out, class T> void multiply_row_panels(const GemmArgs<T>& g) {
  const Scratch<float> b(g.k * g.n);
  const FloatMatrix right = Operand<T>{g.b, g.k, g.n, g.b_row, g.b_col}.converted(b.data());
  const int64_t step = larger(kThin, kPanel / larger(1, g.k));
  parallel_blocks(ceil_div(g.m, step), [&](int64_t block) {
    const int64_t first = block * step, rows = smaller(step, g.m - first);
    const Scratch<float> a(rows * g.k), c(rows * g.n);
    const Operand<T> panel{g.a + first * g.a_row, rows, g.k, g.a_row, g.a_col};
    multiply_floats(panel.converted(a.data()), right, rows, g.n, g.k, c.data());
    store_rows<Out>(g, first, rows, 0, g.n, c.data());
  });
}
// Of a thin matrix by many columns.
template <class Out, class T> void multiply_column_panels(const GemmArgs<T>& g) {
  const Scratch<float> a(g.m * g.k);
  const FloatMatrix left = Operand<T>{g.a, g.m, g.k, g.a_row, g.a_col}.converted(a.data());
  const int64_t step = larger(kThin, kPanel / larger(1, g.k));
  parallel_blocks(ceil_div(g.n, step), [&](int64_t block) {
    const int64_t first = block * step, columns = smaller(step, g.n - first);
    const Scratch<float> b(columns * g.k), c(columns * g.m);
    const Operand<T> panel{g.b + first * g.b_col, g.k, columns, g.b_row, g.b_col};
    multiply_floats(left, panel.converted(b.data()), g.m, columns, g.k, c.data());
    store_rows<Out>(g, 0, g.m, first, columns, c.data());
  });
}

template <class Out, class T> void multiply_whole(const GemmArgs<T>& g) {
  const Scratch<float> a(g.m * g.k), b(g.k * g.n), c(g.m * g.n);
  const FloatMatrix left = Operand<T>{g.a, g.m, g.k, g.a_row, g.a_col}.converted_by_all(a.data());
  const FloatMatrix right = Operand<T>{g.b, g.k, g.n, g.b_row, g.b_col}.converted_by_all(b.data());
  multiply_floats(left, right, g.m, g.n, g.k, c.data());
  const int64_t step = larger(1, kPart / larger(1, g.n));
  parallel_blocks(ceil_div(g.m, step), [&](int64_t block) {
    const int64_t first = block * step;
    store_rows<Out>(g, first, smaller(step, g.m - first), 0, g.n, c.data() + first * g.n);
  });
}

template <class Out> bool multiply_by_instruction(const GemmArgs<half>&) { return false; }
template <class Out> bool multiply_by_instruction(const GemmArgs<bfloat16>& g) {
  if (!dots_pay(g)) return false;
  const Scratch<float> c(g.m * g.n);
  multiply_by_dots(g, c.data());
  store_rows<Out>(g, 0, g.m, 0, g.n, c.data());
  return true;
}

}  // namespace

template <class T, class Out> void multiply_halves(const GemmArgs<T>& g) {
  if (multiply_by_instruction<Out>(g)) return;
  if (g.n <= kThin && g.m * g.k > kPanel) return multiply_row_panels<Out>(g);
  if (g.m <= kThin && g.n * g.k > kPanel) return multiply_column_panels<Out>(g);
  multiply_whole<Out>(g);
}

template void multiply_halves<half, half>(const GemmArgs<half>&);
template void multiply_halves<half, float>(const GemmArgs<half>&);
template void multiply_halves<bfloat16, bfloat16>(const GemmArgs<bfloat16>&);
template void multiply_halves<bfloat16, float>(const GemmArgs<bfloat16>&);

}  // namespace gradcore::GC_ISA
