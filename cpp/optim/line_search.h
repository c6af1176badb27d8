// Line search by the strong Wolfe conditions: J. Nocedal and S. Wright, "Numerical Optimization", 2006, algorithms 3.5
// and 3.6. L-BFGS uses it, and programs that bring a method of their own. Start at strong_wolfe().
#pragma once
#include <functional>

#include "tensor/tensor.h"

namespace gradcore {

// A point on the line: how far, the loss there, the gradient, and its slope along the line.
struct LinePoint {
  double t, loss;
  Tensor grad;
  double slope;
};

struct WolfeOptions {
  double c1 = 1e-4, c2 = 0.9;   // of the conditions: for the loss, and for the slope
  double least_bracket = 1e-9;  // no bracket is searched whose ends differ by less in every element
  double trials = 25;
};

// Where the cubic through two points with their slopes has its minimum, kept within bounds: equation 3.59.
double cubic_minimum(const LinePoint& first, const LinePoint& second, double least, double most);

// A point that meets the conditions, if look(t) finds one in so many trials, else the lowest one. `t` is tried first;
// `longest` is the largest element of the direction. Counts the evaluations.
LinePoint strong_wolfe(const std::function<LinePoint(double)>& look, const LinePoint& origin, double t, double longest,
                       const WolfeOptions& options, int64_t& evaluations);

}  // namespace gradcore
