// What loops of all formulas share: rows, operands that are not dense, narrow integers. Start at run_loop().
//
// Note [Narrow types]
// Few loops are compiled for bools and for integers narrower than int32: their elements are read as int32, a block at
// a time, computed as such and cut again. Wrapping arithmetic, comparisons and divisions give the same that way; what
// does not (~ of a bool), or is for bools above all, says bools_apart. Floats of sixteen bits are computed as float in
// the same way, and rounded once. Formulas that do less than the conversions cost say small_loops: they have loops of
// each type but bool.
#pragma once
#include "core/loop.h"
#include "kernels/common.h"
#include "kernels/lane_ops.h"

namespace gradcore::GC_ISA {

template <class T> GC_INLINE Lane<T> load_lane(const StoredOf<T>* p) {
  if constexpr (__is_same(T, bool))
    return {*p != 0};
  else
    return {*p};
}

// What the walk over rows and blocks needs to know of a formula; everything else is shared by all of them.
struct LoopSpec {
  // n dense elements.
  void (*dense)(void* out, const void* const* in, int64_t n, const void* params);
  int inputs;
  uint8_t item[kMaxOperands];  // sizes, the output's first
};

// Runs a loop on operands of any strides.
void run_loop(const LoopSpec& spec, const LoopArgs& a);
// Whether input k, and no other operand, repeats one element in each row, and rows are long enough to go one by one.
bool repeats_input(const LoopSpec& spec, const LoopArgs& a, int k);
// Runs a loop of one row of two inputs on each of them.
void run_rows(decltype(LoopSpec::dense) row, const LoopArgs& a);
// Copies elements as they are on a shorter way than run_loop()'s, through no buffer; false where there is none.
bool copy_rows(const LoopSpec& spec, const LoopArgs& a);
// Runs the loop of `spec`, of int32 or float, on operands of a narrow type, with so many parameters.
void run_narrow(const LoopSpec& spec, DType type, int params, const LoopArgs& a);
// Runs the loop of `spec`, which reads and writes one operand, on others of a narrow type. Computed types are as they
// are.
void run_converted(const LoopSpec& spec, DType to, DType from, const LoopArgs& a);
// Runs a dense loop of doubles on n floats: Note [Floats in double].
void run_in_double(decltype(LoopSpec::dense) dense, int inputs, float* out, const void* const* in, int64_t n,
                   const void* p);

}  // namespace gradcore::GC_ISA
