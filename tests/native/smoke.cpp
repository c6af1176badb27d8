// The C++ layers without Python, for machines and compilers that the suite does not reach: tensors, kernels, the tape,
// an optimizer's step and parallel loops, each compared with plain loops or with mathematics. Prints what it checked;
// ends with 1 where something differs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "autograd/accumulate.h"
#include "autograd/engine.h"
#include "core/cpu.h"
#include "core/generator.h"
#include "core/parallel.h"
#include "core/threading_layer.h"
#include "kernels/portable/special/special.h"
#include "ops/ops.h"
#include "ops/tape_ops.h"
#include "optim/rule_step.h"

using namespace gradcore;

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  std::printf("%s  %s\n", holds ? "ok  " : "FAIL", what);
  failures += !holds;
}
// Largest difference relative to the larger of the two, or to 1.
double distance(double a, double b) { return std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)}); }
void expect_near(double found, double wanted, double tolerance, const char* what) {
  expect(distance(found, wanted) <= tolerance, what);
  if (distance(found, wanted) > tolerance) std::printf("      found %.17g, wanted %.17g\n", found, wanted);
}

Tensor normal(const Dims& shape, DType dtype = DType::Float64) {
  const Tensor t = empty(shape, dtype);
  normal_(t, 0, 1);
  return t;
}
std::vector<double> values(const Tensor& t) {
  const Tensor wide = contiguous(cast(detach(t), DType::Float64));
  return {wide.host<double>(), wide.host<double>() + wide.numel()};
}
double value(const Tensor& t) { return values(t).at(0); }
bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.host(), b.host(), static_cast<size_t>(a.numel() * item_size(a.dtype()))) == 0;
}

// ---- elementwise kernels: every length of a vector's rest, against libm

void check_unary(const char* what, Tensor (*op)(const Tensor&), double (*plain)(double), bool positive) {
  for (const DType dtype : {DType::Float32, DType::Float64}) {
    double worst = 0;
    for (int64_t n = 1; n <= 70; n += 3) {
      const Tensor x = positive ? abs(normal({n}, dtype)) : normal({n}, dtype);
      const std::vector<double> in = values(x), out = values(op(x));
      for (int64_t i = 0; i < n; ++i) worst = std::max(worst, distance(out[i], plain(in[i])));
    }
    expect_near(worst, 0, dtype == DType::Float32 ? 1e-6 : 1e-14, what);
  }
}

void check_elementwise() {
  check_unary("exp", exp, std::exp, false);
  check_unary("log", log, std::log, true);
  check_unary("tanh", tanh, std::tanh, false);
  check_unary("sin", sin, std::sin, false);
  check_unary("sqrt", sqrt, std::sqrt, true);
  check_unary("erfc", erfc, std::erfc, false);
  check_unary("floor", floor, std::floor, false);
  expect_near(portable::lgamma(4.5), std::lgamma(4.5), 1e-15, "lgamma");
  expect_near(portable::airy_ai(1.5), 0.0717494970081054, 1e-14, "airy_ai");
  const std::vector<double> integers = values(add(arange(0, 100, 1, DType::Int8), full({100}, 100, DType::Int8)));
  expect(integers[27] == 127 && integers[28] == -128, "int8 wraps around");
}

// ---- reductions and products

void check_reductions() {
  for (const int64_t n : {1, 7, 64, 1000, 100003}) {
    const Tensor x = normal({n});
    const std::vector<double> in = values(x);
    double total = 0;
    for (const double v : in) total += v;
    expect_near(value(sum(x)), total, 1e-12 * static_cast<double>(n), "sum");
    expect(value(max(x)) == *std::max_element(in.begin(), in.end()), "max");
    expect(value(min(x)) == *std::min_element(in.begin(), in.end()), "min");
  }
  const Tensor x = normal({33, 65});
  const std::vector<double> in = values(x), columns = values(sum(x, Dims{0}));
  double column = 0;
  for (int i = 0; i < 33; ++i) column += in[i * 65 + 64];
  expect_near(columns[64], column, 1e-13, "sum over rows");
}

void check_product(int64_t m, int64_t k, int64_t n, DType dtype, bool transposed) {
  const Tensor a = normal({m, k}, dtype), stored = transposed ? normal({n, k}, dtype) : normal({k, n}, dtype);
  const std::vector<double> left = values(a), right = values(stored);
  const std::vector<double> found = values(matmul(a, transposed ? transpose(stored, 0, 1) : stored));
  double worst = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double wanted = 0;
      for (int64_t p = 0; p < k; ++p) wanted += left[i * k + p] * right[transposed ? j * k + p : p * n + j];
      worst = std::max(worst, distance(found[i * n + j], wanted));
    }
  char what[80];
  std::snprintf(what, sizeof what, "matmul %d x %d x %d%s", static_cast<int>(m), static_cast<int>(k),
                static_cast<int>(n), transposed ? " transposed" : "");
  expect_near(worst, 0, dtype == DType::Float32 ? 2e-5 : 1e-13, what);
}

void check_products() {
  for (const DType dtype : {DType::Float32, DType::Float64})
    for (const bool transposed : {false, true}) {
      check_product(3, 5, 7, dtype, transposed);
      check_product(67, 129, 35, dtype, transposed);
    }
}

// ---- the tape

Tensor loss_of(const Tensor& x, const Tensor& w, const Tensor& b) {
  return mean(square(sub(tanh(add(matmul(x, w), b)), sum(x, Dims{1}, true))));
}

void check_gradients() {
  const Tensor x = normal({9, 4}), w = normal({4, 1}), b = normal({1});
  set_requires_grad(w, true);
  const Tensor loss = loss_of(x, w, b);
  run_backward({.roots = {gradient_edge(loss)}, .grads = {ones_like(loss)}, .inputs = {}});
  const std::vector<double> found = values(grad_of(w.impl()));
  const Tensor moved = clone(detach(w));
  for (int i = 0; i < 4; ++i) {
    constexpr double step = 1e-6;
    double* element = moved.host<double>() + i;
    const double at = *element;
    *element = at + step;
    const double above = value(loss_of(x, moved, b));
    *element = at - step;
    const double below = value(loss_of(x, moved, b));
    *element = at;
    expect_near(found[i], (above - below) / (2 * step), 1e-7, "gradient against differences");
  }
}

void check_second_derivative() {
  const Tensor x = full({}, 0.5, DType::Float64);
  set_requires_grad(x, true);
  const Tensor y = mul(sin(x), x);
  const auto gradient = [&](const Tensor& of, bool graph) {
    return run_backward({.roots = {gradient_edge(of)},
                         .grads = {ones_like(of)},
                         .inputs = {gradient_edge(x)},
                         .accumulate = false,
                         .keep_graph = graph,
                         .create_graph = graph})
        .at(0);
  };
  const Tensor first = gradient(y, true);
  expect_near(value(first), std::sin(0.5) + 0.5 * std::cos(0.5), 1e-15, "derivative of x sin(x)");
  expect_near(value(gradient(first, false)), 2 * std::cos(0.5) - 0.5 * std::sin(0.5), 1e-15, "its second derivative");
}

// ---- an optimizer's step: Adam's first one moves each element by lr against its gradient's sign

void check_adam() {
  using Rule = formulas::AdamRule<formulas::Hyperparameter>;
  using formulas::Hyperparameter;
  const int64_t n = 40001;
  const Tensor parameter = normal({n}, DType::Float32), g = normal({n}, DType::Float32);
  Tensor arrays[] = {parameter, g, zeros({n}, DType::Float32), zeros({n}, DType::Float32), Tensor()};
  Rule rule{};
  rule.lr = Hyperparameter(0.1);
  rule.beta1 = Hyperparameter(0.9), rule.beta2 = Hyperparameter(0.999), rule.eps = Hyperparameter(1e-8);
  rule.decay_factor = Hyperparameter(1);
  const std::vector<double> before = values(parameter), gradient = values(g);
  const Tensor count = scalar_tensor(0.0, DType::Float32);
  std::vector<RuleItem<Rule>> items;
  items.emplace_back(arrays, RuleItem<Rule>::NumberTensors{count}, &rule, true);
  items[0].prepare(false);
  launch(RuleStep<Rule>(items));
  items[0].finish();
  const std::vector<double> after = values(parameter);
  double worst = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double wanted = before[i] - 0.1 * gradient[i] / (std::abs(gradient[i]) + 1e-8);
    worst = std::max(worst, distance(after[i], wanted));
  }
  expect_near(worst, 0, 1e-5, "Adam's first step");
  expect(value(count) == 1, "Adam counts its steps");
}

// ---- parallel loops: the same bits for any number of threads

void check_threads() {
  const Tensor x = normal({1 << 20}, DType::Float32), a = normal({300, 200}, DType::Float32);
  const auto results = [&] { return std::vector<Tensor>{sum(x), exp(x), matmul(a, transpose(a, 0, 1))}; };
  set_num_threads(1);
  const std::vector<Tensor> alone = results();
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    const std::vector<Tensor> together = results();
    bool same = true;
    for (size_t i = 0; i < alone.size(); ++i) same = same && same_bits(alone[i], together[i]);
    char what[80];
    std::snprintf(what, sizeof what, "%d threads give the bits of one", threads);
    expect(same, what);
  }
  bool raised = false;
  try {
    parallel_blocks(64, [](int64_t block) { check(block != 33, "block ", block); });
  } catch (const Error&) {
    raised = true;
  }
  expect(raised, "an error leaves a parallel loop");
}

}  // namespace

int main() {
  fill_tape_ops();
  default_generator().manual_seed(0);
  std::printf("kernels %s, layer %s, %d threads\n", kIsaName[static_cast<int>(active_isa())], threading_layer(),
              num_threads());
  check_elementwise();
  check_reductions();
  check_products();
  check_gradients();
  check_second_derivative();
  check_adam();
  check_threads();
  std::printf("%s\n", failures ? "FAILED" : "all passed");
  return failures ? 1 : 0;
}
