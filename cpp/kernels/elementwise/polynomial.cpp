// The loops of orthogonal polynomials.
#include "formulas/polynomial.h"

#include "kernels/elementwise/loops.h"

namespace gradcore::GC_ISA {

namespace {

// p(k + 1) = (slope(k) x + start(k)) p(k) - before(k) p(k - 1), where each of the three is (a k + b) / (k + 1), or a k
// + b alone. p(1) is first_slope x + first_start.
struct Recurrence {
  double scale, shift;  // x is scale x + shift
  double first_slope, first_start;
  double slope[2], start[2], before[2];
  bool divided;
};
constexpr Recurrence chebyshev(double first_slope, double first_start) {
  return {1, 0, first_slope, first_start, {0, 2}, {0, 0}, {0, 1}, false};
}
constexpr Recurrence shifted(Recurrence r) {
  r.scale = 2, r.shift = -1;
  return r;
}
template <class Op> constexpr Recurrence recurrence_of{};
template <> constexpr Recurrence recurrence_of<formulas::ChebyshevT> = chebyshev(1, 0);
template <> constexpr Recurrence recurrence_of<formulas::ChebyshevU> = chebyshev(2, 0);
template <> constexpr Recurrence recurrence_of<formulas::ChebyshevV> = chebyshev(2, -1);
template <> constexpr Recurrence recurrence_of<formulas::ChebyshevW> = chebyshev(2, 1);
template <> constexpr Recurrence recurrence_of<formulas::ShiftedChebyshevT> = shifted(chebyshev(1, 0));
template <> constexpr Recurrence recurrence_of<formulas::ShiftedChebyshevU> = shifted(chebyshev(2, 0));
template <> constexpr Recurrence recurrence_of<formulas::ShiftedChebyshevV> = shifted(chebyshev(2, -1));
template <> constexpr Recurrence recurrence_of<formulas::ShiftedChebyshevW> = shifted(chebyshev(2, 1));
template <> constexpr Recurrence recurrence_of<formulas::HermiteH>{1, 0, 2, 0, {0, 2}, {0, 0}, {2, 0}, false};
template <> constexpr Recurrence recurrence_of<formulas::HermiteHe>{1, 0, 1, 0, {0, 1}, {0, 0}, {1, 0}, false};
template <> constexpr Recurrence recurrence_of<formulas::LaguerreL>{1, 0, -1, 1, {0, -1}, {2, 1}, {1, 0}, true};
template <> constexpr Recurrence recurrence_of<formulas::LegendreP>{1, 0, 1, 0, {2, 1}, {0, 0}, {1, 0}, true};

constexpr double kMostSteps = 64;  // more of them are few in a program, and go one by one

// kWidth elements at once, each to its own degree. What has become infinite stays so.
__attribute__((noinline)) void take_steps(const Recurrence& r, const double* points, const double* degrees, double most,
                                          double* out) {
  constexpr double inf = __builtin_inf();
  double x[kWidth], before[kWidth], p[kWidth];
  for (int i = 0; i < kWidth; ++i) {
    x[i] = r.scale * points[i] + r.shift;
    before[i] = 1.0;
    p[i] = r.first_slope * x[i] + r.first_start;
  }
  for (double k = 1; k < most; ++k) {
    const double over = r.divided ? 1.0 / (k + 1.0) : 1.0;
    const double slope = (r.slope[0] * k + r.slope[1]) * over, start = (r.start[0] * k + r.start[1]) * over;
    const double less = (r.before[0] * k + r.before[1]) * over;
    for (int i = 0; i < kWidth; ++i) {
      const bool goes_on = (k < degrees[i]) & (__builtin_fabs(p[i]) < inf);
      const double next = (slope * x[i] + start) * p[i] - less * before[i];
      before[i] = p[i];
      p[i] = goes_on ? next : p[i];
    }
  }
  for (int i = 0; i < kWidth; ++i) {
    const double y = degrees[i] == 0.0 ? 1.0 : p[i];
    out[i] = degrees[i] >= 0.0 ? y : 0.0;
  }
}
template <class Op> double by_number(double x, double degree) {
  const double arguments[] = {x, degree};
  return at_numbers<Op>(arguments);
}
template <class Op, class T> void dense(void* to, const void* const* in, int64_t n, const void*) {
  T* const out = static_cast<T*>(to);
  const T *const x = static_cast<const T*>(in[0]), *const degree = static_cast<const T*>(in[1]);
  for (int64_t begin = 0; begin < n; begin += kWidth) {
    const int64_t m = n - begin < kWidth ? n - begin : kWidth;
    double points[kWidth] = {}, degrees[kWidth] = {}, values[kWidth];
    for (int64_t i = 0; i < m; ++i) points[i] = x[begin + i];
    for (int64_t i = 0; i < m; ++i) degrees[i] = __builtin_trunc(degree[begin + i]);
    double most = 0;
    for (double d : degrees) most = d > most ? d : most;
    take_steps(recurrence_of<Op>, points, degrees, most < kMostSteps ? most : kMostSteps, values);
    for (int64_t i = 0; i < m; ++i)
      out[begin + i] = static_cast<T>(degrees[i] > kMostSteps ? by_number<Op>(points[i], degrees[i]) : values[i]);
  }
}
template <class Op, class T> void run(const LoopArgs& a) {
  static constexpr LoopSpec kSpec{dense<Op, T>, 2, {sizeof(T), sizeof(T), sizeof(T)}};
  run_loop(kSpec, a);
}

}  // namespace

#define GC_LOOPS(f, Op)                                                                                 \
  template <> constexpr LoopFn forward_loop<formulas::Op, float>() { return run<formulas::Op, float>; } \
  template <> constexpr LoopFn forward_loop<formulas::Op, double>() { return run<formulas::Op, double>; }
GC_POLYNOMIALS(GC_LOOPS)
#undef GC_LOOPS

template struct KernelsOf<formulas::Polynomials>;

}  // namespace gradcore::GC_ISA
