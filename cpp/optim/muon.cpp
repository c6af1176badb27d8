#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "core/multi_tensor.h"
#include "kernels/table.h"

namespace gradcore {

using formulas::Hyperparameter;

namespace {

// Note [Muon in bfloat16]
// As in torch the iteration is one in bfloat16: products are added up in float32, and what is kept is rounded. A
// product that is then scaled and added to something is not rounded by itself.
constexpr int64_t kSlice = 1 << 14;    // elements that one thread combines at a time
constexpr double kTogether = 1 << 26;  // multiplications in a product, above which a matrix has all threads for itself
constexpr double kWorth = 1e5;         // multiplications, below which nothing is worth a second thread

const MuonKernels& loops() { return kernels().muon; }

// A matrix as the kernel sees it.
struct Matrix {
  const bfloat16* at;
  int64_t row, col;
  Matrix transposed() const { return {at, col, row}; }
};

// c (m x n, dense; floats or bfloat16, as `kernel` writes it) = a (m x k) b (k x n)
void multiply(GemmFn<bfloat16> kernel, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, void* c) {
  kernel({m, n, k, a.at, a.row, a.col, b.at, b.row, b.col, static_cast<bfloat16*>(c), n, false});
}

// out = a x + b y
void combine(int64_t n, float a, const bfloat16* x, float b, const float* y, bfloat16* out) {
  parallel_blocks((n + kSlice - 1) / kSlice, [&](int64_t i) {
    const int64_t first = i * kSlice;
    loops().combine(std::min(kSlice, n - first), a, x + first, b, y + first, out + first);
  });
}

float norm_of(const bfloat16* x, int64_t n) {
  bfloat16 norm(0);
  ReduceArgs a{};
  a.in = x, a.out = &norm, a.reduce = n;
  a.outer = a.inner = a.s_outer = a.s_reduce = a.s_inner = 1;
  kernels().reduce[ReduceOp::Norm2][DType::BFloat16](a);
  return norm;
}

// U V^T of the singular value decomposition x = U S V^T, roughly: a quintic Newton-Schulz iteration drives the singular
// values towards 1. `spare` and `product` are like the matrix, `squares` two of its smaller dim.
void orthogonalize(const MuonOptions& o, int64_t rows, int64_t cols, bfloat16* matrix, bfloat16* spare,
                   bfloat16* squares, float* product) {
  const bool tall = rows > cols;
  const int64_t n = std::min(rows, cols), k = std::max(rows, cols);
  if (n == 0) return;
  const auto a = static_cast<float>(o.a), b = static_cast<float>(o.b), c = static_cast<float>(o.c);
  const auto& rounded = kernels().matmul.bf16;
  const auto& whole = kernels().matmul.bf16_to_f32;
  bfloat16 *x = matrix, *next = spare;
  bfloat16 *gram = squares, *poly = gram + n * n;
  const Matrix g{gram, n, 1}, p{poly, n, 1};

  const bfloat16 eps(o.eps);
  loops().divide(n * k, x, std::max(norm_of(x, n * k), float(eps)));
  for (int64_t step = 0; step < o.ns_steps; ++step) {
    const Matrix m{x, cols, 1}, wide = tall ? m.transposed() : m;
    // G = X X^T
    multiply(rounded, n, n, k, wide, wide.transposed(), gram);
    // P = b G + c G^2
    multiply(whole, n, n, n, g, g, product);
    combine(n * n, b, gram, c, product, poly);
    // X = a X + P X, or of the transposed a X + X P
    multiply(whole, rows, cols, n, tall ? m : p, tall ? p : m, product);
    combine(n * k, a, x, 1, product, next);
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
  direction_ = empty(p.shape(), DType::BFloat16);
  loops().update[dtype()](n, average_, data(kState, 0), data(kGrad, 0), direction());
  const int64_t n = std::min(p.size(0), p.size(1));
  const Tensor spare = empty(p.shape(), DType::BFloat16), squares = empty({2, n, n}, DType::BFloat16);
  const Tensor product = empty(p.shape(), DType::Float32);
  orthogonalize(*options_, p.size(0), p.size(1), direction(), memory<bfloat16>(spare), memory<bfloat16>(squares),
                memory<float>(product));
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
