// The loops of one group of formulas: a file of this folder for each. table.cpp collects them.
#pragma once
#include "core/loop.h"

namespace gradcore::GC_ISA {

template <int kCount> struct GroupKernels {
  ElementwiseKernels of[kCount];
};
template <class Group> struct KernelsOf {
  static const GroupKernels<Group::size> table;  // defined in loops.h
};

extern const CopyKernels copy_kernels;

}  // namespace gradcore::GC_ISA
