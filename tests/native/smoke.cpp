// The C++ layers without Python: tensors, recorded ops, backward and an optimizer's step, in each threading layer.
// Built by `cmake -DGRADCORE_NATIVE_TEST=ON`; prints "passed" or what is wrong.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "autograd/accumulate.h"
#include "autograd/engine.h"
#include "core/generator.h"
#include "core/parallel.h"
#include "ops/ops.h"

using namespace gradcore;

namespace {

int failures = 0;

void expect(bool right, const char* what) {
  if (right) return;
  ++failures;
  std::printf("wrong: %s\n", what);
}

bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * (1 + std::abs(b)); }

double number(const Tensor& t) { return cast(t, DType::Float64).host<double>()[0]; }

void backward(const Tensor& loss) { run_backward({.roots = {gradient_edge(loss)}, .grads = {ones_like(loss)}}); }

// y = w * x + b fitted by gradient descent: the least squares of a line through exact points.
void test_descent() {
  const Tensor x = linspace(-1, 1, 64, DType::Float32);
  const Tensor y = add(mul(x, Scalar(3.0)), Scalar(-0.5));
  Tensor w = zeros(Dims(), DType::Float32), b = zeros(Dims(), DType::Float32);
  set_requires_grad(w, true);
  set_requires_grad(b, true);
  for (int step = 0; step < 200; ++step) {
    const Tensor miss = sub(add(mul(x, w), b), y);
    backward(mean(mul(miss, miss)));
    const NoRecordGuard off;
    for (const Tensor& p : {w, b}) {
      sub_(p, grad_of(p.impl()), 0.5);
      set_grad_of(p, Tensor());
    }
  }
  expect(near(number(w), 3, 1e-4) && near(number(b), -0.5, 1e-4), "gradient descent");
}

// d/dx of each at 0.7, by the tape and by formula.
void test_formulas() {
  const struct {
    const char* name;
    Tensor (*f)(const Tensor&);
    double derivative;
  } cases[] = {{"exp", exp, std::exp(0.7)},
               {"tanh", tanh, 1 - std::tanh(0.7) * std::tanh(0.7)},
               {"sin", sin, std::cos(0.7)},
               {"log", log, 1 / 0.7},
               {"sqrt", sqrt, 0.5 / std::sqrt(0.7)}};
  for (const auto& c : cases) {
    for (const DType dtype : {DType::Float32, DType::Float64}) {
      const Tensor x = full(Dims{9}, 0.7, dtype);
      set_requires_grad(x, true);
      backward(sum(c.f(x)));
      expect(near(number(grad_of(x.impl())), c.derivative, dtype == DType::Float32 ? 1e-6 : 1e-14), c.name);
    }
  }
}

// The same bits for any number of threads, by loops of several kinds.
void test_threads() {
  const Tensor a = reshape(linspace(-2, 2, 600 * 700, DType::Float32), Dims{600, 700});
  double first[4] = {};
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const double now[] = {number(sum(mul(a, a))), number(select(sum(a, Dims{0}), 0, 3)), number(sum(matmul(a, t(a)))),
                          number(sum(softmax(a, 1, {})))};
    for (int i = 0; i < 4; ++i) {
      if (threads == 1) first[i] = now[i];
      expect(now[i] == first[i], "the same bits for any number of threads");
    }
  }
}

void test_errors() {
  const Tensor a = ones(Dims{2}, DType::Float32), b = ones(Dims{3}, DType::Float32);
  bool refused = false;
  try {
    add(a, b);
  } catch (const Error&) {
    refused = true;
  }
  expect(refused, "shapes that do not broadcast are refused");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) set_threading_layer(argv[1]);
  fill_tape_ops();
  test_formulas();
  test_descent();
  test_threads();
  test_errors();
  if (failures) return EXIT_FAILURE;
  std::printf("passed, threads by %s\n", threading_layer());
  return EXIT_SUCCESS;
}
