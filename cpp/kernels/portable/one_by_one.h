// The one loop of all functions that go element by element: special functions, where a call takes so long that a loop
// of their own would save nothing. They are functions of plain numbers (portable/special).
#pragma once
#include "core/loop.h"

namespace gradcore::portable {

// A function of its operands and, behind them, its parameters.
using NumberFn = double (*)(const double* arguments);

// Elements of T, a float of any width, of any strides. Numbers and parameters are of the type that T is computed in.
template <class T> void run_one_by_one(NumberFn f, int operands, int params, const LoopArgs& a);

}  // namespace gradcore::portable
