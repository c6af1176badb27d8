// Iteration plan: how an elementwise op walks its operands. Start at make_plan().
// Broadcast, sort the dims by stride, merge neighbours, run two innermost dims in the kernel and the rest here.
#pragma once
#include "core/loop.h"
#include "tensor/tensor.h"

namespace gradcore {

struct PlanOperand {
  char* ptr;
  const Dims* shape;    // null: one element for all
  const Dims* strides;  // in elements
  int64_t item;
};

struct Plan {
  int operands = 0;
  int ndim = 0;
  int64_t numel = 0;
  char* ptr[kMaxOperands];
  int64_t size[kMaxDims];                  // innermost first
  int64_t stride[kMaxDims][kMaxOperands];  // bytes
};

// Fills `plan` for walking `shape` with operands that broadcast to it; RuntimeError where one does not.
void make_plan(Plan& plan, const Dims& shape, const PlanOperand* operands, int count);
// Runs the loop over all of the plan; `numbers` as in LoopArgs; `cost` is about the nanoseconds of an element, for
// deciding on threads.
void run_plan(const Plan& plan, LoopFn loop, const void* params, unsigned numbers, double cost);
// The fast exit: a.n elements, every operand dense or (stride 0) one element.
void run_flat(const LoopArgs& a, int operands, LoopFn loop, double cost);

// The strides of a fresh result of `shape` made from these operands: the memory order that most of them share (torch's
// rule).
Dims result_strides(const Dims& shape, const Tensor* const* inputs, int count);

}  // namespace gradcore
