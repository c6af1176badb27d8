#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "core/multi_tensor.h"
#include "kernels/table.h"

namespace gradcore {

using formulas::Hyperparameter;

namespace {

// Note [Muon in bfloat16]
// torch iterates in bfloat16: it adds products up in float32 and rounds what it stores. So do we, in float32 arrays,
// since bfloat16 is no dtype of ours and few processors multiply it. What we save is the half of two of the three
// products that symmetry gives: they are made in strips of rows, each up to the diagonal, and mirrored.
constexpr int64_t kStrip = 64;
constexpr double kTogether = 1 << 26;  // multiplications in a product, above which a matrix has all threads for itself
constexpr double kWorth = 1e5;         // multiplications, below which nothing is worth a second thread

const MuonKernels& loops() { return kernels().muon; }

float rounded(float x) {
  loops().round(1, &x);
  return x;
}

// A matrix as the kernel sees it.
struct Matrix {
  const float* at;
  int64_t row, col;
  Matrix transposed() const { return {at, col, row}; }
  Matrix from_row(int64_t i) const { return {at + i * row, row, col}; }
};

// c (m x n, dense rows of ldc) = a (m x k) b (k x n)
void multiply(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, float* c, int64_t ldc) {
  kernels().matmul.f32({m, n, k, a.at, a.row, a.col, b.at, b.row, b.col, c, ldc, false});
}

template <class F> void for_each_strip(int64_t rows, F&& f) {
  parallel_blocks((rows + kStrip - 1) / kStrip, [&](int64_t i) { f(i * kStrip, std::min(kStrip, rows - i * kStrip)); });
}

// Makes a symmetric c (n x n) = a (n x k) b: finish(i, length) sees each row up to the diagonal, then it is mirrored.
template <class F> void symmetric_product(int64_t n, int64_t k, Matrix a, Matrix b, float* c, F&& finish) {
  for_each_strip(n, [&](int64_t first, int64_t rows) {
    multiply(rows, first + rows, k, a.from_row(first), b, c + first * n, n);
    for (int64_t i = first; i < first + rows; ++i) finish(i, first + rows);
    loops().transpose(rows, first, c + first * n, c + first, n);
  });
}

float norm_of(const float* x, int64_t n) {
  float norm = 0;
  ReduceArgs a{};
  a.in = x, a.out = &norm, a.reduce = n;
  a.outer = a.inner = a.s_outer = a.s_reduce = a.s_inner = 1;
  kernels().reduce[ReduceOp::Norm2][DType::Float32](a);
  return norm;
}

// U V^T of the singular value decomposition x = U S V^T, roughly: a quintic Newton-Schulz iteration drives the singular
// values towards 1. `spare` is like the matrix, `squares` two of its smaller dim.
void orthogonalize(const MuonOptions& o, int64_t rows, int64_t cols, float* matrix, float* spare, float* squares) {
  const bool tall = rows > cols;
  const int64_t n = std::min(rows, cols), k = std::max(rows, cols);
  const auto a = static_cast<float>(o.a), b = static_cast<float>(o.b), c = static_cast<float>(o.c);
  float *x = matrix, *next = spare;
  float *gram = squares, *poly = gram + n * n;
  const Matrix g{gram, n, 1}, p{poly, n, 1};

  const float norm = rounded(norm_of(x, n * k)), eps = rounded(static_cast<float>(o.eps));
  loops().divide(n * k, x, norm < eps ? eps : norm);
  for (int64_t step = 0; step < o.ns_steps; ++step) {
    const Matrix m{x, cols, 1}, wide = tall ? m.transposed() : m;
    // G = X X^T
    symmetric_product(n, k, wide, wide.transposed(), gram,
                      [&](int64_t i, int64_t end) { loops().round(end, gram + i * n); });
    // P = b G + c G^2
    symmetric_product(n, n, g, g, poly,
                      [&](int64_t i, int64_t end) { loops().combine(end, b, gram + i * n, c, poly + i * n); });
    // X = a X + P X, or of the transposed a X + X P
    multiply(rows, cols, n, tall ? m : p, tall ? p : m, next, cols);
    for_each_strip(rows, [&](int64_t first, int64_t count) {
      loops().combine(count * cols, a, x + first * cols, 1, next + first * cols);
    });
    std::swap(x, next);
  }
  if (x != matrix) std::copy_n(x, n * k, next);
}

// What scales the learning rate, by the matrix's proportions.
double adjusted(const std::string& how, int64_t rows, int64_t cols) {
  const auto a = static_cast<double>(rows), b = static_cast<double>(cols);
  if (how == "match_rms_adamw") return 0.2 * std::sqrt(std::max(a, b));
  if (how.empty() || how == "original") return std::sqrt(std::max(1.0, a / b));
  return 1;
}

}  // namespace

MuonItem::MuonItem(const Tensor& param, const Tensor& grad, const Tensor& average, const MuonOptions& options)
    : n(param.numel()), options_(&options), average_{options.momentum, options.nesterov} {
  check(grad.dim() == 2, ErrorKind::Value, "Param gradient must be a 2D matrix");
  check(options.ns_steps < 100, ErrorKind::Value, "Number of steps must be less than 100 for computational efficiency");
  add_gradient(param, grad);
  add_state(average, param.shape());
}

double MuonItem::work() const {
  const Tensor& p = array(kParam);
  return static_cast<double>(n) * static_cast<double>(std::min(p.size(0), p.size(1)));
}

void MuonItem::find_direction() {
  const Tensor& p = array(kParam);
  direction_ = empty(p.shape(), DType::Float32);
  loops().update[dtype()](n, average_, data(kState, 0), data(kGrad, 0), direction());
  const int64_t n = std::min(p.size(0), p.size(1));
  const Tensor spare = empty(p.shape(), DType::Float32), squares = empty({2, n, n}, DType::Float32);
  orthogonalize(*options_, p.size(0), p.size(1), direction(), floats(spare), floats(squares));
}

void MuonItem::move(int64_t begin, int64_t end) const {
  const Tensor& p = array(kParam);
  const Hyperparameter rate = options_->lr * Hyperparameter(adjusted(options_->adjust_lr_fn, p.size(0), p.size(1)));
  const Hyperparameter keep = Hyperparameter(1) - options_->lr * Hyperparameter(options_->weight_decay);
  loops().move[dtype()](end - begin, average_, data(kParam, begin), data(kState, begin), data(kGrad, begin),
                        direction() + begin, keep.value, -rate.value);
}

void MuonStep::run() const {
  double work = 0;
  std::vector<MuonItem*> together;
  for (MuonItem& item : items_) {
    if (item.work() > kTogether) {
      item.find_direction();
      continue;
    }
    together.push_back(&item);
    work += item.work();
  }
  auto find = [&](int64_t i) { together[i]->find_direction(); };
  const auto count = static_cast<int64_t>(together.size());
  if (work > kWorth)
    parallel_blocks(count, find);
  else
    for (int64_t i = 0; i < count; ++i) find(i);
  for_each_slice(std::span<const MuonItem>(items_),
                 [](const MuonItem& item, int64_t begin, int64_t end) { item.move(begin, end); });
}

}  // namespace gradcore
